#include "app/export/perfetto.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "app/export/names.h"
#include "app/export/perfetto_writer.h"
#include "app/export/timeline.h"

namespace app::exporter {

namespace {

using Track = PerfettoWriter::Track;

// ---- processors ---------------------------------------------------------------------------------

/// A slice for as long as a task had a processor without another step between.
std::size_t add_cpus(PerfettoWriter& writer, const Recorded& recorded,
                     const scenario::Scenario& scenario) {
    const sim::Trace& trace = recorded.result.trace;
    std::map<unsigned, Track> tracks;
    for (std::uint32_t task = 0; task < trace.names().size(); ++task)
        tracks.emplace(cpu_of(trace, scenario, task), 0);
    for (auto& [cpu, track] : tracks)
        track = writer.track("CPU " + std::to_string(cpu));
    for (std::uint32_t from = 0, to = 0; from < trace.steps(); from = to) {
        const std::uint32_t task = trace.step_list()[from].task;
        while (to < trace.steps() && trace.step_list()[to].task == task)
            ++to;
        writer.slice(tracks.at(cpu_of(trace, scenario, task)), from * step_ns, to * step_ns,
                     trace.task_name(task));
    }
    return tracks.size();
}

// ---- tasks --------------------------------------------------------------------------------------

/// Calls, steps and remarks, each on its task's track.
class TaskTracks final : public TimelineReader {
  public:
    TaskTracks(PerfettoWriter& writer, const Recorded& recorded)
        : writer_(writer), recorded_(recorded), trace_(recorded.result.trace),
          tracks_(trace_.names().size()), open_(trace_.names().size()) {
        for (std::uint32_t task = 0; task < tracks_.size(); ++task)
            tracks_[task] = writer.track(trace_.task_name(task));
        for (std::uint32_t step = 0; step < trace_.steps(); ++step)
            if (const std::uint32_t by = trace_.step_list()[step].woken_in; by != sim::no_step)
                woken_[by].push_back(arrow_to(step));
    }

    void stepped(std::uint32_t step, std::uint64_t ns) override {
        const auto wakes = woken_.find(step);
        const bool was_woken = trace_.step_list()[step].woken_in != sim::no_step;
        if (was_woken) ++flows;
        writer_.instant(tracks_[trace_.step_list()[step].task], ns, step_name(recorded_, step),
                        wakes == woken_.end() ? std::vector<std::uint64_t>{} : wakes->second,
                        was_woken ? arrow_to(step) : 0);
    }
    void narrated(const sim::Narration& entry, std::uint64_t ns) override {
        const Track track = tracks_[entry.task];
        switch (entry.kind) {
        case sim::Narration::Kind::Enter:
            ++open_[entry.task];
            return writer_.begin(track, ns, entry.text);
        case sim::Narration::Kind::Leave:
            if (open_[entry.task] == 0) return;
            --open_[entry.task];
            return writer_.end(track, ns);
        default:
            return writer_.instant(track, ns, entry.text);
        }
    }
    void traced(const sim::Tracepoint&, std::uint64_t) override {}

    /// What nobody left ends with the execution.
    void close() {
        for (std::uint32_t task = 0; task < open_.size(); ++task)
            for (; open_[task] > 0; --open_[task])
                writer_.end(tracks_[task], trace_.steps() * step_ns);
    }
    std::size_t size() const { return tracks_.size(); }
    std::size_t flows = 0;

  private:
    static std::uint64_t arrow_to(std::uint32_t step) { return std::uint64_t{step} + 1; }

    PerfettoWriter& writer_;
    const Recorded& recorded_;
    const sim::Trace& trace_;
    std::vector<Track> tracks_;
    std::vector<std::size_t> open_;  // calls, by task
    std::map<std::uint32_t, std::vector<std::uint64_t>> woken_;
};

// ---- locks --------------------------------------------------------------------------------------

/// Intervals of one kind of one object, in rows in which none overlaps another.
void add_rows(PerfettoWriter& writer, const sim::Trace& trace, const std::string& name,
              const std::vector<const Interval*>& list) {
    std::vector<std::pair<Track, std::uint32_t>> rows;  // and the step after the last one there
    for (const Interval* const interval : list) {
        auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const auto& entry) { return entry.second <= interval->first; });
        if (row == rows.end()) row = rows.insert(row, {writer.track(name, rows.size()), 0});
        row->second = interval->last + 1;
        writer.slice(row->first, interval->first * step_ns, row->second * step_ns,
                     trace.task_name(interval->task) + (interval->shared ? " (shared)" : "") +
                         (interval->where.empty() ? "" : " in " + interval->where));
    }
}

/// Who had each lock, and who waited for it, in the order in which they are met. Locks of one name,
/// as those of a head and of the next one of the same extent are, share their tracks.
std::size_t add_locks(PerfettoWriter& writer, const Recorded& recorded) {
    std::map<std::string, std::array<std::vector<const Interval*>, 2>> locks;
    std::vector<std::string> order;
    const std::array lists{&recorded.holds, &recorded.waits};
    for (std::size_t kind = 0; kind < lists.size(); ++kind)
        for (const Interval& interval : *lists[kind]) {
            const auto [entry, fresh] = locks.try_emplace(object_name(recorded, interval.object));
            if (fresh) order.push_back(entry->first);
            entry->second[kind].push_back(&interval);
        }
    for (const std::string& name : order) {
        const auto& [holds, waits] = locks.at(name);
        add_rows(writer, recorded.result.trace, name, holds);
        add_rows(writer, recorded.result.trace, name + ": waiting", waits);
    }
    return order.size();
}

// ---- objects ------------------------------------------------------------------------------------

