// Tests of consumer/core/inspect.c: what the core shows of its jobs and workers is what is so.

#include "gather.h"
#include "policy.h"
#include "string_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static gather_t *gather;
static gather_actions_t actions;
static int64_t now_ms;
static uint64_t sequence;

static int open_gather(void **state)
{
    (void)state;
    now_ms = 100000;
    sequence = 0;
    gather = gather_new(&(gather_config_t){.epoch = 1,
                                           .attempts = 3,
                                           .backoff_low_ms = 100,
                                           .backoff_high_ms = 1000,
                                           .heartbeat_ms = 500,
                                           .lost_after_ms = 1500,
                                           .extend_every_ms = 1000,
                                           .max_lease_ms = 3600000,
                                           .drain_ms = 24000,
                                           .max_in_flight = 100,
                                           .settled_max = 100,
                                           .nacked_max = 100,
                                           .savers_max = 1,
                                           .restarters_max = 4},
                        now_ms);
    return 0;
}

static int close_gather(void **state)
{
    (void)state;
    gather_destroy(&gather);
    gather_actions_clear(&actions);
    return 0;
}

static void step(gather_event_t event)
{
    event.now_ms = now_ms;
    gather_step(gather, &event, &actions);
}

// In heartbeats: a consumer that stands still for longer forgives.
static void passes(int64_t span_ms)
{
    gather_event_t event = {.kind = GATHER_TIME};
    event.as.time.inbox_empty = true;
    for (int64_t end_ms = now_ms + span_ms; now_ms < end_ms;) {
        now_ms += 500;
        step(event);
    }
}

static void hello(const char *name, mm_role_t role, uint32_t slots)
{
    mm_report_t report = {.is_hello = true,
                          .worker = mm_str(name),
                          .instance = 7,
                          .role = role,
                          .sequence = ++sequence,
                          .stamp_ms = now_ms,
                          .slots = slots,
                          .parts = 1};
    step((gather_event_t){.kind = GATHER_REPORT, .as.report = &report});
}

static void job(uint8_t number, const char *host)
{
    gather_event_t event = {.kind = GATHER_JOB};
    event.as.job.publisher = mm_str("p1");
    event.as.job.epoch = 1;
    event.as.job.received_ms = 1795332314123;
    event.as.job.job = (mm_job_t){.id = {{[15] = number}}, .host = mm_str(host), .delivery = 1};
    step(event);
}

static void jobs_without_workers_wait_on_both_ways(void **state)
{
    (void)state;
    job(1, "web-1");
    job(2, "web-2");
    gather_stage_t store = gather_stage(gather, MM_ROLE_SAVER);
    gather_stage_t restart = gather_stage(gather, MM_ROLE_RESTARTER);
    assert_int_equal(store.waiting, 2);
    assert_int_equal(store.slots, 0);
    assert_int_equal(restart.waiting, 2);
    assert_int_equal(restart.out, 0);
    assert_int_equal(restart.wait_p50_ms, -1);
    assert_string_equal(restart.reason, "no free slot");
    assert_null(store.reason);
    assert_int_equal(gather_flight_ms(gather, 0.5), -1);
}

static void what_is_at_workers_and_what_waits_for_a_host_is_told_apart(void **state)
{
    (void)state;
    hello("s1", MM_ROLE_SAVER, 10);
    hello("r1", MM_ROLE_RESTARTER, 2);
    job(1, "web-1");
    now_ms += 5;
    job(2, "web-1");
    job(3, "web-3");
    job(4, "web-4");
    gather_stage_t store = gather_stage(gather, MM_ROLE_SAVER);
    gather_stage_t restart = gather_stage(gather, MM_ROLE_RESTARTER);
    assert_int_equal(store.out, 4);
    assert_int_equal(store.slots, 10);
    assert_int_equal(store.waiting, 0);
    assert_int_equal(restart.out, 2);
    assert_int_equal(restart.slots, 2);
    assert_int_equal(restart.waiting, 2);
    assert_int_equal(restart.blocked, 1);
    assert_int_equal(restart.wait_p50_ms, 0); // of the first, which is followed
}

static void the_reason_of_most_that_wait_is_told(void **state)
{
    (void)state;
    assert_null(gather_stage(gather, MM_ROLE_RESTARTER).reason);
    hello("s1", MM_ROLE_SAVER, 10);
    hello("r1", MM_ROLE_RESTARTER, 1);
    job(1, "web-1");
    assert_null(gather_stage(gather, MM_ROLE_RESTARTER).reason);
    job(2, "web-2");
    assert_string_equal(gather_stage(gather, MM_ROLE_RESTARTER).reason, "no free slot");
    hello("r2", MM_ROLE_RESTARTER, 1);
    job(3, "web-1");
    job(4, "web-2");
    job(5, "web-3");
    assert_string_equal(gather_stage(gather, MM_ROLE_RESTARTER).reason, "host busy");
}

