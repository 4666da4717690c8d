// See restart_play.h.

#include "restart_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

restart_config_t config;
restart_t restart;
mm_task_t task;
mm_real_t real;

int restart_set_up(void **state)
{
    (void)state;
    config = (restart_config_t){.identifies = true,
                                .commands = 2,
                                .timeout_ms = TIMEOUT,
                                .verify_ms = VERIFY,
                                .settle_ms = SETTLE,
                                .lost_after_ms = LOST_AFTER};
    config.ok_codes[0] = 1; // 0
    now_ms = BEGUN + 100;
    real = (mm_real_t){.machine.bytes = {7},
                       .boot.bytes = {1},
                       .command = 1,
                       .left_ms = TIMEOUT + VERIFY - 100,
                       .age_ms = 100,
                       .start_ms = BEGUN + LOST_AFTER,
                       .first_ms = BEGUN,
                       .deadline_ms = BEGUN + TIMEOUT + VERIFY};
    task = (mm_task_t){.leg = MM_LEG_RESTART, .real = &real};
    return 0;
}

void begin_task(void)
{
    restart_begin(&restart, &config, &task, 1, now_ms);
    restart_permit(&restart, INT64_MAX);
}

restart_step_t runs(restart_what_t what)
{
    restart_step_t step, next;
    assert_true(restart_next(&restart, &step));
    assert_int_equal(step.what, what);
    if (step.at_ms > now_ms)
        now_ms = step.at_ms;
    assert_true(now_ms <= step.not_after_ms);
    assert_true(restart_run(&restart, now_ms));
    assert_false(restart_next(&restart, &next));
    return step;
}

void ends_as(restart_how_t how, int number)
{
    now_ms += 10;
    restart_ended(&restart, &(restart_end_t){.how = how, .number = number}, now_ms);
}

void identifies(uint8_t machine, uint8_t boot, int64_t boot_ms)
{
    (void)runs(RESTART_IDENTIFY);
    identity_t identity = {.machine = {machine}, .boot = {boot}, .uptime_ms = now_ms - boot_ms};
    now_ms += 10;
    restart_ended(&restart, &(restart_end_t){.how = RESTART_EXITED, .identity = &identity}, now_ms);
}

void identifies_old(void)
{
    identifies(7, 1, 0);
}

void settles(uint8_t boot)
{
    int64_t boot_ms = now_ms;
    while (restart.phase == RESTART_PHASE_LOOK)
        identifies(7, boot, boot_ms);
}

mm_result_t task_result(void)
{
    static mm_real_t found;
    mm_result_t filled = {.real = &found};
    found = (mm_real_t){0};
    restart_step_t step;
    assert_int_equal(restart.phase, RESTART_PHASE_DONE);
    assert_false(restart_next(&restart, &step));
    restart_fill(&restart, &filled);
    return filled;
}
