// What a process inherits is put right, each time in a fork that reports by its exit code.

#include "inherited.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

// The line of the first of these that is false in the fork; 0: all are true.
#define EXPECT(CONDITION)                                                                          \
    do {                                                                                           \
        if (!(CONDITION)) {                                                                        \
            failed_line = __LINE__;                                                                \
            return;                                                                                \
        }                                                                                          \
    } while (0)

static int failed_line;

static void in_a_fork(void (*story)(void))
{
    int ends[2], status, line = -1;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int report = fcntl(ends[1], F_DUPFD_CLOEXEC, 30); // beyond what a story closes
        story();
        (void)!write(report, &failed_line, sizeof failed_line);
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &line, sizeof line), sizeof line);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    if (line != 0)
        fail_msg("line %d", line);
}

static bool is_null_device(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0 && S_ISCHR(status.st_mode) &&
           status.st_rdev == makedev(1, 3);
}

static void close_streams(void)
{
    close(0);
    close(1);
    close(2);
    mm_inherited_repair();
    EXPECT(is_null_device(0) && is_null_device(1) && is_null_device(2));
    EXPECT((fcntl(0, F_GETFL) & O_ACCMODE) == O_RDONLY);
    EXPECT((fcntl(1, F_GETFL) & O_ACCMODE) == O_WRONLY);
    EXPECT((fcntl(2, F_GETFL) & O_ACCMODE) == O_WRONLY);
    EXPECT(fcntl(1, F_GETFD) == 0); // a child gets it, too
}

static void closed_streams_are_the_null_device(void **state)
{
    (void)state;
    in_a_fork(close_streams);
}

static void close_the_middle(void)
{
    int ends[2];
    char byte = 0;
    EXPECT(pipe(ends) == 0);
    EXPECT(dup2(ends[0], 0) == 0 && dup2(ends[1], 2) == 2);
    close(1);
    mm_inherited_repair();
    EXPECT(is_null_device(1));
    EXPECT(write(2, "x", 1) == 1 && read(0, &byte, 1) == 1 && byte == 'x');
}

static void open_streams_are_left_alone(void **state)
{
    (void)state;
    in_a_fork(close_the_middle);
}

static bool is(int number, void (*handler)(int))
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == handler;
}

static void ignore_and_block(void)
{
    sigset_t set, blocked;
    (void)signal(SIGCHLD, SIG_IGN);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
    (void)signal(SIGTTOU, SIG_DFL);
    sigfillset(&set);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
    mm_inherited_repair();
    (void)sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int number = 1; number < NSIG; number++)
        EXPECT(sigismember(&blocked, number) != 1);
    EXPECT(is(SIGCHLD, SIG_DFL));
    EXPECT(is(SIGPIPE, SIG_IGN));
    EXPECT(is(SIGXFSZ, SIG_IGN));
    EXPECT(is(SIGTTOU, SIG_IGN));
}

static void signals_are_as_a_daemon_needs_them(void **state)
{
    (void)state;
    in_a_fork(ignore_and_block);
}

static void ignore_hup(void)
{
    (void)signal(SIGHUP, SIG_IGN);
    EXPECT(!mm_inherited_ignores_hup()); // nobody has looked yet
    mm_inherited_repair();
    EXPECT(mm_inherited_ignores_hup());
    EXPECT(is(SIGHUP, SIG_IGN));
}

static void do_not_ignore_hup(void)
{
    (void)signal(SIGHUP, SIG_DFL);
    mm_inherited_repair();
    EXPECT(!mm_inherited_ignores_hup());
    (void)signal(SIGHUP, SIG_IGN);
    mm_inherited_repair(); // it counts what was inherited
    EXPECT(!mm_inherited_ignores_hup());
}

static void whether_hup_was_ignored_is_kept(void **state)
{
    (void)state;
    in_a_fork(ignore_hup);
    in_a_fork(do_not_ignore_hup);
}

static void set_umask(void)
{
    (void)umask(027);
    mm_inherited_repair();
    EXPECT(mm_inherited_umask() == 027);
    EXPECT(umask(0) == 077);
    mm_inherited_repair(); // again: nothing happens
    EXPECT(mm_inherited_umask() == 027);
    EXPECT(umask(0) == 0);
}

static void files_are_the_owners_and_the_umask_is_kept_for_commands(void **state)
{
    (void)state;
    in_a_fork(set_umask);
}

static void take_the_name(void)
{
    char parent[32];
    (void)snprintf(parent, sizeof parent, "%d", (int)getppid());
    EXPECT(strcmp(mm_inherited_called(), "mayhem") == 0);
    EXPECT(setenv("MAYHEM_CALLED", "./run.sh", 1) == 0 && mm_inherited_follow_parent());
    EXPECT(strcmp(mm_inherited_called(), "mayhem") == 0); // no supervisor has said it
    EXPECT(setenv("MAYHEM_PARENT", parent, 1) == 0 && mm_inherited_follow_parent());
    EXPECT(strcmp(mm_inherited_called(), "./run.sh") == 0);
    EXPECT(!getenv("MAYHEM_CALLED") && !getenv("MAYHEM_PARENT"));
}

static void the_supervisor_says_how_it_was_called(void **state)
{
    (void)state;
    in_a_fork(take_the_name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_streams_are_the_null_device),
        cmocka_unit_test(open_streams_are_left_alone),
        cmocka_unit_test(signals_are_as_a_daemon_needs_them),
        cmocka_unit_test(whether_hup_was_ignored_is_kept),
        cmocka_unit_test(files_are_the_owners_and_the_umask_is_kept_for_commands),
        cmocka_unit_test(the_supervisor_says_how_it_was_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
