// A file is read twice: once to check it, and once to give its hosts. Long ones, of many blocks.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "source_read.h"
#include "string_view.h"
#include "temp_folder.h"

enum { LONG_HOSTS = 60000, LONG_LINE = 22 };

static char error[SOURCE_ERROR_MAX];

static source_t *open_file(const char *content, bool skips)
{
    write_list(content, strlen(content));
    source_file_config_t config = {.path = list_path, .skips_bad_lines = skips};
    source_t *source = NULL;
    int code = source_file_open(&config, &source, error);
    if (code != 0)
        print_message("%s\n", error);
    assert_int_equal(code, 0);
    return source;
}

// Each seventh host is one that was there half way back, unless that place has such a one itself.
static unsigned number_of(unsigned line)
{
    return 99999 - (line % 7 == 6 ? line / 2 : line);
}

static bool is_repeat(unsigned line)
{
    return line % 7 == 6 && line / 2 % 7 != 6;
}

static char *long_content(void)
{
    char *content = malloc(LONG_HOSTS * LONG_LINE + 1), *next = content;
    assert_non_null(content);
    for (unsigned i = 0; i < LONG_HOSTS; i++)
        next += sprintf(next, "web-%05u.example.net\n", number_of(i));
    assert_int_equal(next - content, LONG_HOSTS * LONG_LINE);
    return content;
}

static void in_a_long_file_repeated_hosts_are_left_out(void **state)
{
    (void)state;
    char *content = long_content(), host[32];
    for (unsigned round = 0; round < 2;
         round++) { // and when half of it was given in a former epoch
        source_t *source = open_file(content, false);
        source_progress_t recorded = progress_of(source);
        unsigned first = round * LONG_HOSTS / 2;
        if (round > 0) {
            recorded.position = first * LONG_LINE;
            recorded.done = false;
            source_resume(source, &recorded);
        }
        uint64_t given = 0;
        source_item_t item;
        for (unsigned i = first; i < LONG_HOSTS; i++) {
            if (is_repeat(i))
                continue;
            source_status_t status;
            while ((status = source_next(source, 0, &item)) == SOURCE_WAIT)
                ;
            assert_int_equal(status, SOURCE_ITEM);
            snprintf(host, sizeof host, "web-%05u.example.net", number_of(i));
            assert_true(mm_str_equal(item.host, mm_str(host)));
            given++;
        }
        assert_int_equal(source_next(source, 0, &item), SOURCE_END);
        assert_true(recorded.repeated > 0);
        if (round == 0)
            assert_int_equal(given, progress_of(source).total);
        source_destroy(&source);
    }
    free(content);
}

// Changed, longer or shorter: nothing is given of a block that is not the same any more.
static void of_what_has_changed_in_a_file_nothing_is_given(void **state)
{
    (void)state;
    char *content = long_content();
    size_t size = strlen(content), half = LONG_HOSTS / 2 * LONG_LINE;
    for (int change = 0; change < 3; change++) {
        source_t *source = open_file(content, false);
        char *changed = malloc(size + 16);
        assert_non_null(changed);
        memcpy(changed, content, size);
        memcpy(changed + size, "db-1\n", 5);
        memcpy(changed + half, "db-7", change == 0 ? 4 : 0);
        write_list(changed, change == 0 ? size : change == 1 ? size + 5 : half);
        free(changed);
        size_t lines = 0;
        source_item_t item;
        source_status_t status;
        while ((status = source_next(source, 0, &item)) == SOURCE_ITEM || status == SOURCE_WAIT) {
            if (status == SOURCE_WAIT)
                continue;
            assert_int_equal(item.host.data[0], 'w');
            lines++;
        }
        assert_int_equal(status, SOURCE_BAD);
        assert_true(item.ends);
        assert_non_null(strstr(item.error, "was changed while it was being read"));
        assert_in_range(lines, 1, change == 1 ? LONG_HOSTS : LONG_HOSTS / 2);
        source_destroy(&source);
    }
    free(content);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_list_folder, remove_temp_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(in_a_long_file_repeated_hosts_are_left_out),
        TEST(of_what_has_changed_in_a_file_nothing_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
