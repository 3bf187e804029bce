#include "model/tracepoints.h"

#include <array>

#include "model/block_group.h"
#include "model/delayed_ref.h"
#include "model/device.h"
#include "model/extent_backref.h"
#include "model/extent_buffer.h"
#include "model/format.h"
#include "model/fs_info.h"
#include "model/inode.h"
#include "model/ordered_data.h"
#include "model/root.h"
#include "model/space_info.h"
#include "model/volumes.h"
#include "sim/scheduler.h"

namespace model {

namespace {

/// Fields in the order in which they are added: "bytenr=30425088 num_bytes=16384".
class Fields {
  public:
    Fields& text(const char* name, std::string_view value) {
        if (!line_.empty() && line_.back() != ' ') line_ += ' ';
        line_ += name;
        line_ += '=';
        line_ += value;
        return *this;
    }
    Fields& number(const char* name, u64 value) { return text(name, std::to_string(value)); }
    Fields& tree(const char* name, u64 objectid);
    Fields& group(const char* name, u64 flags);
    Fields& word(std::string_view word) {
        line_ += word;
        line_ += ' ';
        return *this;
    }
    std::string take() { return std::move(line_); }

  private:
    std::string line_;
};

struct IdName {
    u64 id;
    const char* name;
};

/// The kernel names these only: the trees of uuids and of free space, and subvolumes, have none.
const char* tree_word(u64 objectid) {
    static constexpr IdName names[] = {
        {1, "ROOT_TREE"},      {2, "EXTENT_TREE"},        {3, "CHUNK_TREE"},   {4, "DEV_TREE"},
        {5, "FS_TREE"},        {7, "CSUM_TREE"},          {-6ULL, "TREE_LOG"}, {8, "QUOTA_TREE"},
        {-8ULL, "TREE_RELOC"}, {-9ULL, "DATA_RELOC_TREE"}};
    for (const IdName& entry : names)
        if (entry.id == objectid) return entry.name;
    return "-";
}

std::string bits_text(u64 bits, std::span<const IdName> names) {
    std::string text;
    for (const IdName& entry : names)
        if ((bits & entry.id) != 0) text += (text.empty() ? "" : "|") + std::string(entry.name);
    return text;
}

std::string group_type_text(u64 flags) {
    static constexpr IdName names[] = {{bg_data, "DATA"},
                                       {bg_system, "SYSTEM"},
                                       {bg_metadata, "METADATA"},
                                       {bg_raid1, "RAID1"},
                                       {bg_dup, "DUP"}};
    return bits_text(flags, names);
}

Fields& Fields::tree(const char* name, u64 objectid) {
    return text(name, std::to_string(objectid) + "(" + tree_word(objectid) + ")");
}
Fields& Fields::group(const char* name, u64 flags) {
    return text(name, std::to_string(flags) + "(" + group_type_text(flags) + ")");
}

std::string fsid_text(const FsInfo& fs) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < sizeof(fs.fsid); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += digits[fs.fsid[i] >> 4];
        text += digits[fs.fsid[i] & 15];
    }
    return text;
}

/// An event of btrfs begins with the filesystem that it is about.
template <class Fill> void trace(const FsInfo& fs, const char* name, Fill&& fill) {
    sim::tracepoint(name, [&] {
        Fields fields;
        fill(fields);
        return fsid_text(fs) + ": " + fields.take();
    });
}

// ---- references ---------------------------------------------------------------------------------

const char* ref_type_word(u8 type) {
    switch (type) {
    case tree_block_ref_key:
        return "TREE_BLOCK_REF";
    case extent_data_ref_key:
        return "EXTENT_DATA_REF";
    case shared_block_ref_key:
        return "SHARED_BLOCK_REF";
    case shared_data_ref_key:
        return "SHARED_DATA_REF";
    default:
        return "-";
    }
}

