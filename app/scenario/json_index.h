#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace app::scenario {

/// A place in a text, both counted from 1.
struct Position {
    unsigned line = 1;
    unsigned column = 1;
};

/// The place of a byte offset.
Position position_at(std::string_view text, std::size_t offset);

/// Where each value of a JSON text stands, by JSON pointer: the parser keeps values but not their
/// places.
///
/// Reads text that the parser has accepted (comments included). Values nested deeper than any
/// scenario needs are not indexed.
class JsonIndex {
  public:
    explicit JsonIndex(std::string_view text);

    /// Of the value; of the nearest enclosing value that is known when this one is not.
    Position value(std::string pointer) const;
    /// Of the key that names the value.
    Position key(const std::string& pointer) const;
    /// Pointer of the first key that stands twice in one object: the parser would silently keep one
    /// of the two.
    const std::optional<std::string>& duplicate() const { return duplicate_; }

  private:
    void read_value(const std::string& pointer, unsigned depth);
    void read_members(const std::string& pointer, unsigned depth);
    void read_elements(const std::string& pointer, unsigned depth);
    std::string read_string();
    void skip_blanks();
    bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }

    std::string_view text_;
    std::size_t at_ = 0;
    std::map<std::string, std::size_t> values_;
    std::map<std::string, std::size_t> keys_;
    std::optional<std::string> duplicate_;
};

}  // namespace app::scenario
