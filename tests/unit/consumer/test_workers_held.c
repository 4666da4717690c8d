// Credit, and who holds what: handing out in turn, results, missing and adopted tasks, a worker of
// one's own (docs/protocol.md, P9.18 to P9.21; R1, R2, R3, R5, R7).

#include "workers_play.h"

#define IGNORED "ignored r1: a result of a task that nobody has given it"

// ---- credit

static void tasks_go_round_as_far_as_there_is_credit(void **state)
{
    (void)state;
    joins("r1");
    joins("r2");
    says.slots = 1;
    joins("r3");
    const char *const order[] = {"r1", "r2", "r3", "r1", "r2"};
    for (uint64_t i = 0; i < 5; i++) {
        assert_string_equal(picked(MM_ROLE_RESTARTER), order[i]);
        assert_int_equal(hands_out(order[i]), FIRST_NUMBER + 1 + i); // numbers count on
    }
    assert_string_equal(picked(MM_ROLE_RESTARTER), "");
    result("r3", 1, 103);
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r3");
}

static void each_role_has_credit_of_its_own(void **state)
{
    (void)state;
    says.role = MM_ROLE_SAVER;
    joins("s1");
    assert_string_equal(picked(MM_ROLE_SAVER), "s1");
    assert_string_equal(picked(MM_ROLE_RESTARTER), "");
}

static void fewer_slots_take_credit_away_and_more_give_it(void **state)
{
    (void)state;
    joins("r1");
    hands_out("r1");
    says.slots = 1;
    assignment(101);
    heartbeat("r1", 11);
    assert_string_equal(picked(MM_ROLE_RESTARTER), "");
    says.slots = 3;
    assignment(101);
    heartbeat("r1", 11);
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r1");
}

static void a_host_is_busy_while_a_restart_is_held_for_it(void **state)
{
    (void)state;
    joins("r1");
    joins("r2");
    hands_out_for(the("r1"), "web-7");
    hands_out_for(the("r2"), "web-8");
    mm_id_t id = id_of(9);
    workers_hand_out(workers, the("r2"), MM_LEG_SAVE, &id, NULL, NULL); // keeps no host busy
    assert_int_equal(busy("web-7"), 1);
    assert_int_equal(busy("web-8"), 1);
    result("r1", 1, 101);
    assert_int_equal(busy("web-7"), 0);
    now_ms += LOST_AFTER;
    check();
    assert_int_equal(busy("web-8"), 0);
}

// ---- results

// Some stay out while the numbers go round: others have their places in the ring by then.
static void a_slow_task_is_found_behind_thousands_of_others(void **state)
{
    (void)state;
    enum { SLOW = 50, OTHERS = 40, LAST = 200 };
    says.slots = SLOW + LAST;
    joins("r1");
    uint64_t slow[SLOW], serial = 0;
    for (int i = 0; i < SLOW; i++) {
        slow[i] = hands_out("r1");
        for (int j = 0; j < OTHERS; j++)
            result("r1", ++serial, hands_out("r1"));
    }
    uint64_t last = 0;
    for (int i = 0; i < LAST; i++)
        last = hands_out("r1");
    for (int i = 0; i < SLOW; i++) {
        assert_ptr_equal(workers_holder(workers, slow[i]), the("r1"));
        assert_null(workers_holder(workers, slow[i] + 1));
    }
    const assignment_t *held = assignments_first(the("r1"));
    for (int i = 0; i < SLOW; i++, held = assignments_next(held))
        assert_int_equal(held->number, slow[i]);
    for (int i = LAST; i > 0; i--, held = assignments_next(held))
        assert_int_equal(held->number, last + 1 - (uint64_t)i);
    assert_null(held);
    for (int i = 0; i < SLOW; i++)
        result("r1", ++serial, slow[i]);
    assert_int_equal(the("r1")->out, LAST);
    forget_story();
}

static void a_result_ends_its_task_once(void **state)
{
    (void)state;
    joins("r1");
    hands_out("r1");
    result("r1", 1, 101);
    then("read 1 of 101");
    result("r1", 1, 101);
    then("");
    assert_int_equal(the("r1")->acknowledged_through, 1);
}

static void a_gap_in_the_results_is_waited_for(void **state)
{
    (void)state;
    joins("r1");
    hands_out("r1");
    hands_out("r1");
    result("r1", 2, 102);
    then("");
    repeating(1, 101);
    repeating(2, 102);
    heartbeat("r1", 11); // repeats what was not confirmed
    then("read 1 of 101; read 2 of 102");
}

