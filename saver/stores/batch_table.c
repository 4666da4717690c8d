// See batch_table.h.

#include "batch_table.h"

#include <assert.h>

typedef enum {
    COLUMN_ID,
    COLUMN_HOST,
    COLUMN_RECEIVED_MS,
    COLUMN_TOOK_MS,
    COLUMN_FACTS,
    COLUMN_ERROR
} column_t;

static batch_table_t *table_of(const sqlite3_vtab_cursor *cursor)
{
    return (batch_table_t *)(void *)cursor->pVtab;
}

static int connect_table(sqlite3 *db, void *context, int count, const char *const *arguments,
                         sqlite3_vtab **ret_table, char **ret_error)
{
    (void)count, (void)arguments, (void)ret_error;
    batch_table_t *self = context;
    *ret_table = &self->table;
    return sqlite3_declare_vtab(db, "CREATE TABLE batch (" BATCH_TABLE_COLUMNS ")");
}

// Nothing is looked for: a statement takes all rows, in order.
static int plan(sqlite3_vtab *table, sqlite3_index_info *index)
{
    (void)table;
    index->estimatedCost = (double)index->estimatedRows;
    return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *table)
{
    (void)table; // the owner's
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **ret_cursor)
{
    *ret_cursor = &((batch_table_t *)(void *)table)->cursor;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
    (void)cursor;
    return SQLITE_OK;
}

static void skip(batch_table_t *self)
{
    while (self->at < self->row_count && self->rows[self->at].facts == 0)
        self->at++;
}

static int begin(sqlite3_vtab_cursor *cursor, int index, const char *name, int count,
                 sqlite3_value **values)
{
    (void)index, (void)name, (void)count, (void)values;
    batch_table_t *self = table_of(cursor);
    self->at = 0;
    skip(self);
    return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *cursor)
{
    batch_table_t *self = table_of(cursor);
    self->at++;
    skip(self);
    return SQLITE_OK;
}

static int has_ended(sqlite3_vtab_cursor *cursor)
{
    const batch_table_t *self = table_of(cursor);
    return self->at == self->row_count;
}

static void set_text(sqlite3_context *result, mm_str_t text)
{
    sqlite3_result_text(result, text.size > 0 ? text.data : "", (int)text.size, SQLITE_STATIC);
}

// A column for which there is no result is NULL.
static int read_column(sqlite3_vtab_cursor *cursor, sqlite3_context *result, int column)
{
    const batch_table_t *self = table_of(cursor);
    const batch_row_t *row = &self->rows[self->at];
    const mm_task_t *task = batch_row_task(row);
    switch ((column_t)column) {
    case COLUMN_ID:
        sqlite3_result_blob(result, task->id.bytes, (int)sizeof task->id.bytes, SQLITE_STATIC);
        break;
    case COLUMN_HOST: set_text(result, task->host); break;
    case COLUMN_RECEIVED_MS: sqlite3_result_int64(result, row->received_ms); break;
    case COLUMN_TOOK_MS:
        if (row->settle != NULL)
            sqlite3_result_int64(result, self->now_ms - row->received_ms);
        break;
    case COLUMN_FACTS: sqlite3_result_int64(result, row->facts); break;
    case COLUMN_ERROR:
        if (row->settle != NULL && task->error.size > 0)
            set_text(result, task->error);
        break;
    }
    return SQLITE_OK;
}

static int read_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *ret_rowid)
{
    *ret_rowid = (sqlite3_int64)table_of(cursor)->at;
    return SQLITE_OK;
}

void batch_table_add(batch_table_t *self, mm_sqlite_t *sqlite)
{
    static const sqlite3_module module = {.xConnect = connect_table,
                                          .xBestIndex = plan,
                                          .xDisconnect = disconnect_table,
                                          .xOpen = open_cursor,
                                          .xClose = close_cursor,
                                          .xFilter = begin,
                                          .xNext = next,
                                          .xEof = has_ended,
                                          .xColumn = read_column,
                                          .xRowid = read_rowid};
    int code = sqlite3_create_module(mm_sqlite_handle(sqlite), "batch", &module, self);
    assert(code == SQLITE_OK);
}
