// See hops.h.

#include "latency_sampler.h"

#include <utlist.h>

#define FOLLOWED 8 // one job in so many is followed, while there are many trails

// The fewer trails are left the fewer jobs are followed: a long queue would else take them all at
// its end, and nothing would be known of it until its head has come that far.
static uint32_t one_in(const hops_t *self)
{
    if (self->out < HOPS_TRAILS / 2)
        return FOLLOWED;
    return self->out < HOPS_TRAILS * 3 / 4 ? 8 * FOLLOWED : 64 * FOLLOWED;
}

trail_t *hops_follow(hops_t *self, int64_t now_ms)
{
    if (self->begun++ % one_in(self) != 0)
        return NULL;
    trail_t *trail = self->spare;
    if (trail)
        LL_DELETE(self->spare, trail);
    else if (self->used < HOPS_TRAILS)
        trail = &self->trails[self->used++];
    if (!trail)
        return NULL;
    self->out++;
    *trail = (trail_t){.began_ms = now_ms, .store_ms = now_ms, .restart_ms = now_ms};
    return trail;
}

void hops_end(hops_t *self, trail_t **trail_p, int64_t now_ms)
{
    trail_t *trail = *trail_p;
    if (!trail)
        return;
    *trail_p = NULL;
    mm_recent_record(&self->times[HOP_FLIGHT], now_ms, now_ms - trail->began_ms);
    LL_PREPEND(self->spare, trail);
    self->out--;
}

// What ends is recorded; what begins is counted from now.
static void move(hops_t *self, hop_time_t wait, int64_t *since_ms, hop_change_t change,
                 int64_t now_ms)
{
    if (change.waited && change.waits)
        return; // another queue, the same wait
    if (change.waited && change.is_out)
        mm_recent_record(&self->times[wait], now_ms, now_ms - *since_ms);
    if (change.was_out)
        mm_recent_record(&self->times[wait + 1], now_ms, now_ms - *since_ms);
    *since_ms = now_ms;
}

void hops_store(hops_t *self, trail_t *trail, hop_change_t change, int64_t now_ms)
{
    move(self, HOP_STORE_WAIT, &trail->store_ms, change, now_ms);
}

void hops_restart(hops_t *self, trail_t *trail, hop_change_t change, int64_t now_ms)
{
    move(self, HOP_RESTART_WAIT, &trail->restart_ms, change, now_ms);
}

int64_t hops_quantile(hops_t *self, hop_time_t time, double p, int64_t now_ms)
{
    return mm_recent_quantile(&self->times[time], now_ms, p);
}
