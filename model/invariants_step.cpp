// Checks of single objects, run after each step that wrote one. They look at plain fields and with
// peek() only, and cost some tens of nanoseconds each.
#include "model/fs_info.h"
#include "model/invariant_state.h"
#include "model/invariants.h"
#include "model/probes.h"
#include "model/reserve_ticket.h"
#include "sim/scheduler.h"

namespace model {
namespace {

const Evaluation space_info_limits{"space-info-limits"}, space_info_sums{"space-info-sums"},
    space_info_tickets{"space-info-tickets"}, block_group_counters{"block-group-counters"},
    block_rsv{"block-rsv"}, ref_head_counts{"ref-head-counts"}, ref_root_counts{"ref-root-counts"},
    transaction_state{"transaction-state"}, scrub_counters{"scrub-counters"},
    tree_block_sane{"tree-block-sane"};

FsInfo& fs_at(void* context) {
    return *static_cast<FsInfo*>(context);
}

/// A counter that was taken below zero shows as a huge number.
constexpr u64 underflow = u64{1} << 62;

// ---- space
// ---------------------------------------------------------------------------------------

/// Counters of the groups that allocators can see, summed up.
struct GroupSums {
    u64 length = 0, used = 0, reserved = 0, pinned = 0, readonly = 0, zone_unusable = 0;
};

GroupSums sums_of(const SpaceInfo& info) {
    GroupSums sums;
    for (const BlockGroup* const bg : info.block_groups) {
        sums.length += bg->length;
        sums.used += bg->used;
        sums.reserved += bg->reserved;
        sums.pinned += bg->pinned;
        sums.readonly += bg->bytes_super;
        sums.zone_unusable += bg->zone_unusable();
        if (bg->ro > 0)
            sums.readonly += bg->length - bg->used - bg->reserved - bg->pinned - bg->bytes_super -
                             bg->zone_unusable();
    }
    return sums;
}

void compare_sum(const SpaceInfo& info, const char* what, u64 counter, u64 sum) {
    if (counter == sum) return;
    sim::violation("space-info-sums", std::string(space_info_name(info)) + ": " + what + " is " +
                                          number(counter) + ", its block groups have " +
                                          number(sum));
}

void check_space_info(const SpaceInfo& info) {
    space_info_limits.count();
    const u64 taken = info.used(false);
    if (taken > info.total_bytes || info.bytes_may_use >= underflow)
        return sim::violation(
            "space-info-limits",
            std::string(space_info_name(info)) + ": used " + number(info.bytes_used) +
                ", reserved " + number(info.bytes_reserved) + ", pinned " +
                number(info.bytes_pinned) + ", readonly " + number(info.bytes_readonly) +
                ", may_use " + number(info.bytes_may_use) + " of " + number(info.total_bytes));
    space_info_sums.count();
    const GroupSums sums = sums_of(info);
    compare_sum(info, "bytes_used", info.bytes_used, sums.used);
    compare_sum(info, "bytes_reserved", info.bytes_reserved, sums.reserved);
    compare_sum(info, "bytes_pinned", info.bytes_pinned, sums.pinned);
    if (sums.length == info.total_bytes)
        compare_sum(info, "bytes_zone_unusable", info.bytes_zone_unusable, sums.zone_unusable);
    // A new group is counted before it is on the list.
    if (sums.length == info.total_bytes)
        compare_sum(info, "bytes_readonly", info.bytes_readonly, sums.readonly);
}

/// Tickets are settled and leave their queue under one holding of the lock, and the flusher stops
/// only when it has seen `tickets` empty.
void check_tickets(const SpaceInfo& info) {
    space_info_tickets.count();
    u64 lacking = 0;
    bool settled = false;
    for (const auto* const queue : {&info.priority_tickets, &info.tickets})
        for (const ReserveTicket* const ticket : *queue) {
            lacking += ticket->bytes;
            settled = settled || ticket->is_settled();
        }
    const bool forgotten = !info.tickets.empty() && !info.flush;
    if (info.reclaim_size == lacking && !settled && !forgotten) return;
    sim::violation(
        "space-info-tickets",
        std::string(space_info_name(info)) + ": reclaim_size is " + number(info.reclaim_size) +
            ", " + number(info.priority_tickets.size() + info.tickets.size()) + " tickets lack " +
            number(lacking) + (settled ? ", one of them nothing" : "") +
            (forgotten ? ", nobody flushes for them" : ""));
}

void on_space_info(void*, sim::Object& object) {
    const SpaceInfo& info = *static_cast<SpaceInfo*>(object.owner());
    check_space_info(info);
    check_tickets(info);
}

void on_block_group(void*, sim::Object& object) {
    block_group_counters.count();
    const BlockGroup& bg = *static_cast<BlockGroup*>(object.owner());
    const bool underflowed =
        bg.used >= underflow || bg.reserved >= underflow || bg.pinned >= underflow;
    if (underflowed ||
        bg.used + bg.reserved + bg.pinned + bg.bytes_super + bg.zone_unusable() > bg.length)
        return sim::violation("block-group-counters",
                              "block group " + number(bg.start.get()) + ": used " +
                                  number(bg.used) + ", reserved " + number(bg.reserved) +
                                  ", pinned " + number(bg.pinned) + ", super " +
                                  number(bg.bytes_super) + " of " + number(bg.length));
    if (bg.space_info != nullptr) check_space_info(*bg.space_info);
}

/// The reserve of delayed references is left out: a head is queued before the handle adds its cost
/// to `size`, so whoever runs the head meanwhile takes off what is not there yet, and `size` wraps
/// for a moment, in the kernel as here.
void on_block_rsv(void*, sim::Object& object) {
    const BlockRsv& rsv = *static_cast<BlockRsv*>(object.owner());
    if (rsv.type == RsvType::DelayedRefs) return;
    block_rsv.count();
    const bool underflowed = rsv.size >= underflow || rsv.reserved >= underflow;
    if (!underflowed && (!rsv.full || rsv.reserved >= rsv.size)) return;
    sim::violation("block-rsv", "reserve of kind " + number(static_cast<u64>(rsv.type)) +
                                    (rsv.full ? ", full" : "") + ": size " + number(rsv.size) +
                                    ", reserved " + number(rsv.reserved));
}

// ---- delayed references
// --------------------------------------------------------------------------

void on_ref_head(void*, sim::Object& object) {
    ref_head_counts.count();
    const DelayedRefHead& head = *static_cast<DelayedRefHead*>(object.owner());
    if (!head.in_tree) return;  // after an abort its references go, and nobody counts
    std::int64_t sum = 0;
    for (const DelayedRefNode& node : head.nodes)
        sum += node.action == RefAction::Drop ? -std::int64_t{node.ref_mod}
                                              : std::int64_t{node.ref_mod};
    if (sum == head.ref_mod) return;
    sim::violation("ref-head-counts", "head " + number(head.bytenr) + ": ref_mod is " +
                                          std::to_string(head.ref_mod) +
                                          ", its references sum up to " + std::to_string(sum));
}

void on_ref_root(void*, sim::Object& object) {
    ref_root_counts.count();
    const DelayedRefRoot& refs = *static_cast<DelayedRefRoot*>(object.owner());
    u64 ready = 0;
    for (const auto& [bytenr, head] : refs.heads)
        ready += head->processing ? 0 : 1;
    if (refs.num_heads == refs.heads.size() && refs.num_heads_ready == ready) return;
    sim::violation("ref-root-counts", "num_heads " + number(refs.num_heads) + " of " +
                                          number(refs.heads.size()) + ", num_heads_ready " +
                                          number(refs.num_heads_ready) + " of " + number(ready));
}

// ---- transactions
// --------------------------------------------------------------------------------

bool is_state_running(TransState state) {
    return state < TransState::Unblocked;
}

void check_transaction(const Transaction& transaction, InvariantState& state) {
    const auto now = static_cast<u8>(transaction.state);
    u8& before = state.transaction_states[transaction.transid.get()];
    const auto who = [&] { return "transaction " + number(transaction.transid.get()); };
    // One that is given up is let through all its states again: btrfs_cleanup_one_transaction().
    const bool given_up =
        transaction.aborted.peek() != 0 || transaction.fs.fs_state.peek_bit(fs_state_bit::error);
    if (given_up) {
        before = now;
        return;
    }
    if (now < before)
        sim::violation("transaction-state", who() + " went back to " +
                                                to_string(transaction.state) + " from " +
                                                to_string(static_cast<TransState>(before)));
    before = now;
    if (transaction.state == TransState::CommitDoing && transaction.num_extwriters.peek() != 0)
        sim::violation("transaction-state", who() + " is in COMMIT_DOING with " +
                                                number(transaction.num_extwriters.peek()) +
                                                " extwriters");
}

void on_trans_state(void* context, sim::Object&) {
    transaction_state.count();
    FsInfo& fs = fs_at(context);
    unsigned running = 0;
    for (const Transaction* const transaction : fs.trans_list) {
        check_transaction(*transaction, *fs.invariants);
        running += is_state_running(transaction->state) ? 1 : 0;
    }
    if (running > 1)
        sim::violation("transaction-state", number(running) + " transactions are running");
    auto& states = fs.invariants->transaction_states;
    while (states.size() > fs.trans_list.size() && !fs.trans_list.empty() &&
           states.begin()->first < fs.trans_list.front()->transid.get())
        states.erase(states.begin());
}

// ---- scrub
// ---------------------------------------------------------------------------------------

void on_scrub_counter(void* context, sim::Object&) {
    scrub_counters.count();
    const ScrubState& scrub = fs_at(context).scrub;
    const u32 running = scrub.running.peek(), paused = scrub.paused.peek();
    constexpr u32 below_zero = 1U << 30;
    if (paused <= running && running < below_zero && scrub.pause_req.peek() < below_zero &&
        scrub.cancel_req.peek() < below_zero)
        return;
    sim::violation("scrub-counters", "scrubs_running " + number(running) + ", scrubs_paused " +
                                         number(paused) + ", scrub_pause_req " +
                                         number(scrub.pause_req.peek()));
}

// ---- tree blocks
// ---------------------------------------------------------------------------------

/// The first slot whose key is not above the one before; 0: none.
u32 unordered_slot(const ExtentBuffer& eb) {
    const u32 nritems = eb.nritems();
    if (nritems == 0) return 0;
    Key before = eb.key(0);
    for (u32 slot = 1; slot < nritems; ++slot) {
        const Key key = eb.key(slot);
        if (!(before < key)) return slot;
        before = key;
    }
    return 0;
}

void broken_block(const ExtentBuffer& eb, const std::string& text) {
    sim::violation("tree-block-sane", "block " + number(eb.start.get()) + ": " + text);
}

void check_order(const ExtentBuffer& eb) {
    if (const u32 slot = unordered_slot(eb); slot != 0)
        broken_block(eb, "key " + to_string(eb.key(slot)) + " at slot " + number(slot) +
                             " is not above the one before");
}

void on_extent_buffer(void* context, sim::Object& object) {
    const FsInfo& fs = fs_at(context);
    ExtentBuffer& eb = *static_cast<ExtentBuffer*>(object.owner());
    const HeaderItem& header = eb.header();
    if (header.bytenr == 0) return;  // not initialised yet
    tree_block_sane.count();
    const auto broken = [&](const std::string& text) { broken_block(eb, text); };
    if (header.bytenr != eb.start.get()) return broken("its header says " + number(header.bytenr));
    if (header.generation > fs.generation.get())
        return broken("generation " + number(header.generation) + " has not begun yet");
    const std::size_t slot_bytes = header.level == 0 ? sizeof(LeafItem) : sizeof(KeyPtr);
    if (header.level >= max_level || sizeof(HeaderItem) + header.nritems * slot_bytes > fs.nodesize)
        return broken("level " + number(header.level) + ", " + number(header.nritems) + " items");
    eb.order_unchecked = eb.lock.is_write_locked();
    if (!eb.order_unchecked) check_order(eb);
}

}  // namespace

void check_unlocked_block(ExtentBuffer& eb) {
    if (!eb.order_unchecked) return;
    eb.order_unchecked = false;
    tree_block_sane.count();
    check_order(eb);
}

void watch_invariants(FsInfo& fs, sim::Scheduler& scheduler) {
    fs.invariants = sim::make<InvariantState>();
    committed_state(fs);
    scheduler.watch(objects::space_info, on_space_info, &fs);
    scheduler.watch(objects::block_group, on_block_group, &fs);
    scheduler.watch(objects::block_rsv, on_block_rsv, &fs);
    scheduler.watch(objects::delayed_ref_head, on_ref_head, &fs);
    scheduler.watch(objects::delayed_ref_root, on_ref_root, &fs);
    scheduler.watch(objects::trans_state, on_trans_state, &fs);
    scheduler.watch(objects::scrub_counter, on_scrub_counter, &fs);
    scheduler.watch(objects::extent_buffer, on_extent_buffer, &fs);
}

}  // namespace model
