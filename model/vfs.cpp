#include "model/vfs.h"

#include <algorithm>
#include <string>

#include "model/dev_replace.h"
#include "model/disk_io.h"
#include "model/file.h"
#include "model/fs_info.h"
#include "model/ledger.h"
#include "model/medium.h"
#include "model/mount.h"
#include "model/pipe.h"
#include "model/probes.h"
#include "model/reflink.h"
#include "model/scrub.h"
#include "model/tracepoints.h"
#include "sim/trace.h"

// System calls: what the VFS and fs/btrfs/ioctl.c do around the functions of the filesystem, v6.1.
//
// Left out: permissions, file descriptors (each call looks its path up; an open file is known by
// the path that opened it), hard links, rename, removal of subvolumes. fsync always commits: the
// log tree is left out, so it takes the path of BTRFS_LOG_FORCE_COMMIT.

namespace model::vfs {
namespace {

const Evaluation read_returns{"read-returns-what-was-written"};

// ---- paths
// ------------------------------------------------------------------------------------------------------------------------------

struct SplitPath {
    std::string_view parent, name;  // "" is the top-level directory
};

SplitPath split(std::string_view path) {
    if (path == ".") return {};
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return {"", path};
    return {path.substr(0, slash), path.substr(slash + 1)};
}

/// The inode of a path that was looked up before, with a reference. Mirrors the lookup in the
/// dentry cache (RCU walk).
Inode* lookup_cached(FsInfo& fs, std::string_view path) {
    const sim::SpinGuard guard{fs.dcache_lock};
    fs.dcache_obj.insert(sim::hash_text(path));
    const auto found = fs.dcache.find(String(path));
    if (found == fs.dcache.end()) return nullptr;
    ++found->second->refs;
    return found->second;
}

void remember_path(Inode& inode, std::string_view path) {
    const sim::SpinGuard guard{inode.fs.dcache_lock};
    inode.fs.dcache_obj.insert(sim::hash_text(path));
    inode.fs.dcache[String(path)] = &inode;
}

void forget_path(FsInfo& fs, std::string_view path) {
    const sim::SpinGuard guard{fs.dcache_lock};
    fs.dcache_obj.insert(sim::hash_text(path));
    fs.dcache.erase(String(path));
}

/// What a name of a directory leads to, from the tree. Mirrors btrfs_lookup_dentry().
Result<Inode*> lookup_dentry(Inode& dir, std::string_view name) {
    const auto entry = lookup_dir_item(dir.root, dir.ino, name);
    if (!entry) return entry.error();
    if (entry->location.type == inode_item_key)
        return iget(dir.fs, dir.root, entry->location.objectid);
    const auto subvolume = get_fs_root(dir.fs, entry->location.objectid);
    if (!subvolume) return subvolume.error();
    return iget(dir.fs, **subvolume, first_free_objectid);
}

/// The directory's lock is held. @param path  the whole path of `name`
Result<Inode*> lookup_locked(Inode& dir, std::string_view name, std::string_view path) {
    if (Inode* const cached = lookup_cached(dir.fs, path)) return cached;
    const auto found = lookup_dentry(dir, name);
    if (found) remember_path(**found, path);
    return found;
}

/// The inode of a path, with a reference. @return NoEnt, NotDir
Result<Inode*> lookup_path(FsInfo& fs, std::string_view path) {
    if (Inode* const cached = lookup_cached(fs, path == "." ? "" : path)) return cached;
    const auto [parent, name] = split(path);
    if (name.empty()) {
        const auto top = iget(fs, *fs.fs_root, first_free_objectid);
        if (top) remember_path(**top, "");
        return top;
    }
    const auto dir = lookup_path(fs, parent);
    if (!dir) return dir;
    Result<Inode*> found = Errno::NotDir;
    if ((*dir)->is_dir) {
        const sim::ReadGuard guard{(*dir)->lock};
        found = lookup_locked(**dir, name, path);
    }
    iput(**dir);
    return found;
}

/// Runs `body` with the inode of the path.
template <class Body>
auto with_inode(FsInfo& fs, std::string_view path, Body&& body)
    -> decltype(body(std::declval<Inode&>())) {
    const auto inode = lookup_path(fs, path);
    if (!inode) return inode.error();
    auto result = body(**inode);
    iput(**inode);
    return result;
}

/// Runs `body` with a regular file that may be changed and whose i_rwsem is held.
template <class Body> Result<void> change_file(FsInfo& fs, std::string_view path, Body&& body) {
    if (fs.has_error()) return Errno::Rofs;
    return with_inode(fs, path, [&](Inode& inode) -> Result<void> {
        if (inode.is_dir) return Errno::IsDir;
        if (inode.root.is_readonly()) return Errno::Rofs;
        const InodeGuard guard{inode};
        return body(inode);
    });
}

/// Runs `body` with the directory of the path's last name, whose i_rwsem is held.
template <class Body> Result<void> change_dir(FsInfo& fs, std::string_view path, Body&& body) {
    if (fs.has_error()) return Errno::Rofs;
    return with_inode(fs, split(path).parent, [&](Inode& dir) -> Result<void> {
        if (!dir.is_dir) return Errno::NotDir;
        if (dir.root.is_readonly()) return Errno::Rofs;
        const InodeGuard guard{dir};
        return body(dir, split(path).name);
    });
}

bool is_aligned(u64 offset, u64 length) {
    return offset % sectorsize == 0 && length % sectorsize == 0;
}
u64 word_of(u8 pattern) {
    return pattern * 0x0101010101010101ULL;
}

// ---- the ledger
// -------------------------------------------------------------------------------------------------------------------------

/// Runs a change of a file as an interval of the ledger.
template <class Begin, class Body> Result<void> recorded(Inode& inode, Begin&& begin, Body&& body) {
    Ledger* const ledger = inode.fs.ledger;
    if (ledger == nullptr) return body();
    const Ledger::Change change = begin(*ledger);
    const auto result = body();
    ledger->end(change, inode, result.ok());
    return result;
}

/// A call that succeeds has promised something about a crash.
template <class Promise> void promise(FsInfo& fs, Promise&& write_down) {
    if (fs.ledger == nullptr) return;
    if (fs.observer == nullptr) return write_down(*fs.ledger);
    sim::current().mark();
    fs.observer->before_promise(fs);
    write_down(*fs.ledger);
    fs.observer->after_promise(fs);
}

}  // namespace

// ---- names
// ------------------------------------------------------------------------------------------------------------------------------

namespace {

/// The file exists in the tree; its path is known from here on.
Result<void> create_in(TransHandle& trans, Inode& dir, std::string_view name,
                       std::string_view path) {
    u64 index = 0;
    const auto inode = create_new_inode(trans, dir, name, &index);
    if (!inode) return inode.error();
    const DirEntry entry{{(*inode)->ino, inode_item_key, 0}, ft_reg_file};
    const auto linked = add_link(trans, dir, name, entry, index);
    if (!linked) {
        abort_transaction(trans, linked.error(), "btrfs_create_new_inode");
    } else {
        remember_path(**inode, path);
        if (dir.fs.ledger != nullptr) dir.fs.ledger->created(**inode, path);
    }
    iput(**inode);
    return linked;
}

/// The file of a name, which must not be a directory; with a reference.
Result<Inode*> lookup_file(Inode& dir, std::string_view name, std::string_view path) {
    const auto found = lookup_locked(dir, name, path);
    if (!found || !(*found)->is_dir) return found;
    iput(**found);
    return Errno::IsDir;
}

Result<void> unlink_locked(Inode& dir, Inode& inode, std::string_view name) {
    const InodeGuard guard{inode};
    const auto trans = start_transaction_fallback_global_rsv(dir.root, 5);
    if (!trans) return trans.error();
    return end_transaction(*trans, unlink_inode(**trans, dir, inode, name));
}

}  // namespace

Result<void> create(FsInfo& fs, std::string_view path) {
    const sim::Scope scope("btrfs_create");
    return change_dir(fs, path, [&](Inode& dir, std::string_view name) -> Result<void> {
        const auto existing = lookup_locked(dir, name, path);
        if (existing) iput(**existing);
        if (existing || existing.error() != Errno::NoEnt)
            return existing ? Result<void>{} : existing.error();
        const auto trans = start_transaction(dir.root, 5);
        if (!trans) return trans.error();
        return end_transaction(*trans, create_in(**trans, dir, name, path));
    });
}

Result<void> unlink(FsInfo& fs, std::string_view path) {
    const sim::Scope scope("btrfs_unlink");
    Inode* removed = nullptr;
    const auto result =
        change_dir(fs, path, [&](Inode& dir, std::string_view name) -> Result<void> {
            const auto inode = lookup_file(dir, name, path);
            if (!inode) return inode.error();
            removed = *inode;
            if (fs.ledger != nullptr) fs.ledger->begin_unlink(**inode);
            const auto unlinked = unlink_locked(dir, **inode, name);
            if (fs.ledger != nullptr) fs.ledger->end_unlink(**inode, unlinked.ok());
            if (unlinked) forget_path(fs, path);
            return unlinked;
        });
    if (removed != nullptr) iput(*removed);  // evicts it here if nobody else has it open
    return result;
}

// ---- open files
// -----------------------------------------------------------------------------------------------------------------

namespace {

void remember_open(Inode& inode, std::string_view path) {
    const sim::SpinGuard guard{inode.fs.dcache_lock};
    inode.fs.dcache_obj.insert(sim::hash_text(path));
    inode.fs.open_files[String(path)].push_back(&inode);
}

/// @return null if nothing is open by this path
Inode* take_open(FsInfo& fs, std::string_view path) {
    const sim::SpinGuard guard{fs.dcache_lock};
    fs.dcache_obj.insert(sim::hash_text(path));
    const auto found = fs.open_files.find(String(path));
    if (found == fs.open_files.end()) return nullptr;
    Inode* const inode = found->second.front();
    found->second.erase(found->second.begin());
    if (found->second.empty()) fs.open_files.erase(found);
    return inode;
}

}  // namespace

Result<void> open(FsInfo& fs, std::string_view path) {
    const sim::Scope scope("do_sys_open");
    const auto inode = lookup_path(fs, path);
    if (!inode) return inode.error();
    if (!enter_mount(fs)) {  // not within a call that holds it
        iput(**inode);
        return Errno::NoEnt;
    }
    remember_open(**inode, path);
    return {};
}

Result<void> close(FsInfo& fs, std::string_view path) {
    const sim::Scope scope("__fput");
    Inode* const inode = take_open(fs, path);
    if (inode == nullptr) return Errno::BadF;
    iput(*inode);
    leave_mount(fs);
    return {};
}

// ---- files
// ------------------------------------------------------------------------------------------------------------------------------

Result<void> set_nocow(FsInfo& fs, std::string_view path, bool nocow) {
    const sim::Scope scope("btrfs_fileattr_set");
    if (fs.zoned != nullptr && nocow) return Errno::Perm;
    return change_file(fs, path, [&](Inode& inode) -> Result<void> {
        const auto trans = start_transaction(inode.root, 1);
        if (!trans) return trans.error();
        {
            const sim::SpinGuard guard{inode.spin};
            inode.obj.write();
            constexpr u64 both = inode_nodatacow | inode_nodatasum;
            if (inode.i_size == 0) inode.flags = nocow ? inode.flags | both : inode.flags & ~both;
        }
        return end_transaction(*trans, update_inode(**trans, inode));
    });
}

Result<void> pwrite(FsInfo& fs, std::string_view path, u64 offset, u64 length, u8 pattern) {
    const sim::Scope scope("btrfs_file_write_iter");
    if (!is_aligned(offset, length)) return Errno::Inval;
    const u64 end = offset + length;
    return change_file(fs, path, [&](Inode& inode) {
        return recorded(
            inode,
            [&](Ledger& ledger) {
                return ledger.begin_write(inode, offset, end, word_of(pattern));
            },
            [&] { return buffered_write(inode, offset, end, word_of(pattern)); });
    });
}

Result<void> fallocate(FsInfo& fs, std::string_view path, u64 offset, u64 length) {
    if (!is_aligned(offset, length) || length == 0) return Errno::Inval;
    if (fs.zoned != nullptr) return Errno::OpNotSupp;
    const u64 end = offset + length;
    return change_file(fs, path, [&](Inode& inode) {
        return recorded(
            inode, [&](Ledger& ledger) { return ledger.begin_allocate(inode, end); },
            [&] { return fallocate_range(inode, offset, end); });
    });
}

Result<void> truncate(FsInfo& fs, std::string_view path, u64 size) {
    if (!is_aligned(size, 0)) return Errno::Inval;
    return change_file(fs, path, [&](Inode& inode) {
        return recorded(
            inode, [&](Ledger& ledger) { return ledger.begin_truncate(inode, size); },
            [&] { return setsize(inode, size); });
    });
}

Result<void> dedupe(FsInfo& fs, std::string_view source, u64 source_offset, std::string_view path,
                    u64 offset, u64 length) {
    if (!is_aligned(offset, length) || !is_aligned(source_offset, 0)) return Errno::Inval;
    if (fs.has_error()) return Errno::Rofs;
    return with_inode(fs, source, [&](Inode& from) -> Result<void> {
        return with_inode(fs, path, [&](Inode& to) -> Result<void> {
            if (from.is_dir || to.is_dir) return Errno::IsDir;
            return dedupe_file_range({from, source_offset, length}, {to, offset, length});
        });
    });
}

Result<void> writeback(FsInfo& fs, std::string_view path) {
    return with_inode(fs, path, [](Inode& inode) -> Result<void> {
        static_cast<void>(
            filemap_fdatawrite_range(inode, 0, ~u64{0}));  // the mapping keeps the error for fsync
        return {};
    });
}

Result<void> drop_caches(FsInfo& fs) {
    std::vector<Inode*> cached;
    {
        const sim::SpinGuard guard{fs.dcache_lock};
        fs.dcache_obj.write();
        for (const auto& [key, inode] : fs.inodes) {
            ++inode->refs;
            cached.push_back(inode);
        }
    }
    for (Inode* const inode : cached) {
        invalidate_clean_pages(*inode);
        iput(*inode);
    }
    return {};
}

// ---- reading
// ----------------------------------------------------------------------------------------------------------------------------

namespace {

std::string hex(u64 word) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text = "0x";
    for (int shift = 60; shift >= 0; shift -= 4)
        text += digits[(word >> shift) & 15];
    return text;
}

/// One sector of a file, as it was read.
struct Observation {
    Inode& inode;
    std::string_view path;
    u64 sector = 0, word = 0;
};

void check_word(const Observation& seen, const std::vector<u64>& possible) {
    if (std::find(possible.begin(), possible.end(), seen.word) != possible.end()) return;
    std::string text = std::string(seen.path) + ": offset " +
                       std::to_string(page_offset(seen.sector)) + " reads " + hex(seen.word) +
                       ", possible:";
    for (const u64 word : possible)
        text += " " + hex(word);
    sim::violation("read-returns-what-was-written", text);
}

/// Reads, and compares with what the ledger says of the time since `begin`.
Result<u64> read_and_check(Inode& inode, std::string_view path, u64 offset, u64 end, int expect,
                           u64 begin) {
    const auto words = read_range(inode, offset, end);
    if (!words) return words.error();
    const Ledger::File* const file =
        inode.fs.ledger == nullptr ? nullptr : inode.fs.ledger->find(inode);
    const bool checks = expect >= 0 && (file == nullptr || !file->lost_a_write);
    if (checks) read_returns.count();
    for (std::size_t i = 0; i < words->size() && checks; ++i) {
        const u64 sector = page_index(offset) + i;
        const std::vector<u64> expected{word_of(static_cast<u8>(expect))};
        check_word({inode, path, sector, (*words)[i]},
                   file == nullptr ? expected
                                   : inode.fs.ledger->possible_words(*file, sector, begin));
    }
    return words->size() * sectorsize;
}

}  // namespace

