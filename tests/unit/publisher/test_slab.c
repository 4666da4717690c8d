// Memory of things that come and go: apart from each other, zero, and used again.

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "slab.h"

static void things_are_apart_and_zero(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static unsigned char *things[COUNT];
    static const unsigned char zeros[SLAB_MAX];
    slab_t slab = {0};
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            size_t size = 1 + i * 7 % SLAB_MAX;
            things[i] = slab_take(&slab, size);
            assert_int_equal((uintptr_t)things[i] % 16, 0);
            assert_memory_equal(things[i], zeros, size);
            memset(things[i], (int)(i % 255 + 1), size);
        }
        for (size_t i = 0; i < COUNT; i++) {
            size_t size = 1 + i * 7 % SLAB_MAX;
            for (size_t at = 0; at < size; at++)
                assert_int_equal(things[i][at], i % 255 + 1);
            slab_give(&slab, things[i], size);
        }
    }
    slab_clear(&slab);
    assert_null(slab.blocks);
}

static void what_was_given_back_is_used_again(void **state)
{
    (void)state;
    slab_t slab = {0};
    void *first = slab_take(&slab, 100);
    void *other = slab_take(&slab, 100);
    slab_give(&slab, first, 100);
    assert_ptr_not_equal(slab_take(&slab, 200), first);
    assert_ptr_equal(slab_take(&slab, 97), first); // about the same size
    assert_ptr_not_equal(slab_take(&slab, 100), other);
    slab_clear(&slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(things_are_apart_and_zero),
        cmocka_unit_test(what_was_given_back_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
