// One task of a restarter, with hosts and commands that are only words: what is run, and what the
// result is.

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
    config.ok_codes[31] = 1U << 7U; // 255
    return 0;
}

static void health_says(int number, const char *line)
{
    runs(RESTART_HEALTH);
    now_ms += 10;
    restart_ended(&restart,
                  &(restart_end_t){.how = RESTART_EXITED, .number = number, .line = mm_str(line)},
                  now_ms);
}

static void identifies_nothing(void)
{
    runs(RESTART_IDENTIFY);
    ends_as(RESTART_EXITED, 255);
}

static void is_done(mm_status_t status, mm_end_t end, uint32_t exit, bool sent)
{
    mm_result_t filled = task_result();
    assert_int_equal(filled.status, status);
    assert_string_equal(mm_end_name(filled.real->end), mm_end_name(end));
    assert_int_equal(filled.real->exit, exit);
    assert_int_equal(filled.real->sent, sent);
}

// ---- the way of a restart

static void the_old_boot_a_command_a_new_boot_is_proven(void **state)
{
    (void)state;
    begin_task();
    identifies_old();
    runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 255);
    identifies_old(); // slow to go down
    identifies_nothing();
    settles(2);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, 255, true);
    mm_result_t filled = task_result();
    assert_int_equal(filled.real->proof, MM_PROOF_PROVEN);
    assert_int_equal(filled.real->boot.bytes[0], 2);
    assert_int_equal(filled.real->machine.bytes[0], 7);
    assert_true(now_ms >= BEGUN + SETTLE);
    assert_false(filled.real->more);
}

static void a_restart_without_effect_ends_at_the_deadline(void **state)
{
    (void)state;
    begin_task();
    identifies_old();
    runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 0);
    while (restart.phase == RESTART_PHASE_LOOK) {
        assert_true(now_ms < BEGUN + TIMEOUT + VERIFY);
        identifies_old();
    }
    is_done(MM_STATUS_FAILED, MM_END_SAME_BOOT, 0, true);
    assert_true(now_ms >= BEGUN + TIMEOUT + VERIFY);
    assert_true(task_result().real->more); // the list has another command
    set_up(NULL);
    real.command = 2;
    begin_task();
    identifies_old();
    runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 0);
    while (restart.phase == RESTART_PHASE_LOOK)
        identifies_nothing();
    is_done(MM_STATUS_FAILED, MM_END_UNREACHABLE, 0, true);
    assert_false(task_result().real->more);
}

// ---- H3

static void to_a_new_boot_nothing_is_sent(void **state)
{
    (void)state;
    begin_task();
    identifies(7, 2,
               BEGUN + 50); // somebody else was quicker, or an attempt that nobody knows the end of
    settles(2);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, MM_EXIT_NONE, false);
}

static void without_an_answer_nothing_is_sent(void **state)
{
    (void)state;
    begin_task();
    while (restart.phase == RESTART_PHASE_READ)
        identifies_nothing();
    assert_in_range(now_ms, BEGUN + RESTART_LOOK_MS, BEGUN + RESTART_LOOK_MS + 2000);
    for (int i = 0; i < 5; i++)
        identifies_old(); // too late
    assert_int_equal(restart.phase, RESTART_PHASE_LOOK);
    while (restart.phase == RESTART_PHASE_LOOK)
        identifies_old();
    is_done(MM_STATUS_FAILED, MM_END_SAME_BOOT, MM_EXIT_NONE, false);
}

static void an_answer_that_was_lost_is_asked_for_again(void **state)
{
    (void)state;
    begin_task();
    identifies_nothing();
    int64_t lost_ms = now_ms;
    identifies_old();
    assert_in_range(now_ms, lost_ms + PROOF_POLL_LOW_MS, lost_ms + PROOF_POLL_LOW_MS + 100);
    runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 0);
    settles(2);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, 0, true);
}

