// mayhem: runs a pipeline, looks into a running one, or at what was saved of one.

#include "caller.h"
#include "ctl.h"
#include "mayhem_run.h"
#include "run_plan.h"

#include <string.h>
#include <sysexits.h>

const ctl_entry_t ctl_entries[] = {
    {"run", mayhem_run, "start a pipeline, and keep it running until each host is restarted"},
    {"plan", mayhem_plan, "what a run would do first, and for each other host why not yet"},
    {"scale", ctl_scale, "another number of restarters in a running pipeline"},
    {"top", ctl_top, "a running pipeline, or a recording of one, on the terminal"},
    {"status", ctl_status, "the same once, on one page"},
    {"tail", ctl_tail, "what happens to jobs, as it happens"},
    {"profile", ctl_profile, "where the time of the event loops goes"},
    {"diff", ctl_diff, "what has changed between two saved profiles"},
    {"lines", ctl_lines, "what each line of a function costs"},
    {"explain", ctl_explain,
     "the life of a host: received, attempts, who was lost with it, outcome"},
    {"audit", ctl_audit, "what was begun, ended and ordered, and whether that was tampered with"},
    {"dead", ctl_dead, "the dead hosts of the latest run, and why"},
    {"retry", ctl_retry, "restart the dead hosts once more, all or some of them"},
    {"halt", ctl_halt, "nothing begins any more, until it is resumed"},
    {"resume", ctl_resume, "go on after a halt, or after a breaker has tripped"},
    {"deny", ctl_deny, "one host is not restarted, until a date"},
    {"absolve", ctl_absolve, "a host is well again, and no casualty any more"},
    {"handover", ctl_handover, "the consumer that leads ends, and another one on its record leads"},
    {"keys", ctl_keys, "who may join from other machines: their keys, and the consumer's"},
    {"doctor", ctl_doctor,
     "whether a consumer can be reached from here, and why not; keys and clocks"},
    {"man", ctl_man, "the manual page"},
    {"completion", ctl_completion, "what bash completes"},
    {NULL, NULL, NULL},
};

static void print_help(FILE *file)
{
    (void)fputs("usage: mayhem COMMAND [OPTION]...\n\n", file);
    for (const ctl_entry_t *entry = ctl_entries; entry->name; entry++)
        (void)fprintf(file, "  %-10s %s\n", entry->name, entry->help);
    (void)fputs("\nmayhem COMMAND --help says more.\n", file);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    caller_name(argv[0]);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0) {
        (void)printf("mayhem %s\n", MM_VERSION);
        return 0;
    }
    for (const ctl_entry_t *entry = ctl_entries; entry->name; entry++)
        if (strcmp(name, entry->name) == 0)
            return entry->run(argc - 1, argv + 1);
    if (*name)
        (void)ctl_fail(EX_USAGE, "there is no command '%s'", name);
    print_help(stderr);
    return EX_USAGE;
}
