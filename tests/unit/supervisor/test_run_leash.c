// When a run is leashed, and what its programs are told then. The restarter is the real one.

#include "settings_read.h"

#define POLICY "[group web]\ncap = 1\n"

static void assert_leashed(void)
{
    assert_true(settings.is_leashed);
    assert_true(settings.options.dry_run);
    assert_string_equal(settings.dir, "run.dry");
    assert_string_equal(value_of(RESTARTER, "--dry-run="), "yes");
    assert_string_equal(value_of(CONSUMER, "--dry-run="), "yes");
    for (int program = 0; program < MM_PROGRAMS; program++)
        assert_string_equal(value_of(program, "--dir="), "run.dry");
    assert_string_equal(value_of(PUBLISHER, "--run-driver="), "exec: true {host} (dry run)");
}

static void assert_free(void)
{
    assert_false(settings.is_leashed);
    assert_false(settings.options.dry_run);
    assert_string_equal(settings.dir, "run");
    assert_int_equal(count_of(RESTARTER, "--dry-run=yes"), 0);
    assert_int_equal(count_of(CONSUMER, "--dry-run=yes"), 0);
    assert_string_equal(value_of(PUBLISHER, "--run-driver="), "exec: true {host}");
}

static int new_hosts(void **state)
{
    int rc = new_folder(state);
    write_text("hosts", "web-1 groups=web\n");
    return rc;
}

static void a_policy_in_a_file_and_a_real_driver_are_leashed(void **state)
{
    (void)state;
    static const char *const policies[] = {POLICY, "[run]\nmax-unavailable = 1\n",
                                           "[consumer]\nbreaker = 3/3\n",
                                           "[common]\nwindow = daily 22:00 +6h UTC\n"};
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        write_text("a.ini", policies[i]);
        assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini"));
        assert_leashed();
    }
    write_text("a.ini", POLICY "[restarter]\nexec = true {host}\n"); // wherever it is named
    assert_read(READ("-i", "hosts", "--config=a.ini"));
    assert_leashed();
}

static void unleash_restarts_for_real(void **state)
{
    (void)state;
    write_text("a.ini", POLICY);
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini", "--unleash"));
    assert_free();
    write_text("a.ini", POLICY "[run]\nunleash = yes\n");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini"));
    assert_free();
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini", "--unleash=no"));
    assert_leashed();
}

// That it is no dry run is no word about the leash.
static void no_dry_run_does_not_unleash(void **state)
{
    (void)state;
    write_text("a.ini", POLICY);
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini", "--dry-run=no"));
    assert_leashed();
    write_text("a.ini", POLICY "[restarter]\ndry-run = no\n");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini"));
    assert_leashed();
}

static void without_a_policy_in_a_file_there_is_no_leash(void **state)
{
    (void)state;
    write_text("a.ini", "[common]\nattempts = 3\n");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini"));
    assert_free();
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--max-unavailable=1"));
    assert_free();
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini", "--max-unavailable=1"));
    assert_free();
    write_text("a.ini", "[run]\nat-once = 3\n"); // a number is no policy
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini"));
    assert_free();
}

static void the_mock_and_a_dry_run_need_none(void **state)
{
    (void)state;
    write_text("a.ini", POLICY);
    assert_read(READ("-i", "hosts", "--mock", "--config=a.ini"));
    assert_false(settings.is_leashed);
    assert_string_equal(settings.dir, "run");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini", "--dry-run"));
    assert_false(settings.is_leashed);
    assert_true(settings.options.dry_run);
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini", "--dry-run",
                     "--unleash")); // who asks for one gets one
    assert_true(settings.options.dry_run);
    assert_string_equal(value_of(RESTARTER, "--dry-run="), "yes");
}

static void a_dry_run_of_the_restarters_section_has_its_folder_too(void **state)
{
    (void)state;
    write_text("a.ini", "[restarter]\ndry-run = yes\n");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini"));
    assert_false(settings.is_leashed);
    assert_true(settings.options.dry_run);
    assert_string_equal(settings.dir, "run.dry");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini", "--dry-run=no"));
    assert_free();
}

static void a_folder_that_is_named_stays(void **state)
{
    (void)state;
    write_text("a.ini", POLICY);
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini", "--dir=there"));
    assert_true(settings.is_leashed);
    assert_string_equal(settings.dir, "there");
    assert_string_equal(value_of(RESTARTER, "--dry-run="), "yes");
}

// A guard is a command, too.
static void a_dry_run_asks_no_guard(void **state)
{
    (void)state;
    write_text("a.ini", POLICY "[run]\nguard = true\n");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini"));
    assert_leashed();
    assert_false(settings.policy.has_guard);
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini", "--unleash"));
    assert_true(settings.policy.has_guard);
}

#define LEASH_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_hosts, end_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEASH_TEST(a_policy_in_a_file_and_a_real_driver_are_leashed),
        LEASH_TEST(unleash_restarts_for_real),
        LEASH_TEST(no_dry_run_does_not_unleash),
        LEASH_TEST(without_a_policy_in_a_file_there_is_no_leash),
        LEASH_TEST(the_mock_and_a_dry_run_need_none),
        LEASH_TEST(a_dry_run_of_the_restarters_section_has_its_folder_too),
        LEASH_TEST(a_folder_that_is_named_stays),
        LEASH_TEST(a_dry_run_asks_no_guard),
    };
    return cmocka_run_group_tests_name("run_leash", tests, find_programs, forget_programs);
}
