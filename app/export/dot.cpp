#include "app/export/dot.h"

#include <map>
#include <set>
#include <vector>

#include "app/export/names.h"
#include "sim/happens_before.h"

namespace app::exporter {

namespace {

/// A quoted id of the language: https://graphviz.org/doc/info/lang.html.
std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        if (static_cast<unsigned char>(c) < ' ') {
            result += c == '\n' ? "\\n" : " ";
        } else {
            result += c;
        }
    }
    return result + "\"";
}

std::string edge(const std::string& from, const std::string& to, const std::string& attributes) {
    return "  " + from + " -> " + to + (attributes.empty() ? "" : " [" + attributes + "]") + ";\n";
}

// ---- happens-before -----------------------------------------------------------------------------

std::string step_id(std::uint32_t step) {
    return "s" + std::to_string(step);
}

class Races {
  public:
    Races(const Recorded& recorded, sim::Grain grain)
        : recorded_(recorded), trace_(recorded.result.trace) {
        order_.begin(trace_);
        while (order_.size() < trace_.steps())
            order_.add(trace_, grain);
        for (const sim::ReversibleRace& race : order_.races())
            add(race);
        for (std::uint32_t step = 0; step < trace_.steps(); ++step)
            if (const std::uint32_t by = trace_.step_list()[step].woken_in; by != sim::no_step)
                add({by, step});
    }
    void add_step(std::uint32_t step) { steps_.insert(step); }

    std::string columns(std::optional<std::uint32_t> critical) const {
        std::map<std::uint32_t, std::vector<std::uint32_t>> tasks;
        for (const std::uint32_t step : steps_)
            tasks[trace_.step_list()[step].task].push_back(step);
        std::string text;
        for (const auto& [task, steps] : tasks)
            text += column(task, steps, critical);
        return text;
    }
    std::string pairs() const {
        std::string text;
        for (const sim::ReversibleRace& race : order_.races())
            text += edge(step_id(race.first), step_id(race.second),
                         "color=red, constraint=false, label=" + quoted(object_of(race)));
        for (const std::uint32_t step : steps_)
            if (const std::uint32_t by = trace_.step_list()[step].woken_in; by != sim::no_step)
                text += edge(step_id(by), step_id(step), "style=dotted, label=\"wakes\"");
        return text;
    }
    std::size_t steps() const { return steps_.size(); }
    std::size_t pair_count() const { return order_.races().size(); }

  private:
    void add(const sim::ReversibleRace& pair) {
        steps_.insert(pair.first);
        steps_.insert(pair.second);
    }

    /// The task's steps from top to bottom.
    std::string column(std::uint32_t task, const std::vector<std::uint32_t>& steps,
                       std::optional<std::uint32_t> critical) const {
        std::string text = "  subgraph " + quoted("cluster_" + std::to_string(task)) +
                           " {\n    label=" + quoted(trace_.task_name(task)) + ";\n";
        for (const std::uint32_t step : steps) {
            const bool boxed = critical == step;
            text += "    " + step_id(step) + " [label=" +
                    quoted(std::to_string(step) + ": " + step_name(recorded_, step) +
                           (boxed ? "\ncritical step" : "")) +
                    (boxed ? ", shape=box, style=bold" : "") + "];\n";
        }
        text += "  }\n";
        for (std::size_t i = 1; i < steps.size(); ++i)
            text += edge(step_id(steps[i - 1]), step_id(steps[i]), "color=gray");
        return text;
    }

    /// What the first of a pair touched that the second one touched too, as they do not commute.
    std::string object_of(const sim::ReversibleRace& race) const {
        for (const sim::Access& first : trace_.accesses_of(race.first))
            for (const sim::Access& second : trace_.accesses_of(race.second))
                if (first.object == second.object && sim::conflict(first, second))
                    return object_name(recorded_, first.object);
        return "";
    }

    const Recorded& recorded_;
    const sim::Trace& trace_;
    sim::HappensBefore order_;
    std::set<std::uint32_t> steps_;
};

// ---- trees --------------------------------------------------------------------------------------

std::string word(const SortedJson& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string block_id(const std::string& bytenr) {
    return "b" + bytenr;
}

class Trees {
  public:
    explicit Trees(const SortedJson& state) : state_(state) {
        for (const auto& [name, root] : state.at("roots").items()) {
            if (const auto node = root.find("node"); node != root.end())
                reach(word(*node), running_);
            if (const auto node = root.find("commit_root"); node != root.end())
                reach(word(*node), committed_);
        }
    }

    TreeGraph draw() const {
        TreeGraph graph{.content = "digraph trees {\n  node [shape=box];\n"};
        for (const auto& [name, root] : state_.at("roots").items())
            graph.content += root_text(name, root);
        for (const auto& [bytenr, record] : state_.at("blocks").items()) {
            graph.content += block_text(bytenr, record);
            ++graph.blocks;
            if (running_.contains(bytenr) && committed_.contains(bytenr)) ++graph.shared;
        }
        graph.content += "}\n";
        return graph;
    }

  private:
    void reach(const std::string& root, std::set<std::string>& seen) const {
        std::vector<std::string> open{root};
        while (!open.empty()) {
            const std::string bytenr = open.back();
            open.pop_back();
            const auto record = state_.at("blocks").find(bytenr);
            if (record == state_.at("blocks").end() || !seen.insert(bytenr).second) continue;
            if (const auto below = record->find("children"); below != record->end())
                for (const SortedJson& child : *below)
                    open.push_back(word(child));
        }
    }

    static std::string root_text(const std::string& name, const SortedJson& root) {
        const std::string id = quoted("root " + name);
        std::string text = "  " + id + " [label=" + quoted(name) + ", shape=ellipse];\n";
        if (const auto node = root.find("node"); node != root.end())
            text += edge(id, block_id(word(*node)), "");
        if (const auto node = root.find("commit_root"); node != root.end())
            text += edge(id, block_id(word(*node)), "style=dashed, label=\"committed\"");
        return text;
    }

    /// Copied since the last commit: bold. Of the last commit only: dashed. In both: filled.
    std::string style_of(const std::string& bytenr) const {
        if (!running_.contains(bytenr)) return "dashed";
        return committed_.contains(bytenr) ? "filled" : "bold";
    }

    std::string block_text(const std::string& bytenr, const SortedJson& record) const {
        const std::string id = block_id(bytenr);
        if (record.contains("unreadable"))
            return "  " + id + " [label=" + quoted(bytenr + "\nunreadable") + ", style=dotted];\n";
        const std::string label = bytenr + "\n" + word(record.at("owner")) + ", level " +
                                  word(record.at("level")) + "\ngeneration " +
                                  word(record.at("generation")) + ", " +
                                  std::to_string(record.at("slots").size()) + " items";
        std::string text =
            "  " + id + " [label=" + quoted(label) + ", style=" + style_of(bytenr) + "];\n";
        if (const auto below = record.find("children"); below != record.end())
            for (const SortedJson& child : *below)
                text += edge(id, block_id(word(child)), "");
        return text;
    }

    const SortedJson& state_;
    std::set<std::string> running_, committed_;  // blocks that the trees reach
};

}  // namespace

RaceGraph race_graph(const Recorded& recorded, sim::Grain grain,
                     std::optional<std::uint32_t> critical) {
    Races races(recorded, grain);
    if (critical) races.add_step(*critical);
    return {"digraph happens_before {\n  node [shape=ellipse];\n" + races.columns(critical) +
                races.pairs() + "}\n",
            races.steps(), races.pair_count()};
}

TreeGraph tree_graph(const SortedJson& state) {
    return Trees(state).draw();
}

}  // namespace app::exporter
