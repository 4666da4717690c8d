// The record of all jobs: batch in, answers later, a descriptor to wait on. Whatever stands behind
// it (SQLite now) keeps: one row per job, an outcome never changes (I4), a settle is answered only
// after its commit (I2), tasks are taken in order of arrival, and the record decides (R9).

#ifndef STORE_H
#define STORE_H

#include "frame.h"

typedef struct store store_t;

typedef struct {
    uint64_t number; // the task's
    mm_leg_t leg;    // save or settle
    mm_id_t id;
    mm_status_t status;   // OK, or FAILED: nothing of the task is on record
    mm_outcome_t outcome; // save: on record before it; settle: on record now
    mm_str_t error;       // of FAILED; of a job that was dead on record before, why
} store_answer_t;

// Opens the database at path, creating it when there is none. Returns 0, or a sysexits code with
// one sentence in error and *ret_self untouched.
int store_open(const char *path, store_t **ret_self, char error[MM_ERROR_MAX]);

// Commits what was put, then closes. Answers that were not taken are gone. Idempotent. False when
// that last commit failed: nothing of it was answered, so nothing is lost but work.
bool store_close(store_t **self_p);

// Queues a save or settle task; copies what it needs.
void store_put(store_t *self, const mm_task_t *task);

// Tasks put since the last flush.
size_t store_pending(const store_t *self);

// Starts the commit of all that was put, in one transaction; SQLite also ends it here. A batch that
// meets a full or busy database is rolled back and each task of it answered FAILED; the store works
// on. False: the store is broken (a failed write or fsync), nothing was answered; the process must
// end with exit 74 and store_error.
bool store_flush(store_t *self);

// The answers that are ready, in order of arrival of their tasks. The array and its texts are the
// store's and live until the next call with it; each answer is given once.
size_t store_answers(store_t *self, const store_answer_t **ret_answers);

// What to wait on for more answers, or -1: flush leaves nothing to wait for.
int store_descriptor(const store_t *self);

// Why the last flush failed, as one sentence; never NULL.
const char *store_error(const store_t *self);

#endif
