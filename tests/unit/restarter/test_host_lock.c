// The locks on hosts, with real files and two processes.

#include "host_lock.h"

#include "temp_folder.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static mm_options_t options;
static char path[TEMP_PATH_MAX], dir[TEMP_PATH_MAX];
static host_locks_t *locks;

static int set_up(void **state)
{
    (void)state;
    char complaint[MM_ERROR_MAX];
    make_temp_folder();
    temp_path(path, "state/hosts");
    temp_path(dir, "run");
    assert_int_equal(mkdir(dir, 0700), 0);
    options = (mm_options_t){.dir = dir, .locks = path};
    locks = host_locks_open(&options, complaint);
    assert_non_null(locks);
    return 0;
}

static int tear_down(void **state)
{
    host_locks_close(&locks);
    return remove_temp_folder(state);
}

static host_lock_t *take(const char *host)
{
    char why[MM_ERROR_MAX];
    bool is_held;
    host_lock_t *lock = host_locks_take(locks, mm_str(host), why, &is_held);
    if (!lock)
        fail_msg("%s", why);
    return lock;
}

static void is_refused(const char *host, const char *expected)
{
    char why[MM_ERROR_MAX];
    bool is_held = false;
    assert_null(host_locks_take(locks, mm_str(host), why, &is_held));
    assert_string_equal(why, expected);
    assert_true(is_held);
}

// A process that has the lock until it is killed.
static pid_t somebody_takes(const char *host)
{
    int pipes[2];
    char done;
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); // also when a check fails
        host_lock_t *lock = take(host);
        (void)!write(pipes[1], lock ? "y" : "", 1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(pipes[0], &done, 1), 1);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    return pid;
}

