#include "app/export/state.h"

#include "app/export/state_parts.h"
#include "app/export/state_trees.h"

namespace app::exporter {

namespace {

/// Members of `after` that `before` lacks or has otherwise, and null for those that are gone.
/// @param depth  levels of objects that are compared by member; below, a value is one
SortedJson changed_members(const SortedJson& before, const SortedJson& after, unsigned depth) {
    SortedJson patch = SortedJson::object();
    for (const auto& [name, value] : after.items()) {
        const auto old = before.find(name);
        if (old == before.end()) {
            patch[name] = value;
        } else if (*old != value) {
            const bool inside = depth > 1 && value.is_object() && old->is_object();
            patch[name] = inside ? changed_members(*old, value, depth - 1) : value;
        }
    }
    for (const auto& [name, value] : before.items())
        if (!after.contains(name)) patch[name] = nullptr;
    return patch;
}

}  // namespace

SortedJson number_json(std::uint64_t value) {
    constexpr std::uint64_t exact = std::uint64_t{1} << 53;
    return value <= exact ? SortedJson(value) : SortedJson(std::to_string(value));
}

SortedJson StateReader::read(const sim::Scheduler& scheduler) {
    SortedJson state;
    state["tasks"] = tasks_table(scheduler);
    state["fs"] = filesystem_table(fs_);
    state["transactions"] = transactions_table(fs_);
    state["heads"] = heads_table(fs_);
    state["pinned"] = pinned_table(fs_);
    state["groups"] = groups_table(fs_);
    state["space"] = space_table(fs_);
    state["reserves"] = reserves_table(fs_);
    state["chunks"] = chunks_table(fs_);
    state["devices"] = devices_table(fs_);
    if (fs_.zoned != nullptr) state["zones"] = zones_table(fs_);
    state["replace"] = replace_table(fs_);
    state["relocation"] = relocation_table(fs_);
    state["scrub"] = scrub_table(fs_);
    state["files"] = files_table(fs_);
    state["ordered"] = ordered_table(fs_);
    TreeReader trees(*this);
    trees.read();
    state["roots"] = std::move(trees.roots);
    state["blocks"] = std::move(trees.blocks);
    state["extents"] = std::move(trees.extents);
    return state;
}

SortedJson difference(const SortedJson& before, const SortedJson& after) {
    constexpr unsigned tables_records_fields = 3;
    return changed_members(before, after, tables_records_fields);
}

void apply(SortedJson& state, const SortedJson& patch) {
    state.merge_patch(patch);
}

}  // namespace app::exporter
