// The line of progress: what fits into which width.

#include "progress.h"
#include "string_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *told; // by the consumer; NULL: nothing
static int64_t told_ms = 10000;

static const char *text_of(mm_progress_t kind, uint64_t settled, uint64_t total, size_t width)
{
    static char text[PROGRESS_TEXT];
    progress_t progress = {.kind = kind, .started_ms = 1000, .told_ms = MM_NEVER};
    if (told)
        progress_tell(&progress, mm_str(told), told_ms);
    intake_counts_t counts = {.total = total, .restarted = settled, .dead = 1};
    size_t size = progress_text(&progress, 11000, &counts, width, text);
    assert_int_equal(size, strlen(text));
    return text;
}

static void all_parts_are_shown_where_they_fit(void **state)
{
    (void)state;
    assert_string_equal(text_of(MM_PROGRESS_BAR, 99, 500, 71),
                        "100 of 500 hosts, 1 dead, 40s left, 10/s");
    assert_string_equal(text_of(MM_PROGRESS_LINES, 99, 500, 200),
                        "100 of 500 hosts settled, 1 dead, 40s left, 10/s");
}

static void a_part_that_does_not_fit_is_left_out(void **state)
{
    (void)state;
    assert_string_equal(text_of(MM_PROGRESS_BAR, 99, 500, 39),
                        "100 of 500 hosts, 1 dead, 40s left");
    assert_string_equal(text_of(MM_PROGRESS_BAR, 99, 500, 33), "100 of 500 hosts, 1 dead, 10/s");
    assert_string_equal(text_of(MM_PROGRESS_BAR, 99, 500, 5), "100 of 500 hosts");
    for (size_t width = 28; width < 60; width++)
        assert_true(strlen(text_of(MM_PROGRESS_BAR, 9999999, 100000000, width)) <= width);
}

static void times_are_short(void **state)
{
    (void)state;
    assert_string_equal(text_of(MM_PROGRESS_BAR, 99, 1400, 71),
                        "100 of 1400 hosts, 1 dead, 2m10s left, 10/s");
    assert_string_equal(text_of(MM_PROGRESS_BAR, 99, 48100, 71),
                        "100 of 48100 hosts, 1 dead, 1h20m left, 10/s");
}

static void without_a_total_there_is_no_end(void **state)
{
    (void)state;
    assert_string_equal(text_of(MM_PROGRESS_BAR, 99, 0, 71), "100 hosts settled, 1 dead, 10/s");
    assert_string_equal(text_of(MM_PROGRESS_BAR, 99, 100, 71), "100 of 100 hosts, 1 dead, 10/s");
}

static void what_the_consumer_tells_is_shown_while_it_is_news(void **state)
{
    (void)state;
    told = "{\"restarting\": 5, \"reason\": \"limit of restarts at once\"}";
    assert_string_equal(text_of(MM_PROGRESS_BAR, 9, 500, 200),
                        "10 of 500 hosts, 1 dead, 8m10s left, 5 in progress, 1/s, 485 wait: limit "
                        "of restarts at once");
    assert_string_equal(text_of(MM_PROGRESS_BAR, 9, 500, 62),
                        "10 of 500 hosts, 1 dead, 8m10s left, 5 in progress, 1/s");
    assert_string_equal(text_of(MM_PROGRESS_BAR, 9, 15, 200),
                        "10 of 15 hosts, 1 dead, 5s left, 5 in progress, 1/s");
    told_ms = 5000;
    assert_string_equal(text_of(MM_PROGRESS_BAR, 9, 500, 200),
                        "10 of 500 hosts, 1 dead, 8m10s left, 1/s");
    told_ms = 10000;
    told = "{\"restarting\": 5}";
    assert_string_equal(text_of(MM_PROGRESS_BAR, 9, 500, 200),
                        "10 of 500 hosts, 1 dead, 8m10s left, 5 in progress, 1/s");
    static const char *const rubbish[] = {"", "[]", "{\"restarting\": -1}",
                                          "{\"restarting\": \"5\"}"};
    for (size_t i = 0; i < 4; i++) {
        told = rubbish[i];
        assert_string_equal(text_of(MM_PROGRESS_BAR, 9, 500, 200),
                            "10 of 500 hosts, 1 dead, 8m10s left, 1/s");
    }
    told = NULL;
}

static void a_slow_pace_is_told_by_the_minute(void **state)
{
    (void)state;
    assert_string_equal(text_of(MM_PROGRESS_BAR, 2, 500, 200),
                        "3 of 500 hosts, 1 dead, 27m37s left, 18.0/min");
}

