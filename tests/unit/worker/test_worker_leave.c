// The worker's half of the protocol, continued: leaving (docs/protocol.md, P8, R10) and reports of
// many tasks and results (P2.10, P5.4, P5.5). What each report must hold is checked on the stage.

#include "worker_play.h"

static int new_saver(void **state)
{
    (void)state;
    new_worker(MM_ROLE_SAVER, 2);
    return 0;
}

static void assert_done(bool done)
{
    assert_int_equal(strstr(story, "done") != NULL, done);
}

// ---- leaving

static void it_says_0_slots_and_leaves_after_the_last_word(void **state)
{
    (void)state;
    joins(12);
    gets_task_and_finishes(901);
    hears_beat_confirming(1);
    forget_story();
    is_told_to_leave();
    assert_non_null(strstr(story, "heartbeat slots=0"));
    assert_null(strstr(story, "bye"));
    forget_story();
    task_confirms = 1;
    gets_last();
    does("bye 1; done");
}

static void tasks_that_come_while_it_leaves_are_returned(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    is_told_to_leave();
    forget_story();
    gets_task(902);
    does("returns 902; result 1 of 902 returned");
    finishes(901);
    assert_non_null(strstr(story, "result 2 of 901 ok"));
    assert_done(false);
}

static void what_runs_is_finished_before_it_leaves(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    is_told_to_leave();
    gets_last();
    for (int i = 0; i < 10; i++) { // far beyond lost-after: it is still needed
        hears_beat();
        passes(HEARTBEAT);
    }
    assert_done(false);
    forget_story();
    finishes(901);
    assert_non_null(strstr(story, "result 1 of 901 ok"));
    assert_done(false);
    forget_story();
    hears_beat_confirming(1);
    does("bye 1; done");
}

static void confirmed_results_are_not_enough_without_the_last_word(void **state)
{
    (void)state;
    joins(12);
    gets_task_and_finishes(901);
    is_told_to_leave();
    hears_beat_confirming(1);
    assert_done(false);
    forget_story();
    gets_last();
    does("bye 1; done");
}

static void without_the_last_word_it_leaves_after_lost_after(void **state)
{
    (void)state;
    joins(12);
    is_told_to_leave();
    for (int waited_ms = 0; waited_ms < LOST_AFTER - HEARTBEAT; waited_ms += HEARTBEAT) {
        hears_beat();
        passes(HEARTBEAT);
    }
    hears_beat();
    passes(HEARTBEAT - 1);
    assert_done(false);
    forget_story();
    passes(1);
    assert_non_null(strstr(story, "bye 0; done"));
}

// Without its results the restarts would be done again.
static void unconfirmed_results_are_waited_for_until_the_drain_limit(void **state)
{
    (void)state;
    joins(12);
    gets_task_and_finishes(901);
    is_told_to_leave();
    gets_last(); // which does not confirm result 1
    for (int waited_ms = 0; waited_ms < DRAIN - HEARTBEAT; waited_ms += HEARTBEAT) {
        hears_beat();
        passes(HEARTBEAT);
    }
    hears_beat();
    passes(HEARTBEAT - 1);
    assert_done(false);
    forget_story();
    passes(1);
    assert_non_null(strstr(story, "bye 1; done"));
}

static void the_last_word_counts_only_when_it_was_asked_for(void **state)
{
    (void)state;
    joins(12);
    gets_last();
    forget_story();
    is_told_to_leave();
    assert_done(false);
}

static void the_last_word_counts_for_its_session_only(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    is_told_to_leave();
    gets_last();
    hears_welcome(13); // the consumer may say more in this one
    beat_session = 13;
    finishes(901);
    forget_story();
    hears_beat_confirming(1);
    assert_done(false);
    gets_last();
    does("bye 1; done");
}

static void without_a_session_it_leaves_when_nothing_runs(void **state)
{
    (void)state;
    passes(0);
    forget_story();
    is_told_to_leave();
    does("done");
}

static void a_new_consumer_is_told_of_what_still_runs_with_0_slots(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    is_told_to_leave();
    hears_beat_of(LIFE + 1);
    forget_story();
    passes(0);
    does("hello session=12 slots=0 held=901");
    finishes(901);
    assert_done(false); // the new consumer does not know of it yet
    hears_leaving_of(LIFE + 1);
    assert_done(true);
}

static void at_its_limit_what_runs_is_stopped(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    is_told_to_leave();
    gets_last();
    for (int passed_ms = 0; passed_ms < DRAIN - HEARTBEAT; passed_ms += HEARTBEAT) {
        hears_beat();
        passes(HEARTBEAT);
    }
    is_told_to_leave(); // a second time changes nothing
    hears_beat();
    passes(HEARTBEAT - 1);
    assert_null(strstr(story, "stop"));
    forget_story();
    passes(1);
    assert_non_null(strstr(story, "stop"));
    forget_story();
    passes(1);
    finishes_as(901, MM_STATUS_FAILED);
    assert_non_null(strstr(story, "result 1 of 901 failed"));
    assert_done(false);
    forget_story();
    hears_beat_confirming(1);
    does("bye 1; done");
}

