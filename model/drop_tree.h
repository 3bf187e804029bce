#pragma once
#include "model/types.h"

namespace model {

struct ExtentBuffer;
struct Root;
struct TransHandle;

/// Drops the tree of a root that nobody uses any more, in one transaction, and its root item.
/// Mirrors btrfs_drop_snapshot()
Result<void> drop_snapshot(Root& root);
/// A node of a relocation tree lets go of what it points to at `slot`. Mirrors
/// btrfs_drop_subtree()
Result<void> drop_subtree(TransHandle& trans, Root& root, ExtentBuffer& parent, unsigned slot);

}  // namespace model
