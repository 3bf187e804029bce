#include "app/export/trace_document.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "app/export/names.h"
#include "app/export/state_parts.h"
#include "app/report/token.h"
#include "model/invariants.h"

namespace app::exporter {

namespace {

constexpr std::uint32_t no_index = 0;
constexpr std::uint64_t effect_mask = (1 << 20) - 1;  // enough to tell two steps apart

/// Each object once, in the order in which they are first mentioned. The first is none.
class Objects {
  public:
    explicit Objects(const Recorded& recorded) : recorded_(recorded) {
        list_.push_back({{"name", ""}, {"kind", ""}, {"key", 0}});
    }
    std::uint32_t of(std::uint64_t id, const char* touched = nullptr) {
        if (id == 0) return no_index;
        const auto [it, fresh] = index_.try_emplace(id, static_cast<std::uint32_t>(list_.size()));
        if (fresh) list_.push_back(describe(id, touched));
        return it->second;
    }
    SortedJson take() { return std::move(list_); }

  private:
    SortedJson describe(std::uint64_t id, const char* touched) const {
        const sim::ObjectLabel label = recorded_.result.trace.object_label(id);
        return {{"name", object_name(recorded_, id, touched)},
                {"kind", label.object_class},
                {"key", number_json(label.key)}};
    }

    const Recorded& recorded_;
    SortedJson list_ = SortedJson::array();
    std::map<std::uint64_t, std::uint32_t> index_;
};

/// Each text once.
class Strings {
  public:
    std::uint32_t of(const std::string& text) {
        const auto [it, fresh] = index_.try_emplace(text, static_cast<std::uint32_t>(list_.size()));
        if (fresh) list_.push_back(text);
        return it->second;
    }
    SortedJson take() { return std::move(list_); }

  private:
    SortedJson list_ = SortedJson::array();
    std::map<std::string, std::uint32_t> index_;
};

SortedJson columns(std::initializer_list<const char*> names) {
    SortedJson table;
    for (const char* const name : names)
        table[name] = SortedJson::array();
    return table;
}

/// Writes the parts of the document that have a row for each of something.
class Writer {
  public:
    Writer(const Recorded& recorded, const About& about)
        : recorded_(recorded), trace_(recorded.result.trace), about_(about), objects_(recorded) {
        window_ = about.window.value_or(Window{0, trace_.steps()});
    }

    SortedJson write() {
        SortedJson document = head();
        document["tasks"] = tasks();
        document["steps"] = steps();
        document["accesses"] = accesses();
        add_narration(document);
        document["holds"] = intervals(recorded_.holds);
        document["waits"] = intervals(recorded_.waits);
        document["choices"] = choices();
        document["state"] = states();
        document["invariants"] = invariants();
        document["objects"] = objects_.take();
        document["strings"] = strings_.take();
        return document;
    }

  private:
    std::uint32_t end() const { return window_.first + window_.count; }
    bool inside(std::uint32_t step) const { return step >= window_.first && step < end(); }

    SortedJson head() const {
        const sim::ExecutionResult& result = recorded_.result;
        SortedJson document = {{"format", "interleaf-trace"},
                               {"version", trace_version},
                               {"program", about_.program},
                               {"revision", report::model_revision},
                               {"scenario", scenario_json()},
                               {"kernel", about_.kernel},
                               {"token", about_.token},
                               {"command", about_.command},
                               {"verdict", about_.verdict},
                               {"violation", nullptr},
                               {"counts",
                                {{"steps", result.steps},
                                 {"switches", result.switches},
                                 {"deviations", result.deviations}}},
                               {"window", {{"first", window_.first}, {"count", window_.count}}},
                               {"messages", result.messages},
                               {"ladder", about_.ladder},
                               {"why", about_.why}};
        if (result.violation)
            document["violation"] = {{"signature", result.violation->signature},
                                     {"text", result.violation->text},
                                     {"step", result.violation->step}};
        SortedJson operations = SortedJson::array();
        for (unsigned op = 0; op <= static_cast<unsigned>(sim::OpKind::Expire); ++op)
            operations.push_back(sim::to_string(static_cast<sim::OpKind>(op)));
        document["operations"] = std::move(operations);
        return document;
    }

