// The mock driver with a clock that is only a number.

#include "drivers.h"
#include "host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static driver_t *new_mock(uint32_t slots, int64_t from_ms, int64_t to_ms, double fail, int64_t seed)
{
    static mm_options_t options[2]; // of the two drivers made last
    static size_t next;
    options[next] = (mm_options_t){.slots = slots,
                                   .mock_time = {from_ms, to_ms},
                                   .mock_fail_ppm = (int64_t)(fail * 1e6),
                                   .seed = seed};
    driver_t *driver = driver_mock_kind.new(&options[next], (char[MM_ERROR_MAX]){""});
    next = 1 - next;
    return driver;
}

static void start(driver_t *driver, uint64_t number, int64_t now_ms)
{
    mm_task_t task = {.number = number,
                      .leg = MM_LEG_RESTART,
                      .host = mm_str("cattle-1.example.net"),
                      .attempt = 1};
    driver_start(driver, &task, now_ms);
}

static void without_time_a_restart_is_finished_in_the_same_turn(void **state)
{
    (void)state;
    driver_t *driver = new_mock(2, 0, 0, 0.0, 1);
    mm_result_t finish;
    assert_false(driver_next_finished(driver, 5000, &finish));
    start(driver, 7, 5000);
    assert_true(driver_next_finished(driver, 5000, &finish));
    assert_int_equal(finish.number, 7);
    assert_int_equal(finish.status, MM_STATUS_OK);
    assert_int_equal(finish.took_ms, 0);
    assert_int_equal(finish.error.size, 0);
    assert_int_equal(finish.evidence_count, 0);
    assert_false(driver_next_finished(driver, 5000, &finish));
    assert_true(driver_deadline(driver) == MM_NEVER);
    driver_destroy(&driver);
    assert_null(driver);
    driver_destroy(&driver);
}

static void a_failure_names_the_host(void **state)
{
    (void)state;
    driver_t *driver = new_mock(1, 0, 0, 1.0, 1);
    mm_result_t finish;
    start(driver, 1, 0);
    assert_true(driver_next_finished(driver, 0, &finish));
    assert_int_equal(finish.status, MM_STATUS_FAILED);
    assert_true(mm_str_equal(finish.error, mm_str("Could not restart cattle-1.example.net")));
    driver_destroy(&driver);
}

static void the_longest_host_fits_into_the_error(void **state)
{
    (void)state;
    driver_t *driver = new_mock(1, 0, 0, 1.0, 1);
    char host[MM_HOST_MAX];
    memset(host, 'h', sizeof host);
    mm_task_t task = {.number = 1, .leg = MM_LEG_RESTART, .host = {host, sizeof host}};
    mm_result_t finish;
    driver_start(driver, &task, 0);
    assert_true(driver_next_finished(driver, 0, &finish));
    assert_int_equal(finish.error.size, strlen("Could not restart ") + MM_HOST_MAX);
    assert_memory_equal(finish.error.data + strlen("Could not restart "), host, sizeof host);
    driver_destroy(&driver);
}

static void restarts_take_the_whole_range_of_time_and_end_in_order(void **state)
{
    (void)state;
    enum { COUNT = 4000 };
    driver_t *driver = new_mock(COUNT, 100, 109, 0.0, 42);
    uint32_t by_time[10] = {0};
    for (uint64_t i = 0; i < COUNT; i++)
        start(driver, i, 1000);
    mm_result_t finish;
    assert_false(driver_next_finished(driver, 1099, &finish));
    int64_t last_ms = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        int64_t now_ms = driver_deadline(driver);
        assert_true(now_ms >= last_ms);
        last_ms = now_ms;
        assert_false(driver_next_finished(driver, now_ms - 1, &finish));
        assert_true(driver_next_finished(driver, now_ms, &finish));
        assert_true(finish.took_ms >= 100 && finish.took_ms <= 109);
        by_time[finish.took_ms - 100]++;
    }
    assert_true(driver_deadline(driver) == MM_NEVER);
    for (size_t i = 0; i < 10; i++)
        assert_in_range(by_time[i], COUNT / 10 - 100, COUNT / 10 + 100);
    driver_destroy(&driver);
}

static void those_that_end_together_end_in_the_order_of_their_starts(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    driver_t *driver = new_mock(COUNT, 5, 5, 0.0, 1);
    mm_result_t finish;
    for (uint64_t i = 0; i < COUNT; i++)
        start(driver, i, 1000);
    for (uint64_t i = 0; i < COUNT; i++) {
        assert_true(driver_next_finished(driver, 1005, &finish));
        assert_int_equal(finish.number, i);
    }
    driver_destroy(&driver);
}