void fill_ref(Fields& fields, u64 bytenr, u64 num_bytes, const DelayedRefNode& node) {
    fields.number("bytenr", bytenr)
        .number("num_bytes", num_bytes)
        .text("action", to_string(node.action))
        .tree("parent", node.key.parent)
        .tree("ref_root", node.ref_root);
    if (is_data_ref(node.key.type)) {
        fields.number("owner", node.owner).number("offset", node.owner_offset);
    } else {
        fields.number("level", node.level);
    }
    fields.text("type", ref_type_word(node.key.type)).number("seq", 0);
}

// ---- ordered extents ----------------------------------------------------------------------------

std::string ordered_text(const OrderedExtent& ordered) {
    static constexpr IdName names[] = {
        {ordered_flag::bit(ordered_flag::regular), "REGULAR"},
        {ordered_flag::bit(ordered_flag::nocow), "NOCOW"},
        {ordered_flag::bit(ordered_flag::prealloc), "PREALLOC"},
        {ordered_flag::bit(ordered_flag::direct), "DIRECT"},
        {ordered_flag::bit(ordered_flag::io_done), "IO_DONE"},
        {ordered_flag::bit(ordered_flag::complete), "COMPLETE"},
        {ordered_flag::bit(ordered_flag::ioerr), "IOERR"},
    };
    return bits_text(ordered.flags.peek(), names);
}

void trace_ordered(const char* name, const OrderedExtent& ordered) {
    const Root& root = ordered.inode.root;
    trace(root.fs, name, [&](Fields& fields) {
        fields.tree("root", root.objectid)
            .number("ino", ordered.inode.ino)
            .number("file_offset", ordered.file_offset)
            .number("start", ordered.disk_bytenr.get())
            .number("len", ordered.num_bytes)
            .number("disk_len", ordered.disk_num_bytes)
            .number("truncated_len", ~u64{0})
            .number("bytes_left", ordered.bytes_left)
            .text("flags", ordered_text(ordered))
            .number("compress_type", 0)
            .number("refs", ordered.refs);
    });
}

// ---- space --------------------------------------------------------------------------------------

void trace_update_bytes(const char* name, const SpaceInfo& info, u64 old, u64 added) {
    if (added == 0) return;
    trace(info.fs, name, [&](Fields& fields) {
        fields.text("type", space_info_name(info))
            .number("old", old)
            .text("diff", std::to_string(static_cast<std::int64_t>(added)));
    });
}

void trace_reserved_extent(const char* name, const FsInfo& fs, Bytenr start, u64 num_bytes) {
    trace(fs, name, [&](Fields& fields) {
        fields.tree("root", extent_tree_objectid)
            .number("start", start.get())
            .number("len", num_bytes);
    });
}

void trace_chunk(const char* name, const FsInfo& fs, const ChunkMap& map) {
    trace(fs, name, [&](Fields& fields) {
        fields.tree("root", chunk_tree_objectid)
            .number("offset", map.logical)
            .number("size", map.length)
            .number("num_stripes", map.stripes.size())
            .number("sub_stripes", 1)
            .text("type", group_type_text(map.type));
    });
}

// ---- the block layer ----------------------------------------------------------------------------

/// What it does and how: a flush before it, the operation, FUA, S for one that somebody waits for,
/// M for metadata.
std::string request_flags(const DevRequest& request, bool metadata) {
    if (request.op == Req::Flush) return "FF";
    std::string text = request.preflush ? "F" : "";
    text += request.op == Req::Read ? "R" : "W";
    if (request.fua) text += "F";
    if (request.fua || request.preflush) text += "S";
    if (metadata) text += "M";
    return text;
}

/// "254,16": virtio's number for the first disk, and 16 more for each after it.
std::string device_number(const Device& device) {
    constexpr unsigned first = 16, step = 16;
    return "254," + std::to_string(first + step * device.index);
}

constexpr u64 block_sector = 512;

u64 blocks_of(const DevRequest& request) {
    return request.op == Req::Flush ? 0 : u64{request.sectors} * sectorsize / block_sector;
}

