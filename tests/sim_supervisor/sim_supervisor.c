// The simulator of the supervisor: its core among processes that crash, refuse to leave, end with
// any code or cannot be started, and users that signal and scale, all under a virtual clock and
// drawn from a seed. Each S-rule below is checked at every step, by a record of its own of what
// happened.
//
// sim_supervisor -c SEEDS -f FIRST     many; -s SEED: one, with its trace; -1: end at the first bad
//
//   S1 one process of a name at a time          S2 nothing starts while it stops, but a substitute
//   S3 crash_limit restarts a minute, at most   S4 what crashed starts again, within the pauses
//   S5 nobody is killed before its limit        S6 it ends in time once it stops
//   S7 it exits when nobody is left, once       S8 the first reason gives the exit code
//   S9 the restarters are as many as asked for  S10 a stop tells all of them, at once
//   S11 a substitute serves until the consumer has left
//   S12 no other process gets TERM

#include "random.h"
#include "supervisor_trace.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define SINGLES  3 // names without a number
#define NAMES    (SINGLES + SUPERVISOR_NUMBER_MAX)
#define START_MS 1000   // of the virtual clock
#define END_MS   400000 // of the virtual clock: by then a seed has been stopped, and has ended
#define DIES_MS  50     // from KILL to the end, at most

typedef struct {
    bool is_alive;
    bool is_stubborn; // TERM does not end it
    bool is_told;     // to leave
    bool is_killed;
    bool is_substitute;
    int64_t told_ms;
    int64_t ends_ms; // when it ends, INT64_MAX: not by itself; and how:
    int code, signal;
    int error;        // it cannot be started: errno
    int64_t waits_ms; // since when it waits to be started again; 0: it does not
    uint32_t crashes; // of all, the last of which are
    int64_t crashed_ms[SUPERVISOR_CRASHES_MAX + 1];
} process_t;

typedef struct {
    uint64_t seed, random;
    supervisor_config_t config;
    supervisor_t *core;
    supervisor_actions_t actions;
    process_t processes[NAMES];
    int64_t now_ms;
    int64_t stopped_ms;  // 0: not yet
    int64_t signaled_ms; // the first signal; 0: none yet
    bool was_stopped;    // before this step
    bool is_at_once, has_exited, is_traced, is_scaling;
    int expected;    // exit code; -1: the report's
    uint32_t wanted; // restarters
    const char *violated;
    char detail[256];
} world_t;

static uint64_t totals[6]; // spawns, crashes, kills, scales, signals, stops

static uint64_t draw(world_t *self, uint64_t limit)
{
    return mm_random_below(&self->random, limit);
}

static size_t index_of(supervisor_child_t child)
{
    return child.role == SUPERVISOR_RESTARTER ? SINGLES - 1 + child.number : (size_t)child.role;
}

static supervisor_child_t child_at(size_t index)
{
    return index < SINGLES
               ? (supervisor_child_t){(supervisor_role_t)index, 0}
               : (supervisor_child_t){SUPERVISOR_RESTARTER, (uint32_t)(index - SINGLES + 1)};
}

__attribute__((format(printf, 3, 4))) static void violate(world_t *self, const char *rule,
                                                          const char *format, ...)
{
    if (self->violated)
        return;
    self->violated = rule;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(self->detail, sizeof self->detail, format, arguments);
    va_end(arguments);
}

// It has to stop now. The first code counts.
static void expect_stop(world_t *self, int code)
{
    if (self->stopped_ms == 0) {
        self->stopped_ms = self->now_ms;
        self->expected = code;
        for (size_t i = 0; i < NAMES; i++)
            self->processes[i].waits_ms = 0;
    }
}

// ---- processes

// When and how a process that was just started will end.
static void plan(world_t *self, process_t *process)
{
    uint64_t kind = draw(self, 1000);
    process->is_alive = true;
    process->is_stubborn = draw(self, 20) == 0;
    process->is_told = process->is_killed = false;
    process->waits_ms = process->code = process->signal = process->error = 0;
    process->ends_ms = self->now_ms + 1 + (int64_t)draw(self, 1U << draw(self, 19));
    if (draw(self, 50) == 0) {
        process->error = draw(self, 50) == 0 ? ENOENT : EAGAIN;
        process->ends_ms = self->now_ms + (int64_t)draw(self, 2000);
    } else if (kind < 500) {
        process->signal = draw(self, 2) ? SIGKILL : SIGSEGV;
    } else if (kind < 600) {
        process->code = 1 + (int)draw(self, 60);
    } else if (kind < 604) {
        process->code = EX__BASE + (int)draw(self, EX__MAX - EX__BASE + 1);
    } else if (kind < 610) {
        process->code = 0;
    } else if (kind < 614) {
        process->signal = draw(self, 2) ? SIGTERM : SIGINT;
    } else {
        process->ends_ms = INT64_MAX;
    }
}

