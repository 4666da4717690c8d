// mayhemctl: looks into a running pipeline, or at what was saved of one.

#include "ctl.h"

#include <string.h>
#include <sysexits.h>

typedef struct {
    const char *name;
    ctl_command_t *run;
    const char *help;
} command_t;

static const command_t commands[] = {
    {"top", ctl_top, "a running pipeline, or a recording of one, on the terminal"},
    {"status", ctl_status, "the same once, on one page"},
    {"tail", ctl_tail, "what happens to jobs, as it happens"},
    {"profile", ctl_profile, "where the time of the event loops goes"},
    {"diff", ctl_diff, "what has changed between two saved profiles"},
    {"lines", ctl_lines, "what each line of a function costs"},
    {"explain", ctl_explain,
     "the life of a host: received, attempts, who was lost with it, outcome"},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void print_help(FILE *file)
{
    (void)fputs("usage: mayhemctl COMMAND [OPTION]...\n\n", file);
    for (size_t i = 0; i < COMMANDS; i++)
        (void)fprintf(file, "  %-10s %s\n", commands[i].name, commands[i].help);
    (void)fputs("\nmayhemctl COMMAND --help says more.\n", file);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0) {
        (void)printf("mayhemctl %s\n", MM_VERSION);
        return 0;
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (*name)
        (void)ctl_fail(EX_USAGE, "there is no command '%s'", name);
    print_help(stderr);
    return EX_USAGE;
}
