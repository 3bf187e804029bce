#pragma once
#include "app/export/state.h"
#include "model/fs_info.h"

/// The tables of a state, a function each; StateReader puts them together.
namespace app::exporter {

/// A number as JSON readers keep it: beyond 2^53, where they would not, as text.
Json number_json(std::uint64_t value);

/// What a simulated data sector holds, in hexadecimal: the byte when all are the same.
std::string word_text(model::DataWord word);

/// Names of the bits that are set.
struct BitName {
    unsigned bit;
    const char* name;
};
template <class Names> Json bits_json(std::uint64_t bits, const Names& names) {
    Json list = Json::array();
    for (const BitName& entry : names)
        if (((bits >> entry.bit) & 1) != 0) list.push_back(entry.name);
    return list;
}

Json tasks_table(const sim::Scheduler& scheduler);

Json filesystem_table(const model::FsInfo& fs);
Json transactions_table(const model::FsInfo& fs);
Json heads_table(const model::FsInfo& fs);
Json pinned_table(const model::FsInfo& fs);

Json groups_table(const model::FsInfo& fs);
Json space_table(const model::FsInfo& fs);
Json reserves_table(const model::FsInfo& fs);

Json chunks_table(const model::FsInfo& fs);
Json devices_table(const model::FsInfo& fs);
Json zones_table(const model::FsInfo& fs);
Json replace_table(const model::FsInfo& fs);
Json relocation_table(const model::FsInfo& fs);
Json scrub_table(const model::FsInfo& fs);

Json files_table(const model::FsInfo& fs);
Json ordered_table(const model::FsInfo& fs);

}  // namespace app::exporter
