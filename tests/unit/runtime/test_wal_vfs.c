// Commits by one write on a disk that fails at each of its calls: after each failure, each cut of
// the power and each kill -9 the file is whole, and has what was committed, all of it or nothing.

#include "sqlite.h"
#include "wal_vfs.h"

#include <assert.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bad_disk.h"
#include "temp_database.h"

#define ROUNDS   8
#define TRIES    20
#define SQL_MAX  512
#define SPILLING 40 // rows that do not fit into the cache below
#define LONG     40 // of a page each: more than are written at a time

static mm_sqlite_t *db;
static sqlite3 *model;  // in memory: what was committed
static sqlite3 *reader; // beside the writer, through "unix"; NULL: none
static bool wants_reader;
static unsigned calls_of_all; // that the last work has made of the disk

// ---- the work

// The statements of a round, one at a time; false: no more. All of it follows from the number.
static bool next_statement(int round, int step, char ret_sql[SQL_MAX])
{
    static const char *const ends[] = {"ROLLBACK TO part", "RELEASE part"};
    bool is_long = round == 4 && step == 0;
    int rows = is_long ? LONG : round % 3 == step / 3 ? SPILLING : 5;
    switch (step) {
    case 0:
    case 3:
        (void)snprintf(ret_sql, SQL_MAX,
                       "WITH RECURSIVE c(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM c"
                       " WHERE i < %d) INSERT INTO t (n, b) SELECT %d,"
                       " printf('%%.*c', %d + i * %d %% 500, char(65 + i %% 26)) FROM c",
                       rows, step, is_long ? 3000 : 300, round);
        return true;
    case 1: (void)strcpy(ret_sql, "UPDATE t SET n = n + 1 WHERE id % 5 = 2"); return true;
    case 2: (void)strcpy(ret_sql, "SAVEPOINT part"); return true;
    case 4: (void)strcpy(ret_sql, ends[round % 2]); return true;
    case 5: (void)strcpy(ret_sql, "UPDATE t SET n = n + 2 WHERE id % 3 = 1"); return true;
    case 6:
        (void)snprintf(ret_sql, SQL_MAX, "DELETE FROM t WHERE id %% 2 = %d", round % 2);
        return true;
    }
    return false;
}

static bool is_rolled_back(int round)
{
    return round % 5 == 3;
}

// Behind it the log begins anew.
static bool has_checkpoint(int round)
{
    return round % 3 == 1;
}

static uint64_t digest(sqlite3 *of)
{
    sqlite3_stmt *rows = NULL;
    uint64_t hash = 1469598103934665603u;
    assert_int_equal(sqlite3_prepare_v2(of, "SELECT id, n, b FROM t ORDER BY id", -1, &rows, NULL),
                     SQLITE_OK);
    int code;
    while ((code = sqlite3_step(rows)) == SQLITE_ROW)
        for (int i = 0; i < 3; i++)
            for (const unsigned char *c = sqlite3_column_text(rows, i); *c != '\0'; c++)
                hash = (hash ^ *c) * 1099511628211u;
    assert_int_equal(code, SQLITE_DONE);
    sqlite3_finalize(rows);
    return hash;
}

static void apply_to_model(int round)
{
    char sql[SQL_MAX];
    for (int step = 0; next_statement(round, step, sql); step++)
        assert_int_equal(sqlite3_exec(model, sql, NULL, NULL, NULL), SQLITE_OK);
}

static mm_sqlite_status_t run_sql(const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(mm_sqlite_handle(db), sql, -1, &statement, NULL);
    mm_sqlite_status_t status = code == SQLITE_OK ? mm_sqlite_run(db, statement) : MM_SQLITE_FATAL;
    sqlite3_finalize(statement);
    return status;
}

