#pragma once
#include <cstdint>
#include <string>

#include "app/export/state.h"

namespace app::exporter {

/// A step of a trace document in words: "lock trans_lock".
std::string step_words(const SortedJson& document, std::uint32_t step);

/// What a step came after: its task's step before, what made it possible, and whoever last touched
/// the same things. A line each.
std::string causes_text(const SortedJson& document, std::uint32_t step);

/// What decides a failure: the critical step, and the orders whose reversal passes, each with the
/// token of an execution that does. Says so if nothing of it was looked for or found.
std::string decision_text(const SortedJson& document);

/// Why a task does not come next after so many steps: it is not there, it waits for something that
/// somebody has, or it could.
/// @param task  its row
std::string obstacle_text(const SortedJson& document, std::size_t task, std::uint32_t steps);

}  // namespace app::exporter
