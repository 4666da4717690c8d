// Progress on standard error while a run goes on: a bar on a terminal, else a line now and then.

#ifndef PROGRESS_H
#define PROGRESS_H

#include "intake.h"
#include "options.h"

typedef struct {
    mm_progress_t kind; // auto has been decided
    int64_t shown_ms;
    int64_t started_ms;
    uint64_t started_with; // settled when this epoch began
} progress_t;

progress_t progress_new(mm_progress_t kind, int64_t now_ms, const intake_counts_t *counts);
// Shows what has changed, if it is time to.
void progress_show(progress_t *self, int64_t now_ms, const intake_counts_t *counts);
// The last state, and the end of the line.
void progress_end(const progress_t *self, int64_t now_ms, const intake_counts_t *counts);
// When it wants to show the next state.
int64_t progress_deadline(const progress_t *self);

#endif
