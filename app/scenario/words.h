#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Words as people type them: splitting, numbers, patterns, and the nearest valid word for a wrong
/// one.
namespace app::scenario {

/// The candidate that `word` was probably meant to be; empty when none is near enough to be worth
/// saying.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// Whether `text` matches `pattern`, where `*` is any run of characters and `?` any one.
bool glob_match(std::string_view pattern, std::string_view text);
bool is_glob(std::string_view text);

/// At blanks; no quoting.
std::vector<std::string> split_words(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> words, std::string_view separator);

std::string in_quotes(std::string_view text);

/// "64M", "4K", "1G", "8192". Powers of 1024, as xfs_io reads them.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// Decimal, or hexadecimal after 0x. The whole text.
std::optional<std::uint64_t> parse_number(std::string_view text);
/// The other way: "64M", "12K", "513".
std::string format_size(std::uint64_t bytes);

/// The first `digits` hexadecimal digits of a 64-bit digest.
std::string hex_digits(std::uint64_t digest, unsigned digits);

}  // namespace app::scenario
