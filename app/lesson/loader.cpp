#include "app/lesson/loader.h"

#include <algorithm>

#include "app/scenario/words.h"

namespace app::lesson {

namespace {

using scenario::in_quotes;
using scenario::InputError;
using scenario::JsonIndex;
using scenario::JsonReader;
using scenario::Mistakes;
using scenario::Node;

constexpr std::uint64_t most_rows = 1'000'000;

/// Ways of naming a moment by what a task does, as they are written.
const std::vector<std::pair<std::string, Anchor::Kind>> kinds{{"enters", Anchor::Kind::Enters},
                                                              {"leaves", Anchor::Kind::Leaves},
                                                              {"does", Anchor::Kind::Does},
                                                              {"says", Anchor::Kind::Says}};
const std::vector<std::pair<std::string, Anchor::Kind>> moment_words{
    {"start", Anchor::Kind::Start},
    {"end", Anchor::Kind::End},
    {"violation", Anchor::Kind::Violation},
    {"critical", Anchor::Kind::Critical}};

class Loader : JsonReader {
  public:
    Loader(Mistakes& mistakes, Lesson& lesson, const Glossary& glossary)
        : JsonReader(mistakes), lesson_(lesson), glossary_(glossary) {}

    void load(const Node& root) {
        if (!is_object(root,
                       {"$schema", "name", "title", "about", "scenario", "kernel", "with",
                        "without", "turns", "verdict", "signature", "stops"},
                       {"name", "title", "about", "scenario", "kernel", "verdict", "stops"}))
            return;
        lesson_.name = word(root.child("name"), "name of a lesson", "-");
        lesson_.title = text(root.child("title"));
        lesson_.about = prose(root.child("about"));
        lesson_.scenario = word(root.child("scenario"), "scenario id", "_-/");
        if (const auto version = kernel_of(root)) lesson_.kernel = *version;
        load_verdict(root);
        if (root.json->contains("turns")) load_turns(root.child("turns"));
        const Node stops = root.child("stops");
        if (!is_array(stops, "stops")) return;
        if (stops.json->empty())
            mistakes_.at_value(stops.pointer, "a lesson without a stop", "at least one stop");
        for (std::size_t i = 0; i < stops.json->size(); ++i)
            load_stop(stops.child(i));
    }

  private:
    void load_verdict(const Node& root) {
        const std::string verdict =
            one_of(root.child("verdict"), {"CLEAN", "FAIL"}, "verdict of one execution");
        lesson_.verdict = parse_verdict(verdict).value_or(Verdict::Clean);
        if (!root.json->contains("signature")) return;
        lesson_.signature = text(root.child("signature"));
        if (lesson_.verdict != Verdict::Fail)
            mistakes_.at_key("/signature", "only a failure has a signature",
                             "\"verdict\": \"FAIL\"");
    }

    /// A string, or a list of paragraphs.
    std::string prose(const Node& node) {
        std::vector<std::string> paragraphs;
        if (node.json->is_array())
            for (std::size_t i = 0; i < node.json->size(); ++i)
                paragraphs.push_back(text(node.child(i)));
        else
            paragraphs.push_back(text(node));
        std::string prose = scenario::join(paragraphs, "\n\n");
        check_terms(node, prose);
        return prose;
    }

    void check_terms(const Node& node, const std::string& prose) {
        std::vector<std::string> known;
        for (const auto& entry : glossary_)
            known.push_back(entry.first);
        for (const std::string& term : terms_of(prose))
            if (!glossary_.contains(term))
                mistakes_.at_value(node.pointer, "the glossary has no " + in_quotes(term),
                                   "a term of lessons/glossary.json in [brackets]",
                                   scenario::nearest(term, known));
    }

    void load_turns(const Node& node) {
        if (!is_array(node, "turns")) return;
        for (std::size_t i = 0; i < node.json->size(); ++i) {
            const Node turn = node.child(i);
            if (!is_object(turn, {"at", "task"}, {"at", "task"})) return;
            lesson_.turns.push_back(
                {.at = anchor(turn.child("at")), .task = text(turn.child("task"))});
        }
    }

    void load_stop(const Node& node) {
        if (!is_object(node, {"title", "text", "at", "panels", "expects", "question", "choose"},
                       {"title", "text", "at"}))
            return;
        Stop stop;
        stop.pointer = node.pointer;
        stop.title = text(node.child("title"));
        stop.text = prose(node.child("text"));
        stop.at = anchor(node.child("at"));
        if (node.json->contains("panels") && is_array(node.child("panels"), "panels"))
            for (std::size_t i = 0; i < node.json->at("panels").size(); ++i)
                stop.panels.push_back(
                    one_of(node.child("panels").child(i), panel_names(), "panel"));
        if (node.json->contains("expects")) stop.expects = conditions(node.child("expects"));
        if (node.json->contains("question")) stop.question = question(node.child("question"));
        if (node.json->contains("choose") && is_array(node.child("choose"), "tasks"))
            for (std::size_t i = 0; i < node.json->at("choose").size(); ++i)
                stop.choose.push_back(text(node.child("choose").child(i)));
        lesson_.stops.push_back(std::move(stop));
    }

    std::optional<Question> question(const Node& node) {
        if (!is_object(node, {"text", "answer"}, {"text", "answer"})) return std::nullopt;
        return Question{.text = prose(node.child("text")), .answer = prose(node.child("answer"))};
    }

