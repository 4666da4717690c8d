// Tests of ctl/watch/snapshot_feed.h: recordings, good and bad. Live feeds are in
// tests/e2e/e2e_top.sh.

#include "clock.h"
#include "collect.h"
#include "snapshot_feed.h"
#include "temp_folder.h"

#include <sysexits.h>
#include <unistd.h>

static feed_t *feed;
static char path[TEMP_PATH_MAX];

static int set_up(void **state)
{
    (void)state;
    make_temp_folder();
    temp_path(path, "recording");
    return 0;
}

static int tear_down(void **state)
{
    feed_destroy(&feed);
    return remove_temp_folder(state);
}

#define HEAD "{\"mayhem\": \"recording\", \"version\": 1, \"began_ms\": 1000000}\n"
#define PROFILE(PROCESS, WALL, LONG)                                                               \
    "{\"mayhem\": \"profile\", \"version\": 1, \"process\": \"" PROCESS                            \
    "\", \"role\": \"saver\", \"pid\": 7, \"wall_ms\": " WALL ", \"long_ns\": " LONG               \
    ", \"nodes\": [{\"name\": \"poll\", \"kind\": \"poll\", \"file\": \"loop.c\", \"line\": 1, "   \
    "\"caller\": 0, \"calls\": 5, \"cpu_ns\": 50, \"wait_ns\": 900, \"max_ns\": 9, \"buckets\": "  \
    "[]}]}\n"

static void write_text(const char *text)
{
    FILE *file = fopen(path, "ae");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

// A snapshot of one process, recorded at that time.
static void write_snapshot(int64_t wall_ms, double rate)
{
    snapshot_process_t row = {
        .name = "saver", .role = MM_PROGRAM_SAVER, .rate = rate, .pid = 7, .p99_us = -1};
    snapshot_t snapshot = {
        .wall_ms = wall_ms, .rate = rate, .processes = &row, .process_count = 1, .limit = "source"};
    json_t *json = snapshot_json(&snapshot);
    FILE *file = fopen(path, "ae");
    assert_non_null(file);
    assert_int_equal(json_dumpf(json, file, JSON_COMPACT), 0);
    assert_int_equal(fputc('\n', file), '\n');
    assert_int_equal(fclose(file), 0);
    json_decref(json);
}

static void replay(double speed)
{
    feed = feed_replay(path, speed);
    if (feed_exit_code(feed) != 0)
        fail_msg("%s", feed_error(feed));
}

static news_t next_is(news_kind_t kind)
{
    news_t news = feed_next(feed, -1, 10000);
    assert_int_equal(news.kind, kind);
    return news;
}

static void fails(const char *why)
{
    assert_int_equal(feed_exit_code(feed), EX_DATAERR);
    assert_non_null(strstr(feed_error(feed), path));
    assert_non_null(strstr(feed_error(feed), why));
}

static void refuses(const char *text, const char *why)
{
    (void)remove(path);
    write_text(text);
    feed = feed_replay(path, 0);
    fails(why);
    feed_destroy(&feed);
}

// The recording goes well until its last line.
static void breaks_off(const char *text, const char *why)
{
    (void)remove(path);
    write_text(HEAD);
    write_snapshot(1000000, 1);
    write_text(text);
    replay(0);
    (void)next_is(NEWS_SNAPSHOT);
    (void)next_is(NEWS_DAMAGED);
    fails("line 3 ");
    fails(why);
    feed_destroy(&feed);
}

// ---- tests

static void a_recording_gives_what_was_seen(void **state)
{
    (void)state;
    write_text(HEAD);
    write_snapshot(1000100, 0.1 + 0.2);
    write_text(PROFILE("saver", "1000200", "10000000000"));
    write_snapshot(1001100, 4512.25);
    replay(0);
    news_t news = next_is(NEWS_SNAPSHOT);
    assert_true(news.snapshot->rate == 0.1 + 0.2);
    assert_int_equal(news.snapshot->wall_ms, 1000100);
    assert_string_equal(news.snapshot->processes[0].name, "saver");
    news = next_is(NEWS_PROFILE);
    assert_string_equal(json_string_value(json_object_get(news.json, "process")), "saver");
    news = next_is(NEWS_SNAPSHOT);
    assert_true(news.snapshot->rate == 4512.25);
    (void)next_is(NEWS_END);
    assert_int_equal(feed_next(feed, -1, 0).kind, NEWS_NOTHING);
    assert_int_equal(feed_silent_ms(feed), 0);
}

static void it_is_played_at_its_own_pace_or_faster(void **state)
{
    (void)state;
    write_text(HEAD);
    write_snapshot(1000000, 1);
    write_snapshot(1004000, 2);
    int64_t began_ms = mm_clock_ms();
    replay(20);
    (void)next_is(NEWS_SNAPSHOT);
    assert_int_equal(feed_next(feed, -1, 0).kind, NEWS_NOTHING); // it is not due yet
    (void)next_is(NEWS_SNAPSHOT);
    int64_t took_ms = mm_clock_ms() - began_ms;
    assert_in_range(took_ms, 190, 2000);
}

static void a_clock_that_was_set_back_does_not_stop_it(void **state)
{
    (void)state;
    write_text(HEAD);
    write_snapshot(1000000, 1);
    write_snapshot(5000, 2);
    write_snapshot(6000, 3);
    replay(1);
    int64_t began_ms = mm_clock_ms();
    for (int i = 0; i < 3; i++)
        (void)next_is(NEWS_SNAPSHOT);
    assert_in_range(mm_clock_ms() - began_ms, 0, 900);
}

static void a_key_ends_the_wait(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "q", 1), 1);
    write_text(HEAD);
    write_snapshot(9000000, 1); // in 8000 s
    replay(1);
    assert_int_equal(feed_next(feed, ends[0], -1).kind, NEWS_NOTHING);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void who_asks_gets_the_last_profiles_so_far(void **state)
{
    (void)state;
    write_text(HEAD PROFILE("a", "1000000", "1") PROFILE("b", "1000000", "2")
                   PROFILE("a", "1000000", "3"));
    write_snapshot(1000000, 1);
    replay(0);
    feed_ask_profile(feed, "a", 10); // none yet
    for (int i = 0; i < 3; i++)
        (void)next_is(NEWS_PROFILE);
    feed_ask_profile(feed, "a", 10);
    news_t news = next_is(NEWS_PROFILE);
    assert_int_equal(json_integer_value(json_object_get(news.json, "long_ns")), 3);
    feed_ask_profile(feed, NULL, 10);
    (void)next_is(NEWS_PROFILE);
    (void)next_is(NEWS_PROFILE);
    (void)next_is(NEWS_SNAPSHOT);
    feed_ask_profile(feed, "nobody", 10);
    (void)next_is(NEWS_END);
}

