// The run that this start of the publisher belongs to, and its source. A run is one input under one
// driver, from the first host to the last settled job. The same command resumes an unfinished run,
// and begins a new one after a finished one. Jobs left over from another driver are refused, so
// that a demo never restarts real hosts, nor a real driver those of a demo.

#ifndef RUN_H
#define RUN_H

#include "options.h"
#include "outbox_db.h"
#include "own_host.h"

// Looks for this machine in the list.
typedef struct {
    const char *title; // of the sentence about it
    own_host_t *host;
    bool is_said;
} run_own_t;

typedef struct {
    int64_t number;
    source_t *source;
    bool is_file;    // a file or a stream, read only as fast as jobs settle
    bool is_endless; // the generator without --jobs: a stop is its end
    bool resumed;
    int64_t starts_end_ms; // of a list: from then on nothing begins, CLOCK_BOOTTIME; 0: never
    run_own_t *own;        // NULL: nothing is restarted for real
    uint64_t left_over;    // jobs of other runs, which are finished along the way
} run_t;

// Finds or begins the run and opens its source. begun: the run that an earlier publisher of the
// same supervisor has begun, which is resumed even if it is finished; 0: none. Returns 0, or a
// sysexits code with one sentence (for bad input up to ten bad lines) in error and *ret_run
// untouched.
int run_open(const mm_options_t *options, uint64_t seed, int64_t begun, outbox_db_t *db,
             run_t *ret_run, char error[SOURCE_ERROR_MAX]);
void run_close(run_t *run);

// Writes the number of the run to DIR/publisher.run, which tells the supervisor that there is a run
// to sum up. It removes the file before it starts anything, and at its end.
void run_mark(const run_t *run, const char *dir);
// The number that run_mark wrote last; 0: there is none.
int64_t run_marked(const char *dir);

#endif