// Found by the simulator: an old hello of a process that was forgotten had opened its session. What
// was acknowledged before is not repeated, and was waited for for ever.
static void who_begins_behind_a_gap_is_told_to_rejoin(void **state)
{
    (void)state;
    joins("r1");
    repeating(3, 55);
    heartbeat("r1", 11);
    then("rejoin r1");
    repeating(1, 54);
    repeating(3, 55);
    hello("r1", 11);
    then("read 1; read 3; close 11; open 12; welcome r1 12");
    repeating(4, 56);
    heartbeat("r1", 12);
    then("read 4");
}

static void a_hello_may_begin_anywhere(void **state)
{
    (void)state;
    repeating(8, 55);
    repeating(9, 56);
    hello("r1", 5);
    then("read 8; read 9; open 11; welcome r1 11");
    assert_int_equal(the("r1")->acknowledged_through, 9);
    hands_out("r1");
    result("r1", 10, 101);
    then("read 10 of 101");
}

static void a_late_result_of_a_lost_worker_is_read(void **state)
{
    (void)state;
    r1_is_lost();
    result("r1", 1, 101);
    then("read 1 of lost 101"); // news, although the task is held no longer
    result("r1", 2, 101);
    then(IGNORED); // but only once
    assert_int_equal(the("r1")->acknowledged_through, 2);
}

static void a_lost_task_that_comes_back_is_held_again(void **state)
{
    (void)state;
    joins("r1");
    hands_out("r1");
    now_ms += LOST_AFTER;
    check();
    assignment(101);
    hello("r1", 11);
    then("loss r1; 101 lost; close 11; open 12; welcome r1 12");
    result("r1", 1, 101);
    then("read 1 of 101");
}

static void a_result_ends_nobody_elses_task(void **state)
{
    (void)state;
    joins("r1");
    joins("r2");
    hands_out("r2");
    result("r1", 1, 101);
    then(IGNORED);
    assert_int_equal(the("r1")->acknowledged_through, 1); // or it would be repeated for ever
    assert_int_equal(the("r2")->out, 1);
}

// Found by fuzzing: the task was not held any more, and waited for for ever.
static void a_result_of_another_leg_or_job_ends_nothing(void **state)
{
    (void)state;
    joins("r1");
    hands_out("r1");
    mm_result_t result = result_of(1, 101);
    result.leg = MM_LEG_SAVE;
    reads(the("r1"), &result, false);
    result = result_of(2, 101);
    result.id = id_of(77);
    reads(the("r1"), &result, false);
    then(IGNORED "; " IGNORED);
    assert_int_equal(the("r1")->out, 1);
    result = result_of(3, 101);
    reads(the("r1"), &result, false);
    then("read 3 of 101");
}

// ---- missing (R1)

static void a_task_is_missing_only_when_its_lease_is_over(void **state)
{
    (void)state;
    joins("r1");
    int64_t stamp_ms = now_ms;
    hands_out("r1");
    says.stamp_ms = stamp_ms + LOST_AFTER - 1;
    heartbeat("r1", 11);
    then("");
    says.stamp_ms = stamp_ms + LOST_AFTER;
    heartbeat("r1", 11);
    then("101 missing");
    assert_int_equal(the("r1")->out, 0);
}

// The worker's clock counts, not the consumer's: a task carries the stamp that was read last.
static void a_late_heartbeat_does_not_make_a_task_missing(void **state)
{
    (void)state;
    joins("r1");
    now_ms += 1000;
    says.stamp_ms = now_ms - 900; // it was on its way for long
    heartbeat("r1", 11);
    hands_out("r1");
    says.stamp_ms = now_ms - 900 + LOST_AFTER - 1;
    now_ms += LOST_AFTER - 1;
    heartbeat("r1", 11);
    then("");
}

static void a_task_whose_result_may_be_lost_is_not_missing(void **state)
{
    (void)state;
    joins("r1");
    hands_out("r1");
    now_ms += LOST_AFTER - 1;
    says.last_serial = 1; // there is a result that was not read
    heartbeat("r1", 11);
    now_ms += LOST_AFTER - 1;
    says.last_serial = 1;
    heartbeat("r1", 11);
    then("");
    repeating(1, 101);
    heartbeat("r1", 11);
    then("read 1 of 101");
}

