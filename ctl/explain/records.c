// See records.h. The outbox is read before the record: a job that is settled in between is then
// found in both. The other way round it would be found in neither, as if it had been lost.

#include "records.h"
#include "array.h"
#include "ctl.h"
#include "outbox_schema.h"
#include "record_schema.h"
#include "sqlite.h"
#include "uuid.h"
#include "uuid_source.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

// The jobs of the chunks, settled or not.
#define SQL_OUTBOX      "SELECT " OUTBOX_JOB_ID ", value, run, " OUTBOX_PENDING OUTBOX_JOBS
#define SQL_OUTBOX_HOST SQL_OUTBOX "instr(hosts, '\"' || ?1 || '\"') AND value = ?1"
#define SQL_OUTBOX_ID   SQL_OUTBOX "instr(ids, ?1) AND " OUTBOX_JOB_ID " = ?1"

typedef struct {
    records_t *records;
    mm_sqlite_t *sqlite;
    char *error;
} reader_t;

typedef struct {
    mm_sqlite_t *outbox; // NULL: there is none; the same for the other
    mm_sqlite_t *store;
    bool is_old; // the record is of version 1
} databases_t;

typedef void (*parse_row_t)(records_t *records, sqlite3_stmt *row);

// NULL: there is no text.
static char *copy_column(sqlite3_stmt *row, int column)
{
    return mm_sqlite_column_text(row, column).size > 0 ? mm_sqlite_column_copy(row, column) : NULL;
}

static record_t *find(records_t *self, const mm_id_t *id)
{
    for (size_t i = 0; i < self->count; i++)
        if (mm_id_equal(&self->items[i].id, id))
            return &self->items[i];
    record_t *record = MM_ARRAY_ADD(self->items, self->count, self->capacity);
    *record = (record_t){.id = *id};
    return record;
}

static void parse_pending(records_t *self, sqlite3_stmt *row)
{
    mm_id_t id = mm_sqlite_column_id(row, 0);
    record_t *record = find(self, &id);
    if (!record->host)
        record->host = copy_column(row, 1);
    record->run = sqlite3_column_int64(row, 2);
    record->is_pending = sqlite3_column_int(row, 3) != 0;
}

static void parse_run(records_t *self, sqlite3_stmt *row)
{
    *MM_ARRAY_ADD(self->runs, self->run_count, self->run_capacity) =
        (run_t){.number = sqlite3_column_int64(row, OUTBOX_RUN_NUMBER),
                .input = copy_column(row, OUTBOX_RUN_INPUT),
                .driver = copy_column(row, OUTBOX_RUN_DRIVER),
                .started_ms = sqlite3_column_int64(row, OUTBOX_RUN_STARTED_MS),
                .finished_ms = sqlite3_column_int64(row, OUTBOX_RUN_FINISHED_MS),
                .is_read = sqlite3_column_int(row, OUTBOX_RUN_SOURCE_DONE) != 0};
}

static void parse_recorded(records_t *self, sqlite3_stmt *row)
{
    mm_id_t id = mm_sqlite_column_id(row, RECORD_ID);
    record_t *record = find(self, &id);
    if (record->is_recorded)
        return;
    record->is_recorded = true;
    if (!record->host)
        record->host = copy_column(row, RECORD_HOST);
    record->publisher = copy_column(row, RECORD_PUBLISHER);
    record->received_ms = sqlite3_column_int64(row, RECORD_RECEIVED_MS);
    record->settled_ms = sqlite3_column_int64(row, RECORD_SETTLED_MS);
    (void)mm_outcome_parse(mm_sqlite_column_text(row, RECORD_OUTCOME), &record->outcome);
    record->attempts = sqlite3_column_int64(row, RECORD_ATTEMPTS);
    record->deliveries = sqlite3_column_int64(row, RECORD_DELIVERIES);
    record->extended = sqlite3_column_int64(row, RECORD_EXTENDED);
    record->worker = copy_column(row, RECORD_WORKER);
    record->error = copy_column(row, RECORD_ERROR);
    record->proof = copy_column(row, RECORD_PROOF_NAME);
}

