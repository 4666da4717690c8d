// What one task of a restarter does beside the restart, with hosts and commands that are only
// words: --skip-if, --before and --after, and what is owed.

#include "restart_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    (void)restart_set_up(state);
    config.has_skip = true;
    config.has_before = true;
    config.has_after = true;
    config.tries = 3;
    real.owes = true;
    return 0;
}

static void exits(restart_what_t what, int code)
{
    (void)runs(what);
    ends_as(RESTART_EXITED, code);
}

static void sends(void)
{
    identifies_old();
    exits(RESTART_BEFORE, 0);
    identifies_old();
    exits(RESTART_COMMAND, 0);
}

static void is_done(mm_status_t status, mm_end_t end, bool sent, bool owes)
{
    mm_result_t filled = task_result();
    assert_int_equal(filled.status, status);
    assert_string_equal(mm_end_name(filled.real->end), mm_end_name(end));
    assert_int_equal(filled.real->sent, sent);
    assert_int_equal(filled.real->owes, owes);
}

// ---- --skip-if

static void begin_probe(void)
{
    task.leg = MM_LEG_PROBE;
    real.command = 0;
    real.age_ms = 0;
    real.owes = false;
    begin_task();
}

static void a_host_without_need_is_skipped_before_it_is_asked_who_it_is(void **state)
{
    (void)state;
    begin_probe();
    exits(RESTART_SKIP_IF, 0);
    is_done(MM_STATUS_OK, MM_END_SKIPPED, false, false);
}

static void any_other_end_means_a_restart(void **state)
{
    (void)state;
    static const struct {
        restart_how_t how;
        int number;
    } others[] = {{RESTART_EXITED, 1},    {RESTART_EXITED, 255}, {RESTART_SIGNALED, 9},
                  {RESTART_TIMED_OUT, 0}, {RESTART_UNABLE, 0},   {RESTART_LEFT, 0}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        begin_probe();
        (void)runs(RESTART_SKIP_IF);
        ends_as(others[i].how, others[i].number);
        identifies_old();
        is_done(MM_STATUS_OK, MM_END_NOT_STARTED, false, false);
    }
    config.identifies = false;
    begin_probe();
    exits(RESTART_SKIP_IF, 1);
    is_done(MM_STATUS_OK, MM_END_NOT_STARTED, false, false);
}

static void what_has_begun_is_not_asked_again(void **state)
{
    (void)state;
    begin_probe();
    real.age_ms = 1;
    begin_task();
    identifies_old();
    is_done(MM_STATUS_OK, MM_END_NOT_STARTED, false, false);
}

static void a_question_that_cannot_be_asked_here_is_given_back(void **state)
{
    (void)state;
    begin_probe();
    (void)runs(RESTART_SKIP_IF);
    ends_as(RESTART_NOT_STARTED, 0);
    is_done(MM_STATUS_RETURNED, MM_END_NOT_STARTED, false, false);
    begin_probe();
    (void)runs(RESTART_SKIP_IF);
    restart_drain(&restart, now_ms);
    is_done(MM_STATUS_RETURNED, MM_END_NOT_STARTED, false, false);
}

// ---- the cooldown

static void cools_down(void)
{
    assert_true(restart_skip(&restart, &task));
    is_done(MM_STATUS_OK, MM_END_SKIPPED, false, false);
}

static void a_host_of_the_cooldown_is_skipped_before_anything_is_asked(void **state)
{
    (void)state;
    begin_probe();
    cools_down();
    config.has_skip = false;
    begin_probe();
    cools_down();
    config.identifies = false; // then there is nothing to ask
    begin_probe();
    cools_down();
}

static void a_command_is_not_sent_to_a_host_of_the_cooldown(void **state)
{
    (void)state;
    begin_task();
    cools_down();
    config.identifies = false;
    begin_task();
    cools_down();
    config.has_before = false;
    begin_task();
    cools_down();
}

static void a_debt_of_before_outlives_the_cooldown(void **state)
{
    (void)state;
    real.owed = true;
    begin_task();
    assert_true(restart_skip(&restart, &task));
    is_done(MM_STATUS_OK, MM_END_SKIPPED, false, true);
}

