// See late_store.h.

#include "late_store.h"
#include "clock.h"
#include "lease_row.h"

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
    lease_row_t row;
    uint64_t epoch;      // of the tasks
    store_lease_t lease; // the answer to the last ask
    bool is_asked;
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
    bool is_fenced =
        self->config.has_lease && !lease_row_admits(&self->row, self->epoch, mm_clock_ms());
    self->answers[self->put++] =
        (mm_result_t){.number = task->number,
                      .leg = task->leg,
                      .id = task->id,
                      .status = is_fenced ? MM_STATUS_FAILED : MM_STATUS_OK,
                      .outcome = is_fenced ? MM_OUTCOME_NONE : task->outcome,
                      .error = mm_str(is_fenced ? "its consumer leads no longer" : "")};
}

static size_t late_pending(const store_t *base)
{
    const late_t *self = (const late_t *)(const void *)base;
    return self->put - self->flushed;
}

static void start_timer(const late_t *self)
{
    struct itimerspec after = {.it_value = {.tv_sec = self->config.answer_ms / 1000,
                                            .tv_nsec = self->config.answer_ms % 1000 * 1000000}};
    int rc = timerfd_settime(self->timer, 0, &after, NULL);
    assert(rc == 0);
}

static bool late_flush(store_t *base)
{
    late_t *self = late_of(base);
    self->flushed = self->put;
    if (self->config.answer_ms != MM_NEVER)
        start_timer(self);
    return true;
}

static void late_epoch(store_t *base, uint64_t epoch)
{
    late_of(base)->epoch = epoch;
}

static void late_lease(store_t *base, const store_lease_ask_t *ask)
{
    late_t *self = late_of(base);
    self->lease = (store_lease_t){ask->from, lease_row_ask(&self->row, &ask->ask, mm_clock_ms())};
    self->is_asked = true;
    start_timer(self);
}

static size_t late_leases(store_t *base, const store_lease_t **ret_answers)
{
    late_t *self = late_of(base);
    size_t count = self->is_asked;
    self->is_asked = false;
    *ret_answers = &self->lease;
    return count;
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

static const store_ops_t leased_ops = {.close = late_close,
                                       .put = late_put,
                                       .pending = late_pending,
                                       .flush = late_flush,
                                       .step = late_step,
                                       .answers = late_answers,
                                       .descriptor = late_descriptor,
                                       .epoch = late_epoch,
                                       .lease = late_lease,
                                       .leases = late_leases,
                                       .error = late_error};

store_t *late_store_new(const late_store_config_t *config)
{
    late_t *self = calloc(1, sizeof *self);
    assert(self);
    self->base.ops = config->has_lease ? &leased_ops : &late_ops;
    self->config = *config;
    self->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    assert(self->timer >= 0);
    return &self->base;
}