static void kills(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void another_process_has_the_host_until_it_is_killed(void **state)
{
    (void)state;
    char expected[MM_ERROR_MAX];
    pid_t pid = somebody_takes("web-7");
    (void)snprintf(expected, sizeof expected, "held by pid %d of %s", (int)pid, dir);
    is_refused("web-7", expected);
    is_refused("WEB-7.", expected);
    host_lock_t *lock = take("web-8");
    host_lock_release(&lock);
    kills(pid);
    lock = take("web-7");
    host_lock_release(&lock);
}

static void one_process_has_a_host_once(void **state)
{
    (void)state;
    char expected[MM_ERROR_MAX];
    host_lock_t *lock = take("2001:DB8:0:0::1");
    (void)snprintf(expected, sizeof expected, "held by pid %d of %s", (int)getpid(), dir);
    is_refused("2001:db8::1", expected);
    host_lock_release(&lock);
    lock = take("2001:db8::1");
    host_lock_release(&lock);
}

static void what_is_written_is_there_for_the_next_one(void **state)
{
    (void)state;
    host_lock_t *lock = take("web-7");
    host_restart_t restart = {.at_ms = 17, .job = {{1}}, .dir = *host_locks_dir(locks)};
    host_lock_record(lock)->restarted = restart;
    host_lock_record(lock)->sent = restart;
    assert_int_equal(host_lock_write(lock), 0);
    host_lock_record(lock)->sent.at_ms = 0; // a shorter text
    assert_int_equal(host_lock_write(lock), 0);
    host_lock_release(&lock);
    lock = take("Web-7");
    assert_int_equal(host_lock_record(lock)->restarted.at_ms, 17);
    assert_string_equal(host_lock_record(lock)->restarted.dir.text, dir);
    assert_int_equal(host_lock_record(lock)->sent.at_ms, 0);
    host_lock_release(&lock);
}

static void what_is_left_there_holds_the_host_until_it_is_gone(void **state)
{
    (void)state;
    char expected[MM_ERROR_MAX];
    pid_t pid = somebody_takes("web-1");
    char name[64], text[1024], *at = text;
    (void)snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(name, "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    (void)fclose(file);
    for (int field = 1; field < 22; field++)
        at = strchr(at, ' ') + 1;
    host_lock_t *lock = take("web-7");
    host_record_t *record = host_lock_record(lock);
    record->left_pid = pid;
    record->left_started = strtoull(at, NULL, 10);
    record->left_dir = *host_locks_dir(locks);
    assert_int_equal(host_lock_write(lock), 0);
    host_lock_release(&lock);
    (void)snprintf(expected, sizeof expected, "left-running: pid %d of %s", (int)pid, dir);
    is_refused("web-7", expected);
    assert_int_equal(kill(pid, SIGKILL), 0); // a process that nobody has waited for is gone, too
    siginfo_t end;
    assert_int_equal(waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT), 0);
    lock = take("web-7");
    assert_int_equal(host_lock_record(lock)->left_pid, 0);
    host_lock_release(&lock);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void another_process_with_its_number_holds_nothing(void **state)
{
    (void)state;
    host_lock_t *lock = take("web-7");
    host_lock_record(lock)->left_pid = getpid();
    host_lock_record(lock)->left_started = 1;
    assert_int_equal(host_lock_write(lock), 0);
    host_lock_release(&lock);
    lock = take("web-7");
    host_lock_release(&lock);
}

static void a_file_that_is_no_record_holds_its_host(void **state)
{
    (void)state;
    char name[TEMP_PATH_MAX], expected[MM_ERROR_MAX];
    temp_path(name, "state/hosts/web-7");
    FILE *file = fopen(name, "we");
    assert_non_null(file);
    assert_true(fputs("rubbish\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(expected, sizeof expected,
                   "cannot use the lock web-7: it is no record of a host; look at it and remove "
                   "it; it is in %s",
                   path);
    is_refused("web-7", expected);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(mkdir(name, 0700), 0);
    is_refused("web-7", expected);
}

static void a_folder_that_goes_away_is_the_fault_of_this_machine(void **state)
{
    (void)state;
    char why[MM_ERROR_MAX], expected[MM_ERROR_MAX];
    bool is_held = true;
    assert_int_equal(rmdir(path), 0);
    assert_null(host_locks_take(locks, mm_str("web-7"), why, &is_held));
    (void)snprintf(expected, sizeof expected,
                   "cannot use the lock web-7: No such file or directory; it is in %s", path);
    assert_string_equal(why, expected);
    assert_false(is_held);
}

static void a_folder_that_cannot_be_made_is_refused(void **state)
{
    (void)state;
    char complaint[MM_ERROR_MAX] = "", file[TEMP_PATH_MAX], expected[MM_ERROR_MAX];
    temp_path(file, "file");
    FILE *made = fopen(file, "we");
    assert_non_null(made);
    assert_int_equal(fclose(made), 0);
    temp_path(path, "file/hosts");
    assert_null(host_locks_open(&options, complaint));
    (void)snprintf(expected, sizeof expected,
                   "cannot use %s, which has the locks on hosts: Not a directory; without them "
                   "nothing is restarted: make it writable or name another folder with --locks",
                   path);
    assert_string_equal(complaint, expected);
    assert_null(host_locks_open(&(mm_options_t){.dir = dir, .locks = "/proc/hosts"}, complaint));
}

static void a_check_makes_no_folder(void **state)
{
    (void)state;
    char complaint[MM_ERROR_MAX] = "", opened[MM_ERROR_MAX] = "", above[TEMP_PATH_MAX];
    assert_true(host_locks_check(&options, complaint)); // it is there
    temp_path(path, "other/state/hosts");
    temp_path(above, "other");
    assert_true(host_locks_check(&options, complaint));
    assert_int_equal(access(above, F_OK), -1);
    assert_true(host_locks_check(&(mm_options_t){.dir = dir, .locks = "nowhere"}, complaint));
    assert_int_equal(access("nowhere", F_OK), -1);
    assert_int_equal(mkdir(above, 0700), 0);
    FILE *made = fopen(strcat(above, "/state"), "we");
    assert_non_null(made);
    assert_int_equal(fclose(made), 0);
    assert_false(
        host_locks_check(&options, complaint)); // below a file, as it is refused at a start
    assert_null(host_locks_open(&options, opened));
    assert_string_equal(complaint, opened);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(another_process_has_the_host_until_it_is_killed),
        TEST(one_process_has_a_host_once),
        TEST(what_is_written_is_there_for_the_next_one),
        TEST(what_is_left_there_holds_the_host_until_it_is_gone),
        TEST(another_process_with_its_number_holds_nothing),
        TEST(a_file_that_is_no_record_holds_its_host),
        TEST(a_folder_that_goes_away_is_the_fault_of_this_machine),
        TEST(a_folder_that_cannot_be_made_is_refused),
        TEST(a_check_makes_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
