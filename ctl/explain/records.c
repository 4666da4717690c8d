// See records.h. The outbox is read before the record: a job that is settled in between is then
// found in both. The other way round it would be found in neither, as if it had been lost.

#include "records.h"
#include "array.h"
#include "ctl.h"
#include "outbox_schema.h"
#include "record_schema.h"
#include "record_reader.h"
#include "uuid.h"
#include "uuid_source.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

// The jobs of the chunks, settled or not.
#define SQL_OUTBOX      "SELECT " OUTBOX_JOB_ID ", value, run, " OUTBOX_PENDING OUTBOX_JOBS
#define SQL_OUTBOX_HOST SQL_OUTBOX "instr(hosts, '\"' || ?1 || '\"') AND value = ?1"
#define SQL_OUTBOX_ID   SQL_OUTBOX "instr(ids, ?1) AND " OUTBOX_JOB_ID " = ?1"

typedef struct {
    records_t *records;
    mm_reader_t *outbox; // NULL: there is none; the same for the other
    mm_reader_t *store;
    char *error;
} databases_t;

// NULL: there is no text.
static char *copy_column(const mm_rows_t *row, int column)
{
    return mm_rows_text(row, column).size > 0 ? mm_rows_copy(row, column) : NULL;
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

static bool parse_pending(void *arg, const mm_rows_t *row)
{
    records_t *self = arg;
    mm_id_t id = mm_rows_id(row, 0);
    record_t *record = find(self, &id);
    if (!record->host)
        record->host = copy_column(row, 1);
    record->run = mm_rows_number(row, 2);
    record->is_pending = mm_rows_number(row, 3) != 0;
    return true;
}

static bool parse_run(void *arg, const mm_rows_t *row)
{
    records_t *self = arg;
    *MM_ARRAY_ADD(self->runs, self->run_count, self->run_capacity) =
        (run_t){.number = mm_rows_number(row, OUTBOX_RUN_NUMBER),
                .input = copy_column(row, OUTBOX_RUN_INPUT),
                .driver = copy_column(row, OUTBOX_RUN_DRIVER),
                .started_ms = mm_rows_number(row, OUTBOX_RUN_STARTED_MS),
                .finished_ms = mm_rows_number(row, OUTBOX_RUN_FINISHED_MS),
                .is_read = mm_rows_number(row, OUTBOX_RUN_SOURCE_DONE) != 0};
    return true;
}

static bool parse_recorded(void *arg, const mm_rows_t *row)
{
    records_t *self = arg;
    mm_id_t id = mm_rows_id(row, RECORD_ID);
    record_t *record = find(self, &id);
    if (record->is_recorded)
        return true;
    record->is_recorded = true;
    if (!record->host)
        record->host = copy_column(row, RECORD_HOST);
    record->publisher = copy_column(row, RECORD_PUBLISHER);
    record->received_ms = mm_rows_number(row, RECORD_RECEIVED_MS);
    record->settled_ms = mm_rows_number(row, RECORD_SETTLED_MS);
    (void)mm_outcome_parse(mm_rows_text(row, RECORD_OUTCOME), &record->outcome);
    record->attempts = mm_rows_number(row, RECORD_ATTEMPTS);
    record->deliveries = mm_rows_number(row, RECORD_DELIVERIES);
    record->extended = mm_rows_number(row, RECORD_EXTENDED);
    record->worker = copy_column(row, RECORD_WORKER);
    record->error = copy_column(row, RECORD_ERROR);
    record->proof = copy_column(row, RECORD_PROOF_NAME);
    return true;
}

static bool parse_attempt(void *arg, const mm_rows_t *row)
{
    records_t *self = arg;
    mm_id_t id = mm_rows_id(row, ATTEMPTS_JOB);
    record_t *record = find(self, &id);
    bool has_exit = mm_rows_type(row, ATTEMPTS_EXIT) != MM_COLUMN_NULL;
    *MM_ARRAY_ADD(record->recorded, record->recorded_count, record->recorded_capacity) =
        (recorded_t){.number = mm_rows_number(row, ATTEMPTS_NUMBER),
                     .state = copy_column(row, ATTEMPTS_STATE),
                     .worker = copy_column(row, ATTEMPTS_WORKER),
                     .began_ms = mm_rows_number(row, ATTEMPTS_BEGAN_MS),
                     .ended_ms = mm_rows_number(row, ATTEMPTS_ENDED_MS),
                     .machine_id = copy_column(row, ATTEMPTS_MACHINE_ID),
                     .boot_before = copy_column(row, ATTEMPTS_BOOT_BEFORE),
                     .boot_after = copy_column(row, ATTEMPTS_BOOT_AFTER),
                     .exit = has_exit ? mm_rows_number(row, ATTEMPTS_EXIT) : -1,
                     .outcome = copy_column(row, ATTEMPTS_OUTCOME),
                     .error = copy_column(row, ATTEMPTS_ERROR),
                     .proof = copy_column(row, ATTEMPTS_PROOF),
                     .command = mm_rows_number(row, ATTEMPTS_COMMAND),
                     .command_end = copy_column(row, ATTEMPTS_COMMAND_END),
                     .health = copy_column(row, ATTEMPTS_HEALTH),
                     .owes = mm_rows_number(row, ATTEMPTS_OWES) != 0};
    return true;
}

// Runs a query whose parameter, if it has one, is an id or a host, and parses each row.
static int query(const databases_t *in, mm_reader_t *reader, const char *sql, const mm_id_t *id,
                 const char *host, mm_row_fn *parse)
{
    mm_rows_t *rows = NULL;
    int code = mm_reader_rows(reader, sql, &rows, in->error);
    if (code != 0)
        return code;
    if (id)
        mm_rows_bind_id(rows, 1, id);
    else if (host)
        mm_rows_bind_text(rows, 1, mm_str(host));
    return mm_rows_each(&rows, parse, in->records, in->error);
}

static bool parse_host(void *arg, const mm_rows_t *row)
{
    records_t *self = arg;
    assert(!self->host);
    self->host = copy_column(row, RECORD_HOST);
    return true;
}

static int read_attempts(const databases_t *in)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < in->records->count; i++) {
        mm_id_t id = in->records->items[i].id;
        if (in->records->items[i].is_recorded)
            code = query(in, in->store, RECORD_READ_ATTEMPTS, &id, NULL, parse_attempt);
    }
    return code;
}

