// Which run this start of the publisher belongs to, and its source (design: "A run"). The same
// command resumes an unfinished run and begins a new one after a finished one; jobs left over from
// another driver are refused, so that a demo never restarts real hosts, nor the other way round.

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

// Finds or begins the run and opens its source. Returns 0, or a sysexits code with one sentence
// (or, for bad input, up to ten bad lines) in error.
int run_open(const mm_options_t *options, uint64_t seed, outbox_db_t *db, run_t *ret_run,
             char error[SOURCE_ERROR_MAX]);
void run_close(run_t *run);

#endif
