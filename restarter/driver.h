// What restarts a host. A driver is a table of functions; drivers/drivers.h has the registry, one
// row per driver, and a process has one driver. main.c owns the loop: it watches driver_descriptor,
// calls driver_step when that is readable or driver_deadline has come, then takes what has
// finished. A driver never blocks, sends or logs; but driver_open and driver_destroy may block. All
// times are CLOCK_BOOTTIME in milliseconds, as those of a real task: the caller reads it once per
// turn.

#ifndef DRIVER_H
#define DRIVER_H

#include "frame.h"
#include "options.h"

typedef struct driver driver_t;

// A row of the registry.
typedef struct {
    // What the log calls the driver, when the options ask for it; NULL: they ask for another.
    const char *(*name)(const mm_options_t *options);
    // Prints what is recorded as the driver of a run; NULL: it is a mock, and recorded so.
    void (*describe)(const mm_options_t *options);
    // Makes the driver. It checks the options that are its own: NULL, and one sentence in
    // ret_complaint, when it cannot work with them (the caller exits with 78). The options must
    // outlive it.
    driver_t *(*new)(const mm_options_t *options, char ret_complaint[MM_ERROR_MAX]);
    bool one_by_one; // a start takes a while: one per step of the worker (mm_worker_config_t)
} driver_kind_t;

// What is to be logged at once of a task that goes on.
typedef enum {
    DRIVER_NOTE_COMMAND, // the command has ended, as `text` says
    DRIVER_NOTE_PROBE,   // the first read of a probe that was no answer; it is asked on
    DRIVER_NOTE_LOOK,    // the first look behind it that did not find the host, or found it ill
    DRIVER_NOTE_SKIP,    // --skip-if could not tell: it was not found, cut off, or lost its session
    DRIVER_NOTE_LEFT,    // it was given up, and something of it cannot be killed
    DRIVER_NOTE_BEFORE,  // --before has ended, and so has
    DRIVER_NOTE_AFTER,   // --after
    DRIVER_NOTE_PERMIT,  // there was no permit for the command: the task goes back
    DRIVER_NOTE_OUTPUT   // the command's output is not kept any more
} driver_note_t;

// A restart that goes on, for viewers.
typedef struct {
    uint64_t number;              // of its task
    const char *doing;            // a word for what it does now: restart_doing, or "mock"
    uint32_t command;             // of the driver's list; 0: it sends none
    int64_t since_ms;             // the attempt's begin
    char words[MM_WORDS_MAX + 1]; // the last ones of what runs, or ran last; empty: none
} driver_view_t;

// Before which instant of the driver's clock a command may be started (G10); 0: none may now.
typedef int64_t driver_permit_fn(void *arg);

typedef void driver_note_fn(void *arg, uint64_t number, driver_note_t note, const char *text);

// What each kind of driver provides. Called through the functions below only.
typedef struct {
    bool (*open)(driver_t *self, char *ret_complaint); // NULL: there is nothing to open
    void (*destroy)(driver_t *self);
    void (*start)(driver_t *self, const mm_task_t *task, int64_t now_ms);
    void (*step)(driver_t *self, int64_t now_ms); // NULL: only the clock moves it
    bool (*next_finished)(driver_t *self, int64_t now_ms, mm_result_t *ret_result);
    int64_t (*deadline)(const driver_t *self);
    int (*descriptor)(const driver_t *self);       // NULL: there is none
    void (*drain)(driver_t *self, int64_t now_ms); // NULL: nothing only waits
    void (*stop)(driver_t *self, int64_t now_ms);
    bool (*is_lost)(const driver_t *self); // NULL: never
    bool (*look)(const driver_t *self, size_t *cursor, driver_view_t *ret_view);
    void (*permit)(driver_t *self, int64_t now_ms); // NULL: it needs none
} driver_ops_t;

