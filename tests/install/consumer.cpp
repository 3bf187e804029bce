// A model of something else than btrfs, written on an installed sim alone: two clerks sell the
// seats of a train.
#include <cstdio>
#include <memory>
#include <string>

#include "sim/containers.h"
#include "sim/explorer.h"
#include "sim/mutex.h"
#include "sim/program.h"
#include "sim/scheduler.h"

namespace {

class Tickets final : public sim::Program {
  public:
    explicit Tickets(bool locked) : locked_(locked) {}

    void prepare() override { office_ = sim::make<Office>(); }
    void start() override {
        for (const char* clerk : {"clerk_1", "clerk_2"})
            sim::current().spawn(clerk, [this] { sell(); });
    }
    void check_end() override {
        if (office_->sold != office_->seats.peek())
            sim::violation("sold-twice", std::to_string(office_->sold) + " tickets, fewer seats");
    }
    std::uint64_t state_hash() override { return sim::hash_mix(1, office_->seats.peek()); }

  private:
    static constexpr sim::ObjectClass seats_class{"seats", sim::first_model_class};
    static constexpr sim::LockClass office_lock{"office", 1};

    struct Office {
        sim::Mutex mutex{office_lock};
        sim::Tracked<unsigned> seats{seats_class};
        unsigned sold = 0;
    };

    void sell() {
        office_->mutex.lock();
        const unsigned seat = office_->seats.get();
        if (!locked_) {
            office_->mutex.unlock();  // the customer thinks about it
            office_->mutex.lock();
        }
        office_->seats.set(seat + 1);
        ++office_->sold;
        office_->mutex.unlock();
    }

    bool locked_;
    Office* office_ = nullptr;
};

sim::SearchReport explore(bool locked) {
    sim::ExploreOptions options;
    options.max_deviations = 2;
    options.jobs = 2;
    return sim::explore([locked] { return std::make_unique<Tickets>(locked); }, options);
}

}  // namespace

int main() {
    const sim::SearchReport careless = explore(false);
    const sim::SearchReport careful = explore(true);
    const bool found =
        careless.end == sim::SearchEnd::Found && careless.failures[0].signature == "sold-twice";
    const bool proved = careful.end == sim::SearchEnd::Complete && careful.whole_space;
    std::printf("unlocked: %s, locked: %s\n", found ? "found" : "missed",
                proved ? "proved" : "not proved");
    return found && proved ? 0 : 1;
}
