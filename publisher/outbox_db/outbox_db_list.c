// See outbox_db.h: another list for a run, and the jobs whose hosts have left it.

#include "outbox_db_inside.h"

#include <stdio.h>
#include <sysexits.h>

#include "crash.h"
#include "outbox_schema.h"

static int read_tokens(outbox_db_t *self, char error[MM_ERROR_MAX])
{
    size_t count = 0;
    self->withdrawn_capacity = 0;
    for (bool has_row = true; has_row;) {
        if (mm_sqlite_row(self->sqlite, self->read_withdrawn, &has_row) != MM_SQLITE_OK) {
            (void)snprintf(error, MM_ERROR_MAX, "%s", mm_sqlite_error(self->sqlite));
            return EX_IOERR;
        }
        if (has_row)
            *MM_ARRAY_ADD(self->withdrawn, count, self->withdrawn_capacity) =
                (uint64_t)sqlite3_column_int64(self->read_withdrawn, 0);
    }
    self->withdrawn_size = self->withdrawn_left = count;
    return 0;
}

int outbox_db_prepare_list(outbox_db_t *self, char error[MM_ERROR_MAX])
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } all[] = {
        {&self->begin_run,
         "INSERT INTO runs (started_ms, input, driver, position, digest, total, repeated, skipped,"
         " source_done, list, grows, run_key)"
         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, " OUTBOX_NEW_KEY ")"},
        {&self->relist_run,
         "UPDATE runs SET position = ?4, digest = ?5, total = ?6, repeated = ?7, skipped = ?8,"
         " source_done = ?9, list = ?10, listed = ?11, grows = ?12 WHERE run = ?1"},
        {&self->withdraw, "INSERT OR IGNORE INTO withdrawn (token) VALUES (?1)"},
        {&self->read_withdrawn, "SELECT token FROM withdrawn ORDER BY token"},
        {&self->count_withdrawn,
         "SELECT count(*) FROM withdrawn JOIN chunks ON chunk = token >> 10 WHERE run = ?1"},
        {&self->read_last_list, "SELECT coalesce(max(list), 0) FROM runs"},
        {&self->put_unseen, "INSERT OR IGNORE INTO unseen (run, host) VALUES (?1, ?2)"},
        {&self->read_unseen, "SELECT host FROM unseen WHERE run = ?1"},
        {&self->delete_withdrawn, "DELETE FROM withdrawn WHERE token = ?1"},
        {&self->end_others,
         "UPDATE runs SET source_done = 1 WHERE run <> ?1 AND finished_ms IS NULL"},
        {&self->finish_others,
         "UPDATE runs SET finished_ms = ?2 WHERE run <> ?1 AND finished_ms IS NULL"
         " AND accepted = restarted + dead + unneeded + withdrawn"},
    };
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof all / sizeof all[0]; i++)
        code = mm_sqlite_prepare(self->sqlite, all[i].sql, all[i].statement, error);
    if (code == 0)
        code = outbox_db_prepare_attributes(self, error);
    return code == 0 ? read_tokens(self, error) : code;
}

