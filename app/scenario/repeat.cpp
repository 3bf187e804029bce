#include "app/scenario/repeat.h"

#include <optional>

#include "app/scenario/words.h"

namespace app::scenario {

namespace {

constexpr std::uint64_t largest_factor = std::uint64_t{1} << 40;

/// What the text between two braces stands for; nothing: it is no such place.
std::optional<std::uint64_t> value_of(std::string_view place, std::uint64_t number) {
    if (place == "i") return number;
    if (!place.starts_with("i*")) return std::nullopt;
    const std::optional<std::uint64_t> factor = parse_number(place.substr(2));
    if (!factor || *factor > largest_factor) return std::nullopt;
    return *factor * number;
}

OpError wrong_place(std::string_view command, std::string_view place) {
    return {.message = in_quotes(command) + ": " + in_quotes(place) + " is no running number",
            .expected = "{i}, or {i*4} for four times that",
            .nearest = "{i}"};
}

}  // namespace

bool has_number(std::string_view command) {
    return command.find_first_of("{}") != std::string_view::npos;
}

sim::Result<std::string, OpError> with_number(std::string_view command, std::uint64_t number) {
    std::string line;
    std::size_t at = 0;
    for (;;) {
        const std::size_t open = command.find_first_of("{}", at);
        line += command.substr(at, open == std::string_view::npos ? open : open - at);
        if (open == std::string_view::npos) return line;
        const std::size_t close = command.find('}', open);
        if (close == std::string_view::npos || close == open)
            return wrong_place(command, split_words(command.substr(open))[0]);
        const auto value = value_of(command.substr(open + 1, close - open - 1), number);
        if (!value) return wrong_place(command, command.substr(open, close - open + 1));
        line += std::to_string(*value);
        at = close + 1;
    }
}

}  // namespace app::scenario
