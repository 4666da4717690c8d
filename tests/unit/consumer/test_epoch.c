// The consumer's epoch number on a real disk: it never repeats, whatever becomes of its file.

#include "clock.h"
#include "epoch.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char path[80];
static char fresh[88]; // what is renamed to path
static char error[MM_ERROR_MAX];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test_epoch.XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/consumer.life", folder);
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)remove(path);
    (void)remove(fresh);
    return rmdir(folder);
}

static uint64_t next_life(void)
{
    uint64_t epoch = 0;
    assert_int_equal(epoch_next(path, &epoch, error), 0);
    return epoch;
}

static uint64_t now(void)
{
    return (uint64_t)(mm_clock_wall_ms() / 1000);
}

static void write_record(const char *content)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    (void)fputs(content, file);
    assert_int_equal(fclose(file), 0);
}

static void write_life(uint64_t epoch)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRIu64 "\n", epoch);
    write_record(text);
}

// A epoch that the clock alone gives.
static void expect_now(uint64_t earliest, uint64_t epoch)
{
    assert_in_range(epoch, earliest, now());
}

static void the_first_life_is_the_time(void **state)
{
    (void)state;
    uint64_t earliest = now();
    expect_now(earliest, next_life());
}

static void lives_grow_although_the_clock_does_not(void **state)
{
    (void)state;
    uint64_t last = next_life();
    for (int i = 0; i < 20; i++) { // many in one second
        uint64_t epoch = next_life();
        assert_true(epoch > last);
        last = epoch;
    }
}

static void a_clock_that_was_set_back_does_not_matter(void **state)
{
    (void)state;
    uint64_t ahead = now() + 100000;
    write_life(ahead);
    assert_int_equal(next_life(), ahead + 1);
    assert_int_equal(next_life(), ahead + 2);
}

static void after_a_pause_it_is_the_time_again(void **state)
{
    (void)state;
    uint64_t earliest = now();
    write_life(1000);
    expect_now(earliest, next_life());
}

static void a_file_that_is_none_of_ours_counts_as_lost(void **state)
{
    (void)state;
    const char *const contents[] = {"", "garbage\n", "-1\n", "18446744073709551615\n",
                                    "99999999999999999999999\n"};
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        uint64_t earliest = now();
        write_record(contents[i]);
        expect_now(earliest, next_life());
    }
}

static void where_nothing_can_be_written_it_says_so(void **state)
{
    (void)state;
    char nowhere[96];
    uint64_t epoch = 77;
    (void)snprintf(nowhere, sizeof nowhere, "%s/none/consumer.life", folder);
    assert_int_equal(epoch_next(nowhere, &epoch, error), EX_IOERR);
    assert_int_equal(epoch, 77);
    char expected[MM_ERROR_MAX];
    (void)snprintf(expected, sizeof expected,
                   "cannot write %s: No such file or directory; make room there, or choose "
                   "another --dir",
                   nowhere);
    assert_string_equal(error, expected);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static char long_path[5000];
    memset(long_path, 'x', sizeof long_path - 1);
    uint64_t epoch = 77;
    assert_int_equal(epoch_next(long_path, &epoch, error), EX_IOERR);
    assert_int_equal(epoch, 77);
    assert_non_null(strstr(error, "File name too long"));
}

// In a child, since the limit on file sizes is for the whole process.
static int draw_on_a_full_disk(void)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    struct rlimit none = {0, 0};
    uint64_t epoch = 77;
    if (setrlimit(RLIMIT_FSIZE, &none) != 0)
        return 1;
    return epoch_next(path, &epoch, error) == EX_IOERR && epoch == 77 ? 0 : 2;
}

static void a_full_disk_leaves_the_record_as_it_was(void **state)
{
    (void)state;
    uint64_t ahead = now() + 100000;
    write_life(ahead);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(draw_on_a_full_disk());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(next_life(), ahead + 1);
}

static void numbers_of_two_lives_never_meet(void **state)
{
    (void)state;
    uint64_t epoch = next_life();
    assert_true(epoch_first_number(epoch + 1) - epoch_first_number(epoch) == UINT64_C(1) << 32);
    assert_true(epoch_first_number(UINT32_MAX) > epoch_first_number(epoch)); // does not overflow
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_life_is_the_time),
        TEST(lives_grow_although_the_clock_does_not),
        TEST(a_clock_that_was_set_back_does_not_matter),
        TEST(after_a_pause_it_is_the_time_again),
        TEST(a_file_that_is_none_of_ours_counts_as_lost),
        TEST(where_nothing_can_be_written_it_says_so),
        TEST(a_path_that_is_too_long_is_refused),
        TEST(a_full_disk_leaves_the_record_as_it_was),
        TEST(numbers_of_two_lives_never_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
