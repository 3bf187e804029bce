#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/strategy.h"
#include "sim/trace.h"

namespace sim {

/// Whose step came when: an execution told in names of tasks. Unlike a Schedule it says something
/// about executions that are not quite the same.
struct Order {
    std::vector<std::string> names;
    std::vector<std::uint32_t> steps;  // indices into names

    void add(const std::string& name);
    friend bool operator==(const Order&, const Order&) = default;
};
Order order_of(const Trace& trace);

/// The orders in which one task goes on although it was switched from: each of its stretches is
/// moved up to the one before it, or down to the one after it. The program decides what becomes of
/// them.
std::vector<Order> orders_with_longer_stretches(const Order& order);

/// Follows an order as nearly as the program allows: whose next step stands earliest goes next, and
/// what was not possible in its place comes as soon as it is. Where the order says nothing of
/// anybody that could go on, the default rule decides.
class OrderReplay final : public Strategy {
  public:
    explicit OrderReplay(const Order& order);
    bool next_execution() override;
    Choice choose(Scheduler& scheduler) override;
    bool wants_every_step() const override { return true; }

  private:
    /// A task's places in the order, and how many of them it has had.
    struct Places {
        std::vector<std::uint32_t> at;
        std::size_t taken = 0;
    };
    Places* places_of(const Scheduler& scheduler, unsigned slot);

    std::map<std::string, Places> by_name_;
    std::map<std::uint64_t, Places*> by_path_;
    bool ran_ = false;
    std::vector<std::uint16_t> candidates_;
};

}  // namespace sim
