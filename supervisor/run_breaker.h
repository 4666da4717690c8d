// The breaker of a run that a command goes on with: whether what is on record of it lets anything
// begin. A trip stays until `mayhem resume`; one of --max-dead also until a command has a higher
// limit. Hosts that were dead at a resume do not count for --max-dead.

#ifndef RUN_BREAKER_H
#define RUN_BREAKER_H

#include "held_record.h"
#include "run_settings.h"

#define RUN_BREAKER_WHY 256

typedef struct {
    mm_held_record_t held;     // of the record
    uint64_t run;              // whose trips count; 0: none has begun
    bool goes_on;              // with a run that has not finished
    int64_t dead;              // hosts of that
    int64_t forgiven;          // of those: before the last resume
    bool is_tripped;           // the whole run: nothing begins
    bool is_by_max_dead;       // nothing but --max-dead has tripped it
    bool is_lifted;            // by a higher --max-dead: it is not in force any more
    char why[RUN_BREAKER_WHY]; // it has tripped
} run_breaker_t;

// Reads the outbox and the record, as far as they are there. Clear it in any case.
run_breaker_t run_breaker_read(const run_settings_t *settings);
void run_breaker_clear(run_breaker_t *self);

// Before anything is started; a run has the lock of the folder then. True: nothing can begin, since
// the whole run has tripped, or each group that hosts are left of; self->why says so behind
// "stopped by". Of a list that is a stream, and of invented hosts, groups are not known.
bool run_breaker_stops(run_breaker_t *self, const run_settings_t *settings);
// Else: what is counted from a resume on is passed to the consumer, and a higher --max-dead is put
// on record as a resume. Returns 0, or an exit code after a complaint.
int run_breaker_pass(const run_breaker_t *self, run_settings_t *settings);

#endif
