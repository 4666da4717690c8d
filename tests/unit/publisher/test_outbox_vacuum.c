// The outbox gives the space of settled jobs back, whatever fails meanwhile and wherever it is
// killed.

#include "attributes.h"
#include "bad_disk.h"
#include "outbox_play.h"

#include <fcntl.h>
#include <sys/wait.h>

#define JOBS  5000
#define LEFT  10 // the last ones
#define DEAD  7
#define SMALL (1024 * 1024)

static int64_t run;
static char peak[TEMP_PATH_MAX]; // a copy of the file as it is before

static struct stat file_status(void)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status;
}

static void copy(const char *from, const char *to)
{
    static char bytes[1 << 16];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(in >= 0 && out >= 0);
    for (ssize_t size; (size = read(in, bytes, sizeof bytes)) > 0;)
        assert_int_equal(write(out, bytes, (size_t)size), size);
    (void)close(in);
    (void)close(out);
}

static void settle_some(outbox_db_t *outbox, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        settle(outbox, run, i, i < DEAD ? MM_OUTCOME_DEAD : MM_OUTCOME_RESTARTED);
    commit(outbox);
}

// A backlog of some megabytes, of which `left` jobs are not settled.
static void make_peak(unsigned left)
{
    char attributes[2048], value[MM_ATTRIBUTE_VALUE_MAX + 1] = {0};
    memset(value, 'v', MM_ATTRIBUTE_VALUE_MAX);
    (void)snprintf(attributes, sizeof attributes, "a=%s b=%s c=%s d=%s e=%s f=%s", value, value,
                   value, value, value, value);
    bad_disk_begin(DISK_GOOD, 0, 0);
    temp_path(peak, "peak.db");
    outbox_db_t *outbox = open_outbox();
    run = begin(outbox, "hosts.txt");
    for (unsigned i = 0; i < JOBS; i++) {
        put_with(outbox, run, i, attributes);
        if (i % 500 == 499 || i == JOBS - left - 1)
            commit(outbox);
    }
    settle_some(outbox, 0, JOBS - left);
    outbox_db_close(&outbox);
    assert_true(file_status().st_size > 3 * SMALL);
    copy(path, peak);
}

static void is_all_there(outbox_db_t *outbox)
{
    assert_string_equal(query("PRAGMA integrity_check"), "ok;");
    expect_jobs(outbox, 100, JOBS - LEFT, LEFT);
    expect_counts(outbox, run, JOBS, JOBS - LEFT - DEAD, DEAD);
    assert_string_equal(query("SELECT count(*) FROM dead"), "7;");
}

static void most_of_the_file_is_given_back(void **state)
{
    (void)state;
    make_peak(LEFT);
    struct stat before = file_status();
    outbox_db_t *outbox = open_outbox();
    assert_int_equal(outbox_db_vacuum(outbox), OUTBOX_DB_OK);
    struct stat after = file_status();
    assert_true(after.st_size < SMALL);
    assert_int_equal(after.st_ino, before.st_ino);
    is_all_there(outbox);
    // It works on, and finds nothing more to give back.
    settle_some(outbox, JOBS - LEFT, JOBS);
    assert_int_equal(outbox_db_vacuum(outbox), OUTBOX_DB_OK);
    put(outbox, run, JOBS);
    commit(outbox);
    expect_jobs(outbox, 10, JOBS, 1);
    outbox_db_close(&outbox);
}

static void a_file_of_which_much_is_left_stays(void **state)
{
    (void)state;
    make_peak(JOBS / 3);
    off_t before = file_status().st_size;
    outbox_db_t *outbox = open_outbox();
    assert_int_equal(outbox_db_vacuum(outbox), OUTBOX_DB_OK);
    assert_int_equal(file_status().st_size, before);
    outbox_db_close(&outbox);
}

// It sees the file as it was when its transaction began.
static void a_reader_is_not_disturbed(void **state)
{
    (void)state;
    make_peak(LEFT);
    outbox_db_t *outbox = open_outbox();
    sqlite3 *reader = NULL;
    sqlite3_stmt *rows = NULL;
    assert_int_equal(sqlite3_open_v2(path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(reader, "SELECT host FROM dead", -1, &rows, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    assert_int_equal(outbox_db_vacuum(outbox), OUTBOX_DB_OK);
    int count = 1;
    while (sqlite3_step(rows) == SQLITE_ROW)
        count++;
    assert_int_equal(count, DEAD);
    sqlite3_finalize(rows);
    sqlite3_close(reader);
    is_all_there(outbox);
    outbox_db_close(&outbox);
    assert_true(file_status().st_size < SMALL);
}

static void remove_others(void)
{
    char name[TEMP_PATH_MAX + 8];
    (void)snprintf(name, sizeof name, "%s-wal", path);
    (void)unlink(name);
    (void)snprintf(name, sizeof name, "%s-shm", path);
    (void)unlink(name);
}

// In a process of its own.
static bool is_killed_at(unsigned at)
{
    remove_others();
    copy(peak, path);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        outbox_db_t *outbox = NULL;
        if (outbox_db_open(path, false, &outbox, open_error) != 0)
            _exit(1);
        bad_disk_begin(DISK_KILL, at, 0);
        outbox_db_status_t status = outbox_db_vacuum(outbox);
        outbox_db_close(&outbox);
        _exit(status == OUTBOX_DB_OK ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 137));
    outbox_db_t *outbox = open_outbox();
    is_all_there(outbox);
    assert_int_equal(outbox_db_vacuum(outbox), OUTBOX_DB_OK);
    is_all_there(outbox);
    outbox_db_close(&outbox);
    assert_true(file_status().st_size < SMALL);
    return WEXITSTATUS(status) == 137;
}

static void it_may_be_killed_at_each_write(void **state)
{
    (void)state;
    make_peak(LEFT);
    unsigned at = 1;
    while (is_killed_at(at))
        at++;
    assert_true(at > 10);
}

static void it_may_fail_at_each_write(void **state)
{
    (void)state;
    static const bad_disk_t kinds[] = {DISK_WRITE_FAILS, DISK_FULL, DISK_SHORT, DISK_SYNC_FAILS,
                                       DISK_POWER_CUT};
    make_peak(LEFT);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bool is_full = kinds[i] == DISK_FULL || kinds[i] == DISK_SHORT, has_failed = true;
        unsigned at = 1;
        for (; has_failed; at++) {
            remove_others();
            copy(peak, path);
            outbox_db_t *outbox = open_outbox();
            bad_disk_begin(kinds[i], at, at);
            outbox_db_status_t status = outbox_db_vacuum(outbox);
            has_failed = bad_disk_has_failed();
            // A full disk that only the checkpoint meets is no failure.
            if (!has_failed || !is_full)
                assert_int_equal(status, has_failed ? OUTBOX_DB_FATAL : OUTBOX_DB_OK);
            assert_true(!is_full || status != OUTBOX_DB_FATAL);
            outbox_db_close(&outbox);
            bad_disk_restart();
            outbox = open_outbox();
            is_all_there(outbox);
            outbox_db_close(&outbox);
        }
        assert_true(at > 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OUTBOX_TEST(most_of_the_file_is_given_back),
        OUTBOX_TEST(a_file_of_which_much_is_left_stays),
        OUTBOX_TEST(a_reader_is_not_disturbed),
        OUTBOX_TEST(it_may_be_killed_at_each_write),
        OUTBOX_TEST(it_may_fail_at_each_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
