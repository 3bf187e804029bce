#include "app/cli/states.h"

#include <optional>

#include "app/cli/devices.h"

namespace app::cli {

namespace {

/// Reads the state where the execution has ended, once.
class Snapshot final : public sim::Observer {
  public:
    explicit Snapshot(SortedJson& state) : state_(state) {}
    void attach(const model::FsInfo& fs) { reader_.emplace(fs); }
    void executed(const sim::Scheduler& scheduler, const sim::ExecutionResult& /*end*/) override {
        if (reader_) state_ = reader_->read(scheduler);
    }

  private:
    SortedJson& state_;
    std::optional<exporter::StateReader> reader_;
};

}  // namespace

sim::Result<std::monostate, Failure>
each_state(const Session& session, const RecordedRun& run,
           const std::function<void(std::uint32_t, const SortedJson&)>& seen) {
    const report::Token& token = run.recording.token;
    SortedJson state;
    Snapshot* snapshot = nullptr;
    sim::ExecutionOptions options = execution_options(session.settings, token, false);
    options.observer = [&] {
        auto made = std::make_unique<Snapshot>(state);
        snapshot = made.get();
        return made;
    };
    const auto execution = prepare(run.scenario, token.kernel, options,
                                   watch_devices(session, *run.scenario, token.kernel));
    if (!execution.ok()) return execution.error();
    snapshot->attach(static_cast<scenario::ScenarioProgram&>(execution.value()->program()).fs());
    for (std::uint32_t steps = 0; steps <= run.recorded.result.steps; ++steps) {
        execution.value()->set_max_steps(steps);
        const auto choices = sim::make_replay(run.recorded.result.schedule);
        choices->next_execution();
        if (execution.value()->run(*choices).steps != steps)
            return differs("the execution cannot be stopped after " + std::to_string(steps) +
                           " steps");
        seen(steps, state);
    }
    return std::monostate{};
}

}  // namespace app::cli
