// Faults on purpose: tasks take their time and fail as often as asked, in order for each job.

#include "inject.h"
#include "random.h"
#include "string_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inject_t *inject;

static int end_inject(void **state)
{
    (void)state;
    inject_destroy(&inject);
    assert_null(inject);
    inject_destroy(&inject);
    return 0;
}

static void new_inject(int64_t from_ms, int64_t to_ms, uint32_t fail_ppm)
{
    inject = inject_new(&(inject_config_t){
        .time_from_ms = from_ms, .time_to_ms = to_ms, .fail_ppm = fail_ppm, .seed = 42});
}

static void put(uint64_t number, uint8_t job, int64_t now_ms)
{
    inject_put(inject, &(mm_task_t){.number = number, .leg = MM_LEG_SAVE, .id = {{job}}}, now_ms);
}

static void without_time_a_task_comes_back_at_once(void **state)
{
    (void)state;
    new_inject(0, 0, 0);
    inject_item_t item;
    assert_false(inject_next(inject, 5000, &item));
    assert_true(inject_deadline(inject) == MM_NEVER);
    put(7, 1, 5000);
    assert_int_equal(inject_deadline(inject), 5000);
    assert_true(inject_next(inject, 5000, &item));
    assert_int_equal(item.task.number, 7);
    assert_null(item.task.real);
    assert_false(item.fails);
    assert_false(inject_next(inject, 5000, &item));
    assert_true(inject_deadline(inject) == MM_NEVER);
}

static void a_task_is_copied_with_its_texts(void **state)
{
    (void)state;
    new_inject(0, 0, 0);
    char host[] = "web-7", publisher[] = "publisher", worker[] = "r1", error[] = "no route",
         row_worker[] = "r2", words[] = "sorry", health[] = "degraded";
    mm_real_t real = {.row = MM_ROW_ENDED,
                      .worker = mm_str(row_worker),
                      .words = mm_str(words),
                      .health = mm_str(health)};
    mm_task_t task = {.real = &real,
                      .number = 7,
                      .leg = MM_LEG_SETTLE,
                      .id = {{1}},
                      .host = mm_str(host),
                      .publisher = mm_str(publisher),
                      .worker = mm_str(worker),
                      .error = mm_str(error),
                      .attempts = 3,
                      .outcome = MM_OUTCOME_DEAD};
    inject_put(inject, &task, 0);
    memset(host, 'x', sizeof host);
    memset(publisher, 'x', sizeof publisher);
    memset(worker, 'x', sizeof worker);
    memset(error, 'x', sizeof error);
    memset(row_worker, 'x', sizeof row_worker);
    memset(words, 'x', sizeof words);
    memset(health, 'x', sizeof health);
    memset(&real, 'x', sizeof real);
    inject_item_t item;
    assert_true(inject_next(inject, 0, &item));
    assert_true(mm_str_equal(item.task.host, mm_str("web-7")));
    assert_true(mm_str_equal(item.task.publisher, mm_str("publisher")));
    assert_true(mm_str_equal(item.task.worker, mm_str("r1")));
    assert_true(mm_str_equal(item.task.error, mm_str("no route")));
    assert_true(mm_str_equal(item.task.real->worker, mm_str("r2")));
    assert_true(mm_str_equal(item.task.real->words, mm_str("sorry")));
    assert_true(mm_str_equal(item.task.real->health, mm_str("degraded")));
    assert_int_equal(item.task.real->row, MM_ROW_ENDED);
    assert_int_equal(item.task.attempts, 3);
    assert_int_equal(item.task.outcome, MM_OUTCOME_DEAD);
}

static void times_cover_their_range_and_are_kept_to(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    new_inject(100, 109, 0);
    for (unsigned i = 0; i < COUNT; i++) {
        mm_task_t task = {.number = i, .leg = MM_LEG_SAVE};
        memcpy(task.id.bytes, &i, sizeof i);
        inject_put(inject, &task, 5000);
    }
    inject_item_t item;
    for (int64_t now_ms = 5100; now_ms <= 5109; now_ms++) {
        unsigned count = 0;
        assert_false(inject_next(inject, now_ms - 1, &item));
        assert_int_equal(inject_deadline(inject), now_ms);
        while (inject_next(inject, now_ms, &item))
            count++;
        assert_in_range(count, COUNT / 20, COUNT / 5);
    }
    assert_true(inject_deadline(inject) == MM_NEVER);
}

static void failures_are_as_frequent_as_asked(void **state)
{
    (void)state;
    enum { COUNT = 4000 };
    new_inject(0, 0, 250000);
    unsigned failed = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        inject_item_t item;
        put(i, (uint8_t)i, 0);
        assert_true(inject_next(inject, (int64_t)COUNT, &item));
        failed += item.fails;
    }
    assert_in_range(failed, COUNT / 4 - 200, COUNT / 4 + 200);
}

static void all_fail_at_a_hundred_percent(void **state)
{
    (void)state;
    new_inject(0, 0, 1000000);
    for (uint64_t i = 0; i < 200; i++) {
        inject_item_t item;
        put(i, 1, 0);
        assert_true(inject_next(inject, 0, &item));
        assert_true(item.fails);
    }
}

// Sixteen jobs with tasks at random moments: each job's come in the order of their numbers (R9).
static void tasks_of_one_job_keep_their_order(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    new_inject(0, 500, 0);
    uint64_t random = 7, last[16] = {0}, given = 0, put_count = 0;
    for (int64_t now_ms = 0; given < COUNT; now_ms++) {
        for (uint64_t i = mm_random_below(&random, 5); i > 0 && put_count < COUNT; i--)
            put(++put_count, (uint8_t)mm_random_below(&random, 16), now_ms);
        inject_item_t item;
        while (inject_next(inject, now_ms, &item)) {
            uint8_t job = item.task.id.bytes[0];
            assert_true(item.task.number > last[job]);
            last[job] = item.task.number;
            given++;
        }
        assert_true(now_ms < 100000);
    }
}

static void once_stopped_all_that_waits_is_due_and_fails_in_order(void **state)
{
    (void)state;
    new_inject(1000, 2000, 0);
    for (uint64_t i = 1; i <= 50; i++)
        put(i, 1, 0);
    inject_item_t item;
    assert_false(inject_next(inject, 999, &item));
    inject_stop(inject);
    assert_int_equal(inject_deadline(inject), 0);
    for (uint64_t i = 1; i <= 50; i++) {
        assert_true(inject_next(inject, 999, &item));
        assert_int_equal(item.task.number, i);
        assert_true(item.fails);
    }
    assert_false(inject_next(inject, 999, &item));
    assert_true(inject_deadline(inject) == MM_NEVER);
    put(51, 1, 999); // one that comes later, too
    assert_true(inject_next(inject, 999, &item));
    assert_true(item.fails);
}

static void what_still_waits_is_freed_at_the_end(void **state)
{
    (void)state;
    new_inject(1000, 1000, 0);
    put(1, 1, 0);
    put(2, 2, 0);
    inject_item_t item;
    assert_true(inject_next(inject, 1000, &item));
}

#define TEST(NAME) cmocka_unit_test_teardown(NAME, end_inject)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_time_a_task_comes_back_at_once),
        TEST(a_task_is_copied_with_its_texts),
        TEST(times_cover_their_range_and_are_kept_to),
        TEST(failures_are_as_frequent_as_asked),
        TEST(all_fail_at_a_hundred_percent),
        TEST(tasks_of_one_job_keep_their_order),
        TEST(once_stopped_all_that_waits_is_due_and_fails_in_order),
        TEST(what_still_waits_is_freed_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
