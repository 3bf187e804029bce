#include "model/volumes.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "model/bio.h"
#include "tests/model/support/simulated_fs.h"

namespace volumes_test {

using namespace model;

namespace {

/// The model runs in fibers, where a failing REQUIRE could not be caught: there are only CHECKs.
const ChunkMap& data_chunk(FsInfo& fs) {
    const auto is_data = [](const auto& entry) { return (entry.second->type & bg_data) != 0; };
    return *std::find_if(fs.mapping_tree.begin(), fs.mapping_tree.end(), is_data)->second;
}

test::Options with_data_profile(u64 profile) {
    test::Options options{.geometry = test::small_geometry(2)};
    options.geometry.data_profile = profile;
    return options;
}

sim::ExecutionResult run_checked(const test::Options& options, std::function<void(FsInfo&)> task) {
    auto result = test::run_on_fs(options, std::move(task));
    INFO((result.violation ? result.violation->text : std::string()));
    CHECK(result.outcome == sim::Outcome::Completed);
    return result;
}

}  // namespace

TEST_CASE("A write goes to every copy of its profile", "[model][volumes]") {
    struct Case {
        u64 profile;
        std::size_t copies, devices;
        u32 max_errors;
    };
    const auto expected =
        GENERATE(Case{0, 1, 1, 0}, Case{bg_dup, 2, 1, 0}, Case{bg_raid1, 2, 2, 1});
    run_checked(with_data_profile(expected.profile), [&](FsInfo& fs) {
        const ChunkMap& chunk = data_chunk(fs);
        const Bytenr logical(chunk.logical + 3 * sectorsize);
        const auto write = map_block(fs, MapOp::Write, logical, sectorsize, 0);
        CHECK(write->stripes.size() == expected.copies);
        CHECK(write->max_errors == expected.max_errors);
        std::set<Device*> devices;
        for (std::size_t i = 0; i < write->stripes.size(); ++i) {
            const Stripe& stripe = write->stripes[i];
            devices.insert(stripe.dev);
            CHECK(stripe.physical == chunk.stripes[i].physical + 3 * sectorsize);
            const auto read =
                map_block(fs, MapOp::Read, logical, sectorsize, static_cast<u32>(i + 1));
            CHECK(read->stripes.size() == 1);
            CHECK(read->stripes[0].dev == stripe.dev);
            CHECK(read->stripes[0].physical == stripe.physical);
        }
        CHECK(devices.size() == expected.devices);
        CHECK(num_copies(fs, logical) == expected.copies);
    });
}

TEST_CASE("An address outside all chunks has no mapping", "[model][volumes]") {
    const auto result = run_checked({}, [](FsInfo& fs) {
        const auto mapped = map_block(fs, MapOp::Read, Bytenr(u64{1} << 40), sectorsize, 0);
        CHECK((!mapped && mapped.error() == Errno::IO));
    });
    REQUIRE(result.messages.size() == 1);
    CHECK(result.messages[0] ==
          "BTRFS critical (device a): unable to find logical 1099511627776 length 4096");
}

TEST_CASE("A bio ends once, when all its copies are written", "[model][volumes]") {
    const auto profile = GENERATE(u64{0}, bg_dup, bg_raid1);
    run_checked(with_data_profile(profile), [](FsInfo& fs) {
        const Bytenr logical(data_chunk(fs).logical);
        Bio& write = make_bio(fs, MapOp::Write, logical, 2);
        write.sectors[0].word = 11;
        write.sectors[1].word = 12;
        CHECK(submit_bio_wait(write, nullptr).ok());
        CHECK(fs.dev_replace.bio_counter.peek() == 0);
        for (u32 mirror = 1; mirror <= num_copies(fs, logical); ++mirror) {
            Bio& read = make_bio(fs, MapOp::Read, logical, 2);
            read.mirror = mirror;
            Vector<Sector> sectors;
            CHECK(submit_bio_wait(read, &sectors).ok());
            CHECK(sectors.at(0).word == 11);
            CHECK(sectors.at(1).word == 12);
        }
    });
}

TEST_CASE("One copy of a mirror may fail", "[model][volumes]") {
    const auto profile = GENERATE(u64{0}, bg_raid1);
    std::string failing;
    const auto result = run_checked(with_data_profile(profile), [&](FsInfo& fs) {
        const ChunkMap& chunk = data_chunk(fs);
        failing = device_path(*chunk.stripes[0].dev);
        chunk.stripes[0].dev->dev_state.set_bit(dev_state::missing);
        Bio& write = make_bio(fs, MapOp::Write, Bytenr(chunk.logical), 1);
        CHECK(submit_bio_wait(write, nullptr).ok() == (profile == bg_raid1));
    });
    REQUIRE(result.messages.size() == 1);
    CHECK(result.messages[0] == "BTRFS error (device a): bdev " + failing +
                                    " errs: wr 1, rd 0, flush 0, corrupt 0, gen 0");
}

TEST_CASE("A drained bio counter stays drained until it is unblocked", "[model][volumes]") {
    struct Order {
        bool drained = false, mapped_while_blocked = false;
    } order;
    const auto blocker = [&](FsInfo& fs) {
        rm_dev_replace_blocked(fs);
        order.drained = true;
        sim::current().yield();
        rm_dev_replace_unblocked(fs);
        order.drained = false;
    };
    const auto mapper = [&](FsInfo& fs) {
        bio_counter_inc_blocked(fs);
        order.mapped_while_blocked = order.drained;
        bio_counter_dec(fs);
    };
    const test::Options options;
    const auto result = test::run_on_fs(options, {blocker, mapper});
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK_FALSE(order.mapped_while_blocked);
}

TEST_CASE("Free ranges of a device leave out its first MiB and its super blocks",
          "[model][volumes]") {
    constexpr u64 mib = 1 << 20;
    CHECK(find_free_range({}, 128 * mib, mib).start == mib);
    CHECK(find_free_range({{mib, 10 * mib}}, 128 * mib, mib).start == 11 * mib);
    const DevHole behind_mirror = find_free_range({}, 256 * mib, 64 * mib);
    CHECK(behind_mirror.start == 64 * mib + (64 << 10));
    const DevHole largest = find_free_range({}, 32 * mib, 64 * mib);
    CHECK(largest.start == mib);
    CHECK(largest.length == 31 * mib);
}

}  // namespace volumes_test
