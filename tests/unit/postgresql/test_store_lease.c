// The lease of a record in PostgreSQL, and the fence that it is: what saver/store.h says of each
// ask, asks beside batches, and a connection that ends in the middle. Skips all of it when there is
// no server.

#include "clock.h"
#include "lease_row.h"
#include "order_play.h"
#include "random.h"
#include "temp_postgresql.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <unistd.h>

#define LIMIT_S 20 // for anything that has to happen
#define LONG_MS 60000
#define ONE     0xfedcba9876543210 // two that ask: any number but 0
#define TWO     2

static int begin(void **state)
{
    make_temp_folder();
    *state = strdup(temp_postgresql_begin());
    return 0;
}

static int end(void **state)
{
    free(*state);
    temp_postgresql_end();
    return remove_temp_folder(state);
}

static store_t *opened(void **state)
{
    store_t *store = NULL;
    if (store_open(*state, &store, open_error) != 0)
        fail_msg("%s", open_error);
    return store;
}

static void wait_until(const char *sql, const char *expected)
{
    for (int i = 0; strcmp(query(sql), expected) != 0; i++) {
        if (i == LIMIT_S * 50)
            fail_msg("%s gives %s", sql, query(sql));
        usleep(20000);
    }
}

// A session of a saver that waits for a lock.
#define WAITS                                                                                      \
    "FROM pg_stat_activity WHERE application_name = 'mayhem-saver' AND wait_event_type = 'Lock'"

static void put_ask(store_t *store, mm_lease_ask_body_t ask)
{
    store_lease(store, &(store_lease_ask_t){.from = 7, .ask = ask});
}

static mm_lease_ask_body_t ask_of(uint64_t asker, mm_lease_verb_t verb, uint64_t epoch)
{
    return (mm_lease_ask_body_t){
        .asker = asker, .verb = verb, .epoch = epoch, .ttl_ms = LONG_MS, .stamp_ms = 1};
}

// The next answer.
static mm_lease_body_t heard(store_t *store)
{
    const store_lease_t *leases;
    size_t count;
    while ((count = store_leases(store, &leases)) == 0)
        wait_for_store(store);
    assert_int_equal(count, 1);
    assert_int_equal(leases[0].from, 7);
    return leases[0].answer;
}

static mm_lease_body_t asked(store_t *store, uint64_t asker, mm_lease_verb_t verb, uint64_t epoch)
{
    put_ask(store, ask_of(asker, verb, epoch));
    mm_lease_body_t answer = heard(store);
    assert_true(answer.asker == asker);
    assert_int_equal(answer.verb, verb);
    assert_int_equal(answer.stamp_ms, 1);
    return answer;
}

static uint64_t taken(store_t *store, uint64_t asker)
{
    mm_lease_body_t answer = asked(store, asker, MM_LEASE_TAKE, 0);
    assert_int_equal(answer.verdict, MM_LEASE_HELD);
    return answer.epoch;
}

static void expire(void)
{
    execute("UPDATE lease SET expires = clock_timestamp()");
}

// ---- what is asked

