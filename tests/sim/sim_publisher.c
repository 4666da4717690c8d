// The simulator's publishers: the outbox core, and a durable outbox that is the in_outbox of each
// job.

#include "sim.h"

#include "random.h"
#include "string_view.h"

#include <assert.h>
#include <string.h>

#define DELETE_MS 30 // how long a settled job may wait for its commit

// What publisher/run.c does with another list: hosts that were accepted are no longer on it.
static void withdraw(sim_t *self, sim_job_t *job)
{
    if (!self->shape.withdraws || !job->in_outbox || mm_random_below(&self->withdrawals, 4) > 0)
        return;
    job->withdrawn = true;
    sim_trace(self, "job %u is withdrawn", (unsigned)(job - self->jobs) + 1);
}

// Jobs of its run that it has as dead.
static uint64_t count_dead(const sim_t *self, const sim_process_t *process)
{
    uint64_t dead = 0;
    for (uint32_t i = 0; i < self->job_count; i++) {
        const sim_job_t *job = &self->jobs[i];
        dead += job->publisher == process->index && job->accepted &&
                (!job->in_outbox || job->delete_ms > 0) && job->outcome == MM_OUTCOME_DEAD;
    }
    return dead;
}

static void hear_epoch(const sim_t *self, sim_process_t *process, uint64_t epoch)
{
    if (epoch == process->heard_epoch)
        return;
    process->heard_epoch = epoch;
    process->dead_before = count_dead(self, process);
}

void sim_publisher_start(sim_t *self, sim_process_t *process)
{
    outbox_config_t config = self->shape.outbox;
    config.seed = sim_below(self, UINT64_MAX);
    if (self->shape.starts_end_ms > 0)
        config.starts_end_ms = sim_clock_at(&process->clock, self->shape.starts_end_ms);
    process->outbox = outbox_new(&config, sim_clock(self, process));
    sim_follow_begin(self, process);
    process->sockets++; // numbers its epochs: jobs accepted in an earlier one may have been sent
    for (uint32_t i = 0; i < self->job_count; i++)
        if (self->jobs[i].publisher == process->index) {
            self->jobs[i].given = false;
            self->jobs[i].delete_ms = 0;
            withdraw(self, &self->jobs[i]);
        }
    process->heard_epoch = 0;
    process->dead_before = count_dead(self, process);
}

void sim_publisher_end(sim_process_t *process)
{
    outbox_destroy(&process->outbox);
}

int64_t sim_publisher_deadline(const sim_t *self, const sim_process_t *process)
{
    int64_t deadline = outbox_deadline(process->outbox);
    deadline = sim_clock_reaches(&process->clock, deadline);
    for (uint32_t i = 0; i < self->job_count; i++) {
        const sim_job_t *job = &self->jobs[i];
        if (job->publisher != process->index)
            continue;
        if (!job->accepted && !process->draining && job->accept_ms < deadline)
            deadline = job->accept_ms;
        if (job->delete_ms > 0 && job->delete_ms < deadline)
            deadline = job->delete_ms;
    }
    return deadline;
}

static void send_jobs(sim_t *self, sim_process_t *process, const mm_job_t *job)
{
    mm_group_t groups[1 + SIM_GROUPS];
    mm_frame_t frame = {.kind = MM_FRAME_JOBS,
                        .as.jobs = {.publisher = mm_str(process->name.text),
                                    .epoch = outbox_epoch(process->outbox),
                                    .dead = process->dead_before,
                                    .items = job,
                                    .count = job ? 1 : 0}};
    sim_policy_fill(self, &frame.as.jobs, groups);
    if (job)
        sim_send_up(self, process, &frame);
    else
        sim_ask_up(self, process, &frame);
}

static void apply(sim_t *self, sim_process_t *process, const outbox_action_t *action)
{
    mm_job_t job = {.id = action->id,
                    .host = action->host,
                    .delivery = action->delivery,
                    .withdrawn = action->withdrawn,
                    .attributes = action->attributes};
    switch (action->kind) {
    case OUTBOX_DELIVER: send_jobs(self, process, &job); break;
    case OUTBOX_SETTLED:
        sim_job(self, &action->id)->delete_ms =
            self->now_ms + 1 + (int64_t)sim_below(self, DELETE_MS);
        break;
    case OUTBOX_ASK: send_jobs(self, process, NULL); break;
    case OUTBOX_LOG: break;
    case OUTBOX_LEAVE: sim_crash(self, process, "left"); break;
    }
}

