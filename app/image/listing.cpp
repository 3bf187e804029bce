#include "app/image/listing.h"

#include <charconv>
#include <optional>
#include <sstream>

#include "app/image/memory_images.h"
#include "app/image/process.h"
#include "app/report/key_names.h"
#include "model/disk_io.h"
#include "model/fs_info.h"
#include "model/tree_check.h"

namespace app::image {

namespace {

// ---- what the model says
// -----------------------------------------------------------------------------------------------------

void add_block(Listing& listing, const model::VisitedBlock& block) {
    Listing::Block& entry = listing.blocks[block.bytenr.get()];
    const model::HeaderItem& header = block.header();
    entry = {
        .level = header.level, .generation = header.generation, .owner = header.owner, .keys = {}};
    for (unsigned slot = 0; slot < header.nritems; ++slot)
        entry.keys.push_back(block.key(slot));
}

/// The tree that a root item's key names.
Listing::TreeId tree_of_key(const model::Key& key) {
    return {key.objectid, key.objectid == model::tree_reloc_objectid ? key.offset : 0};
}

/// A tree and its blocks, and what `visit_item` wants of its items.
template <class VisitItem>
void add_tree(const model::FsInfo& fs, Listing& listing, Listing::TreeId id,
              const model::VisitedBlock& root, VisitItem&& visit_item) {
    listing.roots[id] = root.bytenr.get();
    const auto visit = [&](const model::VisitedBlock& block) {
        if (block.bytes == nullptr) return model::WalkStep::Skip;
        add_block(listing, block);
        for (unsigned slot = 0; block.level == 0 && slot < block.header().nritems; ++slot)
            visit_item(block, slot);
        return model::WalkStep::Descend;
    };
    using Visit = decltype(visit);
    model::walk_tree(
        fs, root,
        [](void* context, const model::VisitedBlock& b) {
            return (*static_cast<Visit*>(context))(b);
        },
        const_cast<void*>(static_cast<const void*>(&visit)));
}

model::VisitedBlock block_of(const model::ExtentBuffer& eb) {
    return {eb.start, eb.level(), eb.generation(), nullptr, eb.data, &eb};
}

constexpr auto no_item = [](const model::VisitedBlock&, unsigned) {};

// ---- what the tool says
// ------------------------------------------------------------------------------------------------------

using report::KeyNames;

/// A name, a decimal or a hexadecimal number. What is neither is a key that no tree has.
std::uint64_t number_of(std::string_view word, const KeyNames& names) {
    if (const auto found = names.find(word); found != names.end()) return found->second;
    constexpr std::string_view unknown = "UNKNOWN.";
    if (word.starts_with(unknown)) word.remove_prefix(unknown.size());
    const bool hexadecimal = word.starts_with("0x");
    if (hexadecimal) word.remove_prefix(2);
    std::uint64_t number = 0;
    const auto [end, error] =
        std::from_chars(word.data(), word.data() + word.size(), number, hexadecimal ? 16 : 10);
    return error == std::errc{} && end == word.data() + word.size() ? number : ~std::uint64_t{1};
}

/// "(EXTENT_TREE ROOT_ITEM 0)" in a line, after `label`.
std::optional<model::Key> key_in(const std::string& line, const std::string& label) {
    const std::size_t start = line.find(label + "(");
    if (start == std::string::npos) return std::nullopt;
    const std::size_t first = start + label.size() + 1;
    std::istringstream words(line.substr(first, line.find(')', first) - first));
    std::string object, type, offset;
    words >> object >> type >> offset;
    return model::Key{number_of(object, report::object_names()),
                      static_cast<model::u8>(number_of(type, report::item_type_names())),
                      number_of(offset, report::object_names())};
}

/// Reads the lines one by one.
class DumpReader {
  public:
    void line(const std::string& text) {
        if (const auto tree = tree_of(text)) {
            tree_ = *tree;
            return;
        }
        const bool leaf = text.starts_with("leaf "), node = text.starts_with("node ");
        if ((leaf || node) && text.find(" items ") != std::string::npos) return block(text);
        const bool item = text.starts_with("\titem "), child = text.starts_with("\tkey (");
        if ((item || child) && block_ != nullptr)
            if (const auto key = key_in(text, "key ")) block_->keys.push_back(*key);
    }
    Listing take() { return std::move(listing_); }

