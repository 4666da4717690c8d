// See supervisor.h.

#include "supervisor.h"
#include "array.h"
#include "duration.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define CRASHES_MS 60000 // in which crash_limit counts
#define HEALTHY_MS 10000 // after so long without a crash the pause begins anew
#define REPEAT_MS  200   // a signal that comes again within it is the same one: `timeout` sends two
#define SINGLES    3     // consumer, saver, publisher
#define CHILDREN   (SINGLES + SUPERVISOR_NUMBER_MAX)

// POSIX gives these three numbers; <signal.h> would bring functions that a core may not call.
#define SIGNAL_HUP  1
#define SIGNAL_INT  2
#define SIGNAL_TERM 15

typedef enum { CHILD_NONE, CHILD_RUNS, CHILD_WAITS } child_state_t;

typedef struct {
    child_state_t state;
    bool is_leaving;    // a restarter that was scaled down
    bool is_substitute; // a saver that serves until the consumer has left
    int64_t born_ms;    // the last start
    int64_t due_ms;     // waits: when to start it
    int64_t kill_ms;    // runs: when its limit is over; MM_NEVER: it was not told to leave
    int64_t pause_ms;   // before its next restart
    uint32_t restarts;
    int64_t crashed_ms[SUPERVISOR_CRASHES_MAX + 1]; // the last ones, a ring
    uint32_t crashes;                               // all of them
} child_t;

struct supervisor {
    supervisor_config_t config;
    int64_t now_ms;
    int64_t stop_ms; // when run_ms is over
    int64_t signaled_ms;
    int signaled; // the first signal; 0: none yet
    bool is_stopping;
    bool is_unclean;
    bool has_exited;
    int code; // -1: the publisher's report decides
    supervisor_why_t why;
    supervisor_child_t why_child;
    child_t children[CHILDREN];
    size_t used; // children that were ever started are before this one
    supervisor_actions_t *actions;
};

static size_t index_of(supervisor_child_t child)
{
    if (child.role != SUPERVISOR_RESTARTER)
        return (size_t)child.role;
    assert(child.number >= 1 && child.number <= SUPERVISOR_NUMBER_MAX);
    return SINGLES + child.number - 1;
}

static supervisor_child_t name_of(size_t index)
{
    if (index < SINGLES)
        return (supervisor_child_t){.role = (supervisor_role_t)index};
    return (supervisor_child_t){SUPERVISOR_RESTARTER, (uint32_t)(index - SINGLES + 1)};
}

supervisor_t *supervisor_new(const supervisor_config_t *config, int64_t now_ms)
{
    assert(config->restarters <= SUPERVISOR_RESTARTERS_MAX);
    assert(config->crash_limit <= SUPERVISOR_CRASHES_MAX);
    supervisor_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->now_ms = now_ms;
    self->stop_ms = config->run_ms > 0 ? now_ms + config->run_ms : MM_NEVER;
    self->code = -1;
    return self;
}

