// A worker's results: numbered, copied, kept as long as they may be asked for.

#include "random.h"
#include "string_view.h"
#include "unacknowledged_results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const mm_id_t no_job;

enum { HISTORY = 3 };

static int new_results(void **state)
{
    *state = mm_results_new(HISTORY);
    return 0;
}

static int end_results(void **state)
{
    mm_results_destroy((mm_results_t **)state);
    assert_null(*state);
    mm_results_destroy((mm_results_t **)state);
    return 0;
}

static void add(mm_results_t *results, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = 1000 + mm_results_last(results) + 1;
        uint64_t serial =
            mm_results_add(results, &(mm_result_t){.number = number}, MM_LEG_SAVE, &no_job, 5000);
        assert_int_equal(serial, number - 1000);
    }
}

static void keeps(const mm_results_t *results, uint64_t first, uint64_t last)
{
    assert_int_equal(mm_results_history(results, SIZE_MAX / 2, SIZE_MAX / 2), first);
    assert_int_equal(mm_results_last(results), last);
    for (uint64_t serial = first; serial <= last; serial++) {
        assert_int_equal(mm_results_get(results, serial)->serial, serial);
        assert_int_equal(mm_results_get(results, serial)->number, 1000 + serial);
    }
}

static void serials_count_from_1(void **state)
{
    assert_int_equal(mm_results_last(*state), 0);
    assert_int_equal(mm_results_acknowledged_through(*state), 0);
    add(*state, 3);
    keeps(*state, 1, 3);
}

static void texts_are_copied(void **state)
{
    char error[] = "no route", words[] = "rebooting", key[] = "boot-id", value[] = "0193",
         health[] = "degraded", worker[] = "r1";
    mm_real_t real = {.words = mm_str(words),
                      .health = mm_str(health),
                      .worker = mm_str(worker),
                      .end = MM_END_RESTARTED};
    mm_result_t result = {.error = mm_str(error),
                          .real = &real,
                          .evidence =
                              (mm_pair_t[]){{mm_str(key), mm_str(value)}, {mm_str(key), {0}}},
                          .evidence_count = 2};
    mm_results_add(*state, &result, MM_LEG_SAVE, &no_job, 0);
    memset(error, 'x', sizeof error);
    memset(words, 'x', sizeof words);
    memset(health, 'x', sizeof health);
    memset(worker, 'x', sizeof worker);
    memset(&real, 0, sizeof real);
    memset(key, 'x', sizeof key);
    memset(value, 'x', sizeof value);
    const mm_result_t *kept = mm_results_get(*state, 1);
    assert_true(mm_str_equal(kept->error, mm_str("no route")));
    assert_true(mm_str_equal(kept->real->words, mm_str("rebooting")));
    assert_true(mm_str_equal(kept->real->health, mm_str("degraded")));
    assert_true(mm_str_equal(kept->real->worker, mm_str("r1")));
    assert_int_equal(kept->evidence_count, 2);
    assert_true(mm_str_equal(kept->evidence[0].key, mm_str("boot-id")));
    assert_true(mm_str_equal(kept->evidence[0].value, mm_str("0193")));
    assert_true(mm_str_equal(kept->evidence[1].key, mm_str("boot-id")));
    assert_int_equal(kept->evidence[1].value.size, 0);

    char last[] = "no more words"; // of one that has nothing else
    mm_results_add(*state, &(mm_result_t){.real = &(mm_real_t){.words = mm_str(last)}}, MM_LEG_SAVE,
                   &no_job, 0);
    memset(last, 'x', sizeof last);
    assert_true(mm_str_equal(mm_results_get(*state, 2)->real->words, mm_str("no more words")));
}

static void what_is_not_confirmed_is_kept_however_much_it_is(void **state)
{
    add(*state, 5000);
    keeps(*state, 1, 5000);
}

static void confirmed_ones_go_beyond_the_history(void **state)
{
    add(*state, 10);
    mm_results_acknowledge(*state, 8);
    add(*state, 1);
    keeps(*state, 8 + 1 - HISTORY, 11);
}

