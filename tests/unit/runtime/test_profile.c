// Tests of common/runtime/core/profile.h: what a loop did comes out as who ran and who waited, and
// all of it adds up to the thread's CPU time.

#include "profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define US INT64_C(1000)
#define MS (1000 * US)
#define S  (1000 * MS)

static const mm_spot_t on_jobs = {"on_jobs", "main.c", 10, MM_SPOT_RUNS};
static const mm_spot_t turn = {"turn", "main.c", 20, MM_SPOT_RUNS};
static const mm_spot_t unpack = {"unpack", "main.c", 11, MM_SPOT_RUNS};
static const mm_spot_t commit = {"commit", "store.c", 30, MM_SPOT_WAITS};
static const mm_spot_t logging = {"log", "log.c", 40, MM_SPOT_RUNS};
static const mm_spot_t writer = {"log writer", "log.c", 1, MM_SPOT_THREAD};

static mm_profile_t *profile;
static int64_t now_ns, cpu_ns;

static int begin(void **state)
{
    (void)state;
    now_ns = 5 * S;
    cpu_ns = 3 * MS;
    profile = mm_profile_new(now_ns, cpu_ns);
    return 0;
}

static int end(void **state)
{
    (void)state;
    mm_profile_destroy(&profile);
    mm_profile_destroy(&profile);
    return 0;
}

// Time passes while the thread runs, or does not.
static void runs(int64_t ns)
{
    now_ns += ns;
    cpu_ns += ns;
}

static void waits(int64_t ns)
{
    now_ns += ns;
}

static void wakes(void)
{
    mm_profile_begin_turn(profile, now_ns, cpu_ns);
}

static void sleeps(void)
{
    mm_profile_end_turn(profile, now_ns, cpu_ns);
}

static void enters(const mm_spot_t *spot)
{
    mm_profile_enter(profile, spot, now_ns);
}

static void leaves(void)
{
    mm_profile_leave(profile, now_ns);
}

// The node of this spot with this caller's spot; NULL: a handler.
static mm_profile_node_t node_of(const mm_spot_t *spot, const mm_spot_t *caller)
{
    for (size_t i = 0; i < mm_profile_count(profile); i++) {
        mm_profile_node_t node = mm_profile_node(profile, i);
        const mm_spot_t *above = mm_profile_node(profile, node.caller).spot;
        if (node.spot == spot && (caller ? above == caller : node.caller == 0))
            return node;
    }
    fail_msg("no node %s", spot->name);
    abort();
}

static void assert_about(int64_t actual, int64_t expected)
{
    assert_in_range(actual, expected > 2 ? expected - 2 : 0, expected + 2);
}

static int64_t sum_of_cpu(void)
{
    int64_t sum = 0;
    for (size_t i = 0; i < mm_profile_count(profile); i++)
        if (mm_profile_node(profile, i).spot->kind != MM_SPOT_THREAD)
            sum += mm_profile_node(profile, i).sums.cpu_ns;
    return sum;
}

static void idle_time_is_the_pollers(void **state)
{
    (void)state;
    runs(5 * US); // in the poller itself
    waits(400 * MS);
    wakes();
    sleeps();
    mm_profile_node_t poll = mm_profile_node(profile, 0);
    assert_int_equal(poll.spot->kind, MM_SPOT_POLL);
    assert_int_equal(poll.sums.calls, 1);
    assert_int_equal(poll.sums.cpu_ns, 5 * US);
    assert_int_equal(poll.sums.wait_ns, 400 * MS);
}

static void a_span_is_taken_from_its_caller(void **state)
{
    (void)state;
    wakes();
    enters(&on_jobs);
    runs(10 * US);
    enters(&unpack);
    runs(30 * US);
    leaves();
    runs(5 * US);
    leaves();
    enters(&turn);
    runs(7 * US);
    leaves();
    sleeps();
    assert_about(node_of(&on_jobs, NULL).sums.cpu_ns, 15 * US);
    assert_int_equal(node_of(&on_jobs, NULL).max_ns, 45 * US);
    assert_about(node_of(&unpack, &on_jobs).sums.cpu_ns, 30 * US);
    assert_about(node_of(&turn, NULL).sums.cpu_ns, 7 * US);
    assert_about(sum_of_cpu(), cpu_ns - 3 * MS);
}

