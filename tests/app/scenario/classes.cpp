#include "app/cli/library.h"
#include "app/scenario/program.h"
#include "sim/search_tree.h"
#include "sim/strategy_bpor.h"
#include "tests/sim/support.h"

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

/// Of those that the reduction runs.
Classes searched_classes(const sim::ProgramFactory& factory) {
    Classes classes;
    sim::Execution execution(factory, {.narrate = true});
    sim::SearchTree tree(1);
    sim::BporStrategy strategy(1, tree);
    for (sim::OpenBranch branch; tree.take(branch);) {
        strategy.begin(branch);
        while (strategy.next_execution()) {
            execution.run(strategy);
            classes.insert(tests::TraceClass().of(execution.scheduler().trace()));
        }
    }
    return classes;
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
