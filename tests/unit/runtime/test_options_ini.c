// Tests of common/runtime/options/options_ini.c and options_print.c: what users write into files
// and get printed.

#include "options_run.h"

static void the_own_section_beats_common_wherever_it_stands(void **state)
{
    (void)state;
    write_ini("[publisher]\nlost-after = 7s\n[common]\nlost-after = 8s\nseed = 5\n");
    assert_int_equal(PARSE(PUBLISHER, "--config", ini_path), STARTED);
    assert_int_equal(options.lost_after_ms, 7000);
    assert_int_equal(options.seed, 5);
    assert_int_equal(PARSE(SAVER, "--config", ini_path), STARTED);
    assert_int_equal(options.lost_after_ms, 8000);
}

static void keys_of_other_programs_are_known_and_left_alone(void **state)
{
    (void)state;
    write_ini("[restarter]\nslots = 5\n[common]\ntimeout = 1m\n");
    assert_int_equal(PARSE(PUBLISHER, "--config", ini_path), STARTED);
    assert_int_equal(options.timeout_ms, 300000);
    assert_int_equal(PARSE(RESTARTER, "--config", ini_path), STARTED);
    assert_int_equal(options.slots, 5);
    assert_int_equal(options.timeout_ms, 60000);
}

static void the_section_of_a_run_has_what_no_program_of_the_pipeline_has(void **state)
{
    (void)state;
    write_ini("[run]\nrestarters = 5\nquiet = yes\nrestart-pause = 1s..2s\n"
              "[common]\nseed = 3\n[publisher]\nrate = 7\n");
    assert_int_equal(PARSE(RUN, "--config", ini_path), STARTED);
    assert_int_equal(options.restarters, 5);
    assert_int_equal(options.restart_pause.high_ms, 2000);
    assert_true(options.quiet);
    assert_int_equal(options.seed, 3);
    assert_true(options.rate == 0); // it is the publisher's, who reads the file itself
    setenv("MAYHEM_RESTARTERS", "6", 1);
    assert_int_equal(PARSE(RUN, "--config", ini_path), STARTED);
    assert_int_equal(options.restarters, 6);
    assert_int_equal(PARSE(RUN, "--config", ini_path, "-n7"), STARTED);
    assert_int_equal(options.restarters, 7);
    for (int program = PUBLISHER; program <= RESTARTER; program++)
        assert_int_equal(PARSE(program, "--config", ini_path), STARTED);
}

static void a_bad_line_of_a_run_is_named_as_of_any(void **state)
{
    (void)state;
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"[run]\nrestarters = 300\n",
         "mayhem run: a:2: restarters = 300: it must be from 0 to 256"},
        {"[run]\nrestartres = 1\n",
         "[run] has no key 'restartres'; the nearest one is 'restarters'"},
        {"[run]\ncap = 1\n",
         "'cap' is of a group; of the whole run it is called 'at-once', in [run]"},
        {"[run]\nrate = 1\n", "'rate' does not belong in [run] but in [publisher]"},
        {"[run]\nseed = 1\n", "'seed' does not belong in [run] but in"},
        {"[common]\nquiet = yes\n", "'quiet' does not belong in [common] but in [run]"},
        {"[saver]\nrestarters = 1\n", "'restarters' does not belong in [saver] but in [run]"},
        {"[run]\njson = yes\n", "'json' is not for files: give it as --json"},
        {"[run]\nprofile = yes\n", "'profile' is not for files: give it as --profile"},
        {"[run]\nquiet = yes\n[run]\nquiet = no\n", "a:4: 'quiet' was given in line 2 already"},
        {"restarters = 1\n", "put it under [common] or [run]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_ini(cases[i].text);
        assert_int_equal(PARSE(RUN, "--config", ini_path, "--config-name=a"), 78);
        assert_told(cases[i].told);
    }
    assert_int_equal(PARSE(SAVER, "--config", ini_path, "--config-name=a"), 78);
    assert_told("mayhem-saver: a:1: 'restarters' stands above the first section");
}

static void a_value_in_a_file_is_the_whole_rest_of_the_line(void **state)
{
    (void)state;
    char ini[1024], command[512];
    memset(command, 'x', sizeof command);
    memcpy(command, "ssh {host} ; b=c", 16);
    command[sizeof command - 1] = '\0';
    (void)snprintf(ini, sizeof ini, "\xef\xbb\xbf# first\r\n [restarter] \r\n\texec\t=  %s \r\n",
                   command);
    write_ini(ini);
    assert_int_equal(PARSE(RESTARTER, "--config", ini_path), STARTED);
    assert_string_equal(options.exec, command);
    write_ini("[restarter]\nexec: \"  {a} \\\"b\\\" \\\\ \\x09\"");
    assert_int_equal(PARSE(RESTARTER, "--config", ini_path), STARTED);
    assert_string_equal(options.exec, "  {a} \"b\" \\ \t");
}

