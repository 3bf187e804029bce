#pragma once
#include <string_view>

#include "model/kernel_version.h"
#include "sim/scheduler.h"

/// What coverage counts of the model: how often a check was made, and how often the kernel's code
/// came to where a change makes a difference. They are numbers of sim's probes.
namespace model {

/// Of a change: its place in fixes().
unsigned probe_of(const Fix& fix);
/// Of an invariant, by its name.
unsigned probe_of(std::string_view invariant);

/// Counts that one invariant was looked at. Made once for each place that does.
class Evaluation {
  public:
    explicit Evaluation(std::string_view invariant) : probe_(probe_of(invariant)) {}
    void count(u32 times = 1) const { sim::probe(probe_, times); }

  private:
    unsigned probe_;
};

}  // namespace model
