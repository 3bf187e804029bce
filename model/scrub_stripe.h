#pragma once
#include "model/scrub.h"

namespace model {

struct BlockGroup;

/// Reads, verifies, and for a replace copies, every committed extent of the group that lies on the
/// device extent at `dev_offset`. @return Canceled; IO for metadata that no copy of is good, 6.4
/// on. Mirrors scrub_chunk().
Result<void> scrub_chunk(ScrubCtx& ctx, BlockGroup& bg, u64 dev_offset, u64 dev_extent_len);
/// Counts as paused until no commit asks for it. Mirrors scrub_blocked_if_needed().
void scrub_blocked_if_needed(FsInfo& fs);
/// Whether a sector is a super block of that generation with a good checksum.
bool super_block_is_good(const Sector& sector, u64 generation);

}  // namespace model