// Each step is one that store.h names, on the row as it was left by those before.
static void each_ask_does_what_it_says(void **state)
{
    store_t *store = opened(state);
    int64_t now_s = mm_clock_wall_ms() / 1000;
    mm_lease_body_t look = asked(store, ONE, MM_LEASE_LOOK, 0);
    assert_int_equal(look.verdict, MM_LEASE_FREE);
    assert_int_equal(look.epoch + (uint64_t)look.left_ms, 0);
    mm_lease_body_t take = asked(store, ONE, MM_LEASE_TAKE, 0);
    assert_int_equal(take.verdict, MM_LEASE_HELD);
    assert_in_range(take.epoch, now_s, now_s + 10);
    assert_in_range(take.left_ms, LONG_MS - 10000, LONG_MS);
    assert_string_equal(query("SELECT holder FROM lease"), "fedcba9876543210;");
    assert_int_equal(asked(store, TWO, MM_LEASE_TAKE, 0).verdict, MM_LEASE_OTHER);
    assert_int_equal(asked(store, TWO, MM_LEASE_RENEW, take.epoch).verdict, MM_LEASE_OTHER);
    assert_int_equal(asked(store, TWO, MM_LEASE_RELEASE, take.epoch).verdict, MM_LEASE_OTHER);
    assert_int_equal(asked(store, ONE, MM_LEASE_RENEW, take.epoch).verdict, MM_LEASE_HELD);
    expire();
    assert_int_equal(asked(store, TWO, MM_LEASE_LOOK, 0).verdict, MM_LEASE_FREE);
    assert_int_equal(asked(store, ONE, MM_LEASE_RENEW, take.epoch - 1).verdict, MM_LEASE_FREE);
    assert_int_equal(asked(store, ONE, MM_LEASE_RENEW, take.epoch).verdict, MM_LEASE_HELD);
    assert_int_equal(asked(store, ONE, MM_LEASE_RELEASE, take.epoch).verdict, MM_LEASE_FREE);
    assert_int_equal(asked(store, ONE, MM_LEASE_RENEW, take.epoch).verdict, MM_LEASE_FREE);
    mm_lease_body_t other = asked(store, TWO, MM_LEASE_TAKE, 0);
    assert_int_equal(other.verdict, MM_LEASE_HELD);
    assert_true(other.epoch > take.epoch);
    assert_int_equal(asked(store, ONE, MM_LEASE_RELEASE, take.epoch).verdict, MM_LEASE_OTHER);
    assert_int_equal(asked(store, ONE, MM_LEASE_LOOK, 0).epoch, other.epoch);
    assert_true(store_close(&store));
}

// Who has taken it without hearing so takes it again: it is the same one. Behind its end, or when
// it has led under that epoch, it is another (A9).
static void a_take_that_was_not_heard_is_found(void **state)
{
    store_t *store = opened(state);
    uint64_t first = taken(store, ONE);
    assert_int_equal(taken(store, ONE), first);
    put_ask(store, ask_of(ONE, MM_LEASE_TAKE, first));
    mm_lease_body_t led = heard(store);
    assert_int_equal(led.epoch, first);
    expire();
    assert_true(taken(store, ONE) > first);
    assert_true(store_close(&store));
}

static void an_epoch_has_32_bits(void **state)
{
    store_t *store = opened(state);
    execute("UPDATE lease SET epoch = 4294967294");
    assert_int_equal(taken(store, ONE), 4294967295);
    expire();
    mm_lease_body_t answer = asked(store, ONE, MM_LEASE_TAKE, 0);
    assert_int_equal(answer.verdict, MM_LEASE_FREE);
    assert_int_equal(answer.epoch, 4294967295);
    assert_true(store_close(&store));
}

// A halt that was recorded beside the leader, and its end (A7).
static void an_answer_tells_what_is_in_force(void **state)
{
    store_t *store = opened(state);
    mm_lease_body_t none = asked(store, ONE, MM_LEASE_LOOK, 0);
    assert_false(none.is_halted);
    assert_int_equal(none.orders_seq, 0);
    assert_string_equal(give(store, order_of(1, MM_ACTION_HALT, "")), "");
    real_task_t task = in_run(begun(1, 1, 1), "");
    (void)ask(store, task); // also in the audit, and no order
    mm_lease_body_t halted = asked(store, ONE, MM_LEASE_TAKE, 0);
    assert_true(halted.is_halted);
    assert_int_equal(halted.orders_seq, 1);
    assert_string_equal(give(store, order_of(2, MM_ACTION_RESUME, "")), "");
    mm_lease_body_t resumed = asked(store, ONE, MM_LEASE_RENEW, halted.epoch);
    assert_false(resumed.is_halted);
    assert_int_equal(resumed.orders_seq, 3);
    assert_true(store_close(&store));
}

