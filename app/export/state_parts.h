#pragma once
#include "app/export/state.h"
#include "model/fs_info.h"

/// The tables of a state, a function each; StateReader puts them together.
namespace app::exporter {

/// A number as JSON readers keep it: beyond 2^53, where they would not, as text.
SortedJson number_json(std::uint64_t value);

/// What a simulated data sector holds, in hexadecimal: the byte when all are the same.
std::string word_text(model::DataWord word);

/// Names of the bits that are set.
struct BitName {
    unsigned bit;
    const char* name;
};
template <class Names> SortedJson bits_json(std::uint64_t bits, const Names& names) {
    SortedJson list = SortedJson::array();
    for (const BitName& entry : names)
        if (((bits >> entry.bit) & 1) != 0) list.push_back(entry.name);
    return list;
}

SortedJson tasks_table(const sim::Scheduler& scheduler);

SortedJson filesystem_table(const model::FsInfo& fs);
SortedJson transactions_table(const model::FsInfo& fs);
SortedJson heads_table(const model::FsInfo& fs);
SortedJson pinned_table(const model::FsInfo& fs);

SortedJson groups_table(const model::FsInfo& fs);
SortedJson space_table(const model::FsInfo& fs);
SortedJson reserves_table(const model::FsInfo& fs);

SortedJson chunks_table(const model::FsInfo& fs);
SortedJson devices_table(const model::FsInfo& fs);
SortedJson zones_table(const model::FsInfo& fs);
SortedJson replace_table(const model::FsInfo& fs);
SortedJson relocation_table(const model::FsInfo& fs);
SortedJson scrub_table(const model::FsInfo& fs);

SortedJson files_table(const model::FsInfo& fs);
SortedJson ordered_table(const model::FsInfo& fs);

}  // namespace app::exporter
