// The folder of a run: one run at a time, and none beside what a killed one has left.

#include "run_folder.h"
#include "caller.h"
#include "hear.h"
#include "temp_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, LOOKS = 2000 };

static run_folder_t run_folder;
static char dir[TEMP_PATH_MAX];

static int new_folder(void **state)
{
    (void)state;
    make_temp_folder();
    temp_path(dir, "run");
    run_folder = (run_folder_t){.lock = -1, .record = -1};
    return 0;
}

static int end_folder(void **state)
{
    run_folder_release(&run_folder);
    run_folder_release(&run_folder); // a second time: nothing happens
    return remove_temp_folder(state);
}

static int take(void)
{
    hear_begin();
    int exit_code = run_folder_take(&run_folder, dir, PATIENCE_MS);
    const char *heard = hear_end();
    assert_string_equal(heard, "");
    return exit_code;
}

static bool is_there(const char *name)
{
    char path[TEMP_PATH_MAX];
    temp_path(path, name);
    return access(path, F_OK) == 0;
}

static unsigned mode_of(const char *name)
{
    char path[TEMP_PATH_MAX];
    struct stat status;
    temp_path(path, name);
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void write_text(const char *name, const char *text)
{
    char path[TEMP_PATH_MAX];
    temp_path(path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static char *read_text(const char *name, char text[1024])
{
    char path[TEMP_PATH_MAX];
    temp_path(path, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, 1023, file)] = '\0';
    (void)fclose(file);
    return text;
}

// One line, which holds all three.
static void assert_sentence(const char *heard, const char *one, const char *two, const char *three)
{
    const char *parts[] = {"mayhem run: ", one, two, three};
    for (int i = 0; i < 4; i++)
        if (!strstr(heard, parts[i]))
            fail_msg("\"%s\" is not in: %s", parts[i], heard);
    assert_ptr_equal(strchr(heard, '\n'), heard + strlen(heard) - 1);
}

// ---- taking and releasing

static void a_new_folder_is_made_with_those_above_it(void **state)
{
    (void)state;
    char text[1024], pid[16];
    temp_path(dir, "a/b/run");
    assert_int_equal(take(), 0);
    assert_int_equal(mode_of("a/b/run"), 0700);
    assert_int_equal(mode_of("a/b/run/log"), 0700);
    assert_int_equal(mode_of("a/b/run/run.lock"), 0600);
    assert_int_equal(mode_of("a/b/run/log/run.log"), 0600);
    (void)snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    assert_string_equal(read_text("a/b/run/run.pid", text), pid);
}

static void a_released_folder_can_be_taken_again_with_what_is_in_it(void **state)
{
    (void)state;
    char text[1024];
    assert_int_equal(take(), 0);
    run_folder_record(&run_folder, "first");
    write_text("run/publisher.run", "a run");
    write_text("run/mayhem.db", "jobs");
    run_folder_release(&run_folder);
    assert_false(is_there("run/run.pid"));
    assert_int_equal(take(), 0);
    run_folder_record(&run_folder, "second");
    assert_false(is_there("run/publisher.run"));
    assert_true(is_there("run/mayhem.db"));
    assert_non_null(strstr(read_text("run/log/run.log", text), "first\n"));
    assert_non_null(strstr(text, "second\n"));
}

static void a_borrowed_folder_is_locked_and_stays_as_it_is(void **state)
{
    (void)state;
    run_folder_t other;
    assert_int_equal(take(), 0);
    write_text("run/publisher.run", "a run");
    assert_int_equal(run_folder_borrow(&other, dir, PATIENCE_MS), EX_UNAVAILABLE);
    assert_true(other.lock < 0);
    run_folder_release(&other);
    assert_true(is_there("run/run.pid")); // that of the run
    run_folder_release(&run_folder);
    assert_int_equal(run_folder_borrow(&other, dir, PATIENCE_MS), 0);
    assert_false(is_there("run/run.pid"));
    assert_true(is_there("run/publisher.run"));
    run_folder_release(&other);
}

static atomic_bool waits;

static void *take_once(void *arg)
{
    waits = true;
    *(int *)arg = run_folder_take(&run_folder, dir, PATIENCE_MS);
    return NULL;
}

static void a_run_waits_for_whoever_has_borrowed_the_folder(void **state)
{
    (void)state;
    run_folder_t other;
    pthread_t taker;
    int exit_code = -1;
    assert_int_equal(take(), 0);
    run_folder_release(&run_folder);
    assert_int_equal(run_folder_borrow(&other, dir, PATIENCE_MS), 0);
    waits = false;
    hear_begin();
    assert_int_equal(pthread_create(&taker, NULL, take_once, &exit_code), 0);
    while (!waits)
        (void)sched_yield();
    run_folder_release(&other);
    assert_int_equal(pthread_join(taker, NULL), 0);
    assert_string_equal(hear_end(), "");
    assert_int_equal(exit_code, 0);
}

static void a_line_of_the_record_has_its_time_and_pid(void **state)
{
    (void)state;
    char text[1024], wanted[64];
    assert_int_equal(take(), 0);
    run_folder_record(&run_folder, "it goes on");
    (void)read_text("run/log/run.log", text);
    (void)snprintf(wanted, sizeof wanted, " run[%d] it goes on\n", (int)getpid());
    assert_int_equal(strspn(text, "0123456789-:T+"), 24); // 2026-11-30T03:20:11+0000
    assert_string_equal(text + 24, wanted);
}

static void a_second_run_is_told_who_has_the_folder(void **state)
{
    (void)state;
    char who[64];
    run_folder_t second;
    assert_int_equal(take(), 0);
    hear_begin();
    int exit_code = run_folder_take(&second, dir, PATIENCE_MS);
    const char *heard = hear_end();
    assert_int_equal(exit_code, EX_UNAVAILABLE);
    (void)snprintf(who, sizeof who, "another run (pid %d of %s, since 20", (int)getpid(),
                   getpwuid(getuid())->pw_name);
    assert_sentence(heard, who, "test_run_folder", dir);
    run_folder_release(&second);
    assert_true(is_there("run/run.pid")); // it is the first one's
    run_folder_release(&run_folder);
    assert_int_equal(take(), 0);
}

// ---- who runs there

static void a_folder_that_nobody_has_is_found_free(void **state)
{
    (void)state;
    pid_t pid = 7;
    char who[256] = "untouched";
    assert_false(run_folder_find(dir, &pid, who, sizeof who));
    assert_int_equal(take(), 0);
    run_folder_release(&run_folder);
    assert_false(run_folder_find(dir, &pid, who, sizeof who));
    assert_int_equal(pid, 7);
    assert_string_equal(who, "untouched");
}

static void whoever_has_the_folder_is_found(void **state)
{
    (void)state;
    pid_t pid = 0;
    char who[256], path[TEMP_PATH_MAX];
    assert_int_equal(take(), 0);
    assert_true(run_folder_find(dir, &pid, who, sizeof who));
    assert_int_equal(pid, getpid());
    temp_path(path, "run/run.pid");
    assert_int_equal(unlink(path), 0);
    assert_true(run_folder_find(dir, &pid, who, sizeof who));
    assert_int_equal(pid, 0);
    assert_string_equal(who, "its pid file is gone");
    write_text("run/run.pid", "none\n");
    assert_true(run_folder_find(dir, &pid, who, sizeof who));
    assert_int_equal(pid, 0);
}

static atomic_bool is_over;

// Returns how often it has found a run.
static void *look_again_and_again(void *arg)
{
    pid_t pid;
    char who[256];
    uintptr_t found = 0;
    (void)arg;
    while (!is_over)
        found += run_folder_find(dir, &pid, who, sizeof who);
    return (void *)found;
}

static void looking_for_a_run_keeps_none_from_starting(void **state)
{
    (void)state;
    pthread_t looker;
    int taken = 0;
    assert_int_equal(take(), 0);
    run_folder_release(&run_folder);
    is_over = false;
    assert_int_equal(pthread_create(&looker, NULL, look_again_and_again, NULL), 0);
    hear_begin();
    for (int i = 0; i < LOOKS; i++) {
        taken += run_folder_take(&run_folder, dir, 0) == 0;
        run_folder_release(&run_folder);
    }
    is_over = true;
    assert_int_equal(pthread_join(looker, NULL), 0);
    (void)hear_end();
    assert_int_equal(taken, LOOKS);
}

static void two_that_look_do_not_find_each_other(void **state)
{
    (void)state;
    pthread_t looker;
    pid_t pid;
    char who[256];
    void *found;
    int own_found = 0;
    assert_int_equal(take(), 0);
    run_folder_release(&run_folder);
    is_over = false;
    assert_int_equal(pthread_create(&looker, NULL, look_again_and_again, NULL), 0);
    for (int i = 0; i < 20 * LOOKS; i++)
        own_found += run_folder_find(dir, &pid, who, sizeof who);
    is_over = true;
    assert_int_equal(pthread_join(looker, &found), 0);
    assert_int_equal(own_found, 0);
    assert_null(found);
}

// ---- pid files

static void pid_files_are_written_and_removed(void **state)
{
    (void)state;
    char text[1024];
    assert_int_equal(take(), 0);
    run_folder_set_pid(&run_folder, "restarter-2", 4242);
    assert_string_equal(read_text("run/restarter-2.pid", text), "4242\n");
    run_folder_set_pid(&run_folder, "restarter-2", 7);
    assert_string_equal(read_text("run/restarter-2.pid", text), "7\n");
    run_folder_remove_pid(&run_folder, "restarter-2");
    assert_false(is_there("run/restarter-2.pid"));
}

static void write_pid(const char *name, pid_t pid)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%d\n", (int)pid);
    write_text(name, text);
}

// A process that reads from `input` until its end, with a last word as a program has it.
static pid_t start_reader(int input, const char *log)
{
    char word[TEMP_PATH_MAX + 32];
    int begun[2];
    char byte;
    (void)snprintf(word, sizeof word, "--log-file=%s", log);
    assert_int_equal(pipe2(begun, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(input, STDIN_FILENO);
        (void)!freopen("/dev/null", "w", stderr); // it misses a file of that name
        (void)execlp("cat", "cat", "-u", "--", "-", word, (char *)NULL);
        _exit(127);
    }
    close(begun[1]);
    assert_int_equal(read(begun[0], &byte, 1), 0); // the exec has closed it: the words are there
    close(begun[0]);
    return pid;
}

static void stale_pid_files_are_removed(void **state)
{
    (void)state;
    char log[TEMP_PATH_MAX];
    int input[2];
    assert_int_equal(take(), 0);
    run_folder_release(&run_folder);
    pid_t gone = fork();
    assert_true(gone >= 0);
    if (gone == 0)
        _exit(0);
    assert_int_equal(waitpid(gone, NULL, 0), gone);
    assert_int_equal(pipe2(input, O_CLOEXEC), 0);
    temp_path(log, "other/log/saver.log");
    pid_t reader = start_reader(input[0], log);
    write_pid("run/consumer.pid", gone);
    write_pid("run/saver.pid", reader); // its number is that of another folder's saver now
    write_pid("run/run.pid", getppid());
    write_text("run/publisher.pid", "none");
    write_text("run/restarter-1.pid", "");
    write_pid("run/restarter-2.pid", -1);
    assert_int_equal(take(), 0);
    assert_false(is_there("run/consumer.pid"));
    assert_false(is_there("run/saver.pid"));
    assert_false(is_there("run/publisher.pid"));
    assert_false(is_there("run/restarter-1.pid"));
    assert_false(is_there("run/restarter-2.pid"));
    close(input[0]);
    close(input[1]);
    assert_int_equal(waitpid(reader, NULL, 0), reader);
}

// ---- what a killed run has left

typedef struct {
    int errors; // what the taker says
    int input;  // of the process that is left
    char said[1024];
    bool was_free; // others could take the folder while it waits
} friend_t;

// Lets the process end as soon as somebody waits for it.
static void *end_it_when_waited_for(void *arg)
{
    friend_t *self = arg;
    size_t used = 0;
    for (ssize_t size; !strstr(self->said, "waiting\n") &&
                       (size = read(self->errors, self->said + used, 1000 - used)) > 0;) {
        used += (size_t)size;
        self->said[used] = '\0';
    }
    pid_t pid;
    char who[256];
    self->was_free = !run_folder_find(dir, &pid, who, sizeof who);
    close(self->input);
    return NULL;
}

static void what_a_killed_run_has_left_is_waited_for(void **state)
{
    (void)state;
    char log[TEMP_PATH_MAX], number[32];
    int input[2], errors[2];
    pthread_t thread;
    assert_int_equal(take(), 0);
    run_folder_release(&run_folder);
    temp_path(log, "run/log/restarter-1.log");
    assert_int_equal(pipe2(input, O_CLOEXEC), 0);
    assert_int_equal(pipe2(errors, O_CLOEXEC), 0);
    pid_t left = start_reader(input[0], log);
    write_pid("run/restarter-1.pid", left);
    friend_t friend = {.errors = errors[0], .input = input[1]};
    assert_int_equal(pthread_create(&thread, NULL, end_it_when_waited_for, &friend), 0);
    int saved = dup(STDERR_FILENO);
    assert_int_equal(dup2(errors[1], STDERR_FILENO), STDERR_FILENO);
    int exit_code = run_folder_take(&run_folder, dir, PATIENCE_MS);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    close(saved);
    close(errors[1]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(exit_code, 0);
    (void)snprintf(number, sizeof number, "(%d)", (int)left);
    assert_sentence(friend.said, number, dir, "still stops: waiting");
    assert_false(friend.was_free);
    assert_int_equal(waitpid(left, NULL, 0), left);
    assert_false(is_there("run/restarter-1.pid"));
    close(input[0]);
    close(errors[0]);
}

static void what_does_not_end_in_time_is_named(void **state)
{
    (void)state;
    char log[TEMP_PATH_MAX], numbers[32], pid_file[32], *second;
    int input[2];
    pid_t left[2];
    assert_int_equal(take(), 0);
    run_folder_release(&run_folder);
    assert_int_equal(pipe2(input, O_CLOEXEC), 0);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(pid_file, sizeof pid_file, "run/log/restarter-%d.log", i + 1);
        temp_path(log, pid_file);
        left[i] = start_reader(input[0], log);
        (void)snprintf(pid_file, sizeof pid_file, "run/restarter-%d.pid", i + 1);
        write_pid(pid_file, left[i]);
    }
    hear_begin();
    int exit_code = run_folder_take(&run_folder, dir, 20);
    char *heard = (char *)(uintptr_t)hear_end();
    assert_int_equal(exit_code, EX_UNAVAILABLE);
    second = strchr(heard, '\n') + 1;
    assert_sentence(second, "still running", dir, "end them first");
    for (int i = 0; i < 2; i++) {
        (void)snprintf(numbers, sizeof numbers, "%d", (int)left[i]);
        assert_non_null(strstr(second, numbers));
    }
    run_folder_release(&run_folder);
    assert_true(is_there("run/restarter-1.pid")); // so that the next one finds it, too
    close(input[1]);
    close(input[0]);
    for (int i = 0; i < 2; i++)
        assert_int_equal(waitpid(left[i], NULL, 0), left[i]);
    assert_int_equal(take(), 0);
}

// ---- folders that cannot be made

static void assert_refused(const char *reason)
{
    hear_begin();
    int exit_code = run_folder_take(&run_folder, dir, 0);
    const char *heard = hear_end();
    assert_int_equal(exit_code, EX_CANTCREAT);
    assert_sentence(heard, dir, reason, "choose another with --dir");
    run_folder_release(&run_folder);
}

static void a_folder_that_cannot_be_made_is_refused(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX];
    write_text("run", "a file");
    assert_refused("Not a directory");
    temp_path(dir, "run/below");
    assert_refused("Not a directory");
    temp_path(dir, "other");
    assert_int_equal(mkdir(dir, 0700), 0);
    write_text("other/log", "a file");
    assert_refused("Not a directory");
    temp_path(dir, "third");
    assert_int_equal(mkdir(dir, 0700), 0);
    temp_path(path, "third/run.lock");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused("Is a directory");
    strcpy(dir, "/proc/mayhem");
    assert_refused("No such file or directory");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_folder, end_folder)

int main(void)
{
    char *argv[] = {(char[]){"run"}, NULL};
    unsetenv("MAYHEM_CALLED");
    caller_start(1, argv);
    (void)umask(022); // what is made must be the owner's by itself
    const struct CMUnitTest tests[] = {
        TEST(a_new_folder_is_made_with_those_above_it),
        TEST(a_released_folder_can_be_taken_again_with_what_is_in_it),
        TEST(a_borrowed_folder_is_locked_and_stays_as_it_is),
        TEST(a_run_waits_for_whoever_has_borrowed_the_folder),
        TEST(a_line_of_the_record_has_its_time_and_pid),
        TEST(a_second_run_is_told_who_has_the_folder),
        TEST(a_folder_that_nobody_has_is_found_free),
        TEST(whoever_has_the_folder_is_found),
        TEST(looking_for_a_run_keeps_none_from_starting),
        TEST(two_that_look_do_not_find_each_other),
        TEST(pid_files_are_written_and_removed),
        TEST(stale_pid_files_are_removed),
        TEST(what_a_killed_run_has_left_is_waited_for),
        TEST(what_does_not_end_in_time_is_named),
        TEST(a_folder_that_cannot_be_made_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
