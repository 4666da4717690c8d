// What must be true of hosts that are restarted for real (the rules of proof in docs/rules.md), by
// the boots that are counted on the hosts, the commands that were sent, and what is on record.

#include "sim.h"

#include "gather_private.h"

// By the world's clock.
static int64_t on_record_ms(const sim_t *self, const sim_row_t *row, int64_t at_ms)
{
    return sim_clock_reaches(&self->controls[row->control.bytes[6]], at_ms);
}

static bool is_after(uint32_t attempt, uint32_t command, uint32_t others, uint32_t others_command)
{
    return attempt > others || (attempt == others && command > others_command);
}

// ---- commands

// H1: a restarter starts on a task that has a command.
void sim_check_begun(sim_t *self, const sim_running_t *task)
{
    const sim_row_t *row = &task->job->row;
    if (task->real.command == 0 || row->row != MM_ROW_BEGUN)
        return;
    int64_t begun_ms = on_record_ms(self, row, row->deadline_ms - self->shape.gather.attempt_ms);
    int64_t most_ms = self->shape.gather.lost_after_ms;
    if (self->now_ms - begun_ms >= most_ms + sim_drift(self, most_ms))
        sim_violated(self, "H1 begun just before",
                     "a command for job %u is started %lld ms after its begin",
                     sim_number_of(self, task->job), (long long)(self->now_ms - begun_ms));
}

static void check_on_record(sim_t *self, const sim_job_t *job, uint32_t attempt, uint32_t command)
{
    const sim_row_t *row = &job->row;
    if (row->row != MM_ROW_BEGUN || row->attempt != attempt || row->command != command)
        sim_violated(self, "H1 begun on record",
                     "command %u of attempt %u of job %u is not on record, it has %u of %u, row %d",
                     command, attempt, sim_number_of(self, job), row->command, row->attempt,
                     (int)row->row);
}

// A command is handed out.
void sim_check_command_out(sim_t *self, const mm_task_t *task)
{
    sim_job_t *job = sim_job(self, &task->id);
    const sim_row_t *row = &job->row;
    unsigned number = sim_number_of(self, job);
    check_on_record(self, job, task->attempt, task->real->command);
    if (row->ended >= self->shape.gather.attempts)
        sim_violated(self, "I6 bounded", "job %u has a command handed out after %u attempts",
                     number, row->ended);
    if (row->row == MM_ROW_BEGUN && job->is_lost_cause)
        sim_violated(self, "H11 look first", "job %u has a command handed out, none helps its host",
                     number);
    if (row->interrupted >= SIM_INTERRUPTED)
        sim_violated(self, "H12 interrupted", "job %u has a command handed out, %u had no end",
                     number, row->interrupted);
    job->out_attempt = task->attempt;
    job->out_command = task->real->command;
    job->out_number = task->number;
    job->open_life = 0;
}

// What only who can identify a host keeps to: the others do not look for what lost restarters do.
static void check_looked_at(sim_t *self, const sim_job_t *job, uint32_t attempt, uint32_t command)
{
    const sim_host_t *host = sim_host(self, job);
    unsigned number = sim_number_of(self, job);
    check_on_record(self, job, attempt, command);
    if (!is_after(attempt, command, job->sent_attempt, job->sent_command))
        sim_violated(self, "H5 each command once",
                     "job %u sends command %u of attempt %u behind %u of %u", number, command,
                     attempt, job->sent_command, job->sent_attempt);
    // A host that did not answer may have been in any boot.
    bool is_nobody = mm_id_is_max(&job->row.boot);
    if (is_nobody && !mm_id_is_none(&job->row.boot_after))
        sim_violated(self, "H3 no command to another boot",
                     "job %u sends a command, its host is on record as one that answers", number);
    if (job->commands > 0 && host->boots != job->sent_boots && !is_nobody)
        sim_violated(self, "H3 no command to another boot",
                     "job %u sends a command in boot %u, its first one was sent in boot %u", number,
                     host->boots, job->sent_boots);
    if (self->now_ms < job->open_until_ms - sim_drift(self, self->shape.gather.attempt_ms))
        sim_violated(self, "H11 look first",
                     "job %u sends a command %lld ms before the last one's deadline", number,
                     (long long)(job->open_until_ms - self->now_ms));
}

// A command is sent to a host.
void sim_check_command(sim_t *self, const sim_process_t *process, const sim_running_t *task)
{
    sim_job_t *job = task->job;
    uint32_t attempt = task->attempt, command = task->real.command;
    sim_trace(self, "%s: sends command %u of attempt %u for job %u", process->name.text, command,
              attempt, sim_number_of(self, job));
    if (!self->shape.blind)
        check_looked_at(self, job, attempt, command);
    sim_check_goes_on(self, job, task->number, command);
    sim_check_leads(self, task->number >> 32, "a command");
    sim_check_halt(self);
    sim_check_alone(self, task);
    sim_judge_command(self, job);
    if (++job->commands == 1)
        job->sent_boots = sim_host(self, job)->boots;
    job->sent_attempt = attempt;
    job->sent_command = command;
    job->open_until_ms = on_record_ms(self, &job->row, job->row.deadline_ms);
}