/// The number of the inode of a path's directory, as far as paths are known.
u64 parent_of(const FsInfo& fs, std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return first_free_objectid;
    for (const auto& [known, inode] : fs.dcache)
        if (inode != nullptr && path.substr(0, slash) == std::string_view(known)) return inode->ino;
    return first_free_objectid;
}

const char* running_label() {
    sim::Scheduler& scheduler = sim::current();
    return scheduler.trace().names()[scheduler.running().name].label;
}

}  // namespace

void trace_btrfs_transaction_commit(const FsInfo& fs) {
    trace(fs, "btrfs_transaction_commit", [&](Fields& fields) {
        fields.tree("root", root_tree_objectid).number("gen", fs.generation.get());
    });
}

void trace_btrfs_sync_fs(const FsInfo& fs, bool waits) {
    trace(fs, "btrfs_sync_fs", [&](Fields& fields) { fields.number("wait", waits ? 1 : 0); });
}

void trace_btrfs_sync_file(const Inode& inode, std::string_view path) {
    trace(inode.root.fs, "btrfs_sync_file", [&](Fields& fields) {
        fields.tree("root", inode.root.objectid)
            .number("ino", inode.ino)
            .number("parent", parent_of(inode.root.fs, path))
            .number("datasync", 0);
    });
}

void trace_btrfs_cow_block(const Root& root, const ExtentBuffer& buf, const ExtentBuffer& cow) {
    const auto level_text = [](const char* name, const ExtentBuffer& eb) {
        return "(" + std::string(name) + "=" + std::to_string(eb.level()) + ")";
    };
    trace(root.fs, "btrfs_cow_block", [&](Fields& fields) {
        fields.tree("root", root.objectid)
            .number("refs", buf.refs)
            .text("orig_buf", std::to_string(buf.start.get()) + " " + level_text("orig_level", buf))
            .text("cow_buf", std::to_string(cow.start.get()) + " " + level_text("cow_level", cow));
    });
}

void trace_add_delayed_ref_head(const FsInfo& fs, u64 bytenr, u64 num_bytes, RefAction action,
                                bool is_data) {
    trace(fs, "add_delayed_ref_head", [&](Fields& fields) {
        fields.number("bytenr", bytenr)
            .number("num_bytes", num_bytes)
            .text("action", to_string(action))
            .number("is_data", is_data ? 1 : 0);
    });
}

/// The kernel prints no action here: a head has none.
void trace_run_delayed_ref_head(const FsInfo& fs, const DelayedRefHead& head) {
    trace(fs, "run_delayed_ref_head", [&](Fields& fields) {
        fields.number("bytenr", head.bytenr)
            .number("num_bytes", head.num_bytes)
            .text("action", "0x0")
            .number("is_data", head.is_data ? 1 : 0);
    });
}

void trace_add_delayed_ref(const FsInfo& fs, u64 bytenr, u64 num_bytes,
                           const DelayedRefNode& node) {
    trace(fs, is_data_ref(node.key.type) ? "add_delayed_data_ref" : "add_delayed_tree_ref",
          [&](Fields& fields) { fill_ref(fields, bytenr, num_bytes, node); });
}

void trace_run_delayed_ref(const FsInfo& fs, const DelayedRefHead& head,
                           const DelayedRefNode& node) {
    trace(fs, is_data_ref(node.key.type) ? "run_delayed_data_ref" : "run_delayed_tree_ref",
          [&](Fields& fields) { fill_ref(fields, head.bytenr, head.num_bytes, node); });
}

void trace_find_free_extent(const Root& root, u64 num_bytes, u64 flags) {
    trace(root.fs, "find_free_extent", [&](Fields& fields) {
        fields.tree("root", root.objectid)
            .number("len", num_bytes)
            .number("empty_size", 0)
            .group("flags", flags);
    });
}

