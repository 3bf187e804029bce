#pragma once
#include "model/tree_image.h"

namespace model {

struct Device;
struct Stripe;
struct Sector;
struct SuperBlock;

/// What checks remember between calls. In the arena, so that each execution begins with what the
/// preparation left.
struct InvariantState {
    /// An extent of the committed extent tree.
    struct Range {
        u64 start, length;
        bool metadata;
        bool in_place;  // NOCOW or preallocated data: may be overwritten
        u64 end() const { return start + length; }
    };
    u64 transid = 0;       // of the newest durable super block, which `ranges` belongs to
    u64 verified = 0;      // blocks and data up to this generation were found intact on the media
    Vector<Range> ranges;  // disjoint, by address
    Map<u64, u8> transaction_states;  // of unfinished transactions, as last seen
    Map<u16, u64> super_generations;  // newest super block seen on each device, by its index
    bool examining = false;
    /// Blocks whose references were dropped with a wrong level; the kernel may never notice.
    struct WrongLevel {
        u64 bytenr;
        Level level, said;
    };
    Vector<WrongLevel> wrong_levels;
    bool commit_skipped = false;  // "Skipping commit of aborted transaction."
    /// A replace was resumed here: of what is written in place left of it, a crash may have kept
    /// the source's copy and lost the target's, and nobody copies it again.
    u64 resumed_at = 0;
};

/// The committed state of the newest durable super block; read and checked again when that is
/// another one than last time.
/// @return null while the filesystem is not watched
InvariantState* committed_state(FsInfo& fs);
/// The first committed extent that overlaps [start, start + length), or null.
const InvariantState::Range* committed_overlap(const InvariantState& state, u64 start, u64 length);

/// Reads everything that the newest durable super block reaches from the media, checks it, and
/// keeps its extents in `state`.
ImageProblem examine_committed(FsInfo& fs, InvariantState& state);

/// The generation of the newest durable super block; 0: there is none.
u64 newest_durable_super(const FsInfo& fs);
/// The super block that a sector holds, or null. No copy: the bytes are the sector's.
const SuperBlock* super_of(const Sector& sector);
/// What a device keeps at a place after a crash, without copying it; null where nothing was ever
/// written.
const Sector* durable_sector(const Device& device, u64 physical);

/// Signed references that are queued and not in the extent tree, by address.
using QueuedRefs = std::map<u64, std::int64_t>;
/// Every extent is referenced as often as it says and lists, and overlaps no other.
ImageProblem check_references(TreeImage& image, const QueuedRefs& queued);
/// Block groups hold what extents take; devices hold what chunks take.
ImageProblem check_space(const TreeImage& image);
/// What btrfs check is blind to.
ImageProblem check_unseen(const TreeImage& image, u64 generation);
/// Files hold what the ledger says, once nothing runs any more.
void check_files(FsInfo& fs);
/// Committed data of files with checksums has them.
ImageProblem check_csums_present(const TreeImage& image);

}  // namespace model
