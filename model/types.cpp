#include "model/types.h"

#include <algorithm>
#include <iterator>

namespace model {
namespace {

struct ErrnoEntry {
    Errno error;
    const char* name;
    const char* text;  // btrfs_decode_error(); null: it knows none
};

constexpr ErrnoEntry errno_table[] = {
    {Errno::Perm, "PERM", nullptr},
    {Errno::NoEnt, "NOENT", "No such entry"},
    {Errno::IO, "IO", "IO failure"},
    {Errno::BadF, "BADF", nullptr},
    {Errno::Again, "AGAIN", nullptr},
    {Errno::NoMem, "NOMEM", "Out of memory"},
    {Errno::Busy, "BUSY", nullptr},
    {Errno::Exist, "EXIST", "Object already exists"},
    {Errno::NotDir, "NOTDIR", nullptr},
    {Errno::IsDir, "ISDIR", nullptr},
    {Errno::Inval, "INVAL", nullptr},
    {Errno::TxtBsy, "TXTBSY", nullptr},
    {Errno::FBig, "FBIG", nullptr},
    {Errno::NoSpc, "NOSPC", "No space left"},
    {Errno::Rofs, "ROFS", "Readonly filesystem"},
    {Errno::NotEmpty, "NOTEMPTY", nullptr},
    {Errno::BadE, "BADE", nullptr},
    {Errno::Overflow, "OVERFLOW", nullptr},
    {Errno::OpNotSupp, "OPNOTSUPP", "Operation not supported"},
    {Errno::NotConn, "NOTCONN", nullptr},
    {Errno::InProgress, "INPROGRESS", nullptr},
    {Errno::UClean, "UCLEAN", "Filesystem corrupted"},
    {Errno::Canceled, "CANCELED", nullptr},
};

const ErrnoEntry* find_errno(Errno error) {
    const auto* const entry = std::find_if(std::begin(errno_table), std::end(errno_table),
                                           [&](const ErrnoEntry& e) { return e.error == error; });
    return entry == std::end(errno_table) ? nullptr : entry;
}

}  // namespace

const char* errno_text(Errno error) {
    const ErrnoEntry* const entry = find_errno(error);
    return entry == nullptr || entry->text == nullptr ? "unknown" : entry->text;
}

const char* errno_name(Errno error) {
    const ErrnoEntry* const entry = find_errno(error);
    return entry == nullptr ? "UNKNOWN" : entry->name;
}

std::string to_string(const Key& key) {
    return "(" + std::to_string(key.objectid) + " " + std::to_string(key.type) + " " +
           std::to_string(key.offset) + ")";
}

}  // namespace model
