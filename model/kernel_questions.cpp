#include "model/kernel_questions.h"

#include <algorithm>

#include "sim/assert.h"

namespace model {

void KernelQuestions::ask(Release release) {
    const auto at = std::ranges::lower_bound(releases(), release);
    SIM_ASSERT(at != releases().end() && *at == release);  // a release that cannot be simulated
    releases_ |= u64{1} << (at - releases().begin());
}

void KernelQuestions::add(const KernelQuestions& other) {
    fixes_ |= other.fixes_;
    releases_ |= other.releases_;
}

std::vector<const Fix*> KernelQuestions::asked_fixes() const {
    std::vector<const Fix*> asked;
    for (const Fix& fix : fixes())
        if (fixes_[index_of(fix)]) asked.push_back(&fix);
    return asked;
}

std::vector<Release> KernelQuestions::asked_releases() const {
    std::vector<Release> asked;
    for (std::size_t i = 0; i < releases().size(); ++i)
        if (((releases_ >> i) & 1) != 0) asked.push_back(releases()[i]);
    return asked;
}

void QuestionLog::add(const KernelQuestions& asked) {
    const std::lock_guard guard(mutex_);
    asked_.add(asked);
}

}  // namespace model
