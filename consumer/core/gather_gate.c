// The gate: when a restart that would begin waits by the policy or an order, and in which order
// restarts that wait are admitted. A pass looks at the first flight of each class (group_limits.h),
// in the order of acceptance, and admits one for which there is a place. One that has been refused
// for a minute, only since restarts in progress have its places, reserves them: so nobody starves
// (G9). See admission.h.

#include "gather_private.h"
#include "duration.h"
#include "string_view.h"

#include <utlist.h>

#define PASSED_MS 60000 // that a first flight may be passed over
#define DENIED_MS 60000 // between two looks at a denied host
#define AGAIN_MS  1000  // between two looks at a host that another flight has
#define GUARD_MS  10000 // how long the guard's answer holds, and between two questions
#define SAID_MS   10000 // between two lines on why a class waits

static attempt_t *attempt_of(const gather_t *self, const flight_t *flight)
{
    return attempts_get(&self->flights.attempts, &flight->id);
}

static int64_t unix_ms(const gather_t *self)
{
    return self->now_ms + self->unix_offset_ms;
}

class_t *gather_class(gather_t *self, const flight_t *flight)
{
    mm_str_t groups = {0};
    if (flight->has_attributes)
        (void)mm_attributes_find(attribute_records_get(&self->flights.attributes, &flight->id),
                                 mm_str("groups"), &groups);
    return limits_class(&self->limits, groups);
}

bool gather_is_denied(const gather_t *self, const flight_t *flight)
{
    return self->limits.places.count > 0 &&
           limits_denied(&self->limits, host_name(flight->host), unix_ms(self)) > 0;
}

mm_reason_t gather_closed(const gather_t *self, const flight_t *flight)
{
    int64_t until_ms;
    mm_reason_t reason = limits_closed(&self->limits, attempt_of(self, flight)->class, self->now_ms,
                                       unix_ms(self), &until_ms);
    bool is_denied = reason == MM_REASON_NONE && gather_is_denied(self, flight);
    return is_denied ? MM_REASON_DENIED : reason;
}

// What the last pass has found of room may be as old as the last change; while restarts in progress
// or workers have no room for anybody, there is no pass.
mm_reason_t gather_class_reason(const gather_t *self, const class_t *class)
{
    int64_t until_ms;
    const resource_t *at_once = &self->flights.resources.at_once;
    mm_reason_t reason =
        limits_closed(&self->limits, class, self->now_ms, unix_ms(self), &until_ms);
    if (reason == MM_REASON_NONE && class->reason >= MM_REASON_RATE)
        reason = class->reason;
    if (reason != MM_REASON_NONE)
        return reason;
    return at_once->busy + at_once->grants >= at_once->limit ? MM_REASON_AT_ONCE
                                                             : MM_REASON_NO_SLOT;
}

mm_reason_t gather_gated(const gather_t *self, const flight_t *flight)
{
    return flight->is_admitted ? gather_closed(self, flight)
                               : gather_class_reason(self, attempt_of(self, flight)->class);
}

// ---- places

bool gather_is_casualty(const attempt_t *attempt)
{
    mm_end_t end = attempt->end;
    return attempt->row == MM_ROW_ENDED &&
           (end == MM_END_UNHEALTHY || end == MM_END_UNREACHABLE || end == MM_END_WRONG_HOST ||
            end == MM_END_INTERRUPTED || end == MM_END_LEFT_RUNNING);
}

void gather_take_place(gather_t *self, flight_t *flight)
{
    if (flight->is_admitted)
        return;
    flight->is_admitted = true;
    limits_take(&self->limits, host_name(flight->host), attempt_of(self, flight)->class);
}

