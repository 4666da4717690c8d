// The gate: when a restart that would begin waits by the policy or an order, and in which order
// restarts that wait are admitted. A pass looks at the first flight of each class (group_limits.h),
// in the order of acceptance, and admits one for which there is a place. One that has been refused
// for a minute, only since restarts in progress have its places, reserves them: so nobody starves
// (G9). When nothing but places has changed, a class whose group still has none is passed over: a
// look costs as much as the rest of a job. See admission.h.

#include "gather_private.h"
#include "duration.h"
#include "host_fold.h"
#include "string_view.h"

#include <utlist.h>

#define PASSED_MS 60000 // that a first flight may be passed over
#define DENIED_MS 60000 // between two looks at a denied host
#define AGAIN_MS  1000  // between two looks at a host that another flight has
#define GUARD_MS  10000 // how long the guard's answer holds, and between two questions
#define SAID_MS   10000 // between two lines on why a class waits
#define MOVED_MAX 16    // classes that are sorted in at once

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
    if (!self->limits.is_complete || seq <= self->limits.seq || seq > INT64_MAX)
        return; // no table has the last ones (R16)
    self->limits.seq = seq;
    self->gate_is_freed = true;
    if (limits_ended(&self->limits, attempt->class, result->outcome, gather_is_casualty(attempt),
                     unix_ms(self)))
        self->gate_is_dirty = true;
    gather_say_trips(self);
}

// ---- who waits

static void wait_for(gather_t *self, flight_t *flight, int64_t delay_ms)
{
    flight_set_restart(&self->flights, flight, RESTART_BACKOFF, self->now_ms + delay_ms);
}

static void wait_denied(gather_t *self, flight_t *flight, const place_t *place)
{
    wait_for(self, flight, mm_earlier(place->denied_ms - unix_ms(self), DENIED_MS));
}

void gather_gate(gather_t *self, flight_t *flight)
{
    gather_leave_place(self, flight);
    const place_t *place = limits_place(&self->limits, host_name(flight->host));
    if (place && place->denied_ms > unix_ms(self)) { // it is the first of nobody (G9)
        wait_denied(self, flight, place);
        return;
    }
    flight_wait_in_class(&self->flights, flight, place && place->is_casualty);
    class_t *class = attempt_of(self, flight)->class;
    if (class->waiting != flight)
        return;
    class->closed_until_ms = 0; // while nobody waited, nobody has looked
    class->blocker = NULL;
    self->gate_is_freed = true;
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

// The first one of the class whose host may have a place, and the one that it has; NULL: there is
// none. The others leave the queue for a while.
static flight_t *first_of(gather_t *self, class_t *class, const place_t **ret_own)
{
    for (flight_t *flight; (flight = class->waiting) != NULL;) {
        const place_t *place = limits_place(&self->limits, host_name(flight->host));
        *ret_own = place;
        if (place && place->denied_ms > unix_ms(self))
            wait_denied(self, flight, place);
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

// Puts the class at its place among the first `count`, which are in order. Returns that.
static size_t insert(limits_t *limits, size_t count, class_t *class)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_before(class, limits->listed[middle]))
            high = middle;
        else
            low = middle + 1;
    }
    memmove(&limits->listed[low + 1], &limits->listed[low], (count - low) * sizeof class);
    limits->listed[low] = class;
    class->is_moved = false;
    return low;
}

// Mostly one or two have a new first flight.
static void sort_classes(limits_t *limits)
{
    class_t *moved[MOVED_MAX];
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < limits->listed_count; i++) {
        class_t *class = limits->listed[i];
        if (class->is_moved && count < MOVED_MAX)
            moved[count++] = class;
        else if (class->is_moved)
            (void)insert(limits, kept++, class);
        else
            limits->listed[kept++] = class;
    }
    while (count > 0)
        (void)insert(limits, kept++, moved[--count]);
}

static void ask_guard(gather_t *self)
{
    if (self->guard_ask_ms > self->now_ms)
        return;
    self->guard_ask_ms = self->now_ms + GUARD_MS;
    (void)gather_act(self, GATHER_ASK_GUARD);
}

// Why nothing of the class may begin, irrespective of its first flight.
static mm_reason_t closed(gather_t *self, class_t *class)
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
    class->closed_until_ms = reason == MM_REASON_NONE ? 0 : until_ms;
    return reason;
}

