#pragma once
#include <optional>
#include <set>
#include <vector>

#include "model/delayed_ref.h"

/// fs/btrfs/backref.c: who references an extent, as the committed extent tree says. Whoever asks
/// holds a transaction handle or commit_root_sem, so that the commit roots stay.
namespace model {

struct Root;

/// An extent of the committed extent tree with all its references, inline and keyed.
struct CommittedExtent {
    struct Ref {
        RefKey key;
        u32 count = 1;
    };
    Bytenr start;
    u64 length = 0, generation = 0, flags = 0;
    Level level = 0;  // of a tree block
    std::vector<Ref> refs;
    bool is_data() const { return (flags & extent_flag_data) != 0; }
};

/// The first extent at or after `from`, or nothing. May sleep on reads.
Result<std::optional<CommittedExtent>> next_committed_extent(FsInfo& fs, u64 from);
/// The extent that contains the address, or nothing. Mirrors extent_from_logical()
Result<std::optional<CommittedExtent>> committed_extent_at(FsInfo& fs, u64 bytenr);
/// Leaves of a tree's commit root with items of the file that lie on the data extent and belong to
/// the reference. Mirrors add_all_parents()
Result<std::vector<u64>> leaves_of_data_ref(Root& root, const RefKey& ref, Bytenr disk_bytenr);
/// The first key of a committed tree block, with which references by tree are resolved.
Result<Key> first_key_of(FsInfo& fs, const CommittedExtent& extent);
/// Trees whose commit roots reach the block; relocation trees do not count. Mirrors
/// btrfs_find_all_roots()
Result<std::set<u64>> roots_of_block(FsInfo& fs, u64 bytenr);
/// The block above the one of that level and first key in the tree's commit root; 0: it is the root
/// itself.
Result<u64> committed_parent(Root& root, Level level, const Key& first_key);

}  // namespace model
