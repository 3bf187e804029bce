// The state of a filesystem as one number, for comparing executions: what the trees say, what the
// devices hold, what is counted. No addresses, no order of independent steps, no access of shared
// state.
#include "model/disk_io.h"
#include "model/fs_info.h"
#include "model/reserve_ticket.h"

namespace model {
namespace {

/// A running hash.
class Digest {
  public:
    Digest& add(u64 value) {
        hash_ = sim::hash_mix(hash_, value);
        return *this;
    }
    template <class... Values> Digest& all(Values... values) {
        (add(static_cast<u64>(values)), ...);
        return *this;
    }
    Digest& bytes(const unsigned char* data, std::size_t count) {
        return all(count, crc32c(data, count));
    }
    u64 value() const { return hash_; }

  private:
    u64 hash_ = 0;
};

// ---- trees --------------------------------------------------------------------------------------

class TreeDigest {
  public:
    TreeDigest(const FsInfo& fs, Digest& digest) : fs_(fs), digest_(digest) {}
    void block(Bytenr bytenr, unsigned depth);
    void root(const ExtentBuffer* node) {
        if (node != nullptr) block(node->start, max_level);
    }

  private:
    void leaf(const unsigned char* block, u32 nritems);
    void node(const unsigned char* block, u32 nritems, unsigned depth);
    u64 room() const { return fs_.nodesize - sizeof(HeaderItem); }

