// When a task may act on its host: with a permit, and only as long as that holds (G10).

#include "restart_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    (void)restart_set_up(state);
    config.commands = 3;
    return 0;
}

// Nothing is permitted.
static void begin_without(void)
{
    begin_task();
    restart_permit(&restart, 0);
}

// The step's time has come, and it does not begin.
static void waits(restart_what_t what)
{
    restart_step_t step;
    assert_true(restart_next(&restart, &step));
    assert_int_equal(step.what, what);
    assert_true(step.at_ms <= now_ms);
    assert_false(restart_run(&restart, now_ms));
    assert_string_equal(restart_doing(&restart), "permit");
    assert_true(restart_next(&restart, &step));
    assert_true(step.at_ms > now_ms);
}

// Until it is too late to wait for a permit.
static void waits_in_vain(void)
{
    restart_step_t step;
    int64_t since_ms = now_ms;
    assert_true(restart_next(&restart, &step));
    now_ms = step.at_ms;
    assert_true(now_ms <= since_ms + LOST_AFTER);
    assert_false(restart_run(&restart, now_ms));
    assert_true(restart.is_refused);
}

static void is_done(mm_status_t status, bool owes)
{
    mm_result_t filled = task_result();
    assert_int_equal(filled.status, status);
    assert_string_equal(mm_end_name(filled.real->end), mm_end_name(MM_END_NOT_STARTED));
    assert_false(filled.real->sent);
    assert_int_equal(filled.real->owes, owes);
}

static void a_look_needs_no_permit(void **state)
{
    (void)state;
    begin_without();
    identifies_old(); // nor does the read before a command
    real.command = 0;
    begin_without();
    settles(2);
    assert_int_equal(task_result().status, MM_STATUS_OK);
    task.leg = MM_LEG_PROBE;
    begin_without();
    identifies_old();
    assert_int_equal(task_result().status, MM_STATUS_OK);
}

static void without_a_permit_the_first_command_is_returned(void **state)
{
    (void)state;
    begin_without();
    identifies_old();
    waits(RESTART_COMMAND);
    waits_in_vain();
    is_done(MM_STATUS_RETURNED, false);
}

static void a_permit_in_time_lets_it_go(void **state)
{
    (void)state;
    restart_step_t step;
    begin_without();
    identifies_old();
    int64_t read_ms = now_ms;
    waits(RESTART_COMMAND);
    now_ms += 500;
    restart_permit(&restart, now_ms); // over already
    waits(RESTART_COMMAND);
    restart_permit(&restart, now_ms + 700);
    assert_true(restart_next(&restart, &step));
    assert_true(step.at_ms <= now_ms);
    assert_int_equal(step.not_after_ms, now_ms + 699); // the permit's end comes first
    restart_permit(&restart, now_ms + LOST_AFTER);
    step = runs(RESTART_COMMAND);
    assert_int_equal(step.not_after_ms, read_ms + LOST_AFTER); // as without a permit
    assert_string_equal(restart_doing(&restart), "command");
}

static void what_the_spawner_refuses_for_the_permit_is_returned(void **state)
{
    (void)state;
    begin_task();
    restart_permit(&restart, now_ms + 100);
    identifies_old();
    (void)runs(RESTART_COMMAND);
    now_ms += 100;
    ends_as(RESTART_TOO_LATE, 0);
    is_done(MM_STATUS_RETURNED, false);
}

// What an earlier command of the list has begun is not undone.
static void without_a_permit_a_later_command_is_open_and_owes(void **state)
{
    (void)state;
    config.has_before = config.has_after = true;
    config.tries = 1;
    real.command = 2;
    real.owes = real.owed = true;
    begin_without();
    identifies_old();
    waits(RESTART_COMMAND);
    waits_in_vain();
    is_done(MM_STATUS_OPEN, true);
}

static void each_command_of_the_list_is_asked_for(void **state)
{
    (void)state;
    for (uint32_t command = 1; command <= config.commands; command++) {
        real.command = command;
        begin_without();
        identifies_old();
        waits(RESTART_COMMAND);
        waits_in_vain();
        is_done(command == 1 ? MM_STATUS_RETURNED : MM_STATUS_OPEN, false);
    }
}

static void what_comes_before_the_command_waits_too(void **state)
{
    (void)state;
    config.has_before = config.has_after = true;
    config.tries = 1;
    real.owes = true;
    begin_without();
    identifies_old();
    waits(RESTART_BEFORE);
    waits_in_vain();
    is_done(MM_STATUS_RETURNED, false); // nothing was done, nothing is owed
}

// A halt between --before and the command: what was done is undone.
static void behind_a_before_the_permit_is_asked_for_again(void **state)
{
    (void)state;
    config.has_before = config.has_after = true;
    config.tries = 1;
    real.owes = true;
    begin_task();
    identifies_old();
    runs(RESTART_BEFORE);
    now_ms += 2 * LOST_AFTER; // it may take longer than the begin is young
    ends_as(RESTART_EXITED, 0);
    restart_permit(&restart, 0);
    identifies_old();
    waits(RESTART_COMMAND);
    waits_in_vain();
    runs(RESTART_AFTER); // which needs no permit
    ends_as(RESTART_EXITED, 0);
    is_done(MM_STATUS_RETURNED, false);
}

static void without_ids_it_waits_within_its_start(void **state)
{
    (void)state;
    restart_step_t step;
    config.identifies = false;
    begin_without();
    waits(RESTART_COMMAND);
    assert_true(restart_next(&restart, &step));
    assert_int_equal(step.at_ms, BEGUN + LOST_AFTER - 1);
    waits_in_vain();
    is_done(MM_STATUS_RETURNED, false);
}

static void who_waits_is_given_back_at_a_drain(void **state)
{
    (void)state;
    begin_without();
    identifies_old();
    waits(RESTART_COMMAND);
    restart_drain(&restart, now_ms);
    is_done(MM_STATUS_RETURNED, false);
}

#define PERMIT_TEST(NAME) cmocka_unit_test_setup(NAME, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PERMIT_TEST(a_look_needs_no_permit),
        PERMIT_TEST(without_a_permit_the_first_command_is_returned),
        PERMIT_TEST(a_permit_in_time_lets_it_go),
        PERMIT_TEST(what_the_spawner_refuses_for_the_permit_is_returned),
        PERMIT_TEST(without_a_permit_a_later_command_is_open_and_owes),
        PERMIT_TEST(each_command_of_the_list_is_asked_for),
        PERMIT_TEST(what_comes_before_the_command_waits_too),
        PERMIT_TEST(behind_a_before_the_permit_is_asked_for_again),
        PERMIT_TEST(without_ids_it_waits_within_its_start),
        PERMIT_TEST(who_waits_is_given_back_at_a_drain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
