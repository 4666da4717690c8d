// The judge: good traces in which it finds nothing, and for each judgement a bad one.

#include "judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Four hosts, two of which are in both groups.
#define HOSTS                                                                                      \
    "0 limit web hosts=3\n0 limit eu hosts=3\n"                                                    \
    "0 host a web\n0 host b web,eu\n0 host c web,eu\n0 host d eu\n"

// What the judge finds in the policy, the hosts and the events, as "line rule host group; ...".
static const char *judged(const char *policy, const char *events)
{
    static char found[1024];
    char *text, *rest;
    assert_true(asprintf(&text, "%s%s%s", policy, HOSTS, events) > 0);
    judge_t *judge = judge_new();
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (!judge_take(judge, line))
            fail_msg("%s", judge_error(judge));
    *found = '\0';
    for (size_t i = 0; i < judge_count(judge); i++) {
        const judgement_t *one = judge_get(judge, i);
        size_t size = strlen(found);
        (void)snprintf(found + size, sizeof found - size, "%s%lld %s%s%s%s%s", size > 0 ? "; " : "",
                       (long long)one->at_ms, judge_rule_name(one->rule), *one->host ? " " : "",
                       one->host, *one->group ? " " : "", one->group);
    }
    judge_destroy(&judge);
    free(text);
    return found;
}

static void nothing_is_found_where_nothing_is_wrong(void **state)
{
    (void)state;
    assert_string_equal(judged("0 limit web cap=2 max-unavailable=2 ramp=1,50% bake=10\n"
                               "0 limit - breaker=2/3 rate=2/5 window=0..1000\n",
                               "1 start a\n2 hand-out a\n3 command a\n9 end a restarted\n"
                               "19 start b\n20 command b\n25 end b restarted\n"
                               "35 start c\n36 return c\n36 start c\n40 start d\n"
                               "50 end c restarted\n51 end d dead\n60 quiet\n"),
                        "");
    assert_string_equal(judged("# a policy\n\n", "1 start a\n1 start b\n1 start c\n1 start d\n"),
                        "");
}

static void a_start_above_the_cap_is_found(void **state)
{
    (void)state;
    const char *events = "1 start a\n2 start b\n3 start c\n4 start d\n";
    assert_string_equal(judged("0 limit web cap=2\n", events), "3 cap c web");
    assert_string_equal(judged("0 limit eu cap=2\n", events), "4 cap d eu");
    assert_string_equal(judged("0 limit - cap=3\n", events), "4 cap d -");
    assert_string_equal(judged("0 limit web cap=70%\n", events), "3 cap c web"); // 2 of 3
    assert_string_equal(judged("0 limit web cap=1\n", "1 start a\n2 open a\n3 start b\n"),
                        "3 cap b web");
    assert_string_equal(
        judged("0 limit web cap=1\n", "1 start a\n2 open a\n3 expire a\n4 start b\n"), "");
}

static void an_open_host_that_starts_again_has_its_place(void **state)
{
    (void)state;
    assert_string_equal(judged("0 limit web cap=1\n", "1 start a\n2 open a\n3 start a\n"), "");
    // One was found on record, beside the one in progress: neither makes the other wrong.
    assert_string_equal(judged("0 limit web cap=1\n", "1 start a\n2 open b\n3 open a\n4 start b\n"),
                        "");
}

static void a_start_above_the_budget_is_found(void **state)
{
    (void)state;
    assert_string_equal(
        judged("0 limit web max-unavailable=2\n",
               "1 start a\n2 end a dead casualty\n3 start b\n4 start c\n5 start d\n"),
        "4 max-unavailable c web");
    assert_string_equal(judged("0 limit web max-unavailable=2\n",
                               "1 start a\n2 end a dead casualty\n3 start b\n4 absolve a\n"
                               "5 start c\n"),
                        "");
    assert_string_equal(judged("0 limit web max-unavailable=2\n",
                               "1 start a\n2 end a dead\n3 start b\n4 start c\n"),
                        "");
}

static void a_casualty_that_starts_again_counts_once(void **state)
{
    (void)state;
    assert_string_equal(judged("0 limit web max-unavailable=2\n",
                               "1 start a\n2 end a failed casualty\n3 start a\n4 start b\n"),
                        "");
    assert_string_equal(judged("0 limit web max-unavailable=2\n",
                               "1 start a\n2 end a failed casualty\n3 start a\n4 start b\n"
                               "5 start c\n"),
                        "5 max-unavailable c web");
    // A good last look frees its place.
    assert_string_equal(judged("0 limit web max-unavailable=1\n",
                               "1 start a\n2 end a failed casualty\n3 start a\n4 end a restarted\n"
                               "5 start b\n"),
                        "");
}

