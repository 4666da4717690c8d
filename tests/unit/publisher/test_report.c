// The summary of a run: what --report prints is read back with a JSON parser, and dead.txt with the
// source that takes it as input.

#include "clock.h"
#include "histogram.h"
#include "job.h"
#include "report.h"
#include "temp_folder.h"
#include "uuid.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

static char path[TEMP_PATH_MAX];
static char dead_path[TEMP_PATH_MAX];
static char output_path[TEMP_PATH_MAX];
static outbox_db_t *db;
static int64_t run_number;
static unsigned next_job;
static const char *attributes; // of the next jobs

static int make_folder(void **state)
{
    (void)state;
    make_temp_folder();
    temp_path(path, "outbox.db");
    temp_path(dead_path, "dead.txt");
    temp_path(output_path, "output");
    next_job = 0;
    attributes = "";
    return 0;
}

static int close_and_remove(void **state)
{
    outbox_db_close(&db);
    return remove_temp_folder(state);
}

// ---- a run

static void open_db(void)
{
    char error[MM_ERROR_MAX];
    assert_int_equal(outbox_db_open(path, false, &db, error), 0);
}

static void begin_run(const char *input, uint64_t total)
{
    char name[128], driver[] = "ssh \"{host}\"";
    if (!db)
        open_db();
    (void)snprintf(name, sizeof name, "%s", input);
    outbox_run_t run = {.input = name,
                        .driver = driver,
                        .started_ms = mm_clock_wall_ms() - 2000,
                        .progress = {.total = total, .repeated = 3, .skipped = 4}};
    assert_int_equal(outbox_db_begin_run(db, &run, &run_number), OUTBOX_DB_OK);
}

// A job that was accepted and, unless the outcome is none, settled after three attempts.
static void job(mm_outcome_t outcome, const char *error)
{
    char host[32];
    unsigned number = ++next_job;
    mm_id_t id = {
        .bytes = {
            [13] = (uint8_t)(number >> 16), [14] = (uint8_t)(number >> 8), [15] = (uint8_t)number}};
    (void)snprintf(host, sizeof host, "host-%u", number);
    outbox_row_t row = {.id = id,
                        .host = mm_str(host),
                        .attributes = mm_str(attributes),
                        .run = run_number,
                        .error = mm_str(error)};
    row.token = outbox_db_put(db, run_number, &row.id, row.host, row.attributes);
    if (outcome != MM_OUTCOME_NONE)
        outbox_db_settle(db, &row, outcome, 3);
}

static void jobs(unsigned count, mm_outcome_t outcome, const char *error)
{
    for (unsigned i = 0; i < count; i++)
        job(outcome, error);
}

// Its source has ended, or not, and all of this is on record.
static void commit(bool done)
{
    source_progress_t progress = {.total = 20, .repeated = 3, .skipped = 4, .done = done};
    outbox_run_t run = {0};
    bool found;
    assert_int_equal(outbox_db_run(db, run_number, &run, &found), OUTBOX_DB_OK);
    progress.total = run.progress.total;
    outbox_run_clear(&run);
    outbox_db_set_progress(db, run_number, &progress);
    assert_int_equal(outbox_db_commit(db, mm_clock_wall_ms()), OUTBOX_DB_OK);
}

static void set_times(void)
{
    mm_histogram_t times = {0};
    uint8_t blob[MM_HISTOGRAM_BLOB_MAX];
    for (int64_t i = 1; i <= 100; i++)
        mm_histogram_record(&times, 1000 * i); // 1 to 100 ms
    outbox_db_set_times(db, run_number, blob, mm_histogram_encode(&times, blob));
}

// ---- what is printed

