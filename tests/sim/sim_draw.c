// What the simulator draws for a seed before it begins: the shape of the pipeline, and which faults
// there are (swarm: each is there in half of the seeds). It makes no fault happen: sim_world.c
// does.

#include "sim.h"

#include "random.h"

bool sim_coin(sim_t *self)
{
    return sim_below(self, 2) == 0;
}

int64_t sim_between(sim_t *self, int64_t low, int64_t high)
{
    return low + (int64_t)sim_below(self, (uint64_t)(high - low + 1));
}

static void draw_shape(sim_t *self)
{
    sim_shape_t *shape = &self->shape;
    shape->publishers = (uint32_t)sim_between(self, 1, SIM_PUBLISHERS);
    shape->restarters = (uint32_t)sim_between(self, 1, SIM_RESTARTERS);
    shape->hosts = (uint32_t)sim_between(self, 5, SIM_JOBS);
    shape->slots = (uint32_t)sim_between(self, 1, 4);
    shape->fail = sim_coin(self) ? (uint32_t)sim_between(self, 0, 500) : 0;
    shape->restart_ms = sim_between(self, 0, 3000);
    shape->one_by_one = sim_coin(self);
    shape->gather = (gather_config_t){
        .attempts = (uint32_t)sim_between(self, 2, 6),
        .backoff_low_ms = 50,
        .backoff_high_ms = sim_between(self, 50, 2000),
        .heartbeat_ms = 500,
        .lost_after_ms = 1500,
        .extend_every_ms = 1000,
        .max_lease_ms = sim_coin(self) ? sim_between(self, 4000, 20000) : 3600000,
        .drain_ms = sim_between(self, 2000, 10000),
        .max_in_flight = (uint32_t)(sim_coin(self) ? sim_between(self, 3, 10) : 1000),
        .settled_max = (uint32_t)(sim_coin(self) ? sim_between(self, 1, 5) : 1000),
        .nacked_max = 1000,
        .savers_max = 1,
        .restarters_max = 64};
    shape->outbox = (outbox_config_t){.window = (uint32_t)sim_between(self, 2, SIM_JOBS),
                                      .ack_deadline_ms = 3000,
                                      .heartbeat_ms = 500,
                                      .drain_ms = shape->gather.drain_ms + 1000};
}

// Swarm: each fault is there in half of the seeds.
static void draw_faults(sim_t *self)
{
    sim_faults_t *faults = &self->faults;
    faults->delay_ms = sim_coin(self) ? sim_between(self, 1, 5) : sim_between(self, 5, 200);
    if (sim_coin(self))
        faults->loss = (uint32_t)sim_between(self, 1, 200);
    if (sim_coin(self))
        faults->repeat = (uint32_t)sim_between(self, 1, 200);
    faults->reorder = sim_coin(self);
    if (sim_coin(self))
        faults->event_loss = (uint32_t)sim_between(self, 1, 400);
    if (sim_coin(self)) {
        faults->far = (uint32_t)sim_between(self, 1, 100);
        faults->far_ms = sim_between(self, 100, 8000);
    }
    for (sim_role_t role = SIM_CONSUMER; role <= SIM_PUBLISHER; role++)
        if (sim_coin(self))
            faults->crash_every_ms[role] = sim_between(self, 2000, 20000);
    if (sim_coin(self)) {
        faults->pause_every_ms = sim_between(self, 1000, 10000);
        faults->pause_ms = sim_between(self, 100, 8000);
    }
    if (sim_coin(self))
        faults->stop_every_ms = sim_between(self, 2000, 15000);
    if (sim_coin(self))
        faults->partition_every_ms = sim_between(self, 2000, 15000);
    if (sim_coin(self))
        faults->store_full_every_ms = sim_between(self, 5000, 20000);
    faults->store_slow_ms = sim_coin(self) ? sim_between(self, 5, sim_coin(self) ? 2000 : 8000) : 5;
    if (sim_coin(self))
        faults->commit_crash = (uint32_t)sim_between(self, 1, 100);
    if (sim_coin(self))
        faults->start_ms = sim_between(self, 1, 2000);
    faults->poison = sim_below(self, 4) == 0;
    if (self->shape.restarters > 1 && sim_coin(self))
        faults->gone_ms = sim_between(self, 2000, SIM_FAULTS_MS - 1);
}