static void spawn(world_t *self, const supervisor_action_t *action)
{
    size_t index = index_of(action->child);
    process_t *process = &self->processes[index];
    totals[0]++;
    if (process->is_alive)
        violate(self, "S1", "%zu is started while it runs", index);
    process->is_substitute = self->stopped_ms == self->now_ms && index == SUPERVISOR_SAVER &&
                             self->processes[SUPERVISOR_CONSUMER].is_alive;
    if (self->stopped_ms != 0 && !process->is_substitute)
        violate(self, "S2", "%zu is started while it stops", index);
    int64_t pause_ms = self->now_ms - process->waits_ms;
    if (process->waits_ms != 0 &&
        (pause_ms < self->config.backoff_low_ms || pause_ms > self->config.backoff_high_ms))
        violate(self, "S4", "%zu is started again after %" PRId64 " ms", index, pause_ms);
    plan(self, process);
}

static void tell(world_t *self, const supervisor_action_t *action)
{
    size_t index = index_of(action->child);
    process_t *process = &self->processes[index];
    if (!process->is_alive)
        violate(self, "S12", "%zu gets TERM and does not run", index);
    if (self->stopped_ms == 0 && !(self->is_scaling && index >= SINGLES))
        violate(self, "S12", "%zu gets TERM", index);
    if (process->is_substitute && self->processes[SUPERVISOR_CONSUMER].is_alive)
        violate(self, "S11", "the substitute gets TERM before the consumer has left");
    process->is_told = true;
    process->told_ms = self->now_ms;
    int64_t leaves_ms = self->now_ms + 1 + (int64_t)draw(self, (uint64_t)self->config.drain_ms);
    if (process->is_stubborn || process->error || leaves_ms >= process->ends_ms)
        return;
    process->ends_ms = leaves_ms;
    process->code = 0;
    process->signal = draw(self, 10) == 0 ? SIGTERM : 0;
}

static void kill_it(world_t *self, const supervisor_action_t *action)
{
    size_t index = index_of(action->child);
    process_t *process = &self->processes[index];
    totals[2]++;
    int64_t limit_ms = process->told_ms + self->config.drain_ms + self->config.kill_ms;
    if (!self->is_at_once && (!process->is_told || self->now_ms < limit_ms))
        violate(self, "S5", "%zu is killed before its limit", index);
    process->is_killed = true;
    process->ends_ms = self->now_ms + (int64_t)draw(self, DIES_MS);
    process->code = 0;
    process->signal = SIGKILL;
}

static void leave(world_t *self, const supervisor_action_t *action)
{
    self->has_exited = true;
    for (size_t i = 0; i < NAMES; i++)
        if (self->processes[i].is_alive && !(self->is_at_once && self->processes[i].is_killed))
            violate(self, "S7", "%zu is left behind", i);
    int expected = self->is_at_once ? 130 : self->expected;
    if (action->as.exit.code != expected)
        violate(self, "S8", "it exits with %d, not with %d", action->as.exit.code, expected);
}

// ---- steps

static void check_scaled(world_t *self)
{
    uint32_t count = 0, number = 0;
    bool runs;
    while ((number = supervisor_next_restarter(self->core, number, &runs)) != 0)
        count++;
    if (count != self->wanted)
        violate(self, "S9", "there are %u restarters, not %u", count, self->wanted);
}

static void check_after(world_t *self, bool was_stopped)
{
    bool anybody = false;
    int64_t limit_ms = self->config.drain_ms + self->config.kill_ms + 2 * DIES_MS;
    for (size_t i = 0; i < NAMES; i++) {
        const process_t *process = &self->processes[i];
        anybody = anybody || process->is_alive || process->waits_ms != 0;
        if (!was_stopped && self->stopped_ms != 0 && process->is_alive && !process->is_told &&
            !process->is_substitute && !self->is_at_once)
            violate(self, "S10", "%zu is not told to leave", i);
        if (process->waits_ms != 0 &&
            self->now_ms > process->waits_ms + self->config.backoff_high_ms)
            violate(self, "S4", "%zu is not started again", i);
    }
    if (!anybody && !self->has_exited)
        violate(self, "S7", "nobody is left, and it does not exit");
    // A substitute has its own limit, behind the consumer's.
    if (self->stopped_ms != 0 && !self->has_exited &&
        self->now_ms > self->stopped_ms + 2 * limit_ms)
        violate(self, "S6", "it has not ended in time");
}

