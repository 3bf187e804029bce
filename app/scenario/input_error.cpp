#include "app/scenario/input_error.h"

namespace app::scenario {

std::string to_string(const InputError& error) {
    std::string text = error.file;
    if (error.line != 0)
        text += ":" + std::to_string(error.line) + ":" + std::to_string(error.column);
    if (!text.empty()) text += ": ";
    if (!error.field.empty()) text += error.field + ": ";
    text += error.message;
    if (!error.expected.empty()) text += "; expected " + error.expected;
    if (!error.nearest.empty()) text += "; did you mean \"" + error.nearest + "\"?";
    return text;
}

}  // namespace app::scenario