// Another process sees what is committed, also in the middle of a transaction.
static void look(void)
{
    if (!wants_reader)
        return;
    if (reader == NULL)
        assert_int_equal(sqlite3_open_v2(path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(digest(reader), digest(model));
}

static mm_sqlite_status_t play(int round)
{
    char sql[SQL_MAX];
    mm_sqlite_status_t status = mm_sqlite_begin(db);
    for (int step = 0; status == MM_SQLITE_OK && next_statement(round, step, sql); step++) {
        status = run_sql(sql);
        if (step == 3 && status == MM_SQLITE_OK)
            look();
    }
    if (status == MM_SQLITE_OK && is_rolled_back(round))
        mm_sqlite_rollback(db);
    else if (status == MM_SQLITE_OK)
        status = mm_sqlite_commit(db);
    return status;
}

// ---- opening

#define SCHEMA "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, b TEXT)"

static bool open_db(void)
{
    mm_sqlite_config_t config = {.path = path, .schema = SCHEMA, .version = 1};
    if (mm_sqlite_open(&config, &db, open_error) != 0)
        return false;
    // So few pages that a transaction spills some into the log before it is committed.
    return sqlite3_exec(mm_sqlite_handle(db), "PRAGMA cache_size = 4", NULL, NULL, NULL) ==
           SQLITE_OK;
}

static void close_all(void)
{
    mm_sqlite_close(&db);
    sqlite3_close(reader);
    reader = NULL;
}

// Through whatever fails then.
static void reopen(void)
{
    while (!open_db()) {
        if (!bad_disk_has_failed())
            fail_msg("%s", open_error);
        close_all();
        bad_disk_restart();
    }
}

// The file as another program finds it.
static void is_whole(void)
{
    assert_string_equal(query("PRAGMA integrity_check"), "ok;");
}

static void begin(bad_disk_t kind, unsigned at, unsigned seed)
{
    make_database_folder("test.db");
    assert_int_equal(sqlite3_open(":memory:", &model), SQLITE_OK);
    assert_int_equal(sqlite3_exec(model, SCHEMA, NULL, NULL, NULL), SQLITE_OK);
    bad_disk_begin(kind, at, seed);
}

static void end(void)
{
    close_all();
    calls_of_all = bad_disk_calls();
    bad_disk_restart();
    is_whole();
    assert_int_equal(sqlite3_open_v2(path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(digest(reader), digest(model));
    close_all();
    sqlite3_close(model);
    assert_int_equal(remove_temp_folder(NULL), 0);
}

// ---- a failure

// What the file has after a failure for good: what was committed, and where a commit is in doubt
// perhaps the round. True: it has the round.
static bool has_round(int round, bool is_in_doubt)
{
    close_all();
    bad_disk_restart();
    is_whole();
    reopen();
    uint64_t found = digest(mm_sqlite_handle(db));
    if (found == digest(model))
        return is_rolled_back(round);
    assert_true(is_in_doubt && !is_rolled_back(round));
    apply_to_model(round);
    assert_int_equal(found, digest(model));
    return true;
}

// One round until it is done, through whatever happens.
static void do_round(int round, bad_disk_t kind)
{
    bool is_in_doubt = kind == DISK_SYNC_FAILS || kind == DISK_POWER_CUT;
    bool is_full = kind == DISK_FULL || kind == DISK_LONG_FULL || kind == DISK_SHORT;
    for (int i = 0;; i++) {
        assert_true(i < TRIES);
        mm_sqlite_status_t status = play(round);
        if (status == MM_SQLITE_OK) {
            if (!is_rolled_back(round))
                apply_to_model(round);
            break;
        }
        if (!bad_disk_has_failed())
            fail_msg("round %d of a good disk: %s", round, mm_sqlite_error(db));
        assert_int_equal(status, is_full ? MM_SQLITE_RETRY : MM_SQLITE_FATAL);
        assert_non_null(strstr(mm_sqlite_error(db), is_full ? "no room" : "cannot read or write"));
        if (status == MM_SQLITE_FATAL && has_round(round, is_in_doubt))
            break;
        look();
    }
    look();
}

// Like the one of a large log: a failure ends the connection, and its close makes no other one.
static void check_point(int round)
{
    sqlite3 *handle = mm_sqlite_handle(db);
    if (sqlite3_wal_checkpoint_v2(handle, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) ==
        SQLITE_OK)
        return;
    (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)has_round(round, false);
}

static void play_all(bad_disk_t kind, unsigned at, unsigned seed)
{
    begin(kind, at, seed);
    reopen();
    for (int round = 0; round < ROUNDS; round++) {
        do_round(round, kind);
        if (has_checkpoint(round))
            check_point(round);
        if (round == 5) {
            close_all(); // with a checkpoint
            if (bad_disk_has_failed())
                bad_disk_restart();
            reopen();
            assert_int_equal(digest(mm_sqlite_handle(db)), digest(model));
        }
    }
    end();
}

// Each call once, with and without a reader, takes a minute of CPU time for each kind.
static unsigned stride(void)
{
    return getenv("MAYHEM_EVERY_CALL") != NULL ? 1 : 11;
}

static void each_call_fails_once(bad_disk_t kind)
{
    for (int i = 0; i < 2; i++) {
        wants_reader = i == 1;
        play_all(DISK_GOOD, 0, 0);
        unsigned calls = calls_of_all;
        assert_true(calls > 100);
        for (unsigned at = 1 + (unsigned)kind % stride(); at <= calls; at += stride())
            play_all(kind, at, at);
    }
}

static void a_write_fails(void **state)
{
    (void)state;
    each_call_fails_once(DISK_WRITE_FAILS);
}

static void a_full_disk_passes(void **state)
{
    (void)state;
    each_call_fails_once(DISK_FULL);
}

static void a_disk_that_stays_full_passes(void **state)
{
    (void)state;
    each_call_fails_once(DISK_LONG_FULL);
}

static void a_write_is_cut_short(void **state)
{
    (void)state;
    each_call_fails_once(DISK_SHORT);
}

static void a_sync_fails(void **state)
{
    (void)state;
    each_call_fails_once(DISK_SYNC_FAILS);
}

static void the_power_is_cut(void **state)
{
    (void)state;
    each_call_fails_once(DISK_POWER_CUT);
}

// ---- kill -9

// In a process of its own: says each round that is done.
static void work_until_killed(int done, unsigned at)
{
    bad_disk_begin(DISK_KILL, at, 0);
    if (!open_db())
        _exit(1);
    for (int round = 0; round < ROUNDS; round++) {
        if (play(round) != MM_SQLITE_OK)
            _exit(1);
        char byte = (char)round;
        (void)!write(done, &byte, 1);
    }
    _exit(0);
}

// A reader has the file open all the time, so that the index of the log outlives the writer.
static bool is_killed_at(unsigned at)
{
    begin(DISK_GOOD, 0, 0);
    wants_reader = false;
    int done[2], status;
    assert_int_equal(pipe(done), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        work_until_killed(done[1], at);
    (void)close(done[1]);
    int round = -1;
    for (char byte; read(done[0], &byte, 1) == 1;) {
        round = byte;
        if (!is_rolled_back(round))
            apply_to_model(round);
        if (round == 0)
            assert_int_equal(sqlite3_open_v2(path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
        if (reader != NULL)
            (void)sqlite3_exec(reader, "SELECT count(*) FROM t", NULL, NULL, NULL);
    }
    (void)close(done[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    bool was_killed = WEXITSTATUS(status) == 137;
    assert_true(was_killed || WEXITSTATUS(status) == 0);
    reopen();
    uint64_t found = digest(mm_sqlite_handle(db));
    if (found != digest(model)) { // the round is on the disk, and was not said to be done
        assert_true(was_killed && round + 1 < ROUNDS && !is_rolled_back(round + 1));
        apply_to_model(round + 1);
        assert_int_equal(found, digest(model));
    }
    wants_reader = true;
    assert_int_equal(play(0), MM_SQLITE_OK); // over what the killed one has left in the log
    apply_to_model(0);
    look();
    end();
    return was_killed;
}

static void the_writer_is_killed(void **state)
{
    (void)state;
    unsigned at = 1;
    while (is_killed_at(at))
        at += stride();
    assert_true(at > 100);
}

// ---- how many calls

static void a_commit_is_one_write(void **state)
{
    (void)state;
    wants_reader = false;
    begin(DISK_GOOD, 0, 0);
    assert_true(open_db());
    assert_int_equal(play(0), MM_SQLITE_OK);
    apply_to_model(0);
    unsigned before = bad_disk_calls();
    assert_int_equal(mm_sqlite_begin(db), MM_SQLITE_OK);
    const char *sql = "INSERT INTO t (n, b) VALUES (1, printf('%.*c', 30000, 'b'))";
    assert_int_equal(run_sql(sql), MM_SQLITE_OK);
    assert_int_equal(sqlite3_exec(model, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(mm_sqlite_commit(db), MM_SQLITE_OK);
    assert_int_equal(bad_disk_calls() - before, 2); // and a sync
    end();
}

// What was gathered for it must not come later, over the frames of another writer.
static void a_transaction_that_is_rolled_back_leaves_nothing(void **state)
{
    (void)state;
    wants_reader = true;
    begin(DISK_GOOD, 0, 0);
    reopen();
    assert_int_equal(play(0), MM_SQLITE_OK);
    apply_to_model(0);
    unsigned before = bad_disk_calls();
    assert_int_equal(mm_sqlite_begin(db), MM_SQLITE_OK);
    assert_int_equal(run_sql("UPDATE t SET n = 66"), MM_SQLITE_OK);
    mm_sqlite_rollback(db);
    assert_int_equal(bad_disk_calls() - before, 0);
    const char *sql = "UPDATE t SET n = 77";
    execute(sql);
    assert_int_equal(sqlite3_exec(model, sql, NULL, NULL, NULL), SQLITE_OK);
    look();
    assert_int_equal(play(1), MM_SQLITE_OK);
    apply_to_model(1);
    look();
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_is_one_write),
        cmocka_unit_test(a_transaction_that_is_rolled_back_leaves_nothing),
        cmocka_unit_test(a_write_fails),
        cmocka_unit_test(a_full_disk_passes),
        cmocka_unit_test(a_disk_that_stays_full_passes),
        cmocka_unit_test(a_write_is_cut_short),
        cmocka_unit_test(a_sync_fails),
        cmocka_unit_test(the_power_is_cut),
        cmocka_unit_test(the_writer_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
