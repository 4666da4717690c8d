// See job_rows.h.

#include "job_rows.h"

#include <assert.h>
#include <stdlib.h>

#include "host.h"
#include "record_schema.h"

// An intent leaves alone what is on record, a settle completes an intent: its deliveries are the
// most of both, and its publisher is the first one. An odd row has no facts, and is left alone.
#define DELIVERIES FACT_BITS(FACT_DELIVERIES)
#define PUBLISHER  FACT_BITS(FACT_PUBLISHER)
#define COMPLETED                                                                                  \
    "max(facts & " DELIVERIES ", excluded.facts & " DELIVERIES ") | (facts & " PUBLISHER           \
    ") | (excluded.facts & ~(" DELIVERIES " | " PUBLISHER "))"
#define IS_INTENT "facts & " FACT_BITS(FACT_OUTCOME) " = 0"
#define SQL_WRITE                                                                                  \
    "INSERT INTO job_rows (" BATCH_TABLE_COLUMNS ") SELECT " BATCH_TABLE_COLUMNS                   \
    " FROM batch WHERE true ON CONFLICT (id) DO UPDATE SET"                                        \
    " took_ms = excluded.received_ms + excluded.took_ms - received_ms, facts = " COMPLETED         \
    ", error = excluded.error WHERE " IS_INTENT " AND excluded.took_ms IS NOT NULL"

#define RAISED FACT_WRITE("?2", FACT_DELIVERIES)
#define SQL_RAISE                                                                                  \
    "UPDATE job_rows SET facts = (facts & ~" DELIVERIES ") | " RAISED                              \
    " WHERE id = ?1 AND facts IS NOT NULL"
#define SQL_LOOK      RECORD_READ "id = ?1"
#define SQL_RAISE_ODD "UPDATE jobs SET deliveries = ?2 WHERE id = ?1"
#define SQL_ADD_ODD                                                                                \
    "INSERT INTO jobs (id, host, instance, publisher, received_ms, deliveries, settled_ms,"        \
    " attempts, extended, worker, outcome, error, proof)"                                          \
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
#define SQL_SETTLE_ODD                                                                             \
    "UPDATE jobs SET deliveries = max(deliveries, ?6), settled_ms = ?7, attempts = ?8,"            \
    " extended = ?9, worker = ?10, outcome = ?11, error = ?12, proof = ?13 WHERE id = ?1"

int job_rows_prepare(job_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX])
{
    self->sqlite = sqlite;
    batch_table_add(&self->batch, sqlite);
    const struct {
        const char *sql;
        sqlite3_stmt **statement;
    } statements[] = {{SQL_WRITE, &self->write},     {SQL_LOOK, &self->look},
                      {SQL_RAISE, &self->raise},     {SQL_RAISE_ODD, &self->raise_odd},
                      {SQL_ADD_ODD, &self->add_odd}, {SQL_SETTLE_ODD, &self->settle_odd}};
    int code = name_rows_prepare(&self->names, sqlite, error);
    for (size_t i = 0; code == 0 && i < sizeof statements / sizeof statements[0]; i++)
        code = mm_sqlite_prepare(sqlite, statements[i].sql, statements[i].statement, error);
    return code;
}

void job_rows_rolled_back(job_rows_t *self)
{
    name_rows_forget(&self->names);
}

void job_rows_clear(job_rows_t *self)
{
    name_rows_clear(&self->names);
    free(self->error);
    self->error = NULL;
}

// ---- facts

// Of another outcome than RESTARTED, or of an intent, there is none.
static mm_proof_t proof_of(const batch_row_t *row, const mm_task_t *task)
{
    bool is_restarted = row->settle != NULL && task->outcome == MM_OUTCOME_RESTARTED;
    return is_restarted ? row->proof : MM_PROOF_NONE;
}

// False: it does not fit.
static bool add_fact(int64_t *facts, int place, int64_t max, int64_t value)
{
    if (value < 0 || value > max)
        return false;
    *facts |= value << place;
    return true;
}

