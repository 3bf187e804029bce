#include "model/format.h"

#include <isa-l/crc.h>

#include <bit>

namespace model {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tree blocks hold the on-disk bytes as they are");

/// The CRC-32C register update, without inversion before or after.
u32 update(u32 seed, const void* data, std::size_t bytes) {
    // The library takes a pointer to what it only reads.
    auto* const from = static_cast<unsigned char*>(const_cast<void*>(data));
    return crc32_iscsi(from, static_cast<int>(bytes), seed);
}

}  // namespace

u32 crc32c(const void* data, std::size_t bytes) {
    return ~update(~u32{0}, data, bytes);
}

u64 name_hash(std::string_view name) {
    return update(~u32{1}, name.data(), name.size());
}

u64 extent_data_ref_hash(u64 root, u64 objectid, u64 offset) {
    const u32 high = update(~u32{0}, &root, sizeof(root));
    u32 low = update(~u32{0}, &objectid, sizeof(objectid));
    low = update(low, &offset, sizeof(offset));
    return (u64{high} << 31) ^ low;  // 31 it is, in the kernel too
}

}  // namespace model