static void what_only_looks_or_pays_goes_on(void **state)
{
    (void)state;
    restart_step_t step;
    real.command = 0;
    begin_task();
    assert_false(restart_skip(&restart, &task));
    assert_true(restart_next(&restart, &step));
    begin_probe();
    real.age_ms = 1; // something has begun: before its command it is asked again
    begin_task();
    assert_false(restart_skip(&restart, &task));
    task.leg = MM_LEG_RESTART;
    real.end = MM_END_RESTARTED;
    real.owes = true;
    begin_task();
    assert_false(restart_skip(&restart, &task));
    assert_int_equal(restart.phase, RESTART_PHASE_AFTER);
}

static void what_has_failed_at_once_stays_so(void **state)
{
    (void)state;
    real.command = 3; // of a longer list
    real.owes = false;
    begin_task();
    assert_false(restart_skip(&restart, &task));
    is_done(MM_STATUS_FAILED, MM_END_NOT_STARTED, false, false);
}

// ---- --before

static void before_runs_between_two_reads_and_after_behind_the_proof(void **state)
{
    (void)state;
    begin_task();
    identifies_old();
    restart_step_t step = runs(RESTART_BEFORE);
    assert_int_equal(step.limit_ms, TIMEOUT);
    assert_int_equal(step.not_after_ms, now_ms + LOST_AFTER);
    assert_int_equal(step.end_ms, BEGUN + TIMEOUT); // with the command
    now_ms += 100000;                               // longer than a read is good for
    ends_as(RESTART_EXITED, 0);
    identifies_old();
    exits(RESTART_COMMAND, 0);
    settles(2);
    step = runs(RESTART_AFTER);
    assert_int_equal(step.end_ms, INT64_MAX);
    ends_as(RESTART_EXITED, 0);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, true, false);
}

// Nothing is on record then, and the next command of the list is not prepared for again.
static void before_alone_makes_no_debt(void **state)
{
    (void)state;
    config.has_after = real.owes = false;
    begin_task();
    sends();
    settles(2);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, true, false);
    (void)set_up(NULL);
    config.has_after = real.owes = false;
    real.command = 2;
    begin_task();
    identifies_old();
    exits(RESTART_COMMAND, 0);
}

static void when_before_fails_nothing_is_sent_and_after_runs(void **state)
{
    (void)state;
    static const restart_how_t hows[] = {RESTART_EXITED, RESTART_SIGNALED, RESTART_TIMED_OUT,
                                         RESTART_LEFT};
    for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
        begin_task();
        identifies_old();
        (void)runs(RESTART_BEFORE);
        ends_as(hows[i], 1);
        exits(RESTART_AFTER, 0);
        is_done(MM_STATUS_FAILED, MM_END_UNPREPARED, false, false);
    }
}

static void in_another_boot_nothing_is_prepared(void **state)
{
    (void)state;
    begin_task();
    int64_t boot_ms = now_ms - 50;
    identifies(7, 2, boot_ms);
    while (restart.phase == RESTART_PHASE_LOOK)
        identifies(7, 2, boot_ms);
    exits(RESTART_AFTER, 0); // it is proven all the same
    is_done(MM_STATUS_OK, MM_END_RESTARTED, false, false);
}

static void a_debt_that_is_not_on_record_is_not_made(void **state)
{
    (void)state;
    real.owes = false;
    begin_task();
    identifies_old();
    is_done(MM_STATUS_RETURNED, MM_END_NOT_STARTED, false, false);
}

static void the_next_command_of_the_list_is_prepared_for_already(void **state)
{
    (void)state;
    real.command = 2;
    real.owed = true;
    begin_task();
    identifies_old();
    exits(RESTART_COMMAND, 0);
    settles(2);
    exits(RESTART_AFTER, 0);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, true, false);
    real.owed = false; // the first one was never sent
    begin_task();
    identifies_old();
    (void)runs(RESTART_BEFORE);
}

