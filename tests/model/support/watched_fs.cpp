#include "tests/model/support/watched_fs.h"

#include "model/disk_io.h"
#include "model/invariants.h"
#include "sim/strategies.h"

namespace test {
using namespace model;

namespace {

class WatchedProgram final : public sim::Program {
  public:
    explicit WatchedProgram(const Watched& watched) : watched_(watched) {}

    void prepare() override {
        const auto version = KernelVersion::parse(watched_.kernel, watched_.with, watched_.without);
        if (!version.ok()) return sim::violation("kernel", version.error().message);
        fs_ = sim::make<FsInfo>(*version, watched_.geometry);
        mkfs(*fs_, watched_.geometry);
        if (const auto opened = open_ctree(*fs_); !opened)
            return sim::violation("mount", errno_name(opened.error()));
        if (watched_.prepare) watched_.prepare(*fs_);
        watch_invariants(*fs_, sim::current());
    }
    void start() override {
        for (auto& task : watched_.tasks)
            sim::current().spawn("task", [body = &task, fs = fs_] { (*body)(*fs); });
    }
    void check_end() override { model::check_end(*fs_); }
    std::uint64_t state_hash() override { return state_digest(*fs_); }

  private:
    const Watched watched_;
    FsInfo* fs_ = nullptr;
};

}  // namespace

sim::ProgramFactory watched_program(const Watched& watched) {
    return [watched] { return std::make_unique<WatchedProgram>(watched); };
}

sim::ExecutionResult run_watched(const Watched& watched) {
    sim::Execution execution(watched_program(watched), {});
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

sim::SearchReport hunt_watched(const Watched& watched, std::uint64_t executions,
                               std::uint64_t seed) {
    sim::HuntOptions options;
    options.count = executions;
    options.seed = seed;
    return sim::hunt(watched_program(watched), options);
}

sim::SearchReport explore_watched(const Watched& watched, std::uint32_t deviations) {
    sim::ExploreOptions options;
    options.max_deviations = deviations;
    return sim::explore(watched_program(watched), options);
}

std::string signature_of(const sim::ExecutionResult& result) {
    if (result.violation) return result.violation->signature;
    return result.unordered.empty() ? std::string() : "unordered: " + result.unordered.front();
}

std::string signature_of(const sim::SearchReport& report) {
    if (!report.error.empty()) return "error: " + report.error;
    if (!report.failures.empty()) return report.failures.front().signature;
    return report.unordered.empty() ? std::string() : "unordered: " + report.unordered.front();
}

Geometry geometry_with_spare(unsigned devices) {
    Geometry geometry = small_geometry(devices);
    geometry.devices.push_back({"c", geometry.devices[0].size, true});
    return geometry;
}

void must(const Result<void>& result, const char* what) {
    if (!result) sim::violation(std::string("test/") + what, errno_name(result.error()));
}

}  // namespace test