static void to_another_machine_nothing_is_sent(void **state)
{
    (void)state;
    begin_task();
    while (restart.phase != RESTART_PHASE_DONE)
        identifies(8, 1, 0);
    is_done(MM_STATUS_FAILED, MM_END_WRONG_HOST, MM_EXIT_NONE, false);
    assert_true(now_ms >= BEGUN + TIMEOUT + VERIFY);
}

// Its age came in messages: it may be the boot that the first command has made.
static void to_another_boot_that_seems_older_nothing_is_sent(void **state)
{
    (void)state;
    begin_task();
    identifies(7, 2, BEGUN - 5000);
    while (restart.phase == RESTART_PHASE_LOOK)
        identifies(7, 2, BEGUN - 5000);
    is_done(MM_STATUS_FAILED, MM_END_SAME_BOOT, MM_EXIT_NONE, false);
    set_up(NULL);
    begin_task();
    identifies_old();
    runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 1);
    identifies(7, 2, BEGUN - 5000); // no failure at once: somebody has restarted it
    assert_int_equal(restart.phase, RESTART_PHASE_LOOK);
}

static void the_command_starts_soon_after_the_read(void **state)
{
    (void)state;
    restart_step_t step;
    begin_task();
    identifies_old();
    assert_true(restart_next(&restart, &step));
    assert_int_equal(step.what, RESTART_COMMAND);
    assert_int_equal(step.not_after_ms, now_ms + LOST_AFTER);
    assert_int_equal(step.limit_ms, TIMEOUT);
    assert_int_equal(step.end_ms, BEGUN + TIMEOUT);
    assert_true(restart_run(&restart, now_ms));
    ends_as(RESTART_TOO_LATE, 0);
    is_done(MM_STATUS_RETURNED, MM_END_NOT_STARTED, MM_EXIT_NONE, false);
    set_up(NULL);
    config.identifies = false;
    begin_task();
    assert_true(restart_next(&restart, &step));
    assert_int_equal(step.not_after_ms, BEGUN + LOST_AFTER - 1); // of its begin on record (H1)
    real.start_ms += LOST_AFTER;
    begin_task();
    assert_true(restart_next(&restart, &step));
    assert_int_equal(step.not_after_ms, now_ms + LOST_AFTER); // of the task's start
}

// Who looks for the command counts on its end, also when this process stood still before it.
static void behind_the_end_of_the_command_it_looks(void **state)
{
    (void)state;
    restart_step_t step;
    now_ms = BEGUN + TIMEOUT - 1000;
    begin_task();
    identifies_old();
    assert_true(restart_next(&restart, &step));
    assert_int_equal(step.not_after_ms, BEGUN + TIMEOUT);
    assert_int_equal(step.end_ms, BEGUN + TIMEOUT);
    assert_true(restart_run(&restart, now_ms));
    now_ms = BEGUN + TIMEOUT;
    ends_as(RESTART_TOO_LATE, 0);
    settles(2);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, MM_EXIT_NONE, false);
}

static void without_ids_nothing_is_sent(void **state)
{
    (void)state;
    real.boot = (mm_id_t){0};
    begin_task();
    is_done(MM_STATUS_FAILED, MM_END_NOT_STARTED, MM_EXIT_NONE, false);
}

// ---- the command's end

static void a_bad_code_is_a_failure_at_once_when_the_host_is_in_its_old_boot(void **state)
{
    (void)state;
    begin_task();
    identifies_old();
    runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 1);
    identifies_old();
    is_done(MM_STATUS_FAILED, MM_END_EXIT, 1, true);
    assert_false(task_result().real->more);
    assert_true(now_ms < BEGUN + 1000);
}

static void after_a_bad_code_it_looks_when_the_host_is_not_in_its_old_boot(void **state)
{
    (void)state;
    begin_task();
    identifies_old();
    runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 1);
    identifies_nothing();
    settles(2);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, 1, true);
}