// As "reason 2, reason 1".
static const char *waiting_now(void)
{
    static char text[256];
    size_t used = 0;
    gather_waiting_t waiting = {0};
    text[0] = '\0';
    while (gather_next_waiting(gather, &waiting))
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %zu", used ? ", " : "",
                                 waiting.reason, waiting.count);
    return text;
}

static void each_reason_is_told_with_how_many_wait(void **state)
{
    (void)state;
    assert_string_equal(waiting_now(), "");
    hello("s1", MM_ROLE_SAVER, 10);
    hello("r1", MM_ROLE_RESTARTER, 1);
    job(1, "web-1");
    assert_string_equal(waiting_now(), "");
    assert_null(gather_reason(gather));
    job(2, "web-1");
    job(3, "web-3");
    job(4, "web-4");
    assert_string_equal(waiting_now(), "host busy 1, no free slot 2");
    assert_string_equal(gather_reason(gather), "no free slot");
}

static void a_host_or_an_id_finds_its_jobs_and_who_has_them(void **state)
{
    (void)state;
    hello("s1", MM_ROLE_SAVER, 10);
    hello("r1", MM_ROLE_RESTARTER, 1);
    job(1, "web-1");
    job(2, "web-1");
    job(3, "web-3");
    gather_job_t jobs[4];
    assert_int_equal(gather_find_jobs(gather, mm_str("web-1"), jobs, 4), 2);
    assert_string_equal(jobs[0].restart, "out");
    assert_string_equal(jobs[0].restart_worker, "r1");
    assert_string_equal(jobs[0].store_worker, "s1");
    assert_null(jobs[0].reason);
    assert_int_equal(jobs[0].attempts, 1);
    assert_string_equal(jobs[1].restart, "blocked");
    assert_null(jobs[1].restart_worker);
    assert_string_equal(jobs[1].reason, "host busy");
    assert_int_equal(gather_find_jobs(gather, mm_str("web-1"), jobs, 1), 1);
    assert_int_equal(gather_find_jobs(gather, mm_str("web-9"), jobs, 4), 0);
    assert_int_equal(gather_find_jobs(gather, mm_str("j3"), jobs, 4), 1); // as ids are printed
    assert_true(mm_str_equal(jobs[0].host, mm_str("web-3")));
    assert_string_equal(jobs[0].reason, "no free slot");
    assert_int_equal(jobs[0].lease_ms, 3600000);
}

static void a_worker_that_is_presumed_lost_is_known_still(void **state)
{
    (void)state;
    hello("r1", MM_ROLE_RESTARTER, 1);
    gather_worker_t known = {0};
    assert_true(gather_next_worker(gather, &known));
    assert_true(mm_str_equal(known.acknowledgement.worker, mm_str("r1")));
    assert_true(known.joined);
    assert_false(gather_next_worker(gather, &known));
    passes(2000);
    known = (gather_worker_t){0};
    assert_true(gather_next_worker(gather, &known));
    assert_false(known.joined);
    assert_int_equal(known.silent_ms, 2000);
    assert_int_equal(gather_stage(gather, MM_ROLE_RESTARTER).slots, 0);
}

static void a_restart_that_is_taken_back_is_counted(void **state)
{
    (void)state;
    hello("s1", MM_ROLE_SAVER, 10);
    hello("r1", MM_ROLE_RESTARTER, 1);
    job(1, "web-1");
    passes(2000);
    assert_int_equal(gather_statistics(gather).reclaimed, 1);
    assert_int_equal(gather_stage(gather, MM_ROLE_RESTARTER).waiting, 1);
}

static uint64_t session_of(const char *worker)
{
    gather_worker_t known = {0};
    while (gather_next_worker(gather, &known))
        if (mm_str_equal(known.acknowledgement.worker, mm_str(worker)))
            return known.acknowledgement.session;
    fail_msg("%s is not known", worker);
    return 0;
}