    Anchor anchor(const Node& node) {
        Anchor anchor;
        anchor.pointer = node.pointer;
        if (node.json->is_string()) {
            std::vector<std::string> names;
            for (const auto& entry : moment_words)
                names.push_back(entry.first);
            const std::string name = one_of(node, names, "moment");
            for (const auto& [known, kind] : moment_words)
                if (known == name) anchor.kind = kind;
            return anchor;
        }
        if (!is_object(node, {"task", "enters", "leaves", "does", "says", "state", "nth", "before"},
                       {}))
            return anchor;
        unsigned ways = node.json->contains("state") ? 1 : 0;
        for (const auto& [name, kind] : kinds) {
            if (!node.json->contains(name)) continue;
            ++ways;
            anchor.kind = kind;
            anchor.text = text(node.child(name));
        }
        if (ways != 1)
            mistakes_.at_value(node.pointer, "this does not say what happens then",
                               "one of: enters, leaves, does, says, state");
        if (node.json->contains("state")) {
            anchor.kind = Anchor::Kind::State;
            anchor.state = conditions(node.child("state"));
        }
        if (node.json->contains("task")) anchor.task = text(node.child("task"));
        if (node.json->contains("nth")) anchor.nth = number(node.child("nth"), 1, most_rows);
        if (node.json->contains("before")) anchor.before = boolean(node.child("before"));
        return anchor;
    }

    std::vector<Condition> conditions(const Node& node) {
        std::vector<Condition> list;
        if (!is_array(node, "conditions")) return list;
        for (std::size_t i = 0; i < node.json->size(); ++i)
            list.push_back(condition(node.child(i)));
        return list;
    }

    Condition condition(const Node& node) {
        Condition condition;
        condition.pointer = node.pointer;
        if (!is_object(node, {"table", "key", "where", "rows"}, {"table"})) return condition;
        condition.table = text(node.child("table"));
        if (node.json->contains("key")) condition.key = text(node.child("key"));
        if (node.json->contains("rows")) condition.rows = number(node.child("rows"), 0, most_rows);
        if (!node.json->contains("where")) return condition;
        const Node where = node.child("where");
        if (!where.json->is_object())
            mistakes_.at_value(where.pointer,
                               std::string("this is ") + scenario::kind_of(*where.json),
                               "an object of fields and their values");
        else
            for (const auto& item : where.json->items())
                condition.fields.emplace_back(item.key(), item.value());
        return condition;
    }

    Lesson& lesson_;
    const Glossary& glossary_;
};

class GlossaryLoader : JsonReader {
  public:
    using JsonReader::JsonReader;

    Glossary load(const Node& root) {
        Glossary glossary;
        if (!root.json->is_object()) {
            mistakes_.at_value("", std::string("this is ") + scenario::kind_of(*root.json),
                               "an object of terms and what they mean");
            return glossary;
        }
        for (const auto& item : root.json->items())
            glossary[item.key()] = text(root.child(item.key()));
        return glossary;
    }
};

/// Where the marked words of a text begin and end, brackets included.
std::optional<std::pair<std::size_t, std::size_t>> next_mark(std::string_view text,
                                                             std::size_t from) {
    const std::size_t open = text.find('[', from);
    const std::size_t close = text.find(']', open == std::string_view::npos ? text.size() : open);
    if (close == std::string_view::npos) return std::nullopt;
    return std::pair{open, close + 1};
}

}  // namespace

sim::Result<Glossary, InputError> load_glossary(std::string_view text, std::string_view file) {
    const auto parsed = scenario::parse_json(text, file);
    if (!parsed.ok()) return parsed.error();
    const JsonIndex index(text);
    Mistakes mistakes(file, index);
    if (index.duplicate())
        mistakes.at_key(*index.duplicate(), "this term stands twice", "each term once");
    Glossary glossary = GlossaryLoader(mistakes).load({&parsed.value(), ""});
    if (mistakes.first()) return *mistakes.first();
    return glossary;
}

sim::Result<Lesson, InputError> load(std::string_view text, std::string_view file,
                                     const Glossary& glossary) {
    const auto parsed = scenario::parse_json(text, file);
    if (!parsed.ok()) return parsed.error();
    const JsonIndex index(text);
    Mistakes mistakes(file, index);
    if (index.duplicate())
        mistakes.at_key(*index.duplicate(), "this key stands twice in its object", "each key once");
    Lesson lesson;
    lesson.file = file;
    lesson.content = text;
    if (!mistakes.first()) Loader(mistakes, lesson, glossary).load({&parsed.value(), ""});
    if (mistakes.first()) return *mistakes.first();
    return lesson;
}

std::vector<std::string> terms_of(std::string_view text) {
    std::vector<std::string> terms;
    for (auto mark = next_mark(text, 0); mark; mark = next_mark(text, mark->second)) {
        const std::string_view inside =
            text.substr(mark->first + 1, mark->second - mark->first - 2);
        terms.emplace_back(inside.substr(inside.find('|') + 1));  // all of it without one
    }
    return terms;
}

std::string plain(std::string_view text) {
    std::string plain;
    std::size_t at = 0;
    for (auto mark = next_mark(text, 0); mark; mark = next_mark(text, at)) {
        const std::string_view inside =
            text.substr(mark->first + 1, mark->second - mark->first - 2);
        plain += text.substr(at, mark->first - at);
        plain += inside.substr(0, inside.find('|'));
        at = mark->second;
    }
    plain += text.substr(at);
    std::erase(plain, '`');
    return plain;
}

}  // namespace app::lesson
