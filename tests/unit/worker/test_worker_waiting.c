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

static void fewer_slots_are_said_at_once_and_what_runs_goes_on(void **state)
{
    (void)state;
    gets_three();
    takes_a_turn(1);
    takes_a_turn(1);
    forget_story();
    step((mm_worker_event_t){.kind = MM_WORKER_SLOTS, .as.slots = 2});
    does("heartbeat slots=2 held=901,902,903");
    step((mm_worker_event_t){.kind = MM_WORKER_SLOTS, .as.slots = 2});
    does("");
    finishes(901);
    does("result 1 of 901 ok");
    gets_task(904); // sent before it was heard
    does("returns 904; result 2 of 904 returned");
    finishes(902);
    does("result 3 of 902 ok");
    gets_task(905);
    does("started 905; start 905");
    step((mm_worker_event_t){.kind = MM_WORKER_SLOTS, .as.slots = 4});
    does("heartbeat slots=4 held=903,905");
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
    mm_task_t tasks[] = {task_of(901), task_of(902), task_of(903), task_of(904)};
    tasks[0].attributes = mm_str("bmc=10.0.0.1");
    tasks[1].attributes = mm_str(text);
    tasks[3].attributes = mm_str("bmc=10.0.0.4");
    joins(12);
    gets_tasks(12, boot_ms(), tasks, 4);
    does("started 901; start 901 bmc=10.0.0.1");
    memset(text, 'x', strlen(text));
    takes_a_turn(3);
    does("started 902; start 902 bmc=10.0.0.2 "
         "path=/0000000000000000000000000000000000000000000000000000000000000000000007");
    takes_a_turn(3);
    does("started 903; start 903");
    finishes(902);
    does("result 1 of 902 ok; started 904; start 904 bmc=10.0.0.4");
    gets_task(905); // in the same memory
    does("started 905; start 905");
}

// ---- real restarts: they wait for their turn even where starts take no time

// What each start was given, by the worker's clock; the texts are gone.
static mm_task_t given;

static void takes_its_turn(void)
{
    step((mm_worker_event_t){.kind = MM_WORKER_TIME});
    for (size_t i = 0; i < worker_actions.count; i++)
        if (worker_actions.items[i].kind == MM_WORKER_START)
            given = *worker_actions.items[i].as.task;
}

static mm_real_t reals[8]; // of the tasks, by the last digit of their numbers

static mm_task_t real_task(uint64_t number, uint32_t command)
{
    mm_task_t task = task_of(number);
    task.real = &reals[number % 8];
    *task.real = (mm_real_t){.left_ms = 900000,
                             .age_ms = 4000,
                             .start_ms = boot_ms() + LOST_AFTER,
                             .command = command,
                             .machine = id_of(7001),
                             .boot = id_of(7002),
                             .health = mm_str("degraded")};
    return task;
}

static int new_quick_restarter(void **state)
{
    (void)state;
    new_worker_that(MM_ROLE_RESTARTER, 4, false);
    joins(12);
    return 0;
}

// The spans begin when the task is received, not when its turn comes (P6.15).
static void a_real_task_has_its_times_by_the_clock_of_its_worker(void **state)
{
    (void)state;
    char attributes[] = "bmc=10.0.0.1";
    mm_task_t tasks[] = {real_task(901, 1), real_task(902, 2)};
    tasks[1].attributes = mm_str(attributes);
    tasks[1].real->left_ms = INT64_MAX;
    tasks[1].real->age_ms = INT64_MAX;
    int64_t received_ms = boot_ms();
    gets_tasks(12, received_ms, tasks, 2);
    does("started 901; start 901");
    given = *worker_actions.items[1].as.task;
    assert_int_equal(given.real->first_ms, received_ms - 4000);
    assert_int_equal(given.real->deadline_ms, received_ms + 900000);
    memset(attributes, 'x', strlen(attributes));
    memset(tasks, 0xFF, sizeof tasks);
    memset(reals, 0xFF, sizeof reals);
    now_ms += 100;
    takes_its_turn();
    does("started 902; start 902 bmc=10.0.0.1");
    mm_task_t told = real_task(902, 2);
    assert_int_equal(given.real->first_ms, received_ms - (INT64_C(1) << 60)); // and not beyond
    assert_int_equal(given.real->deadline_ms, received_ms + (INT64_C(1) << 60));
    assert_int_equal(given.real->command, 2);
    assert_int_equal(given.attempt, 1);
    assert_int_equal(given.real->start_ms, received_ms + LOST_AFTER);
    assert_true(mm_str_equal(given.host, mm_str("web-7.example.net")));
    assert_memory_equal(&given.id, &told.id, sizeof given.id);
    assert_memory_equal(&given.real->machine, &told.real->machine, sizeof given.real->machine);
    assert_memory_equal(&given.real->boot, &told.real->boot, sizeof given.real->boot);
}

