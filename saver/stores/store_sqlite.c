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

#include "answers.h"
#include "array.h"
#include "attempt_rows.h"
#include "batch.h"
#include "clock.h"
#include "crash.h"
#include "held_rows.h"
#include "job_rows.h"
#include "record_schema.h"
#include "span.h"
#include "sqlite.h"

typedef struct {
    store_t base;
    mm_sqlite_t *sqlite;
    job_rows_t jobs;
    attempt_rows_t attempts;
    held_rows_t held;

    batch_t batch;

    answers_t answers;
    mm_recorded_t *recorded;
    size_t recorded_count;
    size_t recorded_capacity;
    store_page_t page;
    bool has_page;
    char error[MM_ERROR_MAX];
} sqlite_t;

static sqlite_t *sqlite_of(store_t *base)
{
    return (sqlite_t *)(void *)base;
}

static void sqlite_put(store_t *base, const mm_task_t *task)
{
    sqlite_t *self = sqlite_of(base);
    assert(task->leg == MM_LEG_SAVE || task->leg == MM_LEG_SETTLE);
    assert(task->leg == MM_LEG_SAVE || task->outcome != MM_OUTCOME_NONE);
    MM_SPAN_COUNTED("keep task");
    answers_drop_taken(&self->answers);
    batch_add(&self->batch, task);
}

static size_t sqlite_pending(const store_t *base)
{
    return ((const sqlite_t *)(const void *)base)->batch.item_count;
}

// ---- writing

static mm_sqlite_status_t look_up_attempts(sqlite_t *self, batch_row_t *row, int64_t now_ms)
{
    attempts_found_t found;
    const mm_id_t *id = &row->first->task.id;
    mm_sqlite_status_t status = attempt_rows_read(&self->attempts, id, now_ms, &found);
    if (status == MM_SQLITE_OK && row->before != MM_OUTCOME_NONE)
        status = audit_rows_find(&self->held.audit, id, &found.real.seq);
    if (status != MM_SQLITE_OK || (found.real.row == MM_ROW_NONE && found.real.seq == 0))
        return status;
    attempts_found_t *kept = answers_keep(&self->answers, sizeof *kept);
    *kept = found;
    attempts_found_moved(kept);
    row->found = &kept->real;
    return MM_SQLITE_OK;
}

static mm_sqlite_status_t write_one(sqlite_t *self, batch_row_t *row, int64_t now_ms)
{
    bool is_left = false;
    mm_str_t error = {0};
    mm_sqlite_status_t status = job_rows_write(&self->jobs, row, now_ms, &is_left, &error);
    if (error.size > 0)
        row->error = answers_keep_text(&self->answers, error);
    return status == MM_SQLITE_OK && is_left && !row->has_attempts
               ? look_up_attempts(self, row, now_ms)
               : status;
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
    attempts_found_t *found = answers_keep(&self->answers, sizeof *found);
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
    mm_result_t *answer = answers_keep(&self->answers, sizeof *answer);
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
        status =
            job_rows_write_all(&self->jobs, self->batch.rows, self->batch.row_count, now_ms, &left);
    if (status == MM_SQLITE_OK && left) { // mostly a redelivery: one by one tells which row it is
        mm_sqlite_rollback(self->sqlite);
        job_rows_rolled_back(&self->jobs);
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
    else
        job_rows_rolled_back(&self->jobs);
    return status;
}

static void answer_batch(sqlite_t *self, bool is_committed)
{
    mm_str_t failure = {0};
    if (!is_committed)
        failure = mm_str(answers_keep_text(&self->answers, mm_str(self->error)));
    for (size_t i = 0; i < self->batch.item_count; i++) {
        const batch_item_t *item = &self->batch.items[i];
        const batch_row_t *row = item->row;
        mm_result_t *answer =
            answers_add(&self->answers, &item->task, is_committed ? item->answer : NULL);
        if (!is_committed) {
            answer->status = MM_STATUS_FAILED;
            answer->error = failure;
        } else if (item->answer == NULL) {
            bool is_early = row->settle == NULL || item < row->settle;
            answer->real = row->found;
            answer->outcome = is_early ? row->before : row->after;
            answer->error = mm_str(row->error);
        }
    }
}

static bool sqlite_flush(store_t *base)
{
    sqlite_t *self = sqlite_of(base);
    answers_drop_taken(&self->answers);
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
    return answers_take(&sqlite_of(base)->answers, ret_answers);
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

static bool sqlite_order(store_t *base, const mm_order_t *orders, size_t count)
{
    sqlite_t *self = sqlite_of(base);
    MM_SPAN("write orders");
    answers_drop_taken(&self->answers);
    self->recorded =
        mm_array_reserve(self->recorded, &self->recorded_capacity, count, sizeof *self->recorded);
    mm_sqlite_status_t status = held_rows_order(&self->held, orders, count, self->recorded);
    self->recorded_count = status == MM_SQLITE_FATAL ? 0 : count;
    return !fails_for_good(self, status);
}

static size_t sqlite_recorded(store_t *base, const mm_recorded_t **ret_recorded)
{
    sqlite_t *self = sqlite_of(base);
    size_t count = self->recorded_count;
    answers_drop_taken(&self->answers);
    self->recorded_count = 0;
    *ret_recorded = self->recorded;
    return count;
}

static void sqlite_ask(store_t *base, const store_question_t *question)
{
    sqlite_t *self = sqlite_of(base);
    MM_SPAN("read state");
    answers_drop_taken(&self->answers);
    mm_sqlite_status_t status =
        held_rows_read(&self->held, question->run, question->from, &self->page);
    (void)fails_for_good(self, status);
    self->page.asked = *question;
    self->has_page = status == MM_SQLITE_OK;
}

static bool sqlite_page(store_t *base, store_page_t *ret_page)
{
    sqlite_t *self = sqlite_of(base);
    bool has_page = self->has_page;
    answers_drop_taken(&self->answers);
    self->has_page = false;
    *ret_page = self->page;
    return has_page;
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
    job_rows_clear(&self->jobs);
    batch_clear(&self->batch);
    answers_clear(&self->answers);
    free(self->recorded);
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
                                       .recorded = sqlite_recorded,
                                       .ask = sqlite_ask,
                                       .page = sqlite_page,
                                       .head = sqlite_head,
                                       .error = sqlite_error};

static int prepare(sqlite_t *self, char error[MM_ERROR_MAX])
{
    int code = job_rows_prepare(&self->jobs, self->sqlite, error);
    if (code == 0)
        code = attempt_rows_prepare(&self->attempts, self->sqlite, error);
    if (code == 0)
        code = held_rows_prepare(&self->held, self->sqlite, error);
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
