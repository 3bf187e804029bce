#include "model/tree_layout.h"

#include <algorithm>
#include <cstring>

#include "model/fs_info.h"

namespace model::layout {
namespace {

constexpr u32 least_cap = 3;  // a node that is split leaves two that a deletion can still merge

/// Where the data of the items before `slot` begins: item `slot` ends here.
u32 data_limit(const ExtentBuffer& leaf, unsigned slot) {
    return slot == 0 ? leaf_data_size(leaf) : leaf.items()[slot - 1].offset;
}
u32 leaf_data_end(const ExtentBuffer& leaf) {
    return data_limit(leaf, leaf.nritems());
}

/// Moves the data of all items from `slot` on, and their offsets, towards the header (down) by
/// `bytes`.
void shift_data_down(ExtentBuffer& leaf, unsigned slot, u32 limit, u32 bytes) {
    unsigned char* const base = leaf.data + sizeof(HeaderItem);
    const u32 end = leaf_data_end(leaf);
    std::memmove(base + end - bytes, base + end, limit - end);
    for (unsigned i = slot; i < leaf.nritems(); ++i)
        leaf.items()[i].offset -= bytes;
}
/// The same, away from the header.
void shift_data_up(ExtentBuffer& leaf, unsigned slot, u32 limit, u32 bytes) {
    unsigned char* const base = leaf.data + sizeof(HeaderItem);
    const u32 end = leaf_data_end(leaf);
    std::memmove(base + end + bytes, base + end, limit - end);
    for (unsigned i = slot; i < leaf.nritems(); ++i)
        leaf.items()[i].offset += bytes;
}

/// -1, 0 or 1, of a packed key against one of the machine.
int compare_keys(const unsigned char* disk, const Key& key) {
    const auto objectid = load<u64>(disk);
    if (objectid != key.objectid) return objectid < key.objectid ? -1 : 1;
    const u8 type = disk[sizeof(u64)];
    if (type != key.type) return type < key.type ? -1 : 1;
    const auto offset = load<u64>(disk + sizeof(u64) + 1);
    if (offset != key.offset) return offset < key.offset ? -1 : 1;
    return 0;
}

void set_nritems(ExtentBuffer& eb, u32 count) {
    eb.header().nritems = count;
}

}  // namespace

u32 node_capacity(const FsInfo& fs) {
    const u32 fits =
        (fs.nodesize - static_cast<u32>(sizeof(HeaderItem))) / static_cast<u32>(sizeof(KeyPtr));
    return fs.node_cap == 0 ? fits : std::min(fits, std::max(fs.node_cap, least_cap));
}

u32 full_node(const FsInfo& fs) {
    return node_capacity(fs) - (fs.node_cap == 0 ? 3 : 0);
}

u32 leaf_capacity(const FsInfo& fs) {
    return fs.leaf_cap == 0 ? fs.nodesize : std::max(fs.leaf_cap, least_cap);
}

u32 leaf_space_used(const ExtentBuffer& leaf, unsigned first, unsigned count) {
    if (count == 0) return 0;
    return data_limit(leaf, first) - leaf.items()[first + count - 1].offset +
           count * static_cast<u32>(sizeof(LeafItem));
}

SlotSearch bin_search(const ExtentBuffer& eb, const Key& key) {
    const std::size_t stride = eb.slot_bytes();
    const unsigned char* const base = eb.data + sizeof(HeaderItem);
    unsigned low = 0;
    unsigned high = eb.nritems();
    while (low < high) {
        const unsigned middle = (low + high) / 2;
        const int order = compare_keys(base + middle * stride, key);
        if (order == 0) return {middle, true};
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return {low, false};
}

void copy_items(ExtentBuffer& to, unsigned at, const ExtentBuffer& from, unsigned first,
                unsigned count) {
    if (count == 0) return;
    const u32 from_limit = data_limit(from, first);
    const u32 from_begin = from.items()[first + count - 1].offset;
    const u32 bytes = from_limit - from_begin;
    const u32 limit = data_limit(to, at);
    SIM_ASSERT(to.leaf_free_space() >= bytes + count * sizeof(LeafItem));

    shift_data_down(to, at, limit, bytes);
    LeafItem* const items = to.items();
    std::memmove(items + at + count, items + at, (to.nritems() - at) * sizeof(LeafItem));
    std::memcpy(to.data + sizeof(HeaderItem) + limit - bytes,
                from.data + sizeof(HeaderItem) + from_begin, bytes);
    std::memcpy(items + at, from.items() + first, count * sizeof(LeafItem));
    for (unsigned i = at; i < at + count; ++i)
        items[i].offset = items[i].offset - from_limit + limit;
    set_nritems(to, to.nritems() + count);
}

void remove_items(ExtentBuffer& leaf, unsigned first, unsigned count) {
    if (count == 0) return;
    LeafItem* const items = leaf.items();
    const u32 begin = items[first + count - 1].offset;
    shift_data_up(leaf, first + count, begin, data_limit(leaf, first) - begin);
    std::memmove(items + first, items + first + count,
                 (leaf.nritems() - first - count) * sizeof(LeafItem));
    set_nritems(leaf, leaf.nritems() - count);
}

void insert_item(ExtentBuffer& leaf, unsigned slot, const Key& key, u32 size) {
    SIM_ASSERT(leaf.leaf_free_space() >= size + sizeof(LeafItem));
    const u32 limit = data_limit(leaf, slot);
    shift_data_down(leaf, slot, limit, size);
    LeafItem* const items = leaf.items();
    std::memmove(items + slot + 1, items + slot, (leaf.nritems() - slot) * sizeof(LeafItem));
    items[slot] = {DiskKey::from(key), limit - size, size};
    set_nritems(leaf, leaf.nritems() + 1);
}

void grow_item(ExtentBuffer& leaf, unsigned slot, u32 bytes) {
    SIM_ASSERT(leaf.leaf_free_space() >= bytes);
    shift_data_down(leaf, slot, data_limit(leaf, slot), bytes);
    leaf.items()[slot].size += bytes;
}

void shrink_item(ExtentBuffer& leaf, unsigned slot, u32 bytes, bool from_end) {
    LeafItem& item = leaf.items()[slot];
    SIM_ASSERT(item.size >= bytes);
    // From the end: the kept beginning moves up with everything below it. From the beginning: only
    // what lies below moves.
    const u32 limit = from_end ? item.offset + item.size - bytes : item.offset;
    shift_data_up(leaf, slot, limit, bytes);
    item.size -= bytes;
}

void copy_ptrs(ExtentBuffer& to, unsigned at, const ExtentBuffer& from, unsigned first,
               unsigned count) {
    KeyPtr* const ptrs = to.ptrs();
    std::memmove(ptrs + at + count, ptrs + at, (to.nritems() - at) * sizeof(KeyPtr));
    std::memcpy(ptrs + at, from.ptrs() + first, count * sizeof(KeyPtr));
    set_nritems(to, to.nritems() + count);
}

void remove_ptrs(ExtentBuffer& node, unsigned first, unsigned count) {
    KeyPtr* const ptrs = node.ptrs();
    std::memmove(ptrs + first, ptrs + first + count,
                 (node.nritems() - first - count) * sizeof(KeyPtr));
    set_nritems(node, node.nritems() - count);
}

void insert_ptr(ExtentBuffer& node, unsigned slot, const Key& key, Bytenr blockptr,
                Transid generation) {
    KeyPtr* const ptrs = node.ptrs();
    std::memmove(ptrs + slot + 1, ptrs + slot, (node.nritems() - slot) * sizeof(KeyPtr));
    ptrs[slot] = {DiskKey::from(key), blockptr.get(), generation.get()};
    set_nritems(node, node.nritems() + 1);
}

}  // namespace model::layout
