#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/failure.h"
#include "app/cli/settings.h"
#include "app/scenario/scenario.h"

namespace app::cli {

using ScenarioPtr = std::shared_ptr<const scenario::Scenario>;

/// The scenario files that can be found: in INTERLEAF_SCENARIO_PATH, then in ./scenarios of the
/// working directory or the nearest folder above it, then where the program came with its own. The
/// first file of an id counts.
class Library {
  public:
    Library(const Environment& environment, const std::filesystem::path& directory);

    /// By id, by a pattern that only one id matches, or by file name.
    sim::Result<ScenarioPtr, Failure> find(const std::string& word) const;
    /// Every scenario that one of the words means, in order of id; all when there are no words.
    sim::Result<std::vector<ScenarioPtr>, Failure>
    select(const std::vector<std::string>& words) const;

    const std::map<std::string, std::string>& files() const { return files_; }  // by id
    std::vector<std::string> ids() const;

  private:
    void add_folder(const std::filesystem::path& folder);

    std::map<std::string, std::string> files_;
};

/// The whole of a file. @return a failure with exit code 3 if it cannot be read
sim::Result<std::string, Failure> read_file(const std::string& file);
/// A scenario from its file, whatever its id; or the one that a failure file carries.
sim::Result<ScenarioPtr, Failure> load_scenario(const std::string& file);
/// Whether the word is meant as a file and not as an id.
bool is_file_name(const std::string& word);

}  // namespace app::cli
