// The store against a real file: what it answers, what is on record, and what survives.

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "store.h"
#include "text.h"

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

static char folder[64];
static char path[80];
static char error[MM_ERROR_MAX];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/mayhem.db", folder);
    return 0;
}

static int remove_one(const char *name, const struct stat *status, int flag, struct FTW *ftw)
{
    (void)status, (void)flag, (void)ftw;
    return remove(name);
}

static int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static store_t *open_store(void)
{
    store_t *store = NULL;
    assert_int_equal(store_open(path, &store, error), 0);
    return store;
}

static mm_id_t id_of(unsigned number)
{
    mm_id_t id = {{0}};
    memcpy(id.bytes + 12, &(uint32_t){__builtin_bswap32(number)}, 4);
    return id;
}

static mm_task_t task_of(mm_leg_t leg, unsigned job, uint64_t number)
{
    return (mm_task_t){.number = number,
                       .leg = leg,
                       .id = id_of(job),
                       .host = mm_text("web-7.example.net"),
                       .deliveries = 1,
                       .publisher = mm_text("publisher-1"),
                       .received_ms = 1000};
}

static void put_save(store_t *store, unsigned job, uint64_t number)
{
    mm_task_t task = task_of(MM_LEG_SAVE, job, number);
    store_put(store, &task);
}

static void put_settle(store_t *store, unsigned job, uint64_t number, mm_outcome_t outcome)
{
    mm_task_t task = task_of(MM_LEG_SETTLE, job, number);
    task.outcome = outcome;
    task.attempts = 3;
    task.extended = 4;
    task.worker = mm_text("restarter-2");
    task.error = outcome == MM_OUTCOME_DEAD ? mm_text("no route") : mm_text("");
    store_put(store, &task);
}

// Flushes, and checks the answers: one (number, status, outcome) each, in this order.
typedef struct {
    uint64_t number;
    mm_status_t status;
    mm_outcome_t outcome;
} expected_t;

static void expect_answers(store_t *store, const expected_t *expected, size_t count)
{
    assert_true(store_flush(store));
    const store_answer_t *answers = NULL;
    assert_int_equal(store_answers(store, &answers), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(answers[i].number, expected[i].number);
        assert_int_equal(answers[i].status, expected[i].status);
        assert_int_equal(answers[i].outcome, expected[i].outcome);
        if (expected[i].status == MM_STATUS_FAILED)
            assert_true(answers[i].error.size > 0);
        else if (expected[i].outcome != MM_OUTCOME_DEAD)
            assert_int_equal(answers[i].error.size, 0);
    }
}
#define EXPECT(STORE, ...)                                                                         \
    expect_answers(STORE, (const expected_t[]){__VA_ARGS__},                                       \
                   sizeof((const expected_t[]){__VA_ARGS__}) / sizeof(expected_t))

// The answer of a query as one text, through a connection of its own.
static const char *query(const char *sql)
{
    static char text[512];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    text[0] = '\0';
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *value = (const char *)sqlite3_column_text(statement, i);
            strcat(text, value != NULL ? value : "NULL");
            strcat(text, i + 1 < sqlite3_column_count(statement) ? "|" : ";");
        }
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return text;
}

static void execute(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_save_is_an_intent_and_may_be_repeated(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_save(store, 1, 11);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_NONE});
    put_save(store, 1, 12);
    EXPECT(store, {12, MM_STATUS_OK, MM_OUTCOME_NONE});
    assert_string_equal(query("SELECT host, instance, publisher, received_ms, settled_ms, outcome,"
                              " attempts, deliveries, extended, worker, error FROM jobs"),
                        "web-7.example.net|web-7|publisher-1|1000|NULL|NULL|0|1|0|NULL|NULL;");
    assert_true(store_close(&store));
}

