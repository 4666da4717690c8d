// What each limit says of a host at this moment, and what an outcome does to ramps and breakers.

#include "judge_private.h"

#include <stdarg.h>
#include <stdio.h>

uint32_t judge_amount(const group_t *group, const amount_t *amount)
{
    return amount->is_percent ? (uint32_t)((uint64_t)group->hosts * amount->value / 100)
                              : amount->value;
}

// ---- ramps

// A share of few hosts is one.
static uint32_t step_size(const group_t *group)
{
    uint32_t hosts = judge_amount(group, &group->ramp[group->step]);
    return hosts > 0 ? hosts : 1;
}

static bool is_in_ramp(const group_t *group)
{
    return group->step < group->ramp_count;
}

// A step that has baked is over.
static void advance(const judge_t *self, group_t *group)
{
    if (!group->is_baking || self->now_ms - group->baking_ms < group->bake_ms)
        return;
    group->step++;
    group->proven = 0;
    group->is_baking = false;
}

static void count_proof(const judge_t *self, group_t *group)
{
    if (!is_in_ramp(group) || group->is_baking || ++group->proven < step_size(group))
        return;
    group->is_baking = true;
    group->baking_ms = self->now_ms;
}

// ---- breakers

static bool should_trip(const group_t *group)
{
    for (size_t i = 0; i < group->breaker_count; i++) {
        uint32_t dead = 0;
        for (size_t back = 1; back <= group->breakers[i].of_last && back <= group->outcomes; back++)
            dead += group->is_dead[(group->outcomes - back) % LAST_MAX];
        if (dead >= group->breakers[i].failures)
            return true;
    }
    return false;
}

void judge_count_end(judge_t *self, host_t *host, end_t end, bool is_casualty)
{
    bool is_proof = (end == END_RESTARTED || end == END_SKIPPED) && !host->is_proven;
    for (size_t i = 0; i < host->group_count; i++) {
        group_t *group = &self->groups[host->groups[i]];
        advance(self, group);
        bool is_due = is_casualty && end != END_FAILED && is_in_ramp(group);
        if (is_proof)
            count_proof(self, group);
        if (end == END_RESTARTED || end == END_DEAD) {
            group->is_dead[group->outcomes++ % LAST_MAX] = end == END_DEAD;
            is_due = is_due || (end == END_DEAD && should_trip(group));
        }
        if (is_due && !group->is_due && !group->is_tripped)
            group->held_ms = self->now_ms;
        group->is_due = group->is_due || is_due;
    }
    host->is_proven = host->is_proven || is_proof;
}

// ---- objections

static void object(objections_t *objections, judge_rule_t rule, uint32_t group, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));

static void object(objections_t *objections, judge_rule_t rule, uint32_t group, const char *format,
                   ...)
{
    if (objections->count == OBJECTIONS_MAX)
        return;
    va_list arguments;
    va_start(arguments, format);
    objections->items[objections->count].rule = rule;
    objections->items[objections->count].group = group;
    (void)vsnprintf(objections->items[objections->count].words, sizeof objections->items[0].words,
                    format, arguments);
    va_end(arguments);
    objections->count++;
}

static void weigh_places(judge_t *self, const host_t *host, uint32_t index,
                         objections_t *objections)
{
    group_t *group = &self->groups[index];
    advance(self, group);
    bool has_place = host->is_in_progress || host->is_open;
    uint32_t cap = judge_amount(group, &group->cap);
    uint32_t most = judge_amount(group, &group->max_unavailable);
    if (group->cap.is_set && !has_place && group->places >= cap)
        object(objections, JUDGE_CAP, index, "%u have places, the cap is %u", group->places, cap);
    if (group->max_unavailable.is_set && !has_place && !host->is_casualty &&
        group->unavailable >= most)
        object(objections, JUDGE_UNAVAILABLE, index, "%u are unavailable, of at most %u",
               group->unavailable, most);
    if (!is_in_ramp(group) || host->is_in_step)
        return;
    if (group->is_baking)
        object(objections, JUDGE_RAMP, index, "step %zu bakes since %lld ms", group->step + 1,
               (long long)(self->now_ms - group->baking_ms));
    else if (group->in_step + group->proven >= step_size(group))
        object(objections, JUDGE_RAMP, index, "step %zu has %u hosts, %u proven and %u under way",
               group->step + 1, step_size(group), group->proven, group->in_step);
}

