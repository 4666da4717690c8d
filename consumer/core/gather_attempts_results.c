// What an attempt comes to: the answers of the record, the results of its tasks, their losses. See
// attempts.h.

#include "gather_attempts_inside.h"
#include "duration.h"
#include "string_view.h"

#define HELD_MAX_MS 60000 // that a job waits for its host, whatever a restarter says

// ---- a success

void gather_attempt_recall(gather_t *self, flight_t *flight, const settled_item_t *item)
{
    gather_make_real(self, flight);
    attempt_t *attempt = attempt_of(self, flight);
    attempt->success.worker = item->worker;
    attempt->success.proof = item->proof;
    attempt->success.owes = item->owes;
    attempt->success.is_claimed = item->is_claimed;
}

bool gather_attempt_has_success(const gather_t *self, const flight_t *flight)
{
    return attempt_of(self, flight)->success.worker != NULL;
}

void gather_attempt_mark(gather_t *self, const flight_t *flight)
{
    const attempt_t *attempt = attempt_of(self, flight);
    name_pool_mark(&self->names, attempt->worker);
    name_pool_mark(&self->names, attempt->success.worker);
    name_pool_mark(&self->names, attempt->former);
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
    // One that was interrupted is counted apart, and has its end only now (R7).
    bool was_charged = attempt->row == MM_ROW_ENDED && attempt->end != MM_END_INTERRUPTED;
    flight->attempts += !was_charged;
    attempt_set_row(attempt, MM_ROW_ENDED);
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

// ---- the answer to a save

// The answer to the first save tells what is known of the job; later ones, that its row is on
// record.
void gather_attempt_saved(gather_t *self, flight_t *flight, const mm_result_t *result)
{
    attempt_t *attempt = attempt_of(self, flight);
    attempt->saved = attempt->sent;
    // The state that is read now may be older than this.
    if (!self->limits.is_complete && attempt_is_saved(attempt) && gather_is_casualty(attempt))
        limits_set_casualty(&self->limits, host_name(flight->host), attempt->class, true);
    if (!attempt->is_known && result->real)
        gather_absorb(self, flight, attempt, result->real);
    attempt->is_known = true;
    if (attempt->success.is_claimed && attempt->success.worker != attempt->former)
        attempt->success.worker = NULL; // it was not given that (R18)
    attempt->success.is_claimed = false;
    if (flight->restart == RESTART_HELD && attempt->success.worker) { // it came before the answer
        succeed_as_kept(self, flight, attempt,
                        owes_after(flight, attempt, 0, attempt->success.owes));
        return;
    }
    bool has_ended = flight->restart == RESTART_OK || flight->restart == RESTART_EXHAUSTED;
    bool is_held = flight->restart == RESTART_HELD;
    bool would_begin = attempt->row == MM_ROW_ENDED || attempt->row == MM_ROW_NOT_STARTED ||
                       (attempt->row == MM_ROW_NONE && flight->withdrawn);
    if (!attempt_is_saved(attempt) && !has_ended)
        flight_set_store(&self->flights, flight, STORE_READY, 0);
    else if (flight->restart == RESTART_BEGINNING)
        flight_set_restart(&self->flights, flight, RESTART_BEGUN, 0);
    else if (is_held && would_begin && gather_is_exhausted(self, flight, attempt))
        flight_set_restart(&self->flights, flight, RESTART_EXHAUSTED, 0);
    else if (is_held)
        flight_set_restart(&self->flights, flight, RESTART_READY, 0);
}

// ---- the end of a task

// There is nothing to do: no command is out, and none will be. What had begun was not started.
static void skip(gather_t *self, flight_t *flight, attempt_t *attempt, const mm_result_t *result)
{
    attempt->is_skipped = true;
    if (result->leg == MM_LEG_RESTART) {
        attempt_take_back(attempt);
        attempt->owes = result->real->owes;
    }
    flight_set_error(flight, result->real->words);
    flight_set_restart(&self->flights, flight, RESTART_OK, 0);
    gather_try_settle(self, flight);
}

static void apply_identity(gather_t *self, flight_t *flight, attempt_t *attempt, const char *worker,
                           const mm_result_t *result)
{
    if (result->real->end == MM_END_SKIPPED && attempt->first_ms == 0) {
        skip(self, flight, attempt, result);
        return;
    }
    attempt->is_asked = true;
    if (attempt->first_ms == 0) {
        attempt->machine = result->real->machine;
        attempt->boot = result->real->boot;
        attempt_set_health(attempt, result->real->health);
    }
    if (self->statistics.draining || flight->withdrawn || gather_is_behind_starts(self) ||
        gather_closed(self, flight) != MM_REASON_NONE) {
        gather_unblock(self, flight);
        gather_nack_if_over(self, flight);
        return;
    }
    gather_begin(self, flight, attempt, 1, gather_choose(self, worker));
}

// Whether the next command of the list is tried: the last one had no effect until its deadline.
static bool escalates(const gather_t *self, const flight_t *flight, const mm_result_t *result)
{
    return result->real->more && !self->statistics.draining && !flight->overdue &&
           !flight->withdrawn && !gather_is_behind_starts(self) &&
           (result->real->end == MM_END_SAME_BOOT || result->real->end == MM_END_UNREACHABLE);
}

// The policy or an order holds the next command back: it is one that was not started. The host is
// up, or nobody would know who has its place meanwhile.
static void hold_back(gather_t *self, flight_t *flight, attempt_t *attempt)
{
    attempt->command++;
    attempt->task = 0;
    attempt_set_row(attempt, MM_ROW_NOT_STARTED);
    gather_unblock(self, flight);
    gather_save_row(self, flight);
}

static void apply_failure(gather_t *self, flight_t *flight, attempt_t *attempt, const char *worker,
                          const mm_result_t *result)
{
    bool is_probe = result->leg == MM_LEG_PROBE;
    bool saw_nothing =
        result->real->end == MM_END_SAME_BOOT || result->real->end == MM_END_UNREACHABLE;
    flight->worker = worker;
    if (!is_probe) {
        attempt->owes = result->real->owes;
        attempt_see(attempt, &result->real->boot);
    }
    if (!is_probe && attempt->is_looking && attempt->row == MM_ROW_BEGUN && saw_nothing) {
        gather_interrupt(self, flight, attempt);
        return;
    }
    bool is_closed = gather_closed(self, flight) != MM_REASON_NONE;
    bool is_next = !is_probe && !attempt->is_looking && !attempt_has_answer(attempt) &&
                   escalates(self, flight, result);
    if (is_next && !is_closed) {
        gather_begin(self, flight, attempt, attempt->command + 1, gather_choose(self, worker));
        attempt->is_unseen = result->real->end == MM_END_UNREACHABLE;
        return;
    }
    if (is_next && result->real->end == MM_END_SAME_BOOT) {
        hold_back(self, flight, attempt);
        return;
    }
    if (is_probe) { // an attempt without a begin
        attempt->number = attempt_next_number(attempt);
        attempt->command = 0;
    }
    attempt_set_row(attempt, MM_ROW_ENDED);
    attempt_set_end(attempt, worker, result);
    flight->attempts++;
    flight_set_error(flight, result->error.size > 0 ? result->error
                                                    : mm_str(mm_end_name(result->real->end)));
    gather_fail(self, flight, attempt);
}

// The command was not sent, or nobody knows yet what has become of it (H4).
static void apply_open(gather_t *self, flight_t *flight, attempt_t *attempt, const char *worker,
                       const mm_result_t *result)
{
    if (result->leg == MM_LEG_RESTART)
        attempt_see(attempt, &result->real->boot);
    if (result->leg == MM_LEG_RESTART && !attempt->is_looking) {
        if (result->real->sent)
            attempt_set_row(attempt, MM_ROW_OPEN);
        else
            attempt_set_unsent(attempt);
        attempt_set_end(attempt, worker, result);
        attempt->proof = MM_PROOF_NONE;
        attempt->owes = result->real->owes;
    }
    gather_log(self, GATHER_LOG_OPEN, flight)->as.log.attempt = attempt->number;
    gather_unblock(self, flight);
    if (!attempt_is_saved(attempt))
        gather_save_row(self, flight);
    gather_nack_if_over(self, flight);
}

// Somebody else has the host: the job waits, its restarter does not. That it is not started is on
// record meanwhile, or a new consumer would take it for interrupted.
static void hold(gather_t *self, flight_t *flight, attempt_t *attempt, const mm_result_t *result)
{
    int64_t delay_ms = mm_earlier(result->real->pause_ms, HELD_MAX_MS);
    flight_set_restart(&self->flights, flight, RESTART_BACKOFF, self->now_ms + delay_ms);
    if (attempt->row != MM_ROW_BEGUN && attempt->row != MM_ROW_OPEN)
        gather_leave_place(self, flight);
    if (!attempt_is_saved(attempt))
        gather_save_row(self, flight);
    if (attempt->is_held)
        return;
    attempt->is_held = true;
    gather_action_t *held = gather_log(self, GATHER_LOG_HELD, flight);
    held->as.log.error = result->error;
    held->as.log.attempt = attempt_next_number(attempt);
    held->as.log.delay_ms = delay_ms;
}

static void apply_returned(gather_t *self, flight_t *flight, attempt_t *attempt,
                           const mm_result_t *result)
{
    if (attempt->row == MM_ROW_BEGUN && !attempt->is_looking &&
        flight->restart_task == attempt->task)
        gather_take_back(self, flight, attempt);
    if (result->real && result->real->is_held) {
        hold(self, flight, attempt, result);
        (void)gather_end_withdrawn(self, flight);
    } else {
        gather_unblock(self, flight);
    }
    gather_nack_if_over(self, flight);
}

// A success of a task that is not the current one. Of an earlier epoch it counts when the record
// says that its worker was given the attempt: before the record was asked, that is kept as a claim
// (R18).
static void apply_other_success(gather_t *self, flight_t *flight, attempt_t *attempt,
                                const char *worker, const mm_result_t *result)
{
    bool is_claimed = result->number <= self->config.first_number;
    bool is_waiting = flight->restart != RESTART_OUT;
    if (is_claimed && attempt->is_known && (!worker || attempt->former != worker))
        return;
    if (is_waiting && attempt->is_known) {
        succeed(self, flight, worker, result->real->proof, &result->real->boot,
                owes_after(flight, attempt, result->number, result->real->owes));
        return;
    }
    is_claimed = is_claimed && !attempt->is_known;
    if (is_claimed && attempt->success.worker && !attempt->success.is_claimed)
        return;
    // Until the current one has ended (H7).
    attempt->success.worker = worker;
    attempt->success.proof = result->real->proof;
    attempt->success.boot = result->real->boot;
    attempt->success.owes = result->real->owes;
    attempt->success.is_claimed = is_claimed;
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
    if (result->status == MM_STATUS_OK) {
        apply_other_success(self, flight, attempt, worker, result);
    } else if (attempt->row == MM_ROW_BEGUN && attempt->task != 0 &&
               result->number == attempt->task) {
        bool was_sent = result->status != MM_STATUS_RETURNED && result->real->sent;
        if (!was_sent && !is_waiting)
            return;
        if (was_sent) {
            attempt_set_row(attempt, MM_ROW_OPEN);
            attempt_set_end(attempt, worker, result);
        } else {
            gather_take_back(self, flight, attempt);
        }
        if (result->status != MM_STATUS_RETURNED)
            attempt->owes = result->real->owes;
        gather_save_row(self, flight);
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
            gather_unblock(self, flight);
            gather_nack_if_over(self, flight);
        }
        return;
    }
    if (!is_current) {
        apply_other(self, flight, attempt, worker, result);
        return;
    }
    bool is_skip = has_end && result->real->end == MM_END_SKIPPED;
    attempt->is_held = attempt->is_held && result->status == MM_STATUS_RETURNED;
    if (attempt->success.worker && (result->status != MM_STATUS_OK || is_skip)) {
        succeed_as_kept(self, flight, attempt, has_end ? result->real->owes : attempt->owes);
        return;
    }
    switch (result->status) {
    case MM_STATUS_OK:
        if (result->leg == MM_LEG_PROBE) {
            apply_identity(self, flight, attempt, worker, result);
        } else if (is_skip) {
            skip(self, flight, attempt, result);
        } else {
            attempt_set_end(attempt, worker, result);
            succeed(self, flight, worker, result->real->proof, &result->real->boot,
                    result->real->owes);
        }
        break;
    case MM_STATUS_FAILED: apply_failure(self, flight, attempt, worker, result); break;
    case MM_STATUS_OPEN: apply_open(self, flight, attempt, worker, result); break;
    case MM_STATUS_RETURNED: apply_returned(self, flight, attempt, result); break;
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
        gather_take_back(self, flight, attempt);
    gather_unblock(self, flight);
    gather_nack_if_over(self, flight);
}
