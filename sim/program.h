#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sim {

/// What is simulated: a scenario of the model, or a small program of the literature. One instance
/// for each worker thread.
class Program {
  public:
    Program() = default;
    virtual ~Program() = default;
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    /// Builds the prepared state: runs in a task of its own, once, under the default schedule. What
    /// it leaves in the arena is where every execution starts; members of the program itself must
    /// not change afterwards.
    virtual void prepare() = 0;
    /// What prepare() did last, for the message when it came to no end; empty: it does not say.
    virtual std::string prepared_last() const { return {}; }
    /// After the preparation has ended: why no execution can start from there. Empty: it can.
    virtual std::string check_prepared() { return {}; }
    /// Spawns the tasks of an execution. Runs outside a task.
    virtual void start() = 0;
    /// After all tasks have ended: what must hold then. Reports through violation(). Runs outside a
    /// task.
    virtual void check_end() {}
    /// Digest of the state that an execution ended in, for comparing executions.
    virtual std::uint64_t state_hash() = 0;
    /// Digest of what the tasks' operations returned in the last execution.
    virtual std::uint64_t results_hash() { return 0; }
};

/// Called on the worker's thread, with its simulation current.
using ProgramFactory = std::function<std::unique_ptr<Program>()>;

}  // namespace sim
