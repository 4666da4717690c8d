// The store when the world fails: a full disk, a busy database, a failed fsync, and files that are
// not its own.

#include "old_record.h"
#include "store_play.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

// Stands before the C library's for SQLite too: the one way to see a disk fail.
#define NEVER_FAILS INT_MAX
static int fsync_fails_after = NEVER_FAILS; // so many of them
int fdatasync(int fd)
{
    if (fsync_fails_after != NEVER_FAILS && fsync_fails_after-- <= 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

// The same for writes to files at a place, all from the n-th one on. A disk that is full says so;
// or the process is killed there.
static int write_fails_after = NEVER_FAILS;
static bool write_kills = false;
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    if (write_fails_after != NEVER_FAILS && write_fails_after-- <= 0) {
        if (write_kills)
            (void)kill(getpid(), SIGKILL);
        write_fails_after = 0;
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

// Does it in a process of its own, which is killed at its n-th write. False: it has made fewer.
static bool is_killed(int write, void (*work)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        write_fails_after = write;
        write_kills = true;
        work();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

// Lowers or lifts the limit of the file's size that the kernel sets for this process.
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_fails_the_batch_and_passes(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_save(store, 1, 11);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_NONE});
    struct stat status;
    char log[TEMP_PATH_MAX + 4];
    snprintf(log, sizeof log, "%s-wal", path);
    assert_int_equal(stat(log, &status), 0);
    limit_files((rlim_t)status.st_size + 100);
    put_save(store, 1, 12);
    put_settle(store, 2, 13, MM_OUTCOME_RESTARTED);
    EXPECT(store, {12, MM_STATUS_FAILED, MM_OUTCOME_NONE}, {13, MM_STATUS_FAILED, MM_OUTCOME_NONE});
    assert_non_null(strstr(store_error(store), "ulimit -f"));
    limit_files(RLIM_INFINITY);
    put_settle(store, 2, 14, MM_OUTCOME_DEAD);
    EXPECT(store, {14, MM_STATUS_OK, MM_OUTCOME_DEAD});
    assert_string_equal(store_error(store), "");
    assert_string_equal(query("SELECT outcome FROM jobs"), "NULL;dead;");
    assert_true(store_close(&store));
}

static void a_database_that_is_being_written_fails_the_batch_and_passes(void **state)
{
    (void)state;
    store_t *store = open_store();
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    put_save(store, 1, 11);
    EXPECT(store, {11, MM_STATUS_FAILED, MM_OUTCOME_NONE});
    assert_non_null(strstr(store_error(store), "is busy"));
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    put_save(store, 1, 12);
    EXPECT(store, {12, MM_STATUS_OK, MM_OUTCOME_NONE});
    sqlite3_close(other);
    assert_true(store_close(&store));
}

// What is put in each round: new names, an intent of before that is settled, one that is repeated
// with more deliveries, what a small row has no room for, and new jobs.
static void put_round(store_t *store, unsigned round, const char *publisher, const char *worker)
{
    mm_task_t task = store_task(MM_LEG_SETTLE, 10 * round, 0);
    task.outcome = MM_OUTCOME_RESTARTED;
    task.publisher = mm_str(publisher);
    task.worker = mm_str(worker);
    store_put(store, &task);
    task = store_task(MM_LEG_SAVE, 10 * round + 1, 1);
    task.deliveries = 20;
    task.publisher = mm_str(publisher);
    store_put(store, &task);
    for (unsigned i = 2; i < 6; i++) {
        task = store_task(MM_LEG_SETTLE, 10 * round + i, i);
        task.outcome = MM_OUTCOME_DEAD;
        task.publisher = mm_str(publisher);
        task.worker = mm_str(worker);
        task.attempts = i == 5 ? 1000 : 1;
        store_put(store, &task);
    }
}

// The batch fails at its n-th write, for each n: nothing of it is on record, no name of it is known
// under a number, and the next one is recorded as if it had been the first.
static void a_batch_fails_at_each_of_its_writes(void **state)
{
    (void)state;
    store_t *store = open_store();
    unsigned round = 0;
    for (bool fails = true; fails; round++) {
        char worker[16], publisher[16], sql[512];
        put_save(store, 10 * round, 0);
        put_save(store, 10 * round + 1, 1);
        EXPECT(store, {0, MM_STATUS_OK, MM_OUTCOME_NONE}, {1, MM_STATUS_OK, MM_OUTCOME_NONE});
        (void)snprintf(publisher, sizeof publisher, "lost-%u", round);
        put_round(store, round, publisher, publisher);
        write_fails_after = (int)round;
        assert_true(store_flush(store));
        write_fails_after = NEVER_FAILS;
        const mm_result_t *answers = NULL;
        assert_int_equal(store_answers(store, &answers), 6);
        fails = answers[0].status == MM_STATUS_FAILED;
        for (size_t i = 0; i < 6; i++)
            assert_int_equal(answers[i].status, fails ? MM_STATUS_FAILED : MM_STATUS_OK);
        (void)snprintf(sql, sizeof sql,
                       "SELECT count(*), count(outcome), max(deliveries) FROM jobs WHERE id >="
                       " x'%032x'",
                       10 * round);
        assert_string_equal(query(sql), fails ? "2|0|1;" : "6|5|20;");
        if (!fails)
            continue;
        (void)snprintf(worker, sizeof worker, "w%u", round);
        (void)snprintf(publisher, sizeof publisher, "p%u", round);
        put_round(store, round, publisher, worker);
        EXPECT(store, {0, MM_STATUS_OK, MM_OUTCOME_RESTARTED}, {1, MM_STATUS_OK, MM_OUTCOME_NONE},
               {2, MM_STATUS_OK, MM_OUTCOME_DEAD}, {3, MM_STATUS_OK, MM_OUTCOME_DEAD},
               {4, MM_STATUS_OK, MM_OUTCOME_DEAD}, {5, MM_STATUS_OK, MM_OUTCOME_DEAD});
        (void)snprintf(sql, sizeof sql,
                       "SELECT count(*), count(outcome), max(deliveries), sum(worker = '%s'),"
                       " sum(publisher = '%s'), sum(publisher = 'publisher-1'), max(attempts)"
                       " FROM jobs WHERE id >= x'%032x'",
                       worker, publisher, 10 * round);
        assert_string_equal(query(sql), "6|5|20|5|4|2|1000;");
    }
    assert_true(round > 1);
    assert_string_equal(query("SELECT count(*) FROM job_names WHERE name LIKE 'lost-%'"), "1;");
    assert_string_equal(query("PRAGMA integrity_check"), "ok;");
    assert_true(store_close(&store));
}

static void write_batch(void)
{
    store_t *store = NULL;
    if (store_open(path, &store, open_error) != 0)
        _exit(1);
    put_round(store, 0, "publisher-2", "restarter-2");
    if (!store_flush(store))
        _exit(1);
    _exit(0);
}

// All of a batch is on record or nothing, with its names.
static void a_batch_is_killed_at_each_of_its_writes(void **state)
{
    (void)state;
    int write = 0;
    for (bool killed = true; killed; write++) {
        store_t *store = open_store();
        put_save(store, 0, 0);
        put_save(store, 1, 1);
        assert_true(store_flush(store));
        assert_true(store_close(&store));
        killed = is_killed(write, write_batch);
        store = open_store();
        const char *found = query("SELECT count(*), count(outcome), max(deliveries), count(worker),"
                                  " count(publisher), (SELECT count(*) FROM job_names),"
                                  " (SELECT count(*) FROM odd_jobs) FROM jobs");
        if (strcmp(found, "6|5|20|5|6|3|2;") != 0) {
            assert_true(killed);
            assert_string_equal(found, "2|0|1|0|2|1|0;");
        }
        assert_string_equal(query("PRAGMA integrity_check"), "ok;");
        assert_true(store_close(&store));
        assert_int_equal(unlink(path), 0);
    }
    assert_true(write > 1);
}

static void make_old(void)
{
    execute(OLD_RECORD_3
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
            " INSERT INTO jobs SELECT i, 'a', iif(i = 7, '7', 'a'), 'p' || (i % 3), i, 2 * i,"
            " 'restarted', 1, iif(i = 7, 77, 1), 0, 'w' || (i % 5), NULL, 'proven' FROM n");
}

static const char rows[] = "SELECT count(*), sum(settled_ms), group_concat(DISTINCT worker),"
                           " max(deliveries), min(instance) FROM jobs";

static void open_and_leave(void)
{
    store_t *store = NULL;
    if (store_open(path, &store, open_error) != 0)
        _exit(1);
}

// It is then of the one version or the other, and shows the same.
static void an_upgrade_is_killed_at_each_of_its_writes(void **state)
{
    (void)state;
    make_old();
    char *before = strdup(query(rows));
    int write = 0;
    for (bool killed = true; killed; write++) {
        killed = is_killed(write, open_and_leave);
        assert_string_equal(query(rows), before);
        bool is_old = strcmp(query("PRAGMA user_version"), "3;") == 0;
        assert_true(killed || !is_old);
        assert_string_equal(query("SELECT count(*) FROM sqlite_schema WHERE name = 'job_rows'"),
                            is_old ? "0;" : "1;");
        if (is_old)
            continue;
        store_t *store = open_store(); // whose end folds the log into the file
        assert_true(store_close(&store));
        assert_string_equal(query("PRAGMA integrity_check"), "ok;");
        assert_int_equal(unlink(path), 0);
        make_old();
    }
    assert_true(write > 1);
    free(before);
}

// The upgrade fails at its n-th write, for each n: the file is as it was, and says why.
static void an_upgrade_fails_at_each_of_its_writes(void **state)
{
    (void)state;
    make_old();
    char *before = strdup(query(rows));
    int failures = 0;
    for (bool fails = true; fails; failures++) {
        store_t *store = NULL;
        write_fails_after = failures;
        int code = store_open(path, &store, open_error);
        write_fails_after = NEVER_FAILS;
        fails = code != 0;
        assert_string_equal(query(rows), before);
        assert_string_equal(query("PRAGMA user_version"), fails ? "3;" : "4;");
        if (fails && (code != EX_IOERR || !strstr(open_error, "free some space")))
            fail_msg("%d %s", code, open_error);
        assert_string_equal(query("SELECT count(*) FROM sqlite_schema WHERE name = 'job_rows'"),
                            fails ? "0;" : "1;");
        if (!fails)
            assert_true(store_close(&store));
    }
    assert_true(failures > 1);
    assert_string_equal(query("PRAGMA integrity_check"), "ok;");
    free(before);
}

static void a_broken_file_ends_the_store(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_save(store, 1, 11);
    assert_true(store_flush(store));
    execute("DROP TABLE job_rows");
    put_save(store, 2, 12);
    assert_false(store_flush(store));
    assert_true(strlen(store_error(store)) > 0);
    assert_false(store_flush(store));
    assert_false(store_close(&store));
    assert_null(store);
}

static void a_failed_fsync_ends_the_store_for_good(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_settle(store, 1, 11, MM_OUTCOME_RESTARTED);
    fsync_fails_after = 0;
    assert_false(store_flush(store));
    fsync_fails_after = NEVER_FAILS;
    assert_non_null(strstr(store_error(store), "Input/output error"));
    assert_false(store_flush(store));
    const mm_result_t *answers = NULL;
    assert_int_equal(store_answers(store, &answers), 0);
    assert_false(store_close(&store));
}

// Enough pages for a checkpoint, whose fsync fails after the commit's own one has passed.
static void a_checkpoint_that_fails_ends_the_store_after_its_answers(void **state)
{
    (void)state;
    store_t *store = open_store();
    unsigned job = 0;
    bool goes_on = true;
    for (unsigned batch = 0; batch < 100 && goes_on; batch++) {
        for (unsigned i = 0; i < 1000; i++)
            put_save(store, job++, 1);
        fsync_fails_after = 1;
        goes_on = store_flush(store);
        fsync_fails_after = NEVER_FAILS;
        const mm_result_t *answers = NULL;
        assert_int_equal(store_answers(store, &answers), goes_on ? 1000 : 0);
    }
    assert_false(goes_on);
    assert_non_null(strstr(store_error(store), "Input/output error"));
    assert_false(store_close(&store));
    store = open_store();
    char count[32];
    snprintf(count, sizeof count, "%u;", job - 1000);
    assert_string_equal(query("SELECT count(*) FROM jobs"), count);
    assert_true(store_close(&store));
}

static void refuses(int code, const char *words)
{
    store_t *store = NULL;
    assert_int_equal(store_open(path, &store, open_error), code);
    assert_null(store);
    if (strstr(open_error, words) == NULL)
        fail_msg("%s", open_error);
    assert_non_null(strstr(open_error, path));
}

static void write_file(const void *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, data, size), size);
    close(fd);
}

