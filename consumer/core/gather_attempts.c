// What is next for a job that is restarted for real (H1 to H10), in this order: the record is
// asked; an attempt without an end is looked at; a host whose ids are unknown is probed; an attempt
// is begun, by a save with its row, and when that is on record, its command is handed out. See
// gather.h, attempts.h.
//
// A task holds its place (host, limit at once) while it is out, and from then on until the next one
// is out (RESTART_BEGINNING, RESTART_BEGUN): what follows a probe, or a command that had no effect,
// waits for nobody.

#include "gather_attempts_inside.h"
#include "string_view.h"

#define INTERRUPTED_MAX 3 // attempts without an end, and the job is dead

uint32_t gather_attempt_number(const gather_t *self, const flight_t *flight)
{
    const attempt_t *attempt = attempt_of(self, flight);
    return attempt->is_known ? attempt_next_number(attempt) : 0;
}

bool gather_attempt_has_begun(const gather_t *self, const flight_t *flight)
{
    return attempt_of(self, flight)->begun_ms > 0;
}

bool gather_was_attempted(const gather_t *self, const flight_t *flight)
{
    return flight->handed_out || flight->attempts > 0 || flight->restart == RESTART_OUT ||
           flight->restart == RESTART_OK ||
           (flight->has_attempt && attempt_of(self, flight)->number > 0);
}

// ---- its steps

static const char *name_of(gather_t *self, const worker_t *worker)
{
    return name_pool_intern(&self->names, mm_str(worker->name.text));
}

const char *gather_choose(gather_t *self, const char *worker)
{
    worker_t *next = worker ? workers_pick_named(self->workers, worker) : NULL;
    if (!next)
        next = workers_pick(self->workers, MM_ROLE_RESTARTER);
    if (!next)
        return worker;
    workers_pass(self->workers, next);
    return name_of(self, next);
}

void gather_begin(gather_t *self, flight_t *flight, attempt_t *attempt, uint32_t command,
                  const char *worker)
{
    attempt->is_unseen = attempt->is_unseen && attempt->row != MM_ROW_ENDED;
    attempt->number = attempt_next_number(attempt);
    attempt_set_row(attempt, MM_ROW_BEGUN);
    attempt->owed = attempt->owes;
    attempt->owes = attempt->owes || self->has_hooks; // before anything is done (H16)
    attempt->command = command;
    attempt->task = 0; // what the last command's task still says is no news of this one
    attempt->begun_ms = self->now_ms;
    attempt->deadline_ms = self->now_ms + self->config.attempt_ms;
    if (attempt->first_ms == 0)
        attempt->first_ms = mm_later(self->now_ms, 1);
    attempt->end = MM_END_NONE;
    attempt->exit = MM_EXIT_NONE;
    attempt->proof = MM_PROOF_NONE;
    attempt->worker = worker;
    attempt_set_words(attempt, (mm_str_t){0});
    flight_set_restart(&self->flights, flight, RESTART_BEGINNING, 0);
    gather_save_row(self, flight);
}

// No command helps a host that is not well, or is another machine, or still runs the last one. One
// that nobody had reached, and that has answered since, may have been restarted (H3).
static bool is_final(const attempt_t *attempt)
{
    mm_end_t end = attempt->end;
    return end == MM_END_UNHEALTHY || end == MM_END_WRONG_HOST || end == MM_END_LEFT_RUNNING ||
           attempt_has_answer(attempt);
}

bool gather_is_exhausted(const gather_t *self, const flight_t *flight, const attempt_t *attempt)
{
    return flight->withdrawn || is_final(attempt) || flight->attempts >= self->config.attempts ||
           attempt->interrupted >= INTERRUPTED_MAX;
}

void gather_fail(gather_t *self, flight_t *flight, attempt_t *attempt)
{
    bool is_casualty = gather_is_casualty(attempt);
    if (is_casualty) // nobody has its place meanwhile
        limits_set_casualty(&self->limits, host_name(flight->host), attempt->class, true);
    if (gather_is_exhausted(self, flight, attempt)) {
        gather_exhaust(self, flight);
        return;
    }
    int64_t delay_ms = gather_backoff(self, flight->attempts);
    flight_set_restart(&self->flights, flight, RESTART_BACKOFF, self->now_ms + delay_ms);
    flight->is_retry = flight->is_admitted && is_casualty;
    if (!is_casualty)
        gather_leave_place(self, flight);
    gather_save_row(self, flight);
    gather_action_t *retry = gather_log(self, GATHER_LOG_RETRY, flight);
    retry->as.log.leg = MM_LEG_RESTART;
    retry->as.log.attempt = attempt->number;
    retry->as.log.delay_ms = delay_ms;
    self->statistics.retried++;
    gather_nack_if_over(self, flight);
}

