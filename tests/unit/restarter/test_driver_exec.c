// The exec driver with real commands: outcomes, timeouts, verify, the stop.

#include "commands_run.h"

#include <sys/resource.h>

static void a_command_that_exits_with_0_is_ok(void **state)
{
    (void)state;
    ended_t ended = run_once("sh -c 'echo all is well'");
    assert_ok(&ended, "exit=0");
}

static void an_exit_code_and_the_last_output_are_the_error(void **state)
{
    (void)state;
    ended_t ended = run_once("sh -c 'echo starting; echo no such host >&2; exit 3'");
    assert_failed(&ended, "exit 3: starting | no such host");
    assert_string_equal(ended.evidence, "exit=3");
    ended = run_once("false");
    assert_failed(&ended, "exit 1");
}

static void a_signal_is_told_from_an_exit_code(void **state)
{
    (void)state;
    ended_t ended = run_once("sh -c 'echo oops; kill -9 $$'");
    assert_failed(&ended, "killed by signal 9: oops");
    assert_string_equal(ended.evidence, "signal=9");
    ended = run_once("sh -c 'exit 137'");
    assert_failed(&ended, "exit 137");
}

static void placeholders_reach_the_command(void **state)
{
    (void)state;
    ended_t ended = run_once("sh -c 'echo $1,$2,$3; exit 1' x root@{host} {job} {attempt}");
    assert_failed(&ended, "exit 1: root@web-7,01935a00000000000000000000000017,2");
}