static void a_second_store_on_the_file_is_refused(void **state)
{
    (void)state;
    store_t *store = open_store();
    refuses(EX_UNAVAILABLE, "already in use by another process");
    assert_true(store_close(&store));
    store = open_store();
    assert_true(store_close(&store));
}

static void a_newer_version_is_refused(void **state)
{
    (void)state;
    store_t *store = open_store();
    assert_true(store_close(&store));
    execute("PRAGMA user_version = 7");
    refuses(EX_CONFIG, "has version 7, but this program writes version 4");
}

static void what_is_not_a_database_is_refused_and_left_alone(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof text);
    write_file(text, sizeof text);
    refuses(EX_DATAERR, "is not a database");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, sizeof text);
}

static void a_file_that_was_cut_off_is_refused(void **state)
{
    (void)state;
    store_t *store = open_store();
    for (unsigned i = 0; i < 1000; i++)
        put_save(store, i, i);
    assert_true(store_close(&store));
    assert_int_equal(truncate(path, 8192 + 100), 0);
    refuses(EX_DATAERR, "damaged or cut off");
    assert_int_equal(truncate(path, 60), 0);
    refuses(EX_DATAERR, "damaged or cut off");
}

static void the_database_of_another_program_is_refused(void **state)
{
    (void)state;
    execute("CREATE TABLE music (title TEXT)");
    refuses(EX_DATAERR, "is not a database of this program");
    execute("PRAGMA user_version = 1");
    refuses(EX_DATAERR, "is not what this program expects (no such table: jobs)");
}

