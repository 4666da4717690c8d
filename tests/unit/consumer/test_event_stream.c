// Tests of consumer/event_stream.c: which events viewers get, and how much of what is too much.

#include "event_stream.h"
#include "event_words.h"
#include "host.h"
#include "job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static event_stream_t *stream;
static size_t seen_count;

static int open_watch(void **state)
{
    (void)state;
    stream = event_stream_new();
    return 0;
}

static int close_watch(void **state)
{
    (void)state;
    event_stream_destroy(&stream);
    assert_null(stream);
    return 0;
}

static void ends(const char *host, mm_verdict_kind_t verdict, int64_t now_ms)
{
    gather_action_t action = {.kind = GATHER_VERDICT};
    action.as.verdict.host = mm_str(host);
    action.as.verdict.verdict = (mm_verdict_t){.kind = verdict, .attempts = 3};
    if (verdict == MM_VERDICT_DEAD)
        action.as.verdict.verdict.error = mm_str("exit status 1");
    event_stream_see(stream, &action, now_ms);
}

static void loses(const char *worker, int64_t now_ms)
{
    gather_action_t action = {.kind = GATHER_LOG};
    action.as.log.log = GATHER_LOG_WORKER_LOST;
    action.as.log.error = mm_str("its key no longer counts");
    assert_true(mm_name_from(mm_str(worker), &action.as.log.worker));
    event_stream_see(stream, &action, now_ms);
}

// "event host" of all since the last call, and how many were left out.
static void expect(const char *events, int left_out)
{
    char seen[8192] = "";
    json_t *json = event_stream_take(stream), *list = json_object_get(json, "events"), *event;
    size_t index;
    json_array_foreach(list, index, event)
    {
        const char *host = json_string_value(json_object_get(event, "host"));
        const char *worker = json_string_value(json_object_get(event, "worker"));
        (void)snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s %s; ",
                       json_string_value(json_object_get(event, "event")),
                       host     ? host
                       : worker ? worker
                                : "");
    }
    assert_string_equal(seen, events);
    assert_int_equal(json_integer_value(json_object_get(json, "left_out")), left_out);
    json_decref(json);
}

static void nobody_watches_at_first(void **state)
{
    (void)state;
    assert_false(event_stream_is_on(stream, 1000));
    assert_int_equal(event_stream_deadline(stream), MM_NEVER);
    event_stream_add(stream, 1, mm_str("* *"), 1000);
    assert_true(event_stream_is_on(stream, 1000));
}

static void events_are_of_the_host_and_kind_that_is_wanted(void **state)
{
    (void)state;
    event_stream_add(stream, 1, mm_str("web-7 *"), 1000);
    event_stream_add(stream, 2, mm_str("* dead"), 1000);
    ends("web-7", MM_VERDICT_ACK, 1001);
    ends("web-8", MM_VERDICT_ACK, 1001);
    ends("web-8", MM_VERDICT_DEAD, 1001);
    ends("web-7", MM_VERDICT_EXTEND, 1001);
    loses("restarter-1", 1001);
    expect("acked web-7; dead web-8; ", 0);
}

static void what_has_happened_waits_a_little_for_company(void **state)
{
    (void)state;
    event_stream_add(stream, 1, mm_str("* *"), 1000);
    loses("restarter-1", 1001);
    assert_int_equal(event_stream_deadline(stream), 1101);
    ends("web-7", MM_VERDICT_NACK, 1050);
    assert_int_equal(event_stream_deadline(stream), 1101);
    expect("lost restarter-1; nacked web-7; ", 0);
    assert_int_equal(event_stream_deadline(stream), MM_NEVER);
}

static void everyday_events_do_not_push_out_rare_ones(void **state)
{
    (void)state;
    event_stream_add(stream, 1, mm_str("* *"), 1000);
    for (int i = 0; i < 1000; i++)
        ends("web-7", MM_VERDICT_ACK, 1001);
    ends("web-8", MM_VERDICT_DEAD, 1001);
    json_t *json = event_stream_take(stream), *list = json_object_get(json, "events");
    size_t count = json_array_size(list);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(list, count - 1), "event")), "dead");
    assert_int_equal(json_integer_value(json_object_get(json, "left_out")), 1001 - count);
    assert_true(count < 500);
    json_decref(json);
}

static void long_errors_are_left_out_and_not_lost_with_all_the_others(void **state)
{
    (void)state;
    char error[MM_ERROR_MAX];
    memset(error, 'x', sizeof error);
    event_stream_add(stream, 1, mm_str("* *"), 1000);
    for (int i = 0; i < 300; i++) {
        gather_action_t action = {.kind = GATHER_LOG};
        action.as.log.log = GATHER_LOG_RETRY;
        action.as.log.host = mm_str("web-7");
        action.as.log.error = (mm_str_t){error, sizeof error};
        event_stream_see(stream, &action, 1001);
    }
    json_t *json = event_stream_take(stream);
    size_t count = json_array_size(json_object_get(json, "events"));
    assert_in_range(count, 100, 299);
    assert_int_equal(json_integer_value(json_object_get(json, "left_out")), 300 - count);
    assert_true(json_dumpb(json, NULL, 0, JSON_COMPACT) <= MM_REPLY_BYTES);
    json_decref(json);
}

