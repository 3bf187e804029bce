#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/scenario/scenario.h"
#include "model/kernel_questions.h"
#include "model/medium.h"
#include "sim/program.h"

namespace app::scenario {

/// What one operation of an execution came to.
struct OpResult {
    bool ended = false;  // false: the execution was over before it returned
    std::optional<model::Errno> error;
};

/// How a scenario is run, besides on which kernel.
struct ProgramOptions {
    /// false: no invariant is checked, so that an execution goes on where one would end it.
    bool watched = true;
    /// Called at the end of the preparation, in its task: a test's hands on the filesystem.
    std::function<void(model::FsInfo&)> prepared;
    /// Looks on at the devices; one for each worker, made on its thread. Empty: nobody does.
    std::function<std::unique_ptr<model::MediumObserver>()> observer;
    /// Told what the program asked of its kernel, when the program ends. Not of what an observer
    /// mounts.
    std::shared_ptr<model::QuestionLog> asked = nullptr;
};

/// A scenario as the engine runs it: mkfs, mount and the prepared operations once, then one task
/// for each of its tasks.
class ScenarioProgram : public sim::Program {
  public:
    ScenarioProgram(std::shared_ptr<const Scenario> scenario, const model::KernelVersion& kernel,
                    const ProgramOptions& options = {});
    ~ScenarioProgram() override;

    void prepare() override;
    std::string prepared_last() const override { return prepared_last_; }
    std::string check_prepared() override;
    void start() override;
    void check_end() override;
    std::uint64_t state_hash() override;
    std::uint64_t results_hash() override;

    /// Results of the last execution, by task and operation. A record for reports: no execution
    /// reads it.
    const std::vector<std::vector<OpResult>>& results() const { return results_; }
    /// The filesystem as the last execution left it, until the next one begins.
    const model::FsInfo& fs() const { return *fs_; }

  private:
    void run_task(std::size_t index);

    std::shared_ptr<const Scenario> scenario_;
    model::KernelVersion kernel_;
    ProgramOptions options_;
    model::KernelQuestions asked_;  // a record for reports: no execution reads it
    std::unique_ptr<model::MediumObserver> observer_;
    model::FsInfo* fs_ = nullptr;  // in the arena
    std::string prepared_last_;    // "/prepare: \"sync\""
    std::vector<std::vector<OpResult>> results_;
};

sim::ProgramFactory make_factory(std::shared_ptr<const Scenario> scenario,
                                 const model::KernelVersion& kernel,
                                 const ProgramOptions& options = {});

}  // namespace app::scenario
