// Mirrors fs/btrfs/space-info.c of 6.1: counters, overcommit and flushing of one kind of space; and
// what was otherwise before 5.14, as 4.19 had it in extent-tree.c.
//
// Left out: preemptive flushing, delayed items and delayed iputs (the model writes both at once),
// and flushing of delalloc.
#include "model/space_info.h"

#include <algorithm>

#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/reserve_ticket.h"
#include "sim/trace.h"

namespace model {
namespace {

u64 profile_copies(u64 profile) {
    return (profile & (bg_raid1 | bg_dup)) != 0 ? 2 : 1;
}

u64 reclaim_items(const FsInfo& fs, u64 bytes) {
    return std::max<u64>(1, bytes / calc_insert_metadata_size(fs, 1));
}

void flush_delayed_refs(FsInfo& fs, u64 count) {
    const Result<TransHandle*> trans = join_transaction(*fs.tree_root);
    if (!trans) return;
    static_cast<void>(run_delayed_refs(**trans, count));  // an error has aborted the transaction
    static_cast<void>(end_transaction(*trans));
}

void flush_alloc_chunk(FsInfo& fs, SpaceInfo& info, bool force) {
    const Result<TransHandle*> trans = join_transaction(*fs.tree_root);
    if (!trans) return;
    static_cast<void>(chunk_alloc(**trans, get_alloc_profile(fs, info.flags),
                                  force));  // NoSpc: the caller looks for itself
    static_cast<void>(end_transaction(*trans));
}

bool counts_in(const SpaceInfo& info, const DelayedRefHead& head) {
    if (head.is_data) return (info.flags & bg_data) != 0;
    return (info.flags & (head.is_system ? bg_system : bg_metadata)) != 0;
}

/// What the running transaction will pin once its references have run. With bytes_pinned, what the
/// kernel's total_bytes_pinned counts.
u64 bytes_to_be_pinned(FsInfo& fs, const SpaceInfo& info) {
    Transaction* const transaction = get_running_transaction(fs);
    if (transaction == nullptr) return 0;
    u64 bytes = 0;
    {
        DelayedRefRoot& refs = transaction->delayed_refs;
        const sim::SpinGuard guard(refs.lock);
        refs.obj.read();
        for (const auto& [bytenr, head] : refs.heads) {
            const sim::SpinGuard head_guard(head->lock);
            head->obj.read();
            if (head->total_ref_mod < 0 && counts_in(info, *head)) bytes += head->num_bytes;
        }
    }
    put_transaction(*transaction);
    return bytes;
}

u64 held_for_delayed_refs(FsInfo& fs, const SpaceInfo& info) {
    BlockRsv& rsv = fs.delayed_refs_rsv;
    if (rsv.space_info != &info) return 0;
    const sim::SpinGuard guard(rsv.lock);
    rsv.obj.read();
    return rsv.reserved;
}

/// What a commit is to free, and what is pinned already.
struct CommitGain {
    u64 wanted = 0, pinned = 0;
};

/// A commit is for the ticket that waits first, and from 5.4 on need not free what is free already.
CommitGain commit_gain(FsInfo& fs, SpaceInfo& info, u64 bytes) {
    const sim::SpinGuard guard(info.lock);
    info.obj.read();
    CommitGain gain{.wanted = bytes, .pinned = info.bytes_pinned};
    if (!takes_tickets(fs, info)) return gain;
    gain.wanted = first_ticket_bytes(info);
    const u64 used = info.used(true);
    const u64 free = info.total_bytes > used ? info.total_bytes - used : 0;
    if (free > 0 && fs.kernel.at_least(5, 4)) gain.wanted -= std::min(gain.wanted, free);
    return gain;
}

/// Until 5.14 a commit was only tried where it seemed to free enough. Mirrors
/// may_commit_transaction().
bool may_commit(FsInfo& fs, SpaceInfo& info, u64 bytes) {
    if (fs.has(fix::commit_without_guess)) return true;
    const CommitGain gain = commit_gain(fs, info, bytes);
    if (gain.wanted == 0) return false;
    return gain.pinned + bytes_to_be_pinned(fs, info) + held_for_delayed_refs(fs, info) >=
           gain.wanted;
}

void flush_commit(FsInfo& fs, SpaceInfo& info, u64 bytes) {
    if (!may_commit(fs, info, bytes)) return;
    const Result<TransHandle*> trans = join_transaction(*fs.tree_root);
    if (trans) static_cast<void>(commit_transaction(*trans));
}

}  // namespace

SpaceInfo::SpaceInfo(FsInfo& owner, u64 bg_flags)
    : fs(owner), obj(objects::space_info, bg_flags, this),
      lock(lock_classes::space_info_lock, bg_flags), flags(bg_flags),
      groups_sem(lock_classes::groups_sem, bg_flags) {}

const char* space_info_name(const SpaceInfo& info) {
    if ((info.flags & bg_data) != 0) return "DATA";
    return (info.flags & bg_metadata) != 0 ? "METADATA" : "SYSTEM";
}

const char* to_string(FlushState state) {
    switch (state) {
    case FlushState::DelayedRefsNr:
        return "FLUSH_DELAYED_REFS_NR";
    case FlushState::DelayedRefs:
        return "FLUSH_DELAYED_REFS";
    case FlushState::AllocChunk:
        return "ALLOC_CHUNK";
    case FlushState::AllocChunkForce:
        return "ALLOC_CHUNK_FORCE";
    case FlushState::CommitTrans:
        return "COMMIT_TRANS";
    }
    return "";
}

SpaceInfo& space_info_for(FsInfo& fs, u64 bg_flags) {
    for (SpaceInfo* const info : fs.space_infos)
        if ((info->flags & bg_flags & bg_type_mask) != 0) return *info;
    SIM_ASSERT(!"no space_info of this type");
    return *fs.space_infos.front();
}

void init_space_infos(FsInfo& fs) {
    for (const u64 type : {bg_data, bg_metadata, bg_system}) {
        const bool exists =
            std::any_of(fs.space_infos.begin(), fs.space_infos.end(),
                        [type](const SpaceInfo* info) { return (info->flags & type) != 0; });
        if (!exists) fs.space_infos.push_back(sim::make<SpaceInfo>(fs, type));
    }
}

u64 space_for_global_rsv(FsInfo& fs) {
    BlockRsv& rsv = fs.global_block_rsv;
    const sim::SpinGuard guard(rsv.lock);
    rsv.obj.read();
    return 2 * rsv.size;
}

/// Metadata may be promised beyond what chunks hold, as long as devices have room for more
/// chunks; until 5.4, only where the global reserve would fit in twice.
bool can_overcommit(FsInfo& fs, const SpaceInfo& info, u64 bytes, Flush flush) {
    if (!fs.has(fix::overcommit_without_global_reserve) &&
        info.used(false) + space_for_global_rsv(fs) >= info.total_bytes)
        return false;
    return fits_with_new_chunks(fs, info, bytes, flush);
}

bool fits_with_new_chunks(const FsInfo& fs, const SpaceInfo& info, u64 bytes, Flush flush) {
    if ((info.flags & bg_data) != 0) return false;
    const u64 available =
        fs.free_chunk_space.load() / profile_copies(get_alloc_profile(fs, info.flags));
    const u64 promised = info.used(true) + bytes;
    if (promised < info.total_bytes + available / 8) return true;
    if (flush == Flush::All) return false;
    if (promised >= info.total_bytes + available / 2) return false;
    // Until 5.8 the same request was one of All. Since then it overcommits as those that cannot
    // flush.
    return flush != Flush::AllSteal || fs.has(fix::global_reserve_stealing);
}

void recount_free_chunk_space(FsInfo& fs) {
    u64 unallocated = 0;
    for (const Device* const device : fs.fs_devices.devices)
        // A device that is being shrunk may have more in use than it is to have.
        if (device->on_alloc_list && device->total_bytes > device->bytes_used)
            unallocated += device->total_bytes - device->bytes_used;
    fs.free_chunk_space.store(unallocated);
}

void clear_space_info_full(FsInfo& fs) {
    for (SpaceInfo* const info : fs.space_infos) {
        const sim::SpinGuard guard(info->lock);
        info->obj.write();
        info->full = false;
    }
}

void flush_space(FsInfo& fs, SpaceInfo& info, u64 num_bytes, FlushState state) {
    const sim::Scope scope("flush_space");
    sim::note([&] {
        const std::string bytes = num_bytes == ~u64{0} ? "all" : std::to_string(num_bytes);
        return std::string(to_string(state)) + " for " + bytes + " bytes of " +
               space_info_name(info);
    });
    switch (state) {
    case FlushState::DelayedRefsNr:
        return flush_delayed_refs(fs, reclaim_items(fs, num_bytes));
    case FlushState::DelayedRefs:
        return flush_delayed_refs(fs, 0);
    case FlushState::AllocChunk:
        return flush_alloc_chunk(fs, info, false);
    case FlushState::AllocChunkForce:
        return flush_alloc_chunk(fs, info, true);
    case FlushState::CommitTrans:
        return flush_commit(fs, info, num_bytes);
    }
}

}  // namespace model
