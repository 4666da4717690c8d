// See flight.h.

#include "flight.h"
#include "uuid.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

#define BIT(STATE) (1u << (STATE))

static_assert(offsetof(flight_t, store_prev) == 64 && offsetof(flight_t, restart_prev) == 128 &&
                  sizeof(flight_t) <= 192,
              "the lines of a flight are where its header has them");

static const unsigned store_allowed[] = {
    [STORE_READY] = BIT(STORE_WITHHELD) | BIT(STORE_OUT) | BIT(STORE_ENDED),
    [STORE_WITHHELD] = BIT(STORE_READY) | BIT(STORE_ENDED),
    [STORE_OUT] = BIT(STORE_READY) | BIT(STORE_BACKOFF) | BIT(STORE_SAVED) | BIT(STORE_ENDED),
    [STORE_BACKOFF] = BIT(STORE_READY) | BIT(STORE_ENDED),
    [STORE_SAVED] = BIT(STORE_READY) | BIT(STORE_ENDED),
    [STORE_ENDED] = 0,
};

static const unsigned restart_allowed[] = {
    [RESTART_HELD] =
        BIT(RESTART_READY) | BIT(RESTART_OK) | BIT(RESTART_EXHAUSTED) | BIT(RESTART_ENDED),
    [RESTART_READY] = BIT(RESTART_HELD) | BIT(RESTART_BLOCKED) | BIT(RESTART_QUARANTINED) |
                      BIT(RESTART_BEGINNING) | BIT(RESTART_OUT) | BIT(RESTART_BACKOFF) |
                      BIT(RESTART_GATED) | BIT(RESTART_OK) | BIT(RESTART_EXHAUSTED) |
                      BIT(RESTART_ENDED),
    [RESTART_GATED] =
        BIT(RESTART_READY) | BIT(RESTART_BACKOFF) | BIT(RESTART_OK) | BIT(RESTART_ENDED),
    [RESTART_BLOCKED] = BIT(RESTART_READY) | BIT(RESTART_OK) | BIT(RESTART_ENDED),
    [RESTART_QUARANTINED] = BIT(RESTART_READY) | BIT(RESTART_BLOCKED) | BIT(RESTART_BEGINNING) |
                            BIT(RESTART_OUT) | BIT(RESTART_BACKOFF) | BIT(RESTART_GATED) |
                            BIT(RESTART_OK) | BIT(RESTART_ENDED),
    [RESTART_BEGINNING] =
        BIT(RESTART_BEGUN) | BIT(RESTART_READY) | BIT(RESTART_OK) | BIT(RESTART_ENDED),
    [RESTART_BEGUN] = BIT(RESTART_BEGINNING) | BIT(RESTART_OUT) | BIT(RESTART_READY) |
                      BIT(RESTART_OK) | BIT(RESTART_ENDED),
    [RESTART_OUT] = BIT(RESTART_READY) | BIT(RESTART_BACKOFF) | BIT(RESTART_BEGINNING) |
                    BIT(RESTART_OK) | BIT(RESTART_EXHAUSTED) | BIT(RESTART_ENDED),
    [RESTART_BACKOFF] = BIT(RESTART_READY) | BIT(RESTART_OK) | BIT(RESTART_ENDED),
    [RESTART_OK] = BIT(RESTART_ENDED),
    [RESTART_EXHAUSTED] =
        BIT(RESTART_HELD) | BIT(RESTART_READY) | BIT(RESTART_OK) | BIT(RESTART_ENDED),
    [RESTART_ENDED] = 0,
};

static bool has_id(const void *flight, const void *id)
{
    return mm_id_equal(&((const flight_t *)flight)->id, id);
}

flight_t *flights_find(const flights_t *self, const mm_id_t *id)
{
    return mm_table_find(&self->table, mm_id_hash(id), has_id, id);
}

flight_t *flights_find_likely(const flights_t *self, flight_t *likely, const mm_id_t *id)
{
    bool is_it = likely && likely->store != STORE_ENDED && mm_id_equal(&likely->id, id);
    return is_it ? likely : flights_find(self, id);
}

