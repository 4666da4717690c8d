// See progress.h.

#include "progress.h"
#include "inherited.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_MS    100
#define LINE_MS   1000
#define BAR_SIZE  30
#define BAR_LEAST 3
#define WIDTH     80 // of a terminal that does not tell

static uint64_t settled_of(const intake_counts_t *counts)
{
    return counts->restarted + counts->dead + counts->skipped + counts->withdrawn;
}

progress_t progress_new(mm_progress_t kind, int64_t now_ms, const intake_counts_t *counts)
{
    if (kind == MM_PROGRESS_AUTO)
        kind = mm_inherited_may_draw() ? MM_PROGRESS_BAR : MM_PROGRESS_LINES;
    return (progress_t){
        .kind = kind, .shown_ms = now_ms, .started_ms = now_ms, .started_with = settled_of(counts)};
}

// "3s", "2m05s", "1h20m".
static void print_time(uint64_t seconds, char text[32])
{
    if (seconds < 60)
        (void)snprintf(text, 32, "%" PRIu64 "s", seconds);
    else if (seconds < 3600)
        (void)snprintf(text, 32, "%" PRIu64 "m%02" PRIu64 "s", seconds / 60, seconds % 60);
    else
        (void)snprintf(text, 32, "%" PRIu64 "h%02" PRIu64 "m", seconds / 3600, seconds / 60 % 60);
}

// The parts of the line, the most important first; those that do not fit into `width` are left out.
size_t progress_text(const progress_t *self, int64_t now_ms, const intake_counts_t *counts,
                     size_t width, char text[PROGRESS_TEXT])
{
    char parts[4][64] = {"", "", "", ""}, left[32];
    uint64_t settled = settled_of(counts);
    int64_t took_ms = now_ms - self->started_ms;
    double rate = took_ms > 0 ? (double)(settled - self->started_with) * 1000 / (double)took_ms : 0;
    const char *word = self->kind == MM_PROGRESS_BAR ? "" : " settled";
    if (counts->total > 0)
        (void)snprintf(parts[0], 64, "%" PRIu64 " of %" PRIu64 "%s", settled, counts->total, word);
    else
        (void)snprintf(parts[0], 64, "%" PRIu64 " settled", settled);
    (void)snprintf(parts[1], 64, ", %" PRIu64 " dead", counts->dead);
    if (counts->total > settled && rate > 0) {
        print_time((uint64_t)((double)(counts->total - settled) / rate + 0.5), left);
        (void)snprintf(parts[2], 64, ", %s left", left);
    }
    (void)snprintf(parts[3], 64, ", %.0f/s", rate);
    size_t used = 0;
    for (int i = 0; i < 4; i++) {
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
