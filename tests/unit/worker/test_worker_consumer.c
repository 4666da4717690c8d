// The worker's half of the protocol, continued: another consumer, a silent one, or none
// (docs/protocol.md, P7, R6).

#include "worker_play.h"

static void a_new_consumer_is_joined_from_the_start(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    forget_story();
    hears_beat_of(LIFE + 1);
    assert_int_equal(mm_worker_session(worker), 0);
    passes(0);
    does("rejoins; disconnect; hello session=12 slots=2 held=901");
    assert_int_equal(mm_worker_running(worker), 1);
    hears_beat_of(LIFE + 1);
    does("");
    passes(19);
    does("");
    passes(1); // the pauses begin anew
    does("hello session=12 slots=2 held=901");
}

static void the_first_beat_that_is_heard_brings_a_hello_at_once(void **state)
{
    (void)state;
    passes(700);
    forget_story();
    hears_beat();
    passes(0);
    does("hello session=0 slots=2");
}

static void a_rejoin_is_obeyed_once(void **state)
{
    (void)state;
    joins(12);
    hears_rejoin();
    does("rejoins; disconnect");
    hears_rejoin();
    does("");
    passes(0);
    does("hello session=12 slots=2");
}

static void an_old_consumers_word_is_ignored(void **state)
{
    (void)state;
    joins(12);
    gets_task_and_finishes(901);
    forget_story();
    beat_serial = 1;
    hears_beat_of(LIFE - 1);
    hears_leaving_of(LIFE - 1);
    mm_frame_t frame = answer(MM_FRAME_REJOIN, 12);
    frame.as.answer.epoch = LIFE - 1;
    hears(&frame);
    does("");
    passes(HEARTBEAT);
    does("heartbeat slots=2 results=1");
    passes(HEARTBEAT - 1);
    hears_beat_of(LIFE - 1); // nor is it a sign of epoch
    passes(HEARTBEAT);
    forget_story();
    passes(1);
    does("silent; disconnect; recreate; hello session=12 slots=2 results=1");
}

static void a_silent_consumer_costs_the_sockets(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    passes(2 * HEARTBEAT);
    hears_beat();
    passes(3 * HEARTBEAT - 1);
    forget_story();
    passes(1);
    does("silent; disconnect; recreate; hello session=12 slots=2 held=901");
    forget_story();
    passes(3 * HEARTBEAT - 1);
    assert_null(strstr(story, "recreate"));
    passes(1);
    assert_non_null(strstr(story, "silent; recreate; hello"));
}

// Nothing of the session can be relied on: its tasks come by the same way.
static void a_way_that_has_failed_costs_the_session(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    forget_story();
    step((mm_worker_event_t){.kind = MM_WORKER_CUT});
    does("disconnect; recreate");
    passes(1);
    does("hello session=12 slots=2 held=901");
    hears_welcome(13);
    does("connect 13 task.13; joined; heartbeat slots=2 held=901");
}

static void when_the_consumer_leaves_hello_waits_one_heartbeat(void **state)
{
    (void)state;
    joins(12);
    gets_task(901);
    forget_story();
    hears_leaving_of(LIFE);
    does("disconnect");
    passes(HEARTBEAT - 1);
    does("");
    passes(1);
    does("hello session=12 slots=2 held=901");
    finishes(901);
    does("");
    hears_welcome(13);
    does("connect 13 task.13; joined; heartbeat slots=2 results=1");
}

static void frames_that_are_not_for_workers_are_ignored(void **state)
{
    (void)state;
    joins(12);
    const mm_frame_kind_t kinds[] = {MM_FRAME_JOBS,    MM_FRAME_HELLO, MM_FRAME_HEARTBEAT,
                                     MM_FRAME_STARTED, MM_FRAME_BYE,   MM_FRAME_RESULTS,
                                     MM_FRAME_NOTICES};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        hears(&(mm_frame_t){.kind = kinds[i]});
    does("");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_restarter, end_worker)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_consumer_is_joined_from_the_start),
        TEST(the_first_beat_that_is_heard_brings_a_hello_at_once),
        TEST(a_rejoin_is_obeyed_once),
        TEST(an_old_consumers_word_is_ignored),
        TEST(a_silent_consumer_costs_the_sockets),
        TEST(a_way_that_has_failed_costs_the_session),
        TEST(when_the_consumer_leaves_hello_waits_one_heartbeat),
        TEST(frames_that_are_not_for_workers_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