Result<u64> pread(FsInfo& fs, std::string_view path, u64 offset, u64 length, int expect) {
    if (!is_aligned(offset, length)) return Errno::Inval;
    return with_inode(fs, path, [&](Inode& inode) -> Result<u64> {
        if (inode.is_dir) return Errno::IsDir;
        const u64 begin = fs.ledger == nullptr ? 0 : fs.ledger->begin_read();
        const auto result = read_and_check(inode, path, offset, offset + length, expect, begin);
        if (fs.ledger != nullptr) fs.ledger->end_read();
        return result;
    });
}

// ---- durability
// -------------------------------------------------------------------------------------------------------------------------

namespace {

/// Whether the transaction that changed the inode last is on disk. Mirrors skip_inode_logging().
bool is_inode_committed(Inode& inode) {
    u64 last_trans = 0;
    {
        const sim::SpinGuard guard{inode.spin};
        inode.obj.read();
        last_trans = inode.last_trans;
    }
    return last_trans <= inode.fs.last_trans_committed.load();
}

/// Everything of the file is in the trees. @return a handle to commit, or null: it is on disk
/// already
Result<TransHandle*> flush_and_start(Inode& inode) {
    const InodeGuard guard{inode};
    const auto waited = wait_ordered_range(inode, 0, ~u64{0});
    if (!waited) return waited.error();
    if (is_inode_committed(inode)) return static_cast<TransHandle*>(nullptr);
    const auto trans = start_transaction(inode.root, 0);
    if (trans) (*trans)->in_fsync = true;
    return trans;
}

/// Mirrors btrfs_sync_file() when it cannot log.
Result<void> sync_file(Inode& inode) {
    const auto written = filemap_fdatawrite_range(inode, 0, ~u64{0});
    if (!written) return written;
    const auto trans = flush_and_start(inode);
    if (!trans) return trans.error();
    return *trans == nullptr ? Result<void>{} : commit_transaction(*trans);
}

}  // namespace

