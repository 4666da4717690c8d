// Tests of publisher/source/source_paced.c around a generator that always has a host.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "source.h"

static source_t *around(uint64_t inner_jobs, const source_paced_config_t *config)
{
    source_t *inner = source_generate_new(
        &(source_generate_config_t){.seed = 1, .pace = SOURCE_PACE_UNLIMITED, .jobs = inner_jobs});
    source_t *source = source_paced_new(&inner, config);
    assert_null(inner);
    return source;
}

static source_t *paced(double rate, uint64_t jobs, int64_t duration_ms)
{
    return around(10,
                  &(source_paced_config_t){.rate = rate, .jobs = jobs, .duration_ms = duration_ms});
}

// Takes what it gives at this time; returns how many, and what came instead of the next.
static int take(source_t *source, int64_t now_ms, source_status_t *ret_status, int64_t *ret_until)
{
    source_item_t item = {0};
    int taken = 0;
    while ((*ret_status = source_next(source, now_ms, &item)) == SOURCE_ITEM)
        taken++;
    *ret_until = item.until_ms;
    return taken;
}

static bool is_done(const source_t *source)
{
    source_progress_t progress;
    source_progress(source, &progress);
    return progress.done;
}

static void a_rate_spreads_the_hosts_evenly(void **state)
{
    (void)state;
    source_status_t status;
    int64_t until_ms;
    source_t *source = paced(10, 0, 0);
    assert_int_equal(take(source, 1000, &status, &until_ms), 1);
    assert_int_equal(status, SOURCE_WAIT);
    assert_int_equal(until_ms, 1100);
    assert_int_equal(source_descriptor(source), -1);
    assert_int_equal(take(source, 1099, &status, &until_ms), 0);
    assert_int_equal(take(source, 1100, &status, &until_ms), 1);
    assert_int_equal(take(source, 1350, &status, &until_ms), 2);
    source_destroy(&source);
}

static void a_high_rate_is_kept(void **state)
{
    (void)state;
    source_status_t status;
    int64_t now_ms = 1000;
    int taken = 0;
    source_t *source = around(0, &(source_paced_config_t){.rate = 2000});
    while (now_ms < 11000) {
        int64_t until_ms;
        taken += take(source, now_ms, &status, &until_ms);
        assert_int_equal(status, SOURCE_WAIT);
        assert_true(until_ms > now_ms);
        now_ms = until_ms;
    }
    assert_in_range(taken, 20000, 20002);
    source_destroy(&source);
}

static void a_long_pause_is_not_followed_by_a_burst(void **state)
{
    (void)state;
    source_status_t status;
    int64_t until_ms;
    source_t *source = paced(2, 0, 0);
    assert_int_equal(take(source, 0, &status, &until_ms), 1);
    assert_int_equal(take(source, 60000, &status, &until_ms), 3); // of one second, not of sixty
    source_destroy(&source);
}

static void cut_off_by_number_it_is_not_done(void **state)
{
    (void)state;
    source_status_t status;
    int64_t until_ms;
    source_t *source = paced(0, 3, 0);
    assert_int_equal(take(source, 0, &status, &until_ms), 3);
    assert_int_equal(status, SOURCE_END);
    assert_false(is_done(source));
    source_destroy(&source);
}

static void cut_off_by_time_it_is_not_done(void **state)
{
    (void)state;
    source_status_t status;
    int64_t until_ms;
    source_t *source = paced(1, 0, 1500);
    assert_int_equal(take(source, 0, &status, &until_ms), 1);
    assert_int_equal(until_ms, 1000);
    assert_int_equal(take(source, 1000, &status, &until_ms), 1);
    assert_int_equal(until_ms, 1500);
    assert_int_equal(take(source, 1500, &status, &until_ms), 0);
    assert_int_equal(status, SOURCE_END);
    assert_false(is_done(source));
    source_destroy(&source);
}

static void a_time_that_is_the_end_makes_it_done(void **state)
{
    (void)state;
    source_status_t status;
    int64_t until_ms;
    source_t *source =
        around(0, &(source_paced_config_t){.rate = 0.5, .duration_ms = 5000, .ends_by_time = true});
    for (int64_t now_ms = 1000; now_ms < 6000; now_ms = until_ms) {
        assert_int_equal(take(source, now_ms, &status, &until_ms), 1);
        assert_int_equal(status, SOURCE_WAIT);
        assert_false(is_done(source));
    }
    assert_int_equal(until_ms, 6000); // not 7000, when the next one is due
    assert_int_equal(take(source, 6000, &status, &until_ms), 0);
    assert_int_equal(status, SOURCE_END);
    assert_true(is_done(source));
    source_destroy(&source);
}

static void the_end_of_the_other_source_is_not_waited_for(void **state)
{
    (void)state;
    source_status_t status;
    int64_t until_ms;
    source_t *source = around(1, &(source_paced_config_t){.rate = 0.01});
    assert_int_equal(take(source, 1000, &status, &until_ms), 1);
    assert_int_equal(status, SOURCE_END);
    assert_true(is_done(source));
    source_destroy(&source);
}

static void at_the_end_of_the_other_source_it_is_done(void **state)
{
    (void)state;
    source_status_t status;
    int64_t until_ms;
    source_t *source = paced(0, 0, 0);
    assert_int_equal(take(source, 0, &status, &until_ms), 10);
    assert_int_equal(status, SOURCE_END);
    assert_true(is_done(source));
    source_destroy(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_spreads_the_hosts_evenly),
        cmocka_unit_test(a_high_rate_is_kept),
        cmocka_unit_test(a_long_pause_is_not_followed_by_a_burst),
        cmocka_unit_test(cut_off_by_number_it_is_not_done),
        cmocka_unit_test(cut_off_by_time_it_is_not_done),
        cmocka_unit_test(a_time_that_is_the_end_makes_it_done),
        cmocka_unit_test(the_end_of_the_other_source_is_not_waited_for),
        cmocka_unit_test(at_the_end_of_the_other_source_it_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