// Three that ask for anything, through two savers, and leases that end: each answer is that of the
// row in memory (lease_row.h), by which everything above the store is tested.
static void answers_are_those_of_the_model(void **state)
{
    enum { STEPS = 400 };
    store_t *stores[] = {opened(state), opened(state)};
    uint64_t random = 19;
    lease_row_t row = {.epoch = 0};
    uint64_t epochs[3] = {0}; // the last one that it was told
    for (int i = 0; i < STEPS; i++) {
        uint64_t who = mm_random_below(&random, 3);
        mm_lease_verb_t verb = (mm_lease_verb_t)(1 + mm_random_below(&random, 4));
        mm_lease_ask_body_t ask = ask_of(who + 1, verb, mm_lease_is_held(verb) ? epochs[who] : 0);
        if (mm_random_below(&random, 4) == 0) {
            expire();
            row.expires_ms = 0;
        }
        uint64_t before = row.epoch;
        mm_lease_body_t expected = lease_row_ask(&row, &ask, 1000);
        put_ask(stores[i % 2], ask);
        mm_lease_body_t answer = heard(stores[i % 2]);
        assert_int_equal(answer.verdict, expected.verdict);
        assert_int_equal(answer.left_ms > 0, expected.left_ms > 0);
        if (row.epoch == before)
            assert_int_equal(answer.epoch, row.epoch);
        else
            assert_true(answer.epoch > before);
        row.epoch = epochs[who] = answer.epoch;
    }
    for (int i = 0; i < 2; i++)
        assert_true(store_close(&stores[i]));
}

// ---- the fence

#define EPOCH_OF(NUMBER) ((NUMBER) << 32 | 1)

// Of the next task with that number.
static mm_status_t status_of(store_t *store, uint64_t number, const char **ret_error)
{
    static char error[MM_ERROR_MAX + 1];
    put_settle(store, (unsigned)number % 7 + 1, number, MM_OUTCOME_RESTARTED);
    const mm_result_t *answers = answers_to(store, 1);
    (void)snprintf(error, sizeof error, "%.*s", (int)answers[0].error.size, answers[0].error.data);
    *ret_error = error;
    return answers[0].status;
}

// Whoever does not lead records no task, no order, and gets no state.
static void who_leads_no_longer_is_told(void **state)
{
    store_t *store = opened(state);
    const char *error;
    uint64_t epoch = taken(store, ONE);
    store_epoch(store, epoch);
    assert_int_equal(status_of(store, EPOCH_OF(epoch), &error), MM_STATUS_OK);
    assert_string_equal(give(store, order_of(1, MM_ACTION_HALT, "")), "");
    assert_string_equal(state_of(store, RUN), "halt / a bad kernel;");
    (void)asked(store, ONE, MM_LEASE_RELEASE, epoch);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(status_of(store, EPOCH_OF(epoch) + 1, &error), MM_STATUS_FAILED);
        assert_string_equal(error, "another consumer leads");
        assert_string_equal(give(store, order_of(2, MM_ACTION_RESUME, "")),
                            "another consumer leads");
        (void)taken(store, TWO);
    }
    store_page_t page;
    store_ask(store, &(store_question_t){.question = 1, .run = RUN});
    assert_string_equal(give(store, order_of(2, MM_ACTION_RESUME, "")), "another consumer leads");
    assert_false(store_page(store, &page)); // it was asked before, and has ended
    assert_string_equal(query("SELECT count(*), (SELECT count(*) FROM audit) FROM jobs"), "1|1;");
    assert_true(store_close(&store));
}

