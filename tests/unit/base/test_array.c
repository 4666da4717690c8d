// Tests of common/base/array.h.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "array.h"

typedef struct {
    int *items;
    size_t count;
    size_t capacity;
} numbers_t;

static void an_empty_array_takes_its_first_items_at_once(void **state)
{
    (void)state;
    numbers_t numbers = {0};
    *MM_ARRAY_ADD(numbers.items, numbers.count, numbers.capacity) = 7;
    assert_int_equal(numbers.count, 1);
    assert_int_equal(numbers.capacity, MM_ARRAY_FIRST);
    assert_int_equal(numbers.items[0], 7);
    free(numbers.items);
}

static void items_stay_when_it_grows(void **state)
{
    (void)state;
    numbers_t numbers = {0};
    for (int i = 0; i < 1000; i++)
        *MM_ARRAY_ADD(numbers.items, numbers.count, numbers.capacity) = i;
    assert_int_equal(numbers.count, 1000);
    assert_int_equal(numbers.capacity, 1024);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers.items[i], i);
    free(numbers.items);
}

static void what_is_reserved_is_not_reserved_again(void **state)
{
    (void)state;
    numbers_t numbers = {0};
    numbers.items = mm_array_reserve(numbers.items, &numbers.capacity, 100, sizeof(int));
    int *before = numbers.items;
    assert_int_equal(numbers.capacity, 100);
    numbers.items = mm_array_reserve(numbers.items, &numbers.capacity, 100, sizeof(int));
    assert_ptr_equal(numbers.items, before);
    assert_int_equal(numbers.capacity, 100);
    free(numbers.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_array_takes_its_first_items_at_once),
        cmocka_unit_test(items_stay_when_it_grows),
        cmocka_unit_test(what_is_reserved_is_not_reserved_again),
    };
    return cmocka_run_group_tests_name("array", tests, NULL, NULL);
}
