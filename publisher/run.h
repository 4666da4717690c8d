// Which run this start of the publisher belongs to, and its source (docs/operations.md, "A run").
// The same command resumes an unfinished run and begins a new one after a finished one. Jobs left
// over from another driver are refused, so that a demo never restarts real hosts.

#ifndef RUN_H
#define RUN_H

#include "options.h"
#include "outbox_db.h"

typedef struct {
    int64_t number;
    source_t *source;
    bool is_file;    // a file or a stream, read only as fast as jobs settle
    bool is_endless; // the generator without --jobs: told to stop, it has ended
    bool resumed;
    uint64_t left_over; // jobs of other runs that are finished along the way
} run_t;

// Finds or begins the run and opens its source. begun: the run that the same run.sh has had begun,
// which is gone on with even if it is finished; or 0. Returns 0, or a sysexits code with one
// sentence (or, for bad input, up to ten bad lines) in error.
int run_open(const mm_options_t *options, uint64_t seed, int64_t begun, outbox_db_t *db,
             run_t *ret_run, char error[SOURCE_ERROR_MAX]);
void run_close(run_t *run);

// Tells run.sh, in DIR/publisher.run, that there is a run to sum up; run.sh removes the file before
// it starts anything, and at its end.
void run_mark(const run_t *run, const char *dir);
// The number of the run that was marked last; 0 when there is none.
int64_t run_marked(const char *dir);

#endif
