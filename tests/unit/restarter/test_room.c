// How many commands there are at a time on a machine that cannot start them all.

#include "room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void as_many_stay_as_run_when_starts_fail(void **state)
{
    (void)state;
    room_t room = room_new(64);
    for (uint32_t running = 63; running >= 20; running--)
        assert_int_equal(room_failed(&room, running, 1000), ROOM_PAUSE_LOW_MS);
    assert_int_equal(room.slots, 20);
    (void)room_failed(&room, 40, 1000); // some have ended meanwhile
    assert_int_equal(room.slots, 20);
}

static void one_slot_stays(void **state)
{
    (void)state;
    room_t room = room_new(4);
    (void)room_failed(&room, 0, 1000);
    assert_int_equal(room.slots, 1);
    room = room_new(1);
    (void)room_failed(&room, 0, 1000);
    assert_int_equal(room.slots, 1);
    assert_true(room.raise_ms == INT64_MAX); // all are there
}

static void pauses_double_while_nothing_can_be_started(void **state)
{
    (void)state;
    room_t room = room_new(8);
    const int64_t pauses[] = {250, 500, 1000, 2000, 4000, 5000, 5000};
    int64_t now_ms = 1000;
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        assert_int_equal(room_failed(&room, 3, now_ms), pauses[i]);
        assert_int_equal(room_failed(&room, 2, now_ms + 100), pauses[i] - 100); // the same pause
        now_ms += pauses[i];
    }
    room_started(&room);
    assert_int_equal(room_failed(&room, 3, now_ms), 250);
}

static void slots_come_back_by_and_by(void **state)
{
    (void)state;
    room_t room = room_new(20);
    assert_false(room_raise(&room, INT64_MAX - 1));
    (void)room_failed(&room, 3, 1000);
    assert_false(room_raise(&room, 10999));
    assert_int_equal(room.slots, 3);
    assert_true(room_raise(&room, 11000));
    assert_int_equal(room.slots, 6);
    assert_false(room_raise(&room, 20999));
    assert_true(room_raise(&room, 21000));
    assert_true(room_raise(&room, 31000));
    assert_int_equal(room.slots, 20);
    assert_true(room.raise_ms == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_stay_as_run_when_starts_fail),
        cmocka_unit_test(one_slot_stays),
        cmocka_unit_test(pauses_double_while_nothing_can_be_started),
        cmocka_unit_test(slots_come_back_by_and_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
