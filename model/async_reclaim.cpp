// Mirrors the flushers of fs/btrfs/space-info.c, 6.1: btrfs_async_reclaim_metadata_space() and,
// from 5.10 on, btrfs_async_reclaim_data_space(). Each run of the work item is a task, and there is
// none while nobody waits for space.
//
// Left out: states that free nothing here (delayed items, delalloc, delayed iputs), and what an
// overcommitment that has lost its ground adds to the bytes to reclaim.
#include <array>
#include <span>

#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/reserve_ticket.h"
#include "sim/trace.h"

namespace model {
namespace {

constexpr std::array metadata_states{FlushState::DelayedRefsNr, FlushState::DelayedRefs,
                                     FlushState::AllocChunk, FlushState::AllocChunkForce,
                                     FlushState::CommitTrans};
constexpr std::array metadata_states_4x{FlushState::AllocChunk, FlushState::CommitTrans};
constexpr std::array data_states{FlushState::CommitTrans, FlushState::AllocChunkForce};

/// One run of the flusher.
class Reclaim {
  public:
    explicit Reclaim(SpaceInfo& info) : info_(info), fs_(info.fs) {}

    void metadata() {
        const sim::Scope scope("btrfs_async_reclaim_metadata_space");
        states_ = metadata_flush_states(fs_);
        if (!begin([&] { return info_.reclaim_size == 0; })) return;
        do {
            flush_space(fs_, info_, to_reclaim_, states_[at_]);
            const sim::SpinGuard guard(info_.lock);
            if (is_done()) return;
            count_progress();
            choose_next_of_metadata();
        } while (at_ < states_.size());
    }

    void data() {
        const sim::Scope scope("btrfs_async_reclaim_data_space");
        states_ = data_states;
        if (!begin([&] { return info_.tickets.empty(); }) || !fill_devices()) return;
        do {
            flush_space(fs_, info_, ~u64{0}, states_[at_]);
            const sim::SpinGuard guard(info_.lock);
            if (is_done()) return;
            count_progress();
            if (at_ < states_.size()) continue;
            choose_next_of_data();
            if (fails_aborted()) return;
        } while (at_ < states_.size());
    }

  private:
    /// @param nothing_to_do  asked under info.lock
    template <class Condition> bool begin(Condition&& nothing_to_do) {
        const sim::SpinGuard guard(info_.lock);
        look();
        seen_id_ = info_.tickets_id;
        if (info_.reclaim_canceled) return false;
        if (!nothing_to_do()) return true;
        stop();
        return false;
    }

    // Those below: info.lock held.

    void look() {
        info_.obj.read();
        full_ = info_.full;
        to_reclaim_ = info_.reclaim_size;
    }
    void stop() {
        info_.obj.write();
        info_.flush = false;
    }
    /// Nobody waits for this task any more; those with priority help themselves.
    bool is_done() {
        look();
        if (!info_.tickets.empty()) return false;
        stop();
        return true;
    }
    /// Whoever got a ticket granted meanwhile makes it worth starting over.
    void count_progress() {
        if (seen_id_ == info_.tickets_id) {
            ++at_;
            return;
        }
        seen_id_ = info_.tickets_id;
        at_ = 0;
        if (cycles_ > 0) --cycles_;
    }
    /// Nobody has flushed enough in three rounds: tickets fail. A chunk is forced only once a round
    /// with a commit has not helped.
    void choose_next_of_metadata() {
        const bool forces =
            at_ < states_.size() && states_[at_] == FlushState::AllocChunkForce && cycles_ == 0;
        if (forces) ++at_;
        if (at_ < states_.size()) return;
        if (++cycles_ <= 2) {
            at_ = 0;
        } else if (fail_tickets(fs_, info_)) {
            at_ = 0;
            --cycles_;
        } else {
            stop();
        }
    }
    void choose_next_of_data() {
        if (!full_ || fail_tickets(fs_, info_))
            at_ = 0;
        else
            stop();
    }
    /// From 5.16 on (0e24f6d84b4c); before, a flusher for data goes on for ever.
    bool fails_aborted() {
        if (!fs_.has_error() || !fs_.kernel.at_least(5, 16)) return false;
        static_cast<void>(fail_tickets(fs_, info_));
        stop();
        return true;
    }

    /// Data takes chunks as long as there is room for one. info.lock not held.
    bool fill_devices() {
        while (!full_) {
            flush_space(fs_, info_, ~u64{0}, FlushState::AllocChunkForce);
            const sim::SpinGuard guard(info_.lock);
            if (is_done() || fails_aborted()) return false;
            seen_id_ = info_.tickets_id;
        }
        return true;
    }

    SpaceInfo& info_;
    FsInfo& fs_;
    std::span<const FlushState> states_;
    std::size_t at_ = 0;
    unsigned cycles_ = 0;  // rounds of all states without a ticket granted
    u64 seen_id_ = 0, to_reclaim_ = 0;
    bool full_ = false;
};

}  // namespace

std::span<const FlushState> metadata_flush_states(const FsInfo& fs) {
    if (!fs.has(fix::delayed_refs_flush_states)) return metadata_states_4x;
    return metadata_states;
}

void queue_async_reclaim(SpaceInfo& info) {
    const bool is_data = (info.flags & bg_data) != 0;
    if (info.reclaim_work == nullptr)
        info.reclaim_work =
            sim::make<sim::WorkQueue>(is_data ? "async_data_reclaim_work" : "async_reclaim_work");
    info.reclaim_work->queue(is_data ? "async-data-reclaim" : "async-reclaim",
                             sim::Job([&info, is_data] {
                                 if (is_data)
                                     Reclaim(info).data();
                                 else
                                     Reclaim(info).metadata();
                             }));
}

/// That a flusher was ever queued is known without a lock: only users of the filesystem queue one,
/// and the last of them has left it before an unmount begins.
void cancel_async_reclaim(SpaceInfo& info) {
    if (info.reclaim_work == nullptr) return;
    {
        const sim::SpinGuard guard(info.lock);
        info.obj.write();
        info.reclaim_canceled = true;
    }
    info.reclaim_work->flush();
}

}  // namespace model
