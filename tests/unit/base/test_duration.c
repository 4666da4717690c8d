// Tests of common/base/duration.c.

#include "duration.h"
#include "string_view.h"

#include <setjmp.h>
#include <stdarg.h>

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

static void what_is_no_duration_leaves_the_output_alone(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   "s",   "1",   "1.s", ".5s",        "1d",
                                      "1S", "1 s", "+1s", "1s ", "0.0000001s", "1000000000001h"};
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_print_as_they_are_read),
        cmocka_unit_test(durations_may_have_decimals),
        cmocka_unit_test(what_is_no_duration_leaves_the_output_alone),
        cmocka_unit_test(decimals_scale_exactly_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
