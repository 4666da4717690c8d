// The file of the store: one of version 1 is brought up to date, and one that somebody takes away
// ends the store.

#include "record_schema.h"
#include "store_play.h"

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#define VERSION_1                                                                                  \
    "PRAGMA journal_mode = WAL;"                                                                   \
    "CREATE TABLE jobs ("                                                                          \
    " id BLOB PRIMARY KEY, host TEXT NOT NULL, instance TEXT NOT NULL, publisher TEXT NOT NULL,"   \
    " received_ms INTEGER NOT NULL, settled_ms INTEGER, outcome TEXT,"                             \
    " attempts INTEGER NOT NULL DEFAULT 0, deliveries INTEGER NOT NULL DEFAULT 1,"                 \
    " extended INTEGER NOT NULL DEFAULT 0, worker TEXT, error TEXT) WITHOUT ROWID;"                \
    "INSERT INTO jobs (id, host, instance, publisher, received_ms, settled_ms, outcome, error)"    \
    " VALUES (zeroblob(16), 'web-1', 'web-1', 'p', 1000, 2000, 'restarted', NULL),"                \
    " (x'01000000000000000000000000000000', 'web-2', 'web-2', 'p', 1000, 2000, 'dead', 'no "       \
    "route'),"                                                                                     \
    " (x'02000000000000000000000000000000', 'web-3', 'web-3', 'p', 1000, NULL, NULL, NULL);"       \
    "PRAGMA user_version = 1"

// As version 2 has left it: with attempts and proofs.
#define VERSION_2                                                                                  \
    VERSION_1 ";" RECORD_UPGRADE_1 ";UPDATE jobs SET proof = 'proven' WHERE host = 'web-1';"       \
              "INSERT INTO attempts (job, attempt, state, command, first_boot_ms,"                 \
              " deadline_boot_ms) VALUES (zeroblob(16), 1, 'ended', 1, 5, 9);"                     \
              "PRAGMA user_version = 2"

// Each table with its columns, then the indexes.
static const char *schema(void)
{
    return query("SELECT t.name, c.name, c.type, c.\"notnull\", c.pk FROM sqlite_schema AS t"
                 " JOIN pragma_table_xinfo(t.name) AS c WHERE t.type = 'table'"
                 " UNION ALL SELECT name, sql, 0, 0, 0 FROM sqlite_schema WHERE type = 'index'"
                 " ORDER BY 1, 2");
}

static void a_file_of_version_1_is_brought_up_to_date(void **state)
{
    (void)state;
    store_t *store = open_store();
    char *fresh = strdup(schema());
    assert_true(store_close(&store));
    assert_int_equal(unlink(path), 0);
    execute(VERSION_1);
    store = open_store();
    assert_string_equal(schema(), fresh);
    free(fresh);
    assert_string_equal(query("PRAGMA user_version"), "3;");
    assert_string_equal(query("PRAGMA integrity_check"), "ok;");
    // Whether version 1 has rehearsed, nobody knows.
    assert_string_equal(query("SELECT host, outcome, error, proof FROM jobs"),
                        "web-1|restarted|NULL|NULL;web-2|dead|no route|NULL;web-3|NULL|NULL|NULL;");
    put_settle(store, 1, 11, MM_OUTCOME_RESTARTED);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_string_equal(query("SELECT proof FROM jobs WHERE publisher = 'publisher-1'"),
                        "rehearsed;");
    assert_true(store_close(&store));
    store = open_store(); // a second time there is nothing to do
    assert_true(store_close(&store));
}

static void a_file_of_version_2_keeps_what_it_has(void **state)
{
    (void)state;
    store_t *store = open_store();
    char *fresh = strdup(schema());
    assert_true(store_close(&store));
    assert_int_equal(unlink(path), 0);
    execute(VERSION_2);
    store = open_store();
    assert_string_equal(schema(), fresh);
    free(fresh);
    assert_string_equal(query("PRAGMA user_version"), "3;");
    assert_string_equal(query("PRAGMA integrity_check"), "ok;");
    assert_string_equal(query("SELECT host, outcome, proof FROM jobs"),
                        "web-1|restarted|proven;web-2|dead|NULL;web-3|NULL|NULL;");
    assert_string_equal(query("SELECT attempt, state FROM attempts"), "1|ended;");
    // What was before has no rows in the audit: nobody could vouch for them.
    assert_string_equal(query("SELECT count(*) FROM audit"), "0;");
    assert_int_equal(store_head(store).seq, 0);
    assert_true(store_close(&store));
}

