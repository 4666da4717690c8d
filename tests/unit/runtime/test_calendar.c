// Tests of common/runtime/calendar.h.

#include "calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR INT64_C(3600000)

// Unix time in ms of "2026-03-28 21:00", UTC.
static int64_t utc(const char *text)
{
    struct tm date = {0};
    assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &date.tm_year, &date.tm_mon, &date.tm_mday,
                            &date.tm_hour, &date.tm_min),
                     5);
    date.tm_year -= 1900;
    date.tm_mon--;
    return 1000 * (int64_t)timegm(&date);
}

static void print_opening(const mm_opening_t *opening, char *text, size_t size)
{
    time_t opens = (time_t)(opening->opens_ms / 1000);
    struct tm date;
    gmtime_r(&opens, &date);
    size_t used = strftime(text, size, "%a %Y-%m-%d %H:%M", &date);
    (void)snprintf(text + used, size - used, " +%lldm",
                   (long long)(opening->closes_ms - opening->opens_ms) / 60000);
}

// The first openings of these windows and exceptions, from an instant in UTC on, must be these.
static void check(const char *windows, const char *except, const char *from,
                  const char *const *expected, size_t count)
{
    char why[MM_CALENDAR_WHY_MAX] = "", text[128];
    mm_schedule_t schedule = {0};
    mm_opening_t *openings = NULL;
    size_t found = 0;
    if (!mm_schedule_add_windows(&schedule, mm_str(windows), why) ||
        (*except && !mm_schedule_add_except(&schedule, mm_str(except), why)) ||
        !mm_schedule_expand(&schedule, utc(from), &openings, &found, why))
        fail_msg("%s: %s", windows, why);
    assert_true(found >= count);
    for (size_t i = 0; i < count; i++) {
        print_opening(&openings[i], text, sizeof text);
        assert_string_equal(text, expected[i]);
    }
    for (size_t i = 1; i < found; i++)
        assert_true(openings[i].opens_ms > openings[i - 1].closes_ms);
    free(openings);
    mm_schedule_clear(&schedule);
}

