// The limits of groups: places, casualties, ramps, breakers, windows.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "group_limits.h"
#include "string_view.h"

#define UNIX_MS INT64_C(1795332314123)

static mm_rules_t rules[3]; // the whole run, db, web
static limits_t limits;

static int begin(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        rules[i] = (mm_rules_t){0};
    strcpy(rules[1].name, "db");
    strcpy(rules[2].name, "web");
    return 0;
}

static void start(void)
{
    limits_init(&limits, &(mm_policy_t){.groups = rules, .count = 3}, 1500);
    limits_set_hosts(&limits, mm_str(""), 10);
    limits_set_hosts(&limits, mm_str("db"), 4);
    limits_set_hosts(&limits, mm_str("web"), 10);
    limits_complete(&limits, UNIX_MS);
}

static int end(void **state)
{
    (void)state;
    limits_clear(&limits);
    return 0;
}

static class_t *class_of(const char *groups)
{
    return limits_class(&limits, mm_str(groups));
}

static mm_reason_t room(const char *groups, const char *host)
{
    bool ends;
    group_t *blocker;
    return limits_room(class_of(groups), limits_place(&limits, mm_str(host)), &ends, &blocker);
}

static mm_reason_t closed(const char *groups, int64_t unix_ms)
{
    int64_t until_ms;
    return limits_closed(&limits, class_of(groups), 1000, unix_ms, &until_ms);
}

static void take(const char *host, const char *groups)
{
    limits_take(&limits, mm_str(host), class_of(groups));
}

static void leave(const char *host)
{
    limits_leave(&limits, mm_str(host), 0);
}

// ---- places

static void a_cap_counts_restarts_and_open_ones(void **state)
{
    (void)state;
    rules[2].cap = (mm_amount_t){.value = 2, .is_set = true};
    start();
    take("web-1", "web");
    assert_int_equal(room("web", "web-9"), MM_REASON_NONE);
    take("web-2", "web");
    assert_int_equal(room("web", "web-9"), MM_REASON_CAP);
    assert_int_equal(room("db", "db-1"), MM_REASON_NONE);
    limits_leave(&limits, mm_str("web-2"), 5000); // nobody knows its end
    assert_int_equal(room("web", "web-9"), MM_REASON_CAP);
    assert_null(limits_expired(&limits, 4999));
    assert_non_null(limits_expired(&limits, 5000));
    leave("web-2");
    assert_int_equal(room("web", "web-9"), MM_REASON_NONE);
    leave("web-1");
    assert_int_equal(limits.places.count, 0);
}

static void a_host_needs_room_in_each_of_its_groups(void **state)
{
    (void)state;
    rules[1].cap = (mm_amount_t){.value = 1, .is_set = true};
    start();
    take("db-1", "db");
    assert_int_equal(room("db,web", "db-2"), MM_REASON_CAP);
    assert_int_equal(room("web", "web-1"), MM_REASON_NONE);
}

static void the_whole_run_has_limits_too(void **state)
{
    (void)state;
    rules[0].cap = (mm_amount_t){.value = 1, .is_set = true};
    start();
    take("web-1", "web");
    assert_int_equal(room("db", "db-1"), MM_REASON_AT_ONCE);
    assert_int_equal(room("", "nobody"), MM_REASON_AT_ONCE);
}

static void casualties_use_the_budget_up_and_not_the_cap(void **state)
{
    (void)state;
    rules[2].cap = (mm_amount_t){.value = 1, .is_set = true};
    rules[2].max_unavailable = (mm_amount_t){.value = 2, .is_set = true};
    start();
    take("web-1", "web");
    limits_set_casualty(&limits, mm_str("web-1"), class_of("web"), true);
    leave("web-1");
    assert_int_equal(room("web", "web-9"), MM_REASON_NONE);
    limits_set_casualty(&limits, mm_str("web-2"), class_of("web"), true);
    assert_int_equal(room("web", "web-9"), MM_REASON_BUDGET);
    assert_int_equal(room("web", "web-1"), MM_REASON_NONE); // it counts itself once
    take("web-1", "web");
    assert_int_equal(room("web", "web-9"), MM_REASON_BUDGET);
    limits_set_casualty(&limits, mm_str("web-1"), NULL, false); // it was restarted
    leave("web-1");
    limits_set_casualty(&limits, mm_str("web-2"), NULL, false); // it was absolved
    assert_int_equal(room("web", "web-9"), MM_REASON_NONE);
    assert_int_equal(limits.places.count, 0);
}

