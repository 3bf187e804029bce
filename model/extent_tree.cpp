// Mirrors fs/btrfs/extent-tree.c of 6.1: life of tree blocks (allocation, freeing), references of a
// block's children, lookups that see queued references, pinning and unpinning. Allocation of space
// is in extent_alloc.cpp, running of references in delayed_ref_run.cpp and extent_refs.cpp.
//
// Left out: log trees, discard and the tree modification log.
#include "model/extent_tree.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "model/extent_backref.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/invariants.h"
#include "model/reserve_ticket.h"
#include "model/tracepoints.h"
#include "sim/trace.h"

namespace model {
namespace {

// ---- allocation
// ----------------------------------------------------------------------------------------------------------

void write_new_header(TransHandle& trans, ExtentBuffer& eb, Objectid owner, Level level) {
    FsInfo& fs = trans.fs;
    eb.content.write();
    std::memset(eb.data, 0, sizeof(HeaderItem));
    HeaderItem& header = eb.header();
    header.bytenr = eb.start.get();
    header.generation = trans.transid.get();
    header.owner = owner;
    header.level = level;
    header.flags = mixed_backref_rev << 56;
    std::memcpy(header.fsid, fs.fsid, sizeof(header.fsid));
    std::memcpy(header.chunk_tree_uuid, fs.chunk_tree_uuid, sizeof(header.chunk_tree_uuid));
}

void add_dirty_page(Transaction& transaction, Bytenr start) {
    const sim::SpinGuard guard(transaction.dirty_pages_lock);
    transaction.dirty_pages_obj.write();
    transaction.dirty_pages.insert(start.get());
}

/// The address may have been another block's a moment ago, and a reader of that one may hold the
/// very same buffer: the lock waits for him, then he sees this block. Mirrors
/// btrfs_init_new_buffer().
Result<ExtentBuffer*> init_new_buffer(TransHandle& trans, Bytenr start, Objectid owner, Level level,
                                      unsigned nesting) {
    ExtentBuffer& eb = alloc_extent_buffer(trans.fs, start);
    if (eb.lock.owner() >= 0 && eb.lock.is_held_for_write_by_current()) {
        trans.fs.message("error", "tree block " + std::to_string(start.get()) + " owner " +
                                      std::to_string(eb.owner()) +
                                      " already locked by pid=" + std::to_string(eb.lock.owner()) +
                                      ", extent tree corruption detected");
        free_extent_buffer(&eb);
        return Errno::UClean;
    }
    set_buffer_lockdep_class(eb, owner, level);
    tree_lock(eb, nesting);
    clean_tree_block(eb);
    // STALE goes and UPTODATE comes: two bit operations that nobody tells apart while the block is
    // locked.
    const u64 gone = (u64{1} << eb_flag::stale) | (u64{1} << eb_flag::zoned_zeroout);
    const u64 bits = (eb.bflags.peek() & ~gone) | (u64{1} << eb_flag::uptodate);
    eb.bflags.store(bits);
    write_new_header(trans, eb, owner, level);
    add_dirty_page(trans.transaction, start);
    return &eb;
}

// ---- freeing
// -------------------------------------------------------------------------------------------------------------

/// The block was allocated and freed in this transaction, and nothing of it has run: its head goes,
/// and nobody will ever know.
/// @return whether the extent item was never inserted, so that the space is the caller's. Mirrors
/// check_ref_cleanup().
bool check_ref_cleanup(TransHandle& trans, Bytenr bytenr) {
    DelayedRefRoot& refs = trans.transaction.delayed_refs;
    DelayedRefHead* head = nullptr;
    {
        const sim::SpinGuard guard(refs.lock);
        refs.obj.read();
        head = find_ref_head(refs, bytenr.get());
        if (head == nullptr) return false;
        const sim::SpinGuard head_guard(head->lock);
        head->obj.read();
        if (!head->nodes.empty() || has_pending_extent_op(*head)) return false;
        // Waiting for the mutex would deadlock; whoever holds it is about to drop the head himself.
        if (!head->mutex.try_lock()) return false;
        delete_ref_head(refs, *head);
        head->processing = false;
    }
    const bool never_inserted = head->must_insert_reserved;
    cleanup_ref_head_accounting(trans.fs, refs, *head);
    head->mutex.unlock();
    put_ref_head(head);
    return never_inserted;
}

// ---- references of children
// ----------------------------------------------------------------------------------------------

Result<void> process_leaf_refs(TransHandle& trans, ExtentBuffer& leaf, u64 parent,
                               RefAction action) {
    const Objectid owner = leaf.owner();
    for (unsigned slot = 0; slot < leaf.nritems(); ++slot) {
        const Key key = leaf.key(slot);
        if (key.type != extent_data_key) continue;
        const auto item = load<FileExtentItem>(leaf.item_data(slot));
        if (item.type == file_extent_inline || item.disk_bytenr == 0) continue;
        const DataRef ref{.bytenr = Bytenr(item.disk_bytenr),
                          .num_bytes = item.disk_num_bytes,
                          .parent = parent,
                          .root = owner,
                          .objectid = key.objectid,
                          .offset = key.offset - item.offset};
        if (const auto added = add_delayed_data_ref(trans, ref, action); !added) return added;
    }
    return {};
}

Result<void> process_node_refs(TransHandle& trans, ExtentBuffer& node, u64 parent,
                               RefAction action) {
    const Objectid owner = node.owner();
    const auto level = static_cast<Level>(node.level() - 1);
    for (unsigned slot = 0; slot < node.nritems(); ++slot) {
        const TreeRef ref{
            .bytenr = node.blockptr(slot), .parent = parent, .root = owner, .level = level};
        if (const auto added = add_delayed_tree_ref(trans, ref, action); !added) return added;
    }
    return {};
}

/// Mirrors __btrfs_mod_ref().
Result<void> mod_ref(TransHandle& trans, Root& root, ExtentBuffer& buf, bool full_backref,
                     RefAction action) {
    buf.content.read();
    const u64 parent = full_backref ? buf.start.get() : 0;
    if (buf.level() > 0) return process_node_refs(trans, buf, parent, action);
    return root.shareable() ? process_leaf_refs(trans, buf, parent, action) : Result<void>{};
}

// ---- lookups
// -------------------------------------------------------------------------------------------------------------

/// What is queued for the extent. @return false if somebody runs its head: the caller waited,
/// without its path, and looks again
bool add_queued_refs(DelayedRefRoot& refs, Path& path, Bytenr bytenr, ExtentInfo* info) {
    DelayedRefHead* busy = nullptr;
    {
        const sim::SpinGuard guard(refs.lock);
        refs.obj.read();
        DelayedRefHead* const head = find_ref_head(refs, bytenr.get());
        if (head == nullptr) return true;
        if (head->mutex.try_lock()) {
            const sim::SpinGuard head_guard(head->lock);
            head->obj.read();
            if (head->has_extent_op) info->flags |= head->extent_op_flags;
            info->refs += static_cast<u64>(static_cast<std::int64_t>(head->ref_mod));
            head->mutex.unlock();
            return true;
        }
        ++head->refs;
        busy = head;
    }
    path.release();
    busy->mutex.lock();
    busy->mutex.unlock();
    put_ref_head(busy);
    return false;
}

enum class Sharing : u8 { None, Shared, Unknown };

/// Whether the extent item names exactly this file's reference. Mirrors check_committed_ref(): the
/// item of the running tree, so that with the queued references every reference is seen.
Result<Sharing> check_extent_item(Root& root, Path& path, const RefKey& own, Bytenr bytenr) {
    const Key last{bytenr.get(), extent_item_key, ~u64{0}};
    const auto searched = search_slot(nullptr, *root.fs.extent_root, last, path, 0, false);
    if (!searched) return searched.error();
    if (path.slots[0] == 0) return Sharing::Unknown;
    --path.slots[0];
    const Key key = path.key();
    if (key.objectid != bytenr.get() || key.type != extent_item_key) return Sharing::Unknown;
    const auto item = read_item<ExtentItem>(path);
    const u32 size = path.nodes[0]->item_size(path.slots[0]);
    if (size != sizeof(ExtentItem) + inline_ref_size(extent_data_ref_key)) return Sharing::Shared;
    if (item.generation <= root.root_item.last_snapshot) return Sharing::Shared;
    const InlineRef ref =
        parse_inline_ref({path.nodes[0]->item_data(path.slots[0]), size}, sizeof(ExtentItem));
    return ref.key == own && ref.count == item.refs ? Sharing::None : Sharing::Shared;
}

/// Mirrors check_delayed_ref(). Unknown: somebody ran the head; look at the item again.
Sharing check_queued_refs(DelayedRefRoot& refs, Path& path, const RefKey& own, Bytenr bytenr) {
    DelayedRefHead* busy = nullptr;
    {
        const sim::SpinGuard guard(refs.lock);
        refs.obj.read();
        DelayedRefHead* const head = find_ref_head(refs, bytenr.get());
        if (head == nullptr) return Sharing::None;
        if (head->mutex.try_lock()) {
            const sim::SpinGuard head_guard(head->lock);
            head->obj.read();
            const bool others = std::any_of(head->nodes.begin(), head->nodes.end(),
                                            [&](const DelayedRefNode& n) { return n.key != own; });
            head->mutex.unlock();
            return others ? Sharing::Shared : Sharing::None;
        }
        ++head->refs;
        busy = head;
    }
    path.release();
    busy->mutex.lock();
    busy->mutex.unlock();
    put_ref_head(busy);
    return Sharing::Unknown;
}

// ---- unpinning
// -----------------------------------------------------------------------------------------------------------

/// Freed metadata space refills the global reserve before anybody else gets it. info.lock held.
/// @return what is left
u64 refill_global_rsv(FsInfo& fs, SpaceInfo& info, u64 bytes) {
    BlockRsv& rsv = fs.global_block_rsv;
    if (rsv.space_info != &info) return bytes;
    const sim::SpinGuard guard(rsv.lock);
    rsv.obj.read();
    if (rsv.full || rsv.reserved >= rsv.size) return bytes;
    const u64 added = std::min(bytes, rsv.size - rsv.reserved);
    rsv.obj.write();
    rsv.reserved += added;
    trace_update_bytes_may_use(info, added);
    info.bytes_may_use += added;
    if (rsv.reserved >= rsv.size) rsv.full = true;
    return bytes - added;
}

/// The first pinned range, taken out of the transaction's set.
std::optional<std::pair<Bytenr, u64>> take_pinned(Transaction& transaction) {
    const sim::SpinGuard guard(transaction.pinned_lock);
    if (transaction.pinned_extents.empty()) {
        transaction.pinned_obj.read();
        return std::nullopt;
    }
    transaction.pinned_obj.write();
    const auto first = *transaction.pinned_extents.begin();
    transaction.pinned_extents.erase(transaction.pinned_extents.begin());
    return std::pair(Bytenr(first.first), first.second);
}

}  // namespace

/// @mirrors btrfs_alloc_tree_block(), v6.1; on failure everything taken goes back
Result<ExtentBuffer*> alloc_tree_block(TransHandle& trans, Root& root, u64 parent,
                                       Objectid root_objectid, Level level, unsigned nesting) {
    const sim::Scope scope("btrfs_alloc_tree_block");
    FsInfo& fs = trans.fs;
    const auto rsv = use_block_rsv(trans, root, fs.nodesize);
    if (!rsv) return rsv.error();
    const auto extent = reserve_extent(root, fs.nodesize, fs.nodesize, fs.nodesize, false, false);
    if (!extent) {
        unuse_block_rsv(fs, **rsv, fs.nodesize);
        return extent.error();
    }
    const auto eb = init_new_buffer(trans, extent->start, root_objectid, level, nesting);
    if (!eb) {
        free_reserved_extent(fs, extent->start, fs.nodesize, false);
        unuse_block_rsv(fs, **rsv, fs.nodesize);
        return eb.error();
    }
    const bool relocating = root_objectid == tree_reloc_objectid;
    if (relocating && parent == 0) parent = extent->start.get();
    const TreeRef ref{.bytenr = extent->start,
                      .parent = relocating ? parent : 0,
                      .root = root_objectid,
                      .level = level};
    const auto added = add_delayed_tree_ref(trans, ref, RefAction::AddExtent,
                                            relocating ? block_flag_full_backref : 0);
    if (!added) return added.error();
    return *eb;
}

/// The level that the DROP carries is what the header says at this instant. Not every caller holds
/// the block's lock here, so reading the header is no recorded access.
Result<void> free_tree_block(TransHandle& trans, Objectid root_id, ExtentBuffer& buf, u64 parent,
                             bool last_ref) {
    const sim::Scope scope("btrfs_free_tree_block");
    FsInfo& fs = trans.fs;
    buf.look_at_header();
    const TreeRef ref{.bytenr = buf.start, .parent = parent, .root = root_id, .level = buf.level()};
    if (buf.header().bytenr == 0 && fs.has(fix::freed_block_assert))
        sim::violation("bug-on/btrfs_free_tree_block",
                       "assertion failed: btrfs_header_bytenr(buf) != 0");
    check_freed_block(buf);
    if (const auto added = add_delayed_tree_ref(trans, ref, RefAction::Drop); !added) return added;
    if (!last_ref) return {};
    buf.look_at_header();
    if (buf.generation() != trans.transid) return {};
    if (!check_ref_cleanup(trans, buf.start)) {
        redirty_list_add(trans.transaction, buf);
        return {};
    }
    buf.look_at_header();
    if (fs.zoned != nullptr || buf.header_flag(header_flag_written)) {
        redirty_list_add(trans.transaction, buf);
        return pin_extent(trans, buf.start, fs.nodesize, true);
    }
    sim::note([&] { return "block " + std::to_string(buf.start.get()) + " is free space again"; });
    free_reserved_extent(fs, buf.start, fs.nodesize, false);
    return {};
}

Result<void> inc_ref(TransHandle& trans, Root& root, ExtentBuffer& buf, bool full_backref) {
    return mod_ref(trans, root, buf, full_backref, RefAction::Add);
}
Result<void> dec_ref(TransHandle& trans, Root& root, ExtentBuffer& buf, bool full_backref) {
    return mod_ref(trans, root, buf, full_backref, RefAction::Drop);
}

Result<ExtentInfo> lookup_extent_info(TransHandle* trans, FsInfo& fs, Bytenr bytenr,
                                      u64 offset_or_level, bool metadata) {
    const sim::Scope scope("btrfs_lookup_extent_info");
    const Key key{bytenr.get(), metadata ? metadata_item_key : extent_item_key, offset_or_level};
    for (;;) {
        Path path;
        path.search_commit_root = path.skip_locking = trans == nullptr;
        const auto found = search_slot(trans, *fs.extent_root, key, path, 0, false);
        if (!found) return found.error();
        ExtentInfo info;
        if (*found) {
            const auto item = read_item<ExtentItem>(path);
            info = {.refs = item.refs, .flags = item.flags};
        }
        if (trans == nullptr ||
            add_queued_refs(trans->transaction.delayed_refs, path, bytenr, &info))
            return info;
    }
}

Result<void> inc_data_ref(TransHandle& trans, const DataRef& ref) {
    return add_delayed_data_ref(trans, ref, RefAction::Add);
}
Result<void> free_data_extent(TransHandle& trans, const DataRef& ref) {
    return add_delayed_data_ref(trans, ref, RefAction::Drop);
}

Result<void> alloc_reserved_file_extent(TransHandle& trans, Objectid root, u64 objectid, u64 offset,
                                        const ReservedExtent& ins) {
    const DataRef ref{.bytenr = ins.start,
                      .num_bytes = ins.num_bytes,
                      .root = root,
                      .objectid = objectid,
                      .offset = offset};
    return add_delayed_data_ref(trans, ref, RefAction::AddExtent);
}

/// The leaf of the extent item stays locked while the queue is looked at, so no reference moves
/// from the one to the other unseen.
Result<bool> cross_ref_exist(Root& root, u64 objectid, u64 offset, Bytenr bytenr) {
    const sim::Scope scope("btrfs_cross_ref_exist");
    const RefKey own{
        .type = extent_data_ref_key, .root = root.objectid, .objectid = objectid, .offset = offset};
    for (;;) {
        Path path;
        const auto committed = check_extent_item(root, path, own, bytenr);
        if (!committed) return committed.error();
        if (*committed == Sharing::Shared) return true;
        Transaction* const transaction = get_running_transaction(root.fs);
        if (transaction == nullptr) return false;
        const Sharing queued = check_queued_refs(transaction->delayed_refs, path, own, bytenr);
        put_transaction(*transaction);
        if (queued != Sharing::Unknown) return queued == Sharing::Shared;
    }
}

// ---- pinning
// -------------------------------------------------------------------------------------------------------------

void remember_pinned(Transaction& transaction, Bytenr start, u64 bytes) {
    const sim::SpinGuard guard(transaction.pinned_lock);
    transaction.pinned_obj.write();
    auto& ranges = transaction.pinned_extents;
    u64 from = start.get();
    const auto next = ranges.find(from + bytes);
    if (next != ranges.end()) {
        bytes += next->second;
        ranges.erase(next);
    }
    const auto after = ranges.upper_bound(from);
    if (after != ranges.begin() && std::prev(after)->first + std::prev(after)->second == from) {
        std::prev(after)->second += bytes;
    } else {
        ranges.emplace(from, bytes);
    }
}

/// @mirrors pin_down_extent(), v6.1
Result<void> pin_extent(TransHandle& trans, Bytenr bytenr, u64 num_bytes, bool reserved) {
    BlockGroup* const bg = lookup_block_group(trans.fs, bytenr);
    if (bg == nullptr) return Errno::NoEnt;
    {
        SpaceInfo& info = *bg->space_info;
        const sim::SpinGuard info_guard(info.lock);
        const sim::SpinGuard guard(bg->lock);
        bg->obj.write();
        info.obj.write();
        bg->pinned += num_bytes;
        trace_update_bytes_pinned(info, num_bytes);
        info.bytes_pinned += num_bytes;
        if (reserved) {
            bg->reserved -= num_bytes;
            info.bytes_reserved -= num_bytes;
        }
    }
    remember_pinned(trans.transaction, bytenr, num_bytes);
    return {};
}

/// The range is free space before it stops being counted as pinned, as in the kernel.
void unpin_extent_range(FsInfo& fs, Bytenr start, u64 bytes, bool return_free_space) {
    while (bytes > 0) {
        BlockGroup& bg = *lookup_block_group(fs, start);
        const u64 part = std::min(bytes, bg.end() - start);
        if (return_free_space && bg.zoned == nullptr) add_free_space(bg, start, part);
        {
            SpaceInfo& info = *bg.space_info;
            const sim::SpinGuard info_guard(info.lock);
            bool readonly = false;
            {
                const sim::SpinGuard guard(bg.lock);
                bg.obj.write();
                info.obj.write();
                bg.pinned -= part;
                trace_update_bytes_pinned(info, -part);
                info.bytes_pinned -= part;
                readonly = bg.ro != 0;
                if (readonly) {
                    info.bytes_readonly += part;
                } else if (bg.zoned != nullptr) {  // until the zone is reset
                    bg.zoned->zone_unusable += part;
                    info.bytes_zone_unusable += part;
                    readonly = true;
                }
            }
            if (!readonly && return_free_space)
                if (const u64 left = refill_global_rsv(fs, info, part); left > 0)
                    add_new_bytes(fs, info, left);
        }
        start += part;
        bytes -= part;
    }
}

Result<void> finish_extent_commit(TransHandle& trans) {
    const sim::Scope scope("btrfs_finish_extent_commit");
    FsInfo& fs = trans.fs;
    while (trans.aborted == 0) {
        const sim::MutexGuard guard(fs.unused_bg_unpin_mutex);
        const auto range = take_pinned(trans.transaction);
        if (!range) break;
        sim::note([&] {
            return "unpins " + std::to_string(range->first.get()) + ", " +
                   std::to_string(range->second) + " bytes";
        });
        check_unpin(fs, range->first, range->second);
        unpin_extent_range(fs, range->first, range->second, true);
    }
    return {};
}

}  // namespace model
