// The simulated world: what happens next, which faults a seed has, and when it is over.

#include "sim.h"

#include "host.h"
#include "random.h"
#include "uuid.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_MAX 100000 // turns at the same time of the clock: somebody spins
#define REST_MS  15000  // after the last settle, until nothing is out at any worker

uint64_t sim_below(sim_t *self, uint64_t limit)
{
    return mm_random_below(&self->random, limit);
}

bool sim_chance(sim_t *self, uint32_t permille)
{
    return permille > 0 && sim_below(self, 1000) < permille;
}

void sim_trace(sim_t *self, const char *format, ...)
{
    if (self->silent)
        return;
    va_list arguments;
    char **line = &self->trace[self->trace_count++ % SIM_TRACE];
    char text[1024];
    va_start(arguments, format);
    int size = snprintf(text, sizeof text, "%8lld ", (long long)self->now_ms);
    (void)vsnprintf(text + size, sizeof text - (size_t)size, format, arguments);
    va_end(arguments);
    free(*line);
    *line = strdup(text);
    if (self->verbose)
        (void)fprintf(self->verbose, "%s\n", text);
}

sim_job_t *sim_job(sim_t *self, const mm_id_t *id)
{
    for (uint32_t i = 0; i < self->job_count; i++)
        if (mm_id_equal(&self->jobs[i].id, id))
            return &self->jobs[i];
    abort();
}

static void add_process(sim_t *self, sim_role_t role, uint32_t index, const char *name)
{
    sim_process_t *process = &self->processes[self->process_count++];
    process->role = role;
    process->index = index;
    bool valid = mm_name_from(mm_str(name), &process->name);
    assert(valid);
    process->start_ms = sim_between(self, 0, 2000); // in any order
    if (role == SIM_CONSUMER && index == 0)
        self->consumer = process;
    if (self->shape.shared)
        process->clock.ppm = sim_between(self, -20000, 20000);
}

// Every second job has some, seldom the longest. Drawn apart: a schedule does not depend on them.
static void draw_attributes(const sim_t *self, sim_job_t *job)
{
    uint64_t random = ~self->seed ^ (uint64_t)job->id.bytes[15] << 32;
    uint64_t count = mm_random_below(&random, 2 * MM_ATTRIBUTES_MAX);
    uint64_t longest = mm_random_below(&random, 16) == 0 ? MM_ATTRIBUTE_VALUE_MAX : 40;
    char value[MM_ATTRIBUTE_VALUE_MAX];
    size_t size = 0;
    for (uint64_t i = MM_ATTRIBUTES_MAX; i < count; i++) {
        char key[] = {'k', (char)('a' + i), '\0'};
        size_t value_size = (size_t)mm_random_below(&random, longest + 1);
        for (size_t at = 0; at < value_size; at++)
            value[at] = (char)('a' + mm_random_below(&random, 26));
        bool is_added =
            mm_attributes_add(job->attributes, &size, mm_str(key), (mm_str_t){value, value_size});
        assert(is_added);
    }
}

static void make_jobs(sim_t *self)
{
    self->job_count = SIM_JOBS;
    for (uint32_t i = 0; i < self->job_count; i++) {
        sim_job_t *job = &self->jobs[i];
        job->id.bytes[15] = (uint8_t)(i + 1); // prints as j1, j2, ...
        job->host_index = (uint32_t)sim_below(self, self->shape.hosts);
        (void)snprintf(job->host, sizeof job->host, "web-%u", (unsigned)job->host_index);
        job->publisher = (uint32_t)sim_below(self, self->shape.publishers);
        job->accept_ms = sim_between(self, 0, 30000);
        draw_attributes(self, job);
        job->needs_nothing = self->shape.skips && i % 4 == 1;
    }
    if (self->faults.poison)
        self->jobs[sim_below(self, SIM_JOBS)].poison = true;
}

