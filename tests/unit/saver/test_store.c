// What a store answers, what is on record, and what survives; and what one in a file does by
// itself.

#include "clock.h"
#include "host.h"
#include "random.h"
#include "store_play.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

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

// The consumer may have received it at another time, after a new start or by a clock that was set.
static void the_first_arrival_counts_and_the_settle_has_its_own_time(void **state)
{
    (void)state;
    store_t *store = open_store();
    int64_t begin_ms = mm_clock_wall_ms();
    for (unsigned job = 1; job <= 2; job++) {
        mm_task_t save = store_task(MM_LEG_SAVE, job, job);
        save.received_ms = job == 1 ? 1000 : begin_ms + 1000000;
        store_put(store, &save);
        EXPECT(store, {job, MM_STATUS_OK, MM_OUTCOME_NONE});
        mm_task_t settle = store_task(MM_LEG_SETTLE, job, job);
        settle.received_ms = 5000;
        settle.outcome = MM_OUTCOME_SKIPPED;
        store_put(store, &settle);
        EXPECT(store, {job, MM_STATUS_OK, MM_OUTCOME_SKIPPED});
    }
    char sql[160];
    (void)snprintf(sql, sizeof sql,
                   "SELECT received_ms = 1000 OR received_ms = %" PRId64
                   ", settled_ms BETWEEN %" PRId64 " AND %" PRId64 " FROM jobs ORDER BY id",
                   begin_ms + 1000000, begin_ms, mm_clock_wall_ms());
    assert_string_equal(query(sql), "1|1;1|1;");
    if (!is_in_postgresql())
        assert_string_equal(query("SELECT count(*) FROM odd_jobs"), "0;");
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
    const mm_result_t *answers = answers_to(store, 1);
    assert_true(mm_str_equal(answers[0].error, mm_str("no route")));
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
    assert_string_equal(
        query("SELECT count(*), count(*) FILTER (WHERE outcome = 'restarted') FROM jobs"), "2|1;");
    assert_true(store_close(&store));
}

static void save_and_settle_of_one_batch_are_one_write(void **state)
{
    (void)state;
    store_t *store = open_store();
    assert_true(store_close(&store));
    execute(
        "CREATE TABLE writes (kind TEXT);"
        "CREATE TRIGGER i AFTER INSERT ON job_rows BEGIN INSERT INTO writes VALUES ('insert'); END;"
        "CREATE TRIGGER u AFTER UPDATE ON job_rows BEGIN INSERT INTO writes VALUES ('update'); "
        "END");
    store = open_store();
    mm_task_t save = store_task(MM_LEG_SAVE, 1, 11);
    save.deliveries = 2;
    save.received_ms = 900;
    store_put(store, &save);
    put_settle(store, 1, 12, MM_OUTCOME_RESTARTED);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_NONE}, {12, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_string_equal(query("SELECT kind FROM writes"), "insert;");
    assert_string_equal(query("SELECT received_ms, deliveries FROM jobs"), "900|2;");
    assert_true(store_close(&store));
}

// Many rows are written by one statement, by more than one size of them. Of some settles one finds
// an outcome, of all saves two do: all are answered as if each had come alone.
static void in_a_large_batch_each_is_answered_as_if_alone(void **state)
{
    (void)state;
    enum { JOBS = 78 }; // 64 + 8 + 6
    store_t *store = open_store();
    put_settle(store, 7, 1, MM_OUTCOME_DEAD);
    put_settle(store, 39, 2, MM_OUTCOME_DEAD);
    const mm_result_t *answers = answers_to(store, 2);
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < JOBS; i++) {
            if (round != 1)
                put_save(store, i, 100 + i);
            if (round > 0 && i % 2 == 0)
                put_settle(store, i, 200 + i, MM_OUTCOME_RESTARTED);
            if (round == 1 && i == 7)
                put_settle(store, i, 200 + i, MM_OUTCOME_RESTARTED);
        }
        size_t count = round == 0 ? JOBS : round == 1 ? JOBS / 2 + 1 : JOBS * 3 / 2;
        answers = answers_to(store, count);
        for (size_t i = 0; i < count; i++) {
            uint64_t number = answers[i].number % 100;
            bool dead = number == 7 || number == 39;
            bool settled = answers[i].number >= 200 || (round == 2 && number % 2 == 0);
            assert_int_equal(answers[i].status, MM_STATUS_OK);
            assert_int_equal(answers[i].outcome, dead      ? MM_OUTCOME_DEAD
                                                 : settled ? MM_OUTCOME_RESTARTED
                                                           : MM_OUTCOME_NONE);
        }
    }
    assert_string_equal(query("SELECT count(*), count(*) FILTER (WHERE outcome = 'restarted'),"
                              " count(*) FILTER (WHERE outcome = 'dead') FROM jobs"),
                        "78|39|2;");
    assert_true(store_close(&store));
}

