#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/json.h"
#include "app/scenario/scenario.h"
#include "model/kernel_version.h"
#include "sim/explorer.h"

namespace app::cli {

/// --format jsonl: a search as a stream of events, a line each, written when they happen: started,
/// progress, violation, shard, and at last finished (docs/events.schema.json). All but the progress
/// are the same each time; --progress none leaves that out.
class EventStream {
  public:
    /// The stream goes there too. Who opened it closes it.
    void add(int descriptor) { descriptors_.push_back(descriptor); }
    bool is_on() const { return !descriptors_.empty(); }
    /// What went wrong first; empty: nothing.
    const std::string& error() const { return error_; }

    /// @param seed  of a hunt; nothing: none
    void started(const std::string& verb, const scenario::Scenario& scenario,
                 const model::KernelVersion& kernel, const std::optional<std::uint64_t>& seed);
    void violation(const scenario::Scenario& scenario, const model::KernelVersion& kernel,
                   const sim::Failure& failure, const std::string& token);
    /// @param more  "file" of a plan's shard, "executions" of one that was run
    void shard(const scenario::Scenario& scenario, std::uint64_t index, std::uint64_t count,
               const Json& more);
    /// @param document  of the whole result
    void finished(const Json& document);
    /// A line that is an event.
    void write(const std::string& line);

  private:
    void write(const char* event, const Json& members);

    std::vector<int> descriptors_;
    std::string error_;
};

}  // namespace app::cli
