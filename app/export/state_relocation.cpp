#include "app/export/state_parts.h"
#include "app/export/state_trees.h"
#include "app/report/key_names.h"

namespace app::exporter {

namespace {

const char* stage_name(model::RelocStage stage) {
    return stage == model::RelocStage::MoveDataExtents ? "MOVE_DATA_EXTENTS" : "UPDATE_DATA_PTRS";
}

/// The trees that relocation trees are copies of.
SortedJson source_trees(const model::Vector<model::Root*>& reloc_roots) {
    SortedJson list = SortedJson::array();
    for (const model::Root* const root : reloc_roots)
        list.push_back(report::tree_name(root->root_key.offset));
    return list;
}

SortedJson relocation_record(const model::RelocControl& control) {
    SortedJson merged = SortedJson::array();
    for (const model::Root* const root : control.dirty_subvol_roots)
        merged.push_back(root_name(*root));
    const SortedJson group =
        control.bg == nullptr ? SortedJson() : SortedJson(number_json(control.bg->start.get()));
    return {{"block_group", group},
            {"stage", stage_name(control.stage)},
            {"creates_reloc_roots", control.create_reloc_tree},
            {"merges", control.merge_reloc_tree},
            {"reloc_roots", source_trees(control.reloc_root_tree)},
            {"to_merge", source_trees(control.reloc_roots)},
            {"merged", std::move(merged)},
            {"extents_found", number_json(control.extents_found)}};
}

SortedJson balance_record(const model::BalanceState& balance) {
    return {{"data", balance.ctl->data},
            {"metadata", balance.ctl->metadata},
            {"pause_requests", balance.pause_req.peek()},
            {"cancel_requests", balance.cancel_req.peek()}};
}

}  // namespace

SortedJson relocation_table(const model::FsInfo& fs) {
    SortedJson table = SortedJson::object();
    if (fs.balance.ctl != nullptr) table["balance"] = balance_record(fs.balance);
    if (fs.reloc.ctl != nullptr) table["relocation"] = relocation_record(*fs.reloc.ctl);
    return table;
}

}  // namespace app::exporter
