#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/scenario/json_reader.h"
#include "app/verdict.h"
#include "model/kernel_version.h"

/// Lessons: an execution with places where a reader stops, and what is said there.
namespace app::lesson {

/// Rows of a table of the state that are wanted: those whose key matches and whose fields have the
/// values.
struct Condition {
    std::string table;
    std::string key = "*";                             // pattern
    std::vector<std::pair<std::string, Json>> fields;  // name, value
    std::optional<std::uint64_t> rows;                 // exactly so many; otherwise one or more
    std::string pointer;                               // where it stands in the file
};

/// A moment of an execution, told by what happens there, so that it is found again in another
/// recording. It is looked for from the moment before it on.
struct Anchor {
    enum class Kind : std::uint8_t {
        Start,
        End,
        Violation,  // the violation has happened
        Critical,   // before the critical step
        Enters,     // a task has entered a function
        Leaves,     // it has left it
        Does,       // a step: "lock trans_lock"
        Says,       // a note or message of the model
        State       // the state is such
    };
    Kind kind = Kind::Start;
    std::string task = "*", text;  // patterns
    std::uint64_t nth = 1;
    bool before = false;  // the step in which it happens is still to come
    std::vector<Condition> state;
    std::string pointer;
};

/// At the first choice from the anchor on at which the task could come, it comes.
struct Turn {
    Anchor at;
    std::string task;  // pattern
};

struct Question {
    std::string text, answer;
};

struct Stop {
    std::string title, text;
    Anchor at;
    std::vector<std::string> panels;  // open here, and no others
    std::vector<Condition> expects;   // what the text relies on
    std::optional<Question> question;
    std::vector<std::string> choose;  // tasks that the reader may let come instead: patterns
    std::string pointer;
};

struct Lesson {
    std::string name, title, about;
    std::string scenario;  // id
    model::KernelVersion kernel;
    std::vector<Turn> turns;  // where the execution leaves the default order
    Verdict verdict = Verdict::Clean;
    std::string signature;  // of a failure
    std::vector<Stop> stops;
    std::string file, content;  // the text it was read from
};

/// The panels of the page, by the names that a lesson calls them.
const std::vector<std::string>& panel_names();

/// A mistake in a lesson that only shows when it is told.
scenario::InputError mistake_at(const Lesson& lesson, const std::string& pointer,
                                std::string message, std::string expected);

}  // namespace app::lesson
