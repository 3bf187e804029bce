#pragma once
#include <string_view>

#include "model/types.h"

/// The tracepoints of btrfs, and those of the block layer below it, in the kernel's names and
/// fields: include/trace/events/btrfs.h and block.h, v6.1. Each is called where the kernel has it,
/// changes nothing, and costs a test when nobody narrates.
///
/// Left out: tree locks, extent bits, reservations of space by purpose, work queues. Their values
/// are times and things that the model does not have.
namespace model {

class FsInfo;
struct BlockGroup;
struct ChunkMap;
struct DelayedRefHead;
struct DelayedRefNode;
struct DevRequest;
struct ExtentBuffer;
struct Inode;
struct OrderedExtent;
struct Root;
struct SpaceInfo;
enum class RefAction : u8;

void trace_btrfs_transaction_commit(const FsInfo& fs);
void trace_btrfs_sync_fs(const FsInfo& fs, bool waits);
void trace_btrfs_sync_file(const Inode& inode, std::string_view path);

void trace_btrfs_cow_block(const Root& root, const ExtentBuffer& buf, const ExtentBuffer& cow);

/// Before the head is looked up: also when there is one already.
void trace_add_delayed_ref_head(const FsInfo& fs, u64 bytenr, u64 num_bytes, RefAction action,
                                bool is_data);
void trace_run_delayed_ref_head(const FsInfo& fs, const DelayedRefHead& head);
/// add_delayed_tree_ref or add_delayed_data_ref.
void trace_add_delayed_ref(const FsInfo& fs, u64 bytenr, u64 num_bytes, const DelayedRefNode& node);
void trace_run_delayed_ref(const FsInfo& fs, const DelayedRefHead& head,
                           const DelayedRefNode& node);

void trace_find_free_extent(const Root& root, u64 num_bytes, u64 flags);
void trace_btrfs_reserve_extent(const BlockGroup& bg, Bytenr start, u64 num_bytes);
void trace_btrfs_reserved_extent_alloc(const FsInfo& fs, Bytenr start, u64 num_bytes);
void trace_btrfs_reserved_extent_free(const FsInfo& fs, Bytenr start, u64 num_bytes);

/// Before the counter changes.
void trace_update_bytes_may_use(const SpaceInfo& info, u64 added);
void trace_update_bytes_pinned(const SpaceInfo& info, u64 added);

void trace_btrfs_chunk_alloc(const FsInfo& fs, const ChunkMap& map);
void trace_btrfs_chunk_free(const FsInfo& fs, const ChunkMap& map);
void trace_btrfs_add_block_group(const BlockGroup& bg);
void trace_btrfs_remove_block_group(const BlockGroup& bg);

void trace_btrfs_ordered_extent_add(const OrderedExtent& ordered);
void trace_btrfs_ordered_extent_start(const OrderedExtent& ordered);
void trace_btrfs_ordered_extent_mark_finished(const OrderedExtent& ordered);
void trace_btrfs_ordered_extent_remove(const OrderedExtent& ordered);

/// @param metadata  what is written are tree blocks or super blocks
void trace_block_rq_issue(const DevRequest& request, bool metadata);
void trace_block_rq_complete(const DevRequest& request, bool metadata, int error);

}  // namespace model