static void a_command_that_cannot_be_executed_says_why(void **state)
{
    (void)state;
    skip_under_valgrind();
    char folder[] = "/tmp/mm-exec-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    (void)snprintf(path, sizeof path, "%s/restart", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
    assert_true(fd >= 0);
    assert_true(write(fd, "#!/nowhere/sh\n", 14) == 14);
    (void)close(fd);

    driver_t *driver = new_driver(path, "true", 1);
    start(driver, 1, 0);
    ended_t ended = wait_finished(driver, 0);
    char expected[128];
    (void)snprintf(expected, sizeof expected, "cannot start %s: No such file or directory", path);
    assert_returned(&ended, expected); // it is no fault of the host
    driver_destroy(&driver);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void a_command_gets_term_2_s_before_its_end_and_kill_then(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver =
        new_scripts(fixture,
                    "trap 'echo term >&9' TERM; exec 9>$1; echo on my way; sleep 1000 & "
                    "echo ready >&9; wait; sleep 1000",
                    NULL, 1);
    start(driver, 1, 1000);
    assert_line(fixture, "ready");
    int64_t now_ms = 1000 + TERM_MS;
    assert_true(driver_deadline(driver) == now_ms);
    driver_step(driver, now_ms - 1);
    assert_somebody_lives(fixture);
    driver_step(driver, now_ms);
    assert_line(fixture, "term");
    assert_true(driver_deadline(driver) == now_ms + 2000);
    driver_step(driver, now_ms + 1999);
    assert_true(driver_deadline(driver) == now_ms + 2000);
    driver_step(driver, now_ms + 2000);
    ended_t ended = wait_finished(driver, now_ms + 2001);
    assert_failed(&ended, "timed out after 5m: on my way");
    assert_int_equal(ended.took_ms, 5 * MINUTE + 1);
    assert_string_equal(ended.evidence, "signal=9");
    assert_int_equal(ended.end, MM_END_TIMEOUT);
    assert_int_equal(ended.exit, MM_EXIT_NONE);
    assert_true(ended.sent);
    wait_until_all_are_dead(fixture);
    driver_destroy(&driver);
}

static void a_command_that_ends_on_term_has_still_timed_out(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver = new_scripts(
        fixture, "trap 'exit 0' TERM; exec 9>$1; echo ready >&9; sleep 1000 & wait", NULL, 1);
    start(driver, 1, 0);
    assert_line(fixture, "ready");
    driver_step(driver, TERM_MS);
    ended_t ended = wait_finished(driver, TERM_MS + 10);
    assert_failed(&ended, "timed out after 5m");
    assert_string_equal(ended.evidence, "exit=0");
    wait_until_all_are_dead(fixture);
    driver_destroy(&driver);
}

// It may be the session that hangs, not the restart.
static void a_timeout_is_no_failure_where_verify_can_tell(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver =
        new_scripts(fixture, "exec 9>$1; echo ready >&9; sleep 1000 & wait", "exit 0", 1);
    start(driver, 1, 0);
    assert_line(fixture, "ready");
    driver_step(driver, TERM_MS);
    ended_t ended = wait_finished(driver, TERM_MS + 10);
    assert_ok(&ended, "signal=15 verify_polls=1");
    assert_int_equal(ended.proof, MM_PROOF_VERIFIED);
    wait_until_all_are_dead(fixture);
    driver_destroy(&driver);
}

static void at_the_stop_what_runs_gets_term(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver =
        new_scripts(fixture, "exec 9>$1; echo ready >&9; sleep 1000 & sleep 1000", NULL, 3);
    start(driver, 1, 0);
    start(driver, 2, 0);
    assert_line(fixture, "ready");
    assert_line(fixture, "ready");
    driver_stop(driver, 10);
    assert_true(driver_deadline(driver) == 2010);
    ended_t first = wait_finished(driver, 20);
    ended_t second = wait_finished(driver, 20);
    assert_int_equal(first.number + second.number, 3);
    assert_failed(&first, "stopped");
    assert_failed(&second, "stopped");
    assert_string_equal(first.evidence, "signal=15");
    assert_true(driver_deadline(driver) == MM_NEVER);
    wait_until_all_are_dead(fixture);
    driver_destroy(&driver);
}

static void at_the_stop_what_ignores_term_gets_kill(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver =
        new_scripts(fixture, "trap '' TERM; exec 9>$1; echo ready >&9; sleep 1000", NULL, 1);
    start(driver, 1, 0);
    assert_line(fixture, "ready");
    driver_stop(driver, 10);
    driver_step(driver, 2009);
    assert_somebody_lives(fixture);
    driver_step(driver, 2010);
    ended_t ended = wait_finished(driver, 2010);
    assert_failed(&ended, "stopped");
    wait_until_all_are_dead(fixture);
    driver_destroy(&driver);
}

static void verify_decides_and_is_asked_every_second(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver = new_scripts(fixture, "exit 255",
                                   "if [ -e $1.2 ]; then rm $1.2; exit 0; fi; "
                                   "if [ -e $1.1 ]; then mv $1.1 $1.2; exit 1; fi; : >$1.1; exit 1",
                                   1);
    start(driver, 1, 0);
    int64_t timeout_ms = driver_deadline(driver);
    assert_true(timeout_ms == TERM_MS);
    int64_t poll_ms = wait_deadline_other_than(driver, timeout_ms, 1000);
    // The first runs at once, for 10 s at most. It may have ended by now.
    assert_true(poll_ms == 1000 + 10000 || poll_ms == 2000);
    wait_deadline(driver, 2000, 1100);
    driver_step(driver, 1999);
    assert_true(driver_deadline(driver) == 2000);
    driver_step(driver, 2000);
    assert_true(driver_deadline(driver) == 12000);
    int64_t last_ms = wait_deadline_other_than(driver, 12000, 5000);
    assert_true(last_ms == 15000 || last_ms == 0); // late: at once, and it may have ended
    ended_t ended = wait_finished(driver, 5000);
    assert_ok(&ended, "exit=255 verify_polls=3");
    assert_int_equal(ended.took_ms, 5000);
    driver_destroy(&driver);
}

static void a_restart_that_is_never_verified_fails_with_both_outputs(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver = new_scripts(fixture, "echo closed; exit 255", "echo still down; exit 1", 1);
    start(driver, 1, 0);
    wait_deadline(driver, 1000, 0);
    driver_step(driver, 10 * MINUTE);
    ended_t ended;
    assert_true(take(driver, 10 * MINUTE, &ended));
    assert_failed(&ended, "verify did not succeed within 10m: still down; command: exit 255");
    assert_string_equal(ended.evidence, "exit=255 verify_polls=1");
    driver_destroy(&driver);
}

static void a_verify_that_hangs_is_cut_off_and_asked_again(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver =
        new_scripts(fixture, "exit 0", "exec 9>$1; echo ready >&9; sleep 1000 & sleep 1000", 1);
    start(driver, 1, 0);
    assert_true(wait_deadline_other_than(driver, TERM_MS, 0) == 10000);
    assert_line(fixture, "ready");
    driver_step(driver, 10000);
    assert_true(driver_deadline(driver) == 12000); // TERM was sent
    assert_true(wait_deadline_other_than(driver, 12000, 10100) == 20100);
    assert_line(fixture, "ready");
    int64_t now_ms = 10 * MINUTE - 4000;
    driver_step(driver, now_ms);
    // The last one has what is left of the ten minutes.
    assert_true(wait_deadline_other_than(driver, now_ms + 2000, now_ms) == 10 * MINUTE);
    assert_line(fixture, "ready");
    driver_step(driver, 10 * MINUTE);
    ended_t ended = wait_finished(driver, 10 * MINUTE + 5);
    assert_failed(&ended,
                  "verify did not succeed within 10m: cut off, it took too long; command: exit 0");
    assert_string_equal(ended.evidence, "exit=0 verify_polls=3");
    driver_destroy(&driver);
}

static void at_the_stop_nothing_is_verified_any_more(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver = new_scripts(fixture, "exit 0", "exec 9>$1; echo ready >&9; exit 1", 1);
    start(driver, 1, 0);
    wait_deadline(driver, 1000, 0);
    assert_line(fixture, "ready");
    driver_stop(driver, 500); // in the pause
    ended_t ended;
    assert_true(take(driver, 500, &ended));
    assert_failed(&ended, "stopped");
    driver_destroy(&driver);

    driver = new_scripts(fixture, "exit 0", "exec 9>$1; echo ready >&9; sleep 1000", 1);
    start(driver, 1, 0);
    (void)wait_deadline_other_than(driver, TERM_MS, 0);
    assert_line(fixture, "ready");
    driver_stop(driver, 500); // in a poll
    ended = wait_finished(driver, 600);
    assert_failed(&ended, "stopped");
    wait_until_all_are_dead(fixture);
    driver_destroy(&driver);
}

static void slots_are_used_again_and_nothing_is_left_open(void **state)
{
    (void)state;
    enum { SLOTS = 8, COUNT = 100 };
    int lowest = lowest_free_descriptor();
    driver_t *driver = new_driver("sh -c 'exit {attempt}'", NULL, SLOTS);
    bool seen[COUNT] = {false};
    uint64_t started = 0;
    for (uint64_t finished = 0; finished < COUNT; finished++) {
        for (; started < COUNT && started - finished < SLOTS; started++) {
            char host[16];
            (void)snprintf(host, sizeof host, "h%u", (unsigned)started);
            mm_task_t task = {.number = started,
                              .leg = MM_LEG_RESTART,
                              .host = mm_str(host),
                              .attempt = (uint32_t)started};
            driver_start(driver, &task, 0);
        }
        ended_t ended = wait_finished(driver, 0);
        assert_true(ended.number < COUNT && !seen[ended.number]);
        seen[ended.number] = true;
        char evidence[32];
        (void)snprintf(evidence, sizeof evidence, "exit=%d", (int)ended.number);
        assert_string_equal(ended.evidence, evidence);
    }
    driver_destroy(&driver);
    assert_int_equal(lowest_free_descriptor(), lowest);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); // nobody is left to be reaped
    assert_int_equal(errno, ECHILD);
}