static void a_share_is_of_the_list_and_rounded_down(void **state)
{
    (void)state;
    rules[1].cap = (mm_amount_t){.value = 50, .is_set = true, .is_percent = true};
    rules[2].cap = (mm_amount_t){.value = 25, .is_set = true, .is_percent = true};
    start();
    assert_int_equal(limits.groups[1].cap, 2);
    assert_int_equal(limits.groups[2].cap, 2);
    limits_set_hosts(&limits, mm_str("web"), 12);
    assert_int_equal(limits.groups[2].cap, 3);
}

static void waiting_is_worth_it_when_restarts_in_progress_are_in_the_way(void **state)
{
    (void)state;
    bool ends;
    group_t *blocker;
    rules[2].max_unavailable = (mm_amount_t){.value = 1, .is_set = true};
    start();
    take("web-1", "web");
    assert_int_equal(limits_room(class_of("web"), NULL, &ends, &blocker), MM_REASON_BUDGET);
    assert_true(ends);
    limits_set_casualty(&limits, mm_str("web-1"), class_of("web"), true);
    leave("web-1");
    assert_int_equal(limits_room(class_of("web"), NULL, &ends, &blocker), MM_REASON_BUDGET);
    assert_false(ends);
}

static void a_reserved_place_is_left_to_its_class(void **state)
{
    (void)state;
    rules[2].cap = (mm_amount_t){.value = 1, .is_set = true};
    start();
    limits_reserve(class_of("db,web"));
    assert_int_equal(room("web", "web-1"), MM_REASON_RESERVED);
    limits_reserve_nothing(&limits);
    assert_int_equal(room("web", "web-1"), MM_REASON_NONE);
}

// ---- time

static void nothing_begins_in_a_closed_window_or_shortly_before_its_end(void **state)
{
    (void)state;
    static const mm_opening_t openings[] = {{UNIX_MS, UNIX_MS + 10000},
                                            {UNIX_MS + 50000, UNIX_MS + 60000}};
    int64_t until_ms;
    rules[2] = (mm_rules_t){.name = "web",
                            .has_window = true,
                            .openings = openings,
                            .opening_count = 2,
                            .last_start_ms = 4000};
    start();
    assert_int_equal(closed("web", UNIX_MS - 1), MM_REASON_WINDOW);
    assert_int_equal(closed("web", UNIX_MS), MM_REASON_NONE);
    assert_int_equal(closed("web", UNIX_MS + 5999), MM_REASON_NONE);
    assert_int_equal(closed("web", UNIX_MS + 6000), MM_REASON_WINDOW);
    assert_int_equal(closed("db", UNIX_MS + 6000), MM_REASON_NONE);
    assert_int_equal(limits_closed(&limits, class_of("web"), 1000, UNIX_MS + 6000, &until_ms),
                     MM_REASON_WINDOW);
    assert_int_equal(until_ms, 1000 + 44000);
    assert_int_equal(closed("web", UNIX_MS + 56000), MM_REASON_WINDOW); // the last one
    assert_int_equal(limits_closed(&limits, class_of("web"), 1000, UNIX_MS + 99000, &until_ms),
                     MM_REASON_WINDOW);
    assert_true(until_ms == MM_NEVER);
}

static void the_margin_of_a_window_is_lost_after_at_least(void **state)
{
    (void)state;
    static const mm_opening_t openings[] = {{UNIX_MS, UNIX_MS + 10000}};
    rules[0] = (mm_rules_t){.has_window = true, .openings = openings, .opening_count = 1};
    start();
    assert_int_equal(closed("", UNIX_MS + 8499), MM_REASON_NONE);
    assert_int_equal(closed("", UNIX_MS + 8500), MM_REASON_WINDOW);
}

// ---- outcomes

static void ended(const char *groups, mm_outcome_t outcome, bool is_casualty, int64_t unix_ms)
{
    limits_ended(&limits, class_of(groups), outcome, is_casualty, unix_ms);
}

