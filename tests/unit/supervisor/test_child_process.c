// Processes as the supervisor starts them: which streams, descriptors, signals and group they have,
// and how they end. The children are this program, which reports what it finds, or a shell.

#include "child_process.h"
#include "inherited.h"
#include "temp_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 };

static char *program; // this one
static int nothing;   // /dev/null

// valgrind makes a fork of what posix_spawn does, and an exec that fails is then an exit.
static void skip_under_valgrind(void)
{
    if (getenv("MEMCHECK"))
        skip();
}

static int new_folder(void **state)
{
    (void)state;
    make_temp_folder();
    return 0;
}

static int lowest_free(void)
{
    int descriptor = dup(nothing);
    close(descriptor);
    return descriptor;
}

// ---- this program as a child: prints what it was given

static int report(void)
{
    sigset_t blocked;
    DIR *open_ones = opendir("/proc/self/fd");
    for (const struct dirent *entry; open_ones && (entry = readdir(open_ones));)
        if (*entry->d_name != '.' && atoi(entry->d_name) != dirfd(open_ones))
            printf("descriptor %s\n", entry->d_name);
    (void)closedir(open_ones);
    (void)sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigismember(&blocked, number) == 1)
            printf("blocked %d\n", number);
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            printf("ignored %d\n", number);
    }
    printf("group %s\n", getpgrp() == getpid() ? "own" : "of another");
    printf("umask %03o\n", (unsigned)umask(0));
    return 0;
}

// Captures a report in a fork, after `prepare`. The parent gets the text; "" when it failed.
static void report_after(void (*prepare)(void), char text[1024])
{
    int ends[2], status;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char *argv[] = {program, (char[]){"report"}, NULL};
        size_t size = 0;
        child_end_t end = {.code = -1};
        prepare();
        char *found = child_process_capture(argv, STDERR_FILENO, &size, &end);
        bool is_kept = umask(077) == 077; // the supervisor's own files stay the owner's
        if (found && end.code == 0 && end.signal == 0 && is_kept)
            (void)!write(ends[1], found, size);
        free(found);
        _exit(0);
    }
    close(ends[1]);
    size_t used = 0;
    for (ssize_t size; (size = read(ends[0], text + used, 1023 - used)) > 0;)
        used += (size_t)size;
    text[used] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

// ---- what a child has

static void change_everything(void)
{
    sigset_t all;
    (void)signal(SIGHUP, SIG_DFL);
    (void)umask(027);
    mm_inherited_repair();
    for (int number = 1; number < NSIG; number++)
        if (number != SIGCHLD) // else nobody learns how a child has ended
            (void)signal(number, SIG_IGN);
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 0; i < 5; i++)
        (void)fcntl(nothing, F_DUPFD, 10 * i); // as others leave them: open over an exec
}

static void a_child_has_three_descriptors_and_its_signals_are_as_at_first(void **state)
{
    (void)state;
    char text[1024];
    report_after(change_everything, text);
    assert_string_equal(text, "descriptor 0\ndescriptor 1\ndescriptor 2\ngroup own\numask 027\n");
}

static void ignore_hup(void)
{
    (void)signal(SIGHUP, SIG_IGN);
    (void)umask(0);
    mm_inherited_repair();
    (void)signal(SIGTERM, SIG_IGN);
}

static void a_hup_that_was_ignored_stays_so(void **state)
{
    (void)state;
    char text[1024];
    report_after(ignore_hup, text);
    assert_string_equal(text, "descriptor 0\ndescriptor 1\ndescriptor 2\nignored 1\ngroup "
                              "own\numask 000\n");
}

// ---- streams

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_text(const char *path, const char *text)
{
    char found[64];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    found[fread(found, 1, sizeof found - 1, file)] = '\0';
    (void)fclose(file);
    assert_string_equal(found, text);
}

