// mayhem lines.

#include "ctl.h"
#include "line_table.h"

#include <limits.h>
#include <sysexits.h>

static const char lines_usage[] =
    "usage: mayhem lines [OPTION]... [FUNCTION]...\n\n"
    "Shows what each line of a function costs, of a run with --profile=lines. FUNCTION is a\n"
    "name, or FILE:NAME when several have it; without one the dearest functions are listed.\n"
    "Hits: how often the line ran. Time: instructions executed in it, and in what it calls.\n";

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

// Prints a table for each function of this name. False: no such function has run.
static bool print_tables(const line_costs_t *costs, const char *wanted, bool is_first)
{
    bool is_found = false;
    for (size_t i = 0; i < costs->file_count; i++) {
        const costed_file_t *file = &costs->files[i];
        for (size_t k = 0; file->source && k < file->source->function_count; k++) {
            if (!is_wanted(file, &file->source->functions[k], wanted))
                continue;
            (void)fputs(is_first && !is_found ? "Unit: instructions\n\n" : "\n", stdout);
            line_table_print(stdout, costs, file, &file->source->functions[k]);
            is_found = true;
        }
    }
    return is_found;
}

static int fail_unknown(const line_costs_t *costs, const char *wanted)
{
    const char *colon = strrchr(wanted, ':');
    (void)fflush(stdout); // the tables before it
    (void)fprintf(stderr, "mayhem: no function '%s' has run; near it are: ", wanted);
    line_table_suggest(stderr, costs, colon ? colon + 1 : wanted);
    (void)fputs("; without a name the dearest are listed\n", stderr);
    return EX_DATAERR;
}

static int show(const callgrind_t *callgrind, bool by_time, size_t top, char **names)
{
    line_costs_t *costs = line_costs_new(callgrind);
    int exit_code = 0;
    if (!*names)
        line_table_list(stdout, costs, by_time, top);
    for (size_t i = 0; names[i] && exit_code == 0; i++)
        if (!print_tables(costs, names[i], i == 0))
            exit_code = fail_unknown(costs, names[i]);
    line_costs_destroy(&costs);
    return exit_code != 0 ? exit_code : ctl_end_output(true);
}

int ctl_lines(int argc, char **argv)
{
    static const char *const sorts[] = {"own", "time", NULL};
    const char *dir = "run", *read = NULL, *process = NULL;
    int sort = 0;
    uint64_t top = 20;
    const ctl_option_t options[] = {
        {.name = "dir", .argument = "DIR", .help = "the folder of the run (run)", .text = &dir},
        {.name = "read",
         .argument = "PATH",
         .help = "callgrind's output: a file, or all *.out of a folder (DIR/profile/lines)",
         .text = &read},
        {.name = "process",
         .argument = "NAME",
         .help = "only this process, or all of this role; else their sum",
         .text = &process},
        {.name = "sort",
         .argument = "KEY",
         .help = "of the list: without or with what it calls",
         .word = &sort,
         .words = sorts},
        {.name = "top",
         .argument = "N",
         .help = "functions in the list (20)",
         .number = &top,
         .max = SIZE_MAX},
        {.name = NULL}};
    char **names, path[PATH_MAX], error[MM_ERROR_MAX];
    int exit_code = ctl_options(argc, argv, lines_usage, options, &names);
    if (exit_code != 0)
        return exit_code;
    callgrind_t callgrind = {0};
    (void)snprintf(path, sizeof path, "%s/profile/lines", dir);
    bool is_read = callgrind_read(&callgrind, read ? read : path, error);
    if (is_read && process)
        callgrind_only(&callgrind, process);
    if (!is_read)
        exit_code = ctl_fail(EX_DATAERR, "%s", error);
    else if (callgrind.count == 0)
        exit_code = ctl_fail(EX_DATAERR, "no process '%s' is in it", process);
    else
        exit_code = show(&callgrind, sort == 1, (size_t)top, names);
    callgrind_clear(&callgrind);
    return exit_code;
}
