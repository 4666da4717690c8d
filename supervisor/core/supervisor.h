// The supervisor's core: which process of a pipeline is started, told to leave or killed, and when,
// and with which exit code the run ends. Pure: an event goes in, a list of actions comes out; time
// is in the event. It knows processes, not jobs: in which order processes drain is the protocol's
// business, and what is done or left is in the databases.
//
// A pipeline is one consumer, one saver, one publisher and any number of restarters. Exit codes
// decide (docs/operations.md): 0 of the publisher ends the run, 0 of a restarter is scaling down, 0
// of another and 75 of publisher and consumer end the run unfinished, 64 to 78 end it with that
// code, all else is a crash and is started again after a pause that grows. A consumer that ends
// with 75 since it leads no longer is started again as a standby, as often as that happens.

#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUPERVISOR_RESTARTERS_MAX 256 // that a user may ask for
#define SUPERVISOR_NUMBER_MAX     512 // the highest number in a restarter's name
#define SUPERVISOR_CRASHES_MAX    64  // the highest crash_limit

typedef enum {
    SUPERVISOR_CONSUMER,
    SUPERVISOR_SAVER,
    SUPERVISOR_PUBLISHER,
    SUPERVISOR_RESTARTER,
} supervisor_role_t;

// A process of the pipeline by its place: "consumer", "restarter-2".
typedef struct {
    supervisor_role_t role;
    uint32_t number; // of a restarter, from 1; else 0
} supervisor_child_t;

typedef struct {
    uint32_t restarters;     // at the start, 0 to SUPERVISOR_RESTARTERS_MAX
    int64_t drain_ms;        // the limit that each process keeps by itself
    int64_t kill_ms;         // what it gets beyond that before it is killed
    uint32_t crash_limit;    // restarts of one process within a minute, at most; 0: no limit
    int64_t backoff_low_ms;  // the pause before the first restart; it doubles up to
    int64_t backoff_high_ms; // this one, and begins anew after ten seconds without a crash
    int64_t run_ms;          // the run is stopped after this time; 0: it is not
} supervisor_config_t;

typedef enum {
    SUPERVISOR_START,    // start the pipeline
    SUPERVISOR_ENDED,    // a process has ended
    SUPERVISOR_UNBORN,   // a process that was to be started could not be
    SUPERVISOR_SIGNALED, // TERM, INT or HUP has come
    SUPERVISOR_SCALE,    // a user asks for another number of restarters
    SUPERVISOR_TIME,     // the deadline has come
} supervisor_event_kind_t;

typedef struct {
    supervisor_event_kind_t kind;
    int64_t now_ms;           // CLOCK_BOOTTIME, never less than in the event before
    supervisor_child_t child; // ended, unborn
    union {
        struct {
            int code;        // of its exit, when signal is 0; else 0, or 128 + signal
            int signal;      // that has killed it, or that it has ended by at once, by itself
            bool is_deposed; // a consumer's 75: it has lost the lease of the record, or given it up
        } ended;
        struct {
            int error;     // errno
            bool is_final; // trying again cannot help: the program is missing
        } unborn;
        int signal;          // signaled: SIGTERM, SIGINT or SIGHUP
        uint32_t restarters; // scale: 0 to SUPERVISOR_RESTARTERS_MAX
    } as;
} supervisor_event_t;

typedef enum {
    SUPERVISOR_SPAWN,  // start this process
    SUPERVISOR_TERM,   // send it SIGTERM: it drains and leaves
    SUPERVISOR_KILL,   // send it SIGKILL: it has not left within its limit
    SUPERVISOR_SAY,    // tell the user
    SUPERVISOR_SCALED, // the number of restarters is as it was asked for
    SUPERVISOR_EXIT,   // the run has ended: nothing follows
} supervisor_action_kind_t;

