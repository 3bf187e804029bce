#pragma once
#include <memory>
#include <string>
#include <vector>

#include "app/cli/diagnostics.h"
#include "app/cli/events.h"
#include "app/cli/failure.h"
#include "app/cli/library.h"
#include "app/cli/progress.h"
#include "app/cli/settings.h"
#include "app/json.h"

namespace app::cli {

/// What a verb works with.
struct Session {
    const ParsedOptions& parsed;
    const Settings& settings;
    const Environment& environment;
    const Library& library;
    Diagnostics& diagnostics;
    EventStream& events;

    bool has(std::string_view key) const { return parsed.has(key); }
    const std::string& argument(std::size_t index) const { return parsed.arguments.at(index); }
    std::unique_ptr<Progress> progress(std::string what, bool bounded) const {
        return std::make_unique<Progress>(diagnostics, events,
                                          resolve_progress(settings, environment),
                                          settings.progress_interval, std::move(what), bounded);
    }
    /// The same command with other settings, which outlive what is returned.
    Session with(const Settings& other) const {
        return {.parsed = parsed,
                .settings = other,
                .environment = environment,
                .library = library,
                .diagnostics = diagnostics,
                .events = events};
    }
    /// The scenarios that the arguments and --group mean.
    sim::Result<std::vector<ScenarioPtr>, Failure> selection() const;
};

/// What a verb found: as a document and as text. Schema, verb and exit are added by the program.
struct Report {
    Json document;
    std::string text;
    Verdict verdict = Verdict::Clean;
    int forced_exit = -1;  // instead of the verdict's own: interrupted, nothing matched
};
using VerbResult = sim::Result<Report, Failure>;

// The verbs, a file each.
VerbResult list_scenarios(Session& session);
VerbResult show(Session& session);
VerbResult run(Session& session);
VerbResult hunt(Session& session);
VerbResult explore(Session& session);
VerbResult replay(Session& session);
VerbResult explain(Session& session);
VerbResult shrink(Session& session);
VerbResult diff(Session& session);
VerbResult matrix(Session& session);
VerbResult validate(Session& session);
VerbResult bench(Session& session);
VerbResult image(Session& session);
VerbResult merge(Session& session);
VerbResult sweep(Session& session);
VerbResult export_execution(Session& session);
VerbResult step(Session& session);
VerbResult lesson(Session& session);

/// The program without its main(): parses, runs the verb, writes its outputs.
/// @return the exit code
int run_program(const std::vector<std::string>& words, const Environment& environment);

}  // namespace app::cli
