// fs/btrfs/send.c: full and incremental sends on commit roots, as kernels from 4.20 on do them: the
// root nodes are cloned. d96b34248c2f (5.17) changed how commit_root_sem is held.
//
// Left out: paths (inodes are named by number), xattrs, permissions and times, orphans, cloning
// from other files of the same subvolume that were not sent yet, holes of files that both snapshots
// have (they are written as zeros), encoded writes, delalloc of the sent roots, letting go
// of commit_root_sem in the middle of a comparison because somebody waits for it (5.17), and the
// stub in current->journal_info with the read lock that it brought (4.19 to 5.13).
#include "model/send.h"

#include <algorithm>
#include <array>
#include <optional>

#include "model/backref.h"
#include "model/ctree.h"
#include "model/disk_io.h"
#include "model/file.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/pipe.h"
#include "model/probes.h"
#include "model/send_stream.h"
#include "sim/hash.h"
#include "sim/trace.h"

namespace model {

SendState::SendState(FsInfo& fs)
    : send_reloc_lock(lock_classes::send_reloc_lock), obj(objects::send_counts, 0, &fs),
      pipes_obj(objects::pipe, 0, &fs) {}

namespace {

const Evaluation stream_equals{"send-stream-equals-snapshot"}, send_completes{"send-completes"};

// ---- items of blocks that nobody locked
// ----------------------------------------------------------

struct ItemBytes {
    const unsigned char* data = nullptr;
    u32 size = 0;
};

/// A block that became another one may say anything: nothing is read from outside it.
ItemBytes committed_item_bytes(const ExtentBuffer& leaf, unsigned slot) {
    read_lockless(leaf);
    const auto head = load<LeafItem>(leaf.data + sizeof(HeaderItem) + slot * sizeof(LeafItem));
    if (sizeof(HeaderItem) + u64{head.offset} + head.size > leaf.len) return {};
    return {leaf.data + sizeof(HeaderItem) + head.offset, head.size};
}

template <class T> T item_as(const ExtentBuffer& leaf, unsigned slot) {
    const ItemBytes bytes = committed_item_bytes(leaf, slot);
    return bytes.size < sizeof(T) ? T{} : load<T>(bytes.data);
}

bool same_bytes(const ItemBytes& a, const ItemBytes& b) {
    return a.size == b.size && std::equal(a.data, a.data + a.size, b.data);
}

/// An item as the comparison stands on it.
struct Place {
    const ExtentBuffer& leaf;
    unsigned slot;
    template <class T> T as() const { return item_as<T>(leaf, slot); }
};

Place item_place(const Path& path) {
    return {*path.nodes[0], path.slots[0]};
}

std::string name_at(const Place& place) {
    const ItemBytes bytes = committed_item_bytes(place.leaf, place.slot);
    if (bytes.size <= sizeof(InodeRefItem)) return {};
    const auto ref = load<InodeRefItem>(bytes.data);
    const u64 length = std::min<u64>(ref.name_len, bytes.size - sizeof(InodeRefItem));
    return {reinterpret_cast<const char*>(bytes.data + sizeof(InodeRefItem)), length};
}

/// From here on the leaf is private.
void clone_leaf(Path& path) {
    ExtentBuffer& clone = clone_extent_buffer(*path.nodes[0]);
    free_extent_buffer(std::exchange(path.nodes[0], &clone));
}

enum class Compared : u8 { New, Deleted, Changed, Same };

// ---- one side of a comparison
// --------------------------------------------------------------------

/// Where the comparison stands in one of the two trees. Only the root node is private; with
/// d96b34248c2f leaves are too.
class Cursor {
  public:
    Cursor(Root& root, bool clones_leaves) : root_(root), clones_leaves_(clones_leaves) {}