static void a_task_that_was_listed_has_started(void **state)
{
    (void)state;
    joins("r1");
    hands_out("r1");
    for (int i = 0; i < 10; i++) {
        now_ms += 1000;
        assignment(101);
        heartbeat("r1", 11);
    }
    then("");
    heartbeat("r1", 11);
    then("101 lost"); // it is not as if it had never started
}

static void a_hello_to_a_new_session_ends_what_it_does_not_list(void **state)
{
    (void)state;
    joins("r1");
    hands_out("r1");
    hands_out("r1");
    assignment(102);
    hello("r1", 11); // its PULL is closed: what is still in the pipe can never start
    then("101 missing; close 11; open 12; welcome r1 12");
    assert_int_equal(the("r1")->out, 1);
}

// ---- adopted (R2, R6)

static void what_a_worker_lists_is_adopted(void **state)
{
    (void)state;
    assignment(55);
    assignment(56);
    assignment(57);
    hello("r1", 5);
    then("open 11; welcome r1 11");
    assert_int_equal(the("r1")->out, 3); // more than its slots, and so no credit
    assert_string_equal(picked(MM_ROLE_RESTARTER), "");
    assert_int_equal(busy("web-7"), 3);
    result("r1", 1, 55);
    assert_string_equal(picked(MM_ROLE_RESTARTER), "");
    result("r1", 2, 56);
    then("read 1 of 55; read 2 of 56");
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r1");
    now_ms += LOST_AFTER;
    check();
    then("loss r1; 57 lost; close 11");
}

static void what_has_ended_since_is_not_adopted_from_an_older_report(void **state)
{
    (void)state;
    joins("r1");
    hands_out("r1");
    result("r1", 1, 101);
    then("read 1 of 101");
    assignment(101); // made before the result, and overtaken by it
    heartbeat("r1", 11);
    assert_int_equal(the("r1")->out, 0);
    assert_int_equal(busy("web-7"), 0);
}

// P5.9: why a worker must not do that: it looks like a lie (R18).
static void a_task_beside_its_result_is_told_as_a_claim(void **state)
{
    (void)state;
    joins("r1");
    hands_out("r1");
    assignment(101);
    repeating(1, 101);
    heartbeat("r1", 11);
    then("read 1 of 101; ignored r1: a task that nobody has given it");
    assert_int_equal(the("r1")->out, 0);
    assert_int_equal(busy("web-7"), 0);
}

