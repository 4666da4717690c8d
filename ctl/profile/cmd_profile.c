// mayhem profile and mayhem diff.

#include "clock.h"
#include "collect.h"
#include "ctl.h"
#include "duration.h"
#include "profile_out.h"
#include "string_view.h"
#include "target.h"

#include <errno.h>
#include <sysexits.h>

static const char profile_usage[] =
    "usage: mayhem profile [OPTION]...\n\n"
    "Where the time of the event loops goes: of a running pipeline, or of what was saved of one.\n";

static const char *const sorts[] = {"tottime", "cumtime", "ncalls", "file", NULL};

typedef enum { FORMAT_TABLE, FORMAT_CALLGRIND, FORMAT_FOLDED, FORMAT_JSON } format_t;
static const char *const formats[] = {"table", "callgrind", "folded", "json", NULL};

typedef struct {
    target_t target;
    const char *last;
    uint32_t seconds; // of last; 0: since the start
    const char *read;
    const char *process;
    const char *output;
    int sort;
    int format;
    uint64_t rows;
} profile_options_t;

static int parse_last(const char *text, uint32_t *ret_seconds)
{
    int64_t ms;
    const char *why = mm_duration_parse(mm_str(text), &ms);
    if (!why && (ms < 1000 || ms > MM_PROFILE_SLICES * 1000))
        why = "it must be from 1s to 10m";
    if (why)
        return ctl_fail(EX_USAGE, "--last is '%s'; %s", text, why);
    *ret_seconds = (uint32_t)((ms + 999) / 1000);
    return 0;
}

static int parse(int argc, char **argv, profile_options_t *self)
{
    const ctl_option_t options[] = {
        TARGET_OPTIONS(&self->target),
        {.name = "last",
         .argument = "TIME",
         .help = "only the last 30s, 5m, ...; 10m at most (default: since the start)",
         .text = &self->last},
        {.name = "read",
         .argument = "PATH",
         .help = "profiles that were saved instead: a file, or all of a folder",
         .text = &self->read},
        {.name = "process",
         .argument = "NAME",
         .help = "only this process, or all of this role",
         .text = &self->process},
        {.name = "output",
         .argument = "FILE",
         .help = "write there instead of to standard output",
         .letter = 'o',
         .text = &self->output},
        {.name = "sort",
         .argument = "KEY",
         .help = "of the table",
         .word = &self->sort,
         .words = sorts},
        {.name = "format",
         .argument = "FORMAT",
         .help = "for people, KCacheGrind, flame graphs, programs",
         .word = &self->format,
         .words = formats},
        {.name = "rows",
         .argument = "N",
         .help = "at most so many rows; 0: all",
         .number = &self->rows,
         .max = 1000000},
        {.name = NULL}};
    int exit_code = ctl_options(argc, argv, profile_usage, options, NULL);
    if (exit_code == 0 && self->last)
        exit_code = parse_last(self->last, &self->seconds);
    if (exit_code == 0 && self->read && (self->target.dir || self->target.consumer || self->last))
        exit_code = ctl_fail(EX_USAGE, "--read shows what was saved: leave out --dir, --consumer "
                                       "and --last");
    return exit_code;
}

static bool write_as(FILE *file, const profiles_t *profiles, const profile_options_t *options)
{
    switch ((format_t)options->format) {
    case FORMAT_TABLE:
        profile_out_table(file, profiles, (profile_sort_t)options->sort, (size_t)options->rows);
        break;
    case FORMAT_CALLGRIND: profile_out_callgrind(file, profiles); break;
    case FORMAT_FOLDED: profile_out_folded(file, profiles); break;
    case FORMAT_JSON: return ctl_write_json(file, profiles_json(profiles), JSON_INDENT(1));
    }
    return fflush(file) == 0 && !ferror(file);
}

static int write_out(const profiles_t *profiles, const profile_options_t *options)
{
    FILE *file = options->output ? fopen(options->output, "we") : stdout;
    if (!file)
        return ctl_fail(EX_CANTCREAT, "cannot write %s: %s", options->output, strerror(errno));
    bool is_good = write_as(file, profiles, options);
    if (!options->output)
        return ctl_end_output(is_good);
    is_good = fclose(file) == 0 && is_good;
    return is_good ? 0
                   : ctl_fail(EX_IOERR, "cannot write %s: %s", options->output, strerror(errno));
}

static int read_saved(const profile_options_t *options, profiles_t *profiles)
{
    char error[MM_ERROR_MAX];
    if (!profiles_read(profiles, options->read, error))
        return ctl_fail(EX_DATAERR, "%s", error);
    if (options->process)
        profiles_only(profiles, options->process);
    return profiles->count > 0 ? 0
                               : ctl_fail(EX_DATAERR, "no process '%s' is in it", options->process);
}

// Asks the processes of a pipeline.
static int collect_live(const profile_options_t *options, feed_t *feed, collect_t *collect)
{
    snapshot_t snapshot;
    if (!feed_look(feed, TARGET_WAIT_MS, &snapshot))
        return target_fail(&options->target, feed_complaint(feed));
    collect_begin(collect, feed, &snapshot, options->process, options->seconds, mm_clock_ms());
    snapshot_clear(&snapshot);
    if (collect->missing_count == 0)
        return ctl_fail(EX_UNAVAILABLE, "no process '%s' is in the pipeline at %s",
                        options->process ? options->process : "", options->target.address);
    while (!collect_is_done(collect, feed, mm_clock_ms())) {
        news_t news = feed_next(feed, -1, 50);
        if (news.kind == NEWS_PROFILE)
            collect_add(collect, news.json);
    }
    for (size_t i = 0; i < collect->missing_count; i++)
        (void)ctl_fail(0, "%s has not answered within %d s", collect->missing[i].text,
                       COLLECT_MS / 1000);
    return collect->profiles.count > 0
               ? 0
               : ctl_fail(EX_UNAVAILABLE, "no process has answered with its profile");
}

int ctl_profile(int argc, char **argv)
{
    profile_options_t options = {0};
    collect_t collect = {0};
    int exit_code = parse(argc, argv, &options);
    if (exit_code != 0)
        return exit_code;
    if (options.read) {
        exit_code = read_saved(&options, &collect.profiles);
    } else if ((exit_code = target_find(&options.target)) == 0) {
        feed_t *feed = feed_attach(&options.target.addresses, target_key(&options.target));
        exit_code = collect_live(&options, feed, &collect);
        feed_destroy(&feed);
    }
    if (exit_code == 0)
        exit_code = write_out(&collect.profiles, &options);
    collect_clear(&collect);
    return exit_code;
}

int ctl_diff(int argc, char **argv)
{
    static const char usage[] = "usage: mayhem diff BEFORE AFTER\n\n"
                                "Each is a saved profile, or a folder of them.\n";
    profiles_t sides[2] = {{0}};
    char **names, error[MM_ERROR_MAX];
    int exit_code = ctl_options(argc, argv, usage, &(ctl_option_t){.name = NULL}, &names);
    if (exit_code != 0)
        return exit_code;
    if (!names[0] || !names[1] || names[2]) {
        (void)fputs(usage, stderr);
        return EX_USAGE;
    }
    for (int i = 0; i < 2 && exit_code == 0; i++)
        if (!profiles_read(&sides[i], names[i], error))
            exit_code = ctl_fail(EX_DATAERR, "%s", error);
    if (exit_code == 0)
        profile_out_diff(stdout, &sides[0], &sides[1]);
    profiles_clear(&sides[0]);
    profiles_clear(&sides[1]);
    return exit_code;
}