// From a generator of its own, so that the seed's other draws stay what they were before there was
// such a limit.
static void draw_limit(sim_t *self)
{
    uint64_t random = ~self->seed;
    if (mm_random_below(&random, 4) == 0)
        self->shape.gather.at_once = 1 + (uint32_t)mm_random_below(&random, 6);
}

// From a generator of its own, too. In one seed of three no save is withheld.
static void draw_save_after(sim_t *self)
{
    uint64_t random = self->seed ^ 0x73617665;
    uint64_t which = mm_random_below(&random, 3);
    if (which > 0)
        self->shape.gather.save_after_ms =
            1 + (int64_t)mm_random_below(&random, which == 1 ? 20 : 2000);
}

// One seed of three restarts for real; from a generator of its own, too.
static void draw_real(sim_t *self)
{
    uint64_t random = self->seed ^ 0x7265616c;
    sim_shape_t *shape = &self->shape;
    if (mm_random_below(&random, 3) > 0 && !sim_has_policy_always)
        return;
    shape->real = shape->one_by_one = true;
    shape->timeout_ms = 300 + (int64_t)mm_random_below(&random, 2000);
    shape->settle_ms = (int64_t)mm_random_below(&random, 1500);
    shape->verify_ms = shape->settle_ms + 1000 + (int64_t)mm_random_below(&random, 5000);
    shape->gather.attempt_ms = shape->timeout_ms + shape->verify_ms;
    shape->gather.attempts = 1 + (uint32_t)mm_random_below(&random, 3);
    if (mm_random_below(&random, 2) == 0)
        self->faults.others_every_ms = 2000 + (int64_t)mm_random_below(&random, 10000);
    shape->blind = mm_random_below(&random, 4) == 0;
    shape->commands = 1 + (uint32_t)mm_random_below(&random, 2);
    if (mm_random_below(&random, 2) == 0)
        self->faults.unable = 1 + (uint32_t)mm_random_below(&random, 200);
    shape->hooks = mm_random_below(&random, 3) == 0;
    shape->skips = mm_random_below(&random, 4) == 0;
    shape->unreachable = mm_random_below(&random, 3) == 0;
}

// In one seed of eight the starts end in the middle of the faults, and in another one there is a
// limit of dead jobs; from a generator of its own, too.
static void draw_end(sim_t *self)
{
    uint64_t random = self->seed ^ 0x656e64;
    sim_shape_t *shape = &self->shape;
    uint64_t which = mm_random_below(&random, 8);
    if (which == 0)
        shape->starts_end_ms = 2000 + (int64_t)mm_random_below(&random, SIM_FAULTS_MS);
    if (which != 1)
        return;
    shape->gather.max_dead = 1 + (uint32_t)mm_random_below(&random, 5);
    shape->publishers = 1;
    shape->fail = 300 + (uint32_t)mm_random_below(&random, 600);
}

// What keys bring, each in one seed of four; from a generator of its own, too.
static void draw_access(sim_t *self)
{
    uint64_t random = self->seed ^ 0x6b657973;
    int64_t *every_ms[] = {&self->faults.revoke_every_ms, &self->faults.cut_every_ms,
                           &self->faults.lie_every_ms};
    for (size_t i = 0; i < sizeof every_ms / sizeof *every_ms; i++)
        if (mm_random_below(&random, 4) == 0)
            *every_ms[i] = 1000 + (int64_t)mm_random_below(&random, 8000);
    if (self->faults.lie_every_ms > 0) // it is to be heard within lost-after, mostly
        self->faults.lie_every_ms = 100 + self->faults.lie_every_ms / 20;
}

void sim_draw(sim_t *self)
{
    draw_shape(self);
    draw_faults(self);
    draw_limit(self);
    draw_save_after(self);
    draw_real(self);
    self->withdrawals = self->seed ^ 0x77697468; // as the others
    self->shape.withdraws = mm_random_below(&self->withdrawals, 3) == 0;
    draw_end(self);
    draw_access(self);
    sim_shared_draw(self);
}
