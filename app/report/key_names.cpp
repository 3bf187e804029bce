#include "app/report/key_names.h"

namespace app::report {

namespace {

const KeyNames object_table{{"ROOT_TREE", 1},
                            {"EXTENT_TREE", 2},
                            {"CHUNK_TREE", 3},
                            {"DEV_TREE", 4},
                            {"FS_TREE", 5},
                            {"ROOT_TREE_DIR", 6},
                            {"CSUM_TREE", 7},
                            {"QUOTA_TREE", 8},
                            {"UUID_TREE", 9},
                            {"FREE_SPACE_TREE", 10},
                            {"BLOCK_GROUP_TREE", 11},
                            {"DEV_STATS", 0},
                            {"DEV_ITEMS", 1},
                            {"FIRST_CHUNK_TREE", 256},
                            {"BALANCE", -4ULL},
                            {"ORPHAN", -5ULL},
                            {"TREE_LOG", -6ULL},
                            {"TREE_LOG_FIXUP", -7ULL},
                            {"TREE_RELOC", -8ULL},
                            {"DATA_RELOC_TREE", -9ULL},
                            {"EXTENT_CSUM", -10ULL},
                            {"FREE_SPACE", -11ULL},
                            {"-1", -1ULL}};

const KeyNames type_table{{"UNTYPED", 0},
                          {"INODE_ITEM", 1},
                          {"INODE_REF", 12},
                          {"INODE_EXTREF", 13},
                          {"XATTR_ITEM", 24},
                          {"ORPHAN_ITEM", 48},
                          {"DIR_LOG_ITEM", 60},
                          {"DIR_LOG_INDEX", 72},
                          {"DIR_ITEM", 84},
                          {"DIR_INDEX", 96},
                          {"EXTENT_DATA", 108},
                          {"EXTENT_CSUM", 128},
                          {"ROOT_ITEM", 132},
                          {"ROOT_BACKREF", 144},
                          {"ROOT_REF", 156},
                          {"EXTENT_ITEM", 168},
                          {"METADATA_ITEM", 169},
                          {"TREE_BLOCK_REF", 176},
                          {"EXTENT_DATA_REF", 178},
                          {"SHARED_BLOCK_REF", 182},
                          {"SHARED_DATA_REF", 184},
                          {"BLOCK_GROUP_ITEM", 192},
                          {"FREE_SPACE_INFO", 198},
                          {"FREE_SPACE_EXTENT", 199},
                          {"FREE_SPACE_BITMAP", 200},
                          {"DEV_EXTENT", 204},
                          {"DEV_ITEM", 216},
                          {"CHUNK_ITEM", 228},
                          {"QGROUP_STATUS", 240},
                          {"QGROUP_INFO", 242},
                          {"QGROUP_LIMIT", 244},
                          {"QGROUP_RELATION", 246},
                          {"TEMPORARY_ITEM", 248},
                          {"PERSISTENT_ITEM", 249},
                          {"DEV_REPLACE", 250},
                          {"UUID_KEY_SUBVOL", 251},
                          {"UUID_KEY_RECEIVED_SUBVOL", 252}};

std::string name_of(std::uint64_t number, const KeyNames& names) {
    for (const auto& [name, value] : names)
        if (value == number) return name;
    return std::to_string(number);
}

/// The negative ids.
bool is_special(std::uint64_t id) {
    return id > ~std::uint64_t{256};
}

}  // namespace

const KeyNames& object_names() {
    return object_table;
}

const KeyNames& item_type_names() {
    return type_table;
}

std::string item_type_name(std::uint8_t type) {
    return name_of(type, type_table);
}

std::string tree_name(std::uint64_t id) {
    if (is_special(id)) return name_of(id, object_table);
    constexpr std::uint64_t last_tree = 11;  // ids above are subvolumes
    for (const auto& [name, value] : object_table)
        if (value == id && id <= last_tree && name.ends_with("_TREE")) return name;
    return std::to_string(id);
}

std::string key_text(const model::Key& key) {
    const std::string object = is_special(key.objectid) ? name_of(key.objectid, object_table)
                                                        : std::to_string(key.objectid);
    return object + " " + item_type_name(key.type) + " " + std::to_string(key.offset);
}

}  // namespace app::report
