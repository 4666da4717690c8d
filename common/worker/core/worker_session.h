// The worker's half of the protocol, which savers and restarters have in common: joining,
// heartbeats, credit, what is held, results until they are confirmed, draining (R1 to R6, R10,
// R12). Pure: events in, actions out. What a task does is the process's own business: it gets
// MM_WORKER_START and later gives MM_WORKER_FINISHED.

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
    int64_t drain_ms; // from the drain event: what runs then is stopped
    bool leaves_last; // a saver: it serves until the consumer's bye
    bool one_by_one;  // starting takes time: one start in a step, each judged by the clock of then
} mm_worker_config_t;

typedef enum {
    MM_WORKER_FRAME,    // from the consumer: tasks, welcome, refused, rejoin, beat, leaving
    MM_WORKER_FINISHED, // a started task has ended
    MM_WORKER_TIME,     // the deadline has come
    MM_WORKER_DRAIN     // take nothing more, end what runs, leave
} mm_worker_event_kind_t;

typedef struct {
    mm_worker_event_kind_t kind;
    int64_t now_ms;  // CLOCK_MONOTONIC
    int64_t boot_ms; // CLOCK_BOOTTIME (R1)
    union {
        const mm_frame_t *frame;
        const mm_result_t *result; // finished: serial, leg and id are filled in by the core
    } as;
} mm_worker_event_t;

typedef enum {
    MM_WORKER_CONNECT,    // connect the PULL of a session
    MM_WORKER_DISCONNECT, // close it
    MM_WORKER_RECREATE,   // the consumer is silent: destroy and recreate all sockets
    MM_WORKER_START,      // do this task
    MM_WORKER_STOP,       // end all that runs now
    MM_WORKER_STARTED,    // tell the consumer
    MM_WORKER_RESULT,     // tell the consumer
    MM_WORKER_REPORT,     // hello or heartbeat: one part of it
    MM_WORKER_BYE,        // tell the consumer
    MM_WORKER_DONE,       // end the process
    MM_WORKER_LOG         // for the log
} mm_worker_action_kind_t;

typedef enum {
    MM_WORKER_LOG_JOINED,
    MM_WORKER_LOG_REFUSED,
    MM_WORKER_LOG_SILENT,  // three heartbeats of the consumer were missed
    MM_WORKER_LOG_REJOIN,  // another consumer, or one that took this worker for lost
    MM_WORKER_LOG_RETURNED // a task was given back unstarted
} mm_worker_log_t;

typedef struct {
    mm_worker_action_kind_t kind;
    union {
        struct {
            uint64_t session;
            char suffix[32]; // to put behind the base address
        } connect;
        const mm_task_t *task;     // start; lives until the next step, or as the event
        uint64_t number;           // started
        uint64_t serial;           // result: see mm_worker_result
        const mm_report_t *report; // lives until the next step
        uint64_t last_serial;      // bye
        struct {
            mm_worker_log_t log;
            mm_str_t text;   // refused: why
            uint64_t number; // joined: the session; returned: the task
        } log;
    } as;
} mm_worker_action_t;

typedef struct {
    mm_worker_action_t *items;
    size_t count;
    size_t size;
} mm_worker_actions_t;

void mm_worker_actions_clear(mm_worker_actions_t *self); // frees it

typedef struct mm_worker mm_worker_t;

mm_worker_t *mm_worker_new(const mm_worker_config_t *config, int64_t now_ms);
void mm_worker_destroy(mm_worker_t **self_p);
void mm_worker_step(mm_worker_t *self, const mm_worker_event_t *event,
                    mm_worker_actions_t *ret_actions);
int64_t mm_worker_deadline(const mm_worker_t *self);

// The session it is in; 0: none. Frames to the consumer name it.
uint64_t mm_worker_session(const mm_worker_t *self);
uint64_t mm_worker_instance(const mm_worker_t *self);
// A result that an action of the last step names; valid until the next step.
const mm_result_t *mm_worker_result(const mm_worker_t *self, uint64_t serial);
// Whether this task was taken and has no result yet; if so, *ret_task (NULL: not wanted) gets its
// number, leg, id and attempt, and the host of a restart, valid until the next step.
bool mm_worker_holds(const mm_worker_t *self, uint64_t number, mm_task_t *ret_task);
// Results that no consumer has confirmed.
uint64_t mm_worker_unacknowledged(const mm_worker_t *self);
// Tasks taken that have no result yet.
size_t mm_worker_running(const mm_worker_t *self);

#endif
