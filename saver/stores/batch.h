// The tasks of a store's next commit: in order of arrival, and sorted into one row for each job.
// Copies what they point to. It knows no database; a store notes in it what it has found on record.

#ifndef BATCH_H
#define BATCH_H

#include "frame.h"
#include "table.h"

// A task of the batch. What it points to is valid from batch_sort on.
typedef struct {
    mm_task_t task;
    struct batch_row *row;     // set by batch_sort, as the next
    const mm_result_t *answer; // NULL; the store's: of a task that was written by itself
} batch_item_t;

// All tasks of one job in the batch.
typedef struct batch_row {
    const batch_item_t *first;
    const batch_item_t *settle; // the first one, which is the one that counts (R9); NULL: none
    uint32_t deliveries;        // the most
    int64_t received_ms;        // the earliest
    bool has_attempts;          // one of the tasks brings an attempt's row
    // The store's, from here on.
    int64_t facts;       // of its small row (record_schema.h); 0: it is not to be written as one
    mm_proof_t proof;    // of its settle; that of the mock, at first
    mm_outcome_t before; // on record before the batch
    mm_outcome_t after;  // on record after it
    const char *error;   // of an outcome that was on record before, or NULL
    mm_real_t *found;    // of the job's attempts before the batch; NULL: not asked, or none
} batch_row_t;

// What its row says comes from this task.
static inline const mm_task_t *batch_row_task(const batch_row_t *self)
{
    return self->settle != NULL ? &self->settle->task : &self->first->task;
}

typedef struct {
    batch_item_t *items;
    size_t item_count;
    size_t item_capacity;
    char *bytes; // the texts of its tasks, in order
    size_t byte_count;
    size_t byte_capacity;
    mm_real_t *reals; // of its tasks that have one, in order
    size_t real_count;
    size_t real_capacity;
    batch_row_t *rows; // in order of arrival of their jobs
    size_t row_count;
    size_t row_capacity;
    mm_table_t row_of; // the rows by job
} batch_t;

// Zeroed memory is an empty batch. A batch that has been sorted takes more only when emptied.
void batch_add(batch_t *self, const mm_task_t *task);
// Sets pointers and rows anew. May be repeated.
void batch_sort(batch_t *self);
void batch_empty(batch_t *self);
// Frees all that it owns.
void batch_clear(batch_t *self);

#endif
