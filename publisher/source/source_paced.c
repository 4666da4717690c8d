// See source.h: another source with a limit of rate, jobs or time. A source that it cuts off is not
// done: the same command goes on there. It also ends a source that has no end of its own.

#include "source.h"

#include <assert.h>
#include <stdlib.h>

#define LATE_MS_MAX 1000

typedef struct {
    source_t base;
    source_t *inner;
    source_paced_config_t config;
    uint64_t given;
    bool is_started;
    bool is_early; // the next one waits for its time, not for the inner source
    bool is_timed_out;
    int64_t end_ms;
    int64_t start_ms; // when job `start_given` was due
    uint64_t start_given;
} paced_t;

static void start(paced_t *self, int64_t now_ms)
{
    self->is_started = true;
    self->start_ms = now_ms;
    self->end_ms = self->config.duration_ms > 0 ? now_ms + self->config.duration_ms : MM_NEVER;
}

// When the next job is due. A delay beyond one second is forgotten, so that no burst follows a
// pause.
static int64_t next_due(paced_t *self, int64_t now_ms)
{
    if (self->config.rate <= 0)
        return now_ms;
    double after_ms = (double)(self->given - self->start_given) * 1000 / self->config.rate;
    int64_t due_ms = self->start_ms + (int64_t)after_ms;
    if (now_ms - due_ms > LATE_MS_MAX) {
        due_ms = now_ms - LATE_MS_MAX;
        self->start_ms = due_ms;
        self->start_given = self->given;
    }
    return due_ms;
}

static void paced_progress(const source_t *base, source_progress_t *ret_progress)
{
    const paced_t *self = (const paced_t *)base;
    source_progress(self->inner, ret_progress);
    ret_progress->done = ret_progress->done || (self->is_timed_out && self->config.ends_by_time);
}

static bool is_done(const paced_t *self)
{
    source_progress_t progress;
    source_progress(self->inner, &progress);
    return progress.done;
}

static source_status_t paced_next(source_t *base, int64_t now_ms, source_item_t *ret_item)
{
    paced_t *self = (paced_t *)base;
    if (!self->is_started)
        start(self, now_ms);
    bool is_enough = self->config.jobs > 0 && self->given >= self->config.jobs;
    self->is_timed_out = now_ms >= self->end_ms;
    if (is_enough || self->is_timed_out)
        return SOURCE_END;
    int64_t due_ms = next_due(self, now_ms);
    self->is_early = now_ms < due_ms && !is_done(self); // its end is not waited for
    if (self->is_early) {
        ret_item->until_ms = due_ms < self->end_ms ? due_ms : self->end_ms;
        return SOURCE_WAIT;
    }
    source_status_t status = source_next(self->inner, now_ms, ret_item);
    if (status == SOURCE_ITEM)
        self->given++;
    else if (status == SOURCE_WAIT && ret_item->until_ms > self->end_ms)
        ret_item->until_ms = self->end_ms;
    return status;
}

static void paced_resume(source_t *base, const source_progress_t *recorded)
{
    source_resume(((paced_t *)base)->inner, recorded);
}

static int paced_descriptor(const source_t *base)
{
    const paced_t *self = (const paced_t *)base;
    return self->is_early ? -1 : source_descriptor(self->inner);
}

static void paced_destroy(source_t *base)
{
    paced_t *self = (paced_t *)base;
    source_destroy(&self->inner);
    free(self);
}

source_t *source_paced_new(source_t **inner_p, const source_paced_config_t *config)
{
    static const source_methods_t methods = {.next = paced_next,
                                             .resume = paced_resume,
                                             .progress = paced_progress,
                                             .descriptor = paced_descriptor,
                                             .destroy = paced_destroy};
    paced_t *self = calloc(1, sizeof *self);
    assert(self);
    self->base.methods = &methods;
    self->inner = *inner_p;
    self->config = *config;
    *inner_p = NULL;
    return &self->base;
}
