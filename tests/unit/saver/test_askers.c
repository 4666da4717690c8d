// Whether another consumer hears restarters (A8).

#include "askers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void only_what_others_say_counts(void **state)
{
    (void)state;
    askers_t askers = {0};
    assert_false(askers_hear_elsewhere(&askers, 7, 1000));
    askers_hear(&askers, 7, true, 1000);
    assert_false(askers_hear_elsewhere(&askers, 7, 1000));
    assert_true(askers_hear_elsewhere(&askers, 8, 1000));
    askers_hear(&askers, 8, false, 1000);
    assert_false(askers_hear_elsewhere(&askers, 7, 1000));
    askers_hear(&askers, 8, true, 1100);
    assert_true(askers_hear_elsewhere(&askers, 7, 1100));
}

static void what_was_said_long_ago_counts_no_more(void **state)
{
    (void)state;
    askers_t askers = {0};
    askers_hear(&askers, 8, true, 1000);
    askers_hear(&askers, 8, false, 3900); // one look without is not yet silence
    assert_true(askers_hear_elsewhere(&askers, 7, 1000 + ASKERS_MS - 1));
    assert_false(askers_hear_elsewhere(&askers, 7, 1000 + ASKERS_MS));
}

static void of_many_the_oldest_is_forgotten(void **state)
{
    (void)state;
    askers_t askers = {0};
    askers_hear(&askers, 100, true, 1);
    for (uint64_t i = 1; i <= ASKERS_MAX; i++)
        askers_hear(&askers, 200 + i, false, 1 + (int64_t)i);
    assert_false(askers_hear_elsewhere(&askers, 7, 100));
    askers_hear(&askers, 300, true, 100); // in the place of another one: nothing of that is left
    assert_true(askers_hear_elsewhere(&askers, 7, 100));
    assert_false(askers_hear_elsewhere(&askers, 300, 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_others_say_counts),
        cmocka_unit_test(what_was_said_long_ago_counts_no_more),
        cmocka_unit_test(of_many_the_oldest_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
