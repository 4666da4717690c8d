// The file of the store: an older one is brought up to date, people write to it by hand, and one
// that somebody takes away ends the store.

#include "old_record.h"
#include "store_play.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sysexits.h>
#include <unistd.h>

#define WITH_ATTEMPT                                                                               \
    "INSERT INTO attempts (job, attempt, state, command, first_boot_ms, deadline_boot_ms)"         \
    " VALUES (zeroblob(16), 1, 'ended', 1, 5, 9);"

// The columns of jobs, each value with its type.
#define QUOTED_1                                                                                   \
    "SELECT quote(id), quote(host), quote(instance), quote(publisher), quote(received_ms),"        \
    " quote(settled_ms), quote(outcome), quote(attempts), quote(deliveries), quote(extended),"     \
    " quote(worker), quote(error)"
#define QUOTED QUOTED_1 ", quote(proof)"
#define SHAPE  "SELECT name, type FROM pragma_table_info('jobs') ORDER BY cid"

// Each table with its columns, then all else.
static const char *schema(void)
{
    return query("SELECT t.name, c.name, c.type, c.\"notnull\", c.pk FROM sqlite_schema AS t"
                 " JOIN pragma_table_xinfo(t.name) AS c WHERE t.type = 'table'"
                 " UNION ALL SELECT name, sql, 0, 0, 0 FROM sqlite_schema WHERE type <> 'table'"
                 " ORDER BY 1, 2");
}

static char *fresh_schema(void)
{
    store_t *store = open_store();
    char *fresh = strdup(schema());
    assert_true(store_close(&store));
    assert_int_equal(unlink(path), 0);
    return fresh;
}

static char *keep_rows(const char *sql)
{
    char *rows = strdup(query(sql));
    assert_non_null(rows);
    return rows;
}

// The old file shows the same rows as before when it was brought up to date, and is like a new one.
static void upgrades(const char *old, const char *rows_sql)
{
    char *fresh = fresh_schema();
    execute(old);
    char *shape = keep_rows(SHAPE), *rows = keep_rows(rows_sql);
    store_t *store = open_store();
    assert_string_equal(query(rows_sql), rows);
    assert_int_equal(strncmp(query(SHAPE), shape, strlen(shape)), 0);
    assert_string_equal(schema(), fresh);
    assert_string_equal(query("PRAGMA user_version"), "4;");
    assert_string_equal(query("PRAGMA integrity_check"), "ok;");
    assert_true(store_close(&store));
    store = open_store(); // a second time there is nothing to do
    assert_string_equal(query(rows_sql), rows);
    assert_true(store_close(&store));
    free(rows);
    free(shape);
    free(fresh);
}

static void a_file_of_version_1_is_brought_up_to_date(void **state)
{
    (void)state;
    upgrades(OLD_RECORD_1 OLD_JOBS OLD_ODD_JOBS, QUOTED_1 " FROM jobs ORDER BY id");
    // Whether version 1 has rehearsed, nobody knows.
    assert_string_equal(query("SELECT count(*) FROM jobs WHERE proof IS NOT NULL"), "0;");
    store_t *store = open_store();
    put_settle(store, 1, 11, MM_OUTCOME_RESTARTED);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_string_equal(query("SELECT proof FROM jobs WHERE publisher = 'publisher-1'"),
                        "rehearsed;");
    assert_true(store_close(&store));
}

static void a_file_of_version_2_keeps_what_it_has(void **state)
{
    (void)state;
    upgrades(OLD_RECORD_2 OLD_JOBS WITH_ATTEMPT OLD_ODD_JOBS
             "UPDATE jobs SET proof = 'proven' WHERE host = 'web-1'",
             QUOTED " FROM jobs ORDER BY id");
    assert_string_equal(query("SELECT attempt, state FROM attempts"), "1|ended;");
    // What was before has no rows in the audit: nobody could vouch for them.
    assert_string_equal(query("SELECT count(*) FROM audit"), "0;");
    store_t *store = open_store();
    assert_int_equal(store_head(store).seq, 0);
    assert_true(store_close(&store));
}

static void a_file_of_version_3_shows_the_same_in_small_rows(void **state)
{
    (void)state;
    upgrades(OLD_RECORD_3 OLD_JOBS OLD_ODD_JOBS
             "UPDATE jobs SET proof = CASE length(host) WHEN 1 THEN 'proven' WHEN 5 THEN 'verified'"
             " WHEN 9 THEN 'unverified' WHEN 2 THEN 'rehearsed' ELSE 'sworn' END",
             QUOTED " FROM jobs ORDER BY id");
    // What a release has written is small.
    assert_string_equal(query("SELECT count(*) FROM odd_jobs JOIN jobs USING (id)"
                              " WHERE jobs.proof <> 'sworn' AND host LIKE 'web-%'"),
                        "0;");
    assert_string_equal(query("SELECT count(*) FROM odd_jobs WHERE id IN (x'1003', x'1008')"),
                        "0;");
}

