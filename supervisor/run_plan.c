// See run_plan.h.

#include "run_plan.h"
#include "caller.h"
#include "clock.h"
#include "duration.h"
#include "inherited.h"
#include "record_state.h"
#include "run_breaker.h"
#include "run_check.h"
#include "run_pass.h"
#include "run_policy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
    "usage: mayhem plan [OPTION OF mayhem run]...\n\n"
    "What a run of these options would do: the rules of its policy and the next five openings of\n"
    "each window, the order of the hosts, which would begin now, and for each other the first "
    "reason\nwhy not. Halts, breakers, denied hosts and casualties on record in --dir count. It "
    "restarts\nnothing, runs no command on a host, and changes nothing.\n\n"
    "  --json                      as a JSON object\n\nmayhem run --help lists all others.\n";

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

// ---- printing

static bool begins(const run_host_t *host, const run_verdict_t *verdict)
{
    return verdict->reason == MM_REASON_NONE && !host->is_done && !verdict->is_looked_at;
}

static bool is_looked_at(const run_host_t *host, const run_verdict_t *verdict)
{
    return verdict->reason == MM_REASON_NONE && !host->is_done && verdict->is_looked_at;
}

// "waits: window closed, of web, until Mon 2026-11-30 21:00 UTC".
static void print_verdict(const run_host_t *host, const run_verdict_t *verdict)
{
    char until[MM_INSTANT_TEXT];
    if (verdict->reason == MM_REASON_NONE) {
        (void)printf("%s\n", host->is_done ? "is done"
                             : is_looked_at(host, verdict)
                                 ? "is looked at first: a restart has no known end"
                                 : "begins now");
        return;
    }
    (void)printf("waits: %s", mm_reason_name(verdict->reason));
    if (verdict->group)
        (void)printf(", of %s", *verdict->group ? verdict->group : "the whole run");
    if (verdict->until_ms != MM_NEVER)
        (void)printf(", until %s", mm_calendar_print(verdict->until_ms, "UTC", until));
    (void)printf("\n");
}

static void print_text(const run_settings_t *settings, const run_inventory_t *list,
                       const run_verdict_t *verdicts, int64_t now_ms)
{
    size_t begin = 0, looked_at = 0;
    run_check_text(settings, list, now_ms);
    if (!list->is_list)
        (void)printf("the hosts are invented: they have no order\n");
    for (size_t i = 0; i < list->item_count; i++) {
        begin += begins(&list->items[i], &verdicts[i]);
        looked_at += is_looked_at(&list->items[i], &verdicts[i]);
        (void)printf("%6zu  %-24s ", i + 1, list->items[i].name);
        print_verdict(&list->items[i], &verdicts[i]);
    }
    if (list->is_list)
        (void)printf("%zu of %zu hosts would begin now%s", begin, list->item_count,
                     settings->policy.has_guard ? ", if --guard says yes" : "");
    if (looked_at > 0)
        (void)printf("; %zu %s looked at first", looked_at, looked_at == 1 ? "is" : "are");
    (void)printf("%s", list->is_list ? "\n" : "");
}

static json_t *host_json(const run_host_t *host, const run_verdict_t *verdict)
{
    json_t *groups = json_array();
    for (const char *at = host->groups; *at; at += strcspn(at, ","), at += *at == ',')
        json_array_append_new(groups, json_stringn(at, strcspn(at, ",")));
    return json_pack("{s:s, s:o, s:b, s:b, s:b, s:s?, s:s?, s:o}", "host", host->name, "groups",
                     groups, "done", host->is_done, "begins", begins(host, verdict), "looked_at",
                     is_looked_at(host, verdict), "reason", mm_reason_name(verdict->reason),
                     "group", verdict->group, "until_ms",
                     verdict->until_ms == MM_NEVER ? json_null() : json_integer(verdict->until_ms));
}

static bool print_json(const run_settings_t *settings, const run_inventory_t *list,
                       const run_verdict_t *verdicts, int64_t now_ms)
{
    json_t *json = run_check_json(settings, list, now_ms), *order = json_array();
    for (size_t i = 0; i < list->item_count; i++)
        json_array_append_new(order, host_json(&list->items[i], &verdicts[i]));
    json_object_set_new(json, "order", order);
    return run_check_write_json(json);
}

// ---- all together

// What the record holds back is no concern of a mock without a policy.
static int read_record(const run_settings_t *settings, const run_inventory_t *list, int64_t now_ms,
                       run_pass_t *pass)
{
    char error[MM_ERROR_MAX];
    if (settings->driver.is_mock && settings->policy.count == 0)
        return 0;
    int exit_code =
        mm_record_state_read(settings->db, list->run, now_ms, run_pass_apply, pass, error);
    return exit_code == 0 ? 0 : caller_fail(exit_code, "%s", error);
}

static int decide(const run_settings_t *settings, const run_inventory_t *list, int64_t now_ms,
                  run_verdict_t **ret_verdicts)
{
    const run_driver_t *driver = &settings->driver;
    // A share is a cap of the policy; the slots of a mock are no limit of the consumer's.
    bool is_limit =
        !driver->at_once_share.is_set && (!driver->is_mock || driver->at_once < driver->slots);
    run_pass_t *pass =
        run_pass_new(&(run_pass_config_t){.policy = &settings->policy,
                                          .inventory = list,
                                          .now_ms = now_ms,
                                          .at_once = is_limit ? (uint32_t)driver->at_once : 0,
                                          .slots = driver->slots});
    int exit_code = read_record(settings, list, now_ms, pass);
    run_breaker_t breaker = run_breaker_read(settings);
    if (breaker.is_lifted)
        run_pass_apply(pass, &(mm_entry_t){.action = MM_ACTION_RESUME, .at_ms = now_ms});
    run_breaker_clear(&breaker);
    if (exit_code == 0)
        *ret_verdicts = run_pass_decide(pass);
    run_pass_destroy(&pass);
    return exit_code;
}

static int plan(const run_settings_t *settings)
{
    run_inventory_t list = {0};
    run_verdict_t *verdicts = NULL;
    int64_t now_ms = mm_clock_wall_ms();
    bool is_good = true;
    int exit_code = run_policy_check_trips(settings);
    if (exit_code == 0)
        exit_code = run_inventory_read(settings, RUN_INVENTORY_HOSTS, &list);
    if (exit_code == 0)
        exit_code = run_inventory_check(&list, settings);
    if (exit_code == 0)
        exit_code = decide(settings, &list, now_ms, &verdicts);
    if (exit_code == 0 && settings->options.json)
        is_good = print_json(settings, &list, verdicts, now_ms);
    else if (exit_code == 0)
        print_text(settings, &list, verdicts, now_ms);
    free(verdicts);
    run_inventory_clear(&list);
    return exit_code != 0 ? exit_code : run_check_end(is_good);
}

int mayhem_plan(int argc, char **argv)
{
    run_settings_t settings;
    int exit_code;
    if (asks_for_help(argc, argv)) {
        (void)fputs(usage, stdout);
        return 0;
    }
    mm_inherited_repair();
    caller_start(argc, argv);
    if (run_settings_read(argc, argv, &settings, &exit_code))
        exit_code = plan(&settings);
    run_settings_clear(&settings);
    return exit_code;
}
