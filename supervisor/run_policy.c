// See run_policy.h.

#include "run_policy.h"
#include "caller.h"
#include "clock.h"
#include "duration.h"
#include "guard_command.h"
#include "run_held.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define OPENINGS_SHOWN 5
#define MANY           "1000000" // jobs: a run with a policy knows all its hosts

// ---- reading

// The publisher reads the groups of hosts only when it is told which. Of a stream nobody but it
// knows how many hosts they have.
static void tell_publisher(run_settings_t *self)
{
    arguments_t *arguments = &self->arguments[MM_PROGRAM_PUBLISHER];
    arguments_add(arguments, "--policy");
    for (size_t i = 0; i < self->policy.count; i++) {
        const mm_rules_t *rules = &self->policy.groups[i];
        uint32_t need = mm_rules_need(rules);
        need = need == 0 && i > 0 ? 1 : need;
        if (i > 0)
            arguments_add(arguments, "--policy-groups=%s", rules->name);
        if (need > 0)
            arguments_add(arguments, "--policy-needs=%s=%" PRIu32, rules->name, need);
    }
}

// The consumer would refuse it, too, when everything has been started. A dry run does not ask it,
// and is there to find what is wrong.
static int check_guard(const char *line)
{
    char why[MM_ERROR_MAX];
    mm_command_t *command = mm_guard_command_new(line, why);
    bool is_good = command != NULL;
    mm_command_destroy(&command);
    return is_good ? 0 : caller_fail(EX_CONFIG, "%s", why);
}

int run_policy_read(run_settings_t *self, const mm_options_t programs[MM_PROGRAMS])
{
    const mm_options_t *publisher = &programs[MM_PROGRAM_PUBLISHER];
    const mm_options_t *consumer = &programs[MM_PROGRAM_CONSUMER];
    char why[MM_POLICY_WHY_MAX];
    if (!mm_policy_is_given(consumer))
        return 0;
    int exit_code =
        mm_policy_read_schedules(consumer, mm_clock_wall_ms(), &self->policy, &self->schedules);
    if (exit_code != 0)
        return exit_code;
    if (*publisher->input == '\0' && !mm_policy_check_endless(&self->policy, why))
        return caller_fail(EX_USAGE, "%s", why);
    exit_code = *consumer->guard ? check_guard(consumer->guard) : 0;
    if (exit_code != 0)
        return exit_code;
    run_settings_default(self, publisher, "leases", MANY);
    run_settings_default(self, consumer, "max-in-flight", MANY);
    tell_publisher(self);
    return 0;
}

// What --rate limits without a policy are deliveries; with one all jobs are delivered, and it is
// the starts.
void run_policy_settle(run_settings_t *self, const mm_options_t programs[MM_PROGRAMS])
{
    const mm_options_t *publisher = &programs[MM_PROGRAM_PUBLISHER];
    if (self->policy.count == 0 || self->driver.is_mock || publisher->rate <= 0)
        return;
    char *rate = mm_options_value(publisher, "rate");
    run_settings_default(self, &programs[MM_PROGRAM_CONSUMER], "start-rate", rate);
    arguments_add(&self->arguments[MM_PROGRAM_PUBLISHER], "--rate=max");
    free(rate);
    mm_policy_set_rate(&self->policy, publisher->rate);
}

void run_policy_clear(run_settings_t *self)
{
    mm_policy_clear_schedules(&self->schedules, self->policy.count);
    mm_policy_clear(&self->policy);
}

int run_policy_check_trips(const run_settings_t *settings)
{
    char outbox[4096];
    if (settings->options.take_over || (settings->driver.is_mock && settings->policy.count == 0))
        return 0;
    (void)snprintf(outbox, sizeof outbox, "%s/outbox.db", settings->dir);
    mm_held_record_t held = run_held_read(settings->db);
    const char *group = run_held_unnamed(&held, &settings->policy, outbox);
    int exit_code = group ? caller_fail(EX_CONFIG,
                                        "the breaker of group %s has tripped in the run that is to "
                                        "go on, and the policy does not name that group any more: "
                                        "put it back into the file of --config, or end the stop: "
                                        "mayhem resume %s --dir %s --why TEXT",
                                        group, group, settings->dir)
                          : 0;
    mm_held_record_clear(&held);
    return exit_code;
}

