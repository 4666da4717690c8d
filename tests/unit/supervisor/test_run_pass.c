// Tests of supervisor/run_pass.h: who begins in one pass, and the first reason of the others.

#include "run_pass.h"
#include "duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RUN, DB, WEB, GROUPS };
#define NOW INT64_C(1000000)

#define ENTRIES_MAX 8

static mm_rules_t rules[GROUPS];
static mm_policy_t policy;
static run_host_t hosts[8];
static uint32_t sizes[GROUPS];
static run_inventory_t inventory;
static mm_entry_t entries[ENTRIES_MAX]; // of the record
static size_t entry_count;
static run_pass_config_t config;

// Six hosts: three of web, of which the last is in db, too, then two of db, and one of none.
static int begin(void **state)
{
    (void)state;
    static const run_host_t six[] = {
        {.name = "web-1", .groups = "web"},    {.name = "web-2", .groups = "web"},
        {.name = "Both.", .groups = "db,web"}, {.name = "db-1", .groups = "db"},
        {.name = "db-2", .groups = "db"},      {.name = "spare", .groups = ""},
    };
    memset(rules, 0, sizeof rules);
    (void)snprintf(rules[DB].name, sizeof rules[DB].name, "db");
    (void)snprintf(rules[WEB].name, sizeof rules[WEB].name, "web");
    memcpy(hosts, six, sizeof six);
    memcpy(sizes, (uint32_t[]){6, 3, 3}, sizeof sizes);
    policy = (mm_policy_t){.groups = rules, .count = GROUPS};
    entry_count = 0;
    inventory = (run_inventory_t){
        .is_list = true, .hosts = 6, .sizes = sizes, .items = hosts, .item_count = 6};
    config = (run_pass_config_t){
        .policy = &policy, .inventory = &inventory, .now_ms = NOW, .slots = 100};
    return 0;
}

static void record_has(mm_entry_t entry)
{
    assert_true(entry_count < ENTRIES_MAX);
    entries[entry_count++] = entry;
}

// Of a host that has an outcome, in the order of the record.
static void has_ended(const char *groups, mm_outcome_t outcome, int64_t at_ms)
{
    record_has((mm_entry_t){.action = MM_ACTION_ENDED,
                            .seq = entry_count + 1,
                            .name = mm_str("gone"),
                            .groups = mm_str(groups),
                            .at_ms = at_ms,
                            .outcome = outcome});
}

static run_verdict_t *decide(void)
{
    run_pass_t *pass = run_pass_new(&config);
    for (size_t i = 0; i < entry_count; i++)
        run_pass_apply(pass, &entries[i]);
    run_verdict_t *verdicts = run_pass_decide(pass);
    run_pass_destroy(&pass);
    return verdicts;
}

static mm_amount_t number(uint32_t value)
{
    return (mm_amount_t){.value = value, .is_set = true};
}

// What becomes of each host, in order: "-" begins, else the reason and the group.
static void check(const char *const expected[6])
{
    run_verdict_t *verdicts = decide();
    for (size_t i = 0; i < 6; i++) {
        char text[128] = "-";
        if (verdicts[i].reason != MM_REASON_NONE)
            (void)snprintf(text, sizeof text, "%s%s%s", mm_reason_name(verdicts[i].reason),
                           verdicts[i].group ? ": " : "",
                           verdicts[i].group ? verdicts[i].group : "");
        assert_string_equal(text, expected[i]);
    }
    free(verdicts);
}

#define CHECK(...) check((const char *const[6]){__VA_ARGS__})

static void without_limits_all_begin(void **state)
{
    (void)state;
    CHECK("-", "-", "-", "-", "-", "-");
    policy = (mm_policy_t){0};
    inventory.sizes = NULL;
    CHECK("-", "-", "-", "-", "-", "-");
    record_has((mm_entry_t){.action = MM_ACTION_TRIP, .name = mm_str("")}); // by --max-dead
    CHECK("breaker tripped", "breaker tripped", "breaker tripped", "breaker tripped",
          "breaker tripped", "breaker tripped");
}

