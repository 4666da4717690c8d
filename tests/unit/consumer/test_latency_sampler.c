// Tests of consumer/core/latency_sampler.c: what is seen of the jobs that are followed.

#include "latency_sampler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static latency_sampler_t latency;

static const stage_change_t to_worker = {.waited = true, .is_out = true};
static const stage_change_t from_worker = {.was_out = true};
static const stage_change_t to_queue = {.waits = true};
static const stage_change_t between_queues = {.waited = true, .waits = true};

static int forget_all(void **state)
{
    (void)state;
    latency = (latency_sampler_t){0};
    return 0;
}

static void a_wait_ends_when_a_worker_gets_the_task(void **state)
{
    (void)state;
    trail_t *trail = latency_follow(&latency, 1000);
    assert_non_null(trail);
    latency_store(&latency, trail, to_worker, 1007);
    latency_store(&latency, trail, from_worker, 1027);
    assert_int_equal(latency_quantile(&latency, LATENCY_STORE_WAIT, 0.5, 1027), 7);
    assert_int_equal(latency_quantile(&latency, LATENCY_STORE_TOOK, 0.5, 1027), 20);
    assert_int_equal(latency_quantile(&latency, LATENCY_RESTART_WAIT, 0.5, 1027), -1);
    latency_end(&latency, &trail, 1030);
    assert_null(trail);
    assert_int_equal(latency_quantile(&latency, LATENCY_FLIGHT, 0.5, 1030), 30);
}

static void a_wait_goes_on_from_one_queue_to_another(void **state)
{
    (void)state;
    trail_t *trail = latency_follow(&latency, 1000);
    latency_restart(&latency, trail, to_queue,
                    1005); // held until then: that was no wait for a worker
    latency_restart(&latency, trail, between_queues, 1010);
    latency_restart(&latency, trail, to_worker, 1025);
    assert_int_equal(latency_quantile(&latency, LATENCY_RESTART_WAIT, 1, 1025), 20);
    assert_int_equal(latency_quantile(&latency, LATENCY_RESTART_TOOK, 1, 1025), -1);
}

static void some_jobs_are_followed_and_never_more_than_there_are_trails(void **state)
{
    (void)state;
    size_t followed = 0;
    for (int i = 0; i < 1000 * LATENCY_TRAILS; i++)
        followed += latency_follow(&latency, 1000) != NULL;
    assert_int_equal(followed, LATENCY_TRAILS);
}

static void a_trail_is_used_again(void **state)
{
    (void)state;
    size_t followed = 0;
    for (int i = 0; i < 100 * LATENCY_TRAILS; i++) {
        trail_t *trail = latency_follow(&latency, 1000);
        followed += trail != NULL;
        latency_end(&latency, &trail, 1001);
    }
    assert_true(followed > LATENCY_TRAILS);
    assert_int_equal(latency.used, 1);
}

// 30,000 jobs in flight, each for 30 seconds: there is always one that has just ended.
static void a_long_queue_is_seen_all_along(void **state)
{
    (void)state;
    static trail_t *queue[30000];
    memset(queue, 0, sizeof queue);
    for (int64_t ms = 0; ms < 120000; ms++) {
        trail_t **place = &queue[ms % 30000];
        latency_end(&latency, place, ms);
        *place = latency_follow(&latency, ms);
        if (ms > 30000 && ms % 100 == 0) {
            int64_t flight_ms = latency_quantile(&latency, LATENCY_FLIGHT, 0.5, ms);
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