static void step(sim_t *self, sim_process_t *process, outbox_event_t event)
{
    if (!process->alive)
        return;
    process->is_due_known = false;
    event.now_ms = sim_clock(self, process);
    outbox_step(process->outbox, &event, &process->outbox_actions);
    for (size_t i = 0; i < process->outbox_actions.count && process->alive; i++)
        apply(self, process, &process->outbox_actions.items[i]);
    if (process->alive)
        sim_check_leased(self, process);
}

// What publisher/intake.c does: jobs are committed, then given to the core in order as it has room.
static void give_jobs(sim_t *self, sim_process_t *process)
{
    for (uint32_t i = 0; i < self->job_count && process->alive; i++) {
        sim_job_t *job = &self->jobs[i];
        if (job->publisher != process->index || !job->in_outbox || job->given ||
            outbox_capacity(process->outbox) == 0)
            continue;
        job->given = true;
        outbox_event_t event = {.kind = OUTBOX_JOB};
        event.as.job.id = job->id;
        event.as.job.host = mm_str(job->host);
        event.as.job.attributes = mm_str(job->attributes);
        event.as.job.withdrawn = job->withdrawn;
        event.as.job.maybe_sent = job->accepted_life < process->sockets;
        step(self, process, event);
    }
}

static void accept_jobs(sim_t *self, sim_process_t *process)
{
    for (uint32_t i = 0; i < self->job_count && !process->draining; i++) {
        sim_job_t *job = &self->jobs[i];
        if (job->publisher != process->index || job->accepted || job->accept_ms > self->now_ms)
            continue;
        job->accepted = job->in_outbox = true;
        job->accepted_life = process->sockets;
        self->statistics.jobs++;
        sim_trace(self, "%s: accepts job %u", process->name.text, i + 1);
    }
}

static void delete_jobs(sim_t *self, const sim_process_t *process, int64_t until_ms)
{
    for (uint32_t i = 0; i < self->job_count; i++) {
        sim_job_t *job = &self->jobs[i];
        if (job->publisher != process->index || job->delete_ms == 0 || job->delete_ms > until_ms)
            continue;
        job->delete_ms = 0;
        job->in_outbox = false;
        job->deleted_ms = self->now_ms;
        sim_check_deleted(self, job);
    }
}

// What publisher/main.c does when the starts have ended: it ends when all that may have begun is
// answered, with a last commit.
static void finish(sim_t *self, sim_process_t *process)
{
    if (!process->alive || process->draining || !outbox_is_closed(process->outbox) ||
        outbox_count(process->outbox) > 0)
        return;
    for (uint32_t i = 0; i < self->job_count; i++) {
        const sim_job_t *job = &self->jobs[i];
        if (job->publisher == process->index && job->in_outbox && !job->given &&
            job->accepted_life < process->sockets)
            return;
    }
    delete_jobs(self, process, MM_NEVER);
    sim_check_finished(self, process);
    sim_crash(self, process, "has ended");
    process->start_ms = MM_NEVER;
    process->finished = true;
}

void sim_publisher_take(sim_t *self, sim_process_t *process, const mm_frame_t *frame)
{
    outbox_event_t event = {0};
    if (frame->kind == MM_FRAME_NOTICES) {
        event.kind = OUTBOX_VERDICT;
        hear_epoch(self, process, frame->as.notices.epoch);
        event.as.verdict.epoch = frame->as.notices.epoch;
        event.as.verdict.what = frame->as.notices.items[0];
    } else if (frame->kind == MM_FRAME_BEAT) {
        event.kind = OUTBOX_BEAT;
        hear_epoch(self, process, frame->as.beat.epoch);
        event.as.beat.epoch = frame->as.beat.epoch;
        event.as.beat.draining = frame->as.beat.draining;
        if (self->policy && sim_below(self, 4) == 0 && self->consumer->alive)
            send_jobs(self, process, NULL);
    } else if (frame->kind == MM_FRAME_LEAVING) {
        event.kind = OUTBOX_LEAVING;
        event.as.beat.epoch = frame->as.leaving.epoch;
    } else {
        return; // a worker's
    }
    step(self, process, event);
    give_jobs(self, process);
    finish(self, process);
}

void sim_publisher_time(sim_t *self, sim_process_t *process)
{
    accept_jobs(self, process);
    delete_jobs(self, process, self->now_ms);
    give_jobs(self, process);
    if (process->alive && outbox_deadline(process->outbox) <= sim_clock(self, process)) {
        outbox_event_t event = {.kind = OUTBOX_TIME};
        event.as.time.events_empty = true;
        step(self, process, event);
        give_jobs(self, process);
    }
    finish(self, process);
}

void sim_publisher_drain(sim_t *self, sim_process_t *process)
{
    step(self, process, (outbox_event_t){.kind = OUTBOX_DRAIN});
}