sim_t *sim_new(uint64_t seed, FILE *verbose)
{
    sim_t *self = calloc(1, sizeof *self);
    assert(self);
    self->seed = self->random = seed;
    self->verbose = verbose;
    self->encoder = mm_encoder_new();
    self->decoder = mm_decoder_new();
    sim_draw(self);
    add_process(self, SIM_CONSUMER, 0, "consumer");
    add_process(self, SIM_SAVER, 0, "saver");
    char name[16];
    for (uint32_t i = 0; i < self->shape.restarters; i++) {
        (void)snprintf(name, sizeof name, "r%u", i + 1);
        add_process(self, SIM_RESTARTER, i, name);
    }
    for (uint32_t i = 0; i < self->shape.publishers; i++) {
        (void)snprintf(name, sizeof name, "p%u", i + 1);
        add_process(self, SIM_PUBLISHER, i, name);
    }
    if (self->shape.shared) {
        add_process(self, SIM_CONSUMER, 1, "consumer2");
        add_process(self, SIM_SAVER, 1, "saver2");
    }
    make_jobs(self);
    sim_policy_draw(self);
    sim_lease_draw(self);
    if (self->shape.real)
        sim_hosts_draw(self);
    return self;
}

// ---- processes

static void start(sim_t *self, sim_process_t *process)
{
    process->alive = true;
    process->is_due_known = false;
    process->draining = false;
    process->paused_until = 0;
    process->clock.ahead_ms = sim_between(self, 0, 1000000);
    process->renewed_ms = process->cut_ms = 0;
    process->broken = 0;
    process->sockets += process->role == SIM_PUBLISHER ? 0 : 1;
    process->heard_from = self->now_ms + sim_between(self, 0, 300);
    sim_trace(self, "%s: starts", process->name.text);
    switch (process->role) {
    case SIM_CONSUMER: sim_consumer_start(self, process); break;
    case SIM_SAVER:
    case SIM_RESTARTER: sim_worker_start(self, process); break;
    case SIM_PUBLISHER: sim_publisher_start(self, process); break;
    }
}

// Ends a process at once, with all that is not durable; it comes back. Its core may be in a step:
// it is freed when that is over.
void sim_crash(sim_t *self, sim_process_t *process, const char *why)
{
    if (!process->alive)
        return;
    sim_trace(self, "%s: %s", process->name.text, why);
    process->alive = false;
    process->ended = true;
    process->paused_until = 0;
    process->session = 0;
    process->running_count = 0;
    process->start_ms = self->over ? MM_NEVER : self->now_ms + sim_between(self, 50, 3000);
}

static void bury(sim_t *self, sim_process_t *process)
{
    process->ended = false;
    sim_deliver_backlog(self, process);
    switch (process->role) {
    case SIM_CONSUMER: sim_consumer_end(process); break;
    case SIM_SAVER:
    case SIM_RESTARTER: sim_worker_end(process); break;
    case SIM_PUBLISHER: sim_publisher_end(process); break;
    }
}

static void drain(sim_t *self, sim_process_t *process)
{
    if (!process->alive || process->draining)
        return;
    sim_trace(self, "%s: TERM", process->name.text);
    process->draining = true;
    process->is_due_known = false;
    process->drained_ms =
        self->now_ms < process->paused_until ? process->paused_until : self->now_ms;
    switch (process->role) {
    case SIM_CONSUMER: sim_consumer_drain(self, process); break;
    case SIM_SAVER:
    case SIM_RESTARTER: sim_worker_drain(self, process); break;
    case SIM_PUBLISHER: sim_publisher_drain(self, process); break;
    }
}

static int64_t find_consumers_due(const sim_t *self, const sim_process_t *process)
{
    int64_t due_ms = sim_consumer_deadline(process);
    int64_t lease_ms = self->shape.shared ? sim_leader_deadline(process) : MM_NEVER;
    return lease_ms < due_ms ? lease_ms : due_ms;
}

static int64_t find_due(const sim_t *self, const sim_process_t *process)
{
    switch (process->role) {
    case SIM_CONSUMER: return find_consumers_due(self, process);
    case SIM_SAVER:
    case SIM_RESTARTER: return sim_worker_deadline(process);
    case SIM_PUBLISHER: return sim_publisher_deadline(self, process);
    }
    return MM_NEVER;
}

