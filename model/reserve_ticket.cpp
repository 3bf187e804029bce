// Mirrors fs/btrfs/space-info.c of 6.1: the tickets of reservations that did not fit, who gets what
// comes back, and who fails. Before 5.4 as extent-tree.c had it: a ticket was filled in parts.
//
// Left out: the sleep of a ticket ends by a fatal signal in the kernel; there are no signals here.
#include "model/reserve_ticket.h"

#include <algorithm>

#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/tracepoints.h"
#include "sim/trace.h"

namespace model {
namespace {

void add_may_use(SpaceInfo& info, u64 bytes) {
    trace_update_bytes_may_use(info, bytes);
    info.bytes_may_use += bytes;
}

/// Its sleeper is woken by the caller, once the counters agree again.
void take_off(SpaceInfo& info, ReserveTicket& ticket) {
    info.obj.write();
    std::erase(ticket.has_priority() ? info.priority_tickets : info.tickets, &ticket);
    info.reclaim_size -= ticket.bytes;
}

/// bytes_may_use has been charged.
void grant(SpaceInfo& info, ReserveTicket& ticket) {
    take_off(info, ticket);
    ticket.bytes = 0;
    ++info.tickets_id;
    ticket.wait.wake_up();
}

void grant_in_order(FsInfo& fs, SpaceInfo& info, const Vector<ReserveTicket*>& queue, Flush flush) {
    while (!queue.empty() && fits(fs, info, queue.front()->bytes, flush)) {
        ReserveTicket& ticket = *queue.front();
        add_may_use(info, ticket.bytes);
        grant(info, ticket);
    }
}

/// What of `bytes` the ticket takes.
u64 fill(SpaceInfo& info, ReserveTicket& ticket, u64 bytes) {
    const u64 given = std::min(bytes, ticket.bytes);
    if (given == ticket.bytes) {
        grant(info, ticket);
        return given;
    }
    info.obj.write();
    ticket.bytes -= given;
    info.reclaim_size -= given;
    return given;
}

/// Bytes that were and stay in bytes_may_use change hands. Over the limit they do so only where
/// more could be promised. @return what is left
u64 hand_over(FsInfo& fs, SpaceInfo& info, u64 bytes) {
    const bool over = info.used(true) - bytes >= info.total_bytes;
    const auto hand_to = [&](const Vector<ReserveTicket*>& queue, Flush flush) {
        while (!queue.empty() && bytes > 0 && (!over || can_overcommit(fs, info, 0, flush)))
            bytes -= fill(info, *queue.front(), bytes);
    };
    hand_to(info.priority_tickets, Flush::No);
    hand_to(info.tickets, Flush::All);
    return bytes;
}

bool may_steal(const FsInfo& fs, const ReserveTicket& ticket) {
    if (ticket.flush == Flush::AllSteal) return fs.has(fix::global_reserve_stealing);
    return ticket.flush == Flush::Evict && fs.kernel.at_least(5, 17);  // ee6adbfd6a2c
}

/// Until 5.0 all fail. From then on (f91587e4151e) the first that had got something ends it: what
/// it gives back may be enough for others.
bool wake_all_tickets(FsInfo& fs, SpaceInfo& info) {
    while (!info.tickets.empty()) {
        ReserveTicket& ticket = *info.tickets.front();
        const bool gives_back = ticket.bytes != ticket.orig_bytes;
        fail_ticket(info, ticket, Errno::NoSpc);
        if (gives_back && fs.kernel.at_least(5, 0)) return true;
    }
    return false;
}

/// Until 5.14 whether to commit was guessed for the first ticket; a smaller one may have better
/// luck.
bool deserves_another_round(const FsInfo& fs, u64 first_bytes, const ReserveTicket& ticket) {
    return ticket.bytes < first_bytes && !fs.kernel.at_least(5, 14);
}

}  // namespace

ReserveTicket::ReserveTicket(u64 wanted, Flush how)
    : orig_bytes(wanted), bytes(wanted), flush(how), wait(0, "reserve_ticket") {}

bool ReserveTicket::has_priority() const {
    return flush == Flush::Limit || flush == Flush::Evict;
}

bool takes_tickets(const FsInfo& fs, const SpaceInfo& info) {
    return (info.flags & bg_data) != 0 ? fs.kernel.at_least(5, 10) : fs.kernel.at_least(4, 8);
}

bool has_tickets(const SpaceInfo& info) {
    return !info.tickets.empty() || !info.priority_tickets.empty();
}

u64 first_ticket_bytes(const SpaceInfo& info) {
    if (!info.priority_tickets.empty()) return info.priority_tickets.front()->bytes;
    return info.tickets.empty() ? 0 : info.tickets.front()->bytes;
}

/// From 5.8 on those that flush themselves wait for each other only.
bool is_barred(const FsInfo& fs, const SpaceInfo& info, Flush flush) {
    if (!has_tickets(info) || !fs.has(fix::pending_tickets_first)) return false;
    if (!info.priority_tickets.empty()) return true;
    const bool flushes_itself = flush == Flush::Limit || flush == Flush::Evict;
    return !flushes_itself || !fs.kernel.at_least(5, 8);
}

bool fits(FsInfo& fs, const SpaceInfo& info, u64 bytes, Flush flush) {
    return info.used(true) + bytes <= info.total_bytes || can_overcommit(fs, info, bytes, flush);
}

void queue_ticket(SpaceInfo& info, ReserveTicket& ticket) {
    info.obj.write();
    info.reclaim_size += ticket.bytes;
    if (ticket.has_priority()) return info.priority_tickets.push_back(&ticket);
    info.tickets.push_back(&ticket);
    if (info.flush) return;
    info.flush = true;
    queue_async_reclaim(info);
}

void fail_ticket(SpaceInfo& info, ReserveTicket& ticket, Errno error) {
    take_off(info, ticket);
    ticket.error = error;
    ticket.wait.wake_up();
}

void try_granting_tickets(FsInfo& fs, SpaceInfo& info) {
    grant_in_order(fs, info, info.priority_tickets, Flush::No);
    grant_in_order(fs, info, info.tickets, Flush::All);
}

void add_new_bytes(FsInfo& fs, SpaceInfo& info, u64 bytes) {
    if (!has_tickets(info)) return;
    if (fs.kernel.at_least(5, 4)) return try_granting_tickets(fs, info);
    for (const auto* const queue : {&info.priority_tickets, &info.tickets})
        while (!queue->empty() && bytes > 0) {
            ReserveTicket& ticket = *queue->front();
            add_may_use(info, std::min(bytes, ticket.bytes));
            bytes -= fill(info, ticket, bytes);
        }
}

/// Mirrors btrfs_space_info_free_bytes_may_use(), and before 5.4 space_info_add_old_bytes().
void space_info_free_bytes_may_use(FsInfo& fs, SpaceInfo& info, u64 bytes) {
    if (bytes == 0) return;
    const sim::SpinGuard guard(info.lock);
    info.obj.write();
    SIM_ASSERT(info.bytes_may_use >= bytes);
    const bool in_parts = has_tickets(info) && !fs.kernel.at_least(5, 4);
    if (in_parts) bytes = hand_over(fs, info, bytes);
    add_may_use(info, -bytes);
    if (!in_parts) try_granting_tickets(fs, info);
}

bool steal_from_global_rsv(FsInfo& fs, SpaceInfo& info, ReserveTicket& ticket) {
    BlockRsv& rsv = fs.global_block_rsv;
    if (rsv.space_info != &info || !may_steal(fs, ticket)) return false;
    const sim::SpinGuard guard(rsv.lock);
    rsv.obj.read();
    if (rsv.reserved < rsv.size / 10 + ticket.bytes) return false;
    rsv.obj.write();
    rsv.reserved -= ticket.bytes;
    if (rsv.reserved < rsv.size) rsv.full = false;
    sim::note([&] {
        return "a ticket of " + std::to_string(ticket.bytes) + " bytes steals from the reserve";
    });
    grant(info, ticket);
    return true;
}

bool fail_tickets(FsInfo& fs, SpaceInfo& info) {
    if (!fs.kernel.at_least(5, 4)) return wake_all_tickets(fs, info);
    const bool aborted = fs.has_error() && fs.kernel.at_least(5, 16);  // 0e24f6d84b4c
    const u64 id = info.tickets_id;
    u64 first_bytes = 0;
    while (!info.tickets.empty() && info.tickets_id == id) {
        ReserveTicket& ticket = *info.tickets.front();
        if (!aborted && steal_from_global_rsv(fs, info, ticket)) return true;
        if (first_bytes == 0) first_bytes = ticket.bytes;
        if (deserves_another_round(fs, first_bytes, ticket)) return true;
        fail_ticket(info, ticket, aborted ? Errno::IO : Errno::NoSpc);
        if (!aborted) try_granting_tickets(fs, info);
    }
    return info.tickets_id != id;
}

}  // namespace model
