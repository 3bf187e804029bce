#pragma once
#include <mutex>
#include <vector>

#include "model/kernel_version.h"

namespace model {

/// What a simulated kernel was asked: of which changes whether it has them, and of which releases
/// whether it is at least that one.
class KernelQuestions {
  public:
    void ask(const Fix& fix) { fixes_[index_of(fix)] = true; }
    void ask(Release release);
    void add(const KernelQuestions& other);

    std::vector<const Fix*> asked_fixes() const;  // in the order of fixes()
    std::vector<Release> asked_releases() const;  // oldest first

  private:
    FixSet fixes_;
    u64 releases_ = 0;  // one bit for each entry of releases()
};

/// What all executions of a search asked, those of all its workers and their preparations
/// included. Every question has an answer that the kernel fixes, and nothing else of the kernel
/// enters an execution; so a search on a kernel that answers each of them alike is this one, step
/// by step.
class QuestionLog {
  public:
    /// From any thread.
    void add(const KernelQuestions& asked);
    /// After the search.
    const KernelQuestions& asked() const { return asked_; }

  private:
    std::mutex mutex_;
    KernelQuestions asked_;
};

/// The kernel that a filesystem runs on, which may be asked questions only; they are written down.
class AskedKernel {
  public:
    /// @param asked  outside the arena, null: nobody wants to know
    AskedKernel(const KernelVersion& version, KernelQuestions* asked)
        : version_(version), asked_(asked) {}

    bool has(const Fix& fix) const {
        if (asked_ != nullptr) asked_->ask(fix);
        return version_.has(fix);
    }
    bool at_least(u16 major, u16 minor) const {
        if (asked_ != nullptr) asked_->ask(Release{major, minor});
        return version_.at_least(major, minor);
    }
    /// For another filesystem on the same kernel.
    friend KernelVersion same_kernel(const AskedKernel& kernel) { return kernel.version_; }

  private:
    KernelVersion version_;
    KernelQuestions* asked_;
};

}  // namespace model
