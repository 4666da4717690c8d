// Tests of consumer/core/admission.h: each reason has its name and its place in the order, a time
// reaches the core's deadline, and of jobs that wait for several resources none is passed for ever.

#include "admission.h"
#include "gather_private.h"
#include "job.h"
#include "uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { START = 10000, HEARTBEAT = 10000, LOST_AFTER = 2000, HOLD = LOST_AFTER + HEARTBEAT };

static gather_t *gather;
static gather_actions_t actions;
static int64_t now_ms;
static uint64_t sequence, serials[2]; // of s1 and r1

static void open_gather(uint32_t at_once)
{
    now_ms = START;
    sequence = serials[0] = serials[1] = 0;
    gather = gather_new(&(gather_config_t){.epoch = 2,
                                           .seed = 1,
                                           .attempts = 3,
                                           .backoff_low_ms = 100,
                                           .backoff_high_ms = 100,
                                           .heartbeat_ms = HEARTBEAT,
                                           .lost_after_ms = LOST_AFTER,
                                           .extend_every_ms = 1000000,
                                           .max_lease_ms = 3600000,
                                           .drain_ms = 24000,
                                           .max_in_flight = 1000,
                                           .settled_max = 100,
                                           .nacked_max = 100,
                                           .at_once = at_once,
                                           .savers_max = 1,
                                           .restarters_max = 4},
                        now_ms);
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

static void report(bool is_hello, const char *name, uint32_t slots)
{
    worker_t *worker = workers_find(gather->workers, mm_str(name), 7);
    mm_assignment_t held[64];
    size_t count = 0;
    for (const assignment_t *one = worker ? assignments_first(worker) : NULL; one;
         one = assignments_next(one))
        held[count++] = (mm_assignment_t){.number = one->number,
                                          .leg = (mm_leg_t)one->leg,
                                          .id = one->id,
                                          .host = one->host ? host_name(one->host) : mm_str("")};
    mm_report_t said = {.is_hello = is_hello,
                        .worker = mm_str(name),
                        .instance = 7,
                        .role = *name == 's' ? MM_ROLE_SAVER : MM_ROLE_RESTARTER,
                        .session = worker ? worker->session : 0,
                        .sequence = ++sequence,
                        .stamp_ms = now_ms,
                        .slots = slots,
                        .last_serial = serials[*name == 'r'],
                        .parts = 1,
                        .held = held,
                        .held_count = count};
    step((gather_event_t){.kind = GATHER_REPORT, .as.report = &said});
}

static mm_id_t id_of(uint8_t number)
{
    return (mm_id_t){{[15] = number}};
}

static void job_of_life(uint8_t number, const char *host, uint64_t epoch)
{
    gather_event_t event = {.kind = GATHER_JOB};
    event.as.job.publisher = mm_str("p1");
    event.as.job.epoch = epoch;
    event.as.job.job = (mm_job_t){.id = id_of(number), .host = mm_str(host), .delivery = 1};
    step(event);
}

static void job(uint8_t number, const char *host)
{
    job_of_life(number, host, 2);
}

static flight_t *flight(uint8_t number)
{
    mm_id_t id = id_of(number);
    flight_t *found = flights_find(&gather->flights, &id);
    assert_non_null(found);
    return found;
}

static bool is_out(uint8_t number)
{
    mm_id_t id = id_of(number);
    const flight_t *found = flights_find(&gather->flights, &id);
    return found && found->restart == RESTART_OUT;
}

static void result(const char *name, mm_leg_t leg, uint8_t number, mm_status_t status)
{
    uint64_t task =
        leg == MM_LEG_RESTART ? flight(number)->restart_task : flight(number)->store_task;
    mm_result_t said = {.serial = ++serials[*name == 'r'],
                        .number = task,
                        .leg = leg,
                        .id = id_of(number),
                        .status = status};
    gather_event_t event = {.kind = GATHER_RESULT};
    event.as.from.worker = mm_str(name);
    event.as.from.instance = 7;
    event.as.from.result = &said;
    step(event);
}

static admission_t decision(uint8_t number)
{
    return admission_decide(gather, flight(number));
}

static mm_reason_t reason(uint8_t number)
{
    return decision(number).reason;
}

static void each_reason_has_a_name_of_its_own(void **state)
{
    (void)state;
    open_gather(0);
    assert_null(mm_reason_name(MM_REASON_NONE));
    for (mm_reason_t one = MM_REASON_NONE + 1; one <= MM_REASON_NO_SLOT; one++) {
        assert_non_null(mm_reason_name(one));
        for (mm_reason_t other = MM_REASON_NONE + 1; other < one; other++)
            assert_string_not_equal(mm_reason_name(one), mm_reason_name(other));
    }
}

static void what_is_first_in_the_way_is_the_reason(void **state)
{
    (void)state;
    open_gather(1);
    report(true, "s1", 64);
    job(1, "web-1");
    assert_int_equal(reason(1), MM_REASON_NO_SLOT);
    report(true, "r1", 1);
    assert_true(is_out(1));
    job(2, "web-1"); // its host, the limit and a slot are missing
    assert_int_equal(reason(2), MM_REASON_HOST_BUSY);
    job(3, "web-3"); // the latter two
    assert_int_equal(reason(3), MM_REASON_AT_ONCE);
    assert_int_equal(decision(3).verdict, ADMISSION_WAIT_ON);
    assert_int_equal(decision(3).as.resource, RESOURCE_AT_ONCE);
    flight(3)->losses = 2;
    gather->flights.resources.at_once.limit = 2;
    assert_int_equal(reason(3), MM_REASON_QUARANTINE);
    flight(3)->losses = 0;
    assert_int_equal(reason(3), MM_REASON_NO_SLOT);
    gather->statistics.draining = true;
    assert_int_equal(reason(2), MM_REASON_DRAINING);
    gather->statistics.draining = false;
}

static void a_hold_after_a_takeover_reaches_the_deadline(void **state)
{
    (void)state;
    open_gather(0);
    report(true, "s1", 64);
    report(true, "r1", 1);
    job_of_life(1, "web-1", 1); // of the former consumer
    assert_int_equal(reason(1), MM_REASON_NOT_SAVED);
    assert_int_equal(decision(1).verdict, ADMISSION_WAIT_UNTIL);
    result("s1", MM_LEG_SAVE, 1, MM_STATUS_OK);
    assert_int_equal(reason(1), MM_REASON_TAKEOVER);
    for (now_ms = START + 1000; now_ms < START + HOLD; now_ms += 1000) {
        report(false, "s1", 64);
        report(false, "r1", 1);
        step((gather_event_t){.kind = GATHER_TIME});
        assert_false(is_out(1));
    }
    assert_int_equal(gather_deadline(gather), START + HOLD);
    now_ms = START + HOLD;
    step((gather_event_t){.kind = GATHER_TIME});
    assert_true(is_out(1));
}

static void a_pause_after_a_failure_reaches_the_deadline(void **state)
{
    (void)state;
    open_gather(0);
    report(true, "s1", 64);
    report(true, "r1", 1);
    step((gather_event_t){.kind = GATHER_TIME}); // the first heartbeat is over
    job(1, "web-1");
    result("r1", MM_LEG_RESTART, 1, MM_STATUS_FAILED);
    admission_t admission = decision(1);
    assert_int_equal(admission.verdict, ADMISSION_WAIT_UNTIL);
    assert_int_equal(admission.reason, MM_REASON_PAUSE);
    assert_int_equal(gather_deadline(gather), admission.as.until_ms);
}

// One host has a new job whenever one of its jobs ends. Without grants it would always be the one
// that is looked at first when the limit allows the next restart.
static void a_busy_host_does_not_keep_others_from_the_limit(void **state)
{
    (void)state;
    open_gather(1);
    report(true, "s1", 64);
    report(true, "r1", 8);
    job(1, "web-1");
    job(2, "web-1");
    job(100, "web-2");
    job(101, "web-3");
    uint8_t runs = 1, next = 3;
    int waited = 0;
    for (; !is_out(101) && waited < 10; waited++) {
        job(next++, "web-1");
        if (is_out(100))
            result("r1", MM_LEG_RESTART, 100, MM_STATUS_OK);
        else
            result("r1", MM_LEG_RESTART, runs++, MM_STATUS_OK);
    }
    assert_in_range(waited, 1, 3);
}

// The same the other way round: jobs of all hosts come all the time, and one of a host whose
// earlier job has just ended is not behind them for ever.
static void a_job_of_a_busy_host_is_not_kept_from_the_limit_by_others(void **state)
{
    (void)state;
    char host[16];
    open_gather(2);
    report(true, "s1", 64);
    report(true, "r1", 8);
    job(1, "web-1");
    job(2, "web-1");
    uint8_t runs = 1, next = 3;
    int waited = 0;
    for (; !is_out(2) && waited < 20; waited++) {
        for (int i = 0; i < 2; i++) {
            (void)snprintf(host, sizeof host, "other-%d", next);
            job(next++, host);
        }
        while (!is_out(runs))
            runs = runs == 1 ? 3 : runs + 1;
        result("r1", MM_LEG_RESTART, runs, MM_STATUS_OK);
    }
    assert_in_range(waited, 1, 3);
}

#define TEST(NAME) cmocka_unit_test_teardown(NAME, close_gather)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_reason_has_a_name_of_its_own),
        TEST(what_is_first_in_the_way_is_the_reason),
        TEST(a_hold_after_a_takeover_reaches_the_deadline),
        TEST(a_pause_after_a_failure_reaches_the_deadline),
        TEST(a_busy_host_does_not_keep_others_from_the_limit),
        TEST(a_job_of_a_busy_host_is_not_kept_from_the_limit_by_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
