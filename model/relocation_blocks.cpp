// Moving tree blocks: the second half of fs/btrfs/relocation.c, 6.1.
//
// The kernel keeps what it knows of references in a cache over a whole pass, and patches it when
// the transaction moves on. Here the paths from a block up to all its roots are found again for
// each block, from the commit roots; only where blocks went in the running transaction is
// remembered.
#include <algorithm>
#include <deque>

#include "model/backref.h"
#include "model/ctree.h"
#include "model/disk_io.h"
#include "model/drop_tree.h"
#include "model/extent_tree.h"
#include "model/fs_info.h"
#include "model/relocation_internal.h"
#include "sim/trace.h"

namespace model {
namespace reloc {
namespace {

/// A block on a way from the block that is moved up to a root. Mirrors struct btrfs_backref_node.
struct Node {
    u64 bytenr = 0;
    Level level = 0;
    Key key{};
    Root* root = nullptr;  // it is this tree's root node
    Root* cow_only = nullptr;
    std::vector<Node*> upper{};
    u64 new_bytenr = 0;
};

/// All ways from one block up. Mirrors build_backref_tree()
class Graph {
  public:
    Graph(RelocControl& rc, Transid running) : rc_(rc), running_(running) {}

    /// @return the block; null when no tree that counts has it any more
    Result<Node*> build(const TreeBlock& block);
    /// Every block that was moved since it was found, the lowest first.
    std::vector<Node*> newly_moved();

  private:
    Result<void> resolve(Node& node);
    Result<void> add_ref(Node& node, const RefKey& ref);
    Result<void> add_implicit(Node& node, Objectid tree);
    bool should_ignore_root(const Root& root) const;
    Node& node_at(u64 bytenr, Level level);
    bool prune(Node& node);

    RelocControl& rc_;
    const Transid running_;
    std::map<u64, Node> nodes_;
    std::deque<Node*> unresolved_;
};

Node& Graph::node_at(u64 bytenr, Level level) {
    const auto [place, is_new] = nodes_.try_emplace(bytenr);
    Node& node = place->second;
    if (!is_new) return node;
    node.bytenr = bytenr;
    node.level = level;
    if (const auto moved = rc_.moved.find(bytenr); moved != rc_.moved.end())
        node.new_bytenr = moved->second;
    unresolved_.push_back(&node);
    return node;
}

/// A tree whose relocation tree is committed is found through that one. Mirrors
/// should_ignore_root()
bool Graph::should_ignore_root(const Root& root) const {
    if (reloc_root_is_dead(root)) return true;
    if (root.reloc_root == nullptr) return false;
    return root.reloc_root->commit_root->generation() != running_;
}

Result<void> Graph::add_implicit(Node& node, Objectid tree) {
    const auto root = get_fs_root(rc_.fs, tree);
    if (!root) return root.error();
    if (!(*root)->shareable()) {
        node.cow_only = *root;
        return {};
    }
    const auto parent = committed_parent(**root, node.level, node.key);
    if (!parent) return parent.error();
    if (*parent != 0) {
        node.upper.push_back(&node_at(*parent, static_cast<Level>(node.level + 1)));
    } else if (!should_ignore_root(**root)) {
        node.root = *root;
    }
    return {};
}

Result<void> Graph::add_ref(Node& node, const RefKey& ref) {
    if (ref.type == tree_block_ref_key) return add_implicit(node, ref.root);
    if (ref.type != shared_block_ref_key) return Errno::UClean;
    if (ref.parent == node.bytenr) {  // only roots of relocation trees
        node.root = find_reloc_root(rc_, node.bytenr);
        return {};
    }
    node.upper.push_back(&node_at(ref.parent, static_cast<Level>(node.level + 1)));
    return {};
}

Result<void> Graph::resolve(Node& node) {
    const auto extent = committed_extent_at(rc_.fs, node.bytenr);
    if (!extent) return extent.error();
    if (!*extent || (*extent)->start.get() != node.bytenr) return {};
    const auto key = first_key_of(rc_.fs, **extent);
    if (!key) return key.error();
    node.key = *key;
    for (const CommittedExtent::Ref& ref : (*extent)->refs)
        if (const auto added = add_ref(node, ref.key); !added) return added;
    return {};
}

/// Mirrors handle_useless_nodes(). @return whether some way from the node ends in a root
bool Graph::prune(Node& node) {
    std::erase_if(node.upper, [this](Node* upper) { return !prune(*upper); });
    return node.root != nullptr || node.cow_only != nullptr || !node.upper.empty();
}

Result<Node*> Graph::build(const TreeBlock& block) {
    Node& target = node_at(block.bytenr, block.level);
    while (!unresolved_.empty()) {
        Node& node = *unresolved_.front();
        unresolved_.pop_front();
        if (const auto resolved = resolve(node); !resolved) return resolved.error();
    }
    return prune(target) ? &target : nullptr;
}

std::vector<Node*> Graph::newly_moved() {
    std::vector<Node*> moved;
    for (auto& [bytenr, node] : nodes_) {
        const auto found = rc_.moved.find(bytenr);
        if (found == rc_.moved.end() || found->second == node.new_bytenr) continue;
        node.new_bytenr = found->second;
        if (!node.upper.empty()) moved.push_back(&node);
    }
    std::ranges::stable_sort(moved, {}, &Node::level);
    return moved;
}

// ---- moving
// --------------------------------------------------------------------------------------

class Mover {
  public:
    Mover(TransHandle& trans, RelocControl& rc)
        : trans_(trans), rc_(rc), graph_(rc, trans.transid) {}

