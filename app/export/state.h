#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>

namespace sim {
class Scheduler;
}
namespace model {
class FsInfo;
}

/// Executions as files for other programs to read: the trace document, and what is made of it.
namespace app::exporter {

using Json = nlohmann::json;

/// Reads the whole state of a simulation between two steps: tables of records, by name and key, as
/// docs/trace.schema.json describes them. Touches nothing: an execution that is read is the same
/// as one that is not.
class StateReader {
  public:
    explicit StateReader(const model::FsInfo& fs) : fs_(fs) {}

    /// Runs on the small stack of a fiber: nothing here recurses.
    Json read(const sim::Scheduler& scheduler);

  private:
    friend class TreeReader;
    /// What was made of a block's bytes, as long as those stay the same.
    struct KnownBlock {
        std::uint32_t checksum = 0;
        Json record;
        Json extents;  // that it has items of
    };

    const model::FsInfo& fs_;
    std::map<std::uint64_t, KnownBlock> known_;
};

/// What changed, as a JSON merge patch (RFC 7386): records and fields that differ, null for what is
/// gone. Values are never null.
Json difference(const Json& before, const Json& after);
/// Applies one.
void apply(Json& state, const Json& patch);

}  // namespace app::exporter
