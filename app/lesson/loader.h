#pragma once
#include <map>
#include <string>
#include <string_view>

#include "app/lesson/lesson.h"

namespace app::lesson {

/// What each term means.
using Glossary = std::map<std::string, std::string>;
sim::Result<Glossary, scenario::InputError> load_glossary(std::string_view text,
                                                          std::string_view file);

/// Reads a lesson: JSON with comments, described by lessons/schema.json. Terms in [brackets] must
/// be in the glossary.
/// @param file  its name, for messages only
/// @return the lesson, or its first mistake
sim::Result<Lesson, scenario::InputError> load(std::string_view text, std::string_view file,
                                               const Glossary& glossary);

/// The terms that a text marks: [copy on write], or [copied|copy on write] where it is inflected.
std::vector<std::string> terms_of(std::string_view text);
/// The text without marks, for a terminal.
std::string plain(std::string_view text);

}  // namespace app::lesson