// Prints the report into a file; returns its exit code.
static int print_report(mm_report_format_t format)
{
    mm_options_t options = {.dir = folder, .id = "publisher", .report = format};
    int output = open(output_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(output >= 0);
    (void)fflush(stdout);
    int former = dup(STDOUT_FILENO);
    assert_true(dup2(output, STDOUT_FILENO) >= 0);
    int exit_code = report_print(&options);
    (void)fflush(stdout);
    assert_true(dup2(former, STDOUT_FILENO) >= 0);
    close(former);
    close(output);
    return exit_code;
}

static json_t *json_report(int expected_exit)
{
    assert_int_equal(print_report(MM_REPORT_JSON), expected_exit);
    json_error_t error;
    json_t *report = json_load_file(output_path, JSON_REJECT_DUPLICATES, &error);
    if (!report)
        print_message("column %d: %s\n", error.column, error.text);
    assert_non_null(report);
    return report;
}

static void has_number(const json_t *report, const char *key, json_int_t expected)
{
    const json_t *value = json_object_get(report, key);
    assert_true(json_is_integer(value));
    assert_int_equal(json_integer_value(value), expected);
}

static void has_text(const json_t *report, const char *key, const char *expected)
{
    const json_t *value = json_object_get(report, key);
    assert_true(json_is_string(value));
    assert_string_equal(json_string_value(value), expected);
}

static void the_json_report_tells_all_of_a_run(void **state)
{
    (void)state;
    begin_run("/srv/hosts.txt", 20);
    jobs(5, MM_OUTCOME_RESTARTED, "");
    jobs(12, MM_OUTCOME_DEAD, "no \"route\"\\\n\ttwo lines \x01 \xC3\xA4");
    jobs(2, MM_OUTCOME_SKIPPED, "");
    jobs(1, MM_OUTCOME_NONE, "");
    set_times();
    commit(false);
    json_t *report = json_report(EX_TEMPFAIL);
    has_text(report, "input", "/srv/hosts.txt");
    has_text(report, "driver", "ssh \"{host}\"");
    has_number(report, "total", 20);
    has_number(report, "restarted", 5);
    has_number(report, "dead", 12);
    has_number(report, "hosts_skipped", 2);
    has_number(report, "pending", 1);
    has_number(report, "attempts", 57);
    has_number(report, "repeated", 3);
    has_number(report, "skipped", 4);
    assert_true(json_is_false(json_object_get(report, "finished")));
    assert_true(json_real_value(json_object_get(report, "seconds")) >= 2);
    assert_true(json_real_value(json_object_get(report, "rate")) > 0);
    const json_t *times = json_object_get(report, "job_time_ms");
    double p50 = json_real_value(json_object_get(times, "p50"));
    double p99 = json_real_value(json_object_get(times, "p99"));
    assert_true(p50 >= 50 && p50 < 52 && p99 >= 99 && p99 < 103);
    assert_true(json_real_value(json_object_get(times, "max")) == 100);
    const json_t *dead = json_object_get(report, "dead_hosts");
    assert_int_equal(json_array_size(dead), 10); // the first ten
    has_text(json_array_get(dead, 0), "host", "host-6");
    has_text(json_array_get(dead, 9), "host", "host-15");
    has_text(json_array_get(dead, 0), "error", "no \"route\"\\\n\ttwo lines \x01 \xC3\xA4");
    json_decref(report);
}

static void the_exit_code_says_how_it_went(void **state)
{
    (void)state;
    begin_run("hosts.txt", 2);
    job(MM_OUTCOME_RESTARTED, "");
    job(MM_OUTCOME_NONE, "");
    commit(true);
    json_decref(json_report(EX_TEMPFAIL)); // one is pending
    begin_run("hosts.txt", 0);
    job(MM_OUTCOME_RESTARTED, "");
    commit(false);
    json_decref(json_report(EX_TEMPFAIL)); // nobody knows how many there will be
    commit(true);
    json_t *report = json_report(0);
    assert_true(json_is_true(json_object_get(report, "finished")));
    has_number(report, "total", 1);
    json_decref(report);
    begin_run("hosts.txt", 1);
    job(MM_OUTCOME_DEAD, "no route");
    commit(true);
    json_decref(json_report(1));
    begin_run("hosts.txt", 1);
    job(MM_OUTCOME_SKIPPED, "");
    commit(true);
    report = json_report(0);
    assert_true(json_is_true(json_object_get(report, "finished")));
    has_number(report, "restarted", 0);
    json_decref(report);
}

static void a_run_that_has_only_begun_can_be_told(void **state)
{
    (void)state;
    begin_run("hosts.txt", 0);
    json_t *report = json_report(EX_TEMPFAIL);
    has_number(report, "total", 0);
    assert_int_equal(json_array_size(json_object_get(report, "dead_hosts")), 0);
    json_decref(report);
}

// A path may hold any bytes.
static void a_name_that_is_no_utf8_is_mended(void **state)
{
    (void)state;
    begin_run("/srv/caf\xE9\xFF/\xC3\xA4.txt\xC3", 0);
    json_t *report = json_report(EX_TEMPFAIL);
    has_text(report, "input",
             "/srv/caf\xEF\xBF\xBD\xEF\xBF\xBD/\xC3\xA4.txt\xEF\xBF\xBD"); // U+FFFD for each
    json_decref(report);
}

static void the_text_report_tells_the_same(void **state)
{
    (void)state;
    begin_run("hosts.txt", 20);
    jobs(5, MM_OUTCOME_RESTARTED, "");
    jobs(12, MM_OUTCOME_DEAD, "no\nroute\x1B");
    jobs(1, MM_OUTCOME_SKIPPED, "");
    commit(true);
    assert_int_equal(print_report(MM_REPORT_TEXT), EX_TEMPFAIL);
    char text[4096] = "";
    FILE *file = fopen(output_path, "re");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    (void)fclose(file);
    assert_non_null(
        strstr(text, "hosts      20 in all: 5 restarted, 12 dead, 2 pending, 1 skipped\n"));
    assert_non_null(strstr(text, "input had  3 repeated hosts, 4 bad lines skipped\n"));
    assert_non_null(strstr(text, "attempts   54\n"));
    assert_non_null(strstr(text, "dead       host-6: no route \n           host-7: no route \n"));
    assert_non_null(strstr(text, "           and 2 more\n"));
    assert_non_null(strstr(text, "/dead.txt, a valid -i file\n"));
    assert_null(strstr(text, "host-16"));
}

// Says something on standard error, which is not shown here.
static int fails(mm_report_format_t format)
{
    int former = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_true(dup2(nowhere, STDERR_FILENO) >= 0);
    int exit_code = print_report(format);
    (void)fflush(stderr);
    assert_true(dup2(former, STDERR_FILENO) >= 0);
    close(former);
    close(nowhere);
    struct stat status;
    assert_int_equal(stat(output_path, &status), 0);
    assert_int_equal(status.st_size, 0);
    return exit_code;
}

static void without_a_run_there_is_nothing_to_tell(void **state)
{
    (void)state;
    assert_int_equal(fails(MM_REPORT_JSON), EX_DATAERR);
    open_db();
    assert_int_equal(fails(MM_REPORT_JSON), EX_DATAERR);
}

// ---- dead.txt

// Reads dead.txt as an input that may have no bad line; the hosts are host-FIRST to host-LAST.
static void dead_txt_gives(unsigned first, unsigned last)
{
    source_t *source = NULL;
    char error[SOURCE_ERROR_MAX] = "";
    source_file_config_t config = {.path = dead_path};
    int exit_code = source_file_open(&config, &source, error);
    assert_string_equal(error, "");
    assert_int_equal(exit_code, 0);
    source_item_t item;
    for (unsigned i = first; i <= last; i++) {
        char host[32];
        (void)snprintf(host, sizeof host, "host-%u", i);
        assert_int_equal(source_next(source, 0, &item), SOURCE_ITEM);
        assert_true(mm_str_equal(item.host, mm_str(host)));
    }
    assert_int_equal(source_next(source, 0, &item), SOURCE_END);
    source_destroy(&source);
}

static void write_dead(void)
{
    assert_true(report_write_dead(db, run_number, folder));
}

static void dead_txt_is_a_valid_input(void **state)
{
    (void)state;
    begin_run("hosts.txt", 0);
    job(MM_OUTCOME_RESTARTED, "");
    jobs(2500, MM_OUTCOME_DEAD, "no route"); // more than a page
    commit(true);
    write_dead();
    dead_txt_gives(2, 2501);
}

static void an_error_never_becomes_a_host(void **state)
{
    (void)state;
    begin_run("hosts.txt", 0);
    const char *const errors[] = {"exit status 1\nweb-9", "a\r\nweb-9\r", "# \n#\nweb-9", "", "\n",
                                  "\xC3\xA4 \x01 -rf"};
    for (size_t i = 0; i < 6; i++)
        job(MM_OUTCOME_DEAD, errors[i]);
    commit(true);
    write_dead();
    dead_txt_gives(1, 6);
}

// Else a retry would ask another machine that has the host's name.
static void what_commands_name_of_a_dead_host_is_kept(void **state)
{
    (void)state;
    begin_run("hosts.txt", 0);
    attributes = "address=10.0.0.1 bmc=fe80::1,a=b";
    job(MM_OUTCOME_DEAD, "no route");
    attributes = "";
    job(MM_OUTCOME_DEAD, "no route");
    commit(true);
    write_dead();
    source_t *source = NULL;
    char error[SOURCE_ERROR_MAX] = "";
    source_file_config_t config = {.path = dead_path};
    assert_true(mm_attribute_keys_parse(mm_str("address?,bmc?,port?"), &config.wanted));
    assert_int_equal(source_file_open(&config, &source, error), 0);
    source_item_t item;
    assert_int_equal(source_next(source, 0, &item), SOURCE_ITEM);
    assert_true(mm_str_equal(item.host, mm_str("host-1")));
    assert_true(mm_str_equal(item.attributes, mm_str("address=10.0.0.1 bmc=fe80::1,a=b")));
    assert_int_equal(source_next(source, 0, &item), SOURCE_ITEM);
    assert_true(mm_str_equal(item.host, mm_str("host-2")));
    assert_int_equal(item.attributes.size, 0);
    source_destroy(&source);
}

// As `mayhem run` has it written when the publisher was killed.
static void the_report_writes_it_afterwards(void **state)
{
    (void)state;
    begin_run(dead_path, 3);
    jobs(2, MM_OUTCOME_DEAD, "no route");
    commit(true);
    assert_int_equal(print_report(MM_REPORT_DEAD), 0);
    dead_txt_gives(1, 2);
    jobs(1, MM_OUTCOME_DEAD, "no route");
    job(MM_OUTCOME_NONE, "");
    commit(true);
    assert_int_equal(print_report(MM_REPORT_DEAD), 0); // not over the input of what is left
    dead_txt_gives(1, 2);
    begin_run("hosts.txt", 0);
    job(MM_OUTCOME_DEAD, "no route");
    commit(true);
    assert_int_equal(unlink(dead_path), 0);
    assert_int_equal(mkdir(dead_path, 0700), 0);
    assert_int_equal(fails(MM_REPORT_DEAD), EX_IOERR);
    assert_int_equal(rmdir(dead_path), 0);
}

static void each_run_has_its_own_dead(void **state)
{
    (void)state;
    begin_run("hosts.txt", 0);
    jobs(3, MM_OUTCOME_DEAD, "no route");
    commit(true);
    write_dead();
    dead_txt_gives(1, 3);
    begin_run("hosts.txt", 0);
    jobs(2, MM_OUTCOME_DEAD, "no route");
    commit(true);
    write_dead();
    dead_txt_gives(4, 5);
}

static void without_dead_ones_there_is_no_file(void **state)
{
    (void)state;
    begin_run("hosts.txt", 0);
    job(MM_OUTCOME_DEAD, "no route");
    commit(true);
    write_dead();
    assert_int_equal(access(dead_path, F_OK), 0);
    begin_run("hosts.txt", 0);
    job(MM_OUTCOME_RESTARTED, "");
    commit(true);
    write_dead();
    assert_int_equal(access(dead_path, F_OK), -1);
    write_dead(); // nothing to remove
}

static void where_it_cannot_be_written_it_says_so(void **state)
{
    (void)state;
    begin_run("hosts.txt", 0);
    job(MM_OUTCOME_DEAD, "no route");
    commit(true);
    char nowhere[96];
    (void)snprintf(nowhere, sizeof nowhere, "%s/none", folder);
    errno = 0;
    assert_false(report_write_dead(db, run_number, nowhere));
    assert_int_equal(errno, ENOENT);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_folder, close_and_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_json_report_tells_all_of_a_run),
        TEST(the_exit_code_says_how_it_went),
        TEST(a_run_that_has_only_begun_can_be_told),
        TEST(a_name_that_is_no_utf8_is_mended),
        TEST(the_text_report_tells_the_same),
        TEST(without_a_run_there_is_nothing_to_tell),
        TEST(dead_txt_is_a_valid_input),
        TEST(an_error_never_becomes_a_host),
        TEST(what_commands_name_of_a_dead_host_is_kept),
        TEST(the_report_writes_it_afterwards),
        TEST(each_run_has_its_own_dead),
        TEST(without_dead_ones_there_is_no_file),
        TEST(where_it_cannot_be_written_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
