#include <catch2/catch.hpp>

#include "app/cli/library.h"
#include "app/report/answers.h"
#include "app/scenario/program.h"
#include "sim/explorer.h"
#include "sim/rng.h"

namespace scenario_alike_test {

using namespace app;

namespace {

/// What a search comes to, and what it asked.
struct Searched {
    sim::SearchReport report;
    report::Answers answers;
};

Searched search(const cli::ScenarioPtr& scenario, const model::KernelVersion& kernel) {
    scenario::ProgramOptions program;
    program.asked = std::make_shared<model::QuestionLog>();
    sim::ExploreOptions options;
    options.max_deviations = 1;
    options.reduction = sim::Reduction::Dpor;
    options.split_unordered = true;
    options.keep_going = true;
    options.collect_final_states = true;
    Searched searched;
    searched.report = sim::explore(scenario::make_factory(scenario, kernel, program), options);
    searched.answers = report::answers_of(program.asked->asked(), kernel);
    return searched;
}

/// The same in every respect that a certificate or a reader can see.
void check_same(const Searched& a, const Searched& b) {
    CHECK(a.answers == b.answers);
    CHECK(a.report.executions == b.report.executions);
    CHECK(a.report.steps == b.report.steps);
    CHECK(a.report.max_depth == b.report.max_depth);
    CHECK(a.report.final_states == b.report.final_states);
    REQUIRE(a.report.failures.size() == b.report.failures.size());
    for (std::size_t i = 0; i < a.report.failures.size(); ++i) {
        const sim::Failure& one = a.report.failures[i];
        const sim::Failure& other = b.report.failures[i];
        CHECK(one.signature == other.signature);
        CHECK(one.count == other.count);
        CHECK(one.result.trace_hash == other.result.trace_hash);
        CHECK(one.result.messages == other.result.messages);
    }
}

model::KernelVersion release(const std::string& name) {
    return model::KernelVersion::parse(name, {}, {}).value();
}

/// The kernel with one change more or less; nothing where it cannot be had.
std::optional<model::KernelVersion> with_other(const std::string& name, const model::Fix& fix) {
    const std::vector<std::string> change{fix.id()}, none;
    const bool there = release(name).has(fix);
    const auto kernel =
        model::KernelVersion::parse(name, there ? none : change, there ? change : none);
    if (!kernel.ok()) return std::nullopt;
    return kernel.value();
}

bool asks(const Searched& searched, const model::Fix& fix) {
    for (const report::Answer& answer : searched.answers)
        if (answer.question == fix.id()) return true;
    return false;
}

const cli::Library& library() {
    static const cli::Library found(
        {{"INTERLEAF_SCENARIO_PATH", INTERLEAF_SOURCE_DIR "/scenarios"}}, ".");
    return found;
}

}  // namespace

TEST_CASE("A change that no execution asked for changes nothing of a search", "[app][scenario]") {
    const auto [id, name] = GENERATE(table<const char*, const char*>(
        {{"zoned/002", "6.8"}, {"zoned/002", "6.9"}, {"send/006", "5.3"}, {"send/007", "5.0"}}));
    const auto scenario = library().find(id).value();
    const Searched here = search(scenario, release(name));
    unsigned compared = 0;
    for (const model::Fix& fix : model::fixes()) {
        if (asks(here, fix)) continue;
        const auto other = with_other(name, fix);
        if (!other || !report::answers_alike(here.answers, *other)) continue;  // it replaces one
        INFO(id << " on " << other->name());
        check_same(search(scenario, *other), here);
        ++compared;
    }
    CHECK(compared >= 10);
}

TEST_CASE("Kernels that answer alike have one search, and others need not", "[app][scenario]") {
    constexpr std::uint64_t seed = 5;
    constexpr unsigned pairs = 60;
    const auto scenario = library().find(GENERATE("zoned/002", "send/006")).value();
    sim::Rng rng(seed);
    const auto releases = model::releases();
    // A release, or one with a change more or less.
    const auto any_kernel = [&] {
        for (;;) {
            const model::Release chosen = releases[rng.below(releases.size())];
            if (!scenario->exists_on(chosen)) continue;
            const model::Fix& fix = model::fixes()[rng.below(model::fixes().size())];
            const auto changed = with_other(to_string(chosen), fix);
            return changed && rng.below(2) == 0 ? *changed : release(to_string(chosen));
        }
    };
    unsigned alike = 0, different = 0;
    for (unsigned i = 0; i < pairs; ++i) {
        const model::KernelVersion a = any_kernel(), b = any_kernel();
        if (a == b) continue;
        const Searched here = search(scenario, a);
        const Searched there = search(scenario, b);
        INFO(scenario->id << " on " << a.name() << " and on " << b.name() << ", seed " << seed);
        if (report::answers_alike(here.answers, b)) {
            check_same(there, here);
            ++alike;
        } else if (here.report.steps != there.report.steps) {
            ++different;
        }
        CHECK(report::answers_alike(here.answers, b) == report::answers_alike(there.answers, a));
    }
    CHECK(alike >= 3);
    CHECK(different >= 3);
}

}  // namespace scenario_alike_test