    const FsInfo& fs_;
    Digest& digest_;
};

/// @param depth  levels that may still follow: damaged trees end
void TreeDigest::block(Bytenr bytenr, unsigned depth) {
    digest_.add(bytenr.get());
    const auto block = peek_tree_block(fs_, bytenr);
    if (block.empty() || depth == 0) return;
    const auto header = load<HeaderItem>(block.data());
    digest_.all(header.bytenr, header.flags, header.generation, header.owner, header.nritems,
                header.level);
    if (header.level == 0) {
        leaf(block.data(), header.nritems);
    } else {
        node(block.data(), header.nritems, depth);
    }
}

void TreeDigest::leaf(const unsigned char* block, u32 nritems) {
    if (nritems == 0 || nritems > room() / sizeof(LeafItem)) return;
    const unsigned char* const items = block + sizeof(HeaderItem);
    const auto last = load<LeafItem>(items + (nritems - 1) * sizeof(LeafItem));
    digest_.bytes(items, nritems * sizeof(LeafItem));
    if (last.offset <= room()) digest_.bytes(items + last.offset, room() - last.offset);
}

void TreeDigest::node(const unsigned char* block, u32 nritems, unsigned depth) {
    if (nritems > room() / sizeof(KeyPtr)) return;
    const unsigned char* const ptrs = block + sizeof(HeaderItem);
    digest_.bytes(ptrs, nritems * sizeof(KeyPtr));
    for (u32 slot = 0; slot < nritems; ++slot)
        this->block(Bytenr(load<KeyPtr>(ptrs + slot * sizeof(KeyPtr)).blockptr), depth - 1);
}

void digest_root(const FsInfo& fs, const Root* root, Digest& digest) {
    if (root == nullptr) return;
    digest.all(root->objectid, root->state.peek(), root->last_trans.peek(), root->highest_objectid);
    TreeDigest trees(fs, digest);
    trees.root(root->node);
    if (root->commit_root != root->node) trees.root(root->commit_root);
}

void digest_trees(const FsInfo& fs, Digest& digest) {
    for (const Root* const root :
         {fs.tree_root, fs.chunk_root, fs.extent_root, fs.dev_root, fs.csum_root})
        digest_root(fs, root, digest);
    for (const auto& [objectid, root] : fs.fs_roots)
        digest_root(fs, root, digest);
    digest.add(fs.next_subvolid);
}

// ---- space --------------------------------------------------------------------------------------

void digest_rsv(const BlockRsv& rsv, Digest& digest) {
    digest.all(rsv.size, rsv.reserved, rsv.full);
}

void digest_space(const FsInfo& fs, Digest& digest) {
    for (const SpaceInfo* const info : fs.space_infos)
        digest.all(info->flags, info->total_bytes, info->bytes_used, info->bytes_reserved,
                   info->bytes_pinned, info->bytes_readonly, info->bytes_may_use, info->full);
    for (const SpaceInfo* const info : fs.space_infos)
        if (has_tickets(*info) || info->flush)
            digest.all(info->flags, info->reclaim_size, info->flush);
    for (const auto& [start, bg] : fs.block_groups) {
        digest.all(start, bg->length, bg->flags, bg->used, bg->reserved, bg->pinned,
                   bg->bytes_super, bg->ro, bg->reservations.peek(), bg->nocow_writers.peek(),
                   bg->frozen, bg->runtime_flags.peek());
        for (const auto& [from, length] : bg->free_space)
            digest.all(from, length);
        if (const ZonedGroup* const zoned = bg->zoned)
            digest.all(zoned->alloc_offset, zoned->zone_unusable, zoned->meta_write_pointer,
                       zoned->is_active);
    }
    for (const BlockRsv* const rsv :
         {&fs.global_block_rsv, &fs.trans_block_rsv, &fs.chunk_block_rsv, &fs.delayed_refs_rsv,
          &fs.empty_block_rsv})
        digest_rsv(*rsv, digest);
}

// ---- transactions -------------------------------------------------------------------------------

void digest_delayed_refs(const DelayedRefRoot& refs, Digest& digest) {
    for (const auto& [bytenr, head] : refs.heads) {
        digest.all(bytenr, head->num_bytes, head->ref_mod, head->total_ref_mod,
                   head->must_insert_reserved, head->has_extent_op, head->extent_op_flags);
        for (const DelayedRefNode& node : head->nodes)
            digest.all(node.key.type, node.key.root, node.key.parent, node.key.objectid,
                       node.key.offset, node.action, node.ref_mod, node.level);
    }
}

void digest_transaction(const Transaction& transaction, Digest& digest) {
    digest.all(transaction.transid.get(), transaction.state, transaction.num_writers.peek(),
               transaction.num_extwriters.peek(), transaction.aborted.peek());
    digest_delayed_refs(transaction.delayed_refs, digest);
    for (const u64 bytenr : transaction.dirty_pages)
        digest.add(bytenr);
    for (const auto& [start, length] : transaction.pinned_extents)
        digest.all(start, length);
}

// ---- devices ------------------------------------------------------------------------------------

void digest_device(const Device& device, Digest& digest) {
    digest.all(device.index, device.devid, device.total_bytes, device.bytes_used,
               device.dev_state.peek(), device.in_fs_devices, device.on_alloc_list);
    for (const auto& [start, length] : device.alloc_state)
        digest.all(start, length);
    for (const auto& [physical, sector] : device.disk.durable)
        digest.all(physical, sector_hash(sector));
    constexpr u64 cached_from_here = ~u64{0};
    digest.add(cached_from_here);
    for (const auto& [physical, sector] : device.disk.cached)
        digest.all(physical, sector_hash(sector));
    if (device.offline) digest.all(device.offline);
    if (device.drive == nullptr) return;
    for (const auto& [start, zone] : device.drive->zones)
        digest.all(zone.write_pointer, zone.cond);
}

void digest_devices(const FsInfo& fs, Digest& digest) {
    for (const Device* const device : fs.fs_devices.all_devices)
        digest_device(*device, digest);
    for (const auto& [logical, map] : fs.mapping_tree) {
        digest.all(logical, map->length, map->type);
        for (const Stripe& stripe : map->stripes)
            digest.all(stripe.dev->index, stripe.physical);
    }
    const DevReplace& replace = fs.dev_replace;
    digest.all(replace.replace_state, replace.is_valid, replace.cursor_left, replace.cursor_right,
               replace.bio_counter.peek());
}

// ---- files --------------------------------------------------------------------------------------

void digest_inode(const Inode& inode, Digest& digest) {
    digest.all(inode.i_size, inode.disk_i_size, inode.nbytes, inode.flags, inode.nlink, inode.refs);
    for (const auto& [index, page] : inode.pages)
        digest.all(index, page->word, page->uptodate);
    for (const u64 index : inode.dirty_pages)
        digest.add(index);
    for (const u64 index : inode.writeback_pages)
        digest.add(index);
    for (const auto& [offset, ordered] : inode.ordered_tree)
        digest.all(offset, ordered->num_bytes, ordered->disk_bytenr.get(), ordered->flags.peek());
}

}  // namespace

u64 state_digest(const FsInfo& fs) {
    Digest digest;
    digest.all(fs.generation.get(), fs.last_trans_committed.peek(), fs.fs_state.peek(),
               fs.readonly);
    digest_trees(fs, digest);
    digest_space(fs, digest);
    for (const Transaction* const transaction : fs.trans_list)
        digest_transaction(*transaction, digest);
    digest_devices(fs, digest);
    for (const auto& [key, inode] : fs.inodes) {
        digest.add(key);
        digest_inode(*inode, digest);
    }
    return digest.value();
}

}  // namespace model
