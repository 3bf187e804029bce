// btrfs_orphan_cleanup() of fs/btrfs/inode.c, 6.1. Left out: truncations that were interrupted, and
// subvolumes that were being deleted.
#include "model/orphan.h"

#include <optional>

#include "model/ctree.h"
#include "model/dir_item.h"
#include "model/fs_info.h"
#include "model/inode.h"
#include "sim/trace.h"

namespace model {
namespace {

/// The highest numbered one below `end`.
Result<std::optional<u64>> orphan_before(Root& root, u64 end) {
    Path path;
    const Key key{orphan_objectid, orphan_item_key, end - 1};
    const auto found = search_slot_for_read(root, key, path, false);
    if (!found) return found.error();
    const bool is_orphan =
        *found && path.key().objectid == orphan_objectid && path.key().type == orphan_item_key;
    return is_orphan ? std::optional(path.key().offset) : std::nullopt;
}

Result<void> delete_orphan_item(Root& root, u64 ino) {
    const auto trans = start_transaction(root, 1);
    if (!trans) return trans.error();
    const auto deleted = del_orphan_item(**trans, root, ino);
    const auto ended = end_transaction(*trans);
    return deleted ? ended : deleted;
}

/// One that has a name again, or is not there, loses its item only.
Result<void> clean_up(Root& root, u64 ino) {
    const auto inode = iget(root.fs, root, ino);
    if (!inode && inode.error() != Errno::NoEnt) return inode.error();
    const bool gone = !inode || (*inode)->nlink > 0;
    if (inode) iput(**inode);  // evicts it
    return gone ? delete_orphan_item(root, ino) : Result<void>{};
}

}  // namespace

Result<void> orphan_cleanup(Root& root) {
    const sim::Scope scope("btrfs_orphan_cleanup");
    for (u64 end = ~u64{0}; end > 0;) {
        const auto ino = orphan_before(root, end);
        if (!ino) return ino.error();
        if (!*ino) return {};
        if (const auto cleaned = clean_up(root, **ino); !cleaned) return cleaned;
        end = **ino;
    }
    return {};
}

}  // namespace model
