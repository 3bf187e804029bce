#include "tests/model/support/simulated_fs.h"

#include "model/disk_io.h"
#include "sim/strategies.h"

namespace test {
using namespace model;

Geometry small_geometry(unsigned devices) {
    Geometry geometry;
    for (unsigned i = 0; i < devices; ++i)
        geometry.devices.push_back({std::string(1, static_cast<char>('a' + i)), 32 << 20, false});
    geometry.data_chunk = geometry.metadata_chunk = 4 << 20;
    geometry.system_chunk = 1 << 20;
    return geometry;
}

namespace {

using Tasks = std::vector<std::function<void(FsInfo&)>>;

class FsProgram final : public sim::Program {
  public:
    FsProgram(const Options& options, Tasks& tasks) : options_(options), tasks_(tasks) {}

    void prepare() override {
        const auto version = KernelVersion::parse(options_.kernel, {}, {});
        fs_ = sim::make<FsInfo>(*version, options_.geometry);
        mkfs(*fs_, options_.geometry);
        if (!options_.mount) return;
        if (const auto opened = open_ctree(*fs_); !opened)
            sim::violation("mount", std::string("open_ctree: ") + errno_name(opened.error()));
    }
    void start() override {
        for (auto& task : tasks_)
            sim::current().spawn("task", [body = &task, fs = fs_] { (*body)(*fs); });
    }
    std::uint64_t state_hash() override { return state_digest(*fs_); }

  private:
    const Options& options_;
    Tasks& tasks_;
    FsInfo* fs_ = nullptr;
};

}  // namespace

sim::ExecutionResult run_on_fs(const Options& options, Tasks tasks) {
    sim::ExecutionOptions execution_options;
    execution_options.grain = options.grain;
    execution_options.narrate = options.narrate;
    sim::Execution execution([&] { return std::make_unique<FsProgram>(options, tasks); },
                             execution_options);
    if (!execution.preparation_error().empty()) {
        sim::ExecutionResult failed;
        failed.outcome = sim::Outcome::Violation;
        failed.violation = {"preparation", execution.preparation_error(), 0};
        return failed;
    }
    const auto usual = sim::make_default();
    usual->next_execution();
    return execution.run(*usual);
}

sim::ExecutionResult run_on_fs(const Options& options, std::function<void(FsInfo&)> task) {
    return run_on_fs(options, Tasks{std::move(task)});
}

}  // namespace test
