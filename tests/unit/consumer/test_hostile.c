// What keeps the consumer's core bounded when somebody lies to it (I6): reports that list more than
// a worker can hold, stamps at the end of their range, ever new names, floods of questions.

#include "gather.h"
#include "name_pool.h"
#include "workers_play.h"

// ---- workers

static void a_report_may_list_more_than_a_worker_can_hold(void **state)
{
    (void)state;
    uint64_t number = 1;
    joins("r1");
    for (int i = 0; i < 2000; i++) {
        for (int j = 0; j < 8; j++)
            assignment(number++);
        hello("r1", 0); // says again that it holds others, and takes nothing back
        forget_story();
    }
    assert_in_range(the("r1")->out, MM_SLOTS_MAX, 2 * MM_SLOTS_MAX);
}

static void a_stamp_at_the_end_of_its_range_is_only_a_number(void **state)
{
    (void)state;
    uint64_t session = joins("r1");
    says.stamp_ms = INT64_MAX;
    heartbeat("r1", session);
    then("");
    uint64_t number = hands_out("r1"); // it carries that stamp
    says.stamp_ms = 1;
    heartbeat("r1", session);
    then("");
    assert_int_equal(the("r1")->out, 1); // can start yet: nothing is known of it
    assignment(number);
    says.stamp_ms = INT64_MAX;
    heartbeat("r1", session);
    then("");
    assert_int_equal(the("r1")->out, 1);
}

// ---- names

static const char *intern(name_pool_t *names, const char *prefix, unsigned number)
{
    char name[32];
    (void)snprintf(name, sizeof name, "%s-%u", prefix, number);
    return name_pool_intern(names, mm_str(name));
}

static void names_that_nobody_uses_make_room_for_others(void **state)
{
    (void)state;
    name_pool_t names = {0};
    const char *kept = intern(&names, "kept", 1);
    assert_false(name_pool_is_crowded(&names));
    for (unsigned i = 1; i < NAME_POOL_MAX; i++)
        assert_non_null(intern(&names, "flood", i));
    assert_true(name_pool_is_crowded(&names));
    assert_null(intern(&names, "late", 1));
    assert_ptr_equal(intern(&names, "kept", 1), kept);
    name_pool_mark(&names, kept);
    name_pool_mark(&names, NULL);
    name_pool_drop_unmarked(&names);
    assert_false(name_pool_is_crowded(&names));
    assert_ptr_equal(intern(&names, "kept", 1), kept);
    assert_non_null(intern(&names, "late", 1));
    name_pool_drop_unmarked(&names); // a mark holds once
    assert_null(names.table);
}

// ---- the whole core

static gather_t *gather;
static gather_actions_t actions;

static void takes(gather_event_t event)
{
    event.now_ms = now_ms;
    gather_step(gather, &event, &actions);
}

static void takes_job_of(const char *publisher, uint64_t number)
{
    gather_event_t event = {.kind = GATHER_JOB};
    event.as.job.publisher = mm_str(publisher);
    event.as.job.job = (mm_job_t){.id = id_of(number), .host = mm_str("web-7"), .delivery = 1};
    takes(event);
}

static size_t count_of(gather_action_kind_t kind)
{
    size_t count = 0;
    for (size_t i = 0; i < actions.count; i++)
        count += actions.items[i].kind == kind;
    return count;
}

static int new_gather(void **state)
{
    (void)state;
    now_ms = 10000;
    gather = gather_new(&(gather_config_t){.epoch = 1,
                                           .attempts = 1,
                                           .heartbeat_ms = 500,
                                           .lost_after_ms = LOST_AFTER,
                                           .extend_every_ms = 1000,
                                           .max_lease_ms = 3600000,
                                           .max_in_flight = 2,
                                           .settled_max = 2,
                                           .nacked_max = 2,
                                           .savers_max = 1,
                                           .restarters_max = 1},
                        now_ms);
    return 0;
}

static int end_gather(void **state)
{
    (void)state;
    gather_destroy(&gather);
    gather_actions_clear(&actions);
    return 0;
}

static void publishers_of_ever_new_names_shut_nobody_out(void **state)
{
    (void)state;
    takes_job_of("honest", 1);
    assert_string_equal(actions.items[0].as.verdict.publisher, "honest");
    for (unsigned i = 0; i < 2 * NAME_POOL_MAX; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "flood-%u", i);
        takes_job_of(name, 1); // in flight: ignored, but for its name
    }
    takes_job_of("late", 2);
    assert_int_equal(actions.count, 0); // not taken: its publisher will deliver it again
    now_ms += 500;
    takes((gather_event_t){.kind = GATHER_TIME});
    takes_job_of("late", 2);
    assert_int_equal(count_of(GATHER_VERDICT), 1);
    now_ms += 500;
    takes((gather_event_t){.kind = GATHER_TIME});
    assert_int_equal(count_of(GATHER_VERDICT), 1); // the first job is extended
    assert_string_equal(actions.items[0].as.verdict.publisher, "honest");
}

static void a_flood_of_questions_has_one_answer_in_ten_milliseconds(void **state)
{
    (void)state;
    size_t beats = 0;
    takes((gather_event_t){.kind = GATHER_ASK});
    assert_int_equal(count_of(GATHER_BEAT), 1); // at once
    for (int i = 0; i < 1000; i++) {
        takes((gather_event_t){.kind = GATHER_ASK});
        beats += count_of(GATHER_BEAT);
    }
    assert_int_equal(beats, 0);
    assert_int_equal(gather_deadline(gather), now_ms + 10);
    now_ms += 10;
    takes((gather_event_t){.kind = GATHER_TIME});
    assert_int_equal(count_of(GATHER_BEAT), 1); // the last of them was not forgotten
    assert_int_equal(gather_deadline(gather), now_ms + 500);
}

#define WITH_WORKERS(NAME) cmocka_unit_test_setup_teardown(NAME, new_workers, end_workers)
#define WITH_GATHER(NAME)  cmocka_unit_test_setup_teardown(NAME, new_gather, end_gather)

int main(void)
{
    first_number = 1000000; // there are many to claim
    const struct CMUnitTest tests[] = {
        WITH_WORKERS(a_report_may_list_more_than_a_worker_can_hold),
        WITH_WORKERS(a_stamp_at_the_end_of_its_range_is_only_a_number),
        cmocka_unit_test(names_that_nobody_uses_make_room_for_others),
        WITH_GATHER(publishers_of_ever_new_names_shut_nobody_out),
        WITH_GATHER(a_flood_of_questions_has_one_answer_in_ten_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
