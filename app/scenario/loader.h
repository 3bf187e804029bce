#pragma once
#include <string_view>

#include "app/scenario/input_error.h"
#include "app/scenario/scenario.h"
#include "sim/result.h"

namespace app::scenario {

/// Reads a scenario from its text: JSON with comments, described by scenarios/schema.json.
/// @param file  its name, for error messages only
/// @return the scenario, or its first mistake
sim::Result<Scenario, InputError> load(std::string_view text, std::string_view file);

}  // namespace app::scenario