/// A table of the state whose records have tracks, and what those are called.
struct ObjectTable {
    const char* table;
    const char* name;
};
constexpr std::array object_tables{
    ObjectTable{"transactions", "transaction"}, ObjectTable{"heads", "head"},
    ObjectTable{"ordered", "ordered extent"}, ObjectTable{"groups", "block group"}};

/// "total_ref_mod, refs": the fields of a record that a step changed.
std::string fields_text(const SortedJson& change) {
    std::string text;
    for (const auto& field : change.items())
        text += (text.empty() ? "" : ", ") + field.key();
    return text;
}

/// The records of one table, from when they are there until they are gone. Within a transaction's
/// life its states are slices of their own.
class ObjectTracks {
  public:
    ObjectTracks(PerfettoWriter& writer, const ObjectTable& table)
        : writer_(writer), table_(table) {}

    /// @param records  of the state before the first step
    void start(const SortedJson& records) {
        for (const auto& [key, record] : records.items())
            appear(key, record, 0);
    }
    /// @param change  a merge patch of the table
    void change(const SortedJson& change, std::uint32_t step) {
        for (const auto& [key, record] : change.items()) {
            const auto known = lives_.find(key);
            const bool is_open = known != lives_.end() && known->second.open;
            if (record.is_null()) {
                if (is_open) end(known->second, (step + 1) * step_ns);
            } else if (!is_open) {
                appear(key, record, step * step_ns);
            } else {
                alter(known->second, record, step * step_ns);
            }
        }
    }
    void finish(std::uint64_t ns) {
        for (auto& [key, life] : lives_)
            if (life.open) end(life, ns);
    }
    std::size_t size() const { return lives_.size(); }

  private:
    struct Life {
        Track track = 0;
        bool open = false, has_state = false;
    };

    void appear(const std::string& key, const SortedJson& record, std::uint64_t ns) {
        const std::string name = std::string(table_.name) + " " + key;
        const auto [entry, fresh] = lives_.try_emplace(key);
        if (fresh) entry->second.track = writer_.track(name);
        Life& life = entry->second;
        life.open = true;
        writer_.begin(life.track, ns, name);
        enter_state(life, record, ns);
    }
    void alter(Life& life, const SortedJson& record, std::uint64_t ns) {
        if (record.contains("state")) return enter_state(life, record, ns);
        writer_.instant(life.track, ns, fields_text(record));
    }
    void enter_state(Life& life, const SortedJson& record, std::uint64_t ns) {
        const auto state = record.find("state");
        if (state == record.end() || !state->is_string()) return;
        if (life.has_state) writer_.end(life.track, ns);
        life.has_state = true;
        writer_.begin(life.track, ns, state->get<std::string>());
    }
    void end(Life& life, std::uint64_t ns) {
        if (life.has_state) writer_.end(life.track, ns);
        writer_.end(life.track, ns);
        life.open = life.has_state = false;
    }

    PerfettoWriter& writer_;
    const ObjectTable& table_;
    std::map<std::string, Life> lives_;
};

/// The sum over a table's records of what a field says, or how many there are.
class Counter {
  public:
    Counter(PerfettoWriter& writer, const char* name, const char* table, const char* field)
        : writer_(writer), track_(writer.counter_track(name)), table_(table), field_(field) {}

    void change(const SortedJson& change, std::uint64_t ns) {
        const auto records = change.find(table_);
        if (records == change.end() || !records->is_object()) return;
        for (const auto& [key, record] : records->items())
            apply(key, record);
        std::int64_t sum = 0;
        for (const auto& [key, value] : values_)
            sum += value;
        if (sum == last_) return;
        last_ = sum;
        writer_.count(track_, ns, sum);
    }

  private:
    void apply(const std::string& key, const SortedJson& record) {
        if (record.is_null()) {
            values_.erase(key);
        } else if (field_ == nullptr) {
            values_[key] = 1;
        } else if (const auto value = record.find(field_); value != record.end()) {
            values_[key] = value->get<std::int64_t>();
        }
    }

    PerfettoWriter& writer_;
    Track track_;
    const char* table_;
    const char* field_;  // null: the records are counted
    std::int64_t last_ = -1;
    std::map<std::string, std::int64_t> values_;
};

void add_objects(PerfettoWriter& writer, const Recorded& recorded, PerfettoTrace& result) {
    std::vector<Counter> counters{{writer, "writers", "transactions", "writers"},
                                  {writer, "heads of delayed references", "heads", nullptr}};
    for (Counter& counter : counters) {
        counter.change(recorded.first, 0);
        for (std::uint32_t step = 0; step < recorded.changes.size(); ++step)
            counter.change(recorded.changes[step], (step + 1) * step_ns);
    }
    result.counters = counters.size();
    for (const ObjectTable& table : object_tables) {
        ObjectTracks tracks(writer, table);
        tracks.start(recorded.first.at(table.table));
        for (std::uint32_t step = 0; step < recorded.changes.size(); ++step) {
            const auto change = recorded.changes[step].find(table.table);
            if (change != recorded.changes[step].end()) tracks.change(*change, step);
        }
        tracks.finish(recorded.result.steps * step_ns);
        result.objects += tracks.size();
    }
}

}  // namespace

PerfettoTrace perfetto_trace(const Recorded& recorded, const scenario::Scenario& scenario) {
    PerfettoWriter writer;
    PerfettoTrace result;
    writer.group("CPUs");
    result.cpus = add_cpus(writer, recorded, scenario);
    writer.group("Tasks");
    TaskTracks tasks(writer, recorded);
    tell(recorded.result.trace, tasks);
    tasks.close();
    result.tasks = tasks.size();
    result.flows = tasks.flows;
    writer.group("Locks");
    result.locks = add_locks(writer, recorded);
    writer.group("Objects");
    add_objects(writer, recorded, result);
    result.content = writer.write();
    return result;
}

}  // namespace app::exporter