static void time_not_run_is_taken_from_what_waits(void **state)
{
    (void)state;
    wakes();
    enters(&turn);
    runs(100 * US);
    enters(&commit);
    runs(20 * US);
    waits(3 * MS);
    leaves();
    leaves();
    sleeps();
    mm_profile_node_t node = node_of(&commit, &turn);
    assert_about(node.sums.cpu_ns, 20 * US);
    assert_about(node.sums.wait_ns, 3 * MS);
    assert_int_equal(node.max_ns, 3 * MS + 20 * US);
    assert_about(node_of(&turn, NULL).sums.cpu_ns, 100 * US);
    assert_int_equal(node_of(&turn, NULL).sums.wait_ns, 0);
}

// Another process had the processor.
static void a_thread_that_was_kept_from_running_is_scaled(void **state)
{
    (void)state;
    wakes();
    enters(&on_jobs);
    runs(100 * US);
    waits(200 * US);
    enters(&unpack);
    runs(200 * US);
    waits(100 * US);
    leaves();
    leaves();
    sleeps();
    int64_t first = node_of(&on_jobs, NULL).sums.cpu_ns;
    int64_t second = node_of(&unpack, &on_jobs).sums.cpu_ns;
    assert_about(first, 150 * US); // half of what each took
    assert_about(second, 150 * US);
    assert_about(sum_of_cpu(), 300 * US);
}

static void the_same_span_in_two_handlers_is_two_nodes(void **state)
{
    (void)state;
    const mm_spot_t *handlers[] = {&on_jobs, &turn, &on_jobs};
    wakes();
    for (size_t i = 0; i < 3; i++) {
        enters(handlers[i]);
        enters(&unpack);
        runs(10 * US);
        leaves();
        leaves();
    }
    sleeps();
    assert_int_equal(node_of(&unpack, &on_jobs).sums.calls, 2);
    assert_int_equal(node_of(&unpack, &turn).sums.calls, 1);
    assert_about(node_of(&unpack, &turn).sums.cpu_ns, 10 * US);
}

static void counted_calls_are_taken_from_the_handler(void **state)
{
    (void)state;
    wakes();
    enters(&on_jobs);
    runs(100 * US);
    leaves();
    mm_profile_add(profile, &logging, 50, 40 * US);
    sleeps();
    assert_int_equal(node_of(&logging, &on_jobs).sums.calls, 50);
    assert_about(node_of(&logging, &on_jobs).sums.cpu_ns, 40 * US);
    assert_about(node_of(&on_jobs, NULL).sums.cpu_ns, 60 * US);
    wakes();
    enters(&on_jobs);
    runs(10 * US);
    leaves();
    mm_profile_add(profile, &logging, 1, 40 * US); // an estimate that cannot be
    sleeps();
    assert_about(sum_of_cpu(), 110 * US);
}

static void what_is_too_deep_or_too_many_counts_for_its_caller(void **state)
{
    (void)state;
    static mm_spot_t spots[2 * MM_PROFILE_NODES];
    wakes();
    for (size_t i = 0; i < 2 * MM_PROFILE_NODES; i++)
        spots[i] = (mm_spot_t){"spot", "main.c", (uint32_t)i, MM_SPOT_RUNS};
    for (size_t i = 0; i < 2 * MM_PROFILE_DEPTH; i++)
        enters(&spots[i]);
    runs(10 * US);
    for (size_t i = 0; i < 2 * MM_PROFILE_DEPTH; i++)
        leaves();
    for (size_t i = 0; i < 2 * MM_PROFILE_NODES; i++) {
        enters(&spots[i]);
        runs(US);
        leaves();
    }
    sleeps();
    assert_int_equal(mm_profile_count(profile), MM_PROFILE_NODES);
    assert_about(sum_of_cpu(), 10 * US + 2 * MM_PROFILE_NODES * US);
}

static void a_turn(int64_t ns)
{
    wakes();
    enters(&on_jobs);
    runs(ns);
    leaves();
    sleeps();
    if (mm_profile_is_due(profile, now_ns)) {
        mm_profile_set_thread(profile, &writer, cpu_ns / 2);
        mm_profile_close_slice(profile, now_ns);
    }
}

