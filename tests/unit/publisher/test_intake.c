// The way of a job from its source into the outbox and on to the core, with a real database, a real
// core and real sources: on record first, in order, once, and again after a restart. How sources
// are held back and end is in test_intake_source.c.

#include "intake_play.h"

// ---- the straight way

static void fresh_jobs_go_straight_on_and_are_on_record_before(void **state)
{
    (void)state;
    begin_generating(50);
    turn();
    assert_int_equal(given_count, 50); // each was looked for in accept_given
    assert_int_equal(on_record(), 50);
    for (size_t i = 0; i < given_count; i++)
        assert_false(given[i].maybe_sent);
    assert_int_equal(intake_counts(intake).total, 50);
    assert_false(intake_is_over(intake));
}

static void what_has_no_room_comes_back_in_order(void **state)
{
    (void)state;
    begin_generating(3000);
    source_generate_config_t config = {.seed = 7, .pace = SOURCE_PACE_UNLIMITED};
    source_t *same = source_generate_new(&config);
    turn();
    assert_int_equal(given_count, window);
    for (int i = 0; i < 1000 && !intake_is_over(intake); i++) {
        settle_all();
        now_ms += 5;
        turn();
    }
    assert_true(intake_is_over(intake));
    assert_int_equal(given_count, 3000);
    for (size_t i = 0; i < given_count; i++) {
        source_item_t item;
        assert_int_equal(source_next(same, 0, &item), SOURCE_ITEM);
        assert_true(mm_str_equal(mm_str(given[i].host), item.host));
        assert_false(given[i].maybe_sent); // it was never delivered before
    }
    source_destroy(&same);
}

static void without_a_consumer_jobs_are_accepted_and_wait(void **state)
{
    (void)state;
    generate(50);
    start_publisher();
    turn();
    assert_int_equal(given_count, 0);
    assert_int_equal(on_record(), 50);
    hear_beat();
    turn();
    assert_int_equal(given_count, 50);
}

static void a_full_pipe_holds_them_back_too(void **state)
{
    (void)state;
    begin_generating(50);
    assert_true(intake_step(intake, now_ms, false));
    assert_int_equal(given_count, 0);
    assert_int_equal(on_record(), 50);
    turn();
    assert_int_equal(given_count, 50);
}

// ---- settled

static void a_settled_job_is_gone_after_the_next_commit(void **state)
{
    (void)state;
    begin_generating(50);
    turn();
    size_t count = on_record();
    settle_oldest(MM_VERDICT_ACK);
    settle_oldest(MM_VERDICT_DEAD);
    assert_true(is_on_record(given[0].token, &given[0].id));
    turn();
    assert_false(is_on_record(given[0].token, &given[0].id));
    assert_false(is_on_record(given[1].token, &given[1].id));
    assert_true(is_on_record(given[2].token, &given[2].id));
    assert_int_equal(on_record(), count - 2);
    outbox_run_t run = run_on_record();
    assert_int_equal(run.restarted, 1);
    assert_int_equal(run.dead, 1);
    assert_int_equal(run.attempts, 4);
    outbox_run_clear(&run);
}

static void settled_jobs_wait_a_little_for_company(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(input, 0600), 0);
    int writer = open(input, O_RDWR | O_CLOEXEC); // a source that stays open and is silent
    assert_true(writer >= 0);
    assert_int_equal(write(writer, "web-1\nweb-2\n", 12), 12);
    read_input(false);
    start_publisher();
    hear_beat();
    turn();
    assert_int_equal(given_count, 2);
    settle_oldest(MM_VERDICT_ACK);
    assert_int_equal(intake_deadline(intake), now_ms + 20);
    now_ms += 19;
    settle_oldest(MM_VERDICT_ACK); // does not put it off
    assert_int_equal(intake_deadline(intake), now_ms + 1);
    turn();
    assert_int_equal(on_record(), 2);
    now_ms += 1;
    turn();
    assert_int_equal(on_record(), 0);
    assert_true(intake_deadline(intake) == MM_NEVER);
    close(writer);
}

