// A worker whose starts take time (one_by_one): what waits for its turn, and what becomes of it.

#include "worker_play.h"

static int new_slow_restarter(void **state)
{
    (void)state;
    new_worker_that(MM_ROLE_RESTARTER, 4, true);
    return 0;
}

// A turn of the loop, in which no more happens than that time has passed.
static void takes_a_turn(int64_t milliseconds)
{
    now_ms += milliseconds;
    step((mm_worker_event_t){.kind = MM_WORKER_TIME});
}

static void gets_three(void)
{
    mm_task_t tasks[] = {task_of(901), task_of(902), task_of(903)};
    joins(12);
    gets_tasks(12, boot_ms(), tasks, 3);
    does("started 901; start 901");
}

static void it_starts_one_in_a_step(void **state)
{
    (void)state;
    gets_three();
    assert_true(mm_worker_deadline(worker) <= now_ms); // the next step is due
    takes_a_turn(3);
    does("started 902; start 902");
    finishes(901);
    does("result 1 of 901 ok; started 903; start 903");
    assert_true(mm_worker_deadline(worker) > now_ms);
    gets_task(904);
    does("started 904; start 904");
}

static void what_waits_takes_a_slot_and_is_listed(void **state)
{
    (void)state;
    gets_three();
    mm_task_t tasks[] = {task_of(904), task_of(905)};
    gets_tasks(12, boot_ms(), tasks, 2);
    does("returns 905; result 1 of 905 returned; started 902; start 902");
    hears_welcome(13);
    forget_story();
    gets_task(906);
    forget_story();
    takes_a_turn(HEARTBEAT);
    does("heartbeat slots=4 held=901,902,906 results=1,2,3");
}

// Found by a machine so busy that 64 starts took seconds: their hosts were elsewhere by then (R1).
static void each_is_judged_by_the_clock_of_its_turn(void **state)
{
    (void)state;
    gets_three();
    takes_a_turn(LOST_AFTER / 3 - 1);
    does("started 902; start 902");
    suspended_ms += LOST_AFTER;
    finishes(901);
    does("result 1 of 901 ok; returns 903; result 2 of 903 returned");
    gets_task(903);
    does("");
    gets_task(904);
    does("started 904; start 904");
}

static void what_waits_is_returned_when_it_is_told_to_leave(void **state)
{
    (void)state;
    gets_three();
    step((mm_worker_event_t){.kind = MM_WORKER_DRAIN});
    does("returns 902; result 1 of 902 returned; returns 903; result 2 of 903 returned; "
         "heartbeat slots=0 held=901");
    finishes(901);
    does("result 3 of 901 ok; heartbeat slots=0");
}

// P7.1: first it closes its PULL, then it returns, then it says hello.
static void what_waits_is_returned_when_it_leaves_the_session(void **state)
{
    (void)state;
    gets_three();
    hears_rejoin();
    does("rejoins; disconnect; returns 902; returns 903");
    takes_a_turn(0);
    does("hello session=12 slots=4 held=901 results=1,2");
}

static void what_waits_is_returned_when_another_session_begins(void **state)
{
    (void)state;
    gets_three();
    hears_welcome(13);
    does("disconnect; returns 902; returns 903; connect 13 task.13; joined; "
         "heartbeat slots=4 held=901 results=1,2");
}

// It is longer than what is kept for most tasks, and the frame is gone when its turn comes.
static void what_waits_keeps_its_attributes(void **state)
{
    (void)state;
    char text[128];
    (void)snprintf(text, sizeof text, "bmc=10.0.0.2 path=/%070d", 7);
    mm_task_t tasks[] = {task_of(901), task_of(902), task_of(903)};
    tasks[0].attributes = mm_str("bmc=10.0.0.1");
    tasks[1].attributes = mm_str(text);
    joins(12);
    gets_tasks(12, boot_ms(), tasks, 3);
    does("started 901; start 901 bmc=10.0.0.1");
    memset(text, 'x', strlen(text));
    takes_a_turn(3);
    does("started 902; start 902 bmc=10.0.0.2 "
         "path=/0000000000000000000000000000000000000000000000000000000000000000000007");
    takes_a_turn(3);
    does("started 903; start 903");
    finishes(902);
    does("result 1 of 902 ok");
    gets_task(904); // in the same memory
    does("started 904; start 904");
}

#define WITH(NAME) cmocka_unit_test_setup_teardown(NAME, new_slow_restarter, end_worker)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(it_starts_one_in_a_step),
        WITH(what_waits_takes_a_slot_and_is_listed),
        WITH(each_is_judged_by_the_clock_of_its_turn),
        WITH(what_waits_is_returned_when_it_is_told_to_leave),
        WITH(what_waits_is_returned_when_it_leaves_the_session),
        WITH(what_waits_is_returned_when_another_session_begins),
        WITH(what_waits_keeps_its_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
