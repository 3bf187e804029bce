#include "sim/self_check.h"

#include <algorithm>
#include <utility>

#include "sim/happens_before.h"
#include "sim/strategies.h"

namespace sim {
namespace {

ExecutionOptions own_options(ExecutionOptions options) {
    options.narrate = true;  // what steps do, and what they are called
    options.observer = {};
    options.recall = false;
    options.final_state = true;
    return options;
}

const char* verb_of(AccessKind kind) {
    switch (kind) {
    case AccessKind::Read:
        return "reads";
    case AccessKind::Write:
        return "writes";
    case AccessKind::Add:
        return "adds to";
    case AccessKind::Insert:
        return "changes a key of";
    case AccessKind::Lookup:
        return "looks up a key of";
    case AccessKind::Acquire:
    case AccessKind::AcquireShared:
        return "takes";
    case AccessKind::Release:
    case AccessKind::ReleaseShared:
        return "releases";
    case AccessKind::Queue:
        return "queues for";
    }
    return "touches";
}

const char* words_of(Outcome outcome) {
    switch (outcome) {
    case Outcome::Completed:
        return "all tasks end";
    case Outcome::Violation:
        return "a promise is broken";
    case Outcome::Deadlock:
        return "tasks wait for ever";
    case Outcome::StepLimit:
        return "the step limit is reached";
    case Outcome::TaskLimit:
        return "the limit of tasks is reached";
    case Outcome::Nondeterministic:
    case Outcome::Cut:
        break;
    }
    return "the execution is not possible";
}

std::string end_of(const ExecutionResult& result) {
    return std::string(words_of(result.outcome)) +
           (result.violation ? " (" + result.violation->signature + ")" : std::string());
}

std::string step_text(const Trace& trace, std::uint32_t step) {
    return "step " + std::to_string(step + 1) + ", " + to_string(meanings(trace)[step]);
}

std::string object_text(const Trace& trace, std::uint64_t object) {
    const ObjectLabel label = trace.object_label(object);
    return std::string(label.object_class) + " " + std::to_string(label.key);
}

bool ended_between_steps(const ExecutionResult& result) {
    return result.violation && result.violation->between_steps;
}

/// Whether an execution's last step was broken off.
bool broken_off(const ExecutionResult& result) {
    return result.outcome == Outcome::Violation && !ended_between_steps(result);
}

/// The step of the usual order that comes at place `at` of the other one.
std::uint32_t counterpart(std::uint32_t at, std::uint32_t first) {
    if (at == first) return first + 1;
    return at == first + 1 ? first : at;
}

/// How the executions end, what their tasks got, what state they leave.
std::string difference_of_ends(const ExecutionResult& usual, const ExecutionResult& swapped) {
    const auto signature = [](const ExecutionResult& result) {
        return result.violation ? result.violation->signature : std::string();
    };
    if (usual.outcome != swapped.outcome || signature(usual) != signature(swapped))
        return end_of(swapped) + " instead of: " + end_of(usual);
    if (usual.state_hash != swapped.state_hash) return "the state at the end is another one";
    return {};
}

/// Makes another strategy's choices, and remembers who was woken and has not gone on at the end.
class SeesTheEnd final : public Strategy {
  public:
    explicit SeesTheEnd(Strategy& choices) : choices_(choices) {}
    bool next_execution() override { return choices_.next_execution(); }
    Choice choose(Scheduler& scheduler) override { return choices_.choose(scheduler); }
    bool wants_every_step() const override { return choices_.wants_every_step(); }
    void execution_ended(Outcome /*outcome*/, Scheduler& scheduler) override {
        scheduler.enabled().for_each([&](unsigned slot) {
            const Task& task = scheduler.task(slot);
            woken_[task.path] = task.woken_in;
        });
    }
    const std::map<std::uint64_t, std::uint32_t>& woken() const { return woken_; }

