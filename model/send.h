#pragma once
#include <string_view>

#include "model/objects.h"
#include "model/types.h"
#include "sim/spinlock.h"

namespace model {

class Pipe;
struct Root;

/// What a filesystem knows of its sends.
struct SendState {
    explicit SendState(FsInfo& fs);
    sim::Spinlock send_reloc_lock;  // 1cea5cf0e664
    sim::Object obj;                // in_progress: balance_mutex (9e967495e0e0), then that lock
    u32 in_progress = 0;
    sim::Object pipes_obj;
    Map<String, Pipe*> pipes;  // of the scenario, by name
};

/// Sends a read-only subvolume into a pipe, if `parent` is given with what differs from that
/// snapshot only, and with clones from it. The stream is kept: applied to what the parent holds it
/// must give what the subvolume holds, else a violation "send-stream-equals-snapshot"; and a send
/// does not fail while the devices work, else "send-completes/...".
/// @param pipe  may block; null: the stream goes where nothing blocks (/dev/null)
/// @return Perm: a subvolume is not read-only; Again: excluded by a relocation or a deduplication;
/// InProgress: by another exclusive operation.
/// Mirrors btrfs_ioctl_send()
Result<void> send(FsInfo& fs, Root& root, Root* parent, Pipe* pipe);
/// A pipe that a scenario names: there from the first mention.
Pipe& pipe_by_name(FsInfo& fs, std::string_view name);

/// A balance may not begin while sends run: balance_mutex held. Mirrors what 9e967495e0e0 added to
/// btrfs_balance()
Result<void> check_no_send(FsInfo& fs);
/// The relocation of a chunk begins, unless sends exclude it, and ends. Mirror reloc_chunk_start()
/// and reloc_chunk_end()
Result<void> reloc_chunk_start(FsInfo& fs);
void reloc_chunk_end(FsInfo& fs);

}  // namespace model
