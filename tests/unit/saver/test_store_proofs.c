// How sure a restart on record is: proofs of jobs and of their attempts.

#include "attempt_play.h"

static void a_proven_restart_has_all_on_record(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, begun(1, 11, 1));
    real_task_t task = ended(1, 12, 1, MM_END_RESTARTED);
    task.real.boot_after = AFTER;
    task.real.exit = 255;
    task.real.words = mm_str("Connection closed");
    answer_t answer = ask(store, settled(task, MM_OUTCOME_RESTARTED, MM_PROOF_PROVEN));
    assert_int_equal(answer.outcome, MM_OUTCOME_RESTARTED);
    assert_int_equal(answer.real.row, MM_ROW_BEGUN);
    assert_string_equal(
        query("SELECT state, worker, boot_after, exit, outcome, error, proof FROM attempts"),
        "ended|restarter-1|33333333-3333-3333-3333-333333333333|255|restarted|Connection "
        "closed|proven;");
    assert_string_equal(query("SELECT ended_ms >= began_ms FROM attempts"), "1;");
    assert_string_equal(query("SELECT outcome, proof FROM jobs ORDER BY id"), "restarted|proven;");
    answer = look(store, 1);
    assert_int_equal(answer.outcome, MM_OUTCOME_RESTARTED);
    assert_int_equal(answer.real.end, MM_END_RESTARTED);
    assert_int_equal(answer.real.exit, 255);
    assert_int_equal(answer.real.ended, 1);
    assert_true(mm_str_equal(answer.real.words, mm_str("Connection closed")));
    assert_true(store_close(&store));
}

// Each proof, and the mock, which says none.
static void a_job_has_its_proof(void **state)
{
    (void)state;
    store_t *store = open_store();
    for (unsigned i = MM_PROOF_NONE; i <= MM_PROOF_REHEARSED; i++)
        (void)ask(store,
                  settled(ended(i, i, 1, MM_END_RESTARTED), MM_OUTCOME_RESTARTED, (mm_proof_t)i));
    put_settle(store, 11, 11, MM_OUTCOME_RESTARTED);
    put_settle(store, 12, 12, MM_OUTCOME_DEAD);
    put_settle(store, 13, 13, MM_OUTCOME_WITHDRAWN);
    put_settle(store, 14, 14, MM_OUTCOME_SKIPPED);
    put_save(store, 15, 15);
    mm_task_t task = store_task(MM_LEG_SETTLE, 16, 16);
    task.outcome = MM_OUTCOME_RESTARTED;
    task.error = mm_str("it was asked twice");
    store_put(store, &task);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_RESTARTED}, {12, MM_STATUS_OK, MM_OUTCOME_DEAD},
           {13, MM_STATUS_OK, MM_OUTCOME_WITHDRAWN}, {14, MM_STATUS_OK, MM_OUTCOME_SKIPPED},
           {15, MM_STATUS_OK, MM_OUTCOME_NONE}, {16, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_string_equal(query("SELECT outcome, proof FROM jobs ORDER BY id"),
                        "restarted|NULL;restarted|proven;restarted|verified;restarted|unverified;"
                        "restarted|rehearsed;restarted|rehearsed;dead|NULL;withdrawn|NULL;"
                        "skipped|NULL;NULL|NULL;restarted|rehearsed;");
    assert_string_equal(query("SELECT error FROM jobs WHERE error LIKE 'it %'"),
                        "it was asked twice;");
    assert_true(store_close(&store));
}

static void a_real_restart_is_never_called_rehearsed(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, begun(1, 11, 1));
    put_settle(store, 1, 12, MM_OUTCOME_RESTARTED);
    EXPECT(store, {12, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_string_equal(query("SELECT outcome, proof FROM jobs ORDER BY id"), "restarted|NULL;");
    real_task_t task = ended(2, 13, 1, MM_END_RESTARTED);
    task.real.proof = MM_PROOF_VERIFIED;
    (void)ask(store, task);
    put_settle(store, 2, 14, MM_OUTCOME_RESTARTED);
    EXPECT(store, {14, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_string_equal(query("SELECT proof FROM jobs ORDER BY id"), "NULL;verified;");
    (void)ask(store, begun(3, 15, 1));
    assert_true(store_close(&store));
    store = open_store(); // another saver, to which nobody has told of attempts
    put_settle(store, 3, 16, MM_OUTCOME_RESTARTED);
    put_settle(store, 4, 17, MM_OUTCOME_RESTARTED);
    EXPECT(store, {16, MM_STATUS_OK, MM_OUTCOME_RESTARTED},
           {17, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_string_equal(query("SELECT proof FROM jobs ORDER BY id"),
                        "NULL;verified;NULL;rehearsed;");
    assert_true(store_close(&store));
}

// Its end came after it was given up as interrupted.
static void a_late_success_is_the_end(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, ended(1, 11, 1, MM_END_INTERRUPTED));
    (void)ask(store,
              settled(ended(1, 12, 1, MM_END_RESTARTED), MM_OUTCOME_RESTARTED, MM_PROOF_PROVEN));
    assert_string_equal(query("SELECT outcome, proof FROM attempts ORDER BY job"),
                        "restarted|proven;");
    assert_string_equal(query("SELECT outcome, proof FROM jobs ORDER BY id"), "restarted|proven;");
    (void)ask(store, ended(2, 13, 1, MM_END_EXIT));
    (void)ask(store, settled(ended(2, 14, 1, MM_END_EXIT), MM_OUTCOME_DEAD, MM_PROOF_NONE));
    (void)ask(store, // the outcome came first
              settled(ended(2, 15, 1, MM_END_RESTARTED), MM_OUTCOME_RESTARTED, MM_PROOF_PROVEN));
    assert_string_equal(query("SELECT outcome, proof FROM attempts ORDER BY job"),
                        "restarted|proven;exit|NULL;");
    assert_string_equal(query("SELECT outcome, proof FROM jobs ORDER BY id"),
                        "restarted|proven;dead|NULL;");
    assert_true(store_close(&store));
}

static void the_first_outcome_keeps_its_proof(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store,
              settled(ended(1, 11, 1, MM_END_RESTARTED), MM_OUTCOME_RESTARTED, MM_PROOF_VERIFIED));
    answer_t answer =
        ask(store, settled(ended(1, 12, 2, MM_END_RESTARTED), MM_OUTCOME_DEAD, MM_PROOF_PROVEN));
    assert_int_equal(answer.outcome, MM_OUTCOME_RESTARTED);
    assert_string_equal(query("SELECT outcome, proof FROM jobs ORDER BY id"),
                        "restarted|verified;");
    assert_true(store_close(&store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_proven_restart_has_all_on_record),       STORE_TEST(a_job_has_its_proof),
        STORE_TEST(a_real_restart_is_never_called_rehearsed), STORE_TEST(a_late_success_is_the_end),
        STORE_TEST(the_first_outcome_keeps_its_proof),
    };
    return RUN_STORE_TESTS(tests);
}
