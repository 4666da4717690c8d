// The store in a SQLite file: one transaction per flush. Within a batch all tasks of
// one job become one row write: the whole row when one of them is a settle, else the intent. When
// one of them brings an attempt's row, they are written one after the other instead, and each is
// answered with what the former ones have left. It never changes an outcome (I4), and answers no
// settle before its commit (I2).

#include "stores.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "attempt_rows.h"
#include "batch.h"
#include "clock.h"
#include "crash.h"
#include "held_rows.h"
#include "host.h"
#include "record_schema.h"
#include "span.h"
#include "sqlite.h"

#define SQL_INTENT "INSERT INTO jobs (id, host, instance, publisher, received_ms, deliveries"
#define SQL_UNLESS " ON CONFLICT (id) DO NOTHING"
#define SQL_SETTLE                                                                                 \
    SQL_INTENT ", settled_ms, attempts, extended, worker, outcome, error, proof) VALUES"
#define SQL_COMPLETE                                                                               \
    " ON CONFLICT (id) DO UPDATE SET settled_ms = excluded.settled_ms,"                            \
    " outcome = excluded.outcome, attempts = excluded.attempts,"                                   \
    " deliveries = iif(deliveries > excluded.deliveries, deliveries, excluded.deliveries),"        \
    " extended = excluded.extended,"                                                               \
    " worker = excluded.worker, error = excluded.error, proof = excluded.proof"                    \
    " WHERE outcome IS NULL"

// What is written of a job. Nearly all are intents and rehearsed, so those bind the least.
typedef enum { KIND_INTENT, KIND_REHEARSED, KIND_SETTLED, KIND_COUNT } kind_t;

typedef struct {
    const char *head;
    const char *row;
    const char *tail;
    int columns; // to be bound
} kind_sql_t;

static const kind_sql_t sql_of[KIND_COUNT] = {
    [KIND_INTENT] = {SQL_INTENT ") VALUES", "(?, ?, ?, ?, ?, ?)", SQL_UNLESS, 6},
    [KIND_REHEARSED] = {SQL_SETTLE,
                        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'restarted', NULL, 'rehearsed')",
                        SQL_COMPLETE, 10},
    [KIND_SETTLED] = {SQL_SETTLE, "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", SQL_COMPLETE, 13},
};

// Rows written by one statement, most first: the more, the fewer instructions each (a third less).
static const size_t rows_of[] = {64, 8, 1};
#define SIZES    (sizeof rows_of / sizeof rows_of[0])
#define ROWS_MAX 64

#define SQL_LOOK  RECORD_READ "id = ?1"
#define SQL_RAISE "UPDATE jobs SET deliveries = ?2 WHERE id = ?1"

typedef struct {
    store_t base;
    mm_sqlite_t *sqlite;
    sqlite3_stmt *write[KIND_COUNT][SIZES];
    sqlite3_stmt *look;
    sqlite3_stmt *raise;
    attempt_rows_t attempts;
    held_rows_t held;

    batch_t batch;

    mm_result_t *answers;
    size_t answer_count;
    size_t answer_capacity;
    void **kept; // what the answers are made of
    size_t kept_count;
    size_t kept_capacity;
    bool is_taken; // the answers were given out: the next call drops them
    char error[MM_ERROR_MAX];
} sqlite_t;

static sqlite_t *sqlite_of(store_t *base)
{
    return (sqlite_t *)(void *)base;
}

static void drop_answers(sqlite_t *self)
{
    for (size_t i = 0; i < self->kept_count; i++)
        free(self->kept[i]);
    self->kept_count = 0;
    self->answer_count = 0;
    self->is_taken = false;
}

static void drop_taken(sqlite_t *self)
{
    if (self->is_taken)
        drop_answers(self);
}

// Zeroed memory that lives as long as the answers.
static void *keep(sqlite_t *self, size_t size)
{
    void *memory = calloc(1, size);
    assert(memory != NULL);
    *MM_ARRAY_ADD(self->kept, self->kept_count, self->kept_capacity) = memory;
    return memory;
}

static const char *keep_error(sqlite_t *self, mm_str_t error)
{
    return memcpy(keep(self, error.size + 1), error.data, error.size);
}

