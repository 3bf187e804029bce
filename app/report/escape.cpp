#include "app/report/escape.h"

#include <algorithm>
#include <cstdint>

namespace app::report {

namespace {

constexpr const char* replacement = "\xef\xbf\xbd";

std::size_t length_by_first(unsigned char first) {
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first < 0xe0) return 2;
    if (first >= 0xe0 && first < 0xf0) return 3;
    if (first >= 0xf0 && first < 0xf5) return 4;
    return 0;
}

/// Length of the character that the text begins with, and the character; 0: there is none.
std::size_t decode(std::string_view text, std::uint32_t& character) {
    const std::size_t length = length_by_first(static_cast<unsigned char>(text[0]));
    if (length == 0 || length > text.size()) return 0;
    static constexpr unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    character = static_cast<unsigned char>(text[0]) & first_bits[length];
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0) != 0x80) return 0;
        character = (character << 6) | (next & 0x3fU);
    }
    static constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = character >= 0xd800 && character < 0xe000;
    return character < least[length] || surrogate || character > 0x10ffff ? 0 : length;
}

bool allowed(std::uint32_t character) {
    if (character < 0x20) return character == '\t' || character == '\n' || character == '\r';
    return character != 0xfffe && character != 0xffff;
}

template <class Replace> std::string replaced(std::string_view text, Replace&& with) {
    std::string result;
    for (const char c : clean_text(text)) {
        const char* const other = with(c);
        if (other == nullptr)
            result += c;
        else
            result += other;
    }
    return result;
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

const char* command_escape(char c) {
    return c == '%' ? "%25" : c == '\r' ? "%0D" : c == '\n' ? "%0A" : nullptr;
}

}  // namespace

std::string clean_text(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        std::uint32_t character = 0;
        const std::size_t length = decode(text, character);
        if (length == 0 || !allowed(character))
            result += replacement;
        else
            result += text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return result;
}

std::string in_xml(std::string_view text) {
    return replaced(text, [](char c) -> const char* {
        switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\'':
            return "&apos;";
        case '\n':
            return "&#10;";
        case '\r':
            return "&#13;";
        case '\t':
            return "&#9;";
        default:
            return nullptr;
        }
    });
}

std::string in_command(std::string_view text) {
    return replaced(text, command_escape);
}

std::string in_command_property(std::string_view text) {
    return replaced(text, [](char c) -> const char* {
        return c == ':' ? "%3A" : c == ',' ? "%2C" : command_escape(c);
    });
}

std::string in_markdown(std::string_view text) {
    static constexpr std::string_view special = "\\`*_{}[]()#+!|~@";
    std::string result;
    for (const char c : clean_text(text)) {
        if (c == '<' || c == '>' || c == '&') {
            result += c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;";
            continue;
        }
        if (special.find(c) != std::string_view::npos) result += '\\';
        result += is_control(c) ? ' ' : c;
    }
    return result;
}

std::string fenced(std::string_view text) {
    const std::string body = clean_text(text);
    std::size_t longest = 2, run = 0;
    for (const char c : body) {
        run = c == '`' ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    const std::string fence(longest + 1, '`');
    return fence + "\n" + body + (body.ends_with('\n') ? "" : "\n") + fence + "\n";
}

std::string in_ktap(std::string_view text) {
    std::string result;
    for (const char c : clean_text(text)) {
        if (c == '#' || c == '\\') result += '\\';
        result += is_control(c) ? ' ' : c;
    }
    return result;
}

std::string in_uri(std::string_view path) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string result;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') ||
                           std::string_view("-._~/").find(c) != std::string_view::npos;
        if (plain) {
            result += c;
        } else {
            result += '%';
            result += digits[byte >> 4];
            result += digits[byte & 15];
        }
    }
    return result;
}

}  // namespace app::report
