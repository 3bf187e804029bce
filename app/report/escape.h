#pragma once
#include <string>
#include <string_view>

/// Foreign text inside other formats. What comes in may be anything: names from scenario files,
/// kernel messages, bytes that are no UTF-8.
namespace app::report {

/// Bytes that are no UTF-8, and characters that XML 1.0 forbids, become U+FFFD.
std::string clean_text(std::string_view text);
/// For XML text and attributes; line ends and tabs survive in both.
std::string in_xml(std::string_view text);
/// For the message of a workflow command.
std::string in_command(std::string_view text);
/// For a property of one (title=, file=).
std::string in_command_property(std::string_view text);
/// For a cell of a Markdown table: no markup, one line.
std::string in_markdown(std::string_view text);
/// A fenced block that the text cannot close.
std::string fenced(std::string_view text);
/// One line: line ends and other control characters become blanks, `#` is escaped.
std::string in_ktap(std::string_view text);
/// A relative reference: everything but unreserved characters and `/` is percent-encoded.
std::string in_uri(std::string_view path);

}  // namespace app::report
