#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "app/cli/build_info.h"
#include "app/cli/cases.h"
#include "app/cli/matrix_page.h"
#include "app/cli/output.h"
#include "app/cli/session.h"
#include "app/report/token.h"
#include "app/scenario/words.h"
#include "model/kernel_version.h"

namespace app::cli {

namespace {

constexpr int schema_version = 1;

VerbResult run_verb(Session& session) {
    switch (session.parsed.verb->id) {
    case VerbId::List:
        return list_scenarios(session);
    case VerbId::Show:
        return show(session);
    case VerbId::Run:
        return run(session);
    case VerbId::Hunt:
        return hunt(session);
    case VerbId::Explore:
        return explore(session);
    case VerbId::Replay:
        return replay(session);
    case VerbId::Explain:
        return explain(session);
    case VerbId::Shrink:
        return shrink(session);
    case VerbId::Diff:
        return diff(session);
    case VerbId::Matrix:
        return matrix(session);
    case VerbId::Validate:
        return validate(session);
    case VerbId::Bench:
        return bench(session);
    case VerbId::Merge:
        return merge(session);
    case VerbId::Image:
        return image(session);
    case VerbId::Sweep:
        return sweep(session);
    case VerbId::Export:
        return export_execution(session);
    case VerbId::Step:
        return step(session);
    case VerbId::Lesson:
        return lesson(session);
    }
    return usage_failure("no such command");
}

/// The same in each document, in one place: schema, verb, what ran, verdict and exit first, the
/// verb's own keys after.
Json complete_document(const Session& session, Json document, Verdict verdict, int exit) {
    Json complete = {{"schema", schema_version}, {"verb", session.parsed.verb->name}};
    complete["scenario"] = document.value("scenario", Json());
    complete["kernel"] = document.value("kernel", Json(session.settings.kernel.name()));
    complete["verdict"] = to_string(verdict);
    complete["exit"] = exit;
    for (auto& item : document.items())
        if (!complete.contains(item.key())) complete[item.key()] = std::move(item.value());
    return complete;
}

Json failure_document(const Failure& failure) {
    Json error = {{"message", failure.message}};
    if (failure.where) {
        error["file"] = failure.where->file;
        error["line"] = failure.where->line;
        error["column"] = failure.where->column;
        error["field"] = failure.where->field;
        error["expected"] = failure.where->expected;
    }
    if (!failure.nearest.empty()) error["nearest"] = failure.nearest;
    return {{"error", std::move(error)}};
}

/// A result in the formats that it can be had in.
class Contents {
  public:
    Contents(const Session& session, const Json& document, const std::string& text, int exit)
        : document_(document), text_(text) {
        const auto of_cases = [](const OutputTarget& target) {
            return target.format != Format::Text && target.format != Format::Json &&
                   target.format != Format::Jsonl;
        };
        const auto& targets = session.settings.outputs;
        if (std::any_of(targets.begin(), targets.end(), of_cases))
            suite_ = suite_of(session, document, exit);
    }

    const report::Suite& suite() const { return suite_; }
    std::string in(const OutputTarget& target) const {
        switch (target.format) {
        case Format::Text:
        case Format::Jsonl:
            break;
        case Format::Json:
            return document_.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
        case Format::Junit:
            return report::junit(suite_);
        case Format::Sarif:
            return report::sarif(suite_);
        case Format::Ktap:
            return report::ktap(suite_);
        case Format::Github:
            return report::github(suite_);
        case Format::Markdown:
            return document_.contains("cells")
                       ? matrix_page(document_, suite_,
                                     std::filesystem::path(target.file).parent_path())
                       : report::markdown(suite_);
        }
        return text_;
    }

  private:
    const Json& document_;
    const std::string& text_;
    report::Suite suite_;
};

/// The files of -o, opened before the work begins.
class Outputs {
  public:
    /// @param events  go to the outputs of --format jsonl, from now on
    std::string open(const std::vector<OutputTarget>& targets, EventStream& events) {
        for (const OutputTarget& target : targets) {
            files_.emplace_back();
            if (target.file != "-")
                if (std::string error = files_.back().open(target.file); !error.empty())
                    return error;
            if (target.format == Format::Jsonl)
                events.add(files_.back().is_open() ? files_.back().descriptor() : STDOUT_FILENO);
        }
        return "";
    }
    /// @param events  which have all been written
    std::string write(const std::vector<OutputTarget>& targets, const Contents& contents,
                      const EventStream& events) {
        for (std::size_t i = 0; i < targets.size(); ++i) {
            std::string error = targets[i].format == Format::Jsonl
                                    ? finish_events(files_[i], events)
                                    : write(files_[i], contents.in(targets[i]));
            if (!error.empty())
                return files_[i].is_open() ? error : "cannot write the result: " + error;
        }
        return "";
    }

