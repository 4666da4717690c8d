// See held_rows.h.

#include "held_rows.h"

#include "clock.h"
#include "crash.h"
#include "host_fold.h"
#include "record_schema.h"

#include <assert.h>

// host_fold(TEXT)
static void fold(sqlite3_context *context, int count, sqlite3_value **values)
{
    char folded[MM_HOST_MAX];
    const char *text = (const char *)sqlite3_value_text(values[0]);
    assert(count == 1);
    if (!text || mm_host_complaint(mm_str(text)))
        return; // NULL
    mm_str_t host = mm_host_fold(mm_str(text), folded);
    sqlite3_result_text(context, host.data, (int)host.size, SQLITE_TRANSIENT);
}

int held_rows_prepare(held_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX])
{
    self->sqlite = sqlite;
    int rc = sqlite3_create_function(mm_sqlite_handle(sqlite), "host_fold", 1,
                                     SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, fold, NULL, NULL);
    assert(rc == SQLITE_OK);
    int code = audit_rows_prepare(&self->audit, sqlite, error);
    if (code == 0)
        code = hold_rows_prepare(&self->holds, sqlite, error);
    if (code == 0)
        code = place_rows_prepare(&self->places, sqlite, error);
    if (code == 0)
        code = mm_sqlite_prepare(sqlite, RECORD_ABSOLVE_DEBTS, &self->absolve, error);
    return code;
}

// ---- tasks

// Of the mock without a policy nothing is told.
static bool is_told(const mm_task_t *task, const held_change_t *change)
{
    return change->has_attempts || (task->real != NULL && task->real->run != 0);
}

// Each begin; in a run with a policy also who frees or keeps a place, unless an outcome tells that.
static bool is_attempt_told(const mm_task_t *task, const held_change_t *change)
{
    if (!change->is_row_taken)
        return false;
    return task->real->row == MM_ROW_BEGUN ||
           (task->real->run != 0 && change->after == MM_OUTCOME_NONE);
}

mm_sqlite_status_t held_rows_apply(held_rows_t *self, const mm_task_t *task,
                                   const held_change_t *change, int64_t now_ms, uint64_t *ret_seq)
{
    mm_sqlite_status_t status = MM_SQLITE_OK;
    bool is_outcome = change->before == MM_OUTCOME_NONE && change->after != MM_OUTCOME_NONE;
    if (is_attempt_told(task, change))
        status = audit_rows_add_attempt(&self->audit, task, now_ms);
    if (status != MM_SQLITE_OK)
        return status;
    if (is_outcome && is_told(task, change))
        status = audit_rows_add_ended(&self->audit, task, change->proof, now_ms, ret_seq);
    else if (change->before != MM_OUTCOME_NONE)
        status = audit_rows_find(&self->audit, &task->id, ret_seq);
    if (status != MM_SQLITE_OK)
        return status;
    return place_rows_apply(&self->places, task, (place_change_t){change->is_row_taken, is_outcome},
                            now_ms);
}

// ---- orders

// NULL, or what keeps an order from being recorded.
static const char *complaint(const mm_order_t *order)
{
    bool is_bad = mm_action_is_of_host(order->action) && mm_host_complaint(order->name);
    return is_bad ? "it names no host" : NULL;
}

// Its place is free, and what it owes may be paid.
static mm_sqlite_status_t absolve(held_rows_t *self, mm_str_t host)
{
    char folded[MM_HOST_MAX];
    mm_str_t name = mm_host_fold(host, folded);
    mm_sqlite_status_t status = place_rows_absolve(&self->places, host);
    if (status != MM_SQLITE_OK)
        return status;
    (void)sqlite3_bind_text(self->absolve, 1, name.data, (int)name.size, SQLITE_STATIC);
    return mm_sqlite_run(self->sqlite, self->absolve);
}

static mm_sqlite_status_t record(held_rows_t *self, const mm_order_t *order, int64_t now_ms)
{
    bool is_new = false;
    mm_sqlite_status_t status = audit_rows_add_order(&self->audit, order, now_ms, &is_new);
    if (status != MM_SQLITE_OK || !is_new)
        return status;
    if (order->action == MM_ACTION_ABSOLVE)
        return absolve(self, order->name);
    return hold_rows_apply(&self->holds, order, now_ms);
}

mm_sqlite_status_t held_rows_order(held_rows_t *self, const mm_order_t *orders, size_t count,
                                   mm_recorded_t *ret_recorded)
{
    int64_t now_ms = mm_clock_wall_ms();
    audit_rows_begin(&self->audit);
    mm_sqlite_status_t status = mm_sqlite_begin(self->sqlite);
    for (size_t i = 0; i < count; i++) {
        ret_recorded[i] = (mm_recorded_t){orders[i].id, mm_str(complaint(&orders[i]))};
        if (status == MM_SQLITE_OK && ret_recorded[i].error.size == 0)
            status = record(self, &orders[i], now_ms);
    }
    MM_CRASH_POINT("store: before orders are committed");
    if (status == MM_SQLITE_OK)
        status = mm_sqlite_commit(self->sqlite);
    MM_CRASH_POINT("store: orders committed, not answered");
    if (status == MM_SQLITE_OK)
        audit_rows_committed(&self->audit);
    for (size_t i = 0; i < count; i++)
        if (status != MM_SQLITE_OK)
            ret_recorded[i].error = mm_str(mm_sqlite_error(self->sqlite));
    return status;
}

// ---- state

mm_sqlite_status_t held_rows_read(held_rows_t *self, uint64_t run, uint64_t from,
                                  store_page_t *ret_page)
{
    state_page_t *page = &self->page;
    state_page_empty(page);
    mm_sqlite_status_t status = hold_rows_page(&self->holds, from, mm_clock_wall_ms(), page);
    if (status == MM_SQLITE_OK)
        status = place_rows_page(&self->places, from, page);
    if (status == MM_SQLITE_OK)
        status = audit_rows_page(&self->audit, run, from, page);
    *ret_page =
        (store_page_t){.items = page->items, .count = page->count, .next = state_page_next(page)};
    return status;
}
