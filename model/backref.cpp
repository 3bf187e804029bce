// fs/btrfs/backref.c: who references an extent, from the commit roots.
//
// Left out: queued references (only fiemap and send before 4.x counted them for current trees), the
// tree modification log, and the caches of later kernels.
#include "model/backref.h"

#include <algorithm>

#include "model/ctree.h"
#include "model/disk_io.h"
#include "model/extent_backref.h"
#include "model/fs_info.h"

namespace model {
namespace {

bool is_extent_item(const Key& key) {
    return key.type == extent_item_key || key.type == metadata_item_key;
}

bool is_keyed_ref(const Key& key) {
    return key.type == tree_block_ref_key || key.type == extent_data_ref_key ||
           key.type == shared_block_ref_key || key.type == shared_data_ref_key;
}

std::span<const unsigned char> item_bytes(const Path& path) {
    const ExtentBuffer& leaf = *path.nodes[0];
    read_content(path, leaf);
    return {leaf.item_data(path.slots[0]), leaf.item_size(path.slots[0])};
}

CommittedExtent extent_of(const FsInfo& fs, const Path& path) {
    const Key key = path.key();
    const auto item = read_item<ExtentItem>(path);
    const bool skinny = key.type == metadata_item_key;
    CommittedExtent extent{.start = Bytenr(key.objectid),
                           .length = skinny ? u64{fs.nodesize} : key.offset,
                           .generation = item.generation,
                           .flags = item.flags,
                           .level = static_cast<Level>(skinny ? key.offset : 0),
                           .refs = {}};
    const auto bytes = item_bytes(path);
    for (u32 offset = sizeof(ExtentItem); offset < bytes.size();) {
        const InlineRef ref = parse_inline_ref(bytes, offset);
        if (ref.size == 0) break;
        extent.refs.push_back({ref.key, ref.count});
        offset += ref.size;
    }
    return extent;
}

CommittedExtent::Ref keyed_ref_at(const Path& path) {
    const Key key = path.key();
    CommittedExtent::Ref ref{.key = {.type = key.type}};
    switch (key.type) {
    case extent_data_ref_key: {
        const auto item = read_item<ExtentDataRef>(path);
        ref.key.root = item.root;
        ref.key.objectid = item.objectid;
        ref.key.offset = item.offset;
        ref.count = item.count;
        break;
    }
    case shared_data_ref_key:
        ref.key.parent = key.offset;
        ref.count = read_item<SharedDataRef>(path).count;
        break;
    case shared_block_ref_key:
        ref.key.parent = key.offset;
        break;
    default:
        ref.key.root = key.offset;
    }
    return ref;
}

/// The path stands on an extent item; moves behind its references.
Result<CommittedExtent> read_extent(FsInfo& fs, Path& path) {
    CommittedExtent extent = extent_of(fs, path);
    for (;;) {
        const auto more = next_item(*fs.extent_root, path);
        if (!more) return more.error();
        if (!*more || path.key().objectid != extent.start.get()) return extent;
        if (is_keyed_ref(path.key())) extent.refs.push_back(keyed_ref_at(path));
    }
}

/// Moves to the first extent item from where the path stands. @return whether there is one
Result<bool> skip_to_extent_item(Root& root, Path& path) {
    bool there = path.slots[0] < path.nodes[0]->nritems();
    if (!there) {
        const auto next = next_leaf(root, path);
        if (!next) return next;
        there = *next;
    }
    while (there && !is_extent_item(path.key())) {
        const auto next = next_item(root, path);
        if (!next) return next;
        there = *next;
    }
    return there;
}

}  // namespace

Result<std::optional<CommittedExtent>> next_committed_extent(FsInfo& fs, u64 from) {
    Path path;
    path.use_commit_root();
    const auto found = search_slot(nullptr, *fs.extent_root, {from, 0, 0}, path, 0, false);
    if (!found) return found.error();
    const auto there = skip_to_extent_item(*fs.extent_root, path);
    if (!there) return there.error();
    if (!*there) return std::optional<CommittedExtent>();
    const auto extent = read_extent(fs, path);
    if (!extent) return extent.error();
    return std::optional(*extent);
}

Result<std::optional<CommittedExtent>> committed_extent_at(FsInfo& fs, u64 bytenr) {
    Path path;
    path.use_commit_root();
    const Key last{bytenr, metadata_item_key, ~u64{0}};
    const auto found = search_slot(nullptr, *fs.extent_root, last, path, 0, false);
    if (!found) return found.error();
    for (; path.slots[0] > 0; --path.slots[0]) {
        const Key key = path.nodes[0]->key(path.slots[0] - 1);
        if (!is_extent_item(key)) continue;
        const u64 length = key.type == metadata_item_key ? fs.nodesize : key.offset;
        if (bytenr >= key.objectid + length) break;
        --path.slots[0];
        const auto extent = read_extent(fs, path);
        if (!extent) return extent.error();
        return std::optional(*extent);
    }
    return std::optional<CommittedExtent>();
}

Result<std::vector<u64>> leaves_of_data_ref(Root& root, const RefKey& ref, Bytenr disk_bytenr) {
    std::vector<u64> leaves;
    Path path;
    path.use_commit_root();
    const Key first{ref.objectid, extent_data_key, ref.offset};
    const auto found = search_slot(nullptr, root, first, path, 0, false);
    if (!found) return found.error();
    bool more = path.slots[0] < path.nodes[0]->nritems();
    if (!more) {
        const auto next = next_leaf(root, path);
        if (!next) return next.error();
        more = *next;
    }
    while (more) {
        const Key key = path.key();
        if (key.objectid != ref.objectid || key.type != extent_data_key) break;
        const auto item = read_item<FileExtentItem>(path);
        const u64 leaf = path.nodes[0]->start.get();
        if (item.type != file_extent_inline && item.disk_bytenr == disk_bytenr.get() &&
            key.offset - item.offset == ref.offset &&
            std::find(leaves.begin(), leaves.end(), leaf) == leaves.end())
            leaves.push_back(leaf);
        const auto next = next_item(root, path);
        if (!next) return next.error();
        more = *next;
    }
    return leaves;
}

Result<u64> committed_parent(Root& root, Level level, const Key& first_key) {
    root.node_ptr.read();
    if (root.commit_root->level() <= level) return u64{0};
    Path path;
    path.use_commit_root();
    path.lowest_level = static_cast<Level>(level + 1);
    const auto found = search_slot(nullptr, root, first_key, path, 0, false);
    if (!found) return found.error();
    return path.nodes[level + 1U]->start.get();
}

Result<Key> first_key_of(FsInfo& fs, const CommittedExtent& extent) {
    ParentCheck check;
    check.transid = Transid(extent.generation);
    check.level = extent.level;
    check.has_level = true;
    const auto eb = read_tree_block(fs, extent.start, check);
    if (!eb) return eb.error();
    read_lockless(**eb);
    const Key key = (*eb)->nritems() > 0 ? (*eb)->key(0) : Key{};
    free_extent_buffer(*eb);
    return key;
}

namespace {

/// One reference of a block: a tree that it is the root of, or a block above it.
Result<void> follow(FsInfo& fs, const CommittedExtent& extent, const RefKey& ref,
                    std::set<u64>& roots, std::vector<u64>& above) {
    if (ref.type == shared_block_ref_key) {
        if (ref.parent != extent.start.get()) above.push_back(ref.parent);  // not a relocation tree
        return {};
    }
    const auto root = get_fs_root(fs, ref.root);
    if (!root) return {};
    const auto key = first_key_of(fs, extent);
    if (!key) return key.error();
    const auto parent = committed_parent(**root, extent.level, *key);
    if (!parent) return parent.error();
    if (*parent != 0) {
        above.push_back(*parent);
    } else {
        roots.insert(ref.root);
    }
    return {};
}

}  // namespace

Result<std::set<u64>> roots_of_block(FsInfo& fs, u64 bytenr) {
    std::set<u64> roots, seen;
    std::vector<u64> above{bytenr};
    while (!above.empty()) {
        const u64 block = above.back();
        above.pop_back();
        if (!seen.insert(block).second) continue;
        const auto extent = committed_extent_at(fs, block);
        if (!extent) return extent.error();
        if (!*extent) continue;
        for (const CommittedExtent::Ref& ref : (*extent)->refs)
            if (const auto followed = follow(fs, **extent, ref.key, roots, above); !followed)
                return followed.error();
    }
    return roots;
}

}  // namespace model
