// How the outbox keeps its jobs: in chunks, of which those that are settled are left out, with
// their attributes, and out of a file of an older version.

#include "outbox_play.h"

#include <signal.h>

static void jobs_of_one_run_and_commit_share_a_chunk(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    int64_t other = begin(outbox, "other.txt");
    for (unsigned i = 1; i <= 2500; i++)
        put(outbox, run, i);
    put(outbox, other, 2501);
    put(outbox, run, 2502);
    commit(outbox);
    put(outbox, run, 2503);
    commit(outbox);
    assert_string_equal(query("SELECT chunk, run, jobs, json_array_length(hosts) FROM chunks"),
                        "1|1|1024|1024;2|1|1024|1024;3|1|452|452;4|2|1|1;5|1|1|1;6|1|1|1;");
    assert_string_equal(query("SELECT count(*), count(DISTINCT id), count(DISTINCT host),"
                              " sum(run = 1) FROM jobs"),
                        "2503|2503|2503|2502;");
    assert_string_equal(query("SELECT host, run FROM jobs WHERE hex(id) LIKE '%000009C5'"),
                        "host-2501|2;");
    outbox_db_close(&outbox);
}

// In the database, in the view and in what is loaded.
static void a_chunk_that_is_partly_settled_comes_back_without_those(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    for (unsigned i = 1; i <= 1030; i++)
        put(outbox, run, i);
    commit(outbox);
    for (unsigned i = 1030; i > 0; i--)
        if (i % 7 != 0)
            settle(outbox, run, i, i % 5 == 0 ? MM_OUTCOME_DEAD : MM_OUTCOME_RESTARTED);
    commit(outbox);
    expect_counts(outbox, run, 1030, 706, 177);
    // 7 to 1022 are left of the first chunk, 1029 of the second.
    for (int epoch = 0; epoch < 2; epoch++) {
        const outbox_row_t *rows = NULL;
        size_t count = 0;
        assert_int_equal(outbox_db_load(outbox, 0, 5000, &rows, &count), OUTBOX_DB_OK);
        assert_int_equal(count, 147);
        for (size_t i = 0; i < count; i++) {
            mm_id_t id = id_of(7 * (unsigned)(i + 1));
            assert_true(mm_id_equal(&rows[i].id, &id));
            assert_true(rows[i].token == tokens[7 * (i + 1)]);
        }
        assert_string_equal(query("SELECT count(*), sum(replace(host, 'host-', '') % 7),"
                                  " min(hex(id)), max(hex(id)) FROM jobs"),
                            "147|0|00000000000000000000000000000007|"
                            "00000000000000000000000000000405;");
        outbox_db_close(&outbox);
        outbox = open_outbox();
    }
    for (unsigned i = 7; i < 1024; i += 7)
        settle(outbox, run, i, MM_OUTCOME_RESTARTED);
    commit(outbox);
    assert_string_equal(query("SELECT (SELECT group_concat(chunk) FROM chunks),"
                              " (SELECT group_concat(chunk) FROM settled)"),
                        "2|2;");
    settle(outbox, run, 1029, MM_OUTCOME_RESTARTED);
    commit(outbox);
    assert_string_equal(query("SELECT (SELECT count(*) FROM chunks), (SELECT count(*) FROM"
                              " settled), (SELECT count(*) FROM jobs)"),
                        "0|0|0;");
    assert_int_equal(outbox_db_backlog(outbox), 0);
    outbox_db_close(&outbox);
}

// A lease may outlive its chunk: its token must not come to mean another job.
static void a_chunk_number_is_not_given_twice_in_a_life(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    put(outbox, run, 1);
    commit(outbox);
    settle(outbox, run, 1, MM_OUTCOME_RESTARTED);
    commit(outbox);
    put(outbox, run, 2);
    commit(outbox);
    settle(outbox, run, 1, MM_OUTCOME_RESTARTED);
    commit(outbox);
    expect_jobs(outbox, 10, 2, 1);
    outbox_db_close(&outbox);
}

