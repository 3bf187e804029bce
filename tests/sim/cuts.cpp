#include "sim/cuts.h"

#include <catch2/catch.hpp>
#include <set>

#include "sim/explorer.h"
#include "sim/mutex.h"
#include "sim/rng.h"
#include "sim/strategy_dfs.h"
#include "tests/sim/support.h"

namespace cuts_test {

namespace {

using sim::Reduction;

constexpr std::uint32_t unbounded = sim::DfsStrategy::unbounded;

/// What somebody outside finds when the execution is stopped: of each task, how many marks it has
/// passed and what it had seen at the last of them.
using Found = std::vector<std::uint64_t>;
using AllFound = std::set<Found>;

struct Instruction {
    enum class Op : std::uint8_t { Read, Write, Locked } op;
    unsigned which;
    bool marked;
};
using Code = std::vector<std::vector<Instruction>>;

/// Tasks that read and write shared words; some of their steps are marked, and looked at.
class MarkedProgram final : public sim::Program {
  public:
    MarkedProgram(Code code, AllFound& found) : code_(std::move(code)), found_(found) {}

    void prepare() override { state_ = sim::make<State>(); }
    void start() override {
        passed_.assign(2 * code_.size(), 0);
        found_.insert(passed_);
        for (std::size_t task = 0; task < code_.size(); ++task)
            sim::current().spawn("task", [this, task] {
                std::uint64_t sum = 1;
                for (const Instruction& instruction : code_[task])
                    run(task, instruction, sum);
            });
    }
    void check_end() override {}
    std::uint64_t state_hash() override { return 1; }

  private:
    static constexpr sim::LockClass lock_class{"lock", 10, 700};
    struct Word : sim::Tracked<std::uint64_t> {
        Word() : Tracked(tests::lockless_data) {}
    };
    struct State {
        std::array<Word, 3> words;
        sim::Mutex mutex{lock_class, 0};
    };

    void touch(const Instruction& instruction, std::uint64_t& sum) {
        auto& word = state_->words[instruction.which];
        if (instruction.op == Instruction::Op::Read) {
            sum = sum * 31 + word.get();
        } else {
            word.set(sum);
        }
    }
    void run(std::size_t task, const Instruction& instruction, std::uint64_t& sum) {
        if (instruction.op == Instruction::Op::Locked) {
            const sim::MutexGuard guard(state_->mutex);
            touch(instruction, sum);
            look(task, instruction, sum);
        } else {
            touch(instruction, sum);
            look(task, instruction, sum);
        }
    }
    void look(std::size_t task, const Instruction& instruction, std::uint64_t sum) {
        if (!instruction.marked) return;
        sim::current().mark();
        found_.insert(passed_);
        ++passed_[2 * task];
        passed_[2 * task + 1] = sum;
        found_.insert(passed_);
    }

