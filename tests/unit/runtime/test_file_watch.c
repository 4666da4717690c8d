// Whether a path still names its file: what the kernel reports, and what only a look finds.

#include "file_watch.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "temp_folder.h"

static char path[TEMP_PATH_MAX], other[TEMP_PATH_MAX];
static mm_file_watch_t *watch;

static void make_file(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
}

// The file is sub/file, so that its folder can be moved.
static int begin(void **state)
{
    (void)state;
    char sub[TEMP_PATH_MAX];
    make_temp_folder();
    temp_path(sub, "sub");
    assert_int_equal(mkdir(sub, 0700), 0);
    temp_path(path, "sub/file");
    temp_path(other, "other");
    make_file(path);
    watch = mm_file_watch_new();
    assert_true(mm_file_watch_add(watch, path));
    return 0;
}

static int end(void **state)
{
    mm_file_watch_delete(&watch);
    return remove_temp_folder(state);
}

static void a_file_that_is_used_is_no_news(void **state)
{
    (void)state;
    int fd = open(path, O_RDWR);
    assert_int_equal(write(fd, "text", 4), 4);
    assert_int_equal(fdatasync(fd), 0);
    assert_int_equal(ftruncate(fd, 1), 0);
    (void)close(fd);
    assert_false(mm_file_watch_has_news(watch));
    assert_null(mm_file_watch_lost(watch));
}

// Once: the caller looks then.
static void assert_is_news(bool is_lost)
{
    assert_true(mm_file_watch_has_news(watch));
    assert_false(mm_file_watch_has_news(watch));
    if (is_lost)
        assert_string_equal(mm_file_watch_lost(watch), path);
    else
        assert_null(mm_file_watch_lost(watch));
}

static void a_removed_file_is_news_though_it_is_open(void **state)
{
    (void)state;
    int fd = open(path, O_RDWR);
    assert_int_equal(unlink(path), 0);
    assert_is_news(true);
    (void)close(fd);
}

static void a_moved_file_is_news(void **state)
{
    (void)state;
    assert_int_equal(rename(path, other), 0);
    assert_is_news(true);
    assert_int_equal(rename(other, path), 0);
    assert_is_news(false);
}

static void a_replaced_file_is_news(void **state)
{
    (void)state;
    int fd = open(path, O_RDWR);
    make_file(other);
    assert_int_equal(rename(other, path), 0);
    assert_is_news(true);
    (void)close(fd);
}

static void a_new_mode_is_news_and_no_loss(void **state)
{
    (void)state;
    assert_int_equal(chmod(path, 0400), 0);
    assert_is_news(false);
}

static void a_moved_folder_is_found_by_a_look(void **state)
{
    (void)state;
    char sub[TEMP_PATH_MAX];
    temp_path(sub, "sub");
    assert_int_equal(rename(sub, other), 0);
    assert_false(mm_file_watch_has_news(watch));
    assert_string_equal(mm_file_watch_lost(watch), path);
}

static void the_second_of_two_files_is_named(void **state)
{
    (void)state;
    make_file(other);
    assert_true(mm_file_watch_add(watch, other));
    assert_int_equal(unlink(other), 0);
    assert_true(mm_file_watch_has_news(watch));
    assert_string_equal(mm_file_watch_lost(watch), other);
}

static void a_file_that_is_not_there_cannot_be_watched(void **state)
{
    (void)state;
    assert_false(mm_file_watch_add(watch, other));
    assert_true(mm_file_watch_has_news(watch)); // no reports of it: look each time
    assert_null(mm_file_watch_lost(watch));
}

static void without_reports_each_call_is_a_reason_to_look(void **state)
{
    (void)state;
    struct rlimit limit, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    mm_file_watch_t *blind = mm_file_watch_new();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(mm_file_watch_add(blind, path));
    assert_true(mm_file_watch_has_news(blind));
    assert_true(mm_file_watch_has_news(blind));
    assert_null(mm_file_watch_lost(blind));
    mm_file_watch_delete(&blind);
}

#define WATCH_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCH_TEST(a_file_that_is_used_is_no_news),
        WATCH_TEST(a_removed_file_is_news_though_it_is_open),
        WATCH_TEST(a_moved_file_is_news),
        WATCH_TEST(a_replaced_file_is_news),
        WATCH_TEST(a_new_mode_is_news_and_no_loss),
        WATCH_TEST(a_moved_folder_is_found_by_a_look),
        WATCH_TEST(the_second_of_two_files_is_named),
        WATCH_TEST(a_file_that_is_not_there_cannot_be_watched),
        WATCH_TEST(without_reports_each_call_is_a_reason_to_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
