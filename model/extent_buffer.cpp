// fs/btrfs/extent_io.c: the life of extent buffers. Left out: pages, reclaim under memory pressure
// (a buffer that is not stale stays in the cache), and eb->refs_lock, whose sections are atomic
// here anyway.
#include "model/extent_buffer.h"

#include <cstring>

#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/probes.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace model {
namespace {

const Evaluation dirty_transid{"dirty-transid"}, write_under_writeback{"write-under-writeback"};

constexpr u64 bit(unsigned flag) {
    return u64{1} << flag;
}

/// Records that the running step changed `object`, or looked at it, without ending the step before:
/// what happens here follows the release of a tree lock, or lies under one, and nobody can tell the
/// two moments apart.
void record_change(const sim::Object& object, sim::AccessKind kind, u64 key) {
    sim::Scheduler* const scheduler = sim::current_or_null();
    if (scheduler == nullptr || scheduler->silent_noexcept()) return;
    scheduler->change_noexcept(object, kind, key);
}

void set_flag(ExtentBuffer& eb, unsigned flag) {
    eb.bflags.poke(eb.bflags.peek() | bit(flag));
}
void clear_flag(ExtentBuffer& eb, unsigned flag) {
    eb.bflags.poke(eb.bflags.peek() & ~bit(flag));
}

/// Who takes or drops a reference counts, and who drops one looks whether the block is stale: that
/// matters to who makes it stale, and to who drops the last reference of a stale block. No step of
/// its own; in executions in which no block is stale these are reads, and nothing depends on them.
void order_references(const ExtentBuffer& eb, sim::AccessKind kind) {
    if (sim::Scheduler* const scheduler = sim::current_or_null(); scheduler != nullptr)
        scheduler->order(eb.bflags, kind, eb_flag::stale);
}

/// Whether the writer is done may change at any moment.
bool under_io(const ExtentBuffer& eb) {
    if (eb.has_flag(eb_flag::dirty)) return true;
    if (sim::Scheduler* const scheduler = sim::current_or_null(); scheduler != nullptr)
        scheduler->order(eb.writeback, sim::AccessKind::Read);
    return eb.writeback.peek();
}

/// Mirrors check_buffer_tree_ref(): whoever finds a buffer makes sure that the cache holds it.
void check_buffer_tree_ref(ExtentBuffer& eb) {
    if (eb.has_flag(eb_flag::tree_ref)) return;
    set_flag(eb, eb_flag::tree_ref);
    ++eb.refs;
}

/// Mirrors release_extent_buffer().
void release_extent_buffer(ExtentBuffer& eb) {
    SIM_ASSERT(eb.refs > 0);
    if (--eb.refs != 0) return;
    if (eb.has_flag(eb_flag::in_tree)) {
        record_change(eb.fs.buffer_radix_obj, sim::AccessKind::Insert, eb.start.get());
        eb.fs.buffer_radix.erase(eb.start.get());
    }
    sim::destroy(&eb);
}

/// The cache lets go of a stale buffer that only the caller still holds.
void drop_stale_tree_ref(ExtentBuffer& eb) {
    const bool is_last =
        eb.refs == 2 && eb.has_flag(eb_flag::stale) && eb.has_flag(eb_flag::tree_ref);
    order_references(eb, is_last ? sim::AccessKind::Insert : sim::AccessKind::Lookup);
    if (!is_last || under_io(eb)) return;
    clear_flag(eb, eb_flag::tree_ref);
    --eb.refs;
}

}  // namespace

ExtentBuffer::ExtentBuffer(FsInfo& owner, Bytenr bytenr)
    : fs(owner), content(objects::extent_buffer, bytenr.get(), this), start(bytenr),
      len(owner.nodesize), data(static_cast<unsigned char*>(sim::arena_allocate(owner.nodesize))),
      bflags(0, bytenr.get(), objects::extent_buffer_flags),
      lock(lock_classes::tree_lock_class(fs_tree_objectid, 0), bytenr.get()),
      writeback(bytenr.get()), reading(bytenr.get()) {
    std::memset(data, 0, len);
}

ExtentBuffer::~ExtentBuffer() {
    sim::arena_deallocate(data, len);
}

u32 ExtentBuffer::leaf_free_space() const {
    const u32 count = nritems();
    const u32 data_end =
        count == 0 ? len - static_cast<u32>(sizeof(HeaderItem)) : items()[count - 1].offset;
    return data_end - count * static_cast<u32>(sizeof(LeafItem));
}

void read_lockless(const ExtentBuffer& eb) {
    if (sim::Scheduler* const scheduler = sim::current_or_null(); scheduler != nullptr)
        scheduler->order(eb.content, sim::AccessKind::Read);
}

