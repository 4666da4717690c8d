// Ramps and breakers: what the outcomes of a run have come to. See group_limits.h.

#include "group_limits.h"
#include "array.h"
#include "duration.h"
#include "string_view.h"

#include <stdio.h>
#include <stdlib.h>

static void push(group_t *group, bool is_failure)
{
    if (group->last_size == 0)
        return;
    group->last[group->last_at] = is_failure;
    group->last_at = (group->last_at + 1) % group->last_size;
    group->last_count += group->last_count < group->last_size;
}

static bool breaks(const group_t *group, const mm_breaker_t *breaker)
{
    uint32_t failures = 0;
    size_t looked = group->last_count < breaker->of_last ? group->last_count : breaker->of_last;
    for (size_t i = 1; i <= looked; i++)
        failures += group->last[(group->last_at + group->last_size - i) % group->last_size];
    return failures >= breaker->failures;
}

static void trip(group_t *group)
{
    group->is_tripped = true;
    group->is_told = false;
}

static void check_breaker(group_t *group, const mm_breaker_t *breaker)
{
    if (group->is_tripped || !breaks(group, breaker))
        return;
    (void)snprintf(group->why, sizeof group->why, "%u of the last %u failed", breaker->failures,
                   breaker->of_last);
    trip(group);
}

static bool is_in_ramp(const group_t *group)
{
    return group->step < group->rules.ramp_count;
}

// Whether its step ends with that.
static bool end_in_ramp(group_t *group, mm_outcome_t outcome, int64_t unix_ms)
{
    bool is_good = outcome == MM_OUTCOME_RESTARTED || outcome == MM_OUTCOME_SKIPPED;
    if (!is_in_ramp(group) || !is_good || group->step_ended_ms > 0 ||
        ++group->proven < group->ramp[group->step])
        return false;
    group->step_ended_ms = mm_later(unix_ms, 1);
    return true;
}

bool limits_ended(limits_t *self, class_t *class, mm_outcome_t outcome, bool is_casualty,
                  int64_t unix_ms)
{
    bool is_failure = outcome == MM_OUTCOME_DEAD, closes = false;
    while (limits_step(self, unix_ms))
        ;
    for (size_t i = 0; i < class->group_count; i++) {
        group_t *group = class->groups[i];
        closes = end_in_ramp(group, outcome, unix_ms) || closes;
        if (is_in_ramp(group) && is_casualty && !group->is_tripped) {
            (void)snprintf(group->why, sizeof group->why, "a casualty in step %zu of the ramp",
                           group->step + 1);
            trip(group);
        }
        if (!is_failure && outcome != MM_OUTCOME_RESTARTED)
            continue;
        push(group, is_failure);
        for (size_t j = 0; is_failure && j < group->rules.breaker_count; j++)
            check_breaker(group, &group->rules.breakers[j]);
    }
    self->has_baking = self->has_baking || closes;
    return closes;
}

void limits_trip(limits_t *self, mm_str_t name, mm_str_t why)
{
    group_t *group = limits_find(self, name);
    if (!group)
        return;
    group->is_recorded = true;
    (void)snprintf(group->why, sizeof group->why, "%.*s", (int)why.size, why.data ? why.data : "");
}

void limits_resumed(limits_t *self, mm_str_t name)
{
    group_t *group = limits_find(self, name);
    if (!group)
        return;
    group->is_tripped = group->is_told = false;
    group->last_count = 0;
}

group_t *limits_tripped(limits_t *self)
{
    for (size_t i = 0; i < self->group_count; i++)
        if (self->groups[i].is_tripped && !self->groups[i].is_told) {
            self->groups[i].is_told = true;
            return &self->groups[i];
        }
    return NULL;
}

static void forget_places(limits_t *self)
{
    place_t **found = NULL;
    size_t found_count = 0, capacity = 0;
    place_t *place;
    for (size_t at = 0; (place = mm_table_next(&self->places, &at)) != NULL;)
        if (place->is_open || place->is_casualty || place->denied_ms > 0)
            *MM_ARRAY_ADD(found, found_count, capacity) = place;
    for (size_t i = 0; i < found_count; i++)
        limits_forget(self, found[i]);
    free(found);
}

void limits_reset(limits_t *self)
{
    for (size_t i = 0; i < self->group_count; i++) {
        group_t *group = &self->groups[i];
        group->step = 0;
        group->proven = 0;
        group->step_ended_ms = 0;
        group->is_tripped = group->is_told = group->is_recorded = false;
        group->last_at = group->last_count = 0;
    }
    self->is_complete = self->has_halt = false;
    self->seq = 0;
    forget_places(self);
}

static void apply_begun(limits_t *self, const mm_entry_t *entry, int64_t open_until_ms)
{
    class_t *class = limits_class(self, entry->groups);
    if (entry->is_casualty)
        limits_set_casualty(self, entry->name, class, true);
    const place_t *place = limits_place(self, entry->name);
    if (place && place->is_running)
        return;
    limits_take(self, entry->name, class);
    limits_leave(self, entry->name, open_until_ms);
}

static void apply_ended(limits_t *self, const mm_entry_t *entry)
{
    class_t *class = limits_class(self, entry->groups);
    if (entry->outcome == MM_OUTCOME_NONE) {
        limits_set_casualty(self, entry->name, class, true);
        return;
    }
    (void)limits_ended(self, class, entry->outcome, entry->is_casualty,
                       mm_earlier(entry->at_ms, MM_NEVER / 2)); // a record may be damaged
    self->seq = entry->seq;
}

void limits_apply_entry(limits_t *self, const mm_entry_t *entry, int64_t open_until_ms)
{
    switch (entry->action) {
    case MM_ACTION_HALT: self->has_halt = true; break;
    case MM_ACTION_TRIP: limits_trip(self, entry->name, entry->why); break;
    case MM_ACTION_RESUME: limits_resumed(self, entry->name); break;
    case MM_ACTION_DENY: limits_deny(self, entry->name, entry->until_ms); break;
    case MM_ACTION_BEGUN: apply_begun(self, entry, open_until_ms); break;
    case MM_ACTION_ENDED: apply_ended(self, entry); break;
    case MM_ACTION_ABSOLVE:
    case MM_ACTION_RUN:
    case MM_ACTION_TAKE_OVER: break;
    }
}

void limits_complete(limits_t *self, int64_t now_ms)
{
    bool has_begun = self->seq > 0 || self->open.count > 0;
    if (self->next_start_ms == 0 && has_begun)
        limits_start(self, now_ms);
    for (size_t i = 0; i < self->group_count; i++) {
        group_t *group = &self->groups[i];
        if (group->is_recorded)
            group->is_tripped = group->is_told = true;
        group->is_recorded = false;
    }
    self->is_halted = self->has_halt;
    self->is_complete = true;
}

const group_t *limits_step(limits_t *self, int64_t unix_ms)
{
    if (!self->has_baking)
        return NULL;
    self->has_baking = false; // unless one is still
    for (size_t i = 0; i < self->group_count; i++) {
        group_t *group = &self->groups[i];
        self->has_baking = self->has_baking || group->step_ended_ms > 0;
        if (group->step_ended_ms == 0 || unix_ms < group->step_ended_ms + group->rules.bake_ms)
            continue;
        group->step++;
        group->proven = 0;
        group->step_ended_ms = 0;
        self->has_baking = true; // those behind it were not looked at
        return group;
    }
    return NULL;
}