// A batch waits for a row: a renewal does not wait for the batch. A take does, once the lease has
// ended; what was put later finds that another one leads.
static void a_renewal_passes_a_batch_and_a_take_does_not(void **state)
{
    store_t *store = opened(state), *other = opened(state);
    const char *error;
    uint64_t epoch = taken(store, ONE);
    store_epoch(store, epoch);
    put_save(store, 1, EPOCH_OF(epoch));
    (void)answers_to(store, 1);
    execute("BEGIN; SELECT 1 FROM jobs FOR UPDATE");
    put_settle(store, 1, EPOCH_OF(epoch) + 1, MM_OUTCOME_RESTARTED);
    assert_true(store_flush(store));
    wait_until("SELECT count(*) " WAITS, "1;");
    assert_int_equal(asked(store, ONE, MM_LEASE_RENEW, epoch).verdict, MM_LEASE_HELD);
    PGconn *expirer = PQconnectdb(*state);
    PQclear(PQexec(expirer, "UPDATE lease SET expires = clock_timestamp()"));
    PQfinish(expirer);
    put_ask(other, ask_of(TWO, MM_LEASE_TAKE, 0));
    wait_until("SELECT count(*) " WAITS, "2;");
    execute("COMMIT");
    const mm_result_t *answers = answers_to(store, 1);
    assert_int_equal(answers[0].outcome, MM_OUTCOME_RESTARTED); // it led when it was written
    assert_true(heard(other).epoch > epoch);
    assert_int_equal(status_of(store, EPOCH_OF(epoch) + 2, &error), MM_STATUS_FAILED);
    assert_string_equal(error, "another consumer leads");
    assert_true(store_close(&store));
    assert_true(store_close(&other));
}

// ---- a connection that ends

// Nobody knows whether that one has taken it. It asks again.
static void a_take_of_unknown_fate_is_answered_so(void **state)
{
    store_t *store = opened(state);
    execute("BEGIN; SELECT 1 FROM lease FOR UPDATE");
    put_ask(store, ask_of(ONE, MM_LEASE_TAKE, 0));
    wait_until("SELECT count(*) " WAITS, "1;");
    execute("SELECT pg_terminate_backend(pid) " WAITS);
    mm_lease_body_t answer = heard(store);
    assert_int_equal(answer.verdict, MM_LEASE_UNKNOWN);
    assert_true(answer.asker == ONE && answer.stamp_ms == 1);
    execute("COMMIT");
    while (*store_trouble(store) != '\0')
        wait_for_store(store);
    assert_int_equal(asked(store, ONE, MM_LEASE_TAKE, 0).verdict, MM_LEASE_HELD);
    assert_true(store_close(&store));
}

// While one is under way others wait: the last one of each asker, and no longer than a second.
static void what_has_waited_for_long_is_dropped(void **state)
{
    store_t *store = opened(state);
    execute("BEGIN; SELECT 1 FROM lease FOR UPDATE");
    put_ask(store, ask_of(ONE, MM_LEASE_TAKE, 0));
    wait_until("SELECT count(*) " WAITS, "1;");
    put_ask(store, ask_of(TWO, MM_LEASE_TAKE, 0)); // will be too old
    int64_t until_ms = mm_clock_ms() + 1100;
    while (mm_clock_ms() < until_ms)
        usleep(20000);
    put_ask(store, ask_of(3, MM_LEASE_TAKE, 0)); // its place is taken by
    put_ask(store, ask_of(3, MM_LEASE_LOOK, 0));
    execute("COMMIT");
    mm_lease_body_t answer = heard(store);
    assert_true(answer.asker == ONE && answer.verdict == MM_LEASE_HELD);
    answer = heard(store);
    assert_int_equal(answer.asker, 3);
    assert_int_equal(answer.verb, MM_LEASE_LOOK);
    assert_int_equal(asked(store, 4, MM_LEASE_LOOK, 0).verdict, MM_LEASE_OTHER); // and no other
    assert_true(store_close(&store));
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_ask_does_what_it_says),
        TEST(a_take_that_was_not_heard_is_found),
        TEST(an_epoch_has_32_bits),
        TEST(an_answer_tells_what_is_in_force),
        TEST(answers_are_those_of_the_model),
        TEST(who_leads_no_longer_is_told),
        TEST(a_renewal_passes_a_batch_and_a_take_does_not),
        TEST(a_take_of_unknown_fate_is_answered_so),
        TEST(what_has_waited_for_long_is_dropped),
    };
    if (temp_postgresql_server() == NULL) {
        printf("skip - PostgreSQL: TEST_POSTGRESQL names no server\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