void gather_leave_place(gather_t *self, flight_t *flight)
{
    if (!flight->is_admitted)
        return;
    const attempt_t *attempt = attempt_of(self, flight);
    mm_str_t host = host_name(flight->host);
    bool is_open = attempt->row == MM_ROW_BEGUN || attempt->row == MM_ROW_OPEN;
    flight->is_admitted = false;
    self->gate_is_dirty = true;
    if (attempt->row == MM_ROW_ENDED)
        limits_set_casualty(&self->limits, host, attempt->class, gather_is_casualty(attempt));
    limits_leave(&self->limits, host,
                 is_open ? self->now_ms + self->config.lost_after_ms + self->config.attempt_ms : 0);
}

void gather_count_outcome(gather_t *self, const flight_t *flight, const mm_result_t *result)
{
    const attempt_t *attempt = attempt_of(self, flight);
    const place_t *place = limits_place(&self->limits, host_name(flight->host));
    uint64_t seq = result->real ? result->real->seq : 0;
    if (place && place->is_open && !place->is_running)
        limits_leave(&self->limits, host_name(flight->host), 0);
    if (!flight->is_admitted && attempt->row == MM_ROW_ENDED)
        limits_set_casualty(&self->limits, host_name(flight->host), attempt->class,
                            gather_is_casualty(attempt));
    if (!self->limits.is_complete || seq <= self->limits.seq)
        return;
    self->limits.seq = seq;
    self->gate_is_dirty = true;
    limits_ended(&self->limits, attempt->class, result->outcome, gather_is_casualty(attempt),
                 unix_ms(self));
    gather_say_trips(self);
}

// ---- who waits

void gather_gate(gather_t *self, flight_t *flight)
{
    gather_leave_place(self, flight);
    const place_t *place = limits_place(&self->limits, host_name(flight->host));
    flight_wait_in_class(&self->flights, flight, place && place->is_casualty);
    self->gate_is_dirty = self->gate_is_dirty || attempt_of(self, flight)->class->waiting == flight;
}

void gather_admit(gather_t *self, flight_t *flight)
{
    gather_take_place(self, flight);
    limits_start(&self->limits, self->now_ms);
    if (flight->is_patient) {
        flight_set_impatient(&self->flights, flight, self->now_ms + self->config.max_lease_ms);
        flight_set_extended(&self->flights, flight, self->now_ms + self->config.extend_every_ms);
    }
    flight_set_restart(&self->flights, flight, RESTART_READY, 0);
}

static void wait_for(gather_t *self, flight_t *flight, int64_t delay_ms)
{
    flight_set_restart(&self->flights, flight, RESTART_BACKOFF, self->now_ms + delay_ms);
}

// The first one of the class whose host may have a place; NULL: there is none. The others leave the
// queue for a while.
static flight_t *first_of(gather_t *self, class_t *class)
{
    for (flight_t *flight; (flight = class->waiting) != NULL;) {
        mm_str_t host = host_name(flight->host);
        const place_t *place = limits_place(&self->limits, host);
        int64_t denied_ms = limits_denied(&self->limits, host, unix_ms(self));
        if (denied_ms > 0)
            wait_for(self, flight, mm_earlier(denied_ms - unix_ms(self), DENIED_MS));
        else if ((place && place->is_running) || flight->host->restarts.busy > 0)
            wait_for(self, flight, AGAIN_MS);
        else
            return flight;
    }
    return NULL;
}

// Changes are said, but not each second.
static void set_reason(gather_t *self, class_t *class, mm_reason_t reason)
{
    class->reason = reason;
    if (reason == class->said || reason == MM_REASON_STATE ||
        (class->said_ms > 0 && self->now_ms < class->said_ms + SAID_MS))
        return;
    class->said = reason;
    class->said_ms = self->now_ms;
    gather_action_t *waits = gather_news(self, GATHER_NEWS_WAITS);
    waits->as.news.name = class->name ? class->name : "";
    waits->as.news.reason = mm_reason_name(reason);
    waits->as.news.count = class->waiting_count;
}

static bool is_before(const class_t *a, const class_t *b)
{
    return a->waiting && (!b->waiting || mm_id_compare(&a->waiting->id, &b->waiting->id) < 0);
}

