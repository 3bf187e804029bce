// btrfs_recover_relocation() of fs/btrfs/relocation.c, 6.1: what a mount does with a relocation
// that a crash interrupted. The old tree is whole until its merge begins; from then on both trees
// are needed.
#include "model/ctree.h"
#include "model/disk_io.h"
#include "model/fs_info.h"
#include "model/orphan.h"
#include "model/relocation_internal.h"
#include "sim/trace.h"

namespace model {
namespace {

using namespace reloc;

/// Every relocation tree that the tree of roots has, by falling number of its subvolume.
Result<Vector<Root*>> read_reloc_roots(FsInfo& fs) {
    Vector<Root*> roots;
    Key last{tree_reloc_objectid, root_item_key, ~u64{0}};
    for (;;) {
        Path path;
        const auto found = search_slot_for_read(*fs.tree_root, last, path, false);
        if (!found) return found.error();
        if (!*found) return roots;
        const Key key = path.key();
        if (key.objectid != tree_reloc_objectid || key.type != root_item_key) return roots;
        const auto item = read_item<RootItem>(path);
        path.release();
        const auto root = read_root(fs, key, item);
        if (!root) return root.error();
        (*root)->state.set_bit(root_state::shareable);
        roots.push_back(*root);
        if (key.offset == 0) return roots;
        last.offset = key.offset - 1;
    }
}

/// Those whose merge had begun count again.
Result<void> take_over(RelocControl& rc, const Vector<Root*>& reloc_roots) {
    for (Root* const reloc_root : reloc_roots) {
        if (reloc_root->root_item.refs == 0) {
            rc.reloc_roots.push_back(reloc_root);
            continue;
        }
        const auto root = subvolume_of(*reloc_root);
        if (!root) return root.error();
        add_reloc_root(rc, **root, *reloc_root);
    }
    return {};
}

Result<void> join_and_take_over(RelocControl& rc, const Vector<Root*>& reloc_roots) {
    const auto trans = join_transaction(*rc.fs.extent_root);
    if (!trans) return trans.error();
    rc.merge_reloc_tree = true;
    const auto taken = take_over(rc, reloc_roots);
    const auto committed = commit_transaction(*trans);
    return taken ? committed : taken;
}

Result<void> finish_recovery(RelocControl& rc, const Vector<Root*>& reloc_roots) {
    set_reloc_control(rc.fs, &rc, false);
    auto result = join_and_take_over(rc, reloc_roots);
    const auto keep = [&result](const Result<void>& next) {
        if (result) result = next;
    };
    if (result) result = merge_reloc_roots(rc);
    set_reloc_control(rc.fs, nullptr, false);
    block_rsv_release(rc.fs, rc.block_rsv, ~u64{0});
    keep(join_and_commit(rc.fs));
    keep(clean_dirty_subvols(rc));
    return result;
}

Result<void> finish_interrupted(FsInfo& fs) {
    const auto reloc_roots = read_reloc_roots(fs);
    if (!reloc_roots) return reloc_roots.error();
    if (reloc_roots->empty()) return {};
    if (const auto started = reloc_chunk_start(fs); !started) return started;
    auto* const rc = sim::make<RelocControl>(fs, nullptr);
    const auto finished = finish_recovery(*rc, *reloc_roots);
    reloc_chunk_end(fs);
    sim::destroy(rc);
    return finished;
}

}  // namespace

Result<void> recover_relocation(FsInfo& fs) {
    const sim::Scope scope("btrfs_recover_relocation");
    if (const auto finished = finish_interrupted(fs); !finished) return finished;
    const auto root = get_fs_root(fs, data_reloc_tree_objectid);
    return root ? orphan_cleanup(**root) : root.error();
}

}  // namespace model
