// A job in flight and the queues that it can be in: the data under gather.c. Its only rules are
// which state may follow which, and in which order flights get a resource. One function per leg
// changes the state and moves the flight between the queues.

#ifndef FLIGHT_H
#define FLIGHT_H

#include "attempts.h"
#include "attribute_records.h"
#include "frame.h"
#include "heap.h"
#include "hosts.h"
#include "latency_sampler.h"
#include "group_limits.h"
#include "queue.h"
#include "table.h"

#define FLIGHT_BYTE __attribute__((packed)) // an enum takes a byte

#define FLIGHT_ALONE 2 // workers lost with it, from which on its restarter has no other task (R7)

typedef enum FLIGHT_BYTE {
    STORE_READY,    // waits for a saver
    STORE_WITHHELD, // its first save is not asked for yet, since its settle may come first (R17)
    STORE_OUT,      // at a saver
    STORE_BACKOFF,  // failed, waits to be tried again
    STORE_SAVED,    // saved, waits for the restart leg
    STORE_ENDED     // final
} store_state_t;

typedef enum FLIGHT_BYTE {
    RESTART_HELD,    // waits for the answer to the save (R6)
    RESTART_READY,   // waits for a slot
    RESTART_BLOCKED, // waits for its host (I8) or for the limit of all restarts
    RESTART_GATED,   // waits by the policy or an order, in the queue of its class (group_limits.h)
    RESTART_QUARANTINED, // waits for a restarter of its own (R7)
    RESTART_BEGINNING,   // admitted: its attempt goes on record first (H1)
    RESTART_BEGUN,       // it is there: the next restarter that has a slot gets it
    RESTART_OUT,         // at a restarter
    RESTART_BACKOFF,     // waits for a time: it failed, or may not begin yet
    RESTART_OK,          // an attempt has succeeded
    RESTART_EXHAUSTED,   // no attempt is left
    RESTART_ENDED        // final
} restart_state_t;

// It waits for something, and nothing of it is at a worker or on its way to the record.
static inline bool restart_waits(restart_state_t state)
{
    return state == RESTART_READY || state == RESTART_BLOCKED || state == RESTART_QUARANTINED ||
           state == RESTART_BACKOFF || state == RESTART_GATED;
}

// Whether a flight in this state occupies its resources itself: no task of it does.
static inline bool restart_has_place(restart_state_t state)
{
    return state == RESTART_BEGINNING || state == RESTART_BEGUN;
}

// Three cache lines. With the first one a message finds that its job is meant, and changes states;
// the second one is what tasks and verdicts say; the third one is for waiting and failing.
typedef struct flight {
    mm_id_t id;
    host_t *host;          // one reference
    uint64_t store_task;   // number of the current task of the store leg
    uint64_t restart_task; // number of the current attempt
    trail_t *trail;        // NULL: not sampled
    store_state_t store;
    restart_state_t restart;
    uint32_t store_failures; // in a row
    mm_outcome_t settle;     // what the store was asked for; none: not yet
    uint8_t grants;          // it is granted so many resources, the first ones
    bool has_attempt : 1;    // in a record of its own: it is restarted for real
    bool has_attributes : 1; // in a record of their own: most flights have none
    bool handed_out : 1;     // a restart was, ever
    bool overdue : 1;        // max_lease is over
    bool redelivered : 1;    // an earlier delivery may have been restarted (R6)
    bool had_grant : 1;      // it lost the grant of the resource that it waits for
    bool withdrawn : 1;      // its host is no longer on the list: no command any more
    bool is_first : 1;       // of those that wait in its class: its host has a place
    bool had_host : 1;       // it was granted its host when it came to the gate
    bool is_admitted : 1;    // its host has its place (group_limits.h)
    bool is_retry : 1;    // it has kept its place for another attempt, which is a start, too (G7)
    bool is_patient : 1;  // it is extended once a minute, and max_lease has not begun
    bool is_leased : 1;   // its lease is in the heap
    bool is_doubtful : 1; // a settle of it was lost with its saver, and may be on record (R19)
    // The second line.
    union { // by state: ready and ended, withheld, or backoff
        struct {
            struct flight *store_prev, *store_next;
        };
        struct {
            int64_t save_ms; // then its save is withheld no longer
            mm_queue_node_t withheld;
        };
        mm_heap_node_t store_backoff;
    };
    const char *publisher; // interned
    const char *worker;    // of the success, or of the last attempt; interned, or NULL
    char *error;           // of the last failed attempt; owned, or NULL
    int64_t received_ms;   // Unix time, for the store
    uint32_t attempts;     // charged: handed out, neither returned nor undelivered
    uint32_t deliveries;
    uint32_t extended;
    mm_queue_node_t extend; // of those extended as often, by extend_ms
    // The third line.
    union { // by state: ready, blocked, gated, quarantined and begun, or backoff
        struct {
            struct flight *restart_prev, *restart_next;
        };
        mm_heap_node_t restart_backoff;
    };
    int64_t extend_ms;       // the next extension
    mm_heap_node_t lease;    // due at the end of max_lease
    const char *late_worker; // succeeded after the settle was asked for: kept for a nack (R8)
    uint32_t losses;         // workers lost with it
} flight_t;

