#pragma once
#include "model/types.h"

namespace model {

struct Root;

/// Files of a tree that had no name when the machine stopped go. Starts transactions. Mirrors
/// btrfs_orphan_cleanup()
Result<void> orphan_cleanup(Root& root);

}  // namespace model
