#include "sim/waitqueue.h"

#include "tests/sim/support.h"

namespace waitqueue_test {

namespace {

using tests::explore_all;
using tests::final_values;
using tests::Values;

struct Post {
    sim::WaitQueue queue{0, "post"};
    sim::Atomic<std::uint64_t> flag;
    sim::Atomic<std::uint64_t> other;
    sim::Mutex mutex{tests::class_a};
    tests::Data data;
    std::uint64_t log = 0;
    unsigned looks = 0;
};

std::uint64_t no_digest(const Post&) {
    return 0;
}

void wait_for_flag(Post& post) {
    post.queue.wait_event([&] { return post.flag.load() != 0; });
}
void set_flag(Post& post) {
    post.flag.store(1);
    post.queue.wake_up();
}

TEST_CASE("wait_event loses no wake-up", "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto report = explore_all(
        tests::program<Post>(no_digest, {wait_for_flag, set_flag, wait_for_flag}), grain);
    CHECK(report.failures.empty());
    CHECK(report.whole_space);
}

TEST_CASE("what was written before a wake-up is ordered before what the waiter does",
          "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto writer = [](Post& post) {
        post.data.set(7);
        set_flag(post);
    };
    const auto reader = [](Post& post) {
        wait_for_flag(post);
        post.log = post.data.get();
    };
    const auto report = explore_all(
        tests::program<Post>([](const Post& post) { return post.log; }, {reader, writer}), grain);
    CHECK(final_values(report) == Values{7});
    CHECK(report.unordered.empty());
}

TEST_CASE("a check before the sleep without another after queueing loses wake-ups",
          "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto check_then_sleep = [](Post& post) {
        if (post.flag.load() != 0) return;
        post.queue.prepare_to_wait(false);  // too late: nobody looks at the flag again
        post.queue.schedule();
        post.queue.finish_wait();
    };
    const auto report =
        explore_all(tests::program<Post>(no_digest, {check_then_sleep, set_flag}), grain);
    REQUIRE(tests::signatures(report) == std::vector<std::string>{"lost-wakeup/post"});
    CHECK_THAT(report.failures[0].result.violation->text, Catch::Contains("t1 waits for post in"));
    CHECK(report.failures[0].result.outcome == sim::Outcome::Deadlock);
}

TEST_CASE("a check under a lock that is dropped before queueing loses wake-ups",
          "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto sleeper = [](Post& post) {
        {
            const sim::MutexGuard guard(post.mutex);
            if (post.data.get() != 0) return;
        }
        post.queue.prepare_to_wait(false);
        post.queue.schedule();
        post.queue.finish_wait();
    };
    const auto waker = [](Post& post) {
        {
            const sim::MutexGuard guard(post.mutex);
            post.data.set(1);
        }
        post.queue.wake_up();
    };
    const auto report = explore_all(tests::program<Post>(no_digest, {sleeper, waker}), grain);
    CHECK(tests::signatures(report) == std::vector<std::string>{"lost-wakeup/post"});
}

TEST_CASE("a wake-up that comes before the flag is set is lost", "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto early_bird = [](Post& post) {
        post.queue.wake_up();
        post.flag.store(1);
    };
    const auto report =
        explore_all(tests::program<Post>(no_digest, {wait_for_flag, early_bird}), grain);
    CHECK(tests::signatures(report) == std::vector<std::string>{"lost-wakeup/post"});
}

TEST_CASE("a sleeper wakes only when it is woken, not when its condition has come true",
          "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto silent_setter = [](Post& post) { post.flag.store(1); };
    const auto report =
        explore_all(tests::program<Post>(no_digest, {wait_for_flag, silent_setter}), grain);
    CHECK(tests::signatures(report) == std::vector<std::string>{"lost-wakeup/post"});
}

TEST_CASE("a waiter that is woken for another reason looks again and sleeps on",
          "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto waiter = [](Post& post) {
        post.queue.wait_event([&] { return post.flag.load() != 0; });
        if (post.flag.peek() == 0)
            sim::violation("woken-in-vain", "the condition does not hold after wait_event");
    };
    const auto noise = [](Post& post) {
        post.queue.wake_up();
        post.queue.wake_up();
    };
    const auto report =
        explore_all(tests::program<Post>(no_digest, {waiter, noise, set_flag}), grain);
    CHECK(report.failures.empty());
}

