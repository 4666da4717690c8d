// Memory of things that come and go: apart from each other, zero, and used again.

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pool.h"

static void things_are_apart_and_zero(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static unsigned char *things[COUNT];
    static const unsigned char zeros[MM_POOL_MAX];
    mm_pool_t pool = {0};
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            size_t size = 1 + i * 7 % MM_POOL_MAX;
            things[i] = mm_pool_take(&pool, size);
            assert_int_equal((uintptr_t)things[i] % 16, 0);
            assert_memory_equal(things[i], zeros, size);
            memset(things[i], (int)(i % 255 + 1), size);
        }
        for (size_t i = 0; i < COUNT; i++) {
            size_t size = 1 + i * 7 % MM_POOL_MAX;
            for (size_t at = 0; at < size; at++)
                assert_int_equal(things[i][at], i % 255 + 1);
            mm_pool_put(&pool, things[i], size);
        }
    }
    mm_pool_clear(&pool);
    assert_null(pool.blocks);
}

static void what_was_given_back_is_used_again(void **state)
{
    (void)state;
    mm_pool_t pool = {0};
    void *first = mm_pool_take(&pool, 100);
    void *other = mm_pool_take(&pool, 100);
    mm_pool_put(&pool, first, 100);
    assert_ptr_not_equal(mm_pool_take(&pool, 200), first);
    assert_ptr_equal(mm_pool_take(&pool, 97), first); // about the same size
    assert_ptr_not_equal(mm_pool_take(&pool, 100), other);
    mm_pool_clear(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(things_are_apart_and_zero),
        cmocka_unit_test(what_was_given_back_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
