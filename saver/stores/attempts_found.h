// What an answer says of a job's attempts, from what a record of whatever kind has of them.
// Somebody may have written anything into it: here it is brought into the ranges of the wire. It
// knows no database.

#ifndef ATTEMPTS_FOUND_H
#define ATTEMPTS_FOUND_H

#include "frame.h"

// The answer, and the proof of the last one.
typedef struct {
    mm_real_t real;
    char words[MM_WORDS_MAX]; // what real.words points to, real.health, and real.worker
    char health[MM_HEALTH_MAX];
    char worker[MM_NAME_MAX];
} attempts_found_t;

// After a copy: points those to the copy's own bytes.
static inline void attempts_found_moved(attempts_found_t *self)
{
    self->real.words.data = self->words;
    self->real.health.data = self->health;
    self->real.worker.data = self->worker;
}

// The columns of an attempt (record_schema.h). Texts are empty where they are NULL.
typedef struct {
    mm_str_t state;
    mm_str_t end; // its outcome, or else how its command ended
    mm_str_t worker, words, health, proof;
    mm_str_t machine, boot_before, boot_after, control;
    int64_t attempt, command, first_ms, deadline_ms, owes;
    int64_t exit; // MM_EXIT_NONE where it is NULL
} attempt_columns_t;

// The first attempt that has begun. Zeroed: none has.
typedef struct {
    bool is_found;
    int64_t began_ms; // Unix time
    int64_t first_ms; // by the clock of its `control`
} attempts_first_t;

// Nothing is on record.
void attempts_found_none(attempts_found_t *self);
// Sets all that is known of one attempt: at the end, of the last one. Leaves the counts alone.
void attempts_found_set(attempts_found_t *self, const attempt_columns_t *columns);
// What follows from the first begin. now_ms: Unix time.
void attempts_found_finish(attempts_found_t *self, attempts_first_t first, int64_t now_ms);

#endif
