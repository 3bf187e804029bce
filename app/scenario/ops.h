#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sim/result.h"

namespace app::scenario {

/// One operation of a scenario: a command line in the vocabulary of xfs_io and btrfs-progs. As in a
/// shell, "&&" before it makes it depend on the one before it in its task, and "|| fail" behind it
/// says that its failure is one of the execution; "|| true" that it makes no difference; "|| break"
/// that it ends the repeat in which the call stands.
struct Op {
    enum class Verb : std::uint8_t {
        Touch,
        Chattr,
        Pwrite,
        Pread,
        Falloc,
        Truncate,
        Dedupe,
        Rm,
        Open,
        Close,
        Writeback,
        WritebackMetadata,
        Fsync,
        Sync,
        Commit,
        Snapshot,
        SubvolumeCreate,
        ScrubStart,
        ReplaceStart,
        ReplaceCancel,
        BalanceStart,
        BalancePause,
        BalanceResume,
        BalanceCancel,
        Resize,
        Send,
        Cat,
        Umount,
        Offline,
    };
    Verb verb = Verb::Sync;
    std::string text;     // as written, blanks made single
    std::string subject;  // file, device or subvolume that it works on
    std::string object;   // the other one: a snapshot's name, a replace target, what send -p names,
                          // the source of a dedupe
    std::string pipe;     // send -f, cat
    std::uint64_t offset = 0;
    std::uint64_t source_offset = 0;  // dedupe
    std::uint64_t length = 0;
    int pattern = -1;                     // -S; -1: none given
    bool flag = false;                    // snapshot -r, chattr +C
    bool data = false, metadata = false;  // balance -d, -m
    bool after_success = false;           // "&&": not made if the call before it failed, or is none
    bool must_succeed = false;            // "|| fail"
    bool may_fail = false;                // "|| true": what follows takes it for a success
    bool ends_repeat = false;             // "|| break"
    unsigned repeat = 0;                  // which repeat of the preparation made it; 0: none
};

/// What is wrong with a command line.
struct OpError {
    std::string message, expected, nearest;
};

/// @param devices  the names that a device may have
sim::Result<Op, OpError> parse_op(std::string_view text, std::span<const std::string> devices);

/// Every operation as its usage line, for help and error messages.
std::span<const char* const> op_usages();

}  // namespace app::scenario
