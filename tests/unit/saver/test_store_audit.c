// The audit in the store: a row for each begin, outcome and order, in the commit of what it tells.

#include "order_play.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>

#define SHOWN                                                                                      \
    "SELECT seq, actor, action, run, host, grp, reason, ids, outcome, proof, casualty FROM audit"  \
    " ORDER BY seq"
#define COUNT "SELECT count(*) FROM audit"

// Lowers or lifts the limit of the file's size that the kernel sets for this process.
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void an_attempt_and_its_outcome_are_told(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, plain(1, 11)); // a save tells nothing
    assert_string_equal(query(COUNT), "0;");
    (void)ask(store, begun(1, 12, 1));
    assert_string_equal(query(SHOWN),
                        "1|consumer|begun|0|web-7.example.net|NULL||attempt=1 command=1"
                        " machine=11111111111111111111111111111111"
                        " boot=22222222-2222-2222-2222-222222222222|NULL|NULL|NULL;");
    real_task_t task = ended(1, 13, 1, MM_END_RESTARTED);
    task.real.boot_after = AFTER;
    answer_t answer = ask(store, settled(task, MM_OUTCOME_RESTARTED, MM_PROOF_PROVEN));
    assert_int_equal(answer.real.seq, 2);
    assert_string_equal(query("SELECT action, outcome, proof, casualty, ids FROM audit"
                              " WHERE seq = 2"),
                        "ended|restarted|proven|0|attempt=1 command=1"
                        " machine=11111111111111111111111111111111"
                        " boot=22222222-2222-2222-2222-222222222222"
                        " boot_after=33333333-3333-3333-3333-333333333333;");
    assert_string_equal(query("SELECT time_ms > 1600000000000, job = id FROM audit, jobs"),
                        "1|1;1|1;");
    assert_true(store_close(&store));
}

static void a_rehearsal_without_a_policy_tells_nothing(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_save(store, 1, 11);
    put_settle(store, 1, 12, MM_OUTCOME_RESTARTED);
    put_settle(store, 2, 13, MM_OUTCOME_DEAD);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_NONE}, {12, MM_STATUS_OK, MM_OUTCOME_RESTARTED},
           {13, MM_STATUS_OK, MM_OUTCOME_DEAD});
    assert_string_equal(query(COUNT), "0;");
    assert_int_equal(store_head(store).seq, 0);
    assert_true(store_close(&store));
}

static void a_rehearsal_with_a_policy_tells_its_outcome(void **state)
{
    (void)state;
    store_t *store = open_store();
    real_task_t task = in_run(plain(1, 11), "groups=web,eu");
    assert_int_equal(ask(store, task).real.seq, 0);
    task = settled(in_run(plain(1, 12), "groups=web,eu"), MM_OUTCOME_RESTARTED, MM_PROOF_NONE);
    assert_int_equal(ask(store, task).real.seq, 1);
    assert_string_equal(query(SHOWN),
                        "1|consumer|ended|7|web-7.example.net|web,eu|||restarted|rehearsed|0;");
    assert_string_equal(query("SELECT proof FROM jobs"), "rehearsed;");
    assert_string_equal(query("SELECT count(*) FROM attempts"), "0;");
    assert_true(store_close(&store));
}