static void a_settle_completes_the_row_and_may_be_repeated(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_save(store, 1, 11);
    assert_true(store_flush(store));
    put_settle(store, 1, 12, MM_OUTCOME_RESTARTED);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_NONE}, {12, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    put_settle(store, 1, 13, MM_OUTCOME_RESTARTED);
    EXPECT(store, {13, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_string_equal(query("SELECT received_ms, settled_ms > 1600000000000, outcome, attempts,"
                              " deliveries, extended, worker, error FROM jobs"),
                        "1000|1|restarted|3|1|4|restarter-2|NULL;");
    assert_true(store_close(&store));
}

static void a_settle_needs_no_intent(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_settle(store, 1, 11, MM_OUTCOME_DEAD);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_DEAD});
    assert_string_equal(query("SELECT instance, outcome, error FROM jobs"), "web-7|dead|no route;");
    assert_true(store_close(&store));
}

static void the_first_outcome_stays_and_is_the_answer(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_settle(store, 1, 11, MM_OUTCOME_DEAD);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_DEAD});
    put_settle(store, 1, 12, MM_OUTCOME_RESTARTED);
    put_save(store, 1, 13);
    EXPECT(store, {12, MM_STATUS_OK, MM_OUTCOME_DEAD}, {13, MM_STATUS_OK, MM_OUTCOME_DEAD});
    put_save(store, 1, 14);
    assert_true(store_flush(store));
    const store_answer_t *answers = NULL;
    assert_int_equal(store_answers(store, &answers), 1);
    assert_true(mm_text_equal(answers[0].error, mm_text("no route")));
    assert_string_equal(query("SELECT outcome, error FROM jobs"), "dead|no route;");
    assert_true(store_close(&store));
}

static void in_one_batch_each_is_answered_as_of_its_turn(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_save(store, 1, 11);
    put_settle(store, 1, 12, MM_OUTCOME_RESTARTED);
    put_save(store, 2, 13);
    put_save(store, 1, 14);
    put_settle(store, 1, 15, MM_OUTCOME_DEAD);
    assert_int_equal(store_pending(store), 5);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_NONE}, {12, MM_STATUS_OK, MM_OUTCOME_RESTARTED},
           {13, MM_STATUS_OK, MM_OUTCOME_NONE}, {14, MM_STATUS_OK, MM_OUTCOME_RESTARTED},
           {15, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_int_equal(store_pending(store), 0);
    assert_string_equal(query("SELECT count(*), sum(outcome = 'restarted') FROM jobs"), "2|1;");
    assert_true(store_close(&store));
}

static void save_and_settle_of_one_batch_are_one_write(void **state)
{
    (void)state;
    store_t *store = open_store();
    assert_true(store_close(&store));
    execute(
        "CREATE TABLE writes (kind TEXT);"
        "CREATE TRIGGER i AFTER INSERT ON jobs BEGIN INSERT INTO writes VALUES ('insert'); END;"
        "CREATE TRIGGER u AFTER UPDATE ON jobs BEGIN INSERT INTO writes VALUES ('update'); END");
    store = open_store();
    mm_task_t save = task_of(MM_LEG_SAVE, 1, 11);
    save.deliveries = 2;
    save.received_ms = 900;
    store_put(store, &save);
    put_settle(store, 1, 12, MM_OUTCOME_RESTARTED);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_NONE}, {12, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_string_equal(query("SELECT kind FROM writes"), "insert;");
    assert_string_equal(query("SELECT received_ms, deliveries FROM jobs"), "900|2;");
    assert_true(store_close(&store));
}

