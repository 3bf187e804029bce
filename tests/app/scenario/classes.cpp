#include "app/cli/library.h"
#include "app/scenario/program.h"
#include "sim/search_tree.h"
#include "sim/strategy_bpor.h"
#include "tests/sim/support.h"

namespace scenario_classes_test {

using namespace app;

namespace {

using Classes = std::set<std::uint64_t>;

sim::ProgramFactory factory_of(const std::string& id, const std::string& kernel) {
    static const cli::Library library(
        {{"INTERLEAF_SCENARIO_PATH", INTERLEAF_SOURCE_DIR "/scenarios"}}, ".");
    const auto scenario = library.find(id);
    REQUIRE(scenario.ok());
    return scenario::make_factory(scenario.value(),
                                  model::KernelVersion::parse(kernel, {}, {}).value());
}

/// Of every execution with at most one deviation.
Classes all_classes(const sim::ProgramFactory& factory) {
    Classes classes;
    tests::for_each_schedule(
        factory, sim::Grain::Coarse, 1, [&](sim::Execution& execution, const auto&) {
            classes.insert(tests::TraceClass().of(execution.scheduler().trace()));
        });
    return classes;
}

/// Each execution that the reduction runs, in its order.
template <class See>
void search(const sim::ProgramFactory& factory, const sim::ExecutionOptions& options, See&& see) {
    sim::Execution execution(factory, options);
    sim::SearchTree tree(1);
    sim::BporStrategy strategy(1, tree);
    for (sim::OpenBranch branch; tree.take(branch);) {
        strategy.begin(branch);
        while (strategy.next_execution())
            see(execution, execution.run(strategy));
    }
}

/// Of those that the reduction runs.
Classes searched_classes(const sim::ProgramFactory& factory) {
    Classes classes;
    search(factory, {.narrate = true}, [&](sim::Execution& execution, const auto&) {
        classes.insert(tests::TraceClass().of(execution.scheduler().trace()));
    });
    return classes;
}

/// How an execution ended, and what coverage would count of it.
struct End {
    std::uint64_t trace, state;
    std::string signature;
    std::array<std::uint32_t, sim::max_probes> probes;
    friend bool operator==(const End&, const End&) = default;
};

struct Onlooker final : sim::Observer {
    void executed(const sim::Scheduler&, const sim::ExecutionResult&) override {}
};

std::vector<End> ends(const sim::ProgramFactory& factory, bool recall) {
    sim::ExecutionOptions options;
    options.recall = recall;
    options.observer = [] { return std::make_unique<Onlooker>(); };
    std::vector<End> all;
    search(factory, options, [&](sim::Execution& execution, const sim::ExecutionResult& result) {
        all.push_back({result.trace_hash, result.state_hash,
                       result.violation ? result.violation->signature : std::string(),
                       execution.scheduler().probes()});
    });
    return all;
}

void compare(const std::string& id, const std::string& kernel, std::size_t classes) {
    INFO(id << " on " << kernel);
    const sim::ProgramFactory factory = factory_of(id, kernel);
    const Classes all = all_classes(factory), searched = searched_classes(factory);
    CHECK(all == searched);
    CHECK(all.size() == classes);
}

}  // namespace

// Scenarios choose by what they read, and wait for events that wake tasks: random programs do less.
TEST_CASE("within a bound the reduction runs an execution of every trace of a scenario",
          "[app][scenario]") {
    compare("replace/002", "6.1", 69);
    compare("replace/001", "5.0", 108);
}

TEST_CASE("within a bound the reduction runs an execution of every trace of more scenarios",
          "[app][scenario][slow]") {
    compare("commit/001", "6.1", 542);
    compare("commit/002", "6.1", 359);
    compare("replace/006", "6.1", 150);
    compare("send/007", "5.0", 19);
    compare("zoned/001", "6.8", 631);
}

TEST_CASE("a search that recalls what checks made is the one that makes it again",
          "[app][scenario]") {
    const auto [id, kernel] = GENERATE(table<std::string, std::string>({{"send/001", "5.0"},
                                                                        {"send/001", "5.3"},
                                                                        {"replace/001", "5.0"},
                                                                        {"replace/004", "5.3"}}));
    INFO(id << " on " << kernel);
    const sim::ProgramFactory factory = factory_of(id, kernel);
    const auto made = ends(factory, false), recalled = ends(factory, true);
    CHECK(made.size() > 10);
    CHECK((made == recalled));
}

}  // namespace scenario_classes_test
