// A stage for tests of restarter/core/restart.h: one task, with a host and commands that are only
// words, and a clock that is only a number.

#ifndef RESTART_PLAY_H
#define RESTART_PLAY_H

#include "restart.h"
#include "story.h"

enum { LOST_AFTER = 1500, TIMEOUT = 300000, VERIFY = 600000, SETTLE = 30000, BEGUN = 1000000 };

extern restart_config_t config;
extern restart_t restart;
extern mm_task_t task;
extern mm_real_t real; // of the task

// A restart that began 100 ms ago on machine 7, in boot 1; exit code 0 is success.
int restart_set_up(void **state);
void begin_task(void);

// The next run begins, when its time has come.
restart_step_t runs(restart_what_t what);
void ends_as(restart_how_t how, int number);

// An identify: the boot with this number, which began at boot_ms.
void identifies(uint8_t machine, uint8_t boot, int64_t boot_ms);
void identifies_old(void);

// This boot, which begins now, until the task has ended.
void settles(uint8_t boot);

// Of the task, which has ended; what is real of it is kept until the next call.
mm_result_t task_result(void);

#endif
