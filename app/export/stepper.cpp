#include "app/export/stepper.h"

#include <algorithm>
#include <set>

#include "app/export/causes.h"
#include "app/export/trace_document.h"
#include "app/scenario/words.h"

namespace app::exporter {

namespace {

using scenario::parse_number;

const std::vector<std::string> known_commands{
    "n",     "b",       "g",     "start", "end",     "nt",      "bt",    "c",        "rc",
    "break", "watch",   "rw",    "p",     "tree",    "locks",   "trans", "refs",     "bg",
    "pins",  "devices", "space", "files", "changed", "enabled", "take",  "branches", "goto",
    "diff",  "mark",    "notes", "save",  "why",     "help",    "quit"};

const std::vector<std::pair<std::string, std::string>> tables{
    {"locks", "tasks"}, {"trans", "transactions"}, {"refs", "heads"},  {"bg", "groups"},
    {"pins", "pinned"}, {"devices", "devices"},    {"space", "space"}, {"files", "files"}};

std::string value_text(const SortedJson& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string record_text(const std::string& key, const SortedJson& record) {
    std::string text = key + ":";
    for (const auto& [field, value] : record.items())
        text += " " + field + " " + value_text(value);
    return text + "\n";
}

std::vector<std::string> keys_of(const SortedJson& object) {
    std::vector<std::string> keys;
    for (const auto& entry : object.items())
        keys.push_back(entry.key());
    return keys;
}

/// Of a table, at whatever step.
std::vector<std::string> keys_ever_in(const SortedJson& document, const std::string& table) {
    const SortedJson& states = document.at("state");
    std::set<std::string> keys;
    const auto add = [&](const SortedJson& state) {
        if (const auto records = state.find(table); records != state.end() && records->is_object())
            for (const auto& entry : records->items())
                keys.insert(entry.key());
    };
    add(states.at("keyframes").at(0));
    for (const SortedJson& change : states.at("deltas"))
        add(change);
    return {keys.begin(), keys.end()};
}

/// "transactions.writers>1": some record of the table has such a field.
struct Condition {
    std::string table, field, value;
    char sign = '=';

    static std::optional<Condition> parse(const std::string& text) {
        const std::size_t dot = text.find('.'), sign = text.find_first_of("<>=");
        if (dot == std::string::npos || sign == std::string::npos || dot > sign)
            return std::nullopt;
        return Condition{text.substr(0, dot), text.substr(dot + 1, sign - dot - 1),
                         text.substr(sign + 1), text[sign]};
    }
    bool holds(const SortedJson& state) const {
        const auto records = state.find(table);
        if (records == state.end()) return false;
        return std::any_of(records->begin(), records->end(), [&](const SortedJson& record) {
            const auto found = record.find(field);
            if (found == record.end()) return false;
            const auto wanted = parse_number(value);
            if (sign == '=' || !found->is_number() || !wanted) return value_text(*found) == value;
            const auto number = found->get<std::int64_t>();
            const auto limit = static_cast<std::int64_t>(*wanted);
            return sign == '<' ? number < limit : number > limit;
        });
    }
};

}  // namespace

Stepper::Stepper(const SortedJson& document, StepperHost& host) : host_(host) {
    branches_.push_back({.name = "main", .document = &document, .origin = {}});
    enter(0);
}

std::string Stepper::help() {
    return "n [N], b [N]        N steps forward, back (1)\n"
           "g N, start, end     go to where N steps are done; the ends\n"
           "nt TASK, bt TASK    after the next, the previous step of a task\n"
           "break op TEXT       stop at steps that say TEXT; break lock NAME, break invariant,\n"
           "                    break when TABLE.FIELD>N (also < and =); break alone lists them\n"
           "c, rc               on to the next stop, back to the previous one\n"
           "watch TABLE/KEY     stop where that record changes\n"
           "rw [TABLE/KEY]      back to who changed it last (reverse watch); rc goes to\n"
           "                    the change before that\n"
           "p TABLE[/KEY[.FIELD]]   a part of the state\n"
           "tree [NAME]         a tree's blocks, or the trees there are\n"
           "trans, refs, bg, pins, devices, space, files, locks   a table of the state\n"
           "changed             what the last step changed\n"
           "enabled             what can come next, and what came of it when it was tried\n"
           "take N              take the N-th of these instead: a branch that goes on by default\n"
           "branches, goto NAME the branches there are; go to one, where it was left\n"
           "diff A [B]          where two branches part (B: the one you are in)\n"
           "mark TEXT, notes    a note at this place; all of them\n"
           "save FILE           this branch: FILE.html, a page with the notes; FILE.ilf, to "
           "replay\n"
           "why [STEP]          the critical step and the order that the failure needs; or what a\n"
           "                    step came after\n"
           "why-not TASK        why a task cannot come next: what it waits for, and who has that\n"
           "help, quit\n";
}

sim::Result<std::string, Stepper::Mistake> Stepper::command(const std::string& line) {
    const Words words = scenario::split_words(line);
    if (words.empty()) return where();
    const std::string& name = words.front();
    const std::string rest = words.size() > 1 ? words[1] : "";
    if (name == "n" || name == "b" || name == "g" || name == "start" || name == "end")
        return move(name, words);
    if (name == "nt") return move_in_task(rest, 1);
    if (name == "bt") return move_in_task(rest, -1);
    if (name == "c") return resume(1);
    if (name == "rc") return resume(-1);
    if (name == "break") return add_break(words);
    if (name == "watch") return watch(words);
    if (name == "rw") return last_change(words);
    if (name == "p") return print(rest);
    if (name == "tree") return tree(rest);
    if (name == "changed") return changed();
    if (name == "enabled" || name == "who") return alternatives();
    if (name == "take") return take(words);
    if (name == "branches") return list_branches();
    if (name == "goto") return go_to(rest);
    if (name == "diff") return compare(words);
    if (name == "mark") return mark(scenario::join(std::span(words).subspan(1), " "));
    if (name == "notes") return list_notes();
    if (name == "save") return save(words);
    if (name == "why") return why(words);
    if (name == "why-not") return why_not(rest);
    if (name == "help") return help();
    if (name == "quit" || name == "q") {
        quit_ = true;
        return std::string();
    }
    for (const auto& [word, shown] : tables)
        if (name == word) return table(shown);
    return Mistake{"unknown command \"" + name + "\"; help lists them",
                   scenario::nearest(name, known_commands)};
}

SortedJson Stepper::state() const {
    return state_at(document(), at_);
}

std::string Stepper::task_of(std::uint32_t step) const {
    const auto task = document().at("steps").at("task").at(step).get<std::size_t>();
    return document().at("tasks").at("name").at(task).get<std::string>();
}

std::string Stepper::step_text(std::uint32_t step) const {
    std::string text = step_words(document(), step);
    const SortedJson& notes = document().at("notes");
    const auto row = std::lower_bound(notes.at("step").begin(), notes.at("step").end(), step);
    for (auto i = static_cast<std::size_t>(row - notes.at("step").begin());
         i < notes.at("step").size() && notes.at("step").at(i) == step; ++i)
        text += "; " + document()
                           .at("strings")
                           .at(notes.at("text").at(i).get<std::size_t>())
                           .get<std::string>();
    return text;
}

std::string Stepper::where() const {
    const std::string branch = branch_ == 0 ? "" : branches_[branch_].name + " ";
    if (at_ == 0) return branch + "(0) before the first step\n";
    return branch + "(" + std::to_string(at_) + ") step " + std::to_string(at_ - 1) + ", " +
           task_of(at_ - 1) + ": " + step_text(at_ - 1) + "\n";
}

Stepper::Answer Stepper::move(const std::string& name, const Words& words) {
    std::uint64_t count = 1;
    if (words.size() > 1) {
        const auto number = parse_number(words[1]);
        if (!number) return Mistake{name + " \"" + words[1] + "\": expected a number", ""};
        count = *number;
    } else if (name == "g") {
        return Mistake{"g: expected a number of steps", ""};
    }
    const std::uint64_t room = steps_ - at_;
    if (name == "start") at_ = 0;
    if (name == "end") at_ = steps_;
    if (name == "g") at_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, steps_));
    if (name == "n") at_ += static_cast<std::uint32_t>(std::min(count, room));
    if (name == "b") at_ -= static_cast<std::uint32_t>(std::min<std::uint64_t>(count, at_));
    return where();
}