    Result<void> move(const TreeBlock& block);

  private:
    Result<Root*> select_reloc_root(const Node& upper);
    Result<Root*> reloc_root_of(Root& root);
    Result<void> move_cow_only(const Node& node);
    Result<void> relocate(Node& node, bool lowest);
    Result<void> relocate_in(Node& node, const Node& upper, bool lowest);
    Result<void> move_child(Root& root, Node& node, ExtentBuffer& parent, unsigned slot);
    Result<void> link_moved(Root& root, const Node& node, ExtentBuffer& parent, unsigned slot);

    TransHandle& trans_;
    RelocControl& rc_;
    Graph graph_;
};

/// The copy of the tree, made now if the tree was not touched in this transaction.
Result<Root*> Mover::reloc_root_of(Root& root) {
    if (is_reloc_tree(root)) {
        const auto subvolume = subvolume_of(root);
        if (!subvolume) return subvolume;
        if (const auto recorded = record_root_in_trans(trans_, **subvolume); !recorded)
            return recorded.error();
        return &root;
    }
    if (const auto recorded = record_root_in_trans(trans_, root); !recorded)
        return recorded.error();
    if (root.reloc_root == nullptr) return Errno::NoEnt;
    return root.reloc_root;
}

/// The tree at the end of the first way up. Mirrors select_reloc_root()
Result<Root*> Mover::select_reloc_root(const Node& upper) {
    const Node* top = &upper;
    while (top->root == nullptr && !top->upper.empty())
        top = top->upper.front();
    if (top->cow_only != nullptr) {
        rc_.fs.message("error", "bytenr " + number(upper.bytenr) +
                                    " has multiple refs with one ending in a non-shareable root");
        return Errno::UClean;
    }
    if (top->root == nullptr) {
        rc_.fs.message("error", "bytenr " + number(upper.bytenr) +
                                    " doesn't have a backref path ending in a root");
        return Errno::UClean;
    }
    return reloc_root_of(*top->root);
}

/// Copying it is moving it.
Result<void> Mover::move_cow_only(const Node& node) {
    Path path;
    path.lowest_level = node.level;
    const auto found = search_slot(&trans_, *node.cow_only, node.key, path, 0, true);
    return found ? Result<void>{} : found.error();
}

Result<void> Mover::move_child(Root& root, Node& node, ExtentBuffer& parent, unsigned slot) {
    const auto child = read_node_slot(parent, slot);
    if (!child) return child.error();
    set_buffer_lockdep_class(**child, root.objectid, node.level);
    tree_lock(**child);
    const auto copy = cow_block(trans_, root, **child, &parent, slot);
    ExtentBuffer& held = copy ? **copy : **child;
    if (copy) node.new_bytenr = held.start.get();
    tree_unlock(held);
    free_extent_buffer(&held);
    return copy ? Result<void>{} : copy.error();
}

/// The block was moved through another parent: this one points to the same copy from now on.
Result<void> Mover::link_moved(Root& root, const Node& node, ExtentBuffer& parent, unsigned slot) {
    const TreeRef ref{.bytenr = Bytenr(node.new_bytenr),
                      .parent = parent.start.get(),
                      .root = parent.owner(),
                      .level = node.level};
    auto linked = add_delayed_tree_ref(trans_, ref, RefAction::Add);
    if (linked) linked = drop_subtree(trans_, root, parent, slot);
    if (!linked) {
        abort_transaction(trans_, linked.error(), "do_relocation");
        return linked;
    }
    KeyPtr& ptr = parent.ptrs()[slot];
    ptr.blockptr = node.new_bytenr;
    ptr.generation = trans_.transid.get();
    mark_buffer_dirty(parent);
    return {};
}

/// Copies the way down to the parent in the relocation tree, then the block itself, or points to
/// the copy that exists.
Result<void> Mover::relocate_in(Node& node, const Node& upper, bool lowest) {
    const auto root = select_reloc_root(upper);
    if (!root) return root.error();
    Path path;
    path.lowest_level = upper.level;
    const auto found = search_slot(&trans_, **root, node.key, path, 0, true);
    if (!found) return found.error();
    unsigned& slot = path.slots[upper.level];
    if (!*found && slot > 0) --slot;
    if (const auto moved = rc_.moved.find(node.bytenr); !lowest && moved != rc_.moved.end())
        node.new_bytenr = moved->second;
    ExtentBuffer& parent = *path.nodes[upper.level];
    const u64 there = parent.blockptr(slot).get();
    if (there == node.new_bytenr) return {};
    if (lowest && there != node.bytenr) {
        rc_.fs.message("error", "lowest leaf/node mismatch: bytenr " + number(there) +
                                    " node->bytenr " + number(node.bytenr) + " slot " +
                                    number(slot) + " upper " + number(upper.bytenr));
        return Errno::IO;
    }
    return node.new_bytenr == 0 ? move_child(**root, node, parent, slot)
                                : link_moved(**root, node, parent, slot);
}

/// Mirrors do_relocation()
Result<void> Mover::relocate(Node& node, bool lowest) {
    for (const Node* const upper : node.upper)
        if (const auto done = relocate_in(node, *upper, lowest); !done) return done;
    return {};
}

/// A root node is moved with its tree: its copy is the relocation tree's root. Mirrors
/// relocate_tree_block(), and finish_pending_nodes() for what was copied on the way
Result<void> Mover::move(const TreeBlock& block) {
    const auto built = graph_.build(block);
    if (!built) return built.error();
    if (*built == nullptr) return {};
    Node& node = **built;
    sim::note([&] { return "moves tree block " + number(node.bytenr); });
    if (node.cow_only != nullptr) return move_cow_only(node);
    if (node.upper.empty()) {
        const auto root = reloc_root_of(*node.root);
        return root ? Result<void>{} : root.error();
    }
    if (const auto moved = relocate(node, true); !moved) return moved;
    for (Node* const pending : graph_.newly_moved())
        if (const auto linked = relocate(*pending, false); !linked) return linked;
    return {};
}

/// The copy of a block may be copied again in the transaction.
void remember_move(RelocControl& rc, Transid transid, u64 from, u64 to) {
    if (rc.moved_in != transid.get()) {
        rc.moved.clear();
        rc.moved_in = transid.get();
    }
    for (auto& [origin, place] : rc.moved)
        if (place == from) {
            place = to;
            return;
        }
    rc.moved[from] = to;
}

}  // namespace

Result<void> relocate_tree_block(TransHandle& trans, RelocControl& rc, const TreeBlock& block) {
    const sim::Scope scope("relocate_tree_block");
    if (rc.moved_in != trans.transid.get()) rc.moved.clear();
    const auto moved = Mover(trans, rc).move(block);
    if (moved) rc.processed_blocks.insert(block.bytenr);
    return moved;
}

}  // namespace reloc

using namespace reloc;

Result<void> reloc_cow_block(TransHandle& trans, Root& root, const ExtentBuffer& buf,
                             ExtentBuffer& cow) {
    sim::current().order(trans.fs.reloc.obj, sim::AccessKind::Read);
    RelocControl* const rc = trans.fs.reloc.ctl;
    if (rc == nullptr) return {};
    const bool first_cow = buf.generation().get() <= root.root_item.last_snapshot;
    const Level level = buf.level();
    if (is_reloc_tree(root) && rc->create_reloc_tree) {
        remember_move(*rc, trans.transid, buf.start.get(), cow.start.get());
        if (first_cow && (level == 0 || in_group(*rc, buf.start.get())))
            rc->processed_blocks.insert(buf.start.get());
        if (first_cow && level > 0) rc->nodes_relocated += buf.len;
    }
    if (level == 0 && first_cow && rc->stage == RelocStage::UpdateDataPtrs)
        return replace_file_extents(trans, *rc, root, cow);
    return {};
}

}  // namespace model
