#include "model/file_item.h"

#include <algorithm>
#include <array>

#include "model/extent_tree.h"
#include "model/fs_info.h"
#include "sim/trace.h"

// fs/btrfs/file-item.c; btrfs_drop_extents() and btrfs_mark_extent_written() of fs/btrfs/file.c,
// v6.1.

namespace model {
namespace {

bool at_end_of_leaf(const Path& path) {
    return path.slots[0] >= path.nodes[0]->nritems();
}

// ---- file extent items
// ------------------------------------------------------------------------------------------------------

std::optional<FileExtent> file_extent_at(const Path& path, u64 ino) {
    if (at_end_of_leaf(path)) return std::nullopt;
    const Key key = path.key();
    if (key.objectid != ino || key.type != extent_data_key) return std::nullopt;
    return FileExtent{key.offset, read_item<FileExtentItem>(path)};
}

/// After a search that did not find its key: one back, if the item before reaches beyond `offset`.
std::optional<FileExtent> step_back_to_overlap(Path& path, u64 ino, u64 offset) {
    if (path.slots[0] > 0) {
        --path.slots[0];
        const auto before = file_extent_at(path, ino);
        if (before && before->end() > offset) return before;
        ++path.slots[0];
    }
    return file_extent_at(path, ino);
}

/// Finds the first extent item that ends after `offset`, or says that it lies in the next leaf, if
/// anywhere.
struct LeafSearch {
    std::optional<FileExtent> extent;
    bool ended = false;  // at the end of the leaf
};
Result<LeafSearch> search_leaf(TransHandle* trans, Root& root, const Key& key, Path& path) {
    const auto found =
        search_slot(trans, root, key, path, trans != nullptr ? -1 : 0, trans != nullptr);
    if (!found) return found.error();
    const auto here = *found ? file_extent_at(path, key.objectid)
                             : step_back_to_overlap(path, key.objectid, key.offset);
    return LeafSearch{here, !here && at_end_of_leaf(path)};
}

/// Leaves a path that may change the first extent item which ends after `offset`, or nothing.
Result<std::optional<FileExtent>> find_extent_for_change(TransHandle& trans, Root& root, u64 ino,
                                                         u64 offset, Path& path) {
    Key key{ino, extent_data_key, offset};
    for (;;) {
        const auto here = search_leaf(&trans, root, key, path);
        if (!here) return here.error();
        if (!here->ended) return here->extent;
        const auto more = next_leaf(
            root, path);  // to look only: what is found there is searched for again, to change it
        if (!more) return more.error();
        if (!*more) return std::optional<FileExtent>{};
        // The leaf was let go meanwhile: an item that came into it since may stand before what is
        // looked for.
        const Key next = path.key();
        if (next > key && (next.objectid != ino || next.type != extent_data_key))
            return std::optional<FileExtent>{};
        if (next > key) key = next;
        path.release();
    }
}

DataRef data_ref(const Root& root, u64 ino, const FileExtent& extent) {
    return {.bytenr = Bytenr(extent.item.disk_bytenr),
            .num_bytes = extent.item.disk_num_bytes,
            .root = root.objectid,
            .objectid = ino,
            .offset = extent.orig_offset()};
}

Result<void> free_reference(TransHandle& trans, const Root& root, u64 ino,
                            const FileExtent& extent) {
    if (extent.item.disk_bytenr == 0) return {};
    return free_data_extent(trans, data_ref(root, ino, extent));
}

u64 allocated_bytes(const FileExtent& extent) {
    return extent.item.disk_bytenr == 0 ? 0 : extent.item.num_bytes;
}

/// The part of an extent item from `start` on.
FileExtent tail_from(const FileExtent& extent, u64 start) {
    FileExtent tail = extent;
    tail.item.offset += start - extent.file_offset;
    tail.item.num_bytes = extent.end() - start;
    tail.file_offset = start;
    return tail;
}

/// One item becomes two that meet at `split`, the path stays at the second; the disk extent has one
/// reference more.
/// @return Again when the item changed while its leaf was split: nothing was done
Result<void> split_extent(TransHandle& trans, Root& root, u64 ino, Path& path,
                          const FileExtent& extent, u64 split) {
    const auto duplicated = duplicate_item(trans, root, path, {ino, extent_data_key, split});
    if (!duplicated) return duplicated;
    if (path.key().offset != split) ++path.slots[0];
    const FileExtent tail = tail_from(extent, split);
    write_item(path, tail.item);
    FileExtent head = extent;
    head.item.num_bytes = split - extent.file_offset;
    --path.slots[0];
    write_item(path, head.item);
    ++path.slots[0];
    if (extent.item.disk_bytenr == 0) return {};
    return inc_data_ref(trans, data_ref(root, ino, tail));
}

/// How many items from the path's on lie inside [start, end); adds up their space and queues the
/// drops of their references.
Result<unsigned> free_covered_items(TransHandle& trans, Root& root, u64 ino, Path& path, u64 end,
                                    u64& dropped) {
    const unsigned first = path.slots[0];
    for (; !at_end_of_leaf(path); ++path.slots[0]) {
        const auto extent = file_extent_at(path, ino);
        if (!extent || extent->end() > end) break;
        const auto freed = free_reference(trans, root, ino, *extent);
        if (!freed) return freed.error();
        dropped += allocated_bytes(*extent);
    }
    const unsigned count = path.slots[0] - first;
    path.slots[0] = first;
    return count;
}

/// The extent reaches beyond the range at one side or both: it keeps what lies outside.
Result<void> trim_extent(TransHandle& trans, Root& root, u64 ino, Path& path, FileExtent extent,
                         u64 start, u64 end, u64& dropped) {
    if (extent.file_offset < start && extent.end() > end) {
        const auto split = split_extent(trans, root, ino, path, extent, start);
        if (!split) return split;
        extent = tail_from(extent, start);
    }
    const bool allocated = extent.item.disk_bytenr != 0;
    if (extent.file_offset < start) {
        if (allocated) dropped += extent.end() - start;
        extent.item.num_bytes = start - extent.file_offset;
        write_item(path, extent.item);
        return {};
    }
    if (allocated) dropped += end - extent.file_offset;
    set_item_key_safe(path, {ino, extent_data_key, end});
    write_item(path, tail_from(extent, end).item);
    return {};
}

/// Whether `other` is the neighbouring part of the same disk extent, written like it. Mirrors
/// extent_mergeable().
bool is_mergeable(const FileExtent& extent, const std::optional<FileExtent>& other) {
    return other && other->item.type == file_extent_reg &&
           other->item.disk_bytenr == extent.item.disk_bytenr &&
           other->orig_offset() == extent.orig_offset() &&
           (other->end() == extent.file_offset || extent.end() == other->file_offset);
}

std::optional<FileExtent> neighbour(Path& path, u64 ino, int distance) {
    if (distance < 0 && path.slots[0] == 0) return std::nullopt;
    path.slots[0] += static_cast<unsigned>(distance);
    const auto extent = file_extent_at(path, ino);
    path.slots[0] -= static_cast<unsigned>(distance);
    return extent;
}

/// Writes the item at the path as REG, together with mergeable neighbours in its leaf.
Result<void> write_merged(TransHandle& trans, Root& root, u64 ino, Path& path, FileExtent extent) {
    extent.item.type = file_extent_reg;
    extent.item.generation = trans.transid.get();
    unsigned merged = 0;
    if (const auto right = neighbour(path, ino, 1); is_mergeable(extent, right)) {
        extent.item.num_bytes += right->item.num_bytes;
        ++merged;
        if (const auto freed = free_reference(trans, root, ino, *right); !freed) return freed;
    }
    if (const auto left = neighbour(path, ino, -1); is_mergeable(extent, left)) {
        const u64 end = extent.end();
        extent = *left;
        extent.item.generation = trans.transid.get();
        extent.item.num_bytes = end - left->file_offset;
        --path.slots[0];
        ++merged;
        if (const auto freed = free_reference(trans, root, ino, *left); !freed) return freed;
    }
    write_item(path, extent.item);
    if (merged == 0) return {};
    return del_items(trans, root, path, path.slots[0] + 1, merged);
}

/// The path's item no longer reaches outside [start, end). Afterwards the path stands at the item
/// that begins at `start`.
Result<FileExtent> isolate_extent(TransHandle& trans, Root& root, u64 ino, Path& path,
                                  FileExtent extent, u64 start, u64 end) {
    if (extent.file_offset < start) {
        const auto split = split_extent(trans, root, ino, path, extent, start);
        if (!split) return split.error();
        extent = tail_from(extent, start);
    }
    if (extent.end() > end) {
        const auto split = split_extent(trans, root, ino, path, extent, end);
        if (!split) return split.error();
        extent.item.num_bytes = end - start;
        --path.slots[0];
    }
    return extent;
}

}  // namespace

Result<std::optional<FileExtent>> lookup_file_extent(Root& root, u64 ino, u64 offset) {
    const Key key{ino, extent_data_key, offset};
    for (;;) {
        Path path;
        const auto here = search_leaf(nullptr, root, key, path);
        if (!here) return here.error();
        if (!here->ended) return here->extent;
        const auto more = next_leaf(root, path);
        if (!more) return more.error();
        if (!*more) return std::optional<FileExtent>{};
        if (path.key() > key) return file_extent_at(path, ino);
    }
}

Result<u64> drop_extents(TransHandle& trans, Root& root, u64 ino, u64 start, u64 end) {
    const sim::Scope scope("btrfs_drop_extents");
    u64 dropped = 0;
    for (;;) {
        Path path;
        const auto found = find_extent_for_change(trans, root, ino, start, path);
        if (!found) return found.error();
        if (!*found || (*found)->file_offset >= end) return dropped;
        const FileExtent extent = **found;
        if (extent.file_offset < start || extent.end() > end) {
            const auto trimmed = trim_extent(trans, root, ino, path, extent, start, end, dropped);
            if (!trimmed && trimmed.error() != Errno::Again) return trimmed.error();
            continue;
        }
        const auto count = free_covered_items(trans, root, ino, path, end, dropped);
        if (!count) return count.error();
        const auto deleted = del_items(trans, root, path, path.slots[0], *count);
        if (!deleted) return deleted.error();
    }
}

namespace {

Result<void> insert_file_extent(TransHandle& trans, const Inode& inode, const FileExtent& extent) {
    std::array<unsigned char, sizeof extent.item> bytes{};
    store(bytes.data(), extent.item);
    return insert_item(trans, inode.root, {inode.ino, extent_data_key, extent.file_offset}, bytes);
}

}  // namespace

void add_nbytes(Inode& inode, u64 bytes) {
    const sim::SpinGuard guard{inode.spin};
    inode.obj.write();
    inode.nbytes += bytes;
}

Result<void> insert_cloned_extent(TransHandle& trans, Inode& inode, const FileExtent& extent) {
    const auto inserted = insert_file_extent(trans, inode, extent);
    if (!inserted) return inserted;
    add_nbytes(inode, allocated_bytes(extent));
    if (extent.item.disk_bytenr == 0) return {};
    return inc_data_ref(trans, data_ref(inode.root, inode.ino, extent));
}

Result<void> insert_reserved_file_extent(TransHandle& trans, Inode& inode, u64 file_offset,
                                         u64 num_bytes, Bytenr disk_bytenr, u8 type) {
    const sim::Scope scope("insert_reserved_file_extent");
    const auto dropped =
        drop_extents(trans, inode.root, inode.ino, file_offset, file_offset + num_bytes);
    if (!dropped) return dropped.error();
    const FileExtentItem item{.generation = trans.transid.get(),
                              .ram_bytes = num_bytes,
                              .compression = 0,
                              .encryption = 0,
                              .other_encoding = 0,
                              .type = type,
                              .disk_bytenr = disk_bytenr.get(),
                              .disk_num_bytes = num_bytes,
                              .offset = 0,
                              .num_bytes = num_bytes};
    const auto inserted = insert_file_extent(trans, inode, {file_offset, item});
    if (!inserted) return inserted;
    add_nbytes(inode, num_bytes - *dropped);
    return alloc_reserved_file_extent(trans, inode.root.objectid, inode.ino, file_offset,
                                      {disk_bytenr, num_bytes});
}

namespace {

/// @return Again when the item changed while its leaf was split
Result<void> try_mark_extent_written(TransHandle& trans, Root& root, u64 ino, u64 start, u64 end) {
    Path path;
    const auto found = find_extent_for_change(trans, root, ino, start, path);
    if (!found) return found.error();
    const bool covers = *found && (*found)->item.type == file_extent_prealloc &&
                        (*found)->file_offset <= start && (*found)->end() >= end;
    if (!covers) {
        abort_transaction(trans, Errno::Inval, "btrfs_mark_extent_written");
        return Errno::Inval;
    }
    const auto part = isolate_extent(trans, root, ino, path, **found, start, end);
    if (!part) return part.error();
    return write_merged(trans, root, ino, path, *part);
}

}  // namespace

Result<void> mark_extent_written(TransHandle& trans, Inode& inode, u64 start, u64 end) {
    const sim::Scope scope("btrfs_mark_extent_written");
    for (;;) {
        const auto written = try_mark_extent_written(trans, inode.root, inode.ino, start, end);
        if (written || written.error() != Errno::Again) return written;
    }
}

// ---- checksum items
// -----------------------------------------------------------------------------------------------------------

namespace {

constexpr u64 sum_size = sizeof(u32);

Key csum_key(u64 logical) {
    return {extent_csum_objectid, extent_csum_key, logical};
}
bool is_csum(const Path& path) {
    if (at_end_of_leaf(path)) return false;
    const Key key = path.key();
    return key.objectid == extent_csum_objectid && key.type == extent_csum_key;
}
u64 covered_end(const Path& path) {
    return path.key().offset + path.nodes[0]->item_size(path.slots[0]) / sum_size * sectorsize;
}

/// MAX_CSUM_ITEMS: what one item may hold, so that two fit into a leaf.
u64 max_sums(const FsInfo& fs) {
    return (fs.nodesize - sizeof(HeaderItem) - 2 * sizeof(LeafItem)) / sum_size - 1;
}

void write_sums(Path& path, u64 first, std::span<const u32> sums) {
    ExtentBuffer& leaf = *path.nodes[0];
    leaf.content.write();
    std::memcpy(leaf.item_data(path.slots[0]) + first * sum_size, sums.data(), sums.size_bytes());
    mark_buffer_dirty(leaf);
}

std::vector<u32> read_sums(const Path& path, u64 first) {
    path.nodes[0]->content.read();
    std::vector<u32> sums(path.nodes[0]->item_size(path.slots[0]) / sum_size - first);
    std::memcpy(sums.data(), path.nodes[0]->item_data(path.slots[0]) + first * sum_size,
                sums.size() * sum_size);
    return sums;
}

/// Inserts or overwrites a first part of the sums, as much as one item takes. @return how many
Result<u64> insert_some_sums(TransHandle& trans, Root& root, u64 logical,
                             std::span<const u32> sums) {
    const u64 limit = max_sums(trans.fs);
    sums = sums.first(std::min<u64>(sums.size(), limit));
    Path path;
    const auto room = static_cast<int>(sums.size_bytes() + sizeof(LeafItem));
    const auto found = search_slot(&trans, root, csum_key(logical), path, room, true);
    if (!found) return found.error();
    if (!*found && is_csum(path))
        sums = sums.first(std::min<u64>(sums.size(), (path.key().offset - logical) / sectorsize));
    if (!*found && path.slots[0] > 0) --path.slots[0];
    const bool reaches =
        is_csum(path) && path.key().offset <= logical && covered_end(path) >= logical;
    const u64 first = reaches ? (logical - path.key().offset) / sectorsize : 0;
    if (reaches && covered_end(path) > logical) {
        sums = sums.first(std::min<u64>(sums.size(), (covered_end(path) - logical) / sectorsize));
        write_sums(path, first, sums);
        return sums.size();
    }
    if (reaches && first < limit) {
        sums = sums.first(std::min<u64>(sums.size(), limit - first));
        extend_item(path, static_cast<u32>(sums.size_bytes()));
        write_sums(path, first, sums);
        return sums.size();
    }
    if (!at_end_of_leaf(path) && path.key() < csum_key(logical)) ++path.slots[0];
    setup_item_for_insert(root, path, csum_key(logical), static_cast<u32>(sums.size_bytes()));
    write_sums(path, 0, sums);
    return sums.size();
}

/// Cuts an item in two, without letting go of the leaf: a task that looks for the second part finds
/// it at any time. Mirrors btrfs_split_item() as btrfs_del_csums() uses it.
/// @return Again when the item changed while its leaf was split
Result<void> split_csum_item(TransHandle& trans, Root& root, Path& path, u64 at) {
    const u32 size = path.nodes[0]->item_size(path.slots[0]);
    const auto before = static_cast<u32>((at - path.key().offset) / sectorsize * sum_size);
    const auto duplicated = duplicate_item(trans, root, path, csum_key(at));
    if (!duplicated) return duplicated;
    truncate_item(path, size - before, false);
    set_item_key_safe(path, csum_key(at));  // the truncation moved it by what it cut off
    --path.slots[0];
    truncate_item(path, before, true);
    return {};
}

/// The item reaches beyond [start, end) at one side. Mirrors truncate_one_csum().
void truncate_one_csum(Path& path, u64 start, u64 end) {
    const u64 first = path.key().offset;
    if (first < start)
        return truncate_item(path, static_cast<u32>((start - first) / sectorsize * sum_size), true);
    truncate_item(path, static_cast<u32>((covered_end(path) - end) / sectorsize * sum_size), false);
    set_item_key_safe(path, csum_key(end));
}

/// The path stands at the last item; how many from there backwards lie inside [start, end), all in
/// one leaf.
unsigned covered_items(Path& path, u64 start) {
    unsigned count = 1;
    while (path.slots[0] > 0) {
        --path.slots[0];
        if (!is_csum(path) || path.key().offset < start) {
            ++path.slots[0];
            break;
        }
        ++count;
    }
    return count;
}

}  // namespace

Result<void> csum_file_blocks(TransHandle& trans, Bytenr logical, std::span<const u32> sums) {
    const sim::Scope scope("btrfs_csum_file_blocks");
    u64 at = logical.get();
    while (!sums.empty()) {
        const auto count = insert_some_sums(trans, *trans.fs.csum_root, at, sums);
        if (!count) return count.error();
        at += *count * sectorsize;
        sums = sums.subspan(*count);
    }
    return {};
}

Result<void> del_csums(TransHandle& trans, Bytenr bytenr, u64 len) {
    const sim::Scope scope("btrfs_del_csums");
    Root& root = *trans.fs.csum_root;
    const u64 start = bytenr.get();
    const u64 end = start + len;
    for (;;) {
        Path path;
        const auto found = search_slot(&trans, root, csum_key(end - 1), path, -1, true);
        if (!found) return found.error();
        if (!*found) {
            if (path.slots[0] == 0) return {};
            --path.slots[0];
        }
        if (!is_csum(path) || covered_end(path) <= start) return {};
        const u64 first = path.key().offset;
        if (first < start && covered_end(path) > end) {
            const auto split = split_csum_item(trans, root, path, start);
            if (!split && split.error() != Errno::Again) return split;
            continue;
        }
        if (first < start || covered_end(path) > end) {
            truncate_one_csum(path, start, end);
            if (first <= start) return {};
            continue;
        }
        const unsigned count = covered_items(path, start);
        const bool done = path.key().offset == start;
        const auto deleted = del_items(trans, root, path, path.slots[0], count);
        if (!deleted || done) return deleted;
    }
}

Result<std::vector<std::optional<u32>>> lookup_csums(FsInfo& fs, Bytenr logical, u64 sectors,
                                                     bool commit_root) {
    std::vector<std::optional<u32>> sums(sectors);
    const u64 start = logical.get();
    const u64 end = start + sectors * sectorsize;
    Path path;
    path.search_commit_root = path.skip_locking = commit_root;
    const auto found = search_slot(nullptr, *fs.csum_root, csum_key(start), path, 0, false);
    if (!found) return found.error();
    if (!*found && path.slots[0] > 0) {
        --path.slots[0];
        if (!is_csum(path) || covered_end(path) <= start) ++path.slots[0];
    }
    for (;;) {
        if (at_end_of_leaf(path)) {
            const auto more = next_leaf(*fs.csum_root, path);
            if (!more) return more.error();
            if (!*more) return sums;
        }
        if (!is_csum(path) || path.key().offset >= end) return sums;
        const u64 first = path.key().offset;
        const auto here = read_sums(path, 0);
        for (u64 at = std::max(first, start); at < std::min(covered_end(path), end);
             at += sectorsize)
            sums[(at - start) / sectorsize] = here[(at - first) / sectorsize];
        ++path.slots[0];
    }
}

u32 csum_data_word(u64 word) {
    std::array<u64, sectorsize / sizeof(u64)> sector;
    sector.fill(word);
    return crc32c(sector.data(), sectorsize);
}

}  // namespace model
