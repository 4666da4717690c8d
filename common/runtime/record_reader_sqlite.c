// The reader of record_reader.h for a file of SQLite. Ids are bound as one blob, which the
// statement takes apart.

#include "record_reader_ops.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#define IDS                                                                                        \
    "WITH RECURSIVE ids (place) AS (SELECT 1 UNION ALL SELECT place + 16 FROM ids"                 \
    " WHERE place + 16 < length(?#)) SELECT substr(?#, place, 16) FROM ids"

typedef struct {
    mm_reader_t base;
    mm_sqlite_t *sqlite;
} reader_t;

// ---- columns

static sqlite3_stmt *of(const mm_rows_t *rows)
{
    return ((const mm_sqlite_rows_t *)rows)->statement;
}

static mm_column_type_t type_of(const mm_rows_t *self, int column)
{
    switch (sqlite3_column_type(of(self), column)) {
    case SQLITE_NULL: return MM_COLUMN_NULL;
    case SQLITE_INTEGER: return MM_COLUMN_NUMBER;
    case SQLITE_TEXT: return MM_COLUMN_TEXT;
    }
    return MM_COLUMN_BYTES; // a REAL, too, which somebody has written by hand
}

static int64_t number_of(const mm_rows_t *self, int column)
{
    return sqlite3_column_int64(of(self), column);
}

static mm_str_t text_of(const mm_rows_t *self, int column)
{
    return mm_sqlite_column_text(of(self), column);
}

static mm_str_t bytes_of(const mm_rows_t *self, int column)
{
    const void *data = sqlite3_column_blob(of(self), column);
    return (mm_str_t){data ? data : "", (size_t)sqlite3_column_bytes(of(self), column)};
}

// ---- a statement

static void bind_number(mm_rows_t *self, int parameter, int64_t number)
{
    (void)sqlite3_bind_int64(of(self), parameter, number);
}

static void bind_text(mm_rows_t *self, int parameter, mm_str_t text)
{
    assert(text.size <= INT_MAX);
    (void)sqlite3_bind_text(of(self), parameter, text.data, (int)text.size, SQLITE_STATIC);
}

static void bind_ids(mm_rows_t *self, int parameter, const mm_id_t *ids, size_t count)
{
    static const mm_id_t none;
    assert(count <= INT_MAX / sizeof none.bytes);
    (void)sqlite3_bind_blob(of(self), parameter, count > 0 ? ids->bytes : none.bytes,
                            (int)(count * sizeof none.bytes), SQLITE_STATIC);
}

static void bind_id(mm_rows_t *self, int parameter, const mm_id_t *id)
{
    bind_ids(self, parameter, id, 1);
}

// Behind the last row the statement is reset: it would begin anew.
static int next(mm_rows_t *self, bool *ret_row)
{
    reader_t *reader = (reader_t *)self->reader;
    return mm_sqlite_row(reader->sqlite, of(self), ret_row) == MM_SQLITE_OK ? 0 : EX_IOERR;
}

static void end(mm_rows_t *self)
{
    (void)sqlite3_finalize(of(self));
    free(self);
}

static const mm_rows_ops_t rows_ops = {bind_number, bind_text, bind_id, bind_ids, next,
                                       type_of,     number_of, text_of, bytes_of, end};

mm_sqlite_rows_t mm_sqlite_rows_of(sqlite3_stmt *statement)
{
    return (mm_sqlite_rows_t){{&rows_ops, NULL, NULL}, statement};
}

// ---- the reader

static int rows(mm_reader_t *base, const char *sql, mm_rows_t **ret_rows, char error[MM_ERROR_MAX])
{
    reader_t *self = (reader_t *)base;
    sqlite3_stmt *statement;
    int count;
    char *text = mm_reader_sql(sql, "?#", IDS, &count);
    int code = mm_sqlite_prepare(self->sqlite, text, &statement, error);
    free(text);
    if (code != 0)
        return code;
    mm_sqlite_rows_t *new = malloc(sizeof *new);
    assert(new);
    *new = mm_sqlite_rows_of(statement);
    *ret_rows = &new->base;
    return 0;
}

static const char *error_of(const mm_reader_t *self)
{
    return mm_sqlite_error(((const reader_t *)self)->sqlite);
}

static void close_reader(mm_reader_t *base)
{
    reader_t *self = (reader_t *)base;
    mm_sqlite_close(&self->sqlite);
    free(self);
}

static const mm_reader_ops_t reader_ops = {rows, error_of, close_reader};

// The file was looked at when it was opened.
static int version_of(mm_sqlite_t *sqlite)
{
    sqlite3_stmt *row;
    int version = 0;
    if (sqlite3_prepare_v2(mm_sqlite_handle(sqlite), "PRAGMA user_version", -1, &row, NULL) ==
            SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW)
        version = sqlite3_column_int(row, 0);
    (void)sqlite3_finalize(row);
    return version;
}

int mm_reader_open_sqlite(const mm_reader_config_t *config, mm_reader_t **ret_self,
                          char error[MM_ERROR_MAX])
{
    mm_sqlite_t *sqlite = NULL;
    mm_sqlite_config_t file = {.path = config->where,
                               .version = config->version,
                               .oldest = config->oldest,
                               .read_only = true};
    int code = mm_sqlite_open(&file, &sqlite, error);
    if (code != 0)
        return code;
    reader_t *self = malloc(sizeof *self);
    assert(self);
    *self = (reader_t){{&reader_ops, NULL, version_of(sqlite)}, sqlite};
    *ret_self = &self->base;
    return 0;
}