// Twenty minutes: the ring forgets what is older than ten.
static void the_last_seconds_can_be_asked_for(void **state)
{
    (void)state;
    mm_profile_sums_t sums[MM_PROFILE_NODES];
    for (int i = 1; i <= 1200; i++) {
        a_turn(i * US + 300); // 300 ns: nothing of it may be lost
        waits(S - i * US - 300);
    }
    waits(2 * MS);
    a_turn(0); // closes the last second
    int64_t long_ns = mm_profile_last(profile, 3, now_ns, sums);
    assert_in_range(long_ns, 3 * S, 3 * S + 5 * MS);
    assert_int_equal(sums[1].calls, 3); // 1199, 1200, and the one that closed
    assert_in_range(sums[1].cpu_ns, (1199 + 1200) * US, (1199 + 1200 + 1) * US);
    long_ns = mm_profile_last(profile, 100000, now_ns, sums);
    assert_in_range(long_ns, MM_PROFILE_SLICES * S, MM_PROFILE_SLICES * S + 5 * MS);
    assert_in_range(sums[1].cpu_ns, 539879 * US, 540081 * US); // 602 to 1200, 300 ns more each
    assert_int_equal(mm_profile_node(profile, 1).sums.calls, 1201);
}

static void other_threads_are_rows_of_their_own(void **state)
{
    (void)state;
    a_turn(20 * MS);
    waits(S);
    a_turn(0);
    assert_int_equal(node_of(&writer, NULL).sums.cpu_ns, cpu_ns / 2);
    mm_profile_sums_t sums[MM_PROFILE_NODES];
    (void)mm_profile_last(profile, 1, now_ns, sums);
    assert_about(sum_of_cpu(), cpu_ns - 3 * MS);
}

static void the_longest_handler_of_a_turn_is_known(void **state)
{
    (void)state;
    const mm_spot_t *handler;
    wakes();
    enters(&on_jobs);
    runs(60 * MS);
    leaves();
    enters(&turn);
    runs(MS);
    leaves();
    sleeps();
    assert_int_equal(mm_profile_last_turn(profile, &handler), 60 * MS);
    assert_ptr_equal(handler, &on_jobs);
}

// The bucket that a call of this length is counted in.
static size_t bucket_of(int64_t ns)
{
    wakes();
    enters(&on_jobs);
    now_ns += ns;
    leaves();
    sleeps();
    now_ns -= ns > 0 ? 0 : ns;
    mm_profile_node_t node = node_of(&on_jobs, NULL);
    static uint32_t before[MM_PROFILE_BUCKETS];
    size_t bucket = 0;
    while (node.histogram[bucket] == before[bucket])
        bucket++;
    memcpy(before, node.histogram, sizeof before);
    return bucket;
}

static int64_t shortest_of(size_t bucket)
{
    return bucket < 4 ? (int64_t)bucket : (int64_t)(4 + bucket % 4) << (bucket / 4 - 1);
}

static void buckets_are_a_quarter_of_a_power_of_two(void **state)
{
    (void)state;
    assert_int_equal(bucket_of(-5), 0);
    assert_int_equal(bucket_of(INT64_MAX / 2), MM_PROFILE_BUCKETS - 1);
    for (size_t i = 0; i < MM_PROFILE_BUCKETS; i++) {
        assert_int_equal(bucket_of(shortest_of(i)), i);
        if (i > 0)
            assert_int_equal(bucket_of(shortest_of(i) - 1), i - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(idle_time_is_the_pollers, begin, end),
        cmocka_unit_test_setup_teardown(a_span_is_taken_from_its_caller, begin, end),
        cmocka_unit_test_setup_teardown(time_not_run_is_taken_from_what_waits, begin, end),
        cmocka_unit_test_setup_teardown(a_thread_that_was_kept_from_running_is_scaled, begin, end),
        cmocka_unit_test_setup_teardown(the_same_span_in_two_handlers_is_two_nodes, begin, end),
        cmocka_unit_test_setup_teardown(counted_calls_are_taken_from_the_handler, begin, end),
        cmocka_unit_test_setup_teardown(what_is_too_deep_or_too_many_counts_for_its_caller, begin,
                                        end),
        cmocka_unit_test_setup_teardown(the_last_seconds_can_be_asked_for, begin, end),
        cmocka_unit_test_setup_teardown(other_threads_are_rows_of_their_own, begin, end),
        cmocka_unit_test_setup_teardown(the_longest_handler_of_a_turn_is_known, begin, end),
        cmocka_unit_test_setup_teardown(buckets_are_a_quarter_of_a_power_of_two, begin, end),
    };
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
