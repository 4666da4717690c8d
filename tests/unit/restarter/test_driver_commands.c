// Real commands: what a command is given, what is kept of its output, and that
// nothing outlives the restarter, its supervisor or its own end.

#include "commands_run.h"

#include <sys/epoll.h>
#include <sysexits.h>

static void a_command_gets_a_clean_process(void **state)
{
    (void)state;
    skip_under_valgrind();
    sigset_t blocked;
    sigset_t before;
    assert_int_equal(sigfillset(&blocked), 0);
    assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, &before), 0);
    assert_true(signal(SIGPIPE, SIG_IGN) == SIG_DFL);
    int fds[2];
    assert_int_equal(pipe(fds), 0); // not close-on-exec

    char script[] = "ls /proc/self/fd; cat; ulimit -n; "
                    "grep -cE '^Sig(Blk|Ign):.*0000000$' /proc/self/status; "
                    "readlink /proc/self/fd/0; exit 1";
    char *arguments[] = {(char[]){"sh"}, (char[]){"-c"}, script, NULL};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    child_t child = {0};
    assert_int_equal(child_start(&child, arguments, 77, epoll, 0), 0);
    do
        wait_readable(epoll);
    while (!child_step(&child));
    (void)close(epoll);
    (void)close(fds[0]);
    (void)close(fds[1]);
    assert_true(signal(SIGPIPE, SIG_DFL) == SIG_IGN);
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);

    // 3 is ls's own view of the folder; two masks of signals end with zeros.
    char tail[CHILD_TAIL_MAX];
    (void)child_tail_text(&child, tail, sizeof tail);
    assert_string_equal(tail, "0 | 1 | 2 | 3 | 77 | 2 | /dev/null");
    assert_true(WIFEXITED(child.status) && WEXITSTATUS(child.status) == 1);
}

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

static void a_background_process_neither_delays_the_end_nor_survives_it(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver =
        new_scripts(fixture, "exec 9>$1; sleep 1000 & echo ready >&9; exit 0", NULL, 1);
    start(driver, 1, 0);
    assert_line(fixture, "ready");
    ended_t ended = wait_finished(driver, 0);
    assert_ok(&ended, "exit=0");
    wait_until_all_are_dead(fixture);
    driver_destroy(&driver);
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

static void nothing_outlives_a_killed_supervisor(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver = new_scripts(
        fixture, "exec 9>$1; sleep 1000 & echo half done; echo $PPID >&9; sleep 1000", NULL, 1);
    start(driver, 1, 0);
    char line[32];
    read_line(fixture, line, sizeof line);
    pid_t supervisor = (pid_t)strtol(line, NULL, 10);
    assert_true(supervisor > 1 && supervisor != getpid());
    assert_int_equal(kill(supervisor, SIGKILL), 0);
    ended_t ended = wait_finished(driver, 0);
    assert_failed(&ended, "killed by signal 9: half done");
    wait_until_all_are_dead(fixture);
    driver_destroy(&driver);
}

static void signals_to_its_own_group_do_not_free_a_command_from_its_supervisor(void **state)
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
        TEST(a_command_gets_a_clean_process),
        TEST(output_is_shown_without_control_characters),
        TEST(of_much_output_the_end_is_kept),
        TEST(a_background_process_neither_delays_the_end_nor_survives_it),
        TEST(nothing_outlives_a_killed_restarter),
        TEST(nothing_outlives_a_killed_supervisor),
        TEST(signals_to_its_own_group_do_not_free_a_command_from_its_supervisor),
        TEST(destroying_the_driver_kills_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
