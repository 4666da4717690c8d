// The two legs of a job: what a result or a reclaimed task means for them. See gather.h.

#include "gather_private.h"
#include "random.h"
#include "string_view.h"

// ---- the store leg

// Whether this epoch of the consumer handed the task out.
static bool is_ours(const gather_t *self, uint64_t number)
{
    return number > self->config.first_number;
}

int64_t gather_backoff(gather_t *self, uint32_t failures)
{
    int64_t ceiling = self->config.backoff_low_ms;
    for (uint32_t i = 1; i < failures && ceiling < self->config.backoff_high_ms; i++)
        ceiling *= 2;
    if (ceiling > self->config.backoff_high_ms)
        ceiling = self->config.backoff_high_ms;
    // Full jitter.
    return 1 + (int64_t)mm_random_below(&self->random, ceiling > 0 ? (uint64_t)ceiling : 1);
}

mm_outcome_t gather_outcome(const gather_t *self, const flight_t *flight)
{
    if (flight->restart != RESTART_OK)
        return flight->withdrawn ? MM_OUTCOME_WITHDRAWN : MM_OUTCOME_DEAD;
    bool is_skipped =
        flight->has_attempt && attempts_get(&self->flights.attempts, &flight->id)->is_skipped;
    return is_skipped ? MM_OUTCOME_SKIPPED : MM_OUTCOME_RESTARTED;
}

// Once both legs have ended, the store is asked to settle; from then on the store decides the
// outcome (R9). A settle writes the whole row, so it is a save too: after a success it does not
// wait for the answer to the save, which is before it in the same pipe, and one commit serves both.
// Without a success it waits, since a late one may come.
void gather_try_settle(gather_t *self, flight_t *flight)
{
    bool restart_ended = flight->restart == RESTART_OK || flight->restart == RESTART_EXHAUSTED;
    bool saves = flight->store == STORE_OUT && flight->settle == MM_OUTCOME_NONE;
    if (!(flight->store == STORE_SAVED && restart_ended) &&
        !(saves && flight->restart == RESTART_OK))
        return;
    flight->settle = gather_outcome(self, flight);
    if (flight->settle == MM_OUTCOME_WITHDRAWN)
        gather_set_withdrawn_error(self, flight);
    flight->store_failures = 0;
    flight_set_store(&self->flights, flight, STORE_READY, 0);
}

// Whether a settle of it that has no answer, or has failed, may be committed yet, beside what
// another saver is asked: its saver may have sent it twice, since the fate of the first one was
// unknown (R19).
static bool may_come_late(const gather_t *self, const flight_t *flight)
{
    return self->config.savers_max > 1 && flight->settle != MM_OUTCOME_NONE;
}

static void retry_store(gather_t *self, flight_t *flight, const mm_result_t *result)
{
    flight->store_failures++;
    bool stays = flight->handed_out || flight->restart == RESTART_OK ||
                 (flight->has_attempt && gather_attempt_has_begun(self, flight));
    flight_set_store(&self->flights, flight, STORE_BACKOFF,
                     self->now_ms + gather_backoff(self, flight->store_failures));
    gather_action_t *retry = gather_log(self, GATHER_LOG_RETRY, flight);
    retry->as.log.leg = result->leg;
    retry->as.log.error = result->error;
    retry->as.log.attempt = flight->store_failures;
    retry->as.log.delay_ms = flight->store_backoff.due_ms - self->now_ms;
    retry->as.log.is_minor = !gather_was_attempted(self, flight);
    self->statistics.retried++;
    flight->is_doubtful = flight->is_doubtful || may_come_late(self, flight);
    if (flight->store_failures >= self->config.attempts && !stays && !flight->is_doubtful)
        gather_nack(self, flight);
    else
        gather_nack_if_over(self, flight);
}

// The store has answered the save: there is no outcome yet. A held restart becomes ready (R6).
static void apply_saved(gather_t *self, flight_t *flight, const mm_result_t *result)
{
    flight->store_failures = 0;
    flight_set_store(&self->flights, flight, STORE_SAVED, 0);
    if (flight->has_attempt)
        gather_attempt_saved(self, flight, result);
    else if (flight->restart == RESTART_HELD)
        gather_unblock(self, flight);
    gather_try_settle(self, flight);
    if (flight->has_attempt)
        gather_nack_if_over(self, flight);
}

static void apply_store_result(gather_t *self, flight_t *flight, const mm_result_t *result)
{
    if (flight->store != STORE_OUT || result->number != flight->store_task)
        return; // the answer to an earlier delivery's save does not count (R3)
    switch (result->status) {
    case MM_STATUS_OK:
        if (result->outcome != MM_OUTCOME_NONE) {
            if (result->error.size > 0)
                flight_set_error(flight, result->error);
            if (flight->has_attempt && result->leg == MM_LEG_SETTLE)
                gather_count_outcome(self, flight, result);
            gather_settled(self, flight, result->outcome);
        } else if (flight->settle == MM_OUTCOME_NONE) {
            apply_saved(self, flight, result);
        } else {
            retry_store(self, flight, result); // a settle without an outcome is no answer
        }
        break;
    case MM_STATUS_OPEN: // no answer of a saver
    case MM_STATUS_FAILED: retry_store(self, flight, result); break;
    case MM_STATUS_RETURNED: flight_set_store(&self->flights, flight, STORE_READY, 0); break;
    }
}