std::optional<Stepper::Mistake> Stepper::no_task(const std::string& name) const {
    const auto names = document().at("tasks").at("name").get<std::vector<std::string>>();
    if (std::find(names.begin(), names.end(), name) != names.end()) return std::nullopt;
    return Mistake{"no task \"" + name + "\"", scenario::nearest(name, names)};
}

Stepper::Answer Stepper::move_in_task(const std::string& task, int direction) {
    if (const auto mistake = no_task(task)) return *mistake;
    for (std::int64_t step = std::int64_t{at_} - 1 + direction; step >= 0 && step < steps_;
         step += direction)
        if (task_of(static_cast<std::uint32_t>(step)) == task) {
            at_ = static_cast<std::uint32_t>(step) + 1;
            return where();
        }
    return std::string("no such step\n");
}

bool Stepper::changes_watched(std::uint32_t step) const {
    if (watched_table_.empty()) return false;
    const SortedJson& change = document().at("state").at("deltas").at(step);
    const auto found = change.find(watched_table_);
    return found != change.end() && found->is_object() && found->contains(watched_key_);
}

Stepper::Answer Stepper::resume(int direction) {
    if (breaks_.empty() && watched_table_.empty())
        return Mistake{"nothing to stop at: break and watch say where", "break"};
    for (std::int64_t next = std::int64_t{at_} - 1 + direction; next >= 0 && next < steps_;
         next += direction) {
        const auto step = static_cast<std::uint32_t>(next);
        std::string why;
        for (const Break& entry : breaks_)
            if (entry.hits(*this, step)) why = entry.text;
        if (changes_watched(step)) why = "watch " + watched_table_ + "/" + watched_key_;
        if (why.empty()) continue;
        at_ = step + 1;
        return "stopped by " + why + "\n" + where();
    }
    at_ = direction > 0 ? steps_ : 0;
    return "no stop on the way\n" + where();
}

