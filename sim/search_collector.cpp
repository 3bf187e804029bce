#include "sim/search_collector.h"

#include <algorithm>
#include <iterator>
#include <thread>
#include <tuple>

namespace sim {
namespace {
constexpr auto shortest_poll =
    std::chrono::microseconds(100);  // most searches of tests are over at once
constexpr auto longest_poll = std::chrono::microseconds(5000);
constexpr auto progress_interval = std::chrono::milliseconds(200);
constexpr std::size_t unordered_kept = 20;

void raise(std::atomic<std::uint32_t>& most, std::uint32_t value) {
    std::uint32_t known = most.load(std::memory_order_relaxed);
    while (known < value && !most.compare_exchange_weak(known, value)) {
    }
}
}  // namespace

SearchCollector::SearchCollector(const SearchLimits& limits, ProgressCallback on_progress)
    : limits_(limits), on_progress_(std::move(on_progress)), began_(Clock::now()),
      last_progress_(began_), poll_(shortest_poll), last_new_(began_.time_since_epoch()) {}

void SearchCollector::stop(SearchEnd end) {
    const std::lock_guard guard(mutex_);
    if (!stop_.exchange(true)) report_.end = end;
}

void SearchCollector::fail(SearchEnd end, const std::string& error) {
    stop(end);
    const std::lock_guard guard(mutex_);
    if (report_.error.empty()) report_.error = error;
}

void SearchCollector::test_limits(std::uint64_t executions) {
    if (executions >= limits_.max_executions) stop(SearchEnd::Executions);
    if (limits_.interrupted != nullptr && limits_.interrupted->load(std::memory_order_relaxed))
        stop(SearchEnd::Interrupted);
    if (limits_.time && executions % 16 == 0 && Clock::now() - began_ >= *limits_.time)
        stop(SearchEnd::Time);
    if (limits_.until_new && executions % 16 == 0 &&
        Clock::now().time_since_epoch() - last_new_.load() >= *limits_.until_new)
        stop(SearchEnd::NothingNew);
}

void SearchCollector::add(const ExecutionResult& result, const SearchOrder& order, bool by_trace) {
    const std::uint64_t executions = executions_.fetch_add(1, std::memory_order_relaxed) + 1;
    steps_.fetch_add(result.steps, std::memory_order_relaxed);
    raise(depth_, result.choice_points);
    raise(most_steps_, result.steps);
    raise(most_tasks_, result.tasks);
    if (result.outcome == Outcome::Cut) blocked_.fetch_add(1, std::memory_order_relaxed);
    test_limits(executions);
    if (result.outcome == Outcome::StepLimit)
        fail(SearchEnd::StepLimit,
             "an execution reached " + std::to_string(result.steps) + " steps");
    if (result.outcome == Outcome::TaskLimit) fail(SearchEnd::TaskLimit, result.task_limit);
    if (result.outcome == Outcome::StepLimit || result.outcome == Outcome::TaskLimit)
        keep_unending(result, order);
    if (result.outcome == Outcome::Nondeterministic)
        fail(SearchEnd::Nondeterministic,
             "the program did not repeat itself under the same schedule");
    const bool ordered = result.unordered.empty() && result.split_unordered.empty();
    if (!result.violation && ordered) return;

    const std::lock_guard guard(mutex_);
    if (!ordered) keep_unordered(result);
    if (!result.violation) return;
    keep(result, order, 1, by_trace);
}

/// The first in the search's order of those that the workers met until they stopped.
void SearchCollector::keep_unending(const ExecutionResult& result, const SearchOrder& order) {
    const std::lock_guard guard(mutex_);
    if (report_.unending && unending_order_ < order) return;
    report_.unending = result;
    unending_order_ = order;
}

/// The least of all, whoever was first to find them.
void SearchCollector::keep_unordered(const ExecutionResult& result) {
    unordered_kinds_.insert(result.unordered_kinds.begin(), result.unordered_kinds.end());
    for (const auto& [texts, kept] : {std::pair(&result.unordered, &unordered_),
                                      std::pair(&result.split_unordered, &split_unordered_)}) {
        kept->insert(texts->begin(), texts->end());
        while (kept->size() > unordered_kept)
            kept->erase(std::prev(kept->end()));
    }
}

void SearchCollector::keep(const ExecutionResult& result, const SearchOrder& order,
                           std::uint64_t count, bool by_trace) {
    failures_seen_.fetch_add(count, std::memory_order_relaxed);
    const auto [at, fresh] =
        found_.try_emplace({result.violation->signature, by_trace ? result.trace_hash : 0});
    Found& found = at->second;
    found.failure.count += count;
    if (!fresh && found.order < order) return;
    found.order = order;
    found.failure.signature = result.violation->signature;
    found.failure.first_run = order.run;
    found.failure.result = result;
}

void SearchCollector::add_final_states(const std::set<std::uint64_t>& states) {
    const std::lock_guard guard(mutex_);
    final_states_.insert(states.begin(), states.end());
}

bool SearchCollector::first_failure(SearchOrder& order) const {
    const std::lock_guard guard(mutex_);
    const Found* first = nullptr;
    for (const auto& [signature, found] : found_)
        if (first == nullptr || found.order < first->order) first = &found;
    if (first != nullptr) order = first->order;
    return first != nullptr;
}

void SearchCollector::tick(std::uint32_t bound) {
    std::this_thread::sleep_for(poll_);
    poll_ = std::min(2 * poll_, longest_poll);
    const auto now = Clock::now();
    if (limits_.interrupted != nullptr && limits_.interrupted->load(std::memory_order_relaxed))
        stop(SearchEnd::Interrupted);
    if (!on_progress_ || now - last_progress_ < progress_interval) return;
    last_progress_ = now;
    on_progress_({executions_, steps_, share_done(), bound, failures_seen_, now - began_});
}

void keep_first_failure(SearchReport& report) {
    report.failures.resize(1);
    report.failures[0].count = 1;
}

SearchReport SearchCollector::finish() {
    report_.executions = executions_ - blocked_;
    report_.blocked = blocked_;
    report_.cuts = cuts_;
    report_.steps = steps_;
    report_.max_depth = depth_;
    report_.max_steps = most_steps_;
    report_.max_tasks = most_tasks_;
    report_.share_done = share_done();
    std::vector<Found> all;
    for (auto& [signature, found] : found_)
        all.push_back(std::move(found));
    std::sort(all.begin(), all.end(),
              [](const Found& a, const Found& b) { return a.order < b.order; });
    for (Found& found : all)
        report_.failures.push_back(std::move(found.failure));
    report_.final_states.assign(final_states_.begin(), final_states_.end());
    report_.unordered.assign(unordered_.begin(), unordered_.end());
    report_.unordered_kinds.assign(unordered_kinds_.begin(), unordered_kinds_.end());
    report_.split_unordered.assign(split_unordered_.begin(), split_unordered_.end());
    return std::move(report_);
}

void SearchCollector::save(SavedSearch& saved) const {
    const std::lock_guard guard(mutex_);
    saved.executions = executions_ - blocked_;
    saved.steps = steps_;
    saved.max_depth = depth_;
    for (const auto& [key, found] : found_)
        saved.found.push_back({key.first, found.failure.count, found.failure.result.schedule});
    saved.final_states.assign(final_states_.begin(), final_states_.end());
    saved.unordered.assign(unordered_.begin(), unordered_.end());
    saved.unordered_kinds.assign(unordered_kinds_.begin(), unordered_kinds_.end());
    saved.split_unordered.assign(split_unordered_.begin(), split_unordered_.end());
}

void SearchCollector::go_on_from(const SavedSearch& saved) {
    executions_ = saved.executions;
    steps_ = saved.steps;
    depth_ = saved.max_depth;
    final_states_.insert(saved.final_states.begin(), saved.final_states.end());
    unordered_.insert(saved.unordered.begin(), saved.unordered.end());
    unordered_kinds_.insert(saved.unordered_kinds.begin(), saved.unordered_kinds.end());
    split_unordered_.insert(saved.split_unordered.begin(), saved.split_unordered.end());
}

void SearchCollector::go_on_with(const ExecutionResult& result, const SearchOrder& order,
                                 std::uint64_t count) {
    const std::lock_guard guard(mutex_);
    keep(result, order, count);
}

}  // namespace sim