size_t flights_count(const flights_t *self)
{
    return self->table.count;
}

// A lease that ends later is looked at again with the next extension.
static void see_lease(flights_t *self, flight_t *flight)
{
    if (flight->lease.due_ms > flight->extend_ms || flight->is_leased)
        return;
    flight->is_leased = true;
    mm_heap_put(&self->leases, &flight->lease, flight->lease.due_ms);
}

static void leave_leases(flights_t *self, flight_t *flight)
{
    if (flight->is_leased)
        mm_heap_remove(&self->leases, &flight->lease);
    flight->is_leased = false;
}

flight_t *flights_add(flights_t *self, const mm_id_t *id, mm_str_t host, int64_t extend_ms,
                      int64_t lease_ms)
{
    flight_t *flight = mm_pool_get(&self->pool, sizeof *flight);
    *flight = (flight_t){.id = *id};
    flight->host = hosts_get(&self->hosts, host);
    flight->extend_ms = extend_ms;
    flight->lease.due_ms = lease_ms;
    flight->store = STORE_READY;
    flight->restart = RESTART_HELD;
    flight->trail = latency_follow(&self->latency, self->now_ms);
    self->in_store[STORE_READY]++;
    self->in_restart[RESTART_HELD]++;
    mm_table_add(&self->table, mm_id_hash(id), flight);
    DL_APPEND2(self->store_ready, flight, store_prev, store_next);
    mm_queue_add(&self->extends, &flight->extend);
    see_lease(self, flight);
    return flight;
}

static void see_store(flights_t *self, const flight_t *flight, store_state_t state)
{
    store_state_t former = flight->store;
    self->in_store[former]--;
    self->in_store[state]++;
    if (flight->trail)
        latency_store(&self->latency, flight->trail,
                      (stage_change_t){.waited = former == STORE_READY,
                                       .was_out = former == STORE_OUT,
                                       .waits = state == STORE_READY,
                                       .is_out = state == STORE_OUT},
                      self->now_ms);
}

void flight_set_store(flights_t *self, flight_t *flight, store_state_t state, int64_t due_ms)
{
    assert(store_allowed[flight->store] & BIT(state));
    see_store(self, flight, state);
    if (flight->store == STORE_READY)
        DL_DELETE2(self->store_ready, flight, store_prev, store_next);
    else if (flight->store == STORE_WITHHELD)
        mm_queue_remove(&self->withheld, &flight->withheld);
    else if (flight->store == STORE_BACKOFF)
        mm_heap_remove(&self->store_backoffs, &flight->store_backoff);
    flight->store = state;
    if (state == STORE_READY) {
        DL_APPEND2(self->store_ready, flight, store_prev, store_next);
    } else if (state == STORE_WITHHELD) {
        flight->save_ms = due_ms;
        mm_queue_add(&self->withheld, &flight->withheld);
    } else if (state == STORE_BACKOFF) {
        flight->store_backoff = (mm_heap_node_t){0};
        mm_heap_put(&self->store_backoffs, &flight->store_backoff, due_ms);
    }
}

// The queue of a ready restart. After the loss of its restarter a host may be half restarted: it
// goes before all others.
static flight_t **ready_queue(flights_t *self, const flight_t *flight)
{
    return flight->losses > 0 ? &self->restart_lost : &self->restart_ready;
}

static bool is_queued(restart_state_t state)
{
    return state == RESTART_READY || state == RESTART_BLOCKED || state == RESTART_QUARANTINED ||
           state == RESTART_GATED;
}

static void see_restart(flights_t *self, const flight_t *flight, restart_state_t state)
{
    restart_state_t former = flight->restart;
    self->in_restart[former]--;
    self->in_restart[state]++;
    if (flight->trail)
        latency_restart(&self->latency, flight->trail,
                        (stage_change_t){.waited = is_queued(former),
                                         .was_out = former == RESTART_OUT,
                                         .waits = is_queued(state),
                                         .is_out = state == RESTART_OUT},
                        self->now_ms);
}

