// The publisher's core with more jobs under lease than one step delivers again.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "outbox.h"

#include <stdio.h>
#include <string.h>

#define JOBS     10000
#define STEP     4096 // actions of one step, at most
#define LEASE_MS 180000

static outbox_t *outbox;
static outbox_actions_t actions;
static uint32_t deliveries[JOBS];

static mm_id_t id_of(uint32_t number)
{
    mm_id_t id = {{0}};
    memcpy(id.bytes, &number, sizeof number);
    return id;
}

// Takes one step; returns how many jobs it delivers.
static size_t step(outbox_event_t event, int64_t now_ms)
{
    size_t count = 0;
    event.now_ms = now_ms;
    outbox_step(outbox, &event, &actions);
    for (size_t i = 0; i < actions.count; i++) {
        uint32_t number;
        if (actions.items[i].kind != OUTBOX_DELIVER)
            continue;
        memcpy(&number, actions.items[i].id.bytes, sizeof number);
        deliveries[number]++;
        count++;
    }
    return count;
}

static size_t beat(uint64_t epoch, int64_t now_ms)
{
    return step((outbox_event_t){.kind = OUTBOX_BEAT, .as.beat.epoch = epoch}, now_ms);
}

static void extend_all(uint64_t epoch, int64_t now_ms)
{
    for (uint32_t i = 0; i < JOBS; i++) {
        outbox_event_t event = {.kind = OUTBOX_VERDICT, .as.verdict.epoch = epoch};
        event.as.verdict.what =
            (mm_verdict_t){.kind = MM_VERDICT_EXTEND, .id = id_of(i), .lease_ms = LEASE_MS};
        (void)step(event, now_ms);
    }
}

// Steps on as long as it asks for that at this instant.
static void step_on(size_t delivered, int64_t now_ms)
{
    while (outbox_deadline(outbox) <= now_ms) {
        size_t count =
            step((outbox_event_t){.kind = OUTBOX_TIME, .as.time.events_empty = true}, now_ms);
        assert_true(count <= STEP);
        delivered += count;
    }
    assert_int_equal(delivered, JOBS);
}

static void each_was_delivered(uint32_t times)
{
    for (size_t i = 0; i < JOBS; i++)
        assert_int_equal(deliveries[i], times);
}

static int begin(void **state)
{
    (void)state;
    outbox = outbox_new(&(outbox_config_t){.window = JOBS,
                                           .ack_deadline_ms = 3000,
                                           .heartbeat_ms = 500,
                                           .drain_ms = 25000,
                                           .seed = 1},
                        0);
    memset(deliveries, 0, sizeof deliveries);
    (void)beat(1, 0);
    for (uint32_t i = 0; i < JOBS; i++) {
        outbox_event_t event = {.kind = OUTBOX_JOB};
        event.as.job.id = id_of(i);
        event.as.job.host = mm_str("web-1");
        (void)step(event, 1);
    }
    each_was_delivered(1);
    extend_all(1, 2);
    return 0;
}

static int end(void **state)
{
    (void)state;
    outbox_destroy(&outbox);
    outbox_actions_clear(&actions);
    return 0;
}

static void a_new_consumer_gets_all_again_in_steps(void **state)
{
    (void)state;
    size_t count = beat(2, 100);
    assert_int_equal(count, STEP);
    step_on(count, 100);
    each_was_delivered(2);
    assert_int_equal(outbox_leased(outbox), JOBS);
}

static void long_leases_that_end_together_end_in_steps(void **state)
{
    (void)state;
    int64_t now_ms = 2;
    while (now_ms + 400 < 2 + LEASE_MS)
        assert_int_equal(beat(1, now_ms += 400), 0);
    assert_int_equal(beat(1, now_ms = 1 + LEASE_MS), 0);
    each_was_delivered(1);
    step_on(0, 2 + LEASE_MS);
    each_was_delivered(2);
}

// Each long lease becomes a short one, in no order of what it was.
static void all_are_short_when_the_consumer_leaves(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < JOBS; i += 3) {
        outbox_event_t event = {.kind = OUTBOX_VERDICT, .as.verdict.epoch = 1};
        event.as.verdict.what =
            (mm_verdict_t){.kind = MM_VERDICT_EXTEND, .id = id_of(i), .lease_ms = 1000 + i};
        (void)step(event, 3);
    }
    (void)step((outbox_event_t){.kind = OUTBOX_LEAVING, .as.beat.epoch = 1}, 100);
    assert_int_equal(beat(1, 200), 0);
    for (int64_t now_ms = 600; now_ms < 3100; now_ms += 400)
        assert_int_equal(beat(1, now_ms), 0);
    step_on(0, 3100);
    each_was_delivered(2);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_consumer_gets_all_again_in_steps),
        TEST(long_leases_that_end_together_end_in_steps),
        TEST(all_are_short_when_the_consumer_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
