// The command of a run, kept in its folder and given again.

#include "run_command.h"
#include "temp_folder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char former[4096];

static int set_up(void **state)
{
    (void)state;
    make_temp_folder();
    assert_non_null(getcwd(former, sizeof former));
    assert_int_equal(chdir(folder), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)unsetenv("MAYHEM_RATE");
    (void)unsetenv("MAYHEM_JOBS");
    assert_int_equal(chdir(former), 0);
    return remove_temp_folder(state);
}

static void keep(int argc, const char *const *argv)
{
    assert_int_equal(run_command_write(folder, argc, (char *const *)(uintptr_t)argv), 0);
}

static void a_command_is_given_again_as_it_was(void **state)
{
    (void)state;
    static const char *const argv[] = {
        "run", "-i", "hosts.txt", "-x", "sh -c 'a\nb' {host}", "", "--config-name", "x", NULL};
    arguments_t words = {0};
    bool has_config;
    (void)setenv("MAYHEM_RATE", "6", 1);
    keep(8, argv);
    (void)unsetenv("MAYHEM_RATE");
    (void)setenv("MAYHEM_JOBS", "7", 1);
    assert_int_equal(chdir("/"), 0);
    assert_true(run_command_recall(folder, &words, &has_config));
    char now[4096];
    assert_non_null(getcwd(now, sizeof now));
    assert_string_equal(now, folder);
    assert_string_equal(getenv("MAYHEM_RATE"), "6");
    assert_null(getenv("MAYHEM_JOBS"));
    assert_false(has_config);
    assert_int_equal(words.count, 7);
    for (size_t i = 0; i < words.count; i++)
        assert_string_equal(words.items[i], argv[i + 1]);
    arguments_clear(&words);
}

// What it had is in the folder; it may have been a pipe.
static void the_file_of_its_options_is_left_out(void **state)
{
    (void)state;
    static const char *const forms[][5] = {{"run", "--config", "/dev/fd/63", "-q", NULL},
                                           {"run", "--config=/dev/fd/63", "-q", NULL, NULL},
                                           {"run", "-q", "--config", NULL, NULL}};
    for (size_t i = 0; i < 3; i++) {
        arguments_t words = {0};
        bool has_config;
        int argc = 0;
        while (forms[i][argc])
            argc++;
        keep(argc, forms[i]);
        assert_true(run_command_recall(folder, &words, &has_config));
        assert_true(has_config);
        assert_int_equal(words.count, 1);
        assert_string_equal(words.items[0], "-q");
        arguments_clear(&words);
    }
}

static void without_a_whole_record_there_is_none(void **state)
{
    (void)state;
    arguments_t words = {0};
    bool has_config;
    char path[TEMP_PATH_MAX];
    assert_false(run_command_recall(folder, &words, &has_config));
    assert_int_equal(errno, ENOENT);
    temp_path(path, "run.command");
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        (void)fputs(i == 0 ? "" : "/", file); // cut off
        assert_int_equal(fclose(file), 0);
        assert_false(run_command_recall(folder, &words, &has_config));
        assert_int_equal(errno, EILSEQ);
    }
    assert_int_equal(words.count, 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_command_is_given_again_as_it_was),
        TEST(the_file_of_its_options_is_left_out),
        TEST(without_a_whole_record_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