static uint64_t failures(double fail, int64_t seed)
{
    driver_t *driver = new_mock(1, 0, 0, fail, seed);
    uint64_t count = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        mm_result_t finish;
        start(driver, i, 0);
        assert_true(driver_next_finished(driver, 0, &finish));
        count += finish.status == MM_STATUS_FAILED;
    }
    driver_destroy(&driver);
    return count;
}

static void the_share_of_failures_is_as_asked(void **state)
{
    (void)state;
    assert_int_equal(failures(0.0, 3), 0);
    assert_int_equal(failures(1.0, 3), 10000);
    assert_in_range(failures(0.25, 3), 2300, 2700);
    assert_int_equal(failures(0.25, 3), failures(0.25, 3));
    assert_int_not_equal(failures(0.25, 3), failures(0.25, 4));
}

static void the_same_seed_gives_the_same_run(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    driver_t *a = new_mock(COUNT, 0, 1000, 0.5, 9);
    driver_t *b = new_mock(COUNT, 0, 1000, 0.5, 9);
    for (uint64_t i = 0; i < COUNT; i++) {
        start(a, i, 0);
        start(b, i, 0);
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        mm_result_t of_a;
        mm_result_t of_b;
        assert_true(driver_deadline(a) == driver_deadline(b));
        assert_true(driver_next_finished(a, driver_deadline(a), &of_a));
        assert_true(driver_next_finished(b, driver_deadline(b), &of_b));
        assert_int_equal(of_a.number, of_b.number);
        assert_int_equal(of_a.status, of_b.status);
    }
    driver_destroy(&a);
    driver_destroy(&b);
}

static void what_runs_at_the_stop_ends_as_stopped(void **state)
{
    (void)state;
    driver_t *driver = new_mock(3, 1000, 1000, 0.0, 1);
    mm_result_t finish;
    start(driver, 1, 0);
    start(driver, 2, 500);
    start(driver, 3, 500);
    driver_stop(driver, 1200);
    assert_true(driver_deadline(driver) <= 1200);
    assert_true(driver_next_finished(driver, 1200, &finish));
    assert_int_equal(finish.number, 1); // it had ended before
    assert_int_equal(finish.status, MM_STATUS_OK);
    for (int i = 0; i < 2; i++) {
        assert_true(driver_next_finished(driver, 1200, &finish));
        assert_int_equal(finish.status, MM_STATUS_FAILED);
        assert_true(mm_str_equal(finish.error, mm_str("stopped")));
        assert_int_equal(finish.took_ms, 700);
    }
    assert_false(driver_next_finished(driver, 1200, &finish));
    assert_true(driver_deadline(driver) == MM_NEVER);
    driver_destroy(&driver);
}

static void slots_are_used_again(void **state)
{
    (void)state;
    enum { SLOTS = 64, COUNT = 20000 };
    driver_t *driver = new_mock(SLOTS, 0, 50, 0.25, 5);
    unsigned char *seen = calloc(1, COUNT);
    assert_non_null(seen);
    uint64_t started = 0;
    uint64_t finished = 0;
    for (int64_t now_ms = 0; finished < COUNT; now_ms++) {
        mm_result_t finish;
        while (driver_next_finished(driver, now_ms, &finish)) {
            assert_true(finish.number < COUNT);
            assert_int_equal(seen[finish.number]++, 0);
            finished++;
        }
        for (; started < COUNT && started - finished < SLOTS; started++)
            start(driver, started, now_ms);
    }
    free(seen);
    driver_destroy(&driver);
}

static void there_is_nothing_to_watch(void **state)
{
    (void)state;
    driver_t *driver = new_mock(1, 0, 0, 0.0, 1);
    assert_int_equal(driver_descriptor(driver), -1);
    driver_step(driver, 0);
    driver_destroy(&driver);
}

static void it_is_the_driver_when_no_other_is_asked_for(void **state)
{
    (void)state;
    const mm_options_t none = {.exec = ""}, exec = {.exec = "true {host}"};
    assert_ptr_equal(drivers_choose(&none), &driver_mock_kind);
    assert_string_equal(driver_mock_kind.name(&none), "mock");
    assert_ptr_equal(drivers_choose(&exec), &driver_exec_kind);
    assert_string_equal(driver_exec_kind.name(&exec), "true {host}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_time_a_restart_is_finished_in_the_same_turn),
        cmocka_unit_test(a_failure_names_the_host),
        cmocka_unit_test(the_longest_host_fits_into_the_error),
        cmocka_unit_test(restarts_take_the_whole_range_of_time_and_end_in_order),
        cmocka_unit_test(those_that_end_together_end_in_the_order_of_their_starts),
        cmocka_unit_test(the_share_of_failures_is_as_asked),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
        cmocka_unit_test(what_runs_at_the_stop_ends_as_stopped),
        cmocka_unit_test(slots_are_used_again),
        cmocka_unit_test(there_is_nothing_to_watch),
        cmocka_unit_test(it_is_the_driver_when_no_other_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
