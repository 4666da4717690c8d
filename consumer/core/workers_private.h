// Shared by the two files of the workers: workers.c and assignments.c.

#ifndef WORKERS_PRIVATE_H
#define WORKERS_PRIVATE_H

#include "pool.h"
#include "workers.h"

// A task of a lost worker: charged as started, until that worker says that it was not (R7).
typedef struct {
    uint64_t number;
    UT_hash_handle hh;
} lost_task_t;

struct workers {
    gather_config_t config;
    hosts_t *hosts;
    resources_t *resources;
    worker_t *by_name;
    worker_t *found;          // the result of the last lookup by name; NULL: it is gone
    mm_table_t by_number;     // the assignments
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

// Adds the worker to the ring of those with credit, or removes it, after a change.
void workers_refresh_credit(workers_t *self, worker_t *worker);

// Adds an assignment. host: of a restart, which it occupies; else NULL.
assignment_t *assignments_add(workers_t *self, worker_t *worker, uint64_t number, mm_leg_t leg,
                              const mm_id_t *id, host_t *host);
assignment_t *assignments_find(const workers_t *self, uint64_t number);
// Removes an assignment. The host's reference goes to the caller.
ended_t assignments_remove(workers_t *self, assignment_t *assignment, ended_why_t why);
// The last LOST_TASKS_MAX tasks of lost workers. Remove returns whether it was one of them.
void assignments_add_lost(workers_t *self, uint64_t number);
bool assignments_remove_lost(workers_t *self, uint64_t number);

#endif
