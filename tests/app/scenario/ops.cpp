#include "app/scenario/ops.h"

#include <catch2/catch.hpp>

namespace scenario_ops_test {

using namespace app::scenario;

namespace {

const std::vector<std::string> devices{"a", "spare1"};

Op parsed(std::string_view text) {
    const auto op = parse_op(text, devices);
    INFO(text);
    REQUIRE(op.ok());
    return op.value();
}

OpError mistake(std::string_view text) {
    const auto op = parse_op(text, devices);
    INFO(text);
    REQUIRE_FALSE(op.ok());
    return op.error();
}

}  // namespace

TEST_CASE("An operation is a command line of xfs_io or btrfs-progs", "[app][scenario]") {
    const Op write = parsed(" pwrite  -S 0x61 4K 8K  f1 ");
    CHECK(write.verb == Op::Verb::Pwrite);
    CHECK(write.text == "pwrite -S 0x61 4K 8K f1");
    CHECK(write.pattern == 0x61);
    CHECK(write.offset == 4096);
    CHECK(write.length == 8192);
    CHECK(write.subject == "f1");

    CHECK(parsed("pwrite 0 4K f1").pattern == -1);
    CHECK(parsed("pread -S 97 0 4096 snap/f1").subject == "snap/f1");
    CHECK(parsed("chattr +C f1").flag);
    CHECK_FALSE(parsed("chattr -C f1").flag);
    CHECK(parsed("truncate 0 f1").length == 0);
    CHECK(parsed("open f1").verb == Op::Verb::Open);
    CHECK(parsed("close s/f1").verb == Op::Verb::Close);
    CHECK(parsed("sync").verb == Op::Verb::Sync);
    CHECK(parsed("commit").verb == Op::Verb::Commit);

    const Op snapshot = parsed("btrfs subvolume snapshot -r . snap");
    CHECK(snapshot.verb == Op::Verb::Snapshot);
    CHECK(snapshot.flag);
    CHECK(snapshot.subject == ".");
    CHECK(snapshot.object == "snap");
    CHECK_FALSE(parsed("btrfs subvolume snapshot . snap").flag);
    CHECK(parsed("btrfs subvolume create s").subject == "s");
    CHECK(parsed("btrfs scrub start a").verb == Op::Verb::ScrubStart);
    CHECK(parsed("btrfs replace cancel").verb == Op::Verb::ReplaceCancel);
    const Op balance = parsed("btrfs balance start -m");
    CHECK(balance.verb == Op::Verb::BalanceStart);
    CHECK((balance.metadata && !balance.data));
    CHECK(parsed("btrfs balance start -d -m").data);
    CHECK(parsed("btrfs balance pause").verb == Op::Verb::BalancePause);
    CHECK(parsed("btrfs balance resume").verb == Op::Verb::BalanceResume);
    CHECK(parsed("btrfs balance cancel").verb == Op::Verb::BalanceCancel);
    const Op dedupe = parsed("dedupe s1/f1 8K 4K 12K s1/f2");
    CHECK(dedupe.verb == Op::Verb::Dedupe);
    CHECK((dedupe.object == "s1/f1" && dedupe.subject == "s1/f2"));
    CHECK((dedupe.source_offset == 8192 && dedupe.offset == 4096 && dedupe.length == 12288));
    const Op send = parsed("btrfs send -p s1 -f pipe s2");
    CHECK(send.verb == Op::Verb::Send);
    CHECK((send.subject == "s2" && send.object == "s1" && send.pipe == "pipe"));
    CHECK(parsed("btrfs send -f /dev/null s2").pipe == "/dev/null");
    CHECK(parsed("btrfs send s2").object.empty());
    CHECK(parsed("cat pipe").pipe == "pipe");
    const Op resize = parsed("btrfs filesystem resize a 32M");
    CHECK(resize.verb == Op::Verb::Resize);
    CHECK((resize.subject == "a" && resize.length == 32 << 20));

    const Op replace = parsed("btrfs replace start a spare1");
    CHECK(replace.verb == Op::Verb::ReplaceStart);
    CHECK(replace.subject == "a");
    CHECK(replace.object == "spare1");
}

TEST_CASE("An operation can depend on the one before it, and can be one that must succeed",
          "[app][scenario]") {
    const Op plain = parsed("sync");
    CHECK_FALSE((plain.after_success || plain.must_succeed));
    const Op both = parsed("&&  btrfs balance resume || fail");
    CHECK(both.verb == Op::Verb::BalanceResume);
    CHECK((both.after_success && both.must_succeed));
    CHECK(both.text == "&& btrfs balance resume || fail");
    CHECK(parsed("cat pipe || fail").pipe == "pipe");
    CHECK(mistake("&&").message == "empty operation");
    CHECK(parsed("rm f1  || true").may_fail);
    CHECK_FALSE(parsed("rm f1 || true").must_succeed);
    CHECK(parsed("rm f1  || true").text == "rm f1 || true");
    CHECK((parsed("rm f1 || break").ends_repeat && !parsed("rm f1 || break").may_fail));
    CHECK(mistake("sync ||").message == "\"sync ||\": nothing stands behind \"||\"");
    CHECK(mistake("sync || fial").message == "\"sync || fial\": unexpected \"fial\" behind \"||\"");
    CHECK(mistake("sync || fial").nearest == "|| fail");
    CHECK(mistake("sync || ture").nearest == "|| true");
    CHECK(mistake("sync || true || fail").expected ==
          "\"CALL || fail\", \"CALL || true\" or \"CALL || break\"");
}

TEST_CASE("Each usage line parses itself once its arguments are filled in", "[app][scenario]") {
    CHECK(op_usages().size() == 29);
    for (const std::string usage : op_usages())
        CHECK(mistake(usage + " extra extra extra extra extra").expected != "");
}

TEST_CASE("A wrong operation gets the nearest valid word", "[app][scenario]") {
    CHECK(mistake("pwrte 0 4K f1").nearest == "pwrite");
    CHECK(mistake("btrfs subvolume snapshoot . s").nearest == "btrfs subvolume snapshot");
    CHECK(mistake("btrfs replce start a spare1").nearest == "btrfs replace start");
    CHECK(mistake("btrfs scrub").nearest == "btrfs scrub start");
    CHECK(mistake("btrfs scrub start b").message.find("no device \"b\"") != std::string::npos);
    CHECK(mistake("btrfs scrub start sapre1").nearest == "spare1");
    CHECK(mistake("btrfs replace start a spare").nearest == "spare1");
    CHECK(mistake("").message == "empty operation");
}

TEST_CASE("A wrong argument is named, with the usage line", "[app][scenario]") {
    CHECK(mistake("pwrite 0 4X f1").message.find("\"4X\" is no size") != std::string::npos);
    CHECK(mistake("pwrite 0 4X f1").expected == "\"pwrite [-S PATTERN] OFFSET LENGTH FILE\"");
    CHECK(mistake("pwrite 0 5000 f1").nearest == "8K");
    CHECK(mistake("pwrite 0 0 f1").nearest == "4K");
    CHECK(mistake("pwrite -S 256 0 4K f1").message.find("no byte") != std::string::npos);
    CHECK(mistake("pwrite 0 4K").message.find("FILE is missing") != std::string::npos);
    CHECK(mistake("pwrite -S").message.find("missing") != std::string::npos);
    CHECK(mistake("fsync f1 f2").message.find("unexpected \"f2\"") != std::string::npos);
    CHECK(mistake("touch -f").message.find("no name") != std::string::npos);
    CHECK(mistake("touch a/b/c").message.find("no name") != std::string::npos);
    CHECK(mistake("chattr +i f1").nearest == "+C");
    CHECK(mistake("btrfs subvolume create a/b").message.find("no name") != std::string::npos);
}

}  // namespace scenario_ops_test
