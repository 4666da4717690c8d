// Attributes as one text: what is a key and a value, and what is made of them and found again.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attributes.h"

static void a_key_is_a_small_word(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "bmc", "rack_2", "a0",
                                       "abcdefghijklmnopqrstuvwxyz_01234"};
    static const char *const bad[] = {"",
                                      "_a",
                                      "0a",
                                      "Bmc",
                                      "bM",
                                      "a-b",
                                      "a b",
                                      "a=",
                                      "a.b",
                                      "\xC3\xA4",
                                      "abcdefghijklmnopqrstuvwxyz_012345"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(mm_attribute_is_key(mm_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(mm_attribute_is_key(mm_str(bad[i])));
}

static void a_value_can_stand_in_a_command(void **state)
{
    (void)state;
    char longest[MM_ATTRIBUTE_VALUE_MAX + 1];
    memset(longest, 'v', sizeof longest);
    assert_null(mm_attribute_complaint((mm_str_t){longest, MM_ATTRIBUTE_VALUE_MAX}));
    assert_string_equal(mm_attribute_complaint((mm_str_t){longest, sizeof longest}),
                        "it is longer than 256 bytes");
    assert_null(mm_attribute_complaint(mm_str("")));
    assert_null(mm_attribute_complaint(mm_str("AZaz09._:@/+=,-")));
    assert_string_equal(mm_attribute_complaint(mm_str("-rf")),
                        "it begins with '-' and could be taken for an option");
    for (unsigned c = 0; c < 256; c++) {
        char value[] = {'x', (char)c};
        bool is_good = c != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                        "0123456789._:@/+=,-",
                                        (int)c);
        assert_true(is_good == (mm_attribute_complaint((mm_str_t){value, 2}) == NULL));
    }
}

static void pairs_are_put_together_and_found_again(void **state)
{
    (void)state;
    char text[MM_ATTRIBUTES_BYTES];
    size_t size = 0;
    assert_true(mm_attributes_add(text, &size, mm_str("bmc"), mm_str("10.0.0.1")));
    assert_true(mm_attributes_add(text, &size, mm_str("empty"), mm_str("")));
    assert_true(mm_attributes_add(text, &size, mm_str("path"), mm_str("/a=b,c")));
    assert_false(mm_attributes_add(text, &size, mm_str("bmc"), mm_str("x")));
    assert_false(mm_attributes_add(text, &size, mm_str("Bmc"), mm_str("x")));
    assert_false(mm_attributes_add(text, &size, mm_str("b"), mm_str("a b")));
    mm_str_t attributes = {text, size}, value;
    assert_true(mm_str_equal(attributes, mm_str("bmc=10.0.0.1 empty= path=/a=b,c")));
    assert_true(mm_attributes_are_valid(attributes));
    assert_true(mm_attributes_find(attributes, mm_str("path"), &value));
    assert_true(mm_str_equal(value, mm_str("/a=b,c")));
    assert_true(mm_attributes_find(attributes, mm_str("empty"), &value));
    assert_int_equal(value.size, 0);
    assert_false(mm_attributes_find(attributes, mm_str("bm"), &value));
    assert_false(mm_attributes_find((mm_str_t){0}, mm_str("bmc"), &value));
}

static void the_longest_attributes_fit(void **state)
{
    (void)state;
    char *text = malloc(MM_ATTRIBUTES_BYTES), key[MM_ATTRIBUTE_KEY_MAX];
    char value[MM_ATTRIBUTE_VALUE_MAX];
    size_t size = 0;
    assert_non_null(text);
    memset(key, 'k', sizeof key);
    memset(value, 'v', sizeof value);
    for (char c = 'a'; c < 'a' + MM_ATTRIBUTES_MAX; c++) {
        key[0] = c;
        assert_true(mm_attributes_add(text, &size, (mm_str_t){key, sizeof key},
                                      (mm_str_t){value, sizeof value}));
    }
    assert_int_equal(size, MM_ATTRIBUTES_BYTES);
    assert_true(mm_attributes_are_valid((mm_str_t){text, size}));
    assert_false(mm_attributes_add(text, &size, mm_str("z"), mm_str("")));
    free(text);
}

static void another_text_is_not_taken_for_attributes(void **state)
{
    (void)state;
    static const char *const bad[] = {" ",        "a",   "a=b ",   " a=b", "a=b  c=d",
                                      "a=b c",    "=b",  "a=b\n",  "a=-b", "a=b a=c",
                                      "a=b\tc=d", "A=b", "a=b\x80"};
    assert_true(mm_attributes_are_valid((mm_str_t){0}));
    assert_true(mm_attributes_are_valid(mm_str("a=")));
    assert_true(mm_attributes_are_valid(mm_str("a= b==")));
    assert_true(mm_attributes_are_valid(mm_str("a= b= c= d= e= f= g= h=")));
    assert_false(mm_attributes_are_valid(mm_str("a= b= c= d= e= f= g= h= i=")));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (mm_attributes_are_valid(mm_str(bad[i])))
            fail_msg("'%s' was taken", bad[i]);
}

static void keys_are_read_from_a_list(void **state)
{
    (void)state;
    mm_attribute_keys_t keys;
    assert_true(mm_attribute_keys_parse(mm_str(""), &keys));
    assert_int_equal(keys.count, 0);
    assert_true(mm_attribute_keys_parse(mm_str("bmc,zone"), &keys));
    assert_int_equal(keys.count, 2);
    assert_true(mm_str_equal(keys.keys[1], mm_str("zone")));
    assert_true(mm_attribute_keys_add(&keys, mm_str("bmc")));
    assert_int_equal(keys.count, 2);
    assert_true(mm_attribute_keys_parse(mm_str("a,b,c,d,e,f,g,h"), &keys));
    assert_true(mm_attribute_keys_add(&keys, mm_str("h")));
    assert_false(mm_attribute_keys_add(&keys, mm_str("i")));
    static const char *const bad[] = {
        ",", "a,", ",a", "a,,b", "a, b", "a,a", "A", "a,b,c,d,e,f,g,h,i", "?", "a??", "a?,a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(mm_attribute_keys_parse(mm_str(bad[i]), &keys));
    assert_int_equal(keys.count, 8);
}

static void a_key_may_be_optional_until_it_is_needed(void **state)
{
    (void)state;
    mm_attribute_keys_t keys;
    assert_true(mm_attribute_keys_parse(mm_str("port?,bmc,zone?"), &keys));
    assert_int_equal(keys.count, 3);
    assert_true(mm_str_equal(keys.keys[0], mm_str("port")));
    assert_true(keys.is_optional[0] && !keys.is_optional[1] && keys.is_optional[2]);
    assert_true(mm_attribute_keys_add(&keys, mm_str("zone")));
    assert_true(mm_attribute_keys_add_optional(&keys, mm_str("bmc")));
    assert_true(mm_attribute_keys_add_optional(&keys, mm_str("port")));
    assert_int_equal(keys.count, 3);
    assert_true(keys.is_optional[0] && !keys.is_optional[1] && !keys.is_optional[2]);
}

static void a_host_is_a_line_of_an_input(void **state)
{
    (void)state;
    char line[MM_HOST_LINE];
    assert_int_equal(mm_attributes_line(mm_str("web-1"), mm_str(""), line), 5);
    assert_string_equal(line, "web-1");
    (void)mm_attributes_line(mm_str("web-1"), mm_str("bmc=10.0.0.1 port=22"), line);
    assert_string_equal(line, "{\"host\": \"web-1\", \"bmc\": \"10.0.0.1\", \"port\": \"22\"}");
}

// The longest of all fits.
static void the_longest_host_fits(void **state)
{
    (void)state;
    char host[MM_HOST_MAX], attributes[MM_ATTRIBUTES_BYTES], line[MM_HOST_LINE];
    char key[MM_ATTRIBUTE_KEY_MAX], value[MM_ATTRIBUTE_VALUE_MAX];
    size_t size = 0;
    memset(host, 'h', sizeof host);
    memset(key, 'k', sizeof key);
    memset(value, 'v', sizeof value);
    for (char c = '1'; c <= '8'; c++) {
        key[1] = c;
        assert_true(mm_attributes_add(attributes, &size, (mm_str_t){key, sizeof key},
                                      (mm_str_t){value, sizeof value}));
    }
    assert_in_range(
        mm_attributes_line((mm_str_t){host, sizeof host}, (mm_str_t){attributes, size}, line), size,
        MM_HOST_LINE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_a_small_word),
        cmocka_unit_test(a_value_can_stand_in_a_command),
        cmocka_unit_test(pairs_are_put_together_and_found_again),
        cmocka_unit_test(the_longest_attributes_fit),
        cmocka_unit_test(another_text_is_not_taken_for_attributes),
        cmocka_unit_test(a_host_is_a_line_of_an_input),
        cmocka_unit_test(the_longest_host_fits),
        cmocka_unit_test(keys_are_read_from_a_list),
        cmocka_unit_test(a_key_may_be_optional_until_it_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
