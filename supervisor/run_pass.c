// See run_pass.h.

#include "run_pass.h"
#include "duration.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// How much of a group's limits is used.
typedef struct {
    uint32_t in_progress; // with those whose end is not known
    uint32_t casualties;
    uint32_t begun; // in this step of the ramp
    size_t step;    // of the ramp
} use_t;

typedef struct {
    const run_pass_t *pass;
    use_t *uses; // of each group of the policy
    int64_t begun;
} state_t;

// The groups of a host, whose first is the whole run: number 0 to group_count.
static size_t group_of(const run_host_t *host, size_t number)
{
    return number == 0 ? 0 : host->groups[number - 1];
}

static const run_verdict_t begins = {
    .reason = MM_REASON_NONE, .group = RUN_PASS_NO_GROUP, .until_ms = MM_NEVER};

// Counts a place of the record, or takes it off.
static void count_place(state_t *self, const run_place_t *place, int sign)
{
    const mm_policy_t *policy = self->pass->policy;
    const char *name = "";
    size_t size = 0;
    do {
        const mm_rules_t *rules = mm_policy_find(policy, (mm_str_t){name, size});
        use_t *use = rules ? &self->uses[rules - policy->groups] : NULL;
        if (use && place->is_casualty)
            use->casualties += (uint32_t)sign;
        else if (use)
            use->in_progress += (uint32_t)sign;
        name = size == 0 ? place->groups : name + size + (name[size] == ',');
        size = strcspn(name, ",");
    } while (size > 0);
}

// Whether one group lets a host begin, whose own place is not counted, as far as one reason goes.
static bool holds(const state_t *self, size_t group, mm_reason_t reason, int64_t *until_ms)
{
    const run_pass_t *pass = self->pass;
    const mm_rules_t *rules = &pass->policy->groups[group];
    const use_t *use = &self->uses[group];
    uint32_t hosts = pass->inventory->sizes[group];
    *until_ms = MM_NEVER;
    if (reason == MM_REASON_BREAKER)
        return run_held_has_tripped(pass->held, rules->name);
    if (reason == MM_REASON_WINDOW) {
        *until_ms = mm_rules_next_start(rules, pass->now_ms);
        return *until_ms != pass->now_ms;
    }
    if (reason == MM_REASON_RAMP)
        return use->step < rules->ramp_count &&
               use->begun >= mm_amount_of(rules->ramp[use->step], hosts);
    if (reason == MM_REASON_BUDGET)
        return use->in_progress + use->casualties >= mm_amount_of(rules->max_unavailable, hosts);
    return reason == MM_REASON_CAP && use->in_progress >= mm_amount_of(rules->cap, hosts);
}

// Whether the host is held back for that reason, which is no group's.
static bool holds_any(const state_t *self, const run_host_t *host, mm_reason_t reason,
                      int64_t *until_ms)
{
    const run_pass_t *pass = self->pass;
    const run_denied_t *denied;
    int64_t limit = pass->at_once;
    *until_ms = MM_NEVER;
    if (reason == MM_REASON_HALT)
        return pass->held->is_halted;
    if (reason == MM_REASON_DENIED) {
        denied = run_held_denied(pass->held, host->name);
        *until_ms = denied && denied->until_ms > 0 ? denied->until_ms : MM_NEVER;
        return denied && *until_ms > pass->now_ms;
    }
    if (reason == MM_REASON_RATE && pass->policy->rate > 0 && self->begun > 0) {
        *until_ms = pass->now_ms + self->begun * pass->policy->rate_ms / pass->policy->rate;
        return true;
    }
    if (reason == MM_REASON_AT_ONCE)
        return limit > 0 && self->begun >= limit;
    return reason == MM_REASON_NO_SLOT && self->begun >= pass->slots;
}

// The first reason that applies, in the order of the reasons.
static run_verdict_t decide(const state_t *self, const run_host_t *host)
{
    run_verdict_t verdict = {.until_ms = MM_NEVER};
    for (int reason = MM_REASON_NONE + 1; reason <= MM_REASON_LAST; reason++) {
        verdict.reason = (mm_reason_t)reason;
        verdict.group = RUN_PASS_NO_GROUP;
        if (holds_any(self, host, verdict.reason, &verdict.until_ms))
            return verdict;
        for (size_t i = 0; self->uses && i <= host->group_count; i++) {
            verdict.group = group_of(host, i);
            if (holds(self, verdict.group, verdict.reason, &verdict.until_ms))
                return verdict;
        }
    }
    return begins;
}

// A host that is done counts for the ramp: a step that is full is over, and baked.
static void count_done(state_t *self, const run_host_t *host)
{
    for (size_t i = 0; self->uses && i <= host->group_count; i++) {
        size_t group = group_of(host, i);
        const mm_rules_t *rules = &self->pass->policy->groups[group];
        use_t *use = &self->uses[group];
        use->begun++;
        if (use->step < rules->ramp_count &&
            use->begun >=
                mm_amount_of(rules->ramp[use->step], self->pass->inventory->sizes[group])) {
            use->step++;
            use->begun = 0;
        }
    }
}

static void begin(state_t *self, const run_host_t *host)
{
    self->begun++;
    for (size_t i = 0; self->uses && i <= host->group_count; i++) {
        use_t *use = &self->uses[group_of(host, i)];
        use->in_progress++;
        use->begun++;
    }
}

run_verdict_t *run_pass_decide(const run_pass_t *self)
{
    size_t groups = self->policy->count, hosts = self->inventory->item_count;
    state_t state = {.pass = self, .uses = groups > 0 ? calloc(groups, sizeof(use_t)) : NULL};
    run_verdict_t *verdicts = calloc(hosts + 1, sizeof *verdicts);
    assert(verdicts && (state.uses || groups == 0));
    for (size_t i = 0; groups > 0 && i < self->held->place_count; i++)
        count_place(&state, &self->held->places[i], 1);
    for (size_t i = 0; i < hosts; i++)
        if (self->inventory->items[i].is_done)
            count_done(&state, &self->inventory->items[i]);
    for (size_t i = 0; i < hosts; i++) {
        const run_host_t *host = &self->inventory->items[i];
        const run_place_t *own = groups > 0 ? run_held_place(self->held, host->name) : NULL;
        verdicts[i] = begins;
        if (host->is_done)
            continue;
        if (own) // it takes no second one
            count_place(&state, own, -1);
        verdicts[i] = decide(&state, host);
        if (verdicts[i].reason == MM_REASON_NONE)
            begin(&state, host);
        else if (own)
            count_place(&state, own, 1);
    }
    free(state.uses);
    return verdicts;
}
