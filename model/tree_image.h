#pragma once
#include <map>
#include <string>
#include <vector>

#include "model/format.h"

/// All trees of a filesystem, read from the top by somebody who touches nothing: what checks of a
/// whole state are made of. Blocks come from a BlockSource (the media, or memory); each is looked
/// at once, however many trees share it.
namespace model {

class FsInfo;

/// What is wrong with a block or an item, under the name of the invariant that it breaks. Empty
/// name: nothing.
struct ImageProblem {
    const char* invariant = nullptr;
    std::string text;
};

/// Where a block is looked for, and what its parent says of it.
struct BlockPointer {
    u64 bytenr = 0, generation = 0;
    Level level = 0;
    bool has_first_key = false;
    Key first_key;
};

/// Gives out blocks. The bytes live as long as the source.
class BlockSource {
  public:
    BlockSource() = default;
    virtual ~BlockSource() = default;
    BlockSource(const BlockSource&) = delete;
    BlockSource& operator=(const BlockSource&) = delete;
    /// @return null with `problem` filled in when no good copy is there
    virtual const unsigned char* block(const BlockPointer& pointer, std::string& problem) = 0;
};

/// What the trees say, in the order of the walk; extents, groups, chunks and checksums are in order
/// of address.
struct TreeImage {
    struct Extent {
        u64 start, length, refs, generation, flags;
        Level level = 0;      // of a tree block
        u64 listed = 0;       // references that the item and keyed references list
        bool ordered = true;  // its inline references are
        bool is_data() const { return (flags & extent_flag_data) != 0; }
    };
    /// A tree block, as it was first met: trees come in order of their ids.
    struct Block {
        u64 bytenr, owner, flags;
        bool reached_by_owner;
        bool chunk_tree_uuid;  // is the filesystem's
    };
    struct Reference {
        u64 bytenr, length;
        bool is_data;
        Level level = 0;  // of a tree block
    };
    struct FileExtent {
        u64 disk_bytenr, offset, num_bytes, generation;
        bool prealloc, datasum, nodatacow;
    };
    struct Group {
        u64 start, length, used, flags;
    };
    struct DevExtent {
        u64 devid, physical, length, chunk_offset;
    };
    struct ChunkStripe {
        u64 devid, physical, length, chunk_offset;
    };
    struct Checksums {
        u64 start, sectors;
        const unsigned char* sums;  // 4 bytes each
    };
    std::vector<Extent> extents;
    std::vector<Block> tree_blocks;
    std::vector<Reference> references;
    std::vector<FileExtent> file_extents;
    std::vector<Group> groups;
    std::vector<DevExtent> dev_extents;
    std::vector<ChunkStripe> chunk_stripes;
    std::vector<DevItem> dev_items;
    std::vector<Checksums> checksums;
    u64 root_without_v2 = 0;  // a tree whose root item has another generation_v2; 0: none
    bool relocated = false;   // block groups were relocated at some time
    u32 blocks = 0;
    ImageProblem problem;  // the first; the walk ends there
};

/// The two trees that the super block names, and through the root tree all others.
struct ImageRoots {
    BlockPointer root_tree, chunk_tree;
};

/// Roots in memory that stand for what ROOT_ITEMs say, by tree id: the running state.
using RootOverrides = std::map<u64, BlockPointer>;

TreeImage read_trees(const FsInfo& fs, BlockSource& source, const ImageRoots& roots,
                     const RootOverrides& overrides = {});

}  // namespace model