static void what_is_held_back_has_no_time_left(void **state)
{
    (void)state;
    static const char *const reasons[] = {"halted",        "breaker tripped",
                                          "window closed", "guard says no",
                                          "denied",        "bake of a ramp step"};
    char text[128], expected[128];
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        (void)snprintf(text, sizeof text, "{\"restarting\": 0, \"reason\": \"%s\"}", reasons[i]);
        (void)snprintf(expected, sizeof expected,
                       "10 of 500 hosts, 1 dead, 0 in progress, 1/s, 490 wait: %s", reasons[i]);
        told = text;
        assert_string_equal(text_of(MM_PROGRESS_BAR, 9, 500, 200), expected);
    }
    told_ms = 5000; // no news any more
    assert_string_equal(text_of(MM_PROGRESS_BAR, 9, 500, 200),
                        "10 of 500 hosts, 1 dead, 8m10s left, 1/s");
    told_ms = 10000;
    told = NULL;
}

static void no_more_are_in_progress_than_are_left(void **state)
{
    (void)state;
    told = "{\"restarting\": 5, \"reason\": \"denied\"}";
    assert_string_equal(text_of(MM_PROGRESS_BAR, 39, 43, 200),
                        "40 of 43 hosts, 1 dead, 3 in progress, 4/s");
    assert_string_equal(text_of(MM_PROGRESS_BAR, 39, 40, 200),
                        "40 of 40 hosts, 1 dead, 0 in progress, 4/s");
    assert_string_equal(text_of(MM_PROGRESS_BAR, 39, 0, 200),
                        "40 hosts settled, 1 dead, 5 in progress, 4/s");
    told = NULL;
}

static void at_the_end_nothing_is_in_progress_and_no_time_is_left(void **state)
{
    (void)state;
    char text[PROGRESS_TEXT];
    progress_t progress = {.kind = MM_PROGRESS_BAR, .started_ms = 1000, .has_ended = true};
    progress_tell(&progress, mm_str("{\"restarting\": 5, \"reason\": \"draining\"}"), 10000);
    intake_counts_t counts = {.total = 500, .restarted = 10};
    (void)progress_text(&progress, 11000, &counts, 200, text);
    assert_string_equal(text, "10 of 500 hosts, 0 dead, 0 in progress, 1/s, 490 wait: draining");
}

static held_news_t news;

static void tells(const char *json, const char *expected)
{
    json_t *said = json_loads(json, 0, NULL);
    char *lines = held_news_tell(&news, said, "./run.sh", "run");
    assert_string_equal(lines ? lines : "", expected);
    free(lines);
    json_decref(said);
}

#define WEB                                                                                        \
    "the breaker of web has tripped; nothing of it begins until: ./run.sh resume web --dir run "   \
    "--why TEXT\n"
#define HALTED "halted; nothing begins until: ./run.sh resume --dir run --why TEXT\n"

static void what_begins_to_hold_back_is_told_once(void **state)
{
    (void)state;
    tells("{\"halted\": false, \"tripped\": []}", "");
    tells("{\"halted\": false, \"tripped\": [\"web\"]}", WEB);
    tells("{\"halted\": false, \"tripped\": [\"web\"]}", "");
    tells("{}", ""); // the consumer has begun anew
    tells("{\"halted\": false, \"tripped\": [\"web\"]}", "");
    tells("{\"halted\": true, \"tripped\": [\"\", \"web\"]}",
          HALTED "the breaker of the whole run has tripped; nothing begins until: ./run.sh resume "
                 "--dir run --why TEXT\n");
    tells("{\"halted\": true, \"tripped\": []}", "");
    tells("{\"halted\": false, \"tripped\": [\"web\"]}", WEB); // again, after a resume
    tells("{\"halted\": true, \"tripped\": [\"web\"]}", HALTED);
    tells("{\"halted\": 1, \"tripped\": []}", "");
    tells("{\"halted\": false, \"tripped\": \"db\"}", "");
    tells("{\"halted\": false, \"tripped\": [7, \"web\"]}", "");
    held_news_clear(&news);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_parts_are_shown_where_they_fit),
        cmocka_unit_test(a_part_that_does_not_fit_is_left_out),
        cmocka_unit_test(times_are_short),
        cmocka_unit_test(without_a_total_there_is_no_end),
        cmocka_unit_test(what_the_consumer_tells_is_shown_while_it_is_news),
        cmocka_unit_test(a_slow_pace_is_told_by_the_minute),
        cmocka_unit_test(what_is_held_back_has_no_time_left),
        cmocka_unit_test(no_more_are_in_progress_than_are_left),
        cmocka_unit_test(at_the_end_nothing_is_in_progress_and_no_time_is_left),
        cmocka_unit_test(what_begins_to_hold_back_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
