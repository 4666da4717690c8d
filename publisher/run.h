// The run that this start of the publisher belongs to, and its source. A run is a set of hosts
// under one driver, from the first host to the last settled job. An unfinished one goes on by host
// with any list: what is done is not done again, new hosts are added, and those that have left the
// list are withdrawn (run_list.h). The list is read once, and kept (kept_list.h). After a finished
// run a new one begins. Jobs left over from another driver are refused, so that a demo never
// restarts real hosts, nor a real driver those of a demo; --take-over withdraws them, and begins a
// new run.

#ifndef RUN_H
#define RUN_H

#include "options.h"
#include "outbox_db.h"
#include "kept_list.h"
#include "input.h"

typedef struct {
    int64_t number;
    source_t *source;
    bool is_file;    // a file or a stream, read only as fast as jobs settle
    bool is_endless; // the generator without --jobs: a stop is its end
    bool resumed;
    bool waits; // the source is read when no job is withdrawn any more: a host may be the same
    int64_t starts_end_ms;   // of a list: from then on nothing begins, CLOCK_BOOTTIME; 0: never
    kept_list_t *growing;    // has each host of a stream before the outbox has it; else NULL
    input_own_t *own;        // NULL: nothing is restarted for real
    uint64_t key;            // of the run, which no other one has
    policy_groups_t *policy; // how many hosts of the list its groups have; NULL: there is none
    uint64_t left_over;      // jobs of other runs, which are finished along the way
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
// The same with a second line: why the rest of the input cannot be read.
void run_mark_bad_input(const run_t *run, const char *dir, const char *error);
// The number that run_mark wrote last; 0: there is none.
int64_t run_marked(const char *dir);

#endif
