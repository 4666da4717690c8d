// A stage for tests of consumer/core/workers.h: workers that say hello and send heartbeats in one
// call each, a clock that is only a number, and the changes that come of it as a line of text.

#ifndef WORKERS_PLAY_H
#define WORKERS_PLAY_H

#include "job.h"
#include "story.h"
#include "workers.h"

#include <inttypes.h>

// Numbers and sessions of the workers that are made next begin above these.
extern uint64_t first_number;
enum { LOST_AFTER = 1500, FIRST_NUMBER = 100, FIRST_SESSION = 10 };

// What the next report says beside its name and session; set back to this after each.
typedef struct {
    mm_role_t role;
    uint64_t instance;
    const char *driver; // of a hello; NULL: the mock
    uint32_t slots;
    int64_t stamp_ms;  // 0: the clock's
    uint64_t sequence; // 0: the next one
    uint64_t last_serial;
    uint32_t part;
    uint32_t parts;
    mm_assignment_t held[8];
    size_t held_count;
    mm_result_t results[8];
    size_t result_count;
} said_t;

extern workers_t *workers;
extern hosts_t hosts;
extern uint64_t sequence;
extern said_t says;

int new_workers(void **state);
int end_workers(void **state);

// ---- what has changed, as text

// What has changed since this was asked last.
void then(const char *expected);

// ---- what workers say

// The next report lists this task, a restart.
void assignment(uint64_t number);

// The result of this task, with the leg and the job of its assignment.
mm_result_t result_of(uint64_t serial, uint64_t number);

// The next report repeats this result, and says that there is none newer.
void repeating(uint64_t serial, uint64_t number);
void reads(worker_t *worker, const mm_result_t *result, bool in_hello);
void hello(const char *name, uint64_t session);
void heartbeat(const char *name, uint64_t session);

// The record of a worker's first process.
worker_t *the(const char *name);
void result(const char *name, uint64_t serial, uint64_t number);
void bye(const char *name, uint64_t session, uint64_t last_serial);

// Joins as the process 1; the story of it is told already.
uint64_t worker_joins(const char *name);
#define joins worker_joins // worker_play.h has another one

void check(void);

// ---- what the consumer hands out

// A restart of this host, for this worker; its number.
uint64_t hands_out_for(worker_t *worker, const char *host_name);
uint64_t hands_out(const char *name);

// r1 joins, has the task 101, and is presumed lost with it.
void r1_is_lost(void);

// Who is next in turn; "" when nobody has credit.
const char *picked(mm_role_t role);

// The restarter that one task may have for itself now; NULL: there is none yet.
worker_t *picked_alone(void);

// How many restarts of this host are held by workers that are not presumed lost.
uint32_t busy(const char *host_name);

#endif
