// See run_check.h.

#include "run_check.h"
#include "caller.h"
#include "clock.h"
#include "run_driver.h"
#include "run_leash.h"
#include "run_policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

json_t *run_check_json(const run_settings_t *settings, const run_inventory_t *list, int64_t now_ms)
{
    const run_driver_t *driver = &settings->driver;
    json_t *policy = run_policy_json(settings, list, now_ms);
    json_int_t at_once = driver->at_once_share.is_set && list->is_list
                             ? mm_amount_of(driver->at_once_share, (uint32_t)list->hosts)
                             : (json_int_t)driver->at_once;
    json_t *json =
        json_pack("{s:o, s:I, s:I, s:I, s:I, s:s, s:s?, s:b, s:b}", "hosts",
                  list->is_list ? json_integer((json_int_t)list->hosts) : json_null(), "groups",
                  (json_int_t)list->groups, "repeated", (json_int_t)list->repeated, "bad_lines",
                  (json_int_t)list->bad, "at_once", at_once, "driver",
                  driver->is_mock ? "mock" : driver->name, "proof", driver->proof, "rehearsed",
                  driver->is_mock || settings->options.dry_run, "leashed", settings->is_leashed);
    if (policy)
        json_object_set_new(json, "policy", policy);
    return json;
}

// "the list has 2 bad lines to be skipped"; none is not worth a line.
static void print_count(uint64_t count, const char *noun, const char *behind)
{
    if (count > 0)
        (void)printf("the list has %" PRIu64 " %s%s%s\n", count, noun, count == 1 ? "" : "s",
                     behind);
}

void run_check_text(const run_settings_t *settings, const run_inventory_t *list, int64_t now_ms)
{
    char *headline = run_driver_headline(settings, list->is_list ? (int64_t)list->hosts : -1);
    if (settings->is_leashed)
        (void)printf("%s\n", RUN_LEASH_FIRST);
    print_count(list->groups, "group", "");
    print_count(list->repeated, "repeated host", "");
    print_count(list->bad, "bad line", " to be skipped");
    run_policy_print(settings, list, now_ms, stdout);
    (void)printf("%s%s\n", headline, settings->options.dry_run ? " (dry run)" : "");
    free(headline);
}

int run_check_end(bool is_good)
{
    return is_good && fflush(stdout) == 0 && !ferror(stdout)
               ? 0
               : caller_fail(EX_IOERR, "the output cannot be written: %s", strerror(errno));
}

bool run_check_write_json(json_t *json)
{
    bool is_good = json && json_dumpf(json, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF;
    json_decref(json);
    return is_good;
}

int run_check_print(const run_settings_t *settings)
{
    run_inventory_t list = {0};
    int64_t now_ms = mm_clock_wall_ms();
    bool is_good = true;
    int exit_code = run_policy_check_trips(settings);
    if (exit_code == 0)
        exit_code = run_inventory_read(settings, RUN_INVENTORY_COUNTS, &list);
    if (exit_code == 0)
        exit_code = run_inventory_check(&list, settings);
    if (exit_code == 0 && settings->options.json) {
        is_good = run_check_write_json(run_check_json(settings, &list, now_ms));
    } else if (exit_code == 0) {
        run_check_text(settings, &list, now_ms);
        (void)printf("configuration ok\n");
    }
    run_inventory_clear(&list);
    return exit_code != 0 ? exit_code : run_check_end(is_good);
}
