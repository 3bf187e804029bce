#pragma once
#include "model/types.h"

namespace model {

/// Ends a mount: what runs in the background is stopped, what is in memory committed, the devices
/// closed. Nobody else uses the filesystem. Mirrors close_ctree()
void close_ctree(FsInfo& fs);

}  // namespace model
