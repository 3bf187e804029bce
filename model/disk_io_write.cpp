// fs/btrfs/extent_io.c and disk-io.c: writing tree blocks (reference 4.5 and 4.7), as kernels
// before 6.4 gather neighbouring blocks into one bio.
//
// On zoned devices a pass holds zoned_meta_io_lock, and each block is a bio of its own, as on all
// devices since 6.4. Left out: log trees, pages and their tags (a block is one page), dirty
// accounting.
#include "model/bio.h"
#include "model/disk_io.h"
#include "model/fs_info.h"
#include "model/tree_checker.h"

namespace model {
namespace {

// ---- the end of a write -------------------------------------------------------------------------

/// The blocks of one bio in flight. Under writeback they stay in the cache, so no reference is
/// held.
struct BlocksInFlight {
    Vector<ExtentBuffer*> blocks;
};

/// Mirrors set_btree_ioerr(): the commit that waits for the block must fail.
void set_btree_ioerr(ExtentBuffer& eb) {
    if (eb.bflags.test_and_set(eb_flag::write_err)) return;
    eb.bflags.clear_bit(eb_flag::uptodate);
    eb.fs.flags.set_bit(fs_flag::btree_err);
}

void end_blocks_write(Bio& bio) {
    auto* const flight = static_cast<BlocksInFlight*>(bio.context);
    for (ExtentBuffer* const eb : flight->blocks) {
        if (bio.error != 0) set_btree_ioerr(*eb);
        eb->writeback.clear_and_wake_up();  // end_extent_buffer_writeback()
    }
    sim::destroy(flight);
}

// ---- one bio ------------------------------------------------------------------------------------

/// Mirrors csum_one_extent_buffer(): what a block must be when it is handed to a device.
Result<void> check_before_write(ExtentBuffer& eb) {
    FsInfo& fs = eb.fs;
    if (eb.header().bytenr != eb.start.get()) return Errno::UClean;
    if (std::memcmp(eb.header().fsid, fs.fsid, sizeof(fs.fsid)) != 0) return Errno::UClean;
    const u64 generation = eb.generation().get();
    // Looked at in passing first: only a block that is too old makes the comparison count.
    const bool too_old = generation <= fs.last_trans_committed.peek();
    if (!too_old && is_tree_block(fs, eb.data)) return {};
    if (!fs.kernel.at_least(5, 2)) return {};  // 8d47a0d8f783: the check before every write
    bool good = check_tree_block(fs, eb.data).ok();
    if (good && too_old && generation <= fs.last_trans_committed.load()) {
        fs.message("critical", "block=" + number(eb.start.get()) + " bad generation, have " +
                                   number(generation) + " expect > " +
                                   number(fs.last_trans_committed.peek()));
        good = false;
    }
    if (good) return {};
    fs.message("error",
               "block=" + number(eb.start.get()) + " write time tree block corruption detected");
    return Errno::UClean;
}

/// The sectors of one block.
void put_sectors(const SectorBytes& first, u32 count, Sector* sectors) {
    for (u32 i = 0; i < count; ++i)
        sectors[i].bytes = first.next(i);
}

/// The block as it is now, with its checksum.
void copy_to_sectors(const ExtentBuffer& eb, Sector* sectors) {
    const u32 nodesize = eb.fs.nodesize;
    eb.content.read();
    const auto first = SectorBytes::make(nodesize / sectorsize, [&](unsigned char* bytes) {
        std::memcpy(bytes, eb.data, nodesize);
        if (is_mutated(eb.fs, Mutation::StalePointer) && eb.level() > 0)
            --reinterpret_cast<KeyPtr*>(bytes + sizeof(HeaderItem))->generation;
        seal_block(bytes, nodesize);
    });
    put_sectors(first, nodesize / sectorsize, sectors);
}

/// Gathers neighbouring blocks for one bio. Mirrors struct btrfs_bio_ctrl.
class BioCtrl {
  public:
    explicit BioCtrl(FsInfo& fs) : fs_(fs) {}
    BioCtrl(const BioCtrl&) = delete;
    BioCtrl& operator=(const BioCtrl&) = delete;

    void add(ExtentBuffer& eb) {
        if (!blocks_.empty() && !continues(eb)) submit();
        blocks_.push_back(&eb);
    }
    /// Sends what has been gathered. Mirrors submit_write_bio().
    void submit();

  private:
    static constexpr std::size_t max_blocks = 32;
    bool continues(const ExtentBuffer& eb) const {
        const Bytenr end = blocks_.back()->start + fs_.nodesize;
        return eb.start == end && blocks_.size() < max_blocks &&
               !fs_.mapping_tree.contains(end.get());
    }
    Bio& make_bio_of_blocks() const;
    Result<void> check_blocks() const;