static void a_damaged_chunk_is_fatal_and_says_which(void **state)
{
    (void)state;
    static const char *const damages[] = {
        "UPDATE chunks SET hosts = '[\"a\"]'", "UPDATE chunks SET hosts = '[\"a\",2]'",
        "UPDATE chunks SET hosts = 'a'", "UPDATE chunks SET hosts = '[\"a\",\"b\",\"c\"]'",
        "UPDATE chunks SET hosts = '[\"a\",\"b'"};
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    put(outbox, run, 1);
    put(outbox, run, 2);
    commit(outbox);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        execute(damages[i]);
        const outbox_row_t *rows = NULL;
        size_t count = 0;
        assert_int_equal(outbox_db_load(outbox, 0, 10, &rows, &count), OUTBOX_DB_FATAL);
        assert_non_null(strstr(outbox_db_error(outbox), "chunk 1 of the outbox is damaged"));
    }
    outbox_db_close(&outbox);
}

// Nobody can have such hosts accepted, but a person may write JSON in another way.
static void hosts_may_be_written_as_any_json(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    mm_id_t id = id_of(1);
    outbox_db_put(outbox, run, &id, mm_str("a\"b\\c\n\x01"), (mm_str_t){0});
    id = id_of(2);
    outbox_db_put(outbox, run, &id, mm_str("d"), (mm_str_t){0});
    commit(outbox);
    const outbox_row_t *rows = NULL;
    size_t count = 0;
    assert_int_equal(outbox_db_load(outbox, 0, 10, &rows, &count), OUTBOX_DB_OK);
    assert_int_equal(count, 2);
    assert_true(mm_str_equal(rows[0].host, mm_str("a\"b\\c\n\x01")));
    assert_string_equal(query("SELECT host FROM jobs ORDER BY id"), "a\"b\\c\n\x01;d;");
    execute("UPDATE chunks SET hosts = '[ \"host\\u002d1\" , \"host-2\" ]'");
    expect_jobs(outbox, 10, 1, 2);
    outbox_db_close(&outbox);
}

static void expect_attributes(outbox_db_t *outbox, const char *expected)
{
    char all[1024] = "";
    size_t size = 0, count = 0;
    uint64_t after = 0;
    const outbox_row_t *rows = NULL;
    do { // two at a time
        assert_int_equal(outbox_db_load(outbox, after, 2, &rows, &count), OUTBOX_DB_OK);
        for (size_t i = 0; i < count; i++)
            size += (size_t)snprintf(all + size, sizeof all - size, "%.*s(%.*s) ",
                                     (int)rows[i].host.size, rows[i].host.data,
                                     (int)rows[i].attributes.size, rows[i].attributes.data);
        after = count > 0 ? rows[count - 1].token : after;
    } while (count == 2);
    assert_string_equal(all, expected);
}

static void attributes_come_back_with_their_jobs(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    put_with(outbox, run, 1, "bmc=10.0.0.1 zone=eu");
    put_with(outbox, run, 2, "bmc=10.0.0.2 zone=");
    put_with(outbox, run, 3, "bmc=10.0.0.3 zone=us");
    put(outbox, run, 4);
    put(outbox, run, 5);
    put_with(outbox, run, 6, "bmc=/dev/a");
    commit(outbox);
    put(outbox, run, 7);
    put_with(outbox, run, 8, "bmc=b");
    commit(outbox);
    settle(outbox, run, 2, MM_OUTCOME_RESTARTED);
    commit(outbox);
    for (int epoch = 0; epoch < 2; epoch++) {
        expect_attributes(outbox,
                          "host-1(bmc=10.0.0.1 zone=eu) host-3(bmc=10.0.0.3 zone=us) host-4() "
                          "host-5() host-6(bmc=/dev/a) host-7() host-8(bmc=b) ");
        outbox_db_close(&outbox);
        outbox = open_outbox();
    }
    outbox_db_close(&outbox);
    // Without any there is not a byte more.
    assert_string_equal(query("SELECT chunk, jobs, attributes FROM chunks"),
                        "1|6|[\"bmc=10.0.0.1 zone=eu\",\"bmc=10.0.0.2 zone=\",\"bmc=10.0.0.3 "
                        "zone=us\",\"\",\"\",\"bmc=/dev/a\"];2|1|NULL;3|1|[\"bmc=b\"];");
    assert_string_equal(query("SELECT host, attributes FROM jobs"),
                        "host-1|bmc=10.0.0.1 zone=eu;host-3|bmc=10.0.0.3 zone=us;host-4|NULL;"
                        "host-5|NULL;host-6|bmc=/dev/a;host-7|NULL;host-8|bmc=b;");
}