// More names than there are numbers of publishers, and of those that take few bytes.
static void many_names_are_upgraded(void **state)
{
    (void)state;
    execute(OLD_RECORD_3
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
            " INSERT INTO jobs (id, host, instance, publisher, received_ms, worker)"
            " SELECT i, 'a', 'a', 'p' || i, i, 'w' || i FROM n;"
            "CREATE TABLE was AS " QUOTED " FROM jobs");
    store_t *store = open_store();
    assert_string_equal(
        query("SELECT count(*) FROM (SELECT * FROM was EXCEPT " QUOTED " FROM jobs)"), "0;");
    assert_string_equal(query("SELECT count(*), count(facts) FROM job_rows"), "20000|16383;");
    assert_true(store_close(&store));
}

static void a_failed_upgrade_leaves_the_file_as_it_was(void **state)
{
    (void)state;
    execute(OLD_RECORD_1 "CREATE TABLE attempts (note TEXT)");
    store_t *store = NULL;
    assert_int_equal(store_open(path, &store, open_error), EX_DATAERR);
    assert_non_null(strstr(open_error, "table attempts already exists"));
    assert_string_equal(query("PRAGMA user_version"), "1;");
    assert_string_equal(query("SELECT count(*) FROM pragma_table_xinfo('jobs')"), "12;");
}

// The store goes on with odd rows as with its own.
static void odd_jobs_are_settled_like_others(void **state)
{
    (void)state;
    execute(OLD_RECORD_3
            "INSERT INTO jobs VALUES"
            " (x'00000000000000000000000000000007', 'h', 'i', 'p', 1000, NULL, NULL, 0, 16, 0,"
            " NULL, NULL, NULL),"
            " (x'00000000000000000000000000000008', 'h', 'i', 'p', 'then', NULL, NULL, 0, 2, 0,"
            " NULL, NULL, NULL),"
            " (x'00000000000000000000000000000009', 'h', 'i', 'p', 1000, 2000, 'half-done', 0, 2,"
            " 0, NULL, 'why', NULL)");
    store_t *store = open_store();
    mm_task_t save = store_task(MM_LEG_SAVE, 8, 10);
    save.deliveries = 3;
    store_put(store, &save);
    put_save(store, 7, 11);
    EXPECT(store, {10, MM_STATUS_OK, MM_OUTCOME_NONE}, {11, MM_STATUS_OK, MM_OUTCOME_NONE});
    for (unsigned job = 7; job <= 9; job++)
        put_settle(store, job, job, MM_OUTCOME_RESTARTED);
    EXPECT(store, {7, MM_STATUS_OK, MM_OUTCOME_RESTARTED}, {8, MM_STATUS_OK, MM_OUTCOME_RESTARTED},
           {9, MM_STATUS_OK, MM_OUTCOME_DEAD});
    assert_string_equal(query("SELECT instance, publisher, received_ms, settled_ms > 1600000000000,"
                              " outcome, attempts, deliveries, extended, worker, error, proof"
                              " FROM jobs"),
                        "i|p|1000|1|restarted|3|16|4|restarter-2|NULL|rehearsed;"
                        "i|p|then|1|restarted|3|3|4|restarter-2|NULL|rehearsed;"
                        "i|p|1000|0|half-done|0|2|0|NULL|why|NULL;");
    assert_true(store_close(&store));
}