Result<void> writeback_metadata(FsInfo& fs) {
    btree_writepages(fs);
    return {};
}

Result<void> fsync(FsInfo& fs, std::string_view path) {
    const sim::Scope scope("btrfs_sync_file");
    return with_inode(fs, path, [&](Inode& inode) {
        trace_btrfs_sync_file(inode, path);
        const u64 begin = fs.ledger == nullptr ? 0 : fs.ledger->begin_promise(inode);
        const auto synced = sync_file(inode);
        if (synced) promise(fs, [&](Ledger& ledger) { ledger.promise(inode, begin); });
        return synced;
    });
}

Result<void> sync(FsInfo& fs) {
    const sim::Scope scope("btrfs_sync_fs");
    trace_btrfs_sync_fs(fs, true);
    const u64 begin = fs.ledger == nullptr ? 0 : fs.ledger->begin_promise_all();
    static_cast<void>(start_delalloc_roots(fs));  // what fails stays with its file, for fsync
    wait_ordered_roots(fs, Bytenr(0), ~u64{0});
    const auto trans = attach_transaction_barrier(*fs.tree_root);
    const bool nothing_to_commit = !trans && trans.error() == Errno::NoEnt;
    const auto result = nothing_to_commit ? Result<void>{}
                        : trans           ? commit_transaction(*trans)
                                          : trans.error();
    if (result) promise(fs, [&](Ledger& ledger) { ledger.promise_all(begin); });
    return result;
}

