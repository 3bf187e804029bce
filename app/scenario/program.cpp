#include "app/scenario/program.h"

#include <algorithm>

#include "app/scenario/words.h"
#include "model/disk_io.h"
#include "model/fs_info.h"
#include "model/invariants.h"
#include "model/medium.h"
#include "model/mkfs.h"
#include "model/mount.h"
#include "model/probes.h"
#include "model/vfs.h"
#include "sim/scheduler.h"

namespace app::scenario {

namespace {

/// What the system call returned; a call that fails is no violation.
model::Result<void> run_op(const Op& op, model::FsInfo& fs) {
    namespace vfs = model::vfs;
    constexpr int default_pattern = 0xcd;  // xfs_io's
    switch (op.verb) {
    case Op::Verb::Touch:
        return vfs::create(fs, op.subject);
    case Op::Verb::Chattr:
        return vfs::set_nocow(fs, op.subject, op.flag);
    case Op::Verb::Pwrite: {
        const int pattern = op.pattern < 0 ? default_pattern : op.pattern;
        return vfs::pwrite(fs, op.subject, op.offset, op.length, static_cast<model::u8>(pattern));
    }
    case Op::Verb::Pread: {
        const model::Result<model::u64> bytes =
            vfs::pread(fs, op.subject, op.offset, op.length, op.pattern);
        if (!bytes.ok()) return bytes.error();
        return {};
    }
    case Op::Verb::Falloc:
        return vfs::fallocate(fs, op.subject, op.offset, op.length);
    case Op::Verb::Truncate:
        return vfs::truncate(fs, op.subject, op.length);
    case Op::Verb::Dedupe:
        return vfs::dedupe(fs, op.object, op.source_offset, op.subject, op.offset, op.length);
    case Op::Verb::Rm:
        return vfs::unlink(fs, op.subject);
    case Op::Verb::Open:
        return vfs::open(fs, op.subject);
    case Op::Verb::Close:
        return vfs::close(fs, op.subject);
    case Op::Verb::Writeback:
        return vfs::writeback(fs, op.subject);
    case Op::Verb::WritebackMetadata:
        return vfs::writeback_metadata(fs);
    case Op::Verb::Fsync:
        return vfs::fsync(fs, op.subject);
    case Op::Verb::Sync:
        return vfs::sync(fs);
    case Op::Verb::Commit:
        return vfs::commit(fs);
    case Op::Verb::Snapshot:
        return vfs::snapshot(fs, op.subject, op.object, op.flag);
    case Op::Verb::SubvolumeCreate:
        return vfs::subvolume_create(fs, op.subject);
    case Op::Verb::ScrubStart:
        return vfs::scrub_start(fs, op.subject);
    case Op::Verb::ReplaceStart:
        return vfs::replace_start(fs, op.subject, op.object);
    case Op::Verb::ReplaceCancel:
        return vfs::replace_cancel(fs);
    case Op::Verb::BalanceStart: {
        const bool all = !op.data && !op.metadata;
        return model::balance_start(fs, op.data || all, op.metadata || all);
    }
    case Op::Verb::BalancePause:
        return model::balance_pause(fs);
    case Op::Verb::BalanceResume:
        return model::balance_resume(fs);
    case Op::Verb::BalanceCancel:
        return model::balance_cancel(fs);
    case Op::Verb::Send:
        return vfs::send(fs, op.subject, op.object, op.pipe);
    case Op::Verb::Cat:
        return vfs::cat(fs, op.pipe);
    case Op::Verb::Resize:
        return vfs::resize(fs, op.subject, op.length);
    case Op::Verb::Umount:
        return vfs::umount(fs);
    case Op::Verb::Offline:
        model::set_offline(*model::find_device_by_name(fs, op.subject));
        return {};
    }
    return {};
}

/// Whether the call keeps the filesystem from being unmounted.
bool holds_mount(const Op& op) {
    return op.verb != Op::Verb::Umount && op.verb != Op::Verb::Offline && op.verb != Op::Verb::Cat;
}

model::Result<void> run_mounted_op(const Op& op, model::FsInfo& fs) {
    if (!holds_mount(op)) return run_op(op, fs);
    if (!model::enter_mount(fs)) return model::Errno::NoEnt;  // the directory beneath is empty
    const auto result = run_op(op, fs);
    model::leave_mount(fs);
    return result;
}

bool unmounts(const Scenario& scenario) {
    return std::ranges::any_of(scenario.tasks, [](const TaskSpec& task) {
        return std::ranges::any_of(task.run,
                                   [](const Op& op) { return op.verb == Op::Verb::Umount; });
    });
}

std::string returned(model::Errno error) {
    return "returned -E" + std::string(model::errno_name(error));
}

const model::Evaluation call_succeeds{"call-succeeds"};

void check_success(const Op& op, const std::string& task, const model::Result<void>& result) {
    if (!op.must_succeed) return;
    call_succeeds.count();
    if (result.ok()) return;
    sim::violation("call-succeeds/" + task + "/E" + std::string(model::errno_name(result.error())),
                   task + ": \"" + op.text + "\" " + returned(result.error()));
}

/// A scenario whose preparation fails cannot be run: the engine reports this as the reason.
void preparation_failed(const std::string& what, model::Errno error) {
    sim::violation("preparation", what + " " + returned(error));
}

bool is_broken(const model::FsInfo& fs) {
    return fs.fs_state.peek_bit(model::fs_state_bit::error) ||
           fs.fs_state.peek_bit(model::fs_state_bit::trans_aborted);
}

/// No operation needs to fail for that: a transaction may be aborted by whoever works behind them.
std::string why_broken() {
    std::string text = "the filesystem became read-only";
    for (const std::string& message : sim::current().messages())
        text += "; " + message;
    return text;
}

void preparation_broken(const std::string& where) {
    sim::violation("preparation", where + ": " + why_broken());
}

}  // namespace

ScenarioProgram::ScenarioProgram(std::shared_ptr<const Scenario> scenario,
                                 const model::KernelVersion& kernel, const ProgramOptions& options)
    : scenario_(std::move(scenario)), kernel_(kernel), options_(options),
      observer_(options.observer ? options.observer() : nullptr) {
    for (const TaskSpec& task : scenario_->tasks)
        results_.emplace_back(task.run.size());
}

ScenarioProgram::~ScenarioProgram() {
    if (options_.asked) options_.asked->add(asked_);
}

void ScenarioProgram::prepare() {
    fs_ = sim::make<model::FsInfo>(kernel_, scenario_->geometry, &asked_);
    model::mkfs(*fs_, scenario_->geometry);
    if (const auto mounted = model::open_ctree(*fs_); !mounted.ok())
        return preparation_failed("mount", mounted.error());
    unsigned ended_repeat = 0;
    for (const Op& op : scenario_->prepare) {
        if (op.repeat != 0 && op.repeat == ended_repeat) continue;
        prepared_last_ = "/prepare: " + in_quotes(op.text);
        const auto result = run_op(op, *fs_);
        if (is_broken(*fs_)) return preparation_broken(prepared_last_);
        if (result.ok() || op.may_fail) continue;
        if (!op.ends_repeat) return preparation_failed(prepared_last_, result.error());
        ended_repeat = op.repeat;
    }
    if (unmounts(*scenario_)) model::count_holders(*fs_);
    if (options_.prepared) options_.prepared(*fs_);
    if (options_.watched) model::watch_invariants(*fs_, sim::current());
    model::observe_medium(*fs_, observer_.get());
}

std::string ScenarioProgram::check_prepared() {
    return is_broken(*fs_) ? "after " + prepared_last_ + ": " + why_broken() : std::string();
}

void ScenarioProgram::start() {
    if (observer_) observer_->begun(*fs_);
    for (std::size_t i = 0; i < scenario_->tasks.size(); ++i) {
        results_[i].assign(results_[i].size(), OpResult{});
        const TaskSpec& spec = scenario_->tasks[i];
        sim::Task& task =
            sim::current().spawn(spec.name.c_str(), sim::Job([this, i] { run_task(i); }));
        task.cpu = spec.cpu;
    }
}

void ScenarioProgram::run_task(std::size_t index) {
    const TaskSpec& task = scenario_->tasks[index];
    bool succeeded = false;
    for (std::size_t i = 0; i < task.run.size(); ++i) {
        if (task.run[i].after_success && !succeeded) continue;
        const sim::Scope scope(task.run[i].text.c_str());
        const model::Result<void> result = run_mounted_op(task.run[i], *fs_);
        succeeded = result.ok() || task.run[i].may_fail;
        OpResult& record = results_[index][i];
        record.ended = true;
        if (!result.ok()) {
            record.error = result.error();
            sim::note([&] { return returned(result.error()); });
        }
        if (options_.watched) check_success(task.run[i], task.name, result);
    }
}

void ScenarioProgram::check_end() {
    model::check_end(*fs_);
}

std::uint64_t ScenarioProgram::state_hash() {
    return model::state_digest(*fs_);
}

std::uint64_t ScenarioProgram::results_hash() {
    std::uint64_t hash = 0;
    for (const auto& task : results_)
        for (const OpResult& result : task)
            hash = sim::hash_mix(
                hash, (result.ended ? 1U : 0U) +
                          (result.error ? 2 * static_cast<std::uint64_t>(*result.error) : 0U));
    return hash;
}

sim::ProgramFactory make_factory(std::shared_ptr<const Scenario> scenario,
                                 const model::KernelVersion& kernel,
                                 const ProgramOptions& options) {
    return [scenario = std::move(scenario), kernel, options] {
        return std::make_unique<ScenarioProgram>(scenario, kernel, options);
    };
}

}  // namespace app::scenario
