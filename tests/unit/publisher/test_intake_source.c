// The intake and its source: how it is held back, retried, stopped, and how it ends.

#include "intake_play.h"

// ---- held back

static void a_bounded_source_is_read_only_a_little_ahead(void **state)
{
    (void)state;
    window = 10;
    is_bounded = true;
    begin_generating(0);
    for (int i = 0; i < 5; i++)
        turn();
    assert_int_equal(on_record(), 40);
    assert_true(intake_deadline(intake) == MM_NEVER); // until something settles
    settle_all();                                     // a window full: committed at once
    turn();
    assert_int_equal(on_record(), 30);
    assert_int_equal(intake_deadline(intake), now_ms); // there is room: nobody else says so
    turn();
    assert_int_equal(on_record(), 40);
    assert_int_equal(given_count, 20);
}

static void another_source_is_read_as_fast_as_it_gives(void **state)
{
    (void)state;
    window = 10;
    begin_generating(0);
    turn();
    assert_int_equal(intake_deadline(intake), now_ms); // there is more
    for (int i = 0; i < 4; i++)
        turn();
    assert_int_equal(on_record(), 5 * 1024);
    assert_int_equal(given_count, 10);
}

static void while_the_database_is_busy_nothing_is_given_and_nothing_is_lost(void **state)
{
    (void)state;
    begin_generating(50);
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    turn();
    int64_t read_us = mm_clock_us();
    assert_int_equal(given_count, 0);
    assert_int_equal(intake_deadline(intake), now_ms + 200);
    now_ms += 200;
    turn();
    assert_int_equal(given_count, 0);
    assert_false(intake_is_over(intake));
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    turn(); // too early to try again
    assert_int_equal(given_count, 0);
    now_ms += 200;
    turn();
    assert_int_equal(given_count, 50);
    assert_true(given[0].accepted_us <= read_us); // the commit is a part of what a job takes
}

static void a_broken_database_is_the_end(void **state)
{
    (void)state;
    begin_generating(50);
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "DROP TABLE chunks", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_false(intake_step(intake, now_ms, true));
    assert_int_equal(given_count, 0);
}

// ---- the end of a source

static void an_endless_source_that_is_stopped_has_ended(void **state)
{
    (void)state;
    window = 2000;
    begin_generating(0);
    turn();
    intake_stop(intake);
    turn();
    size_t accepted = given_count;
    assert_int_equal(accepted, 1024);
    settle_all();
    turn();
    assert_int_equal(given_count, accepted); // nothing more was read
    assert_true(intake_is_over(intake));
    outbox_run_t run = run_on_record();
    assert_true(run.progress.done);
    assert_true(run.finished_ms > 0);
    outbox_run_clear(&run);
}

static void another_source_that_is_stopped_goes_on_in_the_next_life(void **state)
{
    (void)state;
    window = 3000;
    begin_generating(2000);
    turn();
    size_t accepted = given_count;
    assert_in_range(accepted, 1, 1999);
    intake_stop(intake);
    settle_all();
    turn();
    turn();
    assert_int_equal(given_count, accepted);
    assert_true(intake_close(intake));
    outbox_run_t run = run_on_record();
    assert_false(run.progress.done);
    assert_int_equal(run.finished_ms, 0);
    outbox_run_clear(&run);
    crash();
    begin_generating(2000);
    turn();
    turn();
    assert_int_equal(given_count, 2000 - accepted);
}

// Writes into a stream that stays open, and takes a publisher's first step.
static int begin_stream(const char *content, size_t lines, bool skips_bad_lines)
{
    assert_int_equal(mkfifo(input, 0600), 0);
    int writer = open(input, O_RDWR | O_CLOEXEC);
    assert_true(writer >= 0);
    assert_true(write(writer, content, strlen(content)) > 0);
    for (size_t i = 0; i < lines; i++)
        assert_true(dprintf(writer, "web-%zu\n", i) > 0);
    window = 3000;
    read_input(skips_bad_lines);
    start_publisher();
    hear_beat();
    turn();
    return writer;
}

