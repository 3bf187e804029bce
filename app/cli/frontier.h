#pragma once
#include "app/cli/search.h"
#include "app/report/frontier_file.h"

namespace app::cli {

/// A frontier file, and the scenario and settings that it was made with.
/// @return exit 3 when the scenario is gone, 5 when it is another now, 6 when the file is damaged
sim::Result<report::FrontierFile, Failure> load_frontier(const std::string& file);
sim::Result<ScenarioPtr, Failure> scenario_of(const Session& session,
                                              const report::FrontierFile& frontier);
/// The settings to go on with: those that the file was made with, whatever the command line says.
Settings settings_of(const Settings& given, const report::FrontierFile& frontier);

/// "interleaf-out/commit-001-6.1.ilfr"; of a shard, "interleaf-out/commit-001-6.1.2-of-4.ilfr".
std::string frontier_name(const Session& session, const scenario::Scenario& scenario,
                          const report::Shard& shard);

/// What a frontier file says of what is searched.
report::Token identity_of(const Session& session, const scenario::Scenario& scenario);

/// Where a search that is not over is kept: its file is written now and then, whenever it stops
/// early, and goes away when the search is complete.
class Checkpoints {
  public:
    /// @param from  what the search goes on from; null: it begins
    Checkpoints(const Session& session, const ScenarioPtr& scenario, const Bound& bound,
                bool keep_going, const report::FrontierFile* from);

    /// Lets a search that can be kept be kept.
    void apply(sim::ExploreOptions& options);
    /// After the search: the file of what is left, or no file.
    std::optional<Failure> finish(const sim::SearchReport& search, Report& report);

  private:
    std::string write(const sim::SavedSearch& search);

    const Session& session_;
    report::FrontierFile file_;
    const report::FrontierFile* from_;
    std::string name_;
    bool kept_ = false;  // the search is of a kind that can be
    bool written_ = false;
    std::string error_;  // of a checkpoint that could not be written
};

/// explore, of a scenario or of what is left of a search.
/// @param from  where it goes on; null: it begins
VerbResult explore(const Session& session, const ScenarioPtr& scenario,
                   const report::FrontierFile* from);

/// Writes the files of a plan. @return their names
sim::Result<std::vector<std::string>, Failure> write_plan(const Session& session,
                                                          const ScenarioPtr& scenario,
                                                          report::FrontierFile whole,
                                                          std::size_t shards);

}  // namespace app::cli
