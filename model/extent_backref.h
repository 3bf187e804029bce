#pragma once
#include <span>

#include "model/delayed_ref.h"
#include "model/format.h"

/// References as they stand inside an extent item (inline) or as items of their own (keyed). Pure
/// functions on bytes.
namespace model {

/// One inline reference: where in the item it stands, whose it is, how often it counts.
struct InlineRef {
    RefKey key;
    u32 count = 1;
    u32 offset = 0;  // of its type byte, from the start of the item
    u32 size = 0;
};

u32 inline_ref_size(u8 type);
/// The largest extent item that may still take an inline reference is smaller than this.
/// BTRFS_MAX_EXTENT_ITEM_SIZE.
u32 max_extent_item_size(u32 nodesize);
/// What references of one type are ordered by, descending: the root, the parent, or the hash of the
/// triple.
u64 inline_ref_sequence(const RefKey& key);

/// @param offset  of a type byte; at the item's end: no reference (size 0)
InlineRef parse_inline_ref(std::span<const unsigned char> item, u32 offset);
void store_inline_ref(unsigned char* at, const RefKey& key, u32 count);

struct InlinePosition {
    bool found = false;
    u32 offset = 0;  // where the reference is, or where it would be inserted
};
/// Mirrors the walk of lookup_inline_extent_backref(): types ascending, and descending by sequence
/// within a type.
InlinePosition find_inline_ref(std::span<const unsigned char> item, const RefKey& key);

/// Key of the reference as an item. For EXTENT_DATA_REF the first candidate: a collision of hashes
/// moves it up by one.
Key keyed_ref_key(Bytenr bytenr, const RefKey& key);
inline bool is_data_ref(u8 type) {
    return type == extent_data_ref_key || type == shared_data_ref_key;
}

}  // namespace model
