#include "app/report/comparison.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace app::report {

namespace {

using Pair = std::pair<std::uint32_t, std::uint32_t>;

auto key_of(const sim::Meaning& meaning) {
    return std::make_tuple(meaning.task, meaning.op, meaning.object_class, meaning.key,
                           meaning.occurrence);
}

/// The longest subsequence whose second parts rise (patience sorting): what two sequences of
/// distinct words have in common, in order.
std::vector<Pair> rising(const std::vector<Pair>& pairs) {
    std::vector<std::size_t> ends, before(pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const auto at =
            std::lower_bound(ends.begin(), ends.end(), i, [&](std::size_t x, std::size_t) {
                return pairs[x].second < pairs[i].second;
            });
        before[i] = at == ends.begin() ? pairs.size() : *(at - 1);
        if (at == ends.end())
            ends.push_back(i);
        else
            *at = i;
    }
    std::vector<Pair> longest;
    for (std::size_t i = ends.empty() ? pairs.size() : ends.back(); i < pairs.size(); i = before[i])
        longest.push_back(pairs[i]);
    std::reverse(longest.begin(), longest.end());
    return longest;
}

std::vector<Pair> partners_of(const std::vector<sim::Meaning>& a,
                              const std::vector<sim::Meaning>& b) {
    std::map<decltype(key_of(a.front())), std::uint32_t> in_b;
    for (std::uint32_t i = 0; i < b.size(); ++i)
        in_b.emplace(key_of(b[i]), i);
    std::map<std::string, std::vector<Pair>> by_task;
    for (std::uint32_t i = 0; i < a.size(); ++i)
        if (const auto it = in_b.find(key_of(a[i])); it != in_b.end())
            by_task[a[i].task].emplace_back(i, it->second);
    std::vector<Pair> all;
    for (const auto& entry : by_task) {
        const std::vector<Pair> kept = rising(entry.second);
        all.insert(all.end(), kept.begin(), kept.end());
    }
    std::sort(all.begin(), all.end());
    return all;
}

std::string remark_of(const sim::Trace& trace, std::uint32_t first, std::uint32_t end) {
    std::string scope, said;
    for (const sim::Narration& entry : trace.narration()) {
        if (entry.step < first || entry.step >= end) continue;
        if (entry.kind == sim::Narration::Kind::Enter)
            scope = entry.text;
        else if (entry.kind != sim::Narration::Kind::Leave)
            said = entry.text;
    }
    return said.empty() ? scope : said;
}

std::vector<Stretch> stretches_of(const sim::Trace& trace) {
    std::vector<Stretch> list;
    const auto& steps = trace.step_list();
    for (std::uint32_t i = 0; i < steps.size(); ++i) {
        if (i == 0 || steps[i].task != steps[i - 1].task)
            list.push_back({.task = trace.task_name(steps[i].task), .first = i, .remark = {}});
        ++list.back().count;
    }
    for (Stretch& stretch : list)
        stretch.remark = remark_of(trace, stretch.first, stretch.first + stretch.count);
    return list;
}

/// Lines up two lists of stretches by the longest common subsequence of their tasks.
class Alignment {
  public:
    Alignment(std::vector<Stretch> a, std::vector<Stretch> b)
        : a_(std::move(a)), b_(std::move(b)), best_((a_.size() + 1) * (b_.size() + 1), 0) {
        for (std::size_t i = a_.size(); i-- > 0;)
            for (std::size_t j = b_.size(); j-- > 0;)
                at(i, j) = a_[i].task == b_[j].task ? at(i + 1, j + 1) + 1
                                                    : std::max(at(i + 1, j), at(i, j + 1));
    }

    std::vector<ComparedRow> rows() {
        std::vector<ComparedRow> rows;
        std::size_t i = 0, j = 0;
        while (i < a_.size() || j < b_.size()) {
            if (i < a_.size() && j < b_.size() && a_[i].task == b_[j].task)
                rows.push_back({.a = a_[i++], .b = b_[j++]});
            else if (j == b_.size() || (i < a_.size() && at(i + 1, j) >= at(i, j + 1)))
                rows.push_back({.a = a_[i++], .b = {}});
            else
                rows.push_back({.a = {}, .b = b_[j++]});
        }
        return rows;
    }