static void at_its_limit_it_stops_once(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    is_told_to_leave();
    passes(DRAIN);
    const char *stop = strstr(story, "stop");
    assert_non_null(stop);
    passes(DRAIN);
    assert_null(strstr(stop + 4, "stop"));
}

// ---- a saver

static void a_saver_serves_on_until_the_consumer_leaves(void **state)
{
    (void)state;
    joins(12);
    is_told_to_leave();
    does("");
    gets_task_and_finishes(901);
    does("started 901; start 901; result 1 of 901 ok");
    passes(HEARTBEAT);
    assert_non_null(strstr(story, "heartbeat slots=2"));
    forget_story();
    hears_leaving_of(LIFE);
    does("disconnect; done");
}

static void a_saver_finishes_what_it_holds_when_the_consumer_leaves(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    is_told_to_leave();
    hears_leaving_of(LIFE);
    assert_done(false);
    finishes(901);
    assert_done(true);
}

static void a_saver_that_nobody_told_to_leave_waits_for_the_next_consumer(void **state)
{
    (void)state;
    joins(12);
    hears_leaving_of(LIFE);
    passes(HEARTBEAT);
    does("disconnect; hello session=12 slots=2");
}

static void a_saver_joins_a_new_consumer_while_it_is_to_leave(void **state)
{
    (void)state;
    joins(12);
    is_told_to_leave();
    hears_beat_of(LIFE + 1);
    passes(0);
    does("rejoins; disconnect; hello session=12 slots=2");
}

static void a_saver_leaves_at_its_limit_whatever_happens(void **state)
{
    (void)state;
    joins(12);
    gets_task_and_finishes(901); // not confirmed, and no last word either
    is_told_to_leave();
    for (int passed_ms = 0; passed_ms < DRAIN; passed_ms += HEARTBEAT) {
        assert_done(false);
        hears_beat();
        passes(HEARTBEAT);
    }
    assert_non_null(strstr(story, "bye 1; done"));
}

static void a_saver_without_a_consumer_leaves_at_once(void **state)
{
    (void)state;
    passes(0);
    forget_story();
    is_told_to_leave();
    does("done");
}

// ---- long reports

// What the parts of the last report list, put together.
static struct {
    size_t parts;
    size_t held_count;
    uint64_t held[MM_SLOTS_MAX];
    size_t result_count;
    uint64_t results[8192];
} whole;

static void collect_report(void)
{
    whole.parts = whole.held_count = whole.result_count = 0;
    for (size_t i = 0; i < worker_actions.count; i++) {
        if (worker_actions.items[i].kind != MM_WORKER_REPORT)
            continue;
        const mm_report_t *report = worker_actions.items[i].as.report;
        if (whole.parts > 0)
            assert_int_equal(report->parts, worker_actions.items[i - 1].as.report->parts);
        whole.parts++;
        for (size_t k = 0; k < report->held_count; k++)
            whole.held[whole.held_count++] = report->held[k].number;
        for (size_t k = 0; k < report->result_count; k++)
            whole.results[whole.result_count++] = report->results[k].serial;
    }
    forget_story();
}

static void lists_results(uint64_t first, uint64_t last)
{
    assert_int_equal(whole.result_count, last + 1 - first);
    for (size_t i = 0; i < whole.result_count; i++)
        assert_int_equal(whole.results[i], first + i);
}

static void lists_held(uint64_t first, uint64_t last)
{
    assert_int_equal(whole.held_count, last + 1 - first);
    for (size_t i = 0; i < whole.held_count; i++)
        assert_int_equal(whole.held[i], first + i);
}

static void gets_many(uint64_t first, uint64_t last)
{
    for (uint64_t number = first; number <= last; number++) {
        gets_task(number);
        forget_story();
    }
}

static void finishes_many(uint64_t first, uint64_t last)
{
    for (uint64_t number = first; number <= last; number++) {
        finishes(number);
        forget_story();
    }
}

static void thousands_of_tasks_are_listed_in_parts(void **state)
{
    (void)state;
    new_worker(MM_ROLE_RESTARTER, MM_SLOTS_MAX);
    joins(12);
    gets_many(1, MM_SLOTS_MAX);
    assert_int_equal(mm_worker_running(worker), MM_SLOTS_MAX);
    passes(HEARTBEAT);
    collect_report();
    assert_int_equal(whole.parts, MM_SLOTS_MAX / MM_BATCH_ITEMS);
    lists_held(1, MM_SLOTS_MAX);
    assert_int_equal(whole.result_count, 0);
}

