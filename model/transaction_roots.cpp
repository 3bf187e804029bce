// Mirrors fs/btrfs/transaction.c of 6.1: what the critical section of a commit does with the trees.
#include <algorithm>

#include "model/ctree.h"
#include "model/dev_replace.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/relocation.h"
#include "model/transaction_internal.h"
#include "sim/trace.h"

namespace model {
namespace {

/// The next file tree that the transaction touched; its tag goes.
Root* take_tagged_root(FsInfo& fs) {
    const sim::SpinGuard guard(fs.fs_roots_lock);
    if (fs.fs_roots_trans_tag.empty()) {
        fs.fs_roots_tag_obj.read();
        return nullptr;
    }
    fs.fs_roots_tag_obj.write();
    const u64 objectid = *fs.fs_roots_trans_tag.begin();
    fs.fs_roots_trans_tag.erase(fs.fs_roots_trans_tag.begin());
    return fs.fs_roots.at(objectid);
}

void queue_switch(Transaction& transaction, Root& root) {
    auto& list = transaction.switch_commits;
    if (std::find(list.begin(), list.end(), &root) == list.end()) list.push_back(&root);
}

/// No other task changes `node` now, so comparing it takes no access.
Result<void> commit_fs_root(TransHandle& trans, Root& root) {
    if (const auto updated = update_reloc_root(trans, root); !updated) return updated;
    root.state.clear_bit(root_state::force_cow);
    if (root.commit_root != root.node) {
        queue_switch(trans.transaction, root);
        set_root_node_fields(root.root_item, *root.node);
    }
    return update_root(trans, root.root_key, root.root_item);
}

Root* take_dirty_cowonly_root(FsInfo& fs) {
    if (fs.dirty_cowonly_roots.empty()) return nullptr;
    Root* const root = fs.dirty_cowonly_roots.front();
    fs.dirty_cowonly_roots.erase(fs.dirty_cowonly_roots.begin());
    root->on_dirty_list = false;
    root->state.clear_bit(root_state::dirty);
    return root;
}

/// Writing the root item may copy the very root again, if it is the extent tree's; until it stands
/// still.
Result<void> update_cowonly_root(TransHandle& trans, Root& root) {
    while (root.root_item.bytenr != root.node->start.get()) {
        set_root_node_fields(root.root_item, *root.node);
        if (const auto updated = update_root(trans, root.root_key, root.root_item); !updated)
            return updated;
    }
    return {};
}

/// The tree of roots gets a new root in every commit, so that its generation is the super block's.
Result<void> cow_tree_root(TransHandle& trans) {
    Root& tree_root = *trans.fs.tree_root;
    ExtentBuffer& eb = lock_root_node(tree_root);
    const auto cow = cow_block(trans, tree_root, eb, nullptr, 0);
    ExtentBuffer& held = cow ? **cow : eb;
    tree_unlock(held);
    free_extent_buffer(&held);
    if (!cow) return cow.error();
    return {};
}

Result<void> update_dirty_cowonly_roots(TransHandle& trans) {
    while (Root* const root = take_dirty_cowonly_root(trans.fs)) {
        queue_switch(trans.transaction, *root);
        if (const auto updated = update_cowonly_root(trans, *root); !updated) return updated;
    }
    return {};
}

bool has_dirty_bgs(Transaction& transaction) {
    const sim::SpinGuard guard(transaction.dirty_bgs_lock);
    transaction.dirty_bgs_obj.read();
    return !transaction.dirty_bgs.empty();
}

Result<void> write_all_dirty_bgs(TransHandle& trans) {
    while (has_dirty_bgs(trans.transaction)) {
        if (const auto written = write_dirty_block_groups(trans); !written) return written;
        if (const auto run = run_delayed_refs(trans, run_all_refs); !run) return run;
    }
    return {};
}

}  // namespace

Result<void> commit_fs_roots(TransHandle& trans) {
    const sim::Scope scope("commit_fs_roots");
    while (Root* const root = take_tagged_root(trans.fs))
        if (const auto committed = commit_fs_root(trans, *root); !committed) return committed;
    return {};
}

/// Each tree dirties others: root items dirty the tree of roots, every new block dirties the extent
/// tree and block groups, those the extent tree again. The loop ends since a block is copied once
/// only in a transaction.
Result<void> commit_cowonly_roots(TransHandle& trans) {
    const sim::Scope scope("commit_cowonly_roots");
    FsInfo& fs = trans.fs;
    if (const auto copied = cow_tree_root(trans); !copied) return copied;
    if (const auto run = run_dev_replace(trans); !run) return run;
    do {
        if (const auto updated = update_dirty_cowonly_roots(trans); !updated) return updated;
        if (const auto run = run_delayed_refs(trans, run_all_refs); !run) return run;
        if (const auto written = write_all_dirty_bgs(trans); !written) return written;
    } while (!fs.dirty_cowonly_roots.empty());
    // Only committers write it, and they do so one after the other.
    fs.dev_replace.committed_cursor_left = fs.dev_replace.cursor_left_last_write_of_item;
    return {};
}

namespace {

/// Whoever walks commit roots finds out, under the same semaphore.
void publish_relocation(TransHandle& trans) {
    FsInfo& fs = trans.fs;
    if (fs.has(fix::send_beside_relocation) && fs.flags.test(fs_flag::reloc_running))
        fs.reloc.last_reloc_trans.set(trans.transid.get());
}

}  // namespace

void switch_commit_roots(TransHandle& trans) {
    const sim::Scope scope("switch_commit_roots");
    FsInfo& fs = trans.fs;
    {
        const sim::WriteGuard guard(fs.commit_root_sem);
        if (!fs.has(fix::reloc_trans_late)) publish_relocation(trans);
        for (Root* const root : trans.transaction.switch_commits) {
            root->node_ptr.write(root->node->start.get());
            extent_buffer_get(*root->node);
            free_extent_buffer(std::exchange(root->commit_root, root->node));
        }
    }
    if (fs.has(fix::reloc_trans_late)) publish_relocation(trans);
    trans.transaction.switch_commits.clear();
}

}  // namespace model
