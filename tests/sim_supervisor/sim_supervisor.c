// The simulator of the supervisor: its core among processes that crash, refuse to leave, end with
// any code or cannot be started, and users that signal and scale, all under a virtual clock and
// drawn from a seed. Each S-rule (docs/rules.md) is checked at every step (sim_supervisor_check.c).
//
// sim_supervisor -c SEEDS -f FIRST     many; -s SEED: one, with its trace; -1: end at the first bad

#include "sim_supervisor.h"
#include "random.h"
#include "supervisor_trace.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define END_MS 400000 // of the virtual clock: by then a seed has been stopped, and has ended

static uint64_t totals[6]; // spawns, crashes, kills, scales, signals, stops

uint64_t draw(world_t *self, uint64_t limit)
{
    return mm_random_below(&self->random, limit);
}

size_t index_of(supervisor_child_t child)
{
    return child.role == SUPERVISOR_RESTARTER ? SINGLES - 1 + child.number : (size_t)child.role;
}

supervisor_child_t child_at(size_t index)
{
    return index < SINGLES
               ? (supervisor_child_t){(supervisor_role_t)index, 0}
               : (supervisor_child_t){SUPERVISOR_RESTARTER, (uint32_t)(index - SINGLES + 1)};
}

// ---- processes

static int draw_failure(world_t *self, size_t index)
{
    if (index == SUPERVISOR_PUBLISHER && draw(self, 2))
        return EX_TEMPFAIL;
    return EX__BASE + (int)draw(self, EX__MAX - EX__BASE + 1);
}

// When and how a process that was just started will end.
void plan(world_t *self, size_t index)
{
    static const int leaving[] = {SIGTERM, SIGINT, SIGHUP};
    process_t *process = &self->processes[index];
    uint64_t kind = draw(self, 1000);
    process->is_stubborn = draw(self, 20) == 0;
    process->code = process->signal = process->error = 0;
    process->is_deposed = false;
    process->ends_ms = self->now_ms + 1 + (int64_t)draw(self, 1U << draw(self, 19));
    if (draw(self, index == SUPERVISOR_CONSUMER ? 12 : 50) == 0) {
        process->error = draw(self, 50) == 0 ? ENOENT : EAGAIN;
        process->ends_ms = self->now_ms + (int64_t)draw(self, draw(self, 4) ? 2000 : 20000);
    } else if (kind < 500) {
        process->signal = draw(self, 2) ? SIGKILL : SIGSEGV;
    } else if (kind < 600) {
        process->code = draw(self, 2) ? 1 + (int)draw(self, EX__BASE - 1)
                                      : EX__MAX + 1 + (int)draw(self, 255 - EX__MAX);
    } else if (kind < 605) {
        process->code = draw_failure(self, index);
    } else if (kind < 611 || (kind < 640 && index == SUPERVISOR_SAVER)) {
        process->code = 0; // of a saver, more often than it is: there is a substitute then
    } else if (kind < 620) {
        process->signal = leaving[draw(self, 3)];
    } else if (kind < 680 && index == SUPERVISOR_CONSUMER) {
        process->code = EX_TEMPFAIL;
        process->is_deposed = true;
    } else {
        process->ends_ms = INT64_MAX;
    }
}

// Mostly in order.
void plan_to_leave(world_t *self, size_t index)
{
    process_t *process = &self->processes[index];
    int64_t leaves_ms = self->now_ms + 1 + (int64_t)draw(self, (uint64_t)self->config.drain_ms);
    if (process->is_stubborn || process->is_killed || process->error ||
        leaves_ms >= process->ends_ms)
        return;
    process->ends_ms = leaves_ms;
    process->code = process->signal = 0;
    switch (draw(self, index == SUPERVISOR_PUBLISHER ? 6 : 30)) {
    case 0: process->signal = SIGTERM; break;
    case 1: process->code = draw_failure(self, index); break;
    case 2: process->signal = draw(self, 2) ? SIGSEGV : SIGINT; break;
    case 3: process->code = 1; break;
    default: break;
    }
}

