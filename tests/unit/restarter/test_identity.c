// What identify prints: only the three lines are an identity, everything else is unknown.

#include "identity.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MACHINE "0123456789abcdef0123456789abcdef\n"
#define BOOT    "01234567-89ab-cdef-0123-456789abcdef\n"
#define UPTIME  "1234.56 2345.67\n"

static bool parses(const char *text, identity_t *identity)
{
    return identity_parse(mm_str(text), identity);
}

static void three_lines_are_an_identity(void **state)
{
    (void)state;
    identity_t identity, other;
    assert_true(parses(MACHINE BOOT UPTIME, &identity));
    assert_int_equal(identity.machine[0], 0x01);
    assert_int_equal(identity.machine[15], 0xef);
    assert_int_equal(identity.boot[7], 0xef);
    assert_true(identity.uptime_ms == 1234560);
    assert_true(parses(MACHINE BOOT, &other));
    assert_true(other.uptime_ms == IDENTITY_UPTIME_NONE);
    assert_true(identity_is_same(&identity, &other));
    assert_true(parses(MACHINE BOOT "0.00 0.00\n", &identity));
    assert_true(identity.uptime_ms == 0);
}

static void rubbish_is_unknown(void **state)
{
    (void)state;
    static const char *const rubbish[] = {
        "",
        "\n",
        "cat: /etc/machine-id: No such file or directory\n",
        "Warning: Permanently added 'web-1' (ED25519) to the list of known hosts.\n" MACHINE BOOT
            UPTIME,
        MACHINE "\n" BOOT UPTIME,
        MACHINE,
        BOOT UPTIME,
        BOOT MACHINE UPTIME,
        "0123456789ABCDEF0123456789abcdef\n" BOOT UPTIME,
        "0123456789abcdef0123456789abcde\n" BOOT UPTIME,
        "0123456789abcdef0123456789abcdef0\n" BOOT UPTIME,
        "00000000000000000000000000000000\n" BOOT UPTIME,
        "0123456789abcdef0123456789abcdef\r\n" BOOT UPTIME,
        " 0123456789abcdef0123456789abcdef\n" BOOT UPTIME,
        MACHINE "0123456789abcdef0123456789abcdef\n" UPTIME,
        MACHINE "01234567-89ab-cdef-0123-456789abcde-\n" UPTIME,
        MACHINE "0123456789ab-cdef-0123-456789abcdef-\n" UPTIME,
        MACHINE "01234567-89ab-cdef-0123-456789abcdef" /* cut off */,
        MACHINE BOOT "1234.56 2345.67" /* cut off */,
        MACHINE BOOT "1234.56\n",
        MACHINE BOOT "1234 2345\n",
        MACHINE BOOT "1234.5 2345.67\n",
        MACHINE BOOT "-1.00 2345.67\n",
        MACHINE BOOT "1e3.00 1.00\n",
        MACHINE BOOT "123456789012345.00 1.00\n",
        MACHINE BOOT ".00 1.00\n",
        MACHINE BOOT UPTIME "\n",
        MACHINE BOOT UPTIME MACHINE BOOT UPTIME,
        MACHINE BOOT UPTIME "bye\n",
        "<html><body>401 Unauthorized</body></html>\n",
        "uninitialized\n" BOOT UPTIME,
    };
    identity_t identity;
    memset(&identity, 7, sizeof identity);
    for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
        if (parses(rubbish[i], &identity))
            fail_msg("it was taken for an identity: %s", rubbish[i]);
        assert_int_equal(identity.machine[3], 7);
    }
    assert_false(identity_parse((mm_str_t){MACHINE BOOT "\0", sizeof MACHINE BOOT}, &identity));
    static char megabyte[1 << 20];
    memset(megabyte, 'a', sizeof megabyte);
    memcpy(megabyte, MACHINE BOOT, strlen(MACHINE BOOT));
    assert_false(identity_parse((mm_str_t){megabyte, sizeof megabyte}, &identity));
}

