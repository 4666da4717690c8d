// The store in a SQLite file: one table, one transaction per flush. Within a batch all tasks of one
// job become one row write: the whole row when one of them is a settle, else the intent. It never
// changes an outcome (I4), and answers no settle before its commit (I2).

#include "stores.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "clock.h"
#include "crash.h"
#include "host.h"
#include "record_schema.h"
#include "span.h"
#include "sqlite.h"
#include "table.h"
#include "uuid.h"

#define SQL_SAVE     "INSERT INTO jobs (id, host, instance, publisher, received_ms, deliveries) VALUES"
#define SAVE_ROW     "(?, ?, ?, ?, ?, ?)"
#define SAVE_COLUMNS 6
#define SQL_UNLESS   " ON CONFLICT (id) DO NOTHING"

#define SQL_SETTLE                                                                                 \
    "INSERT INTO jobs (id, host, instance, publisher, received_ms, deliveries, settled_ms,"        \
    " outcome, attempts, extended, worker, error) VALUES"
#define SETTLE_ROW     "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define SETTLE_COLUMNS 12
#define SQL_COMPLETE                                                                               \
    " ON CONFLICT (id) DO UPDATE SET settled_ms = excluded.settled_ms,"                            \
    " outcome = excluded.outcome, attempts = excluded.attempts,"                                   \
    " deliveries = max(deliveries, excluded.deliveries), extended = excluded.extended,"            \
    " worker = excluded.worker, error = excluded.error WHERE outcome IS NULL"

#define ROWS 16 // written by one statement: a fifth of the instructions less

#define SQL_LOOK  RECORD_READ "id = ?1"
#define SQL_RAISE "UPDATE jobs SET deliveries = ?2 WHERE id = ?1"

// A task of the batch. Its texts are in the batch's bytes; flush sets their pointers.
typedef struct {
    mm_task_t task;
    struct row *row; // set by flush
} item_t;

// All tasks of one job in the batch.
typedef struct row {
    const item_t *first;
    const item_t *settle; // the first settle among them, which is the one that counts (R9), or NULL
    uint32_t deliveries;
    int64_t received_ms;
    mm_outcome_t before; // on record before the batch
    mm_outcome_t after;  // on record after it
    const char *error;   // of an outcome that was on record before, or NULL
} row_t;

typedef struct {
    store_t base;
    mm_sqlite_t *sqlite;
    sqlite3_stmt *save[2]; // one row, ROWS rows
    sqlite3_stmt *settle[2];
    sqlite3_stmt *look;
    sqlite3_stmt *raise;

    item_t *items; // the batch
    size_t item_count;
    size_t item_capacity;
    char *bytes; // the texts of its tasks, in order
    size_t byte_count;
    size_t byte_capacity;
    row_t *rows; // made of the batch by flush
    size_t row_count;
    size_t row_capacity;
    mm_table_t row_of; // the rows by job

    mm_result_t *answers;
    size_t answer_count;
    size_t answer_capacity;
    char **errors; // what the answers point to
    size_t error_count;
    size_t error_capacity;
    bool is_taken; // the answers were given out: the next call drops them
    char error[MM_ERROR_MAX];
} sqlite_t;

static sqlite_t *sqlite_of(store_t *base)
{
    return (sqlite_t *)(void *)base;
}

static void drop_answers(sqlite_t *self)
{
    for (size_t i = 0; i < self->error_count; i++)
        free(self->errors[i]);
    self->error_count = 0;
    self->answer_count = 0;
    self->is_taken = false;
}

// ---- the batch

static void drop_taken(sqlite_t *self)
{
    if (self->is_taken)
        drop_answers(self);
}

// A copy that lives as long as the answers.
static const char *keep_error(sqlite_t *self, mm_str_t error)
{
    char *copy = strndup(error.data, error.size);
    assert(copy != NULL);
    *MM_ARRAY_ADD(self->errors, self->error_count, self->error_capacity) = copy;
    return copy;
}

// Appends a text's bytes. They may move later, so place sets the pointers, in the same order.
static void keep(sqlite_t *self, mm_str_t text)
{
    if (text.size == 0)
        return;
    self->bytes =
        mm_array_reserve(self->bytes, &self->byte_capacity, self->byte_count + text.size, 1);
    memcpy(self->bytes + self->byte_count, text.data, text.size);
    self->byte_count += text.size;
}

