// The simulator's shared record: in one seed of four the record is in a database, through two
// savers, and of two consumers one leads. All of it has clocks of its own, and may be cut off from
// any other, one way.

#include "sim.h"

#include "random.h"

bool sim_is_shared_always;

static void draw_faults(sim_t *self)
{
    sim_faults_t *faults = &self->faults;
    if (sim_coin(self))
        faults->stall = 1 + (uint32_t)sim_below(self, 4);
    if (sim_coin(self))
        faults->way_every_ms = sim_between(self, 500, 8000);
    if (sim_coin(self))
        faults->failover_every_ms = sim_between(self, 4000, 20000);
    if (faults->failover_every_ms > 0 && sim_below(self, 4) == 0)
        faults->revisions = 1 + (uint32_t)sim_below(self, SIM_REVISIONS - 1);
    if (sim_coin(self)) {
        faults->unknown = (uint32_t)sim_between(self, 10, 300);
        faults->late_ms = sim_coin(self) ? sim_between(self, 100, 8000) : 0;
    }
    if (self->shape.real && sim_coin(self))
        faults->halt_every_ms = sim_between(self, 4000, 20000);
    if (sim_below(self, 4) == 0)
        faults->handover_every_ms = sim_between(self, 5000, 20000);
    faults->lie_every_ms = 0; // of one consumer only
}

// Commands that run for longer than a lease: who takes over finds them under way.
static void draw_long(sim_shape_t *shape, uint64_t *random)
{
    if (!shape->real || mm_random_below(random, 3) > 0)
        return;
    shape->timeout_ms = LEASE_TTL_MS + 1000 + (int64_t)mm_random_below(random, 8000);
    shape->gather.attempt_ms = shape->timeout_ms + shape->verify_ms;
}

void sim_shared_draw(sim_t *self)
{
    uint64_t random = self->seed ^ 0x73686172; // a generator of its own, until it is
    if (!sim_is_shared_always && (sim_has_policy_always || mm_random_below(&random, 4) > 0))
        return;
    sim_shape_t *shape = &self->shape;
    shape->shared = true;
    shape->starts_end_ms = 0;
    shape->gather.max_dead = 0;
    shape->gather.is_leased = 1;
    shape->gather.savers_max = 16;
    draw_long(shape, &random);
    shape->gather.open_ms = shape->real ? shape->timeout_ms + 2000 : 0;
    self->database.clock = (sim_clock_t){.ahead_ms = sim_between(self, 0, 1000000),
                                         .ppm = sim_between(self, -20000, 20000)};
    draw_faults(self);
    self->statistics.shared = 1;
}

static void cut(sim_t *self)
{
    if (!sim_comes(self, &self->next.way, self->faults.way_every_ms))
        return;
    uint64_t from = sim_below(self, self->process_count + 1);
    uint64_t to = sim_below(self, self->process_count + 1);
    from = from == self->process_count ? SIM_DATABASE : from;
    to = to == self->process_count ? SIM_DATABASE : to;
    self->database.cut_ms[from][to] = self->now_ms + sim_between(self, 100, 15000);
    if (sim_coin(self))
        self->database.cut_ms[to][from] = self->database.cut_ms[from][to];
}

void sim_shared_faults(sim_t *self)
{
    if (!self->shape.shared)
        return;
    cut(self);
    if (sim_comes(self, &self->next.failover, self->faults.failover_every_ms))
        sim_database_fail_over(self);
    if (sim_comes(self, &self->next.halt, self->faults.halt_every_ms))
        sim_database_halt(self);
    if (sim_comes(self, &self->next.handover, self->faults.handover_every_ms))
        sim_leader_hand_over(self);
}

bool sim_shared_is_cut(const sim_t *self, uint32_t from, uint32_t to)
{
    return self->shape.shared && self->faulty && self->database.cut_ms[from][to] > self->now_ms;
}
