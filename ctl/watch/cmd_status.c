// mayhemctl status: one look at a running pipeline.

#include "ctl.h"
#include "screen.h"
#include "snapshot_feed.h"
#include "target.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define WIDTH 120

static const char status_help[] = "usage: mayhemctl status [OPTION]...\n"
                                  "\n" TARGET_HELP "  --json             as one JSON object\n";

typedef struct {
    target_t place;
    bool is_json;
} status_options_t;

// False: end with *ret_exit_code.
static bool parse(int argc, char **argv, status_options_t *options, int *ret_exit_code)
{
    static const struct option names[] = {{"dir", required_argument, NULL, 'D'},
                                          {"consumer", required_argument, NULL, 'C'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    *ret_exit_code = EX_USAGE;
    for (int option; (option = getopt_long(argc, argv, "h", names, NULL)) >= 0;)
        switch (option) {
        case 'D': options->place.dir = optarg; break;
        case 'C': options->place.consumer = optarg; break;
        case 'j': options->is_json = true; break;
        case 'h':
            (void)fputs(status_help, stdout);
            *ret_exit_code = 0;
            return false;
        default: (void)fputs("mayhemctl status --help says more\n", stderr); return false;
        }
    if (optind < argc)
        *ret_exit_code = ctl_fail(EX_USAGE, "'%s' is no option of status", argv[optind]);
    else
        *ret_exit_code = target_find(&options->place);
    return *ret_exit_code == 0;
}

static bool print(const snapshot_t *snapshot, bool is_json)
{
    if (is_json)
        return ctl_print_json(snapshot_json(snapshot));
    page_t *page = screen_top(snapshot, &(screen_view_t){.width = WIDTH});
    page_print(page, stdout);
    page_destroy(&page);
    return fflush(stdout) == 0;
}

int ctl_status(int argc, char **argv)
{
    status_options_t options = {0};
    snapshot_t snapshot = {0};
    int exit_code;
    if (!parse(argc, argv, &options, &exit_code))
        return exit_code;
    feed_t *feed = feed_attach(&options.place.base);
    bool is_there = feed_look(feed, TARGET_WAIT_MS, &snapshot);
    feed_destroy(&feed);
    if (!is_there)
        return target_fail(&options.place);
    if (!print(&snapshot, options.is_json))
        exit_code = ctl_fail(EX_IOERR, "cannot write the output: %s", strerror(errno));
    snapshot_clear(&snapshot);
    return exit_code;
}
