// Which of the restarts that wait at the gate is next. A pass looks at the first flight of each
// class (group_limits.h), in the order of acceptance, and admits one for which there is a place.
// One that has been refused for a minute, only since restarts in progress have its places, reserves
// them: so nobody starves (G9).
//
// A look costs as much as the rest of a job, so a class that was refused waits in the queue of the
// group that has no room for it, or of those that only time or an order can open. When places are
// left, a pass looks at those whose group has room again, one after the other, as long as it has;
// when anything else changes, at all. See admission.h.

#include "gather_private.h"
#include "duration.h"
#include "host_fold.h"
#include "string_view.h"

#define PASSED_MS 60000 // that a first flight may be passed over
#define AGAIN_MS  1000  // between two looks at a host that another flight has
#define GUARD_MS  10000 // how long the guard's answer holds, and between two questions
#define SAID_MS   10000 // between two lines on why a class waits

// ---- a look

// The first one of the class whose host may have a place, and the one that it has; NULL: there is
// none. The others leave the queue for a while.
static flight_t *first_of(gather_t *self, class_t *class, const place_t **ret_own)
{
    for (flight_t *flight; (flight = class->waiting) != NULL;) {
        const place_t *place = limits_place(&self->limits, host_name(flight->host));
        *ret_own = place;
        if (place && place->denied_ms > gather_unix_ms(self))
            gather_wait_denied(self, flight, place);
        else if ((place && place->is_running) || flight->host->restarts.busy > 0)
            flight_set_restart(&self->flights, flight, RESTART_BACKOFF, self->now_ms + AGAIN_MS);
        else
            return flight;
    }
    return NULL;
}

// Changes are said, but not each second.
static void say_reason(gather_t *self, class_t *class, mm_reason_t reason)
{
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
        limits_closed(&self->limits, class, self->now_ms, gather_unix_ms(self), &until_ms);
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

// There is no room for its first flight. ends: restarts in progress have the places.
static void refuse(gather_t *self, class_t *class, group_t *blocker, bool ends)
{
    class_queue_t *queue = blocker ? &blocker->blocked : &self->limits.looked;
    if (blocker)
        blocker->has_room = false;
    if (ends && class->first_ms == 0)
        class->first_ms = mm_later(self->now_ms, 1);
    if (ends && self->now_ms >= class->first_ms + PASSED_MS) {
        limits_reserve(class);
        queue = &self->limits.looked;
    } else if (ends) {
        self->gate_due_ms = mm_earlier(self->gate_due_ms, class->first_ms + PASSED_MS);
    }
    class_queue_join(queue, class);
}

// The first one of the class, if it may begin; else its class knows why not, and waits elsewhere.
static flight_t *look_at(gather_t *self, class_t *class)
{
    const place_t *own = NULL;
    bool ends = false;
    group_t *blocker = NULL;
    mm_reason_t reason = closed(self, class);
    bool is_closed = reason != MM_REASON_NONE;
    flight_t *flight = is_closed ? NULL : first_of(self, class, &own);
    if (!class->waiting) {
        class_queue_leave(class);
        return NULL;
    }
    if (flight)
        reason = limits_room(class, own, &ends, &blocker);
    if (reason == MM_REASON_NONE)
        return flight;
    say_reason(self, class, reason);
    if (is_closed)
        class_queue_join(&self->limits.closed, class);
    else
        refuse(self, class, own ? NULL : blocker, ends); // it has less to find room for
    return NULL;
}

// ---- a pass

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

// While the record is read, its own times say when a step has baked.
static void begin_steps(gather_t *self)
{
    int64_t unix_ms = gather_unix_ms(self);
    if (!self->limits.is_complete)
        return;
    for (const group_t *group; (group = limits_step(&self->limits, unix_ms)) != NULL;) {
        gather_news(self, GATHER_NEWS_STEP)->as.news.name = group->rules.name;
        self->gate_is_dirty = true;
    }
}

void gather_gate_time(gather_t *self)
{
    begin_steps(self);
    expire(self);
    if (self->now_ms < self->gate_due_ms)
        return;
    self->gate_is_dirty = true;
    self->gate_due_ms = MM_NEVER;
}

void gather_look_again(gather_t *self, class_t *class)
{
    class_queue_join(&self->limits.to_look, class);
    self->gate_is_freed = true;
}

static void begin_pass(gather_t *self)
{
    limits_t *limits = &self->limits;
    limits_reserve_nothing(limits);
    class_queue_move(&limits->to_look, &limits->looked);
    if (self->gate_is_dirty) {
        self->gate_due_ms = MM_NEVER;
        limits_see_room(limits);
        class_queue_move(&limits->to_look, &limits->closed);
        for (size_t i = 0; i < limits->group_count; i++)
            class_queue_move(&limits->to_look, &limits->groups[i].blocked);
    }
    self->gate_is_dirty = self->gate_is_freed = false;
}

// The one whose first flight has waited for longest, of those that the pass is to look at. Whoever
// a group has blocked needs room in the whole run, too.
static class_t *next_class(limits_t *limits)
{
    class_t *next = class_queue_first(&limits->to_look);
    for (size_t i = 0; i < limits->group_count && limits->groups[0].has_room; i++) {
        group_t *group = &limits->groups[i];
        class_t *class = group->has_room ? class_queue_first(&group->blocked) : NULL;
        if (class && (!next || mm_id_compare(&class->first, &next->first) < 0))
            next = class;
    }
    return next;
}

// An admission takes places, so those in front of it are refused as before: the pass goes on there,
// now or, for want of slots, later.
flight_t *gather_next_gated(gather_t *self)
{
    flight_t *flight;
    if (self->gate_is_dirty || self->gate_is_freed)
        begin_pass(self);
    for (class_t *class; (class = next_class(&self->limits)) != NULL;)
        if ((flight = look_at(self, class)) != NULL)
            return flight;
    return NULL;
}

int64_t gather_gate_deadline(const gather_t *self)
{
    return self->is_real ? mm_earlier(mm_heap_deadline(&self->limits.open), self->gate_due_ms)
                         : MM_NEVER;
}

void gather_apply_guard(gather_t *self, bool says_yes)
{
    if (says_yes)
        self->limits.guard_until_ms = self->now_ms + GUARD_MS;
    self->gate_is_dirty = true;
}
