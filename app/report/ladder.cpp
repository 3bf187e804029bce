#include "app/report/ladder.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "app/scenario/words.h"

namespace app::report {

namespace {

constexpr std::size_t none = ~std::size_t{0};

/// A function entered, or a remark made in one.
struct Item {
    bool is_scope = false;
    std::size_t column = 0;
    std::size_t parent = none;
    std::size_t caused_by =
        none;  // of a task's first item: the innermost function in which the task was made
    std::size_t first = 0, last = 0;  // narration entries between which it lasted
    bool is_function = false;         // a kernel function: not a command, not a task
    bool is_task = false;             // a worker or completion, under its own name
    std::string text;
    bool kept = false;
};

/// The narration as a forest in order of time: one tree for each task.
class Story {
  public:
    Story(const sim::Trace& trace, const Columns& columns) : trace_(trace), columns_(columns) {
        const auto& narration = trace.narration();
        for (at_ = 0; at_ < narration.size(); ++at_)
            add(narration[at_]);
        for (auto& [task, stack] : stacks_)
            close(stack);
    }

    std::vector<Item> take() { return std::move(items_); }

  private:
    using Stack = std::vector<std::size_t>;

    void add(const sim::Narration& entry) {
        Stack& stack = stack_of(entry);
        if (!stack.empty()) items_[stack.front()].last = at_;
        switch (entry.kind) {
        case sim::Narration::Kind::Enter:
            stack.push_back(append(entry, stack, true));
            items_.back().is_function = !is_command(entry, stack);
            break;
        case sim::Narration::Kind::Leave:
            if (!stack.empty()) leave(stack);
            break;
        case sim::Narration::Kind::Note:
            append(entry, stack, false);
            break;
        case sim::Narration::Kind::Message:
        case sim::Narration::Kind::Violation:
            break;  // told below the ladder
        }
    }

    /// A scenario's task enters its operations, which are command lines.
    bool is_command(const sim::Narration& entry, const Stack& stack) const {
        return stack.size() == 1 && trace_.names()[entry.task].parent == sim::Trace::no_parent;
    }

    /// A worker or completion begins under its own name, unless its first function has that name.
    Stack& stack_of(const sim::Narration& entry) {
        const auto [it, fresh] = stacks_.try_emplace(entry.task);
        const sim::Trace::TaskName& name = trace_.names()[entry.task];
        const bool says_so_itself =
            entry.kind == sim::Narration::Kind::Enter && entry.text == name.label;
        if (!fresh || name.parent == sim::Trace::no_parent) return it->second;
        if (!says_so_itself) {
            it->second.push_back(append(entry, {}, true));
            items_.back().text = name.label;
            items_.back().is_task = true;
        }
        return it->second;
    }

    /// Where a worker or completion was when it made another task: as far as it has come. A
    /// scenario's task has gone on since, so what made its tasks is not looked for.
    std::size_t cause_of(std::uint32_t parent) const {
        if (parent == sim::Trace::no_parent ||
            trace_.names()[parent].parent == sim::Trace::no_parent)
            return none;
        const auto it = last_scope_.find(parent);
        return it == last_scope_.end() ? none : it->second;
    }

    std::size_t append(const sim::Narration& entry, const Stack& stack, bool is_scope) {
        items_.push_back(
            {.is_scope = is_scope,
             .column = columns_.of(trace_, entry.task),
             .parent = stack.empty() ? none : stack.back(),
             .caused_by = stack.empty() ? cause_of(trace_.names()[entry.task].parent) : none,
             .first = at_,
             .last = at_,
             .text = entry.text});
        if (is_scope) last_scope_[entry.task] = items_.size() - 1;
        return items_.size() - 1;
    }

    /// At the end, functions that were not left lasted until then. A task's own line lasts as long
    /// as what is below it.
    void close(Stack& stack) {
        for (; !stack.empty(); stack.pop_back()) {
            Item& item = items_[stack.back()];
            if (!item.is_task) item.last = at_;
            if (item.parent != none)
                items_[item.parent].last = std::max(items_[item.parent].last, item.last);
        }
    }

    void leave(Stack& stack) {
        items_[stack.back()].last = at_;
        stack.pop_back();
    }

    const sim::Trace& trace_;
    const Columns& columns_;
    std::size_t at_ = 0;
    std::vector<Item> items_;
    std::map<std::uint32_t, Stack> stacks_;
    std::map<std::uint32_t, std::size_t> last_scope_;  // by task: entered last
};

/// The addresses and ids that a text mentions. Small numbers are counts and levels, not names.
std::set<std::string> names_in(const std::string& text) {
    constexpr std::size_t least_digits = 4;
    std::set<std::string> names;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && text[end] >= '0' && text[end] <= '9')
            ++end;
        if (end - at >= least_digits) names.insert(text.substr(at, end - at));
        at = end + 1;
    }
    return names;
}

