// Tests of common/runtime/log_limit.c: what passes in a second, and what is told of the rest.

#include "log_limit.h"
#include "clock.h"
#include "duration.h"
#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char nacked[] = "Nacked", lost[] = "Lost";

static unsigned pass(mm_log_limit_t *limit, const char *message, unsigned lines, int64_t now_ms)
{
    unsigned passed = 0;
    for (unsigned i = 0; i < lines; i++)
        passed += mm_log_limit_pass(limit, MM_LOG_INFO, message, now_ms);
    return passed;
}

static void the_first_of_a_second_pass_of_each_message(void **state)
{
    (void)state;
    mm_log_limit_t limit = {0};
    assert_int_equal(pass(&limit, nacked, MM_LOG_MOST, 5000), MM_LOG_MOST);
    assert_int_equal(mm_log_limit_tell(&limit, 5100), MM_NEVER); // nothing was left out
    assert_int_equal(pass(&limit, nacked, 1000, 5999), 0);
    assert_int_equal(pass(&limit, lost, 3, 5999), 3);
    assert_int_equal(mm_log_limit_tell(&limit, 5999), 6000);
    assert_int_equal(mm_log_limit_tell(&limit, 6000), MM_NEVER);
    assert_int_equal(pass(&limit, nacked, MM_LOG_MOST + 1, 6000), MM_LOG_MOST);
}

static void a_second_begins_with_its_first_line(void **state)
{
    (void)state;
    mm_log_limit_t limit = {0};
    assert_int_equal(pass(&limit, nacked, 1, 5000), 1);
    assert_int_equal(pass(&limit, nacked, MM_LOG_MOST, 5900), MM_LOG_MOST - 1);
    assert_int_equal(pass(&limit, nacked, MM_LOG_MOST, 6000), MM_LOG_MOST); // unasked
    assert_int_equal(mm_log_limit_tell(&limit, 6999), MM_NEVER);
    assert_int_equal(pass(&limit, nacked, MM_LOG_MOST + 5, 99000), MM_LOG_MOST);
    assert_int_equal(mm_log_limit_tell(&limit, INT64_MAX), MM_NEVER); // at the end
    assert_int_equal(mm_log_limit_tell(&limit, INT64_MAX), MM_NEVER);
}

static void what_is_below_the_level_does_not_count(void **state)
{
    (void)state;
    mm_log_limit_t limit = {0};
    for (unsigned i = 0; i < 10 * MM_LOG_MOST; i++)
        assert_true(mm_log_limit_pass(&limit, MM_LOG_DEBUG, nacked, 5000));
    assert_int_equal(mm_log_limit_tell(&limit, 5000), MM_NEVER);
    assert_int_equal(pass(&limit, nacked, MM_LOG_MOST, 5000), MM_LOG_MOST);
}

static void more_messages_than_it_knows_are_not_limited(void **state)
{
    (void)state;
    static const char messages[MM_LOG_KINDS + 1][4] = {"a"};
    mm_log_limit_t limit = {0};
    for (size_t i = 0; i < MM_LOG_KINDS; i++)
        assert_int_equal(pass(&limit, messages[i], 2 * MM_LOG_MOST, 5000), MM_LOG_MOST);
    assert_int_equal(pass(&limit, messages[MM_LOG_KINDS], 2 * MM_LOG_MOST, 5000), 2 * MM_LOG_MOST);
}

// The lines that there are and those that are told of are all of them.
static void what_is_left_out_is_told(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX], line[512];
    unsigned long there = 0, told = 0, all = 0;
    make_temp_folder();
    temp_path(path, "log");
    const mm_log_config_t config = {.process = "consumer", .path = path, .level = MM_LOG_INFO};
    assert_int_equal(mm_log_start(&config), 0);
    mm_log_limit_t limit = {0};
    for (int64_t now_ms = 5000; now_ms < 8000; now_ms += 10) {
        for (unsigned i = 0; i < 50; i++, all++)
            if (mm_log_limit_pass(&limit, MM_LOG_INFO, nacked, now_ms))
                mm_log(MM_LOG_INFO, nacked, MM_INT("n", i));
        (void)mm_log_limit_tell(&limit, now_ms);
    }
    (void)mm_log_limit_tell(&limit, INT64_MAX);
    mm_log_stop();
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        const char *lines = strstr(line, "] Left out lines like=Nacked lines=");
        there += strstr(line, "] Nacked n=") != NULL;
        told += lines ? strtoul(strrchr(lines, '=') + 1, NULL, 10) : 0;
    }
    (void)fclose(file);
    assert_int_equal(there, 3 * MM_LOG_MOST);
    assert_int_equal(there + told, all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_a_second_pass_of_each_message),
        cmocka_unit_test(a_second_begins_with_its_first_line),
        cmocka_unit_test(what_is_below_the_level_does_not_count),
        cmocka_unit_test(more_messages_than_it_knows_are_not_limited),
        cmocka_unit_test_teardown(what_is_left_out_is_told, remove_temp_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
