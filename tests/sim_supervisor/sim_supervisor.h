// The supervisor's simulator (sim_supervisor.c) in parts: the world of processes and users, and the
// checks of the rules S1 to S15 (docs/rules.md), which keep a record of their own of what happened.

#ifndef SIM_SUPERVISOR_H
#define SIM_SUPERVISOR_H

#include "supervisor.h"

#include <stdbool.h>
#include <stdint.h>

#define SINGLES  3 // names without a number
#define NAMES    (SINGLES + SUPERVISOR_NUMBER_MAX)
#define START_MS 1000 // of the virtual clock
#define DIES_MS  50   // from KILL to the end, at most
#define LATE_MS  30   // from a deadline to its event, at most

typedef struct {
    bool is_alive;
    bool is_stubborn; // TERM does not end it
    bool is_told;     // to leave
    bool is_killed;
    bool is_substitute;
    bool must_start, must_leave; // in this step
    int64_t born_ms;
    int64_t limit_ms; // when it is to be killed; INT64_MAX: it is not
    int64_t ends_ms;  // INT64_MAX: not by itself; and how:
    int code, signal;
    bool is_deposed;  // the code is that of a consumer that leads no longer
    int error;        // it cannot be started: errno
    int64_t due_ms;   // it waits to be started again; 0: it does not
    int64_t pause_ms; // the last one; 0: none yet
    uint32_t restarts;
    uint32_t crashes; // of all, the last of which are
    int64_t crashed_ms[SUPERVISOR_CRASHES_MAX + 1];
} process_t;

typedef struct {
    uint64_t seed, random;
    supervisor_config_t config;
    supervisor_t *core;
    supervisor_actions_t actions;
    process_t processes[NAMES];
    int64_t now_ms, late_ms;
    int64_t stopped_ms;  // 0: not yet
    int64_t signaled_ms; // the first signal; 0: none yet
    bool was_stopped;    // before this step
    bool is_at_once, is_unclean, has_exited, is_traced;
    int code; // that it is to exit with; -1: the report's
    supervisor_why_t why;
    size_t why_index;
    uint32_t wanted;              // restarters
    int says[SUPERVISOR_SAYINGS]; // that are missing in this step
    int scaled;                   // the same
    const supervisor_event_t *event;
    bool is_late; // the event is of a process that does not run
    bool is_deadline_wrong;
    int64_t deadline_ms, right_deadline_ms; // the first wrong one
    const char *violated;
    char detail[256];
    uint64_t spawns, crashes, kills, scales, signals;
} world_t;

uint64_t draw(world_t *self, uint64_t limit);
size_t index_of(supervisor_child_t child);
supervisor_child_t child_at(size_t index);

// What happens to a process that is started, told to leave or killed.
void plan(world_t *self, size_t index);
void plan_to_leave(world_t *self, size_t index);
void plan_to_die(world_t *self, size_t index);

__attribute__((format(printf, 3, 4))) void violate(world_t *self, const char *rule,
                                                   const char *format, ...);
// Before a step: what the event demands of it.
void expect(world_t *self, const supervisor_event_t *event);
// Behind it: what the core did instead.
void check(world_t *self);
// At the end: a deadline that was wrong, if nothing worse came of it.
void check_deadlines(world_t *self);

#endif