static void a_start_above_the_ramp_is_found(void **state)
{
    (void)state;
    const char *policy = "0 limit web ramp=1,1 bake=10\n";
    assert_string_equal(judged(policy, "1 start a\n2 start b\n"), "2 ramp b web");
    assert_string_equal(judged(policy, "1 start a\n2 end a skipped\n11 start b\n"),
                        "11 ramp b web");
    assert_string_equal(judged(policy, "1 start a\n2 end a skipped\n12 start b\n13 start c\n"),
                        "13 ramp c web");
    assert_string_equal(judged(policy, "1 start a\n2 leave a\n3 start b\n"), "3 ramp b web");
    assert_string_equal(judged(policy, "1 start a\n2 end a dead\n3 start b\n4 end b restarted\n"
                                       "14 start c\n"),
                        "");
    assert_string_equal(judged(policy, "1 start a\n2 end a restarted\n12 start b\n"
                                       "13 end b restarted\n22 start c\n"),
                        "22 ramp c web");
}

static void a_casualty_in_a_step_trips(void **state)
{
    (void)state;
    const char *policy = "0 limit web ramp=2 bake=0\n";
    assert_string_equal(judged(policy, "1 start a\n2 end a dead casualty\n3 start b\n4 start d\n"),
                        "3 breaker b web");
    // Not before the host has its outcome.
    assert_string_equal(judged(policy, "1 start a\n2 end a failed casualty\n3 start b\n"), "");
    assert_string_equal(judged(policy,
                               "1 start a\n2 end a dead casualty\n3 trip web\n4 resume web\n"
                               "5 start b\n"),
                        "");
    assert_string_equal(judged(policy,
                               "1 start a\n2 start b\n3 end a restarted\n4 end b restarted\n"
                               "5 start c\n6 end c dead casualty\n"),
                        "");
}

static void a_start_outside_of_its_window_is_found(void **state)
{
    (void)state;
    const char *policy = "0 limit web window=10..20 window=40..50 last-start=3\n";
    assert_string_equal(judged(policy, "9 start a\n20 start b\n40 start c\n"),
                        "9 window a web; 20 window b web");
    assert_string_equal(judged(policy, "10 start a\n16 start b\n17 start c\n18 start d\n"),
                        "17 last-start c web");
    assert_string_equal(judged("0 limit - window=none\n", "5 start d\n"), "5 window d -");
}

static void a_command_outside_of_its_window_is_found(void **state)
{
    (void)state;
    const char *policy = "0 limit web window=10..20 last-start=3\n0 limit - permit=2\n";
    assert_string_equal(judged(policy, "16 start a\n18 command a\n"), "");
    assert_string_equal(judged(policy, "16 start a\n19 command a\n"), "19 last-start a web");
    assert_string_equal(judged(policy, "16 start a\n20 command a\n"), "20 window a web");
    assert_string_equal(judged(policy, "16 start a\n17 hand-out a\n"), "17 last-start a web");
}

static void a_start_above_the_rate_is_found(void **state)
{
    (void)state;
    assert_string_equal(
        judged("0 limit - rate=2/10\n", "1 start a\n5 start b\n10 start c\n11 start d\n"),
        "10 rate c -; 11 rate d -");
    assert_string_equal(judged("0 limit - rate=2/10\n", "1 start a\n5 start b\n11 start c\n"), "");
    assert_string_equal(judged("0 limit - rate=1/10\n", "1 start a\n2 return a\n3 start b\n"), "");
}

static void a_start_in_a_halt_is_found(void **state)
{
    (void)state;
    const char *policy = "0 limit - permit=5\n";
    assert_string_equal(judged(policy, "1 start a\n2 halt\n6 command a\n7 start b\n8 command a\n"),
                        "7 halt b; 8 halt a");
    assert_string_equal(judged(policy, "1 start a\n2 halt\n3 hand-out a\n"), "3 halt a");
    assert_string_equal(judged(policy, "2 halt\n3 resume\n4 start b\n"), "");
    assert_string_equal(judged(policy, "2 halt\n3 resume web\n4 start b\n"), "4 halt b");
}

static void a_start_behind_a_trip_is_found(void **state)
{
    (void)state;
    const char *policy = "0 limit web breaker=1/1\n";
    assert_string_equal(
        judged(policy, "1 start a\n2 end a dead\n3 trip web\n4 start b\n5 start d\n"),
        "4 trip b web");
    assert_string_equal(judged(policy, "1 start a\n2 end a dead\n3 trip web\n4 resume web\n"
                                       "5 start b\n"),
                        "");
    assert_string_equal(
        judged("0 limit - breaker=1/1\n", "1 start a\n2 end a dead\n3 trip -\n4 start d\n"),
        "4 trip d -");
}

