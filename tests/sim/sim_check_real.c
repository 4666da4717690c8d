// What must be true of hosts that are restarted for real (H1 to H10 of docs/rules.md), by the boots
// that are counted on the hosts.

#include "sim.h"

// A command is sent to a host.
void sim_check_command(sim_t *self, const sim_process_t *process, const sim_running_t *task)
{
    sim_job_t *job = task->job;
    const sim_host_t *host = sim_host(self, job);
    unsigned number = sim_number_of(self, job);
    sim_trace(self, "%s: sends command %u of attempt %u for job %u", process->name.text,
              task->real.command, task->attempt, number);
    if (job->row.row != MM_ROW_BEGUN || job->row.attempt != task->attempt ||
        job->row.command != task->real.command)
        sim_violated(self, "H1 begun on record",
                     "a command of attempt %u is sent for job %u, on record is attempt %u, row %d",
                     task->attempt, number, job->row.attempt, (int)job->row.row);
    if (job->commands > 0 && host->boots != job->sent_boots)
        sim_violated(self, "H3 no command to another boot",
                     "job %u sends a command in boot %u, its first one was sent in boot %u", number,
                     host->boots, job->sent_boots);
    if (self->now_ms < job->open_until_ms)
        sim_violated(self, "H1 deadline",
                     "job %u sends a command %lld ms before the last one's deadline", number,
                     (long long)(job->open_until_ms - self->now_ms));
    if (++job->commands > self->shape.gather.attempts + SIM_INTERRUPTED)
        sim_violated(self, "I6 bounded", "job %u sends command %u, its limit is %u and %u", number,
                     job->commands, self->shape.gather.attempts, SIM_INTERRUPTED);
    if (job->commands == 1)
        job->sent_boots = host->boots;
    job->open_until_ms = job->row.deadline_ms - self->control_clock_ms[job->row.control.bytes[6]];
}

// H2: what is on record as restarted has booted since its first attempt began.
void sim_check_proven(sim_t *self, const sim_job_t *job)
{
    const sim_host_t *host = sim_host(self, job);
    if (job->row.first_at_ms == 0 || host->boot_ms[host->boots - 1] < job->row.first_at_ms)
        sim_violated(self, "H2 later boot",
                     "job %u is on record as restarted, its host has booted at %lld, it began at "
                     "%lld",
                     sim_number_of(self, job), (long long)host->boot_ms[host->boots - 1],
                     (long long)job->row.first_at_ms);
}

// Who is dead had all its attempts, or was found as no command can help it.
void sim_check_real_dead(sim_t *self, const mm_task_t *task)
{
    const sim_job_t *job = sim_job(self, &task->id);
    mm_end_t end = task->real ? task->real->end : MM_END_NONE;
    mm_attempt_row_t row = task->real ? task->real->row : MM_ROW_NONE;
    bool is_final = end == MM_END_UNHEALTHY || end == MM_END_WRONG_HOST;
    bool is_interrupted =
        job->row.interrupted + (end == MM_END_INTERRUPTED && job->row.row != MM_ROW_ENDED) >=
        SIM_INTERRUPTED;
    if (task->attempts < self->shape.gather.attempts && !is_final && !is_interrupted)
        sim_violated(self, "R7 attempts", "job %u is to be dead after %u of %u attempts: %s",
                     sim_number_of(self, job), task->attempts, self->shape.gather.attempts,
                     mm_end_name(end));
    if (row != MM_ROW_ENDED)
        sim_violated(self, "H4 the end is on record", "job %u is to be dead without its end",
                     sim_number_of(self, job));
}
