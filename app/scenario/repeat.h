#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "app/scenario/ops.h"
#include "sim/result.h"

/// The running number of a repeat in its command lines: {i} is the number, from 0, and {i*N} is N
/// times the number.
namespace app::scenario {

/// Whether the line asks for a number, or tries to: no command has braces of its own.
bool has_number(std::string_view command);

/// The command line with the number in its places.
sim::Result<std::string, OpError> with_number(std::string_view command, std::uint64_t number);

}  // namespace app::scenario
