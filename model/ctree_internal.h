#pragma once
#include "model/ctree.h"
#include "model/tree_layout.h"

/// What the files of ctree share among themselves.
namespace model::ctree {

/// What an insertion needs in a leaf: bytes and items, for a new item at the slot, or for the item
/// there to grow (or for a companion that must not be parted from it).
struct Room {
    u32 bytes = 0;
    u32 items = 0;
    bool at_item = false;
};
bool fits(const ExtentBuffer& leaf, const Room& room);
/// search_slot() for an insertion next to an item that must be there and stay next to it.
Result<bool> search_slot_with_companion(TransHandle& trans, Root& root, const Key& key, Path& path,
                                        u32 bytes);

/// Lets go of upper levels whose keys cannot change any more. Mirrors unlock_up().
/// @param write_lock_level  lowered to what is still locked; may be null
void unlock_up(Path& path, Level level, Level lowest_unlock, int min_write_lock_level,
               int* write_lock_level);
/// The child at slots[level]; null when everything was let go to read it: search again. Mirrors
/// read_block_for_search().
Result<ExtentBuffer*> read_block_for_search(Path& path, Level level, unsigned slot);

/// Gives the parents of a block whose first key changed that key. Mirrors fixup_low_keys().
void fixup_low_keys(Path& path, const Key& key, Level level);
void insert_ptr(TransHandle& trans, Path& path, const Key& key, Bytenr bytenr, unsigned slot,
                Level level);
void del_ptr(Root& root, Path& path, Level level, unsigned slot);
/// Drops a block that no tree points to any more. The caller no longer locks it, and gives up its
/// reference.
Result<void> free_unlinked_block(TransHandle& trans, Root& root, ExtentBuffer& eb);

// On the way down. The parent is write-locked.
Result<void> split_node(TransHandle& trans, Root& root, Path& path, Level level);
/// @return false when the parent has no slot left: search again, from a higher write lock
Result<bool> split_leaf(TransHandle& trans, Root& root, const Key& key, Path& path,
                        const Room& room);
/// Pointers of a full node go to a sibling instead of a new node. @return whether there is room now
Result<bool> push_nodes_for_insert(TransHandle& trans, Root& root, Path& path, Level level);
Result<void> balance_level(TransHandle& trans, Root& root, Path& path, Level level);

/// Moves items to a sibling so that `room` fits. @return whether it does
Result<bool> push_leaf_right(TransHandle& trans, Root& root, Path& path, const Room& room);
Result<bool> push_leaf_left(TransHandle& trans, Root& root, Path& path, const Room& room);
/// After a deletion: as many items as the left sibling takes, then all others to the right one or
/// none.
Result<void> push_leaf_to_siblings(TransHandle& trans, Root& root, Path& path);

/// A sibling, locked and referenced until the path takes it over.
class LockedSibling {
  public:
    explicit LockedSibling(ExtentBuffer* eb) : eb_(eb) {}
    ~LockedSibling() { drop(); }
    LockedSibling(const LockedSibling&) = delete;
    LockedSibling& operator=(const LockedSibling&) = delete;
    ExtentBuffer* get() const { return eb_; }
    ExtentBuffer& operator*() const { return *eb_; }
    ExtentBuffer* operator->() const { return eb_; }
    ExtentBuffer* release() { return std::exchange(eb_, nullptr); }
    void drop();
    /// The sibling's own copy in this transaction. @return an error that is more than a lack of
    /// space
    Result<bool> cow(TransHandle& trans, Root& root, ExtentBuffer& parent, unsigned slot,
                     unsigned nesting);

  private:
    ExtentBuffer* eb_;
};
/// The child of `parent` at `slot`, write-locked; null beyond its ends.
Result<ExtentBuffer*> lock_sibling(ExtentBuffer& parent, int slot, unsigned nesting);

}  // namespace model::ctree
