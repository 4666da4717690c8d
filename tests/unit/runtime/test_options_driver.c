// --driver and --mock: what a driver's file sets, and what is said when it cannot be meant.

#include "options_run.h"

static const char driver[] = "# soft, then hard\n"
                             "[driver]\n"
                             "restart = ssh {host} reboot\n"
                             "identify = ssh {host} cat ids ; still it\n"
                             "restart = ipmi {bmc} reset\n"
                             "health = \"ssh {host} is-well\"\n"
                             "timeout = 2m\n"
                             "verify-timeout = 3m\n"
                             "settle = 7s\n"
                             "exec-ok = 0,255\n";

static char flag[TEMP_PATH_MAX + 16]; // --driver=FILE

static void write_driver(const char *text)
{
    char path[TEMP_PATH_MAX];
    temp_path(path, "my.ini");
    write_file(path, text, strlen(text));
    (void)snprintf(flag, sizeof flag, "--driver=%s", path);
}

static void its_values_are_those_of_the_options(void **state)
{
    (void)state;
    write_driver(driver);
    assert_int_equal(PARSE(RESTARTER, flag), STARTED);
    assert_int_equal(options.restart_count, 2);
    assert_string_equal(options.restarts[0], "ssh {host} reboot");
    assert_string_equal(options.restarts[1], "ipmi {bmc} reset");
    assert_string_equal(options.exec, "ssh {host} reboot");
    assert_string_equal(options.identify, "ssh {host} cat ids ; still it");
    assert_string_equal(options.health, "ssh {host} is-well");
    assert_int_equal(options.timeout_ms, 120000);
    assert_int_equal(options.verify_timeout_ms, 180000);
    assert_int_equal(options.settle_ms, 7000);
    assert_int_equal(options.exec_ok.count, 2);
    assert_int_equal(options.exec_ok.bits[31], 0x80);
    assert_int_equal(options.slots, 16);
}

static void the_consumer_has_its_times(void **state)
{
    (void)state;
    write_driver(driver);
    assert_int_equal(PARSE(CONSUMER, flag), STARTED);
    assert_int_equal(options.timeout_ms, 120000);
    assert_int_equal(options.verify_timeout_ms, 180000);
    assert_int_equal(options.restart_count, 0);
}

static void every_other_source_counts_more(void **state)
{
    (void)state;
    write_driver(driver);
    write_ini("[common]\ntimeout = 1m\n[restarter]\nsettle = 0s\n");
    assert_int_equal(
        PARSE(RESTARTER, flag, "--config", ini_path, "--exec=mine {host}", "--identify=who {host}"),
        STARTED);
    assert_string_equal(options.exec, "mine {host}");
    assert_int_equal(options.restart_count, 0); // of the whole list
    assert_string_equal(options.identify, "who {host}");
    assert_string_equal(options.health, "ssh {host} is-well");
    assert_int_equal(options.timeout_ms, 60000);
    assert_int_equal(options.verify_timeout_ms, 180000);
    assert_int_equal(options.settle_ms, 0);
}

