#pragma once
#include <array>
#include <sstream>

#include "sim/completion.h"
#include "sim/countdown.h"
#include "sim/rng.h"
#include "sim/rwsem.h"
#include "sim/semaphore.h"
#include "sim/spinlock.h"
#include "sim/wait_bit.h"
#include "sim/waitqueue.h"
#include "tests/sim/support.h"

/// Small random programs over all primitives, for comparing one way of searching with another:
/// everything that their tasks share is tracked, and everything that they see shows in the final
/// state.
namespace tests {

/// What tasks of random programs do. Most operations fold what they see into the task's own sum, so
/// that any difference in what was seen shows in the final state.
enum class Op : unsigned {
    Section,
    ReadSection,
    Nested,
    SpinSection,
    SpinInMutex,
    NestedSpin,
    ReadSem,
    WriteSem,
    Add,
    Load,
    Store,
    Increment,
    Swap,
    WaitForWord,
    StoreAndWake,
    Wake,
    LookForWaiters,
    WaitForData,
    SetDataAndWake,
    CompleteIt,
    WaitForCompletion,
    Down,
    Up,
    TryDown,
    Yield,
    Spawn,
    Submit,
    SetBit,
    WaitForBit,
    TestBit,
    SubmitTwo,
    Downgrade,
    TryReadSem,
    LockByWord,
    SubmitWork,
    WriteBoth,
    WriteEach,
    WaitForBoth,
    TryPage,
};
inline constexpr unsigned op_count = static_cast<unsigned>(Op::TryPage) + 1;
/// The first family of programs has those up to Submit, the second one those up to SubmitWork;
/// seeds mean the same ones for ever.
inline constexpr unsigned first_ops = static_cast<unsigned>(Op::Submit) + 1;
inline constexpr unsigned second_ops = static_cast<unsigned>(Op::SubmitWork) + 1;
inline constexpr const char* op_names[op_count] = {
    "Section",
    "ReadSection",
    "Nested",
    "SpinSection",
    "SpinInMutex",
    "NestedSpin",
    "ReadSem",
    "WriteSem",
    "Add",
    "Load",
    "Store",
    "Increment",
    "Swap",
    "WaitForWord",
    "StoreAndWake",
    "Wake",
    "LookForWaiters",
    "WaitForData",
    "SetDataAndWake",
    "CompleteIt",
    "WaitForCompletion",
    "Down",
    "Up",
    "TryDown",
    "Yield",
    "Spawn",
    "Submit",
    "SetBit",
    "WaitForBit",
    "TestBit",
    "SubmitTwo",
    "Downgrade",
    "TryReadSem",
    "LockByWord",
    "SubmitWork",
    "WriteBoth",
    "WriteEach",
    "WaitForBoth",
    "TryPage",
};
/// About how many steps of the fine grain each has.
inline constexpr unsigned op_steps[op_count] = {4, 3, 6, 4, 6, 6, 3, 4, 1, 1, 1, 1, 1,
                                                3, 2, 1, 1, 4, 4, 1, 2, 1, 1, 1, 1, 3,
                                                2, 3, 1, 1, 5, 4, 2, 4, 5, 5, 6, 2, 3};

struct Instruction {
    Op op;
    unsigned which;  // of two mutexes, spinlocks or words
    unsigned value;  // 1 to 3
    unsigned site;   // lockdep's class of its first acquisition
};
using Code = std::vector<std::vector<Instruction>>;

class RandomProgram final : public sim::Program {
  public:
    explicit RandomProgram(Code code) : code_(std::move(code)) {}

    void prepare() override {
        state_ = sim::make<State>();
        state_->tasks.resize(code_.size());
    }
    void start() override {
        for (std::size_t i = 0; i < code_.size(); ++i)
            sim::current().spawn("task", [this, i] {
                for (const Instruction& instruction : code_[i]) {
                    run(instruction, state_->tasks[i]);
                    ++state_->tasks[i].at;
                }
            });
    }
    std::uint64_t state_hash() override {
        std::uint64_t hash = 1;
        const auto fold = [&](std::uint64_t value) {
            hash = sim::hash_mix(sim::hash_mix(hash, 77), value);
        };
        for (const Progress& task : state_->tasks) {
            fold(task.at);
            fold(task.sum);
        }
        for (const auto& data : state_->data)
            fold(data.peek());
        for (const auto& data : state_->spin_data)
            fold(data.peek());
        fold(state_->sem_data.peek());
        for (const auto& word : state_->words)
            fold(word.peek());
        for (const auto& data : state_->child_data)
            fold(data.peek());
        fold(state_->semaphore.count());
        fold(state_->done.done() ? 1 : 0);
        fold(state_->bit.peek() ? 1 : 0);
        for (const auto& page : state_->pages)
            fold(page.peek() ? 1 : 0);
        return hash;
    }