static void damaged_attributes_are_fatal(void **state)
{
    (void)state;
    static const char *const damages[] = {"[\"a=1\"]",
                                          "[\"a=1\",2]",
                                          "a=1",
                                          "",
                                          "[\"a=1\",\"-\"]",
                                          "[\"a=1\",\"a=$(reboot)\"]",
                                          "[\"a=1\",\"a=1 a=2\"]"};
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    put_with(outbox, run, 1, "a=1");
    put_with(outbox, run, 2, "a=2");
    commit(outbox);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        char sql[128];
        (void)snprintf(sql, sizeof sql, "UPDATE chunks SET attributes = '%s'", damages[i]);
        execute(sql);
        const outbox_row_t *rows = NULL;
        size_t count = 0;
        assert_int_equal(outbox_db_load(outbox, 0, 10, &rows, &count), OUTBOX_DB_FATAL);
        assert_non_null(strstr(outbox_db_error(outbox), "chunk 1 of the outbox is damaged"));
    }
    execute("UPDATE chunks SET attributes = '[ \"a\\u003d1\", \"a=2\" ]'");
    expect_attributes(outbox, "host-1(a=1) host-2(a=2) ");
    outbox_db_close(&outbox);
}

// ---- a file of an older version

#define RUNS_AND_DEAD                                                                              \
    "CREATE TABLE runs (run INTEGER PRIMARY KEY, input TEXT NOT NULL, driver TEXT NOT NULL,"       \
    " position INTEGER NOT NULL DEFAULT 0, digest INTEGER NOT NULL DEFAULT 0,"                     \
    " total INTEGER NOT NULL DEFAULT 0, repeated INTEGER NOT NULL DEFAULT 0,"                      \
    " skipped INTEGER NOT NULL DEFAULT 0, source_done INTEGER NOT NULL DEFAULT 0,"                 \
    " accepted INTEGER NOT NULL DEFAULT 0, restarted INTEGER NOT NULL DEFAULT 0,"                  \
    " dead INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,"                       \
    " started_ms INTEGER NOT NULL, finished_ms INTEGER, times BLOB,"                               \
    " clean INTEGER NOT NULL DEFAULT 0);"                                                          \
    "CREATE TABLE dead (run INTEGER NOT NULL, id BLOB NOT NULL CHECK (length(id) = 16),"           \
    " host TEXT NOT NULL, error TEXT NOT NULL, PRIMARY KEY (run, id)) WITHOUT ROWID;"

static void make_version_1(unsigned jobs)
{
    char sql[2048];
    (void)snprintf(
        sql, sizeof sql,
        "PRAGMA journal_mode = WAL;"
        "CREATE TABLE jobs (id BLOB PRIMARY KEY CHECK (length(id) = 16), host TEXT NOT NULL,"
        " run INTEGER NOT NULL) WITHOUT ROWID;" RUNS_AND_DEAD
        "INSERT INTO runs (run, input, driver, started_ms, accepted, restarted, attempts)"
        " VALUES (1, 'hosts.txt', 'mock', 5000, %u + 3, 3, 6);"
        "PRAGMA user_version = 1",
        jobs);
    execute(sql);
    sqlite3 *other = NULL;
    sqlite3_stmt *insert = NULL;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(other, "INSERT INTO jobs VALUES (?1, 'host-' || ?2, 1)", -1,
                                        &insert, NULL),
                     SQLITE_OK);
    for (unsigned i = jobs; i > 0; i--) {
        mm_id_t id = id_of(i);
        sqlite3_bind_blob(insert, 1, id.bytes, sizeof id.bytes, SQLITE_STATIC);
        sqlite3_bind_int(insert, 2, (int)i);
        assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
}