// They are nearly in order: one or two have a new first flight.
static void sort_classes(limits_t *limits)
{
    for (size_t i = 1; i < limits->listed_count; i++) {
        class_t *class = limits->listed[i];
        size_t at = i;
        for (; at > 0 && is_before(class, limits->listed[at - 1]); at--)
            limits->listed[at] = limits->listed[at - 1];
        limits->listed[at] = class;
    }
}

static void ask_guard(gather_t *self)
{
    if (self->guard_ask_ms > self->now_ms)
        return;
    self->guard_ask_ms = self->now_ms + GUARD_MS;
    (void)gather_act(self, GATHER_ASK_GUARD);
}

// Why nothing of the class may begin, whoever is the first.
static mm_reason_t closed(gather_t *self, const class_t *class)
{
    int64_t until_ms;
    mm_reason_t reason =
        limits_closed(&self->limits, class, self->now_ms, unix_ms(self), &until_ms);
    if (reason == MM_REASON_NONE && self->now_ms < self->limits.next_start_ms) {
        reason = MM_REASON_RATE;
        until_ms = self->limits.next_start_ms;
    }
    if (reason == MM_REASON_GUARD) {
        ask_guard(self);
        until_ms = self->guard_ask_ms;
    }
    self->gate_due_ms = mm_earlier(self->gate_due_ms, until_ms);
    return reason;
}

// The first one of the class, if it may begin; else its class knows why not.
static flight_t *look_at(gather_t *self, class_t *class)
{
    mm_reason_t reason = closed(self, class);
    flight_t *flight = reason == MM_REASON_NONE ? first_of(self, class) : NULL;
    bool ends = false;
    if (flight)
        reason = limits_room(class, limits_place(&self->limits, host_name(flight->host)), &ends);
    if (flight && reason == MM_REASON_NONE)
        return flight;
    if (!class->waiting)
        return NULL;
    set_reason(self, class, reason);
    if (!flight || !ends)
        return NULL;
    if (class->first_ms == 0)
        class->first_ms = mm_later(self->now_ms, 1);
    if (self->now_ms >= class->first_ms + PASSED_MS)
        limits_reserve(class);
    else
        self->gate_due_ms = mm_earlier(self->gate_due_ms, class->first_ms + PASSED_MS);
    return NULL;
}

void gather_gate_time(gather_t *self)
{
    limits_t *limits = &self->limits;
    for (const group_t *group; (group = limits_step(limits, unix_ms(self))) != NULL;) {
        gather_news(self, GATHER_NEWS_STEP)->as.news.name = group->rules.name;
        self->gate_is_dirty = true;
    }
    if (limits_expire(limits, self->now_ms))
        self->gate_is_dirty = true;
    if (self->now_ms < self->gate_due_ms)
        return;
    self->gate_is_dirty = true;
    self->gate_due_ms = MM_NEVER;
}

flight_t *gather_next_gated(gather_t *self)
{
    limits_t *limits = &self->limits;
    if (!self->gate_is_dirty)
        return NULL;
    self->gate_due_ms = MM_NEVER;
    limits_reserve_nothing(limits);
    sort_classes(limits);
    for (size_t i = 0; i < limits->listed_count && limits->listed[i]->waiting; i++) {
        flight_t *flight = look_at(self, limits->listed[i]);
        if (!flight)
            continue;
        limits->listed[i]->reason = MM_REASON_NONE;
        return flight;
    }
    self->gate_is_dirty = false;
    return NULL;
}

int64_t gather_gate_deadline(const gather_t *self)
{
    return self->is_real ? mm_earlier(mm_heap_deadline(&self->limits.open), self->gate_due_ms)
                         : MM_NEVER;
}

// ---- what it hears

void gather_apply_guard(gather_t *self, bool says_yes)
{
    if (says_yes)
        self->limits.guard_until_ms = self->now_ms + GUARD_MS;
    self->gate_is_dirty = true;
}

void gather_apply_clock(gather_t *self, int64_t unix_now_ms)
{
    self->unix_offset_ms = unix_now_ms - self->now_ms;
    self->gate_is_dirty = true;
}
