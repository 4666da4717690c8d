// Progress of a run on standard error: a bar on a terminal, else a line per second.

#ifndef PROGRESS_H
#define PROGRESS_H

#include "intake.h"
#include "options.h"

typedef struct {
    mm_progress_t kind; // never auto
    int64_t shown_ms;
    int64_t started_ms;
    uint64_t started_with; // jobs settled before this start
} progress_t;

progress_t progress_new(mm_progress_t kind, int64_t now_ms, const intake_counts_t *counts);
// Shows the counts when the deadline has come. All times: CLOCK_MONOTONIC.
void progress_show(progress_t *self, int64_t now_ms, const intake_counts_t *counts);
// Shows the last counts and ends the line.
void progress_end(const progress_t *self, int64_t now_ms, const intake_counts_t *counts);
// When to show the counts next; MM_NEVER: never.
int64_t progress_deadline(const progress_t *self);

#endif