  private:
    Strategy& choices_;
    std::map<std::uint64_t, std::uint32_t> woken_;
};

}  // namespace

std::string Undeclared::text() const {
    if (first.empty()) return difference;
    return first + "; and " + second +
           ": taken for independent, but when the second comes first, " + difference;
}

bool in_sample(const Schedule& schedule, double rate) {
    std::uint64_t hash = 0x73656C66636865ULL;
    for (const Departure& departure : schedule.departures)
        hash = hash_mix(hash, (std::uint64_t{departure.ordinal} << 16) | departure.index);
    hash = hash_mix(hash, schedule.departures.size());
    return static_cast<double>(hash >> 11) * 0x1p-53 < rate;  // 53 bits: exact
}

SelfCheck::SelfCheck(const ProgramFactory& factory, ExecutionOptions options)
    : execution_(factory, own_options(std::move(options))) {}

SelfCheck::Run SelfCheck::run(Strategy& choices) {
    SeesTheEnd strategy(choices);
    strategy.next_execution();
    Run run{.result = execution_.run(strategy),
            .deeds = {},
            .results = execution_.program().results_hash(),
            .woken = strategy.woken()};
    const Trace& trace = run.result.trace;
    for (std::uint32_t i = 0; i < trace.steps(); ++i) {
        const Step& step = trace.step_list()[i];
        run.deeds.push_back({.path = trace.names()[step.task].path,
                             .object = step.object,
                             .effect = trace.effects()[i],
                             .accesses = sets_.intern(trace.accesses_of(i)),
                             .op = step.op});
    }
    return run;
}

bool SelfCheck::Run::wakes_former(std::uint32_t first) const {
    const std::uint64_t path = deeds[first].path;
    const auto& steps = result.trace.step_list();
    for (std::size_t next = first + 1; next < steps.size(); ++next)
        if (deeds[next].path == path) return steps[next].woken_in == first + 1;
    const auto at_end = woken.find(path);
    return at_end != woken.end() && at_end->second == first + 1;
}

std::optional<Undeclared> SelfCheck::check(const ExecutionResult& searched) {
    const auto replay = make_replay(searched.schedule);
    Run usual = run(*replay);
    // Who looks on at a search may end an execution that goes on here.
    if (searched.outcome == Outcome::Completed && usual.result.trace_hash != searched.trace_hash) {
        usual.result.trace = {};
        return Undeclared{.first = {},
                          .second = {},
                          .difference = "the same choices make another execution in another "
                                        "simulation of the program",
                          .usual = searched,
                          .swapped = std::move(usual.result)};
    }
    for (const std::uint32_t first : independent_pairs(usual)) {
        if (auto found = swap(usual, first)) return found;
    }
    return std::nullopt;
}

/// The first steps of the pairs. A step that was broken off belongs to none. Nor does one whose
/// task went to sleep, with the step that woke it: woken before, the task does not sleep, and its
/// step goes on.
std::vector<std::uint32_t> SelfCheck::independent_pairs(const Run& usual) const {
    const Trace& trace = usual.result.trace;
    HappensBefore order(sets_);
    order.begin(trace);
    while (order.size() < trace.steps())
        order.add(trace, execution_.grain());
    std::vector<std::uint32_t> pairs;
    const std::uint32_t end = trace.steps() - (broken_off(usual.result) ? 1 : 0);
    for (std::uint32_t i = 0; i + 1 < end; ++i)
        if (order[i].task != order[i + 1].task && !order.before(i, i + 1) && !usual.wakes_former(i))
            pairs.push_back(i);
    return pairs;
}

std::optional<Undeclared> SelfCheck::swap(const Run& usual, std::uint32_t first) {
    Order order = order_of(usual.result.trace);
    std::swap(order.steps[first], order.steps[first + 1]);
    OrderReplay strategy(order);
    Run swapped = run(strategy);
    if (swapped.deeds.size() > first + 1 && swapped.wakes_former(first)) return std::nullopt;
    const std::string found = difference(usual, swapped, first);
    if (found.empty()) {
        ++pairs_;
        if (!usual.result.violation && ended_between_steps(swapped.result))
            keep_failure(std::move(swapped.result));
        return std::nullopt;
    }
    Undeclared undeclared{.first = step_text(usual.result.trace, first),
                          .second = step_text(usual.result.trace, first + 1),
                          .difference = found,
                          .usual = usual.result,
                          .swapped = std::move(swapped.result)};
    undeclared.usual.trace = undeclared.swapped.trace = {};
    return undeclared;
}

void SelfCheck::keep_failure(ExecutionResult result) {
    const bool known =
        std::any_of(failures_.begin(), failures_.end(), [&](const ExecutionResult& failure) {
            return failure.violation->signature == result.violation->signature;
        });
    if (known) return;
    result.trace = {};
    failures_.push_back(std::move(result));
}

/// What the other order changes; empty if nothing. Where a check between two steps ended one of the
/// executions, they are compared up to there: it may see a state that the other has not.
std::string SelfCheck::difference(const Run& usual, const Run& swapped, std::uint32_t first) const {
    const auto steps = static_cast<std::uint32_t>(usual.deeds.size());
    for (std::uint32_t at = 0; at < steps; ++at) {
        const std::uint32_t here = counterpart(at, first);
        if (at < swapped.deeds.size() && usual.deeds[here] == swapped.deeds[at]) continue;
        if (at < swapped.deeds.size()) return difference_of_steps(usual, here, swapped, at);
        if (ended_between_steps(swapped.result)) return {};
        return "the execution ends before " + step_text(usual.result.trace, here) + ": " +
               end_of(swapped.result);
    }
    if (ended_between_steps(usual.result) || ended_between_steps(swapped.result)) return {};
    if (swapped.deeds.size() > steps)
        return "the execution goes on with " + step_text(swapped.result.trace, steps);
    if (auto found = difference_of_ends(usual.result, swapped.result); !found.empty()) return found;
    return usual.results == swapped.results ? std::string() : "an operation returns something else";
}

std::string SelfCheck::difference_of_steps(const Run& usual, std::uint32_t a, const Run& swapped,
                                           std::uint32_t b) const {
    const Deed& here = usual.deeds[a];
    const Deed& there = swapped.deeds[b];
    const std::string step = step_text(usual.result.trace, a);
    if (here.path != there.path) return step + ", is not possible in its place";
    if (here.op != there.op || here.object != there.object)
        return "the task of " + step + ", does this instead: " + step_text(swapped.result.trace, b);
    if (here.accesses != there.accesses)
        return step + ", " + difference_of_accesses(usual, a, swapped, b);
    return step + ", finds or leaves other values, or says something else";
}

std::string SelfCheck::difference_of_accesses(const Run& usual, std::uint32_t a, const Run& swapped,
                                              std::uint32_t b) const {
    const auto here = sets_.of(usual.deeds[a].accesses);
    const auto there = sets_.of(swapped.deeds[b].accesses);
    const auto lacks = [](std::span<const Access> set, const Access& access) {
        return std::none_of(set.begin(), set.end(), [&](const Access& other) {
            return other.object == access.object && other.kind == access.kind &&
                   other.key == access.key;
        });
    };
    for (const Access& access : here)
        if (lacks(there, access))
            return std::string("no longer ") + verb_of(access.kind) + " " +
                   object_text(usual.result.trace, access.object);
    for (const Access& access : there)
        if (lacks(here, access))
            return std::string("also ") + verb_of(access.kind) + " " +
                   object_text(swapped.result.trace, access.object);
    return "touches other objects";
}

}  // namespace sim
