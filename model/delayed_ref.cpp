// Mirrors fs/btrfs/delayed-ref.c of 6.1: queueing references on the heads of one transaction.
//
// Left out: sequence numbers (there is no tree modification log, so equal references always combine
// when they are queued and btrfs_merge_delayed_refs() finds nothing to do), quota records, and the
// per-handle reserve of 6.7.
#include "model/delayed_ref.h"

#include <algorithm>

#include "model/extent_tree.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/tracepoints.h"
#include "sim/trace.h"

namespace model {
namespace {

struct HeadUpdate {
    u64 bytenr, num_bytes;
    RefAction action;
    bool is_data, is_system;
    ExtentOp extent_op;
};

int count_of(RefAction action) {
    if (action == RefAction::UpdateHead) return 0;
    return action == RefAction::Drop ? -1 : 1;
}

void merge_extent_op(DelayedRefHead& head, const ExtentOp& op) {
    if (!op.present) return;
    if (!head.has_extent_op) head.extent_op_level = op.level;
    head.has_extent_op = true;
    head.extent_op_flags |= op.flags;
}

/// Before 5.0 only heads and references count as updates.
void count_csum_leaves(TransHandle& trans, u64 leaves) {
    if (trans.fs.has(fix::delayed_refs_rsv)) trans.delayed_ref_updates += leaves;
}

DelayedRefHead& insert_new_head(TransHandle& trans, DelayedRefRoot& refs,
                                const HeadUpdate& update) {
    DelayedRefHead& head =
        *sim::make<DelayedRefHead>(update.bytenr, update.num_bytes, update.is_data);
    head.is_system = update.is_system;
    head.must_insert_reserved = update.action == RefAction::AddExtent;
    head.ref_mod = head.total_ref_mod = count_of(update.action);
    merge_extent_op(head, update.extent_op);
    refs.heads.emplace(update.bytenr, &head);
    ++refs.num_heads;
    ++refs.num_heads_ready;
    refs.num_entries.inc();
    ++trans.delayed_ref_updates;
    if (head.is_data && head.ref_mod < 0) {
        refs.pending_csums += head.num_bytes;
        count_csum_leaves(trans, csum_bytes_to_leaves(trans.fs, head.num_bytes));
    }
    return head;
}

/// The sum of a data head changed its sign: its checksums will have to be deleted, or will not any
/// more.
void adjust_pending_csums(TransHandle& trans, DelayedRefRoot& refs, const DelayedRefHead& head,
                          int old_mod) {
    if (!head.is_data || (old_mod < 0) == (head.total_ref_mod < 0)) return;
    const u64 leaves = csum_bytes_to_leaves(trans.fs, head.num_bytes);
    if (head.total_ref_mod < 0) {
        refs.pending_csums += head.num_bytes;
        count_csum_leaves(trans, leaves);
    } else {
        refs.pending_csums -= head.num_bytes;
        delayed_refs_rsv_release(trans.fs, leaves);
    }
}

/// Mirrors update_existing_head_ref(); it does not matter whether somebody is running the head.
void update_existing_head(TransHandle& trans, DelayedRefRoot& refs, DelayedRefHead& head,
                          const HeadUpdate& update) {
    const sim::SpinGuard guard(head.lock);
    head.obj.write();
    if (update.action == RefAction::AddExtent) {  // freed and allocated again before the head ran
        head.must_insert_reserved = true;
        head.num_bytes = update.num_bytes;
    }
    merge_extent_op(head, update.extent_op);
    const int old_mod = head.total_ref_mod;
    head.ref_mod += count_of(update.action);
    head.total_ref_mod += count_of(update.action);
    adjust_pending_csums(trans, refs, head, old_mod);
}

/// delayed_refs.lock held. Mirrors add_delayed_ref_head().
DelayedRefHead& add_head(TransHandle& trans, const HeadUpdate& update) {
    DelayedRefRoot& refs = trans.transaction.delayed_refs;
    trace_add_delayed_ref_head(trans.fs, update.bytenr, update.num_bytes, update.action,
                               update.is_data);
    refs.obj.write();
    DelayedRefHead* const head = find_ref_head(refs, update.bytenr);
    if (head == nullptr) return insert_new_head(trans, refs, update);
    update_existing_head(trans, refs, *head, update);
    return *head;
}

/// An equal reference is queued already: the same action adds up, the opposite one cancels, the
/// larger side wins.
/// @return whether something is left of it
bool combine(DelayedRefHead& head, DelayedRefNode& queued, const DelayedRefNode& added) {
    if (queued.action == added.action) {
        queued.ref_mod += added.ref_mod;
    } else if (queued.ref_mod < added.ref_mod) {
        queued.action = added.action;
        queued.ref_mod = added.ref_mod - queued.ref_mod;
        if (queued.action == RefAction::Add) queued.add_order = ++head.next_add_order;
    } else {
        queued.ref_mod -= added.ref_mod;
    }
    return queued.ref_mod != 0;
}

/// Mirrors insert_delayed_ref(). The level is not compared, so references with different levels
/// combine.
void insert_node(TransHandle& trans, DelayedRefHead& head, DelayedRefNode node) {
    DelayedRefRoot& refs = trans.transaction.delayed_refs;
    const sim::SpinGuard guard(head.lock);
    head.obj.write();
    const auto at = std::lower_bound(
        head.nodes.begin(), head.nodes.end(), node.key,
        [](const DelayedRefNode& queued, const RefKey& key) { return queued.key < key; });
    if (at == head.nodes.end() || at->key != node.key) {
        if (node.action == RefAction::Add) node.add_order = ++head.next_add_order;
        head.nodes.insert(at, node);
        refs.num_entries.inc();
        if (!trans.fs.has(fix::delayed_refs_rsv)) ++trans.delayed_ref_updates;
    } else if (!combine(head, *at, node)) {
        head.nodes.erase(at);
        refs.num_entries.dec();
    }
}

void add_ref(TransHandle& trans, const HeadUpdate& update, const DelayedRefNode& node) {
    DelayedRefRoot& refs = trans.transaction.delayed_refs;
    {
        const sim::SpinGuard guard(refs.lock);
        DelayedRefHead& head = add_head(trans, update);
        insert_node(trans, head, node);
    }
    update_delayed_refs_rsv(trans);
}

/// AddExtent is an Add whose head must insert the item.
RefAction node_action(RefAction action) {
    return action == RefAction::AddExtent ? RefAction::Add : action;
}

std::string describe_node(u64 bytenr, const DelayedRefNode& node, RefAction action) {
    const bool shared = node.key.parent != 0;
    return std::string(to_string(action)) + " of " + std::to_string(bytenr) +
           (shared ? ", parent " : ", root ") +
           std::to_string(shared ? node.key.parent : node.key.root);
}

}  // namespace

const char* to_string(RefAction action) {
    switch (action) {
    case RefAction::Add:
        return "ADD_DELAYED_REF";
    case RefAction::Drop:
        return "DROP_DELAYED_REF";
    case RefAction::AddExtent:
        return "ADD_DELAYED_EXTENT";
    case RefAction::UpdateHead:
        return "UPDATE_DELAYED_HEAD";
    }
    return "";
}

DelayedRefHead::DelayedRefHead(u64 start, u64 bytes, bool data)
    : obj(objects::delayed_ref_head, start, this), bytenr(start), num_bytes(bytes),
      mutex(lock_classes::ref_head_mutex, start), lock(lock_classes::ref_head_lock, start),
      is_data(data) {}

DelayedRefRoot::DelayedRefRoot(u64 transid)
    : obj(objects::delayed_ref_root, transid, this), lock(lock_classes::delayed_refs_lock, transid),
      num_entries(0, transid, objects::counter), flags(0, transid, objects::counter) {}

DelayedRefHead* find_ref_head(DelayedRefRoot& refs, u64 bytenr) {
    const auto it = refs.heads.find(bytenr);
    return it == refs.heads.end() ? nullptr : it->second;
}

void put_ref_head(DelayedRefHead* head) {
    if (--head->refs == 0) sim::destroy(head);
}

void delete_ref_head(DelayedRefRoot& refs, DelayedRefHead& head) {
    refs.obj.write();
    head.obj.write();
    refs.heads.erase(head.bytenr);
    head.in_tree = false;
    --refs.num_heads;
    if (!head.processing) --refs.num_heads_ready;
    refs.num_entries.dec();
}

void cleanup_ref_head_accounting(FsInfo& fs, DelayedRefRoot& refs, const DelayedRefHead& head) {
    u64 items = 1;
    if (head.is_data && head.total_ref_mod < 0) {
        const sim::SpinGuard guard(refs.lock);
        refs.obj.write();
        refs.pending_csums -= head.num_bytes;
        items += csum_bytes_to_leaves(fs, head.num_bytes);
    }
    delayed_refs_rsv_release(fs, items);
}

bool delayed_ref_lock(DelayedRefRoot& refs, DelayedRefHead& head) {
    if (head.mutex.try_lock()) return true;
    ++head.refs;
    refs.lock.unlock();
    head.mutex.lock();
    refs.lock.lock();
    refs.obj.read();
    const bool in_tree = head.in_tree;
    if (!in_tree) head.mutex.unlock();
    put_ref_head(&head);
    return in_tree;
}

bool has_pending_extent_op(DelayedRefHead& head) {
    if (head.has_extent_op && head.must_insert_reserved) head.has_extent_op = false;
    return head.has_extent_op;
}

Result<void> add_delayed_tree_ref(TransHandle& trans, const TreeRef& ref, RefAction action,
                                  u64 extent_op_flags) {
    DelayedRefNode node;
    node.key.type = ref.parent != 0 ? shared_block_ref_key : tree_block_ref_key;
    node.key.parent = ref.parent;
    node.key.root = ref.parent != 0 ? 0 : ref.root;
    node.action = node_action(action);
    node.level = ref.level;
    node.ref_root = ref.root;
    node.owner = ref.level;
    const ExtentOp op{
        .present = extent_op_flags != 0, .flags = extent_op_flags, .level = ref.level};
    sim::note([&] {
        return describe_node(ref.bytenr.get(), node, action) + ", level " +
               std::to_string(ref.level);
    });
    add_ref(
        trans,
        {ref.bytenr.get(), trans.fs.nodesize, action, false, ref.root == chunk_tree_objectid, op},
        node);
    trace_add_delayed_ref(trans.fs, ref.bytenr.get(), trans.fs.nodesize, node);
    return {};
}

Result<void> add_delayed_data_ref(TransHandle& trans, const DataRef& ref, RefAction action) {
    DelayedRefNode node;
    node.key.type = ref.parent != 0 ? shared_data_ref_key : extent_data_ref_key;
    node.key.parent = ref.parent;
    node.key.root = ref.parent != 0 ? 0 : ref.root;
    // A shared reference counts all uses by one leaf, whatever file they are of.
    if (ref.parent == 0) {
        node.key.objectid = ref.objectid;
        node.key.offset = ref.offset;
    }
    node.action = node_action(action);
    node.ref_root = ref.root;
    node.owner = ref.objectid;
    node.owner_offset = ref.offset;
    sim::note([&] {
        return describe_node(ref.bytenr.get(), node, action) + ", inode " +
               std::to_string(ref.objectid);
    });
    add_ref(trans, {ref.bytenr.get(), ref.num_bytes, action, true, false, {}}, node);
    trace_add_delayed_ref(trans.fs, ref.bytenr.get(), ref.num_bytes, node);
    return {};
}

Result<void> add_delayed_extent_op(TransHandle& trans, Bytenr bytenr, u64 flags, Level level) {
    DelayedRefRoot& refs = trans.transaction.delayed_refs;
    const ExtentOp op{.present = true, .flags = flags, .level = level};
    {
        const sim::SpinGuard guard(refs.lock);
        add_head(trans, {bytenr.get(), trans.fs.nodesize, RefAction::UpdateHead, false, false, op});
    }
    sim::note([&] { return "UPDATE_DELAYED_HEAD of " + std::to_string(bytenr.get()); });
    update_delayed_refs_rsv(trans);
    return {};
}

}  // namespace model
