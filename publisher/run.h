// The run that this start of the publisher belongs to, and its source. The same command resumes an
// unfinished run, and begins a new one after a finished one. A run with jobs left of another driver
// is refused: a demo never restarts real hosts, nor the other way round.

#ifndef RUN_H
#define RUN_H

#include "options.h"
#include "outbox_db.h"

typedef struct {
    int64_t number;
    source_t *source;
    bool is_file;    // a file or a stream, read only as fast as jobs settle
    bool is_endless; // the generator without --jobs, which ends when the publisher stops
    bool resumed;
    uint64_t left_over; // jobs of other runs, which this run finishes
} run_t;

// Finds or begins the run and opens its source. begun: the run of the same run.sh, to resume even
// if it is finished; 0: none. Returns 0, or a sysexits code with one sentence (or, for bad input,
// up to ten bad lines) in error.
int run_open(const mm_options_t *options, uint64_t seed, int64_t begun, outbox_db_t *db,
             run_t *ret_run, char error[SOURCE_ERROR_MAX]);
void run_close(run_t *run);

// Writes the run's number to DIR/publisher.run: run.sh then prints a summary. run.sh removes the
// file at its start and end.
void run_mark(const run_t *run, const char *dir);
// The number in DIR/publisher.run; 0: there is none.
int64_t run_marked(const char *dir);

#endif
