// The publisher's core: which job is leased, until when, and which one is delivered next (R6, R11).
// Pure: events in, actions out. It knows only the jobs near delivery; the backlog is in outbox_db.
// It keeps I1: a job that leaves the core is settled, or stays in the database.

#ifndef OUTBOX_H
#define OUTBOX_H

#include "frame.h"

typedef struct {
    uint32_t window; // jobs leased at a time
    int64_t ack_deadline_ms;
    int64_t heartbeat_ms; // of the consumer
    int64_t drain_ms;     // from the drain event until leases are not waited for any longer
    uint64_t seed;        // for jitter
} outbox_config_t;

typedef enum {
    OUTBOX_JOB,     // a job that is durable in the database
    OUTBOX_VERDICT, // extend, ack, nack or dead
    OUTBOX_BEAT,    // the consumer's heartbeat
    OUTBOX_LEAVING, // the consumer's bye
    OUTBOX_TIME,    // the deadline has come
    OUTBOX_DRAIN    // deliver no more jobs, wait for the leases to end
} outbox_event_kind_t;

typedef struct {
    outbox_event_kind_t kind;
    int64_t now_ms; // CLOCK_MONOTONIC
    union {
        struct {
            mm_id_t id;
            mm_str_t host;
            int64_t run;
            uint64_t
                token; // the shell's; the action that settles the job has it, with run and time
            int64_t accepted_us;
            bool maybe_sent; // by an earlier process of the publisher: it counts as a redelivery
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
            bool events_empty; // the socket was just found empty: only then may silence end a lease
        } time;
    } as;
} outbox_event_t;

typedef enum {
    OUTBOX_DELIVER, // send the job
    OUTBOX_SETTLED, // remove it from the database
    OUTBOX_ASK,     // request the consumer's heartbeat
    OUTBOX_LOG,     // log only
    OUTBOX_LEAVE    // drained
} outbox_action_kind_t;

typedef enum {
    OUTBOX_LOG_EXPIRED, // neither acked nor extended in time: it will be delivered again
    OUTBOX_LOG_NACKED,
    OUTBOX_LOG_PRESENT, // the consumer accepts jobs
    OUTBOX_LOG_SILENT   // the consumer is not heard, or does not accept jobs any more
} outbox_log_t;

typedef struct {
    outbox_action_kind_t kind;
    mm_id_t id;          // deliver, settled, log
    mm_str_t host;       // deliver, settled, log; valid until the next step
    uint32_t delivery;   // deliver, log
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

// An outbox without jobs, which asks for the consumer at now_ms (CLOCK_MONOTONIC). Copies the
// config. Never NULL.
outbox_t *outbox_new(const outbox_config_t *config, int64_t now_ms);
void outbox_destroy(outbox_t **self_p);
// Applies one event and replaces *ret_actions, a list of the caller's (zeroed at first), by the
// actions that follow from it. Event times do not decrease.
void outbox_step(outbox_t *self, const outbox_event_t *event, outbox_actions_t *ret_actions);
// When the next time event is due, in ms of the same clock; MM_NEVER: never.
int64_t outbox_deadline(const outbox_t *self);
// Prefetches the leases of verdicts that will be events soon. Changes nothing.
void outbox_prefetch(const outbox_t *self, const mm_verdict_t *verdicts, size_t count);

// How many more jobs it accepts now: give it no more.
size_t outbox_capacity(const outbox_t *self);
// The consumer's epoch, for job frames; 0: none was heard.
uint64_t outbox_epoch(const outbox_t *self);
// Jobs in the core, and those of them in the window.
size_t outbox_count(const outbox_t *self);
size_t outbox_leased(const outbox_t *self);

#endif