#define CHECK(WINDOWS, EXCEPT, FROM, ...)                                                          \
    check(WINDOWS, EXCEPT, FROM, (const char *const[]){__VA_ARGS__},                               \
          sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void a_friday_night_is_open_on_saturday(void **state)
{
    (void)state;
    CHECK("Mon..Fri 22:00 +6h Europe/Amsterdam", "", "2026-10-16 12:00", // a Friday
          "Fri 2026-10-16 20:00 +360m", "Mon 2026-10-19 20:00 +360m");
    // Saturday, 03:00 there: the opening of Friday is the first one.
    CHECK("Fri 22:00 +6h Europe/Amsterdam", "", "2026-10-17 01:00", "Fri 2026-10-16 20:00 +360m",
          "Fri 2026-10-23 20:00 +360m");
    CHECK("Fri 22:00 +6h Europe/Amsterdam", "", "2026-10-17 02:00", "Fri 2026-10-23 20:00 +360m");
}

// 02:00 to 03:00 are skipped on 2026-03-29 and come twice on 2026-10-25.
static void the_clocks_of_amsterdam_change(void **state)
{
    (void)state;
    CHECK("Sun 02:30 +1h Europe/Amsterdam", "", "2026-03-28 00:00", "Sun 2026-03-29 01:00 +60m",
          "Sun 2026-04-05 00:30 +60m");
    CHECK("Sun 03:00 +1h Europe/Amsterdam", "", "2026-03-28 00:00", "Sun 2026-03-29 01:00 +60m");
    CHECK("Sun 01:30 +2h Europe/Amsterdam", "", "2026-03-28 00:00", "Sun 2026-03-29 00:30 +120m");
    CHECK("Sat 22:00 +6h Europe/Amsterdam", "", "2026-03-28 00:00", "Sat 2026-03-28 21:00 +360m",
          "Sat 2026-04-04 20:00 +360m");
    CHECK("Sun 02:30 +1h Europe/Amsterdam", "", "2026-10-24 00:00", "Sun 2026-10-25 00:30 +60m",
          "Sun 2026-11-01 01:30 +60m");
    CHECK("Sun 03:00 +1h Europe/Amsterdam", "", "2026-10-24 00:00", "Sun 2026-10-25 02:00 +60m");
    CHECK("Sat 22:00 +6h Europe/Amsterdam", "", "2026-10-24 00:00", "Sat 2026-10-24 20:00 +360m");
}

static void the_clocks_of_new_york_change(void **state)
{
    (void)state;
    CHECK("Sun 02:30 +1h America/New_York", "", "2026-03-07 00:00", "Sun 2026-03-08 07:00 +60m",
          "Sun 2026-03-15 06:30 +60m");
    CHECK("Sun 01:30 +1h America/New_York", "", "2026-10-31 00:00", "Sun 2026-11-01 05:30 +60m",
          "Sun 2026-11-08 06:30 +60m");
    CHECK("Sat 23:00 +4h America/New_York", "", "2026-10-31 12:00", "Sun 2026-11-01 03:00 +240m");
}

// By half an hour: 02:00 to 02:30 are skipped on 2026-10-04, 01:30 to 02:00 come twice on
// 2026-04-05.
static void the_clocks_of_lord_howe_change_by_half_an_hour(void **state)
{
    (void)state;
    CHECK("Sun 02:15 +1h Australia/Lord_Howe", "", "2026-10-03 00:00", "Sat 2026-10-03 15:30 +60m",
          "Sat 2026-10-10 15:15 +60m");
    CHECK("Sun 02:30 +1h Australia/Lord_Howe", "", "2026-10-03 00:00", "Sat 2026-10-03 15:30 +60m");
    CHECK("Sun 01:45 +1h Australia/Lord_Howe", "", "2026-04-04 00:00", "Sat 2026-04-04 14:45 +60m",
          "Sat 2026-04-11 15:15 +60m");
    CHECK("Sun 02:00 +1h Australia/Lord_Howe", "", "2026-04-04 00:00", "Sat 2026-04-04 15:30 +60m");
}

static void several_windows_are_a_union(void **state)
{
    (void)state;
    CHECK("Mon 22:00 +2h UTC,Tue 00:00 +1h UTC,Mon 23:00 +30m UTC,Sat,Sun 10:00 +4h UTC", "",
          "2026-10-18 12:00", "Sun 2026-10-18 10:00 +240m", "Mon 2026-10-19 22:00 +180m",
          "Sat 2026-10-24 10:00 +240m", "Sun 2026-10-25 10:00 +240m");
    CHECK("Mon 22:00 +1h Europe/Amsterdam , Mon 22:00 +1h America/New_York", "", "2026-10-18 12:00",
          "Mon 2026-10-19 20:00 +60m", "Tue 2026-10-20 02:00 +60m");
    CHECK("Sat..Mon 01:00 +1h UTC", "", "2026-10-21 00:00", "Sat 2026-10-24 01:00 +60m",
          "Sun 2026-10-25 01:00 +60m", "Mon 2026-10-26 01:00 +60m", "Sat 2026-10-31 01:00 +60m");
    CHECK("sat, sun 01:00 +1h UTC", "", "2026-10-21 00:00", "Sat 2026-10-24 01:00 +60m",
          "Sun 2026-10-25 01:00 +60m", "Sat 2026-10-31 01:00 +60m");
}

// The opening of the 23rd ends at midnight there, that of the 26th does not happen.
static void nothing_begins_on_an_excepted_date(void **state)
{
    (void)state;
    CHECK("daily 22:00 +6h Europe/Amsterdam", "2026-12-24..2026-12-26", "2026-12-22 12:00",
          "Tue 2026-12-22 21:00 +360m", "Wed 2026-12-23 21:00 +120m", "Sun 2026-12-27 21:00 +360m");
    CHECK("daily 22:00 +6h UTC", "2026-12-25, 2026-12-24", "2026-12-23 12:00",
          "Wed 2026-12-23 22:00 +120m", "Sat 2026-12-26 22:00 +360m");
    CHECK("Fri 18:00 +60h UTC", "2026-10-17", "2026-10-16 12:00", "Fri 2026-10-16 18:00 +360m",
          "Sun 2026-10-18 00:00 +1800m", "Fri 2026-10-23 18:00 +3600m");
}

static void a_year_may_have_a_29th_of_february(void **state)
{
    (void)state;
    CHECK("daily 22:00 +1h UTC", "2028-02-28", "2028-02-27 00:00", "Sun 2028-02-27 22:00 +60m",
          "Tue 2028-02-29 22:00 +60m", "Wed 2028-03-01 22:00 +60m");
    CHECK("daily 22:00 +1h UTC", "2028-02-29", "2028-02-28 00:00", "Mon 2028-02-28 22:00 +60m",
          "Wed 2028-03-01 22:00 +60m");
}

// The days of local time; without a window all else is open.
static void exceptions_need_no_window(void **state)
{
    (void)state;
    mm_schedule_t schedule = {0};
    mm_opening_t *openings = NULL;
    char why[MM_CALENDAR_WHY_MAX], text[128];
    size_t count = 0;
    setenv("TZ", "Europe/Amsterdam", 1);
    assert_true(mm_schedule_add_except(&schedule, mm_str("2026-12-24..2026-12-26"), why));
    assert_true(mm_schedule_expand(&schedule, utc("2026-12-23 12:00"), &openings, &count, why));
    assert_int_equal(count, 2);
    print_opening(&openings[0], text, sizeof text);
    assert_string_equal(text, "Wed 2026-12-23 12:00 +660m");
    assert_int_equal(openings[1].opens_ms, utc("2026-12-26 23:00"));
    free(openings);
    mm_schedule_clear(&schedule);
    assert_string_equal(getenv("TZ"), "Europe/Amsterdam");
    unsetenv("TZ");
}

static void local_time_is_that_of_the_environment(void **state)
{
    (void)state;
    setenv("TZ", "America/New_York", 1);
    CHECK("Fri 22:00 +1h", "", "2026-10-16 12:00", "Sat 2026-10-17 02:00 +60m");
    CHECK("Fri 22:00 +1h UTC", "", "2026-10-16 12:00", "Fri 2026-10-16 22:00 +60m");
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    CHECK("Fri 22:00 +1h", "", "2026-10-16 12:00", "Fri 2026-10-16 20:00 +60m");
    assert_string_equal(getenv("TZ"), "CET-1CEST,M3.5.0,M10.5.0/3");
    unsetenv("TZ");
}

static void the_openings_reach_two_years(void **state)
{
    (void)state;
    char why[MM_CALENDAR_WHY_MAX];
    mm_schedule_t schedule = {0};
    mm_opening_t *openings = NULL;
    size_t count = 0;
    assert_true(mm_schedule_add_windows(&schedule, mm_str("daily 22:00 +6h Europe/Paris"), why));
    assert_true(mm_schedule_expand(&schedule, utc("2026-10-16 12:00"), &openings, &count, why));
    assert_true(count > 730 && count < 735);
    free(openings);
    mm_schedule_clear(&schedule);
}

static const char *refusal(const char *windows, const char *except, int64_t last_start_ms)
{
    static char why[MM_CALENDAR_WHY_MAX];
    mm_schedule_t schedule = {.last_start_ms = last_start_ms};
    mm_opening_t *openings = NULL;
    size_t count;
    bool is_good = (!*windows || mm_schedule_add_windows(&schedule, mm_str(windows), why)) &&
                   (!*except || mm_schedule_add_except(&schedule, mm_str(except), why)) &&
                   mm_schedule_expand(&schedule, utc("2026-10-16 12:00"), &openings, &count, why);
    free(openings);
    mm_schedule_clear(&schedule);
    return is_good ? "" : why;
}

static void what_never_opens_is_refused(void **state)
{
    (void)state;
    assert_non_null(strstr(refusal("daily 22:00 +1h UTC", "2026-01-01..2030-01-01", 0),
                           "never opens: the exceptions"));
    assert_non_null(strstr(refusal("", "2026-01-01..2030-01-01", 0), "never opens"));
    assert_non_null(strstr(refusal("daily 22:00 +1h UTC", "", HOUR), "last-start = 1h"));
    assert_string_equal(refusal("daily 22:00 +1h UTC", "", HOUR - 1), "");
    // Together they are long enough.
    assert_string_equal(refusal("daily 22:00 +1h UTC,daily 23:00 +1h UTC", "", HOUR), "");
}

static void what_is_no_window_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *windows, *except, *why;
    } cases[] = {
        {"", "", ""},
        {"Mon", "", "no time of the day"},
        {"Mon 22:00", "", "no length"},
        {"Mon 22:00-04:00", "", "no time of the day"},
        {"Mon 22:00 6h", "", "no length"},
        {"Mon 22:00 - 04:00", "", "has no end"},
        {"Mon 24:00 +6h", "", "no time of the day"},
        {"Mon 22:60 +6h", "", "no time of the day"},
        {"Monday 22:00 +6h", "", "'Monday' is no day"},
        {"22:00 +6h", "", "'22:00' is no day"},
        {"Mon..Fry 22:00 +6h", "", "no day"},
        {"Mon-Fri 22:00 +6h", "", "no day"},
        {"Mon, 22:00 +6h", "", "no day"},
        {"Mon 22:00 +6", "", "its length"},
        {"Mon 22:00 +0s", "", "from 1s to 31d"},
        {"Mon 22:00 +32d", "", "from 1s to 31d"},
        {"Mon 22:00 +6h UTC,", "", "it is empty"},
        {"Mon 22:00 +6h UTC and more", "", "behind the zone"},
        {"Mon 22:00 +6h Europe/Amsterdamm", "", "no time zone 'Europe/Amsterdamm'"},
        {"Mon 22:00 +6h ../passwd", "", "is no time zone"},
        {"Mon 22:00 +6h zone.tab", "", "is no time zone"},
        {"Mon 22:00 +6h Europe", "", "no time zone 'Europe'"},
        {"daily 1:00 +1h", "2026-13-01", "no date"},
        {"daily 1:00 +1h", "2027-02-29", "no date"},
        {"daily 1:00 +1h", "24.12.2026", "no date"},
        {"daily 1:00 +1h", "2026-12-26..2026-12-24", "swap"},
        {"daily 1:00 +1h", "2026-12-24 - 2026-12-26", "without a comma"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = refusal(cases[i].windows, cases[i].except, 0);
        if (!strstr(why, cases[i].why) || (*why == '\0') != (*cases[i].why == '\0'))
            fail_msg("%s / %s: '%s'", cases[i].windows, cases[i].except, why);
    }
}

