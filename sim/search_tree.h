#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "sim/task_set.h"

namespace sim {

/// A choice point of a search: who can go on, who of them without a deviation, and who has been
/// asked for.
struct Branching {
    TaskSet enabled, free;
    TaskSet asked;                 // those that have been run here, or are going to be
    TaskSet refused;               // those that the bound does not allow
    std::uint32_t deviations = 0;  // before the choice
    bool goes_on = false;          // who ran before can go on
    bool idle = false;             // nobody but events can
};

/// A choice point that several workers know: whoever finds a race may ask for a task there.
struct SharedBranching {
    std::shared_ptr<SharedBranching> parent;  // null: the first step
    std::uint32_t depth = 0;                  // its step
    std::uint16_t via = 0;                    // whom the parent runs to come here
    Branching at;
    bool foreign = false;  // part of a plan: what is asked for here is for all its shards to know
};

/// A part of the search that nobody has begun: everything below one choice.
struct OpenBranch {
    std::shared_ptr<SharedBranching> node;  // null: the whole search
    std::uint16_t slot = 0;
};

/// What is left of a search, as plain data: for files.
struct SavedTree {
    static constexpr std::uint32_t none = ~0U;
    struct Node {
        std::uint32_t parent = none;
        std::uint16_t via = 0;
        Branching at;
        bool foreign = false;
    };
    struct Branch {
        std::uint32_t node = none;
        std::uint16_t slot = 0;
    };
    std::vector<Node> nodes;       // parents first
    std::vector<Branch> branches;  // to be run
    std::vector<Branch> escaped;   // asked for in foreign parts: to be run by whom a merge says
};

/// The upper part of a search that workers share: a frontier that is closed under what races ask
/// for, wherever they are found (soundness, 4).
class SearchTree {
  public:
    explicit SearchTree(unsigned workers) : workers_(workers) { open_.push_back({}); }
    SearchTree(unsigned workers, const SavedTree& saved);

    /// Sleeps until there is a branch. @return false when the search is over
    bool take(OpenBranch& branch);
    /// Whether somebody waits for a branch that nobody has given yet.
    bool hungry() const { return hungry_.load(std::memory_order_relaxed); }
    void give(std::vector<OpenBranch> branches);
    Branching state_of(const SharedBranching& node) const;
    /// Asks for tasks at a shared choice point; who is asked for the first time there becomes a
    /// branch.
    void ask(const std::shared_ptr<SharedBranching>& node, const TaskSet& tasks);

    /// Notes tasks that a shared choice point is beyond the bound for. @return how many are new
    unsigned refuse(const std::shared_ptr<SharedBranching>& node, const TaskSet& tasks);

    /// Wakes all; take() returns false from now on.
    void close();
    bool over() const;
    /// `pause()` once every worker has given away all it has; workers give all while `pausing()`.
    void request_pause(std::function<void()> pause);
    bool pausing() const { return pausing_.load(std::memory_order_relaxed); }
    /// What is left. To be called in a pause, or after the workers have given all and gone.
    SavedTree save() const;
    std::size_t open_branches() const;

  private:
    void update_hunger() { hungry_ = open_.size() < idle_; }

    unsigned workers_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<OpenBranch> open_;
    std::vector<OpenBranch> escaped_;
    unsigned idle_ = 0;
    bool closed_ = false;
    std::function<void()> pause_;
    std::atomic<bool> hungry_{false}, pausing_{false};
};

}  // namespace sim
