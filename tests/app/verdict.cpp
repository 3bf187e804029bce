#include "app/verdict.h"

#include <catch2/catch.hpp>

namespace verdict_test {

using namespace app;

TEST_CASE("Exit codes follow from verdicts", "[app]") {
    CHECK(exit_code_of(Verdict::Pass, {}) == 0);
    CHECK(exit_code_of(Verdict::PassBounded, {}) == 0);
    CHECK(exit_code_of(Verdict::Clean, {}) == 0);
    CHECK(exit_code_of(Verdict::Fail, {}) == 1);
    CHECK(exit_code_of(Verdict::Invalid, {}) == 3);
    CHECK(exit_code_of(Verdict::Inconclusive, {}) == 4);
    CHECK(exit_code_of(Verdict::Nondeterministic, {}) == 5);
}

TEST_CASE("--expect turns a found failure into success and a pass into a failure", "[app]") {
    const ExitRule rule{.expect = Verdict::Fail};
    CHECK(exit_code_of(Verdict::Fail, rule) == 0);
    CHECK(exit_code_of(Verdict::Pass, rule) == 1);
    CHECK(exit_code_of(Verdict::PassBounded, rule) == 1);
    CHECK(exit_code_of(Verdict::Clean, rule) == 1);
    CHECK(exit_code_of(Verdict::Inconclusive, rule) == 1);
    CHECK(exit_code_of(Verdict::Invalid, rule) == 3);
    CHECK(exit_code_of(Verdict::Nondeterministic, rule) == 5);
}

TEST_CASE("--bisect leaves 0 and 1, and makes the rest 125", "[app]") {
    const ExitRule rule{.expect = {}, .bisect = true};
    CHECK(exit_code_of(Verdict::Pass, rule) == 0);
    CHECK(exit_code_of(Verdict::Fail, rule) == 1);
    for (const Verdict verdict :
         {Verdict::Invalid, Verdict::Inconclusive, Verdict::Nondeterministic})
        CHECK(exit_code_of(verdict, rule) == 125);
    CHECK(bisect_code(exit_code::usage) == 125);
    CHECK(bisect_code(exit_code::interrupted) == 125);
}

TEST_CASE("A verdict's word names it", "[app]") {
    for (const std::string& word : verdict_words())
        CHECK(to_string(*parse_verdict(word)) == word);
    CHECK_FALSE(parse_verdict("fail"));
}

}  // namespace verdict_test
