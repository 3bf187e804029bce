#pragma once
#include <string>
#include <vector>

#include "model/kernel_questions.h"

namespace app::report {

/// A question that executions asked of their kernel, and its answer: whether it has a change (its
/// id), or is at least a release ("5.2").
struct Answer {
    std::string question;
    bool yes = false;
    bool operator==(const Answer&) const = default;
};
using Answers = std::vector<Answer>;

Answers answers_of(const model::KernelQuestions& asked, const model::KernelVersion& kernel);

/// Whether a kernel gives each of these answers. A question that nobody knows any more has no
/// answer.
bool answers_alike(const Answers& answers, const model::KernelVersion& kernel);

/// What the executions of a search asked of their kernel.
struct Asked {
    Answers answers;
    /// The other changes that the model had then: what came later may matter, and was not there to
    /// be asked for.
    std::vector<std::string> unasked;
    bool operator==(const Asked&) const = default;
};

Asked asked_of(const model::KernelQuestions& asked, const model::KernelVersion& kernel);

/// Whether the search is the same on a kernel, step by step: it gives each of the answers, and the
/// changes that the model did not have then leave it as it was (Fix::assumed_before).
bool same_search_on(const Asked& asked, const model::KernelVersion& kernel);

}  // namespace app::report
