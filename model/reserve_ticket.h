#pragma once
#include <optional>
#include <span>

#include "model/block_rsv.h"
#include "model/types.h"
#include "sim/waitqueue.h"

namespace model {

enum class FlushState : u8;
struct SpaceInfo;

/// fs/btrfs/space-info.h: struct reserve_ticket. A reservation that did not fit, on the stack of
/// the task that wants it. Under space_info.lock until it leaves its queue; then its task's alone.
struct ReserveTicket {
    ReserveTicket(u64 wanted, Flush how);
    const u64 orig_bytes;
    u64 bytes;  // that it still lacks; 0: granted
    std::optional<Errno> error;
    const Flush flush;
    sim::WaitQueue wait;

    bool is_settled() const { return bytes == 0 || error.has_value(); }
    /// Limit and Evict: its task flushes itself.
    bool has_priority() const;
};

// All of these: info.lock held.

/// Whether what does not fit becomes a ticket: metadata from 4.8 on, data from 5.10 on.
bool takes_tickets(const FsInfo& fs, const SpaceInfo& info);
bool has_tickets(const SpaceInfo& info);
/// What the ticket that comes first lacks; 0: there is none.
u64 first_ticket_bytes(const SpaceInfo& info);
/// Whether the reservation has to wait until those before it are served: from 5.4 on.
bool is_barred(const FsInfo& fs, const SpaceInfo& info, Flush flush);
/// Whether so much may be added to bytes_may_use now.
bool fits(FsInfo& fs, const SpaceInfo& info, u64 bytes, Flush flush);

/// At the end of its queue; who is the first without priority queues the flusher.
void queue_ticket(SpaceInfo& info, ReserveTicket& ticket);
void fail_ticket(SpaceInfo& info, ReserveTicket& ticket, Errno error);
/// Tickets get what fits, those with priority first, each queue in order up to the first that does
/// not fit. Mirrors btrfs_try_granting_tickets().
void try_granting_tickets(FsInfo& fs, SpaceInfo& info);
/// So many bytes that counted as taken no longer do. Tickets may get them; before 5.4 also a part
/// of what one lacks. Mirrors space_info_add_new_bytes(), and what came in its place.
void add_new_bytes(FsInfo& fs, SpaceInfo& info, u64 bytes);
/// The ticket is granted out of the global reserve, if that keeps a tenth of what it wants; only
/// for those that may steal. Mirrors steal_from_global_rsv(), 5.8.
bool steal_from_global_rsv(FsInfo& fs, SpaceInfo& info, ReserveTicket& ticket);
/// Flushing has not helped those in `tickets`. Mirrors wake_all_tickets() and, from 5.4 on,
/// maybe_fail_all_tickets().
/// @return whether it is worth going round once more; if not, none is left
bool fail_tickets(FsInfo& fs, SpaceInfo& info);

// The flusher: model/async_reclaim.cpp.

/// What FLUSH_ALL may do for metadata, in order.
std::span<const FlushState> metadata_flush_states(const FsInfo& fs);
/// Queues the work item that flushes for `tickets`, as a task of its own.
void queue_async_reclaim(SpaceInfo& info);
/// A flusher that has not begun does nothing any more, one that has is waited for. No lock held;
/// the filesystem has no user any more. Mirrors cancel_work_sync() in close_ctree().
void cancel_async_reclaim(SpaceInfo& info);

}  // namespace model
