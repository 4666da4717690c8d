// What must be true of a record that two consumers share: rules A1 to A10 and R19 of docs/rules.md,
// by what the database has committed.

#include "sim.h"

#include "gather_private.h"

#include <string.h>

#define HALTED_MS 6300  // from a halt on record to the last command: a ttl, and what clocks drift
#define TAKEN_MS  3500  // from a free lease to a leader: a look, and those who leave it to others
#define LOST_MS   60000 // the same when the database has lost a lease

// Whether somebody else has taken the lease from the consumer whose step it is: nothing that it
// decides goes on record.
bool sim_is_former(const sim_t *self)
{
    return self->shape.shared && self->epoch < self->database.row.epoch;
}

// What was lost with an asynchronous standby may be done again, and by two at a time. Where a
// take-over was lost, clients may follow its epoch until an operator has another one taken.
bool sim_is_excused(sim_t *self, const char *invariant)
{
    bool is_live = strncmp(invariant, "I7 live", 7) == 0 || strncmp(invariant, "A10 ", 4) == 0;
    bool is_weak = is_live || strcmp(invariant, "wire") == 0;
    if (is_live && self->database.has_lost_take)
        self->is_stuck = true;
    return self->database.has_lost_take ? is_live || !is_weak : self->database.has_lost && !is_weak;
}

// A9: who leads has taken it, and no two have one epoch.
void sim_check_taken(sim_t *self, const sim_process_t *process)
{
    for (uint32_t i = 0; i < self->process_count; i++) {
        const sim_process_t *other = &self->processes[i];
        if (other != process && other->role == SIM_CONSUMER && other->alive && other->gather &&
            other->epoch == process->lease.epoch)
            sim_violated(self, "A9 one epoch", "%s leads under epoch %llu, as %s does",
                         process->name.text, (unsigned long long)process->lease.epoch,
                         other->name.text);
    }
    if (process->lease.epoch > self->database.row.epoch)
        sim_violated(self, "A9 taken", "%s leads under epoch %llu, which nobody has taken",
                     process->name.text, (unsigned long long)process->lease.epoch);
}

// A6: behind a take-over nothing of a former epoch is written.
void sim_check_write(sim_t *self, uint64_t epoch)
{
    const sim_database_t *database = &self->database;
    if (database->take_count > 0 && epoch < database->takes[database->take_count - 1].epoch)
        sim_violated(self, "A6 fence", "a batch of epoch %llu is written, epoch %llu was taken",
                     (unsigned long long)epoch,
                     (unsigned long long)database->takes[database->take_count - 1].epoch);
}

// A4: what a leader has handed out or permitted starts before anybody else leads. The first seconds
// of who takes a lease that was released protect that.
void sim_check_leads(sim_t *self, uint64_t epoch, const char *what)
{
    const sim_database_t *database = &self->database;
    const gather_config_t *config = &self->shape.gather;
    for (uint32_t i = 0; self->shape.shared && i < database->take_count; i++) {
        if (database->takes[i].epoch <= epoch)
            continue;
        int64_t hold_ms = database->takes[i].was_released
                              ? (config->lost_after_ms + config->heartbeat_ms) * 49 / 50
                              : 0;
        if (self->now_ms >= database->takes[i].at_ms + hold_ms)
            sim_violated(self, "A4 one leader",
                         "%s of epoch %llu starts %lld ms after epoch %llu was taken", what,
                         (unsigned long long)epoch,
                         (long long)(self->now_ms - database->takes[i].at_ms),
                         (unsigned long long)database->takes[i].epoch);
        return;
    }
}

// A1: a command is sent: none of an earlier attempt may still run. It ends by itself, though its
// restarter stands still.
void sim_check_alone(sim_t *self, const sim_running_t *task)
{
    for (uint32_t i = 0; self->shape.shared && i < self->process_count; i++) {
        const sim_process_t *other = &self->processes[i];
        for (uint32_t j = 0; other->role == SIM_RESTARTER && j < other->running_count; j++) {
            const sim_running_t *running = &other->running[j];
            if (running->job == task->job && running->number != task->number && running->sent &&
                running->phase == SIM_COMMAND && running->end_ms > self->now_ms)
                sim_violated(self, "A1 may still run",
                             "job %u sends a command for #%llu, that of #%llu runs",
                             sim_number_of(self, task->job), (unsigned long long)task->number,
                             (unsigned long long)running->number);
        }
    }
}

