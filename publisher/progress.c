// See progress.h.

#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR_MS   100
#define LINE_MS  1000
#define BAR_SIZE 30

progress_t progress_new(mm_progress_t kind, int64_t now_ms, const intake_counts_t *counts)
{
    if (kind == MM_PROGRESS_AUTO)
        kind = isatty(STDERR_FILENO) ? MM_PROGRESS_BAR : MM_PROGRESS_LINES;
    return (progress_t){.kind = kind,
                        .shown_ms = now_ms,
                        .started_ms = now_ms,
                        .started_with = counts->restarted + counts->dead};
}

static void print_state(const progress_t *self, int64_t now_ms, const intake_counts_t *counts)
{
    uint64_t settled = counts->restarted + counts->dead;
    int64_t took_ms = now_ms - self->started_ms;
    double rate = took_ms > 0 ? (double)(settled - self->started_with) * 1000 / (double)took_ms : 0;
    char bar[BAR_SIZE + 1] = "";
    if (self->kind == MM_PROGRESS_BAR && counts->total > 0) {
        size_t full = (size_t)(settled * BAR_SIZE / counts->total);
        memset(bar, '.', BAR_SIZE);
        memset(bar, '#', full < BAR_SIZE ? full : BAR_SIZE);
    }
    const char *start = self->kind == MM_PROGRESS_BAR ? "\r\033[K" : "";
    if (counts->total > 0)
        (void)fprintf(
            stderr, "%s%s%s%s%" PRIu64 " of %" PRIu64 " settled, %" PRIu64 " dead, %.0f/s", start,
            *bar ? "[" : "", bar, *bar ? "] " : "", settled, counts->total, counts->dead, rate);
    else
        (void)fprintf(stderr, "%s%" PRIu64 " settled, %" PRIu64 " dead, %.0f/s", start, settled,
                      counts->dead, rate);
    if (self->kind == MM_PROGRESS_LINES)
        (void)putc('\n', stderr);
    (void)fflush(stderr);
}

void progress_show(progress_t *self, int64_t now_ms, const intake_counts_t *counts)
{
    if (now_ms < progress_deadline(self))
        return;
    print_state(self, now_ms, counts);
    self->shown_ms = now_ms;
}

void progress_end(const progress_t *self, int64_t now_ms, const intake_counts_t *counts)
{
    if (self->kind == MM_PROGRESS_OFF)
        return;
    print_state(self, now_ms, counts);
    if (self->kind == MM_PROGRESS_BAR)
        (void)putc('\n', stderr);
}

int64_t progress_deadline(const progress_t *self)
{
    if (self->kind == MM_PROGRESS_OFF)
        return MM_NEVER;
    return self->shown_ms + (self->kind == MM_PROGRESS_BAR ? BAR_MS : LINE_MS);
}
