// --help and --print-config. Everything that is printed comes from the table.

#include "options_table.h"

#include <assert.h>
#include <string.h>

#define HELP_COLUMN 30

static void print_row_help(const mm_row_t *row)
{
    int width = row->kind == MM_KIND_FLAG ? printf("  --%s", row->name)
                                          : printf("  --%s %s", row->name, row->argument);
    if (width >= HELP_COLUMN) {
        printf("\n");
        width = 0;
    }
    printf("%*s%s", HELP_COLUMN - width, "", row->help);
    // A default that another option decides is told in the help text.
    if (row->kind != MM_KIND_FLAG && *row->fallback != '\0')
        printf(" [%s]", row->fallback);
    printf("\n");
}

void mm_options_print_help(mm_program_t program)
{
    static const char *const tasks[] = {
        [MM_PROGRAM_PUBLISHER] = "emits one job per host and delivers it until it is settled",
        [MM_PROGRAM_CONSUMER] = "gives each job to a saver and a restarter and gathers the results",
        [MM_PROGRAM_SAVER] = "keeps the record of all jobs",
        [MM_PROGRAM_RESTARTER] = "restarts hosts",
    };
    const char *name = mm_program_name(program);
    printf("mayhem-%s: %s.\n\nUsage: mayhem-%s [OPTION]...\n\n", name, tasks[program], name);
    for (size_t i = 0; i < MM_ROW_COUNT; i++) {
        if ((mm_rows[i].programs & MM_HAS(program)) != 0)
            print_row_help(&mm_rows[i]);
    }
    printf("\nTimes have a unit: 500ms, 1.5s, 5m, 1h. Defaults are in brackets. Instead of\n"
           "--seed 5 you can set MAYHEM_SEED=5 in the environment, or seed = 5 under [%s]\n"
           "or, when other programs have the option too, [common] in the file of --config.\n"
           "A flag counts more than the environment, that more than the file.\n",
           name);
}

static void print_origin(const mm_options_t *options, mm_row_index_t index)
{
    const mm_origin_t *origin = &options->origins->rows[index];
    char variable[MM_VARIABLE_TEXT];
    switch (origin->source) {
    case MM_BY_DEFAULT: printf("# default\n"); return;
    case MM_BY_FILE: printf("# file %s:%d\n", options->origins->path, origin->line); return;
    case MM_BY_ENVIRONMENT:
        printf("# environment %s\n", mm_options_variable(&mm_rows[index], variable));
        return;
    case MM_BY_FLAG: printf("# flag --%s\n", mm_rows[index].name); return;
    }
    assert(false);
}

void mm_options_print_config(const mm_options_t *options)
{
    printf("[%s]\n", mm_program_name(options->program));
    for (mm_row_index_t i = 0; i < MM_ROW_COUNT; i++) {
        unsigned programs = mm_rows[i].programs;
        if ((programs & MM_HAS(options->program)) == 0 || (programs & MM_FLAG_ONLY) != 0)
            continue;
        print_origin(options, i);
        printf("%s = ", mm_rows[i].name);
        mm_value_print(options, &mm_rows[i], stdout);
        printf("\n");
    }
}
