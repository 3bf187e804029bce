#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/scenario/scenario.h"
#include "sim/program.h"

namespace app::scenario {

/// What one operation of an execution came to.
struct OpResult {
    bool ended = false;  // false: the execution was over before it returned
    std::optional<model::Errno> error;
};

/// A scenario as the engine runs it: mkfs, mount and the prepared operations once, then one task
/// for each of its tasks.
class ScenarioProgram : public sim::Program {
  public:
    ScenarioProgram(std::shared_ptr<const Scenario> scenario, const model::KernelVersion& kernel);

    void prepare() override;
    void start() override;
    void check_end() override;
    std::uint64_t state_hash() override;

    /// Results of the last execution, by task and operation. A record for reports: no execution
    /// reads it.
    const std::vector<std::vector<OpResult>>& results() const { return results_; }

  private:
    void run_task(std::size_t index);

    std::shared_ptr<const Scenario> scenario_;
    model::KernelVersion kernel_;
    model::FsInfo* fs_ = nullptr;  // in the arena
    std::vector<std::vector<OpResult>> results_;
};

sim::ProgramFactory make_factory(std::shared_ptr<const Scenario> scenario,
                                 const model::KernelVersion& kernel);

}  // namespace app::scenario
