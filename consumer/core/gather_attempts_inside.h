// What the files of a real job's attempts share: gather_attempts_record.c (what is on record),
// gather_attempts.c (what is next) and gather_attempts_results.c (what it comes to). Each one calls
// only those before it.

#ifndef GATHER_ATTEMPTS_INSIDE_H
#define GATHER_ATTEMPTS_INSIDE_H

#include "gather_private.h"

static inline attempt_t *attempt_of(const gather_t *self, const flight_t *flight)
{
    return attempts_get(&self->flights.attempts, &flight->id);
}

// gather_attempts_record.c. The row as it is now is to be on record.
void gather_save_row(gather_t *self, flight_t *flight);
// Takes over what is on record.
void gather_absorb(gather_t *self, flight_t *flight, attempt_t *attempt, const mm_real_t *record);
// Nothing was done for the command that has begun. When the one before it was sent, and nobody has
// answered since, that was the attempt's end: its host is a casualty. Else it is begun anew.
void gather_take_back(gather_t *self, flight_t *flight, attempt_t *attempt);
// Fills in what a save or a settle says of it.
void gather_fill_save(gather_t *self, const flight_t *flight, attempt_t *attempt, mm_task_t *task);

// gather_attempts.c. Begins a command of the list (H1, H5): the save goes first, and names the
// worker that is to get it, interned. The host has its place.
void gather_begin(gather_t *self, flight_t *flight, attempt_t *attempt, uint32_t command,
                  const char *worker);
// The worker that gets what comes next: this one, if it can, which has ended the last task.
const char *gather_choose(gather_t *self, const char *worker);
// The attempt has ended without success.
void gather_fail(gather_t *self, flight_t *flight, attempt_t *attempt);
// It has begun and has no end, and there is no way to find it, or none was found.
void gather_interrupt(gather_t *self, flight_t *flight, attempt_t *attempt);
// Whether none may follow the last one.
bool gather_is_exhausted(const gather_t *self, const flight_t *flight, const attempt_t *attempt);

#endif