static void an_outbox_of_version_1_is_brought_up_to_date(void **state)
{
    (void)state;
    make_version_1(3000);
    outbox_db_t *outbox = NULL;
    assert_int_equal(outbox_db_open(path, true, &outbox, open_error), 0); // for a report: as it is
    expect_counts(outbox, 1, 3003, 3, 0);
    assert_int_equal(outbox_db_backlog(outbox), 3000);
    outbox_db_close(&outbox);
    assert_string_equal(query("PRAGMA user_version"), "1;");
    for (int epoch = 0; epoch < 2; epoch++) {
        outbox = open_outbox();
        expect_jobs(outbox, 1000, 1, 3000);
        expect_counts(outbox, 1, 3003, 3, 0);
        outbox_db_close(&outbox);
        assert_string_equal(query("PRAGMA user_version"), "6;");
        assert_string_equal(query("SELECT count(*), count(DISTINCT host) FROM jobs"), "3000|3000;");
        assert_string_equal(query("SELECT group_concat(jobs) FROM chunks"), "1024,1024,952;");
    }
    outbox = open_outbox();
    put(outbox, 1, 3001);
    commit(outbox);
    expect_jobs(outbox, 5000, 1, 3001);
    outbox_db_close(&outbox);
}

static void without_room_for_it_version_1_stays_what_it_was(void **state)
{
    (void)state;
    make_version_1(3000);
    outbox_db_t *outbox = NULL;
    limit_files(80000);
    assert_int_equal(outbox_db_open(path, false, &outbox, open_error), EX_IOERR);
    limit_files(RLIM_INFINITY);
    assert_non_null(strstr(open_error, "no room"));
    assert_null(outbox);
    assert_string_equal(query("PRAGMA user_version"), "1;");
    assert_string_equal(query("SELECT count(*) FROM jobs"), "3000;");
    outbox = open_outbox();
    expect_jobs(outbox, 1000, 1, 3000);
    outbox_db_close(&outbox);
}

static void an_empty_outbox_of_version_1_is_brought_up_to_date_too(void **state)
{
    (void)state;
    make_version_1(0);
    outbox_db_t *outbox = open_outbox();
    expect_jobs(outbox, 10, 1, 0);
    outbox_db_close(&outbox);
}

// As the release before attributes wrote it, with half of the first chunk settled.
static void make_version_2(void)
{
    execute("PRAGMA journal_mode = WAL;"
            "CREATE TABLE chunks (chunk INTEGER PRIMARY KEY, run INTEGER NOT NULL,"
            " jobs INTEGER NOT NULL CHECK (jobs BETWEEN 1 AND 1024),"
            " ids BLOB NOT NULL CHECK (length(ids) = 16 * jobs), hosts TEXT NOT NULL);"
            "CREATE TABLE settled (chunk INTEGER PRIMARY KEY, done BLOB NOT NULL);"
            "CREATE VIEW jobs (id, host, run) AS SELECT substr(ids, 16 * key + 1, 16), value, run"
            " FROM chunks LEFT JOIN settled USING (chunk), json_each(hosts)"
            " WHERE done IS NULL OR NOT (instr('123456789ABCDEF',"
            " substr(hex(substr(done, key / 8 + 1, 1)), key / 4 % 2 + 1, 1)) >> 3 - key % 4 & "
            "1);" RUNS_AND_DEAD
            "INSERT INTO runs (run, input, driver, started_ms, accepted, restarted, attempts)"
            " VALUES (1, 'hosts.txt', 'mock', 5000, 6, 2, 4);"
            "INSERT INTO chunks VALUES"
            " (1, 1, 4, x'0000000000000000000000000000000100000000000000000000000000000002"
            "0000000000000000000000000000000300000000000000000000000000000004',"
            " '[\"host-1\",\"host-2\",\"host-3\",\"host-4\"]'),"
            " (2, 1, 2, x'0000000000000000000000000000000500000000000000000000000000000006',"
            " '[\"host-5\",\"host-6\"]');"
            "INSERT INTO settled VALUES (1, x'C0');"
            "PRAGMA user_version = 2");
}

