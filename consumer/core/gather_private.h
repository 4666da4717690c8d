// What the three files of the gather core share: gather.c (jobs, workers, time), gather_legs.c (the
// two legs of a job), gather_out.c (handing out).

#ifndef GATHER_PRIVATE_H
#define GATHER_PRIVATE_H

#include "flight.h"
#include "gather.h"
#include "name_pool.h"
#include "settled_cache.h"
#include "workers.h"

struct gather {
    gather_config_t config;
    int64_t now_ms;
    int64_t hold_until_ms; // no restart of a redelivered job before (R6)
    int64_t beat_ms;       // when to broadcast the next heartbeat
    int64_t beaten_ms;     // when the last one was
    int64_t drain_until_ms;
    uint64_t random;
    flights_t flights;
    workers_t *workers;
    settled_cache_t cache;
    name_pool_t names;
    uint64_t quarantine_number; // task handed out alone; 0: none
    uint64_t exhausted;         // jobs that have had all their attempts, for max_dead
    bool left;
    gather_statistics_t statistics;
    gather_actions_t *actions; // of the step under way
};

// gather.c: actions, and how a flight ends.
gather_action_t *gather_act(gather_t *self, gather_action_kind_t kind);
gather_action_t *gather_log(gather_t *self, gather_log_t what, const flight_t *flight);
void gather_settled(gather_t *self, flight_t *flight, mm_outcome_t outcome);
void gather_nack(gather_t *self, flight_t *flight);

// gather_legs.c
// Nacks a job that may not be tried again, draining or beyond max_lease; true when it did.
bool gather_gave_up(gather_t *self, flight_t *flight);
void gather_apply_result(gather_t *self, worker_t *worker, const mm_result_t *result,
                         bool in_hello);
// A task that its worker holds no longer, without a result. Takes the reference in `change`.
void gather_apply_ended(gather_t *self, const workers_change_t *change);

// gather_out.c: hands out what may start now, as far as there is credit.
void gather_hand_out(gather_t *self);

#endif
