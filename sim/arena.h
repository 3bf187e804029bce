#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace sim {

/// The memory of one simulation: everything the model builds lies here.
///
/// After the preparation has run, snapshot() freezes what it built. Each execution then works on
/// that memory directly and restore() undoes it by copying back only the pages that executions ever
/// wrote, so starting an execution costs what executions write, not what the preparation built.
/// Pages are found by write protection: the first write to a frozen page traps once, for the life
/// of the arena.
///
/// Not thread safe: an arena belongs to the thread that made it.
class Arena {
  public:
    /// @param reserve_bytes  address space to reserve; pages are committed as they are used
    explicit Arena(std::size_t reserve_bytes = std::size_t{1} << 30);
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    void* allocate(std::size_t bytes);
    void deallocate(void* memory, std::size_t bytes) noexcept;

    /// Freezes the current content as the prepared state. Called once.
    void snapshot();
    /// Returns to the prepared state. Undefined before snapshot().
    void restore();

    bool contains(const void* address) const {
        return address >= base_ && address < base_ + reserve_;
    }
    std::size_t bytes_in_use() const { return top_; }
    std::size_t prepared_bytes() const { return frozen_; }
    std::size_t pages_restored() const { return hot_pages_.size(); }

    /// Called by the fault handler: makes a frozen page writable and remembers it.
    /// @return false if the address is not a frozen page of this arena, nor of an older one of this
    /// thread
    bool on_write_fault(void* address);

  private:
    static constexpr std::size_t page_size = 4096;
    static constexpr std::size_t granule = 16;
    static constexpr std::size_t size_classes =
        320;  // up to 5120 bytes: a tree block with its header fits

    unsigned char* base_ = nullptr;
    std::size_t reserve_ = 0;
    std::size_t top_ = 0;                               // where no block is yet
    std::array<void*, size_classes> free_lists_{};      // by size, in granules
    std::array<void*, size_classes> prepared_lists_{};  // at snapshot()
    std::size_t lists_used_ = 0;                        // the others have always been empty
    std::size_t prepared_ = 0;                          // bytes that the prepared state has
    std::size_t frozen_ = 0;  // bytes under snapshot: these, up to the end of a page
    std::unique_ptr<unsigned char[]> pristine_;
    std::vector<std::uint32_t> hot_pages_;
    Arena* older_ = nullptr;  // of this thread: simulations may nest
};

}  // namespace sim