void plan_to_die(world_t *self, size_t index)
{
    process_t *process = &self->processes[index];
    process->ends_ms = self->now_ms + (int64_t)draw(self, DIES_MS);
    process->code = 0;
    process->signal = SIGKILL;
}

// ---- steps

static void step(world_t *self, supervisor_event_t event)
{
    if (self->has_exited || self->violated)
        return;
    event.now_ms = self->now_ms;
    expect(self, &event);
    supervisor_step(self->core, &event, &self->actions);
    if (self->is_traced)
        supervisor_trace_step(stdout, START_MS, &event, &self->actions);
    check(self);
}

static supervisor_event_t event_of_end(const world_t *self, size_t index)
{
    const process_t *process = &self->processes[index];
    supervisor_event_t event = {.kind = SUPERVISOR_ENDED, .child = child_at(index)};
    if (process->error && !process->is_killed) {
        event.kind = SUPERVISOR_UNBORN;
        event.as.unborn.error = process->error;
        event.as.unborn.is_final = process->error == ENOENT;
    } else {
        event.as.ended.code = process->signal ? 0 : process->code;
        event.as.ended.signal = process->signal;
        event.as.ended.is_deposed =
            process->is_deposed && !process->signal && process->code == EX_TEMPFAIL;
    }
    return event;
}

// The news of a process that does not run.
static void send_late(world_t *self)
{
    size_t index = (size_t)draw(self, SINGLES + 12);
    if (self->processes[index].is_alive || self->has_exited || self->violated)
        return;
    supervisor_event_t event = event_of_end(self, index);
    if (draw(self, 2)) {
        event.kind = SUPERVISOR_UNBORN;
        event.as.unborn.error = ENOENT;
        event.as.unborn.is_final = draw(self, 2);
    }
    self->is_late = true;
    step(self, event);
    self->is_late = false;
}

static void send_signal(world_t *self)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    self->signals++;
    step(self,
         (supervisor_event_t){.kind = SUPERVISOR_SIGNALED, .as.signal = signals[draw(self, 3)]});
}

static void scale(world_t *self)
{
    self->scales++;
    step(self,
         (supervisor_event_t){.kind = SUPERVISOR_SCALE, .as.restarters = (uint32_t)draw(self, 12)});
}

// What the user does, and when the next time.
static int64_t use(world_t *self)
{
    if (self->now_ms > END_MS / 2 || draw(self, self->signaled_ms != 0 ? 2 : 6) == 0)
        send_signal(self);
    else
        scale(self);
    return self->now_ms + (int64_t)draw(self, draw(self, 3) == 0 ? 500 : 40000);
}

// The next thing that happens by itself: when, and to whom; NAMES: to the core's clock.
static int64_t next_end(const world_t *self, size_t *ret_index)
{
    int64_t next_ms = supervisor_deadline(self->core);
    next_ms = next_ms < INT64_MAX ? next_ms + self->late_ms : next_ms;
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
        bool is_user = user_ms <= next_ms;
        next_ms = is_user ? user_ms : next_ms;
        self->now_ms = next_ms > self->now_ms ? next_ms : self->now_ms;
        if (draw(self, 16) == 0)
            send_late(self);
        if (is_user) {
            user_ms = use(self);
        } else if (index < NAMES) {
            step(self, event_of_end(self, index));
        } else {
            step(self, (supervisor_event_t){.kind = SUPERVISOR_TIME});
            self->late_ms = draw(self, 4) == 0 ? (int64_t)draw(self, LATE_MS) : 0;
        }
    }
    if (!self->has_exited)
        violate(self, "S6 ends in time", "it has not ended after %d ms", END_MS);
    check_deadlines(self);
}