// What is in progress at that moment may finish.
// Behind what comes before it only a halt is looked at.
static void a_command_has_the_time_of_what_comes_before_it(void **state)
{
    (void)state;
    assert_string_equal(judged("0 limit - permit=100 before=50\n",
                               "1 start a\n2 hand-out a\n3 deny a 0\n152 command a\n"),
                        "");
    assert_string_equal(judged("0 limit - permit=100 before=50\n",
                               "1 start a\n2 hand-out a\n3 deny a 0\n153 command a\n"),
                        "153 deny a");
    assert_string_equal(judged("0 limit - permit=100 before=50\n",
                               "1 start a\n2 hand-out a\n3 halt\n103 command a\n"),
                        "103 halt a");
}

static void a_command_just_behind_a_trip_is_none(void **state)
{
    (void)state;
    const char *policy = "0 limit web breaker=1/1\n0 limit - permit=5\n";
    assert_string_equal(judged(policy, "1 start a\n1 start b\n2 end a dead\n3 trip web\n"
                                       "6 command b\n9 end b restarted\n"),
                        "");
    assert_string_equal(judged(policy, "1 start a\n1 start b\n2 end a dead\n3 trip web\n"
                                       "7 command b\n"),
                        "7 trip b web");
}

static void a_breaker_that_should_have_tripped_is_found(void **state)
{
    (void)state;
    const char *events = "1 start a\n1 start b\n1 start c\n2 end a dead\n3 end b restarted\n"
                         "4 end c dead\n5 start d\n";
    assert_string_equal(judged("0 limit - breaker=2/3\n", events), "5 breaker d -");
    assert_string_equal(judged("0 limit - breaker=2/2\n", events), "");
    assert_string_equal(judged("0 limit web breaker=2/3\n", events), ""); // d is not in it
    assert_string_equal(judged("0 limit eu breaker=2/3\n", events), "");
    assert_string_equal(judged("0 limit eu breaker=9/9 breaker=1/1\n", events), "5 breaker d eu");
}

static void a_resume_counts_from_zero(void **state)
{
    (void)state;
    assert_string_equal(judged("0 limit - breaker=2/9\n",
                               "1 start a\n1 start b\n1 start c\n2 end a dead\n3 end b dead\n"
                               "4 trip -\n5 resume\n6 end c dead\n7 start d\n"),
                        "");
}

static void a_trip_without_a_cause_is_found(void **state)
{
    (void)state;
    assert_string_equal(
        judged("0 limit web breaker=2/9\n", "1 start a\n2 end a dead\n3 trip web\n"),
        "3 trip without cause web");
    assert_string_equal(judged("0 limit web breaker=1/9\n", "1 start a\n2 end a withdrawn\n"
                                                            "3 trip web\n"),
                        "3 trip without cause web");
}

static void a_start_of_a_denied_host_is_found(void **state)
{
    (void)state;
    assert_string_equal(judged("", "1 deny a 10\n2 start b\n9 start a\n"), "9 deny a");
    assert_string_equal(judged("", "1 deny a 10\n10 start a\n"), "");
    assert_string_equal(judged("", "1 deny a 0\n10 start a\n"), "10 deny a");
}

static void a_start_without_the_guard_is_found(void **state)
{
    (void)state;
    const char *policy = "0 limit - guard\n";
    assert_string_equal(judged(policy, "1 start a\n"), "1 guard a");
    assert_string_equal(judged(policy, "1 guard yes\n10001 start a\n10002 start b\n"),
                        "10002 guard b");
    assert_string_equal(judged(policy, "1 guard yes\n2 guard no\n3 start a\n"), "3 guard a");
}

static void two_places_of_one_host_are_found(void **state)
{
    (void)state;
    assert_string_equal(judged("", "1 start a\n2 start a\n"), "2 two places a");
    assert_string_equal(judged("", "1 start a\n2 return a\n3 start a\n4 end a failed\n5 start a\n"),
                        "");
}

static void a_command_without_a_place_is_found(void **state)
{
    (void)state;
    assert_string_equal(judged("", "1 command a\n"), "1 no place a");
    assert_string_equal(judged("", "1 start a\n2 end a failed\n3 command a\n"), "3 no place a");
    assert_string_equal(judged("", "1 start a\n2 open a\n3 command a\n4 expire a\n5 command a\n"),
                        "5 no place a");
}