static void a_host_needs_room_in_each_of_its_groups(void **state)
{
    (void)state;
    rules[DB].cap = number(1);
    rules[WEB].cap = number(2);
    CHECK("-", "-", "cap of its group: web", "-", "cap of its group: db", "-");
    rules[DB].cap = (mm_amount_t){.value = 67, .is_set = true, .is_percent = true}; // 2 of 3
    rules[WEB].cap = number(3);
    CHECK("-", "-", "-", "-", "cap of its group: db", "-");
    rules[RUN].cap = number(2);
    CHECK("-", "-", "limit of restarts at once", "limit of restarts at once",
          "limit of restarts at once", "limit of restarts at once");
}

static void the_first_reason_is_told(void **state)
{
    (void)state;
    static const mm_opening_t openings[] = {{NOW + 10, NOW + 20}};
    rules[WEB].cap = number(1);
    rules[WEB].max_unavailable = number(1);
    CHECK("-", "limit of unavailable hosts: web", "limit of unavailable hosts: web", "-", "-", "-");
    rules[WEB].ramp[0] = number(1);
    rules[WEB].ramp_count = 1;
    CHECK("-", "step of the ramp is full: web", "step of the ramp is full: web", "-", "-", "-");
    rules[WEB].has_window = true;
    rules[WEB].openings = openings;
    rules[WEB].opening_count = 1;
    CHECK("window closed: web", "window closed: web", "window closed: web", "-", "-", "-");
    record_has((mm_entry_t){.action = MM_ACTION_TRIP, .name = mm_str("web")});
    CHECK("breaker tripped: web", "breaker tripped: web", "breaker tripped: web", "-", "-", "-");
    record_has((mm_entry_t){.action = MM_ACTION_HALT});
    CHECK("halted", "halted", "halted", "halted", "halted", "halted");
}

static void a_closed_window_says_until_when(void **state)
{
    (void)state;
    static const mm_opening_t openings[] = {{NOW - 10, NOW + 5}, {NOW + 10, NOW + 20}};
    rules[RUN].has_window = true;
    rules[RUN].openings = openings;
    rules[RUN].opening_count = 2;
    CHECK("-", "-", "-", "-", "-", "-");
    rules[RUN].last_start_ms = 5;
    run_verdict_t *verdicts = decide();
    assert_int_equal(verdicts[0].reason, MM_REASON_WINDOW);
    assert_int_equal(verdicts[0].until_ms, NOW + 10);
    free(verdicts);
}

static void the_limits_of_all_restarts_are_the_last_reasons(void **state)
{
    (void)state;
    config.at_once = 2;
    CHECK("-", "-", "limit of restarts at once", "limit of restarts at once",
          "limit of restarts at once", "limit of restarts at once");
    config.at_once = 0;
    config.slots = 1;
    CHECK("-", "no free slot", "no free slot", "no free slot", "no free slot", "no free slot");
    policy.rate = 2;
    policy.rate_ms = 60000;
    CHECK("-", "rate of starts", "rate of starts", "rate of starts", "rate of starts",
          "rate of starts");
}

static void hosts_are_denied_by_their_folded_names(void **state)
{
    (void)state;
    record_has((mm_entry_t){.action = MM_ACTION_DENY, .name = mm_str("both")});
    record_has((mm_entry_t){.action = MM_ACTION_DENY, .name = mm_str("db-1"), .until_ms = NOW});
    record_has((mm_entry_t){.action = MM_ACTION_DENY, .name = mm_str("db-2"), .until_ms = NOW + 1});
    CHECK("-", "-", "denied", "-", "denied", "-");
}

static void a_place_on_record_counts_but_not_against_its_own_host(void **state)
{
    (void)state;
    rules[WEB].cap = number(1);
    record_has((mm_entry_t){
        .action = MM_ACTION_BEGUN, .name = mm_str("gone"), .groups = mm_str("web,other")});
    CHECK("cap of its group: web", "cap of its group: web", "cap of its group: web", "-", "-", "-");
    entries[0].action = MM_ACTION_ENDED; // a casualty: a cap does not count those
    entries[0].is_casualty = true;
    CHECK("-", "cap of its group: web", "cap of its group: web", "-", "-", "-");
    rules[WEB].max_unavailable = number(1);
    CHECK("limit of unavailable hosts: web", "limit of unavailable hosts: web",
          "limit of unavailable hosts: web", "-", "-", "-");
    entries[0].name = mm_str("web-2");
    CHECK("limit of unavailable hosts: web", "-", "limit of unavailable hosts: web", "-", "-", "-");
    rules[RUN].max_unavailable = number(1);
    CHECK("limit of unavailable hosts: ", "-",
          "limit of unavailable hosts: ", "limit of unavailable hosts: ",
          "limit of unavailable hosts: ", "limit of unavailable hosts: ");
}