typedef struct {
    mm_table_t table; // by id
    mm_pool_t pool;
    flight_t *store_ready;
    mm_queue_t withheld;     // by save_ms
    flight_t *restart_begun; // before all others
    flight_t *restart_lost;  // ready again after the loss of its restarter: before the others
    flight_t *restart_ready; // with the former, the queue for slots
    resources_t resources;   // the queue of the quarantine holds RESTART_QUARANTINED
    mm_queue_t extends;
    mm_queue_t patient; // those that wait by the policy, by extend_ms: with `extends` all flights
    mm_heap_t leases;   // of those that end before the next extension: few do
    mm_heap_t store_backoffs;
    mm_heap_t restart_backoffs;
    flight_t *ended; // freed when the next step begins: actions may still point to them
    hosts_t hosts;
    attribute_records_t attributes; // of the flights that have some
    attempts_t attempts;            // of those that are restarted for real
    // For viewers: how many flights are in each state, and how long they wait.
    size_t in_store[STORE_ENDED + 1];
    size_t in_restart[RESTART_ENDED + 1];
    size_t in_queue[RESOURCE_SLOT];
    size_t in_place[2]; // beginning or begun: beside other tasks; alone
    size_t withdrawn_exhausted;
    latency_sampler_t latency;
    int64_t now_ms; // of the step; set by gather
} flights_t;

flight_t *flights_find(const flights_t *self, const mm_id_t *id);
// The same, and faster if it is `likely`, which may be NULL, or a flight that has ended by now: its
// memory is another flight's then, or free, and stays as long as the flights.
flight_t *flights_find_likely(const flights_t *self, flight_t *likely, const mm_id_t *id);
size_t flights_count(const flights_t *self);
// A new flight in STORE_READY and RESTART_HELD; both times are CLOCK_BOOTTIME in ms.
flight_t *flights_add(flights_t *self, const mm_id_t *id, mm_str_t host, int64_t extend_ms,
                      int64_t lease_ms);
// Removes it from the table and from every queue; its memory stays until flights_free_ended.
void flights_end(flights_t *self, flight_t *flight);
void flights_free_ended(flights_t *self);
void flights_clear(flights_t *self);

// Change a leg's state; due_ms is for the backoff states, and for a save that is withheld: not
// before that of the last one. A change that is not allowed is a bug. A save is withheld as long as
// the restart is ready or out, and no worker was lost with it: with any other change of the restart
// it becomes ready.
void flight_set_store(flights_t *self, flight_t *flight, store_state_t state, int64_t due_ms);
// While a restart is beginning or begun it holds its place, from the end of one task to the next.
void flight_set_restart(flights_t *self, flight_t *flight, restart_state_t state, int64_t due_ms);
// Grants all released resources to those who wait. Returns the first ready restart; NULL: none is.
flight_t *flights_next_restart(flights_t *self);
void flight_set_error(flight_t *flight, mm_str_t error);
// Extended now: it moves to the end of that queue.
void flight_set_extended(flights_t *self, flight_t *flight, int64_t extend_ms);
void flight_set_overdue(flights_t *self, flight_t *flight);
// It waits by the policy: it is extended once a minute; or no longer: max_lease begins. To be
// followed by flight_set_extended.
void flight_set_patient(flights_t *self, flight_t *flight);
void flight_set_impatient(flights_t *self, flight_t *flight, int64_t lease_ms);
// Those with the earliest extension, and that of a patient one; NULL: there is none.
flight_t *flights_first_extend(const flights_t *self);
flight_t *flights_first_patient(const flights_t *self);
// Whose save is withheld no longer next; NULL: none is withheld.
flight_t *flights_first_withheld(const flights_t *self);
// Each flight once, in no order. Within FLIGHTS_EACH the flight may be ended.
flight_t *flights_first(const flights_t *self);
flight_t *flights_next(const flights_t *self, const flight_t *flight);
#define FLIGHTS_EACH(SELF, FLIGHT, NEXT)                                                           \
    for ((FLIGHT) = flights_first(SELF);                                                           \
         (FLIGHT) && ((NEXT) = flights_next((SELF), (FLIGHT)), true); (FLIGHT) = (NEXT))
// For good.
void flight_set_withdrawn(flights_t *self, flight_t *flight);
// Jobs that are about to be dead; a withdrawn one is not, whatever its restart has come to.
size_t flights_doomed(const flights_t *self);

// The flight waits for a resource that is full: at the end of its queue, or before all flights that
// never were granted it, if it was. It is granted the resources before, and loses others.
void flight_wait_on(flights_t *self, flight_t *flight, resource_kind_t kind);
// The flight, which has an attempt, waits in the queue of its class.
// has_place: its host has one, as a casualty. It needs no other, and goes before all that do.
void flight_wait_in_class(flights_t *self, flight_t *flight, bool has_place);

#endif
