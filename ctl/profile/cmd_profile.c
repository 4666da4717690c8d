// mayhemctl profile and mayhemctl diff.

#include "clock.h"
#include "collect.h"
#include "ctl.h"
#include "duration.h"
#include "profile_out.h"
#include "string_view.h"
#include "target.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char profile_help[] =
    "usage: mayhemctl profile [OPTION]...\n"
    "\n"
    "Of a running pipeline, or of what was saved of one.\n"
    "\n" TARGET_HELP
    "  --last TIME        only the last 30s, 5m, ...; 10m at most (default: since the start)\n"
    "  --read PATH        profiles that were saved instead: a file, or all of a folder\n"
    "  --process NAME     only this process, or all of this role\n"
    "  --sort KEY         tottime (default), cumtime, ncalls, file\n"
    "  --rows N           at most so many rows; 0: all (default)\n"
    "  --format FORMAT    table (default), callgrind (for KCacheGrind), folded (for flame "
    "graphs),\n"
    "                     json (to be read again)\n"
    "  -o, --output FILE  write there instead of to standard output\n";

typedef enum { FORMAT_TABLE, FORMAT_CALLGRIND, FORMAT_FOLDED, FORMAT_JSON } format_t;

typedef struct {
    target_t place;
    uint32_t seconds; // 0: since the start
    const char *read;
    const char *process;
    const char *output;
    profile_sort_t sort;
    format_t format;
    size_t rows;
} profile_options_t;

static bool parse_last(const char *text, uint32_t *ret_seconds)
{
    int64_t ms;
    const char *why = mm_duration_parse(mm_str(text), &ms);
    if (!why && (ms < 1000 || ms > MM_PROFILE_SLICES * 1000))
        why = "it must be from 1s to 10m";
    if (why) {
        (void)ctl_fail(EX_USAGE, "--last is '%s'; %s", text, why);
        return false;
    }
    *ret_seconds = (uint32_t)((ms + 999) / 1000);
    return true;
}

static bool parse_option(profile_options_t *self, int option, const char *value)
{
    static const char *const sorts[] = {"tottime", "cumtime", "ncalls", "file"};
    static const char *const formats[] = {"table", "callgrind", "folded", "json"};
    uint64_t rows = 0;
    int place;
    switch (option) {
    case 'r': self->read = value; return true;
    case 'p': self->process = value; return true;
    case 'o': self->output = value; return true;
    case 's':
        place = ctl_find_word("--sort", value, sorts, 4);
        self->sort = (profile_sort_t)place;
        return place >= 0;
    case 'f':
        place = ctl_find_word("--format", value, formats, 4);
        self->format = (format_t)place;
        return place >= 0;
    case 'n':
        if (!ctl_number("--rows", value, 0, 1000000, &rows))
            return false;
        self->rows = (size_t)rows;
        return true;
    case 'D': self->place.dir = value; return true;
    case 'C': self->place.consumer = value; return true;
    case 'l': return parse_last(value, &self->seconds);
    default: (void)fputs("mayhemctl profile --help says more\n", stderr); return false;
    }
}

