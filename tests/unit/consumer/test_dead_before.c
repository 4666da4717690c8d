// Tests of consumer/core/dead_before.c.

#include "dead_before.h"
#include "string_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void the_first_number_with_our_epoch_is_final(void **state)
{
    (void)state;
    dead_before_t before = {0};
    dead_before_hear(&before, mm_str("p1"), false, 1);
    assert_int_equal(before.sum, 1);
    dead_before_hear(&before, mm_str("p1"), false, 3); // still of a former consumer
    assert_int_equal(before.sum, 3);
    dead_before_hear(&before, mm_str("p1"), true, 2);
    assert_int_equal(before.sum, 2);
    dead_before_hear(&before, mm_str("p1"), true, 7);
    dead_before_hear(&before, mm_str("p1"), false, 9);
    assert_int_equal(before.sum, 2);
    dead_before_clear(&before);
}

static void publishers_add_up_whatever_they_claim(void **state)
{
    (void)state;
    dead_before_t before = {0};
    dead_before_hear(&before, mm_str("p1"), true, UINT64_MAX);
    dead_before_hear(&before, mm_str("p2"), true, UINT64_MAX);
    dead_before_hear(&before, mm_str("p3"), true, 1);
    assert_int_equal(before.sum, 2 * (uint64_t)UINT32_MAX + 1);
    dead_before_hear(&before, mm_str(""), true, 1); // no names
    dead_before_hear(&before, mm_str("a b"), true, 1);
    assert_int_equal(before.sum, 2 * (uint64_t)UINT32_MAX + 1);
    dead_before_clear(&before);
    assert_int_equal(before.sum, 0);
}

static void so_many_are_remembered_and_no_more(void **state)
{
    (void)state;
    dead_before_t before = {0};
    char name[16];
    for (int i = 0; i < DEAD_BEFORE_MAX + 5; i++) {
        (void)snprintf(name, sizeof name, "p%d", i);
        dead_before_hear(&before, mm_str(name), true, 1);
        dead_before_hear(&before, mm_str(name), true, 2);
    }
    assert_int_equal(before.sum, DEAD_BEFORE_MAX);
    dead_before_clear(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_number_with_our_epoch_is_final),
        cmocka_unit_test(publishers_add_up_whatever_they_claim),
        cmocka_unit_test(so_many_are_remembered_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
