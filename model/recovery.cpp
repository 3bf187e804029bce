// A mount after a crash. The kernel's own checks are those of open_ctree() and of every read; what
// a mount cannot notice is what the invariants are for.
#include "model/recovery.h"

#include "model/disk_io.h"
#include "model/fs_info.h"
#include "model/invariant_state.h"
#include "model/invariants.h"
#include "sim/execution.h"
#include "sim/strategies.h"

namespace model {
namespace {

/// Another simulation is made while one exists on this thread: that one stays the current one.
class KeepCurrent {
  public:
    KeepCurrent() : outer_(sim::current_or_null()) {}
    ~KeepCurrent() {
        if (outer_ != nullptr) sim::detail::scheduler_of_this_thread = outer_;
    }
    KeepCurrent(const KeepCurrent&) = delete;
    KeepCurrent& operator=(const KeepCurrent&) = delete;

  private:
    sim::Scheduler* outer_;
};

std::string with_messages(std::string text, const std::vector<std::string>& messages) {
    for (const std::string& message : messages)
        text += "\n" + message;
    return text;
}

}  // namespace

/// Devices without content are prepared; an execution puts a medium there and mounts it.
class MountProgram final : public sim::Program {
  public:
    MountProgram(const KernelVersion& kernel, const Geometry& geometry)
        : kernel_(kernel), geometry_(geometry) {}

    const Medium* medium = nullptr;
    const Promises* promises = nullptr;
    bool degraded = false;
    const std::function<void(FsInfo&)>* before_mount = nullptr;

    void prepare() override { fs_ = sim::make<FsInfo>(kernel_, geometry_); }
    void start() override {
        sim::current().spawn("mount", sim::Job([this] { mount(); }));
    }
    void check_end() override {
        if (resumes_replace_ && fs_->dev_replace.replace_state != ReplaceState::Finished)
            sim::violation(Recovery::unfinished, "the resumed replace did not finish");
        if (resumes_balance_ && fs_->balance.ctl != nullptr)
            sim::violation(Recovery::unfinished_balance, "the resumed balance did not end");
        model::check_end(*fs_);
    }
    std::uint64_t state_hash() override { return 0; }  // nobody compares mounts

    /// A replace or a balance goes on beside the mount, or has gone on.
    bool resumes() const { return resumes_replace_ || resumes_balance_; }
    const FsInfo& fs() const { return *fs_; }

  private:
    /// What is resumed gets its first turn when the promises are read.
    void mount() {
        load_medium(*fs_, *medium);
        fs_->degraded = degraded;
        if (*before_mount) (*before_mount)(*fs_);
        resumes_replace_ = resumes_balance_ = false;
        if (const auto mounted = open_ctree(*fs_); !mounted) return refused(mounted.error());
        const DevReplace& replace = fs_->dev_replace;
        resumes_replace_ = replace.replace_state == ReplaceState::Started;
        resumes_balance_ = fs_->balance.ctl != nullptr;
        // Checked at commits and at the end; the checks of single steps stay off.
        fs_->invariants = sim::make<InvariantState>();
        committed_state(*fs_);
        if (resumes_replace_) fs_->invariants->resumed_at = replace.committed_cursor_left;
        check_promises(*fs_, *promises);
    }

    void refused(Errno error) {
        const DevReplace& replace = fs_->dev_replace;
        const bool incomplete =
            replace.is_ongoing() && (replace.srcdev == nullptr || replace.tgtdev == nullptr);
        sim::violation(incomplete ? Recovery::needs_degraded : "mounts-after-crash",
                       "the mount fails: -E" + std::string(errno_name(error)));
    }

    KernelVersion kernel_;
    Geometry geometry_;
    FsInfo* fs_ = nullptr;  // in the arena
    bool resumes_replace_ = false, resumes_balance_ = false;
};

Recovery::Recovery(const KernelVersion& kernel, const Geometry& geometry) {
    const KeepCurrent keep;
    const auto factory = [&] {
        auto program = std::make_unique<MountProgram>(kernel, geometry);
        program_ = program.get();
        return program;
    };
    execution_ = std::make_unique<sim::Execution>(factory, sim::ExecutionOptions{});
    SIM_ASSERT(execution_->preparation_error().empty());
}

Recovery::~Recovery() {
    const KeepCurrent keep;
    execution_.reset();
}

const FsInfo& Recovery::mounted() const {
    return program_->fs();
}

std::optional<sim::Violation> Recovery::mount(const Medium& medium, const Promises& promises,
                                              bool degraded) {
    after_resumed_.reset();
    auto found = mount_once(medium, promises, degraded);
    if (found || !program_->resumes()) return found;
    after_resumed_ = visible_medium(program_->fs()).detached();
    found = mount_once(*after_resumed_, promises, false);
    if (found) found->text = once_resumed + found->text;
    return found;
}

std::optional<sim::Violation> Recovery::mount_once(const Medium& medium, const Promises& promises,
                                                   bool degraded) {
    program_->medium = &medium;
    program_->degraded = degraded;
    program_->promises = &promises;
    program_->before_mount = &before_mount;
    const auto strategy = sim::make_default();
    strategy->next_execution();
    const sim::ExecutionResult& result = execution_->run(*strategy);
    if (result.outcome == sim::Outcome::Completed) return std::nullopt;
    sim::Violation found;
    found.signature = "mounts-after-crash";
    found.text = "the mount does not end";
    if (result.violation) found = *result.violation;
    found.text = with_messages(std::move(found.text), result.messages);
    return found;
}

}  // namespace model