static void a_bad_one_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"[driver]\nrestart = x {host}\ntimeout = 5\n", "my.ini:3: timeout = 5: "},
        {"restart = x {host}\n", "my.ini:1: 'restart' stands above the first section"},
        {"[restarter]\nexec = x {host}\n", "a driver has one section, [driver]"},
        {"[driver]\nexec = x {host}\n", "a driver has no key 'exec'; it has restart, "},
        {"[driver]\nrestart =\n", "my.ini:2: 'restart' is empty"},
        {"[driver]\nrestart = x {host}\nallow-unreachable = yes\n", "it needs identify"},
        {"[driver]\nrestart = x {host}\nallow-unreachable = maybe\n", "allow-unreachable = maybe"},
        {"[driver]\nrestart = x {host}\nbefore = cordon all\n", "it names no host"},
        {"[driver]\nrestart = x {host}\nafter = uncordon all\n", "it names no host"},
        {"[driver]\nrestart = x {host}\nskip-if = false\n", "it names no host"},
        {"[driver]\nidentify = x {host}\n", "it has no command that restarts a host"},
        {"[driver]\nrestart = x {host}\nrestart = all of them\n",
         "my.ini:3: restart = all of them: it names no host"},
        {"[driver]\nrestart = x {host}\nhealth = y {host}\n", "it needs identify"},
        {"[driver]\nsettle = 1s\nsettle = 2s\n", "'settle' was given in line 2 already"},
        {"[driver]\nrestart\n", "neither a [section] nor key = value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_driver(cases[i].text);
        assert_int_not_equal(PARSE(RESTARTER, flag), STARTED);
        assert_told(cases[i].told);
    }
    assert_int_equal(PARSE(RESTARTER, "--driver=/nowhere/my.ini"), 78);
    assert_told("--driver=/nowhere/my.ini: cannot read it: No such file or directory");
}

static void a_settle_that_is_too_long_is_refused(void **state)
{
    (void)state;
    write_driver("[driver]\nrestart = x {host}\nidentify = y {host}\nverify-timeout = 30s\n"
                 "settle = 30001ms\n");
    assert_int_equal(PARSE(RESTARTER, flag), 78);
    assert_told(
        "my.ini:5: settle = 30001ms: settle (30001ms) must be at most verify-timeout (30s)");
    assert_int_equal(PARSE(RESTARTER, flag, "--settle=31s"), 64);
    assert_told("--settle=31s: settle (31s) must be at most");
    assert_int_equal(PARSE(RESTARTER, flag, "--settle=30s"), STARTED);
    assert_int_equal(PARSE(RESTARTER, flag, "--identify="), STARTED);
    assert_int_equal(
        PARSE(RESTARTER, "--exec=x {host}", "--identify=y {host}", "--verify-timeout=20s"), 64);
    assert_told("--verify-timeout=20s: settle (30s) must be at most");
}

static void of_the_mock_and_commands_the_stronger_source_counts(void **state)
{
    (void)state;
    write_ini("[restarter]\nexec = reboot {host}\nverify = up {host}\n[common]\ndriver = ssh\n");
    assert_int_equal(PARSE(RESTARTER, "--config", ini_path, "--mock"), STARTED);
    assert_true(options.mock);
    assert_string_equal(options.exec, "");
    assert_string_equal(options.verify, "");
    assert_int_equal(options.slots, 256);
    assert_int_equal(PARSE(RESTARTER, "--config", ini_path, "--driver=mock"), STARTED);
    assert_true(options.mock);
    write_ini("[restarter]\nmock = yes\n");
    assert_int_equal(PARSE(RESTARTER, "--config", ini_path, "--exec=x {host}"), STARTED);
    assert_false(options.mock);
    assert_string_equal(options.exec, "x {host}");
    assert_int_equal(PARSE(RESTARTER, "--mock", "--exec=x {host}"), 64);
    assert_told("it restarts nothing");
    assert_int_equal(PARSE(RESTARTER, "--mock", "--driver=ssh"), 64);
    assert_told("it restarts nothing");
    assert_int_equal(PARSE(RESTARTER, "--driver=mock", "--exec=x {host}"), 64);
    assert_told("it restarts nothing");
    assert_int_equal(PARSE(RESTARTER, "--mock", "--verify=x {host}"), 64);
    assert_told("needs --exec or --driver");
}

#define TEST(NAME) cmocka_unit_test_teardown(NAME, free_options)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_values_are_those_of_the_options),
        TEST(the_consumer_has_its_times),
        TEST(every_other_source_counts_more),
        TEST(a_settle_that_is_too_long_is_refused),
        TEST(a_bad_one_is_named_with_its_line),
        TEST(of_the_mock_and_commands_the_stronger_source_counts),
    };
    return cmocka_run_group_tests(tests, make_options_folder, remove_temp_folder);
}
