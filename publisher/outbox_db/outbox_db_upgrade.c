// See outbox_db_inside.h. Version 1 had a row for each job, in a table of the view's name: they are
// copied in order of their ids, chunk by chunk. Version 2 lacked a column, and so did 3; 4 had no
// kept lists, and 5 no keys of runs. All of it is one transaction: after a kill or on a full disk
// the file is what it was.

#include "outbox_db_inside.h"

#include <stdio.h>
#include <sysexits.h>

#include "outbox_schema.h"

typedef struct {
    mm_sqlite_t *sqlite;
    sqlite3_stmt *read;
    sqlite3_stmt *insert;
    int64_t run; // of the chunk that is being filled
    size_t count;
    outbox_bytes_t ids;
    outbox_bytes_t hosts;
} upgrade_t;

static mm_sqlite_status_t write_chunk(upgrade_t *self)
{
    if (self->count == 0)
        return MM_SQLITE_OK;
    outbox_end_texts(&self->hosts);
    (void)sqlite3_bind_int64(self->insert, 1, self->run);
    (void)sqlite3_bind_int64(self->insert, 2, (int64_t)self->count);
    (void)sqlite3_bind_blob(self->insert, 3, self->ids.data, (int)self->ids.count, SQLITE_STATIC);
    mm_sqlite_bind_text(self->insert, 4, (mm_str_t){self->hosts.data, self->hosts.count});
    self->count = self->ids.count = 0;
    mm_sqlite_status_t status = mm_sqlite_run(self->sqlite, self->insert);
    self->hosts.count = 0;
    return status;
}

static mm_sqlite_status_t copy_job(upgrade_t *self)
{
    mm_sqlite_status_t status = MM_SQLITE_OK;
    int64_t run = sqlite3_column_int64(self->read, 2);
    if (run != self->run || self->count == OUTBOX_CHUNK_MAX)
        status = write_chunk(self);
    self->run = run;
    mm_id_t id = mm_sqlite_column_id(self->read, 0);
    outbox_append(&self->ids, id.bytes, sizeof id.bytes);
    outbox_put_text(&self->hosts, mm_sqlite_column_text(self->read, 1), self->count == 0);
    self->count++;
    return status;
}

static mm_sqlite_status_t copy_jobs(upgrade_t *self)
{
    mm_sqlite_status_t status = MM_SQLITE_OK;
    for (bool has_row = true; status == MM_SQLITE_OK && has_row;) {
        status = mm_sqlite_row(self->sqlite, self->read, &has_row);
        if (status == MM_SQLITE_OK && has_row)
            status = copy_job(self);
    }
    return status == MM_SQLITE_OK ? write_chunk(self) : status;
}

// Runs SQL that gives no rows, within the transaction.
static int execute(upgrade_t *self, const char *sql, char error[MM_ERROR_MAX])
{
    sqlite3_stmt *statement = NULL;
    int code = mm_sqlite_prepare(self->sqlite, sql, &statement, error);
    if (code != 0)
        return code;
    if (mm_sqlite_run(self->sqlite, statement) != MM_SQLITE_OK) {
        (void)snprintf(error, MM_ERROR_MAX, "%s", mm_sqlite_error(self->sqlite));
        code = EX_IOERR;
    }
    (void)sqlite3_finalize(statement);
    return code;
}

static int make_chunks(upgrade_t *self, char error[MM_ERROR_MAX])
{
    int code = execute(self, OUTBOX_SCHEMA_CHUNKS, error);
    if (code == 0)
        code = execute(self, OUTBOX_SCHEMA_SETTLED, error);
    if (code == 0)
        code = mm_sqlite_prepare(self->sqlite, "SELECT id, host, run FROM jobs ORDER BY id",
                                 &self->read, error);
    if (code == 0)
        code = mm_sqlite_prepare(self->sqlite,
                                 "INSERT INTO chunks (run, jobs, ids, hosts) VALUES (?1, ?2, ?3,"
                                 " ?4)",
                                 &self->insert, error);
    if (code == 0 && copy_jobs(self) != MM_SQLITE_OK) {
        (void)snprintf(error, MM_ERROR_MAX, "%s", mm_sqlite_error(self->sqlite));
        code = EX_IOERR;
    }
    (void)sqlite3_finalize(self->read);
    (void)sqlite3_finalize(self->insert);
    free(self->ids.data);
    free(self->hosts.data);
    return code == 0 ? execute(self, "DROP TABLE jobs", error) : code;
}

static int add_attributes(upgrade_t *self, char error[MM_ERROR_MAX])
{
    int code = execute(self, "DROP VIEW jobs", error);
    return code == 0 ? execute(self, "ALTER TABLE chunks ADD COLUMN attributes TEXT", error) : code;
}

static int add_lists(upgrade_t *self, char error[MM_ERROR_MAX])
{
    static const char *const columns[] = {OUTBOX_WITHDRAWN, OUTBOX_ABANDONED, OUTBOX_LIST,
                                          OUTBOX_LISTED, OUTBOX_GROWS};
    int code = execute(self, OUTBOX_SCHEMA_WITHDRAWN, error);
    if (code == 0)
        code = execute(self, OUTBOX_SCHEMA_UNSEEN, error);
    for (size_t i = 0; code == 0 && i < sizeof columns / sizeof *columns; i++) {
        char sql[256];
        (void)snprintf(sql, sizeof sql, "ALTER TABLE runs ADD COLUMN %s", columns[i]);
        code = execute(self, sql, error);
    }
    return code;
}

int outbox_db_upgrade(mm_sqlite_t *sqlite, int version, char error[MM_ERROR_MAX])
{
    upgrade_t self = {.sqlite = sqlite};
    char set_version[64];
    (void)snprintf(set_version, sizeof set_version, "PRAGMA user_version = %d", OUTBOX_VERSION);
    if (mm_sqlite_begin(sqlite) != MM_SQLITE_OK) {
        (void)snprintf(error, MM_ERROR_MAX, "%s", mm_sqlite_error(sqlite));
        return EX_UNAVAILABLE;
    }
    int code = version == 1   ? make_chunks(&self, error)
               : version == 2 ? add_attributes(&self, error)
                              : 0;
    if (code == 0 && version >= 3)
        code = execute(&self, "DROP VIEW jobs", error);
    if (code == 0)
        code = execute(&self, OUTBOX_SCHEMA_JOBS, error);
    if (code == 0 && version < 4)
        code = execute(&self, "ALTER TABLE runs ADD COLUMN " OUTBOX_UNNEEDED, error);
    if (code == 0 && version < 5)
        code = execute(&self, "ALTER TABLE dead ADD COLUMN " OUTBOX_DEAD_ATTRIBUTES, error);
    if (code == 0 && version < 5)
        code = add_lists(&self, error);
    if (code == 0)
        code = execute(&self, "ALTER TABLE runs ADD COLUMN " OUTBOX_RUN_KEY, error);
    if (code == 0)
        code = execute(&self, "UPDATE runs SET run_key = " OUTBOX_NEW_KEY, error);
    if (code == 0)
        code = execute(&self, set_version, error);
    if (code == 0 && mm_sqlite_commit(sqlite) != MM_SQLITE_OK) {
        (void)snprintf(error, MM_ERROR_MAX, "%s", mm_sqlite_error(sqlite));
        code = EX_IOERR;
    }
    if (code != 0)
        mm_sqlite_rollback(sqlite);
    return code;
}