static void a_bad_line_ends_a_stream_but_not_what_came_before(void **state)
{
    (void)state;
    int writer = begin_stream("web-1\nweb-2\n-rf\nweb-3\n", 0, false);
    assert_int_equal(given_count, 2);
    assert_int_equal(intake_exit_code(intake), EX_DATAERR);
    settle_all();
    turn();
    assert_true(intake_is_over(intake));
    close(writer);
}

static void when_the_bad_line_is_mended_the_run_goes_on_behind_it(void **state)
{
    (void)state;
    close(begin_stream("web-1\nweb-2\n-rf\nweb-3\n", 0, false));
    settle_all();
    turn();
    assert_true(intake_close(intake));
    outbox_run_t run = run_on_record();
    assert_int_equal(run.restarted, 2);
    assert_int_equal(run.finished_ms, 0);
    outbox_run_clear(&run);
    crash();
    assert_int_equal(remove(input), 0);
    close(begin_stream("web-1\nweb-2\nrf\nweb-3\n", 0, false));
    assert_int_equal(given_count, 2); // nobody is restarted twice
    assert_string_equal(given[0].host, "rf");
    assert_string_equal(given[1].host, "web-3");
}

// What the source has read already does not make the descriptor readable once more.
static void a_stream_that_has_more_is_asked_again_at_once(void **state)
{
    (void)state;
    int writer = begin_stream("# many\n", 1500, false);
    assert_int_equal(given_count, 1024);
    assert_int_equal(intake_deadline(intake), now_ms);
    turn();
    assert_int_equal(given_count, 1500);
    assert_true(intake_deadline(intake) == MM_NEVER);
    close(writer);
}

// One that is held back or has ended stays readable, and would wake the loop for ever.
static void a_stream_is_watched_only_while_it_is_to_be_read(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(input, 0600), 0);
    int writer = open(input, O_RDWR | O_CLOEXEC);
    assert_true(writer >= 0);
    for (int i = 0; i < 45; i++)
        assert_true(dprintf(writer, "web-%d\n", i) > 0);
    window = 10;
    is_bounded = true;
    read_input(false);
    start_publisher();
    hear_beat();
    assert_int_equal(intake_descriptor(intake), source_descriptor(source));
    turn();
    assert_int_equal(on_record(), 40);
    assert_int_equal(intake_descriptor(intake), -1); // held back
    settle_all();
    now_ms += 20;
    turn();
    turn();
    assert_int_equal(on_record(), 35);
    assert_int_equal(intake_descriptor(intake), -1); // there is room for a few only
    settle_all();
    now_ms += 20;
    turn();
    assert_int_equal(on_record(), 25);
    assert_int_equal(intake_descriptor(intake), source_descriptor(source)); // all was read
    close(writer);
    turn();
    assert_int_equal(intake_descriptor(intake), -1); // it has ended
}

static void behind_a_line_that_is_left_out_a_stream_goes_on(void **state)
{
    (void)state;
    int writer = begin_stream("web-1\n-rf\nweb-2\n", 0, true);
    assert_int_equal(given_count, 1);
    assert_int_equal(intake_deadline(intake), now_ms);
    turn();
    assert_int_equal(given_count, 2);
    assert_int_equal(intake_exit_code(intake), 0);
    close(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INTAKE_TEST(a_bounded_source_is_read_only_a_little_ahead),
        INTAKE_TEST(another_source_is_read_as_fast_as_it_gives),
        INTAKE_TEST(while_the_database_is_busy_nothing_is_given_and_nothing_is_lost),
        INTAKE_TEST(a_broken_database_is_the_end),
        INTAKE_TEST(an_endless_source_that_is_stopped_has_ended),
        INTAKE_TEST(another_source_that_is_stopped_goes_on_in_the_next_life),
        INTAKE_TEST(a_bad_line_ends_a_stream_but_not_what_came_before),
        INTAKE_TEST(when_the_bad_line_is_mended_the_run_goes_on_behind_it),
        INTAKE_TEST(a_stream_that_has_more_is_asked_again_at_once),
        INTAKE_TEST(a_stream_is_watched_only_while_it_is_to_be_read),
        INTAKE_TEST(behind_a_line_that_is_left_out_a_stream_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