/// Marks the items that are shown.
///
/// What matters is what touches the same things as the finding: remarks that mention an address or
/// id that the finding mentions, the functions around them, what the other side was in the middle
/// of meanwhile, and the tasks in between.
class Selection {
  public:
    Selection(std::vector<Item>& items, const LadderOptions& options, std::size_t columns)
        : items_(items), options_(options), columns_(columns) {}

    void run() {
        if (options_.full) {
            for (Item& item : items_)
                item.kept = true;
            return;
        }
        choose_remarks();
        for (const std::size_t remark : remarks_)
            keep_with_path(remark);
        keep_what_was_under_way();
        keep_causes();
        keep_between();
    }

  private:
    void choose_remarks() {
        const std::set<std::string> finding = names_in(options_.finding);
        take_remarks([&](const Item& item) { return shares(item, finding); });
        if (columns_of_remarks() >= std::min<std::size_t>(columns_, 2)) return;
        // The finding names nothing that both sides did something to: then whatever both sides
        // named.
        const std::set<std::string> shared = shared_names();
        take_remarks(
            [&](const Item& item) { return shares(item, finding) || shares(item, shared); });
        if (remarks_.size() > options_.lines)
            remarks_.erase(remarks_.begin(),
                           remarks_.end() - static_cast<std::ptrdiff_t>(options_.lines));
        if (!remarks_.empty()) return;
        take_remarks([](const Item&) { return true; });
        if (remarks_.size() > options_.lines / 2)
            remarks_.erase(remarks_.begin(),
                           remarks_.end() - static_cast<std::ptrdiff_t>(options_.lines / 2));
    }

    template <class F> void take_remarks(F&& wanted) {
        remarks_.clear();
        for (std::size_t i = 0; i < items_.size(); ++i)
            if (!items_[i].is_scope && wanted(items_[i])) remarks_.push_back(i);
    }
    static bool shares(const Item& item, const std::set<std::string>& names) {
        const std::set<std::string> own = names_in(item.text);
        return std::any_of(own.begin(), own.end(),
                           [&](const std::string& name) { return names.contains(name); });
    }
    std::size_t columns_of_remarks() const {
        std::set<std::size_t> seen;
        for (const std::size_t remark : remarks_)
            seen.insert(items_[remark].column);
        return seen.size();
    }
    std::set<std::string> shared_names() const {
        std::map<std::string, std::set<std::size_t>> columns_of_name;
        for (const Item& item : items_)
            if (!item.is_scope)
                for (const std::string& name : names_in(item.text))
                    columns_of_name[name].insert(item.column);
        std::set<std::string> shared;
        for (const auto& [name, columns] : columns_of_name)
            if (columns.size() > 1) shared.insert(name);
        return shared;
    }

    void keep_with_path(std::size_t index) {
        for (; index != none && !items_[index].kept; index = items_[index].parent)
            items_[index].kept = true;
    }

    /// Where the story goes over to another column: the functions that the others have entered and
    /// not left.
    void keep_what_was_under_way() {
        std::set<std::size_t> columns;
        for (const std::size_t remark : remarks_)
            columns.insert(items_[remark].column);
        std::size_t before = none;
        for (const std::size_t remark : remarks_) {
            const std::size_t now = items_[remark].first;
            const bool goes_over = before == none || items_[before].column != items_[remark].column;
            before = remark;
            if (!goes_over) continue;
            for (std::size_t i = 0; i < items_.size(); ++i) {
                const Item& item = items_[i];
                const bool open = item.is_scope && item.first < now && now < item.last;
                if (open && item.column != items_[remark].column && columns.contains(item.column))
                    keep_with_path(i);
            }
        }
    }

    /// The completions and workers between a kept task and the one that caused it, in a few words.
    void keep_causes() {
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (!items_[i].kept) continue;
            for (std::size_t cause = items_[i].caused_by; cause != none;
                 cause = items_[cause].parent)
                items_[cause].kept = true;
        }
    }

    /// Between two kept items of one function: the functions that it called, by name alone.
    void keep_between() {
        constexpr std::size_t most = 2;
        std::map<std::size_t, std::vector<std::size_t>>
            pending;  // by parent: not kept since the last kept one
        std::set<std::size_t> begun;
        std::vector<std::size_t> chosen;
        for (std::size_t i = 0; i < items_.size(); ++i) {
            const std::size_t parent = items_[i].parent;
            if (parent == none || !items_[parent].kept) continue;
            if (items_[i].kept) {
                std::vector<std::size_t>& gap = pending[parent];
                if (begun.contains(parent) && gap.size() <= most)
                    chosen.insert(chosen.end(), gap.begin(), gap.end());
                gap.clear();
                begun.insert(parent);
            } else if (items_[i].is_scope) {
                pending[parent].push_back(i);
            }
        }
        for (const std::size_t index : chosen)
            keep_chain(index);
    }

    /// A function, and what it calls as long as nothing is remarked and one calls one.
    void keep_chain(std::size_t index) {
        items_[index].kept = true;
        std::size_t only = none;
        for (std::size_t i = index + 1; i < items_.size() && items_[i].first < items_[index].last;
             ++i) {
            if (items_[i].parent != index) continue;
            if (only != none || !items_[i].is_scope) return;
            only = i;
        }
        if (only != none) keep_chain(only);
    }

    std::vector<Item>& items_;
    const LadderOptions& options_;
    std::size_t columns_;
    std::vector<std::size_t> remarks_;
};

