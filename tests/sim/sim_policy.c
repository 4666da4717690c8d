// What holds a run of the simulator back: groups that overlap, caps, budgets, ramps, windows,
// breakers, a rate, a guard. Drawn from a generator of its own, so that the seed's other draws stay
// what they were before there were policies.

#include "sim_policy.h"

#include "array.h"
#include "random.h"
#include "string_view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ONE_OF     24 // seeds
#define HORIZON_MS 4000000

bool sim_has_policy_always;

static uint32_t draw(sim_policy_t *self, uint32_t low, uint32_t high)
{
    return low + (uint32_t)mm_random_below(&self->random, high - low + 1);
}

static bool coin(sim_policy_t *self)
{
    return mm_random_below(&self->random, 2) == 0;
}

// At least one host.
static mm_amount_t draw_amount(sim_policy_t *self, uint32_t hosts)
{
    mm_amount_t amount = {.is_set = true};
    uint32_t lowest = (100 + hosts - 1) / hosts; // percent
    amount.is_percent = coin(self) && lowest <= 50;
    amount.value = amount.is_percent ? draw(self, lowest, 60) : draw(self, 1, 1 + hosts / 2);
    return amount;
}

static void draw_ramp(sim_policy_t *self, mm_rules_t *rules, uint32_t hosts)
{
    rules->ramp_count = draw(self, 1, 3);
    for (size_t i = 0; i < rules->ramp_count; i++)
        rules->ramp[i] = i == 0 ? (mm_amount_t){.value = draw(self, 1, 2), .is_set = true}
                                : draw_amount(self, hosts);
    rules->bake_ms = draw(self, 0, 4000);
}

static void draw_breakers(sim_policy_t *self, mm_rules_t *rules)
{
    rules->breaker_count = draw(self, 1, 2);
    for (size_t i = 0; i < rules->breaker_count; i++) {
        uint32_t failures = draw(self, 1, 3);
        rules->breakers[i] = (mm_breaker_t){failures, failures + draw(self, 0, 5)};
    }
}

static void draw_window(sim_policy_t *self, mm_rules_t *rules, mm_opening_t *openings)
{
    int64_t at_ms = SIM_UNIX_MS + draw(self, 0, 10000);
    rules->has_window = true;
    rules->openings = openings;
    rules->last_start_ms = coin(self) ? draw(self, 0, 3000) : 0;
    for (; rules->opening_count < SIM_OPENINGS; rules->opening_count++) {
        mm_opening_t *opening = &openings[rules->opening_count];
        opening->opens_ms = at_ms;
        opening->closes_ms = at_ms + draw(self, 5000, 20000);
        at_ms = opening->closes_ms + draw(self, 1, 12000);
    }
    openings[SIM_OPENINGS - 1].closes_ms += HORIZON_MS; // what is left then may go on
}

static void draw_rules(sim_policy_t *self, size_t index)
{
    mm_rules_t *rules = &self->rules[index];
    uint32_t hosts = self->hosts[index] > 0 ? self->hosts[index] : 1;
    if (index > 0)
        (void)snprintf(rules->name, sizeof rules->name, "g%zu", index);
    if (coin(self))
        rules->cap = draw_amount(self, hosts);
    if (coin(self))
        rules->max_unavailable = draw_amount(self, hosts);
    if (draw(self, 0, 3) == 0)
        draw_ramp(self, rules, hosts);
    if (draw(self, 0, 3) == 0)
        draw_breakers(self, rules);
    if (draw(self, 0, 4) == 0)
        draw_window(self, rules, self->openings[index]);
}

static void draw_groups(sim_policy_t *self, sim_t *sim)
{
    self->hosts[0] = sim->job_count;
    for (uint32_t i = 0; i < sim->job_count; i++) {
        sim_job_t *job = &sim->jobs[i];
        size_t size = 0;
        for (size_t group = 1; group < self->given.count; group++) {
            if (draw(self, 0, 2) > 0)
                continue;
            self->hosts[group]++;
            int added = snprintf(job->groups + size, sizeof job->groups - size, "%sg%zu",
                                 size > 0 ? "," : "", group);
            size += (size_t)added;
            assert(size < sizeof job->groups);
        }
        size = 0;
        memset(job->attributes, 0, sizeof job->attributes);
        if (*job->groups &&
            !mm_attributes_add(job->attributes, &size, mm_str("groups"), mm_str(job->groups)))
            abort();
    }
}

// What a run with a policy is: one list of hosts, each once, all of which the consumer knows.
static void draw_shape(sim_policy_t *self, sim_t *sim)
{
    sim_shape_t *shape = &sim->shape;
    shape->hosts = SIM_JOBS;
    for (uint32_t i = 0; i < sim->job_count; i++) {
        sim_job_t *job = &sim->jobs[i];
        job->host_index = i;
        (void)snprintf(job->host, sizeof job->host, "web-%u", (unsigned)i);
    }
    shape->gather.max_in_flight = 1000;
    shape->gather.max_dead = 0;
    shape->starts_end_ms = 0;
    shape->outbox.window = SIM_JOBS;
    shape->timeout_ms = draw(self, 300, 1500);
    shape->settle_ms = draw(self, 0, 800);
    shape->verify_ms = shape->settle_ms + draw(self, 1000, 3000);
    shape->gather.attempt_ms = shape->timeout_ms + shape->verify_ms;
}

void sim_policy_draw(sim_t *self)
{
    uint64_t random = self->seed ^ 0x706f6c69;
    bool is_drawn = mm_random_below(&random, ONE_OF) == 0 && self->shape.real;
    if (self->shape.shared || (!is_drawn && !sim_has_policy_always))
        return;
    assert(self->shape.real);
    sim_policy_t *policy = self->policy = calloc(1, sizeof *policy);
    assert(policy);
    policy->random = random;
    policy->run = 1 + mm_random_below(&policy->random, 1000000);
    policy->given.groups = policy->rules;
    policy->given.count = 1 + draw(policy, 0, SIM_GROUPS);
    draw_shape(policy, self);
    draw_groups(policy, self);
    for (size_t i = 0; i < policy->given.count; i++)
        draw_rules(policy, i);
    if (draw(policy, 0, 3) == 0) {
        policy->given.rate = draw(policy, 1, 5);
        policy->given.rate_ms = policy->given.rate * draw(policy, 100, 1500);
    }
    policy->given.has_guard = draw(policy, 0, 3) == 0;
    sim_operator_draw(self);
    sim_judge_begin(self);
}

void sim_policy_destroy(sim_t *self)
{
    free(self->audit);
    self->audit = NULL;
    if (!self->policy)
        return;
    sim_judge_end(self);
    free(self->policy->ordered);
    free(self->policy);
    self->policy = NULL;
}

void sim_policy_tell(sim_t *self, sim_process_t *consumer)
{
    if (self->policy)
        gather_set_policy(consumer->gather, &self->policy->given);
}

void sim_policy_fill(const sim_t *self, mm_jobs_body_t *ret_jobs, mm_group_t *groups)
{
    const sim_policy_t *policy = self->policy;
    if (!policy)
        return;
    ret_jobs->run = policy->run;
    if (ret_jobs->count > 0)
        return;
    for (size_t i = 0; i < policy->given.count; i++)
        groups[i] = (mm_group_t){.name = mm_str(policy->rules[i].name), .hosts = policy->hosts[i]};
    ret_jobs->groups = groups;
    ret_jobs->group_count = policy->given.count;
}
