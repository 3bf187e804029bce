#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/types.h"

/// What a send emits, and what a receiver makes of it.
namespace model {

struct Root;

/// One command of a stream. Inodes are named by number, where the kernel uses paths.
struct SendCommand {
    enum class Kind : u8 { Create, Delete, Link, Unlink, Write, Clone, Truncate };
    Kind kind = Kind::Create;
    u64 ino = 0;
    bool is_dir = false;       // Create
    u64 offset = 0;            // Write, Clone; Link, Unlink: the directory
    u64 length = 0;            // Write, Clone; Truncate: the size
    std::string name{};        // Link, Unlink
    std::vector<u64> words{};  // Write: of each sector
    bool from_parent = false;  // Clone: from the parent, else from what was sent
    u64 clone_ino = 0, clone_offset = 0;
    /// Bytes in the pipe.
    u64 size() const;
};

/// What a subvolume holds: inodes with names and data. Sectors of zeros are left out.
struct SubvolumeContent {
    struct File {
        bool is_dir = false;
        u64 size = 0;
        std::set<std::pair<u64, std::string>> names;
        std::map<u64, u64> sectors;  // word by sector
        bool operator==(const File&) const = default;
    };
    std::map<u64, File> files;  // by inode number
    bool operator==(const SubvolumeContent&) const = default;
};

/// What the subvolume holds now, looked up without touching anything.
SubvolumeContent peek_subvolume(const Root& root);
/// What a receiver has after the commands. @param content  what the parent holds, or nothing
SubvolumeContent receive(const std::vector<SendCommand>& commands, const SubvolumeContent& parent);
/// The first thing in which two differ; empty: none.
std::string difference(const SubvolumeContent& sent, const SubvolumeContent& received);

}  // namespace model