// A9: a consumer beats. A standby does not.
void sim_check_beats(sim_t *self, const sim_process_t *process)
{
    if (self->shape.shared && process->lease.state == LEASE_STANDBY)
        sim_violated(self, "A9 standby", "%s beats, and stands by", process->name.text);
}

// A7: a command is sent.
void sim_check_halt(sim_t *self)
{
    int64_t halt_ms = self->database.halt_ms;
    if (halt_ms > 0 && self->now_ms >= halt_ms + HALTED_MS)
        sim_violated(self, "A7 halt beside", "a command is sent %lld ms after a halt",
                     (long long)(self->now_ms - halt_ms));
}

// ---- R19

static mm_outcome_t settle_at(const sim_t *self, const sim_job_t *job, const sim_process_t *but)
{
    for (uint32_t i = 0; i < self->process_count; i++) {
        const sim_process_t *saver = &self->processes[i];
        if (saver->role != SIM_SAVER || saver == but || !saver->alive)
            continue;
        for (uint32_t j = 0; j < saver->running_count; j++)
            if (saver->running[j].job == job && saver->running[j].leg == MM_LEG_SETTLE &&
                saver->running[j].number >> 32 == self->epoch)
                return saver->running[j].outcome;
    }
    return sim_database_pending(self, job, self->epoch, but);
}

void sim_check_one_settle(sim_t *self, const sim_process_t *saver, const mm_task_t *task)
{
    const sim_job_t *job = sim_job(self, &task->id);
    if (!self->shape.shared || job->outcome != MM_OUTCOME_NONE || sim_is_former(self))
        return;
    mm_outcome_t doubtful = settle_at(self, job, saver);
    if (doubtful != MM_OUTCOME_NONE && (task->leg != MM_LEG_SETTLE || task->outcome != doubtful))
        sim_violated(self, "R19 one settle",
                     "#%llu is for %s, and a settle of job %u, %d, is under way at another saver",
                     (unsigned long long)task->number, saver->name.text, sim_number_of(self, job),
                     (int)doubtful);
}

void sim_check_doubt(sim_t *self, const mm_verdict_t *verdict)
{
    const sim_job_t *job = sim_job(self, &verdict->id);
    if (!self->shape.shared || verdict->kind != MM_VERDICT_NACK ||
        job->outcome != MM_OUTCOME_NONE || self->consumer->draining || sim_is_former(self))
        return;
    if (settle_at(self, job, NULL) != MM_OUTCOME_NONE)
        sim_violated(self, "R19 one settle", "job %u is nacked, and a settle of it is under way",
                     sim_number_of(self, job));
}

// ---- somebody leads

static bool is_ready(const sim_t *self)
{
    for (uint32_t i = 0; i < self->process_count; i++) {
        const sim_process_t *process = &self->processes[i];
        if (!process->alive && process->start_ms != MM_NEVER)
            return false;
        if (process->alive && process->draining)
            return false;
    }
    return true;
}

static bool is_led(const sim_t *self)
{
    for (uint32_t i = 0; i < self->process_count; i++) {
        const sim_process_t *process = &self->processes[i];
        if (process->role == SIM_CONSUMER && process->alive && process->gather &&
            sim_leader_is_trusted(self, process))
            return true;
    }
    return false;
}

// Once the faults are over and everybody is there, a lease is taken within a ttl and a little.
void sim_check_led(sim_t *self)
{
    sim_database_t *database = &self->database;
    if (!self->shape.shared)
        return;
    if (self->faulty || self->over || is_led(self) || !is_ready(self)) {
        database->led_ms = self->now_ms;
        return;
    }
    int64_t ttl_ms = self->consumer->lease.config.ttl_ms;
    int64_t most_ms = ttl_ms + ttl_ms / 25 + (database->has_lost ? LOST_MS : TAKEN_MS);
    if (self->now_ms > database->led_ms + most_ms)
        sim_violated(self, "A10 somebody leads", "nobody has led for %lld ms",
                     (long long)(self->now_ms - database->led_ms));
}