static void without_descriptors_a_restart_is_returned_and_says_why(void **state)
{
    (void)state;
    driver_t *driver = new_driver("true", NULL, 1);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit limit = before;
    limit.rlim_cur = (rlim_t)lowest_free_descriptor() + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    start(driver, 1, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    ended_t ended;
    assert_true(take(driver, 0, &ended));
    assert_returned(&ended, "cannot start /usr/bin/true: Too many open files");
    start(driver, 2, 0);
    ended = wait_finished(driver, 0);
    assert_ok(&ended, "exit=0");
    driver_destroy(&driver);
}

static void start_with(driver_t *driver, uint64_t number, const char *attributes)
{
    mm_task_t task = {.number = number,
                      .leg = MM_LEG_RESTART,
                      .host = mm_str("web-7"),
                      .attempt = 1,
                      .attributes = mm_str(attributes)};
    driver_start(driver, &task, 0);
}

static void attributes_reach_both_commands(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver = new_scripts(fixture, "echo {bmc} >$1", "echo {zone}, not {bmc} >$1", 2);
    assert_int_equal(driver->attributes.count, 2);
    assert_true(mm_str_equal(driver->attributes.keys[0], mm_str("bmc")));
    assert_true(mm_str_equal(driver->attributes.keys[1], mm_str("zone")));
    char text[] = "zone=eu bmc=10.0.0.1 more=x";
    start_with(driver, 1, text);
    memset(text, 'x', strlen(text)); // it is copied
    assert_line(fixture, "10.0.0.1");
    ended_t ended = wait_finished(driver, 0);
    assert_ok(&ended, "exit=0 verify_polls=1");
    assert_line(fixture, "eu, not 10.0.0.1");
    driver_destroy(&driver);
}

static void without_an_attribute_nothing_is_started(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver = new_scripts(fixture, "echo started {bmc} >$1", "test {zone}", 1);
    start_with(driver, 1, NULL);
    ended_t ended;
    assert_true(take(driver, 0, &ended));
    assert_failed(&ended, "no attribute bmc came with the job");
    assert_string_equal(ended.evidence, "");
    start_with(driver, 2, "bmc=10.0.0.1"); // what verifies it is not there
    assert_true(driver_deadline(driver) <= 0);
    assert_true(take(driver, 0, &ended));
    assert_failed(&ended, "no attribute zone came with the job");
    struct pollfd item = {.fd = fixture->fd, .events = POLLIN};
    assert_int_equal(poll(&item, 1, 50), 0);
    start_with(driver, 3, "bmc=10.0.0.1 zone=eu");
    ended = wait_finished(driver, 0);
    assert_ok(&ended, "exit=0 verify_polls=1");
    assert_line(fixture, "started 10.0.0.1");
    driver_destroy(&driver);
}

static void assert_rehearses(mm_options_t *options, const char *expected)
{
    char path[] = "/tmp/mm-exec-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(unlink(path), 0);
    options->dry_run = true;
    driver_t *driver = driver_exec_kind.new(options, (char[MM_ERROR_MAX]){""});
    assert_non_null(driver);

    (void)fflush(stdout);
    int screen = dup(STDOUT_FILENO);
    assert_int_equal(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
    start(driver, 1, 10);
    assert_int_equal(dup2(screen, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(screen);
    ended_t ended;
    assert_true(take(driver, 10, &ended));
    assert_ok(&ended, "dry_run=1");
    assert_int_equal(ended.number, 1);

    char line[512] = "";
    assert_true(pread(file, line, sizeof line - 1, 0) > 0);
    assert_string_equal(line, expected);
    (void)close(file);
    driver_destroy(&driver);
}

static void a_dry_run_prints_what_it_would_run(void **state)
{
    (void)state;
    mm_options_t options = exec_options("sh -c 'touch /tmp/never-{host}; exit 1'");
    options.verify = "false {attempt}";
    assert_rehearses(&options, "sh -c 'touch /tmp/never-web-7; exit 1' # verify: false 2\n");
}

static void with_all_that_is_asked_and_done_beside_it(void **state)
{
    (void)state;
    mm_options_t options = exec_options("true {host} {boot_id}");
    options.restarts[0] = options.exec;
    options.restarts[1] = "false {host}";
    options.restart_count = 2;
    options.identify = "echo who {host}";
    options.health = "echo well {host}";
    options.skip_if = "echo 'no need' {host}";
    options.before = "echo cordon {host}";
    options.after = "echo uncordon {host} {machine_id}";
    assert_rehearses(&options,
                     "true web-7 '{boot_id}' # or: false web-7 # skip-if: echo 'no need' web-7"
                     " # identify: echo who web-7 # before: echo cordon web-7"
                     " # health: echo well web-7 # after: echo uncordon web-7 '{machine_id}'\n");
}

static void a_command_that_cannot_work_is_refused_at_the_start(void **state)
{
    (void)state;
    char complaint[MM_ERROR_MAX];
    int lowest = lowest_free_descriptor();
    mm_options_t options = exec_options("ssh 'it");
    assert_null(driver_exec_kind.new(&options, complaint));
    assert_non_null(strstr(complaint, "--exec: the quote (') at character 5 is not closed"));
    options.exec = "echo {a} {b} {c} {d} {e}";
    options.verify = "echo {d} {e} {f} {g} {h} {i}";
    assert_null(driver_exec_kind.new(&options, complaint));
    assert_string_equal(complaint,
                        "the commands name more than 8 attributes of a host; name fewer");
    options.exec = "true";
    options.verify = "/nowhere/verify {host}";
    assert_null(driver_exec_kind.new(&options, complaint));
    assert_string_equal(complaint, "--verify: cannot run /nowhere/verify: No such file or "
                                   "directory; correct its path");
    assert_int_equal(lowest_free_descriptor(), lowest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_command_that_exits_with_0_is_ok),
        TEST(an_exit_code_and_the_last_output_are_the_error),
        TEST(a_signal_is_told_from_an_exit_code),
        TEST(placeholders_reach_the_command),
        TEST(a_command_that_cannot_be_executed_says_why),
        TEST(a_command_gets_term_2_s_before_its_end_and_kill_then),
        TEST(a_command_that_ends_on_term_has_still_timed_out),
        TEST(a_timeout_is_no_failure_where_verify_can_tell),
        TEST(at_the_stop_what_runs_gets_term),
        TEST(at_the_stop_what_ignores_term_gets_kill),
        TEST(verify_decides_and_is_asked_every_second),
        TEST(a_restart_that_is_never_verified_fails_with_both_outputs),
        TEST(a_verify_that_hangs_is_cut_off_and_asked_again),
        TEST(at_the_stop_nothing_is_verified_any_more),
        TEST(slots_are_used_again_and_nothing_is_left_open),
        TEST(without_descriptors_a_restart_is_returned_and_says_why),
        TEST(attributes_reach_both_commands),
        TEST(without_an_attribute_nothing_is_started),
        TEST(a_dry_run_prints_what_it_would_run),
        TEST(with_all_that_is_asked_and_done_beside_it),
        TEST(a_command_that_cannot_work_is_refused_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
