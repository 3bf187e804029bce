// fs/btrfs/locking.c: locks of tree blocks. The home-made spinning and blocking locks before 5.10
// are not modelled: they admit the same orders.
#include <array>

#include "model/extent_buffer.h"
#include "model/invariants.h"

namespace model {
namespace lock_classes {
namespace {

struct Keyset {
    Objectid tree;
    const char* stem;
};
constexpr std::array<Keyset, 10> keysets{{{root_tree_objectid, "btrfs-root"},
                                          {extent_tree_objectid, "btrfs-extent"},
                                          {chunk_tree_objectid, "btrfs-chunk"},
                                          {dev_tree_objectid, "btrfs-dev"},
                                          {csum_tree_objectid, "btrfs-csum"},
                                          {uuid_tree_objectid, "btrfs-uuid"},
                                          {tree_log_objectid, "btrfs-log"},
                                          {tree_reloc_objectid, "btrfs-treloc"},
                                          {data_reloc_tree_objectid, "btrfs-dreloc"},
                                          {0, "btrfs-tree"}}};  // every other tree
constexpr unsigned nestings = 8;
constexpr std::size_t name_size = 16;

/// "btrfs-extent-01": the name that lockdep prints.
constexpr std::array<char, name_size> class_name(const char* stem, unsigned level) {
    std::array<char, name_size> name{};
    std::size_t length = 0;
    while (stem[length] != '\0') {
        name[length] = stem[length];
        ++length;
    }
    name[length] = '-';
    name[length + 1] = '0';
    name[length + 2] = static_cast<char>('0' + level);
    return name;
}

constexpr auto class_names = [] {
    std::array<std::array<char, name_size>, keysets.size() * max_level> names{};
    for (std::size_t i = 0; i < names.size(); ++i)
        names[i] = class_name(keysets[i / max_level].stem, i % max_level);
    return names;
}();

constexpr auto class_table = [] {
    std::array<LockClass, keysets.size() * max_level> classes{};
    for (std::size_t i = 0; i < classes.size(); ++i)
        classes[i] = {class_names[i].data(),
                      static_cast<std::uint16_t>(first_tree_lock + i * nestings), nestings};
    return classes;
}();
static_assert(class_table.back().index + nestings <= sim::max_lock_classes);

}  // namespace

const LockClass& tree_lock_class(std::uint64_t owner, unsigned level) {
    std::size_t set = 0;
    while (set + 1 < keysets.size() && keysets[set].tree != owner)
        ++set;
    return class_table[set * max_level + level];
}

}  // namespace lock_classes

void tree_lock(ExtentBuffer& eb, unsigned nesting, sim::Where where) {
    eb.lock.down_write(nesting, where);
}
void tree_unlock(ExtentBuffer& eb) {
    check_unlocked_block(eb);
    eb.lock.up_write();
}
void tree_read_lock(ExtentBuffer& eb, unsigned nesting, sim::Where where) {
    eb.lock.down_read(nesting, where);
}
bool try_tree_read_lock(ExtentBuffer& eb, sim::Where where) {
    return eb.lock.try_down_read(0, where);
}
void tree_read_unlock(ExtentBuffer& eb) {
    eb.lock.up_read();
}

void set_buffer_lockdep_class(ExtentBuffer& eb, Objectid owner, Level level) {
    eb.known_level = level;
    eb.lock.set_lock_class(lock_classes::tree_lock_class(owner, level));
}

}  // namespace model