// Sets what becomes of the row, and its facts: 0 when a small row has no room for them.
static mm_sqlite_status_t set_facts(job_rows_t *self, batch_row_t *row)
{
    const mm_task_t *task = batch_row_task(row);
    bool is_settle = row->settle != NULL;
    row->before = MM_OUTCOME_NONE;
    row->after = is_settle ? task->outcome : MM_OUTCOME_NONE;
    row->facts = 0;
    int64_t facts = 0, publisher = 0, worker = 0;
    mm_sqlite_status_t status = name_rows_number(&self->names, task->publisher, &publisher);
    if (status == MM_SQLITE_OK && is_settle && task->worker.size > 0)
        status = name_rows_number(&self->names, task->worker, &worker);
    bool fits = add_fact(&facts, FACT_OUTCOME, row->after);
    fits &= add_fact(&facts, FACT_PROOF, proof_of(row, task));
    fits &= add_fact(&facts, FACT_ATTEMPTS, is_settle ? task->attempts : 0);
    fits &= add_fact(&facts, FACT_DELIVERIES, row->deliveries);
    fits &= add_fact(&facts, FACT_EXTENDED, is_settle ? task->extended : 0);
    fits &= add_fact(&facts, FACT_PUBLISHER, publisher);
    fits &= add_fact(&facts, FACT_WORKER, worker);
    fits &= row->received_ms >= -JOB_MS_MAX && row->received_ms <= JOB_MS_MAX;
    if (status == MM_SQLITE_OK && fits)
        row->facts = facts;
    return status;
}

// ---- writing

// Writes those with facts. *ret_left: not all of them.
static mm_sqlite_status_t write_small(job_rows_t *self, const batch_row_t *rows, size_t row_count,
                                      size_t count, int64_t now_ms, bool *ret_left)
{
    self->batch.rows = rows;
    self->batch.row_count = row_count;
    self->batch.now_ms = now_ms;
    mm_sqlite_status_t status = mm_sqlite_run(self->sqlite, self->write);
    *ret_left = status == MM_SQLITE_OK &&
                sqlite3_changes64(mm_sqlite_handle(self->sqlite)) != (sqlite3_int64)count;
    return status;
}

mm_sqlite_status_t job_rows_write_all(job_rows_t *self, batch_row_t *rows, size_t count,
                                      int64_t now_ms, bool *ret_left)
{
    size_t small = 0;
    *ret_left = false;
    for (size_t i = 0; i < count; i++) {
        rows[i].facts = 0;
        if (rows[i].has_attempts)
            continue;
        mm_sqlite_status_t status = set_facts(self, &rows[i]);
        *ret_left = rows[i].facts == 0;
        if (status != MM_SQLITE_OK || *ret_left)
            return status;
        small++;
    }
    return small == 0 ? MM_SQLITE_OK : write_small(self, rows, count, small, now_ms, ret_left);
}

static void bind_odd(sqlite3_stmt *statement, const batch_row_t *row, int64_t now_ms)
{
    const mm_task_t *task = batch_row_task(row);
    mm_sqlite_bind_id(statement, 1, &task->id);
    (void)sqlite3_bind_int64(statement, 6, row->deliveries);
    (void)sqlite3_bind_int64(statement, 7, now_ms);
    (void)sqlite3_bind_int64(statement, 8, task->attempts);
    (void)sqlite3_bind_int64(statement, 9, task->extended);
    mm_sqlite_bind_text_or_null(statement, 10, task->worker);
    mm_sqlite_bind_text(statement, 11, mm_str(mm_outcome_name(task->outcome)));
    mm_sqlite_bind_text_or_null(statement, 12, task->error);
    mm_proof_t proof = proof_of(row, task);
    mm_sqlite_bind_text_or_null(statement, 13,
                                mm_str(proof == MM_PROOF_NONE ? "" : mm_proof_name(proof)));
}

static mm_sqlite_status_t settle_odd(job_rows_t *self, const batch_row_t *row, int64_t now_ms)
{
    bind_odd(self->settle_odd, row, now_ms);
    return mm_sqlite_run(self->sqlite, self->settle_odd);
}

