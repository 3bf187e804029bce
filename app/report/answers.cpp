#include "app/report/answers.h"

#include <algorithm>
#include <optional>

namespace app::report {

namespace {

std::optional<bool> answer(const std::string& question, const model::KernelVersion& kernel) {
    for (const model::Release& release : model::releases())
        if (question == to_string(release)) return kernel.at_least(release.major, release.minor);
    const model::Fix* const fix = model::find_fix(question);
    if (fix == nullptr) return std::nullopt;
    return kernel.has(*fix);
}

bool is_among(const Answers& answers, const model::Fix& fix) {
    return std::ranges::any_of(answers,
                               [&](const Answer& answer) { return answer.question == fix.id(); });
}

}  // namespace

Answers answers_of(const model::KernelQuestions& asked, const model::KernelVersion& kernel) {
    Answers answers;
    for (const model::Release& release : asked.asked_releases())
        answers.push_back({to_string(release), kernel.at_least(release.major, release.minor)});
    for (const model::Fix* fix : asked.asked_fixes())
        answers.push_back({fix->id(), kernel.has(*fix)});
    return answers;
}

Asked asked_of(const model::KernelQuestions& asked, const model::KernelVersion& kernel) {
    Asked all{.answers = answers_of(asked, kernel), .unasked = {}};
    for (const model::Fix& fix : model::fixes())
        if (!is_among(all.answers, fix)) all.unasked.push_back(fix.id());
    return all;
}

bool same_search_on(const Asked& asked, const model::KernelVersion& kernel) {
    const auto was_there = [&](const model::Fix& fix) {
        return is_among(asked.answers, fix) ||
               std::ranges::find(asked.unasked, fix.id()) != asked.unasked.end();
    };
    return answers_alike(asked.answers, kernel) &&
           std::ranges::all_of(model::fixes(), [&](const model::Fix& fix) {
               return kernel.has(fix) == fix.assumed_before || was_there(fix);
           });
}

bool answers_alike(const Answers& answers, const model::KernelVersion& kernel) {
    return std::ranges::all_of(
        answers, [&](const Answer& known) { return answer(known.question, kernel) == known.yes; });
}

}  // namespace app::report
