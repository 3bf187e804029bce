#include "model/zone.h"

#include <catch2/catch.hpp>

#include "model/fs_info.h"
#include "sim/completion.h"
#include "tests/model/support/simulated_fs.h"

namespace zone_test {

using namespace model;

namespace {

constexpr u64 mib = u64{1} << 20;
constexpr int io_error = -static_cast<int>(Errno::IO);

Geometry zoned_device(u32 max_active_zones = 0) {
    Geometry geometry;
    geometry.devices = {{"a", 16 * mib}};
    geometry.zone_size = geometry.data_chunk = geometry.metadata_chunk = geometry.system_chunk =
        mib;
    geometry.max_active_zones = max_active_zones;
    return geometry;
}

/// Requests to the first device, one at a time.
struct Drive {
    Device& device;

    int run(DevRequest request, DataWord word) {
        struct Wait {
            sim::Completion done;
            int error = 0;
        } wait;
        Sector sector{.word = word, .bytes = nullptr};
        request.op = Req::Write;
        request.device = &device;
        request.sectors = 1;
        submit_request(
            request, &sector,
            [](void* context, int error) {
                static_cast<Wait*>(context)->error = error;
                static_cast<Wait*>(context)->done.complete();
            },
            &wait);
        wait.done.wait();
        return wait.error;
    }
    int write(u64 physical, DataWord word = 1) { return run({.physical = physical}, word); }
    /// @return the place, or 0
    u64 append(u64 zone, DataWord word = 1) {
        u64 place = 0;
        return run({.physical = zone, .append_place = &place}, word) == 0 ? place : 0;
    }
    DataWord at(u64 physical) const { return medium_read(device, physical).word; }
    u64 write_pointer(u64 zone) const { return find_zone(device, zone)->write_pointer; }
};

void on_drive(const Geometry& geometry, void (*task)(Drive&)) {
    const auto result = test::run_on_fs({.geometry = geometry, .mount = false}, [task](FsInfo& fs) {
        Drive drive{*fs.fs_devices.all_devices[0]};
        for (const auto& [start, zone] : drive.device.drive->zones)
            reset_zone(drive.device, start);  // what mkfs left
        task(drive);
    });
    CHECK(result.outcome == sim::Outcome::Completed);
}

}  // namespace

TEST_CASE("A sequential zone is written at its write pointer", "[model][zone]") {
    on_drive(zoned_device(), [](Drive& drive) {
        CHECK(drive.write(4 * mib) == 0);
        CHECK(drive.write_pointer(4 * mib) == 4 * mib + sectorsize);
        CHECK(drive.write(4 * mib) == io_error);
        CHECK(drive.write(4 * mib + u64{2} * sectorsize, 7) == io_error);
        CHECK(drive.at(4 * mib + u64{2} * sectorsize) == 0);
        CHECK(drive.device.in_flight.empty());
        CHECK(drive.write(4 * mib + sectorsize, 3) == 0);
        CHECK(drive.at(4 * mib + sectorsize) == 3);
        CHECK(drive.write(mib - sectorsize) == 0);  // conventional
    });
}

TEST_CASE("A zone append goes where the drive says", "[model][zone]") {
    on_drive(zoned_device(), [](Drive& drive) {
        CHECK(drive.append(4 * mib, 5) == 4 * mib);
        CHECK(drive.append(4 * mib, 6) == 4 * mib + sectorsize);
        CHECK(drive.at(4 * mib + sectorsize) == 6);
        finish_zone(drive.device, 4 * mib);
        CHECK(drive.append(4 * mib) == 0);
    });
}

TEST_CASE("A finished zone takes nothing until it is reset", "[model][zone]") {
    on_drive(zoned_device(), [](Drive& drive) {
        CHECK(drive.write(4 * mib, 9) == 0);
        finish_zone(drive.device, 4 * mib);
        CHECK(drive.write(4 * mib + sectorsize) == io_error);
        CHECK(drive.at(4 * mib) == 9);
        reset_zone(drive.device, 4 * mib);
        CHECK(drive.at(4 * mib) == 0);
        CHECK(drive.write(4 * mib) == 0);
    });
}

TEST_CASE("A drive has so many active zones at most", "[model][zone]") {
    on_drive(zoned_device(4), [](Drive& drive) {
        for (u64 zone = 4; zone < 8; ++zone)
            CHECK(drive.write(zone * mib) == 0);
        CHECK(drive.write(8 * mib) == io_error);
        finish_zone(drive.device, 5 * mib);
        CHECK(drive.write(8 * mib) == 0);
        CHECK(drive.write(9 * mib) == io_error);
        reset_zone(drive.device, 6 * mib);
        CHECK(drive.write(9 * mib) == 0);
    });
}

TEST_CASE("Write pointers are found again at mount", "[model][zone]") {
    on_drive(zoned_device(), [](Drive& drive) {
        CHECK(drive.write(4 * mib) == 0);
        CHECK(drive.write(4 * mib + sectorsize) == 0);
        for (auto& [start, zone] : drive.device.drive->zones)
            zone = {};
        report_zones(drive.device);
        CHECK(drive.write_pointer(4 * mib) == 4 * mib + u64{2} * sectorsize);
        CHECK(find_zone(drive.device, 4 * mib)->cond == ZoneCond::Open);
        CHECK(find_zone(drive.device, 5 * mib)->cond == ZoneCond::Empty);
        CHECK(find_zone(drive.device, 0) == nullptr);
    });
}

TEST_CASE("A zoned filesystem needs chunks of one zone", "[model][zone][mkfs]") {
    CHECK(check_geometry(zoned_device()).empty());
    CHECK(check_geometry(zoned_device(3)) != "");
    Geometry wrong = zoned_device();
    wrong.data_chunk = 2 * mib;
    CHECK(check_geometry(wrong) == "chunks of a zoned filesystem are as large as its zones");
    wrong = zoned_device();
    wrong.zone_size = 3 * mib;
    CHECK(check_geometry(wrong).starts_with("zone_size must be a power of two"));
}

}  // namespace zone_test
