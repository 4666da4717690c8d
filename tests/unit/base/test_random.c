// The generator of chance gives the sequence that its paper gives: traces and seeds stay good.

#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void it_is_splitmix64(void **state)
{
    (void)state;
    const uint64_t expected[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                 UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
                                 UINT64_C(16408922859458223821)};
    uint64_t seed = 1234567;
    for (size_t i = 0; i < 5; i++)
        assert_true(mm_random_next(&seed) == expected[i]);
}

static void below_reaches_every_value_and_no_other(void **state)
{
    (void)state;
    uint64_t seed = 42;
    unsigned counts[7] = {0};
    for (int i = 0; i < 7000; i++) {
        uint64_t value = mm_random_below(&seed, 7);
        assert_true(value < 7);
        counts[value]++;
    }
    for (size_t i = 0; i < 7; i++)
        assert_in_range(counts[i], 850, 1150);
    assert_int_equal(mm_random_below(&seed, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_splitmix64),
        cmocka_unit_test(below_reaches_every_value_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