static void place(sqlite_t *self)
{
    const char *next = self->bytes;
    for (size_t i = 0; i < self->item_count; i++) {
        mm_task_t *task = &self->items[i].task;
        mm_str_t *texts[] = {&task->host, &task->publisher, &task->worker, &task->error};
        for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++) {
            texts[j]->data = next;
            next += texts[j]->size;
        }
    }
}

static bool is_of_job(const void *row, const void *id)
{
    return mm_id_equal(&((const row_t *)row)->first->task.id, id);
}

static void add_to_row(sqlite_t *self, item_t *item)
{
    const mm_task_t *task = &item->task;
    uint64_t hash = mm_id_hash(&task->id);
    row_t *row = mm_table_find(&self->row_of, hash, is_of_job, &task->id);
    if (row == NULL) {
        row = &self->rows[self->row_count++];
        *row = (row_t){.first = item, .received_ms = INT64_MAX};
        mm_table_add(&self->row_of, hash, row);
    }
    if (task->leg == MM_LEG_SETTLE && row->settle == NULL)
        row->settle = item;
    if (task->deliveries > row->deliveries)
        row->deliveries = task->deliveries;
    if (task->received_ms < row->received_ms)
        row->received_ms = task->received_ms;
    item->row = row;
}

// Sorts the tasks into rows, in order of arrival of their jobs.
static void make_rows(sqlite_t *self)
{
    place(self);
    mm_table_empty(&self->row_of);
    self->row_count = 0;
    self->rows =
        mm_array_reserve(self->rows, &self->row_capacity, self->item_count, sizeof *self->rows);
    for (size_t i = 0; i < self->item_count; i++)
        add_to_row(self, &self->items[i]);
}

static void sqlite_put(store_t *base, const mm_task_t *task)
{
    sqlite_t *self = sqlite_of(base);
    assert(task->leg == MM_LEG_SAVE || task->leg == MM_LEG_SETTLE);
    assert(task->leg == MM_LEG_SAVE || task->outcome != MM_OUTCOME_NONE);
    MM_SPAN_COUNTED("keep task");
    drop_taken(self);
    MM_ARRAY_ADD(self->items, self->item_count, self->item_capacity)->task = *task;
    keep(self, task->host);
    keep(self, task->publisher);
    keep(self, task->worker);
    keep(self, task->error);
}

static size_t sqlite_pending(const store_t *base)
{
    return ((const sqlite_t *)(const void *)base)->item_count;
}

// ---- writing

// The columns of a row begin behind this one; the same for bind_settle.
static void bind_intent(sqlite3_stmt *statement, int column, const mm_task_t *task,
                        const row_t *row)
{
    mm_sqlite_bind_id(statement, column + 1, &task->id);
    mm_sqlite_bind_text(statement, column + 2, task->host);
    mm_sqlite_bind_text(statement, column + 3, mm_host_label(task->host));
    mm_sqlite_bind_text(statement, column + 4, task->publisher);
    (void)sqlite3_bind_int64(statement, column + 5, row->received_ms);
    (void)sqlite3_bind_int64(statement, column + 6, row->deliveries);
}

static void bind_or_null(sqlite3_stmt *statement, int index, mm_str_t text)
{
    if (text.size > 0)
        mm_sqlite_bind_text(statement, index, text);
    else
        (void)sqlite3_bind_null(statement, index);
}

static void bind_settle(sqlite3_stmt *statement, int column, const mm_task_t *task, int64_t now_ms)
{
    (void)sqlite3_bind_int64(statement, column + 7, now_ms);
    mm_sqlite_bind_text(statement, column + 8, mm_str(mm_outcome_name(task->outcome)));
    (void)sqlite3_bind_int64(statement, column + 9, task->attempts);
    (void)sqlite3_bind_int64(statement, column + 10, task->extended);
    bind_or_null(statement, column + 11, task->worker);
    bind_or_null(statement, column + 12, task->error);
}

