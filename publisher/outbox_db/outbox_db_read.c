// See outbox_db.h: reading jobs and the dead. A read sees committed rows and ends at once, so that
// it never delays a checkpoint.

#include "outbox_db_inside.h"
#include "span.h"

#include <inttypes.h>
#include <stdio.h>

#include "outbox_schema.h"

int outbox_db_prepare_reads(outbox_db_t *self, char error[MM_ERROR_MAX])
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } all[] = {
        {&self->read_chunks,
         "SELECT chunk, run, jobs, ids, hosts, done, attributes"
         " FROM chunks LEFT JOIN settled USING (chunk) WHERE chunk >= ?1 ORDER BY chunk"},
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
    self->rows = mm_array_reserve(self->rows, &self->row_capacity, limit, sizeof *self->rows);
    self->row_bytes.count = 0;
}

static void keep_row(outbox_db_t *self, size_t index, outbox_row_t row)
{
    outbox_append(&self->row_bytes, row.host.data, row.host.size);
    outbox_append(&self->row_bytes, row.attributes.data, row.attributes.size);
    outbox_append(&self->row_bytes, row.error.data, row.error.size);
    self->rows[index] = row;
}

static void end_rows(outbox_db_t *self, size_t count, const outbox_row_t **ret_rows,
                     size_t *ret_count)
{
    const char *next = self->row_bytes.data;
    for (size_t i = 0; i < count; i++) {
        place(&self->rows[i].host, &next);
        place(&self->rows[i].attributes, &next);
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

// The jobs of a chunk, settled ones too.
typedef struct {
    mm_str_t hosts[OUTBOX_CHUNK_MAX];
    mm_str_t attributes[OUTBOX_CHUNK_MAX];
    json_t *parsed[2]; // owns the texts that are not in the row itself
} chunk_texts_t;

// False when the column does not hold the attributes of so many jobs. NULL: none has any.
static bool find_attributes(sqlite3_stmt *row, size_t jobs, chunk_texts_t *texts)
{
    memset(texts->attributes, 0, jobs * sizeof *texts->attributes);
    if (sqlite3_column_type(row, 6) == SQLITE_NULL)
        return true;
    bool is_good = outbox_find_texts(mm_sqlite_column_text(row, 6), jobs, texts->attributes,
                                     &texts->parsed[1]);
    for (size_t i = 0; is_good && i < jobs; i++)
        is_good = mm_attributes_are_valid(texts->attributes[i]);
    return is_good;
}

static bool find_texts(sqlite3_stmt *row, int64_t jobs, chunk_texts_t *texts)
{
    texts->parsed[0] = texts->parsed[1] = NULL;
    return jobs >= 1 && jobs <= OUTBOX_CHUNK_MAX &&
           sqlite3_column_bytes(row, 3) == (int)(jobs * (int64_t)sizeof(mm_id_t)) &&
           outbox_find_texts(mm_sqlite_column_text(row, 4), (size_t)jobs, texts->hosts,
                             &texts->parsed[0]) &&
           find_attributes(row, (size_t)jobs, texts);
}

// Keeps those jobs of a chunk that are not settled, from a place on. False: the chunk is damaged.
static bool keep_jobs(outbox_db_t *self, sqlite3_stmt *row, uint64_t after, size_t limit,
                      size_t *count)
{
    int64_t number = sqlite3_column_int64(row, 0);
    int64_t jobs = sqlite3_column_int64(row, 2);
    chunk_texts_t texts;
    bool is_good = find_texts(row, jobs, &texts);
    if (!is_good)
        (void)snprintf(self->error, sizeof self->error,
                       "chunk %" PRId64 " of the outbox is damaged: its ids, hosts and attributes "
                       "do not make %" PRId64 " jobs; restore outbox.db or move it away",
                       number, jobs);
    const uint8_t *ids = sqlite3_column_blob(row, 3);
    int64_t run = sqlite3_column_int64(row, 1);
    size_t first = after < outbox_token(number, 0) ? 0 : outbox_token_place(after) + 1;
    for (size_t i = first; is_good && i < (size_t)jobs && *count < limit; i++) {
        if (is_settled(row, i))
            continue;
        outbox_row_t job = {.host = texts.hosts[i],
                            .attributes = texts.attributes[i],
                            .run = run,
                            .token = outbox_token(number, i),
                            .withdrawn = outbox_db_is_withdrawn(self, outbox_token(number, i))};
        memcpy(job.id.bytes, ids + i * sizeof job.id.bytes, sizeof job.id.bytes);
        keep_row(self, (*count)++, job);
    }
    json_decref(texts.parsed[0]);
    json_decref(texts.parsed[1]);
    return is_good;
}

outbox_db_status_t outbox_db_load(outbox_db_t *self, uint64_t after, size_t limit,
                                  const outbox_row_t **ret_rows, size_t *ret_count)
{
    MM_SPAN("read outbox");
    assert(self->version == OUTBOX_VERSION);
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
                                .error = mm_sqlite_column_text(statement, 3),
                                .attributes = mm_sqlite_column_text(statement, 4)});
    }
    end_rows(self, count, ret_rows, ret_count);
    return OUTBOX_DB_OK;
}
