// mayhem retry: a run over the dead hosts of the latest one, with the command of that. It begins
// only when that run is finished: what is left of it would else be given up, or done by another
// list. The dead stay dead on record; the run makes new jobs.

#include "attributes.h"
#include "ctl.h"
#include "dead_list.h"
#include "mayhem_run.h"
#include "run_command.h"
#include "run_folder.h"
#include "target.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
    "usage: mayhem retry [OPTION]... [HOST]...\n\n"
    "Restarts the dead hosts of the latest run in a folder once more, all or these, by a run with "
    "the\n"
    "options of that run: its driver, its pace, its limits. `mayhem dead` lists them.\n";

// ---- the list

static bool is_named(const char *host, char *const *names)
{
    for (; *names; names++)
        if (strcmp(*names, host) == 0)
            return true;
    return false;
}

// Whether all names are those of dead hosts.
static int check_names(const dead_list_t *list, char *const *names)
{
    for (; *names; names++) {
        size_t i = 0;
        while (i < list->count && strcmp(list->items[i].host, *names) != 0)
            i++;
        if (i == list->count)
            return ctl_fail(EX_DATAERR,
                            "%s is not among the dead hosts of the latest run; `mayhem dead` lists "
                            "them",
                            *names);
    }
    return 0;
}

static int check_list(const dead_list_t *list, const char *dir, char *const *names)
{
    if (list->run == 0)
        return ctl_fail(EX_NOINPUT, "no run has begun in '%s'; name its folder with --dir", dir);
    if (!list->is_finished)
        return ctl_fail(EX_TEMPFAIL,
                        "the latest run in %s is not finished: %" PRId64
                        " host%s left; go on with it first, by the same command",
                        dir, list->left, list->left == 1 ? " is" : "s are");
    return check_names(list, names);
}

static int write_list(const dead_list_t *list, const char *path, char *const *names)
{
    FILE *file = fopen(path, "we");
    char line[MM_HOST_LINE];
    for (size_t i = 0; file && i < list->count; i++) {
        const dead_host_t *host = &list->items[i];
        if (*names && !is_named(host->host, names))
            continue;
        (void)mm_attributes_line(mm_str(host->host), mm_str(host->attributes), line);
        (void)fprintf(file, "%s\n", line);
    }
    bool is_written = file && !ferror(file);
    if (file)
        is_written = fclose(file) == 0 && is_written;
    return is_written ? 0 : ctl_fail(EX_CANTCREAT, "cannot write %s: %s", path, strerror(errno));
}

// ---- the run

// dir: absolute.
static int run_again(const char *dir, const char *list, bool is_json)
{
    arguments_t words = {0};
    bool has_config;
    arguments_add(&words, "run");
    if (!run_command_recall(dir, &words, &has_config)) {
        arguments_clear(&words);
        return ctl_fail(EX_NOINPUT,
                        "the command of the latest run cannot be given again: %s; start a run with "
                        "its options and -i %s",
                        strerror(errno), list);
    }
    arguments_add(&words, "--dir=%s", dir);
    arguments_add(&words, "--input=%s", list);
    if (has_config)
        arguments_add(&words, "--config=%s/config", dir);
    if (is_json)
        arguments_add(&words, "--json");
    int exit_code = mayhem_run((int)words.count, words.items);
    arguments_clear(&words);
    return exit_code;
}

static int retry(const char *dir, char *const *names, bool is_json)
{
    char error[MM_ERROR_MAX], path[PATH_MAX], record[TARGET_PATH];
    dead_list_t list;
    char *absolute = realpath(dir, NULL);
    int exit_code = target_record_of(dir, NULL, record);
    if (exit_code != 0) {
        free(absolute);
        return exit_code;
    }
    exit_code = dead_list_read(dir, record, &list, error);
    if (exit_code != 0) {
        free(absolute);
        return ctl_fail(exit_code, "%s", error);
    }
    bool is_empty = list.count == 0;
    exit_code = check_list(&list, dir, names);
    if (exit_code == 0 && is_empty)
        (void)fputs("no host of the latest run is dead: there is nothing to retry\n", stderr);
    (void)snprintf(path, sizeof path, "%s/retry.txt", absolute ? absolute : dir);
    if (exit_code == 0 && !is_empty)
        exit_code = write_list(&list, path, names);
    dead_list_clear(&list);
    if (exit_code == 0 && !is_empty)
        exit_code = run_again(absolute ? absolute : dir, path, is_json);
    free(absolute);
    return exit_code;
}

int ctl_retry(int argc, char **argv)
{
    target_t target = {0};
    bool is_json = false;
    char **names, who[256];
    pid_t pid;
    const ctl_option_t options[] = {
        TARGET_DIR_OPTION(&target),
        {.name = "json", .help = "the summary as one JSON object", .flag = &is_json},
        {.name = NULL}};
    int exit_code = ctl_options(argc, argv, usage, options, &names);
    if (exit_code != 0)
        return exit_code;
    exit_code = target_folder(&target);
    if (exit_code != 0)
        return exit_code;
    if (run_folder_find(target.dir, &pid, who, sizeof who))
        return ctl_fail(EX_UNAVAILABLE, "a run is going on in %s: %s; retry when it has ended",
                        target.dir, who);
    return retry(target.dir, names, is_json);
}
