// Who gets no task though it has free slots, and who is given up though it is heard: a pause, a
// consumer that stood still, another driver (docs/protocol.md, P9.47, P9.48; R1).

#include "workers_play.h"

// ---- pauses

static void pauses(const char *name, int64_t pause_ms)
{
    workers_pause(workers, the(name), now_ms, pause_ms);
}

static void who_pauses_gets_nothing_until_its_end(void **state)
{
    (void)state;
    joins("r1");
    pauses("r1", 500);
    assert_string_equal(picked(MM_ROLE_RESTARTER), "");
    assert_int_equal(workers_deadline(workers), now_ms + 500);
    now_ms += 499;
    check();
    assert_string_equal(picked(MM_ROLE_RESTARTER), "");
    now_ms += 1;
    check();
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r1");
    then("");
    assert_int_equal(workers_deadline(workers), now_ms - 500 + LOST_AFTER); // no pause is left
}

static void others_go_on(void **state)
{
    (void)state;
    joins("r1");
    joins("r2");
    pauses("r1", 500);
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r2");
    pauses("r2", 200);
    assert_int_equal(workers_deadline(workers), now_ms + 200);
    now_ms += 200;
    check();
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r2");
    assert_int_equal(workers_deadline(workers), now_ms + 300);
}

static void a_pause_lasts_a_minute_at_most(void **state)
{
    (void)state;
    joins("r1");
    pauses("r1", INT64_MAX);
    for (int i = 0; i < 60; i++) {
        assert_string_equal(picked(MM_ROLE_RESTARTER), "");
        now_ms += 1000;
        heartbeat("r1", 11);
        check();
    }
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r1");
}

static void a_report_ends_no_pause(void **state)
{
    (void)state;
    joins("r1");
    pauses("r1", 500);
    says.slots = 8;
    heartbeat("r1", 11);
    assert_string_equal(picked(MM_ROLE_RESTARTER), "");
}

// It was never over: nobody ended a pause that ran out while its worker was lost.
static void a_pause_ends_for_one_that_was_lost_meanwhile(void **state)
{
    (void)state;
    joins("r1");
    pauses("r1", LOST_AFTER + 100);
    now_ms += LOST_AFTER;
    check();
    then("loss r1; close 11");
    now_ms += 200;
    check();
    hello("r1", 11);
    then("open 12; welcome r1 12");
    check();
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r1");
}

static void who_pauses_is_nobodys_own(void **state)
{
    (void)state;
    joins("r1");
    assert_ptr_equal(picked_alone(), the("r1"));
    pauses("r1", 500);
    assert_null(picked_alone());
    joins("r2");
    assert_ptr_equal(picked_alone(), the("r2"));
}

// ---- a consumer that stood still

static void who_is_forgiven_has_lost_after_from_then_on(void **state)
{
    (void)state;
    joins("r1");
    now_ms += 10000;
    workers_forgive(workers, now_ms);
    check();
    then("");
    assert_int_equal(workers_deadline(workers), now_ms + LOST_AFTER);
    now_ms += LOST_AFTER;
    check();
    then("loss r1; close 11");
}

static void the_lost_are_not_forgiven(void **state)
{
    (void)state;
    r1_is_lost();
    workers_forgive(workers, now_ms);
    check();
    then("");
    assert_string_equal(picked(MM_ROLE_RESTARTER), "");
}

// ---- the driver

static void joins_with(const char *name, const char *driver)
{
    says.driver = driver;
    joins(name);
}

static void the_first_restarter_decides_the_driver(void **state)
{
    (void)state;
    joins_with("r1", "ssh-1");
    says.driver = "ssh-2";
    hello("r2", 0);
    then("refused r2: its driver is ssh-2, that of the run is ssh-1");
    hello("r3", 0);
    then("refused r3: its driver is mock, that of the run is ssh-1");
    assert_string_equal(the("r1")->driver.text, "ssh-1");
}

static void after_a_mock_no_other_driver_joins(void **state)
{
    (void)state;
    joins("r1");
    says.driver = "ssh-1";
    hello("r2", 0);
    then("refused r2: its driver is ssh-1, that of the run is mock");
}

static void savers_have_no_driver(void **state)
{
    (void)state;
    joins_with("r1", "ssh-1");
    says.role = MM_ROLE_SAVER;
    joins("s1");
    assert_int_equal(the("s1")->verbs, 0);
    assert_true(workers_set_driver(workers, mm_str("ssh-2")));
    assert_string_equal(picked(MM_ROLE_SAVER), "s1"); // only r1 was given up
    assert_string_equal(picked(MM_ROLE_RESTARTER), "");
}

static void whoever_names_a_driver_is_no_mock(void **state)
{
    (void)state;
    joins_with("r1", "ssh-1"); // its verbs are not said
    assert_int_equal(the("r1")->verbs, MM_VERB_REAL);
}

static void the_driver_of_a_run_gives_up_those_of_another(void **state)
{
    (void)state;
    joins_with("r1", "ssh-1");
    joins_with("r2", "ssh-1");
    hands_out("r1");
    assert_true(workers_set_driver(workers, mm_str("ipmi-1")));
    check();
    then("loss r1 (the run has another driver); 101 lost; close 11; "
         "loss r2 (the run has another driver); close 12");
    hello("r1", 11);
    then("refused r1: its driver is mock, that of the run is ipmi-1");
    joins_with("r3", "ipmi-1");
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r3");
}

static void the_driver_of_a_run_keeps_its_own(void **state)
{
    (void)state;
    joins_with("r1", "ssh-1");
    assert_true(workers_set_driver(workers, mm_str("ssh-1")));
    check();
    then("");
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r1");
}

static void the_mock_has_two_names(void **state)
{
    (void)state;
    joins("r1");
    assert_true(workers_set_driver(workers, mm_str("mock")));
    check();
    then("");
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r1");
    assert_true(workers_set_driver(workers, mm_str("")));
}

static void the_first_run_decides(void **state)
{
    (void)state;
    assert_true(workers_set_driver(workers, mm_str("ssh-1")));
    assert_true(workers_set_driver(workers, mm_str("ssh-1")));
    assert_false(workers_set_driver(workers, mm_str("ssh-2")));
    assert_false(workers_set_driver(workers, mm_str("mock")));
    joins_with("r1", "ssh-1");
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r1");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_workers, end_workers)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_pauses_gets_nothing_until_its_end),
        TEST(others_go_on),
        TEST(a_pause_lasts_a_minute_at_most),
        TEST(a_report_ends_no_pause),
        TEST(a_pause_ends_for_one_that_was_lost_meanwhile),
        TEST(who_pauses_is_nobodys_own),
        TEST(who_is_forgiven_has_lost_after_from_then_on),
        TEST(the_lost_are_not_forgiven),
        TEST(the_first_restarter_decides_the_driver),
        TEST(after_a_mock_no_other_driver_joins),
        TEST(savers_have_no_driver),
        TEST(whoever_names_a_driver_is_no_mock),
        TEST(the_driver_of_a_run_gives_up_those_of_another),
        TEST(the_driver_of_a_run_keeps_its_own),
        TEST(the_mock_has_two_names),
        TEST(the_first_run_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
