#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/export/state.h"
#include "sim/result.h"

namespace app::exporter {

/// What a command cannot be done for, with the nearest valid word.
struct StepMistake {
    std::string message;
    std::string nearest;
};

/// A sentence at a place: after so many steps of a branch.
struct StepNote {
    std::size_t branch = 0;
    std::uint32_t step = 0;
    std::string text;
};

/// What a stepper asks of somebody who can run executions. They are counted in the order in which
/// they were made; 0 is the one that was given.
class StepperHost {
  public:
    virtual ~StepperHost() = default;
    /// Makes the next execution: as `branch` for so many steps, then another candidate of the
    /// choice there, then by default.
    /// @return its document, which stays as long as this
    virtual sim::Result<const SortedJson*, StepMistake>
    take(std::size_t branch, std::uint32_t steps, std::size_t candidate) = 0;
    /// Writes a branch to a file: a page with the notes, or a failure file, by its name.
    /// @return what was written
    virtual sim::Result<std::string, StepMistake> save(const std::string& file, std::size_t branch,
                                                       const std::vector<StepNote>& notes) = 0;
};

/// An execution step by step, forward and back at the same cost: what `interleaf step` asks. Stands
/// after so many steps of a branch, and answers in text. A branch is the execution that was given,
/// or what came of another candidate at a choice.
class Stepper {
  public:
    using Mistake = StepMistake;

    /// @param document  of the whole execution; outlives this, as the host does
    Stepper(const SortedJson& document, StepperHost& host);

    /// One line, as help() lists them. An empty line says where it stands.
    sim::Result<std::string, Mistake> command(const std::string& line);

    std::uint32_t position() const { return at_; }
    std::uint32_t steps() const { return steps_; }
    bool has_quit() const { return quit_; }
    static std::string help();

  private:
    using Answer = sim::Result<std::string, Mistake>;
    using Words = std::vector<std::string>;
    struct Break {
        std::string text;  // as given
        std::function<bool(const Stepper&, std::uint32_t step)> hits;
    };
    struct Branch {
        std::string name;
        const SortedJson* document;
        std::string origin;    // "main after 120 steps, writer: lock trans_lock"
        std::uint32_t at = 0;  // where it was left
    };

    Answer move(const std::string& name, const Words& words);
    Answer move_in_task(const std::string& task, int direction);
    Answer resume(int direction);
    Answer add_break(const Words& words);
    Answer watch(const Words& words);
    Answer last_change(const Words& words);
    Answer print(const std::string& path) const;
    Answer table(const std::string& name) const;
    Answer tree(const std::string& name) const;
    Answer why(const Words& words) const;
    Answer why_not(const std::string& task) const;

    // Branches and notes: stepper_branches.cpp.
    Answer take(const Words& words);
    Answer go_to(const std::string& name);
    Answer list_branches() const;
    Answer compare(const Words& words) const;
    Answer mark(const std::string& text);
    Answer list_notes() const;
    Answer save(const Words& words);
    void enter(std::size_t branch);
    std::optional<std::size_t> find_branch(const std::string& name) const;
    Mistake no_branch(const std::string& name) const;

    /// The candidates of the choice after so many steps: its row of the choices, and the first of
    /// its candidates' rows. Nothing when there was no choice.
    struct Choice {
        std::size_t row = 0, first = 0, count = 0;
    };
    std::optional<Choice> choice_at(std::uint32_t steps) const;
    std::string candidate_text(std::size_t row) const;

    std::string where() const;
    std::string step_text(std::uint32_t step) const;
    std::string task_of(std::uint32_t step) const;
    std::string alternatives() const;
    std::string changed() const;
    std::string change_text(std::uint32_t step) const;
    std::optional<Mistake> no_task(const std::string& name) const;
    std::optional<Mistake> no_table(const std::string& name) const;
    bool changes_watched(std::uint32_t step) const;
    SortedJson state() const;
    const SortedJson& document() const { return *branches_[branch_].document; }

    StepperHost& host_;
    std::vector<Branch> branches_;
    std::size_t branch_ = 0;
    std::uint32_t steps_ = 0, at_ = 0;
    std::vector<StepNote> notes_;
    std::vector<Break> breaks_;
    std::string watched_table_, watched_key_;
    bool quit_ = false;
};

}  // namespace app::exporter
