// Branches of an execution, and notes: the part of `interleaf step` that runs executions.
#include <algorithm>

#include "app/export/causes.h"
#include "app/export/stepper.h"
#include "app/export/trace_document.h"
#include "app/scenario/words.h"

namespace app::exporter {

namespace {

std::uint32_t steps_of(const SortedJson& document) {
    return document.at("window").at("count").get<std::uint32_t>();
}

std::string outcome_text(const SortedJson& document) {
    std::string text =
        std::to_string(steps_of(document)) + " steps, " + document.at("verdict").get<std::string>();
    if (document.at("violation").is_object())
        text += " " + document.at("violation").at("signature").get<std::string>();
    return text;
}

/// "writer: lock trans_lock", or that it has ended.
std::string task_and_words(const SortedJson& document, std::uint32_t step) {
    if (step >= steps_of(document)) return "the end";
    const auto task = document.at("steps").at("task").at(step).get<std::size_t>();
    return document.at("tasks").at("name").at(task).get<std::string>() + ": " +
           step_words(document, step);
}

/// The first step that differs in who did what to what.
std::uint32_t first_other_step(const SortedJson& a, const SortedJson& b) {
    const std::uint32_t common = std::min(steps_of(a), steps_of(b));
    for (std::uint32_t step = 0; step < common; ++step)
        if (task_and_words(a, step) != task_and_words(b, step)) return step;
    return common;
}

/// The tables in which the states after so many steps differ.
std::vector<std::string> other_tables(const SortedJson& a, const SortedJson& b,
                                      std::uint32_t steps) {
    const SortedJson before = state_at(a, steps), after = state_at(b, steps);
    std::vector<std::string> names;
    const SortedJson changes = difference(before, after);
    for (const auto& change : changes.items())
        names.push_back(change.key());
    return names;
}

}  // namespace

void Stepper::enter(std::size_t branch) {
    branches_[branch_].at = at_;
    branch_ = branch;
    steps_ = steps_of(document());
    at_ = std::min(branches_[branch_].at, steps_);
}

std::optional<std::size_t> Stepper::find_branch(const std::string& name) const {
    for (std::size_t i = 0; i < branches_.size(); ++i)
        if (branches_[i].name == name) return i;
    return std::nullopt;
}

Stepper::Mistake Stepper::no_branch(const std::string& name) const {
    std::vector<std::string> names;
    for (const Branch& branch : branches_)
        names.push_back(branch.name);
    return {"no branch \"" + name + "\"; there are " + scenario::join(names, ", "),
            scenario::nearest(name, names)};
}

Stepper::Answer Stepper::take(const Words& words) {
    const auto choice = choice_at(at_);
    if (at_ >= steps_ || !choice)
        return Mistake{"take: there is no choice here; enabled shows what comes next", "enabled"};
    const auto number =
        words.size() > 1 ? scenario::parse_number(words[1]) : std::optional<std::uint64_t>();
    if (!number || *number == 0 || *number > choice->count)
        return Mistake{"take" + (words.size() > 1 ? " \"" + words[1] + "\"" : std::string()) +
                           ": expected a number from 1 to " + std::to_string(choice->count) +
                           ", as enabled lists them",
                       ""};
    const std::size_t candidate = static_cast<std::size_t>(*number) - 1;
    if (document().at("choices").at("taken").at(choice->row) == candidate)
        return Mistake{"take " + words[1] + ": this is what comes next here; n goes there", "n"};
    const std::string origin = branches_[branch_].name + " after " + std::to_string(at_) +
                               " steps, " + candidate_text(choice->first + candidate);
    const auto made = host_.take(branch_, at_, candidate);
    if (!made.ok()) return made.error();
    branches_.push_back({.name = "b" + std::to_string(branches_.size()),
                         .document = made.value(),
                         .origin = origin,
                         .at = at_ + 1});
    enter(branches_.size() - 1);
    return branches_[branch_].name + ": " + outcome_text(document()) + "\n" + where();
}

Stepper::Answer Stepper::go_to(const std::string& name) {
    const auto branch = find_branch(name);
    if (!branch) return no_branch(name);
    enter(*branch);
    return where();
}

Stepper::Answer Stepper::list_branches() const {
    std::string text;
    for (std::size_t i = 0; i < branches_.size(); ++i)
        text += (i == branch_ ? "> " : "  ") + branches_[i].name + "  " +
                outcome_text(*branches_[i].document) +
                (branches_[i].origin.empty() ? "" : "   from " + branches_[i].origin) + "\n";
    return text;
}

Stepper::Answer Stepper::compare(const Words& words) const {
    if (words.size() < 2) return Mistake{"diff: expected the name of a branch", "branches"};
    const auto first = find_branch(words[1]);
    if (!first) return no_branch(words[1]);
    const auto second = words.size() > 2 ? find_branch(words[2]) : std::optional(branch_);
    if (!second) return no_branch(words[2]);
    const Branch &a = branches_[*first], &b = branches_[*second];
    const std::uint32_t step = first_other_step(*a.document, *b.document);
    const auto told = [&](const Branch& branch) {
        return "  " + branch.name + ": " + task_and_words(*branch.document, step) + "\n";
    };
    std::string text = "the same for " + std::to_string(step) + " steps\n";
    if (*first != *second) text += told(a) + told(b);
    const std::uint32_t common = std::min(steps_of(*a.document), steps_of(*b.document));
    for (std::uint32_t after = step + 1; after <= common; ++after) {
        const auto others = other_tables(*a.document, *b.document, after);
        if (others.empty()) continue;
        text += "first other state after " + std::to_string(after) +
                " steps: " + scenario::join(others, ", ") + "\n";
        break;
    }
    return text + a.name + ": " + outcome_text(*a.document) + "; " + b.name + ": " +
           outcome_text(*b.document) + "\n";
}

Stepper::Answer Stepper::mark(const std::string& text) {
    if (text.empty()) return Mistake{"mark: expected a text", ""};
    notes_.push_back({branch_, at_, text});
    return "noted\n" + where();
}

Stepper::Answer Stepper::list_notes() const {
    std::string text;
    for (const StepNote& note : notes_)
        text += branches_[note.branch].name + " (" + std::to_string(note.step) + ") " + note.text +
                "\n";
    return text.empty() ? std::string("no notes\n") : text;
}

Stepper::Answer Stepper::save(const Words& words) {
    if (words.size() != 2) return Mistake{"save: expected the name of one file", ""};
    const auto saved = host_.save(words[1], branch_, notes_);
    if (!saved.ok()) return saved.error();
    return saved.value() + "\n";
}

}  // namespace app::exporter
