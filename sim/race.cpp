#include "sim/race.h"

#include <algorithm>

#include "sim/assert.h"

namespace sim {

void RaceDetector::begin_execution() {
    ++execution_;
    for (unsigned slot = 0; slot < slots_used_; ++slot)
        clear(clocks_[slot]);
    std::fill_n(last_access_.begin(), slots_used_, 0);
    slots_used_ = 0;
    sync_used_ = 0;
    readers_used_ = 0;
}

void RaceDetector::task_created(unsigned creator_or_none, unsigned slot) {
    slots_used_ = std::max(slots_used_, slot + 1);
    while (slots_set_ < slots_used_)
        clocks_[slots_set_++].fill(0);
    const std::uint32_t own = clocks_[slot][slot] + 1;
    if (creator_or_none == none) {
        if (own != 1) clear(clocks_[slot]);  // else it is clear
    } else {
        std::copy_n(clocks_[creator_or_none].begin(), slots_used_, clocks_[slot].begin());
        ++clocks_[creator_or_none][creator_or_none];
    }
    clocks_[slot][slot] = own;
}

void RaceDetector::adopt_anew(const Object& object) const {
    object.born_ = execution_;
    object.last_write_ = {};
    object.last_read_ = {};
    object.readers_ = 0;
    object.sync_ = 0;
}

Epoch RaceDetector::read(unsigned task, const Object& object) {
    adopt(object);
    const Epoch now{task, clocks_[task][task]};
    last_access_[task] = now.clock();
    const Epoch rival = before(object.last_write_, task) ? Epoch{} : object.last_write_;
    if (object.readers_ != 0) {
        readers_[object.readers_ - 1][task] = now.clock();
    } else if (object.last_read_.is_start() || before(object.last_read_, task)) {
        object.last_read_ = now;
    } else {  // concurrent readers: from now on one clock for each
        if (readers_used_ == readers_.size()) readers_.emplace_back();
        Clock& clock = readers_[readers_used_++];
        clock.fill(0);
        clock[object.last_read_.slot()] = object.last_read_.clock();
        clock[task] = now.clock();
        object.readers_ = readers_used_;
    }
    return rival;
}

Epoch RaceDetector::write(unsigned task, const Object& object) {
    adopt(object);
    const Clock& mine = clocks_[task];
    last_access_[task] = mine[task];
    Epoch rival;
    if (object.readers_ != 0) {
        const Clock& reads = readers_[object.readers_ - 1];
        for (unsigned slot = 0; slot < slots_used_; ++slot)
            if (reads[slot] > mine[slot]) rival = Epoch{slot, reads[slot]};
        object.readers_ = 0;
    } else if (!before(object.last_read_, task)) {
        rival = object.last_read_;
    }
    if (!before(object.last_write_, task)) rival = object.last_write_;
    object.last_read_ = {};
    object.last_write_ = Epoch{task, mine[task]};
    return rival;
}

RaceDetector::Clock& RaceDetector::sync_clock(const Object& object) {
    if (object.sync_ == 0) {
        if (sync_used_ == sync_.size()) sync_.emplace_back();
        sync_[sync_used_++].fill(0);
        object.sync_ = sync_used_;
    }
    return sync_[object.sync_ - 1];
}

void RaceDetector::release(unsigned task, const Object& object) {
    adopt(object);
    join(sync_clock(object), clocks_[task]);
    ++clocks_[task][task];
}

void RaceDetector::exchange(unsigned task, const Object& object) {
    adopt(object);
    Clock& sync = sync_clock(object);
    meet(clocks_[task], sync);
    ++clocks_[task][task];
}

void RaceDetector::order(unsigned waker, unsigned woken) {
    join(clocks_[woken], clocks_[waker]);
    ++clocks_[waker][waker];
}

}  // namespace sim
