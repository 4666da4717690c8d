// The invariants and rules of docs/rules.md, each by its number.

#include "sim.h"

#include "admission.h"
#include "gather_private.h"
#include "job.h"

#include <stdarg.h>
#include <string.h>

void sim_violated(sim_t *self, const char *invariant, const char *format, ...)
{
    if (self->failed || sim_is_excused(self, invariant))
        return;
    self->failed = true;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!self->silent)
        (void)printf("seed %llu, %lld ms, step %llu: %s violated: %s\n",
                     (unsigned long long)self->seed, (long long)self->now_ms,
                     (unsigned long long)self->statistics.steps, invariant, text);
    sim_trace(self, "%s violated: %s", invariant, text);
}

uint32_t sim_number_of(const sim_t *self, const sim_job_t *job)
{
    return (uint32_t)(job - self->jobs) + 1;
}

// I1: an accepted job is in the outbox, or in the store with an outcome.
void sim_check_deleted(sim_t *self, const sim_job_t *job)
{
    if (job->outcome == MM_OUTCOME_NONE)
        sim_violated(self, "I1 nothing lost", "job %u left the outbox without an outcome",
                     sim_number_of(self, job));
}

// I2: an ack or dead is broadcast only after its outcome is durable.
void sim_check_notice(sim_t *self, const mm_verdict_t *verdict)
{
    sim_job_t *job = sim_job(self, &verdict->id);
    bool ack = verdict->kind == MM_VERDICT_ACK, dead = verdict->kind == MM_VERDICT_DEAD;
    bool skipped = verdict->kind == MM_VERDICT_SKIPPED;
    bool withdrawn = verdict->kind == MM_VERDICT_WITHDRAWN;
    if (dead)
        job->told_dead_life = self->epoch;
    if ((ack && job->outcome != MM_OUTCOME_RESTARTED) ||
        (dead && job->outcome != MM_OUTCOME_DEAD) ||
        (skipped && job->outcome != MM_OUTCOME_SKIPPED) ||
        (withdrawn && job->outcome != MM_OUTCOME_WITHDRAWN))
        sim_violated(self, "I2 ack means recorded", "job %u is told %s, on record is %d",
                     sim_number_of(self, job), ack ? "ack" : "dead", (int)job->outcome);
}

// I3 and I4, at each write that is committed.
void sim_check_committed(sim_t *self, const sim_job_t *job, mm_outcome_t before)
{
    if (before != MM_OUTCOME_NONE && job->outcome != before)
        sim_violated(self, "I4 one outcome", "the outcome of job %u changed",
                     sim_number_of(self, job));
    if (self->shape.real && !self->shape.blind && job->outcome == MM_OUTCOME_RESTARTED &&
        before != job->outcome)
        sim_check_proven(self, job);
    if (job->outcome == MM_OUTCOME_SKIPPED)
        sim_check_skipped(self, job);
    if (job->outcome == MM_OUTCOME_WITHDRAWN)
        sim_check_withdrawn(self, job);
    if (job->outcome == MM_OUTCOME_RESTARTED && job->successes == 0)
        sim_violated(self, "I3 both legs", "job %u is on record as restarted, but never was",
                     sim_number_of(self, job));
}

