#include "app/cli/states.h"

#include "app/cli/devices.h"

namespace app::cli {

namespace {

/// Reads the state where the execution has ended, once.
class Snapshot final : public sim::Observer {
  public:
    explicit Snapshot(SortedJson& state) : state_(state) {}
    void attach(const model::FsInfo& fs) { fs_ = &fs; }
    void executed(const sim::Scheduler& scheduler, const sim::ExecutionResult& /*end*/) override {
        if (fs_ != nullptr) state_ = exporter::StateReader(*fs_).read(scheduler);
    }

  private:
    SortedJson& state_;
    const model::FsInfo* fs_ = nullptr;
};

}  // namespace

sim::Result<SortedJson, Failure> state_after(const Session& session, const RecordedRun& run,
                                             std::uint32_t steps) {
    const report::Token& token = run.recording.token;
    SortedJson state;
    Snapshot* snapshot = nullptr;
    sim::ExecutionOptions options = execution_options(session.settings, token, false);
    options.max_steps = std::min(options.max_steps, steps);
    options.observer = [&] {
        auto made = std::make_unique<Snapshot>(state);
        snapshot = made.get();
        return made;
    };
    const auto execution = prepare(run.scenario, token.kernel, options,
                                   watch_devices(session, *run.scenario, token.kernel));
    if (!execution.ok()) return execution.error();
    snapshot->attach(static_cast<scenario::ScenarioProgram&>(execution.value()->program()).fs());
    const auto choices = sim::make_replay(run.recorded.result.schedule);
    choices->next_execution();
    if (execution.value()->run(*choices).steps != steps)
        return differs("the execution cannot be stopped after " + std::to_string(steps) + " steps");
    return state;
}

}  // namespace app::cli
