#include "model/tree_check.h"

#include <cstring>
#include <vector>

#include "model/disk_io.h"
#include "model/fs_info.h"
#include "model/tree_layout.h"

namespace model {
namespace {

/// Depth first. Bytes read from a device live as long as the block's subtree is walked.
class Walker {
  public:
    Walker(const FsInfo& fs, TreeVisitor visit, void* context)
        : fs_(fs), visit_(visit), context_(context) {}

    void subtree(const VisitedBlock& block) {
        const WalkStep step = visit_(context_, block);
        if (step == WalkStep::Stop) stopped_ = true;
        if (step != WalkStep::Descend || block.bytes == nullptr || block.level == 0) return;
        for (u32 slot = 0; slot < block.header().nritems && !stopped_; ++slot)
            child(block, slot);
    }

  private:
    void child(const VisitedBlock& parent, u32 slot) {
        const KeyPtr ptr = parent.ptr(slot);
        const Key first_key = ptr.key.cpu();
        VisitedBlock block{Bytenr(ptr.blockptr),
                           static_cast<Level>(parent.level - 1),
                           Transid(ptr.generation),
                           &first_key,
                           nullptr,
                           nullptr};
        std::vector<unsigned char> read;
        const auto cached = fs_.buffer_radix.find(block.bytenr.get());
        if (cached != fs_.buffer_radix.end() && cached->second->has_flag(eb_flag::uptodate)) {
            block.cached = cached->second;
            block.bytes = cached->second->data;
        } else {
            read = peek_block_on_devices(fs_, block.bytenr, false);
            if (!read.empty()) block.bytes = read.data();
        }
        subtree(block);
    }

    const FsInfo& fs_;
    TreeVisitor visit_;
    void* context_;
    bool stopped_ = false;
};

std::string check_header(const FsInfo& fs, const VisitedBlock& block) {
    const HeaderItem& header = block.header();
    if (header.bytenr != block.bytenr.get())
        return "its header has bytenr " + number(header.bytenr);
    if (std::memcmp(header.fsid, fs.fsid, sizeof(fs.fsid)) != 0)
        return "its header has another fsid";
    if (header.flags >> 56 != mixed_backref_rev)
        return "its header has back reference revision " + number(header.flags >> 56);
    if (header.level != block.level)
        return "its level is " + number(header.level) + ", not " + number(block.level);
    if (header.generation != block.generation.get())
        return "its generation is " + number(header.generation) + ", not " +
               number(block.generation.get());
    if (header.generation > fs.generation.get())
        return "its generation " + number(header.generation) + " has not begun yet";
    return {};
}

std::string check_keys(const VisitedBlock& block) {
    const u32 count = block.header().nritems;
    if (count != 0 && block.first_key != nullptr && block.key(0) != *block.first_key)
        return "its first key is " + to_string(block.key(0)) + ", not " +
               to_string(*block.first_key);
    for (u32 slot = 1; slot < count; ++slot)
        if (block.key(slot - 1) >= block.key(slot))
            return "slot " + number(slot) + ": key " + to_string(block.key(slot)) +
                   " comes after " + to_string(block.key(slot - 1));
    return {};
}

std::string check_packing(const FsInfo& fs, const VisitedBlock& block) {
    u32 limit = fs.nodesize - static_cast<u32>(sizeof(HeaderItem));
    const u32 count = block.header().nritems;
    for (u32 slot = 0; slot < count; ++slot) {
        const LeafItem item = block.item(slot);
        if (u64{item.offset} + item.size != limit)
            return "slot " + number(slot) + ": its item ends at " +
                   number(u64{item.offset} + item.size) + ", not " + number(limit);
        limit = item.offset;
    }
    if (limit < count * sizeof(LeafItem)) return "its items overlap their data";
    return {};
}

std::string check_pointers(const VisitedBlock& block) {
    for (u32 slot = 0; slot < block.header().nritems; ++slot) {
        const KeyPtr ptr = block.ptr(slot);
        if (ptr.blockptr == 0 || ptr.blockptr % sectorsize != 0)
            return "slot " + number(slot) + ": pointer " + number(ptr.blockptr);
        if (ptr.generation > block.header().generation)
            return "slot " + number(slot) + ": a pointer of generation " + number(ptr.generation) +
                   " in an older block";
    }
    return {};
}

}  // namespace

void walk_tree(const FsInfo& fs, const VisitedBlock& root, TreeVisitor visit, void* context) {
    Walker(fs, visit, context).subtree(root);
}

std::string check_block_structure(const FsInfo& fs, const VisitedBlock& block) {
    if (block.bytes == nullptr) return "no good copy of it is anywhere";
    if (std::string defect = check_header(fs, block); !defect.empty()) return defect;
    const u32 count = block.header().nritems;
    const u32 most = block.level == 0 ? layout::leaf_capacity(fs) : layout::node_capacity(fs);
    if (count > most) return "it has " + number(count) + " items, " + number(most) + " are allowed";
    const bool is_root = block.first_key == nullptr;
    if (count == 0 && (block.level > 0 || !is_root)) return "it is empty";
    if (std::string defect = check_keys(block); !defect.empty()) return defect;
    return block.level == 0 ? check_packing(fs, block) : check_pointers(block);
}

std::string check_tree_structure(const FsInfo& fs, const ExtentBuffer& root) {
    std::string defect;
    walk_tree(fs, root, [&](const VisitedBlock& block) {
        defect = check_block_structure(fs, block);
        if (defect.empty()) return WalkStep::Descend;
        defect = "block " + number(block.bytenr.get()) + " of tree " + number(root.owner()) +
                 " (level " + number(block.level) + "): " + defect;
        return WalkStep::Stop;
    });
    return defect;
}

std::string check_tree_structure(const Root& root) {
    return check_tree_structure(root.fs, *root.node);
}

}  // namespace model
