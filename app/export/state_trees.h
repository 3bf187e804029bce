#pragma once
#include <set>
#include <string>
#include <vector>

#include "app/export/state.h"
#include "model/fs_info.h"

namespace app::exporter {

/// "FS_TREE"; a relocation tree by what it is a copy of: "TREE_RELOC of 257".
std::string root_name(const model::Root& root);

/// All trees, as they are and as they were last committed: their roots, each block once, and what
/// the extent tree says of extents.
class TreeReader {
  public:
    explicit TreeReader(StateReader& reader) : reader_(reader), fs_(reader.fs_) {}
    void read();

    SortedJson roots = SortedJson::object(), blocks = SortedJson::object(),
               extents = SortedJson::object();

  private:
    void add_root(const model::Root* root);
    void add_tree(std::uint64_t root);
    void add_block(std::uint64_t bytenr, std::vector<std::uint64_t>& children);
    /// Header and slots of a block, made again only where its bytes have changed.
    const SortedJson& content(std::uint64_t bytenr, const unsigned char* bytes);
    /// The items of the running extent tree.
    void add_extents();

    StateReader& reader_;
    const model::FsInfo& fs_;
    std::set<std::uint64_t> seen_;
};

}  // namespace app::exporter