// The write has left this row alone, so what is on record counts.
static mm_sqlite_status_t look_up(sqlite_t *self, row_t *row)
{
    const mm_id_t *id = &row->first->task.id;
    mm_sqlite_bind_id(self->look, 1, id);
    bool has_row = false;
    mm_sqlite_status_t status = mm_sqlite_row(self->sqlite, self->look, &has_row);
    if (status != MM_SQLITE_OK)
        return status;
    assert(has_row);
    mm_str_t outcome = mm_sqlite_column_text(self->look, RECORD_OUTCOME);
    row->before = outcome.size > 0 ? MM_OUTCOME_DEAD : MM_OUTCOME_NONE; // unless it says another
    (void)mm_outcome_parse(outcome, &row->before);
    row->after = row->before;
    mm_str_t error = mm_sqlite_column_text(self->look, RECORD_ERROR);
    if (row->before == MM_OUTCOME_DEAD && error.size > 0)
        row->error = keep_error(self, error);
    bool is_higher = row->deliveries > sqlite3_column_int64(self->look, RECORD_DELIVERIES);
    (void)sqlite3_reset(self->look);
    if (!is_higher)
        return MM_SQLITE_OK;
    mm_sqlite_bind_id(self->raise, 1, id);
    (void)sqlite3_bind_int64(self->raise, 2, row->deliveries);
    return mm_sqlite_run(self->sqlite, self->raise);
}

// Writes `count` rows, one or ROWS, which are all settles or all intents. The statement leaves
// alone what is on record: a single row is then looked up, of several *ret_left says that there are
// some.
static mm_sqlite_status_t write_rows(sqlite_t *self, row_t *const *rows, size_t count,
                                     int64_t now_ms, bool *ret_left)
{
    bool is_settle = rows[0]->settle != NULL;
    sqlite3_stmt *statement = (is_settle ? self->settle : self->save)[count > 1];
    for (size_t i = 0; i < count; i++) {
        row_t *row = rows[i];
        const mm_task_t *task = is_settle ? &row->settle->task : &row->first->task;
        int column = (is_settle ? SETTLE_COLUMNS : SAVE_COLUMNS) * (int)i;
        bind_intent(statement, column, task, row);
        if (is_settle)
            bind_settle(statement, column, task, now_ms);
        row->before = MM_OUTCOME_NONE;
        row->after = is_settle ? task->outcome : MM_OUTCOME_NONE;
    }
    mm_sqlite_status_t status = mm_sqlite_run(self->sqlite, statement);
    if (status != MM_SQLITE_OK || sqlite3_changes(mm_sqlite_handle(self->sqlite)) == (int)count)
        return status;
    *ret_left = count > 1;
    return count > 1 ? MM_SQLITE_OK : look_up(self, rows[0]);
}

// Settles and intents apart, ROWS at a time and the rest one by one. Each job has one row, so their
// order does not matter.
static mm_sqlite_status_t write_many(sqlite_t *self, int64_t now_ms, bool *ret_left)
{
    row_t *waiting[2][ROWS];
    size_t counts[2] = {0};
    mm_sqlite_status_t status = MM_SQLITE_OK;
    for (size_t i = 0; status == MM_SQLITE_OK && !*ret_left && i < self->row_count; i++) {
        size_t kind = self->rows[i].settle != NULL;
        waiting[kind][counts[kind]++] = &self->rows[i];
        if (counts[kind] < ROWS)
            continue;
        counts[kind] = 0;
        status = write_rows(self, waiting[kind], ROWS, now_ms, ret_left);
    }
    for (size_t kind = 0; kind < 2; kind++)
        for (size_t i = 0; status == MM_SQLITE_OK && !*ret_left && i < counts[kind]; i++)
            status = write_rows(self, &waiting[kind][i], 1, now_ms, ret_left);
    return status;
}

static mm_sqlite_status_t write_one_by_one(sqlite_t *self, int64_t now_ms)
{
    mm_sqlite_status_t status = MM_SQLITE_OK;
    bool left = false;
    for (size_t i = 0; status == MM_SQLITE_OK && i < self->row_count; i++)
        status = write_rows(self, &(row_t *){&self->rows[i]}, 1, now_ms, &left);
    return status;
}

static mm_sqlite_status_t write_batch(sqlite_t *self)
{
    MM_SPAN("write rows");
    make_rows(self);
    int64_t now_ms = mm_clock_wall_ms();
    mm_sqlite_status_t status = mm_sqlite_begin(self->sqlite);
    bool left = false;
    if (status == MM_SQLITE_OK)
        status = write_many(self, now_ms, &left);
    if (left) { // a redelivery, which is rare: one by one tells which row it is
        mm_sqlite_rollback(self->sqlite);
        status = mm_sqlite_begin(self->sqlite);
        if (status == MM_SQLITE_OK)
            status = write_one_by_one(self, now_ms);
    }
    MM_CRASH_POINT("store: before commit");
    if (status == MM_SQLITE_OK)
        status = mm_sqlite_commit(self->sqlite);
    MM_CRASH_POINT("store: committed, not answered");
    return status;
}