/// Enqueues exclusively, sleeps once, and signs.
auto exclusive_sleeper(std::uint64_t name) {
    return [name](Post& post) {
        post.queue.prepare_to_wait(true);
        post.queue.schedule();
        post.queue.finish_wait();
        post.log = post.log * 10 + name;
    };
}

TEST_CASE("a wake-up takes one exclusive waiter, the oldest", "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    // Default order: t1 and t2 queue, then t3 wakes once.
    const auto factory = tests::program<Post>(
        [](const Post& post) { return post.log; },
        {exclusive_sleeper(1), exclusive_sleeper(2), [](Post& post) { post.queue.wake_up(); }});
    const auto result = tests::run_once(factory, grain, sim::make_default());
    CHECK(result.outcome == sim::Outcome::Deadlock);
    CHECK(result.state_hash == 1 + 1);
    CHECK(result.violation->signature == "lost-wakeup/post");
    CHECK(final_values(explore_all(factory, grain)) == Values{0, 1, 2});
}

TEST_CASE("a wake-up takes all ordinary waiters and one exclusive one", "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto ordinary = [](Post& post) {
        post.queue.prepare_to_wait(false);
        post.queue.schedule();
        post.queue.finish_wait();
        post.log += 100;
    };
    const auto factory =
        tests::program<Post>([](const Post& post) { return post.log; },
                             {ordinary, exclusive_sleeper(1), ordinary, exclusive_sleeper(2),
                              [](Post& post) { post.queue.wake_up(); }});
    const auto result = tests::run_once(factory, grain, sim::make_default());
    CHECK(result.outcome == sim::Outcome::Deadlock);
    // one exclusive waiter has signed (with 1, in whatever place), both ordinary ones have
    CHECK(result.state_hash % 10 == 1 + 1);
    CHECK(result.state_hash > 200);
}

TEST_CASE("wake_up_all takes everybody", "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto factory = tests::program<Post>(
        [](const Post& post) { return post.log; },
        {exclusive_sleeper(1), exclusive_sleeper(2), [](Post& post) { post.queue.wake_up_all(); }});
    const auto report = explore_all(factory, grain);
    const auto values = final_values(report);
    for (const std::uint64_t complete : {12, 21})
        CHECK(std::count(values.begin(), values.end(), complete) == 1);
    CHECK(tests::run_once(factory, grain, sim::make_default()).outcome == sim::Outcome::Completed);
}

TEST_CASE("waitqueue_active tells whether somebody waits", "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto looker = [](Post& post) {
        post.log = post.queue.waitqueue_active() ? 2 : 1;
        set_flag(post);
    };
    const auto report = explore_all(
        tests::program<Post>([](const Post& post) { return post.log; }, {wait_for_flag, looker}),
        grain);
    CHECK(report.failures.empty());
    CHECK(final_values(report) == Values{1, 2});
}

TEST_CASE("looking for waiters before the flag is set loses the wake-up", "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto optimist = [](Post& post) {
        const bool somebody = post.queue.waitqueue_active();
        post.flag.store(1);
        if (somebody) post.queue.wake_up();
    };
    const auto report =
        explore_all(tests::program<Post>(no_digest, {wait_for_flag, optimist}), grain);
    CHECK(tests::signatures(report) == std::vector<std::string>{"lost-wakeup/post"});
}

TEST_CASE("a waiter whose condition holds at once does not queue", "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto alone = [](Post& post) {
        set_flag(post);
        wait_for_flag(post);
        post.log = post.queue.waitqueue_active() ? 2 : 1;
    };
    CHECK(final_values(explore_all(
              tests::program<Post>([](const Post& post) { return post.log; }, {alone}), grain)) ==
          Values{1});
}

TEST_CASE("a daemon that waits for ever is no failure", "[sim][waitqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto starter = [](Post& post) {
        Post* const shared = &post;
        sim::current().spawn(
            "kthread", [shared] { wait_for_flag(*shared); }, sim::TaskKind::Daemon);
        post.other.store(1);
    };
    const auto report = explore_all(tests::program<Post>(no_digest, {starter}), grain);
    CHECK(report.failures.empty());
    CHECK(report.whole_space);
}

}  // namespace

}  // namespace waitqueue_test