void trace_btrfs_reserve_extent(const BlockGroup& bg, Bytenr start, u64 num_bytes) {
    trace(bg.fs, "btrfs_reserve_extent", [&](Fields& fields) {
        fields.tree("root", extent_tree_objectid)
            .number("block_group", bg.start.get())
            .group("flags", bg.flags)
            .number("start", start.get())
            .number("len", num_bytes);
    });
}

void trace_btrfs_reserved_extent_alloc(const FsInfo& fs, Bytenr start, u64 num_bytes) {
    trace_reserved_extent("btrfs_reserved_extent_alloc", fs, start, num_bytes);
}

void trace_btrfs_reserved_extent_free(const FsInfo& fs, Bytenr start, u64 num_bytes) {
    trace_reserved_extent("btrfs_reserved_extent_free", fs, start, num_bytes);
}

void trace_update_bytes_may_use(const SpaceInfo& info, u64 added) {
    trace_update_bytes("update_bytes_may_use", info, info.bytes_may_use, added);
}

void trace_update_bytes_pinned(const SpaceInfo& info, u64 added) {
    trace_update_bytes("update_bytes_pinned", info, info.bytes_pinned, added);
}

void trace_btrfs_chunk_alloc(const FsInfo& fs, const ChunkMap& map) {
    trace_chunk("btrfs_chunk_alloc", fs, map);
}

void trace_btrfs_chunk_free(const FsInfo& fs, const ChunkMap& map) {
    trace_chunk("btrfs_chunk_free", fs, map);
}

void trace_btrfs_add_block_group(const BlockGroup& bg) {
    trace(bg.fs, "btrfs_add_block_group", [&](Fields& fields) {
        fields.word("block_group")
            .number("offset", bg.start.get())
            .number("size", bg.length)
            .group("flags", bg.flags)
            .number("bytes_used", bg.used)
            .number("bytes_super", bg.bytes_super)
            .number("create", 1);
    });
}

void trace_btrfs_remove_block_group(const BlockGroup& bg) {
    trace(bg.fs, "btrfs_remove_block_group", [&](Fields& fields) {
        fields.word("bg")
            .number("bytenr", bg.start.get())
            .number("len", bg.length)
            .number("used", bg.used)
            .group("flags", bg.flags);
    });
}

void trace_btrfs_ordered_extent_add(const OrderedExtent& ordered) {
    trace_ordered("btrfs_ordered_extent_add", ordered);
}
void trace_btrfs_ordered_extent_start(const OrderedExtent& ordered) {
    trace_ordered("btrfs_ordered_extent_start", ordered);
}
void trace_btrfs_ordered_extent_mark_finished(const OrderedExtent& ordered) {
    trace_ordered("btrfs_ordered_extent_mark_finished", ordered);
}
void trace_btrfs_ordered_extent_remove(const OrderedExtent& ordered) {
    trace_ordered("btrfs_ordered_extent_remove", ordered);
}

void trace_block_rq_issue(const DevRequest& request, bool metadata) {
    sim::tracepoint("block_rq_issue", [&] {
        const bool flush = request.op == Req::Flush;
        const u64 blocks = blocks_of(request);
        return device_number(*request.device) + " " + request_flags(request, metadata) + " " +
               std::to_string(blocks * block_sector) + " () " +
               std::to_string(flush ? 0 : request.physical / block_sector) + " + " +
               std::to_string(blocks) + " [" + running_label() + "]";
    });
}

void trace_block_rq_complete(const DevRequest& request, bool metadata, int error) {
    sim::tracepoint("block_rq_complete", [&] {
        const u64 place =
            request.append_place != nullptr ? *request.append_place : request.physical;
        const bool flush = request.op == Req::Flush;
        return device_number(*request.device) + " " + request_flags(request, metadata) + " () " +
               std::to_string(flush ? ~u64{0} : place / block_sector) + " + " +
               std::to_string(blocks_of(request)) + " [" + std::to_string(error) + "]";
    });
}

}  // namespace model
