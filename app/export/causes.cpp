#include "app/export/causes.h"

#include <set>
#include <vector>

#include "app/export/trace_document.h"

namespace app::exporter {

namespace {

std::string task_name(const SortedJson& document, std::size_t task) {
    return document.at("tasks").at("name").at(task).get<std::string>();
}

std::string object_name(const SortedJson& document, std::size_t object) {
    return document.at("objects").at(object).at("name").get<std::string>();
}

std::string task_and_step(const SortedJson& document, std::uint32_t step) {
    const auto task = document.at("steps").at("task").at(step).get<std::size_t>();
    return "step " + std::to_string(step) + ", " + task_name(document, task) + ": " +
           step_words(document, step) + "\n";
}

/// What each step touched: object, and whether it only looked.
class Touches {
  public:
    explicit Touches(const SortedJson& document) : accesses_(document.at("accesses")) {
        std::size_t row = 0;
        for (const SortedJson& count : accesses_.at("count")) {
            first_.push_back(row);
            row += count.get<std::size_t>();
        }
        first_.push_back(row);
    }
    /// The objects that both touched, not both only reading.
    std::set<std::size_t> common(std::uint32_t a, std::uint32_t b) const {
        std::set<std::size_t> found;
        for (std::size_t i = first_[a]; i < first_[a + 1]; ++i)
            for (std::size_t k = first_[b]; k < first_[b + 1]; ++k)
                if (object(i) == object(k) && (!reads(i) || !reads(k))) found.insert(object(i));
        return found;
    }

  private:
    std::size_t object(std::size_t row) const {
        return accesses_.at("object").at(row).get<std::size_t>();
    }
    bool reads(std::size_t row) const { return accesses_.at("kind").at(row) == 0; }

