// The publisher's core: which job is under lease, until when, and what is delivered next (R6, R11).
// Pure: events in, actions out. It knows only the jobs near delivery; the backlog lives in
// outbox_db. It keeps I1 by never forgetting: a job leaves it settled, or stays in the database.

#ifndef OUTBOX_H
#define OUTBOX_H

#include "frame.h"

typedef struct {
    uint32_t window; // jobs under lease at once
    int64_t ack_deadline_ms;
    int64_t heartbeat_ms; // of the consumer
    int64_t drain_ms;     // from the drain event: leases are not awaited any longer
    uint64_t seed;        // for jitter
} outbox_config_t;

typedef enum {
    OUTBOX_JOB,     // a job that is safe in the database
    OUTBOX_VERDICT, // extend, ack, nack or dead
    OUTBOX_BEAT,    // the consumer's heartbeat
    OUTBOX_LEAVING, // the consumer's bye
    OUTBOX_TIME,    // the deadline has come
    OUTBOX_DRAIN    // send no more, wait for the leases to end
} outbox_event_kind_t;

typedef struct {
    outbox_event_kind_t kind;
    int64_t now_ms; // CLOCK_MONOTONIC
    union {
        struct {
            mm_id_t id;
            mm_str_t host;
            int64_t run;
            uint64_t token; // the shell's, given back when it settles, as run and time are
            int64_t accepted_us;
            bool maybe_sent; // by an earlier epoch of the publisher: it counts as a redelivery
        } job;
        struct {
            uint64_t epoch;
            mm_verdict_t what;
        } verdict;
        struct {
            uint64_t epoch;
            bool draining;
        } beat; // beat, leaving
        struct {
            bool events_empty; // just found so: only then may silence end a lease
        } time;
    } as;
} outbox_event_t;

typedef enum {
    OUTBOX_DELIVER, // send the job
    OUTBOX_SETTLED, // take it out of the database
    OUTBOX_ASK,     // ask for the consumer's heartbeat
    OUTBOX_LOG,     // for the log
    OUTBOX_LEAVE    // drained
} outbox_action_kind_t;

typedef enum {
    OUTBOX_LOG_EXPIRED, // neither acked nor extended in time: will be delivered again
    OUTBOX_LOG_NACKED,
    OUTBOX_LOG_PRESENT, // the consumer is there
    OUTBOX_LOG_SILENT   // it is not heard any more
} outbox_log_t;

typedef struct {
    outbox_action_kind_t kind;
    mm_id_t id;          // deliver, settled, note
    mm_str_t host;       // deliver, settled, note; lives until the next step
    uint32_t delivery;   // deliver, note
    int64_t run;         // settled
    uint64_t token;      // settled
    int64_t accepted_us; // settled
    mm_outcome_t outcome;
    uint32_t attempts;
    mm_str_t error; // settled as dead
    outbox_log_t log;
} outbox_action_t;

typedef struct {
    outbox_action_t *items;
    size_t count;
    size_t capacity;
} outbox_actions_t;

void outbox_actions_clear(outbox_actions_t *self); // frees it

typedef struct outbox outbox_t;

outbox_t *outbox_new(const outbox_config_t *config, int64_t now_ms);
void outbox_destroy(outbox_t **self_p);
void outbox_step(outbox_t *self, const outbox_event_t *event, outbox_actions_t *ret_actions);
int64_t outbox_deadline(const outbox_t *self);
// Some notices are going to be told, one by one: their leases are asked of memory together. It
// changes nothing.
void outbox_prefetch(const outbox_t *self, const mm_verdict_t *notices, size_t count);

// How many more jobs it wants now: give it no others.
size_t outbox_capacity(const outbox_t *self);
// The consumer's epoch to name in job frames; 0: none was heard.
uint64_t outbox_epoch(const outbox_t *self);
// Jobs that it knows, and those of them under lease.
size_t outbox_count(const outbox_t *self);
size_t outbox_leased(const outbox_t *self);

#endif
