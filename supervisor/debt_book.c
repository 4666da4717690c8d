// See debt_book.h.

#include "debt_book.h"
#include "record_reader.h"
#include "record_schema.h"
#include "sqlite.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#ifdef MM_HAS_POSTGRESQL
#include "pg_link.h"
#endif

#define DEADLINE_MS 10000

// A job that was settled, with one attempt, which the restarter may pay for.
#define ADD_JOB                                                                                    \
    "INSERT INTO jobs (id, host, instance, publisher, received_ms, settled_ms, outcome, attempts," \
    " deliveries, extended) VALUES (?1, ?2, ?2, '-', 0, 0, 'restarted', 1, 1, 0)"
#define ADD_DEBT                                                                                   \
    "INSERT INTO attempts (job, attempt, machine_id, boot_before, state, command, first_boot_ms,"  \
    " deadline_boot_ms, owes, debt) VALUES (?1, ?2, ?3, ?4, 'ended', 0, 0, 0, 2, ?5)"
#define READ_PAID "SELECT job, attempt FROM attempts WHERE owes = 0"

static char *path_of(const char *dir)
{
    char *path = NULL;
    int size = asprintf(&path, "%s/debts.db", dir);
    assert(size >= 0);
    return path;
}

// ---- what was paid

typedef struct {
    FILE *sql;
    size_t count;
} paid_t;

static bool add_paid(void *arg, const mm_rows_t *row)
{
    paid_t *self = arg;
    char id[MM_ID_TEXT];
    mm_id_t job = mm_rows_id(row, 0);
    (void)fprintf(self->sql, "%s('%s'::uuid, %lld)", self->count++ > 0 ? ", " : "",
                  mm_id_print(&job, id), (long long)mm_rows_number(row, 1));
    return true;
}

// The statement that puts it on record; NULL in *ret_sql: nothing was paid.
static int read_paid(const char *path, char **ret_sql, char error[MM_ERROR_MAX])
{
    mm_reader_t *book = NULL;
    mm_rows_t *rows = NULL;
    char *sql = NULL;
    size_t size;
    mm_reader_config_t config = {.where = path, .version = RECORD_VERSION};
    *ret_sql = NULL;
    int code = mm_reader_open_if_there(&config, &book, error);
    if (code != 0 || !book)
        return code;
    paid_t paid = {open_memstream(&sql, &size), 0};
    assert(paid.sql);
    (void)fprintf(paid.sql, "UPDATE attempts SET owes = 0, debt = NULL WHERE owes > 0"
                            " AND (job, attempt) IN (");
    code = mm_reader_rows(book, READ_PAID, &rows, error);
    if (code == 0)
        code = mm_rows_each(&rows, add_paid, &paid, error);
    (void)fprintf(paid.sql, ")");
    (void)fclose(paid.sql);
    mm_reader_close(&book);
    if (code == 0 && paid.count > 0)
        *ret_sql = sql;
    else
        free(sql);
    return code;
}

#ifdef MM_HAS_POSTGRESQL
static int put_on_record(const char *uri, const char *sql, char error[MM_ERROR_MAX])
{
    mm_pg_link_t *link = NULL;
    mm_pg_config_t config = {.uri = uri, .name = "mayhem", .deadline_ms = DEADLINE_MS};
    int code = mm_pg_open(&config, &link, error);
    if (code != 0)
        return code;
    mm_pg_answer_t answer = mm_pg_run(link, sql);
    if (answer.outcome != MM_PG_DONE) {
        (void)snprintf(error, MM_ERROR_MAX, "%s", answer.error);
        code = EX_IOERR;
    }
    mm_pg_close(&link);
    return code;
}
#else
static int put_on_record(const char *uri, const char *sql, char error[MM_ERROR_MAX])
{
    (void)uri;
    (void)sql;
    (void)snprintf(error, MM_ERROR_MAX, "this mayhem was built without libpq");
    return EX_UNAVAILABLE;
}
#endif

static void remove_book(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    char name[4352];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, ends[i]);
        (void)unlink(name);
    }
}

int debt_book_close(const char *dir, const char *uri, char error[MM_ERROR_MAX])
{
    char *path = path_of(dir), *sql = NULL;
    int code = read_paid(path, &sql, error);
    if (code == 0 && sql)
        code = put_on_record(uri, sql, error);
    if (code == 0)
        remove_book(path);
    free(sql);
    free(path);
    return code;
}

// ---- what is owed

typedef struct {
    mm_sqlite_t *file;
    sqlite3_stmt *job, *debt;
    mm_sqlite_status_t status;
} book_t;

static bool add_debt(void *arg, const mm_rows_t *row)
{
    book_t *self = arg;
    mm_id_t id = mm_rows_id(row, DEBTS_JOB);
    if (mm_rows_number(row, DEBTS_IS_PAYABLE) == 0)
        return true;
    mm_sqlite_bind_id(self->job, 1, &id);
    mm_sqlite_bind_text(self->job, 2, mm_rows_text(row, DEBTS_HOST));
    self->status = mm_sqlite_run(self->file, self->job);
    mm_sqlite_bind_id(self->debt, 1, &id);
    (void)sqlite3_bind_int64(self->debt, 2, mm_rows_number(row, DEBTS_ATTEMPT));
    mm_sqlite_bind_text_or_null(self->debt, 3, mm_rows_text(row, DEBTS_MACHINE_ID));
    mm_sqlite_bind_text_or_null(self->debt, 4, mm_rows_text(row, DEBTS_BOOT_BEFORE));
    mm_sqlite_bind_text_or_null(self->debt, 5, mm_rows_text(row, DEBTS_ATTRIBUTES));
    if (self->status == MM_SQLITE_OK)
        self->status = mm_sqlite_run(self->file, self->debt);
    return self->status == MM_SQLITE_OK;
}

static int copy_debts(book_t *self, mm_rows_t *debts, char error[MM_ERROR_MAX])
{
    int code = mm_sqlite_prepare(self->file, ADD_JOB, &self->job, error);
    if (code == 0)
        code = mm_sqlite_prepare(self->file, ADD_DEBT, &self->debt, error);
    if (code != 0)
        return code;
    self->status = mm_sqlite_begin(self->file);
    if (self->status == MM_SQLITE_OK)
        code = mm_rows_each(&debts, add_debt, self, error);
    if (code == 0 && self->status == MM_SQLITE_OK)
        self->status = mm_sqlite_commit(self->file);
    if (code == 0 && self->status != MM_SQLITE_OK) {
        (void)snprintf(error, MM_ERROR_MAX, "%s", mm_sqlite_error(self->file));
        code = EX_IOERR;
    }
    return code;
}

int debt_book_open(const char *dir, const char *uri, char **ret_path, char error[MM_ERROR_MAX])
{
    char *path = path_of(dir);
    book_t self = {0};
    mm_reader_t *record = NULL;
    mm_rows_t *debts = NULL;
    mm_reader_config_t from = {.where = uri, .version = RECORD_VERSION};
    mm_sqlite_config_t to = {.path = path, .schema = RECORD_SCHEMA, .version = RECORD_VERSION};
    int code = debt_book_close(dir, uri, error);
    if (code == 0)
        code = mm_reader_open(&from, &record, error);
    if (code == 0)
        code = mm_reader_rows(record, RECORD_READ_DEBTS, &debts, error);
    if (code == 0)
        code = mm_sqlite_open(&to, &self.file, error);
    if (code == 0)
        code = copy_debts(&self, debts, error);
    mm_sqlite_close(&self.file);
    mm_reader_close(&record);
    if (code == 0)
        *ret_path = path;
    else
        free(path);
    return code;
}
