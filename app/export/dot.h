#pragma once
#include <optional>
#include <string>

#include "app/export/recorder.h"

namespace app::exporter {

/// Happens-before as a graph for Graphviz: the steps that could have come in the other order
/// (reversible races, sim/happens_before.h) and those that woke another task up, a column for each
/// task, with arrows for program order, for each such pair, and for wake-ups.
struct RaceGraph {
    std::string content;
    std::size_t steps = 0, pairs = 0;
};
/// @param critical  a step to be boxed
RaceGraph race_graph(const Recorded& recorded, sim::Grain grain,
                     std::optional<std::uint32_t> critical);

/// The trees of a state for Graphviz: each block once, with arrows from the roots, those of the
/// last commit dashed: what both reach is shared.
struct TreeGraph {
    std::string content;
    std::size_t blocks = 0, shared = 0;
};
/// @param state  as StateReader makes it
TreeGraph tree_graph(const SortedJson& state);

}  // namespace app::exporter