// From a task to no task, or back: who is out occupies the resources by its assignment.
__attribute__((noinline)) static void move_place(flights_t *self, flight_t *flight,
                                                 restart_state_t former)
{
    host_t *host = flight->host;
    size_t *count = &self->in_place[flight->losses >= FLIGHT_ALONE];
    if (former == RESTART_BEGUN)
        DL_DELETE2(self->restart_begun, flight, restart_prev, restart_next);
    if (flight->restart == RESTART_BEGUN)
        DL_APPEND2(self->restart_begun, flight, restart_prev, restart_next);
    if (restart_has_place(flight->restart) && !restart_has_place(former)) {
        ++*count;
        resources_occupy(&self->resources, host);
    }
    if (!restart_has_place(former) || restart_has_place(flight->restart))
        return;
    --*count;
    resources_vacate(&self->resources, host);
    if (flight->restart != RESTART_OUT) // else it is about to occupy them again
        resources_release_all(&self->resources, host);
    hosts_put(&self->hosts, &host);
}

// Grants it the first `count` resources and no other.
static void set_grants(flights_t *self, flight_t *flight, unsigned count)
{
    while (flight->grants < count)
        resources_of(&self->resources, flight->host, flight->grants++)->grants++;
    while (flight->grants > count) {
        resource_t *resource = resources_of(&self->resources, flight->host, --flight->grants);
        resource->grants--;
        // Else it is about to occupy the resource, or has just done so.
        if (flight->restart != RESTART_OUT && !restart_has_place(flight->restart))
            resources_release(&self->resources, resource);
    }
}

// A ready restart is in the queue for slots, others in that of the first resource that it is not
// granted.
static void leave_queue(flights_t *self, flight_t *flight)
{
    if (flight->restart == RESTART_READY) {
        DL_DELETE2(*ready_queue(self, flight), flight, restart_prev, restart_next);
        return;
    }
    if (flight->restart == RESTART_GATED) {
        class_t *class = attempts_get(&self->attempts, &flight->id)->class;
        if (class->waiting == flight)
            class->first_ms = 0;
        DL_DELETE2(class->waiting, flight, restart_prev, restart_next);
        class->waiting_count--;
        return;
    }
    resource_t *resource = resources_of(&self->resources, flight->host, flight->grants);
    DL_DELETE2(resource->waiting, flight, restart_prev, restart_next);
    self->in_queue[flight->grants]--;
}

// Whether its restart may succeed before long, as far as is known.
static bool may_withhold(const flight_t *flight)
{
    return flight->restart == RESTART_OUT ||
           (flight->restart == RESTART_READY && flight->losses == 0);
}

void flight_set_restart(flights_t *self, flight_t *flight, restart_state_t state, int64_t due_ms)
{
    restart_state_t former = flight->restart;
    assert(restart_allowed[former] & BIT(state));
    see_restart(self, flight, state);
    if (is_queued(former))
        leave_queue(self, flight);
    else if (former == RESTART_BACKOFF)
        mm_heap_remove(&self->restart_backoffs, &flight->restart_backoff);
    else if (former == RESTART_EXHAUSTED)
        self->withdrawn_exhausted -= flight->withdrawn;
    flight->restart = state;
    if (restart_has_place(former) || restart_has_place(state))
        move_place(self, flight, former);
    if (state == RESTART_READY) {
        DL_APPEND2(*ready_queue(self, flight), flight, restart_prev, restart_next);
    } else if (state == RESTART_BACKOFF) {
        flight->restart_backoff = (mm_heap_node_t){0};
        mm_heap_put(&self->restart_backoffs, &flight->restart_backoff, due_ms);
    } else if (state == RESTART_EXHAUSTED) {
        self->withdrawn_exhausted += flight->withdrawn;
    }
    if (flight->grants > 0 && !is_queued(state))
        set_grants(self, flight, 0);
    else if ((former == RESTART_OUT || restart_has_place(former)) && state == RESTART_READY)
        set_grants(self, flight, RESOURCE_QUARANTINE); // it is next for what it has just released
    if (flight->store == STORE_WITHHELD && !may_withhold(flight))
        flight_set_store(self, flight, STORE_READY, 0);
}