Result<void> commit(FsInfo& fs) {
    const sim::Scope scope("transaction_kthread");
    const auto trans = attach_transaction(*fs.tree_root);
    if (trans) return commit_transaction(*trans);
    return trans.error() == Errno::NoEnt ? Result<void>{} : trans.error();
}

// ---- subvolumes
// -------------------------------------------------------------------------------------------------------------------------

namespace {

/// Runs the creation of a subvolume under the lock of the top-level directory. Mirrors
/// btrfs_mksubvol().
template <class Create> Result<void> mksubvol(FsInfo& fs, std::string_view name, Create&& make) {
    if (fs.has_error()) return Errno::Rofs;
    return with_inode(fs, "", [&](Inode& dir) -> Result<void> {
        const InodeGuard guard{dir};
        const auto created = make();
        if (!created) return created.error();
        promise(fs, [&](Ledger& ledger) { ledger.promise_subvolume(name); });
        return {};
    });
}

/// What the source's files hold is in its tree when the snapshot is taken, and nothing is written
/// in place any more. Mirrors btrfs_mksnapshot().
Result<void> mksnapshot(FsInfo& fs, Root& source, std::string_view name, bool readonly) {
    const sim::Scope scope("btrfs_mksnapshot");
    const auto started = start_delalloc_root(source);
    if (!started) return started;
    source.snapshot_force_cow.inc();
    wait_ordered_extents(source, Bytenr(0), ~u64{0});
    const auto result =
        mksubvol(fs, name, [&] { return create_snapshot(fs, source, name, readonly); });
    source.snapshot_force_cow.dec();
    return result;
}

}  // namespace

