// mayhem dead: the dead hosts of the latest run.

#include "ctl.h"
#include "dead_list.h"
#include "human_format.h"
#include "run_folder.h"
#include "target.h"
#include "uuid.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

static const char usage[] = "usage: mayhem dead [OPTION]...\n\n"
                            "The dead hosts of the latest run in a folder: attempts, when it was "
                            "given up, and why. `mayhem\n"
                            "retry` restarts them.\n";

static json_t *host_json(const dead_host_t *host)
{
    char id[MM_ID_TEXT];
    json_t *json = json_pack("{s:s, s:s, s:s}", "host", host->host, "job",
                             mm_id_print(&host->job, id), "error", host->error);
    assert(json); // the outbox holds UTF-8 alone
    json_object_set_new(json, "attempts",
                        host->attempts >= 0 ? json_integer(host->attempts) : json_null());
    json_object_set_new(json, "settled_ms",
                        host->settled_ms > 0 ? json_integer(host->settled_ms) : json_null());
    return json;
}

static bool print_json(const dead_list_t *list)
{
    json_t *hosts = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(hosts, host_json(&list->items[i]));
    json_t *json = json_pack("{s:I, s:s%, s:s, s:b, s:o}", "run", (json_int_t)list->run, "input",
                             list->input, strlen(list->input), "driver", list->driver, "finished",
                             list->is_finished, "dead", hosts);
    return json && ctl_write_json(stdout, json, JSON_COMPACT);
}

static void print_text(const dead_list_t *list)
{
    if (list->count == 0)
        (void)printf("no host of the latest run is dead%s\n", list->is_finished ? "" : " so far");
    for (size_t i = 0; i < list->count; i++) {
        const dead_host_t *host = &list->items[i];
        char attempts[32] = "?", when[HUMAN_STAMP] = "?";
        if (host->attempts >= 0)
            (void)snprintf(attempts, sizeof attempts, "%" PRId64 " attempt%s", host->attempts,
                           host->attempts == 1 ? "" : "s");
        if (host->settled_ms > 0)
            (void)human_stamp(host->settled_ms, when);
        (void)printf("%-24s %s  %s  ", host->host, when, attempts);
        for (const char *c = host->error; *c; c++)
            (void)putchar((unsigned char)*c < 0x20 || *c == 0x7f ? ' ' : *c);
        (void)putchar('\n');
    }
}

int ctl_dead(int argc, char **argv)
{
    target_t target = {0};
    const char *store = NULL;
    bool is_json = false;
    char error[MM_ERROR_MAX], record[TARGET_PATH];
    dead_list_t list;
    const ctl_option_t options[] = {TARGET_DIR_OPTION(&target),
                                    TARGET_STORE_OPTIONS(&store),
                                    {.name = "json", .help = "as a JSON object", .flag = &is_json},
                                    {.name = NULL}};
    int exit_code = ctl_options(argc, argv, usage, options, NULL);
    if (exit_code != 0)
        return exit_code;
    exit_code = target_folder(&target);
    if (exit_code != 0)
        return exit_code;
    exit_code = target_record_of(target.dir, store, record);
    if (exit_code != 0)
        return exit_code;
    exit_code = dead_list_read(target.dir, record, &list, error);
    if (exit_code != 0)
        return ctl_fail(exit_code, "%s", error);
    if (list.run == 0)
        exit_code = ctl_fail(EX_NOINPUT, "no run has begun in '%s'; name its folder with --dir",
                             target.dir);
    else if (is_json)
        exit_code = ctl_end_output(print_json(&list));
    else
        print_text(&list);
    dead_list_clear(&list);
    return exit_code != 0 ? exit_code : ctl_end_output(true);
}