static void the_profiles_of_all_processes_are_collected(void **state)
{
    (void)state;
    write_text(HEAD PROFILE("saver", "1000000", "1"));
    write_snapshot(1000000, 1);
    replay(0);
    (void)next_is(NEWS_PROFILE);
    collect_t collect = {0};
    collect_begin(&collect, feed, next_is(NEWS_SNAPSHOT).snapshot, NULL, 30, 1000);
    assert_int_equal(collect.missing_count, 1);
    assert_false(collect_is_done(&collect, feed, 1500));
    collect_add(&collect, next_is(NEWS_PROFILE).json);
    assert_true(collect_is_done(&collect, feed, 1500));
    assert_int_equal(collect.profiles.count, 1);
    collect_clear(&collect);
}

static void those_who_do_not_answer_are_asked_again_and_then_named(void **state)
{
    (void)state;
    write_text(HEAD);
    write_snapshot(1000000, 1);
    replay(0);
    collect_t collect = {0};
    collect_begin(&collect, feed, next_is(NEWS_SNAPSHOT).snapshot, "saver", 30, 1000);
    assert_false(collect_is_done(&collect, feed, 1000 + COLLECT_MS - 1));
    assert_true(collect_is_done(&collect, feed, 1000 + COLLECT_MS));
    assert_int_equal(collect.missing_count, 1);
    assert_string_equal(collect.missing[0].text, "saver");
    collect_clear(&collect);
}

static void a_look_is_the_second_snapshot(void **state)
{
    (void)state;
    snapshot_t snapshot = {0};
    write_text(HEAD);
    write_snapshot(1000000, 0);
    write_snapshot(1000000, 7);
    write_snapshot(1000000, 8);
    replay(0);
    assert_true(feed_look(feed, 1000, &snapshot));
    assert_true(snapshot.rate == 7);
    snapshot_clear(&snapshot);
    assert_true(feed_look(feed, 100, &snapshot)); // there is only one more
    assert_true(snapshot.rate == 8);
    snapshot_clear(&snapshot);
    assert_false(feed_look(feed, 100, &snapshot));
}

static void what_is_no_recording_is_refused(void **state)
{
    (void)state;
    feed = feed_replay(path, 0);
    fails("No such file");
    feed_destroy(&feed);
    refuses("", "line 1 is not the head of a recording");
    refuses("hello\n", "line 1 is not the head");
    refuses("[]\n", "line 1 is not the head");
    refuses("{}\n", "line 1 is not the head");
    refuses("{\"mayhem\": \"profile\", \"version\": 1}\n", "line 1 is not the head");
    refuses("{\"mayhem\": \"recording\", \"version\": 2, \"began_ms\": 1}\n",
            "has version 2, this program reads 1");
    refuses("{\"mayhem\": \"recording\", \"version\": 1}\n", "does not say when it began");
    refuses("{\"mayhem\": \"recor", "line 1 is not the head");
}

static void a_damaged_recording_is_played_up_to_there(void **state)
{
    (void)state;
    breaks_off("{\"mayhem\": \"snapshot\", \"version\": 1}\n", "is no snapshot");
    breaks_off("{\"mayhem\": \"snap", "is cut off");
    breaks_off("nonsense\n", "is no JSON object");
    breaks_off("{\"mayhem\": \"other\"}\n", "neither a snapshot nor a profile");
    breaks_off("{\"a\": 1, \"a\": 2}\n", "is no JSON object");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_recording_gives_what_was_seen),
        TEST(it_is_played_at_its_own_pace_or_faster),
        TEST(a_clock_that_was_set_back_does_not_stop_it),
        TEST(a_key_ends_the_wait),
        TEST(who_asks_gets_the_last_profiles_so_far),
        TEST(the_profiles_of_all_processes_are_collected),
        TEST(those_who_do_not_answer_are_asked_again_and_then_named),
        TEST(a_look_is_the_second_snapshot),
        TEST(what_is_no_recording_is_refused),
        TEST(a_damaged_recording_is_played_up_to_there),
    };
    return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