// Whether the class waits for what it has waited for in the last look, if only places have changed.
static bool waits_still(gather_t *self, const class_t *class)
{
    int64_t until_ms = class->closed_until_ms;
    if (until_ms <= self->now_ms) {
        until_ms = class->first_ms + PASSED_MS;
        if (!class->blocker || class->blocker->has_room || class->first_ms == 0 ||
            until_ms <= self->now_ms)
            return false;
    }
    if (until_ms < self->gate_due_ms)
        self->gate_due_ms = until_ms;
    return true;
}

// The first one of the class, if it may begin; else its class knows why not.
static flight_t *look_at(gather_t *self, class_t *class)
{
    mm_reason_t reason = closed(self, class);
    const place_t *own = NULL;
    flight_t *flight = reason == MM_REASON_NONE ? first_of(self, class, &own) : NULL;
    bool ends = false;
    class->blocker = NULL;
    if (flight)
        reason = limits_room(class, own, &ends, &class->blocker);
    if (own)
        class->blocker = NULL; // it has less to find room for
    else if (class->blocker)
        class->blocker->has_room = false;
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

// A restart that a former consumer has handed out may last longer than any of this one's: as long
// as a worker has it, it keeps its place.
static bool is_at_worker(const gather_t *self, mm_str_t folded)
{
    const host_t *host;
    char name[MM_HOST_MAX];
    for (size_t at = 0; (host = mm_table_next(&self->flights.hosts.table, &at)) != NULL;)
        if (host->restarts.busy > 0 && mm_str_equal(mm_host_fold(host_name(host), name), folded))
            return true;
    return false;
}

static void expire(gather_t *self)
{
    limits_t *limits = &self->limits;
    for (const place_t *place; (place = limits_expired(limits, self->now_ms)) != NULL;) {
        mm_str_t host = {place->host, place->size};
        bool stays = is_at_worker(self, host);
        self->gate_is_dirty = self->gate_is_dirty || !stays;
        limits_leave(limits, host, stays ? self->now_ms + self->config.lost_after_ms : 0);
    }
}

void gather_gate_time(gather_t *self)
{
    limits_t *limits = &self->limits;
    for (const group_t *group; (group = limits_step(limits, unix_ms(self))) != NULL;) {
        gather_news(self, GATHER_NEWS_STEP)->as.news.name = group->rules.name;
        self->gate_is_dirty = true;
    }
    expire(self);
    if (self->gate_is_passing) { // it ended for want of slots
        self->gate_is_freed = true;
        self->gate_is_dirty = self->gate_is_dirty || self->gate_looks_at_all;
    }
    if (self->now_ms < self->gate_due_ms)
        return;
    self->gate_is_dirty = true;
    self->gate_due_ms = MM_NEVER;
}

static void begin_pass(gather_t *self)
{
    bool was_cut_off = self->gate_is_passing && self->gate_looks_at_all;
    self->gate_looks_at_all = self->gate_is_dirty || was_cut_off;
    self->gate_is_dirty = self->gate_is_freed = false;
    self->gate_is_passing = true;
    self->gate_at = 0;
    self->gate_due_ms = MM_NEVER;
    limits_reserve_nothing(&self->limits);
    if (!self->gate_looks_at_all)
        limits_see_room(&self->limits);
    sort_classes(&self->limits);
}

// The class whose first flight was admitted goes behind those that are before its next one.
static void sort_in(gather_t *self)
{
    limits_t *limits = &self->limits;
    size_t at = self->gate_at, behind = limits->listed_count - at - 1;
    class_t *class = limits->listed[at];
    memmove(&limits->listed[at], &limits->listed[at + 1], behind * sizeof class);
    if (insert(limits, limits->listed_count - 1, class) < at)
        self->gate_is_freed = true; // its next one was tried before
}

// An admission takes places, so those in front of it are refused as before: the pass goes on there.
flight_t *gather_next_gated(gather_t *self)
{
    const limits_t *limits = &self->limits;
    if (self->gate_is_dirty || self->gate_is_freed)
        begin_pass(self);
    else if (self->gate_is_passing && limits->listed[self->gate_at]->is_moved)
        sort_in(self);
    while (self->gate_is_passing && self->gate_at < limits->listed_count) {
        class_t *class = limits->listed[self->gate_at];
        flight_t *flight = NULL;
        if (class->waiting && (self->gate_looks_at_all || !waits_still(self, class)))
            flight = look_at(self, class);
        if (flight) {
            class->reason = MM_REASON_NONE;
            return flight;
        }
        self->gate_at++;
    }
    self->gate_is_passing = false;
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