  private:
    std::uint32_t& at(std::size_t i, std::size_t j) { return best_[i * (b_.size() + 1) + j]; }

    std::vector<Stretch> a_, b_;
    std::vector<std::uint32_t> best_;
};

std::vector<Stretch> from(std::vector<Stretch> stretches, std::uint32_t step) {
    const auto begins_later = [&](const Stretch& stretch) {
        return stretch.first + stretch.count > step;
    };
    stretches.erase(stretches.begin(),
                    std::find_if(stretches.begin(), stretches.end(), begins_later));
    return stretches;
}

std::string cell(const std::optional<Stretch>& stretch, std::size_t width) {
    if (!stretch) return std::string(width, ' ');
    std::string text = std::to_string(stretch->first);
    text.insert(0, text.size() < 6 ? 6 - text.size() : 0, ' ');
    text += "  " + stretch->task + " (" + std::to_string(stretch->count) +
            (stretch->count == 1 ? " step)" : " steps)");
    if (!stretch->remark.empty()) text += " " + stretch->remark;
    std::replace(text.begin(), text.end(), '\n', ' ');
    if (text.size() > width) text = text.substr(0, width - 3) + "...";
    text.resize(width, ' ');
    return text;
}

char mark_of(const ComparedRow& row) {
    if (!row.b) return '<';
    if (!row.a) return '>';
    return row.same ? ' ' : '|';
}

}  // namespace

Comparison compare(const sim::Trace& a, const sim::Trace& b) {
    const std::vector<sim::Meaning> in_a = sim::meanings(a), in_b = sim::meanings(b);
    Comparison comparison;
    while (comparison.common < std::min(in_a.size(), in_b.size()) &&
           in_a[comparison.common] == in_b[comparison.common])
        ++comparison.common;
    if (comparison.common < in_a.size()) comparison.next_a = in_a[comparison.common];
    if (comparison.common < in_b.size()) comparison.next_b = in_b[comparison.common];
    comparison.partners = partners_of(in_a, in_b);
    std::set<Pair> alike;
    for (const Pair& pair : comparison.partners) {
        const bool same = a.effects().at(pair.first) == b.effects().at(pair.second);
        if (same) alike.insert(pair);
        if (!same && !comparison.state) comparison.state = pair;
    }
    if (comparison.same()) return comparison;
    const std::uint32_t first =
        comparison.state
            ? std::min({comparison.common, comparison.state->first, comparison.state->second})
            : comparison.common;
    comparison.rows = Alignment(from(stretches_of(a), first), from(stretches_of(b), first)).rows();
    for (ComparedRow& row : comparison.rows) {
        row.same = row.a && row.b && row.a->count == row.b->count;
        for (std::uint32_t i = 0; row.same && i < row.a->count; ++i)
            row.same = alike.contains({row.a->first + i, row.b->first + i});
    }
    return comparison;
}

std::string step_text(const sim::Trace& trace, std::uint32_t step) {
    const sim::ObjectLabel& label = trace.labels().at(step);
    std::string text = trace.task_name(trace.step_list()[step].task) + ": " +
                       sim::to_string(trace.step_list()[step].op);
    if (*label.object_class != '\0') text += std::string(" ") + label.object_class;
    if (label.key != 0) text += " " + std::to_string(label.key);
    const std::string remark = remark_of(trace, step, step + 1);
    return remark.empty() ? text : text + " (" + remark + ")";
}

std::string columns_text(const Comparison& comparison, std::size_t width, std::size_t most) {
    const std::size_t cell_width = (width - 3) / 2;
    std::string text;
    std::size_t shown = 0;
    for (const ComparedRow& row : comparison.rows) {
        if (shown++ == most) break;
        std::string line = cell(row.a, cell_width) + " " + mark_of(row) + " " +
                           (row.b ? cell(row.b, cell_width) : "");
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    if (comparison.rows.size() > most)
        text += "   ... " + std::to_string(comparison.rows.size() - most) + " more rows (--full)\n";
    return text;
}

}  // namespace app::report
