// The simulator's lease: in one seed of four the consumer leads by one (lease.h), which is renewed
// every two seconds but while it lapses. It hands out nothing then, and permits nothing. Who leads
// of several consumers is what tests/unit/consumer/test_lease.c simulates.

#include "sim.h"

#include "random.h"

#define RENEW_MS     2000
#define TRUST_MS     4200  // from a renewal on
#define LAPSE_MS     15000 // at most
#define LAPSE_GAP_MS 12000

void sim_lease_draw(sim_t *self)
{
    self->lease.random = self->seed ^ 0x6c656173; // a generator of its own
    if (self->policy || self->shape.shared || mm_random_below(&self->lease.random, 4) > 0)
        return;
    self->shape.gather.is_leased = 1;
    self->shape.gather.open_ms = self->shape.real ? self->shape.timeout_ms + 2000 : 0;
}

void sim_lease_begin(sim_t *self)
{
    self->lease.until_ms = 0;
    self->lease.renew_ms = self->now_ms;
}

int64_t sim_lease_deadline(const sim_t *self)
{
    bool waits = self->shape.gather.is_leased && !self->shape.shared && self->consumer->alive &&
                 self->consumer->paused_until == 0;
    return waits ? self->lease.renew_ms : MM_NEVER;
}

// No saver answers for a while.
static bool lapses(sim_t *self)
{
    bool begins =
        self->faulty && mm_random_below(&self->lease.random, LAPSE_GAP_MS / RENEW_MS) == 0;
    if (begins)
        self->lease.renew_ms =
            self->now_ms + (int64_t)mm_random_below(&self->lease.random, LAPSE_MS);
    if (begins)
        sim_trace(self, "no saver renews the lease until %lld", (long long)self->lease.renew_ms);
    return begins;
}

void sim_lease_time(sim_t *self)
{
    if (sim_lease_deadline(self) > self->now_ms || lapses(self))
        return;
    self->lease.until_ms = self->now_ms + TRUST_MS;
    self->lease.renew_ms = self->now_ms + RENEW_MS;
    sim_consumer_step(self, (gather_event_t){.kind = GATHER_TRUST,
                                             .as.trust.until_ms = sim_clock_at(
                                                 &self->consumer->clock, self->lease.until_ms)});
}

void sim_lease_check(sim_t *self, const char *what)
{
    const gather_config_t *config = &self->shape.gather;
    if (config->is_leased && !self->shape.shared && self->now_ms >= self->lease.until_ms)
        sim_violated(self, "A4 trusted", "%s by a consumer that may not lead any more", what);
}

void sim_lease_check_start(sim_t *self)
{
    const gather_config_t *config = &self->shape.gather;
    sim_lease_check(self, "a restart is handed out");
    int64_t hold_ms = config->lost_after_ms + config->heartbeat_ms;
    hold_ms -= sim_drift(self, hold_ms);
    if (config->is_leased && self->now_ms < self->consumer_ms + hold_ms)
        sim_violated(self, "A4 first seconds", "a restart is handed out by a new leader");
}
