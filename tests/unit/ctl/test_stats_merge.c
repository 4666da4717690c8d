// Tests of ctl/watch/stats_merge.c, ctl/watch/bottleneck.c and ctl/watch/snapshot.c: what processes
// tell becomes one picture, which names what limits it, and which is the same when it was written
// down and read again.

#include "stats_merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static stats_merge_t *merge;
static int64_t now_ms;

static int open_tells(void **state)
{
    (void)state;
    merge = stats_merge_new();
    now_ms = 100000;
    return 0;
}

static int close_tells(void **state)
{
    (void)state;
    stats_merge_destroy(&merge);
    assert_null(merge);
    return 0;
}

// Wall time is told as the test's own clock.
static void reply(const char *text)
{
    json_t *stats = json_loads(text, 0, NULL);
    assert_non_null(stats);
    json_object_set_new(stats, "mayhem", json_string("stats"));
    json_object_set_new(stats, "wall_ms", json_integer(now_ms));
    stats_merge_add(merge, stats, now_ms);
    json_decref(stats);
}

static void tell_publisher(int pid, int settled, int backlog, int leased)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"process\": \"publisher\", \"role\": \"publisher\", \"pid\": %d, "
                   "\"settled\": %d, \"total\": 5000, \"restarted\": %d, \"dead\": 1, "
                   "\"skipped\": 2, \"withdrawn\": 3, \"backlog\": %d, \"leased\": %d, \"window\": "
                   "100, \"p50_us\": 700, "
                   "\"p99_us\": 900, \"wait_p50_us\": 5, \"wait_p99_us\": 6, \"busy\": 0.2}",
                   pid, settled, settled, backlog, leased);
    reply(text);
}

// More keys of the consumer, each with a comma before it; hops as they are told.
static void tell_consumer(const char *more, const char *store, const char *restart)
{
    char text[4096];
    (void)snprintf(text, sizeof text,
                   "{\"process\": \"consumer\", \"role\": \"consumer\", \"pid\": 2, "
                   "\"acked\": 10, \"in_flight\": 90, \"max_in_flight\": 1000, \"busy\": 0.3, "
                   "\"store\": {%s}, \"restart\": {%s} %s}",
                   store, restart, more);
    reply(text);
}

#define IDLE_STORE   "\"waiting\": 0, \"out\": 3, \"slots\": 4096, \"took_p50_ms\": 2"
#define IDLE_RESTART "\"waiting\": 0, \"out\": 40, \"slots\": 512, \"took_p50_ms\": 1"

static snapshot_t look(void)
{
    return stats_merge_snapshot(merge, now_ms, 1795332314123);
}

static void expect_limit(const char *limit, const char *why)
{
    snapshot_t snapshot = look();
    assert_string_equal(snapshot.limit, limit);
    if (!strstr(snapshot.limit_why, why))
        assert_string_equal(snapshot.limit_why, why);
    snapshot_clear(&snapshot);
}

// The row of a process; NULL: there is none.
static const snapshot_process_t *find_process(const snapshot_t *self, const char *name)
{
    for (size_t i = 0; i < self->process_count; i++)
        if (strcmp(self->processes[i].name, name) == 0)
            return &self->processes[i];
    return NULL;
}

static void expect_state(const char *name, snapshot_state_t state)
{
    snapshot_t snapshot = look();
    const snapshot_process_t *process = find_process(&snapshot, name);
    assert_non_null(process);
    assert_string_equal(snapshot_states[process->state], snapshot_states[state]);
    snapshot_clear(&snapshot);
}

// ---- the picture

static void rates_come_from_two_answers(void **state)
{
    (void)state;
    tell_publisher(1, 1000, 4000, 100);
    now_ms += 2000;
    tell_publisher(1, 1500, 3500, 100);
    snapshot_t snapshot = look();
    assert_int_equal(snapshot.rate, 250);
    assert_int_equal(snapshot.total, 5000);
    assert_int_equal(snapshot.restarted, 1500);
    assert_int_equal(snapshot.skipped, 2);
    assert_int_equal(snapshot.withdrawn, 3);
    assert_int_equal(snapshot.backlog, 3500);
    assert_int_equal(snapshot.p99_us, 900);
    snapshot_clear(&snapshot);
}

