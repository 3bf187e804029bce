#include <catch2/catch.hpp>

#include "app/cli/executions.h"
#include "app/cli/failure.h"
#include "app/cli/library.h"
#include "sim/strategies.h"

namespace cli_split_test {

using namespace app;
using namespace app::cli;

TEST_CASE("A recording of an execution with split steps is replayed with them", "[app][cli]") {
    const Environment environment{{"INTERLEAF_SCENARIO_PATH", INTERLEAF_SOURCE_DIR "/scenarios"}};
    const Library library(environment, ".");
    const auto scenario = library.find("commit/001");
    REQUIRE(scenario.ok());
    Settings settings;
    settings.split = {"space_info", "transaction"};
    const auto execution =
        prepare(scenario.value(), settings.kernel, execution_options(settings, false));
    REQUIRE(execution.ok());
    const auto usual = sim::make_default();
    usual->next_execution();
    const report::Token token = make_token(*scenario.value(), settings.kernel, settings.grain,
                                           execution.value()->run(*usual));
    CHECK(token.split == settings.split);

    const auto replay = [&](const report::Token& recorded) {
        const std::string text = report::encode(recorded);
        return run_program({"replay", text, "--quiet", "-o", "/dev/null"}, environment);
    };
    CHECK(replay(token) == exit_code::as_expected);
    report::Token merged = token;
    merged.split.clear();
    CHECK(replay(merged) == exit_code::nondeterministic);
}

}  // namespace cli_split_test