static void sqlite_put(store_t *base, const mm_task_t *task)
{
    sqlite_t *self = sqlite_of(base);
    assert(task->leg == MM_LEG_SAVE || task->leg == MM_LEG_SETTLE);
    assert(task->leg == MM_LEG_SAVE || task->outcome != MM_OUTCOME_NONE);
    MM_SPAN_COUNTED("keep task");
    drop_taken(self);
    batch_add(&self->batch, task);
}

static size_t sqlite_pending(const store_t *base)
{
    return ((const sqlite_t *)(const void *)base)->batch.item_count;
}

// ---- writing

// The columns of a row begin behind this one; the same for the next two.
static void bind_intent(sqlite3_stmt *statement, int column, const mm_task_t *task,
                        const batch_row_t *row)
{
    mm_sqlite_bind_id(statement, column + 1, &task->id);
    mm_sqlite_bind_text(statement, column + 2, task->host);
    mm_sqlite_bind_text(statement, column + 3, mm_host_label(task->host));
    mm_sqlite_bind_text(statement, column + 4, task->publisher);
    (void)sqlite3_bind_int64(statement, column + 5, row->received_ms);
    (void)sqlite3_bind_int64(statement, column + 6, row->deliveries);
}

static void bind_settle(sqlite3_stmt *statement, int column, const mm_task_t *task, int64_t now_ms)
{
    (void)sqlite3_bind_int64(statement, column + 7, now_ms);
    (void)sqlite3_bind_int64(statement, column + 8, task->attempts);
    (void)sqlite3_bind_int64(statement, column + 9, task->extended);
    mm_sqlite_bind_text_or_null(statement, column + 10, task->worker);
}

static void bind_outcome(sqlite3_stmt *statement, int column, const mm_task_t *task,
                         mm_proof_t proof)
{
    mm_sqlite_bind_text(statement, column + 11, mm_str(mm_outcome_name(task->outcome)));
    mm_sqlite_bind_text_or_null(statement, column + 12, task->error);
    bool has_proof = task->outcome == MM_OUTCOME_RESTARTED && proof != MM_PROOF_NONE;
    mm_sqlite_bind_text_or_null(statement, column + 13,
                                mm_str(has_proof ? mm_proof_name(proof) : ""));
}

// Rows of one kind differ in what is bound only. A plain settle is the mock's.
static kind_t kind_of(const batch_row_t *row)
{
    if (row->settle == NULL)
        return KIND_INTENT;
    const mm_task_t *task = &row->settle->task;
    bool is_rehearsed = !row->has_attempts && task->outcome == MM_OUTCOME_RESTARTED;
    return is_rehearsed && task->error.size == 0 ? KIND_REHEARSED : KIND_SETTLED;
}

// The write has left this row alone, so what is on record counts.
static mm_sqlite_status_t look_up(sqlite_t *self, batch_row_t *row)
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
    bool has_error = row->before == MM_OUTCOME_DEAD || row->before == MM_OUTCOME_WITHDRAWN;
    if (has_error && error.size > 0)
        row->error = keep_error(self, error);
    bool is_higher = row->deliveries > sqlite3_column_int64(self->look, RECORD_DELIVERIES);
    (void)sqlite3_reset(self->look);
    if (!is_higher)
        return MM_SQLITE_OK;
    mm_sqlite_bind_id(self->raise, 1, id);
    (void)sqlite3_bind_int64(self->raise, 2, row->deliveries);
    return mm_sqlite_run(self->sqlite, self->raise);
}

static mm_sqlite_status_t look_up_attempts(sqlite_t *self, batch_row_t *row, int64_t now_ms)
{
    attempts_found_t found;
    const mm_id_t *id = &row->first->task.id;
    mm_sqlite_status_t status = attempt_rows_read(&self->attempts, id, now_ms, &found);
    if (status == MM_SQLITE_OK && row->before != MM_OUTCOME_NONE)
        status = audit_rows_find(&self->held.audit, id, &found.real.seq);
    if (status != MM_SQLITE_OK || (found.real.row == MM_ROW_NONE && found.real.seq == 0))
        return status;
    attempts_found_t *kept = keep(self, sizeof *kept);
    *kept = found;
    attempts_found_moved(kept);
    row->found = &kept->real;
    return MM_SQLITE_OK;
}