static void deliveries_only_rise(void **state)
{
    (void)state;
    store_t *store = open_store();
    static const uint32_t deliveries[] = {2, 5, 3};
    for (uint64_t i = 0; i < 3; i++) {
        mm_task_t save = task_of(MM_LEG_SAVE, 1, i);
        save.deliveries = deliveries[i];
        store_put(store, &save);
        EXPECT(store, {i, MM_STATUS_OK, MM_OUTCOME_NONE});
    }
    put_settle(store, 1, 9, MM_OUTCOME_RESTARTED);
    EXPECT(store, {9, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_string_equal(query("SELECT deliveries FROM jobs"), "5;");
    assert_true(store_close(&store));
}

static void each_answer_is_given_once(void **state)
{
    (void)state;
    store_t *store = open_store();
    const store_answer_t *answers = NULL;
    assert_true(store_flush(store));
    assert_int_equal(store_answers(store, &answers), 0);
    put_save(store, 1, 11);
    assert_true(store_flush(store));
    assert_int_equal(store_answers(store, &answers), 1);
    assert_int_equal(store_answers(store, &answers), 0);
    assert_int_equal(store_descriptor(store), -1);
    assert_true(store_close(&store));
}

static void texts_are_copied_and_large_batches_fit(void **state)
{
    (void)state;
    store_t *store = open_store();
    for (unsigned i = 0; i < 5000; i++) {
        char host[32];
        snprintf(host, sizeof host, "host-%u", i);
        mm_task_t task = task_of(MM_LEG_SAVE, i, i);
        task.host = mm_text(host);
        store_put(store, &task);
        memset(host, '!', sizeof host);
    }
    assert_true(store_flush(store));
    const store_answer_t *answers = NULL;
    assert_int_equal(store_answers(store, &answers), 5000);
    assert_int_equal(answers[4999].number, 4999);
    assert_string_equal(query("SELECT count(*), min(host), max(length(host)) FROM jobs"),
                        "5000|host-0|9;");
    assert_true(store_close(&store));
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
    char log[96];
    snprintf(log, sizeof log, "%s-wal", path);
    assert_int_equal(stat(log, &status), 0);
    limit_files((rlim_t)status.st_size + 100);
    put_save(store, 1, 12);
    put_settle(store, 2, 13, MM_OUTCOME_RESTARTED);
    EXPECT(store, {12, MM_STATUS_FAILED, MM_OUTCOME_NONE}, {13, MM_STATUS_FAILED, MM_OUTCOME_NONE});
    assert_non_null(strstr(store_error(store), "free some space"));
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
    const store_answer_t *answers = NULL;
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
        const store_answer_t *answers = NULL;
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

static void closing_commits_what_is_pending(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_settle(store, 1, 11, MM_OUTCOME_RESTARTED);
    assert_true(store_close(&store));
    assert_null(store);
    assert_true(store_close(&store));
    store = open_store();
    put_save(store, 1, 12);
    EXPECT(store, {12, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_true(store_close(&store));
}

static void what_is_answered_survives_kill_9(void **state)
{
    (void)state;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        store_t *store = NULL;
        if (store_open(path, &store, error) != 0)
            _exit(1);
        put_settle(store, 1, 11, MM_OUTCOME_RESTARTED);
        if (!store_flush(store))
            _exit(1);
        put_save(store, 2, 12); // not flushed: must not be there
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    close(ready[1]);
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    store_t *store = open_store();
    assert_string_equal(query("SELECT outcome FROM jobs"), "restarted;");
    assert_true(store_close(&store));
}

static void refuses(int code, const char *words)
{
    store_t *store = NULL;
    assert_int_equal(store_open(path, &store, error), code);
    assert_null(store);
    assert_non_null(strstr(error, words));
    assert_non_null(strstr(error, path));
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
    refuses(EX_CONFIG, "has version 7, but this program writes version 1");
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

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_folder, remove_folder)

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(a_save_is_an_intent_and_may_be_repeated),
        TEST(a_settle_completes_the_row_and_may_be_repeated),
        TEST(a_settle_needs_no_intent),
        TEST(the_first_outcome_stays_and_is_the_answer),
        TEST(in_one_batch_each_is_answered_as_of_its_turn),
        TEST(save_and_settle_of_one_batch_are_one_write),
        TEST(deliveries_only_rise),
        TEST(each_answer_is_given_once),
        TEST(texts_are_copied_and_large_batches_fit),
        TEST(a_full_disk_fails_the_batch_and_passes),
        TEST(a_database_that_is_being_written_fails_the_batch_and_passes),
        TEST(a_broken_file_ends_the_store),
        TEST(a_failed_fsync_ends_the_store_for_good),
        TEST(a_checkpoint_that_fails_ends_the_store_after_its_answers),
        TEST(closing_commits_what_is_pending),
        TEST(what_is_answered_survives_kill_9),
        TEST(a_second_store_on_the_file_is_refused),
        TEST(a_newer_version_is_refused),
        TEST(what_is_not_a_database_is_refused_and_left_alone),
        TEST(a_file_that_was_cut_off_is_refused),
        TEST(the_database_of_another_program_is_refused),
        TEST(a_folder_in_its_place_and_a_missing_folder_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
