#include "sim/race.h"

#include "sim/completion.h"
#include "sim/rwsem.h"
#include "sim/spinlock.h"
#include "sim/waitqueue.h"
#include "tests/sim/support.h"

namespace race_test {

namespace {

using Catch::Contains;
using tests::explore_all;

struct Shared {
    tests::Data data;
    sim::Mutex mutex{tests::class_a};
    sim::Mutex other_mutex{tests::class_b};
    sim::Spinlock spinlock{tests::class_b};
    sim::RwSem sem{tests::class_c};
    sim::WaitQueue queue;
    sim::Completion done;
    sim::Atomic<std::uint64_t> flag, other_flag;
};

using Body = tests::SmallProgram<Shared>::Body;

/// The reports of unordered accesses over all schedules.
std::vector<std::string> unordered(std::vector<Body> bodies, sim::Grain grain) {
    const auto report = explore_all(
        tests::program<Shared>([](const Shared&) { return 0; }, std::move(bodies)), grain);
    CHECK(report.end == sim::SearchEnd::Complete);
    return report.unordered;
}

void write_data(Shared& shared) {
    shared.data.set(1);
}
void read_data(Shared& shared) {
    static_cast<void>(shared.data.get());
}

TEST_CASE("accesses that nothing orders are reported with both steps, whatever the schedule",
          "[sim][race]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto both_write = unordered({write_data, write_data}, grain);
    REQUIRE(both_write.size() == 2);  // in either order
    CHECK_THAT(both_write[0], Contains("data 0: write by t1 at step 2") &&
                                  Contains("not ordered after an access by t2 at step 1"));
    CHECK_THAT(both_write[1], Contains("data 0: write by t2 at step 2") &&
                                  Contains("not ordered after an access by t1 at step 1"));
    CHECK_FALSE(unordered({write_data, read_data}, grain).empty());
    CHECK_FALSE(unordered({read_data, write_data}, grain).empty());
    // Also in the default schedule alone, where nothing went wrong.
    const auto result = tests::run_once(
        tests::program<Shared>([](const Shared&) { return 0; }, {write_data, write_data}), grain,
        sim::make_default());
    CHECK(result.unordered.size() == 1);
}

TEST_CASE("readers need no order", "[sim][race]") {
    const auto grain = GENERATE(tests::both_grains());
    CHECK(unordered({read_data, read_data, read_data}, grain).empty());
}

TEST_CASE("each of several readers must be ordered before a writer", "[sim][race]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto ordered_reader = [](Shared& shared) {
        read_data(shared);
        shared.done.complete();
    };
    const auto writer = [](Shared& shared) {
        shared.done.wait();
        write_data(shared);
    };
    CHECK(unordered({ordered_reader, writer}, grain).empty());
    const auto reports = unordered({ordered_reader, read_data, writer}, grain);
    REQUIRE_FALSE(reports.empty());
    for (const std::string& text : reports)
        CHECK_THAT(text, !Contains("t1"));  // t1 is ordered before the writer
}

TEST_CASE("a common lock orders, different locks do not", "[sim][race]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto under_mutex = [](Shared& shared) {
        const sim::MutexGuard guard(shared.mutex);
        write_data(shared);
    };
    const auto under_other = [](Shared& shared) {
        const sim::MutexGuard guard(shared.other_mutex);
        write_data(shared);
    };
    const auto under_spinlock = [](Shared& shared) {
        const sim::SpinGuard guard(shared.spinlock);
        write_data(shared);
    };
    const auto reading = [](Shared& shared) {
        const sim::ReadGuard guard(shared.sem);
        read_data(shared);
    };
    const auto writing = [](Shared& shared) {
        const sim::WriteGuard guard(shared.sem);
        write_data(shared);
    };
    CHECK(unordered({under_mutex, under_mutex, under_mutex}, grain).empty());
    CHECK(unordered({under_spinlock, under_spinlock}, grain).empty());
    CHECK(unordered({reading, writing, reading}, grain).empty());
    CHECK_FALSE(unordered({under_mutex, under_other}, grain).empty());
    CHECK_FALSE(unordered({under_mutex, write_data}, grain).empty());
}

TEST_CASE("writing under a lock for reading is reported once two readers do it together",
          "[sim][race]") {
    const auto wrongly_reading = [](Shared& shared) {
        const sim::ReadGuard guard(shared.sem);
        write_data(shared);
    };
    CHECK_FALSE(unordered({wrongly_reading, wrongly_reading}, sim::Grain::Fine).empty());
}

TEST_CASE("the creation of a task orders", "[sim][race]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto creator = [](Shared& shared) {
        Shared* const data = &shared;
        write_data(shared);
        sim::current().spawn("child", [data] { write_data(*data); });
    };
    CHECK(unordered({creator}, grain).empty());
    const auto too_late = [](Shared& shared) {
        Shared* const data = &shared;
        sim::current().spawn("child", [data] { write_data(*data); });
        write_data(shared);
    };
    CHECK_FALSE(unordered({too_late}, grain).empty());
}

TEST_CASE("a wake-up orders", "[sim][race]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto waker = [](Shared& shared) {
        write_data(shared);
        shared.flag.store(1);
        shared.queue.wake_up();
    };
    const auto waiter = [](Shared& shared) {
        shared.queue.wait_event([&] { return shared.flag.load() == 1; });
        write_data(shared);
    };
    CHECK(unordered({waker, waiter}, grain).empty());
    const auto late_writer = [](Shared& shared) {
        shared.flag.store(1);
        shared.queue.wake_up();
        write_data(shared);
    };
    CHECK_FALSE(unordered({late_writer, waiter}, grain).empty());
}

