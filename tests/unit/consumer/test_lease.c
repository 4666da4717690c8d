// The lease core beside a row: several consumers whose clocks drift apart, answers that come late,
// twice or never, and processes that stand still. At no instant do two trust themselves; nor may a
// command that the former leader has permitted start once the next one leads. The stories are in
// tests/scenarios/lease.

#include "lease.h"
#include "duration.h"
#include "lease_row.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONSUMERS     3
#define MESSAGES      64
#define RUN_MS        120000
#define STEP_MS       5
#define LOST_AFTER_MS 1500
#define HEARTBEAT_MS  500

static const lease_config_t config = {.asker = 1,
                                      .ttl_ms = LEASE_TTL_MS,
                                      .renew_ms = 2000,
                                      .margin_ms = 1800,
                                      .look_ms = LEASE_LOOK_MS,
                                      .lonely_ms = LEASE_LONELY_MS,
                                      .yield_ms = LEASE_YIELD_MS,
                                      .lost_after_ms = LOST_AFTER_MS};

typedef struct {
    int64_t due_ms; // real time; MM_NEVER: free
    size_t consumer;
    bool is_answer;
    mm_lease_ask_body_t ask;
    mm_lease_body_t answer;
} message_t;

typedef struct {
    lease_t lease;
    int64_t ppm;      // its clock runs so much faster
    int64_t ahead_ms; // and is so much ahead
    int64_t still_ms; // it stands still until then
    uint64_t lives;
    uint64_t asker;
} consumer_t;

typedef struct {
    uint64_t random;
    int64_t now_ms;
    consumer_t consumers[CONSUMERS];
    message_t messages[MESSAGES];
    lease_row_t row;
    int64_t permitted_ms; // no command of the leaders so far starts behind it
    size_t changes;
} world_t;

static uint64_t below(world_t *self, uint64_t most)
{
    return mm_random_below(&self->random, most);
}

static int64_t clock_of(const world_t *self, const consumer_t *consumer)
{
    return consumer->ahead_ms + self->now_ms + self->now_ms * consumer->ppm / 1000000;
}

static void send_message(world_t *self, message_t message)
{
    int64_t delay_ms = below(self, 8) == 0 ? (int64_t)below(self, 6000) : (int64_t)below(self, 40);
    if (below(self, 6) == 0)
        return;
    for (size_t i = 0; i < MESSAGES; i++)
        if (self->messages[i].due_ms == MM_NEVER) {
            self->messages[i] = message;
            self->messages[i].due_ms = self->now_ms + delay_ms;
            return;
        }
}

// What a saver does in one statement.
static void ask_row(world_t *self, const message_t *message)
{
    bool was_released = self->row.holder == 0;
    uint64_t former = self->row.epoch;
    message_t answer = {.consumer = message->consumer,
                        .is_answer = true,
                        .answer = lease_row_ask(&self->row, &message->ask, self->now_ms)};
    if (self->row.epoch > former) {
        // Whoever has led starts nothing any more. What was released is protected by the first
        // seconds of the next one, in which it starts nothing.
        int64_t hold_ms = was_released ? (LOST_AFTER_MS + HEARTBEAT_MS) / 50 * 49 : 0;
        assert_true(self->now_ms + hold_ms > self->permitted_ms);
        self->changes++;
    }
    answer.answer.restarters_elsewhere = below(self, 50) == 0;
    send_message(self, answer);
    if (below(self, 10) == 0)
        send_message(self, answer);
}

static void begin(world_t *self, size_t at)
{
    consumer_t *consumer = &self->consumers[at];
    lease_config_t own = config;
    own.asker = consumer->asker = 1 + at + CONSUMERS * ++consumer->lives;
    lease_init(&consumer->lease, &own, clock_of(self, consumer));
}

static void step(world_t *self, size_t at, lease_event_t event)
{
    consumer_t *consumer = &self->consumers[at];
    lease_actions_t actions;
    event.now_ms = clock_of(self, consumer);
    lease_step(&consumer->lease, &event, &actions);
    for (size_t i = 0; i < actions.count; i++) {
        if (actions.items[i].kind == LEASE_LEAVE) {
            begin(self, at);
            return;
        }
        if (actions.items[i].kind == LEASE_ASK) // by each of two savers
            for (int saver = 0; saver < 2; saver++)
                send_message(self, (message_t){.consumer = at, .ask = actions.items[i].as.ask});
    }
}

static void deliver(world_t *self)
{
    for (size_t i = 0; i < MESSAGES; i++) {
        message_t message = self->messages[i];
        bool is_still =
            message.is_answer && self->consumers[message.consumer].still_ms > self->now_ms;
        if (message.due_ms > self->now_ms || is_still)
            continue;
        self->messages[i].due_ms = MM_NEVER;
        if (message.is_answer)
            step(self, message.consumer,
                 (lease_event_t){.kind = LEASE_ANSWER, .as.answer = &message.answer});
        else
            ask_row(self, &message);
    }
}

