#include "app/lesson/telling.h"

#include <algorithm>

#include "app/export/trace_document.h"
#include "app/scenario/words.h"

namespace app::lesson {

namespace {

/// The numeric columns of a document.
std::uint32_t number(const SortedJson& column, std::size_t row) {
    return column.at(row).get<std::uint32_t>();
}

/// Whether a field is as wanted: equal, or a list that has it, or a text that the pattern matches.
bool fits(const SortedJson& value, const Json& wanted) {
    if (value.is_array() && !wanted.is_array())
        return std::any_of(value.begin(), value.end(),
                           [&](const SortedJson& element) { return fits(element, wanted); });
    if (value.is_string() && wanted.is_string())
        return scenario::glob_match(wanted.get<std::string>(), value.get<std::string>());
    return value == SortedJson::parse(wanted.dump());
}

bool fits(const SortedJson& row, const Condition& condition) {
    return std::all_of(condition.fields.begin(), condition.fields.end(), [&](const auto& field) {
        const auto found = row.find(field.first);
        return found != row.end() && fits(*found, field.second);
    });
}

std::uint64_t rows_that_fit(const SortedJson& state, const Condition& condition) {
    const auto table = state.find(condition.table);
    if (table == state.end()) return 0;
    std::uint64_t rows = 0;
    for (const auto& [key, row] : table->items())
        if (scenario::glob_match(condition.key, key) && fits(row, condition)) ++rows;
    return rows;
}

bool holds(const SortedJson& state, const Condition& condition) {
    const std::uint64_t rows = rows_that_fit(state, condition);
    return condition.rows ? rows == *condition.rows : rows > 0;
}

/// The nth of the moments that are not before `from`.
std::optional<std::uint32_t> nth_from(std::vector<std::uint32_t> moments, std::uint64_t nth,
                                      std::uint32_t from) {
    std::sort(moments.begin(), moments.end());
    const auto first = std::lower_bound(moments.begin(), moments.end(), from);
    if (static_cast<std::uint64_t>(moments.end() - first) < nth) return std::nullopt;
    return *(first + static_cast<std::ptrdiff_t>(nth - 1));
}

}  // namespace

Telling::Telling(const SortedJson& document)
    : document_(document), steps_(document.at("counts").at("steps").get<std::uint32_t>()) {}

const std::string& Telling::task(std::size_t index) const {
    return document_.at("tasks").at("name").at(index).get_ref<const std::string&>();
}

const std::string& Telling::string(std::size_t index) const {
    return document_.at("strings").at(index).get_ref<const std::string&>();
}

std::string Telling::operation(std::size_t step) const {
    const SortedJson& steps = document_.at("steps");
    const auto& op = document_.at("operations").at(number(steps.at("op"), step));
    const auto& object = document_.at("objects").at(number(steps.at("object"), step)).at("name");
    const auto& name = object.get_ref<const std::string&>();
    return op.get<std::string>() + (name.empty() ? "" : " " + name);
}

std::string Telling::next(std::uint32_t at) const {
    if (at >= steps_) return "";
    return task(number(document_.at("steps").at("task"), at)) + ": " + operation(at);
}

std::optional<std::uint32_t> Telling::find(const Anchor& anchor, std::uint32_t from) const {
    const SortedJson& violation = document_.at("violation");
    const SortedJson& why = document_.at("why");
    switch (anchor.kind) {
    case Anchor::Kind::Start:
        return 0;
    case Anchor::Kind::End:
        return steps_;
    case Anchor::Kind::Violation:
        if (violation.is_null()) return std::nullopt;
        return std::min(steps_, violation.at("step").get<std::uint32_t>());
    case Anchor::Kind::Critical:
        if (!why.contains("critical") || !why.at("critical").is_object()) return std::nullopt;
        return why.at("critical").at("step").get<std::uint32_t>();
    case Anchor::Kind::Enters:
        return of_rows(anchor, document_.at("scopes"), "first", from);
    case Anchor::Kind::Leaves:
        return of_rows(anchor, document_.at("scopes"), "last", from);
    case Anchor::Kind::Says:
        return of_rows(anchor, document_.at("notes"), "step", from);
    case Anchor::Kind::Does:
        return of_steps(anchor, from);
    case Anchor::Kind::State:
        return of_states(anchor, from);
    }
    return std::nullopt;
}

/// Of scopes and notes: after the step that the column names, or before it.
std::optional<std::uint32_t> Telling::of_rows(const Anchor& anchor, const SortedJson& table,
                                              const char* column, std::uint32_t from) const {
    std::vector<std::uint32_t> moments;
    for (std::size_t i = 0; i < table.at(column).size(); ++i)
        if (scenario::glob_match(anchor.task, task(number(table.at("task"), i))) &&
            scenario::glob_match(anchor.text, string(number(table.at("text"), i))))
            moments.push_back(
                std::min(steps_, number(table.at(column), i) + (anchor.before ? 0 : 1)));
    return nth_from(std::move(moments), anchor.nth, from);
}

std::optional<std::uint32_t> Telling::of_steps(const Anchor& anchor, std::uint32_t from) const {
    std::vector<std::uint32_t> moments;
    for (std::uint32_t step = 0; step < steps_; ++step)
        if (scenario::glob_match(anchor.task,
                                 task(number(document_.at("steps").at("task"), step))) &&
            scenario::glob_match(anchor.text, operation(step)))
            moments.push_back(step + (anchor.before ? 0 : 1));
    return nth_from(std::move(moments), anchor.nth, from);
}

/// The nth time that the state becomes such.
std::optional<std::uint32_t> Telling::of_states(const Anchor& anchor, std::uint32_t from) const {
    SortedJson state = exporter::state_at(document_, from);
    std::uint64_t left = anchor.nth;
    bool was = false;
    for (std::uint32_t at = from;; ++at) {
        const bool is =
            std::all_of(anchor.state.begin(), anchor.state.end(),
                        [&](const Condition& condition) { return holds(state, condition); });
        if (is && !was && --left == 0) return anchor.before && at > from ? at - 1 : at;
        was = is;
        if (at >= steps_) return std::nullopt;
        state.merge_patch(document_.at("state").at("deltas").at(at));
    }
}

std::optional<Telling::Choice> Telling::choice(const std::vector<std::string>& tasks,
                                               std::uint32_t from) const {
    const SortedJson& choices = document_.at("choices");
    std::size_t first = 0;
    for (std::size_t row = 0; row < choices.at("step").size(); ++row) {
        const std::size_t count = number(choices.at("count"), row);
        Choice choice{.row = row, .step = number(choices.at("step"), row), .candidates = {}};
        for (const std::string& wanted : tasks)
            for (std::size_t i = 0; i < count; ++i)
                if (i != number(choices.at("taken"), row) &&
                    scenario::glob_match(wanted, task(number(choices.at("task"), first + i)))) {
                    choice.candidates.push_back(i);
                    break;
                }
        first += count;
        if (choice.step >= from && choice.candidates.size() == tasks.size()) return choice;
    }
    return std::nullopt;
}

std::string Telling::objection(const Condition& condition, std::uint32_t at) const {
    const SortedJson state = exporter::state_at(document_, at);
    if (!state.contains(condition.table)) {
        std::vector<std::string> tables;
        for (const auto& item : state.items())
            tables.push_back(item.key());
        return "the state has no table \"" + condition.table + "\"; it has " +
               scenario::join(tables, ", ");
    }
    if (holds(state, condition)) return "";
    return "of " + std::to_string(state.at(condition.table).size()) + " rows of " +
           condition.table + " " + std::to_string(rows_that_fit(state, condition)) + " fit";
}

}  // namespace app::lesson
