// The record of attempts: whether it is asked for those of a job, what is taken over from it, and
// what a save tells it of the last one. See attempts.h.

#include "gather_attempts_inside.h"
#include "string_view.h"

void gather_make_real(gather_t *self, flight_t *flight)
{
    attempts_add(&self->flights.attempts, &flight->id)->class = gather_class(self, flight);
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
    FLIGHTS_EACH (&self->flights, flight, next)
        if (flight->has_attempt && flight->restart != RESTART_OK &&
            flight->settle == MM_OUTCOME_NONE)
            gather_nack(self, flight);
}

void gather_see_driver(gather_t *self, bool is_real)
{
    flight_t *flight, *next;
    if (self->is_real == is_real)
        return;
    self->is_real = is_real;
    if (!is_real) {
        become_mock(self);
        return;
    }
    FLIGHTS_EACH (&self->flights, flight, next)
        if (flight->restart != RESTART_OK && flight->settle == MM_OUTCOME_NONE) // else it is over
            gather_make_real(self, flight);
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

// A count that can be counted on, whatever the record has (R16).
static uint32_t count_of(uint32_t said)
{
    return said < UINT32_MAX / 2 ? said : UINT32_MAX / 2;
}

// Times by the clock of another boot of this machine, or of another one, say nothing here (H10):
// what is left is the age by Unix time, and a whole new look.
void gather_absorb(gather_t *self, flight_t *flight, attempt_t *attempt, const mm_real_t *record)
{
    mm_id_t control = control_of(self);
    bool is_same_clock = mm_id_equal(&record->control, &control);
    bool has_begun = record->first_ms > 0;
    int64_t span_end_ms = self->now_ms + self->config.attempt_ms;
    attempt->row = record->row;
    attempt->number = count_of(record->attempt);
    attempt->command = record->command;
    attempt->end = record->end;
    attempt->exit = record->exit;
    attempt_set_words(attempt, record->words);
    attempt->interrupted = count_of(record->interrupted);
    if (record->row != MM_ROW_NOT_STARTED && record->worker.size > 0)
        attempt->former = name_pool_intern(&self->names, record->worker);
    attempt->owes = attempt->owed = record->owes;
    flight->attempts = count_of(record->ended);
    flight->losses = count_of(record->interrupted);
    if (has_begun) {
        attempt->machine = record->machine;
        attempt->boot = record->boot;
        attempt->boot_after = record->boot_after;
        attempt_set_health(attempt, record->health);
        attempt->first_ms = is_same_clock ? mm_earlier(record->first_ms, mm_later(self->now_ms, 1))
                                          : mm_later(self->now_ms - record->age_ms, 1);
        attempt->deadline_ms =
            is_same_clock ? mm_earlier(record->deadline_ms, span_end_ms) : span_end_ms;
    }
    // Another machine's consumer has begun it before this one had the lease.
    attempt->given_ms = is_same_clock ? attempt->deadline_ms - self->config.attempt_ms
                                      : self->hold_until_ms - self->config.lost_after_ms -
                                            self->config.heartbeat_ms;
    if (attempt->row == MM_ROW_NOT_STARTED && attempt_has_answer(attempt))
        attempt_set_unsent(attempt); // by a former version
    mm_end_t end = attempt->row == MM_ROW_NOT_STARTED ? MM_END_NOT_STARTED : record->end;
    if (attempt->row == MM_ROW_ENDED || attempt->row == MM_ROW_NOT_STARTED)
        flight_set_error(flight, record->words.size > 0 ? record->words : mm_str(mm_end_name(end)));
}

void gather_save_row(gather_t *self, flight_t *flight)
{
    if (flight->store == STORE_SAVED)
        flight_set_store(&self->flights, flight, STORE_READY, 0);
}

void gather_take_back(gather_t *self, flight_t *flight, attempt_t *attempt)
{
    attempt_take_back(attempt);
    if (!attempt->is_unseen)
        return;
    attempt_set_row(attempt, MM_ROW_ENDED);
    attempt->end = MM_END_UNREACHABLE;
    attempt->is_unseen = false;
    flight->attempts++;
    flight_set_error(flight, mm_str(mm_end_name(MM_END_UNREACHABLE)));
    limits_set_casualty(&self->limits, host_name(flight->host), attempt->class, true);
}

bool gather_attempt_is_settled(gather_t *self, flight_t *flight)
{
    attempt_t *attempt = attempt_of(self, flight);
    if (restart_has_place(flight->restart)) {
        gather_take_back(self, flight, attempt);
        flight_set_restart(&self->flights, flight, RESTART_READY, 0);
    }
    if (attempt_is_saved(attempt))
        return true;
    gather_save_row(self, flight);
    return false;
}

void gather_fill_save(gather_t *self, const flight_t *flight, attempt_t *attempt, mm_task_t *task)
{
    bool has_policy = self->run > 0 && self->limits.is_given;
    bool has_row = attempt->is_known && attempt->row != MM_ROW_NONE;
    attempt->sent = attempt->version;
    if (!has_row && !(has_policy && task->leg == MM_LEG_SETTLE))
        return;
    mm_real_t *save = gather_real(self);
    *save = (mm_real_t){.row = attempt->row,
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
                        .owes = attempt->owes,
                        .is_casualty = has_policy && gather_is_casualty(attempt),
                        .run = has_policy ? self->run : 0};
    if (!has_row)
        *save = (mm_real_t){.run = self->run, .exit = MM_EXIT_NONE};
    if ((attempt->owes || has_policy) && flight->has_attributes)
        save->attributes = attribute_records_get(&self->flights.attributes, &flight->id);
    task->real = save;
}
