// See progress.h.

#include "progress.h"
#include "duration.h"
#include "inherited.h"
#include "reason.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_MS    100
#define LINE_MS   1000
#define BAR_SIZE  30
#define BAR_LEAST 3
#define WIDTH     80   // of a terminal that does not tell
#define TOLD_MS   5000 // what the consumer has told is shown for so long
#define PART      112

static uint64_t settled_of(const intake_counts_t *counts)
{
    return counts->restarted + counts->dead + counts->skipped + counts->withdrawn;
}

progress_t progress_new(mm_progress_t kind, const char *dir, int64_t now_ms,
                        const intake_counts_t *counts)
{
    if (kind == MM_PROGRESS_AUTO)
        kind = mm_inherited_may_draw() ? MM_PROGRESS_BAR : MM_PROGRESS_LINES;
    return (progress_t){.kind = kind,
                        .shown_ms = now_ms,
                        .started_ms = now_ms,
                        .started_with = settled_of(counts),
                        .dir = dir,
                        .told_ms = MM_NEVER};
}

static void show_news(progress_t *self, const json_t *told)
{
    char *lines = held_news_tell(&self->held, told, mm_inherited_called(), self->dir);
    if (lines)
        (void)fprintf(stderr, "%s%s", self->kind == MM_PROGRESS_BAR ? "\r\033[K" : "", lines);
    free(lines);
}

void progress_tell(progress_t *self, mm_str_t text, int64_t now_ms)
{
    json_t *json = json_loadb(text.data, text.size, 0, NULL);
    const json_t *restarting = json_object_get(json, "restarting");
    const char *reason = json_string_value(json_object_get(json, "reason"));
    if (json_is_integer(restarting) && json_integer_value(restarting) >= 0) {
        self->told_ms = now_ms;
        self->restarting = (uint64_t)json_integer_value(restarting);
        (void)snprintf(self->reason, sizeof self->reason, "%s", reason ? reason : "");
        if (self->kind != MM_PROGRESS_OFF)
            show_news(self, json);
    }
    json_decref(json);
}

static bool has_news(const progress_t *self, int64_t now_ms)
{
    return self->told_ms != MM_NEVER && now_ms - self->told_ms <= TOLD_MS;
}

// The run has ended, or most of what waits does so until somebody, or a clock, lets it go on: no
// rate says when.
static bool has_no_end(const progress_t *self, int64_t now_ms)
{
    static const mm_reason_t holds[] = {MM_REASON_HALT,  MM_REASON_BREAKER, MM_REASON_WINDOW,
                                        MM_REASON_GUARD, MM_REASON_DENIED,  MM_REASON_BAKE};
    if (self->has_ended)
        return true;
    for (size_t i = 0; i < sizeof holds / sizeof *holds; i++)
        if (strcmp(self->reason, mm_reason_name(holds[i])) == 0)
            return has_news(self, now_ms);
    return false;
}

// What the consumer has told, unless that is long ago. It may not know yet what is settled since.
static void print_told(const progress_t *self, int64_t now_ms, const intake_counts_t *counts,
                       char restarting[PART], char waiting[PART])
{
    uint64_t settled = settled_of(counts), in_progress = self->has_ended ? 0 : self->restarting;
    if (!has_news(self, now_ms))
        return;
    uint64_t left = counts->total > settled ? counts->total - settled : 0;
    if (counts->total > 0 && in_progress > left)
        in_progress = left;
    (void)snprintf(restarting, PART, ", %" PRIu64 " in progress", in_progress);
    if (*self->reason && left > in_progress)
        (void)snprintf(waiting, PART, ", %" PRIu64 " wait: %s", left - in_progress, self->reason);
}

// The parts of the line, the most important first; those that do not fit into `width` are left out.
size_t progress_text(const progress_t *self, int64_t now_ms, const intake_counts_t *counts,
                     size_t width, char text[PROGRESS_TEXT])
{
    enum { SETTLED, SKIPPED, DEAD, LEFT, RESTARTING, RATE, WAITING, PARTS };
    char parts[PARTS][PART] = {""}, left[MM_DURATION_TEXT];
    uint64_t settled = settled_of(counts);
    int64_t took_ms = now_ms - self->started_ms;
    double rate = took_ms > 0 ? (double)(settled - self->started_with) * 1000 / (double)took_ms : 0;
    const char *word = self->kind == MM_PROGRESS_BAR ? "" : " settled";
    if (counts->total > 0)
        (void)snprintf(parts[SETTLED], PART, "%" PRIu64 " of %" PRIu64 " hosts%s", settled,
                       counts->total, word);
    else
        (void)snprintf(parts[SETTLED], PART, "%" PRIu64 " hosts settled", settled);
    if (counts->skipped > 0)
        (void)snprintf(parts[SKIPPED], PART, ", %" PRIu64 " skipped", counts->skipped);
    (void)snprintf(parts[DEAD], PART, ", %" PRIu64 " dead", counts->dead);
    if (counts->total > settled && rate > 0 && !has_no_end(self, now_ms))
        (void)snprintf(
            parts[LEFT], PART, ", %s left",
            mm_duration_show((int64_t)((double)(counts->total - settled) / rate + 0.5), left));
    print_told(self, now_ms, counts, parts[RESTARTING], parts[WAITING]);
    (void)snprintf(parts[RATE], PART, rate == 0 || rate >= 1 ? ", %.0f/s" : ", %.1f/min",
                   rate == 0 || rate >= 1 ? rate : 60 * rate);
    size_t used = 0;
    for (int i = 0; i < PARTS; i++) {
        size_t size = strlen(parts[i]);
        if (used + size <= width || i == 0) {
            memcpy(text + used, parts[i], size + 1);
            used += size;
        }
    }
    return used;
}

static size_t terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : WIDTH;
}

// The bar takes what the text leaves of the line.
static void print_bar(uint64_t settled, uint64_t total, size_t width)
{
    char bar[BAR_SIZE + 1] = "";
    if (total == 0 || width < BAR_LEAST + 3)
        return;
    size_t size = width - 3 < BAR_SIZE ? width - 3 : BAR_SIZE;
    size_t full = (size_t)(settled * size / total);
    memset(bar, '.', size);
    memset(bar, '#', full < size ? full : size);
    (void)fprintf(stderr, "[%s] ", bar);
}

static void print_state(const progress_t *self, int64_t now_ms, const intake_counts_t *counts)
{
    char text[PROGRESS_TEXT];
    if (self->kind == MM_PROGRESS_BAR) {
        size_t width = terminal_width() - 1; // the last column would wrap
        size_t reserved = width > BAR_LEAST + 3 ? BAR_LEAST + 3 : 0;
        size_t used = progress_text(self, now_ms, counts, width - reserved, text);
        (void)fputs("\r\033[K", stderr);
        print_bar(settled_of(counts), counts->total, width > used ? width - used : 0);
        (void)fputs(text, stderr);
    } else {
        (void)progress_text(self, now_ms, counts, PROGRESS_TEXT - 1, text);
        (void)fprintf(stderr, "%s\n", text);
    }
    (void)fflush(stderr);
}

void progress_show(progress_t *self, int64_t now_ms, const intake_counts_t *counts)
{
    if (now_ms < progress_deadline(self))
        return;
    print_state(self, now_ms, counts);
    self->shown_ms = now_ms;
}

void progress_end(progress_t *self, int64_t now_ms, const intake_counts_t *counts)
{
    held_news_clear(&self->held);
    if (self->kind == MM_PROGRESS_OFF)
        return;
    self->has_ended = true;
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
