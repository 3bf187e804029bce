// Mirrors fs/btrfs/space-info.c of 6.1: __reserve_bytes() and handle_reserve_ticket(). Before there
// were tickets (4.8 for metadata, 5.10 for data) whoever reserved flushed in his own task, state by
// state, and looked again after each; here once.
#include <array>
#include <optional>
#include <span>

#include "model/fs_info.h"
#include "model/reserve_ticket.h"
#include "model/tracepoints.h"
#include "sim/trace.h"

namespace model {
namespace {

constexpr std::array flush_limit{FlushState::AllocChunk};
constexpr std::array flush_evict{FlushState::DelayedRefsNr, FlushState::DelayedRefs,
                                 FlushState::AllocChunk, FlushState::CommitTrans};
// Chunks as long as there is room for one, else what a commit unpins.
constexpr std::array flush_data{FlushState::AllocChunkForce, FlushState::CommitTrans,
                                FlushState::AllocChunkForce};

/// What the reserving task does itself.
std::span<const FlushState> states_of(const FsInfo& fs, Flush flush) {
    switch (flush) {
    case Flush::No:
    case Flush::Emergency:
        return {};
    case Flush::Limit:
        return flush_limit;
    case Flush::Evict:
        return flush_evict;
    case Flush::Data:
        return flush_data;
    case Flush::All:
    case Flush::AllSteal:
        return metadata_flush_states(fs);
    }
    return {};
}

/// Taking a handle is legal inside another one, ending the transaction is not; running references
/// may sleep on the caller's locks.
bool allowed_here(FlushState state) {
    const bool allocates = state == FlushState::AllocChunk || state == FlushState::AllocChunkForce;
    return allocates || current_trans() == nullptr;
}

/// All or nothing. info.lock held.
bool try_reserve(FsInfo& fs, SpaceInfo& info, u64 bytes, Flush flush) {
    info.obj.read();
    const bool has_room = flush == Flush::Emergency && info.used(false) + bytes <= info.total_bytes;
    if (!has_room && (is_barred(fs, info, flush) || !fits(fs, info, bytes, flush))) return false;
    info.obj.write();
    trace_update_bytes_may_use(info, bytes);
    info.bytes_may_use += bytes;
    return true;
}

Result<void> reserve_by_looping(FsInfo& fs, SpaceInfo& info, u64 bytes, Flush flush) {
    for (const FlushState state : states_of(fs, flush)) {
        if (!allowed_here(state)) continue;
        flush_space(fs, info, bytes, state);
        const sim::SpinGuard guard(info.lock);
        if (try_reserve(fs, info, bytes, flush)) return {};
    }
    return Errno::NoSpc;
}

/// @return whether the task has queued to sleep
bool prepare_to_wait(SpaceInfo& info, ReserveTicket& ticket) {
    const sim::SpinGuard guard(info.lock);
    info.obj.read();
    if (ticket.is_settled()) return false;
    ticket.wait.prepare_to_wait(false);
    return true;
}

void wait_reserve_ticket(SpaceInfo& info, ReserveTicket& ticket) {
    const sim::Scope scope("wait_reserve_ticket");
    while (prepare_to_wait(info, ticket)) {
        ticket.wait.schedule();
        ticket.wait.finish_wait();
    }
}

/// Until 5.17 (9cd8dcdc5e5c) a ticket that was granted meanwhile flushed all the same while others
/// waited.
std::optional<u64> bytes_to_reclaim(FsInfo& fs, SpaceInfo& info, const ReserveTicket& ticket) {
    const sim::SpinGuard guard(info.lock);
    info.obj.read();
    if (info.reclaim_size == 0) return std::nullopt;
    if (ticket.bytes == 0 && fs.kernel.at_least(5, 17)) return std::nullopt;
    return info.reclaim_size;
}

bool is_granted(SpaceInfo& info, const ReserveTicket& ticket) {
    const sim::SpinGuard guard(info.lock);
    info.obj.read();
    return ticket.bytes == 0;
}

/// Who was behind it may fit: that was seen from 5.8 on.
void give_up_ticket(FsInfo& fs, SpaceInfo& info, ReserveTicket& ticket) {
    const sim::SpinGuard guard(info.lock);
    info.obj.read();
    if (ticket.bytes == 0) return;
    if (!steal_from_global_rsv(fs, info, ticket)) fail_ticket(info, ticket, Errno::NoSpc);
    if (has_tickets(info) && fs.kernel.at_least(5, 8)) try_granting_tickets(fs, info);
}

void priority_reclaim_metadata_space(FsInfo& fs, SpaceInfo& info, ReserveTicket& ticket) {
    const sim::Scope scope("priority_reclaim_metadata_space");
    const auto to_reclaim = bytes_to_reclaim(fs, info, ticket);
    if (!to_reclaim) return;
    for (const FlushState state : states_of(fs, ticket.flush)) {
        if (!allowed_here(state)) continue;
        flush_space(fs, info, *to_reclaim, state);
        if (is_granted(info, ticket)) return;
    }
    give_up_ticket(fs, info, ticket);
}

/// Before 5.4: a ticket that fails may have got a part. From 5.0 on others get that.
void return_part(FsInfo& fs, SpaceInfo& info, u64 bytes) {
    if (bytes == 0) return;
    if (fs.kernel.at_least(5, 0)) return space_info_free_bytes_may_use(fs, info, bytes);
    const sim::SpinGuard guard(info.lock);
    info.obj.write();
    trace_update_bytes_may_use(info, -bytes);
    info.bytes_may_use -= bytes;
}

Result<void> handle_reserve_ticket(FsInfo& fs, SpaceInfo& info, ReserveTicket& ticket) {
    if (ticket.has_priority())
        priority_reclaim_metadata_space(fs, info, ticket);
    else
        wait_reserve_ticket(info, ticket);
    if (!ticket.error) return {};
    return_part(fs, info, ticket.orig_bytes - ticket.bytes);
    return *ticket.error;
}

/// @mirrors __reserve_bytes(), v6.1
Result<void> reserve_bytes(FsInfo& fs, SpaceInfo& info, u64 bytes, Flush flush) {
    if (bytes == 0) return {};
    std::optional<ReserveTicket> ticket;
    {
        const sim::SpinGuard guard(info.lock);
        if (try_reserve(fs, info, bytes, flush)) return {};
        if (flush == Flush::No || flush == Flush::Emergency) return Errno::NoSpc;
        if (takes_tickets(fs, info)) queue_ticket(info, ticket.emplace(bytes, flush));
    }
    if (!ticket) return reserve_by_looping(fs, info, bytes, flush);
    // Who sleeps in a handle would keep the flusher from ending the transaction.
    SIM_ASSERT(ticket->has_priority() || current_trans() == nullptr);
    return handle_reserve_ticket(fs, info, *ticket);
}

}  // namespace

Result<void> reserve_metadata_bytes(FsInfo& fs, SpaceInfo& info, u64 bytes, Flush flush) {
    return reserve_bytes(fs, info, bytes, flush);
}

Result<void> reserve_data_bytes(FsInfo& fs, u64 bytes) {
    return reserve_bytes(fs, space_info_for(fs, bg_data), bytes, Flush::Data);
}

}  // namespace model