static bool waits_before(const flight_t *flight, const flight_t *other)
{
    if (flight->is_first != other->is_first)
        return flight->is_first;
    return mm_id_compare(&flight->id, &other->id) < 0;
}

// Before which one of the class it waits; NULL: behind all. In the order of ids, which is that of
// acceptance: a new one belongs near the end, one that has waited before near the head. So both
// ends are searched at once.
static flight_t *place_in_class(const class_t *class, const flight_t *flight)
{
    flight_t *head = class->waiting, *tail = head ? head->restart_prev : NULL;
    while (head && waits_before(head, flight)) {
        if (waits_before(tail, flight))
            return tail->restart_next;
        head = head->restart_next;
        tail = tail->restart_prev;
    }
    return head;
}

void flight_wait_in_class(flights_t *self, flight_t *flight, bool has_place)
{
    class_t *class = attempts_get(&self->attempts, &flight->id)->class;
    flight_set_restart(self, flight, RESTART_GATED, 0);
    flight->is_first = has_place;
    flight->had_host = flight->grants > RESOURCE_HOST;
    set_grants(self, flight, 0); // others may have what it was next for
    flight_t *next = place_in_class(class, flight);
    if (next == class->waiting)
        class->first_ms = 0; // it is another one
    DL_PREPEND_ELEM2(class->waiting, next, flight, restart_prev, restart_next);
    class->waiting_count++;
}

void flight_wait_on(flights_t *self, flight_t *flight, resource_kind_t kind)
{
    assert(kind < RESOURCE_SLOT);
    bool is_quarantined = kind == RESOURCE_QUARANTINE;
    flight->had_grant = flight->grants > kind || (kind == RESOURCE_HOST && flight->had_host);
    flight->had_host = false;
    flight_set_restart(self, flight, is_quarantined ? RESTART_QUARANTINED : RESTART_BLOCKED, 0);
    set_grants(self, flight, kind);
    resource_t *resource = resources_of(&self->resources, flight->host, kind);
    flight_t *next = flight->had_grant ? resource->waiting : NULL;
    while (next && next->had_grant)
        next = next->restart_next;
    DL_PREPEND_ELEM2(resource->waiting, next, flight, restart_prev, restart_next);
    self->in_queue[kind]++;
}

// Grants it to the first flights of the queue, as far as the resource is free.
static void grant(flights_t *self, resource_t *resource)
{
    while (resource->waiting && resource->busy + resource->grants < resource->limit) {
        flight_t *flight = resource->waiting;
        flight_set_restart(self, flight, RESTART_READY, 0);
        flight->grants++;
        resource->grants++;
    }
}

static void grant_released(flights_t *self)
{
    for (mm_queue_node_t *node; (node = mm_queue_first(&self->resources.released)) != NULL;) {
        mm_queue_remove(&self->resources.released, node);
        grant(self, MM_QUEUE_OWNER(node, resource_t, released));
    }
}

flight_t *flights_next_restart(flights_t *self)
{
    if (self->resources.released.count > 0)
        grant_released(self);
    return self->restart_lost ? self->restart_lost : self->restart_ready;
}

void flight_set_error(flight_t *flight, mm_str_t error)
{
    mm_str_replace(&flight->error, error);
}

void flight_set_extended(flights_t *self, flight_t *flight, int64_t extend_ms)
{
    mm_queue_t *queue = flight->is_patient ? &self->patient : &self->extends;
    flight->extended++;
    flight->extend_ms = extend_ms;
    mm_queue_remove(queue, &flight->extend);
    mm_queue_add(queue, &flight->extend);
    if (!flight->overdue && !flight->is_patient)
        see_lease(self, flight);
}

