#pragma once
#include <string_view>

#include "model/types.h"

/// The system calls and ioctls of the model: what the operations of a scenario call. Each runs in
/// the calling task and may sleep. Paths are names in the top-level directory, or SUBVOLUME/NAME;
/// "." is the top-level directory. Offsets and lengths are multiples of the sector size, else
/// Inval.
namespace model::vfs {

Result<void> create(FsInfo& fs, std::string_view path);  // touch
Result<void> set_nocow(FsInfo& fs, std::string_view path,
                       bool nocow);  // chattr +C / -C; without effect on a file that has data
/// Buffered write: every byte of [offset, offset+length) becomes `pattern`. Creates no file.
Result<void> pwrite(FsInfo& fs, std::string_view path, u64 offset, u64 length, u8 pattern);
/// @param expect  -1: read only. Otherwise a violation "read-returns-what-was-written" unless every
/// sector holds what the latest
///                completed write put there, or a write or truncation running at the same time; in
///                a file whose writes nobody recorded (one of a snapshot), unless every byte is
///                this pattern
/// @return bytes read: fewer than asked for at the end of the file
Result<u64> pread(FsInfo& fs, std::string_view path, u64 offset, u64 length, int expect);
Result<void> fallocate(FsInfo& fs, std::string_view path, u64 offset, u64 length);
Result<void> truncate(FsInfo& fs, std::string_view path, u64 size);
/// Has [offset, offset+length) of a file share the extents of as much of `source`, if both hold the
/// same. Unlike a write this may be done to a file of a read-only subvolume.
/// @return BadE: they differ, which FIDEDUPERANGE reports as a status; and what
/// dedupe_file_range() says
Result<void> dedupe(FsInfo& fs, std::string_view source, u64 source_offset, std::string_view path,
                    u64 offset, u64 length);
Result<void> unlink(FsInfo& fs, std::string_view path);
/// Holds the file open until a close() by the same path, also when it has no name any more by then.
Result<void> open(FsInfo& fs, std::string_view path);
/// Closes what was opened first by this path; the last close of a file without a name evicts it,
/// here. @return BadF if nothing is open by it
Result<void> close(FsInfo& fs, std::string_view path);
Result<void>
writeback(FsInfo& fs,
          std::string_view path);  // the flusher writes the file's dirty pages; does not wait
/// The flusher writes dirty tree blocks, as memory pressure has it do at any time; does not wait.
Result<void> writeback_metadata(FsInfo& fs);
/// Makes the file durable by a commit of the whole filesystem: as the kernel does when it cannot
/// use a log tree.
Result<void> fsync(FsInfo& fs, std::string_view path);
Result<void> sync(FsInfo& fs);
Result<void> commit(FsInfo& fs);       // the transaction kthread's turn: attach and commit
Result<void> drop_caches(FsInfo& fs);  // clean pages of files: the next read goes to the devices
Result<void> snapshot(FsInfo& fs, std::string_view source, std::string_view name, bool readonly);
Result<void> subvolume_create(FsInfo& fs, std::string_view name);
Result<void> scrub_start(FsInfo& fs, std::string_view device);
Result<void> replace_start(FsInfo& fs, std::string_view source, std::string_view target);
Result<void> replace_cancel(FsInfo& fs);
inline constexpr std::string_view dev_null = "/dev/null";
/// @param parent  a snapshot to send the difference from; "": everything is sent
/// @param pipe    of one page, which cat() reads, or dev_null; "": one with a reader of its own
Result<void> send(FsInfo& fs, std::string_view subvolume, std::string_view parent,
                  std::string_view pipe = {});
Result<void> cat(FsInfo& fs,
                 std::string_view pipe);  // until the send that writes into it has ended
Result<void> resize(FsInfo& fs, std::string_view device, u64 size);
/// Writes what is dirty and closes the devices, once no call is under way and no file open
/// (fs.mount counts them; without it nobody is asked). @return Busy, or Inval: it is unmounted
/// already
Result<void> umount(FsInfo& fs);

}  // namespace model::vfs
