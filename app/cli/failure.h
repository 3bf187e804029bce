#pragma once
#include <optional>
#include <string>

#include "app/scenario/input_error.h"
#include "app/verdict.h"

namespace app::cli {

/// Why a command could not do its work, and the exit code for it.
struct Failure {
    int exit = exit_code::internal;
    std::string message;
    std::string nearest;                        // the word that was probably meant
    std::optional<scenario::InputError> where;  // when a file is wrong

    /// The word that a document carries beside the exit code.
    Verdict verdict() const {
        return exit == exit_code::nondeterministic ? Verdict::Nondeterministic : Verdict::Invalid;
    }
    /// One line for people.
    std::string text() const {
        if (where) return to_string(*where);
        return nearest.empty() ? message : message + "; did you mean \"" + nearest + "\"?";
    }
};

inline Failure usage_failure(std::string message, std::string nearest = {}) {
    return {.exit = exit_code::usage,
            .message = std::move(message),
            .nearest = std::move(nearest),
            .where = {}};
}
inline Failure invalid(std::string message, std::string nearest = {}) {
    return {.exit = exit_code::invalid,
            .message = std::move(message),
            .nearest = std::move(nearest),
            .where = {}};
}
inline Failure invalid_file(scenario::InputError error) {
    std::string message = error.message, nearest = error.nearest;
    return {.exit = exit_code::invalid,
            .message = std::move(message),
            .nearest = std::move(nearest),
            .where = std::move(error)};
}
inline Failure damaged(std::string message) {
    return {.exit = exit_code::damaged, .message = std::move(message), .nearest = {}, .where = {}};
}
inline Failure differs(std::string message) {
    return {.exit = exit_code::nondeterministic,
            .message = std::move(message),
            .nearest = {},
            .where = {}};
}

}  // namespace app::cli
