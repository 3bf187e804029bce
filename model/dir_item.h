#pragma once
#include <string_view>

#include "model/ctree.h"
#include "model/format.h"

/// Names: fs/btrfs/dir-item.c, fs/btrfs/inode-item.c and fs/btrfs/orphan.c. Delayed items are left
/// out: DIR_INDEX is written at once.
namespace model {

struct Root;
struct TransHandle;

/// What a name leads to: an inode of the same tree (ino, INODE_ITEM, 0), or a subvolume (id,
/// ROOT_ITEM, -1).
struct DirEntry {
    Key location;
    u8 type = 0;
};

/// DIR_ITEM and DIR_INDEX of one name. @return Exist if the name is there. Mirrors
/// btrfs_insert_dir_item().
Result<void> insert_dir_item(TransHandle& trans, Root& root, u64 dir, std::string_view name,
                             const DirEntry& entry, u64 index);
/// @return NoEnt. Mirrors btrfs_lookup_dir_item().
Result<DirEntry> lookup_dir_item(Root& root, u64 dir, std::string_view name);
/// Removes both items of the name. Mirrors btrfs_delete_one_dir_name() and
/// btrfs_delete_delayed_dir_index().
Result<void> delete_dir_item(TransHandle& trans, Root& root, u64 dir, std::string_view name,
                             u64 index);
/// The next free DIR_INDEX offset. Mirrors btrfs_set_inode_index_count().
Result<u64> next_dir_index(Root& root, u64 dir);

Result<void> insert_inode_ref(TransHandle& trans, Root& root, std::string_view name, u64 ino,
                              u64 parent, u64 index);
/// @return the index that the name had in its directory. Mirrors btrfs_del_inode_ref().
Result<u64> del_inode_ref(TransHandle& trans, Root& root, std::string_view name, u64 ino,
                          u64 parent);

Result<void> insert_orphan_item(TransHandle& trans, Root& root, u64 offset);
Result<void> del_orphan_item(TransHandle& trans, Root& root, u64 offset);

}  // namespace model
