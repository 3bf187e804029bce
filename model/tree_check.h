#pragma once
#include <string>
#include <type_traits>

#include "model/extent_buffer.h"

/// Walks of trees in memory for checks and reports: no locks, no accesses, no scheduling points.
/// Blocks come from the cache; what is not there is read off the devices' media.
namespace model {

struct Root;

/// A block, and what was said of it above.
struct VisitedBlock {
    Bytenr bytenr;
    Level level = 0;
    Transid generation;                    // of the pointer; of a root its own
    const Key* first_key = nullptr;        // of the pointer; null for a root
    const unsigned char* bytes = nullptr;  // null: no good copy anywhere
    const ExtentBuffer* cached = nullptr;  // null: the bytes come from a device

    const HeaderItem& header() const { return *reinterpret_cast<const HeaderItem*>(bytes); }
    LeafItem item(unsigned slot) const {
        return load<LeafItem>(bytes + sizeof(HeaderItem) + slot * sizeof(LeafItem));
    }
    KeyPtr ptr(unsigned slot) const {
        return load<KeyPtr>(bytes + sizeof(HeaderItem) + slot * sizeof(KeyPtr));
    }
    Key key(unsigned slot) const {
        return header().level == 0 ? item(slot).key.cpu() : ptr(slot).key.cpu();
    }
    const unsigned char* item_data(unsigned slot) const {
        return bytes + sizeof(HeaderItem) + item(slot).offset;
    }
};

enum class WalkStep : u8 { Descend, Skip, Stop };

/// Visits a tree in order of keys, parents before children. A block without bytes is visited too,
/// and has no children.
using TreeVisitor = WalkStep (*)(void* context, const VisitedBlock& block);
void walk_tree(const FsInfo& fs, const VisitedBlock& root, TreeVisitor visit, void* context);
/// From a root that is in memory.
template <class Visit> void walk_tree(const FsInfo& fs, const ExtentBuffer& root, Visit&& visit) {
    const VisitedBlock block{root.start, root.level(), root.generation(),
                             nullptr,    root.data,    &root};
    using Callable = std::remove_reference_t<Visit>;
    walk_tree(
        fs, block,
        [](void* context, const VisitedBlock& b) { return (*static_cast<Callable*>(context))(b); },
        &visit);
}

/// The first defect of one block: its header against what was said of it, order of keys, packing of
/// items, bounds. Empty: none.
std::string check_block_structure(const FsInfo& fs, const VisitedBlock& block);
/// The first defect of a tree, with the block that has it: structure of each block, levels, first
/// keys, generations. Empty: none. In the middle of a change (between a split and the parent's new
/// pointer, say) a tree is not sound: check between operations.
std::string check_tree_structure(const FsInfo& fs, const ExtentBuffer& root);
/// The same for root.node.
std::string check_tree_structure(const Root& root);

}  // namespace model
