// Tests of ctl/target.h: which key may be used where, and what is said of one that may not.

#include "target.h"
#include "temp_folder.h"

#include <zmq.h>

static char error[MM_ERROR_MAX], path[TEMP_PATH_MAX];

static int set_up(void **state)
{
    (void)state;
    make_temp_folder();
    temp_path(path, "a.key");
    (void)unsetenv("MAYHEM_DIR");
    (void)unsetenv("MAYHEM_CONSUMER");
    (void)unsetenv("MAYHEM_KEY");
    return 0;
}

// Writes the file of a key that ends then.
static void write_key(mm_key_role_t role, int64_t not_after_ms)
{
    mm_key_t key = {.role = role, .server_count = 1, .not_after_ms = not_after_ms};
    char secret[MM_KEY_TEXT];
    assert_int_equal(zmq_curve_keypair(key.server_keys[0], secret), 0);
    mm_key_draw(&key);
    strcpy(key.name.text, "anna");
    assert_int_equal(mm_key_write(&key, path, true, error), 0);
}

static target_t far_away(void)
{
    return (target_t){.consumer = "tcp://192.0.2.1:7000", .key_file = path};
}

static void says(const char *part)
{
    if (!strstr(error, part))
        fail_msg("\"%s\" is not in: %s", part, error);
}

static void far_away_needs_a_key(void **state)
{
    (void)state;
    target_t target = {.consumer = "tcp://192.0.2.1:7000"};
    assert_false(target_resolve(&target, error));
    says("needs a key");
    write_key(MM_KEY_VIEWER, INT64_MAX);
    target = far_away();
    assert_true(target_resolve(&target, error));
    assert_string_equal(target_key(&target)->name.text, "anna");
    char argument[TARGET_ARGUMENT], expected[TEMP_PATH_MAX + 64];
    (void)snprintf(expected, sizeof expected, " --consumer tcp://192.0.2.1:7000 --key %s", path);
    assert_string_equal(target_argument(&target, argument), expected);
}

static void a_key_may_do_what_its_role_says(void **state)
{
    (void)state;
    target_t target = far_away();
    write_key(MM_KEY_RESTARTER, INT64_MAX);
    assert_false(target_resolve(&target, error));
    says("is of a restarter, and this needs one of a viewer or an operator");
    write_key(MM_KEY_VIEWER, INT64_MAX);
    target = far_away();
    target.gives_orders = true;
    assert_false(target_resolve(&target, error));
    says("is of a viewer, and this needs one of an operator");
    write_key(MM_KEY_OPERATOR, INT64_MAX);
    target = far_away();
    target.gives_orders = true;
    assert_true(target_resolve(&target, error));
    target = far_away();
    assert_true(target_resolve(&target, error));
}

static void one_that_has_ended_is_refused(void **state)
{
    (void)state;
    int64_t not_after_ms;
    assert_true(mm_key_date(mm_str("2020-01-01"), &not_after_ms));
    write_key(MM_KEY_VIEWER, not_after_ms);
    target_t target = far_away();
    assert_false(target_resolve(&target, error));
    says("has ended");
}

static void on_ipc_there_are_no_keys(void **state)
{
    (void)state;
    write_key(MM_KEY_VIEWER, INT64_MAX);
    target_t target = {.dir = "run", .key_file = path};
    assert_false(target_resolve(&target, error));
    says("takes no key");
    assert_int_equal(setenv("MAYHEM_KEY", path, 1), 0);
    target = (target_t){.dir = "run"};
    assert_true(target_resolve(&target, error));
    assert_null(target_key(&target));
    target = (target_t){.consumer = "tcp://192.0.2.1:7000"};
    assert_true(target_resolve(&target, error));
    assert_non_null(target_key(&target));
    assert_int_equal(unsetenv("MAYHEM_KEY"), 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, remove_temp_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(far_away_needs_a_key),
        TEST(a_key_may_do_what_its_role_says),
        TEST(one_that_has_ended_is_refused),
        TEST(on_ipc_there_are_no_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
