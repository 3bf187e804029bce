// Mirrors the part of fs/btrfs/extent-tree.c, 6.1, that runs delayed references:
// btrfs_run_delayed_refs() and what it calls down to one reference, and
// btrfs_destroy_delayed_refs() of fs/btrfs/disk-io.c.
//
// One difference in form: with run_all_refs the kernel makes a pass for each head, and waits for
// the first head's mutex after each; here a pass takes all heads that nobody else is running. Only
// the committer runs all references, in its critical section, where nobody else runs any. Also left
// out: skipping of references that a backref
// walk must not lose (no sequence numbers).
#include <algorithm>

#include "model/delayed_ref.h"
#include "model/extent_tree.h"
#include "model/file_item.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/tracepoints.h"
#include "sim/trace.h"

namespace model {
namespace {

/// The next head that nobody runs, from a cursor that wraps once. delayed_refs.lock held. Mirrors
/// btrfs_select_ref_head().
DelayedRefHead* select_ref_head(DelayedRefRoot& refs) {
    refs.obj.read();
    const auto idle = [](const auto& entry) { return !entry.second->processing; };
    auto it = std::find_if(refs.heads.lower_bound(refs.run_delayed_start), refs.heads.end(), idle);
    if (it == refs.heads.end()) it = std::find_if(refs.heads.begin(), refs.heads.end(), idle);
    if (it == refs.heads.end()) return nullptr;
    DelayedRefHead& head = *it->second;
    refs.obj.write();
    head.processing = true;
    --refs.num_heads_ready;
    refs.run_delayed_start = head.bytenr + head.num_bytes;
    return &head;
}

struct Obtained {
    DelayedRefHead* head = nullptr;
    bool retry = false;  // the chosen head was finished by somebody else
};

/// Mirrors btrfs_obtain_ref_head(): the head comes with its mutex.
Obtained obtain_ref_head(DelayedRefRoot& refs) {
    const sim::SpinGuard guard(refs.lock);
    DelayedRefHead* const head = select_ref_head(refs);
    if (head == nullptr) return {};
    if (!delayed_ref_lock(refs, *head)) return {.retry = true};
    return {.head = head};
}

/// Mirrors unselect_delayed_ref_head().
void put_back(DelayedRefRoot& refs, DelayedRefHead& head) {
    {
        const sim::SpinGuard guard(refs.lock);
        refs.obj.write();
        head.processing = false;
        ++refs.num_heads_ready;
    }
    head.mutex.unlock();
}

/// Any ADD first, in the order in which they were queued: a DROP never runs before the ADDs of its
/// head. head.lock held.
DelayedRefNode* select_delayed_ref(DelayedRefHead& head) {
    DelayedRefNode* first = nullptr;
    for (DelayedRefNode& node : head.nodes)
        if (node.action == RefAction::Add &&
            (first == nullptr || node.add_order < first->add_order))
            first = &node;
    if (first == nullptr && !head.nodes.empty()) first = &head.nodes.front();
    return first;
}

struct TakenRef {
    DelayedRefNode node;
    bool insert_reserved = false;
    ExtentOp extent_op;
};

ExtentOp take_extent_op(DelayedRefHead& head) {
    const ExtentOp op{.present = head.has_extent_op,
                      .flags = head.extent_op_flags,
                      .level = head.extent_op_level};
    head.has_extent_op = false;
    head.extent_op_flags = 0;
    return op;
}

/// @return false if no reference is left
bool take_ref(DelayedRefRoot& refs, DelayedRefHead& head, TakenRef* taken) {
    const sim::SpinGuard guard(head.lock);
    head.obj.read();
    DelayedRefNode* const node = select_delayed_ref(head);
    if (node == nullptr) return false;
    head.obj.write();
    taken->node = *node;
    head.nodes.erase(head.nodes.begin() + (node - head.nodes.data()));
    const int mod = static_cast<int>(taken->node.ref_mod);
    head.ref_mod += taken->node.action == RefAction::Drop ? mod : -mod;
    refs.num_entries.dec();
    taken->insert_reserved = head.must_insert_reserved;
    head.must_insert_reserved = false;
    taken->extent_op = take_extent_op(head);
    return true;
}

/// head.lock is dropped around each reference, so others may queue more meanwhile. Mirrors
/// btrfs_run_delayed_refs_for_head().
Result<void> run_refs_of_head(TransHandle& trans, DelayedRefHead& head, u64* done) {
    DelayedRefRoot& refs = trans.transaction.delayed_refs;
    TakenRef taken;
    while (take_ref(refs, head, &taken)) {
        ++*done;
        const auto run =
            run_one_delayed_ref(trans, head, taken.node, taken.insert_reserved, taken.extent_op);
        if (!run) {
            put_back(refs, head);
            return run;
        }
    }
    return {};
}

/// @return an operation that no reference carried along
ExtentOp take_lone_extent_op(DelayedRefHead& head) {
    const sim::SpinGuard guard(head.lock);
    head.obj.write();
    if (!has_pending_extent_op(head)) return {};
    return take_extent_op(head);
}

/// @return false if something was queued since the last look
bool remove_if_empty(DelayedRefRoot& refs, DelayedRefHead& head) {
    const sim::SpinGuard guard(refs.lock);
    const sim::SpinGuard head_guard(head.lock);
    head.obj.read();
    if (!head.nodes.empty() || head.has_extent_op) return false;
    delete_ref_head(refs, head);
    return true;
}

/// Allocated and freed before its item was ever inserted: the space is pinned, since a reader may
/// hold the block.
Result<void> drop_never_inserted(TransHandle& trans, const DelayedRefHead& head) {
    if (!head.must_insert_reserved) return {};
    sim::note(
        [&] { return "pins " + std::to_string(head.bytenr) + ", whose item was never inserted"; });
    if (const auto pinned = pin_extent(trans, Bytenr(head.bytenr), head.num_bytes, true); !pinned)
        return pinned;
    if (!head.is_data) return {};
    return del_csums(trans, Bytenr(head.bytenr), head.num_bytes);
}

/// @return true when the head is gone, false when it must be run again. Mirrors cleanup_ref_head().
Result<bool> cleanup_ref_head(TransHandle& trans, DelayedRefHead& head) {
    DelayedRefRoot& refs = trans.transaction.delayed_refs;
    if (const ExtentOp op = take_lone_extent_op(head); op.present) {
        if (const auto run = run_delayed_extent_op(trans, head, op); !run) {
            put_back(refs, head);
            return run.error();
        }
        return false;
    }
    if (!remove_if_empty(refs, head)) return false;
    const auto dropped = drop_never_inserted(trans, head);
    cleanup_ref_head_accounting(trans.fs, refs, head);
    trace_run_delayed_ref_head(trans.fs, head);
    head.mutex.unlock();
    put_ref_head(&head);
    if (!dropped) return dropped.error();
    return true;
}

/// One head, with its mutex, until it is gone. Counts what ran in `references`.
Result<void> run_head(TransHandle& trans, DelayedRefHead& head, u64* references) {
    const sim::Scope scope("btrfs_run_delayed_refs_for_head");
    sim::note([&] { return "head " + std::to_string(head.bytenr); });
    for (bool gone = false; !gone;) {
        if (const auto run = run_refs_of_head(trans, head, references); !run) return run;
        const auto cleaned = cleanup_ref_head(trans, head);
        if (!cleaned) return cleaned.error();
        gone = *cleaned;
    }
    return {};
}

/// `count` is of heads; before 5.0, of heads and references. Mirrors __btrfs_run_delayed_refs().
Result<void> run_heads(TransHandle& trans, u64 count) {
    DelayedRefRoot& refs = trans.transaction.delayed_refs;
    const bool references_count = !trans.fs.has(fix::delayed_refs_rsv);
    for (u64 done = 0; done < count;) {
        const Obtained obtained = obtain_ref_head(refs);
        if (obtained.retry) continue;
        if (obtained.head == nullptr) break;
        ++done;
        u64 references = 0;
        if (const auto run = run_head(trans, *obtained.head, &references); !run) return run;
        if (references_count) done += references;
    }
    return {};
}

/// What a run that was not told how many runs at most.
u64 default_count(FsInfo& fs, DelayedRefRoot& refs) {
    if (!fs.has(fix::delayed_refs_rsv)) return 2 * refs.num_entries.load();
    const sim::SpinGuard guard(refs.lock);
    refs.obj.read();
    return refs.num_heads_ready;
}

DelayedRefHead* first_head(DelayedRefRoot& refs) {
    const sim::SpinGuard guard(refs.lock);
    refs.obj.read();
    if (refs.heads.empty()) return nullptr;
    DelayedRefHead* const head = refs.heads.begin()->second;
    ++head->refs;
    return head;
}

/// Somebody else runs the head: sleep until he is done with it.
void wait_for_head(DelayedRefHead* head) {
    head->mutex.lock();
    head->mutex.unlock();
    put_ref_head(head);
}

}  // namespace

Result<void> run_delayed_refs(TransHandle& trans, u64 count) {
    if (trans.aborted != 0) return {};
    const sim::Scope scope("btrfs_run_delayed_refs");
    DelayedRefRoot& refs = trans.transaction.delayed_refs;
    const bool all = count == run_all_refs;
    if (count == 0) count = default_count(trans.fs, refs);
    for (;;) {
        if (const auto run = run_heads(trans, count); !run) {
            abort_transaction(trans, run.error(), "btrfs_run_delayed_refs");
            return run;
        }
        if (!all) return {};
        create_pending_block_groups(trans);
        DelayedRefHead* const head = first_head(refs);
        if (head == nullptr) return {};
        wait_for_head(head);
    }
}

namespace {

/// reserved -> pinned without remembering the range: it is unpinned on the spot, and is not free
/// space again.
void pin_and_forget(FsInfo& fs, const DelayedRefHead& head) {
    BlockGroup& bg = *lookup_block_group(fs, Bytenr(head.bytenr));
    SpaceInfo& info = *bg.space_info;
    {
        const sim::SpinGuard info_guard(info.lock);
        const sim::SpinGuard guard(bg.lock);
        bg.obj.write();
        info.obj.write();
        bg.pinned += head.num_bytes;
        bg.reserved -= head.num_bytes;
        trace_update_bytes_pinned(info, head.num_bytes);
        info.bytes_pinned += head.num_bytes;
        info.bytes_reserved -= head.num_bytes;
    }
    unpin_extent_range(fs, Bytenr(head.bytenr), head.num_bytes, false);
}

/// The first head, locked and emptied and out of the tree; null when there is none.
DelayedRefHead* take_first_for_destruction(DelayedRefRoot& refs) {
    const sim::SpinGuard guard(refs.lock);
    refs.obj.read();
    while (!refs.heads.empty()) {
        DelayedRefHead& head = *refs.heads.begin()->second;
        if (!delayed_ref_lock(refs, head)) continue;
        const sim::SpinGuard head_guard(head.lock);
        head.obj.write();
        for (std::size_t n = head.nodes.size(); n > 0; --n)
            refs.num_entries.dec();
        head.nodes.clear();
        head.has_extent_op = false;
        delete_ref_head(refs, head);
        return &head;
    }
    return nullptr;
}

}  // namespace

void destroy_delayed_refs(FsInfo& fs, DelayedRefRoot& refs) {
    while (DelayedRefHead* const head = take_first_for_destruction(refs)) {
        head->mutex.unlock();
        if (head->must_insert_reserved) pin_and_forget(fs, *head);
        cleanup_ref_head_accounting(fs, refs, *head);
        put_ref_head(head);
    }
}

}  // namespace model
