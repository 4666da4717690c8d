// What is remembered of the attempts at real restarts (consumer/core/attempts.h): found by their
// jobs, with texts of their own, and when a row is on record as it is.

#include "attempts.h"

#include "job.h"
#include "string_view.h"
#include "uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MANY 1000

static attempts_t attempts;

static int end(void **state)
{
    (void)state;
    attempts_clear(&attempts);
    return 0;
}

static mm_id_t id_of(unsigned number)
{
    return (mm_id_t){{[14] = (uint8_t)(number >> 8), [15] = (uint8_t)number}};
}

static attempt_t *add(unsigned number)
{
    mm_id_t id = id_of(number);
    return attempts_add(&attempts, &id);
}

static void drop(unsigned number)
{
    mm_id_t id = id_of(number);
    attempts_remove(&attempts, &id);
}

static void of_a_new_one_nothing_is_known(void **state)
{
    (void)state;
    static const mm_id_t none;
    const attempt_t *attempt = add(1);
    assert_int_equal(attempt->row, MM_ROW_NONE);
    assert_int_equal(attempt->number, 0);
    assert_int_equal(attempt->command, 0);
    assert_int_equal(attempt->exit, MM_EXIT_NONE);
    assert_true(mm_id_equal(&attempt->boot, &none));
    assert_null(attempt->words);
    assert_string_equal(attempt->health, "");
    assert_false(attempt->is_known);
    drop(1);
}

static void each_is_found_by_its_job(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= MANY; i++)
        add(i)->number = i;
    for (unsigned i = 2; i <= MANY; i += 2)
        drop(i);
    for (unsigned i = 1; i <= MANY; i += 2) {
        mm_id_t id = id_of(i);
        assert_int_equal(attempts_get(&attempts, &id)->number, i);
    }
    for (unsigned i = 1; i <= MANY; i += 2)
        drop(i);
    assert_int_equal(attempts.table.count, 0);
}

// The memory of one that is gone is used again.
static void nothing_is_left_of_the_one_before(void **state)
{
    (void)state;
    attempt_t *attempt = add(1);
    attempt->row = MM_ROW_ENDED;
    attempt->number = 7;
    attempt_set_words(attempt, mm_str("sudo: a password is required"));
    attempt_set_health(attempt, mm_str("degraded"));
    drop(1);
    attempt = add(2);
    assert_int_equal(attempt->row, MM_ROW_NONE);
    assert_int_equal(attempt->number, 0);
    assert_null(attempt->words);
    assert_string_equal(attempt->health, "");
    drop(2);
}

static void words_are_a_copy(void **state)
{
    (void)state;
    attempt_t *attempt = add(1);
    char text[] = "no route to host";
    attempt_set_words(attempt, (mm_str_t){text, 8});
    memset(text, 'x', sizeof text - 1);
    assert_string_equal(attempt->words, "no route");
    attempt_set_words(attempt, mm_str("bye"));
    assert_string_equal(attempt->words, "bye");
    attempt_set_words(attempt, (mm_str_t){0});
    assert_null(attempt->words);
    drop(1);
}

static void health_is_a_copy_within_its_limit(void **state)
{
    (void)state;
    attempt_t *attempt = add(1);
    char text[MM_HEALTH_MAX + 1];
    memset(text, 'h', sizeof text);
    attempt_set_health(attempt, (mm_str_t){text, MM_HEALTH_MAX});
    assert_int_equal(strlen(attempt->health), MM_HEALTH_MAX);
    attempt_set_health(attempt, mm_str("running"));
    memset(text, 'x', sizeof text);
    assert_string_equal(attempt->health, "running");
    attempt_set_health(attempt, (mm_str_t){text, MM_HEALTH_MAX + 1}); // no host says so much
    assert_string_equal(attempt->health, "");
    attempt_set_health(attempt, mm_str("running"));
    attempt_set_health(attempt, (mm_str_t){0});
    assert_string_equal(attempt->health, "");
    drop(1);
}

static void a_row_is_saved_when_its_last_version_is(void **state)
{
    (void)state;
    attempt_t *attempt = add(1);
    attempt->version++;
    assert_true(attempt_is_saved(attempt)); // there is no row
    attempt->row = MM_ROW_BEGUN;
    assert_false(attempt_is_saved(attempt));
    attempt->saved = attempt->version;
    assert_true(attempt_is_saved(attempt));
    attempt->version++;
    assert_false(attempt_is_saved(attempt));
    drop(1);
}

#define TEST(NAME) cmocka_unit_test_teardown(NAME, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_a_new_one_nothing_is_known),     TEST(each_is_found_by_its_job),
        TEST(nothing_is_left_of_the_one_before), TEST(words_are_a_copy),
        TEST(health_is_a_copy_within_its_limit), TEST(a_row_is_saved_when_its_last_version_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
