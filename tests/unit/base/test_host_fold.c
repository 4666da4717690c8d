// Tests of common/base/host_fold.c and common/base/ip_address.c: spellings of one host, and
// addresses as text.

#include "host_fold.h"
#include "ip_address.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "random.h"

static void assert_folds(const char *host, const char *folded)
{
    char buffer[MM_HOST_MAX], again[MM_HOST_MAX];
    mm_str_t found = mm_host_fold(mm_str(host), buffer);
    if (!mm_str_equal(found, mm_str(folded)))
        fail_msg("%s is folded to %.*s", host, (int)found.size, found.data);
    assert_true(mm_str_equal(mm_host_fold(found, again), found));
}

static void case_and_a_final_dot_make_no_other_host(void **state)
{
    (void)state;
    assert_folds("web-1", "web-1");
    assert_folds("WEB-1", "web-1");
    assert_folds("web-1.", "web-1");
    assert_folds("Web-1.Example.NET.", "web-1.example.net");
    assert_folds("web_1.example-with-a-long-name.neT", "web_1.example-with-a-long-name.net");
    assert_folds("[", "["); // the neighbors of letters and of the colon
    assert_folds("@;9[`{", "@;9[`{");
    assert_folds("10.0.0.1", "10.0.0.1");
    assert_folds("10.0.0.1.", "10.0.0.1");
    assert_folds(".", ".");
}

static void spellings_of_an_ipv6_address_are_one_host(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"2001:DB8::1", "2001:db8::1"},
        {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
        {"2001:db8:0:0::1", "2001:db8::1"},
        {"2001:db8::0:1", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, // one group of zeros is written
        {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},       // the longest run
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"}, // the first of two
        {"0:0:0:0:0:0:0:0", "::"},
        {"0::1", "::1"},
        {"fe80:0::", "fe80::"},
        {"::ffff:10.0.0.1", "10.0.0.1"},
        {"::FFFF:0a00:1", "10.0.0.1"},
        {"::1.2.3.4", "::102:304"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"web-1:22", "web-1:22"}, // no address
        {"WEB-1:22", "web-1:22"},
        {"2001:db8::1.", "2001:db8::1"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_folds(pairs[i][0], pairs[i][1]);
}

static void a_folded_host_is_not_copied(void **state)
{
    (void)state;
    char buffer[MM_HOST_MAX];
    mm_str_t host = mm_str("web-1.example.net");
    assert_ptr_equal(mm_host_fold(host, buffer).data, host.data);
}

static void every_letter_is_folded_at_every_place(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 24; size++)
        for (size_t at = 0; at < size; at++)
            for (int c = 1; c < 128; c++) {
                char *bytes = malloc(size), buffer[MM_HOST_MAX]; // a look beyond it is found
                assert_non_null(bytes);
                memset(bytes, 'x', size);
                bytes[at] = (char)c;
                mm_str_t folded = mm_host_fold((mm_str_t){bytes, size}, buffer);
                bool is_dropped = c == '.' && at == size - 1 && size > 1;
                char expected = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : (char)c;
                assert_int_equal(folded.size, size - is_dropped);
                assert_true(is_dropped || folded.data[at] == expected);
                free(bytes);
            }
}

static void only_canonical_ipv4_addresses_are_read(void **state)
{
    (void)state;
    static const char *const bad[] = {"",         "1",         "1.2.3",     "1.2.3.",    ".1.2.3",
                                      "1.2.3.4.", "1.2.3.4.5", "01.2.3.4",  "1.2.3.256", "1..2.3",
                                      "1.2.3.4x", "1.2.3.0x4", "1.2.3.1000"};
    uint8_t bytes[4] = {9, 9, 9, 9};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(mm_ipv4_parse(mm_str(bad[i]), bytes));
    assert_int_equal(bytes[0] + bytes[1] + bytes[2] + bytes[3], 36);
    assert_true(mm_ipv4_parse(mm_str("255.0.10.199"), bytes));
    char text[MM_IPV4_TEXT];
    assert_true(mm_str_equal((mm_str_t){text, mm_ipv4_print(bytes, text)}, mm_str("255.0.10.199")));
}

// The C library reads and writes the same addresses. Texts are made of what addresses have, so that
// many are nearly one.
static void ipv6_addresses_are_read_as_the_c_library_does(void **state)
{
    (void)state;
    static const char *const pieces[] = {":", "::", "0", "1", "fFfF", "00ab", "10.0.0.1", "12345"};
    uint64_t seed = 7, good = 0;
    for (int round = 0; round < 300000; round++) {
        char text[128] = "";
        bool is_alternating = mm_random_below(&seed, 4) > 0;
        for (uint64_t i = 0, count = 1 + mm_random_below(&seed, 16); i < count; i++)
            strcat(text, pieces[is_alternating && i % 2 ? mm_random_below(&seed, 8) / 7
                                                        : mm_random_below(&seed, 8)]);
        uint8_t ours[16], theirs[16];
        bool is_ours = mm_ipv6_parse(mm_str(text), ours);
        if (is_ours != (inet_pton(AF_INET6, text, theirs) == 1))
            fail_msg("%s is read as %s address", text, is_ours ? "an" : "no");
        if (!is_ours)
            continue;
        good++;
        assert_memory_equal(ours, theirs, sizeof ours);
        char printed[MM_IPV6_TEXT + 1];
        printed[mm_ipv6_print(ours, printed)] = '\0';
        assert_int_equal(inet_pton(AF_INET6, printed, theirs), 1);
        assert_memory_equal(ours, theirs, sizeof ours);
    }
    assert_true(good > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_and_a_final_dot_make_no_other_host),
        cmocka_unit_test(spellings_of_an_ipv6_address_are_one_host),
        cmocka_unit_test(a_folded_host_is_not_copied),
        cmocka_unit_test(every_letter_is_folded_at_every_place),
        cmocka_unit_test(only_canonical_ipv4_addresses_are_read),
        cmocka_unit_test(ipv6_addresses_are_read_as_the_c_library_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