static void after_an_end_that_says_nothing_it_looks(void **state)
{
    (void)state;
    const struct {
        restart_how_t how;
        int number;
        uint32_t exit;
    } ends[] = {{RESTART_EXITED, 0, 0},
                {RESTART_EXITED, 255, 255},
                {RESTART_SIGNALED, 13, 269},
                {RESTART_TIMED_OUT, 0, MM_EXIT_NONE}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        set_up(NULL);
        begin_task();
        identifies_old();
        runs(RESTART_COMMAND);
        ends_as(ends[i].how, ends[i].number);
        identifies_old();
        settles(2);
        is_done(MM_STATUS_OK, MM_END_RESTARTED, ends[i].exit, true);
    }
}

static void what_cannot_be_killed_is_told(void **state)
{
    (void)state;
    begin_task();
    identifies_old();
    runs(RESTART_COMMAND);
    restart_stop(&restart, now_ms);
    ends_as(RESTART_LEFT, 0);
    is_done(MM_STATUS_FAILED, MM_END_LEFT_RUNNING, MM_EXIT_NONE, true);
}

// ---- looks alone

static void a_look_sends_nothing(void **state)
{
    (void)state;
    real.command = 0;
    begin_task();
    identifies_old();
    settles(2);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, MM_EXIT_NONE, false);
}

static void a_late_look_that_finds_nobody_lasts(void **state)
{
    (void)state;
    real.command = 0;
    real.deadline_ms = now_ms - 1;
    int64_t began_ms = now_ms;
    begin_task();
    while (restart.phase == RESTART_PHASE_LOOK)
        identifies_nothing();
    is_done(MM_STATUS_FAILED, MM_END_UNREACHABLE, MM_EXIT_NONE, false);
    assert_true(now_ms >= began_ms + VERIFY);
}

static void it_must_be_healthy_in_every_poll(void **state)
{
    (void)state;
    config.has_health = true;
    real.command = 0;
    begin_task();
    int64_t boot_ms = now_ms;
    identifies(7, 2, boot_ms);
    identifies(7, 2, boot_ms);
    int polls = 0;
    while (restart.phase == RESTART_PHASE_LOOK) {
        runs(RESTART_HEALTH);
        ends_as(RESTART_EXITED, ++polls == 3 ? 1 : 0);
        if (restart.phase == RESTART_PHASE_LOOK)
            identifies(7, 2, boot_ms);
    }
    is_done(MM_STATUS_OK, MM_END_RESTARTED, MM_EXIT_NONE, false);
    assert_true(now_ms >= boot_ms + SETTLE + 3000); // anew after the third
    assert_true(polls > 6);
}