static void people_write_to_jobs_as_to_a_table(void **state)
{
    (void)state;
    store_t *store = open_store();
    for (unsigned job = 0; job < 3; job++)
        put_settle(store, job, job, MM_OUTCOME_DEAD);
    EXPECT(store, {0, MM_STATUS_OK, MM_OUTCOME_DEAD}, {1, MM_STATUS_OK, MM_OUTCOME_DEAD},
           {2, MM_STATUS_OK, MM_OUTCOME_DEAD});
    execute("INSERT INTO jobs (id, host, instance, publisher, received_ms)"
            " VALUES (x'00000000000000000000000000000005', 'h', 'h', 'p', 1000);"
            "UPDATE jobs SET outcome = NULL, settled_ms = NULL, id = x'ff' WHERE id IN"
            " (SELECT id FROM jobs ORDER BY id LIMIT 1);"
            "DELETE FROM jobs WHERE id = x'00000000000000000000000000000001'");
    assert_string_equal(query("SELECT hex(id), host, outcome, attempts, deliveries, error FROM jobs"
                              " WHERE length(id) = 1 OR host = 'h'"),
                        "00000000000000000000000000000005|h|NULL|0|1|NULL;"
                        "FF|web-7.example.net|NULL|3|1|no route;");
    assert_string_equal(query("SELECT count(*), count(outcome) FROM jobs"), "3|1;");
    put_settle(store, 5, 5, MM_OUTCOME_RESTARTED);
    put_settle(store, 1, 1, MM_OUTCOME_RESTARTED);
    EXPECT(store, {5, MM_STATUS_OK, MM_OUTCOME_RESTARTED}, {1, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    execute("DELETE FROM jobs");
    assert_string_equal(query("SELECT (SELECT count(*) FROM job_rows), (SELECT count(*) FROM"
                              " odd_jobs)"),
                        "0|0;");
    assert_true(store_close(&store));
}

// Nothing is lost or half written by a statement that a table would refuse, whatever it says of
// conflicts: a trigger's statements would take that over.
static void what_a_table_refuses_changes_no_job(void **state)
{
    (void)state;
    static const char *const statements[] = {
        "UPDATE OR IGNORE jobs SET id = (SELECT max(id) FROM jobs) WHERE id = (SELECT min(id) FROM "
        "jobs)",
        "UPDATE OR REPLACE jobs SET id = (SELECT max(id) FROM jobs)",
        "UPDATE OR IGNORE jobs SET host = NULL",
        "UPDATE OR REPLACE jobs SET publisher = NULL",
        "UPDATE OR IGNORE jobs SET attempts = NULL",
        "INSERT OR IGNORE INTO jobs SELECT * FROM jobs",
        "INSERT OR REPLACE INTO jobs SELECT * FROM jobs",
        "INSERT OR IGNORE INTO jobs (id, host, received_ms, publisher) VALUES (x'77', 'h', 3, 'p')",
        "INSERT OR REPLACE INTO jobs (id, host, instance, received_ms) VALUES (x'77', 'h', 'h', 3)",
    };
    store_t *store = open_store();
    for (unsigned job = 0; job < 3; job++)
        put_settle(store, job, job, MM_OUTCOME_DEAD);
    EXPECT(store, {0, MM_STATUS_OK, MM_OUTCOME_DEAD}, {1, MM_STATUS_OK, MM_OUTCOME_DEAD},
           {2, MM_STATUS_OK, MM_OUTCOME_DEAD});
    execute("UPDATE jobs SET outcome = NULL WHERE id = (SELECT min(id) FROM jobs)"); // an odd one
    char *before = strdup(query("SELECT * FROM jobs"));
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        sqlite3 *db;
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, statements[i], NULL, NULL, NULL), SQLITE_CONSTRAINT);
        (void)sqlite3_close(db);
        assert_string_equal(query("SELECT * FROM jobs"), before);
        assert_string_equal(query("SELECT count(*) FROM odd_jobs"), "1;");
    }
    free(before);
    assert_true(store_close(&store));
}

// A job is searched for, not scanned, and only who asks for names has them looked up.
static void queries_of_jobs_are_planned_as_of_a_table(void **state)
{
    (void)state;
    store_t *store = open_store();
    assert_true(store_close(&store));
    const char *plan = query("EXPLAIN QUERY PLAN " RECORD_READ "id = ?1");
    assert_non_null(strstr(plan, "SEARCH job_rows USING PRIMARY KEY (id=?)"));
    assert_null(strstr(plan, "SCAN job_rows"));
    plan = query("EXPLAIN QUERY PLAN " RECORD_READ_OPEN);
    assert_non_null(strstr(plan, "SEARCH job_rows USING PRIMARY KEY (id=?)"));
    assert_null(strstr(plan, "SCAN job_rows"));
    plan = query("EXPLAIN QUERY PLAN " RECORD_COUNT_COOLED);
    assert_null(strstr(plan, "B-TREE"));
    plan = query("EXPLAIN QUERY PLAN SELECT outcome, count(*) FROM jobs GROUP BY outcome");
    assert_null(strstr(plan, "job_names"));
    plan = query("EXPLAIN QUERY PLAN SELECT count(*) FROM jobs WHERE host = 'a'");
    assert_null(strstr(plan, "SUBQUERY"));
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
        STORE_TEST(a_file_of_version_3_shows_the_same_in_small_rows),
        STORE_TEST(many_names_are_upgraded),
        STORE_TEST(a_failed_upgrade_leaves_the_file_as_it_was),
        STORE_TEST(odd_jobs_are_settled_like_others),
        STORE_TEST(people_write_to_jobs_as_to_a_table),
        STORE_TEST(what_a_table_refuses_changes_no_job),
        STORE_TEST(queries_of_jobs_are_planned_as_of_a_table),
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
