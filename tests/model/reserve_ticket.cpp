#include "model/reserve_ticket.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <tuple>

#include "model/transaction_internal.h"
#include "model/vfs.h"
#include "tests/model/support/watched_fs.h"

namespace reserve_ticket_test {

using namespace model;

namespace {

/// Metadata has so many bytes left, and nothing can be had for it on the devices.
class Full {
  public:
    Full(FsInfo& fs, u64 left)
        : fs_(fs), info_(space_info_for(fs, bg_metadata)),
          unallocated_(fs.free_chunk_space.load()) {
        fs.free_chunk_space.store(0);
        const sim::SpinGuard guard(info_.lock);
        info_.obj.write();
        info_.full = true;
        taken_ = info_.total_bytes - info_.used(true) - left;
        info_.bytes_may_use += taken_;
    }
    ~Full() {
        {
            const sim::SpinGuard guard(info_.lock);
            info_.obj.write();
            info_.full = false;
            info_.bytes_may_use -= taken_;
        }
        fs_.free_chunk_space.store(unallocated_);
    }
    Full(const Full&) = delete;
    Full& operator=(const Full&) = delete;
    SpaceInfo& info() { return info_; }
    void give_back(u64 bytes) { space_info_free_bytes_may_use(fs_, info_, bytes); }

  private:
    FsInfo& fs_;
    SpaceInfo& info_;
    u64 unallocated_, taken_ = 0;
};

/// The space_info's lock, held, and no flusher: the test does what one would.
class ByHand {
  public:
    explicit ByHand(SpaceInfo& info) : guard_(info.lock), info_(info) {
        info.obj.write();
        info.flush = true;
    }
    ~ByHand() { info_.flush = false; }
    ByHand(const ByHand&) = delete;
    ByHand& operator=(const ByHand&) = delete;

