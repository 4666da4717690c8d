// See sim_supervisor.h: before each step the record says what has to come of it, and behind it what
// has come is compared.

#include "sim_supervisor.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define MINUTE_MS  60000
#define HEALTHY_MS 10000
#define REPEAT_MS  200

void violate(world_t *self, const char *rule, const char *format, ...)
{
    if (self->violated)
        return;
    self->violated = rule;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(self->detail, sizeof self->detail, format, arguments);
    va_end(arguments);
}

// ---- what an event demands

static bool works(const process_t *process)
{
    return process->due_ms != 0 || (process->is_alive && !process->is_told);
}

// It has to stop now. The first reason counts, and its code.
static void expect_stop(world_t *self, int code, supervisor_why_t why, size_t index)
{
    if (self->stopped_ms != 0)
        return;
    self->stopped_ms = self->now_ms;
    self->code = code;
    self->why = why;
    self->why_index = index;
    for (size_t i = 0; i < NAMES; i++)
        self->processes[i].due_ms = 0;
}

static void expect_has_left(world_t *self)
{
    self->says[SUPERVISOR_SAY_HAS_LEFT]++;
    for (size_t i = SINGLES; i < NAMES; i++)
        if (self->processes[i].is_alive || self->processes[i].due_ms != 0)
            return;
    self->says[SUPERVISOR_SAY_NONE_LEFT]++;
}

// Started again after a pause, unless there were too many crashes within a minute.
static void expect_crash(world_t *self, size_t index)
{
    process_t *process = &self->processes[index];
    uint32_t size = self->config.crash_limit + 1, recent = 0;
    self->crashes++;
    process->crashed_ms[process->crashes++ % size] = self->now_ms;
    for (uint32_t i = 0; i < size && i < process->crashes; i++)
        recent += self->now_ms - process->crashed_ms[i] < MINUTE_MS;
    if (recent > self->config.crash_limit) {
        self->says[SUPERVISOR_SAY_TOO_OFTEN]++;
        expect_stop(self, EX_SOFTWARE, SUPERVISOR_WHY_CRASHES, index);
        return;
    }
    bool begins = process->pause_ms == 0 || self->now_ms - process->born_ms >= HEALTHY_MS;
    int64_t pause_ms = begins ? self->config.backoff_low_ms : 2 * process->pause_ms;
    process->pause_ms =
        pause_ms < self->config.backoff_high_ms ? pause_ms : self->config.backoff_high_ms;
    process->due_ms = self->now_ms + process->pause_ms;
    process->restarts++;
    self->says[SUPERVISOR_SAY_CRASHED]++;
}

static void expect_success(world_t *self, size_t index)
{
    if (index >= SINGLES) {
        self->wanted--;
        expect_has_left(self);
    } else if (index == SUPERVISOR_PUBLISHER) {
        self->says[SUPERVISOR_SAY_ENDED]++;
        expect_stop(self, -1, SUPERVISOR_WHY_FINISHED, index);
    } else {
        self->says[SUPERVISOR_SAY_LEFT_EARLY]++;
        self->processes[index].must_start =
            index == SUPERVISOR_SAVER && self->processes[SUPERVISOR_CONSUMER].is_alive;
        expect_stop(self, EX_TEMPFAIL, SUPERVISOR_WHY_LEFT, index);
    }
}

// It is started again after the first pause, and no crash is counted.
static void expect_deposed(world_t *self, size_t index)
{
    self->says[SUPERVISOR_SAY_DEPOSED]++;
    self->processes[index].due_ms = self->now_ms + self->config.backoff_low_ms;
}