static void thousands_of_results_follow_in_several_reports(void **state)
{
    (void)state;
    new_worker(MM_ROLE_SAVER, MM_SLOTS_MAX);
    joins(12);
    gets_many(1, 2500);
    finishes_many(1, 2500);
    passes(HEARTBEAT);
    collect_report();
    assert_int_equal(whole.held_count, 0);
    lists_results(1, 1024);
    hears_beat_confirming(1024);
    passes(HEARTBEAT);
    collect_report();
    lists_results(1025, 2048);
    hears_beat_confirming(2048);
    passes(HEARTBEAT);
    collect_report();
    lists_results(2049, 2500);
    hears_beat_confirming(2500);
    passes(HEARTBEAT);
    does("heartbeat slots=4096");
}

static void a_report_may_be_full_of_both(void **state)
{
    (void)state;
    new_worker(MM_ROLE_RESTARTER, MM_SLOTS_MAX);
    joins(12);
    gets_many(1, 1500);
    finishes_many(1, 1500);
    gets_many(1501, 1500 + MM_SLOTS_MAX);
    passes(HEARTBEAT);
    collect_report();
    assert_in_range(whole.parts, 1, MM_PARTS_MAX);
    lists_held(1501, 1500 + MM_SLOTS_MAX);
    lists_results(1, 1024);
}

// A new consumer takes what a hello lists, and behind it only what follows without a gap (P9.19).
static void hello_reaches_the_newest_result_after_thousands(void **state)
{
    (void)state;
    new_worker(MM_ROLE_SAVER, MM_SLOTS_MAX);
    joins(12);
    gets_many(1, MM_SLOTS_MAX);
    finishes_many(1, MM_SLOTS_MAX);
    gets_many(MM_SLOTS_MAX + 1, 2 * MM_SLOTS_MAX);
    finishes_many(MM_SLOTS_MAX + 1, 2 * MM_SLOTS_MAX);
    hears_beat_confirming(2 * MM_SLOTS_MAX - 5);
    hears_beat_of(LIFE + 1);
    passes(0);
    collect_report();
    lists_results(2 * MM_SLOTS_MAX - 1023, 2 * MM_SLOTS_MAX);
}

static void hello_leaves_no_gap_before_what_is_not_confirmed(void **state)
{
    (void)state;
    new_worker(MM_ROLE_SAVER, MM_SLOTS_MAX);
    joins(12);
    gets_many(1, MM_SLOTS_MAX);
    finishes_many(1, MM_SLOTS_MAX);
    hears_beat_confirming(1000);
    hears_beat_of(LIFE + 1);
    passes(0);
    collect_report();
    lists_results(1000 + 1 - 64, 1000 + 1 - 64 + 1023);
    mm_frame_t frame = answer(MM_FRAME_WELCOME, 13);
    frame.as.answer.epoch = LIFE + 1;
    frame.as.answer.suffix = mm_str("task.13");
    hears(&frame);
    collect_report();
    lists_results(1001, 2024);
}

#define TEST(NAME)  cmocka_unit_test_setup_teardown(NAME, new_restarter, end_worker)
#define SAVER(NAME) cmocka_unit_test_setup_teardown(NAME, new_saver, end_worker)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_says_0_slots_and_leaves_after_the_last_word),
        TEST(tasks_that_come_while_it_leaves_are_returned),
        TEST(what_runs_is_finished_before_it_leaves),
        TEST(confirmed_results_are_not_enough_without_the_last_word),
        TEST(without_the_last_word_it_leaves_after_lost_after),
        TEST(unconfirmed_results_are_waited_for_until_the_drain_limit),
        TEST(the_last_word_counts_only_when_it_was_asked_for),
        TEST(the_last_word_counts_for_its_session_only),
        TEST(without_a_session_it_leaves_when_nothing_runs),
        TEST(a_new_consumer_is_told_of_what_still_runs_with_0_slots),
        TEST(at_its_limit_what_runs_is_stopped),
        TEST(at_its_limit_it_stops_once),
        SAVER(a_saver_serves_on_until_the_consumer_leaves),
        SAVER(a_saver_finishes_what_it_holds_when_the_consumer_leaves),
        SAVER(a_saver_that_nobody_told_to_leave_waits_for_the_next_consumer),
        SAVER(a_saver_joins_a_new_consumer_while_it_is_to_leave),
        SAVER(a_saver_leaves_at_its_limit_whatever_happens),
        SAVER(a_saver_without_a_consumer_leaves_at_once),
        TEST(thousands_of_tasks_are_listed_in_parts),
        TEST(thousands_of_results_follow_in_several_reports),
        TEST(a_report_may_be_full_of_both),
        TEST(hello_reaches_the_newest_result_after_thousands),
        TEST(hello_leaves_no_gap_before_what_is_not_confirmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