Stepper::Answer Stepper::add_break(const Words& words) {
    if (words.size() == 1) {
        std::string text = breaks_.empty() ? "no breakpoints\n" : "";
        for (const Break& entry : breaks_)
            text += entry.text + "\n";
        return text;
    }
    const std::string& kind = words[1];
    const std::string text = scenario::join(words, " ");
    const std::string what =
        words.size() > 2 ? scenario::join(std::span(words).subspan(2), " ") : "";
    if (what.empty() && kind != "invariant")
        return Mistake{"break " + kind + ": expected what", ""};
    if (kind == "invariant") {
        breaks_.push_back({text, [](const Stepper& self, std::uint32_t step) {
                               const SortedJson& violation = self.document().at("violation");
                               return violation.is_object() && violation.at("step") == step + 1;
                           }});
    } else if (kind == "op") {
        breaks_.push_back({text, [what](const Stepper& self, std::uint32_t step) {
                               return self.step_text(step).find(what) != std::string::npos;
                           }});
    } else if (kind == "lock") {
        breaks_.push_back({text, [what](const Stepper& self, std::uint32_t step) {
                               const std::string said = self.step_text(step);
                               return said.find("lock " + what) != std::string::npos;
                           }});
    } else if (kind == "when") {
        const auto condition = Condition::parse(what);
        if (!condition)
            return Mistake{"break when \"" + what + "\": expected TABLE.FIELD>N, <N or =WORD", ""};
        if (const auto mistake = no_table(condition->table)) return *mistake;
        breaks_.push_back({text, [condition](const Stepper& self, std::uint32_t step) {
                               const SortedJson& change = self.document().at("state").at("deltas");
                               return change.at(step).contains(condition->table) &&
                                      condition->holds(state_at(self.document(), step + 1)) &&
                                      !condition->holds(state_at(self.document(), step));
                           }});
    } else {
        const std::vector<std::string> kinds{"op", "lock", "invariant", "when"};
        return Mistake{"break \"" + kind + "\": expected op, lock, invariant or when",
                       scenario::nearest(kind, kinds)};
    }
    return text + "\n";
}

