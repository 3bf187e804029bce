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

/// Whether a kernel gives each of these answers, so that whatever asked nothing else is the same
/// there, step by step. A question that nobody knows any more has no answer.
bool answers_alike(const Answers& answers, const model::KernelVersion& kernel);

}  // namespace app::report