// An end that nobody has asked for: the table of docs/operations.md, once more.
static void expect_end(world_t *self, size_t index, int code, int signal)
{
    bool was_told = signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
    if (was_told || (signal == 0 && code == 0)) {
        expect_success(self, index);
    } else if (self->event->as.ended.is_deposed) {
        expect_deposed(self, index);
    } else if (signal == 0 && code == EX_TEMPFAIL && index != SUPERVISOR_SAVER && index < SINGLES) {
        self->says[SUPERVISOR_SAY_CUT_OFF]++;
        expect_stop(self, code, SUPERVISOR_WHY_CUT_OFF, index);
    } else if (signal == 0 && code >= EX__BASE && code <= EX__MAX && code != EX_SOFTWARE) {
        self->says[SUPERVISOR_SAY_FAILED]++;
        expect_stop(self, code, SUPERVISOR_WHY_FAILED, index);
    } else {
        expect_crash(self, index);
    }
}

static void expect_ended(world_t *self, const supervisor_event_t *event)
{
    size_t index = index_of(event->child);
    process_t *process = &self->processes[index];
    int code = event->as.ended.code, signal = event->as.ended.signal;
    if (!process->is_alive)
        return;
    process->is_alive = false;
    if (self->stopped_ms == 0 && !process->is_told) {
        expect_end(self, index, code, signal);
        return;
    }
    bool is_orderly =
        signal == SIGTERM ||
        (signal == 0 &&
         (code == 0 || (code == EX_TEMPFAIL && index != SUPERVISOR_SAVER && index < SINGLES)));
    self->is_unclean = self->is_unclean || !is_orderly;
    self->says[SUPERVISOR_SAY_ENDED]++;
    if (self->stopped_ms == 0)
        expect_has_left(self);
}

static void expect_unborn(world_t *self, const supervisor_event_t *event)
{
    size_t index = index_of(event->child);
    process_t *process = &self->processes[index];
    if (!process->is_alive)
        return;
    process->is_alive = false;
    if (self->stopped_ms != 0) {
        self->is_unclean = true;
    } else if (process->is_told) {
        expect_has_left(self);
    } else if (event->as.unborn.is_final) {
        self->says[SUPERVISOR_SAY_FAILED]++;
        expect_stop(self, EX_UNAVAILABLE, SUPERVISOR_WHY_FAILED, index);
    } else {
        expect_crash(self, index);
    }
}

static void expect_signal(world_t *self, int signal)
{
    if (self->signaled_ms == 0) {
        self->signaled_ms = self->now_ms;
        self->says[SUPERVISOR_SAY_SIGNAL]++;
        expect_stop(self, -1, SUPERVISOR_WHY_SIGNAL, 0);
    } else if (signal != SIGHUP && self->now_ms - self->signaled_ms >= REPEAT_MS) {
        self->is_at_once = self->is_unclean = true;
        self->says[SUPERVISOR_SAY_AT_ONCE]++;
        self->code = 130;
        self->why = SUPERVISOR_WHY_AT_ONCE;
    }
}

// The lowest free numbers are started, those with the highest leave.
static void expect_scale(world_t *self, uint32_t wanted)
{
    uint32_t count = 0;
    if (self->stopped_ms != 0)
        return;
    self->wanted = wanted;
    self->scaled++;
    for (size_t i = SINGLES; i < NAMES; i++) {
        process_t *process = &self->processes[i];
        if (!works(process) || ++count <= wanted)
            continue;
        process->must_leave = process->is_alive;
        self->says[SUPERVISOR_SAY_LEAVES] += process->is_alive;
        process->due_ms = 0;
    }
    for (size_t i = SINGLES; i < NAMES && count < wanted; i++) {
        process_t *process = &self->processes[i];
        process->must_start = !process->is_alive && process->due_ms == 0;
        count += process->must_start;
    }
}

static void expect_start(world_t *self)
{
    self->wanted = self->config.restarters;
    for (size_t i = 0; i < SINGLES + self->wanted; i++)
        self->processes[i].must_start = true;
}

static void expect_time(world_t *self)
{
    bool is_over = self->config.run_ms > 0 && self->now_ms >= START_MS + self->config.run_ms;
    if (is_over && self->stopped_ms == 0) {
        self->says[SUPERVISOR_SAY_TIME_IS_OVER]++;
        expect_stop(self, -1, SUPERVISOR_WHY_TIME, 0);
    }
}

