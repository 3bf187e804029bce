#pragma once
#include "model/types.h"

namespace model {

struct Root;
struct TransHandle;

/// Deletes the item with exactly this key. @return NoEnt: there is none
Result<void> delete_item(TransHandle& trans, Root& root, const Key& key);

}  // namespace model
