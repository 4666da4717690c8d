// See run_check.h.

#include "run_check.h"
#include "caller.h"
#include "clock.h"
#include "run_breaker.h"
#include "run_driver.h"
#include "run_held.h"
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
    json_t *json = json_pack(
        "{s:o, s:I, s:I, s:I, s:I, s:I, s:s, s:s?, s:b, s:b}", "hosts",
        list->is_list ? json_integer((json_int_t)list->hosts) : json_null(), "done",
        (json_int_t)list->done, "groups", (json_int_t)list->groups, "repeated",
        (json_int_t)list->repeated, "bad_lines", (json_int_t)list->bad, "at_once", at_once,
        "driver", driver->is_mock ? "mock" : driver->name, "proof", driver->proof, "rehearsed",
        driver->is_mock || settings->options.dry_run, "leashed", settings->is_leashed);
    if (policy)
        json_object_set_new(json, "policy", policy);
    return json;
}

static char *headline_of(const run_settings_t *settings, const run_inventory_t *list)
{
    return run_driver_headline(settings, list->is_list ? (int64_t)list->hosts : -1, list->done);
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
    char *headline = headline_of(settings, list);
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

int run_check_begin(run_settings_t *settings)
{
    run_inventory_t list = {0};
    bool is_real = !settings->driver.is_mock;
    int exit_code = run_policy_check_trips(settings);
    if (exit_code != 0)
        return exit_code;
    // What is wrong with the list is said by the publisher of the run.
    bool is_read = settings->list && (is_real || settings->policy.count > 0) &&
                   run_inventory_read(settings, RUN_INVENTORY_QUIET, &list) == 0;
    if (is_read)
        exit_code = run_inventory_check(&list, settings);
    if (is_real)
        settings->headline = headline_of(settings, &list);
    run_inventory_clear(&list);
    return exit_code;
}

// "configuration ok", or why the run would end at once: 75 then.
static int print_end(const run_settings_t *settings, const run_inventory_t *list, int64_t now_ms)
{
    run_breaker_t breaker = run_breaker_read(settings);
    bool is_stopped = run_breaker_stops(&breaker, settings), is_good = true;
    if (settings->options.json) {
        json_t *json = run_check_json(settings, list, now_ms);
        json_object_set_new(json, "stopped_by",
                            is_stopped ? json_string(breaker.why) : json_null());
        is_good = run_check_write_json(json);
    } else {
        run_check_text(settings, list, now_ms);
        if (is_stopped)
            run_held_print(&breaker.held, caller_program(), settings->dir, stdout);
        (void)printf("%s%s\n", is_stopped ? "stopped by " : "configuration ok",
                     is_stopped ? breaker.why : "");
    }
    run_breaker_clear(&breaker);
    int exit_code = run_check_end(is_good);
    return exit_code == 0 && is_stopped ? EX_TEMPFAIL : exit_code;
}

int run_check_print(const run_settings_t *settings)
{
    run_inventory_t list = {0};
    int exit_code = run_policy_check_trips(settings);
    if (exit_code == 0)
        exit_code = run_inventory_read(settings, RUN_INVENTORY_COUNTS, &list);
    if (exit_code == 0)
        exit_code = run_inventory_check(&list, settings);
    if (exit_code == 0)
        exit_code = print_end(settings, &list, mm_clock_wall_ms());
    run_inventory_clear(&list);
    return exit_code;
}
