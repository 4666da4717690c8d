// Tests of common/base/string_view.c: texts, names, hosts, ids.

#include "host.h"
#include "uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static mm_id_t id_of(uint64_t high, uint64_t low)
{
    mm_id_t id;
    for (size_t i = 0; i < 8; i++) {
        id.bytes[i] = (uint8_t)(high >> (56 - 8 * i));
        id.bytes[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
    return id;
}

static bool is_name(const char *string)
{
    mm_name_t name;
    return mm_name_from(mm_str(string), &name);
}

static void a_text_of_null_is_empty(void **state)
{
    (void)state;
    assert_int_equal(mm_str(NULL).size, 0);
    assert_true(mm_str_equal(mm_str(NULL), mm_str("")));
    assert_true(mm_str_equal((mm_str_t){NULL, 0}, mm_str("")));
    assert_int_equal(mm_str("web").size, 3);
}

static void texts_are_equal_when_all_their_bytes_are(void **state)
{
    (void)state;
    assert_true(mm_str_equal(mm_str("web-1"), mm_str("web-1")));
    assert_false(mm_str_equal(mm_str("web-1"), mm_str("web-2")));
    assert_false(mm_str_equal(mm_str("web-1"), mm_str("web-10")));
    assert_true(mm_str_equal((mm_str_t){"a\0b", 3}, (mm_str_t){"a\0b", 3}));
    assert_false(mm_str_equal((mm_str_t){"a\0b", 3}, (mm_str_t){"a\0c", 3}));
}

static void texts_are_in_the_order_of_their_bytes(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "Web", "we", "web", "web-1", "web1", "zoo", "\xc3"};
    size_t count = sizeof texts / sizeof *texts;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            int order = mm_str_compare(mm_str(texts[i]), mm_str(texts[j]));
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    assert_int_equal(mm_str_compare((mm_str_t){NULL, 0}, mm_str("")), 0);
}

static void a_text_that_is_owned_is_replaced_by_a_copy(void **state)
{
    (void)state;
    char *text = NULL;
    mm_str_replace(&text, (mm_str_t){"web-1junk", 5});
    assert_string_equal(text, "web-1");
    mm_str_replace(&text, mm_str("db"));
    assert_string_equal(text, "db");
    mm_str_replace(&text, mm_str(text + 1)); // of itself
    assert_string_equal(text, "b");
    mm_str_replace(&text, mm_str(NULL));
    assert_null(text);
    mm_str_replace(&text, mm_str(""));
    assert_null(text);
}

static void a_name_is_copied_and_terminated(void **state)
{
    (void)state;
    mm_name_t name;
    memset(&name, 'x', sizeof name);
    assert_true(mm_name_from((mm_str_t){"restarter-2junk", 11}, &name));
    assert_string_equal(name.text, "restarter-2");
}

static void a_name_is_a_text_with_the_same_bytes_and_no_more(void **state)
{
    (void)state;
    mm_name_t name, longest;
    char longer[MM_NAME_MAX + 2];
    memset(longer, 'a', sizeof longer);
    longer[MM_NAME_MAX + 1] = '\0';
    assert_true(mm_name_from(mm_str("r1"), &name));
    assert_true(mm_name_from((mm_str_t){longer, MM_NAME_MAX}, &longest));
    assert_true(mm_name_is(&name, mm_str("r1")));
    assert_true(mm_name_is(&longest, (mm_str_t){longer, MM_NAME_MAX}));
    const char *const others[] = {"", "r", "r2", "r11", longer};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(mm_name_is(&name, mm_str(others[i])));
    assert_false(mm_name_is(&name, (mm_str_t){"r1\0", 3}));
    assert_false(mm_name_is(&longest, mm_str(longer)));
}

static void names_keep_to_their_alphabet_and_length(void **state)
{
    (void)state;
    char longest[MM_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[MM_NAME_MAX + 1] = '\0';
    assert_false(is_name(longest));
    longest[MM_NAME_MAX] = '\0';
    assert_true(is_name(longest));
    assert_true(is_name("A_z.0-9"));
    assert_true(is_name("_"));
    static const char *const bad[] = {"", "-a", ".a", "a b", "a/b", "a:b", "\xc3\xa4", "a\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(is_name(bad[i]));
    assert_false(mm_name_from((mm_str_t){"a\0b", 3}, &(mm_name_t){{0}}));
}

static void a_refused_name_leaves_the_output_alone(void **state)
{
    (void)state;
    mm_name_t name = {"before"};
    assert_false(mm_name_from(mm_str("no good"), &name));
    assert_string_equal(name.text, "before");
}

static void hosts_that_can_be_restarted_raise_no_complaint(void **state)
{
    (void)state;
    char longest[MM_HOST_MAX + 1];
    memset(longest, 'a', MM_HOST_MAX);
    longest[MM_HOST_MAX] = '\0';
    const char *const good[] = {"web-7.example.net", "10.0.0.7", "fe80::1", "a_b:22", longest};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_null(mm_host_complaint(mm_str(good[i])));
}

static void a_bad_host_is_told_why(void **state)
{
    (void)state;
    char too_long[MM_HOST_MAX + 2];
    memset(too_long, 'a', MM_HOST_MAX + 1);
    too_long[MM_HOST_MAX + 1] = '\0';
    assert_string_equal(mm_host_complaint(mm_str("")), "it is empty");
    assert_non_null(strstr(mm_host_complaint(mm_str("-rf")), "option"));
    assert_non_null(strstr(mm_host_complaint(mm_str(too_long)), "253"));
    static const char *const bad[] = {"web 7", "web;7", "$(x)", "web\n", "\xc3\xa4", "a/b", "a@b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(strstr(mm_host_complaint(mm_str(bad[i])), "letters, digits"));
    assert_non_null(mm_host_complaint((mm_str_t){"a\0b", 3}));
}

static void the_instance_is_the_first_label_and_an_address_stays_whole(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"web-7.example.net", "web-7"},
        {"web-7", "web-7"},
        {"10.0.0.7", "10.0.0.7"},
        {"10.0.0.7:22", "10.0.0.7:22"},
        {"fe80::1", "fe80::1"},
        {"::ffff:10.0.0.7", "::ffff:10.0.0.7"},
        {"7up.example.net:22", "7up"},
        {".hidden", ".hidden"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_true(mm_str_equal(mm_host_label(mm_str(pairs[i][0])), mm_str(pairs[i][1])));
}

static void ids_compare_in_byte_order(void **state)
{
    (void)state;
    mm_id_t a = id_of(1, 0), b = id_of(1, 1), c = id_of(UINT64_C(1) << 63, 0);
    assert_true(mm_id_compare(&a, &b) < 0);
    assert_true(mm_id_compare(&c, &b) > 0);
    assert_int_equal(mm_id_compare(&b, &b), 0);
    assert_true(mm_id_equal(&b, &b));
    assert_false(mm_id_equal(&a, &b));
}

static void ids_print_in_two_forms(void **state)
{
    (void)state;
    char text[MM_ID_TEXT];
    mm_id_t uuid = id_of(UINT64_C(0x017f22e279b07cc3), UINT64_C(0x98c4dc0c0c07398f));
    mm_id_t seventeen = id_of(0, 17), zero = id_of(0, 0), largest = id_of(0, UINT64_MAX);
    assert_string_equal(mm_id_print(&uuid, text), "017f22e279b07cc398c4dc0c0c07398f");
    assert_string_equal(mm_id_print(&seventeen, text), "j17");
    assert_string_equal(mm_id_print(&zero, text), "j0");
    assert_string_equal(mm_id_print(&largest, text), "j18446744073709551615");
}

static void printed_ids_read_back(void **state)
{
    (void)state;
    static const uint64_t halves[] = {0, 1, 255, UINT64_C(0x017f22e279b07cc3), UINT64_MAX};
    size_t count = sizeof halves / sizeof halves[0];
    for (size_t i = 0; i < count * count; i++) {
        char text[MM_ID_TEXT];
        mm_id_t id = id_of(halves[i / count], halves[i % count]), back;
        assert_true(mm_id_parse(mm_str(mm_id_print(&id, text)), &back));
        assert_true(mm_id_equal(&id, &back));
    }
}

static void what_is_no_id_leaves_the_output_alone(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "j",
        "j-1",
        "j01",
        "j1x",
        "17",
        "j18446744073709551616",
        "j99999999999999999999999",
        "017f22e279b07cc398c4dc0c0c07398",   // 31 digits
        "017f22e279b07cc398c4dc0c0c07398f0", // 33 digits
        "017F22E279B07CC398C4DC0C0C07398F",
        "017f22e279b07cc398c4dc0c0c07398g",
        "00000000000000000000000000000011", // prints as j17
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mm_id_t id = id_of(4, 2), before = id;
        assert_false(mm_id_parse(mm_str(bad[i]), &id));
        assert_true(mm_id_equal(&id, &before));
    }
}

// What machines and boots may be: any 16 bytes.
static void uuids_print_in_two_forms_and_read_back(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"00000000000000000123456789abcdef", "00000000-0000-0000-0123-456789abcdef"},
        {"00000000000000000000000000000011", "00000000-0000-0000-0000-000000000011"},
        {"00000000000000000000000000000000", "00000000-0000-0000-0000-000000000000"},
        {"0123456789abcdef0000000000000000", "01234567-89ab-cdef-0000-000000000000"},
        {"017f22e279b07cc398c4dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"},
        {"ffffffffffffffffffffffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        mm_id_t hex = id_of(4, 2), uuid = id_of(2, 4);
        char digits[MM_HEX_TEXT], text[MM_UUID_TEXT];
        assert_true(mm_uuid_parse(mm_str(texts[i][0]), &hex));
        assert_true(mm_uuid_parse(mm_str(texts[i][1]), &uuid));
        assert_true(mm_id_equal(&hex, &uuid));
        assert_string_equal(mm_hex_print(&hex, digits), texts[i][0]);
        assert_string_equal(mm_uuid_print(&hex, text), texts[i][1]);
    }
}

static void what_is_no_uuid_leaves_the_output_alone(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "-",
        "j17",
        "j1234567890123456789012345678901", // 32 characters
        "017f22e279b07cc398c4dc0c0c07398",  // 31 digits
        "017f22e279b07cc398c4dc0c0c07398f0",
        "017f22e279b07cc398c4dc0c0c07398f0000", // 36
        "017F22E279B07CC398C4DC0C0C07398F",
        "017f22e279b07cc398c4dc0c0c07398g",
        "017f22e279b07cc398c4dc0c0c07398f\n",
        "{017f22e279b07cc398c4dc0c0c07398}",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",   // 35 characters
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", // 37
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398F",
        "017f22e27-9b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4dc0c-0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c-c07398f",
        "017f22e2-79b0-7cc3-98c4dc0c0c07398f",  // 35
        "017f22e279b0-7cc3-98c4-dc0c0c07398f0", // 36
        "017f22e2_79b0_7cc3_98c4_dc0c0c07398f",
        "017f22e2 79b0 7cc3 98c4 dc0c0c07398f",
        "------------------------------------",
        "--------------------------------",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07", // 32
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mm_id_t id = id_of(4, 2), before = id;
        assert_false(mm_uuid_parse(mm_str(bad[i]), &id));
        assert_true(mm_id_equal(&id, &before));
    }
    mm_id_t id;
    assert_false(mm_uuid_parse((mm_str_t){NULL, 0}, &id));
}

// Counting ids, and ids that differ in one half only, must spread over a power of two of buckets.
static void the_hash_spreads_ids_that_differ_in_either_half(void **state)
{
    (void)state;
    enum { BUCKETS = 4096 };
    static unsigned char low_hit[BUCKETS], high_hit[BUCKETS];
    size_t low_used = 0, high_used = 0;
    for (uint64_t i = 0; i < BUCKETS; i++) {
        mm_id_t low = id_of(UINT64_C(0x0193aaaabbbb7000), i);
        mm_id_t high = id_of(UINT64_C(0x0193aaaabbbb7000) + (i << 16), 5);
        low_hit[mm_id_hash(&low) % BUCKETS] = 1;
        high_hit[mm_id_hash(&high) % BUCKETS] = 1;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        low_used += low_hit[i];
        high_used += high_hit[i];
    }
    // Random hashing fills 63 % of the buckets.
    assert_true(low_used > BUCKETS / 2);
    assert_true(high_used > BUCKETS / 2);
}

static bool belongs(int c, bool is_host)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_' || (is_host && c == ':');
}