// ---- the restart leg

void gather_exhaust(gather_t *self, flight_t *flight)
{
    flight_set_restart(&self->flights, flight, RESTART_EXHAUSTED, 0);
    gather_try_settle(self, flight);
}

static void retry_restart(gather_t *self, flight_t *flight, int64_t delay_ms)
{
    if (flight->attempts >= self->config.attempts || flight->withdrawn) {
        gather_exhaust(self, flight);
        return;
    }
    if (delay_ms > 0)
        flight_set_restart(&self->flights, flight, RESTART_BACKOFF, self->now_ms + delay_ms);
    else
        flight_set_restart(&self->flights, flight, RESTART_READY, 0);
    gather_action_t *retry = gather_log(self, GATHER_LOG_RETRY, flight);
    retry->as.log.leg = MM_LEG_RESTART;
    retry->as.log.delay_ms = delay_ms;
    self->statistics.retried++;
    gather_nack_if_over(self, flight);
}

// An attempt that never started is not charged: an exhausted job has one again.
static void refund_attempt(gather_t *self, flight_t *flight)
{
    if (flight->attempts == 0)
        return;
    flight->attempts--;
    if (flight->restart != RESTART_EXHAUSTED || flight->withdrawn)
        return;
    // Exhausted before this delivery: nothing was handed out in it, so its save comes first (R6).
    bool is_held = flight->restart_task == 0;
    flight_set_restart(&self->flights, flight, is_held ? RESTART_HELD : RESTART_READY, 0);
    gather_nack_if_over(self, flight);
}

static void apply_restart_result(gather_t *self, flight_t *flight, const char *worker, bool charged,
                                 const mm_result_t *result)
{
    if (!is_ours(self, result->number) && !flight->redelivered)
        return; // this consumer was the first to have that job (R18)
    if (flight->has_attempt) {
        gather_attempt_result(self, flight, worker, result);
        return;
    }
    if (flight->settle != MM_OUTCOME_NONE) { // too late: the store decides (R9)
        if (flight->settle != MM_OUTCOME_RESTARTED && result->status == MM_STATUS_OK)
            flight->late_worker = worker;
        return;
    }
    bool current = flight->restart == RESTART_OUT && result->number == flight->restart_task;
    switch (result->status) {
    case MM_STATUS_OK: // of any attempt (R3)
        if (flight->restart == RESTART_OK)
            return;
        // Not charged yet: of an earlier epoch, or its nacked job was dropped from the cache (R7).
        if (!is_ours(self, result->number) || flight->attempts == 0)
            flight->attempts++;
        flight->worker = worker;
        flight_set_restart(&self->flights, flight, RESTART_OK, 0);
        gather_try_settle(self, flight);
        break;
    case MM_STATUS_OPEN: // the mock has no such end
    case MM_STATUS_FAILED:
        if (!current)
            return;
        flight->worker = worker;
        flight_set_error(flight, result->error);
        retry_restart(self, flight, gather_backoff(self, flight->attempts));
        break;
    case MM_STATUS_RETURNED:
        if (charged && is_ours(self, result->number))
            refund_attempt(self, flight);
        if (current) {
            gather_unblock(self, flight);
            gather_nack_if_over(self, flight);
        }
        break;
    }
}

// The result of a job that is not in flight: it was nacked, or is of an earlier epoch (R8).
static void remember_result(gather_t *self, const char *worker, bool charged,
                            const mm_result_t *result)
{
    settled_item_t *item = settled_cache_find(&self->cache, &result->id);
    if (item && item->outcome != MM_OUTCOME_NONE)
        return;
    switch (result->status) {
    case MM_STATUS_OK:
        if (!item)
            item = settled_cache_put(&self->cache, &result->id, MM_OUTCOME_NONE);
        bool is_before = !is_ours(self, result->number);
        if (!item->restarted && (is_before || item->attempts == 0))
            item->attempts++; // not charged yet, as of a flight
        item->is_claimed = is_before && (item->is_claimed || !item->restarted);
        item->restarted = true;
        item->worker = worker;
        break;
    case MM_STATUS_FAILED:
    case MM_STATUS_OPEN: break;
    case MM_STATUS_RETURNED:
        if (item && charged && is_ours(self, result->number) && item->attempts > 0)
            item->attempts--;
        break;
    }
}

// The record has the attempt, but not its end, and without ids nobody can look for that: it would
// be taken for interrupted, and the host be restarted again.
static void remember_real(gather_t *self, const char *worker, const mm_result_t *result)
{
    settled_item_t *item = settled_cache_find(&self->cache, &result->id);
    bool is_success = result->leg == MM_LEG_RESTART && result->status == MM_STATUS_OK &&
                      result->real && result->real->end == MM_END_RESTARTED;
    if (!is_success || result->real->proof == MM_PROOF_PROVEN || (item && item->outcome))
        return;
    bool is_claimed = !is_ours(self, result->number);
    if (is_claimed && item && item->proof != MM_PROOF_NONE && !item->is_claimed)
        return;
    if (!item)
        item = settled_cache_put(&self->cache, &result->id, MM_OUTCOME_NONE);
    item->restarted = true;
    item->worker = worker;
    item->proof = result->real->proof;
    item->owes = result->real->owes;
    item->is_claimed = is_claimed;
}

