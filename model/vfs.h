#pragma once
#include <string_view>

#include "model/types.h"

/// The system calls and ioctls of the model: what the operations of a scenario call. Each runs in the calling task and may sleep.
/// Paths are names in the top-level directory, or SUBVOLUME/NAME.
namespace model::vfs {

Result<void> create(FsInfo& fs, std::string_view path);                 // touch
Result<void> set_nocow(FsInfo& fs, std::string_view path, bool nocow);  // chattr +C / -C, on an empty file
/// Buffered write: every byte of [offset, offset+length) becomes `pattern`. Sector aligned. Creates no file.
Result<void> pwrite(FsInfo& fs, std::string_view path, u64 offset, u64 length, u8 pattern);
/// @param expect  when not negative: violation "read-returns-what-was-written" unless every byte read is this pattern or one that
///                a write running at the same time puts there; -1: read only
Result<u64> pread(FsInfo& fs, std::string_view path, u64 offset, u64 length, int expect);
Result<void> fallocate(FsInfo& fs, std::string_view path, u64 offset, u64 length);
Result<void> truncate(FsInfo& fs, std::string_view path, u64 size);
Result<void> unlink(FsInfo& fs, std::string_view path);
Result<void> writeback(FsInfo& fs, std::string_view path);  // the flusher writes the file's dirty pages; does not wait
Result<void> fsync(FsInfo& fs, std::string_view path);
Result<void> sync(FsInfo& fs);
Result<void> commit(FsInfo& fs);  // the transaction kthread's turn: attach and commit
Result<void> snapshot(FsInfo& fs, std::string_view source, std::string_view name, bool readonly);
Result<void> subvolume_create(FsInfo& fs, std::string_view name);
Result<void> scrub_start(FsInfo& fs, std::string_view device);
Result<void> replace_start(FsInfo& fs, std::string_view source, std::string_view target);
Result<void> replace_cancel(FsInfo& fs);

}  // namespace model::vfs
