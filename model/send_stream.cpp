// The stream of fs/btrfs/send.c as a list of commands, and the receiver of btrfs-progs in
// miniature.
#include "model/send_stream.h"

#include <algorithm>

#include "model/disk_io.h"
#include "model/fs_info.h"
#include "model/tree_check.h"

namespace model {
namespace {

constexpr u64 command_overhead = 64;  // header and attributes, about

// ---- what a subvolume holds
// ----------------------------------------------------------------------

class Peek {
  public:
    explicit Peek(const FsInfo& fs) : fs_(fs) {}
    void block(Bytenr bytenr) {
        const auto bytes = peek_tree_block(fs_, bytenr);
        if (bytes.empty()) return;
        const auto header = load<HeaderItem>(bytes.data());
        for (u32 slot = 0; slot < header.nritems; ++slot) {
            if (header.level == 0) {
                item(bytes, slot);
            } else {
                const auto ptr = load<KeyPtr>(bytes.data() + sizeof(HeaderItem) +
                                              std::size_t{slot} * sizeof(KeyPtr));
                block(Bytenr(ptr.blockptr));
            }
        }
    }
    SubvolumeContent take() { return std::move(content_); }

  private:
    void item(const std::vector<unsigned char>& bytes, u32 slot) {
        const auto head = load<LeafItem>(bytes.data() + sizeof(HeaderItem) +
                                         std::size_t{slot} * sizeof(LeafItem));
        const Key key = head.key.cpu();
        const unsigned char* const data = bytes.data() + sizeof(HeaderItem) + head.offset;
        if (key.type == inode_item_key) {
            const auto inode = load<InodeItem>(data);
            auto& file = content_.files[key.objectid];
            file.is_dir = (inode.mode & 0170000) == 0040000;
            if (!file.is_dir) file.size = inode.size;
        } else if (key.type == inode_ref_key) {
            const auto ref = load<InodeRefItem>(data);
            const auto* const name = reinterpret_cast<const char*>(data + sizeof(InodeRefItem));
            content_.files[key.objectid].names.emplace(key.offset, std::string(name, ref.name_len));
        } else if (key.type == extent_data_key) {
            extent(key, load<FileExtentItem>(data));
        }
    }
    void extent(const Key& key, const FileExtentItem& item) {
        if (item.type != file_extent_reg || item.disk_bytenr == 0) return;
        auto& sectors = content_.files[key.objectid].sectors;
        for (u64 at = 0; at < item.num_bytes; at += sectorsize) {
            const u64 word = word_at(item.disk_bytenr + item.offset + at);
            if (word != 0) sectors[(key.offset + at) / sectorsize] = word;
        }
    }
    u64 word_at(u64 logical) const {
        const auto after = fs_.mapping_tree.upper_bound(logical);
        if (after == fs_.mapping_tree.begin()) return 0;
        const ChunkMap& map = *std::prev(after)->second;
        const Stripe& stripe = map.stripes[0];
        return medium_read(*stripe.dev, stripe.physical + (logical - map.logical)).word;
    }

    const FsInfo& fs_;
    SubvolumeContent content_;
};

}  // namespace

u64 SendCommand::size() const {
    return command_overhead + name.size() + words.size() * sectorsize;
}

SubvolumeContent peek_subvolume(const Root& root) {
    Peek peek(root.fs);
    peek.block(root.node->start);
    return peek.take();
}

// ---- the receiver
// --------------------------------------------------------------------------------

namespace {

using File = SubvolumeContent::File;

void put(File& file, u64 sector, u64 word) {
    if (word == 0) {
        file.sectors.erase(sector);
    } else {
        file.sectors[sector] = word;
    }
}

void clone(const SendCommand& command, const File& from, File& to) {
    std::vector<u64> words;
    for (u64 at = 0; at < command.length; at += sectorsize) {
        const auto found = from.sectors.find((command.clone_offset + at) / sectorsize);
        words.push_back(found == from.sectors.end() ? 0 : found->second);
    }
    for (std::size_t i = 0; i < words.size(); ++i)
        put(to, command.offset / sectorsize + i, words[i]);
}

void apply_command(const SendCommand& command, const SubvolumeContent& parent,
                   SubvolumeContent& content) {
    using enum SendCommand::Kind;
    if (command.kind == Delete) {
        content.files.erase(command.ino);
        return;
    }
    File& file = content.files[command.ino];
    switch (command.kind) {
    case Create:
        file = {};
        file.is_dir = command.is_dir;
        break;
    case Link:
        file.names.emplace(command.offset, command.name);
        break;
    case Unlink:
        file.names.erase({command.offset, command.name});
        break;
    case Write:
        for (std::size_t i = 0; i < command.words.size(); ++i)
            put(file, command.offset / sectorsize + i, command.words[i]);
        break;
    case Clone: {
        const auto& source = command.from_parent ? parent : content;
        const auto from = source.files.find(command.clone_ino);
        if (from != source.files.end()) clone(command, File(from->second), file);
        break;
    }
    case Truncate:
        file.size = command.length;
        file.sectors.erase(file.sectors.lower_bound((file.size + sectorsize - 1) / sectorsize),
                           file.sectors.end());
        break;
    case Delete:
        break;
    }
}

std::string file_difference(u64 ino, const File& sent, const File& received) {
    const std::string who = "inode " + std::to_string(ino) + ": ";
    if (sent.size != received.size)
        return who + "size " + std::to_string(sent.size) + ", received " +
               std::to_string(received.size);
    if (sent.names != received.names) return who + "its names were received otherwise";
    if (sent.sectors == received.sectors) return who + "is another kind of file";
    for (u64 sector = 0;; ++sector) {
        const auto at = [sector](const File& file) {
            const auto found = file.sectors.find(sector);
            return found == file.sectors.end() ? u64{0} : found->second;
        };
        if (at(sent) != at(received))
            return who + "the sector at " + std::to_string(sector * sectorsize) + " holds " +
                   std::to_string(at(sent)) + ", received " + std::to_string(at(received));
    }
}

}  // namespace

SubvolumeContent receive(const std::vector<SendCommand>& commands, const SubvolumeContent& parent) {
    SubvolumeContent content = parent;
    for (const SendCommand& command : commands)
        apply_command(command, parent, content);
    return content;
}

std::string difference(const SubvolumeContent& sent, const SubvolumeContent& received) {
    for (const auto& [ino, file] : sent.files) {
        const auto found = received.files.find(ino);
        if (found == received.files.end())
            return "inode " + std::to_string(ino) + " was not received";
        if (!(found->second == file)) return file_difference(ino, file, found->second);
    }
    for (const auto& [ino, file] : received.files)
        if (!sent.files.contains(ino))
            return "inode " + std::to_string(ino) + " was received and is not in the snapshot";
    return "";
}

}  // namespace model