    SortedJson scenario_json() const {
        const scenario::Scenario& scenario = *about_.scenario;
        SortedJson json = {{"id", scenario.id},
                           {"title", scenario.title},
                           {"description", scenario.description},
                           {"label", scenario.label()},
                           {"prepare", SortedJson::array()},
                           {"tasks", SortedJson::array()}};
        for (const scenario::Op& op : scenario.prepare)
            json["prepare"].push_back(op.text);
        for (const scenario::TaskSpec& task : scenario.tasks) {
            SortedJson run = SortedJson::array();
            for (const scenario::Op& op : task.run)
                run.push_back(op.text);
            json["tasks"].push_back({{"name", task.name}, {"cpu", task.cpu}, {"run", run}});
        }
        return json;
    }

    SortedJson tasks() const {
        SortedJson table = columns({"name", "parent", "kind", "cpu", "born"});
        for (std::uint32_t i = 0; i < trace_.names().size(); ++i) {
            const sim::Trace::TaskName& name = trace_.names()[i];
            table["name"].push_back(trace_.task_name(i));
            table["parent"].push_back(
                name.parent == sim::Trace::no_parent ? SortedJson(-1) : SortedJson(name.parent));
            table["kind"].push_back(static_cast<int>(name.kind));
            table["cpu"].push_back(cpu_of(trace_, *about_.scenario, i));
            table["born"].push_back(name.born);
        }
        return table;
    }

    SortedJson steps() {
        SortedJson table = columns({"task", "op", "object", "woken", "effect"});
        for (std::uint32_t i = window_.first; i < end(); ++i) {
            const sim::Step& step = trace_.step_list()[i];
            table["task"].push_back(step.task);
            table["op"].push_back(static_cast<int>(step.op));
            table["object"].push_back(objects_.of(step.object));
            table["woken"].push_back(step.woken_in == sim::no_step ? SortedJson(-1)
                                                                   : SortedJson(step.woken_in));
            table["effect"].push_back(
                i < trace_.effects().size() ? trace_.effects()[i] & effect_mask : 0U);
        }
        return table;
    }

    /// What each step touched, each object once for each way of touching it.
    SortedJson accesses() {
        SortedJson table = columns({"count", "object", "kind", "key"});
        for (std::uint32_t i = window_.first; i < end(); ++i) {
            const std::size_t before = table["object"].size();
            std::set<std::tuple<std::uint64_t, sim::AccessKind, std::uint64_t>> seen;
            const auto of_step = trace_.accesses_of(i);
            const std::size_t first = trace_.step_list()[i].first_access;
            for (std::size_t k = 0; k < of_step.size(); ++k) {
                if (!seen.emplace(of_step[k].object, of_step[k].kind, of_step[k].key).second)
                    continue;
                table["object"].push_back(
                    objects_.of(of_step[k].object, recorded_.touched.at(first + k)));
                table["kind"].push_back(static_cast<int>(of_step[k].kind));
                table["key"].push_back(number_json(of_step[k].key));
            }
            table["count"].push_back(table["object"].size() - before);
        }
        return table;
    }

    /// A function that a task was in: steps from the first to the last.
    struct Scope {
        std::uint32_t task, first, last;
        std::size_t depth;
        const std::string& text;
    };

    void add_narration(SortedJson& document) {
        std::vector<Scope> scopes;
        SortedJson notes = columns({"step", "task", "kind", "text"});
        std::map<std::uint32_t, std::vector<std::size_t>> open;  // rows, by task
        for (const sim::Narration& entry : trace_.narration()) {
            auto& stack = open[entry.task];
            switch (entry.kind) {
            case sim::Narration::Kind::Enter:
                scopes.push_back(
                    {entry.task, entry.step, trace_.steps(), stack.size(), entry.text});
                stack.push_back(scopes.size() - 1);
                break;
            case sim::Narration::Kind::Leave:
                if (stack.empty()) break;
                scopes[stack.back()].last = entry.step;
                stack.pop_back();
                break;
            default:
                if (!inside(entry.step)) break;
                notes["step"].push_back(entry.step);
                notes["task"].push_back(entry.task);
                notes["kind"].push_back(note_kind(entry.kind));
                notes["text"].push_back(strings_.of(entry.text));
            }
        }
        document["scopes"] = scopes_json(scopes);
        document["notes"] = std::move(notes);
    }

    SortedJson scopes_json(const std::vector<Scope>& scopes) {
        SortedJson table = columns({"task", "text", "depth", "first", "last"});
        for (const Scope& scope : scopes) {
            if (scope.last < window_.first || scope.first >= end()) continue;
            table["task"].push_back(scope.task);
            table["text"].push_back(strings_.of(scope.text));
            table["depth"].push_back(scope.depth);
            table["first"].push_back(scope.first);
            table["last"].push_back(scope.last);
        }
        return table;
    }

