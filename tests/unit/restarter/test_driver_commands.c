// Real commands: what is kept of their output, what outlives them, and what does not outlive the
// restarter and its spawner.

#include "commands_run.h"

static void output_is_shown_without_control_characters(void **state)
{
    (void)state;
    ended_t ended = run_once(
        "printf '  \\033[31mred\\033[0m\\ttab\\001x \\r\\n\\n bad\\377 \\303\\251\\302\\205. \\n'");
    assert_ok(&ended, "exit=0");
    driver_t *driver = new_driver(
        "sh -c 'printf \"$1\"; exit 1' x "
        "'  \\033[31mred\\033[0m\\ttab\\001x \\r\\n\\n bad\\377 \\303\\251\\302\\205. \\n'",
        NULL, 1);
    start(driver, 1, 0);
    ended = wait_finished(driver, 0);
    assert_failed(&ended, "exit 1: red tab x | bad \303\251 .");
    driver_destroy(&driver);
}

static void of_much_output_the_end_is_kept(void **state)
{
    (void)state;
    ended_t ended = run_once("sh -c 'seq 1 200000; exit 1'");
    size_t size = strlen(ended.error);
    assert_in_range(size, MM_ERROR_MAX - 10, MM_ERROR_MAX);
    assert_memory_equal(ended.error, "exit 1: ", 8);
    assert_string_equal(ended.error + size - strlen("199999 | 200000"), "199999 | 200000");
    ended =
        run_once("sh -c 'i=0; while [ $i -lt 300 ]; do printf \"\\303\\251\"; i=$((i+1)); done; "
                 "printf x; exit 1'");
    size = strlen(ended.error);
    assert_int_equal((size - strlen("exit 1: x")) % 2, 0); // no half character in front
    assert_memory_equal(ended.error, "exit 1: \303\251", 10);
}

// Its output goes on to be read: without a reader it would get PIPE.
static void what_a_command_leaves_running_lives_on_and_may_write(void **state)
{
    enum { COUNT = 100 };
    fixture_t *fixture = *state;
    driver_t *driver =
        new_scripts(fixture,
                    "setsid -f sh -c 'exec 9>$0; until [ -e $0.go ]; do sleep 0.01; done; echo on; "
                    "seq 20000; echo on; echo lived >&9' $1; exit 0",
                    NULL, COUNT);
    for (uint64_t i = 0; i < COUNT; i++)
        start(driver, i, 0);
    for (int i = 0; i < COUNT; i++) {
        ended_t ended = wait_finished(driver, 0);
        assert_ok(&ended, "exit=0");
    }
    char go[80];
    (void)snprintf(go, sizeof go, "%s.go", fixture->fifo);
    int file = open(go, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    (void)close(file);
    struct pollfd items[2] = {{.fd = driver_descriptor(driver), .events = POLLIN},
                              {.fd = fixture->fd, .events = POLLIN}};
    for (int lived = 0; lived < COUNT;) {
        assert_true(poll(items, 2, LIMIT_MS) > 0);
        driver_step(driver, 0);
        if (!items[1].revents)
            continue;
        assert_line(fixture, "lived");
        lived++;
    }
    assert_int_equal(unlink(go), 0);
    driver_destroy(&driver);
}

static void of_a_given_up_command_nothing_is_left(void **state)
{
    const char *const ways[] = {
        "setsid sh -c 'exec 9>$0; echo ready >&9; sleep 1000' $1 & wait",
        "timeout 900 sh -c 'exec 9>$0; echo ready >&9; sleep 1000' $1",
        "bash -c 'set -m; (exec 9>$0; echo ready >&9; sleep 1000) & wait' $1",
        "env -i sh -c 'exec 9>$0; trap : TERM; echo ready >&9; while :; do sleep 1000; done' $1"};
    fixture_t *fixture = *state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        driver_t *driver = new_scripts(fixture, ways[i], NULL, 1);
        start(driver, 1, 0);
        assert_line(fixture, "ready");
        driver_step(driver, TERM_MS);
        driver_step(driver, 5 * MINUTE);
        ended_t ended = wait_finished(driver, 5 * MINUTE + 2000);
        assert_memory_equal(ended.error, "timed out after 5m", 18); // bash says more
        struct pollfd item = {.fd = fixture->fd, .events = POLLIN};
        assert_int_equal(poll(&item, 1, 0), 1); // at once, not only soon
        wait_until_all_are_dead(fixture);
        driver_destroy(&driver);
    }
}

