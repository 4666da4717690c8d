// The restart leg of a job that is restarted for real (H1 to H10). What is next for it, in this
// order: the record is asked; an attempt without an end is looked at; a host whose ids are unknown
// is probed; an attempt is begun, by a save with its row, and when that is on record, its command
// is handed out. See gather.h, attempts.h.
//
// A task holds its place (host, limit at once) while it is out, and from then on until the next one
// is out (RESTART_BEGINNING, RESTART_BEGUN): what follows a probe, or a command that had no effect,
// waits for nobody.

#include "gather_private.h"
#include "string_view.h"

#include <utlist.h>

#define INTERRUPTED_MAX 3 // attempts without an end, and the job is dead
static attempt_t *attempt_of(const gather_t *self, const flight_t *flight)
{
    return attempts_get(&self->flights.attempts, &flight->id);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// The boot id of the consumer's machine.
static mm_id_t control_of(const gather_t *self)
{
    const uint64_t parts[] = {self->config.control_1, self->config.control_2,
                              self->config.control_3};
    mm_id_t control = {0};
    for (unsigned i = 0; i < sizeof control.bytes; i++)
        control.bytes[i] = (uint8_t)(parts[i / 7] >> 8 * (6 - i % 7));
    return control;
}

// ---- the row

// The row as it is now is to be on record.
static void save_row(gather_t *self, flight_t *flight)
{
    if (flight->store == STORE_SAVED)
        flight_set_store(&self->flights, flight, STORE_READY, 0);
}

static void set_row(attempt_t *attempt, mm_attempt_row_t row)
{
    attempt->row = row;
    attempt->version++;
}

// Nothing was done for the command that has begun: it is begun anew, and made no debt.
static void take_back(attempt_t *attempt)
{
    set_row(attempt, MM_ROW_NOT_STARTED);
    attempt->owes = attempt->owed;
}

// What a result says of the attempt's end.
static void set_end(attempt_t *attempt, const char *worker, const mm_result_t *result)
{
    attempt->end = result->real->end;
    attempt->proof = result->real->proof;
    attempt->worker = worker;
    if (!mm_id_is_none(&result->real->boot) && !mm_id_equal(&result->real->boot, &attempt->boot))
        attempt->boot_after = result->real->boot;
    if (result->real->exit != MM_EXIT_NONE)
        attempt->exit = result->real->exit;
    if (result->real->words.size > 0)
        attempt_set_words(attempt, result->real->words);
}

// An attempt that was begun, or a probe instead of one, has its number for good.
static uint32_t next_number(const attempt_t *attempt)
{
    bool is_new = attempt->row == MM_ROW_NONE || attempt->row == MM_ROW_ENDED;
    return is_new && attempt->number < UINT32_MAX ? attempt->number + 1 : attempt->number;
}

uint32_t gather_attempt_number(const gather_t *self, const flight_t *flight)
{
    const attempt_t *attempt = attempt_of(self, flight);
    return attempt->is_known ? next_number(attempt) : 0;
}

// Begins a command of the list (H1, H5): the save goes first. The host has its place.
static void begin(gather_t *self, flight_t *flight, attempt_t *attempt, uint32_t command)
{
    attempt->number = next_number(attempt);
    set_row(attempt, MM_ROW_BEGUN);
    attempt->owed = attempt->owes;
    attempt->owes = attempt->owes || self->has_hooks; // before anything is done (H16)
    attempt->command = command;
    attempt->task = 0; // what the last command's task still says is no news of this one
    attempt->begun_ms = self->now_ms;
    attempt->deadline_ms = self->now_ms + self->config.attempt_ms;
    if (attempt->first_ms == 0)
        attempt->first_ms = later(self->now_ms, 1);
    attempt->end = MM_END_NONE;
    attempt->exit = MM_EXIT_NONE;
    attempt->proof = MM_PROOF_NONE;
    attempt->worker = NULL;
    attempt_set_words(attempt, (mm_str_t){0});
    flight_set_restart(&self->flights, flight, RESTART_BEGINNING, 0);
    save_row(self, flight);
}

// No command helps a host that is not well, or is another machine, or still runs the last one.
static bool is_final(mm_end_t end)
{
    return end == MM_END_UNHEALTHY || end == MM_END_WRONG_HOST || end == MM_END_LEFT_RUNNING;
}

static bool is_exhausted(const gather_t *self, const flight_t *flight, const attempt_t *attempt)
{
    return is_final(attempt->end) || flight->attempts >= self->config.attempts ||
           attempt->interrupted >= INTERRUPTED_MAX;
}

// The attempt has ended without success.
static void fail(gather_t *self, flight_t *flight, attempt_t *attempt)
{
    if (is_exhausted(self, flight, attempt)) {
        gather_exhaust(self, flight);
        return;
    }
    int64_t delay_ms = gather_backoff(self, flight->attempts);
    flight_set_restart(&self->flights, flight, RESTART_BACKOFF, self->now_ms + delay_ms);
    save_row(self, flight);
    gather_action_t *retry = gather_log(self, GATHER_LOG_RETRY, flight);
    retry->as.log.leg = MM_LEG_RESTART;
    retry->as.log.attempt = attempt->number;
    retry->as.log.delay_ms = delay_ms;
    self->statistics.retried++;
    gather_nack_if_over(self, flight);
}

// It has begun and has no end, and there is no way to find it, or none was found.
static void interrupt(gather_t *self, flight_t *flight, attempt_t *attempt)
{
    set_row(attempt, MM_ROW_ENDED);
    attempt->end = MM_END_INTERRUPTED;
    attempt->interrupted++;
    flight_set_error(flight, mm_str(mm_end_name(MM_END_INTERRUPTED)));
    gather_log(self, GATHER_LOG_INTERRUPTED, flight)->as.log.attempt = attempt->number;
    fail(self, flight, attempt);
    flight->losses = attempt->interrupted; // not before: it says in which queue a ready one is
}

// ---- the record

void gather_make_real(gather_t *self, flight_t *flight)
{
    (void)attempts_add(&self->flights.attempts, &flight->id);
    flight->has_attempt = true;
    if (flight->restart != RESTART_HELD && flight->restart != RESTART_READY)
        flight_set_restart(&self->flights, flight, RESTART_READY, 0);
    if (flight->restart == RESTART_READY)
        flight_set_restart(&self->flights, flight, RESTART_HELD, 0);
    if (flight->store == STORE_SAVED) // the answer to that save was not kept
        flight_set_store(&self->flights, flight, STORE_READY, 0);
    flight->attempts = flight->losses = 0; // those of the mock do not count
}

// What was begun for real when a run names the mock comes again, as a job of the mock.
static void become_mock(gather_t *self)
{
    flight_t *flight, *next;
    DL_FOREACH_SAFE2 (self->flights.extends, flight, next, extend_next)
        if (flight->has_attempt && flight->restart != RESTART_OK &&
            flight->settle == MM_OUTCOME_NONE)
            gather_nack(self, flight);
}

void gather_see_driver(gather_t *self, bool is_real)
{
    flight_t *flight;
    if (self->is_real == is_real)
        return;
    self->is_real = is_real;
    if (!is_real) {
        become_mock(self);
        return;
    }
    DL_FOREACH2 (self->flights.extends, flight, extend_next)
        if (flight->restart != RESTART_OK && flight->settle == MM_OUTCOME_NONE) // else it is over
            gather_make_real(self, flight);
}

// Takes over what is on record. Times by the clock of another boot of this machine, or of another
// one, say nothing here (H10): what is left is the age by Unix time, and a whole new look.
static void absorb(gather_t *self, flight_t *flight, attempt_t *attempt, const mm_real_t *record)
{
    mm_id_t control = control_of(self);
    bool is_same_clock = mm_id_equal(&record->control, &control);
    bool has_begun = record->first_ms > 0;
    int64_t span_end_ms = self->now_ms + self->config.attempt_ms;
    attempt->row = record->row;
    attempt->number = record->attempt;
    attempt->command = record->command;
    attempt->end = record->end;
    attempt->exit = record->exit;
    attempt_set_words(attempt, record->words);
    attempt->interrupted = record->interrupted;
    attempt->owes = attempt->owed = record->owes;
    flight->attempts = record->ended;
    flight->losses = record->interrupted;
    if (has_begun) {
        attempt->machine = record->machine;
        attempt->boot = record->boot;
        attempt_set_health(attempt, record->health);
        attempt->first_ms = is_same_clock ? mm_earlier(record->first_ms, later(self->now_ms, 1))
                                          : later(self->now_ms - record->age_ms, 1);
        attempt->deadline_ms =
            is_same_clock ? mm_earlier(record->deadline_ms, span_end_ms) : span_end_ms;
    }
    mm_end_t end = attempt->row == MM_ROW_NOT_STARTED ? MM_END_NOT_STARTED : record->end;
    if (attempt->row == MM_ROW_ENDED || attempt->row == MM_ROW_NOT_STARTED)
        flight_set_error(flight, record->words.size > 0 ? record->words : mm_str(mm_end_name(end)));
}

void gather_attempt_recall(gather_t *self, flight_t *flight, const settled_item_t *item)
{
    gather_make_real(self, flight);
    attempt_t *attempt = attempt_of(self, flight);
    attempt->success.worker = item->worker;
    attempt->success.proof = item->proof;
    attempt->success.owes = item->owes;
}

bool gather_attempt_has_success(const gather_t *self, const flight_t *flight)
{
    return attempt_of(self, flight)->success.worker != NULL;
}

// What is owed when a task that is not out any more has told of a success: a later one may have
// made the debt anew (H16). One that has begun and is not out has made none. The tasks of earlier
// epochs are as many as their attempts.
static bool owes_after(const flight_t *flight, const attempt_t *attempt, uint64_t number, bool owes)
{
    bool debt = restart_has_place(flight->restart) ? attempt->owed : attempt->owes;
    if (flight->restart_task == 0)
        return owes || (attempt->number > 1 && debt);
    return number >= flight->restart_task ? owes : debt;
}

static void succeed(gather_t *self, flight_t *flight, const char *worker, mm_proof_t proof,
                    const mm_id_t *boot, bool owes)
{
    attempt_t *attempt = attempt_of(self, flight);
    flight->attempts += attempt->row != MM_ROW_ENDED; // else it was charged
    if (attempt->number == 0) // of an adopted task, and the record knows of none
        attempt->number = 1;
    set_row(attempt, MM_ROW_ENDED);
    attempt->end = MM_END_RESTARTED;
    attempt->proof = proof;
    attempt->boot_after = *boot;
    attempt->owes = owes;
    attempt->worker = flight->worker = worker;
    flight_set_restart(&self->flights, flight, RESTART_OK, 0);
    gather_try_settle(self, flight);
}

static void succeed_as_kept(gather_t *self, flight_t *flight, const attempt_t *attempt, bool owes)
{
    succeed(self, flight, attempt->success.worker, attempt->success.proof, &attempt->success.boot,
            owes);
}

// The answer to the first save tells what is known of the job; later ones, that its row is on
// record.
void gather_attempt_saved(gather_t *self, flight_t *flight, const mm_result_t *result)
{
    attempt_t *attempt = attempt_of(self, flight);
    attempt->saved = attempt->sent;
    if (!attempt->is_known && result->real)
        absorb(self, flight, attempt, result->real);
    attempt->is_known = true;
    if (flight->restart == RESTART_HELD && attempt->success.worker) { // it came before the answer
        succeed_as_kept(self, flight, attempt,
                        owes_after(flight, attempt, 0, attempt->success.owes));
        return;
    }
    bool has_ended = flight->restart == RESTART_OK || flight->restart == RESTART_EXHAUSTED;
    bool is_held = flight->restart == RESTART_HELD;
    bool would_begin = attempt->row == MM_ROW_ENDED || attempt->row == MM_ROW_NOT_STARTED;
    if (!attempt_is_saved(attempt) && !has_ended)
        flight_set_store(&self->flights, flight, STORE_READY, 0);
    else if (flight->restart == RESTART_BEGINNING)
        flight_set_restart(&self->flights, flight, RESTART_BEGUN, 0);
    else if (is_held && would_begin && is_exhausted(self, flight, attempt))
        flight_set_restart(&self->flights, flight, RESTART_EXHAUSTED, 0);
    else if (is_held)
        flight_set_restart(&self->flights, flight, RESTART_READY, 0);
}

bool gather_attempt_is_settled(gather_t *self, flight_t *flight)
{
    attempt_t *attempt = attempt_of(self, flight);
    if (restart_has_place(flight->restart)) {
        take_back(attempt);
        flight_set_restart(&self->flights, flight, RESTART_READY, 0);
    }
    if (attempt_is_saved(attempt))
        return true;
    save_row(self, flight);
    return false;
}

void gather_attempt_mark(gather_t *self, const flight_t *flight)
{
    const attempt_t *attempt = attempt_of(self, flight);
    name_pool_mark(&self->names, attempt->worker);
    name_pool_mark(&self->names, attempt->success.worker);
}

// ---- what is next

static void give(gather_t *self, worker_t *worker, flight_t *flight, mm_leg_t leg)
{
    flight_set_restart(&self->flights, flight, RESTART_OUT, 0);
    gather_give_restart(self, worker, flight, leg);
}

static void look(gather_t *self, worker_t *worker, flight_t *flight, attempt_t *attempt)
{
    attempt->is_looking = true;
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

static bool has_unsaved_end(const attempt_t *attempt)
{
    return attempt->row == MM_ROW_ENDED && !attempt_is_saved(attempt);
}

bool gather_attempt_has_begun(const gather_t *self, const flight_t *flight)
{
    return attempt_of(self, flight)->begun_ms > 0;
}

bool gather_attempt_begins(const gather_t *self, const flight_t *flight)
{
    const attempt_t *attempt = attempt_of(self, flight);
    return !has_no_end(attempt) && !has_unsaved_end(attempt);
}

void gather_attempt_next(gather_t *self, worker_t *worker, flight_t *flight)
{
    attempt_t *attempt = attempt_of(self, flight);
    bool identifies = worker->verbs & MM_VERB_IDENTIFY;
    bool asks = worker->verbs & MM_VERB_SKIP && !attempt->is_asked && attempt->first_ms == 0;
    attempt->is_looking = false;
    if (has_unsaved_end(attempt)) {
        flight_set_restart(&self->flights, flight, RESTART_HELD, 0); // its end goes first
        save_row(self, flight);
        return;
    }
    if (has_no_end(attempt) && identifies && !mm_id_is_none(&attempt->boot))
        look(self, worker, flight, attempt);
    else if (has_no_end(attempt))
        interrupt(self, flight, attempt);
    else if (asks || (identifies && mm_id_is_none(&attempt->boot)))
        give(self, worker, flight, MM_LEG_PROBE);
    else
        begin(self, flight, attempt, next_command(attempt));
}

// Alone, if workers were lost with it (R7): its restarter is reserved, and gets it when it is idle.
static worker_t *pick(gather_t *self, const flight_t *flight)
{
    if (flight->losses < FLIGHT_ALONE)
        return workers_pick(self->workers, MM_ROLE_RESTARTER);
    if (self->flights.resources.quarantine.busy > 0)
        return NULL;
    workers_reserve_quarantine(self->workers);
    return workers_pick_quarantine(self->workers);
}

void gather_attempt_start(gather_t *self, flight_t *flight)
{
    attempt_t *attempt = attempt_of(self, flight);
    if (resources_are_exceeded(&self->flights.resources, flight->host)) {
        take_back(attempt); // by a restart that was adopted: it goes first (I8)
        flight_set_restart(&self->flights, flight, RESTART_READY, 0);
        return;
    }
    worker_t *worker = pick(self, flight);
    if (!worker)
        return;
    if (self->now_ms - attempt->begun_ms >= self->config.lost_after_ms) { // too old by now (H1)
        take_back(attempt);
        begin(self, flight, attempt, attempt->command);
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

static void fill_restart(const gather_t *self, attempt_t *attempt, const worker_t *worker,
                         mm_task_t *task)
{
    bool is_probe = task->leg == MM_LEG_PROBE;
    int64_t start_by_ms = attempt->begun_ms + self->config.lost_after_ms;
    int64_t left_ms = is_probe ? self->config.attempt_ms : attempt->deadline_ms - self->now_ms;
    mm_real_t *real = &attempt->command_task;
    *real = (mm_real_t){.machine = attempt->machine,
                        .boot = attempt->boot,
                        .health = mm_str(attempt->health),
                        .left_ms = later(left_ms, 1),
                        .exit = MM_EXIT_NONE};
    if (attempt->first_ms > 0)
        real->age_ms = later(self->now_ms - attempt->first_ms, is_probe);
    if (!is_probe) {
        real->owes = attempt->owes;
        real->owed = attempt->is_looking ? attempt->owes : attempt->owed;
    }
    if (!is_probe && !attempt->is_looking) {
        real->command = attempt->command;
        // Its clock was at least at its stamp when that was heard.
        int64_t stamp_ms = mm_earlier(worker->stamp_ms, INT64_MAX / 2);
        real->start_ms = later(stamp_ms + start_by_ms - worker->heard_ms, 0);
    }
    task->attempt = next_number(attempt);
    task->real = real;
}

void gather_attempt_fill(const gather_t *self, const flight_t *flight, const worker_t *worker,
                         mm_task_t *task)
{
    attempt_t *attempt = attempt_of(self, flight);
    if (mm_leg_is_restarters(task->leg)) {
        fill_restart(self, attempt, worker, task);
        return;
    }
    attempt->sent = attempt->version;
    if (!attempt->is_known || attempt->row == MM_ROW_NONE)
        return;
    attempt->save = (mm_real_t){.row = attempt->row,
                                .attempt = attempt->number,
                                .command = attempt->command,
                                .machine = attempt->machine,
                                .boot = attempt->boot,
                                .boot_after = attempt->boot_after,
                                .control = control_of(self),
                                .first_ms = attempt->first_ms,
                                .deadline_ms = attempt->deadline_ms,
                                .end = attempt->end,
                                .exit = attempt->exit,
                                .proof = attempt->proof,
                                .worker = mm_str(attempt->worker),
                                .words = mm_str(attempt->words),
                                .health = mm_str(attempt->health),
                                .owes = attempt->owes};
    if (attempt->owes && flight->has_attributes)
        attempt->save.attributes = attribute_records_get(&self->flights.attributes, &flight->id);
    task->real = &attempt->save;
}

// ---- results

// There is nothing to do: nothing has begun, and nothing will.
static void skip(gather_t *self, flight_t *flight, attempt_t *attempt)
{
    attempt->is_skipped = true;
    flight_set_restart(&self->flights, flight, RESTART_OK, 0);
    gather_try_settle(self, flight);
}

static void apply_identity(gather_t *self, flight_t *flight, attempt_t *attempt,
                           const mm_result_t *result)
{
    if (result->real->end == MM_END_SKIPPED && attempt->first_ms == 0) {
        skip(self, flight, attempt);
        return;
    }
    attempt->is_asked = true;
    if (attempt->first_ms == 0) {
        attempt->machine = result->real->machine;
        attempt->boot = result->real->boot;
        attempt_set_health(attempt, result->real->health);
    }
    if (self->statistics.draining) {
        flight_set_restart(&self->flights, flight, RESTART_READY, 0);
        gather_nack_if_over(self, flight);
        return;
    }
    begin(self, flight, attempt, 1);
}

// Whether the next command of the list is tried: the last one had no effect until its deadline.
static bool escalates(const gather_t *self, const flight_t *flight, const mm_result_t *result)
{
    return result->real->more && !self->statistics.draining && !flight->overdue &&
           (result->real->end == MM_END_SAME_BOOT || result->real->end == MM_END_UNREACHABLE);
}

static void apply_failure(gather_t *self, flight_t *flight, attempt_t *attempt, const char *worker,
                          const mm_result_t *result)
{
    bool is_probe = result->leg == MM_LEG_PROBE;
    bool saw_nothing =
        result->real->end == MM_END_SAME_BOOT || result->real->end == MM_END_UNREACHABLE;
    flight->worker = worker;
    if (!is_probe)
        attempt->owes = result->real->owes;
    if (!is_probe && attempt->is_looking && attempt->row == MM_ROW_BEGUN && saw_nothing) {
        interrupt(self, flight, attempt);
        return;
    }
    if (!is_probe && !attempt->is_looking && escalates(self, flight, result)) {
        begin(self, flight, attempt, attempt->command + 1);
        return;
    }
    if (is_probe) { // an attempt without a begin
        attempt->number = next_number(attempt);
        attempt->command = 0;
    }
    set_row(attempt, MM_ROW_ENDED);
    set_end(attempt, worker, result);
    flight->attempts++;
    flight_set_error(flight, result->error.size > 0 ? result->error
                                                    : mm_str(mm_end_name(result->real->end)));
    fail(self, flight, attempt);
}

// The command was not sent, or nobody knows yet what has become of it (H4).
static void apply_open(gather_t *self, flight_t *flight, attempt_t *attempt, const char *worker,
                       const mm_result_t *result)
{
    if (result->leg == MM_LEG_RESTART && !attempt->is_looking) {
        set_row(attempt, result->real->sent ? MM_ROW_OPEN : MM_ROW_NOT_STARTED);
        set_end(attempt, worker, result);
        attempt->proof = MM_PROOF_NONE;
        attempt->owes = result->real->owes;
    }
    gather_log(self, GATHER_LOG_OPEN, flight)->as.log.attempt = attempt->number;
    flight_set_restart(&self->flights, flight, RESTART_READY, 0);
    if (!attempt_is_saved(attempt))
        save_row(self, flight);
    gather_nack_if_over(self, flight);
}

static void apply_returned(gather_t *self, flight_t *flight, attempt_t *attempt)
{
    if (attempt->row == MM_ROW_BEGUN && !attempt->is_looking &&
        flight->restart_task == attempt->task)
        take_back(attempt);
    flight_set_restart(&self->flights, flight, RESTART_READY, 0);
    gather_nack_if_over(self, flight);
}

// Of a task that is not the current one: of a lost worker, or of an earlier epoch. What it says of
// the command's end is kept; a look tells the rest.
static void apply_other(gather_t *self, flight_t *flight, attempt_t *attempt, const char *worker,
                        const mm_result_t *result)
{
    bool is_waiting = flight->restart != RESTART_OUT;
    bool is_mocks = result->status == MM_STATUS_OK && result->real->end != MM_END_RESTARTED;
    if (result->leg != MM_LEG_RESTART || flight->restart == RESTART_OK || is_mocks)
        return;
    if (result->status == MM_STATUS_OK && is_waiting && attempt->is_known) {
        succeed(self, flight, worker, result->real->proof, &result->real->boot,
                owes_after(flight, attempt, result->number, result->real->owes));
    } else if (result->status == MM_STATUS_OK) { // until the current one has ended (H7)
        attempt->success.worker = worker;
        attempt->success.proof = result->real->proof;
        attempt->success.boot = result->real->boot;
        attempt->success.owes = result->real->owes;
    } else if (attempt->row == MM_ROW_BEGUN && attempt->task != 0 &&
               result->number == attempt->task) {
        bool was_sent = result->status != MM_STATUS_RETURNED && result->real->sent;
        if (!was_sent && !is_waiting)
            return;
        if (was_sent) {
            set_row(attempt, MM_ROW_OPEN);
            set_end(attempt, worker, result);
        } else {
            take_back(attempt);
        }
        if (result->status != MM_STATUS_RETURNED)
            attempt->owes = result->real->owes;
        save_row(self, flight);
    }
}

void gather_attempt_result(gather_t *self, flight_t *flight, const char *worker,
                           const mm_result_t *result)
{
    attempt_t *attempt = attempt_of(self, flight);
    bool has_end = result->real && result->real->end != MM_END_NONE;
    if (flight->settle != MM_OUTCOME_NONE)
        return; // too late: the store decides (R9)
    bool is_current = flight->restart == RESTART_OUT && result->number == flight->restart_task;
    if (!has_end && result->status != MM_STATUS_RETURNED) { // no restarter sends that: who knows?
        if (is_current) {
            flight_set_restart(&self->flights, flight, RESTART_READY, 0);
            gather_nack_if_over(self, flight);
        }
        return;
    }
    if (!is_current) {
        apply_other(self, flight, attempt, worker, result);
        return;
    }
    if (attempt->success.worker && result->status != MM_STATUS_OK) {
        succeed_as_kept(self, flight, attempt, has_end ? result->real->owes : attempt->owes);
        return;
    }
    switch (result->status) {
    case MM_STATUS_OK:
        if (result->leg == MM_LEG_PROBE) {
            apply_identity(self, flight, attempt, result);
        } else {
            set_end(attempt, worker, result);
            succeed(self, flight, worker, result->real->proof, &result->real->boot,
                    result->real->owes);
        }
        break;
    case MM_STATUS_FAILED: apply_failure(self, flight, attempt, worker, result); break;
    case MM_STATUS_OPEN: apply_open(self, flight, attempt, worker, result); break;
    case MM_STATUS_RETURNED: apply_returned(self, flight, attempt); break;
    }
}

void gather_attempt_lost(gather_t *self, flight_t *flight, const ended_t *ended)
{
    attempt_t *attempt = attempt_of(self, flight);
    bool was_command = ended->leg == MM_LEG_RESTART && !attempt->is_looking;
    if (flight->settle != MM_OUTCOME_NONE || flight->restart != RESTART_OUT ||
        flight->restart_task != ended->number)
        return;
    if (attempt->success.worker) {
        succeed_as_kept(self, flight, attempt, attempt->owes);
        return;
    }
    if (was_command && ended->why == ENDED_UNDELIVERED)
        take_back(attempt);
    flight_set_restart(&self->flights, flight, RESTART_READY, 0);
    gather_nack_if_over(self, flight);
}
