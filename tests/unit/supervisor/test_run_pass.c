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

static mm_rules_t rules[GROUPS];
static mm_policy_t policy;
static run_host_t hosts[8];
static uint32_t sizes[GROUPS];
static run_inventory_t inventory;
static run_held_t held;
static run_pass_t pass;

// Six hosts: three of web, of which the last is in db, too, then two of db, and one of none.
static int begin(void **state)
{
    (void)state;
    static const run_host_t six[] = {
        {.name = "web-1", .groups = {WEB}, .group_count = 1},
        {.name = "web-2", .groups = {WEB}, .group_count = 1},
        {.name = "Both.", .groups = {DB, WEB}, .group_count = 2},
        {.name = "db-1", .groups = {DB}, .group_count = 1},
        {.name = "db-2", .groups = {DB}, .group_count = 1},
        {.name = "spare"},
    };
    memset(rules, 0, sizeof rules);
    (void)snprintf(rules[DB].name, sizeof rules[DB].name, "db");
    (void)snprintf(rules[WEB].name, sizeof rules[WEB].name, "web");
    memcpy(hosts, six, sizeof six);
    memcpy(sizes, (uint32_t[]){6, 3, 3}, sizeof sizes);
    policy = (mm_policy_t){.groups = rules, .count = GROUPS};
    held = (run_held_t){0};
    inventory = (run_inventory_t){
        .is_list = true, .hosts = 6, .sizes = sizes, .items = hosts, .item_count = 6};
    pass = (run_pass_t){
        .policy = &policy, .inventory = &inventory, .held = &held, .now_ms = NOW, .slots = 100};
    return 0;
}

static mm_amount_t number(uint32_t value)
{
    return (mm_amount_t){.value = value, .is_set = true};
}

// What becomes of each host, in order: "-" begins, else the reason and the group.
static void check(const char *const expected[6])
{
    run_verdict_t *verdicts = run_pass_decide(&pass);
    for (size_t i = 0; i < 6; i++) {
        char text[128] = "-";
        if (verdicts[i].reason != MM_REASON_NONE)
            (void)snprintf(text, sizeof text, "%s%s%s", mm_reason_name(verdicts[i].reason),
                           verdicts[i].group == RUN_PASS_NO_GROUP ? "" : ": ",
                           verdicts[i].group == RUN_PASS_NO_GROUP ? ""
                                                                  : rules[verdicts[i].group].name);
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
    CHECK("-", "-",
          "cap of its group: ", "cap of its group: ", "cap of its group: ", "cap of its group: ");
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
    held.tripped = &(run_tripped_t){.group = (char[]){"web"}};
    held.tripped_count = 1;
    CHECK("breaker tripped: web", "breaker tripped: web", "breaker tripped: web", "-", "-", "-");
    held.is_halted = true;
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
    run_verdict_t *verdicts = run_pass_decide(&pass);
    assert_int_equal(verdicts[0].reason, MM_REASON_WINDOW);
    assert_int_equal(verdicts[0].until_ms, NOW + 10);
    free(verdicts);
}

static void the_limits_of_all_restarts_are_the_last_reasons(void **state)
{
    (void)state;
    pass.at_once = 2;
    CHECK("-", "-", "limit of restarts at once", "limit of restarts at once",
          "limit of restarts at once", "limit of restarts at once");
    pass.at_once = 0;
    pass.slots = 1;
    CHECK("-", "no free slot", "no free slot", "no free slot", "no free slot", "no free slot");
    policy.rate = 2;
    policy.rate_ms = 60000;
    CHECK("-", "rate of starts", "rate of starts", "rate of starts", "rate of starts",
          "rate of starts");
}

static void hosts_are_denied_by_their_folded_names(void **state)
{
    (void)state;
    held.denied = (run_denied_t[]){
        {(char[]){"both"}, 0}, {(char[]){"db-1"}, NOW}, {(char[]){"db-2"}, NOW + 1}};
    held.denied_count = 3;
    CHECK("-", "-", "denied", "-", "denied", "-");
}

static void a_place_on_record_counts_but_not_against_its_own_host(void **state)
{
    (void)state;
    rules[WEB].cap = number(1);
    held.places = (run_place_t[]){{(char[]){"gone"}, (char[]){"web,other"}, false}};
    held.place_count = 1;
    CHECK("cap of its group: web", "cap of its group: web", "cap of its group: web", "-", "-", "-");
    held.places[0].is_casualty = true; // a cap does not count those
    CHECK("-", "cap of its group: web", "cap of its group: web", "-", "-", "-");
    rules[WEB].max_unavailable = number(1);
    CHECK("limit of unavailable hosts: web", "limit of unavailable hosts: web",
          "limit of unavailable hosts: web", "-", "-", "-");
    held.places[0].host = (char[]){"web-2"};
    CHECK("limit of unavailable hosts: web", "-", "limit of unavailable hosts: web", "-", "-", "-");
    rules[RUN].max_unavailable = number(1);
    CHECK("limit of unavailable hosts: ", "-",
          "limit of unavailable hosts: ", "limit of unavailable hosts: ",
          "limit of unavailable hosts: ", "limit of unavailable hosts: ");
}

static void what_is_done_counts_for_the_ramp_alone(void **state)
{
    (void)state;
    rules[RUN].ramp[0] = number(1);
    rules[RUN].ramp[1] = number(2);
    rules[RUN].ramp_count = 2;
    CHECK("-", "step of the ramp is full: ", "step of the ramp is full: ",
          "step of the ramp is full: ", "step of the ramp is full: ", "step of the ramp is full: ");
    hosts[0].is_done = true; // the first step is over
    CHECK("-", "-", "-",
          "step of the ramp is full: ", "step of the ramp is full: ", "step of the ramp is full: ");
    hosts[4].is_done = true;
    CHECK("-", "-", "step of the ramp is full: ", "step of the ramp is full: ", "-",
          "step of the ramp is full: ");
    hosts[5].is_done = true; // and the second one
    CHECK("-", "-", "-", "-", "-", "-");
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
        TEST(what_is_done_counts_for_the_ramp_alone),
    };
    return cmocka_run_group_tests_name("run_pass", tests, NULL, NULL);
}
