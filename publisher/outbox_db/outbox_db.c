// See outbox_db.h: opening, and the runs.

#include "outbox_db_inside.h"

#include <stdio.h>
#include <sysexits.h>

#include "crash.h"
#include "job.h"
#include "outbox_schema.h"
#include "string_view.h"

// ---- opening

static int prepare(outbox_db_t *self, char error[MM_ERROR_MAX])
{
#define UNFINISHED " WHERE run < ?1 AND finished_ms IS NULL ORDER BY run DESC LIMIT 1"
#define LATEST     " ORDER BY run DESC LIMIT 1"
#define DEAD       " WHERE run = ?3 AND id > ?1 ORDER BY id LIMIT ?2"
    const char *read = self->version < 4    ? OUTBOX_READ_RUN_3
                       : self->version == 4 ? OUTBOX_READ_RUN_4
                       : self->version == 5 ? OUTBOX_READ_RUN_5
                                            : OUTBOX_READ_RUN;
    char by_number[1024], unfinished[1024], latest[1024];
    (void)snprintf(by_number, sizeof by_number, "%s WHERE run = ?1", read);
    (void)snprintf(unfinished, sizeof unfinished, "%s%s", read, UNFINISHED);
    (void)snprintf(latest, sizeof latest, "%s%s", read, LATEST);
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } all[] = {
        {&self->read_run, by_number},
        {&self->read_unfinished, unfinished},
        {&self->read_latest, latest},
        {&self->read_dead, self->version <= 4 ? OUTBOX_READ_DEAD_4 DEAD : OUTBOX_READ_DEAD DEAD},
    };
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof all / sizeof all[0]; i++)
        code = mm_sqlite_prepare(self->sqlite, all[i].sql, all[i].statement, error);
    return code;
}