  private:
    /// "root tree", "chunk tree", "fs tree key (FS_TREE ROOT_ITEM 0)": the tree that follows.
    static std::optional<Listing::TreeId> tree_of(const std::string& text) {
        if (text == "root tree") return Listing::TreeId{model::root_tree_objectid, 0};
        if (text == "chunk tree") return Listing::TreeId{model::chunk_tree_objectid, 0};
        if (text.starts_with('\t') || text.find(" tree key (") == std::string::npos)
            return std::nullopt;
        const auto key = key_in(text, "key ");
        return key ? std::optional(tree_of_key(*key)) : std::nullopt;
    }
    /// "leaf 5246976 items 3 free space 3695 generation 3 owner FS_TREE"
    void block(const std::string& text) {
        std::istringstream words(text);
        std::string kind, word;
        std::uint64_t bytenr = 0;
        words >> kind >> bytenr;
        Listing::Block fresh;
        while (words >> word) {
            if (word == "level") words >> fresh.level;
            if (word == "generation") words >> fresh.generation;
            if (word != "owner") continue;
            words >> word;
            fresh.owner = number_of(word, report::object_names());
        }
        if (tree_) listing_.roots[*tree_] = bytenr;
        tree_.reset();
        block_ = &(listing_.blocks[bytenr] = std::move(fresh));
    }

    Listing listing_;
    std::optional<Listing::TreeId> tree_;  // whose root comes next
    Listing::Block* block_ = nullptr;
};

std::string block_text(std::uint64_t bytenr, const Listing::Block& block) {
    return "block " + std::to_string(bytenr) + " (level " + std::to_string(block.level) +
           ", generation " + std::to_string(block.generation) + ", owner " +
           std::to_string(block.owner) + ", " + std::to_string(block.keys.size()) + " keys)";
}

}  // namespace

Listing listing_of(const model::FsInfo& fs) {
    Listing listing;
    std::map<Listing::TreeId, model::RootItem> items;
    add_tree(fs, listing, {model::chunk_tree_objectid, 0}, block_of(*fs.chunk_root->commit_root),
             no_item);
    add_tree(fs, listing, {model::root_tree_objectid, 0}, block_of(*fs.tree_root->commit_root),
             [&](const model::VisitedBlock& block, unsigned slot) {
                 const model::Key key = block.key(slot);
                 if (key.type == model::root_item_key)
                     items[tree_of_key(key)] = model::load<model::RootItem>(block.item_data(slot));
             });
    for (const auto& [id, item] : items) {
        const auto bytes = model::peek_tree_block(fs, model::Bytenr(item.bytenr));
        model::VisitedBlock root{model::Bytenr(item.bytenr),
                                 item.level,
                                 model::Transid(item.generation),
                                 nullptr,
                                 nullptr,
                                 nullptr};
        if (!bytes.empty()) root.bytes = bytes.data();
        add_tree(fs, listing, id, root, no_item);
    }
    return listing;
}

Listing parse_dump_tree(const std::string& text) {
    DumpReader reader;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        reader.line(line);
    return reader.take();
}

Listing dump_tree(const Image& image) {
    const MemoryImages files(image);
    if (files.devices().empty()) return {};
    const ProcessResult result =
        files.start({"btrfs", "inspect-internal", "dump-tree"}, 0)->wait(std::chrono::minutes(1));
    return result.status == 0 ? parse_dump_tree(result.text) : Listing{};
}

std::string difference(const Listing& model, const Listing& tool) {
    if (model.roots != tool.roots) {
        for (const auto& [id, bytenr] : model.roots) {
            const auto found = tool.roots.find(id);
            if (found == tool.roots.end() || found->second != bytenr)
                return "tree " + std::to_string(id.first) + " has its root at " +
                       std::to_string(bytenr) + ", dump-tree has it elsewhere";
        }
        return "dump-tree has " + std::to_string(tool.roots.size()) + " trees, the model " +
               std::to_string(model.roots.size());
    }
    for (const auto& [bytenr, block] : model.blocks) {
        const auto found = tool.blocks.find(bytenr);
        if (found == tool.blocks.end())
            return block_text(bytenr, block) + " is not in what dump-tree lists";
        if (found->second == block) continue;
        return block_text(bytenr, block) + " is for dump-tree " + block_text(bytenr, found->second);
    }
    if (model.blocks.size() == tool.blocks.size()) return "";
    return "dump-tree lists " + std::to_string(tool.blocks.size()) + " blocks, the model has " +
           std::to_string(model.blocks.size());
}

}  // namespace app::image
