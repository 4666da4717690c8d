// The store when the world fails: a full disk, a busy database, a failed fsync, and files that are
// not its own.

#include "store_play.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/syscall.h>
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

static void a_broken_file_ends_the_store(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_save(store, 1, 11);
    assert_true(store_flush(store));
    execute("DROP TABLE jobs");
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
    refuses(EX_CONFIG, "has version 7, but this program writes version 3");
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
