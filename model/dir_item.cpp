#include "model/dir_item.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "model/delete_item.h"
#include "model/fs_info.h"
#include "sim/trace.h"

// fs/btrfs/dir-item.c, inode-item.c, orphan.c. Left out: extended inode references, hard links,
// xattrs.

namespace model {
namespace {

std::vector<unsigned char> dir_item_bytes(const TransHandle& trans, std::string_view name,
                                          const DirEntry& entry) {
    const DirItem item{.location = DiskKey::from(entry.location),
                       .transid = trans.transid.get(),
                       .data_len = 0,
                       .name_len = static_cast<u16>(name.size()),
                       .type = entry.type};
    std::vector<unsigned char> bytes(sizeof(DirItem) + name.size());
    store(bytes.data(), item);
    std::copy(name.begin(), name.end(), bytes.begin() + sizeof(DirItem));
    return bytes;
}

/// Names with one hash share an item, one after the other. @return where the name's entry begins in
/// the item, or nothing Mirrors btrfs_match_dir_item_name().
struct Match {
    bool found = false;
    u32 offset = 0, size = 0;
    DirItem item{};
};
Match match_dir_item_name(const Path& path, std::string_view name) {
    const ExtentBuffer& leaf = *path.nodes[0];
    leaf.content.read();
    const unsigned char* data = leaf.item_data(path.slots[0]);
    const u32 total = leaf.item_size(path.slots[0]);
    for (u32 at = 0; at + sizeof(DirItem) <= total;) {
        const auto item = load<DirItem>(data + at);
        const u32 size = static_cast<u32>(sizeof(DirItem)) + item.name_len + item.data_len;
        const bool same = item.name_len == name.size() &&
                          std::memcmp(data + at + sizeof(DirItem), name.data(), name.size()) == 0;
        if (same) return {true, at, size, item};
        at += size;
    }
    return {};
}

void write_bytes(Path& path, u32 offset, std::span<const unsigned char> bytes) {
    ExtentBuffer& leaf = *path.nodes[0];
    leaf.content.write();
    std::copy(bytes.begin(), bytes.end(), leaf.item_data(path.slots[0]) + offset);
    mark_buffer_dirty(leaf);
}

/// Mirrors insert_with_overflow().
Result<void> insert_name(TransHandle& trans, Root& root, const Key& key, std::string_view name,
                         std::span<const unsigned char> bytes) {
    Path path;
    const auto size = static_cast<u32>(bytes.size());
    const auto found =
        search_slot(&trans, root, key, path, static_cast<int>(size + sizeof(LeafItem)), true);
    if (!found) return found.error();
    if (!*found) {
        setup_item_for_insert(root, path, key, size);
        write_bytes(path, 0, bytes);
        return {};
    }
    if (match_dir_item_name(path, name).found) return Errno::Exist;
    const u32 end = path.nodes[0]->item_size(path.slots[0]);
    extend_item(path, size);
    write_bytes(path, end, bytes);
    return {};
}

/// Mirrors btrfs_delete_one_dir_name().
Result<void> delete_name(TransHandle& trans, Root& root, const Key& key, std::string_view name) {
    Path path;
    const auto found = search_slot(&trans, root, key, path, -1, true);
    if (!found) return found.error();
    const Match match = *found ? match_dir_item_name(path, name) : Match{};
    if (!match.found) return Errno::NoEnt;
    ExtentBuffer& leaf = *path.nodes[0];
    const u32 total = leaf.item_size(path.slots[0]);
    if (match.size == total) return del_item(trans, root, path);
    leaf.content.write();
    unsigned char* data = leaf.item_data(path.slots[0]);
    std::memmove(data + match.offset, data + match.offset + match.size,
                 total - match.offset - match.size);
    truncate_item(path, total - match.size, true);
    return {};
}

}  // namespace

Result<void> insert_dir_item(TransHandle& trans, Root& root, u64 dir, std::string_view name,
                             const DirEntry& entry, u64 index) {
    const sim::Scope scope("btrfs_insert_dir_item");
    const auto bytes = dir_item_bytes(trans, name, entry);
    const auto inserted =
        insert_name(trans, root, {dir, dir_item_key, name_hash(name)}, name, bytes);
    if (!inserted) return inserted;
    return insert_item(trans, root, {dir, dir_index_key, index}, bytes);
}

Result<DirEntry> lookup_dir_item(Root& root, u64 dir, std::string_view name) {
    Path path;
    const auto found =
        search_slot(nullptr, root, {dir, dir_item_key, name_hash(name)}, path, 0, false);
    if (!found) return found.error();
    const Match match = *found ? match_dir_item_name(path, name) : Match{};
    if (!match.found) return Errno::NoEnt;
    return DirEntry{match.item.location.cpu(), match.item.type};
}

Result<void> delete_dir_item(TransHandle& trans, Root& root, u64 dir, std::string_view name,
                             u64 index) {
    const auto deleted = delete_name(trans, root, {dir, dir_item_key, name_hash(name)}, name);
    if (!deleted) return deleted;
    return delete_item(trans, root, {dir, dir_index_key, index});
}

Result<u64> next_dir_index(Root& root, u64 dir) {
    constexpr u64 dir_start_index = 2;  // BTRFS_DIR_START_INDEX: 0 and 1 stand for "." and ".."
    Path path;
    const auto found = search_slot(nullptr, root, {dir, dir_index_key, ~u64{0}}, path, 0, false);
    if (!found) return found.error();
    if (path.slots[0] == 0) return dir_start_index;
    --path.slots[0];
    const Key key = path.key();
    return key.objectid == dir && key.type == dir_index_key ? key.offset + 1 : dir_start_index;
}

Result<void> insert_inode_ref(TransHandle& trans, Root& root, std::string_view name, u64 ino,
                              u64 parent, u64 index) {
    std::vector<unsigned char> bytes(sizeof(InodeRefItem) + name.size());
    store(bytes.data(), InodeRefItem{.index = index, .name_len = static_cast<u16>(name.size())});
    std::copy(name.begin(), name.end(), bytes.begin() + sizeof(InodeRefItem));
    return insert_item(trans, root, {ino, inode_ref_key, parent}, bytes);
}

Result<u64> del_inode_ref(TransHandle& trans, Root& root, std::string_view name, u64 ino,
                          u64 parent) {
    Path path;
    const auto found = search_slot(&trans, root, {ino, inode_ref_key, parent}, path, -1, true);
    if (!found) return found.error();
    if (!*found) return Errno::NoEnt;
    const auto ref = read_item<InodeRefItem>(path);
    const bool same = ref.name_len == name.size() &&
                      std::memcmp(path.nodes[0]->item_data(path.slots[0]) + sizeof(InodeRefItem),
                                  name.data(), name.size()) == 0;
    if (!same) return Errno::NoEnt;
    const auto deleted = del_item(trans, root, path);
    if (!deleted) return deleted.error();
    return ref.index;
}

Result<void> insert_orphan_item(TransHandle& trans, Root& root, u64 offset) {
    const sim::Scope scope("btrfs_insert_orphan_item");
    return insert_item(trans, root, {orphan_objectid, orphan_item_key, offset}, {});
}

Result<void> del_orphan_item(TransHandle& trans, Root& root, u64 offset) {
    const sim::Scope scope("btrfs_del_orphan_item");
    return delete_item(trans, root, {orphan_objectid, orphan_item_key, offset});
}

}  // namespace model