static void answer_batch(sqlite_t *self, bool is_committed)
{
    mm_str_t failure = {0};
    if (!is_committed)
        failure = mm_str(keep_error(self, mm_str(self->error)));
    for (size_t i = 0; i < self->item_count; i++) {
        const item_t *item = &self->items[i];
        const row_t *row = item->row;
        mm_result_t *answer =
            MM_ARRAY_ADD(self->answers, self->answer_count, self->answer_capacity);
        *answer =
            (mm_result_t){.number = item->task.number, .leg = item->task.leg, .id = item->task.id};
        if (!is_committed) {
            answer->status = MM_STATUS_FAILED;
            answer->error = failure;
        } else {
            bool is_early = row->settle == NULL || item < row->settle;
            answer->outcome = is_early ? row->before : row->after;
            answer->error = mm_str(row->error);
        }
    }
}

static bool sqlite_flush(store_t *base)
{
    sqlite_t *self = sqlite_of(base);
    drop_taken(self);
    if (self->item_count == 0)
        return true;
    mm_sqlite_status_t status = write_batch(self);
    const char *error = status == MM_SQLITE_OK ? "" : mm_sqlite_error(self->sqlite);
    memcpy(self->error, error, strlen(error) + 1);
    if (status == MM_SQLITE_FATAL)
        return false;
    answer_batch(self, status == MM_SQLITE_OK);
    self->item_count = 0;
    self->byte_count = 0;
    return true;
}

static size_t sqlite_answers(store_t *base, const mm_result_t **ret_answers)
{
    sqlite_t *self = sqlite_of(base);
    drop_taken(self);
    self->is_taken = true;
    *ret_answers = self->answers;
    return self->answer_count;
}

static const char *sqlite_error(const store_t *base)
{
    return ((const sqlite_t *)(const void *)base)->error;
}

// ---- opening and closing

static bool sqlite_close(store_t *base)
{
    sqlite_t *self = sqlite_of(base);
    bool is_kept = self->item_count == 0 || (sqlite_flush(base) && self->error[0] == '\0');
    mm_sqlite_close(&self->sqlite);
    mm_table_clear(&self->row_of);
    free(self->items);
    free(self->bytes);
    free(self->rows);
    drop_answers(self);
    free(self->answers);
    free(self->errors);
    free(self);
    return is_kept;
}

static const store_ops_t sqlite_ops = {.close = sqlite_close,
                                       .put = sqlite_put,
                                       .pending = sqlite_pending,
                                       .flush = sqlite_flush,
                                       .answers = sqlite_answers,
                                       .error = sqlite_error};

static int prepare(sqlite_t *self, char error[MM_ERROR_MAX])
{
    int code = mm_sqlite_prepare(self->sqlite, SQL_LOOK, &self->look, error);
    if (code == 0)
        code = mm_sqlite_prepare(self->sqlite, SQL_RAISE, &self->raise, error);
    for (size_t i = 0; code == 0 && i < 2; i++) {
        size_t rows = i == 0 ? 1 : ROWS;
        code = mm_sqlite_prepare_rows(self->sqlite, SQL_SAVE, SAVE_ROW, SQL_UNLESS, rows,
                                      &self->save[i], error);
        if (code == 0)
            code = mm_sqlite_prepare_rows(self->sqlite, SQL_SETTLE, SETTLE_ROW, SQL_COMPLETE, rows,
                                          &self->settle[i], error);
    }
    return code;
}

int store_sqlite_open(const char *path, store_t **ret_self, char error[MM_ERROR_MAX])
{
    mm_sqlite_config_t config = {.path = path, .schema = RECORD_SCHEMA, .version = RECORD_VERSION};
    sqlite_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    self->base.ops = &sqlite_ops;
    int code = mm_sqlite_open(&config, &self->sqlite, error);
    if (code == 0)
        code = prepare(self, error);
    if (code != 0) {
        (void)sqlite_close(&self->base);
        return code;
    }
    *ret_self = &self->base;
    return 0;
}
