#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace sim {

/// A lock that a task holds or waits for.
struct LockUse {
    std::string lock;        // its class
    std::uint64_t key = 0;   // what people call it; 0: nothing
    bool shared = false;     // for reading
    std::string function;    // where it was taken, or is waited for
    std::uint32_t step = 0;  // of a lock that is held: when it was taken
};

/// A task of a circular wait. It waits for a lock of the next one's, the last for one of the
/// first's.
struct CircularWaiter {
    std::string task;
    LockUse wants;
    LockUse holds;      // what the one before it waits for
    unsigned held = 0;  // how many locks it holds
};
using CircularWait = std::vector<CircularWaiter>;

}  // namespace sim