  private:
    // Every acquisition has a class of its own, so that a deadlock is reached where there is one.
    static constexpr sim::LockClass sites{"site", 10, 700};

    struct Progress {
        std::uint64_t at = 0, sum = 1;
        void see(std::uint64_t value) { sum = sum * 31 + value; }
    };
    struct State {
        std::array<sim::Mutex, 2> mutexes{sim::Mutex{sites, 0}, sim::Mutex{sites, 1}};
        std::array<sim::Spinlock, 2> spinlocks{sim::Spinlock{sites, 2}, sim::Spinlock{sites, 3}};
        sim::RwSem sem{sites, 4};
        std::array<Data, 2> data, spin_data, child_data;
        Data sem_data;
        std::array<sim::Atomic<std::uint64_t>, 2> words;
        sim::WaitQueue queue;
        sim::Completion done;
        sim::Semaphore semaphore{1};
        sim::WaitBit bit;
        std::array<sim::WaitBit, 2> pages;
        sim::Vector<Progress> tasks;
    };

    static void update(Data& data, Progress& task, unsigned value) {
        data.set(data.get() * 3 + task.sum + value);
    }

    void run(const Instruction& i, Progress& task) {
        State& s = *state_;
        const unsigned other = 1 - i.which;
        switch (i.op) {
        case Op::Section:
            s.mutexes[i.which].lock(i.site);
            update(s.data[i.which], task, i.value);
            s.mutexes[i.which].unlock();
            break;
        case Op::ReadSection:
            s.mutexes[i.which].lock(i.site);
            task.see(s.data[i.which].get());
            s.mutexes[i.which].unlock();
            break;
        case Op::Nested:
            s.mutexes[i.which].lock(i.site);
            s.mutexes[other].lock(i.site + 1);
            update(s.data[other], task, i.value);
            s.mutexes[other].unlock();
            s.mutexes[i.which].unlock();
            break;
        case Op::SpinSection:
            s.spinlocks[i.which].lock(i.site);
            update(s.spin_data[i.which], task, i.value);
            s.spinlocks[i.which].unlock();
            break;
        case Op::SpinInMutex:
            s.mutexes[i.which].lock(i.site);
            s.spinlocks[other].lock(i.site + 1);
            update(s.spin_data[other], task, i.value);
            s.spinlocks[other].unlock();
            s.mutexes[i.which].unlock();
            break;
        case Op::NestedSpin:  // in one order: both orders deadlock in the fine grain only
            s.spinlocks[0].lock(i.site);
            s.spinlocks[1].lock(i.site + 1);
            update(s.spin_data[1], task, i.value);
            s.spinlocks[1].unlock();
            s.spinlocks[0].unlock();
            break;
        case Op::ReadSem:
            s.sem.down_read(i.site);
            task.see(s.sem_data.get());
            s.sem.up_read();
            break;
        case Op::WriteSem:
            s.sem.down_write(i.site);
            update(s.sem_data, task, i.value);
            s.sem.up_write();
            break;
        case Op::Add:
            task.see(s.words[i.which].add_return(i.value));
            break;
        case Op::Load:
            task.see(s.words[i.which].load());
            break;
        case Op::Store:
            s.words[i.which].store(i.value);
            break;
        case Op::Increment:
            s.words[i.which].inc(i.value);
            break;
        case Op::Swap: {
            std::uint64_t expected = 0;
            task.see(s.words[i.which].compare_exchange(expected, i.value) ? 9 : expected);
            break;
        }
        case Op::WaitForWord:
            s.queue.wait_event([&] { return s.words[i.which].load() != 0; });
            break;
        case Op::StoreAndWake:
            s.words[i.which].store(i.value);
            s.queue.wake_up();
            break;
        case Op::Wake:
            s.queue.wake_up();
            break;
        case Op::LookForWaiters:
            task.see(s.queue.waitqueue_active() ? 1 : 0);
            break;
        case Op::WaitForData:
            for (;;) {
                s.mutexes[i.which].lock(i.site);
                const bool set = s.data[i.which].get() != 0;
                if (!set) s.queue.prepare_to_wait(false);
                s.mutexes[i.which].unlock();
                if (set) break;
                s.queue.schedule();
            }
            s.queue.finish_wait();
            break;
        case Op::SetDataAndWake:
            s.mutexes[i.which].lock(i.site);
            s.data[i.which].set(i.value);
            s.mutexes[i.which].unlock();
            s.queue.wake_up();
            break;
        case Op::CompleteIt:
            s.done.complete();
            break;
        case Op::WaitForCompletion:
            s.done.wait();
            break;
        case Op::Down:
            s.semaphore.down();
            break;
        case Op::Up:
            s.semaphore.up();
            break;
        case Op::TryDown:
            task.see(s.semaphore.try_down() ? 1 : 0);
            break;
        case Op::Yield:
            sim::current().yield();
            break;
        case Op::Spawn:
            sim::current().spawn("child", [this, i] {
                state_->words[i.which].add_return(i.value);
                state_->mutexes[i.which].lock(i.site);
                state_->child_data[i.which].set(state_->child_data[i.which].get() * 3 + i.value);
                state_->mutexes[i.which].unlock();
            });
            break;
        case Op::Submit:
            sim::current().spawn_completion(
                "request", 0, 1, [this, i] { state_->words[i.which].add_return(i.value); });
            break;
        case Op::SetBit: {
            const bool was_set = s.bit.test_and_set();
            task.see(was_set ? 1 : 0);
            if (!was_set)
                sim::current().spawn_completion("clear", 1, 1,
                                                [this] { state_->bit.clear_and_wake_up(); });
            break;
        }
        case Op::WaitForBit:
            s.bit.wait();
            break;
        case Op::TestBit:
            task.see(s.bit.test() ? 1 : 0);
            break;
        case Op::SubmitTwo:
            submit_two(i);
            break;
        case Op::LockByWord: {  // what it takes depends on what it saw
            const unsigned lock = s.words[i.which].load() == 0 ? 0 : 1;
            s.mutexes[lock].lock(i.site);
            update(s.data[lock], task, i.value);
            s.mutexes[lock].unlock();
            break;
        }
        case Op::SubmitWork:
            submit_work(i);
            break;
        case Op::WriteBoth:
            take_pages();
            sim::current().spawn_completion("write", 0, 1, [this, i] {
                state_->words[i.which].inc(i.value);
                for (auto& page : state_->pages)
                    page.clear_and_wake_up();
            });
            break;
        case Op::WriteEach:
            take_pages();
            for (auto& page : s.pages)
                sim::current().spawn_completion("write", 0, 1, [this, i, &page] {
                    state_->words[i.which].inc(i.value);
                    page.clear_and_wake_up();
                });
            break;
        case Op::WaitForBoth:
            for (auto& page : s.pages)
                page.wait();
            break;
        case Op::TryPage: {
            auto& page = s.pages[i.which];
            const bool was_set = page.test_and_set();
            task.see(was_set ? 1 : 0);
            if (was_set) break;
            s.words[i.which].inc(i.value);
            page.clear_and_wake_up();
            break;
        }
        case Op::Downgrade:
            s.sem.down_write(i.site);
            update(s.sem_data, task, i.value);
            s.sem.downgrade_write();
            task.see(s.words[i.which].load());
            s.sem.up_read();
            break;
        case Op::TryReadSem: {
            const bool taken = s.sem.try_down_read();
            task.see(taken ? 1 : 0);
            if (taken) s.sem.up_read();
            break;
        }
        }
    }

