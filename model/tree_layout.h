#pragma once
#include "model/extent_buffer.h"

/// Bytes of tree blocks: room, searches within a block, and moves of items and pointers. Nothing
/// here locks, records an access or marks a buffer dirty; that is the business of
/// model/ctree_*.cpp.
namespace model::layout {

inline u32 leaf_data_size(const ExtentBuffer& eb) {
    return eb.len - static_cast<u32>(sizeof(HeaderItem));
}
/// Pointers of a node: what fits (BTRFS_NODEPTRS_PER_BLOCK), or the cap of the geometry.
u32 node_capacity(const FsInfo& fs);
/// A node with so many pointers is split before an insertion below it. The kernel keeps three
/// slots; a cap has none to spare.
u32 full_node(const FsInfo& fs);
/// Items of a leaf: the cap of the geometry, or more than fit.
u32 leaf_capacity(const FsInfo& fs);

/// Bytes of `count` items from `first` on, item headers included.
u32 leaf_space_used(const ExtentBuffer& leaf, unsigned first, unsigned count);

struct SlotSearch {
    unsigned slot;  // of the key, or where it would be inserted
    bool found;
};
SlotSearch bin_search(const ExtentBuffer& eb, const Key& key);

/// Copies `count` items of `from` into `to`, before its slot `at`. Both leaves stay packed.
void copy_items(ExtentBuffer& to, unsigned at, const ExtentBuffer& from, unsigned first,
                unsigned count);
void remove_items(ExtentBuffer& leaf, unsigned first, unsigned count);
/// Room for one item of `size` bytes before `slot`; the data is what was there.
void insert_item(ExtentBuffer& leaf, unsigned slot, const Key& key, u32 size);
/// Makes an item longer at its end, or shorter by its end or its beginning.
void grow_item(ExtentBuffer& leaf, unsigned slot, u32 bytes);
void shrink_item(ExtentBuffer& leaf, unsigned slot, u32 bytes, bool from_end);
inline void set_item_key(ExtentBuffer& leaf, unsigned slot, const Key& key) {
    leaf.items()[slot].key = DiskKey::from(key);
}

void copy_ptrs(ExtentBuffer& to, unsigned at, const ExtentBuffer& from, unsigned first,
               unsigned count);
void remove_ptrs(ExtentBuffer& node, unsigned first, unsigned count);
void insert_ptr(ExtentBuffer& node, unsigned slot, const Key& key, Bytenr blockptr,
                Transid generation);
inline void set_node_key(ExtentBuffer& node, unsigned slot, const Key& key) {
    node.ptrs()[slot].key = DiskKey::from(key);
}

}  // namespace model::layout
