// The durable outbox against a real file: jobs, counters and positions that belong together, runs,
// the backlog in order, and what a crash or a full disk leaves.

#include "outbox_play.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void accepted_jobs_come_back_in_order(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    for (unsigned i = 1; i <= 300; i++)
        put(outbox, run, i);
    assert_int_equal(outbox_db_pending(outbox), 300);
    assert_int_equal(outbox_db_backlog(outbox), 0);
    commit(outbox);
    expect_jobs(outbox, 7, 1, 300);
    expect_jobs(outbox, 300, 1, 300);
    outbox_db_close(&outbox);
    assert_null(outbox);
    outbox = open_outbox();
    expect_jobs(outbox, 1000, 1, 300);
    outbox_db_close(&outbox);
    outbox_db_close(&outbox);
}

static void the_newest_id_is_that_of_the_committed_jobs(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    mm_id_t untouched = id_of(77);
    mm_id_t newest = untouched;
    bool found = true;
    put(outbox, run, 1);
    assert_int_equal(outbox_db_newest(outbox, &newest, &found), OUTBOX_DB_OK);
    assert_false(found);
    assert_true(mm_id_equal(&newest, &untouched));
    put(outbox, run, 20);
    put(outbox, run, 300);
    commit(outbox);
    assert_int_equal(outbox_db_newest(outbox, &newest, &found), OUTBOX_DB_OK);
    assert_true(found);
    mm_id_t expected = id_of(300);
    assert_true(mm_id_equal(&newest, &expected));
    outbox_db_close(&outbox);
}

static void a_run_keeps_what_was_said_of_it(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    assert_int_equal(begin(outbox, "hosts.txt"), 1);
    outbox_run_t run = run_of(outbox, 1);
    assert_string_equal(run.input, "hosts.txt");
    assert_string_equal(run.driver, "mock");
    assert_true(run.progress.digest == UINT64_MAX);
    assert_int_equal(run.progress.total, 9);
    assert_int_equal(run.started_ms, 5000);
    assert_int_equal(run.finished_ms, 0);
    assert_null(run.times);
    assert_false(run.clean);
    outbox_run_clear(&run);

    set_position(outbox, 1, 1234, false);
    outbox_db_set_times(outbox, 1, "old", 3);
    outbox_db_set_times(outbox, 1, "times\0", 6);
    outbox_db_set_clean(outbox, 1, true);
    commit(outbox);
    put(outbox, 1, 1); // a commit that says nothing of these leaves them
    commit(outbox);
    run = run_of(outbox, 1);
    assert_int_equal(run.progress.position, 1234);
    assert_int_equal(run.progress.digest, 77);
    assert_int_equal(run.progress.repeated, 3);
    assert_int_equal(run.progress.skipped, 4);
    assert_false(run.progress.done);
    assert_int_equal(run.times_size, 6);
    assert_memory_equal(run.times, "times\0", 6);
    assert_true(run.clean);
    outbox_run_clear(&run);
    assert_null(run.input);

    bool found = true;
    assert_int_equal(outbox_db_run(outbox, 2, &run, &found), OUTBOX_DB_OK);
    assert_false(found);
    outbox_db_close(&outbox);
}

static void a_second_ack_does_not_count(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    for (unsigned i = 1; i <= 4; i++)
        put(outbox, run, i);
    commit(outbox);
    settle(outbox, run, 1, MM_OUTCOME_RESTARTED);
    settle(outbox, run, 2, MM_OUTCOME_DEAD);
    settle(outbox, run, 1, MM_OUTCOME_RESTARTED);
    commit(outbox);
    expect_counts(outbox, run, 4, 1, 1);
    settle(outbox, run, 1, MM_OUTCOME_DEAD);
    settle(outbox, run, 2, MM_OUTCOME_RESTARTED);
    settle(outbox, run, 99, MM_OUTCOME_DEAD);
    commit(outbox);
    expect_counts(outbox, run, 4, 1, 1);
    expect_jobs(outbox, 10, 3, 2);
    outbox_db_close(&outbox);
}