    FsInfo& fs_;
    Vector<ExtentBuffer*> blocks_;
};

Bio& BioCtrl::make_bio_of_blocks() const {
    const u32 sectors_each = fs_.nodesize / sectorsize;
    const u32 sectors = static_cast<u32>(blocks_.size()) * sectors_each;
    Bio& bio = make_bio(fs_, MapOp::Write, blocks_.front()->start, sectors);
    bio.metadata = true;
    for (std::size_t i = 0; i < blocks_.size(); ++i)
        copy_to_sectors(*blocks_[i], bio.sectors.data() + i * sectors_each);
    return bio;
}

Result<void> BioCtrl::check_blocks() const {
    for (ExtentBuffer* const eb : blocks_)
        if (const auto good = check_before_write(*eb); !good) return good.error();
    return {};
}

/// On a zone: zeroes what nobody needs, or checks and seals the block. Mirrors
/// btree_csum_one_bio().
void submit_on_zone(ExtentBuffer& eb) {
    const sim::Scope scope("write_one_eb");
    FsInfo& fs = eb.fs;
    const bool zeroed = zero_out_if_flagged(eb);
    const auto good = zeroed ? Result<void>{} : check_before_write(eb);
    const u32 sectors = fs.nodesize / sectorsize;
    Bio& bio = make_bio(fs, MapOp::Write, eb.start, sectors);
    bio.metadata = true;
    if (zeroed) {
        put_sectors(SectorBytes::copy_of(eb.data, sectors), sectors, bio.sectors.data());
    } else {
        copy_to_sectors(eb, bio.sectors.data());
    }
    auto* const flight = sim::make<BlocksInFlight>();
    flight->blocks.push_back(&eb);
    bio.context = flight;
    bio.end_io = end_blocks_write;
    if (!good) return fail_bio(bio, good.error());
    submit_bio(bio);
}

void BioCtrl::submit() {
    if (blocks_.empty()) return;
    sim::Scope scope("write_one_eb");
    const auto good = check_blocks();
    Bio& bio = make_bio_of_blocks();
    auto* const flight = sim::make<BlocksInFlight>();
    flight->blocks.swap(blocks_);
    bio.context = flight;
    bio.end_io = end_blocks_write;
    if (!good) return fail_bio(bio, good.error());
    submit_bio(bio);
}

// ---- one block ----------------------------------------------------------------------------------

/// DIRTY to WRITEBACK, as the kernel does under refs_lock: nobody sees neither or both. The block
/// is locked, so nobody else changes DIRTY.
/// @return whether the block was dirty
bool start_writeback(ExtentBuffer& eb) {
    if (!eb.has_flag(eb_flag::dirty)) return false;
    sim::Spinlock refs_lock(lock_classes::refs_lock, eb.start.get());
    const sim::SpinGuard guard(refs_lock);
    eb.bflags.clear_bit(eb_flag::dirty);
    eb.writeback.set();
    return true;
}

/// Locks the block without sleeping on bios that nobody has sent yet.
void lock_flushing(ExtentBuffer& eb, BioCtrl& bio_ctrl) {
    if (eb.lock.try_down_write(lock_classes::NestNormal)) return;
    bio_ctrl.submit();
    tree_lock(eb);
}

/// Mirrors lock_extent_buffer_for_io(). @return whether the block is to be written: it is under
/// writeback then, and not locked
bool lock_extent_buffer_for_io(ExtentBuffer& eb, bool sync, BioCtrl& bio_ctrl) {
    lock_flushing(eb, bio_ctrl);
    while (eb.writeback.test()) {
        tree_unlock(eb);
        if (!sync) return false;
        bio_ctrl.submit();
        wait_on_extent_buffer_writeback(eb);
        tree_lock(eb);
    }
    const bool write = start_writeback(eb);
    if (write) {
        eb.content.write();
        eb.header().flags |= header_flag_written;
        sim::note([&] { return "block " + number(eb.start.get()) + " is under writeback"; });
    }
    tree_unlock(eb);
    return write;
}

/// Mirrors submit_eb_page(). A block that is clean, or gone from the cache, is skipped.
void submit_eb(FsInfo& fs, Bytenr start, bool sync, BioCtrl& bio_ctrl) {
    ExtentBuffer* const eb = find_extent_buffer(fs, start);
    if (eb == nullptr) return;
    const bool tagged_dirty = eb->bflags.test(eb_flag::dirty);
    if (tagged_dirty && lock_extent_buffer_for_io(*eb, sync, bio_ctrl)) bio_ctrl.add(*eb);
    free_extent_buffer(eb);
}

/// The same on zoned devices; zoned_meta_io_lock is held. Before 6.6 the pointer moves first, and
/// back again if the block is not written after all.
/// @return Again when the caller may not go on without the block
Result<void> submit_eb_on_zone(FsInfo& fs, Bytenr start, bool sync) {
    ExtentBuffer* const eb = find_extent_buffer(fs, start);
    if (eb == nullptr) return {};
    Result<void> result;
    if (eb->bflags.test(eb_flag::dirty)) {
        BlockGroup& bg = *lookup_block_group(fs, start);
        const MetaWrite turn = check_meta_write_pointer(bg, *eb, sync);
        if (turn == MetaWrite::Again) result = Errno::Again;
        if (turn == MetaWrite::Now) {
            const bool moves_first = !fs.kernel.at_least(6, 6);
            BioCtrl nothing_gathered(fs);
            if (moves_first) advance_meta_write_pointer(bg, fs.nodesize);
            const bool write = lock_extent_buffer_for_io(*eb, sync, nothing_gathered);
            if (write && !moves_first) advance_meta_write_pointer(bg, fs.nodesize);
            if (!write && moves_first) revert_meta_write_pointer(bg, fs.nodesize);
            if (write) {
                schedule_zone_finish(bg, *eb);
                submit_on_zone(*eb);
            }
        }
    }
    free_extent_buffer(eb);
    return result;
}

/// One pass of btree_writepages(): the blocks in order, as far as they may go.
Result<void> write_pass_on_zones(FsInfo& fs, std::span<const u64> blocks, bool sync) {
    const sim::MutexGuard guard(fs.zoned->zoned_meta_io_lock);
    for (const u64 start : blocks)
        if (const auto sent = submit_eb_on_zone(fs, Bytenr(start), sync); !sent) return sent;
    return {};
}

/// How many blocks from the first on lie side by side: what the kernel writes in one pass.
std::size_t neighbours(const FsInfo& fs, std::span<const u64> blocks) {
    std::size_t count = 1;
    while (count < blocks.size() && blocks[count] == blocks[count - 1] + fs.nodesize)
        ++count;
    return count;
}

Result<void> write_marked_on_zones(FsInfo& fs, std::span<const u64> blocks) {
    while (!blocks.empty()) {
        const std::size_t count = neighbours(fs, blocks);
        if (const auto sent = write_pass_on_zones(fs, blocks.first(count), true); !sent)
            return sent;
        blocks = blocks.subspan(count);
    }
    return {};
}

/// The blocks of a transaction, in order: what the kernel's io tree of dirty pages holds.
Vector<u64> dirty_blocks(Transaction& transaction) {
    transaction.dirty_pages_obj.read();
    return {transaction.dirty_pages.begin(), transaction.dirty_pages.end()};
}

}  // namespace

void wait_on_extent_buffer_writeback(ExtentBuffer& eb) {
    eb.writeback.wait();
}

Result<void> write_marked_extents(FsInfo& fs, Transaction& transaction) {
    sim::Scope scope("btrfs_write_marked_extents");
    const Vector<u64> blocks = dirty_blocks(transaction);
    if (fs.zoned != nullptr) return write_marked_on_zones(fs, blocks);
    BioCtrl bio_ctrl(fs);
    for (const u64 start : blocks)
        submit_eb(fs, Bytenr(start), true, bio_ctrl);
    bio_ctrl.submit();
    return {};
}

Result<void> wait_marked_extents(FsInfo& fs, Transaction& transaction) {
    sim::Scope scope("btrfs_wait_extents");
    const Vector<u64> blocks = dirty_blocks(transaction);
    for (const u64 start : blocks) {
        ExtentBuffer* const eb = find_extent_buffer(fs, Bytenr(start));
        if (eb == nullptr) continue;
        wait_on_extent_buffer_writeback(*eb);
        free_extent_buffer(eb);
    }
    transaction.dirty_pages_obj.write();
    transaction.dirty_pages.clear();
    free_redirty_list(transaction);
    if (fs.flags.test_and_clear(fs_flag::btree_err)) return Errno::IO;
    return {};
}

namespace {

/// The kernel finds them by the dirty tag of their pages, without a lock and at once; the spinlock,
/// which is nobody else's, keeps the look at all of them one step.
Vector<u64> tagged_dirty_blocks(FsInfo& fs) {
    sim::Spinlock at_once(lock_classes::buffer_lock);
    const sim::SpinGuard guard(at_once);
    Vector<u64> dirty;
    fs.buffer_radix_obj.read();  // which buffers there are
    for (const auto& [start, eb] : fs.buffer_radix)
        if (eb->bflags.test(eb_flag::dirty)) dirty.push_back(start);
    return dirty;
}

void btree_writepages_on_zones(FsInfo& fs) {
    const sim::MutexGuard guard(fs.zoned->zoned_meta_io_lock);
    const Vector<u64> blocks = tagged_dirty_blocks(fs);
    for (const u64 start : blocks)
        static_cast<void>(submit_eb_on_zone(fs, Bytenr(start), false).ok());  // never Again
}

}  // namespace

void btree_writepages(FsInfo& fs) {
    sim::Scope scope("btree_writepages");
    if (fs.zoned != nullptr) return btree_writepages_on_zones(fs);
    BioCtrl bio_ctrl(fs);
    const Vector<u64> blocks = tagged_dirty_blocks(fs);
    for (const u64 start : blocks)
        submit_eb(fs, Bytenr(start), false, bio_ctrl);
    bio_ctrl.submit();
}

}  // namespace model
