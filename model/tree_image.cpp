#include "model/tree_image.h"

#include <cstring>

#include "model/fs_info.h"
#include "model/mkfs.h"
#include "model/tree_check.h"

namespace model {
namespace {

LeafItem leaf_item(const unsigned char* block, u32 slot) {
    return load<LeafItem>(block + sizeof(HeaderItem) + std::size_t{slot} * sizeof(LeafItem));
}
KeyPtr key_ptr(const unsigned char* block, u32 slot) {
    return load<KeyPtr>(block + sizeof(HeaderItem) + std::size_t{slot} * sizeof(KeyPtr));
}
/// What mkfs writes; the data relocation tree keeps it until the first relocation.

/// An item of a leaf, with its data.
struct Item {
    Key key;
    const unsigned char* data;
    u32 size;
    template <class T> T as() const { return load<T>(data); }
};

class Walk {
  public:
    Walk(const FsInfo& fs, BlockSource& source, const RootOverrides& overrides, TreeImage& image)
        : fs_(fs), source_(source), overrides_(overrides), image_(image) {}

    void run(const ImageRoots& roots) {
        tree(chunk_tree_objectid, roots.chunk_tree);
        tree(root_tree_objectid, roots.root_tree);
        for (const auto& [id, pointer] : overrides_)
            roots_[{id, 0}] = pointer;
        for (const auto& [id, pointer] : roots_)
            tree(id.first, pointer);
    }

  private:
    /// The inode whose items come next: its flags say how its extents are written.
    struct InodeState {
        u64 ino = 0, flags = 0;
    };

    bool failed() const { return image_.problem.invariant != nullptr; }
    void fail(const char* invariant, std::string text) {
        if (!failed()) image_.problem = {invariant, std::move(text)};
    }

    void tree(u64 id, const BlockPointer& root) {
        tree_id_ = id;
        inode_ = {};
        subtree(root);
    }
    void subtree(const BlockPointer& pointer);
    void children(const BlockPointer& pointer, const unsigned char* block,
                  const HeaderItem& header);
    void items(const unsigned char* block, const HeaderItem& header);
    bool is_as_promised(const BlockPointer& pointer, const unsigned char* block);

    void item(const Item& item);
    void extent(const Item& item);
    void keyed_reference(const Item& item, u64 count);
    void chunk(const Item& item);
    void file_extent(const Item& item);
    void root_item(const Item& item);