// The first member of each kind's own struct.
struct driver {
    const driver_ops_t *ops;
    mm_attribute_keys_t attributes; // that each task must carry; the texts are the driver's
    const char *named_by[MM_ATTRIBUTES_MAX]; // where each of them is named, for messages
    mm_name_t name;                          // for the HELLO; empty: it is the mock
    uint32_t verbs;                          // bits of mm_verb_t
    const char *proof;    // how sure a success is, in words; NULL: it is the mock
    driver_note_fn *note; // the caller's; NULL: none
    void *note_arg;
    driver_permit_fn *permit; // the caller's; NULL: no command is permitted
    void *permit_arg;
    bool has_own_clock; // of a test: its times are not CLOCK_BOOTTIME
};

// Starts what it needs to work: processes, descriptors. To be called from the main thread before
// there is a socket, and before anything below. False: one sentence in ret_complaint.
static inline bool driver_open(driver_t *self, char ret_complaint[MM_ERROR_MAX])
{
    return !self->ops->open || self->ops->open(self, ret_complaint);
}

// Kills what still runs. Sets *self_p to NULL; NULL is fine.
static inline void driver_destroy(driver_t **self_p)
{
    if (*self_p)
        (*self_p)->ops->destroy(*self_p);
    *self_p = NULL;
}

// Begins one restart; the task is copied. At most options.slots are started and not yet returned by
// driver_next_finished, and none is started after driver_stop.
static inline void driver_start(driver_t *self, const mm_task_t *task, int64_t now_ms)
{
    self->ops->start(self, task, now_ms);
}

// Does what is due: reads output, reaps, times out, polls. To be called when the descriptor is
// readable or the deadline has come; harmless at any other time.
static inline void driver_step(driver_t *self, int64_t now_ms)
{
    if (self->ops->step)
        self->ops->step(self, now_ms);
}

// Takes one restart that has finished; false, *ret_result untouched, when there is none now. To be
// called after driver_start, driver_step and driver_stop until it returns false. The result has the
// task's number, OK, FAILED, OPEN or RETURNED (it could not be started, by the fault of this
// machine, or since it is to stop), the time it took, an error (one line of UTF-8, at most
// MM_ERROR_MAX bytes; empty when ok), evidence ("exit" = "0"), and of a real driver the real part
// of a result of its leg: of one that is returned only when its host is held. That and the texts
// live until the next call.
static inline bool driver_next_finished(driver_t *self, int64_t now_ms, mm_result_t *ret_result)
{
    return self->ops->next_finished(self, now_ms, ret_result);
}

// When driver_step and driver_next_finished are to be called next, maybe in the past; MM_NEVER: not
// by the clock.
static inline int64_t driver_deadline(const driver_t *self)
{
    return self->ops->deadline(self);
}

// A descriptor (epoll) that is readable when driver_step has something to do; -1: there is none.
static inline int driver_descriptor(const driver_t *self)
{
    return self->ops->descriptor ? self->ops->descriptor(self) : -1;
}

// Nothing more is to be started: what only waits for a host is given back, open or returned, and
// comes out of driver_next_finished at once. Commands that run go on. No driver_start from now on.
static inline void driver_drain(driver_t *self, int64_t now_ms)
{
    if (self->ops->drain)
        self->ops->drain(self, now_ms);
}

// The drain limit: everything that runs ends as failed, "stopped". The mock's restarts end at once;
// a command gets TERM now, KILL 2 s later, and comes out of driver_next_finished when it is dead,
// or a second later when it cannot be killed.
static inline void driver_stop(driver_t *self, int64_t now_ms)
{
    self->ops->stop(self, now_ms);
}

// Whether the driver cannot go on, since a process of its own was killed: what runs has no result
// any more, and is killed by driver_destroy.
static inline bool driver_is_lost(const driver_t *self)
{
    return self->ops->is_lost && self->ops->is_lost(self);
}

// What is permitted has changed: what waits for that is looked at again.
static inline void driver_permit(driver_t *self, int64_t now_ms)
{
    if (self->ops->permit)
        self->ops->permit(self, now_ms);
}

// All restarts that go on, one by one; begins with a cursor of 0. False at the end.
static inline bool driver_look(const driver_t *self, size_t *cursor, driver_view_t *ret_view)
{
    return self->ops->look(self, cursor, ret_view);
}

#endif
