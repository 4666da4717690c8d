// Tests of ctl/held/until.h: until when a host is denied, as it is typed.

#include "until.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define NOW INT64_C(1796050000000) // 2026-11-30 14:46:40 UTC

static int set_zone(void **state)
{
    (void)state;
    assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
    tzset();
    return 0;
}

static int64_t read_as(const char *text)
{
    int64_t until_ms = 0;
    const char *complaint = until_parse(text, NOW, &until_ms);
    if (complaint)
        fail_msg("%s: %s", text, complaint);
    return until_ms;
}

static void dates_are_of_the_zone_of_this_machine(void **state)
{
    (void)state;
    char text[UNTIL_TEXT];
    assert_string_equal(until_print(read_as("2026-12-24"), text), "2026-12-24 00:00:00 +0100");
    assert_string_equal(until_print(read_as("2026-12-24 06:00"), text),
                        "2026-12-24 06:00:00 +0100");
    assert_string_equal(until_print(read_as("2027-07-01T23:59"), text),
                        "2027-07-01 23:59:00 +0200");
    assert_true(read_as("2027-03-28 02:30") > read_as("2027-03-28 01:00")); // DST skips it
    assert_true(read_as("2026-11-30 15:47") > NOW);
}

static void a_span_counts_from_now(void **state)
{
    (void)state;
    assert_int_equal(read_as("+2h"), NOW + 7200000);
    assert_int_equal(read_as("+1d12h"), NOW + 129600000);
}

static void now_ends_a_denial(void **state)
{
    (void)state;
    assert_int_equal(read_as("now"), UNTIL_NOW);
    assert_true(UNTIL_NOW > 0 && UNTIL_NOW < NOW); // 0 would be for good
}

static void what_is_no_date_is_refused_with_the_forms(void **state)
{
    (void)state;
    static const char *const samples[] = {"",
                                          "tomorrow",
                                          "2h",
                                          "+",
                                          "+2",
                                          "+0s",
                                          "-2h",
                                          "2026-12-24 06:00:00",
                                          "2026-12-24  06:00",
                                          "2026-12-24 6:00",
                                          "26-12-24",
                                          "2026-12-24x",
                                          "2026-13-01",
                                          "2026-00-10",
                                          "2027-02-29",
                                          "2026-12-24 24:00",
                                          "2026-12-24 06:60",
                                          "2026-11-30", // has begun
                                          "2026-11-30 15:46",
                                          "0000-00-00",
                                          "+9223372036854775807ms"};
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        int64_t until_ms = 42;
        if (!until_parse(samples[i], NOW, &until_ms))
            fail_msg("%s was read", samples[i]);
        assert_int_equal(until_ms, 42);
    }
    int64_t until_ms;
    assert_non_null(strstr(until_parse("soon", NOW, &until_ms), "2026-12-24 06:00"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_of_the_zone_of_this_machine),
        cmocka_unit_test(a_span_counts_from_now),
        cmocka_unit_test(now_ends_a_denial),
        cmocka_unit_test(what_is_no_date_is_refused_with_the_forms),
    };
    return cmocka_run_group_tests_name("until", tests, set_zone, NULL);
}
