#pragma once
#include <compare>
#include <cstdint>
#include <string>

#include "sim/containers.h"
#include "sim/result.h"
#include "sim/strong_int.h"

namespace model {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

using Bytenr = sim::StrongInt<struct BytenrTag, u64>;      ///< logical address, in bytes
using Physical = sim::StrongInt<struct PhysicalTag, u64>;  ///< offset on one device, in bytes
using Transid = sim::StrongInt<struct TransidTag, u64>;
using Objectid = u64;  ///< as in keys: tree ids, inode numbers, the negative special ids
using Level = u8;      ///< 0 is a leaf
using Devid = u64;

/// In decimal, for messages.
inline std::string number(u64 n) {
    return std::to_string(n);
}

inline constexpr unsigned max_level = 8;
inline constexpr u32 sectorsize = 4096;

/// An errno without its E; the kernel returns it negated.
enum class Errno : int {
    Perm = 1,
    NoEnt = 2,
    IO = 5,
    BadF = 9,
    Again = 11,
    NoMem = 12,
    Busy = 16,
    Exist = 17,
    NotDir = 20,
    IsDir = 21,
    Inval = 22,
    TxtBsy = 26,
    FBig = 27,
    NoSpc = 28,
    Rofs = 30,
    NotEmpty = 39,
    BadE = 52,
    Overflow = 75,
    OpNotSupp = 95,
    NotConn = 107,
    InProgress = 115,
    UClean = 117,
    Canceled = 125,
};
/// -EIO, as a request reports it.
inline constexpr int io_error = -static_cast<int>(Errno::IO);
/// "No space left", as btrfs prints it after errno=-28; "unknown" for what it does not know.
const char* errno_text(Errno error);
/// "NOSPC": the kernel's macro without the E, for signatures and labels.
const char* errno_name(Errno error);

template <class T> using Result = sim::Result<T, Errno>;

struct Key {
    Objectid objectid = 0;
    u8 type = 0;
    u64 offset = 0;
    auto operator<=>(const Key&) const = default;
};
/// "(257 108 4096)"
std::string to_string(const Key& key);

template <class T> using Vector = sim::Vector<T>;
template <class K, class V> using Map = sim::Map<K, V>;
template <class K> using Set = sim::Set<K>;
using String = sim::String;

class FsInfo;

}  // namespace model