static void a_breaker_trips_at_so_many_of_the_last(void **state)
{
    (void)state;
    rules[2].breakers[0] = (mm_breaker_t){.failures = 2, .of_last = 3};
    rules[2].breaker_count = 1;
    start();
    ended("web", MM_OUTCOME_DEAD, false, UNIX_MS);
    ended("web", MM_OUTCOME_RESTARTED, false, UNIX_MS);
    ended("web", MM_OUTCOME_SKIPPED, false, UNIX_MS); // nothing was tried: it does not count
    ended("web", MM_OUTCOME_RESTARTED, false, UNIX_MS);
    ended("web", MM_OUTCOME_DEAD, false, UNIX_MS);
    assert_int_equal(closed("web", UNIX_MS), MM_REASON_NONE);
    ended("web", MM_OUTCOME_RESTARTED, false, UNIX_MS);
    ended("web", MM_OUTCOME_DEAD, false, UNIX_MS);
    assert_int_equal(closed("web", UNIX_MS), MM_REASON_BREAKER);
    assert_int_equal(closed("db,web", UNIX_MS), MM_REASON_BREAKER);
    assert_int_equal(closed("db", UNIX_MS), MM_REASON_NONE);
    group_t *tripped = limits_tripped(&limits);
    assert_string_equal(tripped->rules.name, "web");
    assert_string_equal(tripped->why, "2 of the last 3 failed");
    assert_null(limits_tripped(&limits)); // it is told once
    for (int i = 0; i < 5; i++)           // what runs may finish, and changes nothing
        ended("web", MM_OUTCOME_RESTARTED, false, UNIX_MS);
    assert_int_equal(closed("web", UNIX_MS), MM_REASON_BREAKER);
    limits_resumed(&limits, mm_str("nobody"));
    limits_resumed(&limits, mm_str("web"));
    assert_int_equal(closed("web", UNIX_MS), MM_REASON_NONE);
    ended("web", MM_OUTCOME_DEAD, false, UNIX_MS); // it begins anew
    assert_int_equal(closed("web", UNIX_MS), MM_REASON_NONE);
}

static void as_many_in_a_row(void **state)
{
    (void)state;
    rules[0].breakers[0] = (mm_breaker_t){.failures = 3, .of_last = 3};
    rules[0].breaker_count = 1;
    start();
    ended("web", MM_OUTCOME_DEAD, false, UNIX_MS);
    ended("db", MM_OUTCOME_DEAD, false, UNIX_MS);
    ended("", MM_OUTCOME_RESTARTED, false, UNIX_MS);
    ended("web", MM_OUTCOME_DEAD, false, UNIX_MS);
    ended("db", MM_OUTCOME_DEAD, false, UNIX_MS);
    assert_int_equal(closed("", UNIX_MS), MM_REASON_NONE);
    ended("", MM_OUTCOME_DEAD, false, UNIX_MS);
    assert_int_equal(closed("web", UNIX_MS), MM_REASON_BREAKER);
}

static void set_ramp(void)
{
    rules[2].ramp[0] = (mm_amount_t){.value = 1, .is_set = true};
    rules[2].ramp[1] = (mm_amount_t){.value = 30, .is_set = true, .is_percent = true};
    rules[2].ramp_count = 2;
    rules[2].bake_ms = 60000;
}

static void prove(const char *host, int64_t unix_ms)
{
    leave(host);
    ended("web", MM_OUTCOME_RESTARTED, false, unix_ms);
}

static void a_ramp_goes_step_by_step(void **state)
{
    (void)state;
    set_ramp();
    start();
    take("web-1", "web");
    assert_int_equal(room("web", "web-2"), MM_REASON_RAMP);
    prove("web-1", UNIX_MS);
    assert_int_equal(closed("web", UNIX_MS + 59999), MM_REASON_BAKE);
    assert_null(limits_step(&limits, UNIX_MS + 59999));
    assert_ptr_equal(limits_step(&limits, UNIX_MS + 60000), &limits.groups[2]);
    assert_int_equal(closed("web", UNIX_MS + 60000), MM_REASON_NONE);
    take("web-2", "web");
    take("web-3", "web");
    leave("web-3"); // it is dead, and up: another one may have its place in the step
    ended("web", MM_OUTCOME_DEAD, false, UNIX_MS + 61000);
    take("web-4", "web");
    assert_int_equal(room("web", "web-5"), MM_REASON_NONE);
    take("web-5", "web");
    assert_int_equal(room("web", "web-6"), MM_REASON_RAMP);
    prove("web-2", UNIX_MS + 62000);
    prove("web-4", UNIX_MS + 63000);
    assert_int_equal(room("web", "web-6"), MM_REASON_RAMP);
    prove("web-5", UNIX_MS + 64000);
    assert_non_null(limits_step(&limits, UNIX_MS + 124000));
    assert_int_equal(room("web", "web-6"), MM_REASON_NONE); // the ramp is over
    assert_int_equal(limits.groups[2].step, 2);
}

static void a_casualty_in_a_step_trips(void **state)
{
    (void)state;
    set_ramp();
    start();
    take("web-1", "web");
    leave("web-1");
    limits_set_casualty(&limits, mm_str("web-1"), class_of("web"), true);
    ended("web", MM_OUTCOME_DEAD, true, UNIX_MS);
    assert_int_equal(closed("web", UNIX_MS), MM_REASON_BREAKER);
    assert_string_equal(limits_tripped(&limits)->why, "a casualty in step 1 of the ramp");
}