static int64_t deadline(const sim_t *self, sim_process_t *process)
{
    if (!process->alive)
        return process->start_ms;
    if (!process->is_due_known) {
        process->due_ms = find_due(self, process);
        process->is_due_known = true;
    }
    return process->due_ms < process->paused_until ? process->paused_until : process->due_ms;
}

static void wake(sim_t *self, sim_process_t *process)
{
    process->is_due_known = false;
    if (!process->alive) {
        if (process->start_ms <= self->now_ms)
            start(self, process);
        return;
    }
    sim_deliver_backlog(self, process); // what waits is read before the clock is judged
    if (!process->alive)
        return;
    switch (process->role) {
    case SIM_CONSUMER:
        if (self->shape.shared)
            sim_leader_time(self, process);
        if (process->alive && sim_consumer_deadline(process) <= self->now_ms)
            sim_consumer_time(self, process);
        break;
    case SIM_SAVER:
    case SIM_RESTARTER: sim_worker_time(self, process); break;
    case SIM_PUBLISHER: sim_publisher_time(self, process); break;
    }
}

// ---- faults

static sim_process_t *any_process(sim_t *self)
{
    return &self->processes[sim_below(self, self->process_count)];
}

bool sim_comes(sim_t *self, int64_t *next_ms, int64_t every_ms)
{
    if (every_ms == 0 || self->now_ms < *next_ms)
        return false;
    bool first = *next_ms == 0;
    *next_ms = self->now_ms + 1 + (int64_t)sim_below(self, (uint64_t)(2 * every_ms));
    return !first;
}

void sim_pause(sim_t *self, sim_process_t *process, int64_t span_ms)
{
    if (process->paused_until > 0)
        return;
    process->paused_until = self->now_ms + span_ms;
    process->drained_ms += span_ms;
    sim_trace(self, "%s: STOP for %lld ms", process->name.text, (long long)span_ms);
}

static void stop_and_go(sim_t *self)
{
    sim_process_t *process = any_process(self);
    if (sim_comes(self, &self->next.pause, self->faults.pause_every_ms) && process->alive &&
        process->paused_until == 0) {
        sim_pause(self, process, sim_between(self, 1, self->faults.pause_ms));
        self->statistics.pauses++;
    }
    if (sim_comes(self, &self->next.stop, self->faults.stop_every_ms)) {
        drain(self, any_process(self));
        self->statistics.stops++;
    }
}

static void cut(sim_t *self)
{
    if (!sim_comes(self, &self->next.partition, self->faults.partition_every_ms))
        return;
    sim_process_t *process = any_process(self);
    process->cut_in = sim_coin(self);
    process->cut_out = !process->cut_in || sim_coin(self);
    process->cut_until = self->now_ms + sim_between(self, 100, 8000);
    sim_trace(self, "%s: cut off%s%s", process->name.text, process->cut_in ? " in" : "",
              process->cut_out ? " out" : "");
}

// The last restarter does not come back: somebody scales down without asking.
static void lose_one(sim_t *self)
{
    self->faults.gone_ms = 0;
    for (uint32_t i = self->process_count; i-- > 0;) {
        sim_process_t *process = &self->processes[i];
        if (process->role != SIM_RESTARTER)
            continue;
        self->statistics.crashes += process->alive;
        sim_crash(self, process, "KILL, for ever");
        process->start_ms = MM_NEVER;
        return;
    }
}