static void a_folder_in_its_place_and_a_missing_folder_are_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    refuses(EX_CANTCREAT, "is a folder");
    snprintf(path, sizeof path, "%s/none/mayhem.db", folder);
    refuses(EX_CANTCREAT, "No such file or directory");
    snprintf(path, sizeof path, "/proc/mayhem.db");
    refuses(EX_CANTCREAT, "cannot create");
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_full_disk_fails_the_batch_and_passes),
        STORE_TEST(a_database_that_is_being_written_fails_the_batch_and_passes),
        STORE_TEST(a_batch_fails_at_each_of_its_writes),
        STORE_TEST(a_batch_is_killed_at_each_of_its_writes),
        STORE_TEST(an_upgrade_is_killed_at_each_of_its_writes),
        STORE_TEST(an_upgrade_fails_at_each_of_its_writes),
        STORE_TEST(a_broken_file_ends_the_store),
        STORE_TEST(a_failed_fsync_ends_the_store_for_good),
        STORE_TEST(a_checkpoint_that_fails_ends_the_store_after_its_answers),
        STORE_TEST(a_second_store_on_the_file_is_refused),
        STORE_TEST(a_newer_version_is_refused),
        STORE_TEST(what_is_not_a_database_is_refused_and_left_alone),
        STORE_TEST(a_file_that_was_cut_off_is_refused),
        STORE_TEST(the_database_of_another_program_is_refused),
        STORE_TEST(a_folder_in_its_place_and_a_missing_folder_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