// H1: the span of its frame is longer than that of its command.
static void a_command_is_returned_behind_its_last_start_and_a_look_is_not(void **state)
{
    (void)state;
    mm_task_t tasks[] = {real_task(901, 0), real_task(902, 1), real_task(903, 1),
                         real_task(904, 0)};
    tasks[1].real->start_ms = boot_ms() + 101;
    tasks[2].real->start_ms = boot_ms() + 101;
    tasks[3].real->start_ms = 0;
    gets_tasks(12, boot_ms(), tasks, 4);
    does("started 901; start 901");
    takes_a_turn(100);
    does("started 902; start 902");
    takes_a_turn(1);
    does("returns 903; result 1 of 903 returned; started 904; start 904");
}

static void a_look_too_is_returned_behind_the_lease_of_its_frame(void **state)
{
    (void)state;
    mm_task_t tasks[] = {real_task(901, 0), real_task(902, 0)};
    gets_tasks(12, boot_ms(), tasks, 2);
    suspended_ms += LOST_AFTER;
    takes_a_turn(0);
    does("started 901; start 901; returns 902; result 1 of 902 returned");
}

// Else it would be the first that waits a second time, and start twice.
static void a_task_behind_one_that_waits_waits_too(void **state)
{
    (void)state;
    mm_task_t tasks[] = {real_task(901, 1), real_task(902, 1), task_of(903)};
    gets_tasks(12, boot_ms(), tasks, 3);
    does("started 901; start 901");
    takes_a_turn(0);
    does("started 902; start 902");
    takes_a_turn(0);
    does("started 903; start 903");
    takes_a_turn(0);
    does("");
    gets_task(904);
    does("started 904; start 904");
}

static void a_probe_is_held_with_its_host(void **state)
{
    (void)state;
    mm_task_t task = real_task(901, 0);
    task.leg = MM_LEG_PROBE;
    gets_tasks(12, boot_ms(), &task, 1);
    does("started 901; start 901");
    passes(HEARTBEAT);
    does("heartbeat slots=4 held=901");
    const mm_report_t *report = worker_actions.items[0].as.report;
    assert_int_equal(report->held[0].leg, MM_LEG_PROBE);
    assert_true(mm_str_equal(report->held[0].host, mm_str("web-7.example.net")));
    mm_task_t held;
    assert_true(mm_worker_holds(worker, 901, &held));
    assert_true(mm_str_equal(held.host, mm_str("web-7.example.net")));
    finishes_as(901, MM_STATUS_OPEN);
    assert_int_equal(mm_worker_result(worker, 1)->leg, MM_LEG_PROBE);
    does("result 1 of 901 open");
}

// It has no times, and its texts are those of the frame.
static void a_row_to_be_saved_does_not_wait(void **state)
{
    (void)state;
    mm_real_t row = {.row = MM_ROW_BEGUN, .attempt = 1, .command = 1, .words = mm_str("bye")};
    new_worker(MM_ROLE_SAVER, 4);
    joins(12);
    mm_task_t tasks[] = {task_of(901), task_of(902)};
    tasks[0].real = tasks[1].real = &row;
    gets_tasks(12, boot_ms(), tasks, 2);
    does("started 901; start 901; started 902; start 902");
}

#define WITH(NAME) cmocka_unit_test_setup_teardown(NAME, new_slow_restarter, end_worker)
#define REAL(NAME) cmocka_unit_test_setup_teardown(NAME, new_quick_restarter, end_worker)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(it_starts_one_in_a_step),
        WITH(what_waits_takes_a_slot_and_is_listed),
        WITH(each_is_judged_by_the_clock_of_its_turn),
        WITH(fewer_slots_are_said_at_once_and_what_runs_goes_on),
        WITH(what_waits_is_returned_when_it_is_told_to_leave),
        WITH(what_waits_is_returned_when_it_leaves_the_session),
        WITH(what_waits_is_returned_when_another_session_begins),
        WITH(what_waits_keeps_its_attributes),
        REAL(a_real_task_has_its_times_by_the_clock_of_its_worker),
        REAL(a_command_is_returned_behind_its_last_start_and_a_look_is_not),
        REAL(a_look_too_is_returned_behind_the_lease_of_its_frame),
        REAL(a_task_behind_one_that_waits_waits_too),
        REAL(a_probe_is_held_with_its_host),
        cmocka_unit_test_teardown(a_row_to_be_saved_does_not_wait, end_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