// In a fork: streams[i] is where the input, the output and the errors are. Returns the exit code.
static int start_with(const int streams[3], char paths[3][TEMP_PATH_MAX])
{
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"},
                    (char[]){"read x; echo \"out $x\"; echo \"errors $x\" >&2"}, NULL};
    child_process_t child;
    for (int i = 0; i < 3; i++) {
        int file = open(paths[i], O_RDWR);
        int high = fcntl(file, F_DUPFD, 20 + i);
        if (high < 0)
            return 2;
        close(file);
    }
    for (int i = 0; i < 3; i++)
        if (dup2(20 + i, streams[i]) < 0)
            return 3;
    if (child_process_start(argv, streams[0], streams[1], streams[2], &child) != 0)
        return 4;
    child_end_t end = child_process_end(&child);
    return end.signal != 0 ? 5 : end.code;
}

static void each_of_the_streams_may_be_any_of_0_to_2(void **state)
{
    (void)state;
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0},
                                    {2, 0, 1}, {2, 1, 0}, {7, 0, 1}, {2, 8, 9}};
    char paths[3][TEMP_PATH_MAX];
    temp_path(paths[0], "in");
    temp_path(paths[1], "out");
    temp_path(paths[2], "errors");
    write_text(paths[0], "web-7\n");
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        int status;
        write_text(paths[1], "");
        write_text(paths[2], "");
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            _exit(start_with(orders[i], paths));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_text(paths[0], "web-7\n");
        assert_text(paths[1], "out web-7\n");
        assert_text(paths[2], "errors web-7\n");
    }
}