// What the record says of one group, of a run with a policy of three.
static void read_state(mm_entry_t entry)
{
    mm_state_body_t state = {.worker = mm_str("s1"), .instance = 7, .run = 5};
    const mm_group_t sizes[] = {{mm_str(""), 3}, {mm_str("db"), 1}, {mm_str("web"), 2}};
    mm_rules_t groups[3] = {{.name = ""}, {.name = "db"}, {.name = "web"}};
    mm_policy_t policy = {.groups = groups, .count = 3};
    groups[2].cap = (mm_amount_t){.value = 1, .is_set = true};
    gather_set_policy(gather, &policy);
    hello("s1", MM_ROLE_SAVER, 4);
    hello("r1", MM_ROLE_RESTARTER, 4);
    gather_event_t event = {.kind = GATHER_ASK};
    event.as.job.publisher = mm_str("p1");
    event.as.job.epoch = 1;
    event.as.job.run = 5;
    event.as.job.groups = sizes;
    event.as.job.group_count = 3;
    step(event);
    for (size_t i = 0; i < actions.count; i++)
        if (actions.items[i].kind == GATHER_ORDERS) {
            state.session = actions.items[i].as.orders.session;
            state.question = actions.items[i].as.orders.question;
        }
    state.items = &entry;
    state.count = 1;
    step((gather_event_t){.kind = GATHER_STATE, .as.state = &state});
}

static void groups_that_have_tripped_are_told_of_alone(void **state)
{
    (void)state;
    gather_group_t group = {0};
    read_state((mm_entry_t){.action = MM_ACTION_TRIP, .name = mm_str("web")});
    assert_int_equal(gather_held(gather).groups, 3);
    assert_int_equal(gather_held(gather).tripped, 1);
    assert_true(gather_next_group(gather, &group));
    assert_string_equal(group.name, "");
    group.only_tripped = true;
    assert_true(gather_next_group(gather, &group));
    assert_string_equal(group.name, "web");
    assert_false(gather_next_group(gather, &group));
}

static uint64_t serials[2]; // of s1 and r1
static mm_task_t tasks[32]; // that are out
static size_t task_count;

static void take_tasks(void)
{
    for (size_t i = 0; i < actions.count; i++)
        if (actions.items[i].kind == GATHER_TASK && task_count < 32)
            tasks[task_count++] = actions.items[i].as.task.task;
}

static void end_well(const mm_task_t *task)
{
    bool is_restart = mm_leg_is_restarters(task->leg);
    mm_real_t real = {.end = MM_END_RESTARTED, .exit = MM_EXIT_NONE, .sent = true};
    mm_result_t result = {.serial = ++serials[is_restart],
                          .number = task->number,
                          .leg = task->leg,
                          .id = task->id,
                          .outcome = task->outcome,
                          .real = is_restart ? &real : NULL};
    gather_event_t event = {.kind = GATHER_RESULT};
    event.as.from.worker = mm_str(is_restart ? "r1" : "s1");
    event.as.from.instance = 7;
    event.as.from.session = session_of(is_restart ? "r1" : "s1");
    event.as.from.result = &result;
    step(event);
    take_tasks();
}

static void job_of_web(uint8_t number, const char *host)
{
    gather_event_t event = {.kind = GATHER_JOB};
    event.as.job.publisher = mm_str("p1");
    event.as.job.epoch = 1;
    event.as.job.run = 5;
    event.as.job.job = (mm_job_t){.id = {{[15] = number}},
                                  .host = mm_str(host),
                                  .delivery = 1,
                                  .attributes = mm_str("groups=web")};
    step(event);
    take_tasks();
}

static void who_waits_behind_an_admission_waits_for_its_group(void **state)
{
    (void)state;
    memset(serials, 0, sizeof serials);
    task_count = 0;
    read_state((mm_entry_t){.action = MM_ACTION_ABSOLVE, .name = mm_str("web-9")});
    job_of_web(1, "web-1");
    job_of_web(2, "web-2");
    job_of_web(3, "web-3");
    for (size_t i = 0; i < task_count && gather_statistics(gather).acked == 0; i++)
        end_well(&tasks[i]);
    assert_int_equal(gather_statistics(gather).acked, 1);
    gather_job_t jobs[4];
    assert_int_equal(gather_find_jobs(gather, mm_str("web-3"), jobs, 4), 1);
    assert_string_equal(jobs[0].reason, "cap of its group");
    assert_string_equal(gather_stage(gather, MM_ROLE_RESTARTER).reason, "cap of its group");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, open_gather, close_gather)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(jobs_without_workers_wait_on_both_ways),
        TEST(what_is_at_workers_and_what_waits_for_a_host_is_told_apart),
        TEST(the_reason_of_most_that_wait_is_told),
        TEST(each_reason_is_told_with_how_many_wait),
        TEST(a_host_or_an_id_finds_its_jobs_and_who_has_them),
        TEST(a_worker_that_is_presumed_lost_is_known_still),
        TEST(a_restart_that_is_taken_back_is_counted),
        TEST(groups_that_have_tripped_are_told_of_alone),
        TEST(who_waits_behind_an_admission_waits_for_its_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
