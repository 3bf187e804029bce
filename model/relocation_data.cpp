// Data in fs/btrfs/relocation.c, 6.1: the relocation inode, copying into it, and pointing file
// extents to the copies.
//
// Left out: readahead, verifying checksums of what is copied (they are copied with it), large
// folios, and inline or compressed extents.
#include "model/bio.h"
#include "model/disk_io.h"
#include "model/extent_tree.h"
#include "model/file.h"
#include "model/file_item.h"
#include "model/fs_info.h"
#include "model/relocation_internal.h"
#include "sim/trace.h"

namespace model {
namespace reloc {

Result<void> create_reloc_inode(RelocControl& rc) {
    const sim::Scope scope("create_reloc_inode");
    const auto root = get_fs_root(rc.fs, data_reloc_tree_objectid);
    if (!root) return root.error();
    const auto trans = start_transaction(**root, 6);
    if (!trans) return trans.error();
    const auto inode = create_nameless_inode(**trans, **root, inode_prealloc);
    if (!inode) abort_transaction(**trans, inode.error(), "create_reloc_inode");
    const auto ended = end_transaction(*trans);
    if (!inode) return inode.error();
    rc.data_inode = *inode;
    (*inode)->index_cnt = rc.bg->start.get();
    return ended;
}

namespace {

Result<void> dirty_pages(Inode& inode, u64 offset, const Vector<Sector>& sectors) {
    for (std::size_t i = 0; i < sectors.size();) {
        std::size_t end = i + 1;
        while (end < sectors.size() && sectors[end].word == sectors[i].word)
            ++end;
        const auto written = buffered_write(inode, offset + page_offset(i),
                                            offset + page_offset(end), sectors[i].word);
        if (!written) return written;
        i = end;
    }
    return {};
}

}  // namespace

Result<void> relocate_data_extent(RelocControl& rc, u64 start, u64 bytes) {
    const sim::Scope scope("relocate_data_extent");
    Inode& inode = *rc.data_inode;
    const u64 offset = start - rc.bg->start.get();
    const InodeGuard guard{inode};
    if (const auto allocated = prealloc_extent(inode, offset, offset + bytes); !allocated)
        return allocated;
    sim::note([&] { return "copies data extent " + std::to_string(start); });
    Vector<Sector> sectors(bytes / sectorsize);
    Bio& bio = make_bio(rc.fs, MapOp::Read, Bytenr(start), static_cast<u32>(sectors.size()));
    if (const auto read = submit_bio_wait(bio, &sectors); !read) return read;
    return dirty_pages(inode, offset, sectors);
}

namespace {

/// Mirrors get_new_location()
Result<u64> new_location(const RelocControl& rc, const FileExtentItem& item) {
    const u64 offset = item.disk_bytenr - rc.bg->start.get();
    const auto extent = lookup_file_extent(rc.data_inode->root, rc.data_inode->ino, offset);
    if (!extent) return extent.error();
    if (!*extent || (*extent)->file_offset != offset) return Errno::NoEnt;
    if ((*extent)->item.disk_num_bytes != item.disk_num_bytes) return Errno::Inval;
    return (*extent)->item.disk_bytenr;
}

bool points_into(const RelocControl& rc, const FileExtentItem& item) {
    return item.type != file_extent_inline && item.disk_bytenr != 0 &&
           in_group(rc, item.disk_bytenr);
}

Inode* cached_inode(FsInfo& fs, const Root& root, u64 ino) {
    const sim::SpinGuard guard{fs.dcache_lock};
    const u64 key = root.objectid << 32 | ino;
    fs.dcache_obj.insert(key);
    const auto cached = fs.inodes.find(key);
    return cached == fs.inodes.end() ? nullptr : cached->second;
}

/// Whether a reader of the file, or a writer that ends, has the range: a later pass will find the
/// item again.
bool is_busy(const Root& root, const Key& key, const FileExtentItem& item) {
    if (is_reloc_tree(root)) return false;
    Inode* const inode = cached_inode(root.fs, root, key.objectid);
    if (inode == nullptr) return false;
    const sim::SpinGuard guard{inode->io_tree_lock};
    return extent_is_locked(*inode, key.offset, key.offset + item.num_bytes);
}

/// References of one item move from the old place to the new one.
Result<void> move_refs(TransHandle& trans, const ExtentBuffer& leaf, const Key& key,
                       const FileExtentItem& item, u64 new_bytenr, u64 parent) {
    DataRef ref{.bytenr = Bytenr(new_bytenr),
                .num_bytes = item.disk_num_bytes,
                .parent = parent,
                .root = leaf.owner(),
                .objectid = key.objectid,
                .offset = key.offset - item.offset};
    if (const auto added = inc_data_ref(trans, ref); !added) return added;
    ref.bytenr = Bytenr(item.disk_bytenr);
    return free_data_extent(trans, ref);
}

}  // namespace

Result<void> replace_file_extents(TransHandle& trans, RelocControl& rc, Root& root,
                                  ExtentBuffer& leaf) {
    const sim::Scope scope("replace_file_extents");
    const u64 parent = is_reloc_tree(root) ? leaf.start.get() : 0;
    leaf.content.read();
    for (unsigned slot = 0; slot < leaf.nritems(); ++slot) {
        const Key key = leaf.key(slot);
        if (key.type != extent_data_key) continue;
        auto item = load<FileExtentItem>(leaf.item_data(slot));
        if (!points_into(rc, item) || is_busy(root, key, item)) continue;
        const auto place = new_location(rc, item);
        if (!place) return {};  // nothing was changed for this item: a later pass finds it
        if (const auto moved = move_refs(trans, leaf, key, item, *place, parent); !moved)
            return moved;
        sim::note([&] {
            return "points to data at " + std::to_string(*place) + " instead of " +
                   std::to_string(item.disk_bytenr);
        });
        item.disk_bytenr = *place;
        leaf.content.write();
        store(leaf.item_data(slot), item);
    }
    mark_buffer_dirty(leaf);
    return {};
}

void wait_for_readers(Root& root) {
    const sim::Scope scope("invalidate_extent_cache");
    FsInfo& fs = root.fs;
    std::vector<Inode*> inodes;
    {
        const sim::SpinGuard guard{fs.dcache_lock};
        root.inodes_obj.read();
        for (const auto& [key, inode] : fs.inodes)
            if (&inode->root == &root && !inode->is_dir) {
                fs.dcache_obj.insert(key);
                ++inode->refs;
                inodes.push_back(inode);
            }
    }
    for (Inode* const inode : inodes) {
        lock_extent(*inode, 0, ~u64{0});
        unlock_extent(*inode, 0, ~u64{0});
        iput(*inode);
    }
}

}  // namespace reloc

Result<void> reloc_clone_csums(TransHandle& trans, Inode& inode, u64 file_offset, u64 bytes,
                               Bytenr disk_bytenr) {
    const sim::Scope scope("btrfs_reloc_clone_csums");
    const Bytenr copied_from(inode.index_cnt + file_offset);
    const auto sums = lookup_csums(inode.fs, copied_from, bytes / sectorsize);
    if (!sums) return sums.error();
    trans.adding_csums = true;
    Result<void> added;
    for (std::size_t i = 0; i < sums->size() && added; ++i) {
        if (!(*sums)[i].has_value()) continue;
        std::vector<u32> run;
        const std::size_t first = i;
        for (; i < sums->size() && (*sums)[i].has_value(); ++i)
            run.push_back(*(*sums)[i]);
        added = csum_file_blocks(trans, disk_bytenr + page_offset(first), run);
    }
    trans.adding_csums = false;
    return added;
}

}  // namespace model