static int read_number(outbox_db_t *self, const char *sql, int64_t *ret_number,
                       char error[MM_ERROR_MAX])
{
    sqlite3_stmt *statement = NULL;
    int code = mm_sqlite_prepare(self->sqlite, sql, &statement, error);
    if (code != 0)
        return code;
    bool has_row = false;
    if (mm_sqlite_row(self->sqlite, statement, &has_row) != MM_SQLITE_OK) {
        snprintf(error, MM_ERROR_MAX, "%s", mm_sqlite_error(self->sqlite));
        code = EX_IOERR;
    } else {
        *ret_number = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return code;
}

// The counters of the runs are exact, since a job and its counter change in one commit, and adding
// them up takes no longer when the backlog is long.
static int count_backlog(outbox_db_t *self, char error[MM_ERROR_MAX])
{
    int64_t count = 0;
    int code = read_number(self,
                           self->version < 4 ? "SELECT sum(accepted - restarted - dead) FROM runs"
                           : self->version == 4
                               ? "SELECT sum(accepted - restarted - dead - unneeded) FROM runs"
                               : "SELECT sum(accepted - restarted - dead - unneeded - withdrawn)"
                                 " FROM runs",
                           &count, error);
    self->backlog = (uint64_t)count;
    return code;
}

// Opens the file and upgrades an older version, unless it is read-only: all that a report needs is
// the same in every version.
static int open_file(outbox_db_t *self, const char *path, bool read_only, char error[MM_ERROR_MAX])
{
    mm_sqlite_config_t config = {
        .path = path, .schema = OUTBOX_SCHEMA, .version = OUTBOX_VERSION, .read_only = read_only};
    int code = mm_sqlite_open(&config, &self->sqlite, error);
    self->version = OUTBOX_VERSION;
    if (code != EX_CONFIG)
        return code;
    char ignored[MM_ERROR_MAX]; // the first error names the version of this program
    do
        config.version--;
    while (config.version > 0 && mm_sqlite_open(&config, &self->sqlite, ignored) != 0);
    if (config.version == 0)
        return code;
    if (read_only)
        self->version = config.version;
    return read_only ? 0 : outbox_db_upgrade(self->sqlite, config.version, error);
}

static int prepare_jobs(outbox_db_t *self, char error[MM_ERROR_MAX])
{
    if (self->version != OUTBOX_VERSION)
        return 0;
    int code = outbox_db_prepare_reads(self, error);
    if (code == 0)
        code = outbox_db_prepare_batch(self, error);
    if (code == 0)
        code = outbox_db_prepare_list(self, error);
    if (code == 0)
        code = read_number(self,
                           "SELECT max(coalesce((SELECT max(chunk) FROM chunks), 0),"
                           " coalesce((SELECT max(chunk) FROM settled), 0))",
                           &self->last_chunk, error);
    return code;
}

int outbox_db_open(const char *path, bool read_only, outbox_db_t **ret_self,
                   char error[MM_ERROR_MAX])
{
    outbox_db_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    int code = open_file(self, path, read_only, error);
    if (code == 0)
        code = prepare(self, error);
    if (code == 0)
        code = prepare_jobs(self, error);
    if (code == 0)
        code = count_backlog(self, error);
    if (code != 0) {
        outbox_db_close(&self);
        return code;
    }
    *ret_self = self;
    return 0;
}

void outbox_db_close(outbox_db_t **self_p)
{
    outbox_db_t *self = *self_p;
    if (self == NULL)
        return;
    *self_p = NULL;
    outbox_db_free_batch(self);
    mm_sqlite_close(&self->sqlite);
    free(self->rows);
    free(self->withdrawn);
    free(self->row_bytes.data);
    free(self);
}

const char *outbox_db_error(const outbox_db_t *self)
{
    return self->error[0] != '\0' ? self->error : mm_sqlite_error(self->sqlite);
}

// ---- runs

void outbox_run_clear(outbox_run_t *run)
{
    free(run->input);
    free(run->driver);
    free(run->times);
    *run = (outbox_run_t){0};
}

static uint64_t number_column(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

static void read_columns(sqlite3_stmt *row, outbox_run_t *ret_run)
{
    *ret_run = (outbox_run_t){
        .number = sqlite3_column_int64(row, OUTBOX_RUN_NUMBER),
        .input = mm_sqlite_column_copy(row, OUTBOX_RUN_INPUT),
        .driver = mm_sqlite_column_copy(row, OUTBOX_RUN_DRIVER),
        .progress = {.position = number_column(row, OUTBOX_RUN_POSITION),
                     .digest = number_column(row, OUTBOX_RUN_DIGEST),
                     .total = number_column(row, OUTBOX_RUN_TOTAL),
                     .repeated = number_column(row, OUTBOX_RUN_REPEATED),
                     .skipped = number_column(row, OUTBOX_RUN_SKIPPED),
                     .done = sqlite3_column_int(row, OUTBOX_RUN_SOURCE_DONE) != 0},
        .accepted = number_column(row, OUTBOX_RUN_ACCEPTED),
        .restarted = number_column(row, OUTBOX_RUN_RESTARTED),
        .dead = number_column(row, OUTBOX_RUN_DEAD),
        .skipped = number_column(row, OUTBOX_RUN_UNNEEDED),
        .withdrawn = number_column(row, OUTBOX_RUN_WITHDRAWN),
        .abandoned = number_column(row, OUTBOX_RUN_ABANDONED),
        .list = sqlite3_column_int64(row, OUTBOX_RUN_LIST),
        .listed = number_column(row, OUTBOX_RUN_LISTED),
        .grows = sqlite3_column_int(row, OUTBOX_RUN_GROWS) != 0,
        .key = number_column(row, OUTBOX_RUN_RUN_KEY),
        .attempts = number_column(row, OUTBOX_RUN_ATTEMPTS),
        .started_ms = sqlite3_column_int64(row, OUTBOX_RUN_STARTED_MS),
        .finished_ms = sqlite3_column_int64(row, OUTBOX_RUN_FINISHED_MS),
        .clean = sqlite3_column_int(row, OUTBOX_RUN_CLEAN) != 0,
    };
    const void *times = sqlite3_column_blob(row, OUTBOX_RUN_TIMES);
    if (times == NULL)
        return;
    ret_run->times_size = (size_t)sqlite3_column_bytes(row, OUTBOX_RUN_TIMES);
    ret_run->times = malloc(ret_run->times_size);
    assert(ret_run->times != NULL);
    memcpy(ret_run->times, times, ret_run->times_size);
}

static outbox_db_status_t read_run(outbox_db_t *self, sqlite3_stmt *statement,
                                   outbox_run_t *ret_run, bool *ret_found)
{
    bool has_row = false;
    mm_sqlite_status_t status = mm_sqlite_row(self->sqlite, statement, &has_row);
    if (status != MM_SQLITE_OK)
        return status_of(status);
    if (has_row) {
        read_columns(statement, ret_run);
        (void)sqlite3_reset(statement);
    }
    *ret_found = has_row;
    return OUTBOX_DB_OK;
}

outbox_db_status_t outbox_db_run(outbox_db_t *self, int64_t number, outbox_run_t *ret_run,
                                 bool *ret_found)
{
    (void)sqlite3_bind_int64(self->read_run, 1, number);
    return read_run(self, self->read_run, ret_run, ret_found);
}

outbox_db_status_t outbox_db_unfinished(outbox_db_t *self, int64_t before, outbox_run_t *ret_run,
                                        bool *ret_found)
{
    (void)sqlite3_bind_int64(self->read_unfinished, 1, before);
    return read_run(self, self->read_unfinished, ret_run, ret_found);
}

outbox_db_status_t outbox_db_latest(outbox_db_t *self, outbox_run_t *ret_run, bool *ret_found)
{
    return read_run(self, self->read_latest, ret_run, ret_found);
}

outbox_db_status_t outbox_db_begin_run(outbox_db_t *self, const outbox_run_t *run,
                                       int64_t *ret_number)
{
    (void)sqlite3_bind_int64(self->begin_run, 1, run->started_ms);
    mm_sqlite_bind_text(self->begin_run, 2, mm_str(run->input));
    mm_sqlite_bind_text(self->begin_run, 3, mm_str(run->driver));
    bind_progress(self->begin_run, &run->progress);
    (void)sqlite3_bind_int64(self->begin_run, 10, run->list);
    (void)sqlite3_bind_int(self->begin_run, 11, run->grows);
    MM_CRASH_POINT("outbox: before a run is begun");
    mm_sqlite_status_t status = mm_sqlite_run(self->sqlite, self->begin_run);
    MM_CRASH_POINT("outbox: run begun");
    if (status == MM_SQLITE_OK)
        *ret_number = sqlite3_last_insert_rowid(mm_sqlite_handle(self->sqlite));
    return status_of(status);
}

outbox_db_status_t outbox_db_vacuum(outbox_db_t *self)
{
    return status_of(mm_sqlite_vacuum(self->sqlite));
}

uint64_t outbox_db_backlog(const outbox_db_t *self)
{
    return self->backlog;
}
