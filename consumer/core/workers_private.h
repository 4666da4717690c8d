// What the files of the workers share: workers.c (who is known, joined or lost), workers_reports.c
// (what they say), workers_credit.c (who gets the next task), assignments.c (the tasks).

#ifndef WORKERS_PRIVATE_H
#define WORKERS_PRIVATE_H

#include "pool.h"
#include "workers.h"

// A task of this consumer, of a lost worker: charged as started, until that worker says that it was
// not (R7). What it says of it counts, and what another one says does not (R18).
typedef struct {
    uint64_t number;
    uint64_t instance;
    mm_name_t worker;
    mm_id_t id;
    mm_leg_t leg;
    host_t *host; // one reference
    UT_hash_handle hh;
} lost_task_t;

struct workers {
    gather_config_t config;
    hosts_t *hosts;
    resources_t *resources;
    worker_t *by_name;
    worker_t *found; // the result of the last lookup by name; NULL: it is gone
    // The assignments. The numbers of those that are handed out are consecutive: each has its place
    // in a ring. Of two that share it, the older one is in the table.
    assignment_t **ring;
    size_t ring_size;  // 0, or a power of two: at most four places for each that was there at once
    size_t ring_count; // assignments in the ring
    mm_table_t older;  // by number
    lost_task_t *lost_tasks;  // oldest first
    mm_pool_t pool;           // of the assignments
    worker_t *with_credit[3]; // by role
    uint32_t credit[3];       // by role: the free slots of those
    worker_t *joined;         // by heard_ms
    worker_t *lost;
    uint32_t lost_count;
    uint32_t joined_count[3];              // by role
    worker_t *quarantine;                  // reserved for one task alone (R7); or NULL
    mm_name_t driver;                      // that restarters must have
    bool has_driver;                       // some have joined, or a run has named it
    bool is_runs;                          // a run has named it
    char why_driver[2 * MM_NAME_MAX + 80]; // the last refusal's reason
    int64_t pause_end_ms; // of the first worker that has paused; MM_NEVER: none has
    uint64_t number;      // last given out
    uint64_t session;     // last given out
    workers_change_t *changes;
    size_t change_count;
    size_t change_capacity;
};

// workers.c: changes. The second kind is of a worker with a record.
workers_change_t *workers_add_change(workers_t *self, workers_change_kind_t kind);
void workers_add_change_of(workers_t *self, workers_change_kind_t kind, const worker_t *worker);
// The worker with this name, whatever its instance; or NULL.
worker_t *workers_find_name(workers_t *self, mm_str_t name);
// A record for the sender of a hello, in state lost until its hello is complete.
worker_t *workers_add(workers_t *self, const mm_report_t *report);
// Ignores what it says, for this reason (R16).
void workers_ignore_claim(workers_t *self, mm_str_t name, const char *reason);
// Removes the record of a lost one.
void workers_forget(workers_t *self, worker_t *worker);
// It was heard, and so has joined. No session, and so no credit, until its hello is complete.
void workers_set_heard(workers_t *self, worker_t *worker, int64_t now_ms);
// A new session of a worker that has joined.
void workers_open_session(workers_t *self, worker_t *worker);
// Presumes it lost, with all its tasks. why: a literal.
void workers_lose(workers_t *self, worker_t *worker, const char *why);
// Ends a task without a result that its worker does not list. Never listed, it never started (R1).
void workers_end_unlisted(workers_t *self, assignment_t *assignment);

// workers_credit.c. Adds the worker to the ring of those with credit, or removes it, after a
// change.
void workers_refresh_credit(workers_t *self, worker_t *worker);
// Ends the pauses that are over.
void workers_end_pauses(workers_t *self, int64_t now_ms);

// assignments.c. Adds an assignment. host: of a restart, which it occupies; else NULL.
assignment_t *assignments_add(workers_t *self, worker_t *worker, uint64_t number, mm_leg_t leg,
                              const mm_id_t *id, host_t *host, struct flight *flight);
// That of the worker; NULL: of any. Several may have adopted the same one of an earlier consumer,
// which nobody can tell apart yet (R18).
assignment_t *assignments_find(const workers_t *self, uint64_t number, const worker_t *worker);
// Removes an assignment. The host's reference goes to the caller.
ended_t assignments_remove(workers_t *self, assignment_t *assignment, ended_why_t why);
// The last LOST_TASKS_MAX restarts and probes of lost workers. Find returns NULL when it is none.
void assignments_add_lost(workers_t *self, const assignment_t *assignment);
lost_task_t *assignments_find_lost(const workers_t *self, uint64_t number);
void assignments_remove_lost(workers_t *self, lost_task_t *task);
// Frees what is left when all have ended.
void assignments_clear(workers_t *self);

#endif
