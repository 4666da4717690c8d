// mayhemctl top: a pipeline as it runs, or as it ran, on a terminal or printed. mayhemctl status:
// one look at it.

#include "clock.h"
#include "ctl.h"
#include "snapshot_feed.h"
#include "target.h"
#include "terminal.h"
#include "top.h"

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

#define WIDTH 120 // of what is printed

static const char top_help[] =
    "usage: mayhemctl top [OPTION]...\n"
    "\n" TARGET_HELP "  -b, --batch        print snapshots instead of drawing on the terminal\n"
    "  --json             print them as JSON, one object a line\n"
    "  -d, --delay SECONDS  between two snapshots: 1 (default) to 3600\n"
    "  -n, --count COUNT  end after so many snapshots (with -b or --json)\n"
    "  --sort KEY         role (default), rate, busy, cpu, held, p99, memory, failed\n"
    "  --record FILE      keep what is received, with profiles, to be replayed\n"
    "  --replay FILE      show a recording instead of a pipeline\n"
    "  --speed N          so many times as fast as it was; 0: as fast as it goes\n"
    "\n"
    "Keys: h shows them.\n";

static const char status_help[] = "usage: mayhemctl status [OPTION]...\n"
                                  "\n" TARGET_HELP "  --json             as one JSON object\n";

typedef struct {
    target_t target;
    const char *record;
    const char *replay;
    const char *speed_text;
    double speed;
    bool is_batch;
    bool is_json;
    uint64_t delay; // seconds
    uint64_t count; // 0: no end
    int sort;
} top_options_t;

static bool parse_speed(const char *text, double *ret_speed)
{
    char *end;
    errno = 0;
    double speed = strtod(text, &end);
    // The comparison is false for NaN, too.
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || !(speed <= 1e6)) {
        (void)ctl_fail(EX_USAGE, "--speed is '%s'; it must be a number from 0 to 1000000", text);
        return false;
    }
    *ret_speed = speed;
    return true;
}

// 0, or a sysexits code when the options do not fit together.
static int check(const top_options_t *options)
{
    if (options->replay && (options->target.dir || options->target.consumer))
        return ctl_fail(EX_USAGE, "--replay shows a recording: leave out --dir and --consumer");
    if (options->replay && options->record)
        return ctl_fail(EX_USAGE, "--replay shows a recording: it cannot be recorded again");
    if (!options->replay && options->speed_text)
        return ctl_fail(EX_USAGE, "--speed is for a recording: say which, with --replay FILE");
    if (options->count > 0 && !options->is_batch)
        return ctl_fail(EX_USAGE, "-n counts what is printed: it needs -b or --json");
    return 0;
}

// False: end with *ret_exit_code.
static bool parse(int argc, char **argv, top_options_t *self, int *ret_exit_code)
{
    const ctl_option_t options[] = {
        TARGET_OPTIONS(&self->target),
        {.name = "record", .text = &self->record},
        {.name = "replay", .text = &self->replay},
        {.name = "speed", .text = &self->speed_text},
        {.name = "sort", .word = &self->sort, .words = screen_sort_names},
        {.name = "delay", .letter = 'd', .number = &self->delay, .min = 1, .max = 3600},
        {.name = "count", .letter = 'n', .number = &self->count, .min = 1, .max = 1000000000},
        {.name = "batch", .letter = 'b', .flag = &self->is_batch},
        {.name = "json", .flag = &self->is_json},
        {.name = NULL}};
    if (!ctl_options(argc, argv, top_help, options, NULL, ret_exit_code) ||
        (self->speed_text && !parse_speed(self->speed_text, &self->speed)))
        return false;
    self->is_batch = self->is_batch || self->is_json;
    *ret_exit_code = check(self);
    if (*ret_exit_code == 0 && !self->replay)
        *ret_exit_code = target_find(&self->target);
    return *ret_exit_code == 0;
}

// ---- printing

static bool print(const snapshot_t *snapshot, const top_options_t *options)
{
    if (options->is_json)
        return ctl_write_json(stdout, snapshot_json(snapshot), JSON_COMPACT);
    page_t *page = screen_top(
        snapshot, &(screen_view_t){.width = WIDTH, .sort = (screen_sort_t)options->sort});
    page_print(page, stdout);
    page_destroy(&page);
    return fflush(stdout) == 0;
}