// Writes as many rows as the statement of this size takes, all of one kind. It leaves alone what is
// on record: a single row is then looked up, of several *ret_left says that there are some.
static mm_sqlite_status_t write_rows(sqlite_t *self, batch_row_t *const *rows, size_t size,
                                     int64_t now_ms, bool *ret_left)
{
    kind_t kind = kind_of(rows[0]);
    bool is_settle = kind != KIND_INTENT;
    sqlite3_stmt *statement = self->write[kind][size];
    size_t count = rows_of[size];
    for (size_t i = 0; i < count; i++) {
        batch_row_t *row = rows[i];
        const mm_task_t *task = is_settle ? &row->settle->task : &row->first->task;
        int column = sql_of[kind].columns * (int)i;
        bind_intent(statement, column, task, row);
        if (is_settle)
            bind_settle(statement, column, task, now_ms);
        if (kind == KIND_SETTLED)
            bind_outcome(statement, column, task, row->proof);
        row->before = MM_OUTCOME_NONE;
        row->after = is_settle ? task->outcome : MM_OUTCOME_NONE;
    }
    mm_sqlite_status_t status = mm_sqlite_run(self->sqlite, statement);
    if (status != MM_SQLITE_OK || sqlite3_changes(mm_sqlite_handle(self->sqlite)) == (int)count)
        return status;
    *ret_left = count > 1;
    if (count > 1)
        return MM_SQLITE_OK;
    status = look_up(self, rows[0]);
    return status == MM_SQLITE_OK && !rows[0]->has_attempts
               ? look_up_attempts(self, rows[0], now_ms)
               : status;
}

static mm_sqlite_status_t write_one(sqlite_t *self, batch_row_t *row, int64_t now_ms)
{
    bool left = false;
    return write_rows(self, &row, SIZES - 1, now_ms, &left);
}

// Rows of one kind, by the largest statements that they fill.
static mm_sqlite_status_t write_waiting(sqlite_t *self, batch_row_t *const *rows, size_t count,
                                        int64_t now_ms, bool *ret_left)
{
    mm_sqlite_status_t status = MM_SQLITE_OK;
    for (size_t size = 0, i = 0; status == MM_SQLITE_OK && !*ret_left && i < count;)
        if (rows_of[size] > count - i) {
            size++;
        } else {
            status = write_rows(self, &rows[i], size, now_ms, ret_left);
            i += rows_of[size];
        }
    return status;
}

// Each kind apart. Each job has one row, so their order does not matter.
static mm_sqlite_status_t write_many(sqlite_t *self, int64_t now_ms, bool *ret_left)
{
    batch_row_t *waiting[KIND_COUNT][ROWS_MAX];
    size_t counts[KIND_COUNT] = {0};
    mm_sqlite_status_t status = MM_SQLITE_OK;
    for (size_t i = 0; status == MM_SQLITE_OK && !*ret_left && i < self->batch.row_count; i++) {
        if (self->batch.rows[i].has_attempts)
            continue;
        kind_t kind = kind_of(&self->batch.rows[i]);
        waiting[kind][counts[kind]++] = &self->batch.rows[i];
        if (counts[kind] < ROWS_MAX)
            continue;
        counts[kind] = 0;
        status = write_waiting(self, waiting[kind], ROWS_MAX, now_ms, ret_left);
    }
    for (size_t kind = 0; status == MM_SQLITE_OK && kind < KIND_COUNT; kind++)
        status = write_waiting(self, waiting[kind], counts[kind], now_ms, ret_left);
    return status;
}

static mm_sqlite_status_t write_one_by_one(sqlite_t *self, int64_t now_ms)
{
    mm_sqlite_status_t status = MM_SQLITE_OK;
    for (size_t i = 0; status == MM_SQLITE_OK && i < self->batch.row_count; i++)
        if (!self->batch.rows[i].has_attempts)
            status = write_one(self, &self->batch.rows[i], now_ms);
    return status;
}

static bool has_row(const mm_task_t *task)
{
    return task->real != NULL && task->real->row != MM_ROW_NONE;
}

// Of a job with attempts it is what the task's own row says, or the last one on record.
static mm_proof_t proof_of(const mm_task_t *task, const mm_real_t *found)
{
    if (task->real != NULL && (has_row(task) || task->real->proof != MM_PROOF_NONE))
        return task->real->proof;
    return found->row == MM_ROW_NONE ? MM_PROOF_REHEARSED : found->proof;
}

