#include "model/recovery.h"

#include <catch2/catch.hpp>
#include <set>

#include "model/crash.h"
#include "model/disk_io.h"
#include "model/vfs.h"
#include "tests/model/support/quiet_observer.h"
#include "tests/model/support/watched_fs.h"

namespace recovery_test {

using namespace model;

namespace {

/// Stops the machine at each device event while a replace copies, in every execution, and mounts
/// what that leaves.
class StopsWhileCopying final : public test::QuietObserver {
  public:
    using Tamper = std::function<void(DevReplaceItem&)>;
    /// @param tamper  what is done to the replace item of each medium before it is mounted
    explicit StopsWhileCopying(Tamper tamper = {}) : tamper_(std::move(tamper)) {}

    u64 resumed = 0, resumed_midway = 0, needed_degraded = 0;
    std::set<std::string> failures;  // signatures
    std::string text;                // of the last of them

    void before_device_event(FsInfo& fs, const DevRequest& /*request*/) override { stop(fs); }

  private:
    void stop(const FsInfo& fs) {
        if (fs.dev_replace.replace_state != ReplaceState::Started) return;
        if (!seen_.insert(crash_digest(fs)).second) return;
        if (!recovery_)
            recovery_ = std::make_unique<Recovery>(same_kernel(fs.kernel), *fs.geometry);
        const CrashPoint point(fs);
        const Promises promises = promises_of(fs);
        for (std::size_t i = 0; i < point.outcomes(); ++i)
            mount(fs, point.medium(i), promises);
    }
    void mount(const FsInfo& fs, Medium medium, const Promises& promises) {
        if (tamper_) tamper_with(medium);
        const auto found = recovery_->mount(medium, promises);
        const bool was_resumed = recovery_->after_resumed() != nullptr;
        resumed += was_resumed ? 1 : 0;
        resumed_midway += was_resumed && fs.dev_replace.committed_cursor_left > 0 ? 1 : 0;
        if (!found) return;
        if (found->signature == Recovery::needs_degraded) {
            ++needed_degraded;
        } else {
            failures.insert(found->signature);
            text = found->text;
        }
    }
    void tamper_with(Medium& medium) const {
        const Medium::Places before = medium.places(0);
        for (const auto& [physical, held] : before) {
            if (held.bytes == nullptr) continue;
            unsigned char block[sectorsize];
            expand_held(held, block);
            if (tamper_with(block)) medium.put_copy(0, physical, block);
        }
    }
    /// @return whether the block was a leaf with a replace item
    bool tamper_with(unsigned char* block) const {
        const auto header = load<HeaderItem>(block);
        if (header.owner != dev_tree_objectid || header.level != 0) return false;
        for (u32 i = 0; i < header.nritems; ++i) {
            const auto item = load<LeafItem>(block + sizeof(HeaderItem) + i * sizeof(LeafItem));
            if (item.key.cpu() != dev_replace_item_key) continue;
            unsigned char* const data = block + sizeof(HeaderItem) + item.offset;
            auto replace = load<DevReplaceItem>(data);
            tamper_(replace);
            store(data, replace);
            seal_block(block, sectorsize);
            return true;
        }
        return false;
    }