static void the_dead_are_kept_by_name(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    int64_t other = begin(outbox, "other.txt");
    for (unsigned i = 1; i <= 25; i++)
        put(outbox, i == 3 ? other : run, i);
    for (unsigned i = 25; i >= 1; i--)
        settle(outbox, i == 3 ? other : run, i, MM_OUTCOME_DEAD);
    commit(outbox);
    const outbox_row_t *rows = NULL;
    size_t count = 0;
    assert_int_equal(outbox_db_dead(outbox, run, NULL, 10, &rows, &count), OUTBOX_DB_OK);
    assert_int_equal(count, 10);
    assert_true(mm_str_equal(rows[0].host, mm_str("host-1")));
    assert_true(mm_str_equal(rows[2].host, mm_str("host-4")));
    assert_true(mm_str_equal(rows[9].error, mm_str("no route")));
    assert_int_equal(rows[9].run, run);
    mm_id_t after = rows[9].id;
    assert_int_equal(outbox_db_dead(outbox, run, &after, 100, &rows, &count), OUTBOX_DB_OK);
    assert_int_equal(count, 14);
    assert_int_equal(outbox_db_dead(outbox, other, NULL, 100, &rows, &count), OUTBOX_DB_OK);
    assert_int_equal(count, 1);
    outbox_db_close(&outbox);
}

static void a_run_is_finished_when_its_source_has_ended_and_all_is_settled(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t first = begin(outbox, "a.txt");
    int64_t second = begin(outbox, "b.txt");
    outbox_run_t run = {0};
    bool found = false;
    put(outbox, first, 1);
    put(outbox, first, 2);
    settle(outbox, first, 1, MM_OUTCOME_RESTARTED);
    set_position(outbox, first, 50, true);
    commit(outbox);
    assert_int_equal(outbox_db_unfinished(outbox, INT64_MAX, &run, &found), OUTBOX_DB_OK);
    assert_true(found);
    assert_int_equal(run.number, second);
    outbox_run_clear(&run);
    assert_int_equal(outbox_db_unfinished(outbox, second, &run, &found), OUTBOX_DB_OK);
    assert_true(found);
    assert_int_equal(run.number, first);
    outbox_run_clear(&run);

    settle(outbox, first, 2, MM_OUTCOME_DEAD);
    commit(outbox);
    settle(outbox, first, 2, MM_OUTCOME_DEAD);
    assert_int_equal(outbox_db_commit(outbox, 9999), OUTBOX_DB_OK);
    run = run_of(outbox, first);
    assert_int_equal(run.finished_ms, 6000);
    outbox_run_clear(&run);
    set_position(outbox, second, 0, true);
    commit(outbox);
    assert_int_equal(outbox_db_unfinished(outbox, INT64_MAX, &run, &found), OUTBOX_DB_OK);
    assert_false(found);
    assert_int_equal(outbox_db_latest(outbox, &run, &found), OUTBOX_DB_OK);
    assert_true(found);
    assert_int_equal(run.number, second);
    outbox_run_clear(&run);
    outbox_db_close(&outbox);
}

static void a_full_disk_keeps_the_batch_for_another_commit(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    put(outbox, run, 1);
    put(outbox, run, 2);
    commit(outbox);
    limit_files(8192);
    put(outbox, run, 3);
    settle(outbox, run, 1, MM_OUTCOME_RESTARTED);
    set_position(outbox, run, 30, false);
    assert_int_equal(outbox_db_commit(outbox, 6000), OUTBOX_DB_RETRY);
    assert_non_null(strstr(outbox_db_error(outbox), "ulimit -f"));
    assert_int_equal(outbox_db_pending(outbox), 3);
    put(outbox, run, 4); // the batch may still grow
    assert_int_equal(outbox_db_commit(outbox, 6000), OUTBOX_DB_RETRY);
    limit_files(RLIM_INFINITY);
    expect_jobs(outbox, 10, 1, 2);
    expect_counts(outbox, run, 2, 0, 0);
    commit(outbox);
    expect_jobs(outbox, 10, 2, 3);
    expect_counts(outbox, run, 4, 1, 0);
    outbox_db_close(&outbox);
}

static void a_busy_database_keeps_the_batch_too(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    put(outbox, run, 1);
    assert_int_equal(outbox_db_commit(outbox, 6000), OUTBOX_DB_RETRY);
    outbox_run_t other_run = {.input = path, .driver = path};
    int64_t number = 42;
    assert_int_equal(outbox_db_begin_run(outbox, &other_run, &number), OUTBOX_DB_RETRY);
    assert_int_equal(number, 42);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    commit(outbox);
    expect_jobs(outbox, 10, 1, 1);
    outbox_db_close(&outbox);
}

