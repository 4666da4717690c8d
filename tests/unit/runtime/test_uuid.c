// Tests of common/runtime/uuid_source.c and common/runtime/clock.c.

#include "clock.h"
#include "uuid.h"
#include "uuid_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define NOW INT64_C(1795332314123)

static int open_source(void **state)
{
    *state = mm_id_source_new();
    return 0;
}

static int close_source(void **state)
{
    mm_id_source_destroy((mm_id_source_t **)state);
    assert_null(*state);
    return 0;
}

static void an_id_carries_time_version_and_variant(void **state)
{
    for (int i = 0; i < 1000; i++) {
        mm_id_t id;
        mm_id_next(*state, NOW + i, &id);
        assert_int_equal(mm_id_wall_ms(&id), NOW + i);
        assert_int_equal(id.bytes[6] >> 4, 7);
        assert_int_equal(id.bytes[8] >> 6, 2);
    }
}

static void ids_grow_when_many_are_drawn_in_one_millisecond(void **state)
{
    mm_id_t before, id;
    mm_id_next(*state, NOW, &before);
    for (int i = 0; i < 20000; i++) {
        mm_id_next(*state, NOW, &id);
        assert_true(mm_id_compare(&id, &before) > 0);
        before = id;
    }
    // 4096 to a millisecond: the ids are four milliseconds ahead of the clock, no more.
    assert_int_equal(mm_id_wall_ms(&id), NOW + 4);
}

static void ids_grow_when_the_wall_clock_steps_back(void **state)
{
    mm_id_t before, id;
    mm_id_next(*state, NOW, &before);
    for (int i = 0; i < 5000; i++) {
        mm_id_next(*state, NOW - i * 1000, &id);
        assert_true(mm_id_compare(&id, &before) > 0);
        before = id;
    }
    mm_id_next(*state, NOW + 1000, &id);
    assert_true(mm_id_compare(&id, &before) > 0);
    assert_int_equal(mm_id_wall_ms(&id), NOW + 1000);
}

static void the_ends_of_the_time_range_are_kept(void **state)
{
    mm_id_t first, last;
    mm_id_next(*state, 0, &first);
    assert_int_equal(mm_id_wall_ms(&first), 0);
    mm_id_next(*state, (INT64_C(1) << 48) - 1, &last);
    assert_int_equal(mm_id_wall_ms(&last), (INT64_C(1) << 48) - 1);
    assert_int_equal(last.bytes[6] >> 4, 7);
    assert_true(mm_id_compare(&last, &first) > 0);
}

static void two_sources_never_draw_the_same_id(void **state)
{
    mm_id_source_t *other = mm_id_source_new();
    for (int i = 0; i < 10000; i++) {
        mm_id_t a, b;
        mm_id_next(*state, NOW, &a);
        mm_id_next(other, NOW, &b);
        assert_false(mm_id_equal(&a, &b));
        assert_memory_equal(&a, &b, 8);
    }
    mm_id_source_destroy(&other);
}

// Every random bit must be set in about half of the ids.
static void the_random_bits_are_random(void **state)
{
    enum { IDS = 4000 };
    int set[62] = {0};
    for (int i = 0; i < IDS; i++) {
        mm_id_t id;
        mm_id_next(*state, NOW, &id);
        for (int bit = 0; bit < 62; bit++)
            set[bit] += id.bytes[15 - bit / 8] >> (bit % 8) & 1;
    }
    // Ten standard deviations: never by chance.
    for (int bit = 0; bit < 62; bit++)
        assert_in_range(set[bit], IDS / 2 - 320, IDS / 2 + 320);
}

static void nonces_differ_and_are_not_zero(void **state)
{
    (void)state;
    uint64_t before = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t instance = mm_instance_draw();
        assert_true(instance != 0);
        assert_true(instance != before);
        before = instance;
    }
}

static void the_clocks_agree_with_the_system(void **state)
{
    (void)state;
    int64_t seconds = (int64_t)time(NULL);
    int64_t wall_ms = mm_clock_wall_ms();
    assert_in_range(wall_ms / 1000, seconds - 1, seconds + 60);
    int64_t us = mm_clock_us();
    int64_t ms = mm_clock_ms();
    assert_in_range(ms, us / 1000, us / 1000 + 60000);
    // Time since boot counts suspends too; two reads may fall on either side of a millisecond.
    struct timespec boot;
    assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &boot), 0);
    assert_in_range(boot.tv_sec * 1000 + boot.tv_nsec / 1000000, ms, ms + 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_id_carries_time_version_and_variant, open_source,
                                        close_source),
        cmocka_unit_test_setup_teardown(ids_grow_when_many_are_drawn_in_one_millisecond,
                                        open_source, close_source),
        cmocka_unit_test_setup_teardown(ids_grow_when_the_wall_clock_steps_back, open_source,
                                        close_source),
        cmocka_unit_test_setup_teardown(the_ends_of_the_time_range_are_kept, open_source,
                                        close_source),
        cmocka_unit_test_setup_teardown(two_sources_never_draw_the_same_id, open_source,
                                        close_source),
        cmocka_unit_test_setup_teardown(the_random_bits_are_random, open_source, close_source),
        cmocka_unit_test(nonces_differ_and_are_not_zero),
        cmocka_unit_test(the_clocks_agree_with_the_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
