// What the simulator's store has of the attempts at real restarts: the rules of saver/store.h.

#include "sim.h"

void sim_record_answer(sim_t *self, const sim_running_t *task, mm_real_t *real,
                       mm_result_t *ret_result)
{
    const sim_row_t *row = &task->job->row;
    *real = (mm_real_t){.row = MM_ROW_NONE, .exit = MM_EXIT_NONE};
    if (task->is_real)
        ret_result->real = real;
    if (row->row == MM_ROW_NONE)
        return;
    *real = (mm_real_t){.row = row->row,
                        .attempt = row->attempt,
                        .command = row->command,
                        .machine = row->machine,
                        .boot = row->boot,
                        .boot_after = row->boot_after,
                        .control = row->control,
                        .first_ms = row->first_ms,
                        .deadline_ms = row->deadline_ms,
                        .end = row->end,
                        .exit = row->exit,
                        .ended = row->ended,
                        .interrupted = row->interrupted,
                        .owes = row->owes,
                        .worker = mm_str(row->worker.text)};
    if (row->first_at_ms > 0)
        real->age_ms = self->now_ms - row->first_at_ms;
    ret_result->real = real;
}

void sim_record_write(sim_t *self, const sim_running_t *running)
{
    const mm_real_t *task = &running->real;
    sim_row_t *row = &running->job->row;
    bool is_settled = running->job->outcome != MM_OUTCOME_NONE && task->row == MM_ROW_BEGUN;
    // The copy of a batch whose fate was unknown may be committed behind what was asked later.
    bool is_late = running->number < row->number;
    bool is_over =
        is_settled || is_late || (row->row == MM_ROW_ENDED && task->attempt <= row->attempt);
    if (!running->is_real || task->attempt < row->attempt || is_over)
        return;
    sim_check_row(self, running);
    if (task->row == MM_ROW_BEGUN)
        running->job->begun_life = running->number >> 32;
    if (row->first_at_ms == 0) { // ids and first begin stay from then on
        row->machine = task->machine;
        row->boot = task->boot;
    }
    if (row->first_at_ms == 0 && task->first_ms > 0)
        row->first_at_ms =
            sim_clock_reaches(&self->controls[task->control.bytes[6]], task->first_ms);
    row->first_ms = task->first_ms; // as the deadline, by the clock of `control`
    row->control = task->control;
    if (running->row_worker.text[0] || task->attempt > row->attempt)
        row->worker = running->row_worker;
    row->row = task->row;
    row->number = running->number;
    row->attempt = task->attempt;
    row->command = task->command;
    row->deadline_ms = task->deadline_ms;
    if (!mm_id_is_none(&task->boot_after))
        row->boot_after = task->boot_after;
    row->end = task->end;
    row->exit = task->exit;
    row->owes = task->owes;
    if (task->row == MM_ROW_ENDED && task->end == MM_END_INTERRUPTED)
        row->interrupted++;
    else if (task->row == MM_ROW_ENDED)
        row->ended++;
    sim_judge_row(self, running);
}

// The rules of saver/store.h: the first outcome stays, and the answer is what is on record.
mm_outcome_t sim_record_outcome(sim_t *self, const sim_running_t *task)
{
    sim_job_t *job = task->job;
    mm_outcome_t before = job->outcome;
    job->has_row = true; // a settle writes the whole row
    if (task->leg == MM_LEG_SETTLE && before == MM_OUTCOME_NONE) {
        job->outcome = task->outcome;
        job->settled_ms = self->now_ms;
        if (task->is_real)
            job->seq = sim_orders_record_outcome(self, job, task->real.run);
        job->is_casualty = job->is_casualty && task->outcome != MM_OUTCOME_RESTARTED;
        sim_judge_outcome(self, job);
    }
    sim_check_committed(self, job, before);
    return job->outcome;
}