static bool is_among(const uint64_t *numbers, uint32_t count, uint64_t number)
{
    for (uint32_t i = 0; i < count && i < SIM_CLOSED; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

// Whether it is there for longer than two clocks may differ about lost-after.
static bool is_long_among(const sim_t *self, const uint64_t *numbers, const int64_t *since_ms,
                          uint32_t count, uint64_t number)
{
    int64_t most_ms = self->now_ms - sim_drift(self, self->shape.gather.lost_after_ms);
    for (uint32_t i = 0; i < count && i < SIM_CLOSED; i++)
        if (numbers[i] == number)
            return since_ms[i] <= most_ms;
    return false;
}

static bool is_closed(const sim_t *self, uint64_t session)
{
    return is_among(self->closed, self->closed_count, session);
}

void sim_check_attributes(sim_t *self, const sim_job_t *job, mm_str_t attributes)
{
    if (!mm_str_equal(attributes, mm_str(job->attributes)))
        sim_violated(self, "I9 attributes whole", "job %u is restarted with '%.*s', it has '%s'",
                     sim_number_of(self, job), (int)attributes.size, attributes.data,
                     job->attributes);
}

// Restarts at workers that the consumer does not presume lost, by its table.
static uint32_t restarts_out(const sim_process_t *consumer)
{
    uint32_t out = 0;
    gather_worker_t worker = {0};
    while (gather_next_worker(consumer->gather, &worker))
        out += worker.joined && worker.role == MM_ROLE_RESTARTER ? worker.out : 0;
    return out;
}

static bool hands_out_restarts(const sim_process_t *consumer)
{
    const gather_actions_t *actions = &consumer->gather_actions;
    for (size_t i = 0; i < actions->count; i++)
        if (actions->items[i].kind == GATHER_TASK &&
            mm_leg_is_restarters(actions->items[i].as.task.task.leg))
            return true;
    return false;
}

// Since when a job is in line at each resource: it waits there, or further on, or is at a worker,
// from which it may come back. One that goes back to an earlier resource begins anew at those
// behind it.
static void watch_queues(uint64_t *queued_since, const flight_t *flight, uint64_t step)
{
    unsigned reached = 0;
    bool has_place =
        flight && (flight->restart == RESTART_OUT || flight->restart == RESTART_BEGINNING ||
                   flight->restart == RESTART_BEGUN);
    if (has_place)
        reached = RESOURCE_QUARANTINE;
    else if (flight)
        reached = flight->grants + (unsigned)(flight->restart == RESTART_BLOCKED);
    for (unsigned kind = 0; kind < RESOURCE_QUARANTINE; kind++)
        if (kind >= reached)
            queued_since[kind] = 0;
        else if (queued_since[kind] == 0)
            queued_since[kind] = step;
}

// I6: what is in flight, and what restarts run at once, after each step of the consumer (R13). What
// a worker tells of its restarts may exceed the limit, but then none is handed out.
void sim_check_consumer(sim_t *self, const sim_process_t *process)
{
    const gather_config_t *limits = &self->shape.gather;
    size_t in_flight = gather_statistics(process->gather).in_flight;
    if (in_flight > limits->max_in_flight)
        sim_violated(self, "I6 bounded", "%zu jobs in flight, the limit is %u", in_flight,
                     limits->max_in_flight);
    if (limits->at_once > 0 && hands_out_restarts(process) &&
        restarts_out(process) > limits->at_once)
        sim_violated(self, "I6 bounded", "%u restarts are handed out, the limit is %u",
                     restarts_out(process), limits->at_once);
    self->consumer_steps++;
    for (uint32_t i = 0; i < self->job_count; i++)
        watch_queues(self->jobs[i].queued_since[process->index],
                     flights_find(&process->gather->flights, &self->jobs[i].id),
                     self->consumer_steps);
}

// I7: a job is not handed out before one that has waited for longer for what both need. One that
// was granted it and waits again, since restarts were adopted beyond the limit, has lost its place
// to those in line. So has one that had to pass the gate: of those the judge says who starves.
static void check_in_order(sim_t *self, const sim_process_t *consumer, const sim_job_t *job)
{
    const flights_t *flights = &consumer->gather->flights;
    resources_t *resources = &consumer->gather->flights.resources;
    const flight_t *handed_out = flights_find(flights, &job->id);
    for (uint32_t i = 0; i < self->job_count; i++) {
        const sim_job_t *other = &self->jobs[i];
        const flight_t *flight = flights_find(flights, &other->id);
        if (!flight || flight->restart != RESTART_BLOCKED || flight->had_grant ||
            flight->has_attempt)
            continue;
        resource_kind_t kind = flight->grants;
        bool is_shared = resources_of(resources, flight->host, kind) ==
                         resources_of(resources, handed_out->host, kind);
        uint64_t since = job->queued_since[consumer->index][kind];
        uint64_t others_since = other->queued_since[consumer->index][kind];
        if (is_shared && others_since != 0 && (since == 0 || others_since < since))
            sim_violated(self, "I7 in order", "job %u is handed out before job %u, which waits: %s",
                         sim_number_of(self, job), sim_number_of(self, other),
                         mm_reason_name(MM_REASON_HOST_BUSY + kind));
    }
}

// Whether its session is open at this consumer: so it has told what it runs, or was told to run it.
static bool is_known(const sim_t *self, const sim_process_t *worker)
{
    return worker->alive && worker->role == SIM_RESTARTER && worker->session != 0 &&
           worker->session >> 32 == self->epoch && !is_closed(self, worker->session);
}

// R15: what is handed out behind the end of the starts is a look.
static void check_end_of_starts(sim_t *self, const sim_job_t *job, const mm_task_t *task)
{
    bool is_look = task->real && task->leg == MM_LEG_RESTART && task->real->command == 0;
    if (self->shape.starts_end_ms > 0 && self->now_ms >= self->shape.starts_end_ms && !is_look)
        sim_violated(self, "R15 end of the starts", "job %u is handed out %lld ms behind it",
                     sim_number_of(self, job),
                     (long long)(self->now_ms - self->shape.starts_end_ms));
}

static bool is_known_dead(const sim_t *self, const sim_job_t *job)
{
    bool was_before = job->outcome == MM_OUTCOME_DEAD && job->deleted_ms > 0 &&
                      job->deleted_ms < self->consumer_ms;
    return was_before || job->told_dead_life == self->epoch;
}

// R14: those that were settled as dead when the consumer began, and those that it has told of
// since. A publisher whose frames of this epoch are lost is not known yet.
static void check_too_many_dead(sim_t *self, const sim_job_t *job)
{
    uint32_t dead = 0, most = self->shape.gather.max_dead;
    for (uint32_t i = 0; i < self->job_count; i++)
        dead += is_known_dead(self, &self->jobs[i]);
    bool is_heard = self->publisher_epoch == self->epoch;
    if (most > 0 && dead >= most && is_heard)
        sim_violated(self, "R14 too many dead", "job %u is handed out, and %u are dead",
                     sim_number_of(self, job), dead);
}

// R15: a publisher ends when nothing of its jobs runs any more, as far as the consumer knows. A
// mock that was given up, and comes back, is not looked for.
void sim_check_finished(sim_t *self, const sim_process_t *publisher)
{
    for (uint32_t i = 0; i < self->process_count; i++) {
        const sim_process_t *worker = &self->processes[i];
        for (uint32_t j = 0; is_known(self, worker) && j < worker->running_count; j++)
            if (worker->running[j].job->publisher == publisher->index && self->consumer->alive &&
                worker->running[j].job->in_outbox && self->faults.stop_every_ms == 0 &&
                !is_among(self->given_up, self->given_up_count, worker->running[j].number))
                sim_violated(self, "R15 end of the starts", "%s ends while %s runs job %u",
                             publisher->name.text, worker->name.text,
                             sim_number_of(self, worker->running[j].job));
    }
}

// I5, I6, I7, I8: what the consumer hands out, against what the world knows.
void sim_check_handed_out(sim_t *self, const sim_process_t *consumer, const gather_action_t *action)
{
    const mm_task_t *task = &action->as.task.task;
    sim_job_t *job = sim_job(self, &task->id);
    job->handed_life = self->epoch;
    job->handed_out++;
    job->last_task = task->number;
    sim_lease_check_start(self);
    sim_check_goes_on(self, job, task->number, task->real ? task->real->command : 1);
    if (consumer->draining)
        sim_violated(self, "R10 draining", "job %u is handed out by a consumer that drains",
                     sim_number_of(self, job));
    if (job->known_life == self->epoch && !self->shape.real)
        sim_violated(self, "R8 success kept", "job %u is handed out, its success was read before",
                     sim_number_of(self, job));
    if (job->outcome != MM_OUTCOME_NONE)
        sim_violated(self, "I5 no double restart on record",
                     "a restart of job %u is handed out, its outcome is on record",
                     sim_number_of(self, job));
    uint32_t running = 0;
    for (uint32_t i = 0; i < self->process_count; i++) {
        const sim_process_t *worker = &self->processes[i];
        for (uint32_t j = 0; is_known(self, worker) && j < worker->running_count; j++, running++)
            if (strcmp(worker->running[j].job->host, job->host) == 0)
                sim_violated(self, "I8 one at a time per host",
                             "%s is handed out while %s runs #%llu for it", job->host,
                             worker->name.text, (unsigned long long)worker->running[j].number);
    }
    uint32_t limit = self->shape.gather.at_once;
    if (limit > 0 && running >= limit)
        sim_violated(self, "I6 bounded",
                     "job %u is handed out while %u restarts run, of %u at once",
                     sim_number_of(self, job), running, limit);
    check_in_order(self, consumer, job);
    check_end_of_starts(self, job, task);
    check_too_many_dead(self, job);
    if (task->real && task->real->command > 0)
        sim_check_command_out(self, task);
}

// R7: only who has had all attempts ends dead.
void sim_check_dead(sim_t *self, const mm_task_t *task)
{
    if (sim_is_former(self))
        return; // it is fenced
    if (self->shape.real) {
        sim_check_real_dead(self, task);
        return;
    }
    if (task->attempts < self->shape.gather.attempts)
        sim_violated(self, "R7 attempts", "job %u is to be dead after %u of %u attempts",
                     sim_number_of(self, sim_job(self, &task->id)), task->attempts,
                     self->shape.gather.attempts);
}

// R7: a restart that has succeeded has started, and no more attempts are charged than were begun.
void sim_check_restarted(sim_t *self, const mm_task_t *task)
{
    const sim_job_t *job = sim_job(self, &task->id);
    uint32_t begun = task->real ? task->real->attempt : job->handed_out;
    if (task->attempts == 0 || task->attempts > begun)
        sim_violated(self, "R7 attempts",
                     "job %u is to be restarted after %u attempts, of %u begun",
                     sim_number_of(self, job), task->attempts, begun);
}

// Not an attempt that was given up: its worker came back, and other tasks may be with it.
static bool is_lonely(const sim_t *self, const sim_running_t *task)
{
    const sim_job_t *job = task->job;
    return !is_among(self->given_up, self->given_up_count, task->number) &&
           job->kills >= SIM_LONELY && job->kills_life == self->epoch &&
           task->number >> 32 == self->epoch && task->number > job->killer;
}

// R7: a job that has killed two workers harms nobody else.
static void check_alone(sim_t *self, const sim_process_t *process)
{
    for (uint32_t i = 0; i < process->running_count && process->running_count > 1; i++)
        if ((process->running[i].real.command > 0) == self->shape.real &&
            is_lonely(self, &process->running[i]))
            sim_violated(self, "R7 alone", "%s runs job %u, which kills, and others",
                         process->name.text, sim_number_of(self, process->running[i].job));
}

// R1, R3, R10: whether a worker may start it at all.
static void check_may_start(sim_t *self, const sim_process_t *process, const sim_running_t *task)
{
    unsigned long long number = task->number;
    // One whose key is revoked is given up before its leases have ended: it is not waited for.
    bool is_valid = process->renewed_ms == 0;
    if (is_valid &&
        is_long_among(self, self->closed, self->closed_ms, self->closed_count, process->session))
        sim_violated(self, "R1 lease", "%s starts #%llu after its consumer gave the session up",
                     process->name.text, number);
    if (is_valid &&
        is_long_among(self, self->given_up, self->given_up_ms, self->given_up_count, task->number))
        sim_violated(self, "R1 lease", "%s starts #%llu, which was taken back", process->name.text,
                     number);
    if (is_among(self->started, self->started_count, task->number))
        sim_violated(self, "R3 numbers", "%s starts #%llu a second time", process->name.text,
                     number);
    self->started[self->started_count++ % SIM_CLOSED] = task->number;
    if (process->draining)
        sim_violated(self, "R10 draining", "%s starts #%llu while it drains", process->name.text,
                     number);
}

// I6, and R1, R3, R6, R7, R10: what a worker starts.
void sim_check_started(sim_t *self, const sim_process_t *process, const sim_running_t *task)
{
    sim_job_t *job = task->job;
    job->starts++;
    sim_check_goes_on(self, job, task->number, task->is_real ? task->real.command : 1);
    uint64_t epoch = task->number >> 32;
    if (job->starts_life != epoch) {
        job->starts_life = epoch;
        job->starts_of_life = 0;
    }
    sim_trace(self, "%s: starts #%llu of job %u", process->name.text,
              (unsigned long long)task->number, sim_number_of(self, job));
    if (++job->starts_of_life > self->shape.gather.attempts && !self->shape.real)
        sim_violated(self, "I6 bounded", "job %u is started %u times in one life of the consumer",
                     sim_number_of(self, job), job->starts_of_life);
    if (process->running_count > self->shape.slots)
        sim_violated(self, "I6 bounded", "%s runs %u tasks in %u slots", process->name.text,
                     process->running_count, self->shape.slots);
    if (epoch < job->handed_life)
        sim_violated(self, "R6 hold",
                     "%s starts #%llu of a former consumer, the new one has "
                     "handed out job %u",
                     process->name.text, (unsigned long long)task->number,
                     sim_number_of(self, job));
    sim_check_leads(self, epoch, "a restart");
    check_may_start(self, process, task);
    check_alone(self, process);
}

void sim_check_killed(const sim_running_t *task)
{
    sim_job_t *job = task->job;
    uint64_t epoch = task->number >> 32;
    if (job->kills_life != epoch) {
        job->kills_life = epoch;
        job->kills = 0;
    }
    job->kills++;
    if (task->number > job->killer)
        job->killer = task->number;
}

void sim_check_leased(sim_t *self, const sim_process_t *process)
{
    if (outbox_leased(process->outbox) > self->shape.outbox.window)
        sim_violated(self, "I6 bounded", "%zu leases in a window of %u",
                     outbox_leased(process->outbox), self->shape.outbox.window);
}

void sim_check_session_closed(sim_t *self, uint64_t session)
{
    self->closed_ms[self->closed_count % SIM_CLOSED] = self->now_ms;
    self->closed[self->closed_count++ % SIM_CLOSED] = session;
}

void sim_check_reclaimed(sim_t *self, uint64_t number)
{
    self->given_up_ms[self->given_up_count % SIM_CLOSED] = self->now_ms;
    self->given_up[self->given_up_count++ % SIM_CLOSED] = number;
}

// I7, second half: who has got TERM leaves in time.
void sim_check_leaving(sim_t *self)
{
    for (uint32_t i = 0; i < self->process_count; i++) {
        const sim_process_t *process = &self->processes[i];
        if (process->alive && process->draining && process->paused_until == 0 &&
            self->now_ms > process->drained_ms + sim_leave_ms(self))
            sim_violated(self, "I7 live", "%s has not left after TERM", process->name.text);
    }
}

bool sim_is_quiet(const sim_t *self)
{
    gather_worker_t worker = {0};
    bool leads = self->consumer->alive && self->consumer->gather;
    while (leads && gather_next_worker(self->consumer->gather, &worker))
        if (worker.joined && worker.out > 0)
            return false;
    return true;
}

// At the end everything is settled, once.
void sim_check_end(sim_t *self)
{
    for (uint32_t i = 0; i < self->job_count; i++) {
        const sim_job_t *job = &self->jobs[i];
        bool is_left = self->too_many_dead || self->shape.starts_end_ms > 0;
        if (job->accepted && job->outcome == MM_OUTCOME_NONE && !(is_left && job->in_outbox))
            sim_violated(self, "I1 nothing lost", "job %u has no outcome at the end", i + 1);
        sim_check_debt(self, job);
        self->statistics.twice += job->successes > 1;
        self->statistics.real += self->shape.real;
        self->statistics.effects += job->effects > 0;
        self->statistics.doubled += job->effects > 1 && !self->shape.blind;
        bool is_withdrawn = job->outcome == MM_OUTCOME_WITHDRAWN;
        self->statistics.withdrawn += is_withdrawn;
        self->statistics.withdrawn_begun += is_withdrawn && job->row.first_at_ms > 0;
        self->statistics.innocent += job->outcome == MM_OUTCOME_DEAD && !job->poison &&
                                     self->shape.fail == 0 && !self->shape.real;
    }
}