static void a_start_before_the_state_is_found(void **state)
{
    (void)state;
    assert_string_equal(
        judged("", "1 start a\n2 epoch 2\n3 open a\n4 start b\n5 state\n6 start c\n"), "4 state b");
}

static void what_is_on_record_holds_in_the_next_epoch(void **state)
{
    (void)state;
    assert_string_equal(judged("", "1 halt\n2 record halt\n3 epoch 2\n4 state\n5 start a\n"),
                        "5 halt a");
    assert_string_equal(judged("", "1 halt\n3 epoch 2\n4 state\n5 start a\n"), "");
    assert_string_equal(
        judged("", "1 halt\n2 record halt\n3 resume\n4 epoch 2\n5 state\n6 start a\n"), "6 halt a");
    assert_string_equal(
        judged("", "1 deny a 0\n2 record deny a 0\n3 epoch 2\n4 state\n5 start a\n"), "5 deny a");
    assert_string_equal(judged("0 limit - breaker=1/1\n",
                               "1 start a\n2 record end a dead\n3 start b\n4 epoch 2\n5 return b\n"
                               "6 state\n7 start c\n"),
                        "7 breaker c -");
    assert_string_equal(
        judged("0 limit - max-unavailable=1\n",
               "1 start a\n2 end a failed casualty\n3 record end a failed casualty\n"
               "4 epoch 2\n5 state\n6 start b\n"),
        "6 max-unavailable b -");
}

static void an_order_that_lapses_is_not_in_the_next_state(void **state)
{
    (void)state;
    assert_string_equal(judged("", "1 epoch 2\n2 state\n3 halt\n4 state\n5 start a\n"), "5 halt a");
    assert_string_equal(
        judged("", "1 epoch 2\n2 state\n3 halt\n4 lapse halt\n5 state\n6 start a\n"), "");
}

static void an_order_that_was_recorded_early_is_part_of_the_state(void **state)
{
    (void)state;
    assert_string_equal(judged("", "1 epoch 2\n2 record halt\n3 state\n4 start a\n"), "4 halt a");
    assert_string_equal(judged("", "1 epoch 2\n2 state\n3 record halt\n4 start a\n"), "");
}

// An end that is said when it is long on record is not behind the absolve that followed there.
static void what_was_known_before_is_no_news(void **state)
{
    (void)state;
#define ENDS     "1 epoch 1\n1 state\n2 start a\n3 record end a failed casualty\n4 epoch 2\n4 state\n"
#define ABSOLVED "5 record absolve a\n6 state\n7 start b\n"
    assert_string_equal(
        judged("0 limit web max-unavailable=1\n", ENDS "4 end a failed casualty\n" ABSOLVED),
        "7 max-unavailable b web");
    assert_string_equal(
        judged("0 limit web max-unavailable=1\n", ENDS "4 known end a failed casualty\n" ABSOLVED),
        "");
#undef ENDS
#undef ABSOLVED
}

static void who_was_absolved_trips_and_is_no_casualty(void **state)
{
    (void)state;
    assert_string_equal(judged("0 limit web max-unavailable=1\n",
                               "1 start a\n2 end a failed casualty\n3 absolve a\n"
                               "4 end a dead absolved\n5 start b\n"),
                        "");
    assert_string_equal(judged("0 limit web ramp=3\n",
                               "1 start a\n2 end a failed casualty\n3 absolve a\n"
                               "4 end a dead absolved\n5 start b\n"),
                        "5 breaker b web");
}

static void who_waits_for_nothing_is_found(void **state)
{
    (void)state;
    assert_string_equal(judged("0 limit web window=none\n", "1 quiet\n"), "1 starved d");
    assert_string_equal(judged("0 limit - cap=2\n", "1 open a\n2 open b\n3 quiet\n4 expire b\n"
                                                    "5 quiet\n"),
                        "5 starved b; 5 starved c; 5 starved d");
    assert_string_equal(judged("0 limit - rate=1/10\n",
                               "1 start a\n2 end a restarted\n3 end b withdrawn\n4 end c skipped\n"
                               "10 quiet\n11 quiet\n"),
                        "11 starved d");
}

static void a_new_run_counts_from_zero(void **state)
{
    (void)state;
    assert_string_equal(judged("0 limit web ramp=1 bake=5\n",
                               "1 start a\n2 end a restarted\n7 new-run\n8 start a\n9 start b\n"),
                        "9 ramp b web");
}

