// What a consumer may claim (docs/rules.md, R16): a worker ignores what cannot be, and is locked
// out by nobody for longer than that one is heard.

#include "worker_play.h"

#define EPOCH (UINT64_C(1) << 32) // in which its numbers begin

static void an_epoch_that_no_consumer_has_is_ignored(void **state)
{
    (void)state;
    static const uint64_t claims[] = {UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX};
    joins(12);
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        passes(HEARTBEAT);
        hears_beat();
        passes(HEARTBEAT);
        hears_beat();
        forget_story();
        hears_beat_of(claims[i]);
        does("ignores an epoch that no consumer has");
        hears_leaving_of(claims[i]);
        does(""); // said once a second
        mm_frame_t frame = answer(MM_FRAME_WELCOME, 13);
        frame.as.answer.epoch = claims[i];
        frame.as.answer.suffix = mm_str("task.x");
        hears(&frame);
        does("");
    }
    assert_int_equal(mm_worker_session(worker), 12);
}

static void a_session_that_no_consumer_of_its_epoch_has_is_ignored(void **state)
{
    (void)state;
    mm_frame_t frame = answer(MM_FRAME_WELCOME, LIFE * EPOCH + (UINT64_C(1) << 40) + 1);
    frame.as.answer.suffix = mm_str("task.x");
    passes(0);
    forget_story();
    hears(&frame);
    does("ignores a session that no consumer of its epoch has");
    frame.as.answer.session = UINT64_MAX;
    hears(&frame);
    does("");
    assert_int_equal(mm_worker_session(worker), 0);
    frame.as.answer.session = LIFE * EPOCH + 5; // as consumer/epoch.h counts
    hears(&frame);
    assert_true(mm_worker_session(worker) == LIFE * EPOCH + 5);
}

// All tasks of all later consumers would be behind it.
static void a_task_that_no_consumer_of_its_session_has_is_ignored(void **state)
{
    (void)state;
    joins(LIFE * EPOCH + 1);
    gets_task(UINT64_MAX);
    does("ignores a task that no consumer of its session has");
    gets_task(LIFE * EPOCH + 1 + (UINT64_C(1) << 40) + 1);
    does("");
    gets_task(LIFE * EPOCH + 7);
    does("started 12884901895; start 12884901895");
}

static void a_stamp_from_the_future_is_none(void **state)
{
    (void)state;
    joins(12);
    mm_task_t task = task_of(901);
    gets_tasks(12, boot_ms() + 1, &task, 1);
    does("ignores a stamp that is not mine; returns 901; result 1 of 901 returned");
    gets_task(902);
    does("started 902; start 902");
}

// It has claimed the highest of all, and a higher session and task than all others will give.
static void a_lower_epoch_is_heard_when_the_higher_one_is_silent(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    hears_beat_of(UINT32_MAX);
    mm_frame_t frame = answer(MM_FRAME_WELCOME, UINT32_MAX * EPOCH + 9);
    frame.as.answer.epoch = UINT32_MAX;
    frame.as.answer.suffix = mm_str("task.x");
    hears(&frame);
    gets_task(UINT32_MAX * EPOCH + 99);
    forget_story();
    hears_beat(); // of a lower one, while that one is heard
    does("");
    passes(3 * HEARTBEAT);
    forget_story();
    hears_beat();
    passes(0);
    does("hello session=0 slots=2 held=901,18446744069414584419");
    hears_welcome(13);
    forget_story();
    finishes(901);
    does("result 1 of 901 ok");
    gets_task(UINT32_MAX * EPOCH + 99); // held, whoever has given it
    does("ignores a task that no consumer of its session has");
    gets_task(902);
    does("started 902; start 902");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_restarter, end_worker)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_epoch_that_no_consumer_has_is_ignored),
        TEST(a_session_that_no_consumer_of_its_epoch_has_is_ignored),
        TEST(a_task_that_no_consumer_of_its_session_has_is_ignored),
        TEST(a_stamp_from_the_future_is_none),
        TEST(a_lower_epoch_is_heard_when_the_higher_one_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
