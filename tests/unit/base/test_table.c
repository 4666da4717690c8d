// common/base/table.h against an array that does the same slowly.

#include "random.h"
#include "table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ITEMS = 512 };

typedef struct {
    uint64_t key;
    bool there;
} item_t;

static bool has_key(const void *item, const void *key)
{
    return ((const item_t *)item)->key == *(const uint64_t *)key;
}

static size_t count_all(const mm_table_t *table)
{
    size_t count = 0;
    for (size_t at = 0; mm_table_next(table, &at);)
        count++;
    return count;
}

// Adds and removes at random, with hashes of so many different values, and looks up all each time.
static void play(uint64_t seed, uint64_t hashes)
{
    item_t items[ITEMS];
    for (uint64_t i = 0; i < ITEMS; i++)
        items[i] = (item_t){.key = i};
    mm_table_t table = {0};
    size_t count = 0;
    for (int step = 0; step < 4000; step++) {
        uint64_t number = mm_random_below(&seed, ITEMS);
        item_t *item = &items[number];
        if (item->there)
            mm_table_remove(&table, number % hashes, item);
        else
            mm_table_add(&table, number % hashes, item);
        item->there = !item->there;
        count += item->there ? 1 : (size_t)-1;
        assert_int_equal(table.count, count);
        for (uint64_t i = 0; i < ITEMS; i += 1 + mm_random_below(&seed, 16))
            assert_ptr_equal(mm_table_find(&table, i % hashes, has_key, &i),
                             items[i].there ? &items[i] : NULL);
    }
    assert_int_equal(count_all(&table), count);
    mm_table_clear(&table);
}

static void it_has_what_was_added_and_not_removed(void **state)
{
    (void)state;
    play(1, UINT64_MAX);
    play(2, 100);
}

static void equal_hashes_are_told_apart_by_their_keys(void **state)
{
    (void)state;
    play(3, 1);
    play(4, 2);
}

static void an_empty_one_has_nothing(void **state)
{
    (void)state;
    mm_table_t table = {0};
    uint64_t key = 1;
    assert_null(mm_table_find(&table, 1, has_key, &key));
    assert_int_equal(count_all(&table), 0);
    item_t item = {.key = 1};
    mm_table_add(&table, 1, &item);
    mm_table_remove(&table, 1, &item);
    assert_null(mm_table_find(&table, 1, has_key, &key));
    mm_table_clear(&table);
    assert_null(table.slots);
}

// Otherwise a search would never end.
static void a_fifth_of_its_slots_is_free(void **state)
{
    (void)state;
    static item_t items[10000];
    mm_table_t table = {0};
    for (size_t i = 0; i < 10000; i++) {
        mm_table_add(&table, i, &items[i]);
        assert_true(5 * table.count <= 4 * (table.mask + 1));
    }
    mm_table_clear(&table);
}

static void once_emptied_it_is_like_new(void **state)
{
    (void)state;
    item_t items[ITEMS];
    mm_table_t table = {0};
    mm_table_empty(&table);
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < ITEMS; i++) {
            items[i] = (item_t){.key = i};
            assert_null(mm_table_find(&table, mm_table_number(i), has_key, &i));
            mm_table_add(&table, mm_table_number(i), &items[i]);
        }
        assert_int_equal(count_all(&table), ITEMS);
        mm_table_empty(&table);
        assert_int_equal(table.count, 0);
        assert_int_equal(count_all(&table), 0);
    }
    mm_table_clear(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_what_was_added_and_not_removed),
        cmocka_unit_test(equal_hashes_are_told_apart_by_their_keys),
        cmocka_unit_test(an_empty_one_has_nothing),
        cmocka_unit_test(a_fifth_of_its_slots_is_free),
        cmocka_unit_test(once_emptied_it_is_like_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
