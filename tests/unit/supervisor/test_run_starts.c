// Tests of supervisor/run_starts.c.

#include "run_starts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define AT(HOUR, MINUTE) (60 * (HOUR) + (MINUTE))

// Unix time in ms.
static int64_t utc(int year, int month, int day, int hour, int minute, int second)
{
    struct tm time = {.tm_year = year - 1900,
                      .tm_mon = month - 1,
                      .tm_mday = day,
                      .tm_hour = hour,
                      .tm_min = minute,
                      .tm_sec = second};
    return 1000 * (int64_t)timegm(&time);
}

static void zone(const char *name)
{
    setenv("TZ", name, 1);
    tzset();
}

static void the_next_time_of_the_day_is_today_or_tomorrow(void **state)
{
    (void)state;
    zone("UTC");
    int64_t evening = utc(2026, 11, 30, 22, 0, 20);
    assert_true(run_starts_next(evening, AT(23, 30)) == utc(2026, 11, 30, 23, 30, 0));
    assert_true(run_starts_next(evening, AT(22, 1)) == utc(2026, 11, 30, 22, 1, 0));
    assert_true(run_starts_next(evening, AT(22, 0)) == utc(2026, 12, 1, 22, 0, 0)); // is over
    assert_true(run_starts_next(evening, AT(6, 0)) == utc(2026, 12, 1, 6, 0, 0));
    assert_true(run_starts_next(evening, AT(0, 0)) == utc(2026, 12, 1, 0, 0, 0));
    assert_true(run_starts_next(utc(2026, 12, 31, 0, 0, 0), AT(0, 0)) ==
                utc(2027, 1, 1, 0, 0, 0)); // at it: the next one
}

// Local time: CET is UTC + 1, CEST UTC + 2.
static void a_change_of_the_clocks_moves_it(void **state)
{
    (void)state;
    zone("CET-1CEST,M3.5.0,M10.5.0/3");
    int64_t evening = utc(2026, 3, 28, 21, 0, 0); // 22:00; at 02:00 it will be 03:00
    assert_true(run_starts_next(evening, AT(6, 0)) == utc(2026, 3, 29, 4, 0, 0));
    evening = utc(2026, 10, 24, 20, 0, 0); // 22:00; at 03:00 it will be 02:00
    assert_true(run_starts_next(evening, AT(6, 0)) == utc(2026, 10, 25, 5, 0, 0));
    // A time that there is not that night is not in the past, nor a day later.
    int64_t gap = run_starts_next(utc(2026, 3, 28, 21, 0, 0), AT(2, 30));
    assert_true(gap > utc(2026, 3, 28, 21, 0, 0) && gap <= utc(2026, 3, 29, 2, 0, 0));
    zone("UTC");
}

static void the_first_line_says_it(void **state)
{
    (void)state;
    char text[RUN_STARTS_MAX];
    run_settings_t settings = {0};
    assert_string_equal(run_starts_words(&settings, text), "");
    assert_false(run_starts_are_over(&settings));
    settings.starts = (run_starts_t){.for_ms = 9000000, .end_ms = 1, .until_minute = -1};
    assert_string_equal(run_starts_words(&settings, text), "no start after 150m");
    assert_string_equal(run_starts_name(&settings, text), "--for 150m");
    assert_true(run_starts_are_over(&settings));
    settings.starts = (run_starts_t){.for_ms = 9000000,
                                     .end_ms = INT64_MAX,
                                     .left_ms = 5 * 3600000 + 12 * 60000,
                                     .until_minute = AT(6, 5),
                                     .is_until = true};
    assert_string_equal(run_starts_words(&settings, text), "no start after 06:05 (in 5h12m)");
    assert_string_equal(run_starts_name(&settings, text), "--until 06:05");
    assert_false(run_starts_are_over(&settings));
}

// Whether the arguments of a program have an end of the starts.
static bool has_end(const run_settings_t *settings, mm_program_t program)
{
    const arguments_t *arguments = &settings->arguments[program];
    for (size_t i = 0; i < arguments->count; i++)
        if (strncmp(arguments->items[i], "--starts-end=", 13) == 0)
            return true;
    return false;
}

static void of_invented_hosts_only_the_source_ends(void **state)
{
    (void)state;
    mm_options_t publisher = {.input = "", .run_for_ms = 3000};
    run_settings_t settings = {.options.until_minute = -1};
    for (int i = 0; i < 2; i++) {
        run_starts_read(&settings, &publisher);
        run_starts_begin(&settings);
        assert_true(has_end(&settings, MM_PROGRAM_PUBLISHER));
        assert_int_equal(has_end(&settings, MM_PROGRAM_CONSUMER), i == 1);
        assert_int_equal(settings.starts.end_ms > 0, i == 1);
        assert_int_equal(settings.starts.left_ms, 3000);
        for (mm_program_t program = 0; program < MM_PROGRAMS; program++)
            arguments_clear(&settings.arguments[program]);
        publisher.input = "hosts";
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_time_of_the_day_is_today_or_tomorrow),
        cmocka_unit_test(a_change_of_the_clocks_moves_it),
        cmocka_unit_test(the_first_line_says_it),
        cmocka_unit_test(of_invented_hosts_only_the_source_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
