// The store against a real file: what it answers, what is on record, and what survives.

#include "store_play.h"

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
    const mm_result_t *answers = NULL;
    assert_int_equal(store_answers(store, &answers), 1);
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
    assert_true(store_flush(store));
    const mm_result_t *answers = NULL;
    assert_int_equal(store_answers(store, &answers), 2);
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < JOBS; i++) {
            if (round != 1)
                put_save(store, i, 100 + i);
            if (round > 0 && i % 2 == 0)
                put_settle(store, i, 200 + i, MM_OUTCOME_RESTARTED);
            if (round == 1 && i == 7)
                put_settle(store, i, 200 + i, MM_OUTCOME_RESTARTED);
        }
        assert_true(store_flush(store));
        size_t count = store_answers(store, &answers);
        assert_int_equal(count, round == 0 ? JOBS : round == 1 ? JOBS / 2 + 1 : JOBS * 3 / 2);
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
    assert_string_equal(
        query("SELECT count(*), sum(outcome = 'restarted'), sum(outcome = 'dead') FROM jobs"),
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

static void each_answer_is_given_once(void **state)
{
    (void)state;
    store_t *store = open_store();
    const mm_result_t *answers = NULL;
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
        mm_task_t task = store_task(MM_LEG_SAVE, i, i);
        task.host = mm_str(host);
        store_put(store, &task);
        memset(host, '!', sizeof host);
    }
    assert_true(store_flush(store));
    const mm_result_t *answers = NULL;
    assert_int_equal(store_answers(store, &answers), 5000);
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
    if (!store_flush(store))
        _exit(1);
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
        STORE_TEST(a_settle_needs_no_intent),
        STORE_TEST(the_first_outcome_stays_and_is_the_answer),
        STORE_TEST(in_one_batch_each_is_answered_as_of_its_turn),
        STORE_TEST(save_and_settle_of_one_batch_are_one_write),
        STORE_TEST(in_a_large_batch_each_is_answered_as_if_alone),
        STORE_TEST(deliveries_only_rise),
        STORE_TEST(each_answer_is_given_once),
        STORE_TEST(texts_are_copied_and_large_batches_fit),
        STORE_TEST(closing_commits_what_is_pending),
        STORE_TEST(what_is_answered_survives_kill_9),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