static void an_outbox_of_version_2_is_brought_up_to_date(void **state)
{
    (void)state;
    make_version_2();
    outbox_db_t *outbox = NULL;
    assert_int_equal(outbox_db_open(path, true, &outbox, open_error), 0); // for a report: as it is
    expect_counts(outbox, 1, 6, 2, 0);
    outbox_db_close(&outbox);
    assert_string_equal(query("PRAGMA user_version"), "2;");
    for (int epoch = 0; epoch < 2; epoch++) {
        outbox = open_outbox();
        expect_jobs(outbox, 3, 3, 4);
        expect_counts(outbox, 1, 6, 2, 0);
        outbox_db_close(&outbox);
        assert_string_equal(query("PRAGMA user_version"), "6;");
        assert_string_equal(query("SELECT host, attributes FROM jobs"),
                            "host-3|NULL;host-4|NULL;host-5|NULL;host-6|NULL;");
    }
    outbox = open_outbox();
    put_with(outbox, 1, 7, "bmc=10.0.0.7");
    commit(outbox);
    expect_attributes(outbox, "host-3() host-4() host-5() host-6() host-7(bmc=10.0.0.7) ");
    outbox_db_close(&outbox);
}

static void without_room_for_it_version_2_stays_what_it_was(void **state)
{
    (void)state;
    make_version_2();
    outbox_db_t *outbox = NULL;
    limit_files(4096);
    assert_int_equal(outbox_db_open(path, false, &outbox, open_error), EX_IOERR);
    limit_files(RLIM_INFINITY);
    assert_null(outbox);
    assert_string_equal(query("PRAGMA user_version"), "2;");
    assert_string_equal(query("SELECT count(*) FROM jobs"), "4;");
    outbox = open_outbox();
    expect_jobs(outbox, 1000, 3, 4);
    outbox_db_close(&outbox);
}

// What versions 5 and 6 have added.
static void drop_lists(void)
{
    execute("ALTER TABLE runs DROP COLUMN run_key; DROP TABLE withdrawn; DROP TABLE unseen;"
            "ALTER TABLE runs DROP COLUMN withdrawn; ALTER TABLE runs DROP COLUMN abandoned;"
            "ALTER TABLE runs DROP COLUMN list; ALTER TABLE runs DROP COLUMN listed;"
            "ALTER TABLE runs DROP COLUMN grows; ALTER TABLE dead DROP COLUMN attributes");
}

static void an_outbox_of_version_3_is_brought_up_to_date(void **state)
{
    (void)state;
    make_version_2();
    outbox_db_t *outbox = open_outbox();
    outbox_db_close(&outbox);
    drop_lists();
    execute("ALTER TABLE runs DROP COLUMN unneeded; PRAGMA user_version = 3");
    assert_int_equal(outbox_db_open(path, true, &outbox, open_error), 0); // for a report: as it is
    expect_counts(outbox, 1, 6, 2, 0);
    outbox_db_close(&outbox);
    assert_string_equal(query("PRAGMA user_version"), "3;");
    outbox = open_outbox();
    expect_counts(outbox, 1, 6, 2, 0);
    expect_jobs(outbox, 3, 3, 4);
    outbox_db_close(&outbox);
    assert_string_equal(query("PRAGMA user_version"), "6;");
    assert_string_equal(query("SELECT unneeded FROM runs"), "0;");
}