std::optional<Stepper::Mistake> Stepper::no_table(const std::string& name) const {
    const auto known = keys_of(document().at("state").at("keyframes").at(0));
    if (std::find(known.begin(), known.end(), name) != known.end()) return std::nullopt;
    return Mistake{"no table \"" + name + "\"", scenario::nearest(name, known)};
}

Stepper::Answer Stepper::watch(const Words& words) {
    const std::string path = words.size() > 1 ? words[1] : "";
    const std::size_t slash = path.find('/');
    if (slash == std::string::npos) return Mistake{"watch: expected TABLE/KEY", ""};
    const std::string name = path.substr(0, slash), key = path.substr(slash + 1);
    if (const auto mistake = no_table(name)) return *mistake;
    const auto known = keys_ever_in(document(), name);
    if (std::find(known.begin(), known.end(), key) == known.end())
        return Mistake{"no record \"" + key + "\" in " + name + " at any step",
                       scenario::nearest(key, known)};
    watched_table_ = name;
    watched_key_ = key;
    return "watching " + path + "\n";
}

Stepper::Answer Stepper::last_change(const Words& words) {
    if (words.size() > 1)
        if (auto watched = watch(words); !watched.ok()) return watched;
    if (watched_table_.empty()) return Mistake{"nothing is watched: watch TABLE/KEY", "watch"};
    for (std::uint32_t step = at_; step-- > 0;)
        if (changes_watched(step)) {
            at_ = step + 1;
            return "last changed here\n" + where() + change_text(step);
        }
    return std::string("not changed before this\n");
}

/// What a step did to the watched record: each field before and after.
std::string Stepper::change_text(std::uint32_t step) const {
    const auto record_in = [&](const SortedJson& state) {
        const auto records = state.find(watched_table_);
        if (records == state.end()) return SortedJson();
        const auto record = records->find(watched_key_);
        return record == records->end() ? SortedJson() : *record;
    };
    const SortedJson before = record_in(state_at(document(), step));
    const SortedJson after = record_in(state_at(document(), step + 1));
    const std::string name = "  " + watched_table_ + "/" + watched_key_ + ": ";
    if (before.is_null()) return name + "new\n";
    if (after.is_null()) return name + "gone; it was\n    " + record_text(watched_key_, before);
    std::string text;
    for (const auto& [field, value] : after.items())
        if (const auto old = before.find(field); old == before.end() || *old != value)
            text += name + field + " " +
                    (old == before.end() ? std::string("none") : value_text(*old)) + " -> " +
                    value_text(value) + "\n";
    return text;
}

Stepper::Answer Stepper::print(const std::string& path) const {
    const std::size_t slash = path.find('/');
    const std::string name = path.substr(0, slash);
    if (const auto mistake = no_table(name)) return *mistake;
    if (slash == std::string::npos) return table(name);
    const SortedJson records = state().at(name);
    const std::string rest = path.substr(slash + 1);
    if (const auto whole = records.find(rest); whole != records.end())
        return record_text(rest, *whole);
    const std::size_t dot = rest.rfind('.');
    const std::string key = rest.substr(0, dot);
    const auto record = records.find(key);
    if (dot == std::string::npos || record == records.end())
        return Mistake{"no record \"" + key + "\" in " + name,
                       scenario::nearest(key, keys_of(records))};
    const std::string field = rest.substr(dot + 1);
    const auto value = record->find(field);
    if (value == record->end())
        return Mistake{"no field \"" + field + "\"", scenario::nearest(field, keys_of(*record))};
    return value_text(*value) + "\n";
}

Stepper::Answer Stepper::table(const std::string& name) const {
    const SortedJson now = state();
    std::string text;
    for (const auto& [key, record] : now.at(name).items())
        text += record_text(key, record);
    return text.empty() ? std::string("nothing\n") : text;
}

