// A whole pipeline at one moment: a row for each process, the stages of a job's way with what waits
// before each, and which of them limits the rest. It is made of the numbers that the processes
// report once a second while a viewer asks for them (docs/profiling.md lists them), or read from a
// recording, which is the same JSON.

#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "job.h"

#include <jansson.h>

typedef enum {
    SNAPSHOT_UP,
    SNAPSHOT_DRAINING, // accepts nothing new
    SNAPSHOT_SILENT,   // no answer for three seconds: stopped, or gone
    SNAPSHOT_LOST,     // a worker that the consumer presumes lost: no heartbeat
    SNAPSHOT_LEFT      // it has said bye
} snapshot_state_t;

typedef struct {
    char name[MM_NAME_MAX + 1];
    mm_program_t role;
    snapshot_state_t state;
    int pid;              // 0: it has never answered
    int64_t silent_ms;    // since its last answer
    double rate;          // jobs finished a second; of a restarter, restarts
    double busy;          // share of the loop's time outside of its wait for events, 0 to 1
    double cpu;           // cores, all threads
    int64_t memory_bytes; // resident
    int64_t held;         // jobs under lease, in flight, at the worker
    int64_t limit;        // of held: window, max in flight, slots
    int64_t p50_us;       // how long it holds a job, over the last ten seconds or so; -1: no job
    int64_t p99_us;       //
    int64_t failed;       // dead jobs, or failed attempts
    int64_t dropped;      // log lines and bad frames
    char doing[48];       // the span with most of its time in the last second: "sqlite commit"
} snapshot_process_t;

typedef enum {
    SNAPSHOT_OUTBOX,  // accepted, not yet delivered
    SNAPSHOT_WIRE,    // delivered, and not (or no longer) in flight at the consumer
    SNAPSHOT_STORE,   // to the saver
    SNAPSHOT_RESTART, // to the restarters
    SNAPSHOT_STAGES
} snapshot_stage_kind_t;

typedef struct {
    int64_t waiting;                  // jobs before it; exact
    int64_t out;                      // jobs beyond it: under lease, at a worker
    int64_t capacity;                 // of out: window, slots; 0: no limit, or no worker
    int64_t backoff;                  // failed, to be retried later; not in waiting
    int64_t blocked;                  // of waiting: for their host, or for a worker of their own
    int64_t wait_p50_us, wait_p99_us; // how long they waited; -1: none did
    int64_t took_p50_us, took_p99_us; // how long they were beyond it; -1: none was
    char reason[48]; // restart: why most of those that wait do ("host busy"); "": none waits
} snapshot_stage_t;

#define SNAPSHOT_GROUPS_MAX    1024
#define SNAPSHOT_ATTENTION_MAX 16

// What holds back the hosts of a group, by the policy.
typedef struct {
    char name[MM_NAME_MAX + 1]; // "": the whole run
    int64_t hosts;              // of the list; 0: not known yet
    int64_t cap, budget;        // in hosts; -1: no limit
    int64_t in_progress;        // restarts, open ones included
    int64_t casualties;         // hosts that are not known to be up
    int64_t waiting;            // restarts that wait
    char reason[48];            // why the first of them does; "": none waits
    int64_t step, steps;        // of the ramp, from 1; 0 of 0: there is none; beyond: it has ended
    int64_t step_hosts;         // of this step; -1: no limit
    int64_t proven;             // in this step
    int64_t baked_ms;           // Unix time at which the next step begins; 0: this one goes on
    bool tripped;               // its breaker has
    char why[128];              // it has
    int64_t opens_ms;           // Unix time at which its window opens; 0: it is open; -1: never
    int64_t closes_ms;          // and closes; -1: never
} snapshot_group_t;

// What needs a person, as a sentence with the command that helps.
typedef struct {
    char text[400];
} snapshot_attention_t;

typedef struct {
    int64_t wall_ms; // Unix time
    snapshot_process_t *processes;
    size_t process_count; // by role, then by name
    snapshot_stage_t stages[SNAPSHOT_STAGES];
    bool has_publisher, has_consumer; // each has answered in the last three seconds
    double rate;                      // jobs settled a second
    int64_t total;                    // jobs of this run; 0: not known yet
    int64_t restarted, dead;          // of this run
    int64_t skipped, withdrawn;       // the same
    int64_t backlog;                  // in the outbox, not settled
    int64_t in_flight;
    int64_t retried, reclaimed, nacked, extended; // since the consumer's start
    int64_t refused_keys;                         // the same, at the listener
    int64_t p50_us, p99_us;                       // accepted to acked; -1: none was
    bool draining;
    char lease[16]; // on a shared record: "standby", "leading", "suspended", "deposed"; else ""
    int64_t lease_epoch; // of whoever has the lease, as the consumer has last heard; 0: nobody yet
    int64_t lease_left_ms;       // until it ends; of a leader until it is suspended
    int64_t lease_age_ms;        // since the leader's last renewal began; -1: it is a standby's
    char limit[MM_NAME_MAX + 1]; // "source", "window", "store", "restart", ..., or a process
    char limit_why[128];         // one sentence
    bool halted;                 // nothing begins, by an operator
    snapshot_group_t *groups;    // with a policy: the whole run, then the others
    size_t group_count;
    int64_t groups_left_out; // so many more; those that have tripped go before others
    snapshot_attention_t attention[SNAPSHOT_ATTENTION_MAX]; // the most urgent first
    size_t attention_count;
    int64_t attention_left_out; // so many more
} snapshot_t;

// "up", "outbox", ...: as in JSON and on screen.
extern const char *const snapshot_states[], *const snapshot_stages[SNAPSHOT_STAGES];

// Sets limit and limit_why from the rest. In bottleneck.c.
void snapshot_find_limit(snapshot_t *self);

// A new reference: {"mayhem": "snapshot", "version": 1, ...}. Each number has its name above, but
// for "room" (capacity) and "taken_back" (reclaimed).
json_t *snapshot_json(const snapshot_t *self);
// Its member "held": what holds the run back, and what needs a person.
json_t *snapshot_held_json(const snapshot_t *self);
// What a consumer replies of a stage, or of a group, whatever it holds.
void snapshot_parse_stage(const json_t *reply, snapshot_stage_t *ret_stage);
void snapshot_parse_group(const json_t *reply, snapshot_group_t *ret_group);
// False when json is no snapshot; *ret_snapshot is then untouched. The caller clears it.
bool snapshot_read(const json_t *json, snapshot_t *ret_snapshot);
// Makes *self, which is zero or a snapshot, a copy.
void snapshot_copy(snapshot_t *self, const snapshot_t *from);
void snapshot_clear(snapshot_t *self);

#endif
