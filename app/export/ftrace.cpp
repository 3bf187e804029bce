#include "app/export/ftrace.h"

#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <set>

#include "app/export/names.h"
#include "app/export/timeline.h"

namespace app::exporter {

namespace {

constexpr const char* legend = R"(#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
)";

/// What the kernel calls a task: at most 15 characters, none that would end the column.
std::string comm_of(const char* label) {
    constexpr std::size_t most = 15;
    std::string text(label);
    if (text.size() > most) text.resize(most);
    for (char& c : text)
        if (static_cast<unsigned char>(c) <= ' ') c = '_';
    return text;
}

/// On one line.
std::string flat(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    return text;
}

struct Thread {
    std::string comm;
    unsigned pid = 0, cpu = 0;
};

class FtraceWriter final : public TimelineReader {
  public:
    FtraceWriter(const Recorded& recorded, const scenario::Scenario& scenario)
        : recorded_(recorded), trace_(recorded.result.trace), open_(trace_.names().size()),
          last_step_(trace_.names().size()) {
        constexpr unsigned first_pid = 100;
        for (std::uint32_t task = 0; task < trace_.names().size(); ++task)
            threads_.push_back({comm_of(trace_.names()[task].label), first_pid + task,
                                cpu_of(trace_, scenario, task)});
        for (std::uint32_t step = 0; step < trace_.steps(); ++step) {
            const sim::Step& done = trace_.step_list()[step];
            last_step_[done.task] = step;
            if (done.woken_in != sim::no_step) woken_[done.woken_in].push_back(done.task);
        }
        for (const Interval& wait : recorded.waits)
            sleeps_.emplace(wait.task, wait.first);
    }

    void stepped(std::uint32_t step, std::uint64_t ns) override {
        const std::uint32_t task = trace_.step_list()[step].task;
        if (!running_ || *running_ != task) switch_to(task, step, ns);
        if (const auto woken = woken_.find(step); woken != woken_.end())
            for (const std::uint32_t other : woken->second)
                line(task, ns, "sched_waking", waking_text(threads_[other]));
    }
    void narrated(const sim::Narration& entry, std::uint64_t ns) override {
        const std::string pid = std::to_string(threads_[entry.task].pid);
        switch (entry.kind) {
        case sim::Narration::Kind::Enter:
            ++open_[entry.task];
            return mark(entry.task, ns, "B|" + pid + "|" + entry.text);
        case sim::Narration::Kind::Leave:
            if (open_[entry.task] == 0) return;
            --open_[entry.task];
            return mark(entry.task, ns, "E|" + pid);
        default:
            return mark(entry.task, ns, "I|" + pid + "|" + entry.text);
        }
    }
    void traced(const sim::Tracepoint& point, std::uint64_t ns) override {
        ++tracepoints_;
        line(point.task, ns, point.name, point.fields);
    }

    FtraceText take() {
        close();
        std::set<unsigned> cpus;
        for (const Thread& thread : threads_)
            cpus.insert(thread.cpu);
        const std::string count = std::to_string(lines_);
        return {"# tracer: nop\n#\n# entries-in-buffer/entries-written: " + count + "/" + count +
                    "   #P:" + std::to_string(cpus.size()) + "\n#\n" + legend + text_,
                lines_, tracepoints_};
    }

  private:
    /// Functions that nobody left end with the execution.
    void close() {
        for (std::uint32_t task = 0; task < open_.size(); ++task)
            for (; open_[task] > 0; --open_[task])
                mark(task, trace_.steps() * step_ns, "E|" + std::to_string(threads_[task].pid));
    }

    static std::string waking_text(const Thread& thread) {
        std::array<char, 8> cpu{};
        std::snprintf(cpu.data(), cpu.size(), "%03u", thread.cpu);
        return "comm=" + thread.comm + " pid=" + std::to_string(thread.pid) +
               " prio=120 target_cpu=" + cpu.data();
    }

    /// The state in which a task stops running: gone, asleep, or able to go on.
    const char* state_of(std::uint32_t task, std::uint32_t next_step) const {
        const bool completed = recorded_.result.outcome == sim::Outcome::Completed;
        if (completed && last_step_[task] < next_step) return "X";
        return sleeps_.contains({task, next_step}) ? "D" : "R";
    }

    /// One task runs at a time: the processor that it leaves is idle if the next one is on another.
    void switch_to(std::uint32_t task, std::uint32_t step, std::uint64_t ns) {
        const Thread& next = threads_[task];
        const Thread idle{"swapper/" + std::to_string(next.cpu), 0, next.cpu};
        const Thread* previous = &idle;
        const char* state = "R";
        if (running_) {
            const Thread& last = threads_[*running_];
            const char* const left = state_of(*running_, step);
            if (last.cpu == next.cpu) {
                previous = &last;
                state = left;
            } else {
                switch_line(last, left, {"swapper/" + std::to_string(last.cpu), 0, last.cpu}, ns);
            }
        }
        switch_line(*previous, state, next, ns);
        running_ = task;
    }
    void switch_line(const Thread& from, const char* state, const Thread& to, std::uint64_t ns) {
        line(from.pid == 0 ? "<idle>" : from.comm, from.pid, from.cpu, ns, "sched_switch",
             "prev_comm=" + from.comm + " prev_pid=" + std::to_string(from.pid) +
                 " prev_prio=120 prev_state=" + state + " ==> next_comm=" + to.comm +
                 " next_pid=" + std::to_string(to.pid) + " next_prio=120");
    }

    void mark(std::uint32_t task, std::uint64_t ns, const std::string& text) {
        line(task, ns, "tracing_mark_write", text);
    }
    void line(std::uint32_t task, std::uint64_t ns, const char* event, const std::string& fields) {
        const Thread& thread = threads_[task];
        line(thread.comm, thread.pid, thread.cpu, ns, event, fields);
    }
    void line(const std::string& comm, unsigned pid, unsigned cpu, std::uint64_t ns,
              const char* event, const std::string& fields) {
        constexpr std::uint64_t us = 1'000, second = 1'000'000;
        std::array<char, 64> place{};
        std::snprintf(place.data(), place.size(), "-%-7u [%03u] ..... %5llu.%06llu: ", pid, cpu,
                      static_cast<unsigned long long>(ns / us / second),
                      static_cast<unsigned long long>(ns / us % second));
        constexpr std::size_t width = 16;
        text_ += std::string(comm.size() < width ? width - comm.size() : 0, ' ') + comm +
                 place.data() + event + ": " + flat(fields) + "\n";
        ++lines_;
    }

    const Recorded& recorded_;
    const sim::Trace& trace_;
    std::vector<Thread> threads_;
    std::vector<std::size_t> open_;  // functions, by task
    std::vector<std::uint32_t> last_step_;
    std::map<std::uint32_t, std::vector<std::uint32_t>> woken_;  // by the step that did it
    std::set<std::pair<std::uint32_t, std::uint32_t>> sleeps_;   // task, steps done then
    std::optional<std::uint32_t> running_;
    std::string text_;
    std::size_t lines_ = 0, tracepoints_ = 0;
};

}  // namespace

FtraceText ftrace_text(const Recorded& recorded, const scenario::Scenario& scenario) {
    FtraceWriter writer(recorded, scenario);
    tell(recorded.result.trace, writer);
    return writer.take();
}

}  // namespace app::exporter