static void make_faults(sim_t *self)
{
    sim_shared_faults(self);
    for (sim_role_t role = SIM_CONSUMER; role <= SIM_PUBLISHER; role++) {
        if (!sim_comes(self, &self->next.crash[role], self->faults.crash_every_ms[role]))
            continue;
        sim_process_t *process;
        do
            process = any_process(self);
        while (process->role != role);
        self->statistics.crashes += process->alive;
        sim_crash(self, process, "KILL");
    }
    stop_and_go(self);
    cut(self);
    if (sim_comes(self, &self->next.revoke, self->faults.revoke_every_ms))
        sim_access_revoke(self);
    if (sim_comes(self, &self->next.cut, self->faults.cut_every_ms))
        sim_access_cut(self);
    if (sim_comes(self, &self->next.lie, self->faults.lie_every_ms))
        sim_access_lie(self);
    if (self->faults.gone_ms > 0 && self->now_ms >= self->faults.gone_ms)
        lose_one(self);
    if (sim_comes(self, &self->next.others, self->faults.others_every_ms))
        sim_host_reboot(self, &self->hosts[sim_below(self, self->shape.hosts)], 0);
    if (sim_comes(self, &self->next.full, self->faults.store_full_every_ms)) {
        self->store_full_until = self->now_ms + sim_between(self, 100, 10000);
        sim_trace(self, "the store is full");
    }
}

static void end_pauses(sim_t *self)
{
    for (uint32_t i = 0; i < self->process_count; i++) {
        sim_process_t *process = &self->processes[i];
        bool over = !self->faulty || process->cut_until <= self->now_ms;
        if (over)
            process->cut_in = process->cut_out = false;
        if (process->paused_until > 0 && (!self->faulty || process->paused_until <= self->now_ms)) {
            process->paused_until = 0;
            sim_trace(self, "%s: CONT", process->name.text);
            wake(self, process);
        }
    }
}

static void end_faults(sim_t *self)
{
    self->faulty = false;
    self->store_full_until = 0;
    if (self->database.row.is_halted)
        sim_database_halt(self); // it is resumed
    sim_trace(self, "the faults are over");
    end_pauses(self);
}

// ---- the run

static bool all_finished(const sim_t *self)
{
    for (uint32_t i = 0; i < self->process_count; i++)
        if (self->processes[i].role == SIM_PUBLISHER && !self->processes[i].finished)
            return false;
    return true;
}

static bool all_settled(const sim_t *self)
{
    if (self->shape.starts_end_ms > 0)
        return all_finished(self);
    for (uint32_t i = 0; i < self->job_count; i++)
        if (!self->jobs[i].accepted || self->jobs[i].in_outbox)
            return false;
    return true;
}

// The work itself (I7): in the worst case all jobs are for one host, and every attempt takes its
// longest.
static int64_t work_ms(const sim_t *self)
{
    if (self->shape.real) // each attempt of each job is looked at until its end
        return SIM_JOBS * (int64_t)(self->shape.gather.attempts + SIM_INTERRUPTED) *
               (3 * self->shape.gather.attempt_ms + self->shape.gather.open_ms + 10000);
    return SIM_JOBS * (int64_t)self->shape.gather.attempts *
           (self->shape.restart_ms + self->shape.gather.backoff_high_ms) / 4;
}

static int64_t next_time(sim_t *self)
{
    int64_t next = sim_next_message(self);
    for (uint32_t i = 0; i < self->process_count; i++) {
        int64_t due = deadline(self, &self->processes[i]);
        next = due < next ? due : next;
    }
    int64_t orders = sim_operator_deadline(self), expiry = sim_judge_deadline(self);
    next = orders < next ? orders : next;
    next = expiry < next ? expiry : next;
    int64_t renewal = sim_lease_deadline(self), database = sim_database_deadline(self);
    next = renewal < next ? renewal : next;
    next = database < next ? database : next;
    int64_t tick = self->now_ms + 50; // faults come in this grain
    return self->faulty && tick < next ? tick : next;
}

