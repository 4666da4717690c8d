// Tests of common/base/windowed_histogram.c: what was lately, and is forgotten in time.

#include "windowed_histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static mm_windowed_histogram_t recent;

static int forget_all(void **state)
{
    (void)state;
    recent = (mm_windowed_histogram_t){0};
    return 0;
}

static void nothing_recorded_is_minus_one(void **state)
{
    (void)state;
    assert_int_equal(mm_windowed_histogram_quantile(&recent, 1000, 0.5), -1);
}

static void what_was_recorded_in_the_last_half_is_there(void **state)
{
    (void)state;
    for (int i = 1; i <= 100; i++)
        mm_windowed_histogram_record(&recent, 100000 + i, i);
    assert_in_range(mm_windowed_histogram_quantile(&recent, 100100, 0.5), 50, 52);
    assert_in_range(mm_windowed_histogram_quantile(&recent, 100100, 0.99), 99, 103);
}

static void both_halves_count(void **state)
{
    (void)state;
    mm_windowed_histogram_record(&recent, 100000, 10);
    mm_windowed_histogram_record(&recent, 100000 + MM_WINDOWED_HALF_MS, 20);
    assert_int_equal(mm_windowed_histogram_quantile(&recent, 100000 + MM_WINDOWED_HALF_MS, 0.5),
                     10);
    assert_int_equal(mm_windowed_histogram_quantile(&recent, 100000 + MM_WINDOWED_HALF_MS, 1), 20);
}

static void what_is_older_than_two_halves_is_forgotten(void **state)
{
    (void)state;
    mm_windowed_histogram_record(&recent, 100000, 10);
    mm_windowed_histogram_record(&recent, 100000 + MM_WINDOWED_HALF_MS, 20);
    int64_t later_ms = 100000 + 2 * MM_WINDOWED_HALF_MS;
    assert_int_equal(mm_windowed_histogram_quantile(&recent, later_ms, 0.5), 20); // the 10 is gone
    assert_int_equal(mm_windowed_histogram_quantile(&recent, later_ms + MM_WINDOWED_HALF_MS, 0.5),
                     -1);
}

static void a_long_pause_forgets_everything_at_once(void **state)
{
    (void)state;
    mm_windowed_histogram_record(&recent, 100000, 10);
    mm_windowed_histogram_record(&recent, 100000 + MM_WINDOWED_HALF_MS, 20);
    assert_int_equal(mm_windowed_histogram_quantile(&recent, 100000 + 100 * MM_WINDOWED_HALF_MS, 1),
                     -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_recorded_is_minus_one, forget_all),
        cmocka_unit_test_setup(what_was_recorded_in_the_last_half_is_there, forget_all),
        cmocka_unit_test_setup(both_halves_count, forget_all),
        cmocka_unit_test_setup(what_is_older_than_two_halves_is_forgotten, forget_all),
        cmocka_unit_test_setup(a_long_pause_forgets_everything_at_once, forget_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
