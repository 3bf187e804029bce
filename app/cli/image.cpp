#include "app/image/image.h"

#include "app/cli/image_files.h"
#include "app/cli/subject.h"
#include "app/image/btrfs_check.h"
#include "app/image/camera.h"
#include "app/scenario/program.h"
#include "app/scenario/words.h"
#include "model/fs_info.h"

namespace app::cli {

namespace {

using image::Image;
using image::Moment;

Failure no_such_moment(const Moment& moment, const sim::ExecutionResult& result,
                       std::uint64_t count) {
    const std::string there = moment.kind == Moment::Kind::Step ? grouped(result.steps) + " steps"
                              : moment.kind == Moment::Kind::Commit
                                  ? grouped(count) + " commits"
                                  : grouped(count) + " crash points";
    return invalid("--at " + moment.text() + ": the execution has " + there);
}

struct Taken {
    Image image;
    std::string what;  // of a crash: what reached the medium
    sim::ExecutionResult result;
};

/// Runs the execution without invariants: what one of them would end goes on to its end.
sim::Result<Taken, Failure> take(const Session& session, const Subject& subject,
                                 const Moment& moment) {
    std::optional<Image> image;
    Taken taken;
    std::uint64_t count = 0;
    scenario::ProgramOptions program;
    program.watched = false;
    program.observer = [&] {
        return std::make_unique<image::Camera>(moment, image, taken.what, count);
    };
    sim::ExecutionOptions options = subject.options;
    const bool at_step = moment.kind == Moment::Kind::Step;
    if (at_step && moment.number <= options.max_steps)
        options.max_steps = static_cast<std::uint32_t>(moment.number);
    auto prepared = prepare(subject.scenario, subject.kernel, options, program);
    if (!prepared.ok()) return prepared.error();
    sim::Execution& execution = *prepared.value();
    const auto choices = choices_of(session, subject, execution);
    choices->next_execution();
    taken.result = execution.run(*choices);
    if (taken.result.outcome == sim::Outcome::Nondeterministic)
        return differs("the recorded schedule does not fit: the model has changed");
    const bool reached = at_step ? taken.result.steps == moment.number : true;
    if (moment.kind == Moment::Kind::End || (at_step && reached)) {
        const auto& fs = static_cast<scenario::ScenarioProgram&>(execution.program()).fs();
        image = image::take_image(fs, model::visible_medium(fs));
    }
    if (!image) return no_such_moment(moment, taken.result, count);
    taken.image = std::move(*image);
    return taken;
}

/// What the tool says, for people and for programs.
void judge(const Session& session, const Image& image, Report& report) {
    if (!image::can_check()) {
        session.diagnostics.warning(
            "btrfs check was not run: there is no btrfs-progs on this system");
        report.text += "btrfs check: not available\n";
        report.document["check"] = nullptr;
        report.verdict = Verdict::Inconclusive;
        return;
    }
    const auto verdicts = image::check_image(image);
    report.document["check"] = Json::array();
    for (const image::ToolVerdict& verdict : verdicts) {
        report.text += "btrfs check of " + verdict.device + ", " + to_string(verdict.mode) +
                       " mode: " + (verdict.clean ? "clean" : "NOT CLEAN") + "\n";
        for (const std::string& message : verdict.messages)
            report.text += "      " + message + "\n";
        report.document["check"].push_back({{"device", verdict.device},
                                            {"mode", to_string(verdict.mode)},
                                            {"clean", verdict.clean},
                                            {"messages", verdict.messages}});
    }
    report.verdict = image::all_clean(verdicts) ? Verdict::Clean : Verdict::Fail;
}

std::string subject_text(const Session& session, const Subject& subject) {
    if (subject.recording) return subject.recording->word;
    return "strategy " + session.settings.strategy.name() + "  seed " +
           std::to_string(session.settings.seed);
}

}  // namespace

VerbResult image(Session& session) {
    if (!session.has("dir")) return usage_failure("--dir DIR is missing: where the images go");
    const std::string when = session.has("at") ? session.parsed.last("at") : "end";
    const auto moment = Moment::parse(when);
    if (!moment)
        return usage_failure("--at \"" + when + "\": expected end, commit:N, step:N or crash:N");
    const auto subject = subject_of(session, session.argument(0));
    if (!subject.ok()) return subject.error();
    const auto taken = take(session, subject.value(), *moment);
    if (!taken.ok()) return taken.error();
    const Image& image = taken.value().image;
    const std::string folder = session.parsed.last("dir");
    if (const std::string error = save_images(image, folder); !error.empty())
        return usage_failure(error);

    Report report;
    report.text = heading(*subject.value().scenario, subject.value().kernel,
                          subject_text(session, subject.value()) + "  at " + moment->text());
    report.document = {{"scenario", subject.value().scenario->id},
                       {"kernel", subject.value().kernel.name()},
                       {"at", moment->text()},
                       {"generation", image.generation},
                       {"images", Json::array()}};
    if (!taken.value().what.empty()) {
        report.text += "crash: " + taken.value().what + "\n";
        report.document["crash"] = taken.value().what;
    }
    for (const image::DeviceImage& device : image.devices) {
        const std::string file = folder + "/" + device.file_name();
        report.text += "wrote " + file + ", " + scenario::format_size(device.bytes) +
                       ", transaction " + std::to_string(image.generation) + "\n";
        report.document["images"].push_back(
            {{"device", device.name}, {"file", file}, {"bytes", device.bytes}});
    }
    report.verdict = Verdict::Clean;
    if (session.has("check")) judge(session, image, report);
    return report;
}

}  // namespace app::cli
