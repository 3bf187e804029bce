#include "app/cli/frontier.h"

#include <algorithm>
#include <filesystem>

#include "app/cli/output.h"
#include "app/cli/recording.h"
#include "sim/search_shards.h"
#include "sim/strategy_dfs.h"

namespace app::cli {

namespace {

std::string write_whole(const std::string& name, const std::string& text) {
    std::error_code ignored;
    if (const auto folder = std::filesystem::path(name).parent_path(); !folder.empty())
        std::filesystem::create_directories(folder, ignored);
    AtomicFile output;
    std::string error = output.open(name);
    return error.empty() ? output.commit(text) : error;
}

}  // namespace

report::Token identity_of(const Session& session, const scenario::Scenario& scenario) {
    report::Token token;
    token.scenario = scenario.id;
    token.content = scenario.content;
    token.kernel = session.settings.kernel;
    token.fine = session.settings.grain == sim::Grain::Fine;
    return token;
}

sim::Result<report::FrontierFile, Failure> load_frontier(const std::string& file) {
    const auto text = read_file(file);
    if (!text.ok()) {
        Failure failure = text.error();
        failure.message += "; expected a frontier file (.ilfr)";
        return failure;
    }
    auto frontier = report::parse_frontier(text.value());
    if (!frontier.ok()) return damaged(file + ": " + frontier.error().message);
    return frontier.value();
}

sim::Result<ScenarioPtr, Failure> scenario_of(const Session& session,
                                              const report::FrontierFile& frontier) {
    return scenario_of(
        session,
        Recording{.token = frontier.token, .steps = {}, .word = {}, .has_scenario = false});
}

Settings settings_of(const Settings& given, const report::FrontierFile& frontier) {
    Settings settings = given;
    settings.kernel = frontier.token.kernel;
    settings.grain = frontier.token.fine ? sim::Grain::Fine : sim::Grain::Coarse;
    settings.max_steps = frontier.max_steps;
    settings.reduction = sim::Reduction::Dpor;
    settings.unbounded = false;
    settings.preemptions = frontier.deviations;
    return settings;
}

std::string frontier_name(const Session& session, const scenario::Scenario& scenario,
                          const report::Shard& shard) {
    std::string id = scenario.id;
    std::replace(id.begin(), id.end(), '/', '-');
    std::string name = session.settings.artifacts + "/" + id + "-" + session.settings.kernel.name();
    std::replace(name.begin(), name.end(), ' ', '-');
    if (shard.count != 0)
        name += "." + std::to_string(shard.index) + "-of-" + std::to_string(shard.count);
    return name + ".ilfr";
}

Checkpoints::Checkpoints(const Session& session, const ScenarioPtr& scenario, const Bound& bound,
                         bool keep_going, const report::FrontierFile* from)
    : session_(session), from_(from) {
    file_.token = identity_of(session, *scenario);
    file_.deviations = bound.deviations;
    file_.bound_accepted = bound.accepted;
    file_.max_steps = session.settings.max_steps;
    file_.keep_going = keep_going;
    if (from != nullptr) file_.shard = from->shard;
    name_ = session.has("checkpoint") ? session.parsed.last("checkpoint")
            : session.has("resume")   ? session.parsed.last("resume")
                                      : frontier_name(session, *scenario, file_.shard);
}

void Checkpoints::apply(sim::ExploreOptions& options) {
    kept_ = options.reduction == sim::Reduction::Dpor &&
            options.max_deviations != sim::DfsStrategy::unbounded;
    if (!kept_) return;
    if (from_ != nullptr) {
        options.resume = &from_->search;
        options.shard = file_.shard.count != 0;
    }
    if (const auto interval = session_.settings.checkpoint_interval)
        options.checkpoint_interval =
            std::chrono::duration_cast<std::chrono::milliseconds>(*interval);
    options.on_checkpoint = [this](const sim::SavedSearch& search) {
        if (error_.empty()) error_ = write(search);
    };
}

std::string Checkpoints::write(const sim::SavedSearch& search) {
    file_.search = search;
    written_ = true;
    return write_whole(name_, report::to_text(file_));
}

std::optional<Failure> Checkpoints::finish(const sim::SearchReport& search, Report& report) {
    if (!kept_) return std::nullopt;
    if (search.left && search.end != sim::SearchEnd::Planned) {
        error_ = write(*search.left);
        if (!error_.empty()) return usage_failure(error_);
        report.document["frontier"] = name_;
        if (!search.left->tree.branches.empty())
            report.text += "      resume: interleaf explore --resume " + name_ + "\n";
        return std::nullopt;
    }
    if (!error_.empty()) session_.diagnostics.warning("no checkpoint: " + error_);
    const bool is_ours = written_ || session_.has("resume");
    std::error_code ignored;
    if (is_ours) std::filesystem::remove(name_, ignored);
    return std::nullopt;
}

sim::Result<std::vector<std::string>, Failure> write_plan(const Session& session,
                                                          const ScenarioPtr& scenario,
                                                          report::FrontierFile whole,
                                                          std::size_t shards) {
    whole.shard = {};
    const std::uint64_t plan = sim::hash_text(report::to_text(whole));
    std::vector<std::string> names;
    std::uint32_t index = 0;
    for (sim::SavedSearch& part : sim::split_search(whole.search, shards)) {
        report::FrontierFile shard = whole;
        shard.search = std::move(part);
        shard.shard = {plan, ++index, static_cast<std::uint32_t>(shards)};
        names.push_back(frontier_name(session, *scenario, shard.shard));
        if (std::string error = write_whole(names.back(), report::to_text(shard)); !error.empty())
            return usage_failure(error);
    }
    return names;
}

}  // namespace app::cli