/// Puts kept items into columns.
class Layout {
  public:
    Layout(const std::vector<Item>& items, const Columns& columns, std::size_t width)
        : items_(items), columns_(columns), width_(width) {
        place_columns();
    }

    std::string print() {
        std::string headers;
        for (std::size_t i = 0; i < columns_.count(); ++i) {
            headers.resize(std::max(headers.size() + 1, starts_[i] + header_indent), ' ');
            headers += columns_.headers()[i];
        }
        text_ = headers.substr(0, width_) + "\n\n";
        for (std::size_t i = 0; i < items_.size(); ++i)
            if (items_[i].kept) add(items_[i], depth_of(i));
        return text_;
    }

  private:
    static constexpr std::size_t header_indent = 6, least_column = 10;

    static std::string shown(const Item& item) {
        return item.is_function ? item.text + "()" : item.text;
    }

    std::size_t depth_of(std::size_t index) const {
        std::size_t depth = 0;
        for (std::size_t up = items_[index].parent; up != none; up = items_[up].parent)
            depth += items_[up].kept ? 1 : 0;
        return depth;
    }

    /// Columns share the width evenly, but one that needs more room for its names begins further
    /// left: no two columns ever write into the same line.
    void place_columns() {
        std::vector<std::size_t> needed(columns_.count(), 0);
        for (std::size_t i = 0; i < items_.size(); ++i)
            if (items_[i].kept && items_[i].is_scope)
                needed[items_[i].column] =
                    std::max(needed[items_[i].column], depth_of(i) + shown(items_[i]).size());
        for (std::size_t i = 0; i < columns_.count(); ++i) {
            const std::size_t even = 1 + i * (width_ - 1) / columns_.count();
            const std::size_t latest = width_ - std::min(width_, needed[i]);
            starts_.push_back(i == 0 ? 1 : std::max(std::min(even, latest), i * least_column));
        }
    }

    void add(const Item& item, std::size_t depth) {
        const std::string lead = item.is_scope ? "" : "-> ";
        const std::size_t end =
            item.column + 1 < columns_.count() ? starts_[item.column + 1] - 1 : width_;
        std::size_t indent = starts_[item.column] + depth;
        std::size_t room = end > indent ? end - indent : 0;
        if (item.is_scope || room < least_column * 2 + lead.size())
            room = width_ > indent ? width_ - indent : 0;
        const std::size_t longest = lead.size() + longest_word(shown(item));
        if (longest > room) {  // the indentation gives way, never the name
            indent = width_ > longest ? std::min(indent, width_ - longest) : 0;
            room = width_ - indent;
        }
        write(shown(item), lead, indent, room);
    }

    static std::size_t longest_word(const std::string& text) {
        std::size_t longest = 0;
        for (const std::string& word : scenario::split_words(text))
            longest = std::max(longest, word.size());
        return longest;
    }

    void write(const std::string& what, std::string line, std::size_t indent, std::size_t room) {
        const std::size_t hang = line.size();
        bool fresh = true;
        for (std::string word : scenario::split_words(what)) {
            if (!fresh && line.size() + 1 + word.size() > room) {
                text_ += std::string(indent, ' ') + line + "\n";
                line.assign(hang, ' ');
                fresh = true;
            }
            line += (fresh ? "" : " ") + word.substr(0, room - std::min(room, hang));
            fresh = false;
        }
        text_ += std::string(indent, ' ') + line + "\n";
    }

    const std::vector<Item>& items_;
    const Columns& columns_;
    std::size_t width_;
    std::vector<std::size_t> starts_;
    std::string text_;
};

}  // namespace

std::string ladder(const sim::Trace& trace, const Columns& columns, const LadderOptions& options) {
    std::vector<Item> items = Story(trace, columns).take();
    Selection(items, options, columns.count()).run();
    return Layout(items, columns, options.width).print();
}

}  // namespace app::report
