// Which run a start of the publisher belongs to, against a real outbox.

#include "job.h"
#include "run.h"
#include "temp_folder.h"
#include "uuid.h"

#include <sysexits.h>

static char error[SOURCE_ERROR_MAX];
static outbox_db_t *db;
static mm_options_t options;
static const mm_id_t job = {{7}};
static uint64_t token; // of the job
static run_t run;

static int open_db(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX], problem[MM_ERROR_MAX];
    make_temp_folder();
    temp_path(path, "outbox.db");
    assert_int_equal(outbox_db_open(path, false, &db, problem), 0);
    options = (mm_options_t){.dir = folder,
                             .input = "",
                             .run_driver = "mock",
                             .driver_name = "",
                             .rate = MM_RATE_MAX,
                             .jobs = 1};
    return 0;
}

static int close_and_remove(void **state)
{
    run_close(&run);
    outbox_db_close(&db);
    return remove_temp_folder(state);
}

static int64_t start(int64_t begun)
{
    run_close(&run);
    assert_int_equal(run_open(&options, 7, begun, db, &run, error), 0);
    return run.number;
}

// Takes one host from the source; it is the last one if that is said.
static void accept_one(bool done)
{
    source_item_t item;
    assert_int_equal(source_next(run.source, 0, &item), SOURCE_ITEM);
    token = outbox_db_put(db, run.number, &job, item.host, (mm_str_t){0});
    source_progress_t progress;
    source_progress(run.source, &progress);
    progress.done = done;
    outbox_db_set_progress(db, run.number, &progress);
    assert_int_equal(outbox_db_commit(db, 6000), OUTBOX_DB_OK);
}

static void settle_it(void)
{
    outbox_row_t row = {.run = run.number, .token = token};
    outbox_db_settle(db, &row, MM_OUTCOME_RESTARTED, 1);
    assert_int_equal(outbox_db_commit(db, 7000), OUTBOX_DB_OK);
}

static void an_unfinished_run_is_resumed(void **state)
{
    (void)state;
    int64_t number = start(0);
    assert_false(run.resumed);
    accept_one(true);
    assert_int_equal(start(0), number);
    assert_true(run.resumed);
    assert_int_equal(run.left_over, 0);
    source_item_t item;
    assert_int_equal(source_next(run.source, 0, &item), SOURCE_END);
}

static void a_finished_run_is_not(void **state)
{
    (void)state;
    int64_t number = start(0);
    accept_one(true);
    settle_it();
    assert_int_not_equal(start(0), number);
    assert_false(run.resumed);
}

// A publisher that is killed between its last commit and its end is started again by `mayhem run`.
static void a_finished_run_that_the_same_run_sh_has_begun_is_not_begun_again(void **state)
{
    (void)state;
    int64_t number = start(0);
    accept_one(true);
    settle_it();
    assert_int_equal(start(number), number);
    assert_true(run.resumed);
    source_item_t item;
    assert_int_equal(source_next(run.source, 0, &item), SOURCE_END);
}

static void what_was_begun_with_another_driver_is_not_gone_on_with(void **state)
{
    (void)state;
    int64_t number = start(0);
    accept_one(true);
    settle_it();
    options.run_driver = "exec: reboot {host}";
    assert_int_not_equal(start(number), number);
    assert_int_not_equal(start(4711), number);
}

// What the source has left.
static void gives(const char *expected)
{
    char text[256] = "";
    source_item_t item;
    while (source_next(run.source, 0, &item) == SOURCE_ITEM)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s ",
                       (int)item.host.size, item.host.data);
    assert_string_equal(text, expected);
}

static void write_list(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void write_hosts(const char *text)
{
    static char path[TEMP_PATH_MAX];
    temp_path(path, "hosts");
    write_list(path, text);
    options.input = path;
    options.jobs = 0;
}

// The list is read once: the copy in the folder counts.
static void a_list_that_changes_under_the_same_run_sh_is_not_read_again(void **state)
{
    (void)state;
    write_hosts("web-1\nweb-2\n");
    int64_t number = start(0);
    accept_one(false);
    write_hosts("web-1\nweb-7\n");
    assert_int_equal(start(number), number);
    gives("web-2 ");
}

static void a_demo_that_has_ended_is_not_begun_again_by_the_same_run_sh(void **state)
{
    (void)state;
    options.jobs = 0;
    int64_t number = start(0);
    accept_one(true);
    assert_int_equal(start(number), number);
    assert_int_equal(run.left_over, 0);
    source_item_t item;
    assert_int_equal(source_next(run.source, 0, &item), SOURCE_END);
    assert_int_not_equal(start(0), number); // the next one finishes what is left along the way
    assert_int_equal(run.left_over, 1);
}

static void jobs_left_under_another_driver_are_refused(void **state)
{
    (void)state;
    (void)start(0);
    accept_one(true);
    run_close(&run);
    options.run_driver = "exec: reboot {host}";
    assert_int_equal(run_open(&options, 7, 0, db, &run, error), EX_CONFIG);
    assert_non_null(strstr(error, "\"mock\""));
    assert_non_null(strstr(error, "\"exec: reboot {host}\""));
    assert_null(run.source);
}

static void the_mark_is_read_back(void **state)
{
    (void)state;
    assert_int_equal(run_marked(folder), 0);
    (void)start(0);
    run_mark(&run, folder);
    assert_int_equal(run_marked(folder), run.number);
    char path[TEMP_PATH_MAX];
    temp_path(path, "publisher.run");
    FILE *file = fopen(path, "we"); // killed while it wrote
    assert_non_null(file);
    fclose(file);
    assert_int_equal(run_marked(folder), 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, open_db, close_and_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_unfinished_run_is_resumed),
        TEST(a_finished_run_is_not),
        TEST(a_finished_run_that_the_same_run_sh_has_begun_is_not_begun_again),
        TEST(what_was_begun_with_another_driver_is_not_gone_on_with),
        TEST(a_list_that_changes_under_the_same_run_sh_is_not_read_again),
        TEST(a_demo_that_has_ended_is_not_begun_again_by_the_same_run_sh),
        TEST(jobs_left_under_another_driver_are_refused),
        TEST(the_mark_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
