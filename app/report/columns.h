#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "app/scenario/scenario.h"
#include "sim/trace.h"

namespace app::report {

/// Which tasks stand side by side. A completion or worker stands in the column of the scenario's
/// task that caused it.
class Columns {
  public:
    enum class By : std::uint8_t { Cpu, Task };

    /// @param first_cpu  the number that the least CPU is shown as: 1 as in kernel commit messages,
    /// or 0
    Columns(const scenario::Scenario& scenario, By by, unsigned first_cpu = 1);

    std::size_t count() const { return headers_.size(); }
    const std::vector<std::string>& headers() const { return headers_; }
    std::size_t of(const sim::Trace& trace, std::uint32_t task) const;

  private:
    std::vector<std::string> headers_;
    std::map<std::string, std::size_t> by_task_;
};

}  // namespace app::report
