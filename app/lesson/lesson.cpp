#include "app/lesson/lesson.h"

namespace app::lesson {

const std::vector<std::string>& panel_names() {
    static const std::vector<std::string> names{"transaction", "trees",   "refs",
                                                "groups",      "devices", "space",
                                                "files",       "tasks",   "invariants"};
    return names;
}

scenario::InputError mistake_at(const Lesson& lesson, const std::string& pointer,
                                std::string message, std::string expected) {
    const scenario::JsonIndex index(lesson.content);
    const scenario::Position position = index.value(pointer);
    return {.file = lesson.file,
            .line = position.line,
            .column = position.column,
            .field = pointer,
            .message = std::move(message),
            .expected = std::move(expected),
            .nearest = {}};
}

}  // namespace app::lesson
