// See dead_list.h.

#include "dead_list.h"
#include "array.h"
#include "ctl.h"
#include "outbox_schema.h"
#include "record_schema.h"
#include "sqlite.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static int fail(const mm_sqlite_t *sqlite, char error[MM_ERROR_MAX])
{
    (void)ctl_error(error, "%s", mm_sqlite_error(sqlite));
    return EX_IOERR;
}

// ---- the outbox

static void take_run(sqlite3_stmt *row, dead_list_t *self)
{
    int64_t total = sqlite3_column_int64(row, OUTBOX_RUN_TOTAL);
    int64_t accepted = sqlite3_column_int64(row, OUTBOX_RUN_ACCEPTED);
    self->run = sqlite3_column_int64(row, OUTBOX_RUN_NUMBER);
    self->input = mm_sqlite_column_copy(row, OUTBOX_RUN_INPUT);
    self->driver = mm_sqlite_column_copy(row, OUTBOX_RUN_DRIVER);
    self->is_finished = sqlite3_column_type(row, OUTBOX_RUN_FINISHED_MS) != SQLITE_NULL;
    self->left = (total > accepted ? total : accepted) -
                 sqlite3_column_int64(row, OUTBOX_RUN_RESTARTED) -
                 sqlite3_column_int64(row, OUTBOX_RUN_DEAD) -
                 sqlite3_column_int64(row, OUTBOX_RUN_UNNEEDED) -
                 sqlite3_column_int64(row, OUTBOX_RUN_WITHDRAWN);
}

// Of the columns of OUTBOX_READ_DEAD.
static void take_host(sqlite3_stmt *row, dead_list_t *self)
{
    *MM_ARRAY_ADD(self->items, self->count, self->capacity) =
        (dead_host_t){.job = mm_sqlite_column_id(row, 0),
                      .host = mm_sqlite_column_copy(row, 1),
                      .error = mm_sqlite_column_copy(row, 3),
                      .attributes = mm_sqlite_column_copy(row, 4),
                      .attempts = -1};
}

// Gives each row of this SQL to `take`; number: of its parameter, 0: it has none.
static int read_rows(mm_sqlite_t *sqlite, const char *sql, int64_t number,
                     void (*take)(sqlite3_stmt *row, dead_list_t *self), dead_list_t *self,
                     char error[MM_ERROR_MAX])
{
    sqlite3_stmt *rows = NULL;
    bool has_row = true;
    int code = mm_sqlite_prepare(sqlite, sql, &rows, error);
    if (code != 0)
        return code;
    if (number != 0)
        (void)sqlite3_bind_int64(rows, 1, number);
    while (code == 0 && has_row) {
        if (mm_sqlite_row(sqlite, rows, &has_row) != MM_SQLITE_OK)
            code = fail(sqlite, error);
        else if (has_row)
            take(rows, self);
    }
    (void)sqlite3_finalize(rows);
    return code;
}

static int read_outbox(const char *dir, dead_list_t *self, char error[MM_ERROR_MAX])
{
    char path[PATH_MAX];
    mm_sqlite_t *outbox = NULL;
    (void)snprintf(path, sizeof path, "%s/outbox.db", dir);
    if (access(path, F_OK) != 0) {
        (void)ctl_error(error, "no run has begun in '%s'; name its folder with --dir", dir);
        return EX_NOINPUT;
    }
    mm_sqlite_config_t config = {.path = path, .version = OUTBOX_VERSION, .read_only = true};
    int code = mm_sqlite_open(&config, &outbox, error);
    if (code == 0)
        code = read_rows(outbox, OUTBOX_READ_RUN " ORDER BY run DESC LIMIT 1", 0, take_run, self,
                         error);
    if (code == 0 && self->run != 0)
        code = read_rows(outbox, OUTBOX_READ_DEAD " WHERE run = ?1 ORDER BY id", self->run,
                         take_host, self, error);
    mm_sqlite_close(&outbox);
    return code;
}

// ---- the record

static int read_settles(mm_sqlite_t *record, dead_list_t *self, char error[MM_ERROR_MAX])
{
    sqlite3_stmt *row = NULL;
    int code = mm_sqlite_prepare(record, "SELECT attempts, settled_ms FROM jobs WHERE id = ?1",
                                 &row, error);
    for (size_t i = 0; code == 0 && i < self->count; i++) {
        bool has_row = false;
        mm_sqlite_bind_id(row, 1, &self->items[i].job);
        if (mm_sqlite_row(record, row, &has_row) != MM_SQLITE_OK) {
            code = fail(record, error);
        } else if (has_row) {
            self->items[i].attempts = sqlite3_column_int64(row, 0);
            self->items[i].settled_ms = sqlite3_column_int64(row, 1);
            (void)sqlite3_reset(row);
        }
    }
    (void)sqlite3_finalize(row);
    return code;
}

static int read_record(const char *path, dead_list_t *self, char error[MM_ERROR_MAX])
{
    mm_sqlite_t *record = NULL;
    if (self->count == 0 || access(path, F_OK) != 0)
        return 0;
    mm_sqlite_config_t config = {
        .path = path, .version = RECORD_VERSION, .oldest = 1, .read_only = true};
    int code = mm_sqlite_open(&config, &record, error);
    if (code == 0)
        code = read_settles(record, self, error);
    mm_sqlite_close(&record);
    return code;
}

// ---- both

int dead_list_read(const char *dir, const char *record, dead_list_t *ret_list,
                   char error[MM_ERROR_MAX])
{
    dead_list_t self = {0};
    int code = read_outbox(dir, &self, error);
    if (code == 0)
        code = read_record(record, &self, error);
    if (code != 0)
        dead_list_clear(&self);
    else
        *ret_list = self;
    return code;
}

void dead_list_clear(dead_list_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->items[i].host);
        free(self->items[i].attributes);
        free(self->items[i].error);
    }
    free(self->items);
    free(self->input);
    free(self->driver);
    *self = (dead_list_t){0};
}
