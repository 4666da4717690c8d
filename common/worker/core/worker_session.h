// The worker's half of the protocol, common to savers and restarters: joining, heartbeats, credit,
// assignments, results until they are acknowledged, draining (I7, I9, R1 to R6, R10, R12). Pure:
// events in, actions out. It does not know what a task does: it answers MM_WORKER_START with
// MM_WORKER_FINISHED later.

#ifndef MM_WORKER_H
#define MM_WORKER_H

#include "frame.h"

typedef struct {
    mm_name_t name;
    mm_role_t role;
    uint64_t instance; // drawn at random for this process
    uint32_t slots;    // 1 to MM_SLOTS_MAX
    int64_t heartbeat_ms;
    int64_t lost_after_ms;
    int64_t drain_ms; // from the drain event until running tasks are stopped
    bool leaves_last; // a saver: it serves until the consumer's bye
    bool one_by_one;  // a start takes time: one start per step, each checked against its clock
    mm_name_t driver; // a restarter's, as its hello names it; empty: the mock
    uint32_t verbs;   // bits of mm_verb_t
} mm_worker_config_t;

typedef enum {
    MM_WORKER_FRAME,    // from the consumer: tasks, welcome, refused, rejoin, beat, leaving
    MM_WORKER_FINISHED, // a started task has ended
    MM_WORKER_TIME,     // the deadline has come
    MM_WORKER_CUT,      // the way to the consumer has failed: begin anew, as when it is silent
    MM_WORKER_SLOTS,    // from now on it has so many slots; what runs beyond them goes on
    MM_WORKER_DRAIN     // accept no more tasks, finish the running ones, leave
} mm_worker_event_kind_t;

typedef struct {
    mm_worker_event_kind_t kind;
    int64_t now_ms;  // CLOCK_BOOTTIME
    int64_t boot_ms; // CLOCK_BOOTTIME (R1)
    union {
        const mm_frame_t *frame;
        const mm_result_t *result; // finished: the core fills in serial, leg and id
        uint32_t slots;            // 1 to those of the config
    } as;
} mm_worker_event_t;

typedef enum {
    MM_WORKER_CONNECT,    // connect the PULL of a session
    MM_WORKER_DISCONNECT, // close it
    MM_WORKER_RECREATE,   // the consumer is silent, or cut off: destroy and recreate all sockets
    MM_WORKER_START,      // do this task; a real one has first_ms and deadline_ms by boot_ms
    MM_WORKER_STOP,       // end all running tasks now
    MM_WORKER_ORDERS,     // of a saver: record these, and answer what is asked
    MM_WORKER_STARTED,    // send: this task is started
    MM_WORKER_RESULT,     // send this result
    MM_WORKER_REPORT,     // send one part of a hello or heartbeat
    MM_WORKER_BYE,        // send the last word
    MM_WORKER_DONE,       // end the process
    MM_WORKER_LOG         // log only
} mm_worker_action_kind_t;

typedef enum {
    MM_WORKER_LOG_JOINED,
    MM_WORKER_LOG_REFUSED,
    MM_WORKER_LOG_SILENT,   // three heartbeats of the consumer were missed
    MM_WORKER_LOG_REJOIN,   // another consumer, or one that presumed this worker lost
    MM_WORKER_LOG_RETURNED, // a task was returned unstarted
    MM_WORKER_LOG_CLAIM     // a consumer claims what cannot be: ignored (R16)
} mm_worker_log_t;

typedef struct {
    mm_worker_action_kind_t kind;
    union {
        struct {
            uint64_t session;
            char suffix[32]; // to append to the base address
        } connect;
        const mm_task_t *task; // start; valid until the next step, and as long as its event
        const mm_orders_body_t *orders; // valid as long as the event
        uint64_t number;                // started
        uint64_t serial;                // result: see mm_worker_result
        const mm_report_t *report;      // valid until the next step
        uint64_t last_serial;           // bye
        struct {
            mm_worker_log_t log;
            mm_str_t text;   // refused: why; claim: what
            uint64_t number; // joined: the session; returned: the task
        } log;
    } as;
} mm_worker_action_t;

typedef struct {
    mm_worker_action_t *items;
    size_t count;
    size_t capacity;
} mm_worker_actions_t;

void mm_worker_actions_clear(mm_worker_actions_t *self); // frees it

typedef struct mm_worker mm_worker_t;

// A worker that joins: its first hello is due at now_ms (CLOCK_BOOTTIME). Copies the config. Never
// NULL.
mm_worker_t *mm_worker_new(const mm_worker_config_t *config, int64_t now_ms);
void mm_worker_destroy(mm_worker_t **self_p);
// Applies one event and replaces *ret_actions, a list of the caller's (zeroed at first), by the
// actions that follow from it. Event times do not decrease; a finished task must be held.
void mm_worker_step(mm_worker_t *self, const mm_worker_event_t *event,
                    mm_worker_actions_t *ret_actions);
// When the next time event is due, in ms of the same clock; now or earlier: at once.
int64_t mm_worker_deadline(const mm_worker_t *self);

// The current session, which frames to the consumer name; 0: none.
uint64_t mm_worker_session(const mm_worker_t *self);
// The result that an action of the last step names; valid until the next step.
const mm_result_t *mm_worker_result(const mm_worker_t *self, uint64_t serial);
// Whether the worker holds this task: accepted, and without a result. If so, *ret_task (NULL: not
// wanted) gets its number, leg, id and attempt, and the host of a restart, valid until the next
// step.
bool mm_worker_holds(const mm_worker_t *self, uint64_t number, mm_task_t *ret_task);
// The latest time at which a worker that drains and runs nothing leaves; MM_NEVER for any other.
int64_t mm_worker_leave_deadline(const mm_worker_t *self);
// Results that no consumer has acknowledged.
uint64_t mm_worker_unacknowledged(const mm_worker_t *self);
// Tasks held.
size_t mm_worker_running(const mm_worker_t *self);
// Before which instant of CLOCK_BOOTTIME, ms, a command may be started (permit.h); 0: none may now.
// Of the mock, which starts none, it is always 0.
int64_t mm_worker_permit(const mm_worker_t *self);

#endif