// What is to be said. Those of one process name it in `child`.
typedef enum {
    SUPERVISOR_SAY_SIGNAL,       // the first signal: what runs is finished
    SUPERVISOR_SAY_AT_ONCE,      // the second one
    SUPERVISOR_SAY_ENDED,        // a process has ended as it should
    SUPERVISOR_SAY_CRASHED,      // it is started again: `count`th time, in delay_ms
    SUPERVISOR_SAY_DEPOSED,      // the consumer leads no longer: it is started again
    SUPERVISOR_SAY_TOO_OFTEN,    // it has crashed too often: the run stops
    SUPERVISOR_SAY_FAILED,       // it ended with 64 to 78: the run stops
    SUPERVISOR_SAY_LEFT_EARLY,   // it ended with 0 and is needed: the run stops
    SUPERVISOR_SAY_CUT_OFF,      // publisher or consumer: the run stops as asked for
    SUPERVISOR_SAY_LEAVES,       // a restarter finishes what it runs, since it was scaled down
    SUPERVISOR_SAY_HAS_LEFT,     // a restarter has
    SUPERVISOR_SAY_NONE_LEFT,    // and it was the last
    SUPERVISOR_SAY_TIME_IS_OVER, // run_ms is over: the run stops
    SUPERVISOR_SAY_KILLED,       // it did not leave within its limit
    SUPERVISOR_SAYINGS           // how many there are
} supervisor_say_t;

// Why the run ended: the first reason counts.
typedef enum {
    SUPERVISOR_WHY_FINISHED, // the publisher has ended with 0
    SUPERVISOR_WHY_SIGNAL,   // a signal
    SUPERVISOR_WHY_AT_ONCE,  // a second one
    SUPERVISOR_WHY_CUT_OFF,  // the publisher or the consumer has ended with 75
    SUPERVISOR_WHY_FAILED,   // a process has ended with 64 to 78, or cannot be started
    SUPERVISOR_WHY_LEFT,     // a process that is needed has ended with 0
    SUPERVISOR_WHY_CRASHES,  // a process crashed too often
    SUPERVISOR_WHY_TIME,     // run_ms was over
} supervisor_why_t;

typedef struct {
    supervisor_action_kind_t kind;
    supervisor_child_t child; // spawn, term, kill; of a say where it has one
    union {
        struct {
            supervisor_say_t what;
            int code;        // of the exit that it speaks of, when signal is 0
            int signal;      // that has killed the process, or has come
            int error;       // errno, when the process could not be started; else 0
            bool is_unclean; // ended: not in order; then the exit is not clean
            uint32_t count;
            int64_t delay_ms;
        } say;
        struct {
            int code; // the exit code; -1: what the publisher's report says
            supervisor_why_t why;
            supervisor_child_t child; // of the failed, left, cut off and crashed
            bool is_clean;            // everybody left in order
        } exit;
    } as;
} supervisor_action_t;

// Owned by the caller, reused from step to step.
typedef struct {
    supervisor_action_t *items;
    size_t count;
    size_t capacity;
} supervisor_actions_t;

void supervisor_actions_clear(supervisor_actions_t *self); // frees it

typedef struct supervisor supervisor_t;

supervisor_t *supervisor_new(const supervisor_config_t *config, int64_t now_ms);
void supervisor_destroy(supervisor_t **self_p);

// Takes one event; *ret_actions is emptied first and then holds what to do, in order. Events about
// a process that is not running are ignored. After SUPERVISOR_EXIT no event may follow.
void supervisor_step(supervisor_t *self, const supervisor_event_t *event,
                     supervisor_actions_t *ret_actions);
// When it wants a SUPERVISOR_TIME event, CLOCK_BOOTTIME in ms; INT64_MAX: not at all.
int64_t supervisor_deadline(const supervisor_t *self);

// The restarters that work, or are about to be started again, by number: start with 0, ends with 0.
// *ret_is_running: whether its process is there now.
uint32_t supervisor_next_restarter(const supervisor_t *self, uint32_t after, bool *ret_is_running);

#endif