Result<void> snapshot(FsInfo& fs, std::string_view source, std::string_view name, bool readonly) {
    return with_inode(fs, source, [&](Inode& inode) -> Result<void> {
        const bool is_subvolume = inode.is_dir && inode.ino == first_free_objectid;
        if (!is_subvolume) return Errno::Inval;
        return mksnapshot(fs, inode.root, name, readonly);
    });
}

Result<void> subvolume_create(FsInfo& fs, std::string_view name) {
    return mksubvol(fs, name, [&] { return create_subvol(fs, name); });
}

// ---- devices
// ----------------------------------------------------------------------------------------------------------------------------

Result<void> scrub_start(FsInfo& fs, std::string_view device) {
    const Device* const dev = find_device_by_name(fs, device);
    if (dev == nullptr) return Errno::NoEnt;
    return scrub_dev(fs, dev->devid, 0, ~u64{0}, false);
}

Result<void> replace_start(FsInfo& fs, std::string_view source, std::string_view target) {
    return dev_replace_by_ioctl(fs, source, target);
}

Result<void> replace_cancel(FsInfo& fs) {
    return dev_replace_cancel(fs);
}

namespace {

/// Where a send writes to. Null: where nothing blocks.
Pipe* open_pipe(FsInfo& fs, std::string_view name) {
    if (name == dev_null) return nullptr;
    if (!name.empty()) return &pipe_by_name(fs, name);
    Pipe* const pipe = sim::make<Pipe>(0);
    sim::current().spawn("receive", sim::Job([pipe] { pipe->drain(); }));
    return pipe;
}

}  // namespace

Result<void> send(FsInfo& fs, std::string_view subvolume, std::string_view parent,
                  std::string_view pipe) {
    Pipe* const into = open_pipe(fs, pipe);
    const auto sent = with_inode(fs, subvolume, [&](Inode& inode) -> Result<void> {
        if (parent.empty()) return model::send(fs, inode.root, nullptr, into);
        return with_inode(fs, parent, [&](Inode& other) -> Result<void> {
            return model::send(fs, inode.root, &other.root, into);
        });
    });
    if (into != nullptr) into->close();
    return sent;
}

Result<void> cat(FsInfo& fs, std::string_view pipe) {
    pipe_by_name(fs, pipe).drain();
    return {};
}

Result<void> resize(FsInfo& fs, std::string_view device, u64 size) {
    return is_aligned(size, 0) ? resize_device(fs, device, size) : Errno::Inval;
}

}  // namespace model::vfs