static void a_failed_upgrade_leaves_the_file_as_it_was(void **state)
{
    (void)state;
    execute(VERSION_1 ";CREATE TABLE attempts (note TEXT)");
    store_t *store = NULL;
    assert_int_equal(store_open(path, &store, open_error), EX_DATAERR);
    assert_non_null(strstr(open_error, "table attempts already exists"));
    assert_string_equal(query("PRAGMA user_version"), "1;");
    assert_string_equal(query("SELECT count(*) FROM pragma_table_xinfo('jobs')"), "12;");
}

// A copy that was made by VACUUM INTO has no log yet.
static void a_file_without_a_log_works(void **state)
{
    (void)state;
    store_t *store = open_store();
    assert_true(store_close(&store));
    execute("PRAGMA journal_mode = DELETE");
    store = open_store();
    put_save(store, 1, 11);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_NONE});
    assert_true(store_close(&store));
}

// ---- the file is taken away

static char other[TEMP_PATH_MAX];

static void is_over(store_t *store, const char *what)
{
    char start[TEMP_PATH_MAX + 100];
    (void)snprintf(start, sizeof start, "'%s' was removed, moved or replaced", what);
    assert_false(store_check(store));
    assert_memory_equal(store_error(store), start, strlen(start));
    put_save(store, 2, 12);
    assert_false(store_flush(store));
    const mm_result_t *answers = NULL;
    assert_int_equal(store_answers(store, &answers), 0);
    assert_false(store_close(&store));
}

static store_t *open_used(void)
{
    store_t *store = open_store();
    put_save(store, 1, 11);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_NONE});
    assert_true(store_check(store));
    temp_path(other, "other.db");
    return store;
}

static void a_removed_file_ends_the_store(void **state)
{
    (void)state;
    store_t *store = open_used();
    assert_int_equal(unlink(path), 0);
    is_over(store, path);
}

// Nobody has looked in between: the commit itself finds out, and answers nothing.
static void nothing_is_answered_from_a_removed_file(void **state)
{
    (void)state;
    store_t *store = open_used();
    assert_int_equal(unlink(path), 0);
    put_settle(store, 1, 12, MM_OUTCOME_RESTARTED);
    assert_false(store_flush(store));
    assert_non_null(strstr(store_error(store), "was removed, moved or replaced"));
    const mm_result_t *answers = NULL;
    assert_int_equal(store_answers(store, &answers), 0);
    assert_false(store_close(&store));
}

static void a_moved_file_ends_the_store_and_keeps_its_rows(void **state)
{
    (void)state;
    store_t *store = open_used();
    assert_int_equal(rename(path, other), 0);
    is_over(store, path);
    assert_int_equal(rename(other, path), 0);
    store = open_store();
    assert_string_equal(query("SELECT count(*) FROM jobs WHERE id = (SELECT min(id) FROM jobs)"),
                        "1;");
    assert_true(store_close(&store));
}

static void a_replaced_file_ends_the_store_and_is_left_alone(void **state)
{
    (void)state;
    store_t *store = open_used();
    int fd = open(other, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "another", 7), 7);
    (void)close(fd);
    assert_int_equal(rename(other, path), 0);
    is_over(store, path);
    char text[8] = {0};
    fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, text, sizeof text), 7);
    (void)close(fd);
    assert_string_equal(text, "another");
}

static void a_removed_log_ends_the_store(void **state)
{
    (void)state;
    store_t *store = open_used();
    char log[TEMP_PATH_MAX + 4];
    (void)snprintf(log, sizeof log, "%s-wal", path);
    assert_int_equal(unlink(log), 0);
    is_over(store, log);
}

// Other programs read the file, fold its log into it, and go.
static void readers_and_checkpoints_do_not_disturb(void **state)
{
    (void)state;
    store_t *store = open_used();
    execute("PRAGMA wal_checkpoint(TRUNCATE)");
    assert_string_equal(query("SELECT count(*) FROM jobs"), "1;");
    assert_true(store_check(store));
    put_save(store, 2, 12);
    EXPECT(store, {12, MM_STATUS_OK, MM_OUTCOME_NONE});
    assert_true(store_close(&store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_file_of_version_1_is_brought_up_to_date),
        STORE_TEST(a_file_of_version_2_keeps_what_it_has),
        STORE_TEST(a_failed_upgrade_leaves_the_file_as_it_was),
        STORE_TEST(a_file_without_a_log_works),
        STORE_TEST(a_removed_file_ends_the_store),
        STORE_TEST(nothing_is_answered_from_a_removed_file),
        STORE_TEST(a_moved_file_ends_the_store_and_keeps_its_rows),
        STORE_TEST(a_replaced_file_ends_the_store_and_is_left_alone),
        STORE_TEST(a_removed_log_ends_the_store),
        STORE_TEST(readers_and_checkpoints_do_not_disturb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
