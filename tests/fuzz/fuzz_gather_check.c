// What the gather core must keep at any time, by its own tables. See fuzz_core_gather.c.

#include "fuzz_gather.h"
#include "workers_private.h"

#include <assert.h>

#define HELD_MAX (2 * MM_SLOTS_MAX) // as in workers_reports.c

static void check_held(const gather_t *self, const flight_t *flight, uint64_t number,
                       bool is_restart)
{
    const assignment_t *assignment = assignments_find(self->workers, number, NULL);
    assert(assignment && mm_leg_is_restarters((mm_leg_t)assignment->leg) == is_restart);
    assert(mm_id_equal(&assignment->id, &flight->id));
}

// Its grants are counted, and none waits for what is free. `grants` and `length` (of the queue) are
// what was found.
static void check_resource(const resource_t *resource, uint32_t grants, uint32_t length)
{
    assert(resource->grants == grants && resource->released.place == 0);
    assert((length > 0) == (resource->waiting != NULL));
    assert(length == 0 || resource->busy + resource->grants >= resource->limit);
}

static void check_at_once(const gather_t *self)
{
    const flights_t *flights = &self->flights;
    const flight_t *flight, *next;
    uint32_t grants = 0, length = 0;
    FLIGHTS_EACH (flights, flight, next) {
        grants += flight->grants > RESOURCE_AT_ONCE;
        length += flight->restart == RESTART_BLOCKED && flight->grants == RESOURCE_AT_ONCE;
    }
    check_resource(&flights->resources.at_once, grants, length);
    assert(flights->in_queue[RESOURCE_AT_ONCE] == length);
}

static bool has_place(const flight_t *flight)
{
    return flight->restart == RESTART_BEGINNING || flight->restart == RESTART_BEGUN;
}

// A real restart goes on by a save, when it is not at a restarter; and what has begun has a slot.
static void check_attempt(const gather_t *self, const flight_t *flight)
{
    bool is_over = flight->restart == RESTART_OK || flight->settle != MM_OUTCOME_NONE;
    assert(self->is_real || is_over);
    if (flight->restart == RESTART_HELD || flight->restart == RESTART_BEGINNING)
        assert(flight->store != STORE_SAVED);
    if (flight->restart == RESTART_BEGUN && flight->losses < FLIGHT_ALONE)
        assert(!workers_pick(self->workers, MM_ROLE_RESTARTER));
}

// A save is withheld only while its restart may succeed before long, and nobody waits for it (R17).
static void check_withheld(const flight_t *flight)
{
    assert(!flight->redelivered && !flight->has_attempt && flight->settle == MM_OUTCOME_NONE);
    assert(flight->restart == RESTART_OUT ||
           (flight->restart == RESTART_READY && flight->losses == 0));
}

void fuzz_check_flights(const gather_t *self)
{
    const flights_t *flights = &self->flights;
    const flight_t *flight, *next;
    size_t in_place[2] = {0};
    check_at_once(self);
    FLIGHTS_EACH (flights, flight, next) {
        in_place[flight->losses >= FLIGHT_ALONE] += has_place(flight);
        if (flight->has_attempt)
            check_attempt(self, flight);
        if (flight->store == STORE_WITHHELD)
            check_withheld(flight);
        if (flight->restart == RESTART_OUT)
            check_held(self, flight, flight->restart_task, true);
        if (flight->store == STORE_OUT)
            check_held(self, flight, flight->store_task, false);
    }
    assert(flights_count(flights) <= self->config.max_in_flight);
    assert(in_place[0] == flights->in_place[0] && in_place[1] == flights->in_place[1]);
}

void fuzz_check_hosts(const gather_t *self)
{
    const workers_t *workers = self->workers;
    const host_t *host;
    for (size_t at = 0; (host = mm_table_next(&self->flights.hosts.table, &at)) != NULL;) {
        uint32_t busy = 0, grants = 0, length = 0;
        const flight_t *flight, *next;
        for (const worker_t *worker = workers->by_name; worker; worker = worker->hh.next)
            for (const assignment_t *one = assignments_first(worker); one;
                 one = assignments_next(one))
                busy += one->host == host;
        FLIGHTS_EACH (&self->flights, flight, next) {
            busy += flight->host == host && has_place(flight);
            grants += flight->host == host && flight->grants > RESOURCE_HOST;
            length += flight->host == host && flight->restart == RESTART_BLOCKED &&
                      flight->grants == RESOURCE_HOST;
        }
        assert(busy == host->restarts.busy);
        check_resource(&host->restarts, grants, length);
    }
    uint32_t credit[3] = {0};
    for (const worker_t *worker = workers->by_name; worker; worker = worker->hh.next) {
        uint32_t out = 0;
        for (const assignment_t *one = assignments_first(worker); one; one = assignments_next(one))
            out += assignments_find(workers, one->number, worker) == one;
        assert(out == worker->out && out <= HELD_MAX);
        assert(worker->state == WORKER_JOINED || out == 0);
        credit[worker->role] += worker->credit > 0 ? worker->slots - out : 0;
    }
    assert(credit[MM_ROLE_RESTARTER] == workers_credit(workers, MM_ROLE_RESTARTER));
    assert(credit[MM_ROLE_SAVER] == workers_credit(workers, MM_ROLE_SAVER));
}