static int compare_tokens(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

bool outbox_db_is_withdrawn(const outbox_db_t *self, uint64_t token)
{
    return self->withdrawn_left > 0 && bsearch(&token, self->withdrawn, self->withdrawn_size,
                                               sizeof token, compare_tokens) != NULL;
}

uint64_t outbox_db_withdrawn(const outbox_db_t *self)
{
    return self->withdrawn_left;
}

static outbox_db_status_t read_one(outbox_db_t *self, sqlite3_stmt *statement, int64_t *ret_number)
{
    bool has_row = false;
    mm_sqlite_status_t status = mm_sqlite_row(self->sqlite, statement, &has_row);
    if (status != MM_SQLITE_OK)
        return status_of(status);
    *ret_number = sqlite3_column_int64(statement, 0);
    (void)sqlite3_reset(statement);
    return OUTBOX_DB_OK;
}

outbox_db_status_t outbox_db_withdrawn_of(outbox_db_t *self, int64_t run, uint64_t *ret_count)
{
    *ret_count = 0;
    if (!self->count_withdrawn) // a file of an older version, read-only: it has none
        return OUTBOX_DB_OK;
    (void)sqlite3_bind_int64(self->count_withdrawn, 1, run);
    return read_one(self, self->count_withdrawn, (int64_t *)ret_count);
}

outbox_db_status_t outbox_db_last_list(outbox_db_t *self, int64_t *ret_number)
{
    return read_one(self, self->read_last_list, ret_number);
}

outbox_db_status_t outbox_db_unseen(outbox_db_t *self, int64_t run,
                                    void (*see)(void *arg, mm_str_t host), void *arg)
{
    (void)sqlite3_bind_int64(self->read_unseen, 1, run);
    for (;;) {
        bool has_row = false;
        mm_sqlite_status_t status = mm_sqlite_row(self->sqlite, self->read_unseen, &has_row);
        if (status != MM_SQLITE_OK || !has_row)
            return status_of(status);
        see(arg, mm_sqlite_column_text(self->read_unseen, 0));
    }
}

// ---- in the batch

void outbox_db_withdraw_put(outbox_db_t *self, uint64_t token)
{
    batch_t *batch = &self->batch;
    *MM_ARRAY_ADD(batch->withdraws, batch->withdraw_count, batch->withdraw_capacity) = token;
}

void outbox_db_set_unseen(outbox_db_t *self, int64_t run, mm_str_t host)
{
    batch_t *batch = &self->batch;
    __typeof__(batch->unseen) unseen =
        MM_ARRAY_ADD(batch->unseen, batch->unseen_count, batch->unseen_capacity);
    unseen->run = run;
    unseen->host = host;
    outbox_append(&batch->unseen_bytes, host.data, host.size);
    batch->notes++;
}

mm_sqlite_status_t outbox_db_write_withdraws(outbox_db_t *self)
{
    batch_t *batch = &self->batch;
    mm_sqlite_status_t status = MM_SQLITE_OK;
    const char *next = batch->unseen_bytes.data;
    for (size_t i = 0; status == MM_SQLITE_OK && i < batch->withdraw_count; i++)
        status = outbox_db_run_with(self, self->withdraw, (int64_t)batch->withdraws[i]);
    for (size_t i = 0; status == MM_SQLITE_OK && i < batch->unseen_count; i++) {
        place(&batch->unseen[i].host, &next);
        mm_sqlite_bind_text(self->put_unseen, 2, batch->unseen[i].host);
        status = outbox_db_run_with(self, self->put_unseen, batch->unseen[i].run);
    }
    return status;
}

// Tokens grow: they stay in order.
void outbox_db_count_withdraws(outbox_db_t *self)
{
    for (size_t i = 0; i < self->batch.withdraw_count; i++)
        *MM_ARRAY_ADD(self->withdrawn, self->withdrawn_size, self->withdrawn_capacity) =
            self->batch.withdraws[i];
    self->withdrawn_left += self->batch.withdraw_count;
}

// ---- writing

mm_sqlite_status_t outbox_db_run_with(outbox_db_t *self, sqlite3_stmt *statement, int64_t number)
{
    (void)sqlite3_bind_int64(statement, 1, number);
    return mm_sqlite_run(self->sqlite, statement);
}

static mm_sqlite_status_t write_run(outbox_db_t *self, const outbox_run_t *run, int64_t *ret_number)
{
    if (run->number == 0)
        return outbox_db_begin_run(self, run, ret_number) == OUTBOX_DB_OK ? MM_SQLITE_OK
                                                                          : MM_SQLITE_FATAL;
    *ret_number = run->number;
    bind_progress(self->relist_run, &run->progress);
    (void)sqlite3_bind_int64(self->relist_run, 10, run->list);
    (void)sqlite3_bind_int64(self->relist_run, 11, (int64_t)run->listed);
    (void)sqlite3_bind_int(self->relist_run, 12, run->grows);
    return outbox_db_run_with(self, self->relist_run, run->number);
}

static mm_sqlite_status_t write_others(outbox_db_t *self, int64_t number, int64_t unix_ms)
{
    mm_sqlite_status_t status = outbox_db_run_with(self, self->end_others, number);
    (void)sqlite3_bind_int64(self->finish_others, 2, unix_ms);
    return status == MM_SQLITE_OK ? outbox_db_run_with(self, self->finish_others, number) : status;
}

outbox_db_status_t outbox_db_relist(outbox_db_t *self, const outbox_relist_t *change,
                                    int64_t unix_ms, int64_t *ret_number)
{
    assert(outbox_db_pending(self) == 0);
    int64_t number = 0;
    char error[MM_ERROR_MAX];
    mm_sqlite_status_t status = mm_sqlite_begin(self->sqlite);
    if (status == MM_SQLITE_OK)
        status = write_run(self, change->run, &number);
    for (size_t i = 0; status == MM_SQLITE_OK && i < change->count; i++)
        status = outbox_db_run_with(self, self->withdraw, (int64_t)change->withdrawn[i]);
    if (status == MM_SQLITE_OK)
        status = outbox_db_write_attributes(self, change);
    if (status == MM_SQLITE_OK && change->ends_others)
        status = write_others(self, number, unix_ms);
    MM_CRASH_POINT("outbox: before another list is committed");
    if (status == MM_SQLITE_OK)
        status = mm_sqlite_commit(self->sqlite);
    if (status != MM_SQLITE_OK)
        return status_of(status);
    MM_CRASH_POINT("outbox: another list committed");
    *ret_number = number;
    free(self->withdrawn);
    self->withdrawn = NULL;
    return read_tokens(self, error) == 0 ? OUTBOX_DB_OK : OUTBOX_DB_FATAL;
}
