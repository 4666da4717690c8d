// mayhemctl lines.

#include "ctl.h"
#include "line_table.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char lines_help[] =
    "usage: mayhemctl lines [OPTION]... [FUNCTION]...\n"
    "\n"
    "Shows what each line of a function costs, of a run with ./run.sh --profile=lines. FUNCTION "
    "is\n"
    "a name, or FILE:NAME when several have it; without one the dearest functions are listed.\n"
    "\n"
    "  --dir DIR       the folder of the run (run)\n"
    "  --read PATH     callgrind's output: a file, or all *.out of a folder (DIR/profile/lines)\n"
    "  --process NAME  only this process, or all of this role; else their sum\n"
    "  --sort KEY      of the list: own (default: without what it calls), time (with it)\n"
    "  --top N         functions in the list (20)\n"
    "\n"
    "Hits: how often the line ran. Time: instructions executed in it, and in what it calls.\n";

typedef struct {
    const char *dir;
    const char *read;
    const char *process;
    bool by_time;
    size_t top;
} lines_options_t;

static bool parse_option(lines_options_t *self, int option, const char *value)
{
    static const char *const sorts[] = {"own", "time"};
    uint64_t top;
    int place;
    switch (option) {
    case 'd': self->dir = value; return true;
    case 'r': self->read = value; return true;
    case 'p': self->process = value; return true;
    case 's':
        place = ctl_find_word("--sort", value, sorts, 2);
        self->by_time = place == 1;
        return place >= 0;
    case 't':
        if (!ctl_number("--top", value, 0, SIZE_MAX, &top))
            return false;
        self->top = (size_t)top;
        return true;
    default: (void)fputs("mayhemctl lines --help says more\n", stderr); return false;
    }
}

// False: end with *ret_exit_code.
static bool parse(int argc, char **argv, lines_options_t *ret_options, int *ret_exit_code)
{
    static const struct option names[] = {{"dir", required_argument, NULL, 'd'},
                                          {"read", required_argument, NULL, 'r'},
                                          {"process", required_argument, NULL, 'p'},
                                          {"sort", required_argument, NULL, 's'},
                                          {"top", required_argument, NULL, 't'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    *ret_exit_code = EX_USAGE;
    for (int option; (option = getopt_long(argc, argv, "h", names, NULL)) >= 0;) {
        if (option == 'h') {
            (void)fputs(lines_help, stdout);
            *ret_exit_code = 0;
            return false;
        }
        if (!parse_option(ret_options, option, optarg))
            return false;
    }
    return true;
}

// "NAME", or "FILE:NAME" with the end of a file's name.
static bool is_wanted(const costed_file_t *file, const source_function_t *function,
                      const char *wanted)
{
    const char *colon = strrchr(wanted, ':');
    if (!colon)
        return strcmp(function->name, wanted) == 0;
    size_t size = (size_t)(colon - wanted), path = strlen(file->source->name);
    return strcmp(function->name, colon + 1) == 0 && size <= path &&
           strncmp(file->source->name + path - size, wanted, size) == 0;
}

// Prints a table for each function of this name. False: there is none.
static bool print_tables(const callgrind_t *callgrind, const line_costs_t *costs,
                         const char *wanted, bool is_first)
{
    bool is_found = false;
    for (size_t i = 0; i < costs->file_count; i++) {
        const costed_file_t *file = &costs->files[i];
        for (size_t k = 0; file->source && k < file->source->function_count; k++) {
            if (!is_wanted(file, &file->source->functions[k], wanted))
                continue;
            (void)fputs(is_first && !is_found ? "Unit: instructions\n\n" : "\n", stdout);
            line_table_print(stdout, callgrind, costs, file, &file->source->functions[k]);
            is_found = true;
        }
    }
    return is_found;
}

static int fail_unknown(const line_costs_t *costs, const char *wanted)
{
    const char *colon = strrchr(wanted, ':');
    (void)fflush(stdout); // the tables before it
    (void)fprintf(stderr, "mayhemctl: no function '%s' has run; near it are: ", wanted);
    line_table_suggest(stderr, costs, colon ? colon + 1 : wanted);
    (void)fputs("; without a name the dearest are listed\n", stderr);
    return EX_DATAERR;
}

static int show(const callgrind_t *callgrind, const lines_options_t *options, char **names)
{
    line_costs_t *costs = line_costs_new(callgrind);
    int exit_code = 0;
    if (!*names)
        line_table_list(stdout, callgrind, costs, options->by_time, options->top);
    for (size_t i = 0; names[i] && exit_code == 0; i++)
        if (!print_tables(callgrind, costs, names[i], i == 0))
            exit_code = fail_unknown(costs, names[i]);
    line_costs_destroy(&costs);
    if (fflush(stdout) != 0 && exit_code == 0)
        exit_code = ctl_fail(EX_IOERR, "cannot write the output: %s", strerror(errno));
    return exit_code;
}

int ctl_lines(int argc, char **argv)
{
    lines_options_t options = {.dir = "run", .top = 20};
    int exit_code;
    if (!parse(argc, argv, &options, &exit_code))
        return exit_code;
    callgrind_t callgrind = {0};
    char error[CALLGRIND_ERROR_MAX], *path = NULL;
    int length = asprintf(&path, "%s/profile/lines", options.dir);
    assert(length > 0);
    bool is_read = callgrind_read(&callgrind, options.read ? options.read : path, error);
    if (is_read && options.process)
        callgrind_only(&callgrind, options.process);
    if (!is_read)
        exit_code = ctl_fail(EX_DATAERR, "%s", error);
    else if (callgrind.count == 0)
        exit_code = ctl_fail(EX_DATAERR, "no process '%s' is in it", options.process);
    else
        exit_code = show(&callgrind, &options, argv + optind);
    callgrind_clear(&callgrind);
    free(path);
    return exit_code;
}
