#pragma once
#include "sim/containers.h"
#include "sim/mutex.h"
#include "sim/program.h"
#include "sim/scheduler.h"

namespace programs {

/// Task i locks its inode and, if that has no block, finds a free one: from block 2i upwards,
/// cyclically, each under its own lock. With 32 inodes and 26 blocks 2^(N-13) traces for N = 13 to
/// 26 tasks (Flanagan, Godefroid; POPL 2005).
class FileSystem final : public sim::Program {
  public:
    explicit FileSystem(unsigned tasks, unsigned inodes = 32, unsigned blocks = 26)
        : tasks_(tasks), inodes_(inodes), blocks_(blocks) {}

    void prepare() override {
        disk_ = sim::make<Disk>();
        for (unsigned i = 0; i < inodes_; ++i)
            disk_->inodes.emplace_back(inode_lock, inode, i);
        for (unsigned b = 0; b < blocks_; ++b)
            disk_->blocks.emplace_back(block_lock, block, b);
    }
    void start() override {
        for (unsigned i = 0; i < tasks_; ++i)
            sim::current().spawn("task", [this, i] { create(i); });
    }
    std::uint64_t state_hash() override {
        std::uint64_t hash = 3;
        for (const Entry& entry : disk_->inodes)
            hash = sim::hash_mix(hash, entry.value.peek());
        for (const Entry& entry : disk_->blocks)
            hash = sim::hash_mix(hash, entry.value.peek());
        return hash;
    }

  private:
    static constexpr sim::ObjectClass inode{"inode", 32};
    static constexpr sim::ObjectClass block{"busy", 33};
    static constexpr sim::LockClass inode_lock{"inode_lock", 1};
    static constexpr sim::LockClass block_lock{"block_lock", 2};

    struct Entry {
        Entry(const sim::LockClass& lock_class, const sim::ObjectClass& cls, std::uint64_t key)
            : mutex(lock_class, key), value(cls, 0, key) {}
        sim::Mutex mutex;
        sim::Tracked<unsigned> value;
    };
    struct Disk {
        sim::Deque<Entry> inodes, blocks;
    };

    void create(unsigned task) {
        Entry& mine = disk_->inodes[task % inodes_];
        const sim::MutexGuard guard(mine.mutex);
        if (mine.value.get() != 0) return;
        for (unsigned b = 2 * task % blocks_;; b = (b + 1) % blocks_) {
            Entry& candidate = disk_->blocks[b];
            const sim::MutexGuard inner(candidate.mutex);
            if (candidate.value.get() != 0) continue;
            candidate.value.set(1);
            mine.value.set(b + 1);
            return;
        }
    }

    unsigned tasks_, inodes_, blocks_;
    Disk* disk_ = nullptr;
};

}  // namespace programs
