// A job in flight and the queues it can be in: the data under gather.c, with no rules of its own
// but which state may follow which. Pure. A state is changed in one function per leg, which moves
// the flight between the queues.

#ifndef FLIGHT_H
#define FLIGHT_H

#include "frame.h"
#include "heap.h"
#include "hosts.h"
#include "latency_sampler.h"
#include "table.h"

typedef enum {
    STORE_READY,   // wants a saver
    STORE_OUT,     // at a saver
    STORE_BACKOFF, // failed, waits to try again
    STORE_SAVED,   // the intent is taken, waits for the restart leg
    STORE_ENDED    // the last one
} store_state_t;

typedef enum {
    RESTART_HELD,        // waits for the save to answer first (R6)
    RESTART_READY,       // wants a restarter
    RESTART_BLOCKED,     // waits for its host (I8)
    RESTART_QUARANTINED, // waits for a restarter of its own (R7)
    RESTART_OUT,         // at a restarter
    RESTART_BACKOFF,     // failed, or held in the consumer's first seconds: waits
    RESTART_OK,          // an attempt has succeeded
    RESTART_EXHAUSTED,   // no attempt is left
    RESTART_ENDED        // the last one
} restart_state_t;

typedef struct flight {
    mm_id_t id;
    host_t *host;          // one reference
    const char *publisher; // interned
    const char *worker;    // who restarted it, or tried last; interned, or NULL
    char *error;           // of the last failed attempt; owned, or NULL
    int64_t received_ms;   // Unix time, for the store
    int64_t lease_ms;      // when max_lease is over
    int64_t extend_ms;     // when to extend next
    uint64_t store_task;   // number of the current task of the store leg
    uint64_t restart_task; // number of the current attempt
    uint32_t deliveries;
    uint32_t extended;
    uint32_t attempts;       // charged: handed out and neither returned nor found missing
    uint32_t losses;         // workers lost with it
    uint32_t store_failures; // in a row
    store_state_t store;
    restart_state_t restart;
    mm_outcome_t settle;     // what the store was asked for; none: not yet
    trail_t *trail;          // NULL: it is not followed
    const char *late_worker; // succeeded after the settle was asked for: kept for a nack (R8)
    bool handed_out;         // a restart was, ever
    bool overdue;            // max_lease is over
    union {                  // by its state: ready, ended; or in backoff
        struct {
            struct flight *store_prev, *store_next;
        };
        mm_heap_node_t store_backoff;
    };
    union { // ready, blocked, lonely; or in backoff
        struct {
            struct flight *restart_prev, *restart_next;
        };
        mm_heap_node_t restart_backoff;
    };
    struct flight *extend_prev, *extend_next; // all, by extend_ms
    struct flight *lease_prev, *lease_next;   // by lease_ms; not when overdue
} flight_t;

typedef struct {
    mm_table_t table; // by id
    flight_t *store_ready;
    flight_t *restart_lost; // ready again after its restarter was lost: before all others
    flight_t *restart_ready;
    flight_t *restart_quarantined;
    flight_t *extends;
    flight_t *leases;
    mm_heap_t store_backoffs;
    mm_heap_t restart_backoffs;
    flight_t *ended; // free when the next step begins: actions may still point to them
    flight_t *spare; // some to use again (by store_next)
    size_t spare_count;
    hosts_t hosts;
    // For those who watch: how many there are in each state, and how long they wait.
    size_t in_store[STORE_ENDED + 1];
    size_t in_restart[RESTART_ENDED + 1];
    latency_sampler_t latency;
    int64_t now_ms; // of the step; set by gather
} flights_t;

flight_t *flights_find(const flights_t *self, const mm_id_t *id);
size_t flights_count(const flights_t *self);
// A new flight in STORE_READY and RESTART_HELD, extended for the first time at extend_ms.
flight_t *flights_add(flights_t *self, const mm_id_t *id, mm_str_t host, int64_t extend_ms,
                      int64_t lease_ms);
// Out of the table and of every queue; its memory stays until flights_free_ended.
void flights_end(flights_t *self, flight_t *flight);
void flights_free_ended(flights_t *self);
void flights_clear(flights_t *self);

// Change a leg's state; due_ms matters for the backoff states only. Not-allowed changes are bugs.
void flight_set_store(flights_t *self, flight_t *flight, store_state_t state, int64_t due_ms);
void flight_set_restart(flights_t *self, flight_t *flight, restart_state_t state, int64_t due_ms);
// Which restart is to be handed out next; NULL when none is ready.
flight_t *flights_next_restart(const flights_t *self);
// The first job that waits for this host becomes ready, if the host is free.
void flights_wake_host(flights_t *self, host_t *host);
void flight_set_error(flight_t *flight, mm_str_t error);
// Extended now: to the end of that queue.
void flight_set_extended(flights_t *self, flight_t *flight, int64_t extend_ms);
void flight_set_overdue(flights_t *self, flight_t *flight);

#endif