ExtentBuffer* find_extent_buffer(FsInfo& fs, Bytenr start) {
    fs.buffer_radix_obj.lookup(start.get());
    const auto found = fs.buffer_radix.find(start.get());
    if (found == fs.buffer_radix.end()) return nullptr;
    ExtentBuffer& eb = *found->second;
    order_references(eb, sim::AccessKind::Lookup);
    extent_buffer_get(eb);
    check_buffer_tree_ref(eb);
    return &eb;
}

ExtentBuffer& alloc_extent_buffer(FsInfo& fs, Bytenr start) {
    if (ExtentBuffer* const eb = find_extent_buffer(fs, start)) return *eb;
    record_change(fs.buffer_radix_obj, sim::AccessKind::Insert, start.get());
    auto* const eb = sim::make<ExtentBuffer>(fs, start);
    eb->bflags.poke(bit(eb_flag::tree_ref) | bit(eb_flag::in_tree));
    eb->refs = 2;  // the cache's and the caller's
    fs.buffer_radix.emplace(start.get(), eb);
    return *eb;
}

void extent_buffer_get(ExtentBuffer& eb) {
    ++eb.refs;
}

void free_extent_buffer(ExtentBuffer* eb) {
    if (eb == nullptr) return;
    drop_stale_tree_ref(*eb);
    release_extent_buffer(*eb);
}

void free_extent_buffer_stale(ExtentBuffer* eb) {
    if (eb == nullptr) return;
    if (!eb->has_flag(eb_flag::stale)) order_references(*eb, sim::AccessKind::Insert);
    set_flag(*eb, eb_flag::stale);
    free_extent_buffer(eb);
}

ExtentBuffer& clone_extent_buffer(const ExtentBuffer& eb) {
    read_lockless(eb);
    auto* const copy = sim::make<ExtentBuffer>(eb.fs, eb.start);
    std::memcpy(copy->data, eb.data, eb.len);
    copy->bflags.poke(bit(eb_flag::uptodate) | bit(eb_flag::unmapped));
    copy->refs = 1;
    return *copy;
}

void mark_buffer_dirty(ExtentBuffer& eb) {
    SIM_ASSERT(eb.lock.is_held_for_write_by_current());
    dirty_transid.count();
    write_under_writeback.count();
    const Transaction* const running = eb.fs.running_transaction;
    if (running != nullptr && eb.generation() != running->transid) {
        sim::violation("dirty-transid", "btrfs transid mismatch buffer " +
                                            std::to_string(eb.start.get()) + ", found " +
                                            std::to_string(eb.generation().get()) + " running " +
                                            std::to_string(running->transid.get()));
    }
    record_change(eb.writeback, sim::AccessKind::Read, 0);
    if (eb.writeback.peek()) {
        sim::violation("write-under-writeback", "tree block " + std::to_string(eb.start.get()) +
                                                    " was modified while it was being written");
    }
    eb.content.write();
    if (eb.has_flag(eb_flag::dirty)) return;
    record_change(eb.bflags, sim::AccessKind::Insert, eb_flag::dirty);
    set_flag(eb, eb_flag::dirty);
}

namespace {

/// Since aa6313e6ff2b (6.8) a block on a zone stays dirty: the writer must come by its place.
/// Since 68879386180c (6.9) one that is not dirty, being written perhaps, is left alone.
/// @return false on regular devices and for earlier kernels
bool flag_for_zeroing(ExtentBuffer& eb) {
    const FsInfo& fs = eb.fs;
    if (fs.zoned == nullptr || !fs.has(fix::zoned_zeroout)) return false;
    if (fs.has(fix::zeroout_only_dirty) && !eb.has_flag(eb_flag::dirty)) return true;
    eb.bflags.set_bit(eb_flag::zoned_zeroout);
    sim::note([&] { return "block " + std::to_string(eb.start.get()) + " is to be zeroed"; });
    return true;
}

}  // namespace

void ExtentBuffer::change_header() {
    record_change(bflags, sim::AccessKind::Insert, eb_flag::header);
}

void clean_tree_block(ExtentBuffer& eb) {
    const Transaction* const running = eb.fs.running_transaction;
    eb.look_at_header();
    if (running == nullptr || eb.generation() != running->transid) return;
    SIM_ASSERT(eb.lock.is_held_for_write_by_current());
    if (flag_for_zeroing(eb)) return;
    if (!eb.has_flag(eb_flag::dirty)) return;
    record_change(eb.bflags, sim::AccessKind::Insert, eb_flag::dirty);
    clear_flag(eb, eb_flag::dirty);
}

}  // namespace model
