// fs/btrfs/super.c and disk-io.c: the filesystem as a whole, and its messages.
#include "model/fs_info.h"

#include "model/ledger.h"

#include <string_view>

namespace model {
namespace {

/// The letter of each bit of fs_state, as fs_state_chars has it; 0 where there is none.
constexpr std::string_view state_letters{"EM\0AR", 5};

/// ": state EA", or nothing. Mirrors btrfs_state_to_string(), 5.18.
std::string state_suffix(const FsInfo& fs) {
    std::string letters;
    for (unsigned bit = 0; bit < state_letters.size(); ++bit)
        if (state_letters[bit] != 0 && fs.fs_state.peek_bit(bit)) letters += state_letters[bit];
    if (letters.empty() || !fs.kernel.at_least(5, 18)) return {};
    return ": state " + letters;
}

/// The name that the kernel prints for the whole filesystem: that of its first device.
std::string_view device_id(const FsInfo& fs) {
    const auto& opened = fs.fs_devices.devices;
    const auto& devices = opened.empty() ? fs.fs_devices.all_devices : opened;
    return devices.empty() ? std::string_view("?") : std::string_view(devices.front()->name);
}

}  // namespace

FsInfo::FsInfo(const KernelVersion& version, const Geometry& shape, KernelQuestions* asked)
    : kernel(version, asked), nodesize(shape.nodesize), leaf_cap(shape.items_per_node),
      node_cap(shape.node_cap()), fs_state(0, 0, objects::fs_state),
      super_copy(sim::make<SuperBlock>()), super_for_commit(sim::make<SuperBlock>()),
      super_obj(objects::super, 0, this), geometry(&shape),
      fs_roots_lock(lock_classes::fs_roots_lock), fs_roots_obj(objects::fs_roots, 0, this),
      fs_roots_tag_obj(objects::fs_roots, 1, this), commit_root_sem(lock_classes::commit_root_sem),
      buffer_radix_obj(objects::eb_cache, 0, this), trans_lock(lock_classes::trans_lock),
      trans_obj(objects::transaction, 0, this), transaction_wait(0, "transaction_wait"),
      transaction_blocked_wait(0, "transaction_blocked_wait"),
      tree_log_mutex(lock_classes::tree_log_mutex), reloc_mutex(lock_classes::reloc_mutex),
      ro_block_group_mutex(lock_classes::ro_block_group_mutex),
      cleaner_mutex(lock_classes::cleaner_mutex),
      unused_bg_unpin_mutex(lock_classes::unused_bg_unpin_mutex),
      block_group_cache_lock(lock_classes::bg_cache_lock), data_profile(shape.data_profile),
      metadata_profile(shape.metadata_profile), device_list_mutex(lock_classes::device_list_mutex),
      chunk_mutex(lock_classes::chunk_mutex), mapping_tree_lock(lock_classes::mapping_tree_lock),
      mapping_tree_obj(objects::mapping_tree, 0, this), dev_replace(*this), scrub(*this),
      block_groups_obj(objects::block_group_index, 0, this), reloc(*this), balance(*this),
      send(*this), ordered_operations_mutex(lock_classes::ordered_operations_mutex),
      ordered_root_lock(lock_classes::ordered_root_lock),
      ordered_roots_obj(objects::ordered_list, 0, this), endio_write_workers("btrfs-endio-write"),
      endio_workers("btrfs-endio"), flush_workers("btrfs-flush_delalloc"),
      extent_workers("btrfs-extent-refs") {
    if (shape.zone_size != 0) zoned = sim::make<ZonedFs>(*this);
    u16 index = 0;
    for (const auto& spec : shape.devices) {
        Device* const device = sim::make<Device>(*this, spec.name, index++, spec.size);
        if (shape.zone_size != 0)
            device->drive = sim::make<ZonedDrive>(*device, shape.zone_size, shape.max_active_zones);
        fs_devices.all_devices.push_back(device);
    }
    ledger = sim::make<Ledger>();
}

FsInfo::~FsInfo() = default;

#ifdef INTERLEAF_MUTATIONS
bool is_mutated(const FsInfo& fs, Mutation mutation) {
    return fs.mutation == mutation;
}
#endif

void FsInfo::message(const char* level, const std::string& text) {
    sim::Scheduler* const scheduler = sim::current_or_null();
    if (scheduler == nullptr) return;
    scheduler->message(std::string("BTRFS ") + level + " " + device_and_state() + ": " + text);
}

std::string FsInfo::device_and_state() const {
    return "(device " + std::string(device_id(*this)) + state_suffix(*this) + ")";
}

}  // namespace model