static void weigh_window(const judge_t *self, uint32_t index, int64_t tolerance_ms,
                         objections_t *objections)
{
    const group_t *group = &self->groups[index];
    int64_t now_ms = self->now_ms, last_ms = group->last_start_ms;
    if (!group->has_window)
        return;
    last_ms = last_ms > self->permit_ms ? last_ms : self->permit_ms; // what goes out then is sent
    for (size_t i = 0; i < group->opening_count; i++) {
        const opening_t *opening = &group->openings[i];
        int64_t ends_ms = opening->closes_ms - last_ms + tolerance_ms;
        if (now_ms < opening->opens_ms || (now_ms >= opening->closes_ms && now_ms >= ends_ms))
            continue;
        if (now_ms >= ends_ms)
            object(objections, JUDGE_LAST_START, index, "it closes in %lld ms",
                   (long long)(opening->closes_ms - now_ms));
        return;
    }
    object(objections, JUDGE_WINDOW, index, "it is closed");
}

static void weigh_breaker(const judge_t *self, uint32_t index, int64_t tolerance_ms,
                          objections_t *objections)
{
    const group_t *group = &self->groups[index];
    long long held_ms = self->now_ms - group->held_ms;
    int64_t trips_ms = tolerance_ms > self->late_ms ? tolerance_ms : self->late_ms;
    if (group->is_tripped && held_ms >= tolerance_ms)
        object(objections, JUDGE_TRIP, index, "it has tripped %lld ms ago", held_ms);
    else if (group->is_due && held_ms >= trips_ms)
        object(objections, JUDGE_BREAKER, index, "it should have tripped %lld ms ago", held_ms);
}

// What holds back a start as well as a command; a halt does so up to the command itself.
static void weigh_both(const judge_t *self, const host_t *host, int64_t halt_ms,
                       int64_t tolerance_ms, objections_t *objections)
{
    int64_t now_ms = self->now_ms;
    if (self->is_halted && now_ms - self->halted_ms >= halt_ms)
        object(objections, JUDGE_HALT, NO_GROUP, "halted %lld ms ago",
               (long long)(now_ms - self->halted_ms));
    if (host->is_denied && (host->until_ms == 0 || now_ms < host->until_ms) &&
        now_ms - host->denied_ms >= tolerance_ms)
        object(objections, JUDGE_DENY, NO_GROUP, "denied %lld ms ago",
               (long long)(now_ms - host->denied_ms));
    if (self->has_guard && !self->has_yes && now_ms - self->guard_ms >= tolerance_ms)
        object(objections, JUDGE_GUARD, NO_GROUP, "it has not said yes");
    else if (self->has_guard && now_ms - self->guard_ms > GUARD_MS + tolerance_ms)
        object(objections, JUDGE_GUARD, NO_GROUP, "it has said yes %lld ms ago",
               (long long)(now_ms - self->guard_ms));
    for (size_t i = 0; i < host->group_count; i++) {
        weigh_breaker(self, host->groups[i], tolerance_ms, objections);
        weigh_window(self, host->groups[i], tolerance_ms, objections);
    }
}

static void weigh_rate(const judge_t *self, objections_t *objections)
{
    if (self->rate == 0 || self->start_count < self->rate)
        return;
    long long span_ms = self->now_ms - self->start_ms[self->start_count - self->rate];
    if (span_ms < self->rate_ms)
        object(objections, JUDGE_RATE, WHOLE_RUN, "%u have started in the last %lld ms", self->rate,
               span_ms);
}

void judge_weigh_start(judge_t *self, const host_t *host, objections_t *ret_objections)
{
    if (!self->has_state)
        object(ret_objections, JUDGE_STATE, NO_GROUP, "the record's state is not known");
    if (host->is_in_progress)
        object(ret_objections, JUDGE_TWO_PLACES, NO_GROUP, "it is in progress since %lld ms",
               (long long)(self->now_ms - host->start_ms));
    int64_t late_ms = self->is_late ? self->late_ms : 0;
    weigh_both(self, host, late_ms, late_ms, ret_objections);
    weigh_rate(self, ret_objections);
    for (size_t i = 0; i < host->group_count; i++)
        weigh_places(self, host, host->groups[i], ret_objections);
}

// More are unavailable than may be, by what was found on record: also who is one of them waits.
void judge_weigh_waiting(judge_t *self, const host_t *host, objections_t *ret_objections)
{
    judge_weigh_start(self, host, ret_objections);
    for (size_t i = 0; i < host->group_count; i++) {
        const group_t *group = &self->groups[host->groups[i]];
        uint32_t most = judge_amount(group, &group->max_unavailable);
        if (group->max_unavailable.is_set && group->unavailable > most)
            object(ret_objections, JUDGE_UNAVAILABLE, host->groups[i], "%u are unavailable",
                   group->unavailable);
    }
}

void judge_weigh_command(const judge_t *self, const host_t *host, int64_t tolerance_ms,
                         objections_t *ret_objections)
{
    if (!host->is_in_progress && !host->is_open)
        object(ret_objections, JUDGE_NO_PLACE, NO_GROUP, "it has no place");
    int64_t halt_ms = tolerance_ms + (self->is_late ? self->late_ms : 0);
    weigh_both(self, host, halt_ms, halt_ms + (tolerance_ms > 0 ? self->before_ms : 0),
               ret_objections);
}