static void a_casualty_goes_before_those_in_the_same_groups(void **state)
{
    (void)state;
    rules[WEB].cap = number(1);
    record_has((mm_entry_t){.action = MM_ACTION_ENDED,
                            .name = mm_str("web-2"),
                            .groups = mm_str("web"),
                            .is_casualty = true});
    CHECK("cap of its group: web", "-", "cap of its group: web", "-", "-", "-");
}

static void a_step_of_a_ramp_counts_what_was_proven(void **state)
{
    (void)state;
    rules[RUN].ramp[0] = number(1);
    rules[RUN].ramp[1] = number(2);
    rules[RUN].ramp_count = 2;
    CHECK("-", "step of the ramp is full: ", "step of the ramp is full: ",
          "step of the ramp is full: ", "step of the ramp is full: ", "step of the ramp is full: ");
    has_ended("web", MM_OUTCOME_DEAD, NOW - 30); // it proves nothing
    CHECK("-", "step of the ramp is full: ", "step of the ramp is full: ",
          "step of the ramp is full: ", "step of the ramp is full: ", "step of the ramp is full: ");
    has_ended("web", MM_OUTCOME_RESTARTED, NOW - 20); // the first step is over
    CHECK("-", "-", "step of the ramp is full: ", "step of the ramp is full: ",
          "step of the ramp is full: ", "step of the ramp is full: ");
    has_ended("db", MM_OUTCOME_SKIPPED, NOW - 10);
    CHECK("-", "step of the ramp is full: ", "step of the ramp is full: ",
          "step of the ramp is full: ", "step of the ramp is full: ", "step of the ramp is full: ");
    has_ended("db", MM_OUTCOME_RESTARTED, NOW - 10); // and the second one
    CHECK("-", "-", "-", "-", "-", "-");
}

static void a_ramp_that_bakes_says_until_when(void **state)
{
    (void)state;
    rules[WEB].ramp[0] = number(1);
    rules[WEB].ramp_count = 1;
    rules[WEB].bake_ms = 100;
    has_ended("web", MM_OUTCOME_RESTARTED, NOW - 40);
    CHECK("bake of a ramp step: web", "bake of a ramp step: web", "bake of a ramp step: web", "-",
          "-", "-");
    run_verdict_t *verdicts = decide();
    assert_int_equal(verdicts[0].until_ms, NOW + 60);
    free(verdicts);
    entries[0].at_ms = NOW - 100;
    CHECK("-", "-", "-", "-", "-", "-");
}

static void the_rate_counts_from_a_start_of_which_nobody_knows_when(void **state)
{
    (void)state;
    policy.rate = 1;
    policy.rate_ms = 1000;
    has_ended("web", MM_OUTCOME_RESTARTED, NOW - 5000);
    CHECK("rate of starts", "rate of starts", "rate of starts", "rate of starts", "rate of starts",
          "rate of starts");
}

static void the_guard_is_taken_to_say_yes(void **state)
{
    (void)state;
    policy.has_guard = true;
    CHECK("-", "-", "-", "-", "-", "-");
}

static void what_is_done_has_no_reason_and_takes_no_place(void **state)
{
    (void)state;
    rules[WEB].cap = number(1);
    hosts[0].is_done = true;
    CHECK("-", "-", "cap of its group: web", "-", "-", "-");
}

#define TEST(NAME) cmocka_unit_test_setup(NAME, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_limits_all_begin),
        TEST(a_host_needs_room_in_each_of_its_groups),
        TEST(the_first_reason_is_told),
        TEST(a_closed_window_says_until_when),
        TEST(the_limits_of_all_restarts_are_the_last_reasons),
        TEST(hosts_are_denied_by_their_folded_names),
        TEST(a_place_on_record_counts_but_not_against_its_own_host),
        TEST(a_casualty_goes_before_those_in_the_same_groups),
        TEST(a_step_of_a_ramp_counts_what_was_proven),
        TEST(a_ramp_that_bakes_says_until_when),
        TEST(the_rate_counts_from_a_start_of_which_nobody_knows_when),
        TEST(the_guard_is_taken_to_say_yes),
        TEST(what_is_done_has_no_reason_and_takes_no_place),
    };
    return cmocka_run_group_tests_name("run_pass", tests, NULL, NULL);
}
