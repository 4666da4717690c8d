// Tests of common/runtime/record_reader.h with a file. What differs with PostgreSQL is looked at by
// tests/e2e/e2e_readers.sh: each command over the same rows in both.

#include "record_reader.h"
#include "record_schema.h"
#include "temp_database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#define JOBS                                                                                       \
    "INSERT INTO jobs (id, host, instance, publisher, received_ms, settled_ms, outcome, attempts," \
    " deliveries, extended) VALUES (CAST(printf('job-%%012d', %d) AS BLOB), 'h', 'h', 'p', 1, %d," \
    " 'dead', %d, 1, 0)"

static int new_record(void **state)
{
    (void)state;
    make_database_folder("mayhem.db");
    execute(RECORD_SCHEMA);
    execute("PRAGMA user_version = 4");
    for (int i = 1; i <= 5; i++) {
        char sql[512];
        (void)snprintf(sql, sizeof sql, JOBS, i, 100 * i, i);
        execute(sql);
    }
    return 0;
}

static mm_id_t job(int number)
{
    mm_id_t id;
    char text[17];
    (void)snprintf(text, sizeof text, "job-%012d", number);
    memcpy(id.bytes, text, sizeof id.bytes);
    return id;
}

static mm_reader_t *open_record(void)
{
    mm_reader_t *record = NULL;
    char error[MM_ERROR_MAX] = "";
    mm_reader_config_t config = {.where = path, .version = RECORD_VERSION};
    assert_int_equal(mm_reader_open(&config, &record, error), 0);
    return record;
}

static mm_rows_t *rows_of(mm_reader_t *record, const char *sql)
{
    mm_rows_t *rows = NULL;
    char error[MM_ERROR_MAX] = "";
    assert_int_equal(mm_reader_rows(record, sql, &rows, error), 0);
    return rows;
}

// "3:3@300 5:5@500 "
static bool tell(void *arg, const mm_rows_t *row)
{
    char *told = arg;
    mm_id_t id = mm_rows_id(row, 0);
    size_t size = strlen(told);
    (void)snprintf(told + size, 256 - size, "%c:%d@%d ", id.bytes[15], (int)mm_rows_number(row, 1),
                   (int)mm_rows_number(row, 2));
    return true;
}

static const char *settles_of(mm_reader_t *record, const mm_id_t *ids, size_t count)
{
    static char told[256];
    char error[MM_ERROR_MAX] = "";
    mm_rows_t *rows = rows_of(record, RECORD_READ_SETTLES);
    *told = '\0';
    mm_rows_bind_ids(rows, 1, ids, count);
    assert_int_equal(mm_rows_each(&rows, tell, told, error), 0);
    assert_null(rows);
    return told;
}

static void ids_are_a_set_that_is_bound(void **state)
{
    mm_reader_t *record = open_record();
    const mm_id_t ids[] = {job(5), job(3), job(9), job(3)};
    (void)state;
    assert_string_equal(settles_of(record, ids, 4), "3:3@300 5:5@500 ");
    assert_string_equal(settles_of(record, ids, 1), "5:5@500 ");
    assert_string_equal(settles_of(record, ids, 0), "");
    mm_reader_close(&record);
}

static void what_is_quoted_is_no_parameter(void **state)
{
    mm_reader_t *record = open_record();
    mm_rows_t *rows = rows_of(record, "SELECT 'it''s ?1 @2', ?1, ?2 || '?3'");
    bool has_row;
    (void)state;
    mm_rows_bind_number(rows, 1, INT64_MIN);
    mm_rows_bind_text(rows, 2, mm_str("a"));
    mm_rows_bind_number(rows, 3, 7); // which it does not have
    assert_int_equal(mm_rows_next(rows, &has_row), 0);
    assert_true(has_row);
    assert_true(mm_str_equal(mm_rows_text(rows, 0), mm_str("it's ?1 @2")));
    assert_true(mm_rows_number(rows, 1) == INT64_MIN);
    assert_true(mm_str_equal(mm_rows_text(rows, 2), mm_str("a?3")));
    mm_reader_close(&record); // with a row that nobody has ended
    assert_null(record);
}

static void columns_have_the_types_of_their_values(void **state)
{
    mm_reader_t *record = open_record();
    mm_rows_t *rows = rows_of(record, "SELECT NULL, 1 = 1, 'x', x'0102', ?1");
    mm_id_t id = job(4), short_id = {{1, 2}}, found;
    bool has_row;
    (void)state;
    mm_rows_bind_id(rows, 1, &id);
    assert_int_equal(mm_rows_next(rows, &has_row), 0);
    const mm_column_type_t types[] = {MM_COLUMN_NULL, MM_COLUMN_NUMBER, MM_COLUMN_TEXT,
                                      MM_COLUMN_BYTES, MM_COLUMN_BYTES};
    for (int i = 0; i < 5; i++)
        assert_int_equal(mm_rows_type(rows, i), types[i]);
    assert_int_equal(mm_rows_text(rows, 0).size, 0);
    assert_int_equal(mm_rows_number(rows, 1), 1);
    found = mm_rows_id(rows, 3);
    assert_true(mm_id_equal(&found, &short_id));
    found = mm_rows_id(rows, 4);
    assert_true(mm_id_equal(&found, &id));
    mm_rows_end(&rows);
    mm_reader_close(&record);
}

static void a_missing_file_is_an_error_or_nothing(void **state)
{
    mm_reader_t *record = NULL;
    char error[MM_ERROR_MAX] = "";
    mm_reader_config_t config = {.where = "/nonexistent/mayhem.db", .version = RECORD_VERSION};
    (void)state;
    assert_int_equal(mm_reader_open_if_there(&config, &record, error), 0);
    assert_null(record);
    assert_string_equal(error, "");
    assert_int_equal(mm_reader_open(&config, &record, error), EX_DATAERR);
    assert_string_not_equal(error, "");
}

static void a_uri_that_is_not_read_is_said(void **state)
{
    mm_reader_t *record = NULL;
    char error[MM_ERROR_MAX];
    mm_reader_config_t config = {.version = RECORD_VERSION};
    (void)state;
    config.where = "mysql://db/mayhem";
    assert_int_equal(mm_reader_open_if_there(&config, &record, error), EX_USAGE);
    assert_non_null(strstr(error, "mysql://"));
    config.where = "postgresql://m:hunter2@127.0.0.1:1/mayhem";
    assert_int_equal(mm_reader_open_if_there(&config, &record, error), EX_USAGE);
    assert_null(strstr(error, "hunter2"));
    assert_non_null(strstr(error, "~/.pgpass"));
    config.where =
        "postgresql://127.0.0.1:1/mayhem"; // nobody listens, or it is built without libpq
    assert_int_equal(mm_reader_open_if_there(&config, &record, error), EX_UNAVAILABLE);
    assert_null(record);
    assert_string_not_equal(error, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ids_are_a_set_that_is_bound, new_record),
        cmocka_unit_test_setup(what_is_quoted_is_no_parameter, new_record),
        cmocka_unit_test_setup(columns_have_the_types_of_their_values, new_record),
        cmocka_unit_test(a_missing_file_is_an_error_or_nothing),
        cmocka_unit_test(a_uri_that_is_not_read_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