static void who_waits_on_which_hop_adds_up(void **state)
{
    (void)state;
    tell_publisher(1, 0, 4000, 100);
    tell_consumer("", IDLE_STORE,
                  "\"waiting\": 30, \"blocked\": 10, \"backoff\": 4, "
                  "\"out\": 40, \"slots\": 512, \"wait_p50_ms\": 3, \"reason\": \"no free slot\"");
    snapshot_t snapshot = look();
    assert_int_equal(snapshot.stages[SNAPSHOT_OUTBOX].waiting, 3900);
    assert_int_equal(snapshot.stages[SNAPSHOT_OUTBOX].out, 100);
    assert_int_equal(snapshot.stages[SNAPSHOT_WIRE].waiting, 10); // leased, not in flight
    assert_int_equal(snapshot.stages[SNAPSHOT_RESTART].waiting, 30);
    assert_int_equal(snapshot.stages[SNAPSHOT_RESTART].blocked, 10);
    assert_int_equal(snapshot.stages[SNAPSHOT_RESTART].backoff, 4);
    assert_int_equal(snapshot.stages[SNAPSHOT_RESTART].wait_p50_us, 3000);
    assert_int_equal(snapshot.stages[SNAPSHOT_RESTART].wait_p99_us, -1);
    assert_string_equal(snapshot.stages[SNAPSHOT_RESTART].reason, "no free slot");
    assert_string_equal(snapshot.stages[SNAPSHOT_STORE].reason, "");
    snapshot_clear(&snapshot);
}

static void a_process_that_does_not_answer_is_silent(void **state)
{
    (void)state;
    tell_publisher(1, 0, 0, 0);
    now_ms += STATS_SILENT_MS - 1;
    expect_state("publisher", SNAPSHOT_UP);
    now_ms += 1;
    expect_state("publisher", SNAPSHOT_SILENT);
}

static void a_killed_worker_is_lost_then_its_successor_is_up(void **state)
{
    (void)state;
    tell_consumer(", \"workers\": [{\"name\": \"r1\", \"role\": \"restarter\", "
                  "\"joined\": true, \"slots\": 4, \"out\": 2, \"silent_ms\": 10}]",
                  IDLE_STORE, IDLE_RESTART);
    reply("{\"process\": \"r1\", \"role\": \"restarter\", \"pid\": 71, \"slots\": 4, "
          "\"running\": 2}");
    expect_state("r1", SNAPSHOT_UP);
    now_ms += 2000;
    tell_consumer(", \"workers\": [{\"name\": \"r1\", \"role\": \"restarter\", "
                  "\"joined\": false, \"slots\": 0, \"out\": 0, \"silent_ms\": 1600}]",
                  IDLE_STORE, IDLE_RESTART);
    expect_state("r1", SNAPSHOT_LOST);
    now_ms += 500;
    reply("{\"process\": \"r1\", \"role\": \"restarter\", \"pid\": 72, \"slots\": 4}");
    tell_consumer(", \"workers\": [{\"name\": \"r1\", \"role\": \"restarter\", "
                  "\"joined\": true, \"slots\": 4, \"out\": 0, \"silent_ms\": 10}]",
                  IDLE_STORE, IDLE_RESTART);
    snapshot_t snapshot = look();
    assert_int_equal(snapshot.process_count, 3);
    assert_int_equal(snapshot.processes[1].pid, 72); // the new one first
    assert_int_equal(snapshot.processes[1].state, SNAPSHOT_UP);
    assert_int_equal(snapshot.processes[2].pid, 71);
    assert_int_equal(snapshot.processes[2].state, SNAPSHOT_LOST);
    snapshot_clear(&snapshot);
    now_ms += STATS_GHOST_MS;
    snapshot = look();
    assert_int_equal(snapshot.process_count, 2); // nobody looks at the old one for ever
    snapshot_clear(&snapshot);
}

static void a_worker_that_said_bye_has_left(void **state)
{
    (void)state;
    reply("{\"process\": \"r1\", \"role\": \"restarter\", \"pid\": 71, \"slots\": 4}");
    now_ms += STATS_SILENT_MS;
    tell_consumer(", \"workers\": []", IDLE_STORE, IDLE_RESTART);
    expect_state("r1", SNAPSHOT_LEFT);
    now_ms += STATS_GHOST_MS;
    tell_consumer(", \"workers\": []", IDLE_STORE, IDLE_RESTART);
    snapshot_t snapshot = look();
    snapshot_clear(&snapshot);
    snapshot = look();
    assert_null(find_process(&snapshot, "r1"));
    snapshot_clear(&snapshot);
}