// In a record things are written later than they took effect: a start only where that is said, ...
static void a_start_of_a_record_is_late_where_it_says_so(void **state)
{
    (void)state;
    const char *policy = "0 limit - late=100\n";
    assert_string_equal(judged(policy, "1 halt\n2 start a\n3 trip -\n4 deny b 0\n5 start b late\n"),
                        "2 halt a; 3 trip without cause -");
    assert_string_equal(judged(policy, "1 halt\n100 start a late\n101 start b late\n"),
                        "101 halt b");
    assert_string_equal(judged("0 limit web breaker=1/1\n0 limit - late=100\n",
                               "1 start a\n2 end a dead\n3 start b\n4 trip web\n5 start c\n"),
                        "5 trip c web");
}

// ... and what frees a place for one start in each of its groups.
static void a_place_of_a_record_was_free_for_one_before_it_is_written(void **state)
{
    (void)state;
    const char *policy = "0 limit web cap=1\n0 limit eu cap=1\n0 limit - late=100\n";
    const char *events = "1 start b\n2 start a\n3 start d\n4 end b failed\n";
    assert_string_equal(judged(policy, events), "");
    assert_string_equal(judged(policy, "1 start b\n2 start a\n3 start d\n4 return b\n"), "");
    assert_string_equal(judged(policy, "1 start b\n2 start a\n3 start c\n4 end b failed\n"),
                        "2 cap a web");
    assert_string_equal(judged(policy, "1 start a\n2 start b\n102 end a failed\n"), "2 cap b web");
    assert_string_equal(judged(policy, "1 start a\n2 start b\n3 end a restarted\n"), "2 cap b web");
}

static void what_cannot_be_read_is_told(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "start a", "x start a",    "1 begin a",     "1 start nobody", "1 limit web",
        "1 host",  "1 host a",     "1 host b none", "1 trip",         "1 trip nobody",
        "1 end a", "1 end a well", "1 guard maybe", "1 record",       "1 deny a"};
    static const char *const limits[] = {"0 limit",
                                         "0 limit w cap=x",
                                         "0 limit w high=1",
                                         "0 limit w breaker=3/2",
                                         "0 limit w rate=1/9",
                                         "0 limit w window=3"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        judge_t *judge = judge_new();
        assert_true(judge_take(judge, "0 limit web"));
        assert_true(judge_take(judge, "0 host a web"));
        assert_false(judge_take(judge, lines[i]));
        assert_memory_equal(judge_error(judge), "line 3: ", 8);
        judge_destroy(&judge);
    }
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        judge_t *judge = judge_new();
        assert_false(judge_take(judge, limits[i]));
        judge_destroy(&judge);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_found_where_nothing_is_wrong),
        cmocka_unit_test(a_start_above_the_cap_is_found),
        cmocka_unit_test(an_open_host_that_starts_again_has_its_place),
        cmocka_unit_test(a_start_above_the_budget_is_found),
        cmocka_unit_test(a_casualty_that_starts_again_counts_once),
        cmocka_unit_test(a_start_above_the_ramp_is_found),
        cmocka_unit_test(a_casualty_in_a_step_trips),
        cmocka_unit_test(a_start_outside_of_its_window_is_found),
        cmocka_unit_test(a_command_outside_of_its_window_is_found),
        cmocka_unit_test(a_start_above_the_rate_is_found),
        cmocka_unit_test(a_start_in_a_halt_is_found),
        cmocka_unit_test(a_start_behind_a_trip_is_found),
        cmocka_unit_test(a_command_has_the_time_of_what_comes_before_it),
        cmocka_unit_test(a_command_just_behind_a_trip_is_none),
        cmocka_unit_test(a_breaker_that_should_have_tripped_is_found),
        cmocka_unit_test(a_resume_counts_from_zero),
        cmocka_unit_test(a_trip_without_a_cause_is_found),
        cmocka_unit_test(a_start_of_a_denied_host_is_found),
        cmocka_unit_test(a_start_without_the_guard_is_found),
        cmocka_unit_test(two_places_of_one_host_are_found),
        cmocka_unit_test(a_command_without_a_place_is_found),
        cmocka_unit_test(a_start_before_the_state_is_found),
        cmocka_unit_test(what_is_on_record_holds_in_the_next_epoch),
        cmocka_unit_test(an_order_that_lapses_is_not_in_the_next_state),
        cmocka_unit_test(an_order_that_was_recorded_early_is_part_of_the_state),
        cmocka_unit_test(what_was_known_before_is_no_news),
        cmocka_unit_test(who_was_absolved_trips_and_is_no_casualty),
        cmocka_unit_test(who_waits_for_nothing_is_found),
        cmocka_unit_test(a_new_run_counts_from_zero),
        cmocka_unit_test(a_start_of_a_record_is_late_where_it_says_so),
        cmocka_unit_test(a_place_of_a_record_was_free_for_one_before_it_is_written),
        cmocka_unit_test(what_cannot_be_read_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