static mm_sqlite_status_t add_odd(job_rows_t *self, const batch_row_t *row, int64_t now_ms)
{
    sqlite3_stmt *add = self->add_odd;
    const mm_task_t *task = batch_row_task(row);
    if (row->settle != NULL)
        bind_odd(add, row, now_ms);
    else
        (void)sqlite3_clear_bindings(add);
    mm_sqlite_bind_id(add, 1, &task->id);
    mm_sqlite_bind_text(add, 2, task->host);
    mm_sqlite_bind_text(add, 3, mm_host_label(task->host));
    mm_sqlite_bind_text(add, 4, task->publisher);
    (void)sqlite3_bind_int64(add, 5, row->received_ms);
    (void)sqlite3_bind_int64(add, 6, row->deliveries);
    return mm_sqlite_run(self->sqlite, add);
}

static mm_sqlite_status_t run_raise(job_rows_t *self, sqlite3_stmt *raise, const batch_row_t *row)
{
    mm_sqlite_bind_id(raise, 1, &row->first->task.id);
    (void)sqlite3_bind_int64(raise, 2, row->deliveries);
    return mm_sqlite_run(self->sqlite, raise);
}

static mm_sqlite_status_t raise_deliveries(job_rows_t *self, const batch_row_t *row)
{
    int64_t facts = 0;
    if (add_fact(&facts, FACT_DELIVERIES, row->deliveries)) {
        mm_sqlite_status_t status = run_raise(self, self->raise, row);
        if (status != MM_SQLITE_OK || sqlite3_changes(mm_sqlite_handle(self->sqlite)) == 1)
            return status;
    }
    return run_raise(self, self->raise_odd, row);
}

// What is on record counts.
static mm_sqlite_status_t leave(job_rows_t *self, batch_row_t *row, mm_str_t *ret_error)
{
    mm_str_t outcome = mm_sqlite_column_text(self->look, RECORD_OUTCOME);
    row->before = outcome.size > 0 ? MM_OUTCOME_DEAD : MM_OUTCOME_NONE; // unless it says another
    (void)mm_outcome_parse(outcome, &row->before);
    row->after = row->before;
    if (row->before == MM_OUTCOME_DEAD || row->before == MM_OUTCOME_WITHDRAWN) {
        mm_str_replace(&self->error, mm_sqlite_column_text(self->look, RECORD_ERROR));
        *ret_error = mm_str(self->error);
    }
    bool is_higher = row->deliveries > sqlite3_column_int64(self->look, RECORD_DELIVERIES);
    (void)sqlite3_reset(self->look);
    return is_higher ? raise_deliveries(self, row) : MM_SQLITE_OK;
}

mm_sqlite_status_t job_rows_write(job_rows_t *self, batch_row_t *row, int64_t now_ms,
                                  bool *ret_left, mm_str_t *ret_error)
{
    bool is_written = false, has_row = false;
    *ret_left = false;
    *ret_error = mm_str("");
    mm_sqlite_status_t status = set_facts(self, row);
    if (status == MM_SQLITE_OK && row->facts != 0) {
        status = write_small(self, row, 1, 1, now_ms, ret_left);
        is_written = !*ret_left;
    }
    if (status != MM_SQLITE_OK || is_written)
        return status;
    mm_sqlite_bind_id(self->look, 1, &row->first->task.id);
    status = mm_sqlite_row(self->sqlite, self->look, &has_row);
    if (status != MM_SQLITE_OK)
        return status;
    assert(has_row || !*ret_left);
    bool is_open = has_row && sqlite3_column_type(self->look, RECORD_OUTCOME) == SQLITE_NULL;
    *ret_left = has_row && !(is_open && row->settle != NULL);
    if (*ret_left)
        return leave(self, row, ret_error);
    if (has_row)
        (void)sqlite3_reset(self->look);
    return has_row ? settle_odd(self, row, now_ms) : add_odd(self, row, now_ms);
}
