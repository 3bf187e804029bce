#pragma once
#include <map>
#include <string>
#include <vector>

#include "model/types.h"

namespace model {

class FsInfo;

/// What the filesystem has promised so far about the state after a crash, taken out of the ledger:
/// which files and subvolumes are there, and what they may hold. Does not point into the
/// simulation.
struct Promises {
    struct File {
        std::string path;
        std::vector<u64> sizes;                   // one of them
        std::map<u64, std::vector<u64>> sectors;  // by index: one of the words each
    };
    std::vector<File> files;
    std::vector<std::string> subvolumes;
    u64 generation = 0;  // of the newest super block that is durable

    u64 hash() const;
};
Promises promises_of(const FsInfo& fs);

/// Reads the files back through the system calls, in a filesystem that was mounted after a crash.
/// Reports a violation itself.
void check_promises(FsInfo& fs, const Promises& promises);

}  // namespace model