static void an_outbox_of_version_4_is_brought_up_to_date(void **state)
{
    (void)state;
    make_version_2();
    outbox_db_t *outbox = open_outbox();
    outbox_db_close(&outbox);
    drop_lists();
    execute("UPDATE runs SET unneeded = 1, restarted = 1, attempts = 2;"
            "INSERT INTO dead VALUES (1, x'00000000000000000000000000000009', 'host-9', 'no');"
            "PRAGMA user_version = 4");
    for (int read_only = 1; read_only >= 0; read_only--) {
        const outbox_row_t *rows;
        size_t count;
        assert_int_equal(outbox_db_open(path, read_only, &outbox, open_error), 0);
        expect_counts(outbox, 1, 6, 1, 0);
        assert_int_equal(outbox_db_dead(outbox, 1, NULL, 9, &rows, &count), OUTBOX_DB_OK);
        assert_int_equal(count, 1);
        assert_true(mm_str_equal(rows[0].host, mm_str("host-9")));
        assert_int_equal(rows[0].attributes.size, 0);
        assert_int_equal(outbox_db_backlog(outbox), 4);
        outbox_db_close(&outbox);
        assert_string_equal(query("PRAGMA user_version"), read_only ? "4;" : "6;");
    }
    assert_string_equal(
        query("SELECT unneeded, withdrawn, abandoned, list, listed, grows FROM runs"),
        "1|0|0|0|0|0;");
}

static uint64_t key_of(outbox_db_t *outbox, int64_t number)
{
    outbox_run_t run = {0};
    bool found = false;
    assert_int_equal(outbox_db_run(outbox, number, &run, &found), OUTBOX_DB_OK);
    assert_true(found);
    uint64_t key = run.key;
    outbox_run_clear(&run);
    return key;
}

static void an_outbox_of_version_5_is_brought_up_to_date(void **state)
{
    (void)state;
    make_version_2();
    outbox_db_t *outbox = open_outbox();
    outbox_db_close(&outbox);
    execute("UPDATE runs SET list = 3, listed = 4, withdrawn = 1, restarted = 1, attempts = 2;"
            "INSERT INTO runs (input, driver, started_ms) VALUES ('other.txt', 'mock', 6000);"
            "ALTER TABLE runs DROP COLUMN run_key; DROP VIEW jobs;"
            "CREATE VIEW jobs (id, host) AS SELECT 1, 'former'; PRAGMA user_version = 5");
    for (int read_only = 1; read_only >= 0; read_only--) {
        assert_int_equal(outbox_db_open(path, read_only, &outbox, open_error), 0);
        expect_counts(outbox, 1, 6, 1, 0);
        assert_int_equal(outbox_db_backlog(outbox), 4);
        assert_int_equal(key_of(outbox, 1) == 0, read_only);
        outbox_db_close(&outbox);
        assert_string_equal(query("PRAGMA user_version"), read_only ? "5;" : "6;");
    }
    outbox = open_outbox();
    uint64_t key = key_of(outbox, 1);
    assert_int_not_equal(key, key_of(outbox, 2));
    outbox_db_close(&outbox);
    outbox = open_outbox(); // once is for all
    assert_int_equal(key_of(outbox, 1), key);
    outbox_db_close(&outbox);
    assert_string_equal(query("SELECT withdrawn, list, listed FROM runs WHERE run = 1"), "1|3|4;");
    assert_string_equal(query("SELECT host, attributes FROM jobs LIMIT 1"), "host-3|NULL;");
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        OUTBOX_TEST(jobs_of_one_run_and_commit_share_a_chunk),
        OUTBOX_TEST(a_chunk_that_is_partly_settled_comes_back_without_those),
        OUTBOX_TEST(a_chunk_number_is_not_given_twice_in_a_life),
        OUTBOX_TEST(a_damaged_chunk_is_fatal_and_says_which),
        OUTBOX_TEST(hosts_may_be_written_as_any_json),
        OUTBOX_TEST(attributes_come_back_with_their_jobs),
        OUTBOX_TEST(damaged_attributes_are_fatal),
        OUTBOX_TEST(an_outbox_of_version_1_is_brought_up_to_date),
        OUTBOX_TEST(without_room_for_it_version_1_stays_what_it_was),
        OUTBOX_TEST(an_empty_outbox_of_version_1_is_brought_up_to_date_too),
        OUTBOX_TEST(an_outbox_of_version_2_is_brought_up_to_date),
        OUTBOX_TEST(without_room_for_it_version_2_stays_what_it_was),
        OUTBOX_TEST(an_outbox_of_version_3_is_brought_up_to_date),
        OUTBOX_TEST(an_outbox_of_version_4_is_brought_up_to_date),
        OUTBOX_TEST(an_outbox_of_version_5_is_brought_up_to_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