static void whoever_does_not_ask_again_is_forgotten(void **state)
{
    (void)state;
    event_stream_add(stream, 1, mm_str("* *"), 1000);
    event_stream_add(stream, 1, mm_str("* *"), 1000 + EVENT_STREAM_MS - 1);
    ends("web-7", MM_VERDICT_ACK, 1000 + EVENT_STREAM_MS + 10);
    expect("acked web-7; ", 0);
    ends("web-7", MM_VERDICT_ACK, 1000 + 2 * EVENT_STREAM_MS); // tells that nobody is there
    json_decref(event_stream_take(stream));
    assert_false(event_stream_is_on(stream, 1000 + 3 * EVENT_STREAM_MS));
}

// What the events of a list of actions are called must be a word that tail knows.
static void expect_known(const gather_action_t *action)
{
    static const char *const words[] = {
#define EVENT(WORD, MESSAGE, LEVEL) WORD,
        EVENT_WORDS(EVENT)
#undef EVENT
    };
    bool is_known = false;
    event_stream_see(stream, action, 1001);
    json_t *json = event_stream_take(stream);
    const json_t *event = json_array_get(json_object_get(json, "events"), 0);
    const char *word = json_string_value(json_object_get(event, "event"));
    for (size_t i = 0; word && i < sizeof words / sizeof *words; i++)
        is_known = is_known || strcmp(word, words[i]) == 0;
    if (word && !is_known)
        fail_msg("tail has no words for %s", word);
    seen_count += word != NULL;
    json_decref(json);
}

static void tail_has_words_for_all_events(void **state)
{
    (void)state;
    gather_action_t action = {.kind = GATHER_LOG};
    event_stream_add(stream, 1, mm_str("* *"), 1000);
    seen_count = 0;
    for (int i = 0; i <= GATHER_LOG_UNABLE; i++) {
        action.as.log.log = (gather_log_t)i;
        expect_known(&action);
    }
    assert_in_range(seen_count, 12, GATHER_LOG_UNABLE);
    action = (gather_action_t){.kind = GATHER_VERDICT};
    for (int i = MM_VERDICT_EXTEND; i <= MM_VERDICT_WITHDRAWN; i++) {
        action.as.verdict.verdict.kind = (mm_verdict_kind_t)i;
        action.as.verdict.is_first = true;
        expect_known(&action);
    }
    action = (gather_action_t){.kind = GATHER_NEWS};
    for (int i = 0; i <= GATHER_NEWS_WAITS; i++) {
        action.as.news.news = (gather_news_t)i;
        expect_known(&action);
    }
    action = (gather_action_t){.kind = GATHER_OPEN};
    expect_known(&action);
}

static void a_loss_says_why(void **state)
{
    (void)state;
    event_stream_add(stream, 1, mm_str("* *"), 1000);
    loses("r1", 1001);
    json_t *json = event_stream_take(stream);
    const json_t *event = json_array_get(json_object_get(json, "events"), 0);
    assert_string_equal(json_string_value(json_object_get(event, "why")),
                        "its key no longer counts");
    json_decref(json);
}

static void what_is_no_wish_is_ignored(void **state)
{
    (void)state;
    static const char *const wishes[] = {"", "web-7", " dead", "web-7 ",
                                         "* a_word_that_is_too_long"};
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        event_stream_add(stream, 1, mm_str(wishes[i]), 1000);
    char long_host[400];
    memset(long_host, 'x', sizeof long_host);
    event_stream_add(stream, 1, (mm_str_t){long_host, sizeof long_host}, 1000);
    long_host[300] = ' ';
    event_stream_add(stream, 1, (mm_str_t){long_host, 302}, 1000);
    assert_false(event_stream_is_on(stream, 1000));
}

static void there_is_a_limit_to_watchers(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= EVENT_STREAM_MAX; i++)
        event_stream_add(stream, i, mm_str("web-7 *"), 1000);
    event_stream_add(stream, 99, mm_str("web-8 *"), 1000);
    ends("web-8", MM_VERDICT_ACK, 1001);
    ends("web-7", MM_VERDICT_ACK, 1001);
    expect("acked web-7; ", 0);
    event_stream_add(stream, 99, mm_str("web-8 *"),
                     1000 + EVENT_STREAM_MS); // the others' time is over
    ends("web-8", MM_VERDICT_ACK, 1001 + EVENT_STREAM_MS);
    expect("acked web-8; ", 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, open_watch, close_watch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_watches_at_first),
        TEST(events_are_of_the_host_and_kind_that_is_wanted),
        TEST(what_has_happened_waits_a_little_for_company),
        TEST(everyday_events_do_not_push_out_rare_ones),
        TEST(long_errors_are_left_out_and_not_lost_with_all_the_others),
        TEST(whoever_does_not_ask_again_is_forgotten),
        TEST(a_loss_says_why),
        TEST(tail_has_words_for_all_events),
        TEST(what_is_no_wish_is_ignored),
        TEST(there_is_a_limit_to_watchers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
