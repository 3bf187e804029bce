// The part of fs/btrfs/extent-tree.c, 6.1, that drops whole trees: btrfs_drop_snapshot() and
// btrfs_drop_subtree(), in the stage DROP_REFERENCE, which is all that relocation trees need.
//
// Left out: the stage UPDATE_BACKREF (deletion of subvolumes), and ending the transaction in the
// middle, with drop_progress: trees here are small.
#include "model/drop_tree.h"

#include "model/ctree.h"
#include "model/disk_io.h"
#include "model/extent_tree.h"
#include "model/fs_info.h"
#include "sim/trace.h"

namespace model {
namespace {

/// A reference to a tree block, from a block or as a root.
struct Dropped {
    Bytenr bytenr;
    Transid generation;
    Level level;
    u64 parent;      // full reference: the block that it is from
    Objectid owner;  // implicit reference: the tree that it is from
};

class TreeDropper {
  public:
    TreeDropper(TransHandle& trans, Root& root) : trans_(trans), root_(root) {}

    /// Takes the reference away; a block that loses its last one goes, and lets go of all below.
    Result<void> drop(const Dropped& ref) {
        const auto info = lookup_extent_info(&trans_, root_.fs, ref.bytenr, ref.level, true);
        if (!info) return info.error();
        if (info->refs > 1)
            return add_delayed_tree_ref(trans_, {ref.bytenr, ref.parent, ref.owner, ref.level},
                                        RefAction::Drop);
        ParentCheck check;
        check.transid = ref.generation;
        check.level = ref.level;
        check.has_level = true;
        const auto block = read_tree_block(root_.fs, ref.bytenr, check);
        if (!block) return block.error();
        return drop_last(**block, ref.parent, (info->flags & block_flag_full_backref) != 0);
    }

    /// @param eb  not locked; its reference is given up
    Result<void> drop_last(ExtentBuffer& eb, u64 parent, bool full_backref) {
        set_buffer_lockdep_class(eb, root_.objectid, eb.level());
        tree_lock(eb);
        auto dropped = drop_children(eb, full_backref);
        if (dropped) {
            clean_tree_block(eb);
            dropped = free_tree_block(trans_, root_.objectid, eb, parent, true);
        }
        tree_unlock(eb);
        free_extent_buffer_stale(&eb);
        return dropped;
    }

  private:
    Result<void> drop_children(ExtentBuffer& eb, bool full_backref) {
        eb.content.read();
        if (eb.level() == 0) return dec_ref(trans_, root_, eb, full_backref);
        for (unsigned slot = 0; slot < eb.nritems(); ++slot) {
            const Dropped child{.bytenr = eb.blockptr(slot),
                                .generation = eb.ptr_generation(slot),
                                .level = static_cast<Level>(eb.level() - 1),
                                .parent = full_backref ? eb.start.get() : 0,
                                .owner = eb.owner()};
            if (const auto dropped = drop(child); !dropped) return dropped;
        }
        return {};
    }

    TransHandle& trans_;
    Root& root_;
};

Result<void> drop_in(TransHandle& trans, Root& root) {
    ExtentBuffer& node = root_node(root);
    const auto info = lookup_extent_info(&trans, root.fs, node.start, node.level(), true);
    if (!info) {
        free_extent_buffer(&node);
        return info.error();
    }
    const bool full = (info->flags & block_flag_full_backref) != 0;
    const auto dropped =
        TreeDropper(trans, root).drop_last(node, full ? node.start.get() : 0, full);
    if (!dropped) return dropped;
    return del_root(trans, root.root_key);
}

}  // namespace

Result<void> drop_subtree(TransHandle& trans, Root& root, ExtentBuffer& parent, unsigned slot) {
    const sim::Scope scope("btrfs_drop_subtree");
    return TreeDropper(trans, root)
        .drop({.bytenr = parent.blockptr(slot),
               .generation = parent.ptr_generation(slot),
               .level = static_cast<Level>(parent.level() - 1),
               .parent = parent.start.get(),
               .owner = parent.owner()});
}

Result<void> drop_snapshot(Root& root) {
    const sim::Scope scope("btrfs_drop_snapshot");
    sim::note([&] { return "drops tree " + to_string(root.root_key); });
    const auto trans = start_transaction(*root.fs.tree_root, 0);
    if (!trans) return trans.error();
    const auto dropped = drop_in(**trans, root);
    if (!dropped) abort_transaction(**trans, dropped.error(), "btrfs_drop_snapshot");
    const auto ended = end_transaction(*trans);
    return dropped ? ended : dropped;
}

}  // namespace model
