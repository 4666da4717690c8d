// Whose name is one of this machine's.

#include "local_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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

static bool has_publisher(const char *name, int64_t now_ms)
{
    return local_names_has_publisher(names, mm_str(name), now_ms);
}

static void a_publisher_has_its_name_until_it_was_silent_for_long(void **state)
{
    (void)state;
    assert_false(has_publisher("publisher", 1000));
    local_names_hear(names, mm_str("publisher"), 1000);
    local_names_hear(names, mm_str("publisher"), 5000);
    assert_true(has_publisher("publisher", 5000 + LOCAL_SILENT_MS - 1));
    assert_false(has_publisher("publisher", 5000 + LOCAL_SILENT_MS));
    local_names_hear(names, mm_str("publisher"), 50000);
    assert_true(has_publisher("publisher", 50000));
}

// A name may be one of each role.
static void a_worker_is_no_publisher(void **state)
{
    (void)state;
    local_names_hear(names, mm_str("one"), 1000);
    assert_false(has_worker("one"));
    local_names_open(names, mm_str("other"));
    assert_false(has_publisher("other", 1000));
}

static void of_many_publishers_the_last_ones_are_known(void **state)
{
    (void)state;
    char name[16];
    for (int i = 1; i <= 65; i++) {
        (void)snprintf(name, sizeof name, "p-%d", i);
        local_names_hear(names, mm_str(name), 1000);
    }
    assert_false(has_publisher("p-1", 1000));
    assert_true(has_publisher("p-2", 1000));
    assert_true(has_publisher("p-65", 1000));
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_worker_has_its_name_until_its_last_session_ends),
        TEST(a_name_is_no_part_of_another_one),
        TEST(a_publisher_has_its_name_until_it_was_silent_for_long),
        TEST(a_worker_is_no_publisher),
        TEST(of_many_publishers_the_last_ones_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
