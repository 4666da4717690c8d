// See late_store.h.

#include "late_store.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TASKS_MAX 64 // in the life of a store

typedef struct {
    store_t base;
    late_store_config_t config;
    int timer;
    mm_result_t answers[TASKS_MAX]; // to all tasks, in order of arrival
    size_t given;                   // of them, from the first on; ready, flushed and put likewise
    size_t ready;
    size_t flushed;
    size_t put;
} late_t;

static late_t *late_of(store_t *base)
{
    return (late_t *)(void *)base;
}

static bool late_close(store_t *base)
{
    late_t *self = late_of(base);
    (void)close(self->timer);
    free(self);
    return true;
}

static void late_put(store_t *base, const mm_task_t *task)
{
    late_t *self = late_of(base);
    assert(self->put < TASKS_MAX);
    self->answers[self->put++] = (mm_result_t){
        .number = task->number, .leg = task->leg, .id = task->id, .outcome = task->outcome};
}

static size_t late_pending(const store_t *base)
{
    const late_t *self = (const late_t *)(const void *)base;
    return self->put - self->flushed;
}

static bool late_flush(store_t *base)
{
    late_t *self = late_of(base);
    self->flushed = self->put;
    if (self->config.answer_ms == MM_NEVER)
        return true;
    struct itimerspec after = {.it_value = {.tv_sec = self->config.answer_ms / 1000,
                                            .tv_nsec = self->config.answer_ms % 1000 * 1000000}};
    int rc = timerfd_settime(self->timer, 0, &after, NULL);
    assert(rc == 0);
    return true;
}

static bool late_step(store_t *base)
{
    late_t *self = late_of(base);
    uint64_t times;
    if (read(self->timer, &times, sizeof times) != (ssize_t)sizeof times)
        return true;
    if (self->config.breaks)
        return false;
    self->ready = self->flushed;
    return true;
}

static size_t late_answers(store_t *base, const mm_result_t **ret_answers)
{
    late_t *self = late_of(base);
    size_t count = self->ready - self->given;
    *ret_answers = &self->answers[self->given];
    self->given = self->ready;
    return count;
}

static int late_descriptor(const store_t *base)
{
    return ((const late_t *)(const void *)base)->timer;
}

static const char *late_error(const store_t *base)
{
    (void)base;
    return "";
}

static const store_ops_t late_ops = {.close = late_close,
                                     .put = late_put,
                                     .pending = late_pending,
                                     .flush = late_flush,
                                     .step = late_step,
                                     .answers = late_answers,
                                     .descriptor = late_descriptor,
                                     .error = late_error};

store_t *late_store_new(const late_store_config_t *config)
{
    late_t *self = calloc(1, sizeof *self);
    assert(self);
    self->base.ops = &late_ops;
    self->config = *config;
    self->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    assert(self->timer >= 0);
    return &self->base;
}