    const SortedJson& accesses_;
    std::vector<std::size_t> first_;
};

/// The last step of a task before so many were done.
std::string last_step_text(const SortedJson& document, std::size_t task, std::uint32_t steps) {
    for (std::uint32_t step = steps; step-- > 0;)
        if (document.at("steps").at("task").at(step) == task) return task_and_step(document, step);
    return "the start\n";
}

/// A row of the table of holds or waits.
struct Row {
    const SortedJson& table;
    std::size_t at;
    std::size_t number(const char* column) const {
        return table.at(column).at(at).get<std::size_t>();
    }
};

/// Who has an object after so many steps. A hold's first step is the one that took it.
std::string holders_text(const SortedJson& document, std::size_t object, std::uint32_t steps) {
    const SortedJson& holds = document.at("holds");
    std::string text;
    for (std::size_t i = 0; i < holds.at("object").size(); ++i) {
        const Row hold{holds, i};
        if (hold.number("object") != object || hold.number("first") >= steps ||
            hold.number("last") < steps)
            continue;
        text += "  " + task_name(document, hold.number("task")) + " has it" +
                (hold.number("shared") != 0 ? " (shared)" : "") + " since " +
                task_and_step(document, static_cast<std::uint32_t>(hold.number("first")));
    }
    return text;
}

/// What a task has waited for since which step; empty: it does not wait.
std::string wait_text(const SortedJson& document, std::size_t task, std::uint32_t steps) {
    const SortedJson& waits = document.at("waits");
    for (std::size_t i = 0; i < waits.at("object").size(); ++i) {
        const Row wait{waits, i};
        if (wait.number("task") != task || wait.number("first") > steps ||
            wait.number("last") < steps)
            continue;
        const auto where = document.at("strings").at(wait.number("where")).get<std::string>();
        return task_name(document, task) + " waits for " +
               object_name(document, wait.number("object")) +
               (where.empty() ? "" : " in " + where) + " since " +
               std::to_string(wait.number("first")) + " steps were done\n" +
               holders_text(document, wait.number("object"), steps);
    }
    return "";
}

std::string number(const SortedJson& count) {
    return std::to_string(count.get<std::uint64_t>());
}

/// "before it 96 of 200 continuations that were tried pass, after it none of 245".
std::string critical_line(const SortedJson& critical) {
    const auto passing = [](const SortedJson& tried) {
        const auto all =
            tried.at("passing").get<std::uint64_t>() + tried.at("failing").get<std::uint64_t>();
        const SortedJson& some = tried.at("passing");
        return (some == 0 ? "none" : number(some)) + " of " + std::to_string(all);
    };
    const std::string which =
        critical.at("exact") == true ? " continuations" : " continuations that were tried";
    return "critical step: " + critical.at("text").get<std::string>() + "\n  before it " +
           passing(critical.at("before")) + which + " pass, after it " +
           passing(critical.at("after")) + "\n";
}

std::string flip_lines(const SortedJson& flip) {
    std::string text = "passes in the other order:\n  " +
                       flip.at("first").at("text").get<std::string>() + "\n  " +
                       flip.at("second").at("text").get<std::string>() + "\n";
    if (!flip.at("passing").is_null()) text += "  " + flip.at("passing").get<std::string>() + "\n";
    return text;
}

}  // namespace

std::string step_words(const SortedJson& document, std::uint32_t step) {
    const SortedJson& steps = document.at("steps");
    std::string text =
        document.at("operations").at(steps.at("op").at(step).get<std::size_t>()).get<std::string>();
    const std::string object = document.at("objects")
                                   .at(steps.at("object").at(step).get<std::size_t>())
                                   .at("name")
                                   .get<std::string>();
    if (!object.empty() && object != "yield") text += " " + object;
    return text;
}

std::string causes_text(const SortedJson& document, std::uint32_t step) {
    const SortedJson& steps = document.at("steps");
    const Touches touches(document);
    std::string text = task_and_step(document, step);
    if (const auto woken = steps.at("woken").at(step).get<std::int64_t>(); woken >= 0)
        text += "  made possible by " + task_and_step(document, static_cast<std::uint32_t>(woken));
    std::set<std::size_t> seen;
    bool had_own = false;
    for (std::uint32_t before = step; before-- > 0;) {
        if (steps.at("task").at(before) == steps.at("task").at(step)) {
            if (!had_own) text += "  after its own " + task_and_step(document, before);
            had_own = true;
            continue;
        }
        for (const std::size_t object : touches.common(before, step))
            if (object != 0 && seen.insert(object).second)
                text += "  touches " + object_name(document, object) + " after " +
                        task_and_step(document, before);
    }
    return text;
}

std::string obstacle_text(const SortedJson& document, std::size_t task, std::uint32_t steps) {
    const std::string name = task_name(document, task);
    const SortedJson tasks = state_at(document, steps).at("tasks");
    const auto record = tasks.find(name);
    if (record == tasks.end()) {
        const auto born = document.at("tasks").at("born").at(task).get<std::uint32_t>();
        if (born > steps)
            return name + " is not there yet: it is made in step " + std::to_string(born - 1) +
                   "\n";
        return name + " is gone after " + last_step_text(document, task, steps);
    }
    if (record->at("status") == "ready")
        return name + " can come next: " + record->at("next").get<std::string>() + "\n";
    const std::string waits = wait_text(document, task, steps);
    return waits.empty() ? name + " waits: " + record->at("next").get<std::string>() + "\n" : waits;
}

std::string decision_text(const SortedJson& document) {
    if (document.at("violation").is_null()) return "nothing failed\n";
    const SortedJson& why = document.at("why");
    std::string text;
    if (const SortedJson& critical = why.at("critical"); !critical.is_null())
        text += critical_line(critical);
    if (const SortedJson& flips = why.at("flips"); !flips.is_null())
        for (const SortedJson& flip : flips.at("found"))
            text += flip_lines(flip);
    return text.empty() ? "neither a critical step nor an order that matters was found\n" : text;
}

}  // namespace app::exporter