static void parse_attempt(records_t *self, sqlite3_stmt *row)
{
    mm_id_t id = mm_sqlite_column_id(row, ATTEMPTS_JOB);
    record_t *record = find(self, &id);
    bool has_exit = sqlite3_column_type(row, ATTEMPTS_EXIT) != SQLITE_NULL;
    *MM_ARRAY_ADD(record->recorded, record->recorded_count, record->recorded_capacity) =
        (recorded_t){.number = sqlite3_column_int64(row, ATTEMPTS_NUMBER),
                     .state = copy_column(row, ATTEMPTS_STATE),
                     .worker = copy_column(row, ATTEMPTS_WORKER),
                     .began_ms = sqlite3_column_int64(row, ATTEMPTS_BEGAN_MS),
                     .ended_ms = sqlite3_column_int64(row, ATTEMPTS_ENDED_MS),
                     .machine_id = copy_column(row, ATTEMPTS_MACHINE_ID),
                     .boot_before = copy_column(row, ATTEMPTS_BOOT_BEFORE),
                     .boot_after = copy_column(row, ATTEMPTS_BOOT_AFTER),
                     .exit = has_exit ? sqlite3_column_int64(row, ATTEMPTS_EXIT) : -1,
                     .outcome = copy_column(row, ATTEMPTS_OUTCOME),
                     .error = copy_column(row, ATTEMPTS_ERROR),
                     .proof = copy_column(row, ATTEMPTS_PROOF),
                     .command = sqlite3_column_int64(row, ATTEMPTS_COMMAND),
                     .command_end = copy_column(row, ATTEMPTS_COMMAND_END),
                     .health = copy_column(row, ATTEMPTS_HEALTH),
                     .owes = sqlite3_column_int64(row, ATTEMPTS_OWES) != 0};
}

// Runs a query whose parameter, if it has one, is an id or a host, and parses each row.
static int query(reader_t *self, const char *sql, const mm_id_t *id, const char *host,
                 parse_row_t take)
{
    sqlite3_stmt *row;
    int code = mm_sqlite_prepare(self->sqlite, sql, &row, self->error);
    if (code != 0)
        return code;
    if (id)
        mm_sqlite_bind_id(row, 1, id);
    else if (host)
        mm_sqlite_bind_text(row, 1, mm_str(host));
    bool has_row = true;
    while (has_row) {
        if (mm_sqlite_row(self->sqlite, row, &has_row) != MM_SQLITE_OK) {
            (void)ctl_error(self->error, "%s", mm_sqlite_error(self->sqlite));
            return EX_IOERR;
        }
        if (has_row)
            take(self->records, row);
    }
    return 0;
}

static void parse_host(records_t *self, sqlite3_stmt *row)
{
    assert(!self->host);
    self->host = copy_column(row, RECORD_HOST);
}

// Opens a database, if it is there.
static int open_one(mm_sqlite_t **sqlite, const char *path, int version, int oldest,
                    char error[MM_ERROR_MAX])
{
    mm_sqlite_config_t config = {
        .path = path, .version = version, .oldest = oldest, .read_only = true};
    return access(path, F_OK) == 0 ? mm_sqlite_open(&config, sqlite, error) : 0;
}

// The record may be of version 1, as long as no saver has worked on it since.
static int open_record(databases_t *self, const char *path, char error[MM_ERROR_MAX])
{
    char ignored[MM_ERROR_MAX]; // the first error names the version of this program
    int code = open_one(&self->store, path, RECORD_VERSION, 2, error);
    if (code != EX_CONFIG || open_one(&self->store, path, 1, 1, ignored) != 0)
        return code;
    self->is_old = true;
    return 0;
}

static int read_attempts(records_t *records, const databases_t *in, char error[MM_ERROR_MAX])
{
    reader_t in_store = {records, in->store, error};
    int code = 0;
    for (size_t i = 0; code == 0 && i < records->count; i++) {
        mm_id_t id = records->items[i].id;
        if (records->items[i].is_recorded)
            code = query(&in_store, RECORD_READ_ATTEMPTS, &id, NULL, parse_attempt);
    }
    return code;
}