    static const char* note_kind(sim::Narration::Kind kind) {
        if (kind == sim::Narration::Kind::Message) return "message";
        return kind == sim::Narration::Kind::Violation ? "violation" : "note";
    }

    SortedJson intervals(const std::vector<Interval>& list) {
        SortedJson table = columns({"object", "task", "first", "last", "shared", "where"});
        for (const Interval& interval : list) {
            if (interval.last < window_.first || interval.first >= end()) continue;
            table["object"].push_back(objects_.of(interval.object));
            table["task"].push_back(interval.task);
            table["first"].push_back(interval.first);
            table["last"].push_back(interval.last);
            table["shared"].push_back(interval.shared ? 1 : 0);
            table["where"].push_back(strings_.of(interval.where));
        }
        return table;
    }

    SortedJson choices() {
        SortedJson table = columns({"step", "taken", "count", "task", "op", "object", "outcome"});
        for (std::size_t i = 0; i < recorded_.choices.size(); ++i) {
            const ChoicePoint& point = recorded_.choices[i];
            if (!inside(point.step)) continue;
            table["step"].push_back(point.step);
            table["taken"].push_back(taken(recorded_, point));
            table["count"].push_back(point.candidates.size());
            for (std::size_t k = 0; k < point.candidates.size(); ++k) {
                const Candidate& candidate = point.candidates[k];
                table["task"].push_back(candidate.task);
                table["op"].push_back(static_cast<int>(candidate.op));
                table["object"].push_back(objects_.of(candidate.object));
                table["outcome"].push_back(
                    about_.outcomes.empty() ? 0 : static_cast<int>(about_.outcomes.at(i).at(k)));
            }
        }
        return table;
    }

    SortedJson states() const {
        SortedJson keyframes = SortedJson::array(), deltas = SortedJson::array();
        const std::uint32_t interval = keyframe_interval(window_.count);
        SortedJson state = recorded_.first;
        for (std::uint32_t i = 0; i < window_.first; ++i)
            apply(state, recorded_.changes.at(i));
        for (std::uint32_t i = 0; i <= window_.count; ++i) {
            if (i % interval == 0) keyframes.push_back(state);
            if (i == window_.count) break;
            const SortedJson& change = recorded_.changes.at(window_.first + i);
            deltas.push_back(change);
            apply(state, change);
        }
        return {{"interval", interval},
                {"keyframes", std::move(keyframes)},
                {"deltas", std::move(deltas)}};
    }

    SortedJson invariants() const {
        static constexpr const char* classes[] = {"end", "visible", "state"};
        SortedJson list = SortedJson::array();
        const auto& violation = recorded_.result.violation;
        std::size_t i = 0;
        for (const model::Invariant& invariant : model::invariants()) {
            const std::uint32_t evaluated =
                i < recorded_.evaluated.size() ? recorded_.evaluated[i] : 0;
            ++i;
            const bool violated =
                violation && (violation->signature == invariant.name ||
                              violation->signature.starts_with(std::string(invariant.name) + "/"));
            list.push_back({{"name", invariant.name},
                            {"sentence", invariant.sentence},
                            {"class", classes[static_cast<int>(invariant.cls)]},
                            {"where", invariant.where},
                            {"evaluated", evaluated},
                            {"violated", violated}});
        }
        return list;
    }

    const Recorded& recorded_;
    const sim::Trace& trace_;
    const About& about_;
    Window window_;
    Objects objects_;
    Strings strings_;
};

}  // namespace

std::uint32_t keyframe_interval(std::uint32_t count) {
    constexpr std::uint32_t least = 64, most_keyframes = 256;
    std::uint32_t interval = least;
    while (count / interval > most_keyframes)
        interval *= 2;
    return interval;
}

SortedJson trace_document(const Recorded& recorded, const About& about) {
    return Writer(recorded, about).write();
}

std::string document_text(const SortedJson& document) {
    return document.dump(-1, ' ', false, SortedJson::error_handler_t::replace) + "\n";
}

SortedJson state_at(const SortedJson& document, std::uint32_t steps) {
    const SortedJson& states = document.at("state");
    const auto interval = states.at("interval").get<std::uint32_t>();
    const std::uint32_t nearest = steps / interval;
    SortedJson state = states.at("keyframes").at(nearest);
    for (std::uint32_t i = nearest * interval; i < steps; ++i)
        apply(state, states.at("deltas").at(i));
    return state;
}

}  // namespace app::exporter
