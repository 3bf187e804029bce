#include "sim/search_tree.h"

#include <map>

namespace sim {

SearchTree::SearchTree(unsigned workers, const SavedTree& saved) : workers_(workers) {
    std::vector<std::shared_ptr<SharedBranching>> nodes;
    for (const SavedTree::Node& node : saved.nodes) {
        const bool root = node.parent == SavedTree::none;
        auto parent = root ? nullptr : nodes[node.parent];
        const std::uint32_t depth = root ? 0 : parent->depth + 1;
        nodes.push_back(std::make_shared<SharedBranching>(
            SharedBranching{std::move(parent), depth, node.via, node.at, node.foreign}));
    }
    const auto known = [&](const SavedTree::Branch& branch) {
        return OpenBranch{branch.node == SavedTree::none ? nullptr : nodes[branch.node],
                          branch.slot};
    };
    for (const SavedTree::Branch& branch : saved.branches)
        open_.push_back(known(branch));
    for (const SavedTree::Branch& branch : saved.escaped)
        escaped_.push_back(known(branch));
}

bool SearchTree::take(OpenBranch& branch) {
    std::unique_lock lock(mutex_);
    ++idle_;
    update_hunger();
    if (pausing_ && idle_ == workers_) {
        const auto pause = std::move(pause_);
        lock.unlock();
        pause();  // nobody takes a branch meanwhile
        lock.lock();
        pausing_ = false;
    }
    if (open_.empty() && idle_ == workers_) closed_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return closed_ || (!pausing_ && !open_.empty()); });
    if (closed_) return false;
    --idle_;
    branch = std::move(open_.front());
    open_.pop_front();
    update_hunger();
    return true;
}

void SearchTree::give(std::vector<OpenBranch> branches) {
    const std::lock_guard guard(mutex_);
    for (OpenBranch& branch : branches)
        open_.push_back(std::move(branch));
    update_hunger();
    changed_.notify_all();
}

Branching SearchTree::state_of(const SharedBranching& node) const {
    const std::lock_guard guard(mutex_);
    return node.at;
}

void SearchTree::ask(const std::shared_ptr<SharedBranching>& node, const TaskSet& tasks) {
    const std::lock_guard guard(mutex_);
    TaskSet fresh = tasks;
    fresh.remove(node->at.asked);
    node->at.asked |= fresh;
    fresh.for_each([&](unsigned slot) {
        const OpenBranch branch{node, static_cast<std::uint16_t>(slot)};
        if (node->foreign) {
            escaped_.push_back(branch);
        } else {
            open_.push_back(branch);
        }
    });
    update_hunger();
    changed_.notify_all();
}

unsigned SearchTree::refuse(const std::shared_ptr<SharedBranching>& node, const TaskSet& tasks) {
    const std::lock_guard guard(mutex_);
    TaskSet fresh = tasks;
    fresh.remove(node->at.refused);
    node->at.refused |= fresh;
    return fresh.count();
}

void SearchTree::close() {
    const std::lock_guard guard(mutex_);
    closed_ = true;
    changed_.notify_all();
}

bool SearchTree::over() const {
    const std::lock_guard guard(mutex_);
    return closed_;
}

void SearchTree::request_pause(std::function<void()> pause) {
    const std::lock_guard guard(mutex_);
    pause_ = std::move(pause);
    pausing_ = true;
}

std::size_t SearchTree::open_branches() const {
    const std::lock_guard guard(mutex_);
    return open_.size();
}

SavedTree SearchTree::save() const {
    const std::lock_guard guard(mutex_);
    SavedTree saved;
    std::map<const SharedBranching*, std::uint32_t> numbers;  // looked up only, never walked
    const auto number_of = [&](const SharedBranching* leaf) {
        std::vector<const SharedBranching*> unknown;
        for (const SharedBranching* node = leaf; node != nullptr && !numbers.contains(node);
             node = node->parent.get())
            unknown.push_back(node);
        while (!unknown.empty()) {
            const SharedBranching* const node = unknown.back();
            unknown.pop_back();
            const bool root = node->parent == nullptr;
            numbers[node] = static_cast<std::uint32_t>(saved.nodes.size());
            saved.nodes.push_back({root ? SavedTree::none : numbers[node->parent.get()], node->via,
                                   node->at, node->foreign});
        }
        return numbers[leaf];
    };
    const auto numbered = [&](const OpenBranch& branch) {
        return SavedTree::Branch{
            branch.node == nullptr ? SavedTree::none : number_of(branch.node.get()), branch.slot};
    };
    for (const OpenBranch& branch : open_)
        saved.branches.push_back(numbered(branch));
    for (const OpenBranch& branch : escaped_)
        saved.escaped.push_back(numbered(branch));
    return saved;
}

}  // namespace sim
