#pragma once
#include <cstdint>
#include <map>

#include "app/json.h"

namespace sim {
class Scheduler;
}
namespace model {
class FsInfo;
}

/// Executions as files for other programs to read: the trace document, and what is made of it.
namespace app::exporter {

/// Reads the whole state of a simulation between two steps: tables of records, by name and key, as
/// docs/trace.schema.json describes them. Touches nothing: an execution that is read is the same
/// as one that is not.
class StateReader {
  public:
    explicit StateReader(const model::FsInfo& fs) : fs_(fs) {}

    /// Runs on the small stack of a fiber: nothing here recurses.
    SortedJson read(const sim::Scheduler& scheduler);

  private:
    friend class TreeReader;
    /// What was made of a block's bytes, as long as those stay the same.
    struct KnownBlock {
        std::uint32_t checksum = 0;
        SortedJson record;
        SortedJson extents;  // that it has items of
    };

    const model::FsInfo& fs_;
    std::map<std::uint64_t, KnownBlock> known_;
};

/// What changed, as a JSON merge patch (RFC 7386): records and fields that differ, null for what is
/// gone. Values are never null.
SortedJson difference(const SortedJson& before, const SortedJson& after);
/// Applies one.
void apply(SortedJson& state, const SortedJson& patch);

}  // namespace app::exporter