static void a_stream_that_is_closed_is_an_error_and_no_process(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"true"}, NULL};
    child_process_t child;
    int before = lowest_free();
    assert_int_equal(child_process_start(argv, nothing, -1, nothing, &child), EBADF);
    assert_int_equal(child.pid, 0);
    assert_int_equal(child.descriptor, -1);
    assert_int_equal(lowest_free(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

// ---- programs that cannot be started

static void assert_cannot_start(char *name, int error)
{
    char *argv[] = {name, NULL};
    child_process_t child;
    int before = lowest_free();
    assert_int_equal(child_process_start(argv, nothing, nothing, nothing, &child), error);
    assert_int_equal(child.pid, 0);
    assert_int_equal(child.descriptor, -1);
    assert_int_equal(lowest_free(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void a_program_that_is_missing_or_none_is_an_error(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX];
    skip_under_valgrind();
    temp_path(path, "program");
    assert_cannot_start(path, ENOENT);
    assert_cannot_start((char[]){"mayhem-no-such-program"}, ENOENT);
    write_text(path, "no program\n");
    assert_cannot_start(path, EACCES);
    assert_int_equal(chmod(path, 0700), 0);
    assert_cannot_start(path, ENOEXEC);
}

// ---- how it ends

static void start_shell(char *script, int input, child_process_t *ret_child)
{
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, script, NULL};
    assert_int_equal(child_process_start(argv, input, nothing, nothing, ret_child), 0);
    assert_true(ret_child->pid > 0);
}

static void its_descriptor_becomes_readable_when_it_ends(void **state)
{
    (void)state;
    int ends[2], before = lowest_free();
    child_process_t child;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    start_shell((char[]){"read x; exit 78"}, ends[0], &child);
    struct pollfd item = {.fd = child.descriptor, .events = POLLIN};
    assert_int_equal(poll(&item, 1, 0), 0);
    assert_int_equal(write(ends[1], "x\n", 2), 2);
    assert_int_equal(poll(&item, 1, PATIENCE_MS), 1);
    child_end_t end = child_process_end(&child);
    assert_int_equal(end.code, 78);
    assert_int_equal(end.signal, 0);
    assert_int_equal(child.pid, 0);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(lowest_free(), before);
}

static void a_signal_reaches_it_and_is_told_as_its_end(void **state)
{
    (void)state;
    const int numbers[] = {SIGTERM, SIGKILL};
    for (size_t i = 0; i < 2; i++) {
        int ends[2];
        child_process_t child;
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        start_shell((char[]){"read x"}, ends[0], &child);
        child_process_signal(&child, numbers[i]);
        child_end_t end = child_process_end(&child);
        assert_int_equal(end.signal, numbers[i]);
        assert_int_equal(end.code, 0);
        child_process_signal(&child, SIGKILL); // nobody is there: nothing happens
        close(ends[0]);
        close(ends[1]);
    }
}

// ---- capture

static char *capture(char *script, int errors, size_t *ret_size, child_end_t *ret_end)
{
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, script, NULL};
    return child_process_capture(argv, errors, ret_size, ret_end);
}

static void a_capture_has_the_output_and_the_end(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX];
    size_t size = 99;
    child_end_t end = {9, 9};
    int before = lowest_free();
    temp_path(path, "errors");
    int errors = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    char *text = capture((char[]){"echo found; echo lost >&2; exit 3"}, errors, &size, &end);
    close(errors);
    assert_string_equal(text, "found\n");
    assert_int_equal(size, 6);
    assert_int_equal(end.code, 3);
    assert_int_equal(end.signal, 0);
    assert_text(path, "lost\n");
    free(text);
    text = capture((char[]){"printf a; kill -9 $$"}, nothing, &size, &end);
    assert_string_equal(text, "a");
    assert_int_equal(end.signal, SIGKILL);
    free(text);
    text = capture((char[]){"cat"}, nothing, &size, &end); // its input is empty
    assert_string_equal(text, "");
    assert_int_equal(size, 0);
    assert_int_equal(end.code, 0);
    free(text);
    assert_int_equal(lowest_free(), before);
}

static void a_capture_may_be_a_megabyte_of_anything(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    size_t size = 0;
    child_end_t end;
    char *text = capture((char[]){"head -c 1048575 /dev/zero; printf x"}, nothing, &size, &end);
    assert_non_null(text);
    assert_int_equal(size, SIZE);
    assert_int_equal(text[0], '\0');
    assert_int_equal(text[SIZE - 2], '\0');
    assert_int_equal(text[SIZE - 1], 'x');
    assert_int_equal(end.code, 0);
    free(text);
}

static void a_capture_of_a_missing_program_is_none(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX], *argv[] = {path, NULL};
    size_t size;
    child_end_t end;
    int before = lowest_free();
    skip_under_valgrind();
    temp_path(path, "program");
    errno = 0;
    assert_null(child_process_capture(argv, nothing, &size, &end));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(lowest_free(), before);
}

static void a_sibling_is_in_the_folder_of_this_program(void **state)
{
    (void)state;
    struct stat own, found;
    char *sibling = child_process_sibling(strrchr(program, '/') + 1);
    assert_int_equal(stat(sibling, &found), 0);
    assert_int_equal(stat(program, &own), 0);
    assert_int_equal(found.st_ino, own.st_ino);
    free(sibling);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_folder, remove_temp_folder)

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "report") == 0)
        return report();
    program = realpath(argv[0], NULL);
    nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    const struct CMUnitTest tests[] = {
        TEST(a_child_has_three_descriptors_and_its_signals_are_as_at_first),
        TEST(a_hup_that_was_ignored_stays_so),
        TEST(each_of_the_streams_may_be_any_of_0_to_2),
        TEST(a_stream_that_is_closed_is_an_error_and_no_process),
        TEST(a_program_that_is_missing_or_none_is_an_error),
        TEST(its_descriptor_becomes_readable_when_it_ends),
        TEST(a_signal_reaches_it_and_is_told_as_its_end),
        TEST(a_capture_has_the_output_and_the_end),
        TEST(a_capture_may_be_a_megabyte_of_anything),
        TEST(a_capture_of_a_missing_program_is_none),
        TEST(a_sibling_is_in_the_folder_of_this_program),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(program);
    return failed;
}