// ---- printing

// "25% = 3", "2".
#define AMOUNT_SHOWN 40
static char *show_amount(mm_amount_t amount, uint32_t hosts, char buffer[AMOUNT_SHOWN])
{
    char text[MM_AMOUNT_TEXT];
    int size = snprintf(buffer, AMOUNT_SHOWN, "%s", mm_amount_print(amount, text));
    if (amount.is_percent)
        (void)snprintf(buffer + size, AMOUNT_SHOWN - (size_t)size, " = %" PRIu32,
                       mm_amount_of(amount, hosts));
    return buffer;
}

// "cap 2, max-unavailable 25% = 3, ramp 1, 5, 25% = 3 with 10m between, breaker 3/3".
static void print_limits(const run_settings_t *settings, size_t group, uint32_t hosts, FILE *file)
{
    const mm_rules_t *rules = &settings->policy.groups[group];
    char amount[AMOUNT_SHOWN], time[MM_DURATION_TEXT];
    if (rules->cap.is_set)
        (void)fprintf(file, ", %s %s", group == 0 ? "at-once" : "cap",
                      show_amount(rules->cap, hosts, amount));
    else if (group == 0 && settings->driver.at_once > 0)
        (void)fprintf(file, ", at-once %" PRId64, settings->driver.at_once);
    if (rules->max_unavailable.is_set)
        (void)fprintf(file, ", max-unavailable %s",
                      show_amount(rules->max_unavailable, hosts, amount));
    for (size_t i = 0; i < rules->ramp_count; i++)
        (void)fprintf(file, "%s%s", i == 0 ? ", ramp " : ", ",
                      show_amount(rules->ramp[i], hosts, amount));
    if (rules->bake_ms > 0)
        (void)fprintf(file, " with %s between", mm_duration_print(rules->bake_ms, time));
    for (size_t i = 0; i < rules->breaker_count; i++)
        (void)fprintf(file, ", breaker %" PRIu32 "/%" PRIu32, rules->breakers[i].failures,
                      rules->breakers[i].of_last);
    if (rules->last_start_ms > 0)
        (void)fprintf(file, ", last-start %s", mm_duration_print(rules->last_start_ms, time));
}

static void print_windows(const mm_schedule_t *schedule, int64_t now_ms, FILE *file)
{
    char text[MM_WINDOW_TEXT], local[MM_INSTANT_TEXT], utc[MM_INSTANT_TEXT], date[MM_INSTANT_TEXT];
    char length[MM_DURATION_TEXT];
    for (size_t i = 0; i < schedule->window_count; i++) {
        const mm_window_t *window = &schedule->windows[i];
        mm_opening_t openings[OPENINGS_SHOWN];
        size_t count = mm_schedule_next(schedule, i, now_ms, openings, OPENINGS_SHOWN);
        (void)fprintf(file, "    window %s\n", mm_window_print(window, text));
        for (size_t j = 0; j < count; j++) {
            bool is_open = openings[j].opens_ms <= now_ms;
            (void)fprintf(file, "      %s = %s, %s%s\n",
                          mm_calendar_print(openings[j].opens_ms, window->zone, local),
                          mm_calendar_print(openings[j].opens_ms, "UTC", utc),
                          mm_duration_print(openings[j].closes_ms - openings[j].opens_ms, length),
                          is_open ? ", open now" : "");
        }
    }
    for (size_t i = 0; i < schedule->except_count; i++) {
        const mm_dates_t *dates = &schedule->except[i];
        (void)mm_calendar_print(dates->first * MM_DAY_MS, "UTC", date);
        (void)fprintf(file, "    except %.10s", date + strlen("Mon "));
        (void)mm_calendar_print(dates->last * MM_DAY_MS, "UTC", date);
        (void)fprintf(file, "..%.10s\n", date + strlen("Mon "));
    }
}

