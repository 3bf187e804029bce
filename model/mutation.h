#pragma once
#include "model/types.h"

namespace model {

/// Faults that a test switches on, to see which check notices. Compiled in only with
/// INTERLEAF_MUTATIONS, which no release build has.
enum class Mutation : u8 {
    None,
    EarlyReuse,        ///< what a transaction frees may be allocated before that is committed
    SuperFirst,        ///< super blocks are written before what they reach
    NoFlush,           ///< nothing is flushed before super blocks are written
    DroppedRef,        ///< a queued reference is dropped instead of run
    WrongLevel,        ///< the item of a new block of the fs tree has its level plus one
    StalePointer,      ///< a node is written with the generation before in its first pointer
    ForgottenBalance,  ///< a mount does not go on with the balance that it found
};

class FsInfo;
#ifdef INTERLEAF_MUTATIONS
bool is_mutated(const FsInfo& fs, Mutation mutation);
#else
constexpr bool is_mutated(const FsInfo& /*fs*/, Mutation /*mutation*/) {
    return false;
}
#endif

}  // namespace model
