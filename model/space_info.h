#pragma once
#include "model/block_rsv.h"
#include "model/objects.h"
#include "model/types.h"
#include "sim/rwsem.h"
#include "sim/spinlock.h"

namespace sim {
class WaitQueue;
class WorkQueue;
}  // namespace sim

namespace model {

struct BlockGroup;
struct ReserveTicket;

/// fs/btrfs/space-info.h: struct btrfs_space_info. One each for DATA, METADATA and SYSTEM.
struct SpaceInfo {
    SpaceInfo(FsInfo& fs, u64 flags);
    FsInfo& fs;
    sim::Object obj;  // all counters: lock
    sim::Spinlock lock;
    u64 flags;
    u64 total_bytes = 0, bytes_used = 0, bytes_reserved = 0, bytes_pinned = 0, bytes_readonly = 0,
        bytes_may_use = 0, bytes_zone_unusable = 0;
    bool full = false, chunk_alloc = false, force_alloc = false;
    Vector<sim::WaitQueue*> wait_for_alloc;  // of those who want a chunk that another one makes
    // Reservations that wait, in order: model/reserve_ticket.h.
    Vector<ReserveTicket*> tickets, priority_tickets;
    u64 reclaim_size = 0;  // what the tickets lack
    u64 tickets_id = 0;    // how many tickets were granted
    bool flush = false;    // the flusher works for `tickets`, or is queued
    bool reclaim_canceled = false;
    sim::WorkQueue* reclaim_work = nullptr;  // async_reclaim_work; null: was never needed
    sim::RwSem groups_sem;
    Vector<BlockGroup*> block_groups;  // groups_sem
    u64 used(bool with_may_use) const {
        return bytes_used + bytes_reserved + bytes_pinned + bytes_readonly + bytes_zone_unusable +
               (with_may_use ? bytes_may_use : 0);
    }
};
SpaceInfo& space_info_for(FsInfo& fs, u64 bg_flags);
/// bytes_may_use += bytes, after the flushing that `flush` allows; with All, Data and AllSteal the
/// task sleeps until somebody else has flushed, and holds no transaction handle. Mirrors
/// btrfs_reserve_metadata_bytes().
/// @return NoSpc, or from 5.16 on IO where the filesystem was aborted meanwhile
Result<void> reserve_metadata_bytes(FsInfo& fs, SpaceInfo& info, u64 bytes, Flush flush);
/// The same for data. Mirrors btrfs_reserve_data_bytes().
Result<void> reserve_data_bytes(FsInfo& fs, u64 bytes);
/// bytes_may_use -= bytes; tickets may be granted for them.
void space_info_free_bytes_may_use(FsInfo& fs, SpaceInfo& info, u64 bytes);
/// Twice what the global reserve wants. Mirrors calc_global_rsv_need_space().
u64 space_for_global_rsv(FsInfo& fs);
/// info.lock held.
bool fits_with_new_chunks(const FsInfo& fs, const SpaceInfo& info, u64 bytes, Flush flush);
/// info.lock held.
bool can_overcommit(FsInfo& fs, const SpaceInfo& info, u64 bytes, Flush flush);
/// Unallocated bytes of the devices that may receive chunks; chunk_mutex held, or mounting. Mirrors
/// what moves free_chunk_space.
void recount_free_chunk_space(FsInfo& fs);
/// Creates what is missing of the three space_infos. Mirrors btrfs_init_space_info().
void init_space_infos(FsInfo& fs);
/// A chunk was freed or grown: chunks may be tried again. Mirrors btrfs_clear_space_info_full().
void clear_space_info_full(FsInfo& fs);
const char* space_info_name(const SpaceInfo& info);  // "DATA"

/// What flushing may do to make room, in the order in which it is tried. fs/btrfs/space-info.h:
/// enum btrfs_flush_state; of its states those that free something here.
enum class FlushState : u8 { DelayedRefsNr, DelayedRefs, AllocChunk, AllocChunkForce, CommitTrans };
const char* to_string(FlushState state);
/// Does one thing that may free space. The caller holds no lock. Mirrors flush_space().
void flush_space(FsInfo& fs, SpaceInfo& info, u64 num_bytes, FlushState state);

}  // namespace model