static void advance(sim_t *self)
{
    int64_t next = next_time(self);
    if (next > self->now_ms) {
        self->now_ms = next;
        self->busy = 0;
    } else if (++self->busy > BUSY_MAX) {
        sim_violated(self, "I7 live", "somebody spins");
    }
    self->statistics.steps++;
    if (self->faulty && self->now_ms >= SIM_FAULTS_MS)
        end_faults(self);
    if (self->faulty)
        make_faults(self);
    sim_access_time(self);
    end_pauses(self);
    sim_lease_time(self);
    sim_judge_time(self);
    sim_database_time(self);
    while (sim_next_message(self) <= self->now_ms && !self->failed)
        sim_deliver(self);
    sim_operator_time(self);
    for (uint32_t i = 0; i < self->process_count && !self->failed; i++)
        if (deadline(self, &self->processes[i]) <= self->now_ms)
            wake(self, &self->processes[i]);
    for (uint32_t i = 0; i < self->process_count; i++)
        if (self->processes[i].ended)
            bury(self, &self->processes[i]);
    sim_check_leaving(self);
    sim_check_led(self);
    if (sim_judge_is_quiet(self) && next_time(self) > self->now_ms)
        sim_judge_quiet(self);
}

static bool is_over(const sim_t *self)
{
    return self->failed || self->is_stuck;
}

static void settle_all(sim_t *self, uint64_t steps_max)
{
    int64_t limit = SIM_FAULTS_MS + SIM_SETTLE_MS + work_ms(self) + (self->policy ? 1200000 : 0);
    while (!is_over(self) && !self->too_many_dead && (self->faulty || !all_settled(self)) &&
           self->statistics.steps < steps_max) {
        advance(self);
        if (self->now_ms > limit)
            sim_violated(self, "I7 live", "not all jobs are settled %lld s after the faults",
                         (long long)(limit - SIM_FAULTS_MS) / 1000);
    }
    self->statistics.worst_ms = self->now_ms - SIM_FAULTS_MS;
}

// Late copies of jobs may still come: they are looked up, and then nothing is out any more (R2).
static void rest(sim_t *self)
{
    int64_t limit = self->now_ms + REST_MS;
    while (!is_over(self) && !sim_is_quiet(self)) {
        advance(self);
        if (self->now_ms > limit)
            sim_violated(self, "R2 what is held", "a task is out that nobody works on");
    }
}

static bool any_alive(const sim_t *self)
{
    for (uint32_t i = 0; i < self->process_count; i++)
        if (self->processes[i].alive)
            return true;
    return false;
}

int64_t sim_leave_ms(const sim_t *self)
{
    return self->shape.outbox.drain_ms + 1000;
}

// TERM to all: everybody leaves within the drain timeout and a second (I7).
static void drain_all(sim_t *self)
{
    self->over = true;
    for (uint32_t i = 0; i < self->process_count; i++) {
        if (!self->processes[i].alive)
            self->processes[i].start_ms = MM_NEVER;
        drain(self, &self->processes[i]);
    }
    while (!is_over(self) && any_alive(self))
        advance(self);
}

bool sim_run(sim_t *self, uint64_t steps_max)
{
    self->faulty = true;
    settle_all(self, steps_max);
    if (!is_over(self) && self->statistics.steps < steps_max) {
        sim_check_end(self);
        rest(self);
        drain_all(self);
    }
    self->statistics.simulated_ms = self->now_ms;
    self->statistics.stuck = self->is_stuck;
    sim_judge_count(self);
    if (self->failed && !self->verbose && !self->silent) {
        uint64_t first = self->trace_count > 50 ? self->trace_count - 50 : 0;
        for (uint64_t i = first; i < self->trace_count; i++)
            (void)printf("%s\n", self->trace[i % SIM_TRACE]);
    }
    return !self->failed;
}

void sim_destroy(sim_t **self_p)
{
    sim_t *self = *self_p;
    *self_p = NULL;
    sim_drop_messages(self);
    mm_heap_clear(&self->messages);
    for (uint32_t i = 0; i < self->process_count; i++) {
        sim_process_t *process = &self->processes[i];
        process->alive = false;
        bury(self, process);
        gather_actions_clear(&process->gather_actions);
        mm_worker_actions_clear(&process->worker_actions);
        outbox_actions_clear(&process->outbox_actions);
    }
    for (size_t i = 0; i < SIM_TRACE; i++)
        free(self->trace[i]);
    sim_policy_destroy(self);
    sim_database_destroy(self);
    mm_encoder_destroy(&self->encoder);
    mm_decoder_destroy(&self->decoder);
    free(self);
}