static void a_worker_that_tells_nothing_is_known_from_the_consumer(void **state)
{
    (void)state;
    tell_consumer(", \"workers\": [{\"name\": \"r1\", \"role\": \"restarter\", "
                  "\"joined\": true, \"slots\": 4, \"out\": 2, \"silent_ms\": 10}]",
                  IDLE_STORE, IDLE_RESTART);
    snapshot_t snapshot = look();
    const snapshot_process_t *process = find_process(&snapshot, "r1");
    assert_non_null(process);
    assert_int_equal(process->held, 2);
    assert_int_equal(process->limit, 4);
    snapshot_clear(&snapshot);
}

static void the_consumer_tells_of_refused_keys(void **state)
{
    (void)state;
    tell_consumer(", \"refused_keys\": 7", IDLE_STORE, IDLE_RESTART);
    snapshot_t snapshot = look();
    json_t *json = snapshot_json(&snapshot);
    assert_int_equal(snapshot.refused_keys, 7);
    assert_int_equal(json_integer_value(json_object_get(json, "refused_keys")), 7);
    json_decref(json);
    snapshot_clear(&snapshot);
}

static void all_have_answered_when_the_consumer_has_and_nobody_is_missing(void **state)
{
    (void)state;
    assert_false(stats_merge_is_complete(merge, now_ms));
    tell_publisher(1, 0, 0, 0);
    assert_false(stats_merge_is_complete(merge, now_ms));
    tell_consumer("", IDLE_STORE, IDLE_RESTART);
    assert_true(stats_merge_is_complete(merge, now_ms));
    now_ms += 1000;
    int64_t asked_ms = now_ms;
    tell_consumer("", IDLE_STORE, IDLE_RESTART);
    assert_false(stats_merge_is_complete(merge, asked_ms));
    tell_publisher(1, 0, 0, 0);
    assert_true(stats_merge_is_complete(merge, asked_ms));
}

#define LONG_NAME "a23456789_123456789_123456789_123456789_123456789_123456789_1234"

static void what_is_no_stats_is_ignored(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}", "{\"process\": \"x\"}",
                                        "{\"process\": \"x\", \"role\": \"king\"}",
                                        "{\"process\": 7, \"role\": \"saver\"}",
                                        "{\"role\": \"saver\", \"process\": \"" LONG_NAME "\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        reply(texts[i]);
    tell_consumer(", \"workers\": [7, {\"name\": \"x\"}, {\"role\": \"saver\"}]", IDLE_STORE,
                  IDLE_RESTART);
    snapshot_t snapshot = look();
    assert_int_equal(snapshot.process_count, 1);
    snapshot_clear(&snapshot);
}

static void a_snapshot_is_the_same_when_it_is_read_back(void **state)
{
    (void)state;
    tell_publisher(1, 1000, 4000, 100);
    tell_consumer(", \"draining\": true", IDLE_STORE, IDLE_RESTART);
    snapshot_t snapshot = look(), back = {0};
    json_t *json = snapshot_json(&snapshot);
    assert_true(snapshot_read(json, &back));
    json_t *again = snapshot_json(&back);
    assert_true(json_equal(json, again));
    assert_int_equal(back.process_count, 2);
    assert_int_equal(back.processes[0].pid, 1);
    json_object_del(json_object_get(json_object_get(json, "hops"), "restart"), "reason");
    snapshot_clear(&back);
    assert_true(snapshot_read(json, &back)); // an older recording has none
    json_object_del(json_object_get(json_object_get(json, "hops"), "store"), "out");
    snapshot_t untouched = {.total = 77};
    assert_false(snapshot_read(json, &untouched));
    assert_int_equal(untouched.total, 77);
    json_decref(json);
    json_decref(again);
    snapshot_clear(&snapshot);
    snapshot_clear(&back);
}

// ---- what limits it

// ---- what holds back

#define GROUP(NAME, MORE)                                                                          \
    "{\"group\": \"" NAME "\", \"hosts\": 40, \"cap\": 5, \"budget\": 3, \"in_progress\": 2, "     \
    "\"casualties\": 1, \"waiting\": 7, \"reason\": \"cap of its group\", \"step\": 2, "           \
    "\"steps\": 3, \"step_hosts\": 5, \"proven\": 4, \"baked_ms\": 0, \"tripped\": false, "        \
    "\"why\": \"\", \"opens_ms\": 0, \"closes_ms\": -1" MORE "}"