// Whoever has settled the job, and whoever asks.
static void an_outcome_on_record_is_answered_with_its_number(void **state)
{
    (void)state;
    store_t *store = open_store();
    real_task_t task =
        settled(ended(1, 11, 1, MM_END_RESTARTED), MM_OUTCOME_RESTARTED, MM_PROOF_PROVEN);
    assert_int_equal(ask(store, in_run(task, "groups=web")).real.seq, 1);
    task = settled(ended(1, 12, 1, MM_END_EXIT), MM_OUTCOME_DEAD, MM_PROOF_NONE);
    assert_int_equal(ask(store, in_run(task, "groups=web")).real.seq, 1);
    assert_int_equal(look(store, 1).real.seq, 1);
    put_settle(store, 1, 13, MM_OUTCOME_DEAD);
    EXPECT(store, {13, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_true(store_close(&store));
    store = open_store(); // another saver
    assert_int_equal(look(store, 1).real.seq, 1);
    assert_string_equal(query(COUNT), "1;");
    assert_true(store_close(&store));
}

static void each_begin_is_told_and_nothing_that_is_left_alone(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, begun(1, 11, 1));
    (void)ask(store, begun(1, 12, 1)); // anew, or the next command
    assert_string_equal(query(COUNT), "2;");
    real_task_t task = begun(1, 13, 1);
    task.real.row = MM_ROW_NOT_STARTED;
    (void)ask(store, task);
    (void)ask(store, ended(1, 14, 1, MM_END_EXIT));
    (void)ask(store, begun(1, 15, 1)); // it has ended
    assert_string_equal(query(COUNT), "2;");
    (void)ask(store, settled(ended(1, 16, 1, MM_END_EXIT), MM_OUTCOME_DEAD, MM_PROOF_NONE));
    (void)ask(store, begun(1, 17, 2)); // the job has
    assert_string_equal(query("SELECT seq, action FROM audit"), "1|begun;2|begun;3|ended;");
    assert_true(store_close(&store));
}

static real_task_t as(mm_attempt_row_t row, mm_end_t end, real_task_t task)
{
    task.real.row = row;
    task.real.end = end;
    return in_run(task, "groups=web");
}

static void what_frees_or_keeps_a_place_is_told_of_a_run_with_a_policy(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, in_run(begun(1, 11, 1), "groups=web"));
    (void)ask(store, as(MM_ROW_NOT_STARTED, MM_END_NONE, begun(1, 12, 1)));
    (void)ask(store, in_run(begun(1, 13, 1), "groups=web"));
    (void)ask(store, as(MM_ROW_OPEN, MM_END_TIMEOUT, begun(1, 14, 1)));
    real_task_t task = as(MM_ROW_ENDED, MM_END_UNHEALTHY, ended(1, 15, 1, MM_END_UNHEALTHY));
    task.real.is_casualty = true;
    (void)ask(store, task);
    (void)ask(store, task); // repeated
    (void)ask(store, in_run(begun(1, 17, 2), "groups=web"));
    task = in_run(ended(1, 18, 2, MM_END_EXIT), "groups=web");
    (void)ask(store, settled(task, MM_OUTCOME_DEAD, MM_PROOF_NONE)); // the outcome tells it
    assert_string_equal(query("SELECT action, reason, casualty, run, grp, substr(ids, 1, 9)"
                              " FROM audit"),
                        "begun||NULL|7|web|attempt=1;not-started||NULL|7|web|attempt=1;"
                        "begun||NULL|7|web|attempt=1;open|timeout|NULL|7|web|attempt=1;"
                        "over|unhealthy|1|7|web|attempt=1;begun||NULL|7|web|attempt=2;"
                        "ended||0|7|web|attempt=2;");
    assert_true(store_close(&store));
}

static void orders_are_told_once(void **state)
{
    (void)state;
    store_t *store = open_store();
    mm_order_t deny = order_of(2, MM_ACTION_DENY, "DB-1");
    deny.until_ms = 4000000000000;
    assert_string_equal(give(store, order_of(1, MM_ACTION_HALT, "")), "");
    assert_string_equal(give(store, deny), "");
    assert_string_equal(give(store, order_of(3, MM_ACTION_TRIP, "web")), "");
    assert_string_equal(give(store, order_of(1, MM_ACTION_HALT, "")), "");
    assert_string_equal(give(store, order_of(1, MM_ACTION_RESUME, "")),
                        ""); // the id is what counts
    assert_string_equal(query("SELECT seq, actor, action, run, host, grp, reason, until_ms, "
                              "order_id IS NOT NULL, job FROM"
                              " audit"),
                        "1|root|halt|7|NULL|NULL|a bad kernel|NULL|1|NULL;"
                        "2|root|deny|7|DB-1|NULL|a bad kernel|4000000000000|1|NULL;"
                        "3|root|trip|7|NULL|web|a bad kernel|NULL|1|NULL;");
    for (unsigned i = 1; i <= 3; i++) {
        char sql[128], expected[8];
        (void)snprintf(sql, sizeof sql, "SELECT seq FROM audit WHERE order_id = %s'%032x'",
                       is_in_postgresql() ? "" : "x", 0);
        memset(strchr(sql, '\'') + 1, '0', 32);
        for (char *digit = strchr(sql, '\'') + 2; *digit && *digit != '\''; digit += 2)
            *digit = (char)('0' + i);
        (void)snprintf(expected, sizeof expected, "%u;", i);
        assert_string_equal(query(sql), expected);
    }
    assert_int_equal(store_head(store).seq, 3);
    assert_string_equal(state_of(store, RUN),
                        "halt / a bad kernel;deny db-1/ until=4000000000000 a bad kernel;"
                        "trip web/ a bad kernel;");
    assert_true(store_close(&store));
}

static void an_order_for_no_host_is_not_recorded(void **state)
{
    (void)state;
    store_t *store = open_store();
    assert_string_equal(give(store, order_of(1, MM_ACTION_DENY, "")), "it names no host");
    assert_string_equal(give(store, order_of(2, MM_ACTION_ABSOLVE, "a b")), "it names no host");
    assert_string_equal(query(COUNT), "0;");
    assert_true(store_close(&store));
}