static void it_may_be_as_ill_as_before(void **state)
{
    (void)state;
    const struct {
        const char *before, *line;
        int number;
        bool is_well;
    } cases[] = {{"degraded", "degraded", 1, true},
                 {"degraded", "running", 0, true},
                 {"degraded", "maintenance", 1, false},
                 {"degraded", "degraded, too", 1, false},
                 {"", "degraded", 1, false},
                 {"", "", 1, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_up(NULL);
        config.has_health = true;
        char before[16];
        (void)snprintf(before, sizeof before, "%s", cases[i].before);
        real.health = mm_str(before);
        real.command = 0;
        begin_task();
        memset(before, 'x', sizeof before); // it is copied
        int64_t boot_ms = now_ms;
        identifies(7, 2, boot_ms);
        while (restart.phase == RESTART_PHASE_LOOK) {
            identifies(7, 2, boot_ms);
            if (restart.phase == RESTART_PHASE_LOOK)
                health_says(cases[i].number, cases[i].line);
        }
        if (cases[i].is_well)
            is_done(MM_STATUS_OK, MM_END_RESTARTED, MM_EXIT_NONE, false);
        else
            is_done(MM_STATUS_FAILED, MM_END_UNHEALTHY, MM_EXIT_NONE, false);
    }
}

// ---- probes

static void a_probe_is_one_good_read(void **state)
{
    (void)state;
    real = (mm_real_t){.left_ms = 1};
    task = (mm_task_t){.leg = MM_LEG_PROBE, .real = &real};
    begin_task();
    identifies_nothing();
    identifies(7, 9, 0);
    is_done(MM_STATUS_OK, MM_END_NOT_STARTED, MM_EXIT_NONE, false);
    mm_result_t filled = task_result();
    assert_int_equal(filled.real->machine.bytes[0], 7);
    assert_int_equal(filled.real->boot.bytes[0], 9);
}

static void a_probe_tells_how_ill_the_host_is(void **state)
{
    (void)state;
    const struct {
        int number;
        const char *line, *told;
    } cases[] = {{1, "degraded", "degraded"},
                 {0, "running", ""},
                 {3, "", ""},
                 {255, "ssh: connection refused", ""}, // that is not the host
                 {1, "a line of more than forty-eight bytes, which is too long",
                  "a line of more than forty-eight bytes, which is "}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        config.has_health = true;
        real = (mm_real_t){.left_ms = 1};
        task = (mm_task_t){.leg = MM_LEG_PROBE, .real = &real};
        begin_task();
        identifies(7, 9, 0);
        health_says(cases[i].number, cases[i].line);
        is_done(MM_STATUS_OK, MM_END_NOT_STARTED, MM_EXIT_NONE, false);
        mm_result_t filled = task_result();
        assert_true(mm_str_equal(filled.real->health, mm_str(cases[i].told)));
        assert_int_equal(filled.real->boot.bytes[0], 9);
    }
}

static void a_probe_that_finds_nobody_lasts(void **state)
{
    (void)state;
    int64_t began_ms = now_ms;
    real = (mm_real_t){.left_ms = 1};
    task = (mm_task_t){.leg = MM_LEG_PROBE, .real = &real};
    begin_task();
    int reads = 0;
    for (; restart.phase != RESTART_PHASE_DONE; reads++)
        identifies_nothing();
    is_done(MM_STATUS_FAILED, MM_END_UNREACHABLE, MM_EXIT_NONE, false);
    assert_true(now_ms >= began_ms + VERIFY);
    assert_in_range(reads, VERIFY / PROOF_POLL_HIGH_MS - 5, VERIFY / PROOF_POLL_HIGH_MS + 5);
}

// ---- drain and stop

static void told_to_drain_what_waits_for_proof_is_open(void **state)
{
    (void)state;
    begin_task();
    identifies_old();
    runs(RESTART_COMMAND);
    restart_drain(&restart, now_ms);
    assert_int_equal(restart.phase, RESTART_PHASE_COMMAND); // it goes on
    ends_as(RESTART_EXITED, 255);
    is_done(MM_STATUS_OPEN, MM_END_EXIT, 255, true);
    for (int running = 0; running < 2; running++) {
        set_up(NULL);
        begin_task();
        identifies_old();
        runs(RESTART_COMMAND);
        ends_as(RESTART_TIMED_OUT, 0);
        if (running)
            runs(RESTART_IDENTIFY);
        restart_drain(&restart, now_ms);
        is_done(MM_STATUS_OPEN, MM_END_TIMEOUT, MM_EXIT_NONE, true);
    }
    set_up(NULL);
    real.command = 0;
    begin_task();
    restart_drain(&restart, now_ms);
    is_done(MM_STATUS_OPEN, MM_END_NOT_STARTED, MM_EXIT_NONE, false);
}

static void told_to_drain_before_the_command_it_is_returned(void **state)
{
    (void)state;
    for (int steps = 0; steps < 3; steps++) {
        set_up(NULL);
        begin_task();
        if (steps == 1)
            runs(RESTART_IDENTIFY);
        if (steps == 2)
            identifies_old();
        restart_drain(&restart, now_ms);
        is_done(MM_STATUS_RETURNED, MM_END_NOT_STARTED, MM_EXIT_NONE, false);
    }
    real = (mm_real_t){.left_ms = 1};
    task = (mm_task_t){.leg = MM_LEG_PROBE, .real = &real};
    begin_task();
    identifies_nothing();
    restart_drain(&restart, now_ms);
    is_done(MM_STATUS_RETURNED, MM_END_NOT_STARTED, MM_EXIT_NONE, false);
}

static void a_command_that_is_stopped_is_open_where_somebody_can_look(void **state)
{
    (void)state;
    begin_task();
    identifies_old();
    runs(RESTART_COMMAND);
    restart_stop(&restart, now_ms);
    ends_as(RESTART_STOPPED, 0);
    is_done(MM_STATUS_OPEN, MM_END_STOPPED, MM_EXIT_NONE, true);
    set_up(NULL);
    config.identifies = false;
    begin_task();
    runs(RESTART_COMMAND);
    restart_stop(&restart, now_ms);
    ends_as(RESTART_STOPPED, 0);
    is_done(MM_STATUS_FAILED, MM_END_STOPPED, MM_EXIT_NONE, true);
}

// ---- this machine's faults

static void what_cannot_be_run_here_says_nothing_of_the_host(void **state)
{
    (void)state;
    begin_task();
    runs(RESTART_IDENTIFY);
    ends_as(RESTART_NOT_STARTED, 0);
    is_done(MM_STATUS_RETURNED, MM_END_NOT_STARTED, MM_EXIT_NONE, false);
    set_up(NULL);
    begin_task();
    identifies_old();
    runs(RESTART_COMMAND);
    ends_as(RESTART_NOT_STARTED, 0);
    is_done(MM_STATUS_RETURNED, MM_END_NOT_STARTED, MM_EXIT_NONE, false);
    set_up(NULL);
    begin_task();
    identifies_old();
    runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 0);
    runs(RESTART_IDENTIFY);
    ends_as(RESTART_NOT_STARTED, 0);
    int64_t failed_ms = now_ms;
    runs(RESTART_IDENTIFY); // once more, not at once
    assert_true(now_ms >= failed_ms + RESTART_AGAIN_MS);
    ends_as(RESTART_EXITED, 255);
    runs(RESTART_IDENTIFY);
    ends_as(RESTART_NOT_STARTED, 0);
    runs(RESTART_IDENTIFY);
    ends_as(RESTART_NOT_STARTED, 0);
    is_done(MM_STATUS_OPEN, MM_END_EXIT, 0, true);
}