static void step(world_t *self, supervisor_event_t event)
{
    if (self->has_exited || self->violated)
        return;
    bool was_stopped = self->was_stopped;
    event.now_ms = self->now_ms;
    supervisor_step(self->core, &event, &self->actions);
    if (self->is_traced)
        supervisor_trace_step(stdout, START_MS, &event, &self->actions);
    for (size_t i = 0; i < self->actions.count; i++) {
        const supervisor_action_t *action = &self->actions.items[i];
        if (self->has_exited)
            violate(self, "S7", "an action follows the exit");
        switch (action->kind) {
        case SUPERVISOR_SPAWN: spawn(self, action); break;
        case SUPERVISOR_TERM: tell(self, action); break;
        case SUPERVISOR_KILL: kill_it(self, action); break;
        case SUPERVISOR_SAY: break;
        case SUPERVISOR_SCALED: check_scaled(self); break;
        case SUPERVISOR_EXIT: leave(self, action); break;
        }
    }
    check_after(self, was_stopped);
    self->was_stopped = self->stopped_ms != 0;
}

// A crash: started again, unless there were too many of them within a minute.
static void judge_crash(world_t *self, process_t *process)
{
    uint32_t size = self->config.crash_limit + 1, recent = 0;
    totals[1]++;
    process->crashed_ms[process->crashes++ % size] = self->now_ms;
    for (uint32_t i = 0; i < size && i < process->crashes; i++)
        recent += self->now_ms - process->crashed_ms[i] < 60000;
    if (recent > self->config.crash_limit)
        expect_stop(self, EX_SOFTWARE);
    else
        process->waits_ms = self->now_ms;
}

// How an end that nobody has asked for is judged: the table of docs/operations.md, once more.
static void judge(world_t *self, size_t index, int code, int signal)
{
    bool was_told = signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
    if (was_told || (signal == 0 && code == 0)) {
        if (index == SUPERVISOR_PUBLISHER)
            expect_stop(self, -1);
        else if (index < SINGLES)
            expect_stop(self, EX_TEMPFAIL);
        else
            self->wanted--;
    } else if (signal == 0 && code >= EX__BASE && code <= EX__MAX) {
        expect_stop(self, code);
    } else {
        judge_crash(self, &self->processes[index]);
    }
}

static void end(world_t *self, size_t index)
{
    process_t *process = &self->processes[index];
    process->is_alive = false;
    supervisor_event_t event = {.kind = SUPERVISOR_ENDED, .child = child_at(index)};
    bool is_free = self->stopped_ms == 0 && !process->is_told;
    if (process->error && !process->is_killed) {
        event.kind = SUPERVISOR_UNBORN;
        event.as.unborn.error = process->error;
        event.as.unborn.is_final = process->error == ENOENT;
        if (is_free && event.as.unborn.is_final)
            expect_stop(self, EX_UNAVAILABLE);
        else if (is_free)
            judge_crash(self, process);
    } else {
        event.as.ended.code = process->signal ? 0 : process->code;
        event.as.ended.signal = process->signal;
        if (is_free)
            judge(self, index, event.as.ended.code, event.as.ended.signal);
    }
    step(self, event);
}

static void send_signal(world_t *self)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    int signal = signals[draw(self, 3)];
    totals[4]++;
    if (self->signaled_ms == 0) {
        self->signaled_ms = self->now_ms;
        expect_stop(self, -1);
    } else if (signal != SIGHUP && self->now_ms - self->signaled_ms >= 200) {
        self->is_at_once = true;
        expect_stop(self, 130);
    }
    step(self, (supervisor_event_t){.kind = SUPERVISOR_SIGNALED, .as.signal = signal});
}

static void scale(world_t *self)
{
    uint32_t wanted = (uint32_t)draw(self, 12);
    totals[3]++;
    self->wanted = wanted;
    self->is_scaling = true;
    step(self, (supervisor_event_t){.kind = SUPERVISOR_SCALE, .as.restarters = wanted});
    self->is_scaling = false;
    if (self->stopped_ms != 0)
        return;
    // Those that wait to be started again and are not wanted any more will not be.
    bool is_wanted[NAMES] = {false}, runs;
    for (uint32_t i = 0; (i = supervisor_next_restarter(self->core, i, &runs)) != 0;)
        is_wanted[SINGLES - 1 + i] = true;
    for (size_t i = SINGLES; i < NAMES; i++)
        if (!is_wanted[i])
            self->processes[i].waits_ms = 0;
}

