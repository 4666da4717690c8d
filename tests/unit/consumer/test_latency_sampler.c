// Tests of consumer/core/latency_sampler.c: what is seen of the jobs that are followed.

#include "latency_sampler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static hops_t hops;

static const hop_change_t to_worker = {.waited = true, .is_out = true};
static const hop_change_t from_worker = {.was_out = true};
static const hop_change_t to_queue = {.waits = true};
static const hop_change_t between_queues = {.waited = true, .waits = true};

static int forget_all(void **state)
{
    (void)state;
    hops = (hops_t){0};
    return 0;
}

static void a_wait_ends_when_a_worker_gets_the_task(void **state)
{
    (void)state;
    trail_t *trail = hops_follow(&hops, 1000);
    assert_non_null(trail);
    hops_store(&hops, trail, to_worker, 1007);
    hops_store(&hops, trail, from_worker, 1027);
    assert_int_equal(hops_quantile(&hops, HOP_STORE_WAIT, 0.5, 1027), 7);
    assert_int_equal(hops_quantile(&hops, HOP_STORE_TOOK, 0.5, 1027), 20);
    assert_int_equal(hops_quantile(&hops, HOP_RESTART_WAIT, 0.5, 1027), -1);
    hops_end(&hops, &trail, 1030);
    assert_null(trail);
    assert_int_equal(hops_quantile(&hops, HOP_FLIGHT, 0.5, 1030), 30);
}

static void a_wait_goes_on_from_one_queue_to_another(void **state)
{
    (void)state;
    trail_t *trail = hops_follow(&hops, 1000);
    hops_restart(&hops, trail, to_queue, 1005); // held until then: that was no wait for a worker
    hops_restart(&hops, trail, between_queues, 1010);
    hops_restart(&hops, trail, to_worker, 1025);
    assert_int_equal(hops_quantile(&hops, HOP_RESTART_WAIT, 1, 1025), 20);
    assert_int_equal(hops_quantile(&hops, HOP_RESTART_TOOK, 1, 1025), -1);
}

static void some_jobs_are_followed_and_never_more_than_there_are_trails(void **state)
{
    (void)state;
    size_t followed = 0;
    for (int i = 0; i < 1000 * HOPS_TRAILS; i++)
        followed += hops_follow(&hops, 1000) != NULL;
    assert_int_equal(followed, HOPS_TRAILS);
}

static void a_trail_is_used_again(void **state)
{
    (void)state;
    size_t followed = 0;
    for (int i = 0; i < 100 * HOPS_TRAILS; i++) {
        trail_t *trail = hops_follow(&hops, 1000);
        followed += trail != NULL;
        hops_end(&hops, &trail, 1001);
    }
    assert_true(followed > HOPS_TRAILS);
    assert_int_equal(hops.used, 1);
}

// 30,000 jobs in flight, each for 30 seconds: there is always one that has just ended.
static void a_long_queue_is_seen_all_along(void **state)
{
    (void)state;
    static trail_t *queue[30000];
    memset(queue, 0, sizeof queue);
    for (int64_t ms = 0; ms < 120000; ms++) {
        trail_t **place = &queue[ms % 30000];
        hops_end(&hops, place, ms);
        *place = hops_follow(&hops, ms);
        if (ms > 30000 && ms % 100 == 0) {
            int64_t flight_ms = hops_quantile(&hops, HOP_FLIGHT, 0.5, ms);
            assert_in_range(flight_ms, 28000, 32000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_wait_ends_when_a_worker_gets_the_task, forget_all),
        cmocka_unit_test_setup(a_wait_goes_on_from_one_queue_to_another, forget_all),
        cmocka_unit_test_setup(some_jobs_are_followed_and_never_more_than_there_are_trails,
                               forget_all),
        cmocka_unit_test_setup(a_trail_is_used_again, forget_all),
        cmocka_unit_test_setup(a_long_queue_is_seen_all_along, forget_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
