// Tests of common/base/policy.h.

#include "policy.h"
#include "duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static mm_amount_t amount(const char *text)
{
    mm_amount_t found = {0};
    const char *why = mm_amount_parse(mm_str(text), &found);
    if (why)
        fail_msg("%s: %s", text, why);
    return found;
}

static void an_amount_is_a_number_or_a_share(void **state)
{
    (void)state;
    char text[MM_AMOUNT_TEXT];
    assert_int_equal(mm_amount_of(amount("5"), 100), 5);
    assert_int_equal(mm_amount_of(amount("5"), 2), 5);
    assert_int_equal(mm_amount_of(amount("25%"), 12), 3);
    assert_int_equal(mm_amount_of(amount("25%"), 11), 2); // rounded down
    assert_int_equal(mm_amount_of(amount("10%"), 1), 0);
    assert_int_equal(mm_amount_of(amount("100%"), 7), 7);
    assert_int_equal(mm_amount_of(amount("100%"), UINT32_MAX), UINT32_MAX);
    assert_int_equal(mm_amount_of((mm_amount_t){0}, 7), UINT32_MAX);
    assert_string_equal(mm_amount_print(amount("25%"), text), "25%");
    assert_string_equal(mm_amount_print(amount("4294967295"), text), "4294967295");
    assert_string_equal(mm_amount_print((mm_amount_t){0}, text), "no limit");
}

static void what_is_no_amount_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"",   "0",   "%",   "0%",    "101%",
                                        "-1", "1.5", "5 %", "12.5%", "4294967296",
                                        "+5", "5%%", " 5",  "five",  "99999999999"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mm_amount_t found = {.value = 42};
        if (!mm_amount_parse(mm_str(cases[i]), &found) || found.value != 42)
            fail_msg("%s", cases[i]);
    }
}

static void a_group_is_found_by_its_name(void **state)
{
    (void)state;
    mm_rules_t rules[] = {{.name = ""}, {.name = "db"}, {.name = "we"}, {.name = "web"}};
    mm_policy_t policy = {.groups = rules, .count = 4};
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(mm_policy_find(&policy, mm_str(rules[i].name)), &rules[i]);
    assert_null(mm_policy_find(&policy, mm_str("w")));
    assert_null(mm_policy_find(&policy, mm_str("webs")));
    assert_null(mm_policy_find(&policy, mm_str("zoo")));
    assert_null(mm_policy_find(&(mm_policy_t){0}, mm_str("")));
}

static void a_window_says_when_a_restart_may_begin(void **state)
{
    (void)state;
    static const mm_opening_t openings[] = {{100, 200}, {300, 310}, {400, 500}};
    mm_rules_t rules = {.has_window = true, .openings = openings, .opening_count = 3};
    assert_int_equal(mm_rules_next_start(&rules, 0), 100);
    assert_int_equal(mm_rules_next_start(&rules, 100), 100);
    assert_int_equal(mm_rules_next_start(&rules, 199), 199);
    assert_int_equal(mm_rules_next_start(&rules, 200), 300);
    assert_int_equal(mm_rules_next_start(&rules, 499), 499);
    assert_true(mm_rules_next_start(&rules, 500) == MM_NEVER);
    assert_ptr_equal(mm_rules_opening(&rules, 0), &openings[0]);
    assert_ptr_equal(mm_rules_opening(&rules, 199), &openings[0]);
    assert_ptr_equal(mm_rules_opening(&rules, 200), &openings[1]);
    assert_null(mm_rules_opening(&rules, 500));
    rules.last_start_ms = 10; // the second one is too short
    assert_int_equal(mm_rules_next_start(&rules, 189), 189);
    assert_int_equal(mm_rules_next_start(&rules, 190), 400);
    assert_int_equal(mm_rules_next_start(&rules, 300), 400);
    assert_true(mm_rules_next_start(&rules, 490) == MM_NEVER);
    rules.has_window = false;
    assert_int_equal(mm_rules_next_start(&rules, 490), 490);
}

