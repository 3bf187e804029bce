#include "app/export/state_parts.h"
#include "app/report/key_names.h"

namespace app::exporter {

namespace {

constexpr BitName ordered_bits[] = {
    {model::ordered_flag::nocow, "nocow"},       {model::ordered_flag::prealloc, "prealloc"},
    {model::ordered_flag::direct, "direct"},     {model::ordered_flag::io_done, "io_done"},
    {model::ordered_flag::complete, "complete"}, {model::ordered_flag::ioerr, "ioerr"},
    {model::ordered_flag::pending, "pending"}};

template <class Indices> SortedJson indices_json(const Indices& indices) {
    SortedJson list = SortedJson::array();
    for (const std::uint64_t index : indices)
        list.push_back(number_json(index));
    return list;
}

std::string inode_name(const model::Inode& inode) {
    return report::tree_name(inode.root.objectid) + "/" + std::to_string(inode.ino);
}

SortedJson inode_record(const model::Inode& inode) {
    SortedJson record = {{"size", number_json(inode.i_size)},
                         {"disk_size", number_json(inode.disk_i_size)},
                         {"bytes", number_json(inode.nbytes)},
                         {"links", inode.nlink},
                         {"directory", inode.is_dir},
                         {"nocow", inode.nodatacow()},
                         {"names", SortedJson::array()},
                         {"dirty_pages", indices_json(inode.dirty_pages)},
                         {"writeback_pages", indices_json(inode.writeback_pages)},
                         {"locked_pages", indices_json(inode.locked_pages)},
                         {"delalloc", SortedJson::array()},
                         {"locked_ranges", SortedJson::array()},
                         {"pages", SortedJson::array()}};
    for (const auto& [index, page] : inode.pages)
        if (page->uptodate) record["pages"].push_back({number_json(index), word_text(page->word)});
    for (const auto& [index, reserved] : inode.delalloc)
        record["delalloc"].push_back(number_json(index));
    for (const auto& [start, end] : inode.locked_ranges)
        record["locked_ranges"].push_back({number_json(start), number_json(end)});
    if (inode.mapping_error != 0) record["error"] = inode.mapping_error;
    return record;
}

}  // namespace

SortedJson files_table(const model::FsInfo& fs) {
    SortedJson table = SortedJson::object();
    for (const auto& [key, inode] : fs.inodes)
        table[inode_name(*inode)] = inode_record(*inode);
    for (const auto& [path, inode] : fs.dcache)
        if (inode != nullptr)  // null: known not to be there
            if (const auto entry = table.find(inode_name(*inode)); entry != table.end())
                (*entry)["names"].push_back(std::string(path));
    return table;
}

SortedJson ordered_table(const model::FsInfo& fs) {
    SortedJson table = SortedJson::object();
    for (const auto& [key, inode] : fs.inodes)
        for (const auto& [offset, ordered] : inode->ordered_tree)
            table[inode_name(*inode) + "/" + std::to_string(offset)] = {
                {"length", number_json(ordered->num_bytes)},
                {"disk", number_json(ordered->disk_bytenr.get())},
                {"disk_length", number_json(ordered->disk_num_bytes)},
                {"bytes_left", number_json(ordered->bytes_left)},
                {"flags", bits_json(ordered->flags.peek(), ordered_bits)}};
    return table;
}

}  // namespace app::exporter