// ---- without identify

static void what_can_never_be_run_here_is_a_failure(void **state)
{
    (void)state;
    begin_task();
    runs(RESTART_IDENTIFY);
    ends_as(RESTART_UNABLE, 0);
    is_done(MM_STATUS_FAILED, MM_END_UNABLE, MM_EXIT_NONE, false);
    begin_task();
    identifies_old();
    runs(RESTART_COMMAND);
    ends_as(RESTART_UNABLE, 0);
    is_done(MM_STATUS_FAILED, MM_END_UNABLE, MM_EXIT_NONE, false);
}

static void without_a_way_to_look_the_code_is_all(void **state)
{
    (void)state;
    config.identifies = false;
    begin_task();
    runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 0);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, 0, true);
    assert_int_equal(task_result().real->proof, MM_PROOF_UNVERIFIED);
    begin_task();
    runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 3);
    is_done(MM_STATUS_FAILED, MM_END_EXIT, 3, true);
    begin_task();
    runs(RESTART_COMMAND);
    ends_as(RESTART_TIMED_OUT, 0);
    is_done(MM_STATUS_FAILED, MM_END_TIMEOUT, MM_EXIT_NONE, true);
    real.command = 0; // nobody can look
    begin_task();
    is_done(MM_STATUS_FAILED, MM_END_INTERRUPTED, MM_EXIT_NONE, false);
}