void run_policy_print(const run_settings_t *settings, const run_inventory_t *inventory,
                      int64_t now_ms, FILE *file)
{
    const mm_policy_t *policy = &settings->policy;
    if (policy->count == 0)
        return;
    (void)fprintf(file, "the policy:\n");
    for (size_t i = 0; i < policy->count; i++) {
        uint32_t hosts = inventory->sizes[i];
        (void)fprintf(file, "  %s: ", i == 0 ? "the whole run" : policy->groups[i].name);
        if (inventory->is_list)
            (void)fprintf(file, "%" PRIu32 " host%s", hosts, hosts == 1 ? "" : "s");
        else
            (void)fprintf(file, "invented hosts");
        print_limits(settings, i, hosts, file);
        if (i == 0 && policy->rate > 0)
            (void)fprintf(file, ", at most %" PRIu32 " start%s in %" PRId64 " s", policy->rate,
                          policy->rate == 1 ? "" : "s", (policy->rate_ms + 999) / 1000);
        if (i == 0 && policy->has_guard)
            (void)fprintf(file, ", a guard");
        (void)fprintf(file, "\n");
        print_windows(&settings->schedules[i], now_ms, file);
    }
}

// ---- JSON

static json_t *amount_json(mm_amount_t amount, uint32_t hosts)
{
    char text[MM_AMOUNT_TEXT];
    if (!amount.is_set)
        return json_null();
    return json_pack("{s:s, s:I}", "said", mm_amount_print(amount, text), "hosts",
                     (json_int_t)mm_amount_of(amount, hosts));
}

static json_t *window_json(const mm_schedule_t *schedule, size_t window, int64_t now_ms)
{
    char text[MM_WINDOW_TEXT];
    mm_opening_t openings[OPENINGS_SHOWN];
    size_t count = mm_schedule_next(schedule, window, now_ms, openings, OPENINGS_SHOWN);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:I, s:I}", "opens_ms", (json_int_t)openings[i].opens_ms,
                                        "closes_ms", (json_int_t)openings[i].closes_ms));
    return json_pack("{s:s, s:o}", "window", mm_window_print(&schedule->windows[window], text),
                     "openings", list);
}

static json_t *group_json(const run_settings_t *settings, size_t group, uint32_t hosts,
                          int64_t now_ms)
{
    const mm_rules_t *rules = &settings->policy.groups[group];
    const mm_schedule_t *schedule = &settings->schedules[group];
    json_t *ramp = json_array(), *breakers = json_array(), *windows = json_array();
    int64_t next_ms = mm_rules_next_start(rules, now_ms);
    for (size_t i = 0; i < rules->ramp_count; i++)
        json_array_append_new(ramp, amount_json(rules->ramp[i], hosts));
    for (size_t i = 0; i < rules->breaker_count; i++)
        json_array_append_new(
            breakers, json_pack("{s:I, s:I}", "failures", (json_int_t)rules->breakers[i].failures,
                                "of_last", (json_int_t)rules->breakers[i].of_last));
    for (size_t i = 0; i < schedule->window_count; i++)
        json_array_append_new(windows, window_json(schedule, i, now_ms));
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:I, s:o, s:o, s:I, s:o}", "group", rules->name,
                     "hosts", (json_int_t)hosts, "cap", amount_json(rules->cap, hosts),
                     "max_unavailable", amount_json(rules->max_unavailable, hosts), "ramp", ramp,
                     "bake_ms", (json_int_t)rules->bake_ms, "breakers", breakers, "windows",
                     windows, "last_start_ms", (json_int_t)rules->last_start_ms, "next_start_ms",
                     next_ms == MM_NEVER ? json_null() : json_integer((json_int_t)next_ms));
}

json_t *run_policy_json(const run_settings_t *settings, const run_inventory_t *inventory,
                        int64_t now_ms)
{
    const mm_policy_t *policy = &settings->policy;
    json_t *groups = policy->count > 0 ? json_array() : NULL;
    for (size_t i = 0; i < policy->count; i++)
        json_array_append_new(groups, group_json(settings, i, inventory->sizes[i], now_ms));
    return groups;
}
