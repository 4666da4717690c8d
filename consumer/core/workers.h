// The workers, their credit and their assignments (R1, R2, R4, R5, R7). Part of the gather core. It
// decides nothing about jobs: the end of a task is a change that gather applies to its job.

#ifndef WORKERS_H
#define WORKERS_H

#include "gather.h"
#include "hosts.h"
#include "queue.h"

#include <uthash.h>

typedef enum { WORKER_JOINED, WORKER_LOST } worker_state_t;

struct worker;

// A task at a worker: handed out, or adopted from a report. A cache line.
typedef struct {
    uint64_t number;
    mm_id_t id;
    struct worker *worker;
    struct flight *flight; // that it was handed out for, which may have ended; NULL: adopted
    host_t *host;          // of a restart, with one reference; else NULL
    int64_t stamp_ms; // the worker's stamp in the task, or in the report that it was adopted from
    mm_queue_node_t node; // of its worker
    uint16_t marked;      // the low bits of the last report's sequence that listed it
    bool is_listed;       // some report has
    uint8_t leg;          // mm_leg_t
} assignment_t;

typedef struct worker {
    mm_name_t name;
    mm_role_t role;
    worker_state_t state;
    uint64_t instance;             // of the process
    uint64_t session;              // 0: none, or lost
    uint64_t given;                // its last session, lost or not
    uint64_t sequence;             // of its last report
    uint32_t parts;                // of that report, so far
    uint64_t acknowledged_through; // serial of the last result read
    int64_t heard_ms;              // the time of its last report, CLOCK_BOOTTIME
    int64_t stamp_ms;              // its own clock in that report
    uint32_t slots;
    uint32_t out;                           // its assignments
    bool reserved;                          // for one task alone (R7)
    bool is_cut;                            // its connection is broken: it gets nothing
    uint32_t verbs;                         // bits of mm_verb_t
    mm_name_t driver;                       // empty: the mock's
    int64_t paused_ms;                      // no task before; 0: any time
    uint32_t credit;                        // its free slots, while it can get tasks
    mm_queue_t assignments;                 // in the order of their beginning here
    struct worker *prev, *next;             // the ring of those with credit
    struct worker *heard_prev, *heard_next; // joined: by heard_ms; lost: by time of loss
    UT_hash_handle hh;
} worker_t;

// Why an assignment has ended.
typedef enum {
    ENDED_RESULT,      // its result was read
    ENDED_LOST,        // its worker was lost, which may have started it
    ENDED_UNDELIVERED, // it has not started there and never will (R1)
} ended_why_t;

typedef struct {
    ended_why_t why;
    uint64_t number;
    mm_leg_t leg;
    mm_id_t id;
    struct flight *flight; // that it was handed out for, which may have ended; NULL: not known
    host_t *host;          // of a restart, with a reference that is now the receiver's; else NULL
} ended_t;

typedef enum {
    WORKERS_OPEN,    // bind a session's endpoint, before its welcome
    WORKERS_CLOSE,   // close it
    WORKERS_WELCOME, // to the worker: its session
    WORKERS_REFUSED, // to the worker: why it may not join
    WORKERS_REJOIN,  // to the worker: say hello again
    WORKERS_LAST,    // to the worker: no more tasks, the answer to 0 slots (R10)
    WORKERS_LOSS,    // for the log: presumed lost
    WORKERS_LEFT,    // for the log: said bye
    WORKERS_CLAIM,   // for the log: it claims what it was not given (R16)
    WORKERS_ENDED    // an assignment has ended
} workers_change_kind_t;

typedef struct {
    workers_change_kind_t kind;
    mm_name_t name;
    uint64_t instance;
    uint64_t session;
    uint64_t acknowledged_through;
    const char *reason; // refused, loss, claim; a literal
    ended_t ended;
} workers_change_t;

typedef struct workers workers_t;

// Of the config they read lost_after_ms, the first number and session, and how many may join.
workers_t *workers_new(const gather_config_t *config, hosts_t *hosts, resources_t *resources);
void workers_destroy(workers_t **self_p);

