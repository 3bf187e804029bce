#include "model/close_ctree.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "model/mount.h"
#include "model/vfs.h"
#include "tests/model/support/watched_fs.h"

namespace close_ctree_test {

using namespace model;

namespace {

void prepare_file(FsInfo& fs) {
    test::must(vfs::create(fs, "f1"), "create");
    test::must(vfs::pwrite(fs, "f1", 0, 8192, 0x61), "pwrite");
    test::must(vfs::sync(fs), "sync");
}

/// What a task does after something that may fail.
void ignore(const Result<void>& result) {
    static_cast<void>(result.ok());
}

/// The copier has begun, or will not any more.
void wait_for_copying(FsInfo& fs) {
    fs.scrub.pause_wait.wait_event([&fs] {
        return fs.scrub.running.load() > 0 || fs.dev_replace.exclusive_operation.load() == 0;
    });
}

/// A replace whose source is pulled out while it is copied, with an abort beside it; then an
/// unmount.
test::Watched aborted_replace(const std::string& kernel,
                              const std::vector<std::string>& without = {}) {
    test::Watched watched{
        .geometry = test::geometry_with_spare(), .kernel = kernel, .without = without};
    watched.prepare = [](FsInfo& fs) {
        prepare_file(fs);
        count_holders(fs);
    };
    watched.tasks = {[](FsInfo& fs) {
                         if (!enter_mount(fs)) return;
                         ignore(vfs::replace_start(fs, "a", "c"));
                         leave_mount(fs);
                         ignore(vfs::umount(fs));
                     },
                     [](FsInfo& fs) {
                         if (!enter_mount(fs)) return;
                         ignore(vfs::create(fs, "f2"));
                         set_offline(*find_device_by_name(fs, "a"));
                         ignore(vfs::sync(fs));
                         leave_mount(fs);
                     }};
    return watched;
}

bool says(const sim::ExecutionResult& result, const std::string& text) {
    return std::ranges::any_of(
        result.messages, [&](const std::string& m) { return m.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("An unmount commits what is dirty and closes the devices", "[model][close_ctree]") {
    const auto kernel = GENERATE("4.6", "5.5", "5.6", "5.14", "5.15", "6.12");
    test::Watched watched{.kernel = kernel, .prepare = prepare_file};
    watched.tasks = {[](FsInfo& fs) {
        test::must(vfs::pwrite(fs, "f1", 0, 4096, 0x62), "pwrite");
        const u64 before = fs.last_trans_committed.load();
        test::must(vfs::umount(fs), "umount");
        CHECK(fs.last_trans_committed.load() > before);
        CHECK(fs.fs_devices.open_devices == 0);
        CHECK(fs.fs_devices.rw_devices == 0);
        for (const Device* const device : fs.fs_devices.devices)
            CHECK_FALSE((device->test(dev_state::writeable) || device->on_alloc_list));
    }};
    const auto result = test::run_watched(watched);
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(test::signature_of(result) == "");
}

TEST_CASE("A filesystem is unmounted when nobody is in it", "[model][close_ctree]") {
    test::Watched watched{.prepare = [](FsInfo& fs) {
        prepare_file(fs);
        test::must(vfs::open(fs, "f1"), "open");
        count_holders(fs);
    }};
    watched.tasks = {[](FsInfo& fs) {
        CHECK(vfs::umount(fs).error() == Errno::Busy);
        test::must(vfs::close(fs, "f1"), "close");
        CHECK(enter_mount(fs));
        CHECK(vfs::umount(fs).error() == Errno::Busy);
        test::must(vfs::open(fs, "f1"), "open");
        leave_mount(fs);
        CHECK(vfs::umount(fs).error() == Errno::Busy);
        test::must(vfs::close(fs, "f1"), "close");
        CHECK(vfs::umount(fs).ok());
        CHECK(vfs::umount(fs).error() == Errno::Inval);
        CHECK_FALSE(enter_mount(fs));
    }};
    CHECK(test::signature_of(test::run_watched(watched)) == "");
}

TEST_CASE("An unmount suspends a replace, and its item says so", "[model][close_ctree]") {
    unsigned suspended = 0;
    test::Watched watched{.geometry = test::geometry_with_spare(), .prepare = prepare_file};
    watched.tasks = {[](FsInfo& fs) {
                         if (!vfs::replace_start(fs, "a", "c").ok()) return;
                         CHECK((fs.dev_replace.replace_state == ReplaceState::Finished ||
                                fs.dev_replace.replace_state == ReplaceState::Suspended));
                     },
                     [&](FsInfo& fs) {  // nothing counts the calls: as the mount's own task does,
                                        // which no call is
                         wait_for_copying(fs);
                         dev_replace_suspend_for_unmount(fs);
                         ignore(scrub_cancel(fs));
                         if (fs.dev_replace.replace_state != ReplaceState::Suspended) return;
                         ++suspended;
                         test::must(vfs::create(fs, "f2"), "create");
                         test::must(vfs::sync(fs), "sync");
                         CHECK_FALSE(fs.dev_replace.item_needs_writeback);
                         CHECK(find_device_by_name(fs, "c")->test(dev_state::replace_tgt));
                     }};
    const auto report = test::hunt_watched(watched, 200);
    CHECK(test::signature_of(report) == "");
    CHECK(suspended > 0);
}

TEST_CASE("A replace that an abort ends leaves its target, which closing finds",
          "[model][close_ctree]") {
    // Found before and not after, with one budget.
    const auto before = test::explore_watched(aborted_replace("5.14"), 1);
    REQUIRE_FALSE(before.failures.empty());
    CHECK(test::signature_of(before) == "bug-on/btrfs_close_one_device");
    CHECK(test::signature_of(test::explore_watched(aborted_replace("6.1", {"0d977e0eba23"}), 1)) ==
          "bug-on/btrfs_close_one_device");
    CHECK(test::signature_of(test::explore_watched(aborted_replace("6.1"), 1)) == "");
    CHECK(test::signature_of(test::explore_watched(aborted_replace("5.5"), 1)) == "");
    const auto& failing = before.failures.front().result;
    CHECK(says(failing, "suspending dev_replace for unmount"));
    CHECK(says(failing, "forced readonly"));
}

}  // namespace close_ctree_test
