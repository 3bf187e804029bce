#include <catch2/catch.hpp>
#include <set>

#include "model/balance.h"
#include "model/crash.h"
#include "model/disk_io.h"
#include "model/recovery.h"
#include "model/relocation.h"
#include "model/vfs.h"
#include "tests/model/support/quiet_observer.h"
#include "tests/model/support/watched_fs.h"

namespace recovery_balance_test {

using namespace model;

namespace {

/// Stops the machine at each device event of a balance, in every execution, and mounts what that
/// leaves.
class StopsWhileBalancing final : public test::QuietObserver {
  public:
    std::function<void(FsInfo&)> before_mount;
    u64 mounts = 0, resumed = 0, while_merging = 0;
    std::set<std::string> failures;  // signatures
    std::string text;                // of the last of them

    void before_device_event(FsInfo& fs, const DevRequest& /*request*/) override { stop(fs); }

  private:
    void stop(const FsInfo& fs) {
        if (fs.balance.ctl == nullptr || !seen_.insert(crash_digest(fs)).second) return;
        if (!recovery_)
            recovery_ = std::make_unique<Recovery>(same_kernel(fs.kernel), *fs.geometry);
        recovery_->before_mount = before_mount;
        const CrashPoint point(fs);
        const Promises promises = promises_of(fs);
        const bool merging = fs.reloc.ctl != nullptr && fs.reloc.ctl->merge_reloc_tree;
        for (std::size_t i = 0; i < point.outcomes(); ++i) {
            const auto found = recovery_->mount(point.medium(i), promises);
            ++mounts;
            resumed += recovery_->after_resumed() != nullptr ? 1 : 0;
            while_merging += merging ? 1 : 0;
            if (!found) continue;
            failures.insert(found->signature);
            text = found->text;
        }
    }

    std::unique_ptr<Recovery> recovery_;
    std::set<u64> seen_;
};

/// A balance of everything beside a task that keeps promises, in a filesystem with a snapshot.
test::Watched balance_beside_fsync(const std::string& kernel, StopsWhileBalancing& stops) {
    test::Watched watched{.kernel = kernel};
    watched.prepare = [&stops](FsInfo& fs) {
        test::must(vfs::create(fs, "f1"), "create");
        test::must(vfs::pwrite(fs, "f1", 0, 8192, 0x61), "pwrite");
        test::must(vfs::sync(fs), "sync");
        test::must(vfs::snapshot(fs, ".", "s1", true), "snapshot");
        test::must(vfs::sync(fs), "sync");
        observe_medium(fs, &stops);
    };
    watched.tasks = {[](FsInfo& fs) { test::must(balance_start(fs, true, true), "balance"); },
                     [](FsInfo& fs) {
                         test::must(vfs::pwrite(fs, "f1", 0, 4096, 0x62), "pwrite");
                         test::must(vfs::fsync(fs, "f1"), "fsync");
                     }};
    return watched;
}

void run_beside_fsync(const std::string& kernel, StopsWhileBalancing& stops) {
    sim::Execution execution(test::watched_program(balance_beside_fsync(kernel, stops)), {});
    REQUIRE(execution.preparation_error().empty());
    const auto strategy = sim::make_random(1);
    strategy->next_execution();
    CHECK(test::signature_of(execution.run(*strategy)) == "");
}

}  // namespace

TEST_CASE("A balance that a crash interrupts is resumed by the mount and comes to its end",
          "[model][recovery][relocation]") {
    const auto kernel = GENERATE("5.0", "5.5", "6.1");
    StopsWhileBalancing stops;
    run_beside_fsync(kernel, stops);
    INFO(stops.text);
    CHECK(stops.failures == std::set<std::string>{});
    CHECK(stops.mounts > 100);
    CHECK(stops.resumed > 100);
    CHECK(stops.while_merging > 10);
}

#ifdef INTERLEAF_MUTATIONS
TEST_CASE("A mount that forgets the balance which a crash interrupted is found",
          "[model][recovery][relocation][mutation]") {
    StopsWhileBalancing stops;
    stops.before_mount = [](FsInfo& fs) { fs.mutation = Mutation::ForgottenBalance; };
    run_beside_fsync("6.1", stops);
    CHECK(stops.failures == std::set<std::string>{Recovery::unfinished_balance});
}
#endif

}  // namespace recovery_balance_test