    /// commit_root_sem held.
    void start() {
        root_.node_ptr.read();
        ExtentBuffer& clone = clone_extent_buffer(*root_.commit_root);
        level = root_level_ = clone.level();
        path.nodes[level] = &clone;
        generations_[level] = clone.generation();
        sim::note([&] { return "clones the root, block " + std::to_string(clone.start.get()); });
        read_key();
    }
    /// To the next pointer or item: down if allowed. Mirrors tree_advance()
    Result<void> advance(bool down) {
        if (down && level > 0) return move_down();
        move_next();
        return {};
    }
    /// The same key in the commit root of now, which a relocation has changed. commit_root_sem
    /// held.
    Result<void> restart() {
        path.release();
        path.use_commit_root();
        path.lowest_level = level;
        const auto found = search_slot(nullptr, root_, key, path, 0, false);
        path.lowest_level = 0;
        if (!found) return found.error();
        if (!*found) return Errno::UClean;
        root_level_ = level;
        while (root_level_ + 1U < max_level && path.nodes[root_level_ + 1U] != nullptr)
            ++root_level_;
        for (unsigned i = level; i <= root_level_; ++i)
            generations_[i] = path.nodes[i]->generation();
        if (level == 0 && clones_leaves_) clone_leaf(path);
        if (root_level_ == 0) return {};
        ExtentBuffer& clone = clone_extent_buffer(*path.nodes[root_level_]);
        free_extent_buffer(std::exchange(path.nodes[root_level_], &clone));
        return {};
    }
    const ExtentBuffer& node() const { return *path.nodes[level]; }
    unsigned slot() const { return path.slots[level]; }
    /// The first block that became another one while this stood on it, in words; empty: none. For
    /// reports.
    const std::string& lost() const { return lost_; }

    Path path;
    Level level = 0;
    Key key;
    bool ended = false;

  private:
    void look() {
        read_lockless(node());
        if (node().generation() == generations_[level] || !lost_.empty()) return;
        lost_ = "block " + std::to_string(node().start.get()) + " of generation " +
                std::to_string(generations_[level].get()) +
                " that it stood on became another one of generation " +
                std::to_string(node().generation().get());
        sim::note([&] { return lost_; });
    }
    void read_key() {
        look();
        key = node().key(slot());
    }
    Result<void> move_down() {
        const auto child = read_node_slot(*path.nodes[level], slot(), true);
        if (!child) return child.error();
        --level;
        path.nodes[level] = *child;
        path.slots[level] = 0;
        generations_[level] = node().generation();
        sim::note([&] {
            return "stands on block " + std::to_string(node().start.get()) + ", generation " +
                   std::to_string(generations_[level].get());
        });
        if (level == 0 && clones_leaves_) clone_leaf(path);
        read_key();
        return {};
    }
    void move_next() {
        ++path.slots[level];
        for (look(); slot() >= node().nritems(); look()) {
            if (level == root_level_) {
                ended = true;
                if (path.slots[level] > 0) --path.slots[level];
                return read_key();  // what a restart looks for
            }
            free_extent_buffer(std::exchange(path.nodes[level], nullptr));
            path.slots[level] = 0;
            ++level;
            ++path.slots[level];
        }
        read_key();
    }

    Root& root_;
    const bool clones_leaves_;
    Level root_level_ = 0;
    std::array<Transid, max_level> generations_{};  // as each level was come to
    std::string lost_;
};

// ---- one send
// ------------------------------------------------------------------------------------

/// What is said of the inode that the walk is at.
struct CurrentInode {
    u64 ino = 0;
    bool is_new = false, deleted = false, is_dir = false;
    u64 size = 0;
    u64 sent_until = 0;  // end of the last extent
};

/// A place with the same data: in the parent, or in what was sent.
struct CloneSource {
    bool from_parent = false;
    u64 ino = 0, offset = 0;
};

/// A file extent and what of it is to be sent.
struct ExtentToSend {
    u64 offset, length;
    FileExtentItem item;
};

std::shared_ptr<const SubvolumeContent> content_of(const Root* root) {
    return sim::current().once<SubvolumeContent>(
        [&] { return root == nullptr ? SubvolumeContent{} : peek_subvolume(*root); });
}

class Send {
  public:
    Send(FsInfo& fs, Root& root, Root* parent, Pipe* pipe)
        : fs_(fs), root_(root), parent_(parent), pipe_(pipe),
          holds_sem_(fs.has(fix::send_beside_relocation)),
          clones_leaves_(holds_sem_ && !fs.has(fix::send_keeps_leaf)), expected_(content_of(&root)),
          parent_content_(content_of(parent)), first_message_(sim::current().messages().size()) {}