static void a_confirmation_never_goes_back_nor_beyond_the_newest(void **state)
{
    add(*state, 10);
    mm_results_acknowledge(*state, 8);
    mm_results_acknowledge(*state, 7);
    assert_int_equal(mm_results_acknowledged_through(*state), 8);
    mm_results_acknowledge(*state, 11);
    assert_int_equal(mm_results_acknowledged_through(*state), 8);
    mm_results_acknowledge(*state, 10);
    assert_int_equal(mm_results_acknowledged_through(*state), 10);
}

static void it_knows_since_when_the_oldest_waits(void **state)
{
    assert_true(mm_results_waiting_since(*state) == MM_NEVER);
    mm_results_add(*state, &(mm_result_t){0}, MM_LEG_SAVE, &no_job, 5000);
    mm_results_add(*state, &(mm_result_t){0}, MM_LEG_SAVE, &no_job, 6000);
    assert_int_equal(mm_results_waiting_since(*state), 5000);
    mm_results_acknowledge(*state, 1);
    assert_int_equal(mm_results_waiting_since(*state), 6000);
    mm_results_acknowledge(*state, 2);
    assert_true(mm_results_waiting_since(*state) == MM_NEVER);
}

static void history_begins_with_the_oldest_when_all_fit(void **state)
{
    assert_int_equal(mm_results_history(*state, 10, 2), 1);
    add(*state, 10);
    assert_int_equal(mm_results_history(*state, 10, 2), 1);
    mm_results_acknowledge(*state, 8);
    add(*state, 1);
    assert_int_equal(mm_results_history(*state, 10, 2), 6);
}

static void history_reaches_the_newest_and_leaves_no_gap(void **state)
{
    mm_results_t *results = mm_results_new(100);
    add(results, 50);
    mm_results_acknowledge(results, 48);
    assert_int_equal(mm_results_history(results, 10, 4), 41); // 41 to 50
    assert_int_equal(mm_results_history(results, 5, 4), 45);  // four confirmed, then 49: no gap
    mm_results_acknowledge(results, 50);
    assert_int_equal(mm_results_history(results, 10, 4), 41);
    add(results, 30);
    assert_int_equal(mm_results_history(results, 10, 4), 47); // 51 is the first that is open
    mm_results_destroy(&results);
    add(*state, 30); // none is confirmed: there is nothing before the first
    assert_int_equal(mm_results_history(*state, 10, 4), 1);
}

// Random adds and confirmations: what may be asked for is there, and no more than that.
static void it_keeps_exactly_what_may_be_asked_for(void **state)
{
    (void)state;
    uint64_t random = 42;
    for (size_t history = 0; history < 20; history += 4) {
        mm_results_t *results = mm_results_new(history);
        uint64_t acknowledged_through = 0, last = 0;
        for (int turn = 0; turn < 400; turn++) {
            uint64_t count = 1 + mm_random_below(&random, 40);
            add(results, count);
            uint64_t kept_from =
                acknowledged_through > history ? acknowledged_through - history + 1 : 1;
            last += count;
            keeps(results, kept_from, last);
            acknowledged_through += mm_random_below(&random, last - acknowledged_through + 1);
            mm_results_acknowledge(results, acknowledged_through);
            assert_int_equal(mm_results_acknowledged_through(results), acknowledged_through);
        }
        mm_results_destroy(&results);
    }
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_results, end_results)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(serials_count_from_1),
        TEST(texts_are_copied),
        TEST(what_is_not_confirmed_is_kept_however_much_it_is),
        TEST(confirmed_ones_go_beyond_the_history),
        TEST(a_confirmation_never_goes_back_nor_beyond_the_newest),
        TEST(it_knows_since_when_the_oldest_waits),
        TEST(history_begins_with_the_oldest_when_all_fit),
        TEST(history_reaches_the_newest_and_leaves_no_gap),
        TEST(it_keeps_exactly_what_may_be_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