// R16: all numbers would go on above it, but not those of the next consumer: no worker would take
// its tasks.
static void a_task_that_nobody_has_given_is_not_adopted(void **state)
{
    (void)state;
    static const uint64_t claims[] = {FIRST_NUMBER + 1, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        assignment(claims[i]);
    assignment(FIRST_NUMBER); // of a former consumer
    hello("r1", 0);
    then("ignored r1: a task that nobody has given it; open 11; welcome r1 11");
    assert_int_equal(the("r1")->out, 1);
    assert_int_equal(hands_out("r1"), FIRST_NUMBER + 1);
}

static void a_saves_host_is_not_kept_busy(void **state)
{
    (void)state;
    says.role = MM_ROLE_SAVER;
    says.held[says.held_count++] =
        (mm_assignment_t){.number = 55, .leg = MM_LEG_SAVE, .started = true};
    hello("s1", 5);
    assert_int_equal(the("s1")->out, 1);
    assert_int_equal(hosts.table.count, 0);
}

static void a_task_is_not_taken_from_whom_it_was_given_to(void **state)
{
    (void)state;
    joins("r1");
    joins("r2");
    hands_out("r1");
    assignment(101);
    heartbeat("r2", 12);
    assert_int_equal(the("r1")->out, 1);
    assert_int_equal(the("r2")->out, 0);
    now_ms += LOST_AFTER - 1;
    heartbeat("r2", 12);
    then("ignored r2: a task that nobody has given it"); // nor does it become missing there
}

// Found by fuzzing: a saver has listed it, and there were two of that number.
static void a_saver_takes_no_restart_that_somebody_has(void **state)
{
    (void)state;
    says.role = MM_ROLE_SAVER;
    hello("s1", 0);
    then("open 11; welcome s1 11");
    joins("r1");
    hands_out("r1");
    assignment(101);
    says.held[0].leg = MM_LEG_SAVE;
    says.role = MM_ROLE_SAVER;
    heartbeat("s1", 11);
    then("ignored s1: a task that nobody has given it");
    assert_int_equal(the("s1")->out, 0);
}

// ---- alone (R7)

static void alone_means_a_worker_that_holds_nothing(void **state)
{
    (void)state;
    assert_null(picked_alone());
    joins("r1");
    joins("r2");
    hands_out("r1");
    worker_t *quarantine = picked_alone();
    assert_ptr_equal(quarantine, the("r2"));
    assert_ptr_equal(picked_alone(), quarantine);
    hands_out_for(quarantine, "web-9");
    assert_null(picked_alone()); // it has its one task
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r1");
    hands_out("r1");
    assert_string_equal(picked(MM_ROLE_RESTARTER), ""); // the other one is not for all
    workers_release_quarantine(workers);
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r2");
    workers_release_quarantine(workers);
}

static void whoever_holds_least_is_kept_free_until_it_is_empty(void **state)
{
    (void)state;
    joins("r1");
    joins("r2");
    hands_out("r1");
    hands_out("r1");
    hands_out("r2");
    assert_null(picked_alone());
    result("r1", 1, 101);
    result("r1", 2, 102);
    assert_null(picked_alone()); // r1 is empty now, but r2 was chosen
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r1");
    result("r2", 1, 103);
    assert_ptr_equal(picked_alone(), the("r2"));
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r1");
}

static void when_the_chosen_one_is_lost_another_is_chosen(void **state)
{
    (void)state;
    joins("r1");
    now_ms += 1000;
    joins("r2");
    hands_out("r2");
    assert_ptr_equal(picked_alone(), the("r1"));
    now_ms += LOST_AFTER - 1000;
    check();
    then("loss r1; close 11");
    assert_null(picked_alone());
    result("r2", 1, 101);
    assert_ptr_equal(picked_alone(), the("r2"));
}

static void a_saver_is_never_chosen_nor_one_that_drains(void **state)
{
    (void)state;
    says.role = MM_ROLE_SAVER;
    joins("s1");
    joins("r1");
    says.slots = 0;
    heartbeat("r1", 12);
    assert_null(picked_alone());
    heartbeat("r1", 12);
    assert_ptr_equal(picked_alone(), the("r1"));
}

static void when_the_chosen_one_drains_another_is_chosen(void **state)
{
    (void)state;
    joins("r1");
    joins("r2");
    assert_ptr_equal(picked_alone(), the("r1"));
    says.slots = 0;
    heartbeat("r1", 11);
    assert_ptr_equal(picked_alone(), the("r2"));
    workers_release_quarantine(workers);
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r2");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_workers, end_workers)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tasks_go_round_as_far_as_there_is_credit),
        TEST(each_role_has_credit_of_its_own),
        TEST(fewer_slots_take_credit_away_and_more_give_it),
        TEST(a_host_is_busy_while_a_restart_is_held_for_it),
        TEST(a_slow_task_is_found_behind_thousands_of_others),
        TEST(a_result_ends_its_task_once),
        TEST(a_gap_in_the_results_is_waited_for),
        TEST(who_begins_behind_a_gap_is_told_to_rejoin),
        TEST(a_hello_may_begin_anywhere),
        TEST(a_late_result_of_a_lost_worker_is_read),
        TEST(a_lost_task_that_comes_back_is_held_again),
        TEST(a_result_ends_nobody_elses_task),
        TEST(a_result_of_another_leg_or_job_ends_nothing),
        TEST(a_task_is_missing_only_when_its_lease_is_over),
        TEST(a_late_heartbeat_does_not_make_a_task_missing),
        TEST(a_task_whose_result_may_be_lost_is_not_missing),
        TEST(a_task_that_was_listed_has_started),
        TEST(a_hello_to_a_new_session_ends_what_it_does_not_list),
        TEST(what_a_worker_lists_is_adopted),
        TEST(a_task_beside_its_result_is_told_as_a_claim),
        TEST(what_has_ended_since_is_not_adopted_from_an_older_report),
        TEST(a_task_that_nobody_has_given_is_not_adopted),
        TEST(a_saves_host_is_not_kept_busy),
        TEST(a_task_is_not_taken_from_whom_it_was_given_to),
        TEST(a_saver_takes_no_restart_that_somebody_has),
        TEST(alone_means_a_worker_that_holds_nothing),
        TEST(whoever_holds_least_is_kept_free_until_it_is_empty),
        TEST(when_the_chosen_one_is_lost_another_is_chosen),
        TEST(a_saver_is_never_chosen_nor_one_that_drains),
        TEST(when_the_chosen_one_drains_another_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