// The changes since the last call, oldest first; valid until the next call of any function here.
// The host reference of an ended assignment is the caller's.
size_t workers_changes(workers_t *self, const workers_change_t **ret_changes);

// Apply a part of a hello or heartbeat, in two steps: its results are read between them. The first
// returns NULL when the report is ignored; the changes have the answer, if there is one.
worker_t *workers_report_open(workers_t *self, const mm_report_t *report, int64_t now_ms);
void workers_report_close(workers_t *self, worker_t *worker, const mm_report_t *report);

// The worker with this name and instance, joined or lost, since late results count (R3); or NULL.
worker_t *workers_find(workers_t *self, mm_str_t name, uint64_t instance);
// Whether this result is new. In a hello each higher serial is; elsewhere only the next one, since
// a gap means that results were lost, which the worker repeats. *ret_ended is the assignment that
// it ends: number 0: none; ENDED_LOST, without a host: it had ended with the loss of its worker.
bool workers_apply_result(workers_t *self, worker_t *worker, const mm_result_t *result,
                          bool in_hello, ended_t *ret_ended);
void workers_bye(workers_t *self, worker_t *worker, uint64_t session, uint64_t last_serial);

// The worker's key is no longer valid: if it has joined, it is lost now.
void workers_revoke(workers_t *self, mm_str_t name, mm_role_t role);
// The connection to this session is broken. Its worker is told to rejoin when it is heard next.
void workers_cut(workers_t *self, uint64_t session);

// Presumes workers lost that were not heard for lost_after_ms. Only when the inbox was just found
// empty: there may be a heartbeat in it.
void workers_check(workers_t *self, int64_t now_ms);
int64_t workers_deadline(const workers_t *self);

// The worker that gets the next task; NULL: there is none. Credit has who is in a session, not
// reserved (R7), and has fewer assignments than slots, by the table that reports correct (R2).
// Those with credit are a ring: who gets a task, or has credit again, goes to its end.
worker_t *workers_pick(const workers_t *self, mm_role_t role);
// The restarter with this name, if it has credit; NULL: it has none.
worker_t *workers_pick_named(workers_t *self, const char *name);
// A task is meant for it: the next one is for the next worker.
void workers_pass(workers_t *self, worker_t *worker);
// How many tasks can be handed out to those.
uint32_t workers_credit(const workers_t *self, mm_role_t role);
// The restarter that is reserved for one task alone (R7); NULL: there is none, or it has other
// tasks.
worker_t *workers_pick_quarantine(const workers_t *self);
// Reserves the restarter with the fewest tasks, unless one is reserved. Until its release it gets
// no other task.
void workers_reserve_quarantine(workers_t *self);
void workers_release_quarantine(workers_t *self);
// Assigns a task to a worker that was picked just now, and returns its number. host: of a restart,
// which it occupies; else NULL. flight: only kept, and given back with the end.
uint64_t workers_hand_out(workers_t *self, worker_t *worker, mm_leg_t leg, const mm_id_t *id,
                          host_t *host, struct flight *flight);

// The worker gets no task for a while, as it has asked.
void workers_pause(workers_t *self, worker_t *worker, int64_t now_ms, int64_t pause_ms);
// Nobody is presumed lost before lost_after_ms from now.
void workers_forgive(workers_t *self, int64_t now_ms);
// The driver of the run: restarters of another one are refused, and those that have joined are
// given up. False: it is another one than before.
bool workers_set_driver(workers_t *self, mm_str_t driver);

// The tasks of a worker, in the order in which it got them: the first, the next; NULL: no more.
assignment_t *assignments_first(const worker_t *worker);
assignment_t *assignments_next(const assignment_t *assignment);
// The worker of a task; NULL: the task is at none.
const worker_t *workers_holder(const workers_t *self, uint64_t number);
// All workers one by one, joined and lost; begins with NULL, ends with NULL.
const worker_t *workers_next(const workers_t *self, const worker_t *previous);

#endif