void gather_interrupt(gather_t *self, flight_t *flight, attempt_t *attempt)
{
    attempt_set_row(attempt, MM_ROW_ENDED);
    attempt->end = MM_END_INTERRUPTED;
    attempt->interrupted++;
    bool is_unseen = flight->withdrawn && !attempt->is_looking;
    flight_set_error(flight, mm_str(is_unseen ? MM_ERROR_UNSEEN : mm_end_name(MM_END_INTERRUPTED)));
    gather_log(self, GATHER_LOG_INTERRUPTED, flight)->as.log.attempt = attempt->number;
    gather_fail(self, flight, attempt);
    flight->losses = attempt->interrupted; // not before: it says in which queue a ready one is
}

// ---- what a worker gets

static void give(gather_t *self, worker_t *worker, flight_t *flight, mm_leg_t leg)
{
    flight_set_restart(&self->flights, flight, RESTART_OUT, 0);
    gather_give_restart(self, worker, flight, leg);
}

static void look(gather_t *self, worker_t *worker, flight_t *flight, attempt_t *attempt)
{
    attempt->is_looking = true;
    gather_take_place(self, flight);
    gather_log(self, GATHER_LOG_LOOKING, flight)->as.log.attempt = attempt->number;
    give(self, worker, flight, MM_LEG_RESTART);
}

// One that was not started is begun anew where it was.
static uint32_t next_command(const attempt_t *attempt)
{
    return attempt->row == MM_ROW_NOT_STARTED && attempt->command > 0 ? attempt->command : 1;
}

static bool has_no_end(const attempt_t *attempt)
{
    return attempt->row == MM_ROW_BEGUN || attempt->row == MM_ROW_OPEN;
}

// Until when a command may start or run whose worker was lost (H1, A1); 0: none may.
static int64_t runs_until(const gather_t *self, const attempt_t *attempt)
{
    bool is_ours = attempt->task != 0;
    if (attempt->row != MM_ROW_BEGUN || (!is_ours && self->config.open_ms == 0))
        return 0;
    return (is_ours ? attempt->begun_ms : attempt->given_ms) + self->config.lost_after_ms +
           self->config.open_ms;
}

// As long its host keeps its place.
static bool may_run(const gather_t *self, const attempt_t *attempt)
{
    return self->now_ms < runs_until(self, attempt);
}

static bool has_unsaved_end(const attempt_t *attempt)
{
    return attempt->row == MM_ROW_ENDED && !attempt_is_saved(attempt);
}

bool gather_attempt_begins(const gather_t *self, const flight_t *flight)
{
    const attempt_t *attempt = attempt_of(self, flight);
    return !has_no_end(attempt) && !has_unsaved_end(attempt);
}

// Of the worker that was admitted.
static const char *choose_for(gather_t *self, const flight_t *flight, worker_t *worker)
{
    if (flight->losses < FLIGHT_ALONE)
        workers_pass(self->workers, worker);
    return name_of(self, worker);
}

void gather_attempt_next(gather_t *self, worker_t *worker, flight_t *flight)
{
    attempt_t *attempt = attempt_of(self, flight);
    bool identifies = worker->verbs & MM_VERB_IDENTIFY;
    bool asks = worker->verbs & MM_VERB_SKIP && !attempt->is_asked && attempt->first_ms == 0;
    attempt->is_looking = false;
    if (flight->is_retry)
        limits_start(&self->limits, self->now_ms);
    flight->is_retry = false;
    if (has_unsaved_end(attempt)) {
        flight_set_restart(&self->flights, flight, RESTART_HELD, 0); // its end goes first
        gather_save_row(self, flight);
        return;
    }
    if (attempt->row == MM_ROW_ENDED && gather_is_exhausted(self, flight, attempt)) {
        if (flight->restart == RESTART_QUARANTINED)
            flight_set_restart(&self->flights, flight, RESTART_READY, 0);
        gather_exhaust(self, flight); // it had ended when its last command was taken back
        return;
    }
    if (has_no_end(attempt) && identifies && !mm_id_is_none(&attempt->boot))
        look(self, worker, flight, attempt);
    else if (may_run(self, attempt)) {
        gather_take_place(self, flight);
        flight_set_restart(&self->flights, flight, RESTART_BACKOFF, runs_until(self, attempt));
    } else if (has_no_end(attempt))
        gather_interrupt(self, flight, attempt);
    else if (asks || (identifies && mm_id_is_none(&attempt->boot)))
        give(self, worker, flight, MM_LEG_PROBE);
    else
        gather_begin(self, flight, attempt, next_command(attempt),
                     choose_for(self, flight, worker));
}

