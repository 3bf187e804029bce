// Mirrors the part of fs/btrfs/extent-tree.c, 6.1, that carries one queued reference into the
// extent tree: the insertion of extent items, __btrfs_inc_extent_ref(), __btrfs_free_extent() and
// run_delayed_extent_op().
//
// Left out: extent items of tree blocks without SKINNY_METADATA, the free space tree, and the
// squota owner of 6.7.
#include <cstring>
#include <optional>

#include "model/ctree.h"
#include "model/extent_backref.h"
#include "model/extent_tree.h"
#include "model/file_item.h"
#include "model/fs_info.h"
#include "model/tracepoints.h"
#include "sim/trace.h"

namespace model {
namespace {

/// The extent whose item a reference is about.
struct Target {
    Bytenr bytenr;
    u64 num_bytes;
    Key key;  // of its item: with the reference's own idea of the level
};

Target target_of(const DelayedRefHead& head, const DelayedRefNode& node) {
    const Bytenr bytenr(head.bytenr);
    if (is_data_ref(node.key.type))
        return {bytenr, head.num_bytes, {head.bytenr, extent_item_key, head.num_bytes}};
    return {bytenr, head.num_bytes, {head.bytenr, metadata_item_key, node.level}};
}

std::span<const unsigned char> locked_item_bytes(const Path& path) {
    const ExtentBuffer& leaf = *path.nodes[0];
    leaf.content.read();
    return {leaf.item_data(path.slots[0]), leaf.item_size(path.slots[0])};
}

void apply(const ExtentOp& op, ExtentItem& item) {
    if (op.present) item.flags |= op.flags;
}

std::string describe_ref(const DelayedRefNode& node) {
    return "parent " + std::to_string(node.key.parent) + " root " + std::to_string(node.ref_root);
}

// ---- new extents
// ---------------------------------------------------------------------------------------------------------

/// Mirrors alloc_reserved_tree_block() and alloc_reserved_file_extent().
Result<void> insert_extent(TransHandle& trans, const Target& target, const DelayedRefNode& node,
                           const ExtentOp& op) {
    const bool data = is_data_ref(node.key.type);
    const u32 size = static_cast<u32>(sizeof(ExtentItem)) + inline_ref_size(node.key.type);
    {
        Path path;
        const auto inserted =
            insert_empty_item(trans, *trans.fs.extent_root, path, target.key, size);
        if (!inserted) return inserted;
        ExtentItem item{.refs = node.ref_mod,
                        .generation = trans.transid.get(),
                        .flags = data ? extent_flag_data : extent_flag_tree_block};
        apply(op, item);
        write_item(path, item);
        store_inline_ref(path.nodes[0]->item_data(path.slots[0]) + sizeof(ExtentItem), node.key,
                         node.ref_mod);
    }
    sim::note([&] { return "inserts the item of extent " + std::to_string(target.bytenr.get()); });
    const auto updated = update_block_group(trans, target.bytenr, target.num_bytes, true);
    trace_btrfs_reserved_extent_alloc(trans.fs, target.bytenr, target.num_bytes);
    return updated;
}

// ---- keyed references
// ----------------------------------------------------------------------------------------------------

bool same_data_ref(const ExtentDataRef& item, const RefKey& key) {
    return item.root == key.root && item.objectid == key.objectid && item.offset == key.offset;
}

/// A data reference whose hash was taken is one key further. @return whether the path stands on it
Result<bool> lookup_keyed_ref(TransHandle& trans, Path& path, Bytenr bytenr, const RefKey& ref) {
    Root& root = *trans.fs.extent_root;
    for (Key key = keyed_ref_key(bytenr, ref);; ++key.offset) {
        path.release();
        const auto found = search_slot(&trans, root, key, path, -1, true);
        if (!found) return found.error();
        if (!*found) return false;
        if (ref.type != extent_data_ref_key || same_data_ref(read_item<ExtentDataRef>(path), ref))
            return true;
    }
}

/// The item that is there already counts up, or belongs to another reference with the same hash.
Result<bool> add_to_keyed_ref(TransHandle& trans, const Key& key, const RefKey& ref, u32 count) {
    Path path;
    const auto found = search_slot(&trans, *trans.fs.extent_root, key, path, 0, true);
    if (!found) return found.error();
    if (ref.type == shared_data_ref_key) {
        auto item = read_item<SharedDataRef>(path);
        item.count += count;
        write_item(path, item);
        return true;
    }
    auto item = read_item<ExtentDataRef>(path);
    if (!same_data_ref(item, ref)) return false;
    item.count += count;
    write_item(path, item);
    return true;
}

/// Mirrors insert_tree_block_ref() and insert_extent_data_ref().
Result<void> insert_keyed_ref(TransHandle& trans, Bytenr bytenr, const RefKey& ref, u32 count) {
    unsigned char body[sizeof(ExtentDataRef)];
    u32 size = 0;
    if (ref.type == extent_data_ref_key) {
        store(body, ExtentDataRef{ref.root, ref.objectid, ref.offset, count});
        size = sizeof(ExtentDataRef);
    } else if (ref.type == shared_data_ref_key) {
        store(body, SharedDataRef{count});
        size = sizeof(SharedDataRef);
    }
    for (Key key = keyed_ref_key(bytenr, ref);; ++key.offset) {
        const auto inserted = insert_item(trans, *trans.fs.extent_root, key, {body, size});
        if (inserted || inserted.error() != Errno::Exist || !is_data_ref(ref.type)) return inserted;
        const auto added = add_to_keyed_ref(trans, key, ref, count);
        if (!added) return added.error();
        if (*added) return {};
    }
}

/// Counts the keyed reference at the path down, or deletes it.
Result<void> drop_keyed_ref(TransHandle& trans, Path& path, const RefKey& ref, u32 count) {
    Root& root = *trans.fs.extent_root;
    if (ref.type == extent_data_ref_key) {
        auto item = read_item<ExtentDataRef>(path);
        if (item.count <= count) return del_item(trans, root, path);
        item.count -= count;
        write_item(path, item);
    } else if (ref.type == shared_data_ref_key) {
        auto item = read_item<SharedDataRef>(path);
        if (item.count <= count) return del_item(trans, root, path);
        item.count -= count;
        write_item(path, item);
    } else {
        return del_item(trans, root, path);
    }
    return {};
}

// ---- one more reference
// --------------------------------------------------------------------------------------------------

/// The item after the path's slot; the path has kept its locks. Mirrors find_next_key().
std::optional<Key> find_next_key(const Path& path) {
    for (unsigned level = 0; level < max_level && path.nodes[level] != nullptr; ++level)
        if (path.slots[level] + 1 < path.nodes[level]->nritems())
            return path.nodes[level]->key(path.slots[level] + 1);
    return std::nullopt;
}

/// A reference goes inline if it fits and no reference of the extent is an item of its own.
bool fits_inline(const FsInfo& fs, const Path& path, const Target& target, u32 item_size,
                 u32 extra) {
    if (item_size + extra >= max_extent_item_size(fs.nodesize)) return false;
    const auto next = find_next_key(path);
    return !next || next->objectid != target.bytenr.get() || next->type >= block_group_item_key;
}

/// Mirrors setup_inline_extent_backref().
void insert_inline_ref(Path& path, u32 offset, const DelayedRefNode& node, const ExtentOp& op) {
    const u32 size = inline_ref_size(node.key.type);
    auto item = read_item<ExtentItem>(path);
    item.refs += node.ref_mod;
    apply(op, item);
    extend_item(path, size);
    write_item(path, item);
    ExtentBuffer& leaf = *path.nodes[0];
    unsigned char* const data = leaf.item_data(path.slots[0]);
    std::memmove(data + offset + size, data + offset,
                 leaf.item_size(path.slots[0]) - size - offset);
    store_inline_ref(data + offset, node.key, node.ref_mod);
}

/// Mirrors update_inline_extent_backref(): counts up or down, or takes the reference out of the
/// item.
void change_inline_ref(Path& path, u32 offset, std::int64_t mod, const ExtentOp& op) {
    const InlineRef ref = parse_inline_ref(locked_item_bytes(path), offset);
    auto item = read_item<ExtentItem>(path);
    item.refs += static_cast<u64>(mod);
    apply(op, item);
    write_item(path, item);
    ExtentBuffer& leaf = *path.nodes[0];
    unsigned char* const data = leaf.item_data(path.slots[0]);
    const std::int64_t count = std::int64_t{ref.count} + mod;
    if (count > 0) {
        store_inline_ref(data + offset, ref.key, static_cast<u32>(count));
        return;
    }
    const u32 size = leaf.item_size(path.slots[0]);
    std::memmove(data + offset, data + offset + ref.size, size - offset - ref.size);
    truncate_item(path, size - ref.size, true);
}

Errno extent_item_missing(FsInfo& fs, const Target& target, const DelayedRefNode& node) {
    fs.message("error", "extent item not found for insert, bytenr " +
                            std::to_string(target.bytenr.get()) + " num_bytes " +
                            std::to_string(target.num_bytes) + " parent " +
                            std::to_string(node.key.parent) + " root_objectid " +
                            std::to_string(node.ref_root) + " owner " + std::to_string(node.owner) +
                            " offset " + std::to_string(node.owner_offset));
    return Errno::UClean;
}

Errno tree_ref_exists(FsInfo& fs, const Target& target, const DelayedRefNode& node) {
    fs.message("critical", "adding refs to an existing tree ref, bytenr " +
                               std::to_string(target.bytenr.get()) + " num_bytes " +
                               std::to_string(target.num_bytes) + " root_objectid " +
                               std::to_string(node.ref_root));
    return Errno::UClean;
}

/// Mirrors insert_inline_extent_backref(). @return false: the reference must become an item of its
/// own, and is counted already
Result<bool> inc_inline_ref(TransHandle& trans, const Target& target, const DelayedRefNode& node,
                            const ExtentOp& op) {
    FsInfo& fs = trans.fs;
    Path path;
    path.keep_locks = true;  // no reference item may appear behind the extent item
    const u32 extra = inline_ref_size(node.key.type);
    const auto found =
        search_slot(&trans, *fs.extent_root, target.key, path, static_cast<int>(extra), true);
    if (!found) return found.error();
    if (!*found) return extent_item_missing(fs, target, node);
    const auto item = locked_item_bytes(path);
    const InlinePosition at = find_inline_ref(item, node.key);
    if (at.found && !is_data_ref(node.key.type)) return tree_ref_exists(fs, target, node);
    if (at.found) {
        change_inline_ref(path, at.offset, node.ref_mod, op);
        return true;
    }
    if (fits_inline(fs, path, target, static_cast<u32>(item.size()), extra)) {
        insert_inline_ref(path, at.offset, node, op);
        return true;
    }
    auto head = read_item<ExtentItem>(path);
    head.refs += node.ref_mod;
    apply(op, head);
    write_item(path, head);
    return false;
}

/// Mirrors __btrfs_inc_extent_ref().
Result<void> inc_extent_ref(TransHandle& trans, const Target& target, const DelayedRefNode& node,
                            const ExtentOp& op) {
    const auto inlined = inc_inline_ref(trans, target, node, op);
    if (!inlined) return inlined.error();
    if (*inlined) return {};
    const auto inserted = insert_keyed_ref(trans, target.bytenr, node.key, node.ref_mod);
    if (!inserted) abort_transaction(trans, inserted.error(), "__btrfs_inc_extent_ref");
    return inserted;
}

// ---- one reference less
// --------------------------------------------------------------------------------------------------

constexpr const char* free_extent_name = "__btrfs_free_extent";

Errno abort_free(TransHandle& trans, Errno error) {
    abort_transaction(trans, error, free_extent_name);
    return error;
}

/// Where the reference to drop stands.
struct Backref {
    bool is_inline = false;
    u32 offset = 0;
};

/// Mirrors lookup_extent_backref(). The search copies the path to the item: this is where a lack of
/// space shows.
Result<std::optional<Backref>> lookup_extent_backref(TransHandle& trans, Path& path,
                                                     const Target& target,
                                                     const DelayedRefNode& node) {
    const auto found = search_slot(&trans, *trans.fs.extent_root, target.key, path, -1, true);
    if (!found) return found.error();
    if (*found) {
        const InlinePosition at = find_inline_ref(locked_item_bytes(path), node.key);
        if (at.found) return std::optional(Backref{true, at.offset});
    }
    const auto keyed = lookup_keyed_ref(trans, path, target.bytenr, node.key);
    if (!keyed) return keyed.error();
    if (!*keyed) return std::optional<Backref>();
    return std::optional(Backref{});
}

/// The line with which btrfs_print_leaf() begins.
std::string leaf_text(const ExtentBuffer& leaf) {
    return "leaf " + std::to_string(leaf.start.get()) + " gen " +
           std::to_string(leaf.generation().get()) + " total ptrs " +
           std::to_string(leaf.nritems()) + " free space " +
           std::to_string(leaf.leaf_free_space()) + " owner " + std::to_string(leaf.owner());
}

Errno ref_not_found(TransHandle& trans, const Path& path, const Target& target,
                    const DelayedRefNode& node) {
    FsInfo& fs = trans.fs;
    const bool dumps = fs.kernel.at_least(6, 4);
    // Two spaces before "owner" in the older text.
    std::string text = "unable to find ref byte nr " + std::to_string(target.bytenr.get()) + " " +
                       describe_ref(node) + (dumps ? " " : "  ") + "owner " +
                       std::to_string(node.owner) + " offset " + std::to_string(node.owner_offset);
    if (!dumps) {
        fs.message("error", text);
        return abort_free(trans, Errno::NoEnt);
    }
    // Mirrors abort_and_dump(): of the leaf the first line.
    abort_transaction(trans, Errno::UClean, free_extent_name);
    fs.message("info", leaf_text(*path.nodes[0]));
    fs.message("critical", text + " slot " + std::to_string(path.slots[0]));
    return Errno::NoEnt;
}

Result<void> check_refs_to_drop(TransHandle& trans, const Target& target,
                                const DelayedRefNode& node, const ExtentItem& item) {
    if (item.refs >= node.ref_mod) return {};
    trans.fs.message("critical", "trying to drop " + std::to_string(node.ref_mod) +
                                     " refs but we only have " + std::to_string(item.refs) +
                                     " for bytenr " + std::to_string(target.bytenr.get()));
    return abort_free(trans, Errno::UClean);
}

/// The extent is gone: its checksums go, its space is pinned. Mirrors do_free_extent_accounting().
Result<void> free_extent_accounting(TransHandle& trans, const Target& target, bool data) {
    sim::note([&] { return "removes the item of extent " + std::to_string(target.bytenr.get()); });
    if (data) {
        const auto deleted = del_csums(trans, target.bytenr, target.num_bytes);
        if (!deleted) return abort_free(trans, deleted.error());
    }
    const auto updated = update_block_group(trans, target.bytenr, target.num_bytes, false);
    if (!updated) return abort_free(trans, updated.error());
    return {};
}

/// The path stands on the extent item; the reference in it, if it is inline, at `inline_offset`.
Result<void> drop_from_item(TransHandle& trans, Path& path, const Target& target,
                            const DelayedRefNode& node, const ExtentOp& op,
                            std::optional<u32> inline_offset) {
    auto item = read_item<ExtentItem>(path);
    if (const auto checked = check_refs_to_drop(trans, target, node, item); !checked)
        return checked;
    if (item.refs > node.ref_mod) {
        if (inline_offset) {
            change_inline_ref(path, *inline_offset, -std::int64_t{node.ref_mod}, op);
            return {};
        }
        item.refs -= node.ref_mod;
        apply(op, item);
        write_item(path, item);
        return {};
    }
    const auto deleted = del_item(trans, *trans.fs.extent_root, path);
    if (!deleted) return abort_free(trans, deleted.error());
    path.release();
    return free_extent_accounting(trans, target, is_data_ref(node.key.type));
}

/// The path stands on the reference's own item: that goes first, then the extent item counts down.
Result<void> drop_keyed(TransHandle& trans, Path& path, const Target& target,
                        const DelayedRefNode& node, const ExtentOp& op) {
    if (const auto dropped = drop_keyed_ref(trans, path, node.key, node.ref_mod); !dropped)
        return abort_free(trans, dropped.error());
    path.release();
    const auto found = search_slot(&trans, *trans.fs.extent_root, target.key, path, -1, true);
    if (!found) return abort_free(trans, found.error());
    if (!*found) {
        trans.fs.message("error", "umm, got 1 back from search, was looking for " +
                                      std::to_string(target.bytenr.get()));
        return abort_free(trans, Errno::UClean);
    }
    return drop_from_item(trans, path, target, node, op, std::nullopt);
}

/// Mirrors __btrfs_free_extent(); where a reference is an item of its own the kernel spares a
/// search if both share a leaf.
Result<void> free_extent(TransHandle& trans, const Target& target, const DelayedRefNode& node,
                         const ExtentOp& op) {
    const sim::Scope scope(free_extent_name);
    Path path;
    const auto backref = lookup_extent_backref(trans, path, target, node);
    if (!backref) return abort_free(trans, backref.error());
    if (!*backref) return ref_not_found(trans, path, target, node);
    if (!(*backref)->is_inline) return drop_keyed(trans, path, target, node, op);
    return drop_from_item(trans, path, target, node, op, (*backref)->offset);
}

Errno wrong_tree_ref_count(FsInfo& fs, const DelayedRefHead& head, const DelayedRefNode& node) {
    const bool old_text = !fs.kernel.at_least(5, 0);
    const std::string start = old_text ? "btree block(" + std::to_string(head.bytenr) + ")"
                                       : "btree block " + std::to_string(head.bytenr);
    fs.message("error", start + " has " + std::to_string(node.ref_mod) +
                            " references rather than 1: action " +
                            std::to_string(static_cast<int>(node.action)) + " ref_root " +
                            std::to_string(node.ref_root) + " parent " +
                            std::to_string(node.key.parent));
    return fs.kernel.at_least(5, 0) ? Errno::UClean : Errno::IO;
}

Result<void> run_ref(TransHandle& trans, const DelayedRefHead& head, const DelayedRefNode& node,
                     bool insert_reserved, const ExtentOp& op) {
    const sim::Scope scope(is_data_ref(node.key.type) ? "run_delayed_data_ref"
                                                      : "run_delayed_tree_ref");
    trace_run_delayed_ref(trans.fs, head, node);
    if (is_mutated(trans.fs, Mutation::DroppedRef) && node.action == RefAction::Drop) return {};
    Target target = target_of(head, node);
    if (is_mutated(trans.fs, Mutation::WrongLevel) && insert_reserved &&
        node.ref_root == fs_tree_objectid && target.key.type == metadata_item_key)
        ++target.key.offset;
    if (!is_data_ref(node.key.type) && node.ref_mod != 1)
        return wrong_tree_ref_count(trans.fs, head, node);
    if (node.action == RefAction::Drop) return free_extent(trans, target, node, op);
    if (insert_reserved) return insert_extent(trans, target, node, op);
    return inc_extent_ref(trans, target, node, op);
}

/// Logged since the message is no longer one for debugging; read in 6.1.
void report_failure(FsInfo& fs, const DelayedRefHead& head, const DelayedRefNode& node,
                    Errno error) {
    if (!fs.kernel.at_least(6, 1)) return;
    fs.message("error", "failed to run delayed ref for logical " + std::to_string(head.bytenr) +
                            " num_bytes " + std::to_string(head.num_bytes) + " type " +
                            std::to_string(node.key.type) + " action " +
                            std::to_string(static_cast<int>(node.action)) + " ref_mod " +
                            std::to_string(node.ref_mod) + ": -" +
                            std::to_string(static_cast<int>(error)));
}

}  // namespace

Result<void> run_one_delayed_ref(TransHandle& trans, const DelayedRefHead& head,
                                 const DelayedRefNode& node, bool insert_reserved,
                                 const ExtentOp& extent_op) {
    const Bytenr bytenr(head.bytenr);
    if (trans.aborted != 0) {
        if (insert_reserved) static_cast<void>(pin_extent(trans, bytenr, head.num_bytes, true));
        return {};
    }
    const auto run = run_ref(trans, head, node, insert_reserved, extent_op);
    if (run) return run;
    if (insert_reserved) static_cast<void>(pin_extent(trans, bytenr, head.num_bytes, true));
    report_failure(trans.fs, head, node, run.error());
    return run;
}

Result<void> run_delayed_extent_op(TransHandle& trans, const DelayedRefHead& head,
                                   const ExtentOp& extent_op) {
    if (trans.aborted != 0) return {};
    const sim::Scope scope("run_delayed_extent_op");
    Path path;
    const Key key = head.is_data ? Key{head.bytenr, extent_item_key, head.num_bytes}
                                 : Key{head.bytenr, metadata_item_key, extent_op.level};
    const auto found = search_slot(&trans, *trans.fs.extent_root, key, path, 0, true);
    if (!found) return found.error();
    if (!*found) {
        trans.fs.message("error", "missing extent item for extent " + std::to_string(head.bytenr) +
                                      " num_bytes " + std::to_string(head.num_bytes) + " level " +
                                      std::to_string(extent_op.level));
        return Errno::UClean;
    }
    auto item = read_item<ExtentItem>(path);
    apply(extent_op, item);
    write_item(path, item);
    return {};
}

}  // namespace model