    const FsInfo& fs_;
    BlockSource& source_;
    const RootOverrides& overrides_;
    TreeImage& image_;
    /// By id; relocation trees by the id of what they are copies of as well.
    std::map<std::pair<u64, u64>, BlockPointer> roots_;
    std::map<u64, InodeState> seen_;  // blocks by address, and the inode that stands after each
    u64 tree_id_ = 0;
    InodeState inode_;
};

bool Walk::is_as_promised(const BlockPointer& pointer, const unsigned char* block) {
    const VisitedBlock said{Bytenr(pointer.bytenr),
                            pointer.level,
                            Transid(pointer.generation),
                            pointer.has_first_key ? &pointer.first_key : nullptr,
                            block,
                            nullptr};
    const std::string problem = check_block_structure(fs_, said);
    if (problem.empty()) return true;
    fail("committed-tree-intact",
         "tree " + number(tree_id_) + ", block " + number(pointer.bytenr) + ": " + problem);
    return false;
}

void Walk::subtree(const BlockPointer& pointer) {
    if (failed()) return;
    image_.references.push_back({pointer.bytenr, fs_.nodesize, false, pointer.level});
    const auto [place, is_new] = seen_.try_emplace(pointer.bytenr);
    if (!is_new) {
        inode_ = place->second;
        return;
    }
    std::string problem;
    const unsigned char* const block = source_.block(pointer, problem);
    if (block == nullptr)
        return fail("committed-tree-intact", "tree " + number(tree_id_) + ", block " +
                                                 number(pointer.bytenr) + ": " + problem);
    if (!is_as_promised(pointer, block)) return;
    const auto header = load<HeaderItem>(block);
    ++image_.blocks;
    image_.tree_blocks.push_back(
        {.bytenr = pointer.bytenr,
         .owner = header.owner,
         .flags = header.flags,
         .reached_by_owner = header.owner == tree_id_,
         .chunk_tree_uuid = std::memcmp(header.chunk_tree_uuid, fs_.chunk_tree_uuid,
                                        sizeof(fs_.chunk_tree_uuid)) == 0});
    if (header.level > 0) {
        children(pointer, block, header);
    } else {
        items(block, header);
    }
    place->second = inode_;
}

void Walk::children(const BlockPointer& pointer, const unsigned char* block,
                    const HeaderItem& header) {
    for (u32 slot = 0; slot < header.nritems; ++slot) {
        const KeyPtr child = key_ptr(block, slot);
        subtree({.bytenr = child.blockptr,
                 .generation = child.generation,
                 .level = static_cast<Level>(pointer.level - 1),
                 .has_first_key = true,
                 .first_key = child.key.cpu()});
    }
}

void Walk::items(const unsigned char* block, const HeaderItem& header) {
    for (u32 slot = 0; slot < header.nritems; ++slot) {
        const LeafItem head = leaf_item(block, slot);
        item({head.key.cpu(), block + sizeof(HeaderItem) + head.offset, head.size});
    }
}

void Walk::item(const Item& item) {
    switch (item.key.type) {
    case extent_item_key:
    case metadata_item_key:
        return extent(item);
    case extent_data_ref_key:
        return keyed_reference(item, item.as<ExtentDataRef>().count);
    case shared_data_ref_key:
        return keyed_reference(item, item.as<SharedDataRef>().count);
    case tree_block_ref_key:
    case shared_block_ref_key:
        return keyed_reference(item, 1);
    case block_group_item_key: {
        const auto group = item.as<BlockGroupItem>();
        image_.groups.push_back({item.key.objectid, item.key.offset, group.used, group.flags});
        return;
    }
    case dev_extent_key: {
        const auto extent = item.as<DevExtentItem>();
        image_.dev_extents.push_back(
            {item.key.objectid, item.key.offset, extent.length, extent.chunk_offset});
        return;
    }
    case dev_item_key:
        image_.dev_items.push_back(item.as<DevItem>());
        return;
    case chunk_item_key:
        return chunk(item);
    case extent_csum_key:
        image_.checksums.push_back({item.key.offset, item.size / sizeof(u32), item.data});
        return;
    case root_item_key:
        return root_item(item);
    case inode_item_key:
        inode_ = {item.key.objectid, item.as<InodeItem>().flags};
        return;
    case extent_data_key:
        return file_extent(item);
    default:
        return;
    }
}

void Walk::extent(const Item& item) {
    const auto head = item.as<ExtentItem>();
    const bool skinny = item.key.type == metadata_item_key;
    TreeImage::Extent extent{.start = item.key.objectid,
                             .length = skinny ? u64{fs_.nodesize} : item.key.offset,
                             .refs = head.refs,
                             .generation = head.generation,
                             .flags = head.flags};
    if (skinny) extent.level = static_cast<Level>(item.key.offset);
    if (!skinny && !extent.is_data())
        extent.level = item.data[sizeof(ExtentItem) + sizeof(DiskKey)];
    constexpr u32 tree_block_info =
        18;  // key and level, in the item of a tree block that is not skinny
    u32 at = sizeof(ExtentItem) + (!skinny && !extent.is_data() ? tree_block_info : 0);
    u8 last_type = 0;
    u64 last_sequence = 0;
    while (at < item.size) {
        const u8 type = item.data[at++];
        u64 sequence = load<u64>(item.data + at);
        if (type == extent_data_ref_key) {
            const auto ref = load<ExtentDataRef>(item.data + at);
            sequence = extent_data_ref_hash(ref.root, ref.objectid, ref.offset);
            extent.listed += ref.count;
            at += sizeof(ExtentDataRef);
        } else if (type == shared_data_ref_key) {
            at += sizeof(u64);
            extent.listed += load<SharedDataRef>(item.data + at).count;
            at += sizeof(SharedDataRef);
        } else {
            ++extent.listed;
            at += sizeof(u64);
        }
        // Types ascend; within a type sequences descend.
        if (type < last_type || (type == last_type && sequence >= last_sequence))
            extent.ordered = false;
        last_type = type;
        last_sequence = sequence;
    }
    image_.extents.push_back(extent);
}

void Walk::keyed_reference(const Item& item, u64 count) {
    if (image_.extents.empty() || image_.extents.back().start != item.key.objectid)
        return fail("extent-refs", "reference " + to_string(item.key) + " has no extent item");
    image_.extents.back().listed += count;
}

void Walk::chunk(const Item& item) {
    const auto chunk = item.as<ChunkItem>();
    for (u32 i = 0; i < chunk.num_stripes; ++i) {
        const auto stripe =
            load<StripeItem>(item.data + sizeof(ChunkItem) + std::size_t{i} * sizeof(StripeItem));
        image_.chunk_stripes.push_back(
            {stripe.devid, stripe.offset, chunk.length, item.key.offset});
    }
}

void Walk::file_extent(const Item& item) {
    const auto extent = item.as<FileExtentItem>();
    if (extent.type == file_extent_inline || extent.disk_bytenr == 0) return;
    image_.references.push_back({extent.disk_bytenr, extent.disk_num_bytes, true});
    u64 flags = inode_.ino == item.key.objectid ? inode_.flags : 0;
    // A relocation inode's data has the checksums that it had elsewhere, or none.
    if (tree_id_ == data_reloc_tree_objectid) flags |= inode_nodatasum;
    image_.file_extents.push_back({.disk_bytenr = extent.disk_bytenr,
                                   .offset = extent.offset,
                                   .num_bytes = extent.num_bytes,
                                   .generation = extent.generation,
                                   .prealloc = extent.type == file_extent_prealloc,
                                   .datasum = (flags & inode_nodatasum) == 0,
                                   .nodatacow = (flags & inode_nodatacow) != 0});
}

void Walk::root_item(const Item& item) {
    const auto root = item.as<RootItem>();
    if (root.generation_v2 != root.generation) image_.root_without_v2 = item.key.objectid;
    const bool relocation = item.key.objectid == tree_reloc_objectid;
    if (item.key.objectid == data_reloc_tree_objectid)
        image_.relocated = root.generation > first_generation;
    BlockPointer& pointer = roots_[{item.key.objectid, relocation ? item.key.offset : 0}];
    pointer.bytenr = root.bytenr;
    pointer.generation = root.generation;
    pointer.level = root.level;
}

}  // namespace

TreeImage read_trees(const FsInfo& fs, BlockSource& source, const ImageRoots& roots,
                     const RootOverrides& overrides) {
    TreeImage image;
    Walk(fs, source, overrides, image).run(roots);
    return image;
}

}  // namespace model