// Alone, if workers were lost with it (R7): its restarter is reserved, and gets it when it is idle.
// Else the one that its begin names, if it can.
static worker_t *pick(gather_t *self, const flight_t *flight, const attempt_t *attempt)
{
    worker_t *named = NULL;
    if (flight->losses < FLIGHT_ALONE && attempt->worker)
        named = workers_pick_named(self->workers, attempt->worker);
    if (flight->losses < FLIGHT_ALONE)
        return named ? named : workers_pick(self->workers, MM_ROLE_RESTARTER);
    if (self->flights.resources.quarantine.busy > 0)
        return NULL;
    workers_reserve_quarantine(self->workers);
    return workers_pick_quarantine(self->workers);
}

void gather_attempt_start(gather_t *self, flight_t *flight)
{
    attempt_t *attempt = attempt_of(self, flight);
    if (resources_are_exceeded(&self->flights.resources, flight->host)) {
        // By a restart that was adopted: it goes first (I8).
        gather_take_back(self, flight, attempt);
        flight_set_restart(&self->flights, flight, RESTART_READY, 0);
        return;
    }
    if (gather_closed(self, flight) != MM_REASON_NONE) { // since it has begun
        gather_take_back(self, flight, attempt);
        flight_set_restart(&self->flights, flight, RESTART_READY, 0);
        gather_save_row(self, flight);
        return;
    }
    worker_t *worker = pick(self, flight, attempt);
    if (!worker)
        return;
    const char *name = name_of(self, worker);
    bool is_old = self->now_ms - attempt->begun_ms >= self->config.lost_after_ms; // (H1)
    bool is_named = !attempt->worker || attempt->worker == name; // NULL: names were short
    if (is_old || !is_named) { // nobody else gets what the record says that one has (R18)
        attempt_take_back(attempt);
        gather_begin(self, flight, attempt, attempt->command, choose_for(self, flight, worker));
        return;
    }
    attempt->is_looking = false;
    give(self, worker, flight, MM_LEG_RESTART);
    attempt->task = flight->restart_task;
    flight->handed_out = true;
    if (flight->losses >= FLIGHT_ALONE) {
        self->quarantine_number = flight->restart_task;
        self->flights.resources.quarantine.busy = 1;
    }
    gather_log(self, GATHER_LOG_BEGUN, flight)->as.log.attempt = attempt->number;
}

static void fill_restart(gather_t *self, attempt_t *attempt, const worker_t *worker,
                         mm_task_t *task)
{
    bool is_probe = task->leg == MM_LEG_PROBE;
    int64_t start_by_ms =
        mm_earlier(attempt->begun_ms + self->config.lost_after_ms, self->config.starts_end_ms);
    int64_t left_ms = is_probe ? self->config.attempt_ms : attempt->deadline_ms - self->now_ms;
    mm_real_t *real = gather_real(self);
    *real = (mm_real_t){.machine = attempt->machine,
                        .boot = attempt->boot,
                        .health = mm_str(attempt->health),
                        .left_ms = mm_later(left_ms, 1),
                        .exit = MM_EXIT_NONE};
    if (attempt->first_ms > 0)
        real->age_ms = mm_later(self->now_ms - attempt->first_ms, is_probe);
    if (!is_probe) {
        real->owes = attempt->owes;
        real->owed = attempt->is_looking ? attempt->owes : attempt->owed;
    }
    if (!is_probe && !attempt->is_looking) {
        real->command = attempt->command;
        // Its clock was at least at its stamp when that was heard.
        int64_t stamp_ms = mm_earlier(worker->stamp_ms, INT64_MAX / 2);
        real->start_ms = mm_later(stamp_ms + start_by_ms - worker->heard_ms, 0);
    }
    task->attempt = attempt_next_number(attempt);
    task->real = real;
}

void gather_attempt_fill(gather_t *self, const flight_t *flight, const worker_t *worker,
                         mm_task_t *task)
{
    attempt_t *attempt = attempt_of(self, flight);
    if (mm_leg_is_restarters(task->leg)) {
        fill_restart(self, attempt, worker, task);
        return;
    }
    gather_fill_save(self, flight, attempt, task);
}