void flight_set_overdue(flights_t *self, flight_t *flight)
{
    flight->overdue = true;
    leave_leases(self, flight);
}

void flight_set_patient(flights_t *self, flight_t *flight)
{
    assert(!flight->overdue);
    mm_queue_remove(&self->extends, &flight->extend);
    leave_leases(self, flight);
    flight->is_patient = true;
    mm_queue_add(&self->patient, &flight->extend);
}

void flight_set_impatient(flights_t *self, flight_t *flight, int64_t lease_ms)
{
    mm_queue_remove(&self->patient, &flight->extend);
    flight->is_patient = false;
    flight->lease.due_ms = lease_ms;
    mm_queue_add(&self->extends, &flight->extend);
}

flight_t *flights_first_extend(const flights_t *self)
{
    return MM_QUEUE_OWNER(mm_queue_first(&self->extends), flight_t, extend);
}

flight_t *flights_first_patient(const flights_t *self)
{
    return MM_QUEUE_OWNER(mm_queue_first(&self->patient), flight_t, extend);
}

flight_t *flights_first_withheld(const flights_t *self)
{
    return MM_QUEUE_OWNER(mm_queue_first(&self->withheld), flight_t, withheld);
}

flight_t *flights_first(const flights_t *self)
{
    flight_t *first = flights_first_extend(self);
    return first ? first : flights_first_patient(self);
}

flight_t *flights_next(const flights_t *self, const flight_t *flight)
{
    const mm_queue_t *queue = flight->is_patient ? &self->patient : &self->extends;
    flight_t *next = MM_QUEUE_OWNER(mm_queue_next(queue, &flight->extend), flight_t, extend);
    return next || flight->is_patient ? next : flights_first_patient(self);
}

void flight_set_withdrawn(flights_t *self, flight_t *flight)
{
    if (flight->withdrawn)
        return;
    flight->withdrawn = true;
    self->withdrawn_exhausted += flight->restart == RESTART_EXHAUSTED;
}

size_t flights_doomed(const flights_t *self)
{
    return self->in_restart[RESTART_EXHAUSTED] - self->withdrawn_exhausted;
}

void flights_end(flights_t *self, flight_t *flight)
{
    flight_set_store(self, flight, STORE_ENDED, 0);
    flight_set_restart(self, flight, RESTART_ENDED, 0);
    latency_end(&self->latency, &flight->trail, self->now_ms);
    mm_table_remove(&self->table, mm_id_hash(&flight->id), flight);
    mm_queue_remove(flight->is_patient ? &self->patient : &self->extends, &flight->extend);
    leave_leases(self, flight);
    LL_PREPEND2(self->ended, flight, store_next);
}

void flights_free_ended(flights_t *self)
{
    for (flight_t *flight; (flight = self->ended) != NULL;) {
        LL_DELETE2(self->ended, flight, store_next);
        hosts_put(&self->hosts, &flight->host);
        free(flight->error);
        if (flight->has_attributes)
            attribute_records_remove(&self->attributes, &flight->id);
        if (flight->has_attempt)
            attempts_remove(&self->attempts, &flight->id);
        mm_pool_put(&self->pool, flight, sizeof *flight);
    }
}

void flights_clear(flights_t *self)
{
    for (flight_t *flight; (flight = flights_first(self)) != NULL;)
        flights_end(self, flight);
    grant_released(self); // empties the list, before the hosts are freed
    flights_free_ended(self);
    mm_pool_clear(&self->pool);
    mm_table_clear(&self->table);
    attribute_records_clear(&self->attributes);
    attempts_clear(&self->attempts);
    mm_heap_clear(&self->store_backoffs);
    mm_heap_clear(&self->restart_backoffs);
    mm_heap_clear(&self->leases);
    mm_queue_clear(&self->resources.released);
    mm_queue_clear(&self->withheld);
    mm_queue_clear(&self->extends);
    mm_queue_clear(&self->patient);
}
