#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/export/state.h"
#include "sim/result.h"

namespace app::exporter {

/// An execution step by step, forward and back at the same cost: what `interleaf step` asks. Stands
/// after so many steps, and answers in text.
class Stepper {
  public:
    /// @param document  of the whole execution; outlives this
    explicit Stepper(const Json& document);

    /// What a command cannot be done for, with the nearest valid word.
    struct Mistake {
        std::string message;
        std::string nearest;
    };
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

    Answer move(const std::string& name, const Words& words);
    Answer move_in_task(const std::string& task, int direction);
    Answer resume(int direction);
    Answer add_break(const Words& words);
    Answer watch(const Words& words);
    Answer last_change();
    Answer print(const std::string& path) const;
    Answer table(const std::string& name) const;
    Answer tree(const std::string& name) const;

    std::string where() const;
    std::string step_text(std::uint32_t step) const;
    std::string task_of(std::uint32_t step) const;
    std::string alternatives() const;
    std::string changed() const;
    bool changes_watched(std::uint32_t step) const;
    Json state() const;

    const Json& document_;
    std::uint32_t steps_ = 0, at_ = 0;
    std::vector<Break> breaks_;
    std::string watched_table_, watched_key_;
    bool quit_ = false;
};

}  // namespace app::exporter