// In a process of its own: what a restarter does, until it is killed.
_Noreturn static void be_a_restarter(fixture_t *fixture)
{
    driver_t *driver = new_scripts(
        fixture, "exec 9>$1; sleep 1000 & sleep 1000 & echo ready >&9; sleep 1000", NULL, 2);
    start(driver, 1, 0);
    start(driver, 2, 0);
    for (;;) {
        wait_readable(driver_descriptor(driver));
        driver_step(driver, 0);
    }
}

static void nothing_outlives_a_killed_restarter(void **state)
{
    fixture_t *fixture = *state;
    pid_t restarter = fork();
    assert_true(restarter >= 0);
    if (restarter == 0)
        be_a_restarter(fixture);
    assert_line(fixture, "ready");
    assert_line(fixture, "ready");
    assert_somebody_lives(fixture);
    assert_int_equal(kill(restarter, SIGKILL), 0);
    assert_int_equal(waitpid(restarter, NULL, 0), restarter);
    wait_until_all_are_dead(fixture);
}

static void without_the_spawner_the_driver_is_lost_and_kills_what_runs(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver =
        new_scripts(fixture,
                    "setsid sh -c 'exec 9>$0; echo $PPID; exec sleep 1000' $1 & exec 9>$1; "
                    "echo $PPID >&9; sleep 1000",
                    NULL, 2);
    start(driver, 1, 0);
    start(driver, 2, 0);
    char line[32];
    read_line(fixture, line, sizeof line);
    read_line(fixture, line, sizeof line);
    pid_t spawner = (pid_t)strtol(line, NULL, 10);
    assert_true(spawner > 1 && spawner != getpid());
    assert_int_equal(kill(spawner, SIGKILL), 0);
    ended_t ended;
    while (!driver_is_lost(driver)) {
        wait_readable(driver_descriptor(driver));
        driver_step(driver, 0);
        assert_false(take(driver, 0, &ended)); // it is not known how they end
    }
    driver_destroy(&driver);
    struct pollfd item = {.fd = fixture->fd, .events = POLLIN};
    assert_int_equal(poll(&item, 1, 0), 1); // at once
    wait_until_all_are_dead(fixture);
}

static void signals_to_its_own_group_reach_only_a_command(void **state)
{
    (void)state;
    ended_t ended = run_once(
        "sh -c 'trap \"\" TERM HUP INT USR1; for s in TERM HUP INT USR1; do kill -$s 0; done; "
        "exit 7'");
    assert_failed(&ended, "exit 7");
}

static void destroying_the_driver_kills_what_runs(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver = new_scripts(
        fixture, "trap '' TERM; exec 9>$1; sleep 1000 & echo ready >&9; sleep 1000", NULL, 1);
    start(driver, 1, 0);
    assert_line(fixture, "ready");
    driver_destroy(&driver);
    wait_until_all_are_dead(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(output_is_shown_without_control_characters),
        TEST(of_much_output_the_end_is_kept),
        TEST(what_a_command_leaves_running_lives_on_and_may_write),
        TEST(of_a_given_up_command_nothing_is_left),
        TEST(nothing_outlives_a_killed_restarter),
        TEST(without_the_spawner_the_driver_is_lost_and_kills_what_runs),
        TEST(signals_to_its_own_group_reach_only_a_command),
        TEST(destroying_the_driver_kills_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