static void live(world_t *self, size_t at)
{
    consumer_t *consumer = &self->consumers[at];
    if (consumer->still_ms > self->now_ms)
        return;
    if (below(self, 4000) == 0)
        consumer->still_ms = self->now_ms + (int64_t)below(self, 20000);
    if (below(self, 20000) == 0)
        step(self, at, (lease_event_t){.kind = LEASE_HAND_OVER});
    if (below(self, 200) == 0)
        step(self, at, (lease_event_t){.kind = LEASE_FINISHED});
    if (below(self, 30000) == 0)
        begin(self, at); // it was killed
    if (below(self, 20) == 0)
        step(self, at, (lease_event_t){.kind = LEASE_RESTARTER});
    if (clock_of(self, consumer) >= lease_deadline(&consumer->lease))
        step(self, at, (lease_event_t){.kind = LEASE_TIME});
    if (!lease_is_trusted(&consumer->lease, clock_of(self, consumer)))
        return;
    // A worker's clock may be the slowest one: its permit is lost-after by that.
    int64_t permitted_ms = self->now_ms + LOST_AFTER_MS + LOST_AFTER_MS / 50;
    assert_int_equal(consumer->lease.epoch, self->row.epoch);
    self->permitted_ms = mm_later(self->permitted_ms, permitted_ms);
}

static size_t run(uint64_t seed)
{
    world_t world = {.random = seed};
    for (size_t i = 0; i < MESSAGES; i++)
        world.messages[i].due_ms = MM_NEVER;
    for (size_t i = 0; i < CONSUMERS; i++) {
        world.consumers[i].ppm = (int64_t)below(&world, 40001) - 20000;
        world.consumers[i].ahead_ms = (int64_t)below(&world, 100000);
        begin(&world, i);
    }
    for (; world.now_ms < RUN_MS; world.now_ms += STEP_MS) {
        deliver(&world);
        for (size_t i = 0; i < CONSUMERS; i++)
            live(&world, i);
    }
    return world.changes;
}

static void whoever_leads_is_the_only_one(void **state)
{
    (void)state;
    size_t changes = 0;
    for (uint64_t seed = 1; seed <= 300; seed++)
        changes += run(seed);
    assert_true(changes > 1500); // it is about that
}

static void the_margin_is_lost_after_and_the_drift_of_two_clocks(void **state)
{
    (void)state;
    lease_config_t usual = lease_config(1, LOST_AFTER_MS), slow = lease_config(1, 2500);
    assert_true(usual.margin_ms >= LOST_AFTER_MS + 2 * usual.ttl_ms / 50);
    assert_true(usual.ttl_ms - usual.margin_ms >= 2 * usual.renew_ms); // one renewal may be lost
    assert_int_equal(usual.ttl_ms, 6000);
    assert_int_equal(usual.margin_ms, 1800);
    assert_int_equal(slow.ttl_ms, 10000);
    assert_true(slow.margin_ms >= 2500 + 2 * slow.ttl_ms / 50);
    assert_true(lease_config(1, MM_LEASE_TTL_MAX / 4).ttl_ms <= MM_LEASE_TTL_MAX);
}

static void trust_ends_at_its_instant(void **state)
{
    (void)state;
    lease_t lease;
    lease_actions_t actions;
    mm_lease_body_t held = {.asker = 1,
                            .verb = MM_LEASE_TAKE,
                            .verdict = MM_LEASE_HELD,
                            .stamp_ms = 100,
                            .epoch = 9,
                            .left_ms = 60000};
    lease_init(&lease, &config, 100);
    assert_false(lease_is_trusted(&lease, 100));
    lease_step(&lease, &(lease_event_t){LEASE_TIME, 100, {0}}, &actions);
    lease_step(&lease, &(lease_event_t){LEASE_ANSWER, 120, {&held}}, &actions);
    assert_int_equal(lease.epoch, 9);
    // However long the row says: no longer than the ttl that was asked for.
    assert_true(lease_is_trusted(&lease, 100 + LEASE_TTL_MS - 1800 - 1));
    assert_false(lease_is_trusted(&lease, 100 + LEASE_TTL_MS - 1800));
    assert_int_equal(lease_deadline(&lease), 100 + 2000);
    lease_step(&lease, &(lease_event_t){LEASE_HAND_OVER, 130, {0}}, &actions);
    assert_false(lease_is_trusted(&lease, 131));
    assert_string_equal(lease_state_name(lease.state), "leading");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_leads_is_the_only_one),
        cmocka_unit_test(the_margin_is_lost_after_and_the_drift_of_two_clocks),
        cmocka_unit_test(trust_ends_at_its_instant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
