// What holds restarts back, for viewers. It changes no decision. See gather.h.

#include "gather_private.h"

gather_held_t gather_held(const gather_t *self)
{
    const limits_t *limits = &self->limits;
    gather_held_t held = {.has_policy = limits->is_given,
                          .is_halted = limits->is_halted,
                          .is_known = !self->is_real || limits->is_complete,
                          .is_rehearsal = !self->is_real && flights_count(&self->flights) > 0,
                          .groups = limits->is_given ? limits->group_count : 0};
    for (size_t i = 0; i < held.groups; i++)
        held.tripped += limits->groups[i].is_tripped;
    return held;
}

static int64_t limit_of(uint32_t hosts)
{
    return hosts == UINT32_MAX ? -1 : (int64_t)hosts;
}

static int64_t instant_of(int64_t unix_ms)
{
    return unix_ms == MM_NEVER ? -1 : unix_ms;
}

// Who waits, and why the first one does.
static void count_waiting(const gather_t *self, const group_t *group, gather_group_t *cursor)
{
    cursor->waiting = 0;
    cursor->reason = NULL;
    for (size_t i = 0; i < self->limits.listed_count; i++) {
        const class_t *class = self->limits.listed[i];
        for (size_t j = 0; class->waiting && j < class->group_count; j++) {
            if (class->groups[j] != group)
                continue;
            cursor->waiting += class->waiting_count;
            if (!cursor->reason)
                cursor->reason = mm_reason_name(gather_gated(self, class->waiting));
        }
    }
}

static void fill_ramp(const group_t *group, gather_group_t *cursor)
{
    bool is_in_step = group->step < group->rules.ramp_count;
    cursor->steps = group->rules.ramp_count;
    cursor->step = cursor->steps > 0 ? group->step + 1 : 0;
    cursor->step_hosts = is_in_step ? (int64_t)group->ramp[group->step] : -1;
    cursor->proven = group->proven;
    cursor->baked_ms = group->step_ended_ms > 0 ? group->step_ended_ms + group->rules.bake_ms : 0;
}

const char *gather_holder(const gather_t *self, const flight_t *flight, mm_reason_t reason)
{
    if (!flight->has_attempt)
        return NULL;
    const group_t *holder =
        limits_holder(&self->limits, attempts_get(&self->flights.attempts, &flight->id)->class,
                      limits_place(&self->limits, host_name(flight->host)), reason, self->now_ms,
                      self->now_ms + self->unix_offset_ms);
    return holder ? holder->rules.name : NULL;
}

bool gather_next_group(const gather_t *self, gather_group_t *cursor)
{
    const limits_t *limits = &self->limits;
    size_t count = limits->is_given ? limits->group_count : 0;
    while (cursor->only_tripped && cursor->next < count && !limits->groups[cursor->next].is_tripped)
        cursor->next++;
    if (cursor->next >= count)
        return false;
    const group_t *group = &limits->groups[cursor->next++];
    cursor->name = group->rules.name;
    cursor->hosts = group->hosts;
    cursor->cap = limit_of(group->cap);
    cursor->budget = limit_of(group->budget);
    cursor->in_progress = group->in_progress;
    cursor->casualties = group->casualties;
    count_waiting(self, group, cursor);
    fill_ramp(group, cursor);
    cursor->is_tripped = group->is_tripped;
    cursor->why = group->is_tripped ? group->why : "";
    int64_t opens_ms, closes_ms;
    limits_window(group, self->now_ms + self->unix_offset_ms, &opens_ms, &closes_ms);
    cursor->opens_ms = instant_of(opens_ms);
    cursor->closes_ms = instant_of(closes_ms);
    return true;
}
