// Tests of common/runtime/clock.h: what cannot be seen from the tests of others.

#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// Its id is a UUID with dashes (random(4)).
static void the_boot_of_this_machine_is_known(void **state)
{
    (void)state;
    char expected[MM_UUID_TEXT + 1] = "", text[MM_UUID_TEXT], found[MM_UUID_TEXT + 1];
    mm_id_t boot;
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    assert_non_null(file);
    assert_non_null(fgets(expected, sizeof expected, file));
    (void)fclose(file);
    assert_true(mm_clock_boot(&boot));
    (void)snprintf(found, sizeof found, "%s\n", mm_uuid_print(&boot, text));
    assert_string_equal(found, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_boot_of_this_machine_is_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
