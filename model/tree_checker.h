#pragma once
#include "model/types.h"

namespace model {

/// fs/btrfs/tree-checker.c: whether the bytes of a tree block are a leaf or node at all. Looks at
/// `block` alone, with no access of shared state. Prints what is wrong, "corrupt leaf: root=%llu
/// block=%llu slot=%d, ...".
/// @return UClean when it is not
Result<void> check_tree_block(FsInfo& fs, const unsigned char* block);
/// The same in silence.
bool is_tree_block(FsInfo& fs, const unsigned char* block);

}  // namespace model
