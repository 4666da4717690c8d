// The publisher's core: which job is under lease, until when, and which is delivered next (R6,
// R11, R15). Pure: events in, actions out. It holds only the jobs near delivery; the backlog stays
// in outbox_db. It keeps I1: a job leaves it settled, or is still in the database.

#ifndef OUTBOX_H
#define OUTBOX_H

#include "frame.h"

typedef struct {
    uint32_t window; // jobs under lease at once
    int64_t ack_deadline_ms;
    int64_t heartbeat_ms;  // of the consumer
    int64_t drain_ms;      // from the drain event to its end: leases are awaited no longer
    int64_t starts_end_ms; // CLOCK_BOOTTIME; from then on nothing new is delivered (R15); 0: never
    uint64_t seed;         // for jitter
} outbox_config_t;

typedef enum {
    OUTBOX_JOB,     // a job that is durable in the database
    OUTBOX_VERDICT, // extend, ack, nack, dead, skipped or withdrawn
    OUTBOX_BEAT,    // the consumer's heartbeat
    OUTBOX_LEAVING, // the consumer's bye
    OUTBOX_TIME,    // the deadline has come
    OUTBOX_DRAIN    // deliver no more, wait for the leases to end
} outbox_event_kind_t;

typedef struct {
    outbox_event_kind_t kind;
    int64_t now_ms; // CLOCK_BOOTTIME
    union {
        struct {
            mm_id_t id;
            mm_str_t host;
            mm_str_t attributes;
            int64_t run;
            uint64_t token; // the shell's; comes back when the job settles, as run and time do
            int64_t accepted_us;
            bool withdrawn;  // its host is no longer on the list: every delivery says so
            bool maybe_sent; // by an earlier process: the next delivery counts as a redelivery
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
            bool events_empty; // checked just now: only then may silence end a lease
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
    OUTBOX_LOG_EXPIRED, // neither acked nor extended in time: to be delivered again
    OUTBOX_LOG_NACKED,
    OUTBOX_LOG_CLAIM,   // of an epoch that no consumer has: ignored (R16)
    OUTBOX_LOG_PRESENT, // the consumer is there
    OUTBOX_LOG_SILENT   // no heartbeat of it for three intervals, or it drains or has left
} outbox_log_t;

typedef struct {
    outbox_action_kind_t kind;
    mm_id_t id;          // deliver, settled, log
    mm_str_t host;       // deliver, settled, log; lives until the next step
    mm_str_t attributes; // deliver, or settled as dead; like host
    uint32_t delivery;   // deliver, log
    bool withdrawn;      // deliver
    int64_t run;         // settled
    uint64_t token;      // settled
    int64_t accepted_us; // settled
    mm_outcome_t outcome;
    uint32_t attempts;
    mm_str_t error; // settled as dead, or as withdrawn after it had begun
    outbox_log_t log;
} outbox_action_t;

typedef struct {
    outbox_action_t *items;
    size_t count;
    size_t capacity;
} outbox_actions_t;

void outbox_actions_clear(outbox_actions_t *self); // frees it

typedef struct outbox outbox_t;

outbox_t *outbox_new(const outbox_config_t *config, int64_t now_ms); // CLOCK_BOOTTIME
void outbox_destroy(outbox_t **self_p);
// Takes one event, whose time is not before that of the last one; *ret_actions is emptied first and
// then holds what to do, in order.
void outbox_step(outbox_t *self, const outbox_event_t *event, outbox_actions_t *ret_actions);
// When it wants an OUTBOX_TIME event; MM_NEVER: not at all.
int64_t outbox_deadline(const outbox_t *self);
// Prefetches the leases of some verdicts that will be stepped through one by one. It changes
// nothing.
void outbox_prefetch(const outbox_t *self, const mm_verdict_t *notices, size_t count);

// How many more jobs it takes now; it must be given no others.
size_t outbox_capacity(const outbox_t *self);
// Whether the starts have ended: it takes no job but one that may have been sent. What it still
// holds is awaited, however long that takes.
bool outbox_is_closed(const outbox_t *self);
// The epoch of the consumer, to be named in job frames; 0: none was heard.
uint64_t outbox_epoch(const outbox_t *self);
// Jobs that it holds, and those of them that have a place in the window.
size_t outbox_count(const outbox_t *self);
size_t outbox_leased(const outbox_t *self);

#endif
