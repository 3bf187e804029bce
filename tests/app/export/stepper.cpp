#include "app/export/stepper.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "app/export/trace_document.h"
#include "sim/strategies.h"
#include "tests/app/export/support.h"

namespace export_stepper_test {

using namespace app;
using namespace app::exporter;

namespace {

/// Runs branches, and remembers what was saved.
class Host final : public StepperHost {
  public:
    Host() {
        const auto strategy = sim::make_random(3);
        add(record_two_writers(*strategy));
    }
    sim::Result<const SortedJson*, StepMistake> take(std::size_t branch, std::uint32_t steps,
                                                     std::size_t candidate) override {
        const Recorded& base = runs.at(branch);
        for (const ChoicePoint& point : base.choices)
            if (point.step == steps) {
                const auto strategy = sim::make_replay(branch_schedule(base, point, candidate));
                return add(record_two_writers(*strategy));
            }
        return StepMistake{"no choice", ""};
    }
    sim::Result<std::string, StepMistake> save(const std::string& file, std::size_t branch,
                                               const std::vector<StepNote>& notes) override {
        if (file == "full") return StepMistake{"no room", "empty"};
        saved += file + " " + std::to_string(branch) + " " + std::to_string(notes.size()) + "\n";
        return std::string("saved");
    }

    std::vector<Recorded> runs;
    std::vector<std::unique_ptr<SortedJson>> documents;
    std::string saved;

  private:
    const SortedJson* add(Recorded recorded) {
        About about;
        about.scenario = scenario_under_test();
        about.verdict = "CLEAN";
        documents.push_back(std::make_unique<SortedJson>(trace_document(recorded, about)));
        runs.push_back(std::move(recorded));
        return documents.back().get();
    }
};

struct Session {
    Host host;
    Stepper stepper{*host.documents.front(), host};

