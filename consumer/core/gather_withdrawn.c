// Jobs whose host is no longer on the list (H18). The record is asked first. One of which nothing
// has begun is settled as withdrawn. One that has begun gets no command any more: an attempt
// without an end is looked at, and then the job is settled as restarted, or as withdrawn with the
// error of what was found. See gather.h.

#include "gather_attempts_inside.h"
#include "string_view.h"

static bool has_open_attempt(const gather_t *self, const flight_t *flight)
{
    const attempt_t *attempt = flight->has_attempt ? attempt_of(self, flight) : NULL;
    return attempt && (attempt->row == MM_ROW_BEGUN || attempt->row == MM_ROW_OPEN);
}

void gather_set_withdrawn_error(const gather_t *self, flight_t *flight)
{
    const attempt_t *attempt = flight->has_attempt ? attempt_of(self, flight) : NULL;
    bool was_sent = attempt && (attempt->number > 1 || attempt->command > 1 ||
                                attempt->row != MM_ROW_NOT_STARTED);
    bool has_begun = attempt ? attempt->first_ms > 0 && was_sent : flight->attempts > 0;
    if (!has_begun)
        flight_set_error(flight, (mm_str_t){0});
    else if (!flight->error)
        flight_set_error(flight, mm_str("withdrawn after it had begun"));
}

bool gather_end_withdrawn(gather_t *self, flight_t *flight)
{
    // Before a restarter has joined, nobody knows whether there are attempts to look at.
    bool is_over = flight->withdrawn && self->has_driver && restart_waits(flight->restart);
    if (!is_over || has_open_attempt(self, flight))
        return false;
    // The restarters of a former consumer tell first what they have of the mock's.
    bool is_held = flight->redelivered && self->now_ms < self->hold_until_ms;
    if (flight->restart != RESTART_READY)
        flight_set_restart(&self->flights, flight, RESTART_READY, 0);
    if (is_held && !flight->has_attempt)
        flight_set_restart(&self->flights, flight, RESTART_BACKOFF, self->hold_until_ms);
    else
        gather_exhaust(self, flight);
    return true;
}

void gather_unblock(gather_t *self, flight_t *flight)
{
    flight_set_restart(&self->flights, flight, RESTART_READY, 0);
    (void)gather_end_withdrawn(self, flight);
}

void gather_withdraw(gather_t *self, flight_t *flight)
{
    if (flight->withdrawn || flight->settle != MM_OUTCOME_NONE)
        return;
    flight_set_withdrawn(&self->flights, flight);
    if (restart_has_place(flight->restart)) { // on record, or on its way there: it is not sent
        gather_take_back(self, flight, attempt_of(self, flight));
        flight_set_restart(&self->flights, flight, RESTART_READY, 0);
    }
    (void)gather_end_withdrawn(self, flight);
}

void gather_withdraw_unseen(gather_t *self)
{
    flight_t *flight, *next;
    if (self->has_driver)
        return;
    self->has_driver = true;
    FLIGHTS_EACH (&self->flights, flight, next)
        (void)gather_end_withdrawn(self, flight);
}