static void what_can_never_be_met_is_refused_with_what_to_write(void **state)
{
    (void)state;
    char why[MM_POLICY_WHY_MAX];
    mm_rules_t rules[] = {{.name = ""}, {.name = "web", .cap = amount("10%")}};
    mm_policy_t policy = {.groups = rules, .count = 2};
    assert_true(mm_policy_check_amounts(&policy, (uint32_t[]){100, 10}, why));
    assert_false(mm_policy_check_amounts(&policy, (uint32_t[]){100, 9}, why));
    assert_non_null(strstr(why, "cap = 10% of group web comes to 0 of its 9 hosts"));
    assert_non_null(strstr(why, "write cap = 1, or a share of 12% or more"));
    assert_int_equal(mm_amount_of(amount("12%"), 9), 1);
    rules[1].cap = (mm_amount_t){0};
    rules[1].ramp[0] = amount("1");
    rules[1].ramp[1] = amount("10%");
    rules[1].ramp_count = 2;
    assert_false(mm_policy_check_amounts(&policy, (uint32_t[]){100, 9}, why));
    assert_non_null(strstr(why, "ramp = 10%"));
    rules[1].ramp_count = 0;
    rules[0].max_unavailable = amount("10%");
    assert_false(mm_policy_check_amounts(&policy, (uint32_t[]){1, 1}, why));
    assert_non_null(
        strstr(why, "max-unavailable = 10% of the whole run comes to 0 of its 1 host,"));
    assert_non_null(strstr(why, "100% or more"));
    rules[0].max_unavailable = (mm_amount_t){0};
    rules[0].cap = amount("1%");
    assert_false(mm_policy_check_amounts(&policy, (uint32_t[]){5, 1}, why));
    assert_non_null(strstr(why, "at-once = 1%"));
    assert_true(mm_policy_check_amounts(&policy, (uint32_t[]){0, 0}, why)); // there are none
}

static void a_share_needs_so_many_hosts(void **state)
{
    (void)state;
    mm_rules_t rules = {.cap = amount("5"), .max_unavailable = amount("10")};
    assert_int_equal(mm_rules_need(&rules), 0);
    for (uint32_t percent = 1; percent <= 100; percent++) {
        rules.cap = (mm_amount_t){.value = percent, .is_set = true, .is_percent = true};
        uint32_t hosts = mm_rules_need(&rules);
        assert_true(mm_amount_of(rules.cap, hosts) >= 1);
        assert_int_equal(mm_amount_of(rules.cap, hosts - 1), 0);
    }
    rules.ramp[0] = amount("1");
    rules.ramp[1] = amount("3%");
    rules.ramp_count = 2;
    assert_int_equal(mm_rules_need(&rules), 34);
    rules.max_unavailable = amount("2%");
    assert_int_equal(mm_rules_need(&rules), 50);
}

static void a_group_without_a_host_is_refused(void **state)
{
    (void)state;
    char why[MM_POLICY_WHY_MAX];
    mm_rules_t rules[] = {{.name = ""}, {.name = "db"}, {.name = "web"}};
    mm_policy_t policy = {.groups = rules, .count = 3};
    assert_true(mm_policy_check_groups(&policy, (uint32_t[]){3, 1, 1}, why));
    assert_false(mm_policy_check_groups(&policy, (uint32_t[]){3, 1, 0}, why));
    assert_non_null(strstr(why, "[group web]"));
    assert_non_null(strstr(why, "--allow-empty"));
}

static void hosts_without_an_end_have_no_shares_and_no_groups(void **state)
{
    (void)state;
    char why[MM_POLICY_WHY_MAX];
    mm_rules_t rules[] = {{.cap = amount("5")}, {.name = "web"}};
    mm_policy_t policy = {.groups = rules, .count = 1};
    assert_true(mm_policy_check_endless(&policy, why));
    assert_true(mm_policy_check_endless(&(mm_policy_t){0}, why));
    rules[0].ramp[0] = amount("5%");
    rules[0].ramp_count = 1;
    assert_false(mm_policy_check_endless(&policy, why));
    assert_non_null(strstr(why, "write a number"));
    policy.count = 2;
    assert_false(mm_policy_check_endless(&policy, why));
    assert_non_null(strstr(why, "[group web]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_amount_is_a_number_or_a_share),
        cmocka_unit_test(what_is_no_amount_is_refused),
        cmocka_unit_test(a_group_is_found_by_its_name),
        cmocka_unit_test(a_window_says_when_a_restart_may_begin),
        cmocka_unit_test(what_can_never_be_met_is_refused_with_what_to_write),
        cmocka_unit_test(a_share_needs_so_many_hosts),
        cmocka_unit_test(a_group_without_a_host_is_refused),
        cmocka_unit_test(hosts_without_an_end_have_no_shares_and_no_groups),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
