#include "app/report/lockdep.h"

#include <algorithm>
#include <tuple>
#include <vector>

namespace app::report {

namespace {

using sim::CircularWait;
using sim::CircularWaiter;
using sim::LockUse;

std::string padded(std::string text, std::size_t column) {
    text.resize(std::max(text.size() + 1, column), ' ');
    return text;
}

std::string name_of_use(const LockUse& use) {
    return use.lock + (use.key == 0 ? "" : " " + std::to_string(use.key));
}

/// "(tree_lock 4096, write)"
std::string in_brackets(const LockUse& use) {
    return "(" + name_of_use(use) + (use.shared ? ", read)" : ", write)");
}

std::string call_of(const LockUse& use) {
    return (use.shared ? "rlock(" : "lock(") + name_of_use(use) + ");";
}

/// Who is told of first is the one that closes the circle.
std::string complaint(const CircularWaiter& task) {
    return padded("task " + task.task + " wants", 24) + padded(in_brackets(task.wants), 24) +
           "in " + task.wants.function + "()\n" + padded("  while it holds", 24) +
           padded(in_brackets(task.holds), 24) + "taken at step " +
           std::to_string(task.holds.step) + " in " + task.holds.function + "()\n";
}

/// What the others took and wait for: the order that was there already.
std::string existing_order(const CircularWait& circle) {
    std::vector<std::string> lines;  // oldest first
    for (std::size_t i = circle.size() - 1; i > 0; --i) {
        const CircularWaiter& task = circle[i];
        lines.push_back(padded(in_brackets(task.holds), 24) +
                        padded("step " + std::to_string(task.holds.step), 12) + task.task + ": " +
                        task.holds.function + "()");
        lines.push_back(padded(in_brackets(task.wants), 24) + padded("waits", 12) + task.task +
                        ": " + task.wants.function + "()");
    }
    std::string text = "existing order, newest first:\n";
    for (std::size_t i = lines.size(); i-- > 0;)
        text += "-> #" + std::to_string(i) + " " + lines[i] + "\n";
    return text;
}

/// Which CPU does what, in the order of this execution.
std::string table(const CircularWait& circle, std::size_t width) {
    struct Row {
        bool waits;
        std::uint32_t step;
        std::size_t column;
        std::string text;
    };
    std::vector<Row> rows;
    std::size_t longest = 0;
    for (std::size_t i = 0; i < circle.size(); ++i) {
        rows.push_back({false, circle[i].holds.step, i, call_of(circle[i].holds)});
        // The first one's attempt closes the circle.
        const auto turn = static_cast<std::uint32_t>(i == 0 ? circle.size() : i);
        rows.push_back({true, turn, i, call_of(circle[i].wants)});
    }
    for (const Row& row : rows)
        longest = std::max(longest, row.text.size());
    std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
        return std::tie(a.waits, a.step) < std::tie(b.waits, b.step);
    });
    const std::size_t indent = 3;
    const std::size_t room = width > indent + longest ? width - indent - longest : 0;
    const std::size_t gap =
        std::clamp<std::size_t>(circle.size() < 2 ? 0 : room / (circle.size() - 1), 6, 24);
    std::string head, rule;
    for (std::size_t i = 0; i < circle.size(); ++i) {
        head.resize(indent + i * gap, ' ');
        rule.resize(indent + i * gap, ' ');
        head += "CPU" + std::to_string(i);
        rule += "----";
    }
    std::string text = head + "\n" + rule + "\n";
    for (const Row& row : rows)
        text += std::string(indent + row.column * gap, ' ') + row.text + "\n";
    return text + std::string(indent + gap / 2, ' ') + "*** DEADLOCK ***\n";
}

std::string held_locks(const CircularWait& circle) {
    std::string text;
    for (std::size_t i = 0; i < circle.size(); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(circle[i].held) +
                (circle[i].held == 1 ? " lock" : " locks") + " held by " + circle[i].task +
                " (CPU" + std::to_string(i) + ")";
    return text + "\n";
}

}  // namespace

std::string lockdep_text(const CircularWait& circle, const std::string& what, std::size_t width) {
    const std::string mark = " [simulated]";
    return std::string(width > mark.size() ? width - mark.size() : 1, '=') + mark +
           "\npossible circular locking dependency, " + what + "\n" + complaint(circle.front()) +
           existing_order(circle) + table(circle, width) + held_locks(circle);
}

}  // namespace app::report