// A task by itself: what is on record of the attempts, then its job's row, then the attempt's, then
// what is told of both.
static mm_sqlite_status_t write_item(sqlite_t *self, batch_item_t *item, int64_t now_ms)
{
    const mm_task_t *task = &item->task;
    bool is_settle = task->leg == MM_LEG_SETTLE;
    batch_row_t row = {.first = item,
                       .settle = is_settle ? item : NULL,
                       .deliveries = task->deliveries,
                       .received_ms = task->received_ms,
                       .has_attempts = true};
    attempts_found_t *found = keep(self, sizeof *found);
    mm_sqlite_status_t status = attempt_rows_read(&self->attempts, &task->id, now_ms, found);
    row.proof = proof_of(task, &found->real);
    if (status == MM_SQLITE_OK)
        status = write_one(self, &row, now_ms);
    held_change_t change = {.has_attempts = has_row(task) || found->real.row != MM_ROW_NONE,
                            .before = row.before,
                            .after = row.after,
                            .proof = row.proof};
    if (status == MM_SQLITE_OK && has_row(task))
        status = attempt_rows_write(&self->attempts, task, now_ms, row.before != MM_OUTCOME_NONE,
                                    &change.is_row_taken);
    if (status == MM_SQLITE_OK)
        status = held_rows_apply(&self->held, task, &change, now_ms, &found->real.seq);
    mm_result_t *answer = keep(self, sizeof *answer);
    answer->outcome = is_settle ? row.after : row.before;
    answer->error = mm_str(row.error);
    bool is_told = found->real.row != MM_ROW_NONE || found->real.seq != 0;
    answer->real = is_told ? &found->real : NULL;
    item->answer = answer;
    return status;
}

static mm_sqlite_status_t write_attempts(sqlite_t *self, int64_t now_ms)
{
    mm_sqlite_status_t status = MM_SQLITE_OK;
    for (size_t i = 0; status == MM_SQLITE_OK && i < self->batch.item_count; i++)
        if (self->batch.items[i].row->has_attempts)
            status = write_item(self, &self->batch.items[i], now_ms);
    return status;
}

// In a record with attempts, a plain settle may be of a job that has some: then it is no rehearsal.
static void suspect_settles(batch_t *batch)
{
    for (size_t i = 0; i < batch->row_count; i++)
        batch->rows[i].has_attempts |= batch->rows[i].settle != NULL;
}

static mm_sqlite_status_t write_batch(sqlite_t *self)
{
    MM_SPAN("write rows");
    batch_sort(&self->batch);
    if (self->attempts.has_rows)
        suspect_settles(&self->batch);
    int64_t now_ms = mm_clock_wall_ms();
    audit_rows_begin(&self->held.audit);
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
    if (status == MM_SQLITE_OK)
        status = write_attempts(self, now_ms);
    MM_CRASH_POINT("store: before commit");
    if (status == MM_SQLITE_OK)
        status = mm_sqlite_commit(self->sqlite);
    MM_CRASH_POINT("store: committed, not answered");
    if (status == MM_SQLITE_OK)
        audit_rows_committed(&self->held.audit);
    return status;
}

static void answer_batch(sqlite_t *self, bool is_committed)
{
    mm_str_t failure = {0};
    if (!is_committed)
        failure = mm_str(keep_error(self, mm_str(self->error)));
    for (size_t i = 0; i < self->batch.item_count; i++) {
        const batch_item_t *item = &self->batch.items[i];
        const batch_row_t *row = item->row;
        mm_result_t *answer =
            MM_ARRAY_ADD(self->answers, self->answer_count, self->answer_capacity);
        *answer = (mm_result_t){0};
        if (!is_committed) {
            answer->status = MM_STATUS_FAILED;
            answer->error = failure;
        } else if (item->answer != NULL) {
            *answer = *item->answer;
        } else {
            bool is_early = row->settle == NULL || item < row->settle;
            answer->real = row->found;
            answer->outcome = is_early ? row->before : row->after;
            answer->error = mm_str(row->error);
        }
        answer->number = item->task.number;
        answer->leg = item->task.leg;
        answer->id = item->task.id;
    }
}