// Not by a task of an earlier epoch or delivery, nor that it was not sent while another one looks.
void sim_check_told(sim_t *self, const mm_result_t *result)
{
    sim_job_t *job = sim_job(self, &result->id);
    const flight_t *flight = flights_find(&self->consumer->gather->flights, &job->id);
    bool is_last = result->number == job->told_number && result->number == job->out_number;
    bool is_ours = result->number >> 32 == self->epoch;
    bool is_repeated = job->heard_number == job->out_number; // it is told again, and no news
    if (result->number == job->out_number)
        job->heard_number = job->out_number;
    if (flight && is_last && is_ours && !is_repeated &&
        ((result->real && result->real->sent) || flight->restart != RESTART_OUT))
        job->open_life = self->epoch;
}

// ---- the record

// H4: what the consumer knows of the last attempt is on record before its job is nacked, unless it
// is at its drain limit.
void sim_check_nacked(sim_t *self, const mm_verdict_t *verdict)
{
    sim_job_t *job = sim_job(self, &verdict->id);
    const sim_process_t *consumer = self->consumer;
    const sim_row_t *row = &job->row;
    uint64_t open_life = job->open_life;
    bool is_at_limit = sim_clock(self, consumer) >= consumer->gather->drain_until_ms;
    job->open_life = job->out_number = 0;
    if (row->row != MM_ROW_BEGUN || row->attempt < job->out_attempt || is_at_limit ||
        sim_is_former(self))
        return;
    if (open_life == self->epoch && row->attempt == job->out_attempt)
        sim_violated(self, "H4 the end is on record",
                     "job %u is nacked, its command was told to be open or not sent",
                     sim_number_of(self, job));
    if (job->begun_life == self->epoch &&
        is_after(row->attempt, row->command, job->out_attempt, job->out_command))
        sim_violated(self, "H4 the end is on record",
                     "job %u is nacked as begun, and was not handed out", sim_number_of(self, job));
}

// H2: ids and first begin stay once an attempt has begun.
static void check_first(sim_t *self, const sim_job_t *job, const mm_real_t *task)
{
    const sim_row_t *row = &job->row;
    if (row->first_at_ms == 0)
        return;
    if (!mm_id_equal(&row->machine, &task->machine) || !mm_id_equal(&row->boot, &task->boot))
        sim_violated(self, "H2 ids stay", "the ids of job %u change, attempt %u has begun",
                     sim_number_of(self, job), row->attempt);
    if (mm_id_equal(&row->control, &task->control) && row->first_ms != task->first_ms)
        sim_violated(self, "H2 first begin stays", "the first begin of job %u changes by %lld ms",
                     sim_number_of(self, job), (long long)(task->first_ms - row->first_ms));
}

void sim_check_row(sim_t *self, const sim_running_t *running)
{
    sim_job_t *job = running->job;
    const sim_row_t *row = &job->row;
    const mm_real_t *task = &running->real;
    unsigned number = sim_number_of(self, job);
    bool is_next = task->attempt > row->attempt;
    bool had_ended = row->row == MM_ROW_NONE || row->row == MM_ROW_ENDED;
    bool saw_nothing = task->end == MM_END_SAME_BOOT || task->end == MM_END_UNREACHABLE;
    bool is_ended = task->row == MM_ROW_ENDED && task->command > 0;
    job->is_lost_cause |= task->row == MM_ROW_ENDED &&
                          (task->end == MM_END_UNHEALTHY || task->end == MM_END_WRONG_HOST);
    check_first(self, job, task);
    if (is_next && (!had_ended || task->attempt > row->attempt + 1))
        sim_violated(self, "H1 its number", "attempt %u of job %u is behind attempt %u, row %d",
                     task->attempt, number, row->attempt, (int)row->row);
    if (job->is_cordoned && !task->owes)
        sim_violated(self, "H16 the debt stays", "job %u is cordoned, its row %d owes nothing",
                     number, (int)task->row);
    if (task->row == MM_ROW_ENDED && task->end == MM_END_NOT_STARTED)
        sim_violated(self, "H4 not started", "attempt %u of job %u is charged, it was not started",
                     task->attempt, number);
    if (is_ended && saw_nothing && row->row != MM_ROW_OPEN && job->told_attempt != task->attempt &&
        task->attempt == job->sent_attempt)
        sim_violated(self, "H12 interrupted",
                     "attempt %u of job %u is charged, nobody has told its command's end",
                     task->attempt, number);
}

