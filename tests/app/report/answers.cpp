#include "app/report/answers.h"

#include <catch2/catch.hpp>

#include "app/scenario/kernel_spec.h"
#include "model/fixes.h"

namespace report_answers_test {

using namespace app;
using app::report::Answers;

namespace {

model::KernelVersion kernel(const std::string& name) {
    return scenario::parse_kernel_spec(name)->resolve().value();
}

}  // namespace

TEST_CASE("A kernel remembers what it was asked, and nothing else", "[app][report]") {
    model::KernelQuestions asked;
    const model::AskedKernel simulated(kernel("5.5"), &asked);
    CHECK(report::answers_of(asked, kernel("5.5")).empty());
    CHECK(simulated.has(model::fix::mandatory_readonly));
    CHECK_FALSE(simulated.has(model::fix::drain_after_readonly));
    CHECK(simulated.at_least(5, 2));
    CHECK_FALSE(simulated.at_least(6, 12));
    CHECK_FALSE(simulated.at_least(6, 12));
    const Answers answers = report::answers_of(asked, kernel("5.5"));
    CHECK(answers ==
          Answers{{"5.2", true}, {"6.12", false}, {"f0e9b7d64019", false}, {"1bbb97b8ce7d", true}});

    model::QuestionLog log;
    log.add(asked);
    model::KernelQuestions more;
    more.ask(model::Release{3, 13});
    log.add(more);
    CHECK(report::answers_of(log.asked(), kernel("5.5")).front().question == "3.13");
    CHECK(report::answers_of(log.asked(), kernel("5.5")).size() == 5);
}

TEST_CASE("Kernels answer alike where they agree in what was asked", "[app][report]") {
    const Answers answers{{"5.2", true}, {"6.12", false}, {"1bbb97b8ce7d", true}};
    for (const char* alike : {"5.5", "5.14", "6.11", "5.5 with drain-outside-pause"})
        CHECK(report::answers_alike(answers, kernel(alike)));
    for (const char* other : {"5.1", "5.4", "6.12", "5.5 without 1bbb97b8ce7d"})
        CHECK_FALSE(report::answers_alike(answers, kernel(other)));
    CHECK(report::answers_alike({}, kernel("3.13")));
    CHECK_FALSE(report::answers_alike({{"no-such-change", false}}, kernel("5.5")));
    CHECK_FALSE(report::answers_alike({{"7.99", false}}, kernel("5.5")));
}

TEST_CASE("A search is the same where a kernel answers alike and has no change that is newer",
          "[app][report]") {
    model::KernelQuestions questions;
    static_cast<void>(
        model::AskedKernel(kernel("5.5"), &questions).has(model::fix::mandatory_readonly));
    const report::Asked asked = report::asked_of(questions, kernel("5.5"));
    CHECK(asked.answers == Answers{{"1bbb97b8ce7d", true}});
    CHECK(report::same_search_on(asked, kernel("5.5")));
    CHECK(report::same_search_on(asked, kernel("5.14")));
    CHECK_FALSE(report::same_search_on(asked, kernel("5.4")));

    // A search made before the model had "drain-outside-pause" says nothing of kernels with it.
    report::Asked older = asked;
    std::erase(older.unasked, "drain-outside-pause");
    CHECK(report::same_search_on(older, kernel("5.5")));
    CHECK(report::same_search_on(asked, kernel("5.5 with drain-outside-pause")));
    CHECK_FALSE(report::same_search_on(older, kernel("5.5 with drain-outside-pause")));
}

}  // namespace report_answers_test
