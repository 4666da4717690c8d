// The durable outbox: the jobs that were accepted and are not settled, and the state of each run.
// Changes are collected in a batch and written by one commit (group commit). The insert of a job,
// the position of its source and the counters are always in the same commit, so that no crash falls
// between them (I1). The outbox decides nothing: leases and order of delivery belong to outbox.h.
//
// Jobs are recorded in chunks: those of one run that came in with one commit, 1024 at most. A chunk
// is written once; a row of bits beside it says which of its jobs are settled, and both are deleted
// with its last job. The token of a job is the number of its chunk and its place there, so settling
// needs no search. The SQL view `jobs` shows the jobs one by one.

#ifndef OUTBOX_DB_H
#define OUTBOX_DB_H

#include "source.h"

typedef struct outbox_db outbox_db_t;

typedef enum {
    OUTBOX_DB_OK = 0,
    OUTBOX_DB_RETRY, // busy or full: nothing was written, the batch is kept; commit again later
    OUTBOX_DB_FATAL  // a failed write or fsync, a corrupt file: exit 74 with outbox_db_error
} outbox_db_status_t;

// A run as it is recorded. Its texts are owned: outbox_run_clear.
typedef struct {
    int64_t number; // from 1
    char *input;    // as the caller named it
    char *driver;   // how hosts are restarted: the mock, or a command line
    source_progress_t progress;
    uint64_t accepted; // jobs that came into the outbox
    uint64_t restarted;
    uint64_t dead;
    uint64_t skipped;   // there was nothing to do
    uint64_t withdrawn; // its host has left the list,
    uint64_t abandoned; // of these, after it had begun
    uint64_t attempts;
    int64_t started_ms;  // Unix time
    int64_t finished_ms; // when its source had ended and all jobs were settled; 0: unfinished
    void *times;         // the caller's histogram, opaque; NULL when none was set
    size_t times_size;
    bool clean;      // as last set by outbox_db_set_clean
    int64_t list;    // number of the kept list; 0: there is none
    uint64_t listed; // its first hosts, that were accepted
    bool grows;      // the list is what was read of a stream so far
    uint64_t key;    // random, by which no other run is taken for it; 0: of an older version
} outbox_run_t;

void outbox_run_clear(outbox_run_t *run);
// Its jobs that are not settled.
static inline uint64_t outbox_run_left(const outbox_run_t *run)
{
    return run->accepted - run->restarted - run->dead - run->skipped - run->withdrawn;
}

typedef struct {
    mm_id_t id;
    mm_str_t host;
    mm_str_t attributes;
    int64_t run;
    uint64_t token; // of jobs only
    bool withdrawn; // of jobs only: its host has left the list
    mm_str_t error; // of dead rows, and of withdrawn jobs that had begun
} outbox_row_t;

// Opens the outbox at path: creates it when there is none, and upgrades an older version. Read-only
// is for reports, beside a running publisher too. Returns 0, or a sysexits code with one sentence
// in error and *ret_self untouched.
int outbox_db_open(const char *path, bool read_only, outbox_db_t **ret_self,
                   char error[MM_ERROR_MAX]);
// Closes without a commit: pending changes are dropped, as by a kill. Idempotent.
void outbox_db_close(outbox_db_t **self_p);
// Why the last call failed, in one sentence; never NULL.
const char *outbox_db_error(const outbox_db_t *self);

// Begins a run and writes it at once, under a new key, with input, driver, started_ms, progress,
// list and grows of `run`.
outbox_db_status_t outbox_db_begin_run(outbox_db_t *self, const outbox_run_t *run,
                                       int64_t *ret_number);

// Another list: written at once, in one commit.
typedef struct {
    const outbox_run_t *run; // number 0: begins it. Else gives it progress, list, listed and grows
    const uint64_t *withdrawn; // tokens of the jobs whose hosts are not on the list any more
    size_t count;
    bool ends_others; // all other runs accept no more hosts: they end with their jobs
    // What the attributes of each recorded job become, in the buffer or as they are; settled ones
    // are asked for, too. NULL: they stay.
    mm_str_t (*attributes_of)(void *arg, mm_str_t host, mm_str_t attributes,
                              char buffer[MM_ATTRIBUTES_BYTES]);
    void *arg;
} outbox_relist_t;
outbox_db_status_t outbox_db_relist(outbox_db_t *self, const outbox_relist_t *change,
                                    int64_t unix_ms, int64_t *ret_number);
