#include "app/report/ladder.h"

#include <catch2/catch.hpp>
#include <sstream>

namespace report_ladder_test {

using namespace app::report;

namespace {

using Kind = sim::Narration::Kind;

/// A trace made by hand: what the engine would have kept of an execution.
class Narrator {
  public:
    std::uint32_t task(const char* label, std::uint32_t parent = sim::Trace::no_parent) {
        return trace_.add_name({.parent = parent,
                                .label = label,
                                .kind = sim::TaskKind::Task,
                                .cpu = 0,
                                .path = 0,
                                .born = 0});
    }
    Narrator& enter(std::uint32_t task, const char* function) {
        return add(Kind::Enter, task, function);
    }
    Narrator& leave(std::uint32_t task) { return add(Kind::Leave, task, ""); }
    Narrator& note(std::uint32_t task, const char* text) { return add(Kind::Note, task, text); }
    const sim::Trace& trace() const { return trace_; }

  private:
    Narrator& add(Kind kind, std::uint32_t task, const char* text) {
        trace_.narrate(kind, task, text);
        return *this;
    }
    sim::Trace trace_;
};

app::scenario::Scenario two_tasks() {
    app::scenario::Scenario scenario;
    scenario.tasks.push_back({.name = "replace", .cpu = 1, .run = {}});
    scenario.tasks.push_back({.name = "writer", .cpu = 2, .run = {}});
    return scenario;
}

const Columns cpus(two_tasks(), Columns::By::Cpu);

/// A race in small: a block is copied while a write to it is on its way.
Narrator race() {
    Narrator n;
    const auto replace = n.task("replace"), writer = n.task("writer"),
               bio = n.task("write_done", writer);
    n.enter(replace, "btrfs replace start a c").enter(replace, "scrub_enumerate_chunks");
    n.enter(replace, "read_tree").note(replace, "reads 5242880").leave(replace);
    n.note(replace, "finds block group 13631488");
    n.enter(writer, "writeback f1")
        .enter(writer, "cow_file_range")
        .note(writer, "reserves 13631488, 4096 bytes");
    n.leave(writer).leave(writer);
    n.enter(replace, "scrub_chunk").enter(replace, "scrub_stripe").leave(replace).leave(replace);
    n.enter(bio, "end_bio").note(bio, "writes 13631488").leave(bio);
    n.note(replace, "leaves block group 13631488").leave(replace).leave(replace);
    return n;
}

std::size_t longest_line(const std::string& text) {
    std::istringstream lines(text);
    std::size_t longest = 0;
    for (std::string line; std::getline(lines, line);)
        longest = std::max(longest, line.size());
    return longest;
}

}  // namespace

TEST_CASE("A ladder shows what touches what the finding names, and the way to it",
          "[app][report]") {
    const std::string text =
        ladder(race().trace(), cpus, {.width = 75, .finding = "data at 13631488 is lost"});
    CHECK(text == R"(       CPU 1                                CPU 2

 btrfs replace start a c
  scrub_enumerate_chunks()
   -> finds block group 13631488
                                      writeback f1
                                       cow_file_range()
                                        -> reserves 13631488, 4096 bytes
   scrub_chunk()
    scrub_stripe()
                                      write_done
                                       end_bio()
                                        -> writes 13631488
   -> leaves block group 13631488
)");
}

TEST_CASE("A full ladder leaves nothing out", "[app][report]") {
    const std::string text =
        ladder(race().trace(), cpus, {.width = 75, .full = true, .finding = {}});
    CHECK(text.find("read_tree()") != std::string::npos);
    CHECK(text.find("-> reads 5242880") != std::string::npos);
}

TEST_CASE("Without names in the finding a ladder shows what both sides name", "[app][report]") {
    const std::string text = ladder(race().trace(), cpus, {.width = 75, .finding = "a deadlock"});
    CHECK(text.find("reserves 13631488") != std::string::npos);
    CHECK(text.find("5242880") == std::string::npos);
}

TEST_CASE("No line of a ladder is wider than it may be", "[app][report]") {
    Narrator n;
    const auto left = n.task("replace"), right = n.task("writer");
    for (int depth = 0; depth < 30; ++depth) {
        n.enter(left, "a_function_with_a_rather_long_name_indeed");
        n.enter(right, "another_function_with_a_rather_long_name");
        n.note(right,
               "mentions 13631488 and goes on for quite a while, so that it has to be wrapped");
    }
    n.note(
        left,
        "a_word_that_is_longer_than_any_column_could_ever_be_and_cannot_be_broken_at_all_13631488");
    for (const std::size_t width : {40U, 75U, 100U})
        for (const bool full : {false, true}) {
            const std::string text =
                ladder(n.trace(), cpus, {.width = width, .full = full, .finding = "13631488"});
            INFO(text);
            CHECK(longest_line(text) <= width);
            CHECK(text.find('\t') == std::string::npos);
        }
}

TEST_CASE("Completions stand in the column of the task that caused them", "[app][report]") {
    Narrator n;
    const auto writer = n.task("writer"), bio = n.task("write_done", writer),
               worker = n.task("endio", bio);
    CHECK(cpus.of(n.trace(), worker) == 1);
    CHECK(cpus.headers() == std::vector<std::string>{"CPU 1", "CPU 2"});
    CHECK(Columns(two_tasks(), Columns::By::Cpu, 0).headers()[0] == "CPU 0");
    CHECK(Columns(two_tasks(), Columns::By::Task).headers()[1] == "writer");
}

TEST_CASE("A completion that is over is not shown as under way", "[app][report]") {
    Narrator n;
    const auto replace = n.task("replace"), writer = n.task("writer"),
               bio = n.task("read_done", replace);
    n.enter(replace, "btrfs replace start a c")
        .enter(replace, "scrub_chunk")
        .note(replace, "copies 13631488");
    n.note(bio, "reads 5242880").enter(writer, "writeback f1").note(writer, "writes 13631488");
    const std::string text = ladder(n.trace(), cpus, {.width = 75, .finding = "13631488"});
    CHECK(text.find("read_done") == std::string::npos);
    CHECK(text.find("scrub_chunk()") != std::string::npos);
}

TEST_CASE("Tasks of one CPU share a column", "[app][report]") {
    app::scenario::Scenario scenario = two_tasks();
    scenario.tasks.push_back({.name = "reader", .cpu = 2, .run = {}});
    CHECK(Columns(scenario, Columns::By::Cpu).count() == 2);
    CHECK(Columns(scenario, Columns::By::Task).count() == 3);
}

TEST_CASE("An empty trace makes an empty ladder", "[app][report]") {
    CHECK(ladder(Narrator().trace(), cpus, {}) ==
          "       CPU 1                                CPU 2\n\n");
}

}  // namespace report_ladder_test