static void deliveries_only_rise(void **state)
{
    (void)state;
    store_t *store = open_store();
    static const uint32_t deliveries[] = {2, 5, 3};
    for (uint64_t i = 0; i < 3; i++) {
        mm_task_t save = store_task(MM_LEG_SAVE, 1, i);
        save.deliveries = deliveries[i];
        store_put(store, &save);
        EXPECT(store, {i, MM_STATUS_OK, MM_OUTCOME_NONE});
    }
    put_settle(store, 1, 9, MM_OUTCOME_RESTARTED);
    EXPECT(store, {9, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_string_equal(query("SELECT deliveries FROM jobs"), "5;");
    assert_true(store_close(&store));
}

// What has no room in a small row is written in another way, and answered like all else.
static void large_numbers_are_on_record(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {15, 16, 127, 128, UINT32_MAX};
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    store_t *store = open_store();
    for (unsigned i = 0; i < NUMBERS; i++) {
        mm_task_t save = store_task(MM_LEG_SAVE, i, i);
        save.deliveries = numbers[i];
        save.received_ms = i == 3 ? INT64_MIN : INT64_MAX; // by a clock that was set back or forth
        store_put(store, &save);
        EXPECT(store, {i, MM_STATUS_OK, MM_OUTCOME_NONE});
    }
    for (unsigned i = 0; i < 2 * NUMBERS; i++) {
        mm_task_t settle = store_task(MM_LEG_SETTLE, i, i);
        settle.outcome = MM_OUTCOME_RESTARTED;
        settle.worker = mm_str("restarter-2");
        settle.attempts = settle.extended = numbers[i % NUMBERS];
        store_put(store, &settle);
        EXPECT(store, {i, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    }
    assert_string_equal(query("SELECT received_ms, settled_ms > 1600000000000, outcome, attempts,"
                              " deliveries, extended, instance FROM jobs ORDER BY id"),
                        "9223372036854775807|1|restarted|15|15|15|web-7;"
                        "9223372036854775807|1|restarted|16|16|16|web-7;"
                        "9223372036854775807|1|restarted|127|127|127|web-7;"
                        "-9223372036854775808|1|restarted|128|128|128|web-7;"
                        "9223372036854775807|1|restarted|4294967295|4294967295|4294967295|web-7;"
                        "1000|1|restarted|15|1|15|web-7;1000|1|restarted|16|1|16|web-7;"
                        "1000|1|restarted|127|1|127|web-7;1000|1|restarted|128|1|128|web-7;"
                        "1000|1|restarted|4294967295|1|4294967295|web-7;");
    if (!is_in_postgresql())
        assert_string_equal(query("SELECT count(*) FROM job_rows WHERE facts IS NOT NULL"), "1;");
    assert_true(store_close(&store));
}

// In a small row as in an odd one, first delivered and delivered again.
static void deliveries_rise_out_of_a_small_row(void **state)
{
    (void)state;
    store_t *store = open_store();
    static const uint32_t deliveries[] = {1, 15, 16, 17, 3};
    static const char *const seen[] = {"1|1;", "15|1;", "16|0;", "17|0;", "17|0;"};
    for (size_t i = 0; i < sizeof deliveries / sizeof *deliveries; i++) {
        mm_task_t save = store_task(MM_LEG_SAVE, 1, i);
        save.deliveries = deliveries[i];
        store_put(store, &save);
        EXPECT(store, {i, MM_STATUS_OK, MM_OUTCOME_NONE});
        assert_string_equal(query("SELECT deliveries, facts IS NOT NULL FROM jobs JOIN job_rows"
                                  " USING (id)"),
                            seen[i]);
    }
    put_settle(store, 1, 9, MM_OUTCOME_WITHDRAWN);
    EXPECT(store, {9, MM_STATUS_OK, MM_OUTCOME_WITHDRAWN});
    assert_string_equal(query("SELECT outcome, deliveries, received_ms FROM jobs"),
                        "withdrawn|17|1000;");
    assert_true(store_close(&store));
}

// The view says these names by itself.
static void all_outcomes_and_proofs_have_their_names(void **state)
{
    (void)state;
    store_t *store = open_store();
    for (mm_outcome_t outcome = MM_OUTCOME_RESTARTED; outcome <= MM_OUTCOME_SKIPPED; outcome++)
        for (mm_proof_t proof = MM_PROOF_NONE; proof <= MM_PROOF_REHEARSED; proof++) {
            unsigned job = (unsigned)outcome * 10 + (unsigned)proof;
            mm_real_t real = {.row = MM_ROW_NONE, .proof = proof};
            mm_task_t settle = store_task(MM_LEG_SETTLE, job, job);
            settle.outcome = outcome;
            settle.real = &real;
            store_put(store, &settle);
            EXPECT(store, {job, MM_STATUS_OK, outcome});
            char sql[128], expected[64];
            (void)snprintf(sql, sizeof sql, "SELECT outcome, proof FROM jobs WHERE id = %s",
                           id_sql(job));
            bool has_proof = outcome == MM_OUTCOME_RESTARTED; // NONE: that of the mock
            (void)snprintf(expected, sizeof expected, "%s|%s;", mm_outcome_name(outcome),
                           !has_proof               ? "NULL"
                           : proof == MM_PROOF_NONE ? "rehearsed"
                                                    : mm_proof_name(proof));
            assert_string_equal(query(sql), expected);
        }
    if (!is_in_postgresql())
        assert_string_equal(query("SELECT count(*) FROM odd_jobs"), "0;");
    assert_true(store_close(&store));
}

static void the_instance_is_the_label_of_the_host(void **state)
{
    (void)state;
    enum { HOSTS = 2000 };
    store_t *store = open_store();
    uint64_t random = 7;
    char hosts[HOSTS][8], labels[HOSTS][8];
    for (unsigned i = 0; i < HOSTS; i++) {
        size_t size = 1 + mm_random_below(&random, 7);
        for (size_t k = 0; k < size; k++)
            hosts[i][k] = "ab1.:-"[mm_random_below(&random, 6)];
        mm_task_t save = store_task(MM_LEG_SAVE, i, i);
        save.host = (mm_str_t){hosts[i], size};
        hosts[i][size] = '\0';
        mm_str_t label = mm_host_label(save.host);
        (void)snprintf(labels[i], sizeof labels[i], "%.*s", (int)label.size, label.data);
        store_put(store, &save);
    }
    (void)answers_to(store, HOSTS);
    for (unsigned i = 0; i < HOSTS; i++) {
        char sql[96], expected[24];
        (void)snprintf(sql, sizeof sql, "SELECT host, instance FROM jobs WHERE id = %s", id_sql(i));
        (void)snprintf(expected, sizeof expected, "%s|%s;", hosts[i], labels[i]);
        assert_string_equal(query(sql), expected);
    }
    assert_true(store_close(&store));
}

// Names that a rolled back batch has brought are brought again.
static void names_are_those_of_their_rows(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_save(store, 0, 0);
    EXPECT(store, {0, MM_STATUS_OK, MM_OUTCOME_NONE});
    for (unsigned batch = 1; batch <= 3; batch++) {
        for (unsigned i = 0; i < 5; i++) {
            char publisher[16], worker[16];
            (void)snprintf(publisher, sizeof publisher, "p%u", batch * i);
            (void)snprintf(worker, sizeof worker, "w%u", batch + i);
            mm_task_t settle = store_task(MM_LEG_SETTLE, batch * 10 + i, i);
            settle.outcome = MM_OUTCOME_RESTARTED;
            settle.publisher = mm_str(publisher);
            settle.worker = mm_str(worker);
            store_put(store, &settle);
        }
        put_save(store, 0, 5); // so all are written again, one by one
        EXPECT(store, {0, MM_STATUS_OK, MM_OUTCOME_RESTARTED},
               {1, MM_STATUS_OK, MM_OUTCOME_RESTARTED}, {2, MM_STATUS_OK, MM_OUTCOME_RESTARTED},
               {3, MM_STATUS_OK, MM_OUTCOME_RESTARTED}, {4, MM_STATUS_OK, MM_OUTCOME_RESTARTED},
               {5, MM_STATUS_OK, MM_OUTCOME_NONE});
    }
    assert_string_equal(query("SELECT group_concat(publisher || worker, ' ') FROM jobs WHERE worker"
                              " IS NOT NULL"),
                        "p0w1 p1w2 p2w3 p3w4 p4w5 p0w2 p2w3 p4w4 p6w5 p8w6 p0w3 p3w4 p6w5 p9w6 "
                        "p12w7;");
    assert_string_equal(query("SELECT count(*) FROM job_names"), "17;");
    assert_true(store_close(&store));
}

// More names than the store keeps in memory, and than there are numbers of publishers.
static void names_without_end_are_on_record(void **state)
{
    (void)state;
    enum { NAMES = 20000, BATCH = 1000 };
    store_t *store = open_store();
    for (unsigned i = 0; i < NAMES; i++) {
        char publisher[16];
        (void)snprintf(publisher, sizeof publisher, "p%u", i);
        mm_task_t save = store_task(MM_LEG_SAVE, i, i);
        save.publisher = mm_str(publisher);
        store_put(store, &save);
        const mm_result_t *answers = NULL;
        if (store_pending(store) == BATCH) {
            assert_true(store_flush(store));
            assert_int_equal(store_answers(store, &answers), BATCH);
        }
    }
    assert_string_equal(query("SELECT count(*), count(DISTINCT publisher), max(publisher),"
                              " (SELECT count(*) FROM odd_jobs) FROM jobs"),
                        "20000|20000|p9999|3617;");
    assert_true(store_close(&store));
}

// Of names that are as long as most, and restarted by one of 500 restarters.
static void a_job_takes_few_bytes(void **state)
{
    (void)state;
    enum { JOBS = 20000 };
    store_t *store = open_store();
    int64_t arrival_ms = mm_clock_wall_ms();
    for (unsigned i = 0; i < JOBS; i++) {
        char host[16], worker[16];
        (void)snprintf(host, sizeof host, "cattle-%08u", i);
        (void)snprintf(worker, sizeof worker, "restarter-%u", i % 500);
        mm_task_t settle = store_task(MM_LEG_SETTLE, i, i);
        settle.outcome = MM_OUTCOME_RESTARTED;
        settle.host = mm_str(host);
        settle.worker = mm_str(worker);
        settle.attempts = settle.extended = 1;
        settle.received_ms = arrival_ms;
        store_put(store, &settle);
    }
    assert_true(store_flush(store));
    assert_true(store_close(&store));
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    assert_in_range(file.st_size / JOBS, 30, 70);
}

static void each_answer_is_given_once(void **state)
{
    (void)state;
    store_t *store = open_store();
    const mm_result_t *answers = NULL;
    (void)answers_to(store, 0);
    put_save(store, 1, 11);
    (void)answers_to(store, 1);
    assert_int_equal(store_answers(store, &answers), 0);
    assert_int_equal(store_descriptor(store) >= 0, is_in_postgresql());
    assert_true(store_close(&store));
}

static void texts_are_copied_and_large_batches_fit(void **state)
{
    (void)state;
    store_t *store = open_store();
    for (unsigned i = 0; i < 5000; i++) {
        char host[32];
        snprintf(host, sizeof host, "host-%u", i);
        mm_task_t task = store_task(MM_LEG_SAVE, i, i);
        task.host = mm_str(host);
        store_put(store, &task);
        memset(host, '!', sizeof host);
    }
    const mm_result_t *answers = answers_to(store, 5000);
    assert_int_equal(answers[4999].number, 4999);
    assert_string_equal(query("SELECT count(*), min(host), max(length(host)) FROM jobs"),
                        "5000|host-0|9;");
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

static void settle_one(store_t *store)
{
    put_settle(store, 1, 11, MM_OUTCOME_RESTARTED);
    commit_or_exit(store, 1);
    put_save(store, 2, 12); // not flushed: must not be there
}

static void what_is_answered_survives_kill_9(void **state)
{
    (void)state;
    kill_after(settle_one);
    store_t *store = open_store();
    assert_string_equal(query("SELECT outcome FROM jobs"), "restarted;");
    assert_true(store_close(&store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_save_is_an_intent_and_may_be_repeated),
        STORE_TEST(a_settle_completes_the_row_and_may_be_repeated),
        STORE_TEST(the_first_arrival_counts_and_the_settle_has_its_own_time),
        STORE_TEST(a_settle_needs_no_intent),
        STORE_TEST(the_first_outcome_stays_and_is_the_answer),
        STORE_TEST(in_one_batch_each_is_answered_as_of_its_turn),
        STORE_TEST(in_a_large_batch_each_is_answered_as_if_alone),
        STORE_TEST(deliveries_only_rise),
        STORE_TEST(large_numbers_are_on_record),
        STORE_TEST(all_outcomes_and_proofs_have_their_names),
        STORE_TEST(the_instance_is_the_label_of_the_host),
        STORE_TEST(each_answer_is_given_once),
        STORE_TEST(texts_are_copied_and_large_batches_fit),
        STORE_TEST(closing_commits_what_is_pending),
        STORE_TEST(what_is_answered_survives_kill_9),
    };
    const struct CMUnitTest of_a_file[] = {
        STORE_TEST(save_and_settle_of_one_batch_are_one_write),
        STORE_TEST(deliveries_rise_out_of_a_small_row),
        STORE_TEST(names_are_those_of_their_rows),
        STORE_TEST(names_without_end_are_on_record),
        STORE_TEST(a_job_takes_few_bytes),
    };
    return cmocka_run_group_tests(of_a_file, NULL, NULL) + RUN_STORE_TESTS(tests);
}