    std::string say(const std::string& line) {
        const auto answer = stepper.command(line);
        INFO(line << ": " << (answer.ok() ? "" : answer.error().message));
        REQUIRE(answer.ok());
        return answer.value();
    }
    StepMistake mistake(const std::string& line) {
        const auto answer = stepper.command(line);
        INFO(line << ": " << (answer.ok() ? answer.value() : ""));
        REQUIRE(!answer.ok());
        return answer.error();
    }
    void stand_at(std::uint32_t step) { say("g " + std::to_string(step)); }
    /// A choice in the middle, and the number of a candidate that was not taken there.
    std::pair<std::uint32_t, std::string> choice() const {
        const ChoicePoint& point = host.runs[0].choices.at(host.runs[0].choices.size() / 2);
        return {point.step, taken(host.runs[0], point) == 0 ? "2" : "1"};
    }
};

}  // namespace

TEST_CASE("A stepper stays within the execution", "[app][export]") {
    Session session;
    const std::uint32_t steps = session.host.runs[0].result.steps;
    session.say("b 3");
    CHECK(session.stepper.position() == 0);
    session.say("n");
    CHECK(session.stepper.position() == 1);
    session.say("g 99999999999");
    CHECK(session.stepper.position() == steps);
    session.say("n 18446744073709551615");
    CHECK(session.stepper.position() == steps);
    session.say("b " + std::to_string(steps - 1));
    CHECK(session.stepper.position() == 1);
    CHECK(session.mistake("n many").message == "n \"many\": expected a number");
    CHECK(session.stepper.position() == 1);
}

TEST_CASE("A watched record is stopped at exactly where it changes, from both ends",
          "[app][export]") {
    Session session;
    const SortedJson& deltas = session.host.documents[0]->at("state").at("deltas");
    std::vector<std::uint32_t> wanted;
    for (std::uint32_t step = 0; step < deltas.size(); ++step)
        if (const auto change = deltas[step].find("space");
            change != deltas[step].end() && change->contains("METADATA"))
            wanted.push_back(step + 1);
    REQUIRE(wanted.size() > 3);
    const std::string on = GENERATE("c", "rc");
    if (on == "rc") std::reverse(wanted.begin(), wanted.end());
    session.say("watch space/METADATA");
    session.say(on == "rc" ? "end" : "start");
    // The last step may be a stop itself: going back leaves it.
    if (on == "rc" && session.stepper.position() == wanted.front()) wanted.erase(wanted.begin());
    for (const std::uint32_t place : wanted) {
        session.say(on);
        CHECK(session.stepper.position() == place);
    }
    CHECK(session.say(on).starts_with("no stop on the way"));
}

TEST_CASE("Reverse watch goes to the last change before where it stands", "[app][export]") {
    Session session;
    session.say("end");
    session.say("rw space/METADATA");
    const std::uint32_t last = session.stepper.position();
    session.say("b");
    session.say("rw");
    CHECK(session.stepper.position() < last);
    session.say("start");
    CHECK(session.say("rw") == "not changed before this\n");
    CHECK(session.mistake("rw space/METADTA").nearest == "METADATA");
}

TEST_CASE("A condition stops where it becomes true", "[app][export]") {
    Session session;
    session.say("break when transactions.state=COMMIT_DOING");
    session.say("c");
    const std::uint32_t place = session.stepper.position();
    const auto committing = [&](std::uint32_t steps) {
        const SortedJson transactions =
            state_at(*session.host.documents[0], steps).at("transactions");
        return std::any_of(transactions.begin(), transactions.end(), [](const SortedJson& record) {
            return record.at("state") == "COMMIT_DOING";
        });
    };
    CHECK(committing(place));
    for (std::uint32_t steps = 0; steps < place; ++steps)
        REQUIRE(!committing(steps));
    CHECK(session.mistake("break when transaction.state=RUNNING").nearest == "transactions");
    CHECK(session.mistake("break wen x").nearest == "when");
}

TEST_CASE("Another candidate makes a branch that is the same up to its choice", "[app][export]") {
    Session session;
    const auto [choice_step, candidate] = session.choice();
    const std::uint32_t step = choice_step;
    session.stand_at(step);
    const std::string told = session.say("take " + candidate);
    REQUIRE(session.host.runs.size() == 2);
    CHECK(told.starts_with("b1: "));
    CHECK(session.stepper.position() == step + 1);
    CHECK(session.stepper.steps() == session.host.runs[1].result.steps);
    for (std::uint32_t steps = 0; steps <= step; ++steps)
        REQUIRE(state_at(*session.host.documents[0], steps) ==
                state_at(*session.host.documents[1], steps));
    CHECK(
        session.say("diff main").starts_with("the same for " + std::to_string(step) + " steps\n"));

    SECTION("each branch is left where it was") {
        session.say("g 5");
        session.say("goto main");
        CHECK(session.stepper.position() == step);
        session.say("goto b1");
        CHECK(session.stepper.position() == 5);
        CHECK(session.mistake("goto mian").nearest == "main");
    }
    SECTION("a branch of a branch") {
        session.say("goto b1");
        const auto& later = session.host.runs[1].choices.back();
        REQUIRE(later.step > step);
        session.stand_at(later.step);
        session.say(taken(session.host.runs[1], later) == 0 ? "take 2" : "take 1");
        REQUIRE(session.host.runs.size() == 3);
        CHECK(session.say("branches").find("from b1 after " + std::to_string(later.step)) !=
              std::string::npos);
        CHECK(session.say("diff main b2").starts_with("the same for " + std::to_string(step)));
    }
    SECTION("notes stay with their branch, and all of them are saved") {
        session.say("mark there");
        session.say("goto main");
        session.say("mark here");
        CHECK(session.say("notes") == "b1 (" + std::to_string(step + 1) + ") there\nmain (" +
                                          std::to_string(step) + ") here\n");
        session.say("save x.html");
        CHECK(session.host.saved == "x.html 0 2\n");
        CHECK(session.mistake("save full").nearest == "empty");
    }
}

TEST_CASE("What was taken anyway, and what is not there, makes no branch", "[app][export]") {
    Session session;
    const ChoicePoint& point = session.host.runs[0].choices.front();
    session.stand_at(point.step);
    const std::size_t chosen = taken(session.host.runs[0], point);
    CHECK(session.mistake("take " + std::to_string(chosen + 1)).nearest == "n");
    CHECK(session.mistake("take 0").message.starts_with("take \"0\": expected a number from 1 to"));
    CHECK(session.mistake("take all").message.starts_with("take \"all\": expected a number"));
    session.say("end");
    CHECK(session.mistake("take 1").nearest == "enabled");
    CHECK(session.host.runs.size() == 1);
    CHECK(session.stepper.position() == session.stepper.steps());
}

TEST_CASE("A task that cannot come next says what it waits for", "[app][export]") {
    Session session;
    const SortedJson& document = *session.host.documents[0];
    const SortedJson& waits = document.at("waits");
    REQUIRE(!waits.at("object").empty());
    const auto word = [&](const char* table, const char* column) {
        return document.at(table).at("name").at(waits.at(column).at(0).get<std::size_t>());
    };
    const std::string task = word("tasks", "task");
    session.stand_at(waits.at("first").at(0).get<std::uint32_t>());
    const auto object = waits.at("object").at(0).get<std::size_t>();
    const std::string name = document.at("objects").at(object).at("name");
    CHECK(session.say("why-not " + task).starts_with(task + " waits for " + name));
    session.say("end");
    CHECK(session.say("why-not one").starts_with("one is gone after step "));
    CHECK(session.mistake("why-not on").nearest == "one");
}

}  // namespace export_stepper_test
