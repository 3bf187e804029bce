#include "app/export/item_text.h"
#include "app/export/state_parts.h"

namespace app::exporter {

namespace {

constexpr BitName group_bits[] = {{model::bg_runtime::removed, "removed"},
                                  {model::bg_runtime::to_copy, "to_copy"},
                                  {model::bg_runtime::new_group, "new"}};

void add_zone(SortedJson& record, const model::ZonedGroup& zoned) {
    record["zone_capacity"] = number_json(zoned.zone_capacity);
    record["alloc_offset"] = number_json(zoned.alloc_offset);
    record["zone_unusable"] = number_json(zoned.zone_unusable);
    record["zone_active"] = zoned.is_active;
    record["meta_write_pointer"] = number_json(zoned.meta_write_pointer);
}

SortedJson group_record(const model::BlockGroup& group) {
    SortedJson record = {{"type", group_type_text(group.flags)},
                         {"length", number_json(group.length)},
                         {"used", number_json(group.used)},
                         {"reserved", number_json(group.reserved)},
                         {"pinned", number_json(group.pinned)},
                         {"super", number_json(group.bytes_super)},
                         {"ro", group.ro},
                         {"reservations", group.reservations.peek()},
                         {"nocow_writers", group.nocow_writers.peek()},
                         {"frozen", group.frozen},
                         {"dirty", group.on_dirty_list},
                         {"flags", bits_json(group.runtime_flags.peek(), group_bits)},
                         {"free", SortedJson::array()}};
    for (const auto& [start, length] : group.free_space)
        record["free"].push_back({number_json(start), number_json(length)});
    if (group.zoned != nullptr) add_zone(record, *group.zoned);
    return record;
}

SortedJson reserve_record(const model::BlockRsv& reserve) {
    return {{"size", number_json(reserve.size)},
            {"reserved", number_json(reserve.reserved)},
            {"full", reserve.full}};
}

}  // namespace

SortedJson groups_table(const model::FsInfo& fs) {
    SortedJson table = SortedJson::object();
    for (const auto& [start, group] : fs.block_groups)
        table[std::to_string(start)] = group_record(*group);
    return table;
}

SortedJson space_table(const model::FsInfo& fs) {
    SortedJson table = SortedJson::object();
    for (const model::SpaceInfo* const info : fs.space_infos)
        table[model::space_info_name(*info)] = {{"total", number_json(info->total_bytes)},
                                                {"used", number_json(info->bytes_used)},
                                                {"reserved", number_json(info->bytes_reserved)},
                                                {"pinned", number_json(info->bytes_pinned)},
                                                {"readonly", number_json(info->bytes_readonly)},
                                                {"may_use", number_json(info->bytes_may_use)},
                                                {"full", info->full}};
    return table;
}

SortedJson reserves_table(const model::FsInfo& fs) {
    return {{"global", reserve_record(fs.global_block_rsv)},
            {"trans", reserve_record(fs.trans_block_rsv)},
            {"chunk", reserve_record(fs.chunk_block_rsv)},
            {"delayed_refs", reserve_record(fs.delayed_refs_rsv)},
            {"empty", reserve_record(fs.empty_block_rsv)}};
}

}  // namespace app::exporter
