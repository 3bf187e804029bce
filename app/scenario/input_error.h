#pragma once
#include <string>

namespace app::scenario {

/// What is wrong with a file that somebody wrote: where, what was expected there, and the nearest
/// valid word.
struct InputError {
    std::string file;
    unsigned line = 0;  // from 1; 0: the file as a whole
    unsigned column = 0;
    std::string field;    // JSON pointer, "/tasks/writer/run/0"
    std::string message;  // "unknown operation \"pwrte\""
    std::string expected;
    std::string nearest;
};

/// One line: FILE:LINE:COLUMN: FIELD: MESSAGE; expected EXPECTED; did you mean "NEAREST"?
std::string to_string(const InputError& error);

}  // namespace app::scenario