void expect(world_t *self, const supervisor_event_t *event)
{
    self->event = event;
    self->was_stopped = self->stopped_ms != 0;
    switch (event->kind) {
    case SUPERVISOR_START: expect_start(self); break;
    case SUPERVISOR_ENDED: expect_ended(self, event); break;
    case SUPERVISOR_UNBORN: expect_unborn(self, event); break;
    case SUPERVISOR_SIGNALED: expect_signal(self, event->as.signal); break;
    case SUPERVISOR_SCALE: expect_scale(self, event->as.restarters); break;
    case SUPERVISOR_TIME: expect_time(self); break;
    }
}

// ---- what the core does

static void check_spawn(world_t *self, size_t index)
{
    process_t *process = &self->processes[index];
    self->spawns++;
    if (process->is_alive)
        violate(self, "S1 one of a name", "%zu is started while it runs", index);
    if (self->stopped_ms != 0 && !process->must_start)
        violate(self, "S2 nothing starts while it stops", "%zu is started", index);
    if (process->due_ms > self->now_ms)
        violate(self, "S4 pauses", "%zu is started too early", index);
    if (process->due_ms == 0 && !process->must_start)
        violate(self, "S9 number of restarters", "%zu is started, which nobody wants", index);
    process->is_substitute = self->stopped_ms != 0;
    process->must_start = process->is_told = process->is_killed = false;
    process->is_alive = true;
    process->due_ms = 0;
    process->born_ms = self->now_ms;
    process->limit_ms = INT64_MAX;
    plan(self, index);
}

static void check_term(world_t *self, size_t index)
{
    process_t *process = &self->processes[index];
    if (!process->is_alive)
        violate(self, "S12 nobody else is told", "%zu is told to leave and does not run", index);
    if (process->is_told)
        violate(self, "S12 nobody else is told", "%zu is told twice, which ends it", index);
    if (self->stopped_ms == 0 && !process->must_leave)
        violate(self, "S12 nobody else is told", "%zu is told to leave", index);
    if (process->is_substitute && self->processes[SUPERVISOR_CONSUMER].is_alive)
        violate(self, "S11 substitute", "it is told to leave before the consumer has left");
    process->must_leave = false;
    process->is_told = true;
    process->limit_ms = self->now_ms + self->config.drain_ms + self->config.kill_ms;
    plan_to_leave(self, index);
}

static void check_kill(world_t *self, size_t index)
{
    process_t *process = &self->processes[index];
    self->kills++;
    if (!process->is_alive)
        violate(self, "S5 kill limit", "%zu is killed and does not run", index);
    if (!self->is_at_once && self->now_ms < process->limit_ms)
        violate(self, "S5 kill limit", "%zu is killed before its limit", index);
    if (!self->is_at_once)
        self->says[SUPERVISOR_SAY_KILLED]++;
    process->is_killed = true;
    process->limit_ms = INT64_MAX;
    plan_to_die(self, index);
}

static void check_exit(world_t *self, const supervisor_action_t *action)
{
    bool names = self->why == SUPERVISOR_WHY_FAILED || self->why == SUPERVISOR_WHY_LEFT ||
                 self->why == SUPERVISOR_WHY_CRASHES;
    self->has_exited = true;
    for (size_t i = 0; i < NAMES; i++)
        if (self->processes[i].is_alive && !(self->is_at_once && self->processes[i].is_killed))
            violate(self, "S7 exit", "%zu is left behind", i);
    if (action->as.exit.code != self->code)
        violate(self, "S8 first reason", "it exits with %d, not with %d", action->as.exit.code,
                self->code);
    if (action->as.exit.why != self->why ||
        (names && index_of(action->as.exit.child) != self->why_index))
        violate(self, "S8 first reason", "it exits for reason %d of %zu, not %d of %zu",
                (int)action->as.exit.why, index_of(action->as.exit.child), (int)self->why,
                self->why_index);
    if (action->as.exit.is_clean == self->is_unclean)
        violate(self, "S8 first reason", "it does not know whether all left in order");
}

