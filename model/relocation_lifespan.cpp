// How long root->reloc_root may be used: fs/btrfs/relocation.c of 5.0 to 5.5.
//
// Up to 5.0 the pointer is cleared while the tree is merged, and the relocation tree is dropped at
// once. Since d2311e698578 (5.1) it is dropped after a commit, when there is no reloc_ctl any more,
// and until then the pointer stays; the bit BTRFS_ROOT_DEAD_RELOC_TREE, set in the merge, says that
// it is not to be used. Readers hold a transaction handle, and the dropping waits for none of them:
//
// - btrfs_init_reloc_root() did not look at the bit, and clean_dirty_subvols() cleared it before
//   the pointer (until 1fac4a54374f, 5.4);
// - btrfs_reloc_pre_snapshot() looked at the pointer alone, and took it for a sign that there is a
//   reloc_ctl (until 10995c049120, 5.2) and that the tree is not merged (until 6282675e6708, 5.5).
//
// Left out: what a machine makes of accesses without the barriers of 6282675e6708 (each of them is
// seen by everybody at once here), and the trees of a relocation that failed, which kept the
// pointer and the bit (until 1dae7e0e58b4, 5.8).
#include "model/extent_buffer.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/invariants.h"
#include "model/relocation_internal.h"
#include "sim/trace.h"

namespace model {
namespace reloc {
namespace {

/// 5.1 to 5.3: between the merge and the end of the relocation tree, some take it for a live one.
bool leaves_dead_root_alive(const FsInfo& fs) {
    return fs.has(fix::delay_reloc_drop) && !fs.has(fix::dead_reloc_root_untouched);
}

std::string tree_name(const Root& reloc_root) {
    return "the relocation tree of tree " + std::to_string(reloc_root.root_key.offset);
}

}  // namespace

void order_read(const Root& root) {
    sim::current().order(root.fs.reloc.obj, sim::AccessKind::Lookup, root.objectid);
}

void order_change(const Root& root) {
    sim::current().order(root.fs.reloc.obj, sim::AccessKind::Insert, root.objectid);
}

bool reloc_root_is_dead(const Root& root) {
    return root.state.peek_bit(root_state::dead_reloc_tree);
}

void set_dead(Root& root, bool dead) {
    const u64 bit = u64{1} << root_state::dead_reloc_tree;
    root.state.poke(dead ? root.state.peek() | bit : root.state.peek() & ~bit);
}

Root* live_reloc_root(const Root& root) {
    order_read(root);
    return reloc_root_is_dead(root) ? nullptr : root.reloc_root;
}

/// While there is a reloc_ctl, which reloc_mutex keeps, no relocation tree is dropped. Without one
/// the tree was merged; up to 5.3 its relocation tree is written to nevertheless, and between the
/// look at the pointer and the write it may be dropped and freed.
void touch_reloc_root(TransHandle& trans, Root& root) {
    Root& reloc_root = *root.reloc_root;
    const FsInfo& fs = root.fs;
    if (fs.reloc.ctl != nullptr || fs.has(fix::dead_reloc_root_untouched)) return;
    const sim::Scope scope("btrfs_init_reloc_root");
    sim::note([&] { return "writes to " + tree_name(reloc_root); });
    reloc_root.last_trans.store(trans.transid.get());
    check_used_root(reloc_root, "btrfs_init_reloc_root");
}

/// Up to 5.3 the bit goes first, and between the two the tree looks as before the merge. Since
/// 1fac4a54374f the pointer goes first; with the bit set, or without the pointer, there is nothing
/// for anybody to use, so nobody can tell that these are two steps.
void forget_merged(Root& root) {
    FsInfo& fs = root.fs;
    const bool bit_first = leaves_dead_root_alive(fs);
    bit_first ? fs.reloc.obj.insert(root.objectid) : order_change(root);
    set_dead(root, false);
    if (bit_first) fs.reloc.obj.insert(root.objectid);
    root.reloc_root = nullptr;
}

void free_reloc_root(Root& reloc_root) {
    const FsInfo& fs = reloc_root.fs;
    free_extent_buffer(reloc_root.node);
    free_extent_buffer(reloc_root.commit_root);
    if (!leaves_dead_root_alive(fs)) {
        sim::destroy(&reloc_root);
        return;
    }
    sim::note([&] { return "frees " + tree_name(reloc_root); });
    sim::current().order(reloc_root.last_trans, sim::AccessKind::Write);
    reloc_root.is_freed = true;
}

}  // namespace reloc

using namespace reloc;

/// The tree of a live reloc root is not merged: the references of its item are one.
void reloc_pre_snapshot(const Root& source) {
    const FsInfo& fs = source.fs;
    if (!fs.reloc.has_begun) return;
    order_read(source);
    const Root* const reloc_root = source.reloc_root;
    if (reloc_root == nullptr) return;
    const RelocControl* const rc = fs.reloc.ctl;
    if (rc == nullptr && fs.has(fix::reloc_ctl_checked)) return;
    check_followed(rc, "btrfs_reloc_pre_snapshot");
    check_used_root(*reloc_root, "btrfs_reloc_pre_snapshot");
    if (rc == nullptr || !rc->merge_reloc_tree || reloc_root->root_item.refs != 0) return;
    if (!fs.has(fix::delay_reloc_drop) || fs.has(fix::reloc_root_lifespan)) return;
    sim::violation("bug-on/btrfs_reloc_pre_snapshot",
                   "kernel BUG in btrfs_reloc_pre_snapshot: tree " +
                       std::to_string(source.objectid) + " is merged, and has its relocation tree");
}

}  // namespace model
