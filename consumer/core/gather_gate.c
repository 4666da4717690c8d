// The gate: whether a restart that would begin waits by the policy or an order, and who has a
// place. gather_pass.c says which of those that wait is next. See admission.h.

#include "gather_private.h"
#include "duration.h"
#include "host_fold.h"
#include "string_view.h"

#define DENIED_MS 60000 // between two looks at a denied host

static attempt_t *attempt_of(const gather_t *self, const flight_t *flight)
{
    return attempts_get(&self->flights.attempts, &flight->id);
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
           limits_denied(&self->limits, host_name(flight->host), gather_unix_ms(self)) > 0;
}

mm_reason_t gather_closed(const gather_t *self, const flight_t *flight)
{
    int64_t until_ms;
    mm_reason_t reason = limits_closed(&self->limits, attempt_of(self, flight)->class, self->now_ms,
                                       gather_unix_ms(self), &until_ms);
    bool is_denied = reason == MM_REASON_NONE && gather_is_denied(self, flight);
    return is_denied ? MM_REASON_DENIED : reason;
}

// Asked now: a pass looks at no class that it has to refuse.
mm_reason_t gather_class_reason(const gather_t *self, const class_t *class)
{
    int64_t until_ms;
    bool ends;
    group_t *blocker;
    const resource_t *at_once = &self->flights.resources.at_once;
    mm_reason_t reason =
        limits_closed(&self->limits, class, self->now_ms, gather_unix_ms(self), &until_ms);
    if (reason == MM_REASON_NONE && self->now_ms < self->limits.next_start_ms)
        reason = MM_REASON_RATE;
    if (reason == MM_REASON_NONE && class->waiting)
        reason = limits_room(class, limits_place(&self->limits, host_name(class->waiting->host)),
                             &ends, &blocker);
    if (reason != MM_REASON_NONE)
        return reason;
    return at_once->busy + at_once->grants >= at_once->limit ? MM_REASON_AT_ONCE
                                                             : MM_REASON_NO_SLOT;
}

mm_reason_t gather_gated(const gather_t *self, const flight_t *flight)
{
    const attempt_t *attempt = attempt_of(self, flight);
    if (!flight->is_admitted)
        return gather_class_reason(self, attempt->class);
    mm_reason_t reason = gather_closed(self, flight);
    bool waits = flight->is_retry && self->now_ms < self->limits.next_start_ms;
    return reason == MM_REASON_NONE && waits ? MM_REASON_RATE : reason;
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
    self->gate_is_freed = true;
    if (attempt->row == MM_ROW_ENDED && !gather_is_casualty(attempt))
        limits_set_casualty(&self->limits, host, attempt->class, false);
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
    // An attempt makes a casualty once: its host may have been absolved since (gather_fail). But
    // the state that is read now may be older than this.
    bool is_casualty = gather_is_casualty(attempt);
    bool is_news = is_casualty ? !self->limits.is_complete && !attempt_is_saved(attempt)
                               : !flight->is_admitted && attempt->row == MM_ROW_ENDED;
    if (is_news)
        limits_set_casualty(&self->limits, host_name(flight->host), attempt->class, is_casualty);
    if (!self->limits.is_complete || seq <= self->limits.seq || seq > INT64_MAX)
        return; // no table has the last ones (R16)
    self->limits.seq = seq;
    self->gate_is_freed = true;
    if (limits_ended(&self->limits, attempt->class, result->outcome, is_casualty,
                     gather_unix_ms(self)))
        self->gate_is_dirty = true;
    gather_say_trips(self);
}

// ---- who waits

void gather_wait_denied(gather_t *self, flight_t *flight, const place_t *place)
{
    int64_t left_ms = mm_earlier(place->denied_ms - gather_unix_ms(self), DENIED_MS);
    flight_set_restart(&self->flights, flight, RESTART_BACKOFF, self->now_ms + left_ms);
}

void gather_gate(gather_t *self, flight_t *flight)
{
    gather_leave_place(self, flight);
    const place_t *place = limits_place(&self->limits, host_name(flight->host));
    if (place && place->denied_ms > gather_unix_ms(self)) { // it is the first of nobody (G9)
        gather_wait_denied(self, flight, place);
        return;
    }
    flight_wait_in_class(&self->flights, flight, place && place->is_casualty);
    class_t *class = attempt_of(self, flight)->class;
    if (class->waiting == flight)
        gather_look_again(self, class);
}

void gather_admit(gather_t *self, flight_t *flight)
{
    gather_take_place(self, flight);
    flight->is_retry = false;
    limits_start(&self->limits, self->now_ms);
    if (flight->is_patient) {
        flight_set_impatient(&self->flights, flight, self->now_ms + self->config.max_lease_ms);
        flight_set_extended(&self->flights, flight, self->now_ms + self->config.extend_every_ms);
    }
    flight_set_restart(&self->flights, flight, RESTART_READY, 0);
}

void gather_apply_clock(gather_t *self, int64_t unix_now_ms)
{
    self->unix_offset_ms = unix_now_ms - self->now_ms;
    self->gate_is_dirty = true;
}