static bool speaks_of_end(supervisor_say_t what)
{
    return what == SUPERVISOR_SAY_ENDED || what == SUPERVISOR_SAY_CRASHED ||
           what == SUPERVISOR_SAY_DEPOSED || what == SUPERVISOR_SAY_TOO_OFTEN ||
           what == SUPERVISOR_SAY_FAILED || what == SUPERVISOR_SAY_LEFT_EARLY ||
           what == SUPERVISOR_SAY_CUT_OFF;
}

static void check_say(world_t *self, const supervisor_action_t *action)
{
    const supervisor_event_t *event = self->event;
    supervisor_say_t what = action->as.say.what;
    bool is_unborn = event->kind == SUPERVISOR_UNBORN;
    self->says[what]--;
    if ((what == SUPERVISOR_SAY_CRASHED && self->says[SUPERVISOR_SAY_TOO_OFTEN] > 0) ||
        (what == SUPERVISOR_SAY_TOO_OFTEN && self->says[SUPERVISOR_SAY_CRASHED] > 0))
        violate(self, "S3 crash limit", "it has crashed %s",
                what == SUPERVISOR_SAY_CRASHED ? "too often" : "not too often");
    if (what == SUPERVISOR_SAY_CRASHED && self->says[what] < 0)
        violate(self, self->was_stopped ? "S2 nothing starts while it stops" : "S8 first reason",
                "it is called a crash");
    if (what == SUPERVISOR_SAY_SIGNAL && action->as.say.signal != event->as.signal)
        violate(self, "S14 what is said", "another signal");
    if (!speaks_of_end(what))
        return;
    const process_t *process = &self->processes[index_of(event->child)];
    if (index_of(action->child) != index_of(event->child) ||
        (is_unborn ? action->as.say.error != event->as.unborn.error
                   : action->as.say.code != event->as.ended.code ||
                         action->as.say.signal != event->as.ended.signal))
        violate(self, "S14 what is said", "another end");
    if (what == SUPERVISOR_SAY_CRASHED && action->as.say.delay_ms != process->pause_ms)
        violate(self, "S4 pauses", "%" PRId64 " ms, not %" PRId64, action->as.say.delay_ms,
                process->pause_ms);
    if ((what == SUPERVISOR_SAY_CRASHED && action->as.say.count != process->restarts) ||
        (what == SUPERVISOR_SAY_TOO_OFTEN && action->as.say.count != self->config.crash_limit))
        violate(self, "S14 what is said", "another count");
}

// ---- what is left behind a step

static void check_process(world_t *self, size_t index)
{
    process_t *process = &self->processes[index];
    bool is_stopping = self->stopped_ms != 0;
    // What is due is done at TIME, which is only a bit late.
    int64_t over_ms = self->now_ms - (self->event->kind == SUPERVISOR_TIME ? 0 : LATE_MS);
    if (!self->was_stopped && is_stopping && process->is_alive && !process->is_told &&
        !process->is_substitute)
        violate(self, "S10 all are told", "%zu is not told to leave", index);
    if (process->is_substitute && process->is_alive && !process->is_told &&
        !self->processes[SUPERVISOR_CONSUMER].is_alive)
        violate(self, "S11 substitute", "the consumer has left, and it is not told to");
    if (process->must_start)
        violate(self, is_stopping ? "S11 substitute" : "S9 number of restarters",
                "%zu is not started", index);
    if (process->must_leave)
        violate(self, "S9 number of restarters", "%zu is not told to leave", index);
    if (process->due_ms != 0 && process->due_ms <= over_ms)
        violate(self, "S4 pauses", "%zu is not started again", index);
    if (process->is_alive && process->limit_ms <= over_ms)
        violate(self, "S5 kill limit", "%zu is not killed at its limit", index);
}