static void tell_held(const char *halted, const char *groups)
{
    char text[3072];
    (void)snprintf(text, sizeof text,
                   ", \"held\": {\"halted\": %s, \"groups\": [%s], \"groups_left_out\": 3}", halted,
                   groups);
    tell_consumer(text, IDLE_STORE, IDLE_RESTART);
}

// The snapshot, written down and read again.
static snapshot_t look_twice(void)
{
    snapshot_t snapshot = look(), again;
    json_t *json = snapshot_json(&snapshot), *other = NULL;
    assert_true(snapshot_read(json, &again));
    other = snapshot_json(&again);
    assert_true(json_equal(json, other));
    json_decref(json);
    json_decref(other);
    snapshot_clear(&snapshot);
    return again;
}

static void groups_are_in_a_snapshot_and_in_its_recording(void **state)
{
    (void)state;
    tell_held("false", GROUP("", ", \"cap\": -1") "," GROUP("web", ""));
    snapshot_t snapshot = look_twice();
    assert_int_equal(snapshot.group_count, 2);
    assert_int_equal(snapshot.groups_left_out, 3);
    assert_int_equal(snapshot.groups[0].cap, -1);
    const snapshot_group_t *web = &snapshot.groups[1];
    assert_string_equal(web->name, "web");
    assert_int_equal(web->cap, 5);
    assert_int_equal(web->proven, 4);
    assert_int_equal(web->closes_ms, -1);
    assert_string_equal(web->reason, "cap of its group");
    assert_int_equal(snapshot.attention_count, 0);
    snapshot_clear(&snapshot);
}

static void a_lease_is_in_a_snapshot_and_in_its_recording(void **state)
{
    (void)state;
    tell_consumer(", \"lease\": {\"state\": \"standby\", \"epoch\": 17, \"left_ms\": 3200, "
                  "\"renewed_ms\": -1}",
                  IDLE_STORE, IDLE_RESTART);
    snapshot_t snapshot = look_twice();
    assert_string_equal(snapshot.lease, "standby");
    assert_int_equal(snapshot.lease_epoch, 17);
    assert_int_equal(snapshot.lease_left_ms, 3200);
    assert_int_equal(snapshot.lease_age_ms, -1);
    assert_string_equal(snapshot.limit, "lease");
    snapshot_clear(&snapshot);
}

static void what_needs_a_person_comes_with_the_command_that_helps(void **state)
{
    (void)state;
    tell_held("true",
              GROUP("web", ", \"tripped\": true, \"why\": \"3 of the last 10 are dead\"") "," GROUP(
                  "db", ", \"opens_ms\": -1") "," GROUP("eu", ", \"budget\": 1"));
    snapshot_t snapshot = look_twice();
    assert_int_equal(snapshot.attention_count, 4);
    assert_string_equal(snapshot.attention[0].text,
                        "halted by an operator; to go on: mayhem resume --why TEXT");
    assert_string_equal(snapshot.attention[1].text,
                        "the breaker of web has tripped: 3 of the last 10 are dead; to go on: "
                        "mayhem resume web --why TEXT");
    assert_non_null(strstr(snapshot.attention[2].text, "the window of db never opens again"));
    assert_non_null(strstr(snapshot.attention[3].text, "1 casualty uses up max-unavailable of eu"));
    snapshot_clear(&snapshot);
}

static void more_than_can_be_told_is_counted(void **state)
{
    (void)state;
    json_t *groups = json_array();
    for (int i = 0; i < 20; i++)
        json_array_append_new(groups, json_pack("{s:s, s:b}", "group", "web", "tripped", 1));
    json_t *stats = json_pack("{s:s, s:s, s:s, s:i, s:I, s:{s:o}}", "mayhem", "stats", "process",
                              "consumer", "role", "consumer", "pid", 2, "wall_ms",
                              (json_int_t)now_ms, "held", "groups", groups);
    stats_merge_add(merge, stats, now_ms);
    json_decref(stats);
    snapshot_t snapshot = look_twice();
    assert_int_equal(snapshot.attention_count, SNAPSHOT_ATTENTION_MAX);
    assert_int_equal(snapshot.attention_left_out, 4);
    snapshot_clear(&snapshot);
}

