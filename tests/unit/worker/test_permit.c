// What permits commands, and for how long: permit.h alone, and in a worker's session.

#include "permit.h"
#include "worker_play.h"

enum { NOW = 100000 };

static mm_permit_t permit;
static mm_acknowledgement_t item;

static int set_up_permit(void **state)
{
    (void)state;
    permit = (mm_permit_t){0};
    item = (mm_acknowledgement_t){.worker = mm_str("r1"), .session = 7, .stamp_ms = NOW - 300};
    mm_permit_open(&permit, LIFE, 7);
    return 0;
}

static int64_t hears_of(uint64_t epoch, bool halted)
{
    mm_permit_hear(&permit,
                   &(mm_beat_body_t){.epoch = epoch, .halted = halted, .items = &item, .count = 1},
                   mm_str("r1"), NOW, LOST_AFTER);
    return permit.until_ms;
}

static void a_beat_permits_for_lost_after_from_the_stamp_that_it_echoes(void **state)
{
    (void)state;
    assert_int_equal(permit.until_ms, 0);
    assert_int_equal(hears_of(LIFE, false), NOW - 300 + LOST_AFTER);
    item.stamp_ms = NOW - LOST_AFTER - 1; // an old one permits nothing now
    assert_true(hears_of(LIFE, false) < NOW);
}

static void a_halted_beat_takes_it_back_and_the_next_one_gives_it_again(void **state)
{
    (void)state;
    assert_true(hears_of(LIFE, false) > NOW);
    assert_int_equal(hears_of(LIFE, true), 0);
    assert_true(hears_of(LIFE, false) > NOW);
    mm_permit_hear(&permit, &(mm_beat_body_t){.epoch = LIFE, .halted = true}, mm_str("r1"), NOW,
                   LOST_AFTER); // also one that names nobody
    assert_int_equal(permit.until_ms, 0);
}

static void a_beat_of_another_consumer_says_nothing(void **state)
{
    (void)state;
    assert_int_equal(hears_of(LIFE - 1, false), 0);
    assert_int_equal(hears_of(LIFE + 1, false), 0);
    assert_true(hears_of(LIFE, false) > NOW);
    assert_true(hears_of(LIFE - 1, true) > NOW); // a former one halts nobody either
}

static void only_what_this_worker_has_said_in_this_session_is_a_stamp(void **state)
{
    (void)state;
    item.session = 6;
    assert_int_equal(hears_of(LIFE, false), 0);
    item.session = 7;
    item.worker = mm_str("r2");
    assert_int_equal(hears_of(LIFE, false), 0);
    item.worker = mm_str("r1");
    item.stamp_ms = 0;
    assert_int_equal(hears_of(LIFE, false), 0);
    item.stamp_ms = NOW + 1; // one from the future is not its own
    assert_int_equal(hears_of(LIFE, false), 0);
    item.stamp_ms = NOW;
    assert_int_equal(hears_of(LIFE, false), NOW + LOST_AFTER);
}

static void without_a_session_there_is_none(void **state)
{
    (void)state;
    assert_true(hears_of(LIFE, false) > NOW);
    mm_permit_close(&permit);
    assert_int_equal(permit.until_ms, 0);
    assert_int_equal(hears_of(LIFE, false), 0);
    assert_int_equal(hears_of(0, false), 0);
    mm_permit_open(&permit, LIFE, 7);
    assert_int_equal(permit.until_ms, 0); // a new one has permitted nothing yet
}

// ---- in a worker's session

static int new_real_restarter(void **state)
{
    (void)state;
    new_restarter_of("ssh-1", MM_VERB_REAL);
    return 0;
}

// A beat of the consumer that echoes this stamp to session 7.
static void hears_beat_with(uint64_t epoch, bool halted, int64_t stamp_ms)
{
    mm_acknowledgement_t echo = {.worker = mm_str("r1"), .session = 7, .stamp_ms = stamp_ms};
    hears(&(mm_frame_t){.kind = MM_FRAME_BEAT,
                        .as.beat = {.epoch = epoch, .halted = halted, .items = &echo, .count = 1}});
}

static void a_worker_that_has_joined_is_permitted_by_the_next_beat(void **state)
{
    (void)state;
    joins(7);
    assert_int_equal(mm_worker_permit(worker), 0);
    hears_beat_with(LIFE, false, boot_ms() - 10);
    assert_int_equal(mm_worker_permit(worker), boot_ms() - 10 + LOST_AFTER);
    suspended_ms += LOST_AFTER; // the time in suspend counts
    assert_true(mm_worker_permit(worker) <= boot_ms());
    hears_beat_with(LIFE, true, boot_ms());
    assert_int_equal(mm_worker_permit(worker), 0);
}

static void another_consumer_or_none_ends_it(void **state)
{
    (void)state;
    joins(7);
    hears_beat_with(LIFE, false, boot_ms());
    assert_true(mm_worker_permit(worker) > boot_ms());
    hears_rejoin();
    assert_int_equal(mm_worker_permit(worker), 0);
    joins(8);
    hears_beat_with(LIFE, false, boot_ms()); // of session 7
    assert_int_equal(mm_worker_permit(worker), 0);
}

static void a_later_consumer_ends_it_at_once(void **state)
{
    (void)state;
    joins(7);
    hears_beat_with(LIFE, false, boot_ms());
    assert_true(mm_worker_permit(worker) > boot_ms());
    hears_beat_with(LIFE + 1, false, boot_ms());
    assert_int_equal(mm_worker_permit(worker), 0);
}

static void the_mock_needs_none(void **state)
{
    (void)new_restarter(state);
    joins(7);
    hears_beat_with(LIFE, false, boot_ms());
    assert_int_equal(mm_worker_permit(worker), 0);
}

#define PERMIT_TEST(NAME)  cmocka_unit_test_setup(NAME, set_up_permit)
#define SESSION_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_real_restarter, end_worker)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PERMIT_TEST(a_beat_permits_for_lost_after_from_the_stamp_that_it_echoes),
        PERMIT_TEST(a_halted_beat_takes_it_back_and_the_next_one_gives_it_again),
        PERMIT_TEST(a_beat_of_another_consumer_says_nothing),
        PERMIT_TEST(only_what_this_worker_has_said_in_this_session_is_a_stamp),
        PERMIT_TEST(without_a_session_there_is_none),
        SESSION_TEST(a_worker_that_has_joined_is_permitted_by_the_next_beat),
        SESSION_TEST(another_consumer_or_none_ends_it),
        SESSION_TEST(a_later_consumer_ends_it_at_once),
        SESSION_TEST(the_mock_needs_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
