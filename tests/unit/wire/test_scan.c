// Tests of what the wire codec does before it decodes: the bounded scan of bytes from outside, and
// the rules for texts.

#include "wire_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Scans a copy in memory of exactly its size, so that a sanitizer sees one byte too many read.
static bool scan(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size + (size == 0));
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, bytes, size);
    bool is_good = mm_wire_scan(copy, size);
    free(copy);
    return is_good;
}

#define SCAN(LITERAL) scan((LITERAL), sizeof(LITERAL) - 1)

static void an_array_of_every_type_but_ext_passes(void **state)
{
    (void)state;
    assert_true(SCAN("\x90"));
    assert_true(SCAN("\x94\x00\x7F\xE0\xFF"));         // fixint
    assert_true(SCAN("\x93\xC0\xC2\xC3"));             // nil, false, true
    assert_true(SCAN("\x92\xCC\x01\xD0\x01"));         // 8 bits
    assert_true(SCAN("\x92\xCD\x01\x02\xD1\x01\x02")); // 16 bits
    assert_true(SCAN("\x93\xCE\x01\x02\x03\x04\xD2\x01\x02\x03\x04\xCA\x01\x02\x03\x04"));
    assert_true(SCAN("\x93\xCF\x01\x02\x03\x04\x05\x06\x07\x08\xD3\x01\x02\x03\x04\x05\x06\x07\x08"
                     "\xCB\x01\x02\x03\x04\x05\x06\x07\x08"));
    assert_true(SCAN("\x92\xA0\xA2-2"));                                           // fixstr
    assert_true(SCAN("\x93\xD9\x01-\xDA\x00\x01-\xDB\x00\x00\x00\x01-"));          // str
    assert_true(SCAN("\x93\xC4\x01-\xC5\x00\x01-\xC6\x00\x00\x00\x01-"));          // bin
    assert_true(SCAN("\xDC\x00\x01\xDD\x00\x00\x00\x01\x91\x00"));                 // arrays
    assert_true(SCAN("\x91\x81\x00\xDE\x00\x01\x00\xDF\x00\x00\x00\x01\x00\x80")); // maps
}

static void what_is_no_array_is_refused(void **state)
{
    (void)state;
    for (unsigned head = 0; head < 256; head++) {
        uint8_t bytes[40] = {(uint8_t)head};
        bool is_array = (head & 0xF0) == 0x90 || head == 0xDC || head == 0xDD;
        bool is_complete = false;
        for (size_t size = 1; size <= sizeof bytes; size++)
            is_complete |= scan(bytes, size);
        assert_int_equal(is_complete, is_array);
    }
    assert_false(scan("", 0));
}

static void ext_types_and_the_unused_byte_are_refused(void **state)
{
    (void)state;
    static const uint8_t heads[] = {0xC1, 0xC7, 0xC8, 0xC9, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8};
    for (size_t i = 0; i < sizeof heads; i++) {
        uint8_t bytes[40] = {0x91, heads[i]};
        for (size_t size = 2; size <= sizeof bytes; size++)
            assert_false(scan(bytes, size));
    }
}

static void bytes_behind_the_array_are_refused(void **state)
{
    (void)state;
    assert_true(SCAN("\x92\x01\x90"));
    assert_false(SCAN("\x92\x01\x90\x00"));
    assert_false(SCAN("\x90\x90"));
}

static void declared_sizes_beyond_the_bytes_are_refused(void **state)
{
    (void)state;
    assert_false(SCAN("\xDD\xFF\xFF\xFF\xFF")); // array 32
    assert_false(SCAN("\xDC\xFF\xFF"));         // array 16
    assert_false(SCAN("\x91\xDD\xFF\xFF\xFF\xFF"));
    assert_false(SCAN("\x91\xDF\xFF\xFF\xFF\xFF")); // map 32
    assert_false(SCAN("\x91\xDF\x80\x00\x00\x00")); // twice that is 0 in 32 bits
    assert_false(SCAN("\x91\xDE\xFF\xFF"));         // map 16
    assert_false(SCAN("\x91\xDB\xFF\xFF\xFF\xFF")); // str 32
    assert_false(SCAN("\x91\xDA\xFF\xFF"));         // str 16
    assert_false(SCAN("\x91\xC6\xFF\xFF\xFF\xFF")); // bin 32
    assert_false(SCAN("\x91\xC6\x7F\xFF\xFF\xFF----"));
    assert_false(SCAN("\x91\xD9\x03--")); // one byte short
    assert_false(SCAN("\x91\xA3--"));
    assert_false(SCAN("\x92\x82\x00\x00\x00")); // a map with half a pair
}