void supervisor_destroy(supervisor_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

void supervisor_actions_clear(supervisor_actions_t *self)
{
    free(self->items);
    *self = (supervisor_actions_t){0};
}

// ---- actions

static supervisor_action_t *act(supervisor_t *self, supervisor_action_kind_t kind, size_t index)
{
    supervisor_actions_t *actions = self->actions;
    supervisor_action_t *action = MM_ARRAY_ADD(actions->items, actions->count, actions->capacity);
    *action = (supervisor_action_t){.kind = kind, .child = name_of(index)};
    return action;
}

static supervisor_action_t *say(supervisor_t *self, supervisor_say_t what, size_t index)
{
    supervisor_action_t *action = act(self, SUPERVISOR_SAY, index);
    action->as.say.what = what;
    return action;
}

// The same, with how the process has ended.
static supervisor_action_t *say_end(supervisor_t *self, supervisor_say_t what,
                                    const supervisor_event_t *event)
{
    supervisor_action_t *action = say(self, what, index_of(event->child));
    if (event->kind == SUPERVISOR_UNBORN) {
        action->as.say.error = event->as.unborn.error;
    } else {
        action->as.say.code = event->as.ended.code;
        action->as.say.signal = event->as.ended.signal;
    }
    return action;
}

static void spawn(supervisor_t *self, size_t index)
{
    child_t *child = &self->children[index];
    assert(child->state != CHILD_RUNS);
    child->state = CHILD_RUNS;
    child->is_leaving = child->is_substitute = false;
    child->born_ms = self->now_ms;
    child->kill_ms = MM_NEVER;
    self->used = index >= self->used ? index + 1 : self->used;
    act(self, SUPERVISOR_SPAWN, index);
}

// The limit is the last resort: each process keeps the drain timeout by itself.
static void terminate(supervisor_t *self, size_t index)
{
    act(self, SUPERVISOR_TERM, index);
    self->children[index].kill_ms = self->now_ms + self->config.drain_ms + self->config.kill_ms;
}

// ---- stopping

// Tells all to leave at once: who waits for whom is the protocol's business. Who was told before is
// not told again, since a second TERM ends a process at once. The first reason and the first code
// count.
static void stop(supervisor_t *self, int code, supervisor_why_t why, size_t index)
{
    if (self->code < 0)
        self->code = code;
    if (self->is_stopping)
        return;
    self->is_stopping = true;
    self->why = why;
    self->why_child = name_of(index);
    for (size_t i = 0; i < self->used; i++) {
        child_t *child = &self->children[i];
        if (child->state == CHILD_WAITS)
            child->state = CHILD_NONE;
        else if (child->state == CHILD_RUNS && !child->is_substitute && !child->is_leaving)
            terminate(self, i);
    }
}

// Nobody is left: the run is over.
static void check_end(supervisor_t *self)
{
    for (size_t i = 0; i < self->used; i++)
        if (self->children[i].state != CHILD_NONE)
            return;
    if (self->has_exited)
        return;
    self->has_exited = true;
    supervisor_action_t *action = act(self, SUPERVISOR_EXIT, 0);
    action->as.exit.code = self->code;
    action->as.exit.why = self->why;
    action->as.exit.child = self->why_child;
    action->as.exit.is_clean = !self->is_unclean;
}

static void end_at_once(supervisor_t *self)
{
    say(self, SUPERVISOR_SAY_AT_ONCE, 0);
    for (size_t i = 0; i < self->used; i++) {
        if (self->children[i].state == CHILD_RUNS)
            act(self, SUPERVISOR_KILL, i);
        self->children[i].state = CHILD_NONE;
    }
    self->is_unclean = self->is_stopping = true;
    self->code = 130;
    self->why = SUPERVISOR_WHY_AT_ONCE;
}

static void apply_signal(supervisor_t *self, int signal)
{
    if (self->signaled == 0) {
        self->signaled = signal;
        self->signaled_ms = self->now_ms;
        say(self, SUPERVISOR_SAY_SIGNAL, 0)->as.say.signal = signal;
        stop(self, -1, SUPERVISOR_WHY_SIGNAL, 0);
    } else if (signal != SIGNAL_HUP && self->now_ms - self->signaled_ms >= REPEAT_MS) {
        end_at_once(self);
    }
}

// ---- how a process ends

static bool works(const child_t *child)
{
    return child->state != CHILD_NONE && !child->is_leaving;
}

static void restarter_left(supervisor_t *self, size_t index)
{
    say(self, SUPERVISOR_SAY_HAS_LEFT, index);
    for (size_t i = SINGLES; i < self->used; i++)
        if (self->children[i].state != CHILD_NONE)
            return;
    say(self, SUPERVISOR_SAY_NONE_LEFT, index);
}

// How many crashes of the last minute there are, this one included; 0 when there is no limit.
static uint32_t count_crash(supervisor_t *self, child_t *child)
{
    uint32_t size = self->config.crash_limit + 1, recent = 0;
    child->crashed_ms[child->crashes++ % size] = self->now_ms;
    for (uint32_t i = 0; i < size && i < child->crashes; i++)
        recent += self->now_ms - child->crashed_ms[i] < CRASHES_MS;
    return self->config.crash_limit > 0 ? recent : 0;
}

// A crash is repaired by a restart, after a pause that grows; too many of them are not.
static void apply_crash(supervisor_t *self, const supervisor_event_t *event)
{
    size_t index = index_of(event->child);
    child_t *child = &self->children[index];
    if (count_crash(self, child) > self->config.crash_limit) {
        say_end(self, SUPERVISOR_SAY_TOO_OFTEN, event)->as.say.count = self->config.crash_limit;
        stop(self, EX_SOFTWARE, SUPERVISOR_WHY_CRASHES, index);
        return;
    }
    if (child->pause_ms == 0 || self->now_ms - child->born_ms >= HEALTHY_MS)
        child->pause_ms = self->config.backoff_low_ms;
    child->state = CHILD_WAITS;
    child->due_ms = self->now_ms + child->pause_ms;
    supervisor_action_t *action = say_end(self, SUPERVISOR_SAY_CRASHED, event);
    action->as.say.count = ++child->restarts;
    action->as.say.delay_ms = child->pause_ms;
    int64_t longer = 2 * child->pause_ms;
    child->pause_ms = longer < self->config.backoff_high_ms ? longer : self->config.backoff_high_ms;
}

// It works as it should, and so does its next start: no crash, and no pause that grows.
static void apply_deposed(supervisor_t *self, const supervisor_event_t *event)
{
    child_t *child = &self->children[index_of(event->child)];
    child->state = CHILD_WAITS;
    child->due_ms = self->now_ms + self->config.backoff_low_ms;
    say_end(self, SUPERVISOR_SAY_DEPOSED, event);
}

// What is being restarted is to be on record before the others have left: another saver serves
// until the consumer has.
static void substitute_saver(supervisor_t *self)
{
    if (self->children[SUPERVISOR_CONSUMER].state != CHILD_RUNS)
        return;
    spawn(self, SUPERVISOR_SAVER);
    self->children[SUPERVISOR_SAVER].is_substitute = true;
}

static void release_substitute(supervisor_t *self, size_t index)
{
    const child_t *saver = &self->children[SUPERVISOR_SAVER];
    if (index == SUPERVISOR_CONSUMER && saver->is_substitute && saver->state == CHILD_RUNS)
        terminate(self, SUPERVISOR_SAVER);
}

// What the user has asked for is done: the input is cut off or the starts have ended (publisher),
// or too many hosts are dead (consumer).
static bool is_cut_off(size_t index, int code)
{
    return code == EX_TEMPFAIL && (index == SUPERVISOR_PUBLISHER || index == SUPERVISOR_CONSUMER);
}

// One that was told to leave, or whose end ends a run that is stopping anyway. TERM may have come
// before it could listen.
static void apply_leave(supervisor_t *self, const supervisor_event_t *event, bool was_leaving)
{
    size_t index = index_of(event->child);
    int code = event->as.ended.code, signal = event->as.ended.signal;
    bool is_orderly = (signal == SIGNAL_TERM && code == 0) ||
                      (signal == 0 && (code == 0 || is_cut_off(index, code)));
    self->is_unclean = self->is_unclean || !is_orderly;
    say_end(self, SUPERVISOR_SAY_ENDED, event)->as.say.is_unclean = !is_orderly;
    if (was_leaving && !self->is_stopping)
        restarter_left(self, index);
    release_substitute(self, index);
}

// One that has ended with 0 by itself.
static void apply_success(supervisor_t *self, const supervisor_event_t *event)
{
    size_t index = index_of(event->child);
    if (index >= SINGLES) {
        restarter_left(self, index);
        return;
    }
    if (index == SUPERVISOR_PUBLISHER) {
        say_end(self, SUPERVISOR_SAY_ENDED, event);
        stop(self, -1, SUPERVISOR_WHY_FINISHED, index);
        return;
    }
    say_end(self, SUPERVISOR_SAY_LEFT_EARLY, event);
    if (index == SUPERVISOR_SAVER)
        substitute_saver(self);
    stop(self, EX_TEMPFAIL, SUPERVISOR_WHY_LEFT, index);
}

static void apply_end(supervisor_t *self, const supervisor_event_t *event)
{
    size_t index = index_of(event->child);
    child_t *child = &self->children[index];
    if (child->state != CHILD_RUNS)
        return;
    bool was_leaving = child->is_leaving;
    child->state = CHILD_NONE;
    child->is_leaving = child->is_substitute = false;
    int code = event->as.ended.code, signal = event->as.ended.signal;
    bool was_told = signal == SIGNAL_TERM || signal == SIGNAL_INT || signal == SIGNAL_HUP;
    if (self->is_stopping || was_leaving) {
        apply_leave(self, event, was_leaving);
    } else if (was_told || (signal == 0 && code == 0)) {
        apply_success(self, event);
    } else if (event->as.ended.is_deposed) {
        apply_deposed(self, event);
    } else if (signal == 0 && is_cut_off(index, code)) {
        say_end(self, SUPERVISOR_SAY_CUT_OFF, event);
        stop(self, code, SUPERVISOR_WHY_CUT_OFF, index);
    } else if (signal == 0 && code >= EX__BASE && code <= EX__MAX && code != EX_SOFTWARE) {
        say_end(self, SUPERVISOR_SAY_FAILED, event);
        stop(self, code, SUPERVISOR_WHY_FAILED, index);
    } else {
        apply_crash(self, event);
    }
}

static void apply_unborn(supervisor_t *self, const supervisor_event_t *event)
{
    size_t index = index_of(event->child);
    child_t *child = &self->children[index];
    if (child->state != CHILD_RUNS)
        return;
    child->state = CHILD_NONE;
    if (child->is_leaving && !self->is_stopping) {
        restarter_left(self, index);
    } else if (self->is_stopping) {
        self->is_unclean = true;
        release_substitute(self, index);
    } else if (event->as.unborn.is_final) {
        say_end(self, SUPERVISOR_SAY_FAILED, event);
        stop(self, EX_UNAVAILABLE, SUPERVISOR_WHY_FAILED, index);
    } else {
        apply_crash(self, event);
    }
}

// ---- the number of restarters

static void scale_down(supervisor_t *self, size_t index)
{
    child_t *child = &self->children[index];
    if (child->state == CHILD_WAITS) {
        child->state = CHILD_NONE;
        return;
    }
    child->is_leaving = true;
    terminate(self, index);
    say(self, SUPERVISOR_SAY_LEAVES, index);
}

// Starts what is missing under the lowest free numbers, and sends away those with the highest.
static void apply_scale(supervisor_t *self, uint32_t wanted)
{
    uint32_t count = 0;
    assert(wanted <= SUPERVISOR_RESTARTERS_MAX);
    if (self->is_stopping)
        return;
    for (size_t i = SINGLES; i < self->used; i++) {
        if (!works(&self->children[i]))
            continue;
        if (count == wanted)
            scale_down(self, i);
        else
            count++;
    }
    for (size_t i = SINGLES; i < CHILDREN && count < wanted; i++) {
        if (self->children[i].state != CHILD_NONE)
            continue;
        spawn(self, i);
        count++;
    }
    act(self, SUPERVISOR_SCALED, 0);
}

uint32_t supervisor_next_restarter(const supervisor_t *self, uint32_t after, bool *ret_is_running)
{
    for (size_t i = SINGLES + after; i < self->used; i++) {
        if (!works(&self->children[i]))
            continue;
        *ret_is_running = self->children[i].state == CHILD_RUNS;
        return (uint32_t)(i - SINGLES + 1);
    }
    return 0;
}

// ---- time

static void apply_time(supervisor_t *self)
{
    if (self->now_ms >= self->stop_ms && !self->is_stopping) {
        say(self, SUPERVISOR_SAY_TIME_IS_OVER, 0);
        stop(self, -1, SUPERVISOR_WHY_TIME, 0);
    }
    for (size_t i = 0; i < self->used; i++) {
        child_t *child = &self->children[i];
        if (child->state == CHILD_WAITS && child->due_ms <= self->now_ms) {
            spawn(self, i);
        } else if (child->state == CHILD_RUNS && child->kill_ms <= self->now_ms) {
            child->kill_ms = MM_NEVER;
            say(self, SUPERVISOR_SAY_KILLED, i);
            act(self, SUPERVISOR_KILL, i);
        }
    }
}

int64_t supervisor_deadline(const supervisor_t *self)
{
    int64_t deadline = self->is_stopping ? MM_NEVER : self->stop_ms;
    for (size_t i = 0; i < self->used; i++) {
        const child_t *child = &self->children[i];
        int64_t due_ms = child->state == CHILD_WAITS  ? child->due_ms
                         : child->state == CHILD_RUNS ? child->kill_ms
                                                      : MM_NEVER;
        deadline = due_ms < deadline ? due_ms : deadline;
    }
    return deadline;
}

static void start(supervisor_t *self)
{
    spawn(self, SUPERVISOR_CONSUMER);
    spawn(self, SUPERVISOR_SAVER);
    for (uint32_t i = 0; i < self->config.restarters; i++)
        spawn(self, SINGLES + i);
    spawn(self, SUPERVISOR_PUBLISHER);
}

void supervisor_step(supervisor_t *self, const supervisor_event_t *event,
                     supervisor_actions_t *ret_actions)
{
    assert(event->now_ms >= self->now_ms && !self->has_exited);
    self->now_ms = event->now_ms;
    self->actions = ret_actions;
    ret_actions->count = 0;
    switch (event->kind) {
    case SUPERVISOR_START: start(self); break;
    case SUPERVISOR_ENDED: apply_end(self, event); break;
    case SUPERVISOR_UNBORN: apply_unborn(self, event); break;
    case SUPERVISOR_SIGNALED: apply_signal(self, event->as.signal); break;
    case SUPERVISOR_SCALE: apply_scale(self, event->as.restarters); break;
    case SUPERVISOR_TIME: apply_time(self); break;
    }
    check_end(self);
}
