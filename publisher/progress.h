// Progress of a run on standard error: a bar on a terminal, else a line every second. The bar fits
// the terminal, down to 40 columns. TERM=dumb and NO_COLOR mean lines. What begins to hold the run
// back has a line of its own, once.

#ifndef PROGRESS_H
#define PROGRESS_H

#include "held_news.h"
#include "intake.h"
#include "options.h"

#define PROGRESS_REASON 48

typedef struct {
    mm_progress_t kind; // never AUTO
    int64_t shown_ms;
    int64_t started_ms;
    bool has_ended;
    uint64_t started_with; // hosts settled when this process began
    const char *dir;       // of the run, for what helps; the caller's
    held_news_t held;
    // As the consumer has told it.
    int64_t told_ms; // MM_NEVER: not yet
    uint64_t restarting;
    char reason[PROGRESS_REASON]; // why most of the others wait; empty: it is not known
} progress_t;

progress_t progress_new(mm_progress_t kind, const char *dir, int64_t now_ms,
                        const intake_counts_t *counts);
// What the consumer tells of progress, a JSON object; another text changes nothing. Shows what
// holds back, when that is new.
void progress_tell(progress_t *self, mm_str_t text, int64_t now_ms);

// "12 of 500 hosts, 1 dead, 1m21s left, 5 in progress, 6/min, 483 wait: limit of restarts at once":
// as many of these parts as fit into `width` bytes, the first always. What waits for a halt, a
// breaker, a window, a bake or the guard has no time that is left. Returns the bytes.
#define PROGRESS_TEXT 256
size_t progress_text(const progress_t *self, int64_t now_ms, const intake_counts_t *counts,
                     size_t width, char text[PROGRESS_TEXT]);

// Shows the state, if the time for it has come.
void progress_show(progress_t *self, int64_t now_ms, const intake_counts_t *counts);
// Shows the last state, in which nothing is in progress, and ends the line. To be called in any
// case.
void progress_end(progress_t *self, int64_t now_ms, const intake_counts_t *counts);
// When progress_show is due next; MM_NEVER: never.
int64_t progress_deadline(const progress_t *self);

#endif
