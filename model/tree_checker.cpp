// fs/btrfs/tree-checker.c: the structure of leaves and nodes.
//
// Left out: the contents of single items.
#include "model/tree_checker.h"

#include "model/fs_info.h"

namespace model {
namespace {

std::string text(const DiskKey& key) {
    return "(" + number(key.objectid) + " " + number(key.type) + " " + number(key.offset) + ")";
}

struct Block {
    FsInfo& fs;
    const unsigned char* bytes;
    bool tells = true;  // what is wrong with it
    void say(const std::string& text) const {
        if (tells) fs.message("critical", text);
    }
    const HeaderItem& header() const { return *reinterpret_cast<const HeaderItem*>(bytes); }
    LeafItem item(u32 slot) const {
        return load<LeafItem>(bytes + sizeof(HeaderItem) + slot * sizeof(LeafItem));
    }
    KeyPtr ptr(u32 slot) const {
        return load<KeyPtr>(bytes + sizeof(HeaderItem) + slot * sizeof(KeyPtr));
    }
    u32 room() const { return fs.nodesize - static_cast<u32>(sizeof(HeaderItem)); }
};

/// Mirrors generic_err().
Errno corrupt(const Block& block, u32 slot, const std::string& what) {
    const HeaderItem& header = block.header();
    block.say(std::string("corrupt ") + (header.level == 0 ? "leaf" : "node") +
              ": root=" + number(header.owner) + " block=" + number(header.bytenr) +
              " slot=" + number(slot) + ", " + what);
    return Errno::UClean;
}

bool may_be_empty(Objectid owner) {
    switch (owner) {
    case root_tree_objectid:
    case chunk_tree_objectid:
    case dev_tree_objectid:
    case fs_tree_objectid:
    case data_reloc_tree_objectid:
        return false;
    default:
        return true;
    }
}

Result<void> check_item(const Block& block, u32 slot) {
    const LeafItem item = block.item(slot);
    if (slot > 0) {
        const LeafItem before = block.item(slot - 1);
        if (before.key.cpu() >= item.key.cpu())
            return corrupt(block, slot,
                           "bad key order, prev " + text(before.key) + " current " +
                               text(item.key));
    }
    const u64 expected_end = slot == 0 ? block.room() : block.item(slot - 1).offset;
    const u64 end = u64{item.offset} + item.size;
    if (end != expected_end)
        return corrupt(block, slot,
                       "unexpected item end, have " + number(end) + " expect " +
                           number(expected_end));
    const u64 items_end = u64{slot + 1} * sizeof(LeafItem);
    if (items_end > item.offset)
        return corrupt(block, slot,
                       "slot overlaps with its data, item end " + number(items_end) +
                           " data start " + number(item.offset));
    return {};
}

/// Mirrors check_leaf().
Result<void> check_leaf(const Block& block) {
    const HeaderItem& header = block.header();
    if (header.nritems == 0 && !may_be_empty(header.owner))
        return corrupt(block, 0,
                       "invalid root, root " + number(header.owner) + " must never be empty");
    if (header.nritems > block.room() / sizeof(LeafItem))
        return corrupt(block, 0, "too many items, have " + number(header.nritems));
    for (u32 slot = 0; slot < header.nritems; ++slot)
        if (const auto good = check_item(block, slot); !good) return good.error();
    return {};
}

Result<void> check_ptr(const Block& block, u32 slot) {
    const KeyPtr ptr = block.ptr(slot);
    if (ptr.blockptr == 0) return corrupt(block, slot, "invalid NULL node pointer");
    if (ptr.blockptr % sectorsize != 0)
        return corrupt(block, slot,
                       "unaligned pointer, have " + number(ptr.blockptr) +
                           " should be aligned to " + number(sectorsize));
    if (slot + 1 == block.header().nritems) return {};
    const KeyPtr next = block.ptr(slot + 1);
    if (ptr.key.cpu() >= next.key.cpu())
        return corrupt(block, slot,
                       "bad key order, current " + text(ptr.key) + " next " + text(next.key));
    return {};
}

/// Mirrors btrfs_check_node().
Result<void> check_node(const Block& block) {
    const HeaderItem& header = block.header();
    const u64 most = block.room() / sizeof(KeyPtr);
    if (header.nritems == 0 || header.nritems > most) {
        block.say("corrupt node: root=" + number(header.owner) + " block=" + number(header.bytenr) +
                  ", nritems too " + (header.nritems == 0 ? "small" : "large") + ", have " +
                  number(header.nritems) + " expect range [1," + number(most) + "]");
        return Errno::UClean;
    }
    for (u32 slot = 0; slot < header.nritems; ++slot)
        if (const auto good = check_ptr(block, slot); !good) return good.error();
    return {};
}

Result<void> check(const Block& block) {
    return block.header().level == 0 ? check_leaf(block) : check_node(block);
}

}  // namespace

Result<void> check_tree_block(FsInfo& fs, const unsigned char* bytes) {
    return check(Block{fs, bytes});
}

bool is_tree_block(FsInfo& fs, const unsigned char* bytes) {
    return check(Block{.fs = fs, .bytes = bytes, .tells = false}).ok();
}

}  // namespace model
