// See latency_sampler.h.

#include "latency_sampler.h"

#include <utlist.h>

#define FOLLOWED 8 // one job in so many is followed, while many trails are free

// With fewer free trails, fewer jobs are followed. A long queue would otherwise use all trails at
// its end, without a sample until these jobs reach its head.
static uint32_t one_in(const latency_sampler_t *self)
{
    if (self->out < LATENCY_TRAILS / 2)
        return FOLLOWED;
    return self->out < LATENCY_TRAILS * 3 / 4 ? 8 * FOLLOWED : 64 * FOLLOWED;
}

trail_t *latency_follow(latency_sampler_t *self, int64_t now_ms)
{
    if (self->begun++ % one_in(self) != 0)
        return NULL;
    trail_t *trail = self->spare;
    if (trail)
        LL_DELETE(self->spare, trail);
    else if (self->used < LATENCY_TRAILS)
        trail = &self->trails[self->used++];
    if (!trail)
        return NULL;
    self->out++;
    *trail = (trail_t){.began_ms = now_ms, .store_ms = now_ms, .restart_ms = now_ms};
    return trail;
}

void latency_end(latency_sampler_t *self, trail_t **trail_p, int64_t now_ms)
{
    trail_t *trail = *trail_p;
    if (!trail)
        return;
    *trail_p = NULL;
    mm_windowed_histogram_record(&self->times[LATENCY_FLIGHT], now_ms, now_ms - trail->began_ms);
    LL_PREPEND(self->spare, trail);
    self->out--;
}

// Records the stage that ends, and starts the time of the next one.
static void move(latency_sampler_t *self, latency_kind_t wait, int64_t *since_ms,
                 stage_change_t change, int64_t now_ms)
{
    if (change.waited && change.waits)
        return; // another queue, the same wait
    if (change.waited && change.is_out)
        mm_windowed_histogram_record(&self->times[wait], now_ms, now_ms - *since_ms);
    if (change.was_out)
        mm_windowed_histogram_record(&self->times[wait + 1], now_ms, now_ms - *since_ms);
    *since_ms = now_ms;
}

void latency_store(latency_sampler_t *self, trail_t *trail, stage_change_t change, int64_t now_ms)
{
    move(self, LATENCY_STORE_WAIT, &trail->store_ms, change, now_ms);
}

void latency_restart(latency_sampler_t *self, trail_t *trail, stage_change_t change, int64_t now_ms)
{
    move(self, LATENCY_RESTART_WAIT, &trail->restart_ms, change, now_ms);
}

int64_t latency_quantile(latency_sampler_t *self, latency_kind_t time, double p, int64_t now_ms)
{
    return mm_windowed_histogram_quantile(&self->times[time], now_ms, p);
}
