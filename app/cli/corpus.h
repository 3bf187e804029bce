#pragma once
#include <set>
#include <string>
#include <vector>

#include "app/cli/executions.h"

namespace app::cli {

/// Past failures, a failure file each: a hunt replays them before it looks for others, and adds
/// what is new.
class Corpus {
  public:
    enum class Status : std::uint8_t { Fails, FailsOtherwise, NoLonger };
    struct Entry {
        std::string file, scenario, kernel, signature;
        Status status = Status::NoLonger;
        std::string now;       // the signature it fails with now
        bool exactly = false;  // the same execution; otherwise its steps by their meaning, as near
                               // as possible
    };

    /// Replays the entries of these scenarios on the kernel that is hunted on, in order of file
    /// names. A folder that is not there yet has none.
    /// @return exit 6 when one cannot be read, 3 when a scenario cannot be prepared
    static sim::Result<Corpus, Failure> replay(const Session& session, const std::string& folder,
                                               const std::vector<ScenarioPtr>& scenarios);

    const std::vector<Entry>& entries() const { return entries_; }
    /// Entries of scenarios that are not hunted in.
    std::size_t skipped() const { return skipped_; }
    /// With what a scenario still fails.
    std::set<std::string> known(const std::string& scenario) const;
    bool fails() const;

    /// Writes an execution; one of the same scenario, kernel and signature is replaced.
    std::optional<Failure> add(const Session& session, const ScenarioPtr& scenario,
                               const sim::Failure& failure);
    const std::vector<std::string>& added() const { return added_; }

    Json json() const;
    std::string text() const;

  private:
    std::string folder_;
    std::vector<Entry> entries_;
    std::size_t skipped_ = 0;
    std::vector<std::string> added_;
};

}  // namespace app::cli
