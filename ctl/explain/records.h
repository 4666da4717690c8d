// What the two databases of a pipeline say about a host's jobs: the outbox (is the job pending?)
// and the record (received, attempts, outcome, proof), also one of version 1. Opens them read-only,
// also while the pipeline runs.

#ifndef RECORDS_H
#define RECORDS_H

#include "job.h"

// A run of the publisher.
typedef struct {
    int64_t number;
    char *input;
    char *driver;
    int64_t started_ms;  // Unix time
    int64_t finished_ms; // 0: unfinished
    bool is_read;        // its input was read to the end
} run_t;

// An attempt at a real restart, which record_schema.h describes. NULL: not known, or not yet.
typedef struct {
    int64_t number;
    char *state; // mm_row_name
    char *worker;
    int64_t began_ms;  // Unix time; 0: it has not begun
    int64_t ended_ms;  // Unix time; 0: it has not ended
    char *machine_id;  // of the host
    char *boot_before; // the host's boot before the restart
    char *boot_after;
    int64_t exit;  // -1: not known; 256 + n: signal n
    char *outcome; // mm_end_name
    char *error;
    char *proof;     // mm_proof_name
    int64_t command; // the last one of its list; 0: none
    char *command_end;
    char *health; // of the host before the restart
    bool owes;    // what --after does, unless a later one does
} recorded_t;

typedef struct {
    mm_id_t id;
    char *host;       // NULL: neither database knows the job
    int64_t run;      // that accepted it; 0: not known
    bool is_pending;  // in the outbox, and not settled there
    bool is_recorded; // it has a row in the record, which the fields below are from
    char *publisher;
    int64_t received_ms; // Unix time
    int64_t settled_ms;  // 0: not settled
    mm_outcome_t outcome;
    int64_t attempts;
    int64_t deliveries;
    int64_t extended;
    char *worker;         // NULL: none
    char *error;          // NULL: none
    char *proof;          // mm_proof_name; NULL: not restarted, or not known
    recorded_t *recorded; // oldest first; the mock has none
    size_t recorded_count;
    size_t recorded_capacity;
} record_t;

typedef struct {
    char *host;      // NULL: an id was asked for that neither database knows
    record_t *items; // its jobs, oldest first
    size_t count;
    size_t capacity;
    record_t *asked; // the job of the id, or the newest of the host; NULL: none
    run_t *runs;     // oldest first
    size_t run_count;
    size_t run_capacity;
} records_t;

// Where to look, and what for: id or host is given.
typedef struct {
    const char *dir;
    const char *db;    // the record, a path or a URI (record_uri.h)
    const mm_id_t *id; // this job, and all others of its host
    const char *host;
} records_query_t;

// Returns 0, or a sysexits code with one sentence in error: 66 when there is no pipeline, else as
// mm_reader_open. An unknown id gives one item without a host, an unknown host none. The caller
// clears the records.
int records_read(const records_query_t *query, records_t *ret_records, char error[MM_ERROR_MAX]);
void records_clear(records_t *self);

// The run of that number; NULL: there is none.
const run_t *records_run(const records_t *self, int64_t number);

#endif