// The first snapshot is not printed: it has no rates, and may lack processes. A recording has the
// same one.
static int print_all(const top_options_t *options, feed_t *feed)
{
    uint64_t seen = 0, printed = 0;
    int64_t shown_ms = 0;
    bool is_silent = false;
    while (options->count == 0 || printed < options->count) {
        news_t news = feed_next(feed, -1, TARGET_WAIT_MS);
        if (news.kind == NEWS_END)
            return printed > 0 ? 0
                               : ctl_fail(EX_DATAERR, "cannot replay %s: it has no two snapshots",
                                          options->replay);
        if (news.kind == NEWS_DAMAGED)
            return ctl_fail(feed_exit_code(feed), "%s", feed_error(feed));
        seen += news.kind == NEWS_SNAPSHOT;
        if (news.kind == NEWS_SNAPSHOT && (seen > 1 || !options->replay) &&
            top_is_due(news.snapshot, shown_ms, (int64_t)options->delay * 1000)) {
            if (printed > 0 && !options->is_json)
                (void)fputc('\n', stdout);
            if (!print(news.snapshot, options))
                return ctl_fail(EX_IOERR, "cannot write the output: %s", strerror(errno));
            shown_ms = news.snapshot->wall_ms;
            printed++;
        }
        is_silent = target_watch(feed_silent_ms(feed), is_silent);
    }
    return 0;
}

// ---- the commands

static int show(const top_options_t *options, feed_t *feed)
{
    const snapshot_t *first = NULL;
    if (!options->replay) {
        int64_t end_ms = mm_clock_ms() + TARGET_WAIT_MS;
        for (int64_t now_ms; !first && (now_ms = mm_clock_ms()) < end_ms;)
            first = feed_next(feed, -1, (int)(end_ms - now_ms)).snapshot;
        if (feed_exit_code(feed) != 0)
            return ctl_fail(feed_exit_code(feed), "%s", feed_error(feed));
        if (!first)
            return target_fail(&options->target);
    }
    if (options->is_batch)
        return print_all(options, feed);
    char title[MM_ENDPOINT_MAX + 32];
    (void)snprintf(title, sizeof title, "mayhemctl top  %.250s",
                   options->replay ? options->replay : options->target.address);
    bool is_local = !options->replay && !options->target.consumer;
    return top_run(&(top_config_t){.title = title,
                                   .save_folder = is_local ? options->target.dir : NULL,
                                   .every_ms = (int64_t)options->delay * 1000,
                                   .sort = (screen_sort_t)options->sort},
                   feed, first);
}

int ctl_top(int argc, char **argv)
{
    top_options_t options = {.speed = 1, .delay = 1};
    char error[MM_ERROR_MAX];
    int exit_code;
    if (!parse(argc, argv, &options, &exit_code))
        return exit_code;
    if (!options.is_batch)
        terminal_block_signals();
    feed_t *feed = options.replay ? feed_replay(options.replay, options.speed, error, &exit_code)
                                  : feed_attach(&options.target.base);
    if (!feed)
        return ctl_fail(exit_code, "%s", error);
    exit_code = options.record && !feed_record(feed, options.record)
                    ? ctl_fail(feed_exit_code(feed), "%s", feed_error(feed))
                    : show(&options, feed);
    feed_destroy(&feed);
    return exit_code;
}

int ctl_status(int argc, char **argv)
{
    top_options_t self = {0};
    const ctl_option_t options[] = {
        TARGET_OPTIONS(&self.target), {.name = "json", .flag = &self.is_json}, {.name = NULL}};
    snapshot_t snapshot = {0};
    int exit_code;
    if (!ctl_options(argc, argv, status_help, options, NULL, &exit_code))
        return exit_code;
    exit_code = target_find(&self.target);
    if (exit_code != 0)
        return exit_code;
    feed_t *feed = feed_attach(&self.target.base);
    bool is_there = feed_look(feed, TARGET_WAIT_MS, &snapshot);
    feed_destroy(&feed);
    if (!is_there)
        return target_fail(&self.target);
    if (!print(&snapshot, &self))
        exit_code = ctl_fail(EX_IOERR, "cannot write the output: %s", strerror(errno));
    snapshot_clear(&snapshot);
    return exit_code;
}