static void verify_is_asked_every_second(void **state)
{
    (void)state;
    config.identifies = false;
    config.has_verify = true;
    begin_task();
    runs(RESTART_COMMAND);
    ends_as(RESTART_SIGNALED, 1);
    int64_t began_ms = now_ms;
    for (int i = 0; i < 5; i++) {
        runs(RESTART_VERIFY);
        assert_int_equal(now_ms, began_ms + i * RESTART_VERIFY_MS);
        ends_as(RESTART_EXITED, i < 4);
    }
    is_done(MM_STATUS_OK, MM_END_RESTARTED, 257, true);
    assert_int_equal(task_result().real->proof, MM_PROOF_VERIFIED);
    assert_int_equal(restart.polls, 5);
}

static void verify_is_not_asked_for_ever(void **state)
{
    (void)state;
    restart_step_t step;
    config.identifies = false;
    config.has_verify = true;
    begin_task();
    runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 0);
    int64_t until_ms = now_ms + VERIFY;
    runs(RESTART_VERIFY);
    ends_as(RESTART_TIMED_OUT, 0);
    now_ms = until_ms - 10;
    runs(RESTART_VERIFY);
    ends_as(RESTART_EXITED, 1);
    assert_false(restart_next(&restart, &step));
    is_done(MM_STATUS_FAILED, MM_END_UNVERIFIED, 0, true);
    real.start_ms = now_ms + LOST_AFTER;
    real.deadline_ms = now_ms + TIMEOUT + VERIFY;
    begin_task();
    runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 0);
    runs(RESTART_VERIFY);
    ends_as(RESTART_EXITED, 1);
    assert_false(restart_run(&restart, now_ms + VERIFY));
    is_done(MM_STATUS_FAILED, MM_END_UNVERIFIED, 0, true);
}

static void verify_is_not_asked_after_a_bad_code(void **state)
{
    (void)state;
    config.identifies = false;
    config.has_verify = true;
    begin_task();
    runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 127);
    is_done(MM_STATUS_FAILED, MM_END_EXIT, 127, true);
}

#define TEST(NAME) cmocka_unit_test_setup(NAME, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_old_boot_a_command_a_new_boot_is_proven),
        TEST(a_restart_without_effect_ends_at_the_deadline),
        TEST(to_a_new_boot_nothing_is_sent),
        TEST(without_an_answer_nothing_is_sent),
        TEST(an_answer_that_was_lost_is_asked_for_again),
        TEST(to_another_machine_nothing_is_sent),
        TEST(to_another_boot_that_seems_older_nothing_is_sent),
        TEST(the_command_starts_soon_after_the_read),
        TEST(behind_the_end_of_the_command_it_looks),
        TEST(without_ids_nothing_is_sent),
        TEST(a_bad_code_is_a_failure_at_once_when_the_host_is_in_its_old_boot),
        TEST(after_a_bad_code_it_looks_when_the_host_is_not_in_its_old_boot),
        TEST(after_an_end_that_says_nothing_it_looks),
        TEST(what_cannot_be_killed_is_told),
        TEST(a_look_sends_nothing),
        TEST(a_late_look_that_finds_nobody_lasts),
        TEST(it_must_be_healthy_in_every_poll),
        TEST(it_may_be_as_ill_as_before),
        TEST(a_probe_is_one_good_read),
        TEST(a_probe_tells_how_ill_the_host_is),
        TEST(a_probe_that_finds_nobody_lasts),
        TEST(told_to_drain_what_waits_for_proof_is_open),
        TEST(told_to_drain_before_the_command_it_is_returned),
        TEST(a_command_that_is_stopped_is_open_where_somebody_can_look),
        TEST(what_cannot_be_run_here_says_nothing_of_the_host),
        TEST(what_can_never_be_run_here_is_a_failure),
        TEST(without_a_way_to_look_the_code_is_all),
        TEST(verify_is_asked_every_second),
        TEST(verify_is_not_asked_for_ever),
        TEST(verify_is_not_asked_after_a_bad_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
