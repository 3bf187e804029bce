#include "app/export/item_text.h"

#include "app/report/key_names.h"

namespace app::exporter {

namespace {

using model::load;

std::string decimal(std::uint64_t value) {
    return std::to_string(value);
}

std::string name_after(const unsigned char* data, std::size_t size, std::size_t header,
                       std::size_t length) {
    if (header + length > size) return "?";
    return {reinterpret_cast<const char*>(data) + header, length};
}

std::string inode_text(const model::InodeItem& item) {
    return "size " + decimal(item.size) + ", " + decimal(item.nlink) + " links, generation " +
           decimal(item.generation);
}

std::string file_extent_text(const model::FileExtentItem& item) {
    if (item.type == model::file_extent_inline) return "inline, " + decimal(item.ram_bytes);
    if (item.disk_bytenr == 0) return "hole, " + decimal(item.num_bytes) + " bytes";
    return std::string(item.type == model::file_extent_prealloc ? "preallocated " : "") + "disk " +
           decimal(item.disk_bytenr) + ", " + decimal(item.num_bytes) + " bytes, generation " +
           decimal(item.generation);
}

std::string dir_text(const unsigned char* data, std::size_t size) {
    const auto item = load<model::DirItem>(data);
    return name_after(data, size, sizeof(item), item.name_len) + " is " +
           report::key_text(item.location.cpu());
}

std::string root_text(const model::RootItem& item) {
    return "root block " + decimal(item.bytenr) + ", level " + decimal(item.level) +
           ", generation " + decimal(item.generation);
}

std::string extent_text(const model::ExtentItem& item) {
    std::string text = decimal(item.refs) + " refs, generation " + decimal(item.generation);
    if ((item.flags & model::block_flag_full_backref) != 0) text += ", full back references";
    return text;
}

std::string replace_text(const model::DevReplaceItem& item) {
    return "state " + decimal(item.replace_state) + ", cursor " + decimal(item.cursor_left);
}

template <class Item, class Text>
std::string decoded(const unsigned char* data, std::size_t size, Text&& text) {
    return size < sizeof(Item) ? std::string("too short") : text(load<Item>(data));
}

std::string body_text(const model::Key& key, const unsigned char* data, std::size_t size) {
    switch (key.type) {
    case model::inode_item_key:
        return decoded<model::InodeItem>(data, size, inode_text);
    case model::inode_ref_key:
        return decoded<model::InodeRefItem>(data, size, [&](const model::InodeRefItem& item) {
            return "name " + name_after(data, size, sizeof(item), item.name_len);
        });
    case model::dir_item_key:
    case model::dir_index_key:
        return size < sizeof(model::DirItem) ? "too short" : dir_text(data, size);
    case model::extent_data_key:
        return decoded<model::FileExtentItem>(data, size, file_extent_text);
    case model::extent_csum_key:
        return decimal(size / 4) + " sums";
    case model::root_item_key:
        return decoded<model::RootItem>(data, size, root_text);
    case model::root_ref_key:
    case model::root_backref_key:
        return decoded<model::RootRefItem>(data, size, [&](const model::RootRefItem& item) {
            return "name " + name_after(data, size, sizeof(item), item.name_len);
        });
    case model::extent_item_key:
    case model::metadata_item_key:
        return decoded<model::ExtentItem>(data, size, extent_text);
    case model::block_group_item_key:
        return decoded<model::BlockGroupItem>(data, size, [](const model::BlockGroupItem& item) {
            return group_type_text(item.flags) + ", used " + decimal(item.used);
        });
    case model::dev_item_key:
        return decoded<model::DevItem>(data, size, [](const model::DevItem& item) {
            return decimal(item.bytes_used) + " of " + decimal(item.total_bytes) + " bytes";
        });
    case model::dev_extent_key:
        return decoded<model::DevExtentItem>(data, size, [](const model::DevExtentItem& item) {
            return "chunk " + decimal(item.chunk_offset) + ", " + decimal(item.length) + " bytes";
        });
    case model::chunk_item_key:
        return decoded<model::ChunkItem>(data, size, [](const model::ChunkItem& item) {
            return group_type_text(item.type) + ", " + decimal(item.length) + " bytes, " +
                   decimal(item.num_stripes) + " stripes";
        });
    case model::dev_replace_key:
        return decoded<model::DevReplaceItem>(data, size, replace_text);
    default:
        return size == 0 ? "" : decimal(size) + " bytes";
    }
}

}  // namespace

std::string item_text(const model::Key& key, const unsigned char* data, std::size_t size) {
    const std::string body = body_text(key, data, size);
    return report::key_text(key) + (body.empty() ? "" : ": " + body);
}

std::string group_type_text(std::uint64_t flags) {
    std::string text = (flags & model::bg_data) != 0       ? "data"
                       : (flags & model::bg_metadata) != 0 ? "metadata"
                                                           : "system";
    if ((flags & model::bg_dup) != 0) text += " dup";
    if ((flags & model::bg_raid1) != 0) text += " raid1";
    return text;
}

}  // namespace app::exporter
