#include "model/ledger.h"

#include <catch2/catch.hpp>

#include "model/fs_info.h"
#include "tests/model/support/simulated_fs.h"

namespace ledger_test {

using namespace model;

namespace {

using Words = std::vector<u64>;

/// Runs `body` with a ledger and a file that it knows.
void with_file(const std::function<void(Ledger&, Inode&)>& body) {
    const auto result = test::run_on_fs({}, [&](FsInfo& fs) {
        Ledger ledger;
        Inode inode(fs, *fs.fs_root, 257);
        ledger.created(inode, "f1");
        body(ledger, inode);
    });
    CHECK(result.outcome == sim::Outcome::Completed);
}

void write(Ledger& ledger, const Inode& inode, u64 word, bool ok = true) {
    ledger.end(ledger.begin_write(inode, 0, sectorsize, word), inode, ok);
}

Words words(const Ledger& ledger, const Inode& inode, u64 since) {
    return ledger.possible_words(*ledger.find(inode), 0, since);
}

}  // namespace

TEST_CASE("A sector nobody wrote reads as zeros", "[model][ledger]") {
    with_file([](Ledger& ledger, Inode& inode) {
        CHECK(words(ledger, inode, ledger.now()) == Words{0});
    });
}

TEST_CASE("A completed write replaces what was there before it began", "[model][ledger]") {
    with_file([](Ledger& ledger, Inode& inode) {
        write(ledger, inode, 1);
        write(ledger, inode, 2);
        CHECK(words(ledger, inode, ledger.now()) == Words{2});
    });
}

TEST_CASE("An observer who began before a write was over may see the old word", "[model][ledger]") {
    with_file([](Ledger& ledger, Inode& inode) {
        write(ledger, inode, 1);
        const auto change = ledger.begin_write(inode, 0, sectorsize, 2);
        const u64 observer = ledger.now();
        CHECK(words(ledger, inode, observer) == Words{1, 2});
        ledger.end(change, inode, true);
        CHECK(words(ledger, inode, observer) == Words{1, 2});
        CHECK(words(ledger, inode, ledger.now()) == Words{2});
    });
}

TEST_CASE("Of two writes at the same time either may be the last", "[model][ledger]") {
    with_file([](Ledger& ledger, Inode& inode) {
        const auto first = ledger.begin_write(inode, 0, sectorsize, 1);
        const auto second = ledger.begin_write(inode, 0, sectorsize, 2);
        ledger.end(first, inode, true);
        ledger.end(second, inode, true);
        CHECK(words(ledger, inode, ledger.now()) == Words{1, 2});
    });
}

TEST_CASE("A failed write may have landed, and replaces nothing for certain", "[model][ledger]") {
    with_file([](Ledger& ledger, Inode& inode) {
        write(ledger, inode, 1);
        write(ledger, inode, 2, false);
        CHECK(words(ledger, inode, ledger.now()) == Words{1, 2});
    });
}

TEST_CASE("After a crash a file holds what was over when its fsync began, or anything later",
          "[model][ledger]") {
    with_file([](Ledger& ledger, Inode& inode) {
        write(ledger, inode, 1);
        write(ledger, inode, 2);
        const u64 fsync = ledger.now();
        write(ledger, inode, 3);
        ledger.promise(inode, fsync);
        const Ledger::File& file = *ledger.find(inode);
        CHECK(ledger.possible_words(file, 0, file.promised) == Words{2, 3});
    });
}

TEST_CASE("Nothing is promised of a file that lost a write", "[model][ledger]") {
    with_file([](Ledger& ledger, Inode& inode) {
        ledger.lost_write(inode);
        ledger.promise(inode, ledger.now());
        CHECK(ledger.find(inode)->promised == 0);
    });
}

TEST_CASE("A truncation leaves zeros behind the new size", "[model][ledger]") {
    with_file([](Ledger& ledger, Inode& inode) {
        write(ledger, inode, 1);
        ledger.end(ledger.begin_truncate(inode, 0), inode, true);
        CHECK(words(ledger, inode, ledger.now()) == Words{0});
    });
}

}  // namespace ledger_test