// Reads the jobs of the host that is asked for, or of the job's host, which the record mostly has.
// The record may be of version 1, as long as no saver has worked on it since.
static int read_jobs(const records_query_t *what, const databases_t *in)
{
    records_t *records = in->records;
    bool is_old = in->store && mm_reader_version(in->store) == 1;
    const char *job_sql = is_old ? RECORD_READ_1 "id = ?1" : RECORD_READ "id = ?1";
    const char *host_sql = is_old ? RECORD_READ_1 "host = ?1" : RECORD_READ "host = ?1";
    const mm_id_t *id = what->id;
    int code = 0;
    if (id && in->store)
        code = query(in, in->store, job_sql, id, NULL, parse_host);
    if (code == 0 && in->outbox)
        code = query(in, in->outbox, OUTBOX_READ_RUN " ORDER BY run", NULL, NULL, parse_run);
    if (code == 0 && id && in->outbox)
        code = query(in, in->outbox, SQL_OUTBOX_ID, id, NULL, parse_pending);
    if (!records->host && (what->host || records->count > 0)) {
        records->host = strdup(what->host ? what->host : records->items[0].host);
        assert(records->host);
    }
    if (code == 0 && records->host && in->outbox)
        code = query(in, in->outbox, SQL_OUTBOX_HOST, NULL, records->host, parse_pending);
    if (code == 0 && records->host && in->store)
        code = query(in, in->store, host_sql, NULL, records->host, parse_recorded);
    return code == 0 && in->store && !is_old ? read_attempts(in) : code;
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
    char outbox[PATH_MAX];
    struct stat status;
    if (stat(what->dir, &status) != 0) {
        (void)ctl_error(error,
                        "cannot look into '%s': %s; name the folder of the pipeline with --dir",
                        what->dir, strerror(errno));
        return EX_NOINPUT;
    }
    (void)snprintf(outbox, sizeof outbox, "%s/outbox.db", what->dir);
    databases_t in = {.records = records, .error = error};
    mm_reader_config_t of_outbox = {.where = outbox, .version = OUTBOX_VERSION};
    mm_reader_config_t of_store = {.where = what->db, .version = RECORD_VERSION, .oldest = 1};
    int code = mm_reader_open_if_there(&of_outbox, &in.outbox, error);
    if (code == 0)
        code = mm_reader_open_if_there(&of_store, &in.store, error);
    if (code == 0 && !in.outbox && !in.store) {
        (void)ctl_error(error,
                        "no pipeline has worked in '%s': there is neither '%s' nor '%s'; name its "
                        "folder with --dir",
                        what->dir, outbox, what->db);
        return EX_NOINPUT;
    }
    if (code == 0)
        code = read_jobs(what, &in);
    mm_reader_close(&in.outbox);
    mm_reader_close(&in.store);
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