    void take_pages() {
        for (auto& page : state_->pages)
            while (page.test_and_set())
                page.wait();
    }

    /// A request whose end queues work.
    void submit_work(const Instruction& i) {
        sim::current().spawn_completion("request", 0, 1, [this, i] {
            state_->words[i.which].inc(i.value);
            sim::current().spawn("work", [this, i] {
                state_->mutexes[i.which].lock(i.site);
                state_->child_data[i.which].set(state_->child_data[i.which].get() * 3 + i.value);
                state_->mutexes[i.which].unlock();
                state_->words[1 - i.which].add_return(i.value);
            });
        });
    }

    /// A request in two parts: what follows both looks at the first word.
    void submit_two(const Instruction& i) {
        auto* const parts = sim::make<sim::Countdown>(2U, "whole", [this, i] {
            state_->words[0].add_return(state_->words[1].load() + i.value);
        });
        for (std::uint16_t part = 0; part < 2; ++part)
            sim::current().spawn_completion("part", part, 1, [this, i, parts] {
                state_->words[1].inc(i.value);
                parts->count_down();
            });
    }

    Code code_;
    State* state_ = nullptr;
};

/// @param ops  how many of the operations there are to choose from
inline Code random_code(std::uint64_t seed, unsigned ops = first_ops) {
    sim::Rng rng(seed);
    const unsigned tasks = 2 + static_cast<unsigned>(rng.below(4) == 0);
    const unsigned budget = tasks == 2 ? 7 : 4;
    Code code(tasks);
    unsigned site = 0;
    for (auto& task : code) {
        for (unsigned steps = 0; steps < budget;) {
            const Instruction next{static_cast<Op>(rng.below(ops)),
                                   static_cast<unsigned>(rng.below(2)),
                                   1 + static_cast<unsigned>(rng.below(3)), site};
            const unsigned cost = op_steps[static_cast<unsigned>(next.op)];
            if (steps + cost > budget + 1) continue;
            task.push_back(next);
            steps += cost;
            site += 2;
        }
    }
    return code;
}

/// Programs of both families in turn.
/// @param ops  how many of the operations the second one chooses from
inline Code mixed_code(std::uint64_t seed, unsigned ops = second_ops) {
    return random_code(seed, seed % 2 == 0 ? first_ops : ops);
}

/// A program of some operations of these kinds.
/// @param most_tasks  it has two at least, and each of them three operations at most; of more, two
template <std::size_t count>
Code code_of(const std::array<Op, count>& ops, std::uint64_t seed, unsigned most_tasks) {
    sim::Rng rng(seed);
    Code code(2 + rng.below(most_tasks - 1));
    unsigned site = 0;
    for (auto& task : code) {
        const std::uint64_t operations = 1 + rng.below(code.size() == 2 ? 3 : 2);
        for (std::uint64_t i = 0; i < operations; ++i, site += 2)
            task.push_back({ops[rng.below(ops.size())], static_cast<unsigned>(rng.below(2)),
                            1 + static_cast<unsigned>(rng.below(3)), site});
    }
    return code;
}

/// Programs about the semaphore, for the most part.
inline Code semaphore_code(std::uint64_t seed) {
    constexpr std::array ops{Op::ReadSem, Op::WriteSem, Op::Downgrade, Op::TryReadSem,
                             Op::Load,    Op::Store,    Op::Section};
    return code_of(ops, seed, 4);
}

/// Programs about requests and who waits for them, for the most part.
inline Code request_code(std::uint64_t seed) {
    constexpr std::array ops{Op::WriteBoth, Op::WriteEach, Op::WaitForBoth,  Op::WaitForBoth,
                             Op::TryPage,   Op::TryPage,   Op::Submit,       Op::SubmitWork,
                             Op::Load,      Op::Store,     Op::StoreAndWake, Op::WaitForWord,
                             Op::Section,   Op::Yield};
    return code_of(ops, seed, 3);
}

inline std::string describe(const Code& code) {
    std::ostringstream text;
    for (const auto& task : code) {
        text << "  task:";
        for (const Instruction& i : task)
            text << ' ' << op_names[static_cast<unsigned>(i.op)] << '(' << i.which << ',' << i.value
                 << ')';
        text << '\n';
    }
    return text.str();
}

struct Ends {
    std::set<std::uint64_t> completed, deadlocked;
    std::set<std::string> violations;
    std::uint64_t executions = 0, cut = 0;
    bool unordered = false;
    bool too_many = false;
    friend bool operator==(const Ends& a, const Ends& b) {
        return a.completed == b.completed && a.deadlocked == b.deadlocked &&
               a.violations == b.violations;
    }
};

/// The ends of all executions that a strategy makes.
/// @param most  executions after which it gives up
template <class Strategy>
Ends ends_under(Strategy& strategy, const Code& code, sim::Grain grain, std::uint64_t most) {
    Ends ends;
    sim::Execution execution([&] { return std::make_unique<RandomProgram>(code); },
                             {.grain = grain});
    while (strategy.next_execution()) {
        const sim::ExecutionResult& result = execution.run(strategy);
        if (result.outcome == sim::Outcome::Cut) {
            ++ends.cut;
            continue;
        }
        if (++ends.executions > most) {
            ends.too_many = true;
            return ends;
        }
        ends.unordered = ends.unordered || !result.unordered.empty();
        if (result.outcome == sim::Outcome::Completed) {
            ends.completed.insert(result.state_hash);
        } else if (result.outcome == sim::Outcome::Deadlock) {
            ends.deadlocked.insert(result.state_hash);
        } else {
            ends.violations.insert(result.violation ? result.violation->signature : "?");
        }
    }
    return ends;
}

/// All ways in which a program can end.
/// @param cache  entries of the cache of prefixes; 0: plain search
inline Ends all_ends(const Code& code, sim::Grain grain, std::uint32_t bound, std::uint64_t most,
                     std::size_t cache = 0) {
    sim::DfsStrategy strategy(bound, cache);
    strategy.begin({});
    return ends_under(strategy, code, grain, most);
}

}  // namespace tests
