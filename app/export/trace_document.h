#pragma once
#include <optional>

#include "app/export/branches.h"
#include "app/export/recorder.h"
#include "app/scenario/scenario.h"

namespace app::exporter {

/// Changes of the document that older readers do not understand.
inline constexpr int trace_version = 1;
/// Steps from one whole state in a document of so many steps to the next. A long one has a few
/// hundred whole states all the same: they are most of what a page has to read before it opens.
std::uint32_t keyframe_interval(std::uint32_t count);

/// Steps that are told: the first, and how many.
struct Window {
    std::uint32_t first = 0, count = 0;
};

/// What a document says besides the execution itself.
struct About {
    std::shared_ptr<const scenario::Scenario> scenario;
    std::string kernel;
    std::string program;  // version
    std::string token;    // or the name of the file
    std::string command;  // that repeats it
    std::string verdict;
    std::string ladder;
    SortedJson why = SortedJson::object();  // as `explain --as json` has it: critical, flips
    BranchOutcomes outcomes;                // empty: not tried
    std::optional<Window> window;           // nothing: the whole execution
};

/// The whole execution as docs/trace.schema.json describes it. The same execution makes the same
/// document everywhere.
SortedJson trace_document(const Recorded& recorded, const About& about);

/// The document as text, on one line. Bytes that are no UTF-8 are replaced.
std::string document_text(const SortedJson& document);

/// The state after so many steps of a document (from its window's first step on): the nearest whole
/// state before, and what changed since.
SortedJson state_at(const SortedJson& document, std::uint32_t steps);

}  // namespace app::exporter
