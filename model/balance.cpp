// fs/btrfs/volumes.c and ioctl.c, 6.1: balance, and devices that shrink and grow: what drives
// relocation.
//
// Left out: filters and conversion of profiles, system chunks (a balance passes them over), the
// counting pass, the shrinking and growing of full devices by 1 MiB before a balance (4.19), and
// the smallest size that a device may have.
#include "model/balance.h"

#include <optional>

#include "model/ctree.h"
#include "model/delete_item.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/relocation.h"
#include "sim/trace.h"

namespace model {

BalanceState::BalanceState(FsInfo& fs)
    : balance_mutex(lock_classes::balance_mutex), obj(objects::balance, 0, &fs),
      pause_req(0, 4, objects::counter), cancel_req(0, 5, objects::counter),
      wait(0, "balance_wait_q") {}

namespace {

constexpr Key balance_key{balance_objectid, temporary_item_key, 0};

// ---- the balance item
// ----------------------------------------------------------------------------

Result<void> commit_or_end(TransHandle* trans, Result<void> result) {
    const auto committed = commit_transaction(trans);
    return result ? committed : result;
}

/// Mirrors insert_balance_item()
Result<void> insert_balance_item(FsInfo& fs, const BalanceControl& ctl) {
    const auto trans = start_transaction(*fs.tree_root, 0);
    if (!trans) return trans.error();
    BalanceItem item{};
    item.flags = (ctl.data ? bg_data : 0) | (ctl.metadata ? bg_metadata : 0);
    const auto inserted = insert_item(**trans, *fs.tree_root, balance_key,
                                      {reinterpret_cast<const unsigned char*>(&item), sizeof item});
    return commit_or_end(*trans, inserted);
}

/// Mirrors del_balance_item()
Result<void> del_balance_item(FsInfo& fs) {
    const auto trans = start_transaction_fallback_global_rsv(*fs.tree_root, 0);
    if (!trans) return trans.error();
    const auto deleted = delete_item(**trans, *fs.tree_root, balance_key);
    return commit_or_end(*trans, deleted);
}

// ---- chunks
// --------------------------------------------------------------------------------------

struct ChunkAt {
    u64 logical = 0, type = 0;
};

/// The last chunk that begins before `end`, or nothing.
Result<std::optional<ChunkAt>> chunk_before(FsInfo& fs, u64 end) {
    Path path;
    const Key key{first_chunk_tree_objectid, chunk_item_key, end - 1};
    const auto found = search_slot_for_read(*fs.chunk_root, key, path, false);
    if (!found) return found.error();
    if (!*found || path.key().type != chunk_item_key) return std::optional<ChunkAt>();
    return std::optional(ChunkAt{path.key().offset, read_item<ChunkItem>(path).type});
}

/// The last data chunk may go only when there is another one: its profile is what new ones have.
/// Mirrors btrfs_may_alloc_data_chunk()
Result<void> may_alloc_data_chunk(FsInfo& fs, const ChunkAt& chunk) {
    if ((chunk.type & bg_data) == 0) return {};
    SpaceInfo& info = space_info_for(fs, bg_data);
    {
        const sim::SpinGuard guard(info.lock);
        info.obj.read();
        if (info.bytes_used != 0) return {};
    }
    const auto trans = join_transaction(*fs.tree_root);
    if (!trans) return trans.error();
    const auto made = chunk_alloc(**trans, get_alloc_profile(fs, bg_data), true);
    const auto ended = end_transaction(*trans);
    if (!made) return made.error();
    return ended;
}

bool is_wanted(const BalanceControl& ctl, u64 type) {
    return ((type & bg_data) != 0 && ctl.data) || ((type & bg_metadata) != 0 && ctl.metadata);
}

/// One chunk below `end`. @return where it begins; nothing at the end of the chunks
Result<std::optional<u64>> balance_next(FsInfo& fs, BalanceControl& ctl, u64 end,
                                        bool& chunk_made) {
    BalanceState& balance = fs.balance;
    if (balance.pause_req.load() != 0 || balance.cancel_req.load() != 0) return Errno::Canceled;
    const sim::MutexGuard guard(fs.reloc.reclaim_bgs_lock);
    const auto chunk = chunk_before(fs, end);
    if (!chunk) return chunk.error();
    if (!*chunk) return std::optional<u64>();
    if (!is_wanted(ctl, (*chunk)->type)) return std::optional((*chunk)->logical);
    if (!chunk_made) {
        if (const auto made = may_alloc_data_chunk(fs, **chunk); !made) return made.error();
        chunk_made = (((*chunk)->type) & bg_data) != 0;
    }
    const auto canceled = [&balance] { return balance.cancel_req.load() != 0; };
    const auto relocated = relocate_chunk(fs, Bytenr((*chunk)->logical), canceled);
    if (!relocated && relocated.error() == Errno::NoSpc) {
        ++ctl.enospc_errors;
    } else if (!relocated) {
        return relocated.error();
    }
    return std::optional((*chunk)->logical);
}

/// Mirrors __btrfs_balance()
Result<void> balance_chunks(FsInfo& fs, BalanceControl& ctl) {
    const sim::Scope scope("__btrfs_balance");
    bool chunk_made = false;
    for (u64 end = ~u64{0};;) {
        const auto chunk = balance_next(fs, ctl, end, chunk_made);
        if (!chunk) return chunk.error();
        if (!*chunk) break;
        end = **chunk;
    }
    if (ctl.enospc_errors == 0) return {};
    fs.message("info", std::to_string(ctl.enospc_errors) + " enospc errors during balance");
    return Errno::NoSpc;
}

// ---- one balance
// ---------------------------------------------------------------------------------

std::string describe(const BalanceControl& ctl) {
    return std::string(ctl.data ? " -d" : "") + (ctl.metadata ? " -m" : "");
}

bool is_running(FsInfo& fs) {
    return fs.flags.test(fs_flag::balance_running);
}

void report_end(FsInfo& fs, const Result<void>& result) {
    const BalanceState& balance = fs.balance;
    const bool canceled = !result && result.error() == Errno::Canceled;
    if (canceled && balance.pause_req.load() != 0) {
        fs.message("info", "balance: paused");
    } else if (canceled && balance.cancel_req.load() != 0) {
        fs.message("info", "balance: canceled");
    } else {
        const int code = result ? 0 : -static_cast<int>(result.error());
        fs.message("info", "balance: ended with status: " + std::to_string(code));
    }
}

/// balance_mutex held: nothing is left to go on with. Mirrors reset_balance_state()
Result<void> reset_balance_state(FsInfo& fs) {
    BalanceState& balance = fs.balance;
    balance.obj.write();
    sim::destroy(std::exchange(balance.ctl, nullptr));
    const auto deleted = del_balance_item(fs);
    fs.dev_replace.exclusive_operation.store(exclop::none);
    return deleted;
}

/// A balance that was paused, and not cancelled, stays for later.
bool is_over(const BalanceState& balance, const Result<void>& result) {
    if (!result && result.error() != Errno::Canceled && result.error() != Errno::NoSpc) return true;
    return balance.cancel_req.load() != 0 || balance.pause_req.load() == 0;
}

/// balance_mutex is held at entry and at return, and dropped while chunks are moved.
/// @param verb  "start" or "resume"
Result<void> run_balance(FsInfo& fs, const char* verb) {
    BalanceState& balance = fs.balance;
    BalanceControl& ctl = *balance.ctl;
    ctl.enospc_errors = 0;
    fs.message("info", std::string("balance: ") + verb + describe(ctl));
    fs.flags.set_bit(fs_flag::balance_running);
    balance.balance_mutex.unlock();
    const auto result = balance_chunks(fs, ctl);
    balance.balance_mutex.lock();
    report_end(fs, result);
    fs.flags.clear_bit(fs_flag::balance_running);
    Result<void> reset;
    if (is_over(balance, result)) {
        reset = reset_balance_state(fs);
    } else if (fs.has(fix::balance_paused_state)) {
        fs.dev_replace.exclusive_operation.store(exclop::balance_paused);
    }
    balance.wait.wake_up_all();
    return result ? reset : result;
}

bool is_stopping(const BalanceState& balance) {
    return balance.pause_req.load() != 0 || balance.cancel_req.load() != 0;
}

/// balance_mutex held. Mirrors btrfs_balance()
Result<void> begin_balance(FsInfo& fs, bool data, bool metadata) {
    const sim::Scope scope("btrfs_balance");
    BalanceState& balance = fs.balance;
    const BalanceControl wanted{.data = data, .metadata = metadata};
    Result<void> begun;
    if (is_stopping(balance)) begun = Errno::Inval;
    if (begun) begun = check_no_send(fs);
    if (begun) begun = insert_balance_item(fs, wanted);
    if (!begun) {
        fs.dev_replace.exclusive_operation.store(exclop::none);
        return begun;
    }
    balance.obj.write();
    balance.ctl = sim::make<BalanceControl>(wanted);
    return run_balance(fs, "start");
}

/// balance_mutex held. The item is tried to be inserted, is there, and that is committed. Mirrors
/// btrfs_balance() with BTRFS_BALANCE_RESUME
Result<void> go_on_with_balance(FsInfo& fs) {
    const sim::Scope scope("btrfs_balance");
    BalanceState& balance = fs.balance;
    if (is_stopping(balance)) return Errno::Inval;
    if (const auto allowed = check_no_send(fs); !allowed) return allowed;
    const auto inserted = insert_balance_item(fs, *balance.ctl);
    if (!inserted && inserted.error() != Errno::Exist) return inserted;
    return run_balance(fs, "resume");
}

}  // namespace

Result<void> balance_start(FsInfo& fs, bool data, bool metadata) {
    const sim::Scope scope("btrfs_ioctl_balance");
    if (fs.has_error()) return Errno::Rofs;
    u32 none = exclop::none;
    if (!fs.dev_replace.exclusive_operation.compare_exchange(none, exclop::balance))
        return Errno::InProgress;
    const sim::MutexGuard guard(fs.balance.balance_mutex);
    return begin_balance(fs, data, metadata);
}

Result<void> balance_resume(FsInfo& fs) {
    const sim::Scope scope("btrfs_ioctl_balance");
    BalanceState& balance = fs.balance;
    const sim::MutexGuard guard(balance.balance_mutex);
    balance.obj.read();
    if (balance.ctl == nullptr) return Errno::NotConn;
    if (is_running(fs)) return Errno::InProgress;
    fs.dev_replace.exclusive_operation.store(exclop::balance);
    return go_on_with_balance(fs);
}

// ---- at mount
// ------------------------------------------------------------------------------------

Result<void> recover_balance(FsInfo& fs) {
    const sim::Scope scope("btrfs_recover_balance");
    BalanceItem item{};
    {
        Path path;
        const auto found = search_slot(nullptr, *fs.tree_root, balance_key, path, 0, false);
        if (!found) return found.error();
        if (!*found) return {};
        item = read_item<BalanceItem>(path);
    }
    u32 none = exclop::none;
    const u32 state = fs.has(fix::balance_paused_state) ? exclop::balance_paused : exclop::balance;
    if (!fs.dev_replace.exclusive_operation.compare_exchange(none, state))
        fs.message("warning", "balance: cannot set exclusive op status, resume manually");
    const sim::MutexGuard guard(fs.balance.balance_mutex);
    fs.balance.obj.write();
    fs.balance.ctl = sim::make<BalanceControl>(BalanceControl{
        .data = (item.flags & bg_data) != 0, .metadata = (item.flags & bg_metadata) != 0});
    return {};
}

namespace {

/// Nobody waits for the result: the log has said why. Mirrors balance_kthread()
void balance_kthread(FsInfo& fs) {
    const sim::Scope scope("balance_kthread");
    const sim::MutexGuard guard(fs.balance.balance_mutex);
    fs.balance.obj.read();
    if (fs.balance.ctl != nullptr) static_cast<void>(go_on_with_balance(fs).ok());
}

}  // namespace

void resume_balance_async(FsInfo& fs) {
    {
        const sim::MutexGuard guard(fs.balance.balance_mutex);
        fs.balance.obj.read();
        if (fs.balance.ctl == nullptr) return;
    }
    if (is_mutated(fs, Mutation::ForgottenBalance)) return;
    fs.dev_replace.exclusive_operation.store(exclop::balance);
    sim::current().spawn("btrfs-balance", sim::Job([&fs] { balance_kthread(fs); }));
}

namespace {

/// balance_mutex held, and dropped meanwhile.
void wait_until_stopped(FsInfo& fs) {
    BalanceState& balance = fs.balance;
    balance.balance_mutex.unlock();
    balance.wait.wait_event([&fs] { return !is_running(fs); });
    balance.balance_mutex.lock();
}

}  // namespace

Result<void> balance_pause(FsInfo& fs) {
    const sim::Scope scope("btrfs_pause_balance");
    BalanceState& balance = fs.balance;
    const sim::MutexGuard guard(balance.balance_mutex);
    balance.obj.read();
    if (balance.ctl == nullptr || !is_running(fs)) return Errno::NotConn;
    balance.pause_req.inc();
    wait_until_stopped(fs);
    balance.pause_req.dec();
    return {};
}

Result<void> balance_cancel(FsInfo& fs) {
    const sim::Scope scope("btrfs_cancel_balance");
    if (fs.readonly) return Errno::Rofs;
    BalanceState& balance = fs.balance;
    const sim::MutexGuard guard(balance.balance_mutex);
    balance.obj.read();
    if (balance.ctl == nullptr) return Errno::NotConn;
    balance.cancel_req.inc();
    if (is_running(fs)) wait_until_stopped(fs);
    balance.obj.read();
    Result<void> reset;
    if (balance.ctl != nullptr && !is_running(fs)) {
        reset = reset_balance_state(fs);
        fs.message("info", "balance: canceled");
    }
    balance.cancel_req.dec();
    return reset;
}

// ---- the size of a device
// ------------------------------------------------------------------------

namespace {

/// chunk_mutex held: how much of the device chunks may take.
void set_total_bytes(FsInfo& fs, Device& device, u64 size) {
    device.sizes_obj.write();
    device.total_bytes = size;
    recount_free_chunk_space(fs);
}

/// The last device extent that begins before `end`, or nothing: where, and of which chunk.
struct LastExtent {
    u64 physical = 0, length = 0, chunk_offset = 0;
};
Result<std::optional<LastExtent>> dev_extent_before(FsInfo& fs, const Device& device, u64 end) {
    Path path;
    const auto found =
        search_slot_for_read(*fs.dev_root, {device.devid, dev_extent_key, end - 1}, path, false);
    if (!found) return found.error();
    if (!*found || path.key().type != dev_extent_key || path.key().objectid != device.devid)
        return std::optional<LastExtent>();
    const auto item = read_item<DevExtentItem>(path);
    return std::optional(LastExtent{path.key().offset, item.length, item.chunk_offset});
}

Result<void> empty_tail(FsInfo& fs, Device& device, u64 size, bool& no_space) {
    for (u64 end = ~u64{0}; end > 0;) {
        const sim::MutexGuard guard(fs.reloc.reclaim_bgs_lock);
        const auto extent = dev_extent_before(fs, device, end);
        if (!extent) return extent.error();
        if (!*extent || (*extent)->physical + (*extent)->length <= size) return {};
        const ChunkMap* const map = find_chunk_map(fs, Bytenr((*extent)->chunk_offset));
        if (map == nullptr) return Errno::NoEnt;
        const ChunkAt chunk{map->logical, map->type};
        if (const auto made = may_alloc_data_chunk(fs, chunk); !made) return made;
        const auto relocated = relocate_chunk(fs, Bytenr(chunk.logical), [] { return false; });
        if (!relocated && relocated.error() != Errno::NoSpc) return relocated;
        no_space = no_space || !relocated;
        end = (*extent)->physical;
    }
    return {};
}

/// Once more after a lack of space: the chunks that could be moved have left room.
Result<void> empty_tail_twice(FsInfo& fs, Device& device, u64 size) {
    for (int round = 0; round < 2; ++round) {
        bool no_space = false;
        if (const auto emptied = empty_tail(fs, device, size, no_space); !emptied) return emptied;
        if (!no_space) return {};
    }
    return Errno::NoSpc;
}

/// The new size, in memory and in the device's item. Mirrors the ends of btrfs_shrink_device() and
/// btrfs_grow_device()
Result<void> write_device_size(FsInfo& fs, Device& device, u64 size) {
    const auto trans = start_transaction(*fs.tree_root, 0);
    if (!trans) return trans.error();
    Result<void> updated;
    {
        const sim::MutexGuard guard(fs.chunk_mutex);
        set_total_bytes(fs, device, size);
        fs.super_obj.write();
        fs.super_copy->total_bytes += size - device.disk_total_bytes;
        device.disk_total_bytes = size;
        if (!device.post_commit) {
            device.post_commit = true;
            (*trans)->transaction.dev_update_list.push_back(&device);
        }
        check_system_chunk(**trans, bg_system);
        updated = update_device(**trans, device);
    }
    if (updated) return commit_transaction(*trans);
    abort_transaction(**trans, updated.error(), "btrfs_shrink_device");
    static_cast<void>(end_transaction(*trans));
    return updated;
}

/// Mirrors btrfs_shrink_device()
Result<void> shrink_device(FsInfo& fs, Device& device, u64 size) {
    const sim::Scope scope("btrfs_shrink_device");
    const u64 old_size = device.total_bytes;
    const auto trans = start_transaction(*fs.tree_root, 0);
    if (!trans) return trans.error();
    {
        const sim::MutexGuard guard(fs.chunk_mutex);
        set_total_bytes(fs, device, size);
    }
    auto result = end_transaction(*trans);
    if (result) result = empty_tail_twice(fs, device, size);
    if (result) return write_device_size(fs, device, size);
    const sim::MutexGuard guard(fs.chunk_mutex);
    set_total_bytes(fs, device, old_size);
    return result;
}

u64 capacity(const FsInfo& fs, const Device& device) {
    return fs.geometry->devices[device.index].size;
}

}  // namespace

Result<void> resize_device(FsInfo& fs, std::string_view name, u64 size) {
    const sim::Scope scope("btrfs_ioctl_resize");
    if (fs.has_error()) return Errno::Rofs;
    Device* const device = find_device_by_name(fs, name);
    if (device == nullptr || !device->in_fs_devices) return Errno::NoEnt;
    if (size > capacity(fs, *device)) return Errno::FBig;
    u32 none = exclop::none;
    if (!fs.dev_replace.exclusive_operation.compare_exchange(none, exclop::resize))
        return Errno::InProgress;
    const u64 old_size = device->total_bytes;
    if (size != old_size)
        fs.message("info", "resize device " + device_path(*device) + " (devid " +
                               std::to_string(device->devid) + ") from " +
                               std::to_string(old_size) + " to " + std::to_string(size));
    const auto result = size < old_size   ? shrink_device(fs, *device, size)
                        : size > old_size ? write_device_size(fs, *device, size)
                                          : Result<void>{};
    fs.dev_replace.exclusive_operation.store(exclop::none);
    return result;
}

}  // namespace model