// False: end with *ret_exit_code.
static bool parse(int argc, char **argv, profile_options_t *ret_options, int *ret_exit_code)
{
    static const struct option names[] = {{"dir", required_argument, NULL, 'D'},
                                          {"consumer", required_argument, NULL, 'C'},
                                          {"last", required_argument, NULL, 'l'},
                                          {"read", required_argument, NULL, 'r'},
                                          {"process", required_argument, NULL, 'p'},
                                          {"sort", required_argument, NULL, 's'},
                                          {"rows", required_argument, NULL, 'n'},
                                          {"format", required_argument, NULL, 'f'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    *ret_exit_code = EX_USAGE;
    for (int option; (option = getopt_long(argc, argv, "o:h", names, NULL)) >= 0;) {
        if (option == 'h') {
            (void)fputs(profile_help, stdout);
            *ret_exit_code = 0;
            return false;
        }
        if (!parse_option(ret_options, option, optarg))
            return false;
    }
    if (optind < argc) {
        *ret_exit_code = ctl_fail(EX_USAGE, "'%s' is no option of profile", argv[optind]);
        return false;
    }
    if (ret_options->read &&
        (ret_options->place.dir || ret_options->place.consumer || ret_options->seconds > 0)) {
        *ret_exit_code = ctl_fail(EX_USAGE, "--read shows what was saved: leave out --dir, "
                                            "--consumer and --last");
        return false;
    }
    return true;
}

static void write_as(FILE *file, const profiles_t *profiles, const profile_options_t *options)
{
    json_t *json;
    switch (options->format) {
    case FORMAT_TABLE: profile_out_table(file, profiles, options->sort, options->rows); break;
    case FORMAT_CALLGRIND: profile_out_callgrind(file, profiles); break;
    case FORMAT_FOLDED: profile_out_folded(file, profiles); break;
    case FORMAT_JSON:
        json = profiles_json(profiles);
        (void)json_dumpf(json, file, JSON_INDENT(1));
        (void)fputc('\n', file);
        json_decref(json);
        break;
    }
}

static int write_out(const profiles_t *profiles, const profile_options_t *options)
{
    FILE *file = options->output ? fopen(options->output, "we") : stdout;
    if (!file)
        return ctl_fail(EX_CANTCREAT, "cannot write %s: %s", options->output, strerror(errno));
    write_as(file, profiles, options);
    bool is_good = fflush(file) == 0 && !ferror(file);
    if (options->output)
        is_good = fclose(file) == 0 && is_good;
    return is_good ? 0
                   : ctl_fail(EX_IOERR, "cannot write %s: %s",
                              options->output ? options->output : "the output", strerror(errno));
}

static int read_saved(const profile_options_t *options, profiles_t *profiles)
{
    char error[PROFILES_ERROR_MAX];
    if (!profiles_read(profiles, options->read, error))
        return ctl_fail(EX_DATAERR, "%s", error);
    if (options->process)
        profiles_only(profiles, options->process);
    return profiles->count > 0 ? 0
                               : ctl_fail(EX_DATAERR, "no process '%s' is in it", options->process);
}

// Asks those who are there.
static int collect_live(const profile_options_t *options, feed_t *feed, collect_t *collect)
{
    snapshot_t snapshot;
    if (!feed_look(feed, TARGET_WAIT_MS, &snapshot))
        return target_fail(&options->place);
    collect_begin(collect, feed, &snapshot, options->process, options->seconds, mm_clock_ms());
    snapshot_clear(&snapshot);
    if (collect->missing_count == 0)
        return ctl_fail(EX_UNAVAILABLE, "no process '%s' is in the pipeline at %s",
                        options->process ? options->process : "", options->place.address);
    while (!collect_is_done(collect, feed, mm_clock_ms())) {
        feed_news_t news = feed_next(feed, -1, 50);
        if (news.kind == FEED_PROFILE)
            collect_take(collect, news.profile);
    }
    for (size_t i = 0; i < collect->missing_count; i++)
        (void)ctl_fail(0, "%s has not answered within %d s", collect->missing[i].text,
                       COLLECT_MS / 1000);
    return collect->profiles.count > 0
               ? 0
               : ctl_fail(EX_UNAVAILABLE, "no process has answered with its profile");
}

static int show_live(profile_options_t *options)
{
    int exit_code = target_find(&options->place);
    if (exit_code != 0)
        return exit_code;
    collect_t collect = {0};
    feed_t *feed = feed_attach(&options->place.base);
    exit_code = collect_live(options, feed, &collect);
    feed_destroy(&feed);
    if (exit_code == 0)
        exit_code = write_out(&collect.profiles, options);
    collect_clear(&collect);
    return exit_code;
}

int ctl_profile(int argc, char **argv)
{
    profile_options_t options = {0};
    int exit_code;
    if (!parse(argc, argv, &options, &exit_code))
        return exit_code;
    if (!options.read)
        return show_live(&options);
    profiles_t profiles = {0};
    exit_code = read_saved(&options, &profiles);
    if (exit_code == 0)
        exit_code = write_out(&profiles, &options);
    profiles_clear(&profiles);
    return exit_code;
}

int ctl_diff(int argc, char **argv)
{
    profiles_t sides[2] = {{0}};
    char error[PROFILES_ERROR_MAX];
    if (argc != 3) {
        (void)fputs("usage: mayhemctl diff BEFORE AFTER\n\nEach is a saved profile, or a folder of "
                    "them.\n",
                    argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : EX_USAGE;
    }
    int exit_code = 0;
    for (int i = 0; i < 2 && exit_code == 0; i++)
        if (!profiles_read(&sides[i], argv[1 + i], error))
            exit_code = ctl_fail(EX_DATAERR, "%s", error);
    if (exit_code == 0)
        profile_out_diff(stdout, &sides[0], &sides[1]);
    profiles_clear(&sides[0]);
    profiles_clear(&sides[1]);
    return exit_code;
}
