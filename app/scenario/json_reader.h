#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/json.h"
#include "app/scenario/input_error.h"
#include "app/scenario/json_index.h"
#include "model/kernel_version.h"
#include "sim/result.h"

/// What the readers of files share that people write: JSON with comments, and messages that say
/// where something is wrong.
namespace app::scenario {

/// The text as JSON. @return the first mistake of its syntax
sim::Result<Json, InputError> parse_json(std::string_view text, std::string_view file);

/// The first mistake found; later ones are often its consequence.
class Mistakes {
  public:
    Mistakes(std::string_view file, const JsonIndex& index) : file_(file), index_(index) {}

    void at_value(const std::string& pointer, std::string message, std::string expected,
                  std::string nearest = {}) {
        report(index_.value(pointer), pointer, std::move(message), std::move(expected),
               std::move(nearest));
    }
    void at_key(const std::string& pointer, std::string message, std::string expected,
                std::string nearest = {}) {
        report(index_.key(pointer), pointer, std::move(message), std::move(expected),
               std::move(nearest));
    }
    const std::optional<InputError>& first() const { return first_; }

  private:
    void report(Position position, const std::string& pointer, std::string message,
                std::string expected, std::string nearest) {
        if (first_) return;
        first_ = InputError{.file = file_,
                            .line = position.line,
                            .column = position.column,
                            .field = pointer,
                            .message = std::move(message),
                            .expected = std::move(expected),
                            .nearest = std::move(nearest)};
    }

    std::string file_;
    const JsonIndex& index_;
    std::optional<InputError> first_;
};

/// One value of the file, and where it stands.
struct Node {
    const Json* json;
    std::string pointer;

    Node child(const std::string& key) const {
        std::string escaped;
        for (const char c : key)
            escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
        return {&json->at(key), pointer + "/" + escaped};
    }
    Node child(std::size_t index) const {
        return {&json->at(index), pointer + "/" + std::to_string(index)};
    }
};

/// Reads values by type. A mistake is reported, and the value is empty then.
class JsonReader {
  public:
    explicit JsonReader(Mistakes& mistakes) : mistakes_(mistakes) {}

  protected:
    bool is_object(const Node& node, const std::vector<std::string>& keys,
                   const std::vector<std::string>& required);
    bool is_array(const Node& node, std::string_view of_what);
    std::string text(const Node& node);
    std::string word(const Node& node, std::string_view what, std::string_view extra);
    std::vector<std::string> words(const Node& node, std::string_view what);
    std::uint64_t number(const Node& node, std::uint64_t least, std::uint64_t most);
    bool boolean(const Node& node);
    std::uint64_t size(const Node& node, std::uint64_t least, std::uint64_t most);
    std::string one_of(const Node& node, const std::vector<std::string>& valid,
                       std::string_view what);
    std::optional<model::Release> release_of(const Node& node);
    /// Of an object with "kernel", and perhaps "with" and "without".
    std::optional<model::KernelVersion> kernel_of(const Node& node);

    Mistakes& mistakes_;

  private:
    void check_change(const Node& node);
};

/// "a list", "a number"
const char* kind_of(const Json& json);

}  // namespace app::scenario