  private:
    sim::SpinGuard guard_;
    SpaceInfo& info_;
};

void queue_by_hand(SpaceInfo& info, std::initializer_list<ReserveTicket*> tickets) {
    const sim::SpinGuard guard(info.lock);
    info.obj.write();
    info.flush = true;
    for (ReserveTicket* const ticket : tickets)
        queue_ticket(info, *ticket);
}

void fail_by_hand(SpaceInfo& info, ReserveTicket& ticket) {
    const sim::SpinGuard guard(info.lock);
    fail_ticket(info, ticket, Errno::NoSpc);
    info.flush = false;
}

test::Watched on(const std::string& kernel, std::vector<test::FsTask> tasks) {
    return {.kernel = kernel, .tasks = std::move(tasks)};
}

sim::ExecutionResult run(const std::string& kernel, std::vector<test::FsTask> tasks) {
    auto result = test::run_watched(on(kernel, std::move(tasks)));
    INFO(kernel);
    CHECK(test::signature_of(result) == "");
    CHECK(result.outcome == sim::Outcome::Completed);
    return result;
}

}  // namespace

TEST_CASE("What fits queues no ticket and no flusher", "[model][space]") {
    run("6.1", {[](FsInfo& fs) {
            SpaceInfo& info = space_info_for(fs, bg_metadata);
            test::must(reserve_metadata_bytes(fs, info, fs.nodesize, Flush::All), "reserve");
            space_info_free_bytes_may_use(fs, info, fs.nodesize);
            CHECK(info.tickets_id == 0);
            CHECK(info.reclaim_work == nullptr);
        }});
}

TEST_CASE("Tickets are granted in order, those with priority first", "[model][space]") {
    const auto [kernel, in_parts] = GENERATE(
        table<std::string, bool>({{"4.8", true}, {"5.3", true}, {"5.4", false}, {"6.1", false}}));
    run(kernel, {[in_parts = in_parts](FsInfo& fs) {
            const u64 n = fs.nodesize;
            Full full(fs, 0);
            ReserveTicket large(4 * n, Flush::All), small(2 * n, Flush::All),
                urgent(2 * n, Flush::Limit);
            queue_by_hand(full.info(), {&large, &small, &urgent});
            CHECK(full.info().reclaim_size == 8 * n);
            full.give_back(2 * n);
            CHECK(urgent.bytes == 0);
            CHECK(large.bytes == 4 * n);
            // Enough for the smaller one, which waits for its turn.
            full.give_back(3 * n);
            CHECK(large.bytes == (in_parts ? n : 4 * n));
            CHECK(small.bytes == 2 * n);
            full.give_back(3 * n);
            CHECK(large.bytes == 0);
            CHECK(small.bytes == 0);
            CHECK(full.info().tickets_id == 3);
            full.info().flush = false;
        }});
}

TEST_CASE("Space that is new is granted as well", "[model][space]") {
    const std::string kernel = GENERATE("4.19", "6.1");
    run(kernel, {[](FsInfo& fs) {
            Full full(fs, 0);
            ReserveTicket ticket(fs.nodesize, Flush::All);
            queue_by_hand(full.info(), {&ticket});
            {
                const sim::SpinGuard guard(full.info().lock);
                full.info().bytes_may_use -= 2 * u64{fs.nodesize};
                add_new_bytes(fs, full.info(), 2 * u64{fs.nodesize});
                full.info().bytes_may_use += u64{fs.nodesize};
            }
            CHECK(ticket.bytes == 0);
            full.info().flush = false;
        }});
}

TEST_CASE("Nobody overtakes a ticket from 5.4 on, and who flushes himself does again from 5.8 on",
          "[model][space]") {
    const auto [kernel, others, flushers] =
        GENERATE(table<std::string, bool, bool>({{"4.19", true, true},
                                                 {"5.3", true, true},
                                                 {"5.4", false, false},
                                                 {"5.7", false, false},
                                                 {"5.8", false, true},
                                                 {"6.1", false, true}}));
    run(kernel, {[others = others, flushers = flushers](FsInfo& fs) {
            const u64 n = fs.nodesize;
            Full full(fs, 2 * n);
            ReserveTicket waiting(4 * n, Flush::All);
            queue_by_hand(full.info(), {&waiting});
            const bool got = reserve_metadata_bytes(fs, full.info(), n, Flush::No).ok();
            CHECK(got == others);
            const bool flusher_got = reserve_metadata_bytes(fs, full.info(), n, Flush::Limit).ok();
            CHECK(flusher_got == flushers);
            fail_by_hand(full.info(), waiting);
            full.give_back((got ? n : 0) + (flusher_got ? n : 0));
        }});
}

TEST_CASE("Where flushing does not help all tickets fail, from 5.0 on perhaps not all",
          "[model][space]") {
    const auto [kernel, left_after, again] = GENERATE(
        // tickets left of two, and whether the flusher goes on
        table<std::string, unsigned, bool>({{"4.19", 0, false},
                                            {"4.20", 0, false},
                                            {"5.0", 1, true},
                                            {"5.3", 1, true},
                                            {"5.4", 1, true},
                                            {"5.13", 1, true},
                                            {"5.14", 0, false},
                                            {"6.1", 0, false}}));
    run(kernel, {[left_after = left_after, again = again](FsInfo& fs) {
            const u64 n = fs.nodesize;
            Full full(fs, 0);
            ReserveTicket large(4 * n, Flush::All), small(2 * n, Flush::All);
            const bool in_parts = !fs.kernel.at_least(5, 4);
            queue_by_hand(full.info(), {&large, &small});
            if (in_parts) full.give_back(n);  // the large one gets a part
            {
                const ByHand held(full.info());
                CHECK(fail_tickets(fs, full.info()) == again);
                CHECK(full.info().tickets.size() == left_after);
                CHECK(large.error == Errno::NoSpc);
                CHECK(small.error.has_value() == (left_after == 0));
                if (left_after > 0) fail_ticket(full.info(), small, Errno::NoSpc);
            }
        }});
}

TEST_CASE("The ticket behind one that fails may fit, from 5.4 on", "[model][space]") {
    const auto [kernel, fits] =
        GENERATE(table<std::string, bool>({{"4.19", false}, {"5.4", true}, {"6.1", true}}));
    run(kernel, {[fits = fits](FsInfo& fs) {
            const u64 n = fs.nodesize;
            Full full(fs, 2 * n);
            ReserveTicket large(4 * n, Flush::All), small(2 * n, Flush::All);
            queue_by_hand(full.info(), {&large, &small});
            {
                const ByHand held(full.info());
                CHECK(fail_tickets(fs, full.info()) == fits);
            }
            CHECK(large.error == Errno::NoSpc);
            CHECK((small.bytes == 0) == fits);
            if (fits) full.give_back(small.orig_bytes);
        }});
}

TEST_CASE("Who frees space steals from the global reserve as a last resort", "[model][space]") {
    const auto [kernel, flush, steals] =
        GENERATE(table<std::string, Flush, bool>({{"5.7", Flush::AllSteal, false},
                                                  {"5.8", Flush::AllSteal, true},
                                                  {"6.1", Flush::All, false},
                                                  {"5.16", Flush::Evict, false},
                                                  {"5.17", Flush::Evict, true},
                                                  {"6.1", Flush::Limit, false}}));
    run(kernel, {[flush = flush, steals = steals](FsInfo& fs) {
            Full full(fs, 0);
            BlockRsv& rsv = fs.global_block_rsv;
            const u64 before = rsv.reserved, wanted = fs.nodesize;
            const auto reserved = reserve_metadata_bytes(fs, full.info(), wanted, flush);
            CHECK(reserved.ok() == steals);
            CHECK(rsv.reserved == before - (steals ? wanted : 0));
            if (steals) block_rsv_add_bytes(rsv, wanted, false);
        }});
}

TEST_CASE("Who sleeps for space gets what another one gives back, in every order",
          "[model][space]") {
    const std::string kernel = GENERATE("4.19", "5.0", "5.4", "5.10", "6.1");
    const auto waiter = [](FsInfo& fs) {
        SpaceInfo& info = space_info_for(fs, bg_metadata);
        const auto reserved = reserve_metadata_bytes(fs, info, 2 * u64{fs.nodesize}, Flush::All);
        if (reserved)
            space_info_free_bytes_may_use(fs, info, 2 * u64{fs.nodesize});
        else if (reserved.error() != Errno::NoSpc)
            sim::violation("test/reserve", errno_text(reserved.error()));
    };
    auto watched = on(kernel, {waiter, waiter, [](FsInfo& fs) {
                                   SpaceInfo& info = space_info_for(fs, bg_metadata);
                                   const u64 held = 2 * u64{fs.nodesize};
                                   if (reserve_metadata_bytes(fs, info, held, Flush::No))
                                       space_info_free_bytes_may_use(fs, info, held);
                               }});
    watched.prepare = [](FsInfo& fs) {
        SpaceInfo& info = space_info_for(fs, bg_metadata);
        info.full = true;
        fs.free_chunk_space.store(0);
        info.bytes_may_use += info.total_bytes - info.used(true) - 3 * u64{fs.nodesize};
    };
    INFO(kernel);
    CHECK(test::signature_of(test::hunt_watched(watched, 100)) == "");
    CHECK(test::signature_of(test::explore_watched(watched, 1)) == "");
}

TEST_CASE("An abort leaves nobody asleep", "[model][space]") {
    const auto [kernel, error] = GENERATE(table<std::string, Errno>({{"4.19", Errno::NoSpc},
                                                                     {"5.4", Errno::NoSpc},
                                                                     {"5.15", Errno::NoSpc},
                                                                     {"5.16", Errno::IO},
                                                                     {"6.1", Errno::IO}}));
    const auto abort = [](FsInfo& fs) {
        const auto trans = join_transaction(*fs.tree_root);
        if (!trans) return;
        abort_transaction(**trans, Errno::NoSpc, "test");
        static_cast<void>(end_transaction(*trans));
    };
    const auto result = test::run_on_fs({.kernel = kernel}, [abort, error = error](FsInfo& fs) {
        Full full(fs, 0);
        abort(fs);
        CHECK(reserve_metadata_bytes(fs, full.info(), fs.nodesize, Flush::All).error() == error);
        CHECK_FALSE(full.info().flush);
    });
    INFO(kernel);
    CHECK(result.outcome == sim::Outcome::Completed);
}

TEST_CASE("Data has tickets from 5.10 on, whose flusher an abort stops from 5.16 on",
          "[model][space]") {
    const auto [kernel, outcome] =
        GENERATE(table<std::string, sim::Outcome>({{"5.9", sim::Outcome::Completed},
                                                   {"5.10", sim::Outcome::StepLimit},
                                                   {"5.16", sim::Outcome::Completed}}));
    const auto result = test::run_on_fs({.kernel = kernel}, [](FsInfo& fs) {
        const auto trans = join_transaction(*fs.tree_root);
        abort_transaction(**trans, Errno::NoSpc, "test");
        static_cast<void>(end_transaction(*trans));
        const auto reserved = reserve_data_bytes(fs, u64{1} << 40);
        CHECK_FALSE(reserved.ok());
    });
    INFO(kernel);
    CHECK(result.outcome == outcome);
}

TEST_CASE("A data reservation that cannot be had fails, and others do not", "[model][space]") {
    const std::string kernel = GENERATE("5.10", "5.15", "6.1");
    run(kernel, {[](FsInfo& fs) {
            CHECK(reserve_data_bytes(fs, u64{1} << 40).error() == Errno::NoSpc);
            SpaceInfo& info = space_info_for(fs, bg_data);
            CHECK(info.full);
            const u64 left = info.total_bytes - info.used(true);
            CHECK(reserve_data_bytes(fs, left).ok());
            space_info_free_bytes_may_use(fs, info, left);
        }});
}

TEST_CASE("An unmount cancels a flusher that has not begun", "[model][close_ctree]") {
    test::Options options;
    options.narrate = true;
    const auto result = test::run_on_fs(options, [](FsInfo& fs) {
        SpaceInfo& info = space_info_for(fs, bg_metadata);
        ReserveTicket ticket(fs.nodesize, Flush::All);
        {
            const sim::SpinGuard guard(info.lock);
            queue_ticket(info, ticket);
            fail_ticket(info, ticket, Errno::NoSpc);
        }
        CHECK(info.reclaim_work->pending() == 1);
        CHECK(vfs::umount(fs).ok());
        CHECK(info.reclaim_work->pending() == 0);
    });
    CHECK(result.outcome == sim::Outcome::Completed);
    const auto lines = result.trace.narration();
    CHECK(std::ranges::none_of(
        lines, [](const sim::Narration& line) { return line.text == "flush_space"; }));
}

}  // namespace reserve_ticket_test
