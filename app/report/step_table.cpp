#include "app/report/step_table.h"

#include <algorithm>

#include "sim/meaning.h"

namespace app::report {

namespace {

constexpr std::size_t table_width = 100, number_width = 7;

/// Narration indexed by step, and the place of each column.
class StepTable {
  public:
    StepTable(const sim::Trace& trace, const Columns& columns) : trace_(trace), columns_(columns) {
        column_width_ = (table_width - number_width) / std::max<std::size_t>(columns.count(), 1);
    }

    std::string print() {
        add_headers();
        std::size_t next = 0;
        const auto& narration = trace_.narration();
        for (std::uint32_t step = 0; step < trace_.steps(); ++step) {
            add_step(step);
            for (; next < narration.size() && narration[next].step <= step; ++next)
                add_narration(narration[next]);
        }
        for (; next < narration.size(); ++next)
            add_narration(narration[next]);
        return text_;
    }

  private:
    void add_headers() {
        std::string line = "   step";
        for (std::size_t i = 0; i < columns_.count(); ++i) {
            line.resize(std::max(line.size() + 1, number_width + 1 + i * column_width_), ' ');
            line += columns_.headers()[i];
        }
        text_ += line + "\n";
    }
    void add_line(const std::string& number, std::uint32_t task, std::string_view what) {
        std::string line = number;
        line.insert(0, number_width - std::min(number_width, line.size()), ' ');
        line.resize(number_width + 1 + columns_.of(trace_, task) * column_width_, ' ');
        for (const char c : what)
            line += c == '\n' ? ' ' : c;
        text_ += line + "\n";
    }
    void add_step(std::uint32_t step) {
        const sim::Step& entry = trace_.step_list()[step];
        const sim::ObjectLabel& label = trace_.labels()[step];
        std::string what = sim::to_string(entry.op);
        if (*label.object_class != '\0') what += std::string(" ") + label.object_class;
        if (label.key != 0) what += " " + std::to_string(label.key);
        // A completion or worker is told from the task that caused it by its own name.
        if (trace_.names()[entry.task].parent != sim::Trace::no_parent)
            what += "  [" + trace_.task_name(entry.task) + "]";
        add_line(std::to_string(step), entry.task, what);
    }
    void add_narration(const sim::Narration& entry) {
        switch (entry.kind) {
        case sim::Narration::Kind::Enter:
            return add_line("", entry.task, "  " + entry.text);
        case sim::Narration::Kind::Leave:
            return;
        case sim::Narration::Kind::Note:
            return add_line("", entry.task, "  -> " + entry.text);
        case sim::Narration::Kind::Message:
            return add_line("", entry.task, "  dmesg: " + entry.text);
        case sim::Narration::Kind::Violation:
            return add_line("", entry.task, "  ! " + entry.text);
        }
    }

    const sim::Trace& trace_;
    const Columns& columns_;
    std::size_t column_width_ = 0;
    std::string text_;
};

}  // namespace

std::string step_table(const sim::Trace& trace, const Columns& columns) {
    return StepTable(trace, columns).print();
}

}  // namespace app::report