// The highest number of a kept list that a run has; 0: none has any.
outbox_db_status_t outbox_db_last_list(outbox_db_t *self, int64_t *ret_number);
// The hosts of outbox_db_set_unseen, one by one.
outbox_db_status_t outbox_db_unseen(outbox_db_t *self, int64_t run,
                                    void (*see)(void *arg, mm_str_t host), void *arg);
// Jobs that are withdrawn and not settled: of all runs, and of one. The latter reads the database.
uint64_t outbox_db_withdrawn(const outbox_db_t *self);
outbox_db_status_t outbox_db_withdrawn_of(outbox_db_t *self, int64_t run, uint64_t *ret_count);
// Reads one run; *ret_found is false and *ret_run untouched when there is none of that number.
outbox_db_status_t outbox_db_run(outbox_db_t *self, int64_t number, outbox_run_t *ret_run,
                                 bool *ret_found);
// The latest unfinished run whose number is below `before` (INT64_MAX: the latest of all).
outbox_db_status_t outbox_db_unfinished(outbox_db_t *self, int64_t before, outbox_run_t *ret_run,
                                        bool *ret_found);
// The latest run, finished or not.
outbox_db_status_t outbox_db_latest(outbox_db_t *self, outbox_run_t *ret_run, bool *ret_found);

// The batch: these copy what they need, write nothing before the commit, and take effect in order.
//
// Adds a job. Its token, which is returned, is greater than the tokens of all jobs before: jobs are
// loaded in the order of their tokens.
uint64_t outbox_db_put(outbox_db_t *self, int64_t run, const mm_id_t *id, mm_str_t host,
                       mm_str_t attributes);
// The job just added is withdrawn from the beginning: the run must not restart its host.
void outbox_db_withdraw_put(outbox_db_t *self, uint64_t token);
// The run must not restart this host.
void outbox_db_set_unseen(outbox_db_t *self, int64_t run, mm_str_t host);
void outbox_db_set_progress(outbox_db_t *self, int64_t run, const source_progress_t *progress);
void outbox_db_set_times(outbox_db_t *self, int64_t run, const void *data, size_t size);
// Whether the publisher has ended this run in order; false in a run that was begun or resumed.
void outbox_db_set_clean(outbox_db_t *self, int64_t run, bool clean);
// Deletes the job and counts it in its run; a dead one is recorded with its error. A job that was
// deleted before changes nothing: a second ack does not count. It reads token and run of the row,
// and of a dead job the rest, too.
void outbox_db_settle(outbox_db_t *self, const outbox_row_t *job, mm_outcome_t outcome,
                      uint32_t attempts);

// Changes that wait for a commit. The caller bounds them: while commits return RETRY it reads no
// more from its source, and sends no job that it has added.
size_t outbox_db_pending(const outbox_db_t *self);
// Writes the batch in one transaction. A run whose source has ended and whose jobs are all settled
// is finished in the same commit, at unix_ms. Without changes it does nothing.
outbox_db_status_t outbox_db_commit(outbox_db_t *self, int64_t unix_ms);

// Gives the space of settled jobs back, if that is most of the file. For the end of a publisher: it
// takes up to some tenths of a second. RETRY: another time.
outbox_db_status_t outbox_db_vacuum(outbox_db_t *self);

// Recorded jobs of all runs, after the last commit.
uint64_t outbox_db_backlog(const outbox_db_t *self);
// Loads up to `limit` committed jobs in order of their tokens, behind `after` (0: from the first).
// The rows and their texts live until the next call of this or of outbox_db_dead.
outbox_db_status_t outbox_db_load(outbox_db_t *self, uint64_t after, size_t limit,
                                  const outbox_row_t **ret_rows, size_t *ret_count);
// The newest recorded id; *ret_found is false and *ret_id untouched when there is no job. New ids
// must be above it, so that ids have the order of tokens.
outbox_db_status_t outbox_db_newest(outbox_db_t *self, mm_id_t *ret_id, bool *ret_found);
// Loads the dead jobs of a run likewise, in order of their ids (NULL: from the first).
outbox_db_status_t outbox_db_dead(outbox_db_t *self, int64_t run, const mm_id_t *after,
                                  size_t limit, const outbox_row_t **ret_rows, size_t *ret_count);

#endif
