// What the beats of a consumer permit: nothing before it has read the record's state, and nothing
// when it may not lead any more. A scenario does not show what a beat says; the rest is in
// scenarios.

#include "duration.h"
#include "gather.h"
#include "gather_reader.h"
#include "permit.h"
#include "string_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static gather_t *gather;
static gather_actions_t actions;
static gather_reader_t *reader;

static void open_gather(const char *config_line)
{
    gather_config_t config = {.epoch = 1,
                              .seed = 1,
                              .attempts = 3,
                              .backoff_low_ms = 100,
                              .backoff_high_ms = 100,
                              .heartbeat_ms = 500,
                              .lost_after_ms = 1500,
                              .extend_every_ms = 1000,
                              .max_lease_ms = 3600000,
                              .drain_ms = 24000,
                              .max_in_flight = 1000,
                              .settled_max = 1000,
                              .nacked_max = 1000,
                              .savers_max = 1,
                              .restarters_max = 64,
                              .attempt_ms = 600000};
    reader = gather_reader_new();
    assert_true(gather_reader_config(reader, config_line, &config));
    gather = gather_new(&config, 0);
}

static int close_gather(void **state)
{
    (void)state;
    gather_destroy(&gather);
    gather_actions_clear(&actions);
    gather_reader_destroy(&reader);
    return 0;
}

// Whether a beat was sent in that step.
static bool beats(const char *line)
{
    gather_event_t event;
    assert_true(gather_reader_event(reader, line, &event));
    gather_step(gather, &event, &actions);
    gather_reader_follow(reader, &actions);
    for (size_t i = 0; i < actions.count; i++)
        if (actions.items[i].kind == GATHER_BEAT)
            return true;
    return false;
}

static void beats_say_halted_until_the_record_is_read(void **state)
{
    (void)state;
    open_gather("config heartbeat=500");
    (void)beats("[0] time");
    assert_false(gather_is_halted(gather)); // of the mock there is nothing to read
    (void)beats("[1] hello s1");
    (void)beats("[2] hello r1 slots=1 driver=ssh-1 verbs=1");
    assert_true(gather_is_halted(gather));
    (void)beats("[3] state s1 from=0 next=0");
    assert_false(gather_is_halted(gather));
    assert_true(beats("[4] time"));
}

// Whether restarter r1 may send a command behind that step, in which a beat echoes its stamp.
static bool permits(mm_permit_t *permit, int64_t now_ms)
{
    char line[32];
    mm_acknowledgement_t stamp = {.worker = mm_str("r1"), .session = 2, .stamp_ms = now_ms};
    (void)snprintf(line, sizeof line, "[%d] heartbeat s1", (int)now_ms);
    (void)beats(line);
    (void)snprintf(line, sizeof line, "[%d] time", (int)now_ms);
    if (beats(line))
        mm_permit_hear(
            permit,
            &(mm_beat_body_t){
                .epoch = 1, .halted = gather_is_halted(gather), .items = &stamp, .count = 1},
            mm_str("r1"), now_ms, 1500);
    return now_ms < permit->until_ms;
}

// The first command of a list runs for longer than a lease: the next one is due while another
// consumer leads, which may not know yet of a halt on record, however often it renews (A3).
static void the_next_command_of_a_list_waits_for_the_state(void **state)
{
    (void)state;
    mm_permit_t permit = {0};
    open_gather("config leased=1");
    mm_permit_open(&permit, 1, 2);
    (void)beats("[1] trust for=4200");
    (void)beats("[2] hello s1");
    (void)beats("[3] hello r1 slots=1 driver=ssh-1 verbs=1");
    for (int64_t now_ms = 510; now_ms < 4000; now_ms += 510)
        assert_false(permits(&permit, now_ms));
    (void)beats("[4000] trust for=4200");
    for (int64_t now_ms = 4090; now_ms < 8000; now_ms += 510)
        assert_false(permits(&permit, now_ms));
    (void)beats("[8000] trust for=4200");
    (void)beats("[8001] state s1 from=0 next=0");
    assert_true(permits(&permit, 8520));
    (void)beats("[8530] trust for=0");
    assert_false(permits(&permit, 8531));
}

static void who_is_not_trusted_says_halted(void **state)
{
    (void)state;
    open_gather("config leased=1");
    assert_true(gather_is_halted(gather));
    (void)beats("[1] trust for=700");
    assert_false(gather_is_halted(gather));
    assert_true(beats("[2] time"));
    assert_false(beats("[300] time"));
    assert_true(beats("[502] time"));
    // Its end is no heartbeat: it is said at once.
    assert_int_equal(gather_deadline(gather), 701);
    assert_false(gather_is_suspended(gather));
    assert_true(beats("[701] time"));
    assert_true(gather_is_halted(gather));
    assert_true(gather_is_suspended(gather));
    assert_int_equal(gather_deadline(gather), 1201);
    // So is a renewal, and one that takes the trust back.
    (void)beats("[900] trust for=5000");
    assert_false(gather_is_halted(gather));
    assert_true(beats("[901] time"));
    (void)beats("[1000] trust for=0");
    assert_true(gather_is_halted(gather));
    assert_true(beats("[1001] time"));
}

// Of the mock no state is read, so that the answer itself has to hold back (A7).
static void a_halt_beside_the_leader_holds_a_rehearsal_back(void **state)
{
    (void)state;
    open_gather("config leased=1");
    (void)beats("[1] trust for=7000");
    (void)beats("[2] time");
    assert_false(gather_is_halted(gather));
    (void)beats("[3] beside halted");
    assert_true(gather_is_halted(gather));
    assert_true(beats("[4] time"));
    (void)beats("[5] beside");
    assert_false(gather_is_halted(gather));
}

static void only_a_lease_ends_trust(void **state)
{
    (void)state;
    open_gather("config heartbeat=500");
    assert_false(gather_is_suspended(gather));
    (void)beats("[900000000] time");
    assert_false(gather_is_suspended(gather));
    assert_true(gather_deadline(gather) < MM_NEVER);
}

static void what_is_at_savers_is_not_recorded_yet(void **state)
{
    (void)state;
    open_gather("config heartbeat=500");
    assert_true(gather_is_recorded(gather));
    (void)beats("[1] hello s1");
    (void)beats("[2] job j1 host=web-1");
    assert_false(gather_is_recorded(gather));
    (void)beats("[3] result s1 j1#1 save ok");
    assert_true(gather_is_recorded(gather));
}

#define TRUST_TEST(TEST) cmocka_unit_test_teardown(TEST, close_gather)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRUST_TEST(beats_say_halted_until_the_record_is_read),
        TRUST_TEST(the_next_command_of_a_list_waits_for_the_state),
        TRUST_TEST(who_is_not_trusted_says_halted),
        TRUST_TEST(a_halt_beside_the_leader_holds_a_rehearsal_back),
        TRUST_TEST(only_a_lease_ends_trust),
        TRUST_TEST(what_is_at_savers_is_not_recorded_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