static void without_ids_it_is_sent_behind_before(void **state)
{
    (void)state;
    config.identifies = false;
    begin_task();
    (void)runs(RESTART_BEFORE);
    now_ms += 10 * LOST_AFTER;
    ends_as(RESTART_EXITED, 0);
    exits(RESTART_COMMAND, 0);
    exits(RESTART_AFTER, 0);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, true, false);
}

// ---- --after

static void after_is_tried_with_growing_pauses_and_stays_owed(void **state)
{
    (void)state;
    begin_task();
    sends();
    settles(2);
    int64_t from_ms = now_ms;
    exits(RESTART_AFTER, 1);
    (void)runs(RESTART_AFTER);
    assert_int_equal(now_ms - from_ms, 10 + DEBT_PAUSE_LOW_MS);
    ends_as(RESTART_NOT_STARTED, 0);
    (void)runs(RESTART_AFTER);
    assert_int_equal(now_ms - from_ms, 20 + 3 * DEBT_PAUSE_LOW_MS);
    ends_as(RESTART_TIMED_OUT, 0);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, true, true);
}

static void a_host_that_got_a_command_and_is_not_proven_owes(void **state)
{
    (void)state;
    begin_task();
    sends();
    while (restart.phase == RESTART_PHASE_LOOK)
        identifies_old();
    is_done(MM_STATUS_FAILED, MM_END_SAME_BOOT, true, true);
}

static void what_was_owed_before_is_paid_by_a_proof_only(void **state)
{
    (void)state;
    real.owed = true;
    begin_task();
    identifies_old();
    exits(RESTART_BEFORE, 1);
    is_done(MM_STATUS_FAILED, MM_END_UNPREPARED, false, true);
    begin_task();
    sends();
    settles(2);
    exits(RESTART_AFTER, 0);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, true, false);
}

static void a_look_pays_what_its_host_owes(void **state)
{
    (void)state;
    real.command = 0;
    real.owed = true;
    begin_task();
    identifies(7, 2, now_ms);
    settles(2);
    exits(RESTART_AFTER, 0);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, false, false);
    begin_task();
    while (restart.phase == RESTART_PHASE_LOOK)
        identifies_old();
    is_done(MM_STATUS_FAILED, MM_END_SAME_BOOT, false, true);
    config.has_after = false; // nobody knows any more what it was
    begin_task();
    identifies(7, 2, now_ms);
    settles(2);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, false, true);
}

static void without_after_nothing_is_owed(void **state)
{
    (void)state;
    config.has_after = false;
    begin_task();
    sends();
    while (restart.phase == RESTART_PHASE_LOOK)
        identifies_old();
    is_done(MM_STATUS_FAILED, MM_END_SAME_BOOT, true, false);
}

// ---- this machine cannot, or is to leave

static void a_before_that_cannot_be_started_here_leaves_no_debt(void **state)
{
    (void)state;
    begin_task();
    identifies_old();
    (void)runs(RESTART_BEFORE);
    ends_as(RESTART_NOT_STARTED, 0);
    is_done(MM_STATUS_RETURNED, MM_END_NOT_STARTED, false, false);
}

static void a_command_that_cannot_be_started_here_is_undone(void **state)
{
    (void)state;
    begin_task();
    identifies_old();
    exits(RESTART_BEFORE, 0);
    identifies_old();
    (void)runs(RESTART_COMMAND);
    ends_as(RESTART_NOT_STARTED, 0);
    exits(RESTART_AFTER, 0);
    is_done(MM_STATUS_RETURNED, MM_END_NOT_STARTED, false, false);
}

static void what_is_returned_owes_nothing_else_it_is_open(void **state)
{
    (void)state;
    config.tries = 1;
    begin_task();
    identifies_old();
    exits(RESTART_BEFORE, 0);
    identifies_old();
    (void)runs(RESTART_COMMAND);
    ends_as(RESTART_NOT_STARTED, 0);
    exits(RESTART_AFTER, 1);
    is_done(MM_STATUS_OPEN, MM_END_NOT_STARTED, false, true);
}