static bool sqlite_flush(store_t *base)
{
    sqlite_t *self = sqlite_of(base);
    drop_taken(self);
    if (self->batch.item_count == 0)
        return true;
    mm_sqlite_status_t status = write_batch(self);
    const char *error = status == MM_SQLITE_OK ? "" : mm_sqlite_error(self->sqlite);
    memcpy(self->error, error, strlen(error) + 1);
    if (status == MM_SQLITE_FATAL)
        return false;
    answer_batch(self, status == MM_SQLITE_OK);
    batch_empty(&self->batch);
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

static bool sqlite_check(store_t *base)
{
    sqlite_t *self = sqlite_of(base);
    if (mm_sqlite_check(self->sqlite) == MM_SQLITE_OK)
        return true;
    (void)snprintf(self->error, sizeof self->error, "%s", mm_sqlite_error(self->sqlite));
    return false;
}

static bool fails_for_good(sqlite_t *self, mm_sqlite_status_t status)
{
    const char *error = status == MM_SQLITE_OK ? "" : mm_sqlite_error(self->sqlite);
    (void)snprintf(self->error, sizeof self->error, "%s", error);
    return status == MM_SQLITE_FATAL;
}

static bool sqlite_order(store_t *base, const mm_order_t *orders, size_t count,
                         mm_recorded_t *ret_recorded)
{
    sqlite_t *self = sqlite_of(base);
    MM_SPAN("write orders");
    drop_taken(self);
    return !fails_for_good(self, held_rows_order(&self->held, orders, count, ret_recorded));
}

static bool sqlite_state(store_t *base, uint64_t run, uint64_t from, store_page_t *ret_page)
{
    sqlite_t *self = sqlite_of(base);
    MM_SPAN("read state");
    drop_taken(self);
    mm_sqlite_status_t status = held_rows_read(&self->held, run, from, ret_page);
    (void)fails_for_good(self, status);
    return status == MM_SQLITE_OK;
}

static const mm_audit_head_t *sqlite_head(const store_t *base)
{
    return &((const sqlite_t *)(const void *)base)->held.audit.head;
}

static const char *sqlite_error(const store_t *base)
{
    return ((const sqlite_t *)(const void *)base)->error;
}

// ---- opening and closing

static bool sqlite_close(store_t *base)
{
    sqlite_t *self = sqlite_of(base);
    bool is_kept = self->batch.item_count == 0 || (sqlite_flush(base) && self->error[0] == '\0');
    mm_sqlite_close(&self->sqlite);
    batch_clear(&self->batch);
    drop_answers(self);
    free(self->answers);
    free(self->kept);
    free(self);
    return is_kept;
}

static const store_ops_t sqlite_ops = {.close = sqlite_close,
                                       .put = sqlite_put,
                                       .pending = sqlite_pending,
                                       .flush = sqlite_flush,
                                       .answers = sqlite_answers,
                                       .check = sqlite_check,
                                       .order = sqlite_order,
                                       .state = sqlite_state,
                                       .head = sqlite_head,
                                       .error = sqlite_error};

static int prepare(sqlite_t *self, char error[MM_ERROR_MAX])
{
    int code = mm_sqlite_prepare(self->sqlite, SQL_LOOK, &self->look, error);
    if (code == 0)
        code = attempt_rows_prepare(&self->attempts, self->sqlite, error);
    if (code == 0)
        code = held_rows_prepare(&self->held, self->sqlite, error);
    if (code == 0)
        code = mm_sqlite_prepare(self->sqlite, SQL_RAISE, &self->raise, error);
    for (size_t i = 0; code == 0 && i < KIND_COUNT * SIZES; i++) {
        const kind_sql_t *sql = &sql_of[i / SIZES];
        code =
            mm_sqlite_prepare_rows(self->sqlite, sql->head, sql->row, sql->tail, rows_of[i % SIZES],
                                   &self->write[i / SIZES][i % SIZES], error);
    }
    return code;
}

int store_sqlite_open(const char *path, store_t **ret_self, char error[MM_ERROR_MAX])
{
    static const char *const upgrades[] = RECORD_UPGRADES;
    mm_sqlite_config_t config = {
        .path = path, .schema = RECORD_SCHEMA, .version = RECORD_VERSION, .upgrades = upgrades};
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
