// The durable outbox: jobs that were accepted and are not settled, and what is known of each run.
// Changes are collected in a batch and written by one commit (group commit). A job's insert, its
// source's position and the counters are always in the same commit, so that a crash between two of
// them cannot be seen (I1). It decides nothing: leases and order of delivery are outbox.h's.
//
// On record are no single jobs but chunks: those of one run that came in with one commit, 1024 at
// most. A chunk is written once; which of its jobs are settled is a row of bits beside it, and both
// go when all are. A job's token is its chunk's number and its place there, so that to settle it
// takes no search. In SQL the view `jobs` shows them one by one.

#ifndef OUTBOX_DB_H
#define OUTBOX_DB_H

#include "source.h"

typedef struct outbox_db outbox_db_t;

typedef enum {
    OUTBOX_DB_OK = 0,
    OUTBOX_DB_RETRY, // busy or full: nothing was written, the batch is kept; commit again later
    OUTBOX_DB_FATAL  // a failed write or fsync, a corrupt file: exit 74 with outbox_db_error
} outbox_db_status_t;

// A run as it is on record. Texts are owned by the struct: outbox_run_clear.
typedef struct {
    int64_t number; // from 1
    char *input;    // as the caller named it
    char *driver;   // what restarts: the mock, or a command line
    source_progress_t progress;
    uint64_t accepted; // jobs that came into the outbox
    uint64_t restarted;
    uint64_t dead;
    uint64_t attempts;
    int64_t started_ms;  // Unix time
    int64_t finished_ms; // when its source had ended and all was settled; 0: unfinished
    void *times;         // the caller's histogram, opaque; NULL when none was set
    size_t times_size;
    bool clean; // what outbox_db_set_clean said last
} outbox_run_t;

void outbox_run_clear(outbox_run_t *run);

typedef struct {
    mm_id_t id;
    mm_str_t host;
    int64_t run;
    uint64_t token; // of jobs only
    mm_str_t error; // of dead rows only
} outbox_row_t;

// Opens the outbox at path, creating it when there is none, and bringing one of version 1 up to
// date; read-only: for reports, and beside a running publisher. Returns 0, or a sysexits code with
// one sentence in error and *ret_self untouched.
int outbox_db_open(const char *path, bool read_only, outbox_db_t **ret_self,
                   char error[MM_ERROR_MAX]);
// Closes without a commit: what is pending is dropped, as if the process had been killed.
void outbox_db_close(outbox_db_t **self_p);
// Why the last call failed, as one sentence; never NULL.
const char *outbox_db_error(const outbox_db_t *self);

// Runs. Begin writes at once: of `run` it takes input, driver, started_ms and progress.
outbox_db_status_t outbox_db_begin_run(outbox_db_t *self, const outbox_run_t *run,
                                       int64_t *ret_number);
// One run; *ret_found false and *ret_run untouched when there is none of that number.
outbox_db_status_t outbox_db_run(outbox_db_t *self, int64_t number, outbox_run_t *ret_run,
                                 bool *ret_found);
// The latest unfinished run whose number is below `before` (INT64_MAX: the latest of all).
outbox_db_status_t outbox_db_unfinished(outbox_db_t *self, int64_t before, outbox_run_t *ret_run,
                                        bool *ret_found);
// The latest run, finished or not.
outbox_db_status_t outbox_db_latest(outbox_db_t *self, outbox_run_t *ret_run, bool *ret_found);

// The batch: these copy what they need and write nothing before the commit. Each is made in order.
//
// Put returns the job's token, which is greater than those of all jobs that were put before: the
// order of tokens is the order in which they are loaded.
uint64_t outbox_db_put(outbox_db_t *self, int64_t run, const mm_id_t *id, mm_str_t host);
void outbox_db_set_progress(outbox_db_t *self, int64_t run, const source_progress_t *progress);
void outbox_db_set_times(outbox_db_t *self, int64_t run, const void *data, size_t size);
// Whether the publisher left this run in order; a new run, and one resumed, says false until then.
void outbox_db_set_clean(outbox_db_t *self, int64_t run, bool clean);
// Deletes the job and counts it in its run; dead ones are kept by name with their error. A job that
// is not there any more changes nothing: a second ack does not count twice. Of the row it takes the
// token and the run, and for dead ones all else.
void outbox_db_settle(outbox_db_t *self, const outbox_row_t *job, mm_outcome_t outcome,
                      uint32_t attempts);

// Changes that wait for a commit. The caller bounds them: while commits say RETRY it reads no more
// from its source and sends nothing of what it has put.
size_t outbox_db_pending(const outbox_db_t *self);
// Writes the batch in one transaction; a run whose source has ended and whose jobs are all settled
// is finished at unix_ms in the same commit. Without changes it does nothing.
outbox_db_status_t outbox_db_commit(outbox_db_t *self, int64_t unix_ms);

// Jobs on record, of all runs, after the last commit.
uint64_t outbox_db_backlog(const outbox_db_t *self);
// Up to `limit` committed jobs in order of their tokens, behind `after` (0: from the first). The
// rows and their texts live until the next call of this or of outbox_db_dead.
outbox_db_status_t outbox_db_load(outbox_db_t *self, uint64_t after, size_t limit,
                                  const outbox_row_t **ret_rows, size_t *ret_count);
// The newest id on record; *ret_found false and *ret_id untouched when no job is. New ids must be
// above it, so that the order of ids stays that of tokens.
outbox_db_status_t outbox_db_newest(outbox_db_t *self, mm_id_t *ret_id, bool *ret_found);
// The same as load for the dead jobs of a run, in order of their ids (NULL: from the first).
outbox_db_status_t outbox_db_dead(outbox_db_t *self, int64_t run, const mm_id_t *after,
                                  size_t limit, const outbox_row_t **ret_rows, size_t *ret_count);

#endif
