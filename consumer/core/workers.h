// Who is there, how much credit each has, and who holds what (R1, R2, R4, R5, R7). Pure: part of
// the gather core, which steps it. It decides nothing about jobs: what a worker no longer holds is
// given back as a change, and gather draws the conclusions.

#ifndef WORKERS_H
#define WORKERS_H

#include "frame.h"
#include "hosts.h"

#include <uthash.h>

typedef struct {
    int64_t lost_after_ms;
    uint32_t savers_max;
    uint32_t restarters_max;
    uint64_t first_number;  // numbers and sessions count on from these: above all that any
    uint64_t first_session; // earlier epoch of the consumer gave out (R3, R4)
} workers_config_t;

typedef enum { WORKER_JOINED, WORKER_LOST } worker_state_t;

struct worker;

// A task at a worker: handed out, or adopted from its report.
typedef struct assignment {
    uint64_t number;
    mm_leg_t leg;
    mm_id_t id;
    struct worker *worker;
    host_t *host; // restart: the host that it keeps busy, one reference; else NULL
    int64_t
        stamp_ms;    // the worker's stamp that the task carried, or that of the report it came from
    uint64_t marked; // sequence of the last report that listed it
    struct assignment *prev, *next; // of the same worker
} assignment_t;

typedef struct worker {
    mm_name_t name;
    mm_role_t role;
    worker_state_t state;
    uint64_t instance;             // of the process
    uint64_t session;              // given to it; 0: none, or lost
    uint64_t given;                // the last one given to it, lost or not
    uint64_t sequence;             // of its last report
    uint32_t parts;                // of that report, so far
    uint64_t acknowledged_through; // serial of the last result read
    int64_t heard_ms;              // when its last report was read
    int64_t stamp_ms;              // its own clock in that report
    uint32_t slots;
    uint32_t out;  // tasks that it holds by this table
    bool reserved; // gets one task, when it holds nothing (R7)
    bool listed;   // in the list of those with credit
    assignment_t *assignments;
    struct worker *prev, *next;             // those with credit
    struct worker *heard_prev, *heard_next; // joined: by heard_ms; lost: by time of loss
    UT_hash_handle hh;
} worker_t;

// Why a worker holds a task no longer.
typedef enum {
    ENDED_RESULT,      // its result was read
    ENDED_LOST,        // the worker was: it may have been started
    ENDED_UNDELIVERED, // it never started there and never will (R1)
} ended_why_t;

typedef struct {
    ended_why_t why;
    uint64_t number;
    mm_leg_t leg;
    mm_id_t id;
    host_t *host; // one reference, now the receiver's; NULL unless a restart
} ended_t;

typedef enum {
    WORKERS_OPEN,    // a session's endpoint is wanted, before its welcome
    WORKERS_CLOSE,   // that endpoint is to go
    WORKERS_WELCOME, // tell it its session
    WORKERS_REFUSED, // tell it why not
    WORKERS_REJOIN,  // tell it to say hello again
    WORKERS_LAST,    // tell it that nothing more comes: the answer to 0 slots (R10)
    WORKERS_LOSS,    // for the log: presumed lost
    WORKERS_LEFT,    // for the log: said bye
    WORKERS_ENDED    // a task is no longer held
} workers_change_kind_t;

typedef struct {
    workers_change_kind_t kind;
    mm_name_t name;
    uint64_t instance;
    uint64_t session;
    uint64_t acknowledged_through;
    const char *reason; // refused; a literal
    ended_t ended;
} workers_change_t;

typedef struct workers workers_t;

workers_t *workers_new(const workers_config_t *config, hosts_t *hosts);
void workers_destroy(workers_t **self_p);

// What has changed since the last call, oldest first; valid until anything else is called.
// Ended changes come with their host reference.
size_t workers_changes(workers_t *self, const workers_change_t **ret_changes);

// A part of a hello or heartbeat, in two steps so that its results are read in between. Open
// returns NULL when the report is to be ignored (the changes say whether anything is to be
// answered).
worker_t *workers_report_open(workers_t *self, const mm_report_t *report, int64_t now_ms);
void workers_report_close(workers_t *self, worker_t *worker, const mm_report_t *report);

// The worker of this process and name, if known; lost ones too, since late results count (R3).
worker_t *workers_find(workers_t *self, mm_str_t name, uint64_t instance);
// Whether this result is news. In a hello any newer serial is; elsewhere only the next one: a gap
// means that results were lost, and they will be repeated. *ret_ended is what it ends: number 0
// when the task was not held; ENDED_LOST, without a host, when it had been taken back from a lost
// worker.
bool workers_apply_result(workers_t *self, worker_t *worker, const mm_result_t *result,
                          bool in_hello, ended_t *ret_ended);
void workers_bye(workers_t *self, worker_t *worker, uint64_t session, uint64_t last_serial);

// Presumes lost whoever was not heard for lost_after_ms. Only to be called when the inbox was just
// found empty: what waits there may be a heartbeat.
void workers_check(workers_t *self, int64_t now_ms);
int64_t workers_deadline(const workers_t *self);

// The next worker with credit in turn; NULL: there is none.
worker_t *workers_pick(const workers_t *self, mm_role_t role);
// The restarter that is reserved for one task alone (R7); NULL: there is none, or it still holds
// others.
worker_t *workers_pick_quarantine(const workers_t *self);
// Reserves the restarter that holds the fewest tasks, unless one is: it gets no other task until it
// is released.
void workers_reserve_quarantine(workers_t *self);
void workers_release_quarantine(workers_t *self);
// Hands out a task and returns its number. The host, for a restart, gets one reference more.
uint64_t workers_hand_out(workers_t *self, worker_t *worker, mm_leg_t leg, const mm_id_t *id,
                          host_t *host);

// Who holds this task; NULL: nobody.
const worker_t *workers_holder(const workers_t *self, uint64_t number);
// All workers, joined and lost: for heartbeats and statistics. Start with NULL.
const worker_t *workers_next(const workers_t *self, const worker_t *previous);

#endif
