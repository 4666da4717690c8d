// See outbox_db.h: reading jobs and the dead. Reads see what is committed and end at once, so that
// no reader of ours ever holds up a checkpoint.

#include "outbox_db_inside.h"
#include "span.h"

#include <inttypes.h>
#include <stdio.h>

int outbox_db_prepare_reads(outbox_db_t *self, char error[MM_ERROR_MAX])
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } all[] = {
        {&self->read_chunks,
         "SELECT chunk, run, jobs, ids, hosts, done FROM chunks LEFT JOIN settled USING (chunk)"
         " WHERE chunk >= ?1 ORDER BY chunk"},
        {&self->read_newest, "SELECT substr(ids, -16) FROM chunks ORDER BY chunk DESC LIMIT 1"},
    };
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof all / sizeof all[0]; i++)
        code = mm_sqlite_prepare(self->sqlite, all[i].sql, all[i].statement, error);
    return code;
}

// ---- the rows of a load

static void begin_rows(outbox_db_t *self, size_t limit)
{
    if (limit > self->row_room) {
        self->row_room = limit;
        self->rows = grow(self->rows, limit, sizeof *self->rows);
    }
    self->row_bytes.count = 0;
}

static void keep_row(outbox_db_t *self, size_t index, outbox_row_t row)
{
    outbox_append(&self->row_bytes, row.host.data, row.host.size);
    outbox_append(&self->row_bytes, row.error.data, row.error.size);
    self->rows[index] = row;
}

static void end_rows(outbox_db_t *self, size_t count, const outbox_row_t **ret_rows,
                     size_t *ret_count)
{
    const char *next = self->row_bytes.data;
    for (size_t i = 0; i < count; i++) {
        place(&self->rows[i].host, &next);
        place(&self->rows[i].error, &next);
    }
    *ret_rows = self->rows;
    *ret_count = count;
}

// ---- jobs

static bool is_settled(sqlite3_stmt *row, size_t place)
{
    const uint8_t *done = sqlite3_column_blob(row, 5);
    return done != NULL && place / 8 < (size_t)sqlite3_column_bytes(row, 5) &&
           outbox_bit(done, place);
}

// Keeps those jobs of a chunk that are not settled, from a place on. False: the chunk is damaged.
static bool keep_jobs(outbox_db_t *self, sqlite3_stmt *row, uint64_t after, size_t limit,
                      size_t *count)
{
    int64_t number = sqlite3_column_int64(row, 0);
    int64_t jobs = sqlite3_column_int64(row, 2);
    mm_str_t hosts[OUTBOX_CHUNK_MAX];
    json_t *parsed = NULL;
    if (jobs < 1 || jobs > OUTBOX_CHUNK_MAX ||
        sqlite3_column_bytes(row, 3) != (int)(jobs * (int64_t)sizeof(mm_id_t)) ||
        !outbox_find_hosts(mm_sqlite_column_text(row, 4), (size_t)jobs, hosts, &parsed)) {
        (void)snprintf(self->error, sizeof self->error,
                       "chunk %" PRId64 " of the outbox is damaged: its ids and hosts do not make "
                       "%" PRId64 " jobs; restore outbox.db or move it away",
                       number, jobs);
        return false;
    }
    const uint8_t *ids = sqlite3_column_blob(row, 3);
    int64_t run = sqlite3_column_int64(row, 1);
    size_t first = after < outbox_token(number, 0) ? 0 : outbox_token_place(after) + 1;
    for (size_t i = first; i < (size_t)jobs && *count < limit; i++) {
        if (is_settled(row, i))
            continue;
        outbox_row_t job = {.host = hosts[i], .run = run, .token = outbox_token(number, i)};
        memcpy(job.id.bytes, ids + i * sizeof job.id.bytes, sizeof job.id.bytes);
        keep_row(self, (*count)++, job);
    }
    json_decref(parsed);
    return true;
}

outbox_db_status_t outbox_db_load(outbox_db_t *self, uint64_t after, size_t limit,
                                  const outbox_row_t **ret_rows, size_t *ret_count)
{
    MM_SPAN("read outbox");
    assert(!self->is_old);
    (void)sqlite3_bind_int64(self->read_chunks, 1, outbox_token_chunk(after));
    begin_rows(self, limit);
    size_t count = 0;
    while (count < limit) {
        bool has_row = false;
        mm_sqlite_status_t status = mm_sqlite_row(self->sqlite, self->read_chunks, &has_row);
        if (status != MM_SQLITE_OK)
            return status_of(status);
        if (!has_row)
            break;
        if (!keep_jobs(self, self->read_chunks, after, limit, &count)) {
            (void)sqlite3_reset(self->read_chunks);
            return OUTBOX_DB_FATAL;
        }
    }
    (void)sqlite3_reset(self->read_chunks);
    end_rows(self, count, ret_rows, ret_count);
    return OUTBOX_DB_OK;
}

outbox_db_status_t outbox_db_newest(outbox_db_t *self, mm_id_t *ret_id, bool *ret_found)
{
    bool has_row = false;
    mm_sqlite_status_t status = mm_sqlite_row(self->sqlite, self->read_newest, &has_row);
    if (status != MM_SQLITE_OK)
        return status_of(status);
    if (has_row)
        *ret_id = mm_sqlite_column_id(self->read_newest, 0);
    *ret_found = has_row;
    (void)sqlite3_reset(self->read_newest);
    return OUTBOX_DB_OK;
}

// ---- the dead

outbox_db_status_t outbox_db_dead(outbox_db_t *self, int64_t run, const mm_id_t *after,
                                  size_t limit, const outbox_row_t **ret_rows, size_t *ret_count)
{
    sqlite3_stmt *statement = self->read_dead;
    int size = after != NULL ? (int)sizeof after->bytes : 0;
    (void)sqlite3_bind_blob(statement, 1, after != NULL ? (const void *)after->bytes : "", size,
                            SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)limit);
    (void)sqlite3_bind_int64(statement, 3, run);
    begin_rows(self, limit);
    size_t count = 0;
    for (;;) {
        bool has_row = false;
        mm_sqlite_status_t status = mm_sqlite_row(self->sqlite, statement, &has_row);
        if (status != MM_SQLITE_OK)
            return status_of(status);
        if (!has_row)
            break;
        keep_row(self, count++,
                 (outbox_row_t){.id = mm_sqlite_column_id(statement, 0),
                                .host = mm_sqlite_column_text(statement, 1),
                                .run = sqlite3_column_int64(statement, 2),
                                .error = mm_sqlite_column_text(statement, 3)});
    }
    end_rows(self, count, ret_rows, ret_count);
    return OUTBOX_DB_OK;
}