// A recording of the first release.
static void the_keys_of_a_snapshot_stay(void **state)
{
    (void)state;
    static const char stage[] =
        "{\"waiting\":1,\"out\":2,\"room\":3,\"backoff\":4,\"blocked\":5,\"wait_p50_us\":6,"
        "\"wait_p99_us\":7,\"took_p50_us\":8,\"took_p99_us\":9}";
    char text[4096];
    (void)snprintf(
        text, sizeof text,
        "{\"mayhem\":\"snapshot\",\"version\":1,\"wall_ms\":1795695543210,"
        "\"has_publisher\":true,\"has_consumer\":true,\"rate\":4512.5,\"total\":20000,"
        "\"restarted\":11,\"dead\":12,\"backlog\":13,\"in_flight\":14,\"retried\":15,"
        "\"taken_back\":16,\"nacked\":17,\"extended\":18,\"p50_us\":19,\"p99_us\":20,"
        "\"draining\":false,\"limit\":\"source\",\"limit_why\":\"nothing is left\","
        "\"processes\":[{\"name\":\"saver\",\"role\":\"saver\",\"state\":\"up\","
        "\"silent_ms\":21,\"rate\":22.5,\"busy\":0.5,\"cpu\":0.25,\"memory_bytes\":23,"
        "\"held\":24,\"limit\":25,\"p50_us\":26,\"p99_us\":27,\"failed\":28,\"dropped\":29,"
        "\"doing\":\"write rows\",\"pid\":30}],\"hops\":{\"outbox\":%s,\"wire\":%s,"
        "\"store\":%s,\"restart\":%s}}",
        stage, stage, stage, stage);
    json_t *json = json_loads(text, 0, NULL), *again = NULL;
    snapshot_t snapshot;
    assert_non_null(json);
    assert_true(snapshot_read(json, &snapshot));
    assert_int_equal(snapshot.reclaimed, 16);
    assert_int_equal(snapshot.stages[SNAPSHOT_WIRE].capacity, 3);
    assert_string_equal(snapshot.limit_why, "nothing is left");
    again = snapshot_json(&snapshot);
    const char *name;
    json_t *hop;
    json_object_foreach(json_object_get(again, "hops"), name, hop)
    {
        assert_int_equal(json_object_del(hop, "reason"), 0); // which is newer
    }
    // So are these.
    assert_int_equal(json_object_del(again, "skipped"), 0);
    assert_int_equal(json_object_del(again, "withdrawn"), 0);
    assert_int_equal(json_object_del(again, "refused_keys"), 0);
    assert_int_equal(json_object_del(again, "lease"), 0);
    assert_int_equal(json_object_del(again, "lease_epoch"), 0);
    assert_int_equal(json_object_del(again, "lease_left_ms"), 0);
    assert_int_equal(json_object_del(again, "lease_age_ms"), 0);
    assert_int_equal(json_object_del(again, "held"), 0);
    assert_true(json_equal(json, again));
    json_decref(json);
    json_decref(again);
    snapshot_clear(&snapshot);
}

static void without_a_consumer_that_is_the_limit(void **state)
{
    (void)state;
    tell_publisher(1, 0, 4000, 100);
    expect_limit("consumer", "no consumer answers");
}

static void without_a_restarter_that_is_the_limit(void **state)
{
    (void)state;
    tell_publisher(1, 0, 4000, 100);
    tell_consumer("", IDLE_STORE, "\"waiting\": 90, \"out\": 0, \"slots\": 0");
    expect_limit("restart", "there is no restarter");
}

static void a_slow_driver_is_named_when_all_its_slots_are_taken(void **state)
{
    (void)state;
    tell_publisher(1, 0, 4000, 100);
    tell_consumer("", IDLE_STORE,
                  "\"waiting\": 58, \"out\": 32, \"slots\": 32, \"took_p50_ms\": 150");
    expect_limit("restart", "all 32 slots of the restarters are taken, each for 150.0 ms");
}

static void a_slow_store_is_named_when_the_window_is_full_of_saves(void **state)
{
    (void)state;
    tell_publisher(1, 0, 4000, 100);
    tell_consumer("", "\"waiting\": 0, \"out\": 90, \"slots\": 4096, \"took_p50_ms\": 80",
                  IDLE_RESTART);
    expect_limit("store", "a save takes 80.0 ms");
}

