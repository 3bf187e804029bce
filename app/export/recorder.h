#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/export/state.h"
#include "sim/execution.h"

namespace app::exporter {

/// A task that could come next, and what it would do.
struct Candidate {
    std::uint32_t task = 0;  // index of its name
    sim::OpKind op = sim::OpKind::Start;
    std::uint64_t object = 0;
};
/// A decision with more than one candidate; the default is the first.
struct ChoicePoint {
    std::uint32_t step = 0;     // that came of it
    std::uint32_t ordinal = 0;  // among the choice points, as schedules count them
    std::vector<Candidate> candidates;
};
/// Steps for which a task held something, or waited for it. `last` is the last such step.
struct Interval {
    std::uint64_t object = 0;
    std::uint32_t task = 0;
    std::uint32_t first = 0, last = 0;
    bool shared = false;
    std::string where;  // the function that took it, or waits
};

/// All that is kept of one execution.
struct Recorded {
    sim::ExecutionResult result;           // narrated
    std::vector<const char*> touched;      // kind of object of each access of the trace
    std::vector<std::uint32_t> evaluated;  // how often each invariant was looked at, in their order
    SortedJson first;                      // the state before step 0
    std::vector<SortedJson> changes;  // of step i: from the state before it to the one after it
    std::vector<ChoicePoint> choices;
    std::vector<Interval> holds, waits;
    std::map<std::uint64_t, std::string> names;  // of objects that were waited for, held or next
};

/// Keeps the state at every step of one execution, what could come next, and who held what.
class Recorder final : public sim::Observer {
  public:
    explicit Recorder(Recorded& recorded) : recorded_(recorded) {}
    /// The filesystem of the execution that it observes; before the first run.
    void attach(const model::FsInfo& fs) { reader_.emplace(fs); }

    bool wants_steps() const override { return true; }
    void stepped(const sim::Scheduler& scheduler) override;
    void executed(const sim::Scheduler& scheduler, const sim::ExecutionResult& result) override;

  private:
    using Key = std::pair<std::uint32_t, std::uint64_t>;  // task, object

    void begin();
    void read_state(const sim::Scheduler& scheduler);
    void read_choice(const sim::Scheduler& scheduler);
    void read_locks(const sim::Scheduler& scheduler);
    void read_held(const sim::Task& task, std::uint32_t step);
    void read_waiting(const sim::Task& task, std::uint32_t step);
    void name(const sim::Object& object);
    /// Ends the intervals that were not seen again at this step.
    void close(std::map<Key, Interval>& open, std::vector<Interval>& done, std::uint32_t step);

    Recorded& recorded_;
    std::optional<StateReader> reader_;
    SortedJson state_;
    std::map<Key, Interval> held_, waiting_;
    std::vector<std::uint16_t> candidates_;
};

}  // namespace app::exporter
