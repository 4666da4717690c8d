// mayhemctl top: a pipeline as it runs, or as it ran, on a terminal or line by line.

#include "clock.h"
#include "ctl.h"
#include "snapshot_feed.h"
#include "target.h"
#include "terminal.h"
#include "top.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define BATCH_WIDTH 120

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

typedef struct {
    target_t place;
    const char *record;
    const char *replay;
    double speed; // -1: not given
    bool is_batch;
    bool is_json;
    uint64_t delay;
    uint64_t count; // 0: no end
    screen_sort_t sort;
} top_options_t;

static bool parse_speed(const char *text, double *ret_speed)
{
    char *end;
    errno = 0;
    double speed = strtod(text, &end);
    // A comparison that fails for what is no number, too.
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || !(speed <= 1e6)) {
        (void)ctl_fail(EX_USAGE, "--speed is '%s'; it must be a number from 0 to 1000000", text);
        return false;
    }
    *ret_speed = speed;
    return true;
}

static bool parse_option(top_options_t *self, int option, const char *value)
{
    int place;
    switch (option) {
    case 'D': self->place.dir = value; return true;
    case 'C': self->place.consumer = value; return true;
    case 'R': self->record = value; return true;
    case 'P': self->replay = value; return true;
    case 'b': self->is_batch = true; return true;
    case 'j': self->is_batch = self->is_json = true; return true;
    case 'd': return ctl_number("-d", value, 1, 3600, &self->delay);
    case 'n': return ctl_number("-n", value, 1, 1000000000, &self->count);
    case 'x': return parse_speed(value, &self->speed);
    case 's':
        place = ctl_find_word("--sort", value, screen_sort_names, SCREEN_SORTS);
        self->sort = (screen_sort_t)place;
        return place >= 0;
    default: (void)fputs("mayhemctl top --help says more\n", stderr); return false;
    }
}

// 0, or what is wrong with them together, which is said.
static int check(const top_options_t *options)
{
    if (options->replay && (options->place.dir || options->place.consumer))
        return ctl_fail(EX_USAGE, "--replay shows a recording: leave out --dir and --consumer");
    if (options->replay && options->record)
        return ctl_fail(EX_USAGE, "--replay shows a recording: it cannot be recorded again");
    if (!options->replay && options->speed >= 0)
        return ctl_fail(EX_USAGE, "--speed is for a recording: say which, with --replay FILE");
    if (options->count > 0 && !options->is_batch)
        return ctl_fail(EX_USAGE, "-n counts what is printed: it needs -b or --json");
    return 0;
}

// False: end with *ret_exit_code.
static bool parse(int argc, char **argv, top_options_t *options, int *ret_exit_code)
{
    static const struct option names[] = {
        {"dir", required_argument, NULL, 'D'},    {"consumer", required_argument, NULL, 'C'},
        {"record", required_argument, NULL, 'R'}, {"replay", required_argument, NULL, 'P'},
        {"speed", required_argument, NULL, 'x'},  {"sort", required_argument, NULL, 's'},
        {"delay", required_argument, NULL, 'd'},  {"count", required_argument, NULL, 'n'},
        {"batch", no_argument, NULL, 'b'},        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    *ret_exit_code = EX_USAGE;
    for (int option; (option = getopt_long(argc, argv, "bd:n:h", names, NULL)) >= 0;) {
        if (option == 'h') {
            (void)fputs(top_help, stdout);
            *ret_exit_code = 0;
            return false;
        }
        if (!parse_option(options, option, optarg))
            return false;
    }
    if (optind < argc) {
        *ret_exit_code = ctl_fail(EX_USAGE, "'%s' is no option of top", argv[optind]);
        return false;
    }
    *ret_exit_code = check(options);
    return *ret_exit_code == 0;
}

// ---- line by line

static bool print(const snapshot_t *snapshot, const top_options_t *options, bool is_first)
{
    if (options->is_json)
        return ctl_print_json(snapshot_json(snapshot));
    screen_view_t view = {.width = BATCH_WIDTH, .sort = options->sort};
    page_t *page = screen_top(snapshot, &view);
    if (!is_first)
        (void)fputc('\n', stdout);
    page_print(page, stdout);
    page_destroy(&page);
    return fflush(stdout) == 0;
}

// The first snapshot is not printed: it has no rates, and may lack who has not answered yet. In a
// recording it is the same one.
static int print_all(const top_options_t *options, feed_t *feed)
{
    uint64_t seen = 0, printed = 0;
    int64_t shown_ms = 0;
    bool is_gone = false;
    while (options->count == 0 || printed < options->count) {
        feed_news_t news = feed_next(feed, -1, TARGET_WAIT_MS);
        if (news.kind == FEED_END)
            return printed > 0 ? 0
                               : ctl_fail(EX_DATAERR, "cannot replay %s: it has no two snapshots",
                                          options->replay);
        if (news.kind == FEED_DAMAGED)
            return ctl_fail(feed_exit_code(feed), "%s", feed_error(feed));
        seen += news.kind == FEED_SNAPSHOT;
        if (news.kind == FEED_SNAPSHOT && (seen > 1 || !options->replay) &&
            top_is_due(news.snapshot, shown_ms, (int64_t)options->delay * 1000)) {
            if (!print(news.snapshot, options, printed == 0))
                return ctl_fail(EX_IOERR, "cannot write the output: %s", strerror(errno));
            shown_ms = news.snapshot->wall_ms;
            printed++;
        }
        bool is_silent = feed_silent_ms(feed) >= TARGET_WAIT_MS;
        if (is_silent && !is_gone)
            (void)ctl_fail(0, "no answer for 3 s: the pipeline is gone; asking on");
        is_gone = is_silent;
    }
    return 0;
}

// ---- the command

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
            return target_fail(&options->place);
    }
    if (options->is_batch)
        return print_all(options, feed);
    char title[MM_ENDPOINT_MAX + 32];
    (void)snprintf(title, sizeof title, "mayhemctl top  %.250s",
                   options->replay ? options->replay : options->place.address);
    return top_run(&(top_config_t){.title = title,
                                   .save_folder = options->replay || !options->place.is_local
                                                      ? NULL
                                                      : options->place.dir,
                                   .every_ms = (int64_t)options->delay * 1000,
                                   .sort = options->sort},
                   feed, first);
}

int ctl_top(int argc, char **argv)
{
    top_options_t options = {.speed = -1, .delay = 1};
    char error[FEED_ERROR_MAX];
    int exit_code;
    if (!parse(argc, argv, &options, &exit_code))
        return exit_code;
    if (!options.replay && (exit_code = target_find(&options.place)) != 0)
        return exit_code;
    if (!options.is_batch)
        terminal_block_signals();
    feed_t *feed =
        options.replay
            ? feed_replay(options.replay, options.speed < 0 ? 1 : options.speed, error, &exit_code)
            : feed_attach(&options.place.base);
    if (!feed)
        return ctl_fail(exit_code, "%s", error);
    exit_code = options.record && !feed_record(feed, options.record, error)
                    ? ctl_fail(EX_CANTCREAT, "%s", error)
                    : show(&options, feed);
    feed_destroy(&feed);
    return exit_code;
}