static void it_is_over_when_the_source_has_ended_and_all_is_settled(void **state)
{
    (void)state;
    begin_generating(3);
    turn();
    settle_all();
    assert_false(intake_is_over(intake)); // not yet committed
    turn();
    assert_true(intake_is_over(intake));
    outbox_run_t run = run_on_record();
    assert_true(run.progress.done);
    assert_true(run.finished_ms > 0);
    outbox_run_clear(&run);
    intake_counts_t counts = intake_counts(intake);
    assert_int_equal(counts.restarted, 3);
    assert_int_equal(counts.backlog, 0);
    assert_int_equal(intake_exit_code(intake), 0);
}

static void times_and_the_orderly_end_are_on_record_after_the_close(void **state)
{
    (void)state;
    begin_generating(5);
    turn();
    settle_oldest(MM_VERDICT_ACK);
    settle_oldest(MM_VERDICT_ACK);
    outbox_run_t run = run_on_record();
    assert_false(run.clean);
    outbox_run_clear(&run);
    assert_true(intake_close(intake));
    assert_int_equal(on_record(), 3);
    run = run_on_record();
    assert_true(run.clean);
    mm_histogram_t times = {0};
    assert_non_null(run.times);
    assert_true(mm_histogram_decode(run.times, run.times_size, &times));
    assert_int_equal(times.count, 2);
    outbox_run_clear(&run);
}

// ---- after a restart

static void after_a_restart_everything_comes_again_as_maybe_sent(void **state)
{
    (void)state;
    begin_generating(60);
    turn();
    for (int i = 0; i < 10; i++)
        settle_oldest(MM_VERDICT_ACK);
    turn();
    settle_oldest(MM_VERDICT_ACK); // this one was not committed
    given_t first = given[10];
    crash();
    begin_generating(60);
    turn();
    assert_int_equal(given_count, 50);
    assert_true(mm_id_equal(&given[0].id, &first.id));
    assert_string_equal(given[0].host, first.host);
    for (size_t i = 0; i < given_count; i++)
        assert_true(given[i].maybe_sent);
    settle_all();
    turn();
    assert_true(intake_is_over(intake));
    assert_int_equal(intake_counts(intake).restarted, 60);
}

static void new_jobs_follow_the_old_ones_and_were_never_sent(void **state)
{
    (void)state;
    window = 3000;
    generate(2000);
    start_publisher();
    turn(); // accepts some of them
    uint64_t accepted = on_record();
    assert_in_range(accepted, 1, 1999);
    crash();
    begin_generating(2000);
    for (int i = 0; i < 5; i++)
        turn();
    assert_int_equal(given_count, 2000); // in order and none twice, says accept_given
    for (size_t i = 0; i < given_count; i++)
        assert_int_equal(given[i].maybe_sent, i < accepted);
}

static void new_ids_are_above_all_on_record_whatever_the_clock_says(void **state)
{
    (void)state;
    generate(3);
    start_publisher();
    mm_id_source_t *ids = mm_id_source_new();
    mm_id_t future;
    mm_id_next(ids, mm_clock_wall_ms() + 3600000, &future); // the clock was set back since
    mm_id_source_destroy(&ids);
    outbox_db_put(db, run_number, &future, mm_str("web-1"), (mm_str_t){0});
    assert_int_equal(outbox_db_commit(db, 1), OUTBOX_DB_OK);
    crash();
    begin_generating(3);
    for (int i = 0; i < 3; i++)
        turn();
    assert_int_equal(given_count, 4);
    assert_true(mm_id_equal(&given[0].id, &future));
    assert_true(given[0].maybe_sent);
    assert_false(given[1].maybe_sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INTAKE_TEST(fresh_jobs_go_straight_on_and_are_on_record_before),
        INTAKE_TEST(what_has_no_room_comes_back_in_order),
        INTAKE_TEST(without_a_consumer_jobs_are_accepted_and_wait),
        INTAKE_TEST(a_full_pipe_holds_them_back_too),
        INTAKE_TEST(a_settled_job_is_gone_after_the_next_commit),
        INTAKE_TEST(settled_jobs_wait_a_little_for_company),
        INTAKE_TEST(it_is_over_when_the_source_has_ended_and_all_is_settled),
        INTAKE_TEST(times_and_the_orderly_end_are_on_record_after_the_close),
        INTAKE_TEST(after_a_restart_everything_comes_again_as_maybe_sent),
        INTAKE_TEST(new_jobs_follow_the_old_ones_and_were_never_sent),
        INTAKE_TEST(new_ids_are_above_all_on_record_whatever_the_clock_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