TEST_CASE("an atomic that was written and then read orders, another one does not", "[sim][race]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto publish = [](Shared& shared) {
        write_data(shared);
        shared.flag.store(1);
    };
    const auto consume = [](Shared& shared) {
        if (shared.flag.load() == 1) read_data(shared);
    };
    const auto consume_blindly = [](Shared& shared) {
        static_cast<void>(shared.other_flag.load());
        read_data(shared);
    };
    CHECK(unordered({publish, consume}, grain).empty());
    CHECK_FALSE(unordered({publish, consume_blindly}, grain).empty());
}

TEST_CASE("two loads of an atomic do not order each other", "[sim][race]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto load_and_write = [](Shared& shared) {
        static_cast<void>(shared.flag.load());
        write_data(shared);
    };
    CHECK_FALSE(unordered({load_and_write, load_and_write}, grain).empty());
}

TEST_CASE("what the preparation did is ordered before everything", "[sim][race]") {
    const auto grain = GENERATE(tests::both_grains());
    class Prepared final : public sim::Program {
      public:
        void prepare() override {
            shared_ = sim::make<Shared>();
            write_data(*shared_);
            read_data(*shared_);
        }
        void start() override {
            sim::current().spawn("reader", [this] { read_data(*shared_); });
            sim::current().spawn("reader", [this] { read_data(*shared_); });
        }
        std::uint64_t state_hash() override { return 1; }

      private:
        Shared* shared_ = nullptr;
    };
    CHECK(explore_all(tests::program_of<Prepared>(), grain).unordered.empty());
}

TEST_CASE("a report of one execution does not depend on those before it", "[sim][race]") {
    const auto grain = GENERATE(tests::both_grains());
    sim::Execution execution(
        tests::program<Shared>([](const Shared&) { return 0; }, {write_data, write_data}),
        {.grain = grain});
    for (int i = 0; i < 3; ++i) {
        const auto strategy = sim::make_default();
        strategy->next_execution();
        CHECK(execution.run(*strategy).unordered.size() == 1);
    }
}

/// `between` tasks come and go, one after the other, between two writers that nothing orders.
void writers_with_tasks_between(Shared& shared, unsigned between, bool ordered) {
    Shared* const data = &shared;
    const auto write = [data] {
        const sim::MutexGuard guard(data->other_mutex);  // orders, if the creator takes it too
        write_data(*data);
    };
    sim::current().spawn("first", write);
    sim::current().yield();
    for (unsigned i = 0; i < between; ++i) {
        sim::current().spawn("passing", [] {});
        sim::current().yield();
    }
    if (ordered) const sim::MutexGuard guard(data->other_mutex);
    sim::current().spawn("last", [data] { write_data(*data); });
}

/// Every task runs as soon as it is created, so that its slot is free for the next.
class NewestFirst final : public sim::Strategy {
  public:
    bool next_execution() override { return true; }
    sim::Choice choose(sim::Scheduler& scheduler) override {
        scheduler.candidates(candidates_);
        return {candidates_.back(), static_cast<std::uint16_t>(candidates_.size() - 1)};
    }

  private:
    std::vector<std::uint16_t> candidates_;
};

TEST_CASE("the slot of a task that has ended hides no race of the task that gets it next",
          "[sim][race]") {
    const auto grain = GENERATE(tests::both_grains());
    const unsigned between = GENERATE(0U, 1U, 100U);
    const auto parent = [between](Shared& shared) {
        writers_with_tasks_between(shared, between, false);
    };
    const auto result =
        tests::run_once(tests::program<Shared>([](const Shared&) { return 0; }, {parent}), grain,
                        std::make_unique<NewestFirst>());
    REQUIRE(result.outcome == sim::Outcome::Completed);
    REQUIRE(result.unordered.size() == 1);
    CHECK_THAT(result.unordered[0],
               Contains("write by t1/last#1") && Contains("an access by t1/first#1"));
}

TEST_CASE("the slots of tasks that have ended in order are used again", "[sim][race]") {
    class Slots final : public sim::Program {
      public:
        explicit Slots(unsigned& highest) : highest_(highest) {}
        void prepare() override { shared_ = sim::make<Shared>(); }
        void start() override {
            sim::current().spawn("parent", [this] {
                for (int i = 0; i < 300; ++i) {
                    sim::Task& child = sim::current().spawn("child", [this] {
                        const sim::MutexGuard guard(shared_->mutex);
                        write_data(*shared_);
                    });
                    highest_ = std::max<unsigned>(highest_, child.slot);
                    sim::current().yield();
                    const sim::MutexGuard guard(shared_->mutex);
                }
            });
        }
        std::uint64_t state_hash() override { return 1; }

      private:
        unsigned& highest_;
        Shared* shared_ = nullptr;
    };
    unsigned highest = 0;
    const auto factory = [&highest] { return std::make_unique<Slots>(highest); };
    const auto result =
        tests::run_once(factory, sim::Grain::Coarse, std::make_unique<NewestFirst>());
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(result.unordered.empty());
    CHECK(highest <= 2);
}

TEST_CASE("more tasks than slots may come and go, and those that are ordered make no false report",
          "[sim][race]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto parent = [](Shared& shared) { writers_with_tasks_between(shared, 1000, true); };
    const auto result =
        tests::run_once(tests::program<Shared>([](const Shared&) { return 0; }, {parent}), grain,
                        std::make_unique<NewestFirst>());
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(result.unordered.empty());
}

}  // namespace

}  // namespace race_test
