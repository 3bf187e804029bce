#include "app/export/stepper.h"

#include <algorithm>

#include "app/export/trace_document.h"
#include "app/scenario/words.h"

namespace app::exporter {

namespace {

using scenario::parse_number;

const std::vector<std::string> known_commands{
    "n",     "b",       "g",     "start", "end",     "nt",      "bt",    "c",    "rc",
    "break", "watch",   "rw",    "p",     "tree",    "locks",   "trans", "refs", "bg",
    "pins",  "devices", "space", "files", "changed", "enabled", "why",   "help", "quit"};

const std::vector<std::pair<std::string, std::string>> tables{
    {"locks", "tasks"}, {"trans", "transactions"}, {"refs", "heads"},  {"bg", "groups"},
    {"pins", "pinned"}, {"devices", "devices"},    {"space", "space"}, {"files", "files"}};

std::string value_text(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string record_text(const std::string& key, const Json& record) {
    std::string text = key + ":";
    for (const auto& [field, value] : record.items())
        text += " " + field + " " + value_text(value);
    return text + "\n";
}

std::vector<std::string> keys_of(const Json& object) {
    std::vector<std::string> keys;
    for (const auto& entry : object.items())
        keys.push_back(entry.key());
    return keys;
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
    bool holds(const Json& state) const {
        const auto records = state.find(table);
        if (records == state.end()) return false;
        return std::any_of(records->begin(), records->end(), [&](const Json& record) {
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

Stepper::Stepper(const Json& document)
    : document_(document), steps_(document.at("window").at("count").get<std::uint32_t>()) {}

std::string Stepper::help() {
    return "n [N], b [N]        N steps forward, back (1)\n"
           "g N, start, end     go to where N steps are done; the ends\n"
           "nt TASK, bt TASK    after the next, the previous step of a task\n"
           "break op TEXT       stop at steps that say TEXT; break lock NAME, break invariant,\n"
           "                    break when TABLE.FIELD>N (also < and =); break alone lists them\n"
           "c, rc               on to the next stop, back to the previous one\n"
           "watch TABLE/KEY     stop where that record changes; rw: who changed it last\n"
           "p TABLE[/KEY[.FIELD]]   a part of the state\n"
           "tree [NAME]         a tree's blocks, or the trees there are\n"
           "trans, refs, bg, pins, devices, space, files, locks   a table of the state\n"
           "changed             what the last step changed\n"
           "enabled             what can come next, and what came of it when it was tried\n"
           "why                 the critical step and the order that the failure needs\n"
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
    if (name == "rw") return last_change();
    if (name == "p") return print(rest);
    if (name == "tree") return tree(rest);
    if (name == "changed") return changed();
    if (name == "enabled" || name == "who") return alternatives();
    if (name == "why") return document_.at("why").dump(2) + "\n";
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

Json Stepper::state() const {
    return state_at(document_, at_);
}

std::string Stepper::task_of(std::uint32_t step) const {
    const auto task = document_.at("steps").at("task").at(step).get<std::size_t>();
    return document_.at("tasks").at("name").at(task).get<std::string>();
}

std::string Stepper::step_text(std::uint32_t step) const {
    const Json& steps = document_.at("steps");
    std::string text = document_.at("operations")
                           .at(steps.at("op").at(step).get<std::size_t>())
                           .get<std::string>();
    const std::string object = document_.at("objects")
                                   .at(steps.at("object").at(step).get<std::size_t>())
                                   .at("name")
                                   .get<std::string>();
    if (!object.empty() && object != "yield") text += " " + object;
    const Json& notes = document_.at("notes");
    for (std::size_t i = 0; i < notes.at("step").size(); ++i)
        if (notes.at("step").at(i) == step)
            text += "; " + document_.at("strings")
                               .at(notes.at("text").at(i).get<std::size_t>())
                               .get<std::string>();
    return text;
}

std::string Stepper::where() const {
    if (at_ == 0) return "(0) before the first step\n";
    return "(" + std::to_string(at_) + ") step " + std::to_string(at_ - 1) + ", " +
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

Stepper::Answer Stepper::move_in_task(const std::string& task, int direction) {
    const auto names = document_.at("tasks").at("name").get<std::vector<std::string>>();
    if (std::find(names.begin(), names.end(), task) == names.end())
        return Mistake{"no task \"" + task + "\"", scenario::nearest(task, names)};
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
    const Json& change = document_.at("state").at("deltas").at(step);
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
                               const Json& violation = self.document_.at("violation");
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
        breaks_.push_back({text, [condition](const Stepper& self, std::uint32_t step) {
                               return condition->holds(state_at(self.document_, step + 1)) &&
                                      !condition->holds(state_at(self.document_, step));
                           }});
    } else {
        const std::vector<std::string> kinds{"op", "lock", "invariant", "when"};
        return Mistake{"break \"" + kind + "\": expected op, lock, invariant or when",
                       scenario::nearest(kind, kinds)};
    }
    return text + "\n";
}

Stepper::Answer Stepper::watch(const Words& words) {
    const std::string path = words.size() > 1 ? words[1] : "";
    const std::size_t slash = path.find('/');
    if (slash == std::string::npos) return Mistake{"watch: expected TABLE/KEY", ""};
    const std::string name = path.substr(0, slash);
    const auto known = keys_of(document_.at("state").at("keyframes").at(0));
    if (std::find(known.begin(), known.end(), name) == known.end())
        return Mistake{"no table \"" + name + "\"", scenario::nearest(name, known)};
    watched_table_ = name;
    watched_key_ = path.substr(slash + 1);
    return "watching " + path + "\n";
}

Stepper::Answer Stepper::last_change() {
    if (watched_table_.empty()) return Mistake{"nothing is watched: watch TABLE/KEY", "watch"};
    for (std::uint32_t step = at_; step-- > 0;)
        if (changes_watched(step)) {
            at_ = step + 1;
            return "last changed here\n" + where();
        }
    return std::string("not changed before this\n");
}

Stepper::Answer Stepper::print(const std::string& path) const {
    const std::size_t slash = path.find('/');
    const std::string name = path.substr(0, slash);
    const Json now = state();
    const auto records = now.find(name);
    if (records == now.end())
        return Mistake{"no table \"" + name + "\"", scenario::nearest(name, keys_of(now))};
    if (slash == std::string::npos) return table(name);
    const std::string rest = path.substr(slash + 1);
    const std::size_t dot = rest.rfind('.');
    const std::string key = rest.substr(0, dot);
    const auto record = records->find(key);
    if (record == records->end())
        return Mistake{"no record \"" + key + "\" in " + name,
                       scenario::nearest(key, keys_of(*records))};
    if (dot == std::string::npos) return record_text(key, *record);
    const std::string field = rest.substr(dot + 1);
    const auto value = record->find(field);
    if (value == record->end())
        return Mistake{"no field \"" + field + "\"", scenario::nearest(field, keys_of(*record))};
    return value_text(*value) + "\n";
}

Stepper::Answer Stepper::table(const std::string& name) const {
    const Json now = state();
    std::string text;
    for (const auto& [key, record] : now.at(name).items())
        text += record_text(key, record);
    return text.empty() ? std::string("nothing\n") : text;
}

Stepper::Answer Stepper::tree(const std::string& name) const {
    const Json now = state();
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
        for (const Json& slot : block->at("slots"))
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
    for (const auto& [name, records] : document_.at("state").at("deltas").at(at_ - 1).items())
        for (const auto& [key, change] : records.items())
            text += name + "/" + (change.is_null() ? key + ": gone\n" : record_text(key, change));
    return text.empty() ? "nothing\n" : text;
}

std::string Stepper::alternatives() const {
    static constexpr const char* outcomes[] = {"not tried", "passes", "fails"};
    if (at_ >= steps_) return "nothing: this is the end\n";
    const Json& choices = document_.at("choices");
    std::size_t row = 0;
    for (std::size_t i = 0; i < choices.at("step").size(); ++i) {
        const auto count = choices.at("count").at(i).get<std::size_t>();
        if (choices.at("step").at(i) != at_) {
            row += count;
            continue;
        }
        std::string text;
        for (std::size_t k = 0; k < count; ++k) {
            const auto column = [&](const char* name) {
                return choices.at(name).at(row + k).get<std::size_t>();
            };
            const std::string object =
                document_.at("objects").at(column("object")).at("name").get<std::string>();
            text += (choices.at("taken").at(i) == k ? "> " : "  ") +
                    document_.at("tasks").at("name").at(column("task")).get<std::string>() + ": " +
                    document_.at("operations").at(column("op")).get<std::string>() +
                    (object.empty() ? "" : " " + object) + "   [" + outcomes[column("outcome")] +
                    "]\n";
        }
        return text;
    }
    return "> " + task_of(at_) + ": " + step_text(at_) + "   (no choice)\n";
}

}  // namespace app::exporter
