#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "sim/explorer.h"
#include "sim/hash.h"
#include "sim/profile.h"
#include "sim/search_collector.h"

namespace sim {
namespace {

class Hunt {
  public:
    Hunt(const ProgramFactory& factory, const HuntOptions& options)
        : factory_(factory), options_(options), collector_(options.limits, options.on_progress),
          next_(options.first), working_(options.jobs) {}

    SearchReport run() {
        std::vector<std::thread> workers;
        for (unsigned i = 0; i < options_.jobs; ++i)
            workers.emplace_back([this] {
                work();
                --working_;
            });
        collector_.watch(0, [this] { return working_ == 0; });
        for (std::thread& worker : workers)
            worker.join();
        SearchReport report = collector_.finish();
        const auto found =
            std::find_if(report.failures.begin(), report.failures.end(),
                         [this](const Failure& failure) { return is_new(failure.signature); });
        if (found == report.failures.end()) return report;
        if (report.end == SearchEnd::Complete) report.end = SearchEnd::Found;
        if (report.end == SearchEnd::Found && !options_.keep_going) {
            std::swap(*found, report.failures.front());
            keep_first_failure(report);
            report.executions = report.failures[0].first_run - options_.first + 1;
        }
        return report;
    }

  private:
    void work() {
        Execution execution(factory_, options_.execution);
        if (!execution.preparation_error().empty()) {
            collector_.fail(SearchEnd::PreparationFailed, execution.preparation_error());
            return;
        }
        execution.set_observed(false);
        const auto profile = std::make_shared<const Profile>(profile_of(execution));
        execution.set_observed(true);

        std::set<std::uint64_t> final_states;
        while (!collector_.stopped()) {
            const std::uint64_t run = next_.fetch_add(1);
            if (run - options_.first >= options_.count || run > last_.load()) break;
            const auto strategy = make_strategy(options_.strategy.of_run(run),
                                                seed_of_run(options_.seed, run), profile);
            strategy->next_execution();
            const ExecutionResult& result = execution.run(*strategy);
            SearchOrder order;
            order.run = run;
            collector_.add(result, order, options_.each_execution);
            if (!options_.limits.until_new)  // else nobody knows how many there will be
                collector_.add_share(1.0 / static_cast<double>(options_.count));
            if (options_.collect_final_states && result.state_hash != 0)
                final_states.insert(result.state_hash);
            if (!result.failed() || !is_new(result.violation->signature)) continue;
            note_new(result.violation->signature);
            if (!options_.keep_going) lower_last(run);
        }
        collector_.add_final_states(final_states);
    }

    bool is_new(const std::string& signature) const { return !options_.known.contains(signature); }

    void note_new(const std::string& signature) {
        const std::lock_guard guard(seen_mutex_);
        if (seen_.insert(signature).second) collector_.found_new();
    }

    /// Runs after the first failing one are of no interest; those before it still are.
    void lower_last(std::uint64_t run) {
        std::uint64_t last = last_.load();
        while (run < last && !last_.compare_exchange_weak(last, run)) {
        }
    }

    const ProgramFactory& factory_;
    const HuntOptions& options_;
    SearchCollector collector_;
    std::atomic<std::uint64_t> next_;
    std::atomic<std::uint64_t> last_{~std::uint64_t{0}};
    std::atomic<unsigned> working_;
    std::mutex seen_mutex_;
    std::set<std::string> seen_;  // new signatures
};

}  // namespace

std::uint64_t seed_of_run(std::uint64_t seed, std::uint64_t run) {
    return hash_mix(hash_mix(0x68756E74ULL, seed), run);
}

SearchReport hunt(const ProgramFactory& factory, const HuntOptions& options) {
    return Hunt(factory, options).run();
}

}  // namespace sim
