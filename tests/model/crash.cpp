#include "model/crash.h"

#include <catch2/catch.hpp>
#include <set>

#include "model/recovery.h"
#include "model/vfs.h"
#include "sim/completion.h"
#include "sim/strategy_dfs.h"
#include "tests/model/support/watched_fs.h"

namespace crash_test {

using namespace model;

namespace {

constexpr u64 there = 30 << 20;  // of no chunk

/// Hands requests to devices and waits for them.
struct Drive {
    FsInfo& fs;
    Device& device(std::size_t index) const { return *fs.fs_devices.all_devices[index]; }
    void request(DevRequest request, std::size_t index, std::vector<Sector> sectors) const {
        sim::Completion done;
        request.device = &device(index);
        request.sectors = static_cast<u32>(sectors.size());
        submit_request(
            request, sectors.data(),
            [](void* context, int) { static_cast<sim::Completion*>(context)->complete(); }, &done);
        done.wait();
    }
    void write(std::size_t index, u64 physical, std::vector<Sector> sectors) const {
        request({.op = Req::Write, .physical = physical}, index, std::move(sectors));
    }
    void flush(std::size_t index) const { request({.op = Req::Flush}, index, {}); }
};

Sector word(DataWord value) {
    return {value, {}};
}
Sector block(unsigned char fill) {
    unsigned char bytes[sectorsize];
    std::fill(std::begin(bytes), std::end(bytes), fill);
    bytes[0] = 0;  // not one word repeated
    return {0, SectorBytes::copy_of(bytes)};
}

/// The words that the media hold at some places, one string for each medium.
std::multiset<std::string> media(const FsInfo& fs,
                                 std::vector<std::pair<std::size_t, u64>> places) {
    const CrashPoint point(fs);
    CHECK(point.outcomes() == count_outcomes(fs));
    std::multiset<std::string> all;
    for (std::size_t i = 0; i < point.outcomes(); ++i) {
        const Medium medium = point.medium(i);
        std::string text;
        for (const auto& [device, physical] : places) {
            const Held* const held = medium.find(device, physical);
            text += held == nullptr ? "-" : std::to_string(held->word);
        }
        all.insert(text);
        CHECK_FALSE(point.text(i).empty());
    }
    return all;
}

void on_drives(unsigned devices, const std::function<void(Drive)>& body) {
    const auto result = test::run_on_fs({.geometry = test::small_geometry(devices)},
                                        [&](FsInfo& fs) { body(Drive{fs}); });
    INFO((result.violation ? result.violation->text : std::string()));
    CHECK(result.outcome == sim::Outcome::Completed);
}

}  // namespace

TEST_CASE("A crash keeps what was flushed and any of the rest", "[model][crash]") {
    on_drives(1, [](Drive drive) {
        const FsInfo& fs = drive.fs;
        CHECK(CrashPoint(fs).outcomes() == 1);
        drive.write(0, there, {word(1)});
        drive.flush(0);
        CHECK(media(fs, {{0, there}}) == std::multiset<std::string>{"1"});
        drive.write(0, there, {word(2)});
        drive.write(0, there + sectorsize, {word(3)});
        // None, all, and each of the two missing and alone.
        CHECK(media(fs, {{0, there}, {0, there + sectorsize}}) ==
              std::multiset<std::string>{"1-", "23", "13", "13", "2-", "2-"});
        drive.flush(0);
        CHECK(media(fs, {{0, there}, {0, there + sectorsize}}) == std::multiset<std::string>{"23"});
    });
}

TEST_CASE("A write through the cache stays, others around it do not", "[model][crash]") {
    on_drives(1, [](Drive drive) {
        drive.write(0, there, {word(1)});
        drive.request({.op = Req::Write, .fua = true, .physical = there + sectorsize}, 0,
                      {word(2)});
        const auto left = media(drive.fs, {{0, there}, {0, there + sectorsize}});
        CHECK(left == std::multiset<std::string>{"-2", "-2", "12", "12"});
    });
}

TEST_CASE("A tree block can be torn at every 512 bytes, a super block cannot", "[model][crash]") {
    on_drives(1, [](Drive drive) {
        drive.write(0, there, {block(7)});
        const CrashPoint point(drive.fs);
        REQUIRE(point.outcomes() == 2 + 2 + 7);
        std::set<unsigned> kept;
        for (std::size_t i = 0; i < point.outcomes(); ++i) {
            const Medium medium = point.medium(i);
            const Held* const held = medium.find(0, there);
            unsigned char bytes[sectorsize]{};
            if (held != nullptr) expand_held(*held, bytes);
            unsigned count = 0;
            while (count < 8 && bytes[count * 512 + 1] == 7)
                ++count;
            kept.insert(count);
        }
        CHECK(kept == std::set<unsigned>{0, 1, 2, 3, 4, 5, 6, 7, 8});
        drive.flush(0);
        drive.write(0, super_info_offset, {block(7)});
        CHECK(CrashPoint(drive.fs).outcomes() == 2 + 2);
    });
}

TEST_CASE("Two devices flushed by two tasks can leave all four media", "[model][crash]") {
    // In whatever order the flushes happen: before the first of them each device may be behind.
    on_drives(2, [](Drive drive) {
        drive.write(0, there, {word(1)});
        drive.write(1, there, {word(1)});
        const auto left = media(drive.fs, {{0, there}, {1, there}});
        CHECK(std::set<std::string>(left.begin(), left.end()) ==
              std::set<std::string>{"--", "1-", "-1", "11"});
    });
}

namespace {

/// What is left of two drives when everything that was not flushed is lost, at each flush.
struct LeftOfTwo final : MediumObserver {
    std::set<std::string> left;
    void look(const FsInfo& fs) {
        const Medium medium = CrashPoint(fs).medium(0);
        std::string text;
        for (const std::size_t device : {0, 1}) {
            const Held* const held = medium.find(device, there);
            text += held == nullptr ? "-" : std::to_string(held->word);
        }
        left.insert(text);
    }
    void begun(FsInfo& /*fs*/) override {}
    void before_device_event(FsInfo& fs, const DevRequest& /*request*/) override { look(fs); }
    void after_device_event(FsInfo& fs, const DevRequest& /*request*/) override { look(fs); }
    void before_promise(FsInfo& /*fs*/) override {}
    void after_promise(FsInfo& /*fs*/) override {}
    void committed(FsInfo& /*fs*/) override {}
    void ended(FsInfo& /*fs*/) override {}
};

}  // namespace

TEST_CASE("Two devices flushed by two tasks leave all four media, with every reduction",
          "[model][crash][cuts]") {
    LeftOfTwo observer;
    test::Watched watched{.geometry = test::small_geometry(2)};
    watched.prepare = [&observer](FsInfo& fs) {
        for (const std::size_t device : {0, 1})
            Drive{fs}.write(device, there, {word(1)});
        observe_medium(fs, &observer);
    };
    for (const std::size_t device : {0, 1})
        watched.tasks.push_back([device](FsInfo& fs) { Drive{fs}.flush(device); });
    const auto search = [&](sim::Reduction reduction, bool cuts) {
        sim::ExploreOptions options;
        options.max_deviations = sim::DfsStrategy::unbounded;
        options.reduction = reduction;
        options.cuts = cuts;
        observer.left.clear();
        CHECK(sim::explore(test::watched_program(watched), options).whole_space);
        return observer.left;
    };
    const std::set<std::string> all_four{"--", "1-", "-1", "11"};
    CHECK(search(sim::Reduction::None, false) == all_four);
    CHECK(search(sim::Reduction::Sleep, true) == all_four);
    CHECK(search(sim::Reduction::Dpor, true) == all_four);
    CHECK(search(sim::Reduction::Dpor, false).size() == 3);  // one order alone
}

TEST_CASE("What was promised is the same in equivalent executions", "[model][crash][cuts]") {
    // A write that is over when a sync begins is promised; the two touch nothing in common then.
    struct Promised final : MediumObserver {
        std::set<u64> left;
        void look(const FsInfo& fs) { left.insert(promises_of(fs).hash()); }
        void begun(FsInfo& /*fs*/) override {}
        void before_device_event(FsInfo& fs, const DevRequest& request) override {
            if (makes_durable(request)) look(fs);
        }
        void after_device_event(FsInfo& fs, const DevRequest& request) override {
            if (makes_durable(request)) look(fs);
        }
        void before_promise(FsInfo& fs) override { look(fs); }
        void after_promise(FsInfo& fs) override { look(fs); }
        void committed(FsInfo& /*fs*/) override {}
        void ended(FsInfo& /*fs*/) override {}
    } observer;
    test::Watched watched;
    watched.prepare = [&observer](FsInfo& fs) {
        test::must(vfs::create(fs, "f1"), "create");
        test::must(vfs::sync(fs), "sync");
        observe_medium(fs, &observer);
    };
    watched.tasks = {[](FsInfo& fs) { test::must(vfs::pwrite(fs, "f1", 0, 4096, 1), "pwrite"); },
                     [](FsInfo& fs) { static_cast<void>(vfs::sync(fs).ok()); }};
    const auto search = [&](std::size_t cache) {
        sim::ExploreOptions options;
        options.max_deviations = 1;
        options.cache_entries = cache;
        observer.left.clear();
        const auto report = sim::explore(test::watched_program(watched), options);
        CHECK(report.end == sim::SearchEnd::Complete);
        return observer.left;
    };
    const auto plain = search(0);
    CHECK(plain.size() > 2);
    CHECK((search(1 << 20) == plain));
}

TEST_CASE("Equal points have equal digests, others have not", "[model][crash]") {
    on_drives(1, [](Drive drive) {
        const u64 before = crash_digest(drive.fs);
        drive.write(0, there, {word(1)});
        const u64 cached = crash_digest(drive.fs);
        drive.flush(0);
        const u64 flushed = crash_digest(drive.fs);
        CHECK(std::set<u64>{before, cached, flushed}.size() == 3);
        CHECK(durable_hash(drive.fs) == durable_medium(drive.fs).hash());
        drive.write(0, there, {word(1)});
        drive.flush(0);
        CHECK(crash_digest(drive.fs) == flushed);
    });
}

TEST_CASE("A mount after a crash finds what was promised, or says what is missing",
          "[model][crash]") {
    std::optional<sim::Violation> sound, lost_data, lost_file, lost_transaction, lost_subvolume,
        unreadable, no_super;
    const Geometry geometry = test::small_geometry();
    const auto result = test::run_on_fs({.geometry = geometry}, [&](FsInfo& fs) {
        test::must(vfs::create(fs, "f1"), "create");
        test::must(vfs::pwrite(fs, "f1", 0, 8192, 0x61), "pwrite");
        test::must(vfs::subvolume_create(fs, "sub"), "subvolume");
        test::must(vfs::sync(fs), "sync");
        const Promises promised = promises_of(fs);
        REQUIRE(promised.files.size() == 1);
        REQUIRE(promised.subvolumes.size() == 1);
        Recovery recovery(same_kernel(fs.kernel), geometry);
        const Medium medium = durable_medium(fs);
        const auto mount = [&](const Medium& content, auto&& change) {
            Promises other = promised;
            change(other);
            return recovery.mount(content, other);
        };
        const auto as_it_is = [](Promises&) {};
        sound = mount(medium, as_it_is);
        lost_data = mount(medium, [](Promises& p) { p.files[0].sectors[0] = {1}; });
        lost_file = mount(medium, [](Promises& p) { p.files[0].path = "f2"; });
        lost_transaction = mount(medium, [](Promises& p) { ++p.generation; });
        lost_subvolume = mount(medium, [](Promises& p) { p.subvolumes[0] = "other"; });
        Medium torn = medium;
        const unsigned char zeros[sectorsize]{};
        const ChunkMap& chunk = *find_chunk_map(fs, fs.fs_root->commit_root->start);
        torn.put_copy(
            0, chunk.stripes[0].physical + fs.fs_root->commit_root->start.get() - chunk.logical,
            zeros);
        unreadable = mount(torn, as_it_is);
        Medium blank = medium;
        blank.put_copy(0, super_info_offset, zeros);
        no_super = mount(blank, as_it_is);
        // It is the same again after all that.
        CHECK_FALSE(mount(medium, as_it_is));
    });
    INFO((result.violation ? result.violation->text : std::string()));
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK_FALSE(sound);
    REQUIRE(
        (lost_data && lost_file && lost_transaction && lost_subvolume && unreadable && no_super));
    CHECK(lost_data->signature == "promises-kept");
    CHECK(lost_file->signature == "promises-kept");
    CHECK(lost_subvolume->signature == "promises-kept");
    CHECK(lost_transaction->signature == "last-super-block-wins");
    CHECK(unreadable->signature == "mounts-after-crash");
    CHECK(no_super->signature == "mounts-after-crash");
}

}  // namespace crash_test
