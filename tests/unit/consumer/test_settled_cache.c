// What the consumer remembers of jobs that are not in flight: bounded, the oldest go first.

#include "job.h"
#include "random.h"
#include "settled_cache.h"
#include "uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static settled_cache_t cache;

static int new_memory(void **state)
{
    (void)state;
    cache = (settled_cache_t){.settled.most = 3, .nacked.most = 2};
    return 0;
}

static int clear_memory(void **state)
{
    (void)state;
    settled_cache_clear(&cache);
    assert_null(cache.table.slots);
    return 0;
}

static mm_id_t id_of(unsigned number)
{
    mm_id_t id = {{0}};
    id.bytes[14] = (uint8_t)(number >> 8);
    id.bytes[15] = (uint8_t)number;
    return id;
}

static settled_item_t *put(unsigned number, mm_outcome_t outcome)
{
    mm_id_t id = id_of(number);
    return settled_cache_put(&cache, &id, outcome);
}

static settled_item_t *find(unsigned number)
{
    mm_id_t id = id_of(number);
    return settled_cache_find(&cache, &id);
}

static void newest_dropped_is(unsigned number)
{
    mm_id_t id = id_of(number);
    assert_true(mm_id_equal(&cache.newest_dropped, &id));
}

static void what_was_put_is_found(void **state)
{
    (void)state;
    put(1, MM_OUTCOME_RESTARTED)->attempts = 4;
    put(2, MM_OUTCOME_NONE)->restarted = true;
    assert_int_equal(find(1)->outcome, MM_OUTCOME_RESTARTED);
    assert_int_equal(find(1)->attempts, 4);
    assert_int_equal(find(2)->outcome, MM_OUTCOME_NONE);
    assert_true(find(2)->restarted);
    assert_null(find(3));
}

static void the_oldest_settled_go_first(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 5; i++)
        put(i, i % 2 ? MM_OUTCOME_RESTARTED : MM_OUTCOME_DEAD);
    assert_int_equal(cache.settled.items.count, 3);
    assert_null(find(1));
    assert_null(find(2));
    for (unsigned i = 3; i <= 5; i++)
        assert_non_null(find(i));
    newest_dropped_is(2);
}

static void newest_dropped_is_the_highest_id_not_the_last(void **state)
{
    (void)state;
    newest_dropped_is(0);
    const unsigned numbers[] = {9, 4, 7, 10, 11, 12};
    for (size_t i = 0; i < 3; i++)
        put(numbers[i], MM_OUTCOME_RESTARTED);
    newest_dropped_is(0);
    for (size_t i = 3; i < 6; i++) {
        put(numbers[i], MM_OUTCOME_RESTARTED);
        newest_dropped_is(9);
    }
}

static void nacked_ones_have_a_limit_of_their_own(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 3; i++)
        put(i, MM_OUTCOME_RESTARTED);
    for (unsigned i = 11; i <= 14; i++)
        put(i, MM_OUTCOME_NONE);
    assert_int_equal(cache.nacked.items.count, 2);
    assert_int_equal(cache.settled.items.count, 3);
    assert_null(find(12));
    assert_non_null(find(13));
    assert_non_null(find(1));
    newest_dropped_is(0); // only of settled ones
}

static void putting_again_makes_it_the_newest_and_keeps_its_facts(void **state)
{
    (void)state;
    put(1, MM_OUTCOME_RESTARTED)->attempts = 2;
    put(2, MM_OUTCOME_RESTARTED);
    put(3, MM_OUTCOME_RESTARTED);
    assert_int_equal(put(1, MM_OUTCOME_RESTARTED)->attempts, 2);
    assert_int_equal(cache.settled.items.count, 3);
    put(4, MM_OUTCOME_RESTARTED);
    assert_null(find(2));
    assert_non_null(find(1));
}

static void a_nacked_job_that_settles_changes_sides_within_the_limits(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 3; i++)
        put(i, MM_OUTCOME_RESTARTED);
    for (unsigned i = 11; i <= 20; i++) {
        settled_item_t *item = put(i, MM_OUTCOME_NONE);
        item->attempts = i;
        assert_ptr_equal(put(i, MM_OUTCOME_DEAD), item);
        assert_int_equal(item->attempts, i);
        assert_int_equal(cache.nacked.items.count, 0);
        assert_int_equal(cache.settled.items.count, 3);
    }
    newest_dropped_is(17);
}

static void an_error_is_copied_and_cleared(void **state)
{
    (void)state;
    char error[] = "no route";
    settled_item_t *item = put(1, MM_OUTCOME_DEAD);
    settled_cache_set_error(item, error);
    memset(error, 'x', sizeof error);
    assert_string_equal(item->error, "no route");
    settled_cache_set_error(item, "");
    assert_null(item->error);
    settled_cache_set_error(item, "again");
    settled_cache_set_error(item, NULL);
    assert_null(item->error);
    settled_cache_set_error(item, "kept to the end");
}

static void what_is_removed_is_gone(void **state)
{
    (void)state;
    settled_cache_set_error(put(1, MM_OUTCOME_DEAD), "no route");
    put(2, MM_OUTCOME_NONE);
    settled_cache_remove(&cache, find(1));
    settled_cache_remove(&cache, find(2));
    assert_null(find(1));
    assert_null(find(2));
    assert_int_equal(cache.settled.items.count, 0);
    assert_int_equal(cache.nacked.items.count, 0);
    newest_dropped_is(0); // it was not dropped for want of room
}

// Whatever happens, the counts are those of the lists and within the limits.
static void it_stays_within_its_bounds(void **state)
{
    (void)state;
    uint64_t random = 42;
    cache.settled.most = 20;
    cache.nacked.most = 10;
    for (int turn = 0; turn < 20000; turn++) {
        unsigned number = (unsigned)mm_random_below(&random, 60);
        if (mm_random_below(&random, 4) > 0)
            put(number, (mm_outcome_t)mm_random_below(&random, 3));
        else if (find(number))
            settled_cache_remove(&cache, find(number));
        assert_in_range(cache.settled.items.count, 0, 20);
        assert_in_range(cache.nacked.items.count, 0, 10);
        assert_int_equal(cache.table.count, cache.settled.items.count + cache.nacked.items.count);
    }
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_memory, clear_memory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_is_found),
        TEST(the_oldest_settled_go_first),
        TEST(newest_dropped_is_the_highest_id_not_the_last),
        TEST(nacked_ones_have_a_limit_of_their_own),
        TEST(putting_again_makes_it_the_newest_and_keeps_its_facts),
        TEST(a_nacked_job_that_settles_changes_sides_within_the_limits),
        TEST(an_error_is_copied_and_cleared),
        TEST(what_is_removed_is_gone),
        TEST(it_stays_within_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
