// The simulated operator, who halts and resumes runs, denies hosts and absolves them, each order
// again until it is answered; and the guard that is asked whether restarts may begin. When the
// faults are over, both let the run come to its end.

#include "sim_policy.h"

#include "array.h"
#include "random.h"
#include "string_view.h"

#include <string.h>

#define AGAIN_MS   1500  // an order that is not answered
#define GIVE_UP    8     // tries
#define HELPS_MS   45000 // from then on orders only free the run
#define DENIED_MS  9000  // longest
#define GUARD_MS   400   // an answer takes, at most
#define CHANGES_MS 9000  // of the guard's mind

static uint64_t below(sim_policy_t *policy, uint64_t limit)
{
    return mm_random_below(&policy->random, limit);
}

void sim_operator_draw(sim_t *self)
{
    sim_policy_t *policy = self->policy;
    policy->every_ms = below(policy, 4) == 0 ? 0 : 500 + (int64_t)below(policy, 6000);
    policy->order_ms = policy->every_ms > 0 ? policy->every_ms : HELPS_MS;
    policy->guard_ms = MM_NEVER;
    policy->says_yes = below(policy, 3) > 0;
    policy->change_ms = (int64_t)below(policy, CHANGES_MS);
}

int64_t sim_operator_deadline(const sim_t *self)
{
    const sim_policy_t *policy = self->policy;
    if (!policy || self->over)
        return MM_NEVER;
    return policy->order_ms < policy->guard_ms ? policy->order_ms : policy->guard_ms;
}

void sim_operator_answered(sim_t *self, const mm_id_t *id, bool is_recorded)
{
    sim_policy_t *policy = self->policy;
    for (size_t i = 0; policy && i < policy->ordered_count; i++) {
        sim_ordered_t *ordered = &policy->ordered[i];
        bool was_recorded = ordered->recorded_ms > 0 && ordered->recorded_ms < ordered->heard_ms;
        if (mm_id_equal(&ordered->order.id, id) && (!is_recorded || was_recorded))
            sim_judge_order(self, &ordered->order, "lapse ");
    }
    if (!policy || !mm_id_equal(&policy->order.id, id))
        return;
    policy->order.action = 0;
    if (self->now_ms < HELPS_MS)
        policy->order_ms =
            self->now_ms + 1 + (int64_t)below(policy, 2 * (uint64_t)policy->every_ms);
}

void sim_operator_asked(sim_t *self)
{
    sim_policy_t *policy = self->policy;
    if (policy)
        policy->guard_ms = self->now_ms + 1 + (int64_t)below(policy, GUARD_MS);
}

void sim_operator_forget(sim_t *self)
{
    self->policy->guard_ms = MM_NEVER;
    self->policy->is_given = false;
}

// ---- orders

// The name of a group that the record has as tripped; NULL: none.
static const char *find_tripped(const sim_t *self)
{
    for (size_t i = 0; i < self->policy->given.count; i++) {
        const char *name = self->policy->rules[i].name, *found = NULL;
        for (size_t at = 0; at < self->audit_count; at++) {
            const sim_order_t *order = &self->audit[at].order;
            bool is_named = !self->audit[at].job && strcmp(order->name, name) == 0;
            if (is_named && order->action == MM_ACTION_TRIP)
                found = name;
            else if (is_named && order->action == MM_ACTION_RESUME)
                found = NULL;
        }
        if (found)
            return found;
    }
    return NULL;
}

static bool is_halted(const sim_t *self)
{
    bool is = false;
    for (size_t i = 0; i < self->audit_count; i++) {
        const sim_order_t *order = &self->audit[i].order;
        if (order->action == MM_ACTION_HALT)
            is = true;
        if (order->action == MM_ACTION_RESUME && order->name[0] == '\0')
            is = false;
    }
    return is;
}

static const char *find_casualty(const sim_t *self, uint64_t from)
{
    for (uint32_t i = 0; i < self->job_count; i++) {
        const sim_job_t *job = &self->jobs[(i + from) % self->job_count];
        if (job->is_casualty)
            return job->host;
    }
    return NULL;
}

// One that the consumer knows of, and the record does not: it was absolved too early.
static const char *find_any_casualty(sim_t *self)
{
    gather_group_t group = {0};
    bool is_any = self->consumer->alive && gather_next_group(self->consumer->gather, &group) &&
                  group.casualties > 0;
    return is_any ? self->jobs[self->policy->ordered_count % self->job_count].host : NULL;
}

// A group that has tripped for the consumer.
static const char *find_stopped(const sim_t *self)
{
    gather_group_t group = {0};
    bool is_known = self->consumer->alive && gather_held(self->consumer->gather).is_known;
    while (is_known && gather_next_group(self->consumer->gather, &group))
        if (group.is_tripped)
            return group.name;
    return NULL;
}

