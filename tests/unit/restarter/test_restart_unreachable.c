// Hosts that do not answer before their restart: no command, unless it is allowed, and then only
// while nobody answers.

#include "restart_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    (void)restart_set_up(state);
    config.allows_unreachable = true;
    return 0;
}

static void identifies_nothing(void)
{
    (void)runs(RESTART_IDENTIFY);
    ends_as(RESTART_EXITED, 255);
}

static void identifies_rubbish(void)
{
    (void)runs(RESTART_IDENTIFY);
    ends_as(RESTART_EXITED, 0);
}

static void begin_probe(void)
{
    real = (mm_real_t){.left_ms = VERIFY, .deadline_ms = now_ms + VERIFY};
    task = (mm_task_t){.leg = MM_LEG_PROBE, .real = &real};
    begin_task();
}

// What such a probe has put on record.
static void begin_on_nobody(void)
{
    identity_t nobody = identity_nobody();
    memcpy(real.machine.bytes, nobody.machine, sizeof nobody.machine);
    memcpy(real.boot.bytes, nobody.boot, sizeof nobody.boot);
    begin_task();
}

static void is_done(mm_status_t status, mm_end_t end, bool sent)
{
    mm_result_t filled = task_result();
    assert_int_equal(filled.status, status);
    assert_string_equal(mm_end_name(filled.real->end), mm_end_name(end));
    assert_int_equal(filled.real->sent, sent);
}

static void probe_with(void (*last)(void))
{
    int64_t begin_ms = now_ms;
    begin_probe();
    while (restart.phase == RESTART_PHASE_PROBE)
        (now_ms < begin_ms + VERIFY - PROOF_POLL_HIGH_MS ? identifies_nothing : last)();
    assert_true(now_ms >= begin_ms + VERIFY);
}

static void a_probe_says_that_nobody_answers(void **state)
{
    (void)state;
    probe_with(identifies_nothing);
    is_done(MM_STATUS_OK, MM_END_NOT_STARTED, false);
    mm_result_t filled = task_result();
    identity_t nobody = identity_nobody();
    assert_memory_equal(filled.real->boot.bytes, nobody.boot, sizeof nobody.boot);
    assert_memory_equal(filled.real->machine.bytes, nobody.machine, sizeof nobody.machine);
}

static void a_probe_says_so_only_where_it_is_allowed(void **state)
{
    (void)state;
    config.allows_unreachable = false;
    probe_with(identifies_nothing);
    is_done(MM_STATUS_FAILED, MM_END_UNREACHABLE, false);
}

static void an_answer_that_is_no_identity_is_somebodys(void **state)
{
    (void)state;
    probe_with(identifies_rubbish);
    is_done(MM_STATUS_FAILED, MM_END_UNREACHABLE, false);
    begin_probe();
    identifies_rubbish(); // once
    while (restart.phase == RESTART_PHASE_PROBE)
        identifies_nothing();
    is_done(MM_STATUS_FAILED, MM_END_UNREACHABLE, false);
}

static void it_is_restarted_and_proven_by_two_young_reads(void **state)
{
    (void)state;
    begin_on_nobody();
    identifies_nothing();
    (void)runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 0);
    identifies_nothing();
    settles(2);
    is_done(MM_STATUS_OK, MM_END_RESTARTED, true);
    mm_result_t filled = task_result();
    assert_int_equal(filled.real->proof, MM_PROOF_PROVEN);
    assert_int_equal(filled.real->boot.bytes[0], 2);
}

static void an_old_boot_proves_nothing(void **state)
{
    (void)state;
    begin_on_nobody();
    identifies_nothing();
    (void)runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 0);
    while (restart.phase == RESTART_PHASE_LOOK)
        identifies(7, 2, BEGUN - 1);
    is_done(MM_STATUS_FAILED, MM_END_SAME_BOOT, true);
}

// Without an uptime nobody knows how old that boot is.
static void a_boot_of_unknown_age_proves_nothing(void **state)
{
    (void)state;
    begin_on_nobody();
    identifies_nothing();
    (void)runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 0);
    while (restart.phase == RESTART_PHASE_LOOK) {
        identity_t read = {.machine = {7}, .boot = {2}, .uptime_ms = IDENTITY_UPTIME_NONE};
        (void)runs(RESTART_IDENTIFY);
        now_ms += 10;
        restart_ended(&restart, &(restart_end_t){.how = RESTART_EXITED, .identity = &read}, now_ms);
    }
    is_done(MM_STATUS_FAILED, MM_END_UNVERIFIED, true);
}

// It goes down again before it has settled: who was there is told, so that it gets no more
// commands.
static void an_answer_is_told_though_it_is_gone_at_the_end(void **state)
{
    (void)state;
    begin_on_nobody();
    identifies_nothing();
    (void)runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 0);
    identifies(7, 2, BEGUN - 1);
    while (restart.phase == RESTART_PHASE_LOOK)
        identifies_nothing();
    is_done(MM_STATUS_FAILED, MM_END_UNREACHABLE, true);
    assert_int_equal(task_result().real->boot.bytes[0], 2);
}

static void two_reads_that_differ_do_not_agree(void **state)
{
    (void)state;
    begin_on_nobody();
    identifies_nothing();
    (void)runs(RESTART_COMMAND);
    ends_as(RESTART_EXITED, 0);
    for (uint8_t i = 0; restart.phase == RESTART_PHASE_LOOK; i++)
        identifies(7 + i % 2, 2, now_ms);
    is_done(MM_STATUS_FAILED, MM_END_UNHEALTHY, true);
}

static void one_that_answers_by_then_gets_no_command(void **state)
{
    (void)state;
    begin_on_nobody();
    while (restart.phase != RESTART_PHASE_DONE)
        identifies_old();
    is_done(MM_STATUS_FAILED, MM_END_SAME_BOOT, false);
}

static void one_that_answers_rubbish_by_then_gets_no_command(void **state)
{
    (void)state;
    begin_on_nobody();
    while (restart.phase != RESTART_PHASE_DONE)
        identifies_rubbish();
    is_done(MM_STATUS_FAILED, MM_END_UNREACHABLE, false);
}

// The run that was begun with --allow-unreachable goes on without it.
static void it_gets_no_command_where_that_is_not_allowed_any_more(void **state)
{
    (void)state;
    config.allows_unreachable = false;
    begin_on_nobody();
    while (restart.phase != RESTART_PHASE_DONE)
        identifies_nothing();
    is_done(MM_STATUS_FAILED, MM_END_UNREACHABLE, false);
}

// It answered at the probe: what is on record is its boot.
static void one_that_has_answered_gets_no_command_when_it_is_gone(void **state)
{
    (void)state;
    begin_task();
    while (restart.phase != RESTART_PHASE_DONE)
        identifies_nothing();
    is_done(MM_STATUS_FAILED, MM_END_UNREACHABLE, false);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_probe_says_that_nobody_answers),
        TEST(a_probe_says_so_only_where_it_is_allowed),
        TEST(an_answer_that_is_no_identity_is_somebodys),
        TEST(it_is_restarted_and_proven_by_two_young_reads),
        TEST(an_old_boot_proves_nothing),
        TEST(a_boot_of_unknown_age_proves_nothing),
        TEST(an_answer_is_told_though_it_is_gone_at_the_end),
        TEST(two_reads_that_differ_do_not_agree),
        TEST(one_that_answers_by_then_gets_no_command),
        TEST(one_that_answers_rubbish_by_then_gets_no_command),
        TEST(it_gets_no_command_where_that_is_not_allowed_any_more),
        TEST(one_that_has_answered_gets_no_command_when_it_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