// Reads the jobs of the host that is asked for, or of the job's host, which the record mostly has.
static int read_jobs(records_t *records, const records_query_t *what, const databases_t *in,
                     char error[MM_ERROR_MAX])
{
    reader_t in_outbox = {records, in->outbox, error}, in_store = {records, in->store, error};
    const char *job_sql = in->is_old ? RECORD_READ_1 "id = ?1" : RECORD_READ "id = ?1";
    const char *host_sql = in->is_old ? RECORD_READ_1 "host = ?1" : RECORD_READ "host = ?1";
    const mm_id_t *id = what->id;
    int code = 0;
    if (id && in->store)
        code = query(&in_store, job_sql, id, NULL, parse_host);
    if (code == 0 && in->outbox)
        code = query(&in_outbox, OUTBOX_READ_RUN " ORDER BY run", NULL, NULL, parse_run);
    if (code == 0 && id && in->outbox)
        code = query(&in_outbox, SQL_OUTBOX_ID, id, NULL, parse_pending);
    if (!records->host && (what->host || records->count > 0)) {
        records->host = strdup(what->host ? what->host : records->items[0].host);
        assert(records->host);
    }
    if (code == 0 && records->host && in->outbox)
        code = query(&in_outbox, SQL_OUTBOX_HOST, NULL, records->host, parse_pending);
    if (code == 0 && records->host && in->store)
        code = query(&in_store, host_sql, NULL, records->host, parse_recorded);
    return code == 0 && !in->is_old ? read_attempts(records, in, error) : code;
}

static int by_id(const void *a, const void *b)
{
    const record_t *one = a, *other = b;
    return mm_id_compare(&one->id, &other->id);
}

// The chunk of a settled job may be gone; its run is then the last one that was running when the
// job was accepted.
static void find_run(const records_t *self, record_t *record)
{
    int64_t accepted_ms = mm_id_wall_ms(&record->id);
    for (size_t i = 0; record->run == 0 && i < self->run_count; i++) {
        const run_t *run = &self->runs[self->run_count - 1 - i];
        if (run->started_ms <= accepted_ms &&
            (run->finished_ms == 0 || run->finished_ms >= accepted_ms))
            record->run = run->number;
    }
}

static int read_both(const records_query_t *what, records_t *records, char error[MM_ERROR_MAX])
{
    const char *store = what->db;
    char outbox[PATH_MAX];
    struct stat status;
    if (stat(what->dir, &status) != 0) {
        (void)ctl_error(error,
                        "cannot look into '%s': %s; name the folder of the pipeline with --dir",
                        what->dir, strerror(errno));
        return EX_NOINPUT;
    }
    (void)snprintf(outbox, sizeof outbox, "%s/outbox.db", what->dir);
    databases_t in = {0};
    int code = open_one(&in.outbox, outbox, OUTBOX_VERSION, 0, error);
    if (code == 0)
        code = open_record(&in, store, error);
    if (code == 0 && !in.outbox && !in.store) {
        (void)ctl_error(error,
                        "no pipeline has worked in '%s': there is neither '%s' nor '%s'; name its "
                        "folder with --dir",
                        what->dir, outbox, store);
        return EX_NOINPUT;
    }
    if (code == 0)
        code = read_jobs(records, what, &in, error);
    mm_sqlite_close(&in.outbox);
    mm_sqlite_close(&in.store);
    return code;
}

int records_read(const records_query_t *what, records_t *ret_records, char error[MM_ERROR_MAX])
{
    records_t records = {0};
    int code = read_both(what, &records, error);
    if (code != 0) {
        records_clear(&records);
        return code;
    }
    if (what->id)
        (void)find(&records, what->id);
    qsort(records.items, records.count, sizeof *records.items, by_id);
    for (size_t i = 0; i < records.count; i++)
        find_run(&records, &records.items[i]);
    records.asked = what->id            ? find(&records, what->id)
                    : records.count > 0 ? &records.items[records.count - 1]
                                        : NULL;
    *ret_records = records;
    return 0;
}

static void clear_recorded(record_t *self)
{
    for (size_t i = 0; i < self->recorded_count; i++) {
        recorded_t *recorded = &self->recorded[i];
        char *texts[] = {recorded->state,       recorded->worker,     recorded->machine_id,
                         recorded->boot_before, recorded->boot_after, recorded->outcome,
                         recorded->error,       recorded->proof,      recorded->command_end,
                         recorded->health};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            free(texts[k]);
    }
    free(self->recorded);
}

void records_clear(records_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        clear_recorded(&self->items[i]);
        free(self->items[i].proof);
        free(self->items[i].host);
        free(self->items[i].publisher);
        free(self->items[i].worker);
        free(self->items[i].error);
    }
    for (size_t i = 0; i < self->run_count; i++) {
        free(self->runs[i].input);
        free(self->runs[i].driver);
    }
    free(self->host);
    free(self->items);
    free(self->runs);
    *self = (records_t){0};
}

const run_t *records_run(const records_t *self, int64_t number)
{
    for (size_t i = 0; i < self->run_count; i++)
        if (self->runs[i].number == number)
            return &self->runs[i];
    return NULL;
}
