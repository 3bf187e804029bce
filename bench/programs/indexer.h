#pragma once
#include "sim/atomic.h"
#include "sim/containers.h"
#include "sim/program.h"
#include "sim/scheduler.h"

namespace programs {

/// Each task puts four words into a shared hash table by compare-and-swap, going on to the next
/// cell where one is taken. 8^(N-11) traces for N = 11 to 16 tasks (Flanagan, Godefroid; POPL
/// 2005).
class Indexer final : public sim::Program {
  public:
    explicit Indexer(unsigned tasks, unsigned words = 4, unsigned cells = 128)
        : tasks_(tasks), words_(words), cells_(cells) {}

    void prepare() override {
        table_ = sim::make<Table>();
        for (unsigned i = 0; i < cells_; ++i)
            table_->cells.emplace_back(0, i);
    }
    void start() override {
        for (unsigned t = 0; t < tasks_; ++t)
            sim::current().spawn("task", [this, t] {
                for (std::uint64_t m = 1; m <= words_; ++m)
                    insert(11 * m + t);
            });
    }
    std::uint64_t state_hash() override {
        std::uint64_t hash = 4;
        for (const auto& cell : table_->cells)
            hash = sim::hash_mix(hash, cell.peek());
        return hash;
    }

  private:
    struct Table {
        sim::Deque<sim::Atomic<std::uint64_t>> cells;
    };

    void insert(std::uint64_t word) {
        std::uint64_t free = 0;
        for (std::uint64_t at = 7 * word % cells_; !table_->cells[at].compare_exchange(free, word);
             at = (at + 1) % cells_)
            free = 0;
    }

    unsigned tasks_, words_, cells_;
    Table* table_ = nullptr;
};

}  // namespace programs