static void a_broken_file_is_fatal_and_stays_so(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "DROP TABLE chunks", NULL, NULL, NULL), SQLITE_OK);
    put(outbox, run, 1);
    assert_int_equal(outbox_db_commit(outbox, 6000), OUTBOX_DB_FATAL);
    assert_int_equal(outbox_db_commit(outbox, 6000), OUTBOX_DB_FATAL);
    sqlite3_close(other);
    outbox_db_close(&outbox);
}

// A child commits batches of ten jobs, each with its position, and says so, until it is killed in
// the middle of something.
static void after_kill_9_jobs_counters_and_position_agree(void **state)
{
    (void)state;
    int said[2];
    assert_int_equal(pipe(said), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        outbox_db_t *outbox = open_outbox();
        int64_t run = begin(outbox, "hosts.txt");
        for (unsigned batch = 0;; batch++) {
            for (unsigned i = 0; i < 10; i++)
                put(outbox, run, 10 * batch + i);
            set_position(outbox, run, 10 * (batch + 1), false);
            commit(outbox);
            (void)!write(said[1], &batch, sizeof batch);
        }
    }
    close(said[1]);
    unsigned batch = 0;
    while (batch < 40)
        assert_int_equal(read(said[0], &batch, sizeof batch), sizeof batch);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (read(said[0], &batch, sizeof batch) == (ssize_t)sizeof batch)
        ;
    close(said[0]);
    outbox_db_t *outbox = open_outbox();
    outbox_run_t run = run_of(outbox, 1);
    assert_true(run.progress.position >= 10 * (batch + 1));
    assert_int_equal(run.progress.position, run.accepted);
    expect_jobs(outbox, 64, 0, (unsigned)run.accepted);
    outbox_run_clear(&run);
    outbox_db_close(&outbox);
}

static void what_was_not_committed_is_gone(void **state)
{
    (void)state;
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    put(outbox, run, 1);
    set_position(outbox, run, 10, false);
    outbox_db_set_times(outbox, run, "t", 1);
    outbox_db_close(&outbox);
    outbox = open_outbox();
    expect_jobs(outbox, 10, 1, 0);
    expect_counts(outbox, run, 0, 0, 0);
    outbox_db_close(&outbox);
}

static void a_report_reads_beside_a_running_publisher(void **state)
{
    (void)state;
    outbox_db_t *report = NULL;
    assert_int_equal(outbox_db_open(path, true, &report, open_error), EX_DATAERR);
    assert_non_null(strstr(open_error, "there is no"));
    assert_null(report);
    outbox_db_t *outbox = open_outbox();
    int64_t run = begin(outbox, "hosts.txt");
    put(outbox, run, 1);
    commit(outbox);
    assert_int_equal(outbox_db_open(path, true, &report, open_error), 0);
    expect_jobs(report, 10, 1, 1);
    put(outbox, run, 2);
    commit(outbox);
    expect_counts(report, run, 2, 0, 0);
    outbox_db_t *second = NULL;
    assert_int_equal(outbox_db_open(path, false, &second, open_error), EX_UNAVAILABLE);
    assert_null(second);
    outbox_db_close(&outbox);
    outbox_db_close(&report);
    assert_int_equal(outbox_db_open(path, true, &report, open_error), 0);
    expect_counts(report, run, 2, 0, 0);
    outbox_db_close(&report);
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        OUTBOX_TEST(accepted_jobs_come_back_in_order),
        OUTBOX_TEST(the_newest_id_is_that_of_the_committed_jobs),
        OUTBOX_TEST(a_run_keeps_what_was_said_of_it),
        OUTBOX_TEST(a_second_ack_does_not_count),
        OUTBOX_TEST(the_dead_are_kept_by_name),
        OUTBOX_TEST(a_run_is_finished_when_its_source_has_ended_and_all_is_settled),
        OUTBOX_TEST(a_full_disk_keeps_the_batch_for_another_commit),
        OUTBOX_TEST(a_busy_database_keeps_the_batch_too),
        OUTBOX_TEST(a_broken_file_is_fatal_and_stays_so),
        OUTBOX_TEST(after_kill_9_jobs_counters_and_position_agree),
        OUTBOX_TEST(what_was_not_committed_is_gone),
        OUTBOX_TEST(a_report_reads_beside_a_running_publisher),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