    Result<void> run();
    /// What must hold of a send that has ended.
    void judge(const Result<void>& result) const;

  private:
    Result<void> send_full();
    Result<void> search_leaf(Path& path, const Key& key);
    Result<bool> next_item_of(Path& path);
    Result<bool> clone_next_leaf(Path& path);
    Result<void> compare();
    Result<void> compare_round(Cursor& left, Cursor& right);
    Result<void> compare_items(Cursor& left, Cursor& right);
    Result<void> restart_if_relocated(Cursor& left, Cursor& right);
    bool relocated_since();

    Result<void> changed(Compared result, const Key& key, const Place* left, const Place* right);
    Result<void> changed_without_sem(Compared result, const Key& key, const Place* left,
                                     const Place* right);
    void changed_inode(Compared result, const Key& key, const Place* left);
    void changed_ref(Compared result, const Key& key, const Place* left, const Place* right);
    Result<void> changed_extent(Compared result, const Key& key, const Place* left);
    Result<void> process_extent(const Key& key, const FileExtentItem& item);
    void send_hole(u64 end);
    Result<void> send_write(const ExtentToSend& extent);
    void finish_inode();

    Result<std::optional<CloneSource>> find_extent_clone(const ExtentToSend& extent);
    Result<void> iterate_extent(u64 logical, const ExtentToSend& extent, bool& found_itself,
                                std::optional<CloneSource>& source);
    Result<void> iterate_leaf(u64 leaf, const CommittedExtent& of, u64 position,
                              const ExtentToSend& extent, bool& found_itself,
                              std::optional<CloneSource>& source);

    void emit(SendCommand command) {
        if (pipe_ != nullptr) pipe_->write(command.size());
        stream_.push_back(std::move(command));
    }
    std::string last_error() const;
    std::string failure_kind(Errno error) const;

