// A model with a fault in it, and which detector notices: the table of docs/fidelity.md.
#ifdef INTERLEAF_MUTATIONS

#include <catch2/catch.hpp>

#include <set>

#include "app/crash/search.h"
#include "app/image/btrfs_check.h"
#include "tests/app/image/support.h"

namespace crash_mutations_test {

using namespace app;
using crash::CheckImages;
using crash::CrashSearch;
using crash::CrashSet;
using model::Mutation;

namespace {

const auto commits = test::scenario_of(
    R"({"devices": [{"name": "a", "size": "64M"}], "data": "single", "metadata": "single",
        "items_per_node": 4})",
    R"("touch f1", "touch f2", "pwrite -S 0x61 0 4K f1", "sync")",
    R"("one": {"cpu": 1, "run": ["pwrite -S 0x62 0 4K f1", "sync", "rm f2",
        "pwrite -S 0x63 0 4K f1", "sync"]})");

struct Detectors {
    std::string invariant;  // of single steps, commits and ends
    std::string crash;      // of mounts after crashes, without the others
    bool check_default = false, check_lowmem = false;  // of commits, ends and crashes
};

scenario::ProgramOptions mutated(Mutation mutation) {
    scenario::ProgramOptions options;
    options.prepared = [mutation](model::FsInfo& fs) { fs.mutation = mutation; };
    return options;
}

std::string signature_of(const sim::ExecutionResult& result) {
    return result.violation ? result.violation->signature : "";
}

/// Asks btrfs check about every commit, the end, and every crash, until each mode has complained.
class Tool final : public model::MediumObserver {
  public:
    explicit Tool(Detectors& found) : found_(found) {}
    void begun(model::FsInfo& /*fs*/) override {}
    void before_device_event(model::FsInfo& fs, const model::DevRequest& request) override {
        if (model::makes_durable(request)) crash(fs);
    }
    void after_device_event(model::FsInfo& fs, const model::DevRequest& request) override {
        if (model::makes_durable(request)) crash(fs);
    }
    void before_promise(model::FsInfo& /*fs*/) override {}
    void after_promise(model::FsInfo& /*fs*/) override {}
    void committed(model::FsInfo& fs) override { ask(fs, model::visible_medium(fs)); }
    void ended(model::FsInfo& fs) override { ask(fs, model::visible_medium(fs)); }

  private:
    void crash(const model::FsInfo& fs) {
        const model::CrashPoint point(fs);
        for (std::size_t i = 0; i < point.outcomes(); ++i)
            ask(fs, point.medium(i));
    }
    void ask(const model::FsInfo& fs, const model::Medium& medium) {
        if ((found_.check_default && found_.check_lowmem) || !seen_.insert(medium.hash()).second)
            return;
        for (const auto& verdict : image::check_image(image::take_image(fs, medium)))
            if (!verdict.clean)
                (verdict.mode == image::CheckMode::Default ? found_.check_default
                                                           : found_.check_lowmem) = true;
    }

    Detectors& found_;
    std::set<std::uint64_t> seen_;
};

Detectors detect(Mutation mutation) {
    Detectors found;
    found.invariant = signature_of(test::run_default(commits, mutated(mutation)));

    const auto search =
        std::make_shared<CrashSearch>(CrashSet{CrashSet::Kind::EveryFlush, 0}, CheckImages::None);
    scenario::ProgramOptions crashing =
        crash::program_options(search, model::KernelVersion{}, commits->geometry);
    crashing.prepared = mutated(mutation).prepared;
    crashing.watched = false;
    found.crash = signature_of(test::run_default(commits, crashing));

    if (!image::can_check()) return found;
    scenario::ProgramOptions asking = mutated(mutation);
    asking.watched = false;
    asking.observer = [&found] { return std::make_unique<Tool>(found); };
    test::run_default(commits, asking);
    return found;
}

}  // namespace

TEST_CASE("Every fault is found by an invariant, and by btrfs check where it can see it",
          "[app][crash][mutation]") {
    struct Row {
        Mutation mutation;
        const char* invariant;
        const char* crash;
        bool check_default, check_lowmem;
    };
    const Row row = GENERATE(values<Row>({
        {Mutation::None, "", "", false, false},
        {Mutation::EarlyReuse, "allocation-is-free", "mounts-after-crash/after-crash", true, true},
        {Mutation::SuperFirst, "committed-tree-intact", "mounts-after-crash/after-crash", true,
         true},
        {Mutation::NoFlush, "committed-tree-intact", "data-matches-checksum/after-crash", true,
         true},
        {Mutation::DroppedRef, "extent-refs", "extent-refs/after-crash", true, true},
        {Mutation::WrongLevel, "extent-refs", "extent-refs/after-crash", true, true},
        {Mutation::StalePointer, "committed-tree-intact", "mounts-after-crash/after-crash", true,
         true},
    }));
    const Detectors found = detect(row.mutation);
    INFO("mutation " << static_cast<int>(row.mutation));
    CHECK(found.invariant == row.invariant);
    CHECK(found.crash == row.crash);
    if (!image::can_check()) return;
    CHECK(found.check_default == row.check_default);
    CHECK(found.check_lowmem == row.check_lowmem);
}

}  // namespace crash_mutations_test

#endif
