#include "app/export/state_trees.h"

#include <algorithm>

#include "app/export/item_text.h"
#include "app/export/state_parts.h"
#include "app/report/key_names.h"
#include "model/disk_io.h"

namespace app::exporter {

namespace {

constexpr BitName buffer_bits[] = {{model::eb_flag::dirty, "dirty"},
                                   {model::eb_flag::stale, "stale"},
                                   {model::eb_flag::corrupt, "corrupt"},
                                   {model::eb_flag::read_err, "read error"},
                                   {model::eb_flag::write_err, "write error"}};
constexpr BitName header_bits[] = {{0, "written"}, {1, "reloc"}};

/// Slots that fit into a block's bytes, whatever its header says.
unsigned slots_of(const model::HeaderItem& header, std::uint32_t nodesize) {
    const std::size_t slot = header.level == 0 ? sizeof(model::LeafItem) : sizeof(model::KeyPtr);
    return static_cast<unsigned>(
        std::min<std::size_t>(header.nritems, (nodesize - sizeof(model::HeaderItem)) / slot));
}

void add_leaf(SortedJson& record, const unsigned char* bytes, unsigned count,
              std::uint32_t nodesize) {
    const unsigned char* const items = bytes + sizeof(model::HeaderItem);
    const std::size_t room = nodesize - sizeof(model::HeaderItem);
    for (unsigned slot = 0; slot < count; ++slot) {
        const auto item = model::load<model::LeafItem>(items + slot * sizeof(model::LeafItem));
        const bool fits = std::size_t{item.offset} + item.size <= room;
        record["slots"].push_back(
            item_text(item.key.cpu(), items + (fits ? item.offset : 0), fits ? item.size : 0));
    }
}

void add_node(SortedJson& record, const unsigned char* bytes, unsigned count) {
    const unsigned char* const ptrs = bytes + sizeof(model::HeaderItem);
    record["children"] = SortedJson::array();
    for (unsigned slot = 0; slot < count; ++slot) {
        const auto ptr = model::load<model::KeyPtr>(ptrs + slot * sizeof(model::KeyPtr));
        record["slots"].push_back(report::key_text(ptr.key.cpu()) + ": block " +
                                  std::to_string(ptr.blockptr) + ", generation " +
                                  std::to_string(ptr.generation));
        record["children"].push_back(number_json(ptr.blockptr));
    }
}

SortedJson block_record(const unsigned char* bytes, std::uint32_t nodesize) {
    const auto header = model::load<model::HeaderItem>(bytes);
    SortedJson record = {{"owner", report::tree_name(header.owner)},
                         {"generation", number_json(header.generation)},
                         {"level", header.level},
                         {"header", bits_json(header.flags, header_bits)},
                         {"slots", SortedJson::array()}};
    const unsigned count = slots_of(header, nodesize);
    if (header.level == 0) {
        add_leaf(record, bytes, count, nodesize);
    } else {
        add_node(record, bytes, count);
    }
    return record;
}

/// The extents that a leaf has items of, by address.
SortedJson extents_of(const unsigned char* bytes, std::uint32_t nodesize) {
    const auto header = model::load<model::HeaderItem>(bytes);
    SortedJson extents = SortedJson::object();
    if (header.level != 0) return extents;
    const unsigned char* const items = bytes + sizeof(model::HeaderItem);
    const std::size_t room = nodesize - sizeof(model::HeaderItem);
    for (unsigned slot = 0; slot < slots_of(header, nodesize); ++slot) {
        const auto item = model::load<model::LeafItem>(items + slot * sizeof(model::LeafItem));
        const model::Key key = item.key.cpu();
        const bool metadata = key.type == model::metadata_item_key;
        const bool fits =
            std::size_t{item.offset} + item.size <= room && item.size >= sizeof(model::ExtentItem);
        if ((!metadata && key.type != model::extent_item_key) || !fits) continue;
        const auto extent = model::load<model::ExtentItem>(items + item.offset);
        extents[std::to_string(key.objectid)] = {
            {"length", number_json(metadata ? nodesize : key.offset)},
            {"refs", number_json(extent.refs)},
            {"generation", number_json(extent.generation)},
            {"data", (extent.flags & model::extent_flag_data) != 0},
            {"full_backref", (extent.flags & model::block_flag_full_backref) != 0}};
    }
    return extents;
}

/// "W", "R2", or nothing.
std::string lock_text(const sim::RwSem& lock) {
    if (lock.is_write_locked()) return "W";
    return lock.is_locked() ? "R" + std::to_string(lock.readers()) : "";
}

}  // namespace

std::string root_name(const model::Root& root) {
    const std::string name = report::tree_name(root.objectid);
    if (root.objectid != model::tree_reloc_objectid) return name;
    return name + " of " + report::tree_name(root.root_key.offset);
}

void TreeReader::read() {
    for (const model::Root* const root :
         {fs_.tree_root, fs_.extent_root, fs_.chunk_root, fs_.dev_root, fs_.csum_root})
        add_root(root);
    for (const auto& [id, root] : fs_.fs_roots) {
        add_root(root);
        add_root(root->reloc_root);
    }
    add_extents();
}

void TreeReader::add_root(const model::Root* root) {
    if (root == nullptr) return;
    SortedJson& record = roots[root_name(*root)];
    record = {{"shareable", root->shareable()},
              {"last_trans", number_json(root->last_trans.peek())},
              {"dirty", root->on_dirty_list}};
    if (root->node != nullptr) {
        record["node"] = number_json(root->node->start.get());
        add_tree(root->node->start.get());
    }
    if (root->commit_root != nullptr) {
        record["commit_root"] = number_json(root->commit_root->start.get());
        add_tree(root->commit_root->start.get());
    }
}

void TreeReader::add_tree(std::uint64_t root) {
    std::vector<std::uint64_t> open{root};
    while (!open.empty()) {
        const std::uint64_t next = open.back();
        open.pop_back();
        if (seen_.insert(next).second) add_block(next, open);
    }
}

void TreeReader::add_block(std::uint64_t bytenr, std::vector<std::uint64_t>& children) {
    const auto cached = fs_.buffer_radix.find(bytenr);
    const model::ExtentBuffer* const eb =
        cached == fs_.buffer_radix.end() ? nullptr : cached->second;
    std::vector<unsigned char> read;
    const bool in_memory = eb != nullptr && eb->has_flag(model::eb_flag::uptodate);
    if (!in_memory) read = model::peek_tree_block(fs_, model::Bytenr(bytenr));
    SortedJson& record = blocks[std::to_string(bytenr)];
    if (!in_memory && read.empty()) {
        record = {{"unreadable", true}};
        return;
    }
    record = content(bytenr, in_memory ? eb->data : read.data());
    record["cached"] = eb != nullptr;
    if (eb != nullptr) {
        record["flags"] = bits_json(eb->bflags.peek(), buffer_bits);
        if (eb->writeback.peek()) record["flags"].push_back("writeback");
        record["lock"] = lock_text(eb->lock);
    }
    const auto below = record.find("children");
    if (below == record.end()) return;
    for (const SortedJson& child : *below)
        if (child.is_number()) children.push_back(child.get<std::uint64_t>());
}

const SortedJson& TreeReader::content(std::uint64_t bytenr, const unsigned char* bytes) {
    const std::uint32_t checksum = model::crc32c(bytes, fs_.nodesize);
    auto& known = reader_.known_[bytenr];
    if (known.record.is_null() || known.checksum != checksum) {
        known.checksum = checksum;
        known.record = block_record(bytes, fs_.nodesize);
        known.extents = extents_of(bytes, fs_.nodesize);
    }
    return known.record;
}

void TreeReader::add_extents() {
    if (fs_.extent_root == nullptr || fs_.extent_root->node == nullptr) return;
    std::vector<std::uint64_t> open{fs_.extent_root->node->start.get()};
    std::set<std::uint64_t> seen;
    while (!open.empty()) {
        const std::uint64_t next = open.back();
        open.pop_back();
        const auto known = reader_.known_.find(next);
        if (known == reader_.known_.end() || !seen.insert(next).second) continue;
        extents.update(known->second.extents);
        if (const auto below = known->second.record.find("children");
            below != known->second.record.end())
            for (const SortedJson& child : *below)
                if (child.is_number()) open.push_back(child.get<std::uint64_t>());
    }
}

}  // namespace app::exporter