static void a_small_window_is_named_when_no_hop_is_slow(void **state)
{
    (void)state;
    tell_publisher(1, 0, 4000, 100);
    tell_consumer("", IDLE_STORE, IDLE_RESTART);
    expect_limit("window", "all 100 places of the window are taken");
}

static void a_busy_process_is_named_with_what_it_does(void **state)
{
    (void)state;
    tell_publisher(1, 0, 4000, 100);
    tell_consumer("", "\"waiting\": 60, \"out\": 4096, \"slots\": 4096", IDLE_RESTART);
    reply("{\"process\": \"saver\", \"role\": \"saver\", \"pid\": 3, \"slots\": 4096, "
          "\"busy\": 0.97, \"doing\": \"sqlite commit\"}");
    expect_limit("store", "saver is busy 97 % of the time (sqlite commit)");
    tell_consumer(", \"busy\": 0.95, \"doing\": \"decide\"", IDLE_STORE, IDLE_RESTART);
    reply("{\"process\": \"saver\", \"role\": \"saver\", \"pid\": 3, \"busy\": 0.5}");
    expect_limit("consumer", "its loop is busy 95 % of the time (decide)");
}

static void jobs_that_wait_for_their_host_are_named(void **state)
{
    (void)state;
    tell_publisher(1, 0, 4000, 100);
    tell_consumer("", IDLE_STORE, "\"waiting\": 80, \"blocked\": 80, \"out\": 4, \"slots\": 32");
    expect_limit("hosts", "80 of 90 jobs wait for their host");
    tell_consumer("", IDLE_STORE,
                  "\"waiting\": 80, \"blocked\": 80, \"slots\": 32, \"reason\": \"host busy\"");
    expect_limit("hosts", "80 of 90 jobs wait for their host");
    tell_consumer("", IDLE_STORE,
                  "\"waiting\": 80, \"blocked\": 80, \"out\": 4, \"slots\": 32, "
                  "\"reason\": \"limit of restarts at once\"");
    expect_limit("restart", "80 of 90 jobs wait: limit of restarts at once");
    tell_consumer("", IDLE_STORE, "\"waiting\": 0, \"backoff\": 60, \"out\": 4, \"slots\": 32");
    expect_limit("retries", "60 of 90 jobs wait to be tried again");
}

static void with_nothing_waiting_the_source_is_the_limit(void **state)
{
    (void)state;
    tell_publisher(1, 0, 90, 90);
    tell_consumer("", IDLE_STORE, IDLE_RESTART);
    expect_limit("source", "all that is accepted is under way");
    tell_publisher(1, 0, 0, 0);
    expect_limit("source", "nothing is left to do");
    tell_consumer(", \"draining\": true", IDLE_STORE, IDLE_RESTART);
    expect_limit("draining", "it is stopping");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, open_tells, close_tells)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rates_come_from_two_answers),
        TEST(who_waits_on_which_hop_adds_up),
        TEST(a_process_that_does_not_answer_is_silent),
        TEST(a_killed_worker_is_lost_then_its_successor_is_up),
        TEST(a_worker_that_said_bye_has_left),
        TEST(a_worker_that_tells_nothing_is_known_from_the_consumer),
        TEST(the_consumer_tells_of_refused_keys),
        TEST(all_have_answered_when_the_consumer_has_and_nobody_is_missing),
        TEST(what_is_no_stats_is_ignored),
        TEST(a_snapshot_is_the_same_when_it_is_read_back),
        TEST(groups_are_in_a_snapshot_and_in_its_recording),
        TEST(a_lease_is_in_a_snapshot_and_in_its_recording),
        TEST(what_needs_a_person_comes_with_the_command_that_helps),
        TEST(more_than_can_be_told_is_counted),
        TEST(the_keys_of_a_snapshot_stay),
        TEST(without_a_consumer_that_is_the_limit),
        TEST(without_a_restarter_that_is_the_limit),
        TEST(a_slow_driver_is_named_when_all_its_slots_are_taken),
        TEST(a_slow_store_is_named_when_the_window_is_full_of_saves),
        TEST(a_small_window_is_named_when_no_hop_is_slow),
        TEST(a_busy_process_is_named_with_what_it_does),
        TEST(jobs_that_wait_for_their_host_are_named),
        TEST(with_nothing_waiting_the_source_is_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
