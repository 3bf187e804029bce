#include "model/device.h"

#include <catch2/catch.hpp>

#include "sim/completion.h"
#include "sim/strategy_dfs.h"
#include "tests/model/support/simulated_fs.h"
#include "tests/model/support/watched_fs.h"

namespace disk_test {

using namespace model;

namespace {

constexpr u64 somewhere = 8 << 20;
constexpr int io_error = -static_cast<int>(Errno::IO);

/// One request at a time, with its outcome.
struct Requester {
    Device& device;

    int run(DevRequest request, std::vector<Sector> buffer) {
        struct Wait {
            sim::Completion done;
            int error = 0;
        } wait;
        request.device = &device;
        request.sectors = static_cast<u32>(buffer.size());
        submit_request(
            request, buffer.data(),
            [](void* context, int error) {
                static_cast<Wait*>(context)->error = error;
                static_cast<Wait*>(context)->done.complete();
            },
            &wait);
        wait.done.wait();
        read_back = std::move(buffer);
        return wait.error;
    }
    int write(u64 physical, DataWord word, bool fua = false) {
        return run({.op = Req::Write, .fua = fua, .physical = physical}, {Sector{word, {}}});
    }
    int flush() { return run({.op = Req::Flush}, {}); }
    DataWord read(u64 physical) {
        CHECK(run({.op = Req::Read, .physical = physical}, {Sector{}}) == 0);
        return read_back[0].word;
    }
    DataWord durable(u64 physical) { return medium_durable(device, physical).word; }

    std::vector<Sector> read_back{};
};

sim::ExecutionResult run_on_device(void (*task)(Requester&)) {
    return test::run_on_fs({.mount = false}, [task](FsInfo& fs) {
        Requester requester{*fs.fs_devices.all_devices[0]};
        task(requester);
    });
}

}  // namespace

TEST_CASE("A device keeps what was flushed", "[model][disk]") {
    SECTION("a completed write is read back, and lost with the cache") {
        const auto result = run_on_device([](Requester& disk) {
            CHECK(disk.read(somewhere) == 0);
            CHECK(disk.write(somewhere, 7) == 0);
            CHECK(disk.read(somewhere) == 7);
            CHECK(disk.durable(somewhere) == 0);
        });
        CHECK(result.outcome == sim::Outcome::Completed);
    }
    SECTION("a flush makes all of the cache durable") {
        run_on_device([](Requester& disk) {
            disk.write(somewhere, 7);
            disk.write(somewhere + sectorsize, 8);
            CHECK(disk.flush() == 0);
            CHECK(disk.durable(somewhere) == 7);
            CHECK(disk.durable(somewhere + sectorsize) == 8);
            CHECK(disk.device.disk.cached.empty());
        });
    }
    SECTION("a FUA write is durable alone") {
        run_on_device([](Requester& disk) {
            disk.write(somewhere, 7);
            disk.write(somewhere + sectorsize, 8, true);
            CHECK(disk.durable(somewhere) == 0);
            CHECK(disk.durable(somewhere + sectorsize) == 8);
        });
    }
    SECTION("a write with preflush comes after what was in the cache") {
        run_on_device([](Requester& disk) {
            disk.write(somewhere, 7);
            disk.run({.op = Req::Write, .preflush = true, .physical = 0}, {Sector{9, {}}});
            CHECK(disk.durable(somewhere) == 7);
            CHECK(disk.durable(0) == 0);
            CHECK(disk.read(0) == 9);
        });
    }
    SECTION("the cache remembers each write of one sector in order") {
        run_on_device([](Requester& disk) {
            disk.write(somewhere, 7);
            disk.write(somewhere, 8);
            std::vector<DataWord> words;
            for (const auto& write : disk.device.disk.cache_log)
                words.push_back(write.sector.word);
            CHECK(words == std::vector<DataWord>{7, 8});
        });
    }
    SECTION("there is nothing behind the end of the device") {
        run_on_device([](Requester& disk) {
            CHECK(disk.write(disk.device.disk_total_bytes, 7) == io_error);
            CHECK(disk.device.in_flight.empty());
        });
    }
}

TEST_CASE("Sectors are equal when their bytes are", "[model][disk]") {
    const unsigned char zeros[sectorsize]{};
    unsigned char text[sectorsize] = "superblock";
    const Sector word{0, {}};
    const Sector same{0, SectorBytes::copy_of(zeros)};
    const Sector other{0, SectorBytes::copy_of(text)};
    CHECK(word == same);
    CHECK(sector_hash(word) == sector_hash(same));
    CHECK_FALSE(word == other);
    CHECK(sector_hash(word) != sector_hash(other));
    const Sector shared = other;
    CHECK(shared == other);
}

TEST_CASE("A flush depends on writes, but changes nothing that a read sees",
          "[model][disk][dpor]") {
    const auto [op, orders] =
        GENERATE(table<Req, std::uint64_t>({{Req::Read, 1}, {Req::Write, 2}}));
    test::Watched watched;
    const auto task = [](Req request, std::size_t sectors) {
        return [=](FsInfo& fs) {
            Requester requester{*fs.fs_devices.all_devices[0]};
            CHECK(requester.run({.op = request, .physical = somewhere},
                                std::vector<Sector>(sectors)) == 0);
        };
    };
    watched.tasks = {task(op, 1), task(Req::Flush, 0)};
    sim::ExploreOptions options;
    options.max_deviations = sim::DfsStrategy::unbounded;
    options.reduction = sim::Reduction::Dpor;
    CHECK(sim::explore(test::watched_program(watched), options).executions == orders);
}

TEST_CASE("A device that is pulled out fails every request, and keeps what it holds",
          "[model][disk]") {
    const auto result = run_on_device([](Requester& disk) {
        CHECK(disk.write(somewhere, 7, true) == 0);
        set_offline(disk.device);
        CHECK(disk.write(somewhere, 8) == io_error);
        CHECK(disk.write(somewhere, 9, true) == io_error);
        CHECK(disk.flush() == io_error);
        CHECK(disk.run({.op = Req::Read, .physical = somewhere}, {Sector{}}) == io_error);
        CHECK(disk.durable(somewhere) == 7);
        CHECK(disk.device.in_flight.empty());
    });
    CHECK(result.outcome == sim::Outcome::Completed);
}

TEST_CASE("Pulling a device out depends on every request that it completes",
          "[model][disk][dpor]") {
    const auto op = GENERATE(Req::Read, Req::Write, Req::Flush);
    test::Watched watched;
    watched.tasks = {[op](FsInfo& fs) {
                         Requester requester{*fs.fs_devices.all_devices[0]};
                         const std::size_t sectors = op == Req::Flush ? 0 : 1;
                         static_cast<void>(requester.run({.op = op, .physical = somewhere},
                                                         std::vector<Sector>(sectors)));
                     },
                     [](FsInfo& fs) { set_offline(*fs.fs_devices.all_devices[0]); }};
    sim::ExploreOptions options;
    options.max_deviations = sim::DfsStrategy::unbounded;
    options.reduction = sim::Reduction::Dpor;
    CHECK(sim::explore(test::watched_program(watched), options).executions == 2);
}

}  // namespace disk_test