    FsInfo& fs_;
    Root& root_;
    Root* const parent_;
    Pipe* const pipe_;
    const bool holds_sem_, clones_leaves_;  // d96b34248c2f
    std::vector<SendCommand> stream_;
    CurrentInode current_;
    u64 last_reloc_trans_ = 0;
    std::string lost_;  // Cursor::lost()
    const std::shared_ptr<const SubvolumeContent> expected_, parent_content_;
    const std::size_t first_message_;
};

Result<void> Send::run() {
    const auto result = parent_ == nullptr ? send_full() : compare();
    if (result) finish_inode();
    return result;
}

// ---- full
// ----------------------------------------------------------------------------------------

/// commit_root_sem held. @return whether a relocation has been committed since the last look
bool Send::relocated_since() {
    const u64 last = fs_.reloc.last_reloc_trans.get();
    const bool relocated = std::exchange(last_reloc_trans_, last) < last;
    return relocated && !fs_.has(fix::send_never_restarts);
}

Result<void> Send::search_leaf(Path& path, const Key& key) {
    path.release();
    if (holds_sem_) fs_.commit_root_sem.down_read();
    const auto found = search_slot(nullptr, root_, key, path, 0, false);
    if (clones_leaves_ && found) clone_leaf(path);
    if (holds_sem_) fs_.commit_root_sem.up_read();
    if (!found) return found.error();
    return *found ? Result<void>{} : Errno::UClean;
}

Result<bool> Send::clone_next_leaf(Path& path) {
    const sim::ReadGuard guard(fs_.commit_root_sem);
    const auto more = next_leaf(root_, path);
    if (clones_leaves_ && more && *more) clone_leaf(path);
    return more;
}

Result<bool> Send::next_item_of(Path& path) {
    sim::current().yield();
    read_lockless(*path.nodes[0]);
    if (++path.slots[0] < path.nodes[0]->nritems()) return true;
    return holds_sem_ ? clone_next_leaf(path) : next_leaf(root_, path);
}

/// Mirrors full_send_tree()
Result<void> Send::send_full() {
    const sim::Scope scope("full_send_tree");
    if (holds_sem_) {
        const sim::ReadGuard guard(fs_.commit_root_sem);
        relocated_since();
    }
    Path path;
    path.use_commit_root();
    path.need_commit_sem = !holds_sem_;
    if (const auto found = search_leaf(path, {first_free_objectid, inode_item_key, 0}); !found)
        return found;
    for (;;) {
        read_lockless(*path.nodes[0]);
        const Key key = path.key();
        const Place place = item_place(path);
        if (const auto sent = changed(Compared::New, key, &place, nullptr); !sent) return sent;
        if (holds_sem_) {
            fs_.commit_root_sem.down_read();
            const bool relocated = relocated_since();
            fs_.commit_root_sem.up_read();
            if (relocated)
                if (const auto found = search_leaf(path, key); !found) return found;
        }
        const auto more = next_item_of(path);
        if (!more) return more.error();
        if (!*more) return {};
    }
}

// ---- incremental
// ---------------------------------------------------------------------------------

/// Mirrors restart_after_relocation()
Result<void> Send::restart_if_relocated(Cursor& left, Cursor& right) {
    if (!relocated_since()) return {};
    sim::note([] { return "begins again in the relocated trees"; });
    for (Cursor* const cursor : {&left, &right})
        if (const auto restarted = cursor->restart(); !restarted) return restarted;
    return {};
}

/// Both stand on items.
Result<void> Send::compare_items(Cursor& left, Cursor& right) {
    const Place ours = item_place(left.path), theirs = item_place(right.path);
    Result<void> sent;
    const bool both = left.key == right.key;
    const bool left_first = left.key < right.key;
    if (both) {
        const bool same = same_bytes(committed_item_bytes(ours.leaf, ours.slot),
                                     committed_item_bytes(theirs.leaf, theirs.slot));
        sent = changed(same ? Compared::Same : Compared::Changed, left.key, &ours, &theirs);
    } else if (left_first) {
        sent = changed(Compared::New, left.key, &ours, nullptr);
    } else {
        sent = changed(Compared::Deleted, right.key, nullptr, &theirs);
    }
    if (!sent) return sent;
    if (holds_sem_)
        if (const auto restarted = restart_if_relocated(left, right); !restarted) return restarted;
    if (both || left_first)
        if (const auto moved = left.advance(true); !moved) return moved;
    if (both || !left_first) return right.advance(true);
    return {};
}

/// Mirrors one round of btrfs_compare_trees()
Result<void> Send::compare_round(Cursor& left, Cursor& right) {
    if (left.ended || right.ended) {
        Cursor& open = left.ended ? right : left;
        if (open.level == 0) {
            const Place place = item_place(open.path);
            const auto sent = left.ended ? changed(Compared::Deleted, open.key, nullptr, &place)
                                         : changed(Compared::New, open.key, &place, nullptr);
            if (!sent) return sent;
            if (holds_sem_)
                if (const auto restarted = restart_if_relocated(left, right); !restarted)
                    return restarted;
        }
        return open.advance(true);
    }
    if (left.level == 0 && right.level == 0) return compare_items(left, right);
    if (left.level != right.level)
        return left.level > right.level ? left.advance(true) : right.advance(true);
    if (left.key != right.key)
        return left.key < right.key ? left.advance(true) : right.advance(true);
    read_lockless(left.node());
    read_lockless(right.node());
    const bool shared =
        left.node().blockptr(left.slot()) == right.node().blockptr(right.slot()) &&
        left.node().ptr_generation(left.slot()) == right.node().ptr_generation(right.slot());
    if (const auto moved = left.advance(!shared); !moved) return moved;
    return right.advance(!shared);
}

/// Mirrors btrfs_compare_trees()
Result<void> Send::compare() {
    const sim::Scope scope("btrfs_compare_trees");
    Cursor left(root_, clones_leaves_), right(*parent_, clones_leaves_);
    fs_.commit_root_sem.down_read();
    relocated_since();
    left.start();
    right.start();
    if (!holds_sem_) fs_.commit_root_sem.up_read();
    Result<void> result;
    while (result && !(left.ended && right.ended)) {
        if (!holds_sem_) sim::current().yield();
        result = compare_round(left, right);
    }
    if (holds_sem_) fs_.commit_root_sem.up_read();
    lost_ = left.lost().empty() ? right.lost() : left.lost();
    return result;
}

// ---- what changed
// --------------------------------------------------------------------------------

/// The pipe may wait for a reader that waits for a commit, which waits for the semaphore: it is
/// never held here.
Result<void> Send::changed(Compared result, const Key& key, const Place* left, const Place* right) {
    const bool holds = holds_sem_ && parent_ != nullptr;
    if (holds) fs_.commit_root_sem.up_read();
    const auto done = changed_without_sem(result, key, left, right);
    if (holds) fs_.commit_root_sem.down_read();
    return done;
}

/// Mirrors changed_cb()
Result<void> Send::changed_without_sem(Compared result, const Key& key, const Place* left,
                                       const Place* right) {
    if (key.objectid < first_free_objectid || key.objectid > last_free_objectid) return {};
    if (key.objectid != current_.ino) finish_inode();
    if (key.type == inode_item_key) {
        changed_inode(result, key, left);
        return {};
    }
    // An item may differ whose inode does not: its data was moved.
    if (key.objectid != current_.ino || current_.deleted) return {};
    if (key.type == inode_ref_key) changed_ref(result, key, left, right);
    if (key.type == extent_data_key) return changed_extent(result, key, left);
    return {};
}

void Send::changed_inode(Compared result, const Key& key, const Place* left) {
    if (result == Compared::Same) return;
    current_ = {.ino = key.objectid,
                .is_new = result == Compared::New,
                .deleted = result == Compared::Deleted};
    if (current_.deleted) {
        emit({.kind = SendCommand::Kind::Delete, .ino = key.objectid});
        return;
    }
    const auto item = left->as<InodeItem>();
    current_.is_dir = (item.mode & 0170000) == 0040000;
    current_.size = item.size;
    if (current_.is_new)
        emit({.kind = SendCommand::Kind::Create, .ino = key.objectid, .is_dir = current_.is_dir});
}

void Send::changed_ref(Compared result, const Key& key, const Place* left, const Place* right) {
    const auto name = [&](SendCommand::Kind kind, const Place& place) {
        emit({.kind = kind, .ino = key.objectid, .offset = key.offset, .name = name_at(place)});
    };
    if (result == Compared::Deleted || result == Compared::Changed)
        name(SendCommand::Kind::Unlink, *right);
    if (result == Compared::New || result == Compared::Changed)
        name(SendCommand::Kind::Link, *left);
}

Result<void> Send::changed_extent(Compared result, const Key& key, const Place* left) {
    if (result == Compared::Deleted) return {};
    const auto item = left->as<FileExtentItem>();
    const bool has_data = item.type == file_extent_reg && item.disk_bytenr != 0;
    if (!has_data) return {};
    if (!current_.is_new) send_hole(key.offset);
    current_.sent_until = key.offset + item.num_bytes;
    return result == Compared::Same ? Result<void>{} : process_extent(key, item);
}

/// Zeros up to `end`, where the parent may have had data.
void Send::send_hole(u64 end) {
    if (end <= current_.sent_until || end > current_.size) return;
    const u64 start = std::exchange(current_.sent_until, end);
    emit({.kind = SendCommand::Kind::Write,
          .ino = current_.ino,
          .offset = start,
          .length = end - start,
          .words = std::vector<u64>((end - start) / sectorsize)});
}

void Send::finish_inode() {
    if (current_.ino != 0 && !current_.deleted && !current_.is_dir) {
        if (!current_.is_new) send_hole(current_.size);
        emit({.kind = SendCommand::Kind::Truncate, .ino = current_.ino, .length = current_.size});
    }
    current_ = {};
}

/// Mirrors process_extent() and send_write_or_clone()
Result<void> Send::process_extent(const Key& key, const FileExtentItem& item) {
    const sim::Scope scope("process_extent");
    if (key.offset >= current_.size) return {};
    const ExtentToSend extent{key.offset, std::min(u64{item.num_bytes}, current_.size - key.offset),
                              item};
    const auto source = find_extent_clone(extent);
    if (!source) return source.error();
    if (!*source) return send_write(extent);
    emit({.kind = SendCommand::Kind::Clone,
          .ino = current_.ino,
          .offset = extent.offset,
          .length = extent.length,
          .from_parent = (*source)->from_parent,
          .clone_ino = (*source)->ino,
          .clone_offset = (*source)->offset});
    return {};
}

/// The data comes through the file, whose tree is the current one.
Result<void> Send::send_write(const ExtentToSend& extent) {
    const auto inode = iget(fs_, root_, current_.ino);
    if (!inode) return inode.error();
    auto words = read_range(**inode, extent.offset, extent.offset + extent.length);
    iput(**inode);
    if (!words) return words.error();
    emit({.kind = SendCommand::Kind::Write,
          .ino = current_.ino,
          .offset = extent.offset,
          .length = extent.length,
          .words = std::move(*words)});
    return {};
}

// ---- clones
// --------------------------------------------------------------------------------------

/// Every item of a leaf of the commit roots that has the byte of the extent. Mirrors what
/// iterate_extent_inodes() does for one leaf, with __iterate_backrefs()
Result<void> Send::iterate_leaf(u64 leaf, const CommittedExtent& of, u64 position,
                                const ExtentToSend& extent, bool& found_itself,
                                std::optional<CloneSource>& source) {
    const auto roots = roots_of_block(fs_, leaf);
    if (!roots) return roots.error();
    const auto block = read_tree_block(fs_, Bytenr(leaf), {});
    if (!block) return block.error();
    const ExtentBuffer& eb = **block;
    read_lockless(eb);
    for (unsigned slot = 0; slot < eb.nritems(); ++slot) {
        const Key key = eb.key(slot);
        if (key.type != extent_data_key) continue;
        const auto item = item_as<FileExtentItem>(eb, slot);
        if (item.type != file_extent_reg || item.disk_bytenr != of.start.get()) continue;
        if (position < item.offset || position >= item.offset + item.num_bytes) continue;
        const u64 offset = key.offset + position - item.offset;
        for (const u64 id : *roots) {
            const bool here = id == root_.objectid;
            const bool in_parent = parent_ != nullptr && id == parent_->objectid;
            if (here && key.objectid == current_.ino && offset == extent.offset)
                found_itself = true;
            const bool whole = offset + extent.length <= key.offset + item.num_bytes;
            if (in_parent && whole) source = CloneSource{true, key.objectid, offset};
        }
    }
    free_extent_buffer(*block);
    return {};
}

/// commit_root_sem held.
Result<void> Send::iterate_extent(u64 logical, const ExtentToSend& extent, bool& found_itself,
                                  std::optional<CloneSource>& source) {
    const auto found = committed_extent_at(fs_, logical);
    if (!found) return found.error();
    if (!*found) return {};
    const CommittedExtent& of = **found;
    std::vector<u64> leaves;
    for (const CommittedExtent::Ref& ref : of.refs) {
        if (ref.key.type == shared_data_ref_key) leaves.push_back(ref.key.parent);
        if (ref.key.type != extent_data_ref_key) continue;
        const auto root = get_fs_root(fs_, ref.key.root);
        if (!root) continue;
        const auto more = leaves_of_data_ref(**root, ref.key, of.start);
        if (!more) return more.error();
        leaves.insert(leaves.end(), more->begin(), more->end());
    }
    const u64 position = logical - of.start.get();
    for (const u64 leaf : leaves)
        if (const auto done = iterate_leaf(leaf, of, position, extent, found_itself, source); !done)
            return done;
    return {};
}

/// Between the two looks at the extent tree the semaphore is not held: a commit may come.
Result<std::optional<CloneSource>> Send::find_extent_clone(const ExtentToSend& extent) {
    const sim::Scope scope("find_extent_clone");
    const u64 logical = extent.item.disk_bytenr + extent.item.offset;
    Result<std::optional<CommittedExtent>> found = std::optional<CommittedExtent>();
    {
        const sim::ReadGuard guard(fs_.commit_root_sem);
        found = committed_extent_at(fs_, logical);
    }
    if (!found) return found.error();
    if (!*found) return std::optional<CloneSource>();
    if (!(*found)->is_data()) return Errno::IO;
    const u64 found_extent = (*found)->start.get();
    bool found_itself = false;
    std::optional<CloneSource> source;
    {
        const sim::ReadGuard guard(fs_.commit_root_sem);
        const auto iterated = iterate_extent(logical, extent, found_itself, source);
        if (!iterated) return iterated.error();
    }
    if (holds_sem_ && !fs_.has(fix::send_trusts_backrefs)) {
        const sim::ReadGuard guard(fs_.commit_root_sem);
        if (fs_.reloc.last_reloc_trans.get() > last_reloc_trans_)
            return std::optional<CloneSource>();
    }
    if (found_itself) return source;
    fs_.message("error",
                "did not find backref in send_root. inode=" + std::to_string(current_.ino) +
                    ", offset=" + std::to_string(extent.offset) +
                    ", disk_byte=" + std::to_string(extent.item.disk_bytenr) +
                    " found extent=" + std::to_string(found_extent));
    return Errno::IO;
}

// ---- the end
// -------------------------------------------------------------------------------------

bool device_failed(const FsInfo& fs) {
    return std::ranges::any_of(fs.fs_devices.all_devices, [](const Device* device) {
        return device->write_errors + device->read_errors + device->flush_errors > 0;
    });
}

/// What the kernel said since the send began tells which check stopped it.
std::string Send::failure_kind(Errno error) const {
    const auto& messages = sim::current().messages();
    const auto said = [&](std::string_view text) {
        return std::any_of(
            messages.begin() + static_cast<std::ptrdiff_t>(first_message_), messages.end(),
            [&](const std::string& message) { return message.find(text) != std::string::npos; });
    };
    if (said("did not find backref in send_root")) return "no-backref";
    if (said("parent transid verify failed")) return "transid";
    return errno_name(error);
}

/// The last error that the kernel has reported since the send began, as ": ...".
std::string Send::last_error() const {
    const auto& messages = sim::current().messages();
    const auto since = messages.rend() - static_cast<std::ptrdiff_t>(first_message_);
    const auto found = std::find_if(messages.rbegin(), since, [](const std::string& message) {
        return message.starts_with("BTRFS error");
    });
    return found == since ? "" : ": " + *found;
}

void Send::judge(const Result<void>& result) const {
    if (fs_.has_error() || device_failed(fs_)) return;
    send_completes.count();
    if (!result) {
        sim::violation("send-completes/" + failure_kind(result.error()),
                       "the send of tree " + std::to_string(root_.objectid) + " fails with E" +
                           errno_name(result.error()) + last_error());
        return;
    }
    stream_equals.count();
    const std::string problem = difference(*expected_, receive(stream_, *parent_content_));
    if (problem.empty()) return;
    sim::violation("send-stream-equals-snapshot",
                   "the stream of tree " + std::to_string(root_.objectid) + ": " + problem +
                       (lost_.empty() ? "" : "; " + lost_));
}

// ---- exclusion
// -----------------------------------------------------------------------------------

bool is_uptodate(const Root* root) {
    if (root == nullptr) return true;
    root->node_ptr.read();
    return root->node == root->commit_root;
}

/// The trees as they stand are what is committed. Somebody else's commit may have seen to it by the
/// time the transaction is joined. Mirrors ensure_commit_roots_uptodate()
Result<void> ensure_commit_roots_uptodate(Root& root, const Root* parent) {
    const auto are_uptodate = [&] { return is_uptodate(parent) && is_uptodate(&root); };
    if (are_uptodate()) return {};
    const auto trans = join_transaction(root);
    if (!trans) return trans.error();
    return are_uptodate() ? end_transaction(*trans) : commit_transaction(*trans);
}

Result<void> begin_beside_balance(FsInfo& fs) {
    const sim::MutexGuard guard(fs.balance.balance_mutex);
    if (fs.flags.test(fs_flag::balance_running)) {
        fs.message("warning", "cannot run send because a balance operation is in progress");
        return Errno::Again;
    }
    if (fs.has(fix::send_checks_then_counts)) {
        fs.balance.balance_mutex.unlock();
        fs.balance.balance_mutex.lock();
    }
    fs.send.obj.write();
    ++fs.send.in_progress;
    return {};
}

Result<void> begin_beside_relocation(FsInfo& fs) {
    {
        const sim::SpinGuard guard(fs.send.send_reloc_lock);
        fs.send.obj.write();
        if (!fs.flags.test(fs_flag::reloc_running)) {
            ++fs.send.in_progress;
            return {};
        }
    }
    fs.message("warning", "cannot run send because a relocation operation is in progress");
    return Errno::Again;
}

Result<void> begin_send(FsInfo& fs) {
    if (fs.has(fix::send_exclusive_op)) {
        u32 none = exclop::none;
        if (!fs.dev_replace.exclusive_operation.compare_exchange(none, exclop::send))
            return Errno::InProgress;
        return {};
    }
    if (fs.has(fix::send_excludes_balance)) return begin_beside_balance(fs);
    if (fs.has(fix::send_excludes_relocation)) return begin_beside_relocation(fs);
    return {};
}

void end_send(FsInfo& fs) {
    if (fs.has(fix::send_exclusive_op)) {
        fs.dev_replace.exclusive_operation.store(exclop::none);
    } else if (fs.has(fix::send_excludes_balance)) {
        const sim::MutexGuard guard(fs.balance.balance_mutex);
        fs.send.obj.write();
        --fs.send.in_progress;
    } else if (fs.has(fix::send_excludes_relocation)) {
        const sim::SpinGuard guard(fs.send.send_reloc_lock);
        fs.send.obj.write();
        --fs.send.in_progress;
    }
}

}  // namespace

namespace {

/// Its roots are counted as sent.
Result<void> send_counted(FsInfo& fs, Root& root, Root* parent, Pipe* pipe) {
    if (const auto committed = ensure_commit_roots_uptodate(root, parent); !committed)
        return committed;
    if (const auto begun = begin_send(fs); !begun) return begun;
    Send job(fs, root, parent, pipe);
    const auto result = job.run();
    end_send(fs);
    job.judge(result);
    return result;
}

}  // namespace

Result<void> send(FsInfo& fs, Root& root, Root* parent, Pipe* pipe) {
    const sim::Scope scope("btrfs_ioctl_send");
    if (!root.is_readonly() || (parent != nullptr && !parent->is_readonly())) return Errno::Perm;
    if (const auto counted = begin_send_of(root); !counted) return counted;
    Result<void> result = parent == nullptr ? Result<void>{} : begin_send_of(*parent);
    if (result) {
        result = send_counted(fs, root, parent, pipe);
        if (parent != nullptr) end_send_of(*parent);
    }
    end_send_of(root);
    return result;
}

Pipe& pipe_by_name(FsInfo& fs, std::string_view name) {
    sim::current().order(fs.send.pipes_obj, sim::AccessKind::Insert, sim::hash_text(name));
    Pipe*& pipe = fs.send.pipes[String(name)];
    if (pipe == nullptr) pipe = sim::make<Pipe>(sim::hash_text(name));
    return *pipe;
}

Result<void> check_no_send(FsInfo& fs) {
    if (!fs.has(fix::send_excludes_balance)) return {};
    fs.send.obj.read();
    if (fs.send.in_progress == 0) return {};
    fs.message("warning", "cannot run balance while send operations are in progress (" +
                              std::to_string(fs.send.in_progress) + " in progress)");
    return Errno::Again;
}

Result<void> reloc_chunk_start(FsInfo& fs) {
    if (!fs.has(fix::send_excludes_relocation)) {
        fs.flags.set_bit(fs_flag::reloc_running);
        return {};
    }
    u32 sends = 0;
    {
        const sim::SpinGuard guard(fs.send.send_reloc_lock);
        fs.send.obj.read();
        sends = fs.send.in_progress;
        if (sends == 0) fs.flags.set_bit(fs_flag::reloc_running);
    }
    if (sends == 0) return {};
    fs.message("warning", "cannot run relocation while send operations are in progress (" +
                              std::to_string(sends) + " in progress)");
    return Errno::Again;
}

void reloc_chunk_end(FsInfo& fs) {
    if (!fs.has(fix::send_excludes_relocation)) return fs.flags.clear_bit(fs_flag::reloc_running);
    const sim::SpinGuard guard(fs.send.send_reloc_lock);
    fs.flags.clear_bit(fs_flag::reloc_running);
}

}  // namespace model