// Each part of a whole output, and each output with one byte changed to one that no id has.
static void no_part_of_an_identity_is_another_one(void **state)
{
    (void)state;
    const char whole[] = MACHINE BOOT UPTIME;
    char text[sizeof whole];
    identity_t identity, read;
    assert_true(parses(whole, &identity));
    for (size_t size = 0; size < sizeof whole - 1; size++)
        for (size_t start = 0; start + size < sizeof whole; start++)
            if (identity_parse((mm_str_t){whole + start, size}, &read)) {
                assert_int_equal(start, 0);
                assert_int_equal(size, strlen(MACHINE BOOT));
                assert_true(identity_is_same(&identity, &read));
            }
    uint64_t seed = 1;
    for (int i = 0; i < 12000; i++) {
        memcpy(text, whole, sizeof whole);
        size_t place = (size_t)mm_random_below(&seed, sizeof whole - 1);
        char byte = (char)mm_random_below(&seed, 256);
        bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
        if (byte == text[place] || is_plain)
            continue;
        text[place] = byte;
        assert_false(identity_parse((mm_str_t){text, sizeof whole - 1}, &read));
    }
}

static void a_later_boot_of_the_same_machine_is_new(void **state)
{
    (void)state;
    identity_t before, read;
    assert_true(parses(MACHINE BOOT "500.00 1.00\n", &before));
    // Begun at 100 s; now it is 130 s.
    assert_true(parses(MACHINE "11234567-89ab-cdef-0123-456789abcdef\n10.00 1.00\n", &read));
    assert_int_equal(identity_change(&before, &read, 100000, 130000), IDENTITY_NEW);
    // Its boot is older than that: somebody else's restart.
    read.uptime_ms = 30000;
    assert_int_equal(identity_change(&before, &read, 100000, 130000), IDENTITY_OLD);
    read.uptime_ms = 29999;
    assert_int_equal(identity_change(&before, &read, 100000, 130000), IDENTITY_NEW);
    read.uptime_ms = IDENTITY_UPTIME_NONE;
    assert_int_equal(identity_change(&before, &read, 100000, 130000), IDENTITY_NEW);
    read = before;
    assert_int_equal(identity_change(&before, &read, 100000, 130000), IDENTITY_OLD);
    read.machine[5] ^= 1;
    assert_int_equal(identity_change(&before, &read, 100000, 130000), IDENTITY_OTHER);
}

static void beside_nobody_only_an_uptime_tells_a_new_boot(void **state)
{
    (void)state;
    identity_t before = identity_nobody(), read = {.machine = {1}, .boot = {2}, .uptime_ms = 29999};
    assert_true(identity_is_nobody(&before));
    assert_false(identity_is_nobody(&read));
    assert_int_equal(identity_change(&before, &read, 100000, 130000), IDENTITY_NEW);
    read.uptime_ms = 30000;
    assert_int_equal(identity_change(&before, &read, 100000, 130000), IDENTITY_OLD);
    read.uptime_ms = IDENTITY_UPTIME_NONE;
    assert_int_equal(identity_change(&before, &read, 100000, 130000), IDENTITY_UNKNOWN);
}

static void no_host_can_say_that_it_is_nobody(void **state)
{
    (void)state;
    identity_t identity;
    assert_false(identity_parse(mm_str("00000000000000000000000000000001\n"
                                       "ffffffff-ffff-ffff-ffff-ffffffffffff\n1.00 1.00\n"),
                                &identity));
    assert_true(identity_parse(mm_str("00000000000000000000000000000001\n"
                                      "ffffffff-ffff-ffff-ffff-fffffffffffe\n1.00 1.00\n"),
                               &identity));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_lines_are_an_identity),
        cmocka_unit_test(rubbish_is_unknown),
        cmocka_unit_test(no_part_of_an_identity_is_another_one),
        cmocka_unit_test(a_later_boot_of_the_same_machine_is_new),
        cmocka_unit_test(beside_nobody_only_an_uptime_tells_a_new_boot),
        cmocka_unit_test(no_host_can_say_that_it_is_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
