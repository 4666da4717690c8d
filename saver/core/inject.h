// Injected faults (--inject-time, --inject-fail): tasks take a random time, and some fail. Tasks of
// one job keep their order of arrival (R9). For demonstrations and tests; pure.

#ifndef INJECT_H
#define INJECT_H

#include "frame.h"

typedef struct {
    int64_t time_from_ms;
    int64_t time_to_ms;
    uint32_t fail_ppm; // parts per million
    uint64_t seed;
} inject_config_t;

typedef struct {
    mm_task_t task; // what it points to lives until the next inject_next
    bool fails;
} inject_item_t;

typedef struct inject inject_t;

inject_t *inject_new(const inject_config_t *config);
void inject_destroy(inject_t **self_p);
// Copies the task; it becomes due after a random time.
void inject_put(inject_t *self, const mm_task_t *task, int64_t now_ms);
// The next task that is due, once; false: there is none now.
bool inject_next(inject_t *self, int64_t now_ms, inject_item_t *ret_item);
// When the next one is due; MM_NEVER: there is none.
int64_t inject_deadline(const inject_t *self);
// From now on all tasks are due at once, and fail.
void inject_stop(inject_t *self);

#endif
