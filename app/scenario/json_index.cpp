#include "app/scenario/json_index.h"

#include <algorithm>

namespace app::scenario {

namespace {

constexpr unsigned max_depth = 64;

/// A key as a JSON pointer spells it (RFC 6901).
std::string escaped(std::string_view key) {
    std::string text;
    for (const char c : key) {
        if (c == '~')
            text += "~0";
        else if (c == '/')
            text += "~1";
        else
            text += c;
    }
    return text;
}

}  // namespace

Position position_at(std::string_view text, std::size_t offset) {
    offset = std::min(offset, text.size());
    const std::string_view before = text.substr(0, offset);
    const auto lines = static_cast<unsigned>(std::count(before.begin(), before.end(), '\n'));
    const std::size_t line_start =
        before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return {.line = lines + 1, .column = static_cast<unsigned>(offset - line_start) + 1};
}

JsonIndex::JsonIndex(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF"))
        at_ = 3;  // the parser skips a byte order mark, and so do we
    read_value("", 0);
}

Position JsonIndex::value(std::string pointer) const {
    for (;;) {
        if (const auto it = values_.find(pointer); it != values_.end())
            return position_at(text_, it->second);
        if (pointer.empty()) return {};
        pointer.erase(pointer.rfind('/'));
    }
}

Position JsonIndex::key(const std::string& pointer) const {
    const auto it = keys_.find(pointer);
    return it == keys_.end() ? value(pointer) : position_at(text_, it->second);
}

void JsonIndex::skip_blanks() {
    while (at_ < text_.size()) {
        const std::string_view rest = text_.substr(at_);
        if (rest.starts_with("//"))
            at_ = std::min(text_.find('\n', at_), text_.size());
        else if (rest.starts_with("/*"))
            at_ = std::min(text_.find("*/", at_ + 2), text_.size() - 2) + 2;
        else if (rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\n' || rest[0] == '\r')
            ++at_;
        else
            return;
    }
}

void JsonIndex::read_value(const std::string& pointer, unsigned depth) {
    skip_blanks();
    if (depth < max_depth) values_.emplace(pointer, at_);
    if (depth > max_depth) {
        at_ = text_.size();  // whoever nests this deep has no scenario in hand
    } else if (at('{')) {
        read_members(pointer, depth);
    } else if (at('[')) {
        read_elements(pointer, depth);
    } else if (at('"')) {
        read_string();
    } else {
        at_ = std::min(text_.find_first_of(",]} \t\r\n/", at_), text_.size());
    }
    skip_blanks();
}

void JsonIndex::read_members(const std::string& pointer, unsigned depth) {
    ++at_;
    skip_blanks();
    while (at('"')) {
        const std::size_t start = at_;
        const std::string member = pointer + "/" + escaped(read_string());
        if (!keys_.emplace(member, start).second && !duplicate_) {
            duplicate_ = member;
            keys_[member] = start;
        }
        skip_blanks();
        ++at_;  // the colon
        read_value(member, depth + 1);
        if (!at(',')) break;
        ++at_;
        skip_blanks();
    }
    ++at_;
}

void JsonIndex::read_elements(const std::string& pointer, unsigned depth) {
    ++at_;
    skip_blanks();
    for (std::size_t i = 0; at_ < text_.size() && !at(']'); ++i) {
        read_value(pointer + "/" + std::to_string(i), depth + 1);
        if (at(',')) ++at_;
        skip_blanks();
    }
    ++at_;
}

/// The text between the quotes; escapes stay as written, which is enough to name a key.
std::string JsonIndex::read_string() {
    const std::size_t start = ++at_;
    while (at_ < text_.size() && !at('"'))
        at_ += at('\\') ? 2 : 1;
    const std::size_t end = std::min(at_, text_.size());
    ++at_;
    return std::string(text_.substr(start, end - start));
}

}  // namespace app::scenario
