// What restarts a host: the mock of the article (driver_mock.c) or a command per host
// (driver_exec.c). One driver per process. main.c owns the loop and calls a driver from there: it
// watches driver_descriptor, calls driver_step when that is readable or driver_deadline has come,
// and then takes what has finished. A driver never blocks, never sends and never logs.
// All times are milliseconds of one monotonic clock, read by the caller once per turn.

#ifndef DRIVER_H
#define DRIVER_H

#include "frame.h"

// How one restart ended. The texts live until the next call of driver_next_finished.
typedef struct {
    uint64_t number;    // the task's
    mm_status_t status; // MM_STATUS_OK or MM_STATUS_FAILED
    int64_t took_ms;
    mm_str_t error; // one line of UTF-8, at most MM_ERROR_MAX bytes; empty when ok
    mm_pair_t evidence[MM_EVIDENCE_MAX]; // "exit" = "0", "verify_polls" = "3"
    uint32_t evidence_count;
} driver_finish_t;

typedef struct driver driver_t;

// What each kind of driver brings. Called through the functions below only.
typedef struct {
    void (*destroy)(driver_t *self);
    void (*start)(driver_t *self, const mm_task_t *task, int64_t now_ms);
    void (*step)(driver_t *self, int64_t now_ms);
    bool (*next_finished)(driver_t *self, int64_t now_ms, driver_finish_t *ret_finish);
    int64_t (*deadline)(const driver_t *self);
    int (*descriptor)(const driver_t *self);
    void (*stop)(driver_t *self, int64_t now_ms);
} driver_ops_t;

// The head of each kind's own struct.
struct driver {
    const driver_ops_t *ops;
};

typedef struct {
    uint32_t slots;       // 1 to MM_SLOTS_MAX
    int64_t time_from_ms; // a restart takes a time drawn evenly from time_from_ms..time_to_ms
    int64_t time_to_ms;
    double fail; // the share of restarts that fail, 0.0 to 1.0
    uint64_t seed;
} driver_mock_config_t;

// The mock: with time 0..0 a restart is finished in the turn in which it was started.
driver_t *driver_mock_new(const driver_mock_config_t *config);

typedef struct {
    uint32_t slots;            // 1 to MM_SLOTS_MAX
    const char *exec;          // the command line, with {host}, {job} and {attempt}
    const char *verify;        // the same, polled after the command has ended; NULL: none
    int64_t timeout_ms;        // of the command; > 0
    int64_t verify_timeout_ms; // of all polls together, from the end of the command; > 0
    bool dry_run;              // print to stdout what would be run, run nothing
    uint64_t open_files;       // soft RLIMIT_NOFILE for the commands; 0: as it is now
} driver_exec_config_t;

// Bytes for a complaint, the NUL included.
#define DRIVER_COMPLAINT_MAX 512

// A command per host. Checks both command lines, and that their programs can be run; on failure it
// returns NULL and one sentence in ret_complaint (the caller exits with EX_CONFIG). All calls must
// come from the main thread: when the thread that started a command ends, the command does. Needs
// two descriptors per slot, and four more.
driver_t *driver_exec_new(const driver_exec_config_t *config,
                          char ret_complaint[DRIVER_COMPLAINT_MAX]);

// Kills what still runs. Sets *self_p to NULL; NULL is fine.
static inline void driver_destroy(driver_t **self_p)
{
    if (*self_p)
        (*self_p)->ops->destroy(*self_p);
    *self_p = NULL;
}

// Begins one restart; the task is copied. The caller has at most `slots` that are started and not
// yet returned by driver_next_finished, and starts none after driver_stop.
static inline void driver_start(driver_t *self, const mm_task_t *task, int64_t now_ms)
{
    self->ops->start(self, task, now_ms);
}

// Does what is due: reads output, reaps, times out, polls. To be called when the descriptor is
// readable or the deadline has come; harmless at any other time.
static inline void driver_step(driver_t *self, int64_t now_ms)
{
    self->ops->step(self, now_ms);
}

// Takes one restart that has finished; false, *ret_finish untouched, when there is none (now). To
// be called after driver_start, driver_step and driver_stop until it says false.
static inline bool driver_next_finished(driver_t *self, int64_t now_ms, driver_finish_t *ret_finish)
{
    return self->ops->next_finished(self, now_ms, ret_finish);
}

// When driver_step and driver_next_finished want to be called next, maybe in the past; MM_NEVER:
// not by the clock.
static inline int64_t driver_deadline(const driver_t *self)
{
    return self->ops->deadline(self);
}

// A descriptor (epoll) that is readable when driver_step has something to do; -1: there is none.
static inline int driver_descriptor(const driver_t *self)
{
    return self->ops->descriptor(self);
}

// The drain's limit: everything that runs ends as failed, "stopped". The mock's at once; a command
// gets TERM now, KILL 2 s later, and comes out of driver_next_finished when it is dead.
static inline void driver_stop(driver_t *self, int64_t now_ms)
{
    self->ops->stop(self, now_ms);
}

#endif