// The order is repeated until it is on record.
static void an_order_that_meets_a_busy_record_is_answered_with_why(void **state)
{
    (void)state;
    store_t *store = open_store();
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_non_null(strstr(give(store, order_of(1, MM_ACTION_HALT, "")), "is busy"));
    assert_int_equal(store_head(store).seq, 0);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_string_equal(give(store, order_of(1, MM_ACTION_HALT, "")), "");
    assert_string_equal(query("SELECT seq, action FROM audit"), "1|halt;");
    assert_true(store_close(&store));
}

// The rows are written, and then the disk is full.
static void a_commit_that_fails_leaves_the_chain_where_it_was(void **state)
{
    (void)state;
    char log[TEMP_PATH_MAX + 4];
    struct stat status;
    store_t *store = open_store();
    (void)ask(store, begun(1, 11, 1));
    mm_audit_head_t head = store_head(store);
    (void)snprintf(log, sizeof log, "%s-wal", path);
    assert_int_equal(stat(log, &status), 0);
    limit_files((rlim_t)status.st_size + 100);
    real_task_t task = begun(2, 12, 1);
    put_task(store, &task);
    EXPECT(store, {12, MM_STATUS_FAILED, MM_OUTCOME_NONE});
    assert_non_null(strstr(give(store, order_of(1, MM_ACTION_HALT, "")), "ulimit -f"));
    limit_files(RLIM_INFINITY);
    mm_audit_head_t after = store_head(store);
    assert_int_equal(after.seq, 1);
    assert_memory_equal(after.hash, head.hash, sizeof head.hash);
    (void)ask(store, begun(2, 13, 1));
    assert_string_equal(give(store, order_of(1, MM_ACTION_HALT, "")), "");
    assert_string_equal(query("SELECT seq, action FROM audit"), "1|begun;2|begun;3|halt;");
    assert_true(store_close(&store));
}

static void another_saver_goes_on_with_the_chain(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, begun(1, 11, 1));
    mm_audit_head_t head = store_head(store);
    assert_true(store_close(&store));
    store = open_store();
    mm_audit_head_t again = store_head(store);
    assert_int_equal(again.seq, 1);
    assert_memory_equal(again.hash, head.hash, sizeof head.hash);
    (void)ask(store, begun(2, 12, 1));
    again = store_head(store);
    assert_int_equal(again.seq, 2);
    assert_memory_not_equal(again.hash, head.hash, sizeof head.hash);
    assert_true(store_close(&store));
}

// Two rows of attempts, and no time between commit and kill.
static void begin_two(store_t *store)
{
    real_task_t first = begun(1, 11, 1), second = begun(2, 12, 1);
    put_task(store, &first);
    put_task(store, &second);
    commit_or_exit(store, 2);
}

// A row without an attempt, or an attempt without a row: neither can be.
static void attempt_and_audit_survive_kill_9_together(void **state)
{
    (void)state;
    kill_after(begin_two);
    assert_string_equal(query("SELECT count(*) FROM attempts JOIN audit USING (job)"), "2;");
    store_t *store = open_store();
    assert_int_equal(store_head(store).seq, 2);
    assert_true(store_close(&store));
}

// A trigger refuses the audit's row: then the attempt is not on record either, and nobody is told
// that it is.
static void what_cannot_be_told_is_not_on_record(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, begun(1, 11, 1));
    assert_true(store_close(&store));
    execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'no'); END");
    store = open_store();
    real_task_t task = begun(2, 12, 1);
    put_task(store, &task);
    assert_false(store_flush(store));
    assert_false(store_close(&store));
    assert_string_equal(query("SELECT count(*) FROM attempts"), "1;");
    assert_string_equal(query("SELECT count(*) FROM jobs"), "1;");
}

int main(void)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        STORE_TEST(an_attempt_and_its_outcome_are_told),
        STORE_TEST(a_rehearsal_without_a_policy_tells_nothing),
        STORE_TEST(a_rehearsal_with_a_policy_tells_its_outcome),
        STORE_TEST(an_outcome_on_record_is_answered_with_its_number),
        STORE_TEST(each_begin_is_told_and_nothing_that_is_left_alone),
        STORE_TEST(what_frees_or_keeps_a_place_is_told_of_a_run_with_a_policy),
        STORE_TEST(orders_are_told_once),
        STORE_TEST(an_order_for_no_host_is_not_recorded),
        STORE_TEST(another_saver_goes_on_with_the_chain),
        STORE_TEST(attempt_and_audit_survive_kill_9_together),
    };
    const struct CMUnitTest of_a_file[] = {
        STORE_TEST(an_order_that_meets_a_busy_record_is_answered_with_why),
        STORE_TEST(a_commit_that_fails_leaves_the_chain_where_it_was),
        STORE_TEST(what_cannot_be_told_is_not_on_record),
    };
    return cmocka_run_group_tests(of_a_file, NULL, NULL) + RUN_STORE_TESTS(tests);
}
