// Tests of common/base/duration.c.

#include "duration.h"
#include "string_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void durations_print_as_they_are_read(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "0s"},       {1, "1ms"},       {1500, "1500ms"},
                 {2000, "2s"},    {90000, "90s"},   {120000, "2m"},
                 {3600000, "1h"}, {5400000, "90m"}, {86400000, "24h"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[MM_DURATION_TEXT];
        int64_t ms = -1;
        assert_string_equal(mm_duration_print(cases[i].ms, text), cases[i].text);
        assert_null(mm_duration_parse(mm_str(text), &ms));
        assert_int_equal(ms, cases[i].ms);
    }
}

static void durations_may_have_decimals(void **state)
{
    (void)state;
    int64_t ms = -1;
    assert_null(mm_duration_parse(mm_str("0.25h"), &ms));
    assert_int_equal(ms, 900000);
    assert_null(mm_duration_parse(mm_str("1.250s"), &ms));
    assert_int_equal(ms, 1250);
    assert_non_null(mm_duration_parse(mm_str("0.000001h"), &ms)); // 3.6 ms
    assert_int_equal(ms, 1250);
}

static void a_duration_may_have_several_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"2h30m", 9000000},
                 {"1d", 86400000},
                 {"1h30m10s", 5410000},
                 {"1d12h", 129600000},
                 {"1d2h3m4s5ms", 93784005},
                 {"1m500ms", 60500},
                 {"1h0m", 3600000},
                 {"0h0m", 0},
                 {"90m90s", 5490000},
                 {"1h2.5m", 3750000},
                 {"1h0.5s", 3600500},
                 {"0.5d", 43200000},
                 {"106751991167d", INT64_C(106751991167) * 86400000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = -1;
        assert_null(mm_duration_parse(mm_str(cases[i].text), &ms));
        assert_true(ms == cases[i].ms);
    }
}

static void a_complaint_says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {{"", "a number with a unit"},
                 {"5", "needs a unit"},
                 {"5x", "needs a unit"},
                 {"2h30", "needs a unit"},
                 {"2h 30m", "needs a unit"},
                 {"2h-30m", "needs a unit"},
                 {"30m2h", "the larger one first"},
                 {"2h3h", "each unit stands once"},
                 {"1s1s", "each unit stands once"},
                 {"5ms1s", "the larger one first"},
                 {"1.5h30m", "only its last number"},
                 {"0.00001s", "finer than a millisecond"},
                 {"106751991168d", "too long"},
                 {"106751991167d1000000000h", "too long"},
                 {"9999999999999h", "a number with a unit"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = 42;
        const char *why = mm_duration_parse(mm_str(cases[i].text), &ms);
        assert_non_null(why);
        if (!strstr(why, cases[i].why))
            fail_msg("'%s': %s", cases[i].text, why);
        assert_int_equal(ms, 42);
    }
}

static void what_is_no_duration_leaves_the_output_alone(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "s",  "1",   "1.s",        ".5s",
                                      "1w",   "1S", "1 s", "+1s",        "1s ",
                                      " 1s",  "h1", "1h1", "0.0000001s", "1000000000001h",
                                      "1h,2m"};
    int64_t ms = 42;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(mm_duration_parse(mm_str(bad[i]), &ms));
    assert_int_equal(ms, 42);
}

static void decimals_scale_exactly_or_not_at_all(void **state)
{
    (void)state;
    mm_decimal_t decimal;
    int64_t number = 42;
    assert_int_equal(mm_decimal_read(mm_str("12.0625%"), &decimal), 7);
    assert_int_equal(decimal.whole, 12);
    assert_int_equal(decimal.millionth, 62500);
    assert_true(mm_decimal_scale(decimal, 10000, &number));
    assert_int_equal(number, 120625);
    assert_false(mm_decimal_scale(decimal, 1000, &number));
    assert_int_equal(number, 120625);
    assert_int_equal(mm_decimal_read(mm_str("1000000000000h"), &decimal), 13);
    assert_true(mm_decimal_scale(decimal, 3600000, &number));
    assert_true(number == INT64_C(3600000000000000000));
    assert_false(mm_decimal_scale(decimal, 86400000, &number)); // runs over
    assert_true(number == INT64_C(3600000000000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_print_as_they_are_read),
        cmocka_unit_test(durations_may_have_decimals),
        cmocka_unit_test(a_duration_may_have_several_units),
        cmocka_unit_test(a_complaint_says_what_is_wrong),
        cmocka_unit_test(what_is_no_duration_leaves_the_output_alone),
        cmocka_unit_test(decimals_scale_exactly_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
