// Tests of common/base/utf8.c: characters and prefixes.

#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static size_t prefix(const char *text, size_t size, size_t size_max)
{
    return mm_utf8_prefix((mm_str_t){text, size}, size_max);
}

static void a_prefix_ends_before_what_is_not_utf8(void **state)
{
    (void)state;
    assert_int_equal(prefix("plain text, longer than a word", 30, 512), 30);
    assert_int_equal(prefix("plain text\0 and more of it", 26, 512), 10);
    assert_int_equal(prefix("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x92\xA5", 9, 512), 9);
    assert_int_equal(prefix("ab\xC3", 3, 512), 2);                 // cut off
    assert_int_equal(prefix("12345678\xC0\x80", 10, 512), 8);      // overlong
    assert_int_equal(prefix("\xE0\x9F\xBF", 3, 512), 0);           // overlong
    assert_int_equal(prefix("\xF0\x8F\xBF\xBF", 4, 512), 0);       // overlong
    assert_int_equal(prefix("\xED\xA0\x80", 3, 512), 0);           // a surrogate
    assert_int_equal(prefix("\xED\x9F\xBF\xEE\x80\x80", 6, 9), 6); // its neighbors
    assert_int_equal(prefix("\xF4\x8F\xBF\xBF", 4, 512), 4);       // U+10FFFF
    assert_int_equal(prefix("\xF4\x90\x80\x80", 4, 512), 0);       // beyond
    assert_int_equal(prefix("\xF5\x80\x80\x80", 4, 512), 0);
    assert_int_equal(prefix("\x80", 1, 512), 0);
    assert_int_equal(prefix("\xC3\xC3", 2, 512), 0);
    assert_int_equal(prefix("\xFF"
                            "12345678",
                            9, 512),
                     0);
}

static void a_prefix_is_cut_between_characters(void **state)
{
    (void)state;
    assert_int_equal(prefix("1234567890", 10, 9), 9);
    assert_int_equal(prefix("12345678", 8, 7), 7);
    assert_int_equal(prefix("1234\xE2\x82\xAC", 7, 7), 7);
    assert_int_equal(prefix("1234\xE2\x82\xAC", 7, 6), 4);
    assert_int_equal(prefix("text", 4, 0), 0);
    assert_int_equal(prefix(NULL, 0, 512), 0);
}

static void a_character_has_a_size_or_is_not_valid(void **state)
{
    (void)state;
    assert_int_equal(mm_utf8_character("a", 1), 1);
    assert_int_equal(mm_utf8_character("", 1), 1); // NUL
    assert_int_equal(mm_utf8_character("\xC3\xA4", 2), 2);
    assert_int_equal(mm_utf8_character("\xC3\xA4", 1), 0); // cut off
    assert_int_equal(mm_utf8_character("\xE2\x82\xAC", 3), 3);
    assert_int_equal(mm_utf8_character("\xF0\x9F\x92\xA5", 4), 4);
    assert_int_equal(mm_utf8_character("\xA4", 1), 0);
    assert_int_equal(mm_utf8_character("\xC1\x81", 2), 0); // overlong
}

static void control_characters_are_those_that_a_terminal_may_obey(void **state)
{
    (void)state;
    assert_true(mm_utf8_is_control("\n"));
    assert_true(mm_utf8_is_control("\x1F"));
    assert_true(mm_utf8_is_control("\x7F"));
    assert_true(mm_utf8_is_control("\xC2\x9B")); // U+009B, the start of an escape sequence
    assert_false(mm_utf8_is_control("\xC2\xA0"));
    assert_false(mm_utf8_is_control(" "));
    assert_false(mm_utf8_is_control("\xC3\x84"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_ends_before_what_is_not_utf8),
        cmocka_unit_test(a_prefix_is_cut_between_characters),
        cmocka_unit_test(a_character_has_a_size_or_is_not_valid),
        cmocka_unit_test(control_characters_are_those_that_a_terminal_may_obey),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
