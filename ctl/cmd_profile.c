// mayhemctl profile and mayhemctl diff.

#include "ctl.h"
#include "profile_out.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char profile_help[] =
    "usage: mayhemctl profile [OPTION]...\n"
    "\n"
    "  --read PATH        profiles that were saved: a file, or all of a folder\n"
    "  --process NAME     only this process, or all of this role\n"
    "  --sort KEY         tottime (default), cumtime, ncalls, file\n"
    "  --rows N           at most so many rows; 0: all (default)\n"
    "  --format FORMAT    table (default), callgrind (for KCacheGrind), folded (for flame "
    "graphs),\n"
    "                     json (to be read again)\n"
    "  -o, --output FILE  write there instead of to standard output\n";

typedef enum { FORMAT_TABLE, FORMAT_CALLGRIND, FORMAT_FOLDED, FORMAT_JSON } format_t;

typedef struct {
    const char *read;
    const char *process;
    const char *output;
    profile_sort_t sort;
    format_t format;
    size_t rows;
} profile_options_t;

// The place of a word in a list; -1: it is not in it, which is then said.
static int find_word(const char *option, const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    (void)fprintf(stderr, "mayhemctl: %s is '%s'; it must be one of:", option, word);
    for (int i = 0; i < count; i++)
        (void)fprintf(stderr, " %s", words[i]);
    (void)fputc('\n', stderr);
    return -1;
}

static bool take_option(profile_options_t *self, int option, const char *value)
{
    static const char *const sorts[] = {"tottime", "cumtime", "ncalls", "file"};
    static const char *const formats[] = {"table", "callgrind", "folded", "json"};
    int place;
    char *end;
    switch (option) {
    case 'r': self->read = value; return true;
    case 'p': self->process = value; return true;
    case 'o': self->output = value; return true;
    case 's':
        place = find_word("--sort", value, sorts, 4);
        self->sort = (profile_sort_t)place;
        return place >= 0;
    case 'f':
        place = find_word("--format", value, formats, 4);
        self->format = (format_t)place;
        return place >= 0;
    case 'n':
        errno = 0;
        self->rows = strtoul(value, &end, 10);
        if (*value >= '0' && *value <= '9' && *end == '\0' && errno == 0)
            return true;
        (void)ctl_fail(EX_USAGE, "--rows is '%s'; it must be a number", value);
        return false;
    default: (void)fputs("mayhemctl profile --help says more\n", stderr); return false;
    }
}

// False: end with *ret_exit_code.
static bool parse(int argc, char **argv, profile_options_t *ret_options, int *ret_exit_code)
{
    static const struct option names[] = {
        {"read", required_argument, NULL, 'r'},   {"process", required_argument, NULL, 'p'},
        {"sort", required_argument, NULL, 's'},   {"rows", required_argument, NULL, 'n'},
        {"format", required_argument, NULL, 'f'}, {"output", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    *ret_exit_code = EX_USAGE;
    for (int option; (option = getopt_long(argc, argv, "o:h", names, NULL)) >= 0;) {
        if (option == 'h') {
            (void)fputs(profile_help, stdout);
            *ret_exit_code = 0;
            return false;
        }
        if (!take_option(ret_options, option, optarg))
            return false;
    }
    if (optind < argc) {
        *ret_exit_code = ctl_fail(EX_USAGE, "'%s' is no option of profile", argv[optind]);
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

int ctl_profile(int argc, char **argv)
{
    profile_options_t options = {0};
    int exit_code;
    if (!parse(argc, argv, &options, &exit_code))
        return exit_code;
    profiles_t profiles = {0};
    char error[PROFILES_ERROR_MAX];
    if (!options.read)
        return ctl_fail(EX_USAGE, "say what to read: --read PATH");
    if (!profiles_read(&profiles, options.read, error)) {
        profiles_clear(&profiles);
        return ctl_fail(EX_DATAERR, "%s", error);
    }
    if (options.process)
        profiles_only(&profiles, options.process);
    exit_code = profiles.count > 0
                    ? write_out(&profiles, &options)
                    : ctl_fail(EX_DATAERR, "no process '%s' is in it", options.process);
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