static void check_restarters(world_t *self)
{
    uint32_t count = 0, number = 0;
    bool is_running;
    while ((number = supervisor_next_restarter(self->core, number, &is_running)) != 0) {
        const process_t *process = &self->processes[SINGLES - 1 + number];
        if (!works(process) || is_running != process->is_alive)
            violate(self, "S9 number of restarters", "it does not know restarter %u", number);
        count++;
    }
    if (count != self->wanted)
        violate(self, "S9 number of restarters", "there are %u, not %u", count, self->wanted);
}

// What a wrong one leads to has a better name, if it leads to anything.
static void check_deadline(world_t *self)
{
    int64_t deadline_ms = self->stopped_ms == 0 && self->config.run_ms > 0
                              ? START_MS + self->config.run_ms
                              : INT64_MAX;
    for (size_t i = 0; i < NAMES; i++) {
        const process_t *process = &self->processes[i];
        int64_t next_ms = process->is_alive      ? process->limit_ms
                          : process->due_ms != 0 ? process->due_ms
                                                 : INT64_MAX;
        deadline_ms = next_ms < deadline_ms ? next_ms : deadline_ms;
    }
    if (self->event->kind == SUPERVISOR_TIME && supervisor_deadline(self->core) <= self->now_ms)
        violate(self, "S13 deadline", "it is over at once");
    if (supervisor_deadline(self->core) == deadline_ms || self->is_deadline_wrong)
        return;
    self->is_deadline_wrong = true;
    self->deadline_ms = supervisor_deadline(self->core);
    self->right_deadline_ms = deadline_ms;
}

void check_deadlines(world_t *self)
{
    if (self->is_deadline_wrong)
        violate(self, "S13 deadline", "%" PRId64 " ms, not %" PRId64, self->deadline_ms,
                self->right_deadline_ms);
}

static void check_end(world_t *self)
{
    bool is_anybody = false;
    // A substitute has its own limit, behind the consumer's.
    int64_t limit_ms = 2 * (self->config.drain_ms + self->config.kill_ms + DIES_MS + LATE_MS);
    for (size_t i = 0; i < NAMES; i++)
        is_anybody = is_anybody || self->processes[i].is_alive || self->processes[i].due_ms != 0;
    if (!self->has_exited && (!is_anybody || self->is_at_once))
        violate(self, "S7 exit", "it does not exit");
    if (self->config.run_ms > 0 && self->stopped_ms == 0 &&
        self->now_ms > START_MS + self->config.run_ms + LATE_MS)
        violate(self, "S6 ends in time", "it goes on when its time is over");
    if (self->stopped_ms != 0 && !self->has_exited && self->now_ms > self->stopped_ms + limit_ms)
        violate(self, "S6 ends in time", "it has not ended");
}

void check(world_t *self)
{
    if (self->is_late && self->actions.count > 0)
        violate(self, "S15 late news", "of a process that does not run, and something is done");
    for (size_t i = 0; i < self->actions.count; i++) {
        const supervisor_action_t *action = &self->actions.items[i];
        size_t index = index_of(action->child);
        if (self->has_exited)
            violate(self, "S7 exit", "an action follows it");
        switch (action->kind) {
        case SUPERVISOR_SPAWN: check_spawn(self, index); break;
        case SUPERVISOR_TERM: check_term(self, index); break;
        case SUPERVISOR_KILL: check_kill(self, index); break;
        case SUPERVISOR_SAY: check_say(self, action); break;
        case SUPERVISOR_SCALED: self->scaled--; break;
        case SUPERVISOR_EXIT: check_exit(self, action); break;
        }
    }
    for (size_t i = 0; i < NAMES && !self->has_exited; i++)
        check_process(self, i);
    check_end(self);
    if (self->scaled != 0)
        violate(self, "S9 number of restarters", "%d answers are missing", self->scaled);
    for (int i = 0; i < SUPERVISOR_SAYINGS; i++)
        if (self->says[i] != 0)
            violate(self, "S14 what is said", "%d times too few of saying %d at event %d",
                    self->says[i], i, (int)self->event->kind);
    if (self->stopped_ms == 0)
        check_restarters(self);
    if (!self->has_exited)
        check_deadline(self);
}