// ---- debts

// H16: what is to be done afterwards is on record before it is needed.
void sim_check_cordoned(sim_t *self, const sim_running_t *task)
{
    const sim_row_t *row = &task->job->row;
    if (!row->owes)
        sim_violated(self, "H16 the debt is on record",
                     "job %u is prepared for, its row %d of attempt %u owes nothing",
                     sim_number_of(self, task->job), (int)row->row, row->attempt);
}

// H16: nobody forgets a host that was taken out of service.
void sim_check_debt(sim_t *self, const sim_job_t *job)
{
    if (job->is_cordoned && !job->row.owes)
        sim_violated(self, "H16 the debt stays", "job %u is cordoned, and its record owes nothing",
                     sim_number_of(self, job));
}

// ---- outcomes

// H17: only who needs nothing, and of whom nothing has begun; or whom another pipeline has
// restarted, and then no command of this one may be under way.
void sim_check_skipped(sim_t *self, const sim_job_t *job)
{
    bool has_no_end = job->row.row == MM_ROW_BEGUN || job->row.row == MM_ROW_OPEN;
    if (job->is_cooled && has_no_end)
        sim_violated(self, "H20 cooled",
                     "job %u is on record as skipped, its attempt %u has no end",
                     sim_number_of(self, job), job->row.attempt);
    if (job->is_cooled)
        return;
    if (!job->needs_nothing || job->row.first_at_ms > 0)
        sim_violated(self, "H17 skipped", "job %u is on record as skipped, %s",
                     sim_number_of(self, job),
                     job->needs_nothing ? "it has begun" : "it needs a restart");
}

// From now on nothing may begin.
void sim_see_withdrawn(sim_t *self, const sim_process_t *consumer, const mm_job_t *told,
                       uint64_t last_task)
{
    sim_job_t *job = sim_job(self, &told->id);
    if (!told->withdrawn || !consumer->alive || job->withdrawn_life == consumer->epoch ||
        !flights_find(&consumer->gather->flights, &told->id))
        return;
    job->withdrawn_life = consumer->epoch;
    job->withdrawn_after = last_task;
}

// H18: nothing is begun for a host that is no longer on the list.
void sim_check_goes_on(sim_t *self, const sim_job_t *job, uint64_t number, uint32_t command)
{
    bool is_told = job->withdrawn_life == number >> 32 && number > job->withdrawn_after;
    if (is_told && command > 0)
        sim_violated(self, "H18 withdrawn", "#%llu has a command for job %u, which is withdrawn",
                     (unsigned long long)number, sim_number_of(self, job));
}

// H18: only who is withdrawn, and what has begun has an end on record.
void sim_check_withdrawn(sim_t *self, const sim_job_t *job)
{
    const sim_row_t *row = &job->row;
    if (!job->withdrawn)
        sim_violated(self, "H18 withdrawn", "job %u is on record as withdrawn, it is on the list",
                     sim_number_of(self, job));
    if (row->row == MM_ROW_BEGUN || row->row == MM_ROW_OPEN)
        sim_violated(self, "H18 withdrawn", "job %u is on record as withdrawn, its attempt is open",
                     sim_number_of(self, job));
}

// H2: what is on record as restarted has booted since its first attempt began.
void sim_check_proven(sim_t *self, const sim_job_t *job)
{
    const sim_host_t *host = sim_host(self, job);
    int64_t first_ms = job->row.first_at_ms - sim_drift(self, self->now_ms - job->row.first_at_ms);
    if (job->row.first_at_ms == 0 || host->boot_ms[host->boots - 1] < first_ms)
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
    const sim_row_t *row = &job->row;
    const mm_real_t *last = task->real;
    mm_end_t end = last ? last->end : MM_END_NONE;
    bool has_answer = last && mm_id_is_max(&last->boot) && !mm_id_is_none(&last->boot_after);
    bool is_final = end == MM_END_UNHEALTHY || end == MM_END_WRONG_HOST || has_answer;
    bool is_new = row->row != MM_ROW_ENDED || (last && row->attempt < last->attempt);
    uint32_t interrupted = row->interrupted + (is_new && end == MM_END_INTERRUPTED);
    uint32_t ended = row->ended + (is_new && end != MM_END_INTERRUPTED);
    if (ended < self->shape.gather.attempts && !is_final && interrupted < SIM_INTERRUPTED)
        sim_violated(self, "R7 attempts", "job %u is to be dead after %u of %u attempts: %s",
                     sim_number_of(self, job), ended, self->shape.gather.attempts,
                     mm_end_name(end));
    if (!last || last->row != MM_ROW_ENDED)
        sim_violated(self, "H4 the end is on record", "job %u is to be dead without its end",
                     sim_number_of(self, job));
}
