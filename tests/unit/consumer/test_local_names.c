// Whose name is one of this machine's.

#include "local_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static local_names_t *names;

static int make(void **state)
{
    (void)state;
    names = local_names_new();
    return 0;
}

static int end(void **state)
{
    (void)state;
    local_names_destroy(&names);
    assert_null(names);
    return 0;
}

static bool has_worker(const char *name)
{
    return local_names_has_worker(names, mm_str(name));
}

static void a_worker_has_its_name_until_its_last_session_ends(void **state)
{
    (void)state;
    assert_false(has_worker("restarter-1"));
    local_names_open(names, mm_str("restarter-1"));
    local_names_open(names, mm_str("restarter-1"));
    local_names_close(names, mm_str("restarter-1"));
    assert_true(has_worker("restarter-1"));
    local_names_close(names, mm_str("restarter-1"));
    assert_false(has_worker("restarter-1"));
}

static void a_name_is_no_part_of_another_one(void **state)
{
    (void)state;
    local_names_open(names, mm_str("restarter-1"));
    local_names_open(names, mm_str("saver"));
    assert_true(has_worker("saver"));
    assert_false(has_worker("restarter-12"));
    assert_false(has_worker("restarter-"));
    assert_false(has_worker(""));
    local_names_close(names, mm_str("saver"));
    assert_true(has_worker("restarter-1"));
    assert_false(has_worker("saver")); // the other one stays to the end
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_worker_has_its_name_until_its_last_session_ends),
        TEST(a_name_is_no_part_of_another_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