// Every byte at every place of texts of many sizes, which are looked at in blocks.
static void every_byte_is_looked_at(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 48; size++)
        for (size_t at = 0; at < size; at++)
            for (int c = 0; c < 256; c++) {
                char *bytes = malloc(size); // so that a look beyond it is found
                assert_non_null(bytes);
                memset(bytes, 'x', size);
                bytes[at] = (char)c;
                mm_str_t text = {bytes, size};
                assert_int_equal(mm_is_name(text),
                                 belongs(c, false) && (at > 0 || (c != '-' && c != '.')));
                assert_int_equal(mm_host_complaint(text) == NULL,
                                 belongs(c, true) && (at > 0 || c != '-'));
                free(bytes);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_looked_at),
        cmocka_unit_test(a_text_of_null_is_empty),
        cmocka_unit_test(texts_are_equal_when_all_their_bytes_are),
        cmocka_unit_test(texts_are_in_the_order_of_their_bytes),
        cmocka_unit_test(a_text_that_is_owned_is_replaced_by_a_copy),
        cmocka_unit_test(a_name_is_copied_and_terminated),
        cmocka_unit_test(a_name_is_a_text_with_the_same_bytes_and_no_more),
        cmocka_unit_test(names_keep_to_their_alphabet_and_length),
        cmocka_unit_test(a_refused_name_leaves_the_output_alone),
        cmocka_unit_test(hosts_that_can_be_restarted_raise_no_complaint),
        cmocka_unit_test(a_bad_host_is_told_why),
        cmocka_unit_test(the_instance_is_the_first_label_and_an_address_stays_whole),
        cmocka_unit_test(ids_compare_in_byte_order),
        cmocka_unit_test(ids_print_in_two_forms),
        cmocka_unit_test(printed_ids_read_back),
        cmocka_unit_test(what_is_no_id_leaves_the_output_alone),
        cmocka_unit_test(uuids_print_in_two_forms_and_read_back),
        cmocka_unit_test(what_is_no_uuid_leaves_the_output_alone),
        cmocka_unit_test(the_hash_spreads_ids_that_differ_in_either_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
