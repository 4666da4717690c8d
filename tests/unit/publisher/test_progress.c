// The line of progress: what fits into which width.

#include "progress.h"
#include "string_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_parts_are_shown_where_they_fit),
        cmocka_unit_test(a_part_that_does_not_fit_is_left_out),
        cmocka_unit_test(times_are_short),
        cmocka_unit_test(without_a_total_there_is_no_end),
        cmocka_unit_test(what_the_consumer_tells_is_shown_while_it_is_news),
        cmocka_unit_test(a_slow_pace_is_told_by_the_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