static void heads_without_their_size_are_refused(void **state)
{
    (void)state;
    static const uint8_t heads[] = {0xC4, 0xC5, 0xC6, 0xCA, 0xCB, 0xCC, 0xCD, 0xCE, 0xCF, 0xD0,
                                    0xD1, 0xD2, 0xD3, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF};
    for (size_t i = 0; i < sizeof heads; i++) {
        uint8_t bytes[2] = {0x91, heads[i]};
        assert_false(scan(bytes, sizeof bytes));
    }
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    assert_true(SCAN("\x91\x91\x91\x91\x91\x91\x00")); // 6 deep
    assert_true(SCAN("\x91\x91\x91\x91\x91\x90"));
    assert_false(SCAN("\x91\x91\x91\x91\x91\x91\x91\x00"));
    assert_false(SCAN("\x91\x91\x91\x91\x91\x91\x90"));
    assert_false(SCAN("\x91\x91\x91\x91\x91\x91\x80"));
    assert_true(SCAN("\x91\x81\x00\x81\x00\x81\x00\x81\x00\x81\x00\x00"));
    assert_false(SCAN("\x91\x81\x00\x81\x00\x81\x00\x81\x00\x81\x00\x81\x00\x00"));
    static uint8_t deep[100000];
    memset(deep, 0x91, sizeof deep);
    assert_false(scan(deep, sizeof deep));
    // Wide is not deep: each level is closed again.
    assert_true(SCAN("\x98\x90\x90\x91\x90\x90\x90\x91\x90\x90\x90"));
}

static void elements_are_bounded(void **state)
{
    (void)state;
    static uint8_t bytes[MM_WIRE_ELEMENTS_MAX + 4] = {0xDC};
    size_t count = MM_WIRE_ELEMENTS_MAX - 1; // and the array itself
    bytes[1] = (uint8_t)(count >> 8);
    bytes[2] = (uint8_t)count;
    assert_true(scan(bytes, 3 + count));
    count++;
    bytes[1] = (uint8_t)(count >> 8);
    bytes[2] = (uint8_t)count;
    assert_false(scan(bytes, 3 + count));
}

static void elements_of_maps_count_twice(void **state)
{
    (void)state;
    static uint8_t bytes[MM_WIRE_ELEMENTS_MAX + 8] = {0x91, 0xDE};
    size_t pairs = (MM_WIRE_ELEMENTS_MAX - 2) / 2;
    bytes[2] = (uint8_t)(pairs >> 8);
    bytes[3] = (uint8_t)pairs;
    assert_true(scan(bytes, 4 + 2 * pairs));
    pairs++;
    bytes[2] = (uint8_t)(pairs >> 8);
    bytes[3] = (uint8_t)pairs;
    assert_false(scan(bytes, 4 + 2 * pairs));
}

static void size_is_bounded(void **state)
{
    (void)state;
    static uint8_t bytes[MM_FRAME_BYTES + 1] = {0x91, 0xC6};
    for (size_t size = MM_FRAME_BYTES; size <= MM_FRAME_BYTES + 1; size++) {
        size_t payload = size - 6;
        for (size_t i = 0; i < 4; i++)
            bytes[2 + i] = (uint8_t)(payload >> (24 - 8 * i));
        assert_int_equal(scan(bytes, size), size == MM_FRAME_BYTES);
    }
}

// ---- texts

static void a_suffix_is_a_task_socket_or_a_port(void **state)
{
    (void)state;
    static const char *const good[] = {"task.0123456789abcdef", "1", "65535", "49152"};
    static const char *const bad[] = {"",
                                      "0",
                                      "01",
                                      "65536",
                                      "99999",
                                      "123456",
                                      "-1",
                                      " 1",
                                      "task.0123456789abcde",
                                      "task.",
                                      "../task",
                                      "a",
                                      "task.0123456789ABCDEF",
                                      "task.0123456789abcdef0",
                                      "task.0123456789abcde/",
                                      "Task.0123456789abcdef"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(mm_wire_is_suffix(mm_str(good[i]), 1, MM_SUFFIX_MAX));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(mm_wire_is_suffix(mm_str(bad[i]), 1, MM_SUFFIX_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_of_every_type_but_ext_passes),
        cmocka_unit_test(what_is_no_array_is_refused),
        cmocka_unit_test(ext_types_and_the_unused_byte_are_refused),
        cmocka_unit_test(bytes_behind_the_array_are_refused),
        cmocka_unit_test(declared_sizes_beyond_the_bytes_are_refused),
        cmocka_unit_test(heads_without_their_size_are_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(elements_are_bounded),
        cmocka_unit_test(elements_of_maps_count_twice),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(a_suffix_is_a_task_socket_or_a_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
