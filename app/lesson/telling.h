#pragma once
#include "app/export/state.h"
#include "app/lesson/lesson.h"

namespace app::lesson {

/// An execution as its document tells it (the whole of it), asked for the moments that a lesson
/// names. A moment is a number of steps done.
class Telling {
  public:
    /// @param document  outlives this
    explicit Telling(const SortedJson& document);

    /// The first such moment that is not before `from`; nothing: there is none.
    std::optional<std::uint32_t> find(const Anchor& anchor, std::uint32_t from) const;

    /// A choice, and which candidate of it is which.
    struct Choice {
        std::size_t row = 0;  // among all choices
        std::uint32_t step = 0;
        std::vector<std::size_t> candidates;  // for each of the tasks that were asked for
    };
    /// The first choice from a moment on at which each of the tasks (patterns) could have come, and
    /// did not.
    std::optional<Choice> choice(const std::vector<std::string>& tasks, std::uint32_t from) const;

    /// Why the state at a moment is not so: "3 rows of blocks, not 2"; empty: it is.
    std::string objection(const Condition& condition, std::uint32_t at) const;

    /// "writer: lock trans_lock" of the step that follows a moment; empty at the end.
    std::string next(std::uint32_t at) const;

  private:
    const std::string& task(std::size_t index) const;
    const std::string& string(std::size_t index) const;
    std::string operation(std::size_t step) const;
    std::optional<std::uint32_t> of_rows(const Anchor& anchor, const SortedJson& table,
                                         const char* column, std::uint32_t from) const;
    std::optional<std::uint32_t> of_steps(const Anchor& anchor, std::uint32_t from) const;
    std::optional<std::uint32_t> of_states(const Anchor& anchor, std::uint32_t from) const;

    const SortedJson& document_;
    std::uint32_t steps_ = 0;
};

}  // namespace app::lesson
