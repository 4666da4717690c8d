// The worker's half of the protocol: joining, tasks, results (docs/protocol.md, P4 to P6).
// Another consumer is in test_worker_consumer.c, leaving in test_worker_leave.c.

#include "worker_play.h"

// ---- joining (P4)

static void it_says_hello_with_growing_pauses_until_it_is_welcomed(void **state)
{
    (void)state;
    const int64_t expected[] = {0, 20, 60, 140, 300, 620, 1120};
    int64_t start_ms = now_ms;
    passes(1400);
    assert_int_equal(hello_count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(hello_ms[i] - start_ms, expected[i]);
    hears_welcome(12);
    passes(499);
    assert_int_equal(hello_count, 7);
}

static void a_welcome_connects_it_and_is_answered_at_once(void **state)
{
    (void)state;
    passes(0);
    does("hello session=0 slots=2");
    hears_welcome(12);
    does("connect 12 task.12; joined; heartbeat slots=2");
    passes(499);
    does("");
    passes(1);
    does("heartbeat slots=2");
}

static void a_welcome_that_is_not_higher_is_ignored(void **state)
{
    (void)state;
    joins(12);
    mm_frame_t frame = answer(MM_FRAME_WELCOME, 12);
    frame.as.answer.suffix = mm_str("task.x");
    hears(&frame);
    frame.as.answer.session = 11;
    hears(&frame);
    does("");
    hears_rejoin();
    passes(0);
    does("rejoins; disconnect; hello session=12 slots=2");
    frame.as.answer.session = 12;
    hears(&frame);
    does("");
    assert_int_equal(mm_worker_session(worker), 0);
}

static void a_higher_session_closes_the_former_first(void **state)
{
    (void)state;
    joins(12);
    hears_welcome(13);
    does("disconnect; connect 13 task.13; joined; heartbeat slots=2");
}

static void answers_to_another_process_or_name_are_ignored(void **state)
{
    (void)state;
    passes(0);
    forget_story();
    const mm_frame_kind_t kinds[] = {MM_FRAME_WELCOME, MM_FRAME_REFUSED, MM_FRAME_REJOIN};
    for (size_t i = 0; i < 6; i++) {
        mm_frame_t frame = answer(kinds[i / 2], 12);
        frame.as.answer.suffix = mm_str("task.x");
        frame.as.answer.reason = mm_str("no");
        if (i % 2 == 0)
            frame.as.answer.instance = NONCE + 1;
        else
            frame.as.answer.worker = mm_str("r10");
        hears(&frame);
        if (i == 3)
            hears_welcome(9); // from here on it is in a session that it could lose
        if (i == 3)
            forget_story();
    }
    does("");
    assert_int_equal(mm_worker_session(worker), 9);
}

static void a_refusal_is_told_and_hello_goes_on(void **state)
{
    (void)state;
    passes(0);
    forget_story();
    mm_frame_t frame = answer(MM_FRAME_REFUSED, 0);
    frame.as.answer.reason = mm_str("too many");
    hears(&frame);
    does("refused: too many");
    passes(20);
    does("hello session=0 slots=2");
    hears_welcome(12);
    forget_story();
    hears(&frame);
    does("");
}

static void answers_of_a_former_consumer_are_ignored(void **state)
{
    (void)state;
    joins(12);
    hears_beat_of(LIFE + 1);
    passes(0);
    does("rejoins; disconnect; hello session=12 slots=2");
    mm_frame_t frame = answer(MM_FRAME_WELCOME, 13);
    frame.as.answer.suffix = mm_str("task.13");
    hears(&frame);
    frame = answer(MM_FRAME_REFUSED, 0);
    frame.as.answer.reason = mm_str("no");
    hears(&frame);
    does("");
    frame = answer(MM_FRAME_WELCOME, 14);
    frame.as.answer.suffix = mm_str("task.14");
    frame.as.answer.epoch = LIFE + 1;
    hears(&frame);
    does("connect 14 task.14; joined; heartbeat slots=2");
    hears_rejoin();
    does("");
}

static void a_suffix_that_no_welcome_can_have_is_ignored(void **state)
{
    (void)state;
    passes(0);
    forget_story();
    mm_frame_t frame = answer(MM_FRAME_WELCOME, 12);
    frame.as.answer.suffix = mm_str("task.000000000000000000000000000");
    assert_int_equal(frame.as.answer.suffix.size, 32);
    hears(&frame);
    does("");
    frame.as.answer.suffix.size = 31;
    hears(&frame);
    does("connect 12 task.00000000000000000000000000; joined; heartbeat slots=2");
}

// ---- tasks (P6)

static void a_task_is_started_and_told(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    does("started 901; start 901");
    assert_int_equal(mm_worker_running(worker), 1);
    mm_task_t held;
    assert_true(mm_worker_holds(worker, 901, &held));
    assert_true(mm_str_equal(held.host, mm_str("web-7.example.net")));
    assert_int_equal(held.attempt, 1);
    finishes(901);
    does("result 1 of 901 ok");
    assert_false(mm_worker_holds(worker, 901, &held));
    assert_int_equal(mm_worker_running(worker), 0);
}

static void a_result_names_its_task_and_keeps_its_texts(void **state)
{
    (void)state;
    joins(12);
    mm_task_t task = task_of(901);
    gets_tasks(12, boot_ms(), &task, 1);
    char error[] = "no route", key[] = "boot", value[] = "0193";
    mm_result_t result = {.number = 901,
                          .status = MM_STATUS_FAILED,
                          .took_ms = 812,
                          .error = mm_str(error),
                          .evidence = &(mm_pair_t){mm_str(key), mm_str(value)},
                          .evidence_count = 1};
    step((mm_worker_event_t){.kind = MM_WORKER_FINISHED, .as.result = &result});
    memset(error, 'x', strlen(error));
    memset(key, 'x', strlen(key));
    memset(value, 'x', strlen(value));
    const mm_result_t *kept = mm_worker_result(worker, 1);
    mm_id_t id = id_of(901);
    assert_int_equal(kept->leg, MM_LEG_RESTART);
    assert_true(mm_id_equal(&kept->id, &id));
    assert_int_equal(kept->took_ms, 812);
    assert_true(mm_str_equal(kept->error, mm_str("no route")));
    assert_true(mm_str_equal(kept->evidence[0].key, mm_str("boot")));
    assert_true(mm_str_equal(kept->evidence[0].value, mm_str("0193")));
}

static void a_task_is_started_only_within_its_lease(void **state)
{
    (void)state;
    joins(12);
    mm_task_t tasks[] = {task_of(901), task_of(902)};
    gets_tasks(12, boot_ms() - LOST_AFTER + 1, &tasks[0], 1);
    does("started 901; start 901");
    gets_tasks(12, boot_ms() - LOST_AFTER, &tasks[1], 1);
    does("returns 902; result 1 of 902 returned");
}

static void time_in_suspend_counts_against_the_lease(void **state)
{
    (void)state;
    joins(12);
    int64_t stamp_ms = boot_ms();
    suspended_ms += LOST_AFTER;
    mm_task_t task = task_of(901);
    gets_tasks(12, stamp_ms, &task, 1);
    does("returns 901; result 1 of 901 returned");
}

static void a_number_that_was_seen_is_never_started_again(void **state)
{
    (void)state;
    joins(12);
    gets_task_and_finishes(901);
    gets_task_and_finishes(905);
    forget_story();
    gets_task(905);
    gets_task(901);
    gets_task(903); // lower than one seen: it came by another road
    does("");
    joins(13);
    gets_task(905);
    does("");
    gets_task(906);
    does("started 906; start 906");
}

static void a_returned_task_is_not_started_later(void **state)
{
    (void)state;
    joins(12);
    mm_task_t task = task_of(901);
    gets_tasks(12, boot_ms() - LOST_AFTER, &task, 1);
    forget_story();
    gets_task(901);
    does("");
}

static void what_has_no_free_slot_is_returned(void **state)
{
    (void)state;
    joins(12);
    mm_task_t tasks[] = {task_of(901), task_of(902), task_of(903)};
    gets_tasks(12, boot_ms(), tasks, 3);
    does("started 901; start 901; started 902; start 902; "
         "returns 903; result 1 of 903 returned");
    finishes(901);
    gets_task(904);
    does("result 2 of 901 ok; started 904; start 904");
}

// It is a restarter's like a restart.
static void a_probe_is_started_by_a_restarter_and_returned_by_a_saver(void **state)
{
    (void)state;
    mm_task_t task = task_of(901);
    task.leg = MM_LEG_PROBE;
    joins(12);
    gets_tasks(12, boot_ms(), &task, 1);
    does("started 901; start 901");
    new_worker(MM_ROLE_SAVER, 2);
    joins(12);
    gets_tasks(12, boot_ms(), &task, 1);
    does("returns 901; result 1 of 901 returned");
}

static void a_hello_names_the_driver_and_what_it_can_do(void **state)
{
    (void)state;
    new_restarter_of("ssh-0123456789abcdef", MM_VERB_REAL | MM_VERB_IDENTIFY);
    passes(0);
    does("hello session=0 slots=2");
    const mm_report_t *report = worker_actions.items[0].as.report;
    assert_true(mm_str_equal(report->driver, mm_str("ssh-0123456789abcdef")));
    assert_int_equal(report->verbs, MM_VERB_REAL | MM_VERB_IDENTIFY);
}

// Found by fuzzing: the saver's store asserts that it gets no restarts.
static void a_task_for_another_kind_of_process_is_returned(void **state)
{
    (void)state;
    joins(12);
    mm_task_t task = task_of(901);
    task.leg = MM_LEG_SAVE;
    gets_tasks(12, boot_ms(), &task, 1);
    does("returns 901; result 1 of 901 returned");
}

static void tasks_of_another_session_are_ignored(void **state)
{
    (void)state;
    mm_task_t task = task_of(901);
    gets_tasks(12, boot_ms(), &task, 1);
    joins(12);
    gets_tasks(11, boot_ms(), &task, 1);
    gets_tasks(13, boot_ms(), &task, 1);
    hears_rejoin();
    gets_tasks(12, boot_ms(), &task, 1);
    does("rejoins; disconnect");
    hears_welcome(13);
    forget_story();
    gets_task(901); // none of those has counted as seen
    does("started 901; start 901");
}

static void hears_orders(uint64_t session)
{
    mm_order_t order = {.action = MM_ACTION_HALT};
    mm_frame_t frame = {.kind = MM_FRAME_ORDERS,
                        .as.orders = {.session = session, .items = &order, .count = 1}};
    hears(&frame);
}

// They take no slot, and a saver that drains records them, too.
static void a_saver_is_given_the_orders_of_its_session(void **state)
{
    (void)state;
    (void)end_worker(state);
    new_worker(MM_ROLE_SAVER, 1);
    hears_orders(0);
    joins(12);
    hears_orders(11);
    hears_orders(13);
    does("");
    hears_orders(12);
    does("1 orders");
    hears_rejoin();
    forget_story();
    hears_orders(12);
    does("");
}

static void a_restarter_takes_no_orders(void **state)
{
    (void)state;
    joins(12);
    hears_orders(12);
    does("");
}

// ---- results until they are confirmed (P5.7, P6.8, P6.9)

static void a_heartbeat_repeats_only_what_is_older_than_one_heartbeat(void **state)
{
    (void)state;
    joins(12);
    gets_task_and_finishes(901); // right behind the heartbeat of the welcome
    passes(250);
    gets_task_and_finishes(902);
    forget_story();
    passes(249);
    does("");
    hears_beat_confirming(1);
    passes(1);
    does("heartbeat slots=2"); // 902's is only 250 ms old
    passes(HEARTBEAT);
    does("heartbeat slots=2 results=2");
    gets_task_and_finishes(903);
    forget_story();
    passes(HEARTBEAT);
    does("heartbeat slots=2 results=2,3"); // without a gap
}

static void a_task_frame_confirms_results(void **state)
{
    (void)state;
    joins(12);
    gets_task_and_finishes(901);
    gets_task_and_finishes(902);
    task_confirms = 1;
    gets_task(903);
    forget_story();
    passes(HEARTBEAT);
    does("heartbeat slots=2 held=903 results=2");
}

static void a_confirmation_for_another_session_or_worker_is_not_taken(void **state)
{
    (void)state;
    joins(12);
    gets_task_and_finishes(901);
    forget_story();
    beat_session = 11;
    hears_beat_confirming(1); // and r10, in the same beat, is told of a million
    task_confirms = 1;
    gets_tasks(11, boot_ms(), NULL, 0);
    passes(HEARTBEAT);
    does("heartbeat slots=2 results=1");
}

static void a_confirmation_of_what_was_never_sent_is_ignored(void **state)
{
    (void)state;
    joins(12);
    gets_task_and_finishes(901);
    forget_story();
    hears_beat_confirming(2);
    passes(HEARTBEAT);
    does("heartbeat slots=2 results=1");
}

static void results_are_numbered_over_all_sessions(void **state)
{
    (void)state;
    joins(12);
    gets_task_and_finishes(901);
    joins(13);
    gets_task(902);
    forget_story();
    finishes(902);
    does("result 2 of 902 ok");
}

static void what_ends_between_two_sessions_goes_with_the_reports(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    gets_task(902);
    hears_rejoin();
    forget_story();
    finishes(901);
    passes(0);
    does("hello session=12 slots=2 held=902 results=1");
    finishes(902);
    does("");
    hears_welcome(13);
    does("connect 13 task.13; joined; heartbeat slots=2 results=1,2");
}

static void hello_carries_what_runs_and_the_history(void **state)
{
    (void)state;
    joins(12);
    gets_task_and_finishes(901);
    gets_task_and_finishes(902);
    hears_beat_confirming(2);
    gets_task(903);
    hears_beat_of(LIFE + 1);
    forget_story();
    passes(0);
    does("hello session=12 slots=2 held=903 results=1,2");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_restarter, end_worker)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_says_hello_with_growing_pauses_until_it_is_welcomed),
        TEST(a_welcome_connects_it_and_is_answered_at_once),
        TEST(a_welcome_that_is_not_higher_is_ignored),
        TEST(a_higher_session_closes_the_former_first),
        TEST(answers_to_another_process_or_name_are_ignored),
        TEST(a_refusal_is_told_and_hello_goes_on),
        TEST(answers_of_a_former_consumer_are_ignored),
        TEST(a_suffix_that_no_welcome_can_have_is_ignored),
        TEST(a_task_is_started_and_told),
        TEST(a_result_names_its_task_and_keeps_its_texts),
        TEST(a_task_is_started_only_within_its_lease),
        TEST(time_in_suspend_counts_against_the_lease),
        TEST(a_number_that_was_seen_is_never_started_again),
        TEST(a_returned_task_is_not_started_later),
        TEST(what_has_no_free_slot_is_returned),
        TEST(a_probe_is_started_by_a_restarter_and_returned_by_a_saver),
        TEST(a_hello_names_the_driver_and_what_it_can_do),
        TEST(a_task_for_another_kind_of_process_is_returned),
        TEST(tasks_of_another_session_are_ignored),
        TEST(a_saver_is_given_the_orders_of_its_session),
        TEST(a_restarter_takes_no_orders),
        TEST(a_heartbeat_repeats_only_what_is_older_than_one_heartbeat),
        TEST(a_task_frame_confirms_results),
        TEST(a_confirmation_for_another_session_or_worker_is_not_taken),
        TEST(a_confirmation_of_what_was_never_sent_is_ignored),
        TEST(results_are_numbered_over_all_sessions),
        TEST(what_ends_between_two_sessions_goes_with_the_reports),
        TEST(hello_carries_what_runs_and_the_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
