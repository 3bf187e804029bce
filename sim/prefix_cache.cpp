#include "sim/prefix_cache.h"

#include <bit>

namespace sim {

PrefixCache::PrefixCache(std::size_t entries) : table_(entries == 0 ? 0 : std::bit_ceil(entries)) {}

bool PrefixCache::visited(const Digest& prefix, std::uint32_t deviations) {
    Entry& entry = table_[prefix.a & (table_.size() - 1)];
    if (entry.generation == generation_ && entry.prefix == prefix && entry.deviations <= deviations)
        return true;
    entry = {prefix, generation_, deviations};
    return false;
}

}  // namespace sim