static void set_order(sim_policy_t *policy, mm_action_t action, const char *name)
{
    policy->order.action = action;
    (void)snprintf(policy->order.name, sizeof policy->order.name, "%s", name);
}

// What lets the run go on; none: action 0.
static void draw_help(sim_t *self)
{
    sim_policy_t *policy = self->policy;
    const char *tripped = find_tripped(self), *casualty = find_casualty(self, 0);
    tripped = tripped ? tripped : find_stopped(self);
    casualty = casualty ? casualty : find_any_casualty(self);
    gather_held_t held = {0};
    if (self->consumer->alive)
        held = gather_held(self->consumer->gather);
    if (is_halted(self) || (held.is_known && held.is_halted)) // or it could not be recorded
        set_order(policy, MM_ACTION_RESUME, "");
    else if (tripped)
        set_order(policy, MM_ACTION_RESUME, tripped);
    else if (casualty)
        set_order(policy, MM_ACTION_ABSOLVE, casualty);
}

static void draw_any(sim_t *self)
{
    sim_policy_t *policy = self->policy;
    size_t host = (size_t)below(policy, self->job_count);
    const char *tripped = find_tripped(self), *casualty = find_casualty(self, host);
    switch (below(policy, 6)) {
    case 0: set_order(policy, MM_ACTION_HALT, ""); break;
    case 1:
    case 2: set_order(policy, MM_ACTION_RESUME, tripped ? tripped : ""); break;
    case 3:
        set_order(policy, MM_ACTION_DENY, self->jobs[host].host);
        policy->order.until_ms = SIM_UNIX_MS + self->now_ms + 1 + (int64_t)below(policy, DENIED_MS);
        break;
    case 4:
        set_order(policy, MM_ACTION_ABSOLVE, casualty ? casualty : self->jobs[host].host);
        break;
    default: set_order(policy, MM_ACTION_RESUME, ""); break;
    }
}

static void draw_order(sim_t *self)
{
    sim_policy_t *policy = self->policy;
    policy->order = (sim_order_t){0};
    if (self->now_ms >= HELPS_MS)
        draw_help(self);
    else
        draw_any(self);
    policy->order.id.bytes[0] = 0xff; // no job has it
    memcpy(&policy->order.id.bytes[8], &(uint64_t){policy->ordered_count}, sizeof(uint64_t));
    policy->tries = 0;
    policy->is_given = false;
    if (policy->order.action != 0)
        *MM_ARRAY_ADD(policy->ordered, policy->ordered_count, policy->ordered_capacity) =
            (sim_ordered_t){.order = policy->order};
}

static void give_order(sim_t *self)
{
    sim_policy_t *policy = self->policy;
    sim_order_t *order = &policy->order;
    bool is_over = order->action != 0 && ++policy->tries > GIVE_UP;
    policy->order_ms = self->now_ms + AGAIN_MS;
    if (order->action == 0 || is_over)
        draw_order(self);
    if (order->action == 0)
        return;
    sim_process_t *consumer = self->consumer;
    if (!consumer->alive || consumer->paused_until > self->now_ms)
        return;
    mm_order_t given = {.id = order->id,
                        .action = order->action,
                        .name = mm_str(order->name),
                        .until_ms = order->until_ms,
                        .why = mm_str("why"),
                        .actor = mm_str("operator")};
    sim_consumer_step(
        self, (gather_event_t){.kind = GATHER_ORDER, .as.order = {.viewer = 1, .order = &given}});
    policy->is_given = true;
}

// ---- the guard

static void answer_guard(sim_t *self)
{
    sim_policy_t *policy = self->policy;
    sim_process_t *consumer = self->consumer;
    policy->guard_ms = MM_NEVER;
    if (self->now_ms >= policy->change_ms) {
        policy->says_yes = below(policy, 2) == 0;
        policy->change_ms = self->now_ms + 1 + (int64_t)below(policy, CHANGES_MS);
    }
    if (!consumer->alive || consumer->paused_until > self->now_ms)
        return;
    bool says_yes = policy->says_yes || !self->faulty;
    sim_consumer_step(self, (gather_event_t){.kind = GATHER_GUARD, .as.guard.says_yes = says_yes});
}

void sim_operator_time(sim_t *self)
{
    sim_policy_t *policy = self->policy;
    if (!policy || self->over)
        return;
    if (policy->guard_ms <= self->now_ms)
        answer_guard(self);
    if (policy->order_ms <= self->now_ms)
        give_order(self);
}
