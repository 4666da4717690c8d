// A look at a whole pipeline at one moment: a row for each process, the hops between them with who
// waits there, and which of them limits the rest. It is made of what the processes tell about
// themselves once a second while somebody watches (docs/profiling.md lists it), or read back from
// a recording: both give the same numbers, since both go through the same JSON.

#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "job.h"

#include <jansson.h>

// In the order of a job's way.
typedef enum {
    SNAPSHOT_PUBLISHER,
    SNAPSHOT_CONSUMER,
    SNAPSHOT_SAVER,
    SNAPSHOT_RESTARTER
} snapshot_role_t;

typedef enum {
    SNAPSHOT_UP,
    SNAPSHOT_DRAINING, // takes nothing more
    SNAPSHOT_SILENT,   // it has not answered for three seconds: stopped, or gone
    SNAPSHOT_LOST,     // a worker that the consumer presumes lost: no heartbeat
    SNAPSHOT_LEFT      // it has said bye
} snapshot_state_t;

typedef struct {
    char name[MM_NAME_MAX + 1];
    snapshot_role_t role;
    snapshot_state_t state;
    int pid;              // 0: it has never answered
    int64_t silent_ms;    // since its last answer
    double rate;          // jobs a second that it is done with (restarts, of a restarter)
    double busy;          // share of the loop's time that it does not wait for events, 0 to 1
    double cpu;           // cores, all threads
    int64_t memory_bytes; // resident
    int64_t held;         // jobs in its hands: under lease, in flight, at the worker
    int64_t limit;        // ... at most: window, max in flight, slots
    int64_t p50_us;       // how long a job is in its hands, over the last ten seconds or so;
    int64_t p99_us;       //   -1: none was
    uint64_t failed;      // dead, or attempts that failed
    uint64_t dropped;     // log lines and bad frames
    char doing[48];       // where most of its time of the last second went: "sqlite commit"
} snapshot_process_t;

typedef enum {
    SNAPSHOT_OUTBOX,  // accepted, not yet delivered
    SNAPSHOT_WIRE,    // delivered, and not (or no longer) in the consumer's hands
    SNAPSHOT_STORE,   // to the saver
    SNAPSHOT_RESTART, // to the restarters
    SNAPSHOT_STAGES
} snapshot_stage_kind_t;

typedef struct {
    int64_t waiting;  // jobs that wait to go over it now; exact
    int64_t out;      // jobs beyond it: under lease, at a worker
    int64_t capacity; // how many can be: window, slots; 0: no limit, or nobody there
    int64_t backoff;  // restart: failed, tried again later; not in waiting
    int64_t blocked;  // restart: of those that wait, for their host or a worker of their own
    int64_t wait_p50_us, wait_p99_us; // how long they waited; -1: none did
    int64_t took_p50_us, took_p99_us; // how long they were beyond it; -1: none was
    char reason[48]; // restart: why most of those that wait do ("host busy"); "": none waits
} snapshot_stage_t;

typedef struct {
    int64_t wall_ms; // Unix time
    snapshot_process_t *processes;
    size_t process_count; // by role, then by name
    snapshot_stage_t stages[SNAPSHOT_STAGES];
    bool has_publisher, has_consumer; // each has answered in the last three seconds
    double rate;                      // jobs settled a second
    int64_t total;                    // jobs of this run; 0: it is not known yet
    int64_t restarted, dead;          // of this run
    int64_t backlog;                  // in the outbox, not settled
    int64_t in_flight;
    int64_t retried, reclaimed, nacked, extended; // since the consumer's start
    int64_t p50_us, p99_us;                       // accepted to acked; -1: none was
    bool draining;
    char limit[MM_NAME_MAX +
               1]; // what limits the rate: "source", "window", "store", "restart", or a process
    char bottleneck_why[128]; // one sentence
} snapshot_t;

// The row of a process; NULL: there is none.
const snapshot_process_t *snapshot_find(const snapshot_t *self, const char *name);
// "publisher", "up", "outbox": as in JSON and on screen.
const char *snapshot_role_name(snapshot_role_t role);
const char *snapshot_state_name(snapshot_state_t state);
const char *snapshot_stage_name(snapshot_stage_kind_t stage);

// A new reference: {"mayhem": "snapshot", "version": 1, ...}. Each number under its name above.
json_t *snapshot_json(const snapshot_t *self);
// False when json is none; then *ret_snapshot is untouched.
bool snapshot_read(json_t *json, snapshot_t *ret_snapshot);
void snapshot_clear(snapshot_t *self);

#endif
