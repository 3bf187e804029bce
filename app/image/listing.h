#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "app/image/image.h"
#include "model/types.h"

namespace app::image {

/// Every tree of a committed filesystem: where its root is, and each block with its keys.
struct Listing {
    struct Block {
        unsigned level = 0;
        std::uint64_t generation = 0;
        std::uint64_t owner = 0;
        std::vector<model::Key> keys;
        bool operator==(const Block&) const = default;
    };
    /// A tree's id; of a relocation tree also that of the tree that it is a copy of, else 0.
    using TreeId = std::pair<std::uint64_t, std::uint64_t>;
    std::map<TreeId, std::uint64_t> roots;  // address of the root block
    std::map<std::uint64_t, Block> blocks;  // by address
};

/// What the model says: its commit roots, and what they reach.
Listing listing_of(const model::FsInfo& fs);

/// What `btrfs inspect-internal dump-tree` prints, understood.
Listing parse_dump_tree(const std::string& text);
/// Runs it on an image. Empty when it says anything on its way that is no tree.
Listing dump_tree(const Image& image);

/// The first thing in which two listings differ; empty: they do not.
std::string difference(const Listing& model, const Listing& tool);

}  // namespace app::image