Stepper::Answer Stepper::tree(const std::string& name) const {
    const SortedJson now = state();
    if (name.empty()) return table("roots");
    const auto root = now.at("roots").find(name);
    if (root == now.at("roots").end())
        return Mistake{"no tree \"" + name + "\"",
                       scenario::nearest(name, keys_of(now.at("roots")))};
    std::string text;
    std::vector<std::string> open{value_text(root->at("node"))};
    while (!open.empty()) {
        const std::string bytenr = open.back();
        open.pop_back();
        const auto block = now.at("blocks").find(bytenr);
        if (block == now.at("blocks").end() || !block->contains("slots")) continue;
        text += "block " + bytenr + ", level " + value_text(block->at("level")) + ", generation " +
                value_text(block->at("generation")) + ", owner " + value_text(block->at("owner")) +
                "\n";
        for (const SortedJson& slot : block->at("slots"))
            text += "    " + value_text(slot) + "\n";
        if (const auto below = block->find("children"); below != block->end())
            for (auto child = below->rbegin(); child != below->rend(); ++child)
                open.push_back(value_text(*child));
    }
    return text;
}

std::string Stepper::changed() const {
    if (at_ == 0) return "nothing yet\n";
    std::string text;
    for (const auto& [name, records] : document().at("state").at("deltas").at(at_ - 1).items())
        for (const auto& [key, change] : records.items())
            text += name + "/" + (change.is_null() ? key + ": gone\n" : record_text(key, change));
    return text.empty() ? "nothing\n" : text;
}

std::optional<Stepper::Choice> Stepper::choice_at(std::uint32_t steps) const {
    const SortedJson& choices = document().at("choices");
    Choice choice;
    for (; choice.row < choices.at("step").size(); ++choice.row) {
        choice.count = choices.at("count").at(choice.row).get<std::size_t>();
        if (choices.at("step").at(choice.row) == steps) return choice;
        choice.first += choice.count;
    }
    return std::nullopt;
}

/// @param row  of a candidate
std::string Stepper::candidate_text(std::size_t row) const {
    const SortedJson& choices = document().at("choices");
    const auto column = [&](const char* name) {
        return choices.at(name).at(row).get<std::size_t>();
    };
    const std::string object =
        document().at("objects").at(column("object")).at("name").get<std::string>();
    return document().at("tasks").at("name").at(column("task")).get<std::string>() + ": " +
           document().at("operations").at(column("op")).get<std::string>() +
           (object.empty() ? "" : " " + object);
}

std::string Stepper::alternatives() const {
    static constexpr const char* outcomes[] = {"not tried", "passes", "fails"};
    if (at_ >= steps_) return "nothing: this is the end\n";
    const auto choice = choice_at(at_);
    if (!choice) return "> " + task_of(at_) + ": " + step_text(at_) + "   (no choice)\n";
    const SortedJson& choices = document().at("choices");
    std::string text;
    for (std::size_t i = 0; i < choice->count; ++i) {
        const auto outcome = choices.at("outcome").at(choice->first + i).get<std::size_t>();
        text += (choices.at("taken").at(choice->row) == i ? "> " : "  ") + std::to_string(i + 1) +
                "  " + candidate_text(choice->first + i) + "   [" + outcomes[outcome] + "]\n";
    }
    return text;
}

/// What decides the failure; or of a step what it came after: its task's step before, what made it
/// possible, and whoever last touched the same things.
Stepper::Answer Stepper::why(const Words& words) const {
    if (words.size() == 1) return decision_text(document());
    const auto step = parse_number(words[1]);
    if (!step || *step >= steps_)
        return Mistake{"why \"" + words[1] + "\": expected a step below " + std::to_string(steps_),
                       ""};
    return causes_text(document(), static_cast<std::uint32_t>(*step));
}

Stepper::Answer Stepper::why_not(const std::string& task) const {
    if (const auto mistake = no_task(task)) return *mistake;
    const auto& names = document().at("tasks").at("name");
    const auto number = std::find(names.begin(), names.end(), task) - names.begin();
    return obstacle_text(document(), static_cast<std::size_t>(number), at_);
}

}  // namespace app::exporter
