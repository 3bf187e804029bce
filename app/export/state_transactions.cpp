#include "app/export/state_parts.h"
#include "app/report/key_names.h"

namespace app::exporter {

namespace {

constexpr BitName state_bits[] = {{model::fs_state_bit::error, "error"},
                                  {model::fs_state_bit::trans_aborted, "trans_aborted"},
                                  {model::fs_state_bit::dev_replacing, "dev_replacing"}};

SortedJson transaction_record(const model::Transaction& transaction) {
    const model::DelayedRefRoot& refs = transaction.delayed_refs;
    SortedJson record = {{"state", to_string(transaction.state)},
                         {"writers", transaction.num_writers.peek()},
                         {"extwriters", transaction.num_extwriters.peek()},
                         {"aborted", transaction.aborted.peek()},
                         {"ref_heads", number_json(refs.num_heads)},
                         {"ref_heads_ready", number_json(refs.num_heads_ready)},
                         {"ref_entries", number_json(refs.num_entries.peek())},
                         {"dirty_blocks", SortedJson::array()},
                         {"dirty_groups", SortedJson::array()},
                         {"pending_snapshots", SortedJson::array()}};
    if (transaction.aborted_in != nullptr) record["aborted_in"] = transaction.aborted_in;
    for (const std::uint64_t bytenr : transaction.dirty_pages)
        record["dirty_blocks"].push_back(number_json(bytenr));
    for (const model::BlockGroup* const group : transaction.dirty_bgs)
        record["dirty_groups"].push_back(number_json(group->start.get()));
    for (const model::PendingSnapshot* const pending : transaction.pending_snapshots)
        record["pending_snapshots"].push_back(std::string(pending->name));
    return record;
}

const char* action_name(model::RefAction action) {
    switch (action) {
    case model::RefAction::Add:
        return "add";
    case model::RefAction::Drop:
        return "drop";
    case model::RefAction::AddExtent:
        return "add extent";
    case model::RefAction::UpdateHead:
        return "update";
    }
    return "";
}

/// "add 1 by tree FS_TREE", "drop 1 by block 5271552".
std::string node_text(const model::DelayedRefNode& node) {
    std::string text = std::string(action_name(node.action)) + " " + std::to_string(node.ref_mod);
    text += node.key.parent != 0 ? " by block " + std::to_string(node.key.parent)
                                 : " by tree " + report::tree_name(node.key.root);
    if (node.key.objectid != 0)
        text += " inode " + std::to_string(node.key.objectid) + " offset " +
                std::to_string(node.key.offset);
    return text;
}

SortedJson head_record(const model::DelayedRefHead& head) {
    SortedJson record = {{"length", number_json(head.num_bytes)},
                         {"data", head.is_data},
                         {"ref_mod", head.ref_mod},
                         {"total_ref_mod", head.total_ref_mod},
                         {"must_insert", head.must_insert_reserved},
                         {"processing", head.processing},
                         {"refs", SortedJson::array()}};
    if (head.has_extent_op) record["sets_flags"] = number_json(head.extent_op_flags);
    for (const model::DelayedRefNode& node : head.nodes)
        record["refs"].push_back(node_text(node));
    return record;
}

}  // namespace

SortedJson filesystem_table(const model::FsInfo& fs) {
    return {{"fs",
             {{"generation", number_json(fs.generation.get())},
              {"last_committed", number_json(fs.last_trans_committed.peek())},
              {"readonly", fs.readonly},
              {"state", bits_json(fs.fs_state.peek(), state_bits)},
              {"nodesize", fs.nodesize}}}};
}

SortedJson transactions_table(const model::FsInfo& fs) {
    SortedJson table = SortedJson::object();
    for (const model::Transaction* const transaction : fs.trans_list)
        table[std::to_string(transaction->transid.get())] = transaction_record(*transaction);
    return table;
}

SortedJson heads_table(const model::FsInfo& fs) {
    SortedJson table = SortedJson::object();
    for (const model::Transaction* const transaction : fs.trans_list)
        for (const auto& [bytenr, head] : transaction->delayed_refs.heads)
            table[std::to_string(transaction->transid.get()) + "/" + std::to_string(bytenr)] =
                head_record(*head);
    return table;
}

SortedJson pinned_table(const model::FsInfo& fs) {
    SortedJson table = SortedJson::object();
    for (const model::Transaction* const transaction : fs.trans_list)
        for (const auto& [start, length] : transaction->pinned_extents)
            table[std::to_string(start)] = {
                {"length", number_json(length)},
                {"transaction", number_json(transaction->transid.get())}};
    return table;
}

}  // namespace app::exporter
