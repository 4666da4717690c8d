// mayhem scale: another number of restarters in a running pipeline.

#include "control.h"
#include "ctl.h"
#include "run_folder.h"
#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
    "usage: mayhem scale N [--dir DIR]\n\n"
    "Runs N restarters, 0 to 256, in the pipeline from now on. Those that leave finish what\n"
    "they run.\n";

int ctl_scale(int argc, char **argv)
{
    target_t target = {0};
    char **names, lines[CONTROL_ANSWER_MAX], request[64], who[256], *end = NULL;
    int exit_code;
    pid_t pid;
    const ctl_option_t options[] = {TARGET_DIR_OPTION(&target), {.name = NULL}};
    exit_code = ctl_options(argc, argv, usage, options, &names);
    if (exit_code != 0)
        return exit_code;
    unsigned long wanted =
        names[0] && *names[0] >= '0' && *names[0] <= '9' ? strtoul(names[0], &end, 10) : 0;
    if (!end || *end != '\0' || wanted > 256 || names[1])
        return ctl_fail(EX_USAGE, "scale takes the number of restarters, 0 to 256, as in: scale 6");
    exit_code = target_folder(&target);
    if (exit_code != 0)
        return exit_code;
    const char *dir = target.dir;
    if (!run_folder_find(dir, &pid, who, sizeof who))
        return ctl_fail(EX_UNAVAILABLE,
                        "nothing is running in %s: start it with `mayhem run`, or name its folder "
                        "with --dir",
                        dir);
    (void)snprintf(request, sizeof request, "scale %lu", wanted);
    if (!control_ask(dir, request, &exit_code, lines))
        return ctl_fail(EX_UNAVAILABLE, "the supervisor of %s (%s) does not answer: %s", dir, who,
                        strerror(errno));
    if (exit_code != 0) {
        lines[strcspn(lines, "\n")] = '\0';
        return ctl_fail(exit_code, "the supervisor of %s (%s): %s", dir, who, lines);
    }
    return ctl_end_output(fputs(lines, stdout) >= 0);
}
