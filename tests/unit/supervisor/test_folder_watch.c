// Files that somebody takes away from a folder that is watched.

#include "folder_watch.h"
#include "loop_play.h"

#include <errno.h>
#include <unistd.h>

static folder_watch_t *watch;
static char watched[TEMP_PATH_MAX], elsewhere[TEMP_PATH_MAX];
static char told[256]; // the first ones: "a b (folder) "
static int note_count;

enum { FILES = 500 }; // more than a read takes

static void note(void *arg, const char *name)
{
    assert_ptr_equal(arg, told);
    size_t used = strlen(told);
    (void)snprintf(told + used, sizeof told - used, "%s ", name ? name : "(folder)");
    note_count++;
}

static void make_file(const char *name)
{
    char path[TEMP_PATH_MAX];
    temp_path(path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fclose(file);
}

static void take_away(const char *name)
{
    char path[TEMP_PATH_MAX];
    temp_path(path, name);
    assert_int_equal(remove(path), 0);
}

static int new_watch(void **state)
{
    make_loop(state);
    *told = '\0';
    note_count = 0;
    temp_path(watched, "run");
    temp_path(elsewhere, "elsewhere");
    if (mkdir(watched, 0700) != 0 || mkdir(elsewhere, 0700) != 0)
        return -1;
    make_file("run/run.pid");
    make_file("run/control");
    watch = folder_watch_new(loop, watched, note, told);
    return watch ? 0 : -1;
}

static int end_watch(void **state)
{
    folder_watch_destroy(&watch);
    folder_watch_destroy(&watch); // a second time: nothing happens
    return end_loop(state);
}

static bool something_is_told(void)
{
    return *told != '\0';
}

static bool the_folder_is_told(void)
{
    return strstr(told, "(folder)") != NULL;
}

static bool control_is_told(void)
{
    return strstr(told, "control") != NULL;
}

static void a_file_that_is_removed_is_told(void **state)
{
    (void)state;
    take_away("run/run.pid");
    play((step_fn *const[]){something_is_told, NULL});
    assert_string_equal(told, "run.pid ");
}

static void a_file_that_is_renamed_is_told_by_its_former_name(void **state)
{
    (void)state;
    char from[TEMP_PATH_MAX], to[TEMP_PATH_MAX];
    temp_path(from, "run/run.pid");
    temp_path(to, "run/run.pid.old");
    assert_int_equal(rename(from, to), 0);
    take_away("run/control");
    play((step_fn *const[]){control_is_told, NULL});
    assert_string_equal(told, "run.pid control ");
}

static void a_file_that_is_moved_away_is_told(void **state)
{
    (void)state;
    char from[TEMP_PATH_MAX], to[TEMP_PATH_MAX];
    temp_path(from, "run/run.pid");
    temp_path(to, "elsewhere/run.pid");
    assert_int_equal(rename(from, to), 0);
    play((step_fn *const[]){something_is_told, NULL});
    assert_string_equal(told, "run.pid ");
}

static void what_is_made_or_written_or_lies_deeper_is_not_told(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX];
    temp_path(path, "run/log");
    assert_int_equal(mkdir(path, 0700), 0);
    make_file("run/log/run.log");
    make_file("run/run.pid"); // emptied
    take_away("run/log/run.log");
    take_away("run/control"); // the last one: what comes before it would have been told by then
    play((step_fn *const[]){control_is_told, NULL});
    assert_string_equal(told, "control ");
}

static bool all_are_told(void)
{
    return note_count == FILES;
}

static void more_than_fit_into_one_read_are_all_told(void **state)
{
    (void)state;
    char name[32];
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(name, sizeof name, "run/%d", i);
        make_file(name);
        take_away(name);
    }
    play((step_fn *const[]){all_are_told, NULL});
}

static void a_folder_that_is_renamed_is_told(void **state)
{
    (void)state;
    char to[TEMP_PATH_MAX];
    temp_path(to, "other");
    assert_int_equal(rename(watched, to), 0);
    play((step_fn *const[]){the_folder_is_told, NULL});
    assert_string_equal(told, "(folder) ");
}

static void a_folder_that_is_removed_is_told_once(void **state)
{
    (void)state;
    take_away("run/run.pid");
    take_away("run/control");
    take_away("run");
    play((step_fn *const[]){the_folder_is_told, NULL});
    assert_string_equal(told, "run.pid control (folder) ");
}

static void a_folder_that_is_missing_cannot_be_watched(void **state)
{
    (void)state;
    errno = 0;
    assert_null(folder_watch_new(loop, "/nonexistent", note, told));
    assert_int_equal(errno, ENOENT);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_watch, end_watch)

int main(void)
{
    mm_loop_block_signals();
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_is_removed_is_told),
        TEST(a_file_that_is_renamed_is_told_by_its_former_name),
        TEST(a_file_that_is_moved_away_is_told),
        TEST(what_is_made_or_written_or_lies_deeper_is_not_told),
        TEST(more_than_fit_into_one_read_are_all_told),
        TEST(a_folder_that_is_renamed_is_told),
        TEST(a_folder_that_is_removed_is_told_once),
        TEST(a_folder_that_is_missing_cannot_be_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