static void a_bad_line_of_a_file_is_named_by_its_number(void **state)
{
    (void)state;
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"# one\n\n[publisher]\nrate = x\n", "a.ini:4: rate = x: a rate is a number"},
        {"[publisher]\nrate = 5 ; a comment\n", "a.ini:2: rate = 5 ; a comment: a rate"},
        {"[publisher]\nrtae = 5\n",
         "a.ini:2: [publisher] has no key 'rtae'; the nearest one is 'rate'"},
        {"[saver]\nbacth = 5\n", "a.ini:2: [saver] has no key 'bacth'; the nearest one is 'batch'"},
        {"[common]\n\nherat = 5\n", "a.ini:3: [common] has no key 'herat'"},
        {"[publisher]\nslots = 5\n",
         "a.ini:2: 'slots' does not belong in [publisher] but in [restarter]"},
        {"[common]\nrate = 5\n", "a.ini:2: 'rate' does not belong in [common] but in [publisher]"},
        {"[common]\ncheck = yes\n", "a.ini:2: 'check' is not for files: give it as --check"},
        {"[publish]\nrate = 5\n", "a.ini:2: there is no section [publish]"},
        {"rate = 5\n", "a.ini:1: 'rate' stands above the first section"},
        {"[publisher]\nrate 5\n", "a.ini:2: this is neither"},
        {"[publisher]\nrate 5\nwindow = x\nrtae = 5\n", "a.ini:2: this is neither"},
        {"[publisher]\nrate = 5\n\f6\n", "a.ini:3: this is neither"},
        {"[publisher\nrate = 5\n", "a.ini:1: this is neither"},
        {"[publisher]\nrate = 5\n  rate = 6\n", "a.ini:3: 'rate' was given in line 2 already"},
        {"[publisher]\ninput = \"a\" b\n", "a.ini:2: the value of 'input' begins with a quote"},
        {"[publisher]\ninput = \"\\n\"\n", "a.ini:2: the value of 'input' begins with a quote"},
        {"[publisher]\nheartbeat = 1s\n", "a.ini:2: heartbeat = 1s: lost-after (1500ms) must"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_ini(cases[i].text);
        assert_int_equal(PARSE(PUBLISHER, "--config", ini_path), 78);
        assert_told(cases[i].told);
    }
    write_file(ini_path, "[common]\nid = a\0b\n", 18);
    assert_int_equal(PARSE(PUBLISHER, "--config", ini_path), 78);
    assert_told("a.ini:2: it holds a zero byte");
}

static void a_file_that_cannot_be_read_is_refused(void **state)
{
    (void)state;
    assert_int_equal(PARSE(PUBLISHER, "--config", "/nonexistent/a.ini"), 78);
    assert_told("--config=/nonexistent/a.ini: cannot read it: No such file");
    assert_int_equal(PARSE(PUBLISHER, "--config", folder), 78);
    assert_told("Is a directory");
}

static void print_config_says_where_each_value_came_from(void **state)
{
    (void)state;
    write_ini("[common]\nseed = 3\n");
    setenv("MAYHEM_LEASES", "9", 1);
    assert_int_equal(PARSE(PUBLISHER, "--config", ini_path, "--rate=max", "--print-config"), 0);
    assert_non_null(strstr(out, "# flag --rate\nrate = max\n"));
    assert_non_null(strstr(out, "# environment MAYHEM_LEASES\nleases = 9\n"));
    assert_non_null(strstr(out, "a.ini:2\nseed = 3\n"));
    assert_non_null(strstr(out, "# default\nack-deadline = 3s\n"));
}

// Prints the configuration, reads what was printed as a file, and prints that: the values, but not
// where they are from, must be the same.
static void assert_round_trip(int program, char *flags[4])
{
    static char first[sizeof out];
    assert_int_equal(parse(program, "--print-config", flags[0], flags[1], flags[2], flags[3], NULL),
                     0);
    write_file(ini_path, out, strlen(out));
    strcpy(first, out);
    assert_int_equal(parse(program, "--print-config", "--config", ini_path, NULL), 0);
    char *old_rest = NULL, *new_rest = NULL;
    const char *old = strtok_r(first, "\n", &old_rest), *new = strtok_r(out, "\n", &new_rest);
    int values = 0;
    for (; old != NULL && new != NULL; values++) {
        if (*old != '#')
            assert_string_equal(old, new);
        old = strtok_r(NULL, "\n", &old_rest);
        new = strtok_r(NULL, "\n", &new_rest);
    }
    assert_null(old);
    assert_null(new);
    assert_true(values > 20);
}

static void what_print_config_prints_reads_back_as_the_same(void **state)
{
    (void)state;
    assert_round_trip(PUBLISHER, (char *[]){"--rate=0.125", "--for=90s", "--input= a ",
                                            "--run-driver=\"ssh\" # ; \\ \t\n\x7f"});
    assert_round_trip(PUBLISHER, (char *[]){"--rate=max", "--seed=9223372036854775807",
                                            "--log-format=json", "--input=\xc3\xa4=b"});
    assert_round_trip(CONSUMER,
                      (char *[]){"--backoff=0..0.5h", "--max-lease=1h", "--trace=[x]", "--id=c-2"});
    assert_round_trip(
        SAVER, (char *[]){"--inject-fail=0.0001%", "--inject-time=1ms..61s", "--db=#x", NULL});
    assert_round_trip(RESTARTER, (char *[]){"--exec=ssh {host} 'a; b' ; c", "--dry-run",
                                            "--verify=\"x\" {host}", "--exec-ok=255,0,7"});
}

#define TEST(NAME) cmocka_unit_test_teardown(NAME, free_options)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_own_section_beats_common_wherever_it_stands),
        TEST(keys_of_other_programs_are_known_and_left_alone),
        TEST(the_section_of_a_run_has_what_no_program_of_the_pipeline_has),
        TEST(a_bad_line_of_a_run_is_named_as_of_any),
        TEST(a_value_in_a_file_is_the_whole_rest_of_the_line),
        TEST(a_bad_line_of_a_file_is_named_by_its_number),
        TEST(a_file_that_cannot_be_read_is_refused),
        TEST(print_config_says_where_each_value_came_from),
        TEST(what_print_config_prints_reads_back_as_the_same),
    };
    return cmocka_run_group_tests(tests, make_options_folder, remove_temp_folder);
}
