#include "app/cli/staleness.h"

#include <catch2/catch.hpp>

#include "app/cli/library.h"
#include "app/scenario/kernel_spec.h"

namespace cli_staleness_test {

using namespace app;
using namespace app::cli;

TEST_CASE("A certificate is stale where something that its search knew is another", "[app][cli]") {
    const Environment environment{{"INTERLEAF_SCENARIO_PATH", INTERLEAF_SOURCE_DIR "/scenarios"}};
    const auto scenario = Library(environment, ".").find("commit/001");
    REQUIRE(scenario.ok());
    const model::KernelVersion kernel = scenario::parse_kernel_spec("5.5")->resolve().value();
    const auto change = [&](report::Certificate certificate) {
        return changed_inputs(certificate, *scenario.value());
    };
    report::Certificate current;
    current.scenario = "commit/001";
    current.content = scenario.value()->content.digest();
    current.kernel = "5.5";
    current.kernel_hash = kernel.hash();
    current.model_revision = report::model_revision;
    CHECK(change(current) == "");

    report::Certificate other = current;
    ++other.content;
    CHECK(change(other).starts_with("the scenario is another (content "));
    other = current;
    --other.model_revision;
    CHECK(change(other).starts_with("the model is another (revision "));
    other = current;
    other.kernel = "5.55";
    CHECK(change(other) == "there is no such kernel any more");

    SECTION("the kernel, if what was asked of it is not known") {
        ++current.kernel_hash;
        CHECK(change(current).starts_with("the kernel has other changes (hash "));
    }
    SECTION("an answer, and not the kernel, if it is known") {
        ++current.kernel_hash;
        model::KernelQuestions questions;
        questions.ask(model::Release{5, 2});
        current.asked = report::asked_of(questions, kernel);
        CHECK(change(current) == "");
        current.asked->answers.front().yes = false;
        CHECK(change(current).starts_with("the kernel has other changes (hash "));
    }
    SECTION("a change of the kernel that the model did not have then") {
        current.asked = report::asked_of(model::KernelQuestions{}, kernel);
        REQUIRE(std::erase(current.asked->unasked, "1bbb97b8ce7d") == 1);
        CHECK(change(current).starts_with("the kernel has other changes (hash "));
    }
    SECTION("a change that the model had on every kernel before, on those without it") {
        const auto without_entry = [&](const char* release) {
            const auto of_release = scenario::parse_kernel_spec(release)->resolve().value();
            current.kernel = release;
            current.asked = report::asked_of(model::KernelQuestions{}, of_release);
            REQUIRE(std::erase(current.asked->unasked, "cb2d3daddbfb") == 1);
            return change(current);
        };
        CHECK(without_entry("5.3") == "");
        CHECK(without_entry("5.2").starts_with("the kernel has other changes (hash "));
    }
}

}  // namespace cli_staleness_test
