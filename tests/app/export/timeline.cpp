#include "app/export/timeline.h"

#include <catch2/catch.hpp>

namespace export_timeline_test {

using namespace app::exporter;

namespace {

/// "step 0 @0", "enter f @1": with the time in microseconds.
class Listener final : public TimelineReader {
  public:
    void stepped(std::uint32_t step, std::uint64_t ns) override {
        add("step " + std::to_string(step), ns);
    }
    void narrated(const sim::Narration& entry, std::uint64_t ns) override { add(entry.text, ns); }
    void traced(const sim::Tracepoint& point, std::uint64_t ns) override {
        add(point.name + (" " + point.fields), ns);
    }
    std::vector<std::string> told;

  private:
    void add(const std::string& text, std::uint64_t ns) {
        told.push_back(text + " @" + std::to_string(ns / 1000));
    }
};

}  // namespace

TEST_CASE("Steps, narration and tracepoints are told in the order in which they came",
          "[app][export]") {
    using Kind = sim::Narration::Kind;
    sim::Trace trace;
    trace.set_narrating(true);
    trace.begin_step({});
    trace.add_tracepoint("first", 0, "a=1");
    trace.narrate(Kind::Enter, 0, "f");
    trace.add_tracepoint("second", 0, "a=2");
    trace.add_tracepoint("third", 0, "a=3");
    trace.narrate(Kind::Leave, 0, "left");
    trace.begin_step({});
    trace.begin_step({});
    trace.add_tracepoint("fourth", 0, "a=4");

    Listener listener;
    tell(trace, listener);
    CHECK(listener.told == std::vector<std::string>{
                               "step 0 @0", "first a=1 @1", "f @2", "second a=2 @3", "third a=3 @4",
                               "left @5", "step 1 @1000", "step 2 @2000", "fourth a=4 @2001"});

    SECTION("a step that tells much does not reach into the next one") {
        for (int i = 0; i < 5000; ++i)
            trace.narrate(Kind::Note, 0, "note");
        Listener crowded;
        tell(trace, crowded);
        CHECK(crowded.told.size() == listener.told.size() + 5000);
        CHECK(crowded.told.back() == "note @2999");
    }
}

}  // namespace export_timeline_test
