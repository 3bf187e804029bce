#include "app/cli/library.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "app/cli/build_info.h"
#include "app/report/failure_file.h"
#include "app/scenario/loader.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t largest_file = 64 << 20;

/// "scenarios" in the directory or the nearest one above it, spelled from where the program runs:
/// "../scenarios".
fs::path scenarios_above(fs::path directory) {
    std::error_code ignored;
    for (;;) {
        const fs::path here = directory / "scenarios";
        if (fs::is_directory(here, ignored)) return fs::proximate(here, ignored);
        if (!directory.has_relative_path()) return {};
        directory = directory.parent_path();
    }
}

Failure unknown_scenario(const std::string& word, const std::vector<std::string>& ids) {
    const std::string known =
        ids.empty() ? "; no scenario was found at all (see INTERLEAF_SCENARIO_PATH)" : "";
    return invalid("unknown scenario \"" + word + "\"" + known, scenario::nearest(word, ids));
}

/// A file of the library must have the id that its place says.
sim::Result<ScenarioPtr, Failure> load_from_library(const std::string& id,
                                                    const std::string& file) {
    auto loaded = load_scenario(file);
    if (!loaded.ok() || loaded.value()->id == id) return loaded;
    return invalid_file({.file = file,
                         .line = 0,
                         .column = 0,
                         .field = "/id",
                         .message = "the id is " + scenario::in_quotes(loaded.value()->id),
                         .expected = "the id that the file's place says",
                         .nearest = id});
}

}  // namespace

Library::Library(const Environment& environment, const fs::path& directory) {
    if (const auto it = environment.find("INTERLEAF_SCENARIO_PATH"); it != environment.end())
        for (const std::string& folder : scenario::split(it->second, ':'))
            add_folder(folder);
    add_folder(scenarios_above(directory));
    for (const std::string& folder : scenario_folders())
        add_folder(folder);
}

void Library::add_folder(const fs::path& folder) {
    std::error_code error;
    if (folder.empty() || !fs::is_directory(folder, error)) return;
    for (const fs::directory_entry& group : fs::directory_iterator(folder, error)) {
        if (!group.is_directory(error)) continue;
        for (const fs::directory_entry& file : fs::directory_iterator(group.path(), error))
            if (file.path().extension() == ".json")
                files_.emplace(group.path().filename().string() + "/" + file.path().stem().string(),
                               file.path().string());
    }
}

std::vector<std::string> Library::ids() const {
    std::vector<std::string> list;
    for (const auto& entry : files_)
        list.push_back(entry.first);
    return list;
}

sim::Result<ScenarioPtr, Failure> Library::find(const std::string& word) const {
    const auto selected = select({word});
    if (!selected.ok()) return selected.error();
    if (selected.value().size() > 1)
        return usage_failure("\"" + word + "\" means " + std::to_string(selected.value().size()) +
                             " scenarios, and one is wanted");
    return selected.value().front();
}

sim::Result<std::vector<ScenarioPtr>, Failure>
Library::select(const std::vector<std::string>& words) const {
    std::map<std::string, ScenarioPtr> chosen;
    for (const std::string& word : words.empty() ? std::vector<std::string>{"*"} : words) {
        if (is_file_name(word)) {
            auto loaded = load_scenario(word);
            if (!loaded.ok()) return loaded.error();
            chosen[loaded.value()->id] = loaded.value();
            continue;
        }
        bool found = false;
        for (const auto& [id, file] : files_) {
            if (!scenario::glob_match(word, id)) continue;
            found = true;
            if (chosen.contains(id)) continue;
            auto loaded = load_from_library(id, file);
            if (!loaded.ok()) return loaded.error();
            chosen[id] = loaded.value();
        }
        if (!found) return unknown_scenario(word, ids());
    }
    std::vector<ScenarioPtr> list;
    for (const auto& entry : chosen)
        list.push_back(entry.second);
    return list;
}

sim::Result<std::string, Failure> read_file(const std::string& file) {
    std::error_code error;
    if (fs::is_directory(file, error)) return invalid(file + ": this is a folder");
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return invalid(file + ": cannot be read");
    std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    if (stream.bad()) return invalid(file + ": cannot be read");
    if (text.size() > largest_file)
        return invalid(file + ": this is too large to be anything of ours");
    return text;
}

namespace {

/// The text of a scenario, taken out of a failure file if it is one.
sim::Result<std::string, Failure> definition_in(const std::string& text, const std::string& file) {
    if (!file.ends_with(".ilf")) return text;
    const auto recording = report::parse_failure_file(text);
    if (!recording.ok()) return damaged(file + ": " + recording.error().message);
    if (!recording.value().definition.empty()) return recording.value().definition;
    return invalid(file + ": this failure file carries no scenario; it was made for " +
                   recording.value().token.scenario);
}

}  // namespace

sim::Result<ScenarioPtr, Failure> load_scenario(const std::string& file) {
    const auto text = read_file(file);
    if (!text.ok()) return text.error();
    const auto definition = definition_in(text.value(), file);
    if (!definition.ok()) return definition.error();
    auto scenario = scenario::load(definition.value(), file);
    if (!scenario.ok()) return invalid_file(scenario.error());
    return ScenarioPtr(std::make_shared<scenario::Scenario>(std::move(scenario.value())));
}

bool is_file_name(const std::string& word) {
    std::error_code error;
    return word.ends_with(".json") || word.ends_with(".ilf") ||
           (word.find('/') != std::string::npos && !scenario::is_glob(word) &&
            fs::is_regular_file(word, error));
}

}  // namespace app::cli