// The next thing that happens by itself: when, and to whom; NAMES: to the core's clock.
static int64_t next_end(const world_t *self, size_t *ret_index)
{
    int64_t next_ms = supervisor_deadline(self->core);
    *ret_index = NAMES;
    for (size_t i = 0; i < NAMES; i++) {
        const process_t *process = &self->processes[i];
        if (process->is_alive && process->ends_ms < next_ms) {
            next_ms = process->ends_ms;
            *ret_index = i;
        }
    }
    return next_ms;
}

static void run(world_t *self)
{
    int64_t user_ms = START_MS + (int64_t)draw(self, 60000);
    step(self, (supervisor_event_t){.kind = SUPERVISOR_START});
    while (!self->has_exited && !self->violated && self->now_ms < END_MS) {
        size_t index;
        int64_t next_ms = next_end(self, &index);
        if (user_ms <= next_ms) {
            self->now_ms = user_ms > self->now_ms ? user_ms : self->now_ms;
            if (self->now_ms > END_MS / 2 || draw(self, 6) == 0)
                send_signal(self);
            else
                scale(self);
            user_ms = self->now_ms + (int64_t)draw(self, draw(self, 3) == 0 ? 500 : 40000);
            continue;
        }
        self->now_ms = next_ms > self->now_ms ? next_ms : self->now_ms;
        bool is_over = self->config.run_ms > 0 && self->now_ms >= START_MS + self->config.run_ms;
        if (index < NAMES) {
            end(self, index);
            continue;
        }
        if (is_over)
            expect_stop(self, -1);
        step(self, (supervisor_event_t){.kind = SUPERVISOR_TIME});
    }
    if (!self->has_exited)
        violate(self, "S6", "it has not ended after %d ms", END_MS);
    totals[5] += self->stopped_ms != 0;
}

// False when a rule was violated, which is then said.
static bool play(uint64_t seed, bool is_traced)
{
    world_t *self = calloc(1, sizeof *self);
    assert(self);
    self->seed = self->random = seed;
    self->is_traced = is_traced;
    self->expected = -1;
    self->config = (supervisor_config_t){.restarters = 1 + (uint32_t)draw(self, 6),
                                         .drain_ms = 3000 + (int64_t)draw(self, 22001),
                                         .kill_ms = 2000,
                                         .crash_limit = 1 + (uint32_t)draw(self, 12),
                                         .backoff_low_ms = 100,
                                         .backoff_high_ms = 5000};
    if (draw(self, 8) == 0)
        self->config.run_ms = 1 + (int64_t)draw(self, 60000);
    self->wanted = self->config.restarters;
    if (is_traced)
        supervisor_trace_config(stdout, &self->config);
    self->now_ms = START_MS;
    self->core = supervisor_new(&self->config, START_MS);
    run(self);
    bool is_good = !self->violated;
    if (!is_good)
        (void)printf("seed %" PRIu64 ", at %" PRId64 " ms: %s violated: %s\n", seed, self->now_ms,
                     self->violated, self->detail);
    supervisor_destroy(&self->core);
    supervisor_actions_clear(&self->actions);
    free(self);
    return is_good;
}

int main(int argc, char **argv)
{
    uint64_t seeds = 1000, first = 1, bad = 0;
    bool is_one = false, ends_early = false;
    for (int option; (option = getopt(argc, argv, "c:f:s:1")) != -1;) {
        switch (option) {
        case 'c': seeds = strtoull(optarg, NULL, 10); break;
        case 'f': first = strtoull(optarg, NULL, 10); break;
        case 's': first = strtoull(optarg, NULL, 10), is_one = true; break;
        case '1': ends_early = true; break;
        default: return EX_USAGE;
        }
    }
    if (is_one)
        return play(first, true) ? 0 : 1;
    for (uint64_t i = 0; i < seeds; i++) {
        if (play(first + i, false))
            continue;
        bad++;
        if (ends_early) {
            (void)printf("found after %" PRIu64 " seeds\n", i + 1);
            return 1;
        }
    }
    (void)printf("%" PRIu64 " seeds, %" PRIu64 " violated; %" PRIu64 " starts, %" PRIu64
                 " crashes, %" PRIu64 " kills, %" PRIu64 " scalings, %" PRIu64 " signals, %" PRIu64
                 " stops\n",
                 seeds, bad, totals[0], totals[1], totals[2], totals[3], totals[4], totals[5]);
    return bad > 0;
}