    Code code_;
    AllFound& found_;
    State* state_ = nullptr;
    Found passed_;
};

struct Search {
    Reduction reduction = Reduction::None;
    bool cuts = true;
    std::uint32_t bound = unbounded;
    std::size_t cache = 0;
    sim::Grain grain = sim::Grain::Fine;
};

AllFound all_found(const Code& code, const Search& search, sim::SearchReport* report = nullptr) {
    AllFound found;
    sim::ExploreOptions options;
    options.execution.grain = search.grain;
    options.reduction = search.reduction;
    options.cuts = search.cuts && search.reduction != Reduction::None;
    options.max_deviations = search.bound;
    options.deepen = false;
    options.cache_entries = search.cache;
    const auto result =
        sim::explore([&] { return std::make_unique<MarkedProgram>(code, found); }, options);
    CHECK(result.end == sim::SearchEnd::Complete);
    if (report != nullptr) *report = result;
    return found;
}

Code random_marked_code(std::uint64_t seed) {
    sim::Rng rng(seed);
    Code code(2 + rng.below(2));
    for (auto& task : code) {
        task.resize(2 + rng.below(2));
        for (Instruction& instruction : task)
            instruction = {.op = static_cast<Instruction::Op>(rng.below(3)),
                           .which = static_cast<unsigned>(rng.below(3)),
                           .marked = rng.below(2) == 0};
    }
    return code;
}

constexpr Instruction flush_of(unsigned device) {
    return {.op = Instruction::Op::Write, .which = device, .marked = true};
}

}  // namespace

TEST_CASE("two devices flushed by two tasks leave all four media, with every reduction",
          "[sim][cuts]") {
    const Code flushes{{flush_of(0)}, {flush_of(1)}};
    const auto grain = GENERATE(sim::Grain::Coarse, sim::Grain::Fine);
    for (const Reduction reduction : {Reduction::None, Reduction::Sleep, Reduction::Dpor}) {
        const AllFound found = all_found(flushes, {.reduction = reduction, .grain = grain});
        std::set<std::pair<std::uint64_t, std::uint64_t>> media;
        for (const Found& each : found)
            media.insert({each[0], each[2]});
        CHECK(media ==
              std::set<std::pair<std::uint64_t, std::uint64_t>>{{0, 0}, {0, 1}, {1, 0}, {1, 1}});
    }
    // The one order that a reduction runs has three of them.
    CHECK(
        all_found(flushes, {.reduction = Reduction::Dpor, .cuts = false, .grain = grain}).size() ==
        3);
}

void compare_reductions(std::uint64_t programs) {
    std::size_t missed_without_cuts = 0;
    for (std::uint64_t seed = 1; seed <= programs; ++seed) {
        const Code code = random_marked_code(seed);
        for (const sim::Grain grain : {sim::Grain::Coarse, sim::Grain::Fine}) {
            const AllFound plain = all_found(code, {.grain = grain});
            INFO("seed " << seed);
            CAPTURE(grain);
            for (const Reduction reduction : {Reduction::Sleep, Reduction::Dpor})
                CHECK((all_found(code, {.reduction = reduction, .grain = grain}) == plain));
            const AllFound one_order =
                all_found(code, {.reduction = Reduction::Dpor, .cuts = false, .grain = grain});
            missed_without_cuts += one_order == plain ? 0 : 1;
        }
    }
    CHECK(missed_without_cuts > programs / 3);
}

TEST_CASE("who looks at marks finds the same with a reduction as without one", "[sim][cuts]") {
    compare_reductions(tests::sampled(40));
}

TEST_CASE("who looks at marks of many programs finds the same with a reduction as without one",
          "[sim][cuts][slow]") {
    compare_reductions(400);
}

void compare_caches(std::uint64_t programs) {
    constexpr std::size_t large = 1 << 16, tiny = 16;
    std::size_t grown = 0;
    for (std::uint64_t seed = 1; seed <= programs; ++seed) {
        const Code code = random_marked_code(seed);
        for (const sim::Grain grain : {sim::Grain::Coarse, sim::Grain::Fine}) {
            std::size_t least = 0;
            for (const std::uint32_t bound : {0U, 1U, 2U, unbounded}) {
                const AllFound plain = all_found(code, {.bound = bound, .grain = grain});
                INFO("seed " << seed << ", bound " << static_cast<int>(bound));
                CAPTURE(grain);
                for (const std::size_t entries : {large, tiny})
                    CHECK((all_found(code, {.bound = bound, .cache = entries, .grain = grain}) ==
                           plain));
                if (least == 0) least = plain.size();
                grown += plain.size() > least ? 1 : 0;
            }
        }
    }
    CHECK(grown > programs / 2);  // a bound leaves something out: it is about something
}

TEST_CASE("the cache of prefixes hides nothing from who looks at marks, at any bound",
          "[sim][cuts][prefix_cache]") {
    compare_caches(tests::sampled(30));
}

TEST_CASE("the cache of prefixes hides nothing from who looks at marks of many programs",
          "[sim][cuts][prefix_cache][slow]") {
    compare_caches(300);
}

TEST_CASE("each closed set of marks is run to once", "[sim][cuts]") {
    sim::SearchReport report;
    all_found({{flush_of(0)}, {flush_of(1)}}, {.reduction = Reduction::Dpor}, &report);
    CHECK(report.executions == 1);
    CHECK(report.cuts == 4);
    // One after the other on one device: chains only.
    all_found({{flush_of(0), flush_of(0), flush_of(0)}}, {.reduction = Reduction::Dpor}, &report);
    CHECK(report.executions == 1);
    CHECK(report.cuts == 4);
    // Two orders of two writes of one word: the empty set and the full ones are common or not.
    all_found({{flush_of(0)}, {flush_of(0)}}, {.reduction = Reduction::Dpor}, &report);
    CHECK(report.executions == 2);
    CHECK(report.cuts == 5);
}

}  // namespace cuts_test
