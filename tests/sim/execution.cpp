#include "sim/execution.h"

#include "tests/sim/support.h"

namespace execution_test {

namespace {

using tests::Values;

/// A prepared state with every kind of container, that each execution scribbles over.
struct Library {
    sim::Vector<std::uint64_t> numbers{3, 1, 4, 1, 5};
    sim::Map<std::uint64_t, sim::String> names;
    sim::Set<std::uint64_t> set{2, 7, 1, 8};
    sim::Deque<std::uint64_t> queue{9, 9};
    sim::String text{"a text that is too long for the string itself"};
    sim::Atomic<std::uint64_t> atomic{5};
    sim::Mutex mutex{tests::class_a};
    tests::Data data{6};
    std::array<std::uint64_t, 5000> large{};

    Library() {
        for (std::uint64_t i = 0; i < 100; ++i)
            names.emplace(i, sim::String("name number ") + sim::String(std::to_string(i).c_str()));
        for (std::size_t i = 0; i < large.size(); ++i)
            large[i] = i * i;
    }

    std::uint64_t digest() const {
        std::uint64_t hash = 0;
        for (const std::uint64_t n : numbers)
            hash = sim::hash_mix(hash, n);
        for (const auto& [key, name] : names)
            hash = sim::hash_mix(hash, key + sim::hash_text(name));
        for (const std::uint64_t n : set)
            hash = sim::hash_mix(hash, n);
        for (const std::uint64_t n : queue)
            hash = sim::hash_mix(hash, n);
        for (const std::uint64_t n : large)
            hash = sim::hash_mix(hash, n);
        return sim::hash_mix(hash, sim::hash_text(text) + atomic.peek() + data.peek() +
                                       (mutex.is_locked() ? 1 : 0));
    }

    void scribble() {
        const sim::MutexGuard guard(mutex);
        numbers.assign(1000, 7);
        names.erase(names.begin(), names.find(90));
        names[1000] = "new";
        set.clear();
        queue.push_front(0);
        queue.pop_back();
        text += " and longer still";
        data.set(0);
        large.fill(0);
        for (int i = 0; i < 100; ++i)
            sim::make<Data>();  // never freed: goes with the execution
        atomic.store(atomic.load() + 1);
    }
    struct Data {
        std::uint64_t words[40] = {1, 2, 3};
    };
};

class Scribbler final : public sim::Program {
  public:
    explicit Scribbler(std::vector<std::uint64_t>& starts) : starts_(starts) {}
    void prepare() override { library_ = sim::make<Library>(); }
    void start() override {
        starts_.push_back(library_->digest());
        for (int i = 0; i < 2; ++i)
            sim::current().spawn("scribbler", [this] { library_->scribble(); });
    }
    std::uint64_t state_hash() override { return library_->digest(); }