    Tamper tamper_;
    std::unique_ptr<Recovery> recovery_;
    std::set<u64> seen_;
};

/// A replace beside a task that keeps promises: a commit falls anywhere into the copying.
test::Watched replace_beside_fsync(const std::string& kernel, StopsWhileCopying& stops) {
    test::Watched watched{.geometry = test::geometry_with_spare(), .kernel = kernel};
    watched.prepare = [&stops](FsInfo& fs) {
        for (const char* path : {"f1", "n1"}) {
            test::must(vfs::create(fs, path), "create");
            test::must(vfs::set_nocow(fs, path, path[0] == 'n'), "chattr");
            test::must(vfs::pwrite(fs, path, 0, 8192, 0x61), "pwrite");
        }
        test::must(vfs::sync(fs), "sync");
        observe_medium(fs, &stops);
    };
    watched.tasks = {[](FsInfo& fs) { test::must(vfs::replace_start(fs, "a", "c"), "replace"); },
                     [](FsInfo& fs) {
                         for (const u8 pattern : {u8{0x62}, u8{0x63}}) {
                             for (const char* path : {"n1", "f1"}) {
                                 test::must(vfs::pwrite(fs, path, 0, 4096, pattern), "pwrite");
                                 test::must(vfs::fsync(fs, path), "fsync");
                             }
                         }
                     }};
    return watched;
}

/// Random executions, all on this thread. @return the signature of their failure
std::string run_random(const test::Watched& watched, u64 executions) {
    sim::Execution execution(test::watched_program(watched), {});
    REQUIRE(execution.preparation_error().empty());
    for (u64 seed = 1; seed <= executions; ++seed) {
        const auto strategy = sim::make_random(seed);
        strategy->next_execution();
        const auto& result = execution.run(*strategy);
        if (result.violation) return result.violation->signature + ": " + result.violation->text;
    }
    return "";
}

}  // namespace

TEST_CASE("A replace that a crash interrupts is resumed by the mount and comes to its end",
          "[model][recovery][dev_replace]") {
    const auto kernel = GENERATE("4.7", "5.5", "6.1", "6.4");
    StopsWhileCopying stops;
    CHECK(run_random(replace_beside_fsync(kernel, stops), 2) == "");
    CHECK(stops.failures == std::set<std::string>{});
    CHECK(stops.resumed > 100);
    CHECK(stops.resumed_midway > 100);
    CHECK(stops.needed_degraded > 0);  // between the two super blocks of the first commit
}

TEST_CASE("A resumed replace that skips what was not copied is found",
          "[model][recovery][dev_replace]") {
    StopsWhileCopying stops([](DevReplaceItem& item) { item.cursor_left = u64{1} << 40; });
    CHECK(run_random(replace_beside_fsync("6.1", stops), 1) == "");
    CHECK(stops.failures.contains("replace-target-equals-source"));
}

TEST_CASE("A resumed replace that does not put its target in place is found",
          "[model][recovery][dev_replace]") {
    // The target is given up once a write to it has failed.
    StopsWhileCopying stops([](DevReplaceItem& item) { item.num_write_errors = 1; });
    CHECK(run_random(replace_beside_fsync("6.1", stops), 1) == "");
    CHECK(stops.failures == std::set<std::string>{Recovery::unfinished});
    INFO(stops.text);
    CHECK(stops.text.find("continuing dev_replace from /dev/a (devid 1) to target /dev/c @") !=
          std::string::npos);
}

TEST_CASE("A replace that cannot be gone on with stays suspended, and can be cancelled",
          "[model][recovery][dev_replace]") {
    const bool missing = GENERATE(true, false);
    const auto result = test::run_on_fs({.geometry = test::geometry_with_spare()}, [&](FsInfo& fs) {
        DevReplace& replace = fs.dev_replace;
        replace.is_valid = true;
        replace.replace_state = ReplaceState::Started;
        replace.srcdev = find_device_by_name(fs, "a");
        replace.tgtdev = missing ? nullptr : find_device_by_name(fs, "c");
        replace.exclusive_operation.store(missing ? 0 : 1);
        resume_dev_replace_async(fs);
        CHECK(replace.replace_state == ReplaceState::Suspended);
        CHECK(replace.exclusive_operation.load() == (missing ? 0 : 1));
        test::must(dev_replace_cancel(fs), "cancel");
        CHECK(replace.replace_state == ReplaceState::Canceled);
        resume_dev_replace_async(fs);
        CHECK(replace.replace_state == ReplaceState::Canceled);
    });
    INFO((result.violation ? result.violation->text : std::string()));
    CHECK(result.outcome == sim::Outcome::Completed);
    REQUIRE(result.messages.size() >= 1);
    CHECK(result.messages[0] ==
          (missing ? "BTRFS info (device a): cannot continue dev_replace, tgtdev is missing"
                   : "BTRFS info (device a): cannot resume dev-replace, other exclusive operation "
                     "running"));
}

}  // namespace recovery_test
