// See admission.h.

#include "admission.h"
#include "gather_private.h"

#include <assert.h>

static_assert(MM_REASON_NO_SLOT - MM_REASON_HOST_BUSY == (int)RESOURCE_SLOT,
              "each resource has its reason, in the same order");

static admission_t wait_until(int64_t until_ms, mm_reason_t reason)
{
    return (admission_t){ADMISSION_WAIT_UNTIL, reason, .as.until_ms = until_ms};
}

static admission_t wait_on(resource_kind_t resource)
{
    mm_reason_t reason = MM_REASON_HOST_BUSY + resource;
    return (admission_t){ADMISSION_WAIT_ON, reason, .as.resource = resource};
}

// Whether the resource has no room for this flight. Free room belongs to the flights that it is
// granted to; if adopted restarts have taken some of it, the first of them get the rest.
static bool is_full(const resource_t *resource, const flight_t *flight, resource_kind_t kind)
{
    bool is_granted = flight->grants > kind;
    return resource->busy + (is_granted ? 0 : resource->grants) >= resource->limit;
}

// A slot is left to each restart that has begun: that one is handed out first.
static worker_t *pick(const gather_t *self, const flight_t *flight)
{
    bool is_left = flight->has_attempt &&
                   self->flights.in_place[0] >= workers_credit(self->workers, MM_ROLE_RESTARTER);
    return is_left ? NULL : workers_pick(self->workers, MM_ROLE_RESTARTER);
}

// Whether it would begin something. A look does not; and while a restart of its host is at a
// worker, it may be its own, of an earlier consumer.
static bool would_begin(const gather_t *self, const flight_t *flight)
{
    return flight->host->restarts.busy == 0 &&
           (!flight->has_attempt || gather_attempt_begins(self, flight));
}

static mm_reason_t paused(const gather_t *self, const flight_t *flight)
{
    if (gather_is_denied(self, flight))
        return MM_REASON_DENIED;
    bool is_of_rate =
        flight->is_retry && flight->restart_backoff.due_ms == self->limits.next_start_ms;
    return is_of_rate ? MM_REASON_RATE : MM_REASON_PAUSE;
}

admission_t admission_decide(const gather_t *self, const flight_t *flight)
{
    const flights_t *flights = &self->flights;
    if (self->statistics.draining)
        return wait_until(MM_NEVER, MM_REASON_DRAINING);
    if (!gather_may_hand_out(self)) // asked by viewers: nobody else decides then
        return gather_is_suspended(self) ? wait_until(MM_NEVER, MM_REASON_SUSPENDED)
                                         : wait_until(self->start_ms, MM_REASON_TAKEOVER);
    if (flight->restart == RESTART_HELD)
        return wait_until(MM_NEVER, MM_REASON_NOT_SAVED);
    if (flight->has_attempt && flight->overdue) // it is nacked when that is on record (H4)
        return wait_until(MM_NEVER, MM_REASON_NOT_SAVED);
    if (flight->redelivered && self->now_ms < self->hold_until_ms)
        return wait_until(self->hold_until_ms, MM_REASON_TAKEOVER);
    if (gather_is_behind_starts(self) && would_begin(self, flight))
        return wait_until(MM_NEVER, MM_REASON_TOO_LATE);
    // Rules that wait for a time are before this one: it has no reason of its own for them.
    if (flight->restart == RESTART_BACKOFF)
        return wait_until(flight->restart_backoff.due_ms, paused(self, flight));
    mm_reason_t gated = flight->has_attempt && would_begin(self, flight)
                            ? gather_gated(self, flight)
                            : MM_REASON_NONE;
    if (gated == MM_REASON_RATE && flight->is_admitted) // its host keeps its place meanwhile
        return wait_until(self->limits.next_start_ms, gated);
    if (gated != MM_REASON_NONE)
        return (admission_t){.verdict = ADMISSION_WAIT_AT_GATE, .reason = gated};
    if (is_full(&flight->host->restarts, flight, RESOURCE_HOST))
        return wait_on(RESOURCE_HOST);
    if (is_full(&flights->resources.at_once, flight, RESOURCE_AT_ONCE))
        return wait_on(RESOURCE_AT_ONCE);
    bool is_alone = flight->losses >= FLIGHT_ALONE &&
                    (!flight->has_attempt || gather_attempt_begins(self, flight));
    worker_t *worker = is_alone ? workers_pick_quarantine(self->workers) : pick(self, flight);
    bool is_first = flight == flights->resources.quarantine.waiting;
    if (is_alone && (!worker || !is_first || flights->in_place[1] > 0 ||
                     is_full(&flights->resources.quarantine, flight, RESOURCE_QUARANTINE)))
        return wait_on(RESOURCE_QUARANTINE);
    if (!worker)
        return wait_on(RESOURCE_SLOT);
    return (admission_t){ADMISSION_GO, MM_REASON_NONE, .as.worker = worker};
}