  private:
    std::vector<std::uint64_t>& starts_;
    Library* library_ = nullptr;
};

TEST_CASE("every execution starts from the prepared state, whatever those before it wrote",
          "[sim][execution]") {
    const auto grain = GENERATE(tests::both_grains());
    std::vector<std::uint64_t> starts;
    sim::Execution execution([&] { return std::make_unique<Scribbler>(starts); }, {.grain = grain});
    std::vector<std::uint64_t> traces, ends;
    for (int i = 0; i < 5; ++i) {
        const auto strategy = sim::make_default();
        strategy->next_execution();
        const sim::ExecutionResult& result = execution.run(*strategy);
        CHECK(result.outcome == sim::Outcome::Completed);
        traces.push_back(result.trace_hash);
        ends.push_back(result.state_hash);
    }
    for (int i = 0; i < 5; ++i) {
        CHECK(starts[i] == execution.prepared_hash());
        CHECK(traces[i] == traces[0]);
        CHECK(ends[i] == ends[0]);
    }
    CHECK(ends[0] != execution.prepared_hash());
}

TEST_CASE("an execution that fails leaves nothing behind either", "[sim][execution]") {
    struct State {
        sim::Mutex mutex{tests::class_a};
        sim::Vector<std::uint64_t> log;
        sim::Atomic<std::uint64_t> count;
    };
    const auto task = [](State& state) {
        const sim::MutexGuard guard(state.mutex);
        state.log.push_back(state.count.add_return(1));
        if (state.log.size() == 2) sim::violation("two", "there are two");
        state.count.add_return(10);
    };
    const auto factory =
        tests::program<State>([](const State& state) { return state.log.size(); }, {task, task});
    sim::Execution execution(factory, {});
    std::vector<std::uint64_t> hashes;
    for (int i = 0; i < 4; ++i) {
        const auto strategy = sim::make_default();
        strategy->next_execution();
        const sim::ExecutionResult& result = execution.run(*strategy);
        CHECK(result.outcome == sim::Outcome::Violation);
        hashes.push_back(result.trace_hash);
    }
    CHECK(hashes == std::vector<std::uint64_t>(4, hashes[0]));
}

/// Prepares `prepared` pages and writes to `written` of them.
class Writer final : public sim::Program {
  public:
    Writer(std::size_t prepared, std::size_t written) : prepared_(prepared), written_(written) {}
    void prepare() override {
        for (std::size_t i = 0; i < prepared_; ++i)
            pages_ = sim::make<Page>(pages_);
    }
    void start() override {
        sim::current().spawn("writer", [this] {
            Page* page = pages_;
            for (std::size_t i = 0; i < written_; ++i, page = page->next)
                page->bytes[100] = 'x';
        });
    }
    std::uint64_t state_hash() override { return 1; }