// glibc would take UTC in silence.
static void without_tzdata_a_zone_is_refused(void **state)
{
    (void)state;
    setenv("TZDIR", "/nonexistent", 1);
    assert_non_null(strstr(refusal("Mon 22:00 +6h Europe/Amsterdam", "", 0), "install tzdata"));
    assert_string_equal(refusal("Mon 22:00 +6h UTC", "", 0), "");
    setenv("TZ", "Europe/Amsterdam", 1);
    assert_non_null(strstr(refusal("Mon 22:00 +6h", "", 0), "TZ=Europe/Amsterdam"));
    unsetenv("TZDIR");
    assert_string_equal(refusal("Mon 22:00 +6h", "", 0), "");
    setenv("TZ", "Europe/Amsterdamm", 1);
    assert_non_null(strstr(refusal("Mon 22:00 +6h", "", 0), "local time is not known"));
    unsetenv("TZ");
}

static void a_window_is_printed_as_it_is_read(void **state)
{
    (void)state;
    static const char *const windows[] = {"Mon..Fri 22:00 +6h Europe/Amsterdam", "daily 01:00 +90m",
                                          "Mon..Wed,Fri 22:00 +6h UTC", "Sat..Sun 08:05 +1h"};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        char why[MM_CALENDAR_WHY_MAX], text[MM_WINDOW_TEXT];
        mm_schedule_t schedule = {0};
        assert_true(mm_schedule_add_windows(&schedule, mm_str(windows[i]), why));
        assert_string_equal(mm_window_print(&schedule.windows[0], text), windows[i]);
        mm_schedule_clear(&schedule);
    }
    char text[MM_INSTANT_TEXT];
    assert_string_equal(mm_calendar_print(utc("2026-10-16 20:00"), "Europe/Amsterdam", text),
                        "Fri 2026-10-16 22:00 CEST");
    assert_string_equal(mm_calendar_print(utc("2026-10-16 20:00"), "UTC", text),
                        "Fri 2026-10-16 20:00 UTC");
}