static void add_totals(const world_t *self)
{
    totals[0] += self->spawns;
    totals[1] += self->crashes;
    totals[2] += self->kills;
    totals[3] += self->scales;
    totals[4] += self->signals;
    totals[5] += self->stopped_ms != 0;
}

// False when a rule was violated, which is then said.
static bool play(uint64_t seed, bool is_traced)
{
    world_t *self = calloc(1, sizeof *self);
    assert(self);
    self->seed = self->random = seed;
    self->is_traced = is_traced;
    self->code = -1;
    self->config = (supervisor_config_t){.restarters = (uint32_t)draw(self, 7),
                                         .drain_ms = 3000 + (int64_t)draw(self, 22001),
                                         .kill_ms = 500 + (int64_t)draw(self, 3000),
                                         .crash_limit = 1 + (uint32_t)draw(self, 12),
                                         .backoff_low_ms = 50 + (int64_t)draw(self, 500)};
    self->config.backoff_high_ms = self->config.backoff_low_ms + (int64_t)draw(self, 6000);
    if (draw(self, 8) == 0)
        self->config.run_ms = 1 + (int64_t)draw(self, 60000);
    if (is_traced)
        supervisor_trace_config(stdout, &self->config);
    self->now_ms = START_MS;
    self->core = supervisor_new(&self->config, START_MS);
    run(self);
    bool is_good = !self->violated;
    if (!is_good)
        (void)printf("seed %" PRIu64 ", at %" PRId64 " ms: %s violated: %s\n", seed, self->now_ms,
                     self->violated, self->detail);
    add_totals(self);
    supervisor_destroy(&self->core);
    supervisor_actions_clear(&self->actions);
    free(self);
    return is_good;
}

// ---- many seeds

// In a process of its own, since an assertion may end it. How many seeds it took to find the first
// bad one; 0: there is none.
static uint64_t play_until_bad(uint64_t first, uint64_t seeds)
{
    uint64_t *done =
        mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(done != MAP_FAILED);
    pid_t pid = fork();
    assert(pid >= 0);
    if (pid == 0) {
        while (*done < seeds && play(first + *done, false))
            ++*done;
        (void)fflush(stdout);
        _exit(0);
    }
    pid_t ended = waitpid(pid, NULL, 0);
    assert(ended == pid);
    uint64_t found = *done < seeds ? *done + 1 : 0;
    (void)munmap(done, sizeof *done);
    return found;
}

static bool play_all(uint64_t first, uint64_t seeds)
{
    uint64_t bad = 0;
    for (uint64_t i = 0; i < seeds; i++)
        bad += !play(first + i, false);
    (void)printf("%" PRIu64 " seeds, %" PRIu64 " violated; %" PRIu64 " starts, %" PRIu64
                 " crashes, %" PRIu64 " kills, %" PRIu64 " scalings, %" PRIu64 " signals, %" PRIu64
                 " stops\n",
                 seeds, bad, totals[0], totals[1], totals[2], totals[3], totals[4], totals[5]);
    return bad == 0;
}

int main(int argc, char **argv)
{
    uint64_t seeds = 1000, first = 1;
    bool is_one = false, until_bad = false;
    for (int option; (option = getopt(argc, argv, "c:f:s:1")) != -1;) {
        switch (option) {
        case 'c': seeds = strtoull(optarg, NULL, 10); break;
        case 'f': first = strtoull(optarg, NULL, 10); break;
        case 's': first = strtoull(optarg, NULL, 10), is_one = true; break;
        case '1': until_bad = true; break;
        default: return EX_USAGE;
        }
    }
    if (is_one)
        return play(first, true) ? 0 : 1;
    if (!until_bad)
        return play_all(first, seeds) ? 0 : 1;
    uint64_t found = play_until_bad(first, seeds);
    if (found > 0)
        (void)printf("found after %" PRIu64 " seeds\n", found);
    else
        (void)printf("not found in %" PRIu64 " seeds\n", seeds);
    return found > 0 ? 1 : 0;
}