  private:
    struct Page {
        explicit Page(Page* other) : next(other) {}
        Page* next;
        unsigned char bytes[4096 - sizeof(Page*)]{};
    };
    std::size_t prepared_, written_;
    Page* pages_ = nullptr;
};

TEST_CASE("starting an execution costs what executions write, not what was prepared",
          "[sim][execution]") {
    const auto restored = [](std::size_t prepared, std::size_t written) {
        sim::Execution execution(tests::program_of<Writer>(prepared, written), {});
        for (int i = 0; i < 3; ++i) {
            const auto strategy = sim::make_default();
            strategy->next_execution();
            execution.run(*strategy);
        }
        CHECK(execution.arena().prepared_bytes() >= prepared * 4096);
        return execution.arena().pages_restored();
    };
    const std::size_t nothing = restored(10, 0);
    CHECK(nothing < 5);  // the allocator's own
    CHECK(restored(2000, 0) == nothing);
    // A page of the program may lie on two of the arena's.
    CHECK(restored(2000, 50) >= nothing + 49);
    CHECK(restored(2000, 50) <= nothing + 100);
}

TEST_CASE("simulations may live side by side on one thread, and give the same",
          "[sim][execution]") {
    std::vector<std::uint64_t> starts;
    const auto factory = [&] { return std::make_unique<Scribbler>(starts); };
    const auto run = [](sim::Execution& execution) {
        const auto strategy = sim::make_random(5);
        strategy->next_execution();
        return execution.run(*strategy).trace_hash;
    };
    auto first = std::make_unique<sim::Execution>(factory, sim::ExecutionOptions{});
    const std::uint64_t alone = run(*first);
    auto second = std::make_unique<sim::Execution>(factory, sim::ExecutionOptions{});
    CHECK(first->prepared_hash() ==
          second->prepared_hash());  // their arenas are at different addresses
    CHECK(run(*second) == alone);
    CHECK(run(*first) == alone);
    sim::Execution third(factory, {});
    first.reset();  // not in the order of creation
    CHECK(run(third) == alone);
    CHECK(run(*second) == alone);
    second.reset();
    CHECK(run(third) == alone);
}

TEST_CASE("a simulation may run inside a task of another", "[sim][execution]") {
    // As when a crashed medium is mounted while the execution that it branched off goes on.
    struct Inner {
        sim::Mutex mutex{tests::class_a};
        tests::Data data;
    };
    struct Outer {
        sim::Mutex mutex{tests::class_a};
        sim::Vector<std::uint64_t> results;
    };
    const auto increment = [](Inner& inner) {
        const sim::MutexGuard guard(inner.mutex);
        inner.data.set(inner.data.get() + 1);
    };
    const auto inner_factory = tests::program<Inner>(
        [](const Inner& inner) { return inner.data.peek(); }, {increment, increment});
    const auto task = [inner_factory](Outer& outer) {
        const sim::MutexGuard guard(outer.mutex);
        std::uint64_t result = 0;
        {
            const auto execution = std::make_unique<sim::Execution>(
                inner_factory, sim::ExecutionOptions{});  // too large for the stack
            const auto strategy = sim::make_default();
            strategy->next_execution();
            result = execution->run(*strategy).state_hash - 1;
        }
        outer.results.push_back(result);  // the outer arena is the current one again
        sim::current().yield();
        outer.results.push_back(7);
    };
    const auto digest = [](const Outer& outer) {
        std::uint64_t all = 0;
        for (const std::uint64_t result : outer.results)
            all = all * 10 + result;
        return all;
    };
    const auto report =
        tests::explore_all(tests::program<Outer>(digest, {task, task}), sim::Grain::Coarse);
    CHECK(report.failures.empty());
    CHECK(tests::final_values(report) == Values{2727});
    CHECK(report.executions > 1);
}

TEST_CASE("a preparation that fails is told, and nothing is run", "[sim][execution]") {
    class Failing final : public sim::Program {
      public:
        void prepare() override { sim::violation("mkfs", "the disk is too small"); }
        void start() override {
            sim::assertion_failed("started without a prepared state", __FILE__, __LINE__);
        }
        std::uint64_t state_hash() override { return 1; }
    };
    const sim::Execution execution(tests::program_of<Failing>(), {});
    CHECK(execution.preparation_error() == "the disk is too small");

    const auto explored = tests::explore_all(tests::program_of<Failing>(), sim::Grain::Coarse);
    CHECK(explored.end == sim::SearchEnd::PreparationFailed);
    CHECK(explored.error == "the disk is too small");
    CHECK_FALSE(explored.whole_space);
    const auto hunted = sim::hunt(tests::program_of<Failing>(), {});
    CHECK(hunted.end == sim::SearchEnd::PreparationFailed);
}

TEST_CASE("a preparation may have tasks of its own", "[sim][execution]") {
    class Busy final : public sim::Program {
      public:
        void prepare() override {
            value_ = sim::make<sim::Atomic<std::uint64_t>>();
            sim::current().spawn("helper", [this] { value_->add_return(5); });
            value_->add_return(1);
        }
        void start() override {
            sim::current().spawn("task", [this] { value_->add_return(10); });
        }
        std::uint64_t state_hash() override { return value_->peek() + 1; }

      private:
        sim::Atomic<std::uint64_t>* value_ = nullptr;
    };
    const auto report = tests::explore_all(tests::program_of<Busy>(), sim::Grain::Fine);
    CHECK(tests::final_values(report) == Values{16});
}

TEST_CASE("what must hold at the end is checked after all tasks have ended", "[sim][execution]") {
    class Checked final : public sim::Program {
      public:
        void prepare() override { value_ = sim::make<sim::Atomic<std::uint64_t>>(); }
        void start() override {
            for (int i = 0; i < 2; ++i)
                sim::current().spawn("task", [this] { value_->store(value_->load() + 1); });
        }
        void check_end() override {
            if (value_->peek() != 2) sim::violation("lost-update", "an increment was lost");
        }
        std::uint64_t state_hash() override { return value_->peek() + 1; }

      private:
        sim::Atomic<std::uint64_t>* value_ = nullptr;
    };
    const auto report = tests::explore_all(tests::program_of<Checked>(), sim::Grain::Fine);
    CHECK(tests::signatures(report) == std::vector<std::string>{"lost-update"});
    CHECK(tests::final_values(report) == Values{2});  // of the executions that kept the promise
    CHECK(report.failures[0].count < report.executions);
}

TEST_CASE("checks of objects run after each step that wrote one", "[sim][execution]") {
    struct State {
        tests::Data data;
        sim::Mutex mutex{tests::class_a};
    };
    class Watched final : public sim::Program {
      public:
        explicit Watched(bool under_lock) : under_lock_(under_lock) {}
        void prepare() override { state_ = sim::make<State>(); }
        void start() override {
            sim::current().watch(
                tests::locked_data,
                [](void*, sim::Object& object) {
                    if (static_cast<tests::Data&>(object).peek() == 1)
                        sim::violation("one", "the value must never be one between steps");
                },
                nullptr);
            sim::current().spawn("task", [this] {
                const sim::MutexGuard guard(state_->mutex);
                state_->data.set(1);
                if (!under_lock_) sim::current().yield();
                state_->data.set(2);
            });
        }
        std::uint64_t state_hash() override { return state_->data.peek() + 1; }

      private:
        bool under_lock_;
        State* state_ = nullptr;
    };
    CHECK(
        tests::explore_all(tests::program_of<Watched>(true), sim::Grain::Coarse).failures.empty());
    CHECK(tests::signatures(
              tests::explore_all(tests::program_of<Watched>(false), sim::Grain::Coarse)) ==
          std::vector<std::string>{"one"});
    CHECK(
        tests::signatures(tests::explore_all(tests::program_of<Watched>(true), sim::Grain::Fine)) ==
        std::vector<std::string>{"one"});
}

}  // namespace

TEST_CASE("one task cannot start more than its name has room for", "[sim][execution]") {
    class Fertile final : public sim::Program {
      public:
        void prepare() override {}
        void start() override {
            sim::current().spawn("parent", sim::Job([] {
                                     for (unsigned i = 0; i < 5000; ++i)
                                         sim::current().spawn("child", sim::Job([] {}));
                                 }));
        }
        std::uint64_t state_hash() override { return 1; }
    };
    sim::Execution execution(tests::program_of<Fertile>(), {});
    const auto strategy = sim::make_default();
    strategy->next_execution();
    const sim::ExecutionResult& result = execution.run(*strategy);
    CHECK(result.outcome == sim::Outcome::TaskLimit);
    CHECK(result.task_limit == "parent starts one more while 128 tasks and device requests are "
                               "under way, which is the limit");
    CHECK_FALSE(result.violation);

    const auto explored = tests::explore_all(tests::program_of<Fertile>(), sim::Grain::Coarse);
    CHECK(explored.end == sim::SearchEnd::TaskLimit);
    CHECK(explored.error == result.task_limit);
}

TEST_CASE("tasks of tasks of tasks come to an end", "[sim][execution]") {
    class Deep final : public sim::Program {
      public:
        void prepare() override {}
        void start() override { descend(0); }
        std::uint64_t state_hash() override { return 1; }

      private:
        static void descend(unsigned depth) {
            sim::current().spawn("t", sim::Job([depth] { descend(depth + 1); }));
        }
    };
    sim::Execution execution(tests::program_of<Deep>(), {});
    const auto strategy = sim::make_default();
    strategy->next_execution();
    const sim::ExecutionResult& result = execution.run(*strategy);
    CHECK(result.outcome == sim::Outcome::TaskLimit);
    CHECK(result.task_limit == "t/t#1/t#1/t#1/t#1 starts a task, and there can be 4 generations "
                               "of tasks that tasks start");
}

}  // namespace execution_test