static void the_next_openings_of_one_window_are_told(void **state)
{
    (void)state;
    char why[MM_CALENDAR_WHY_MAX], text[128];
    mm_schedule_t schedule = {0};
    mm_opening_t openings[5];
    assert_true(mm_schedule_add_windows(
        &schedule, mm_str("daily 01:00 +1h UTC,Fri 22:00 +6h Europe/Amsterdam"), why));
    assert_int_equal(mm_schedule_next(&schedule, 1, utc("2026-10-17 01:00"), openings, 5), 5);
    print_opening(&openings[0], text, sizeof text);
    assert_string_equal(text, "Fri 2026-10-16 20:00 +360m");
    print_opening(&openings[2], text, sizeof text);
    assert_string_equal(text, "Fri 2026-10-30 21:00 +360m");
    mm_schedule_clear(&schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_friday_night_is_open_on_saturday),
        cmocka_unit_test(the_clocks_of_amsterdam_change),
        cmocka_unit_test(the_clocks_of_new_york_change),
        cmocka_unit_test(the_clocks_of_lord_howe_change_by_half_an_hour),
        cmocka_unit_test(several_windows_are_a_union),
        cmocka_unit_test(nothing_begins_on_an_excepted_date),
        cmocka_unit_test(a_year_may_have_a_29th_of_february),
        cmocka_unit_test(exceptions_need_no_window),
        cmocka_unit_test(local_time_is_that_of_the_environment),
        cmocka_unit_test(the_openings_reach_two_years),
        cmocka_unit_test(what_never_opens_is_refused),
        cmocka_unit_test(what_is_no_window_is_refused),
        cmocka_unit_test(without_tzdata_a_zone_is_refused),
        cmocka_unit_test(a_window_is_printed_as_it_is_read),
        cmocka_unit_test(the_next_openings_of_one_window_are_told),
    };
    unsetenv("TZ");
    unsetenv("TZDIR");
    return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