// A task is at no worker any more: its resources are free.
static void release(gather_t *self, ended_t *ended)
{
    flights_t *flights = &self->flights;
    if (ended->number != 0 && ended->number == self->quarantine_number) {
        self->quarantine_number = 0;
        flights->resources.quarantine.busy = 0;
        workers_release_quarantine(self->workers);
    }
    if (!ended->host)
        return;
    resources_release_all(&flights->resources, ended->host);
    hosts_put(&flights->hosts, &ended->host);
}

static void log_reclaimed(gather_t *self, const flight_t *flight, const workers_change_t *change,
                          uint32_t attempt)
{
    self->statistics.reclaimed++;
    gather_action_t *taken = gather_log(self, GATHER_LOG_RECLAIMED, flight);
    taken->as.log.leg = change->ended.leg;
    taken->as.log.number = change->ended.number;
    taken->as.log.attempt = attempt;
    taken->as.log.worker = change->name;
    taken->as.log.is_lost = change->ended.why == ENDED_LOST;
}

// A task ended without a result: its leg goes on.
static void reclaim(gather_t *self, const workers_change_t *change)
{
    const ended_t *ended = &change->ended;
    flight_t *flight = flights_find_likely(&self->flights, ended->flight, &ended->id);
    if (!mm_leg_is_restarters(ended->leg)) {
        if (flight && flight->store == STORE_OUT && flight->store_task == ended->number) {
            flight_set_store(&self->flights, flight, STORE_READY, 0);
            if (ended->why == ENDED_LOST)
                flight->is_doubtful = flight->is_doubtful || may_come_late(self, flight);
        }
        return;
    }
    if (flight && flight->has_attempt) {
        bool was_out = flight->restart == RESTART_OUT && flight->restart_task == ended->number;
        if (was_out)
            log_reclaimed(self, flight, change, gather_attempt_number(self, flight));
        gather_attempt_lost(self, flight, ended);
        return;
    }
    bool ours = is_ours(self, ended->number);
    settled_item_t *item = flight ? NULL : settled_cache_find(&self->cache, &ended->id);
    if (item && ours && ended->why == ENDED_UNDELIVERED && item->attempts > 0)
        item->attempts--;
    if (!flight || flight->settle != MM_OUTCOME_NONE)
        return;
    uint32_t attempt = flight->attempts;
    if (ours && ended->why == ENDED_UNDELIVERED)
        refund_attempt(self, flight);
    if (flight->restart != RESTART_OUT || flight->restart_task != ended->number)
        return;
    log_reclaimed(self, flight, change, attempt);
    if (ended->why == ENDED_LOST) {
        flight->losses++;
        flight_set_error(flight, mm_str("its restarter was lost in mid-restart"));
    }
    retry_restart(self, flight, 0);
}

// What fails at the worker's own machine is not the host's fault: it gets nothing for a while.
static void pause_worker(gather_t *self, worker_t *worker, const mm_result_t *result)
{
    workers_pause(self->workers, worker, self->now_ms, result->real->pause_ms);
    if (self->unable_ms == 0)
        self->unable_ms = self->now_ms;
    gather_action_t *paused = gather_log(self, GATHER_LOG_PAUSED, NULL);
    paused->as.log.worker = worker->name;
    paused->as.log.error = result->error;
    paused->as.log.delay_ms = result->real->pause_ms;
}

void gather_apply_result(gather_t *self, worker_t *worker, const mm_result_t *result, bool in_hello)
{
    ended_t ended;
    if (!workers_apply_result(self->workers, worker, result, in_hello, &ended))
        return;
    flight_t *flight = flights_find_likely(&self->flights, ended.flight, &result->id);
    bool is_pause = result->status == MM_STATUS_RETURNED && result->real &&
                    result->real->pause_ms > 0 && !result->real->is_held;
    if (is_pause)
        pause_worker(self, worker, result);
    if (self->unable_ms > 0 && !is_pause && mm_leg_is_restarters(result->leg))
        self->unable_ms = 0;
    if (!mm_leg_is_restarters(result->leg)) {
        if (flight)
            apply_store_result(self, flight, result);
        gather_see_outcome(self, result);
    } else {
        bool charged = ended.number != 0; // it was at a worker, or is of a lost one
        const char *name = name_pool_intern(&self->names, mm_str(worker->name.text));
        if (flight)
            apply_restart_result(self, flight, name, charged, result);
        else if (self->is_real)
            remember_real(self, name, result);
        else
            remember_result(self, name, charged, result);
    }
    release(self, &ended);
}

void gather_apply_ended(gather_t *self, const workers_change_t *change)
{
    ended_t ended = change->ended;
    reclaim(self, change);
    release(self, &ended);
}
