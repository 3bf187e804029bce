#include "app/scenario/json_reader.h"

#include <algorithm>

#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"
#include "model/format.h"

namespace app::scenario {

namespace {

/// What the parser says, without its own name and place: "unexpected end of input; expected '}'".
std::string syntax_message(const std::string& what) {
    static constexpr std::string_view marker = "syntax error while parsing ";
    const std::size_t at = what.find(marker);
    if (at != std::string::npos) return "syntax error in " + what.substr(at + marker.size());
    const std::size_t bracket = what.find("] ");
    return "syntax error: " + (bracket == std::string::npos ? what : what.substr(bracket + 2));
}

InputError syntax_error(std::string_view text, std::string_view file, const std::string& what,
                        std::size_t byte) {
    const Position position = position_at(text, byte == 0 ? 0 : byte - 1);
    std::string message = syntax_message(what);
    std::string expected = "JSON; // and /* */ comments are allowed";
    if (const std::size_t at = message.find("; expected "); at != std::string::npos) {
        expected = message.substr(at + 11);
        message.erase(at);
    }
    return {.file = std::string(file),
            .line = position.line,
            .column = position.column,
            .field = {},
            .message = std::move(message),
            .expected = std::move(expected),
            .nearest = {}};
}

}  // namespace

sim::Result<Json, InputError> parse_json(std::string_view text, std::string_view file) {
    try {
        return Json::parse(text, nullptr, true, true);
    } catch (const Json::parse_error& error) {
        return syntax_error(text, file, error.what(), error.byte);
    } catch (const Json::exception& error) {
        return syntax_error(text, file, error.what(), 0);
    }
}

const char* kind_of(const Json& json) {
    switch (json.type()) {
    case Json::value_t::null:
        return "null";
    case Json::value_t::object:
        return "an object";
    case Json::value_t::array:
        return "a list";
    case Json::value_t::string:
        return "a string";
    case Json::value_t::boolean:
        return "true or false";
    case Json::value_t::number_float:
        return "a fraction";
    default:
        return "a number";
    }
}

bool JsonReader::is_object(const Node& node, const std::vector<std::string>& keys,
                           const std::vector<std::string>& required) {
    if (!node.json->is_object()) {
        mistakes_.at_value(node.pointer, std::string("this is ") + kind_of(*node.json),
                           "an object");
        return false;
    }
    for (const auto& item : node.json->items()) {
        if (std::find(keys.begin(), keys.end(), item.key()) != keys.end()) continue;
        mistakes_.at_key(node.child(item.key()).pointer, "unknown key " + in_quotes(item.key()),
                         "one of: " + join(keys, ", "), nearest(item.key(), keys));
        return false;
    }
    for (const std::string& key : required) {
        if (node.json->contains(key)) continue;
        mistakes_.at_value(node.pointer, "the key " + in_quotes(key) + " is missing",
                           "the keys " + join(required, ", "));
        return false;
    }
    return true;
}

bool JsonReader::is_array(const Node& node, std::string_view of_what) {
    if (node.json->is_array()) return true;
    mistakes_.at_value(node.pointer, std::string("this is ") + kind_of(*node.json),
                       "a list of " + std::string(of_what));
    return false;
}

std::string JsonReader::text(const Node& node) {
    if (node.json->is_string()) return node.json->get<std::string>();
    mistakes_.at_value(node.pointer, std::string("this is ") + kind_of(*node.json), "a string");
    return "";
}

/// A name: letters, digits, and the characters in `extra`.
std::string JsonReader::word(const Node& node, std::string_view what, std::string_view extra) {
    std::string value = text(node);
    const auto valid = [extra](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               extra.find(c) != std::string_view::npos;
    };
    if (value.empty() || value.size() > 64 || !std::all_of(value.begin(), value.end(), valid))
        mistakes_.at_value(node.pointer, in_quotes(value) + " is no " + std::string(what),
                           "letters, digits and any of " + std::string(extra));
    return value;
}

std::vector<std::string> JsonReader::words(const Node& node, std::string_view what) {
    std::vector<std::string> list;
    if (!is_array(node, "strings")) return list;
    for (std::size_t i = 0; i < node.json->size(); ++i)
        list.push_back(word(node.child(i), what, "_-./"));
    return list;
}

std::uint64_t JsonReader::number(const Node& node, std::uint64_t least, std::uint64_t most) {
    const std::string expected =
        "a number from " + std::to_string(least) + " to " + std::to_string(most);
    if (!node.json->is_number_unsigned()) {
        mistakes_.at_value(node.pointer,
                           node.json->is_number() ? node.json->dump() + " is no such number"
                                                  : std::string("this is ") + kind_of(*node.json),
                           expected);
        return least;
    }
    const auto value = node.json->get<std::uint64_t>();
    if (value < least || value > most)
        mistakes_.at_value(node.pointer, std::to_string(value) + " is out of range", expected);
    return value;
}

bool JsonReader::boolean(const Node& node) {
    if (node.json->is_boolean()) return node.json->get<bool>();
    mistakes_.at_value(node.pointer, std::string("this is ") + kind_of(*node.json),
                       "true or false");
    return false;
}

std::uint64_t JsonReader::size(const Node& node, std::uint64_t least, std::uint64_t most) {
    const std::string expected = "a size from " + format_size(least) + " to " + format_size(most) +
                                 ", a multiple of 4K, as \"64M\", \"4K\" or a number of bytes";
    std::optional<std::uint64_t> bytes;
    if (node.json->is_number_unsigned()) bytes = node.json->get<std::uint64_t>();
    if (node.json->is_string()) bytes = parse_size(node.json->get<std::string>());
    if (!bytes)
        mistakes_.at_value(node.pointer, node.json->dump() + " is no size", expected);
    else if (*bytes % model::sectorsize != 0 || *bytes < least || *bytes > most)
        mistakes_.at_value(node.pointer, node.json->dump() + " is no possible size here", expected);
    return bytes.value_or(least);
}

std::string JsonReader::one_of(const Node& node, const std::vector<std::string>& valid,
                               std::string_view what) {
    std::string value = text(node);
    if (std::find(valid.begin(), valid.end(), value) == valid.end())
        mistakes_.at_value(node.pointer, "unknown " + std::string(what) + " " + in_quotes(value),
                           "one of: " + join(valid, ", "), nearest(value, valid));
    return value;
}

std::optional<model::Release> JsonReader::release_of(const Node& node) {
    const std::string release = text(node);
    if (mistakes_.first()) return std::nullopt;
    const auto version = KernelSpec{.release = release, .with = {}, .without = {}}.resolve();
    if (version.ok()) return version.value().release();
    mistakes_.at_value(node.pointer, version.error().message, "a mainline release, as \"5.5\"",
                       version.error().hint);
    return std::nullopt;
}

std::optional<model::KernelVersion> JsonReader::kernel_of(const Node& node) {
    KernelSpec spec;
    spec.release = text(node.child("kernel"));
    if (!release_of(node.child("kernel"))) return std::nullopt;
    for (const auto& [key, list] :
         {std::pair{"with", &spec.with}, std::pair{"without", &spec.without}}) {
        if (!node.json->contains(key)) continue;
        const Node changes = node.child(key);
        *list = words(changes, "commit or name of a change");
        for (std::size_t i = 0; i < list->size() && !mistakes_.first(); ++i)
            check_change(changes.child(i));
    }
    if (mistakes_.first()) return std::nullopt;
    // Each word is known; together they may still be impossible ("with" one that is there already).
    const auto version = spec.resolve();
    if (version.ok()) return version.value();
    mistakes_.at_value(node.pointer, version.error().message, "a kernel that can be made",
                       version.error().hint);
    return std::nullopt;
}

void JsonReader::check_change(const Node& node) {
    const std::string change = text(node);
    if (model::find_fix(change) != nullptr) return;
    std::vector<std::string> known;
    for (const model::Fix& fix : model::fixes()) {
        if (*fix.commit != '\0') known.emplace_back(fix.commit);
        known.emplace_back(fix.name);
    }
    mistakes_.at_value(node.pointer, "unknown commit " + in_quotes(change),
                       "a commit id or name that the model knows", nearest(change, known));
}

}  // namespace app::scenario
