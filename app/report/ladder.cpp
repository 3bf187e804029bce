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
    std::size_t first = 0, last = 0;  // narration entries between which it lasted
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
            while (!stack.empty())
                leave(stack);
    }

    std::vector<Item> take() { return std::move(items_); }

  private:
    using Stack = std::vector<std::size_t>;

    void add(const sim::Narration& entry) {
        Stack& stack = stack_of(entry);
        switch (entry.kind) {
        case sim::Narration::Kind::Enter:
            stack.push_back(append(true, entry.task, stack, entry.text));
            break;
        case sim::Narration::Kind::Leave:
            if (!stack.empty()) leave(stack);
            break;
        case sim::Narration::Kind::Note:
            append(false, entry.task, stack, entry.text);
            break;
        case sim::Narration::Kind::Message:
        case sim::Narration::Kind::Violation:
            break;  // told below the ladder
        }
    }

    /// A worker or completion begins under its own name, unless its first function has that name.
    Stack& stack_of(const sim::Narration& entry) {
        const auto [it, fresh] = stacks_.try_emplace(entry.task);
        const sim::Trace::TaskName& name = trace_.names()[entry.task];
        const bool says_so_itself =
            entry.kind == sim::Narration::Kind::Enter && entry.text == name.label;
        if (fresh && name.parent != sim::Trace::no_parent && !says_so_itself)
            it->second.push_back(append(true, entry.task, {}, name.label));
        return it->second;
    }

    std::size_t append(bool is_scope, std::uint32_t task, const Stack& stack,
                       const std::string& text) {
        items_.push_back({.is_scope = is_scope,
                          .column = columns_.of(trace_, task),
                          .parent = stack.empty() ? none : stack.back(),
                          .first = at_,
                          .last = at_,
                          .text = text});
        return items_.size() - 1;
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
};

/// Marks the items that are shown.
class Selection {
  public:
    Selection(std::vector<Item>& items, const LadderOptions& options)
        : items_(items), options_(options) {}

    void run() {
        if (options_.full) {
            for (Item& item : items_)
                item.kept = true;
            return;
        }
        for (std::size_t i = 0; i < items_.size(); ++i)
            if (!items_[i].is_scope) keep_with_path(i);
    }

  private:
    void keep_with_path(std::size_t index) {
        for (; index != none && !items_[index].kept; index = items_[index].parent)
            items_[index].kept = true;
    }

    std::vector<Item>& items_;
    const LadderOptions& options_;
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
        return item.is_scope && is_function(item.text) ? item.text + "()" : item.text;
    }
    static bool is_function(const std::string& text) { return text.find(' ') == std::string::npos; }

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
    Selection(items, options).run();
    return Layout(items, columns, options.width).print();
}

}  // namespace app::report
