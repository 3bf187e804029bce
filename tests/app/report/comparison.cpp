#include "app/report/comparison.h"

#include <catch2/catch.hpp>

#include "sim/containers.h"
#include "sim/execution.h"
#include "sim/strategies.h"

namespace report_comparison_test {

using namespace app::report;

namespace {

constexpr sim::ObjectClass flag_class{"flag", 120, sim::Discipline::Lockless};

/// Two tasks write to one flag: the last one is what remains.
class Writers final : public sim::Program {
  public:
    void prepare() override { flag_ = sim::make<sim::Tracked<std::uint64_t>>(flag_class); }
    void start() override {
        sim::current().spawn("one", sim::Job([this] { flag_->set(1); }));
        sim::current().spawn("two", sim::Job([this] { flag_->set(flag_->get() + 2); }));
    }
    std::uint64_t state_hash() override { return flag_->peek() + 1; }

  private:
    sim::Tracked<std::uint64_t>* flag_ = nullptr;
};

sim::Trace run(const sim::Schedule& schedule) {
    sim::Execution execution([] { return std::make_unique<Writers>(); },
                             {.grain = sim::Grain::Fine, .narrate = true});
    const auto strategy = sim::make_replay(schedule);
    strategy->next_execution();
    return execution.run(*strategy).trace;
}

}  // namespace

TEST_CASE("An execution is the same as itself", "[app][report]") {
    const sim::Trace trace = run({});
    const Comparison comparison = compare(trace, trace);
    CHECK(comparison.same());
    CHECK(comparison.common == trace.steps());
    CHECK(comparison.partners.size() == trace.steps());
    CHECK(comparison.rows.empty());
}

TEST_CASE("Two orders part at the first choice, and every step has its partner", "[app][report]") {
    const sim::Trace a = run({}), b = run({.departures = {{.ordinal = 0, .index = 1}}});
    const Comparison comparison = compare(a, b);
    CHECK_FALSE(comparison.same());
    CHECK(comparison.common == 0);
    REQUIRE(comparison.next_a);
    REQUIRE(comparison.next_b);
    CHECK(comparison.next_a->task == "one");
    CHECK(comparison.next_b->task == "two");
    CHECK(comparison.partners.size() == a.steps());
    for (const auto& [first, second] : comparison.partners)
        CHECK(a.step_list()[first].op == b.step_list()[second].op);
    CHECK_FALSE(columns_text(comparison, 100, 10).empty());
    CHECK(columns_text(comparison, 100, 1).find("more row") != std::string::npos);
}

TEST_CASE("Steps without a partner stand alone in their column", "[app][report]") {
    const sim::Trace whole = run({});
    const sim::Trace nothing;
    const Comparison comparison = compare(whole, nothing);
    CHECK_FALSE(comparison.same());
    CHECK_FALSE(comparison.next_b);
    for (const ComparedRow& row : comparison.rows)
        CHECK((row.a && !row.b && !row.same));
}

}  // namespace report_comparison_test