  private:
    static std::string write(AtomicFile& file, const std::string& content) {
        return file.is_open() ? file.commit(content) : write_all(STDOUT_FILENO, content);
    }
    static std::string finish_events(AtomicFile& file, const EventStream& events) {
        if (!events.error().empty() || !file.is_open()) return events.error();
        std::string error = file.sync();
        return error.empty() ? file.publish() : error;
    }

    std::vector<AtomicFile> files_;
};

int finish(const Settings& settings, int code) {
    return settings.exit_rule.bisect ? bisect_code(code) : code;
}

/// Before the work begins. @return what went wrong, with the file that the verb itself writes, too
std::string open_outputs(Session& session, Outputs& outputs) {
    const Settings& settings = session.settings;
    std::string error = outputs.open(settings.outputs, session.events);
    if (error.empty() && !settings.result_file.empty() && settings.result_file != "-")
        error = mistake_in_name(settings.result_file);
    return error;
}

/// @param mistake  why the verb cannot even begin
int run_session(Session& session, const std::optional<Failure>& mistake) {
    const Settings& settings = session.settings;
    Outputs outputs;
    if (const std::string error = open_outputs(session, outputs); !error.empty()) {
        session.diagnostics.error(error);
        return finish(settings, exit_code::usage);
    }
    VerbResult result = mistake ? VerbResult(*mistake) : run_verb(session);
    Verdict verdict = Verdict::Invalid;
    int code = exit_code::internal;
    Json document;
    std::string text;
    if (result.ok()) {
        verdict = result.value().verdict;
        code = result.value().forced_exit >= 0 ? finish(settings, result.value().forced_exit)
                                               : exit_code_of(verdict, settings.exit_rule);
        document = std::move(result.value().document);
        text = std::move(result.value().text);
    } else {
        const Failure& failure = result.error();
        session.diagnostics.error(failure.text());
        if (failure.exit == exit_code::usage) return finish(settings, failure.exit);
        verdict = failure.verdict();
        // --expect NONDETERMINISTIC and --expect INVALID are possible wishes.
        code = settings.exit_rule.expect == verdict ? finish(settings, exit_code::as_expected)
                                                    : finish(settings, failure.exit);
        document = failure_document(failure);
    }
    document = complete_document(session, std::move(document), verdict, code);
    const Contents contents(session, document, text, code);
    session.events.finished(document);
    if (const std::string error = outputs.write(settings.outputs, contents, session.events);
        !error.empty()) {
        session.diagnostics.error(error);
        return finish(settings, exit_code::internal);
    }
    for (const OutputTarget& target : settings.outputs)
        if (target.format == Format::Github)
            if (const std::string error =
                    add_to_step_summary(session.environment, contents.suite());
                !error.empty())
                session.diagnostics.warning(error);
    for (const OutputTarget& target : settings.outputs)
        if (target.file != "-")
            session.diagnostics.info(std::string(to_string(verdict)) + "  wrote " + target.file);
    return code;
}

std::string version_text(bool verbose) {
    std::string text = "interleaf " + program_version() + "\n";
    if (!verbose) return text;
    text += "model revision " + std::to_string(report::model_revision) + "\ntokens         " +
            std::string(report::token_prefix) + "\nfiles          .ilf 1\ncompiler       " +
            compiler() + "\nkernels       ";
    std::size_t column = 14;
    for (const model::Release& release : model::releases()) {
        const std::vector<std::string> none;
        const auto kernel = model::KernelVersion::parse(to_string(release), none, none);
        const std::string word =
            " " + to_string(release) + "@" + scenario::hex_digits(kernel.value().hash(), 4);
        if (column + word.size() > 98) {
            text += "\n              ";
            column = 14;
        }
        text += word;
        column += word.size();
    }
    return text + "\n";
}

/// `help` and `help TOPIC`, as people try them first, in the words of the option.
std::vector<std::string> help_as_option(const std::vector<std::string>& words) {
    if (words.empty() || words.size() > 2 || words[0] != "help") return words;
    return {words.size() == 1 ? "--help" : "--help=" + words[1]};
}

/// The TOPIC of --help=TOPIC, taken out of the words; nothing when there is no such word.
std::optional<std::string> take_help_topic(std::vector<std::string>& words) {
    for (auto it = words.begin(); it != words.end() && *it != "--"; ++it) {
        if (!it->starts_with("--help=")) continue;
        std::string topic = it->substr(7);
        words.erase(it);
        return topic;
    }
    return std::nullopt;
}

int print(Diagnostics& diagnostics, const std::string& text) {
    const std::string error = write_all(STDOUT_FILENO, text);
    if (error.empty()) return exit_code::as_expected;
    diagnostics.error("cannot write: " + error);
    return exit_code::internal;
}

int print_topic(Diagnostics& diagnostics, const std::string& topic) {
    if (const std::string text = topic_text(topic); !text.empty()) return print(diagnostics, text);
    const std::vector<std::string> known = topic_names();
    diagnostics.error(
        usage_failure("no help about \"" + topic + "\"; there is " + scenario::join(known, ", "),
                      scenario::nearest(topic, known))
            .text());
    return exit_code::usage;
}

int run_parsed(ParsedOptions parsed, const Environment& environment, Diagnostics& diagnostics) {
    if (parsed.has("help")) return print(diagnostics, help_text(parsed.verb));
    if (parsed.has("version")) return print(diagnostics, version_text(parsed.has("verbose")));
    if (parsed.verb == nullptr) {
        diagnostics.error("a command is missing; interleaf --help lists them");
        return exit_code::usage;
    }
    const std::vector<std::string> warnings = apply_environment(environment, parsed);
    Settings settings;
    const std::optional<Failure> mistake = read_settings(parsed, settings);
    diagnostics.set_quiet(parsed.has("quiet"));
    diagnostics.set_tips(!parsed.has("no-tips"));
    for (const std::string& text : warnings)
        diagnostics.warning(text);
    if (mistake && mistake->exit == exit_code::usage) {
        diagnostics.error(mistake->text());
        return mistake->exit;
    }
    std::error_code error;
    const Library library(environment, std::filesystem::current_path(error));
    EventStream events;
    Session session{.parsed = parsed,
                    .settings = settings,
                    .environment = environment,
                    .library = library,
                    .diagnostics = diagnostics,
                    .events = events};
    return run_session(session, mistake);
}

}  // namespace

sim::Result<std::vector<ScenarioPtr>, Failure> Session::selection() const {
    auto chosen = library.select(parsed.arguments);
    if (!chosen.ok()) return chosen.error();
    const std::vector<std::string> groups = parsed.all("group");
    if (groups.empty()) return chosen;
    std::vector<ScenarioPtr> members;
    std::vector<std::string> known;
    for (const ScenarioPtr& scenario : chosen.value()) {
        const auto in_group = [&](const std::string& group) {
            return std::find(scenario->groups.begin(), scenario->groups.end(), group) !=
                   scenario->groups.end();
        };
        if (std::any_of(groups.begin(), groups.end(), in_group)) members.push_back(scenario);
        known.insert(known.end(), scenario->groups.begin(), scenario->groups.end());
    }
    if (members.empty())
        return invalid("no scenario is in the group \"" + groups[0] + "\"",
                       scenario::nearest(groups[0], known));
    return members;
}

int run_program(const std::vector<std::string>& words, const Environment& environment) {
    Diagnostics diagnostics;
    std::vector<std::string> rest = help_as_option(words);
    if (const auto topic = take_help_topic(rest)) return print_topic(diagnostics, *topic);
    const bool bisect = std::find(words.begin(), words.end(), "--bisect") != words.end();
    auto parsed = parse_options(rest);
    if (!parsed.ok()) {
        diagnostics.error(usage_failure(parsed.error().message, parsed.error().nearest).text());
        return bisect ? exit_code::undecided : exit_code::usage;
    }
    const int code = run_parsed(std::move(parsed.value()), environment, diagnostics);
    return bisect ? bisect_code(code) : code;
}

}  // namespace app::cli