// ---- what the record tells

static void the_record_told_again_comes_to_the_same(void **state)
{
    (void)state;
    set_ramp();
    start();
    limits_set_casualty(&limits, mm_str("web-9"), class_of("web"), true);
    limits_deny(&limits, mm_str("web-8"), 0);
    take("web-1", "web");
    prove("web-1", UNIX_MS);
    take("web-2", "web");
    limits_reset(&limits);
    assert_int_equal(closed("web", UNIX_MS + 60000), MM_REASON_STATE);
    assert_int_equal(limits_denied(&limits, mm_str("web-8"), UNIX_MS), 0);
    assert_non_null(limits_place(&limits, mm_str("web-2"))); // it is in progress all the same
    assert_null(limits_place(&limits, mm_str("web-9")));
    ended("web", MM_OUTCOME_RESTARTED, false, UNIX_MS);
    limits_trip(&limits, mm_str("db"), mm_str("2 of the last 3 failed"));
    limits_resumed(&limits, mm_str("db"));
    limits_resumed(&limits, mm_str("web"));
    limits_complete(&limits, UNIX_MS);
    assert_int_equal(closed("web", UNIX_MS), MM_REASON_BAKE);
    assert_int_equal(closed("db", UNIX_MS), MM_REASON_BREAKER);
    assert_string_equal(limits.groups[1].why, "2 of the last 3 failed");
    assert_null(limits_tripped(&limits)); // it is on record already
}

static void nothing_begins_before_each_group_is_counted(void **state)
{
    (void)state;
    limits_init(&limits, &(mm_policy_t){.groups = rules, .count = 3}, 1500);
    limits_complete(&limits, UNIX_MS);
    limits_set_hosts(&limits, mm_str(""), 10);
    limits_set_hosts(&limits, mm_str("db"), 4);
    assert_int_equal(closed("", UNIX_MS), MM_REASON_STATE);
    limits_set_hosts(&limits, mm_str("web"), 0);
    assert_int_equal(closed("", UNIX_MS), MM_REASON_NONE);
}

static void a_denied_host_is_denied_until_then(void **state)
{
    (void)state;
    start();
    limits_deny(&limits, mm_str("web-1"), UNIX_MS + 1);
    assert_true(limits_denied(&limits, mm_str("web-1"), UNIX_MS) > 0);
    assert_int_equal(limits_denied(&limits, mm_str("web-1"), UNIX_MS + 1), 0);
    assert_int_equal(limits_denied(&limits, mm_str("web-2"), UNIX_MS), 0);
    assert_int_equal(room("web", "web-2"), MM_REASON_NONE); // it takes no place
    limits_deny(&limits, mm_str("web-1"), 0);               // for good
    assert_true(limits_denied(&limits, mm_str("web-1"), MM_NEVER - 1) > 0);
    limits_reset(&limits);
    assert_int_equal(limits.places.count, 0);
}

static void without_a_policy_all_hosts_are_alike(void **state)
{
    (void)state;
    limits_init(&limits, &(mm_policy_t){0}, 1500);
    assert_int_equal(closed("", UNIX_MS), MM_REASON_STATE);
    limits_complete(&limits, UNIX_MS);
    assert_int_equal(closed("", UNIX_MS), MM_REASON_NONE);
    assert_ptr_equal(class_of("web"), class_of(""));
    limits.is_halted = true;
    assert_int_equal(closed("", UNIX_MS), MM_REASON_HALT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cap_counts_restarts_and_open_ones),
        TEST(a_host_needs_room_in_each_of_its_groups),
        TEST(the_whole_run_has_limits_too),
        TEST(casualties_use_the_budget_up_and_not_the_cap),
        TEST(a_share_is_of_the_list_and_rounded_down),
        TEST(waiting_is_worth_it_when_restarts_in_progress_are_in_the_way),
        TEST(a_reserved_place_is_left_to_its_class),
        TEST(nothing_begins_in_a_closed_window_or_shortly_before_its_end),
        TEST(the_margin_of_a_window_is_lost_after_at_least),
        TEST(a_breaker_trips_at_so_many_of_the_last),
        TEST(as_many_in_a_row),
        TEST(a_ramp_goes_step_by_step),
        TEST(a_casualty_in_a_step_trips),
        TEST(the_record_told_again_comes_to_the_same),
        TEST(nothing_begins_before_each_group_is_counted),
        TEST(a_denied_host_is_denied_until_then),
        TEST(without_a_policy_all_hosts_are_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