static void told_to_leave_it_lets_before_end_and_undoes_it(void **state)
{
    (void)state;
    begin_task();
    identifies_old();
    (void)runs(RESTART_BEFORE);
    restart_drain(&restart, now_ms);
    ends_as(RESTART_EXITED, 0);
    (void)runs(RESTART_AFTER);
    ends_as(RESTART_EXITED, 0);
    is_done(MM_STATUS_RETURNED, MM_END_NOT_STARTED, false, false);
}

static void told_to_leave_between_before_and_the_command_it_undoes_it(void **state)
{
    (void)state;
    begin_task();
    identifies_old();
    exits(RESTART_BEFORE, 0);
    (void)runs(RESTART_IDENTIFY);
    restart_drain(&restart, now_ms);
    ends_as(RESTART_EXITED, 255);
    exits(RESTART_AFTER, 0);
    is_done(MM_STATUS_RETURNED, MM_END_NOT_STARTED, false, false);
}

static void at_the_limit_the_debt_stays(void **state)
{
    (void)state;
    begin_task();
    identifies_old();
    (void)runs(RESTART_BEFORE);
    restart_stop(&restart, now_ms);
    ends_as(RESTART_STOPPED, 0);
    is_done(MM_STATUS_OPEN, MM_END_NOT_STARTED, false, true);
    set_up(state);
    begin_task();
    sends();
    settles(2);
    (void)runs(RESTART_AFTER);
    restart_stop(&restart, now_ms);
    ends_as(RESTART_STOPPED, 0);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, true, true);
}

static void told_to_leave_it_does_not_wait_for_another_try(void **state)
{
    (void)state;
    begin_task();
    sends();
    settles(2);
    exits(RESTART_AFTER, 1);
    restart_drain(&restart, now_ms);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, true, true);
    set_up(state);
    begin_task();
    sends();
    settles(2);
    (void)runs(RESTART_AFTER);
    restart_drain(&restart, now_ms);
    ends_as(RESTART_EXITED, 1);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, true, true);
}

#define HOOK(NAME) cmocka_unit_test_setup(NAME, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOOK(a_host_without_need_is_skipped_before_it_is_asked_who_it_is),
        HOOK(any_other_end_means_a_restart),
        HOOK(what_has_begun_is_not_asked_again),
        HOOK(a_question_that_cannot_be_asked_here_is_given_back),
        HOOK(a_host_of_the_cooldown_is_skipped_before_anything_is_asked),
        HOOK(a_command_is_not_sent_to_a_host_of_the_cooldown),
        HOOK(a_debt_of_before_outlives_the_cooldown),
        HOOK(what_only_looks_or_pays_goes_on),
        HOOK(what_has_failed_at_once_stays_so),
        HOOK(before_runs_between_two_reads_and_after_behind_the_proof),
        HOOK(before_alone_makes_no_debt),
        HOOK(when_before_fails_nothing_is_sent_and_after_runs),
        HOOK(in_another_boot_nothing_is_prepared),
        HOOK(a_debt_that_is_not_on_record_is_not_made),
        HOOK(the_next_command_of_the_list_is_prepared_for_already),
        HOOK(without_ids_it_is_sent_behind_before),
        HOOK(after_is_tried_with_growing_pauses_and_stays_owed),
        HOOK(a_host_that_got_a_command_and_is_not_proven_owes),
        HOOK(what_was_owed_before_is_paid_by_a_proof_only),
        HOOK(a_look_pays_what_its_host_owes),
        HOOK(without_after_nothing_is_owed),
        HOOK(a_before_that_cannot_be_started_here_leaves_no_debt),
        HOOK(a_command_that_cannot_be_started_here_is_undone),
        HOOK(what_is_returned_owes_nothing_else_it_is_open),
        HOOK(told_to_leave_it_lets_before_end_and_undoes_it),
        HOOK(told_to_leave_between_before_and_the_command_it_undoes_it),
        HOOK(at_the_limit_the_debt_stays),
        HOOK(told_to_leave_it_does_not_wait_for_another_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
