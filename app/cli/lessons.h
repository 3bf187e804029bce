#pragma once
#include <map>

#include "app/cli/recorded.h"
#include "app/lesson/loader.h"

namespace app::cli {

/// The lessons that come with the program: their files, by name.
std::map<std::string, std::string> lesson_files();
/// By name, or from a file.
sim::Result<lesson::Lesson, Failure> find_lesson(const std::string& word);

/// A lesson with its execution: where it stops, and what the reader may choose there.
struct ToldLesson {
    lesson::Lesson lesson;
    RecordedRun run;
    std::vector<std::uint32_t> steps;  // done at each stop
    /// Another order: the candidate that came at a choice of the lesson's execution.
    struct Branch {
        std::uint32_t step = 0;
        std::size_t row = 0, candidate = 0;
        RecordedRun run;
    };
    std::vector<Branch> branches;
    std::string page;
};
/// Runs the execution, finds the stops and holds the state at each against what the lesson expects.
/// @return exit 3 where the execution is not what the lesson says
sim::Result<ToldLesson, Failure> tell(const Session& session, lesson::Lesson lesson);

}  // namespace app::cli
