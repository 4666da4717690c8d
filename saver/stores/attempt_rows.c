// See attempt_rows.h.

#include "attempt_rows.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "record_schema.h"

// Ids and health stay once the attempt has begun; a missing one may still come. What is known of
// the command stays when the attempt ends by a look. A success that was heard late ends it anew.
#define SQL_WRITE                                                                                  \
    "INSERT INTO attempts (job, attempt, state, worker, began_ms, ended_ms, machine_id,"           \
    " boot_before, boot_after, control, exit, outcome, error, proof, command, command_end,"        \
    " first_boot_ms, deadline_boot_ms, health, owes, debt) VALUES"                                 \
    " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?21," \
    " ?22)"                                                                                        \
    " ON CONFLICT (job, attempt) DO UPDATE SET state = excluded.state,"                            \
    " worker = coalesce(excluded.worker, worker),"                                                 \
    " began_ms = coalesce(began_ms, excluded.began_ms), ended_ms = excluded.ended_ms,"             \
    " machine_id = iif(began_ms IS NULL, coalesce(excluded.machine_id, machine_id),"               \
    " coalesce(machine_id, excluded.machine_id)),"                                                 \
    " boot_before = iif(began_ms IS NULL, coalesce(excluded.boot_before, boot_before),"            \
    " coalesce(boot_before, excluded.boot_before)),"                                               \
    " health = iif(began_ms IS NULL, coalesce(excluded.health, health),"                           \
    " coalesce(health, excluded.health)),"                                                         \
    " boot_after = coalesce(excluded.boot_after, boot_after), control = excluded.control,"         \
    " exit = coalesce(excluded.exit, iif(excluded.state = 'ended', exit, NULL)),"                  \
    " outcome = excluded.outcome,"                                                                 \
    " error = coalesce(excluded.error, iif(excluded.state = 'ended', error, NULL)),"               \
    " proof = excluded.proof, command = excluded.command,"                                         \
    " command_end = iif(excluded.state = 'ended', command_end, excluded.command_end),"             \
    " first_boot_ms = excluded.first_boot_ms, deadline_boot_ms = excluded.deadline_boot_ms,"       \
    " owes = coalesce(excluded.owes, iif(owes IS NULL, NULL, 0)), debt = excluded.debt"            \
    " WHERE state <> 'ended' OR (?20 AND excluded.outcome = 'restarted' AND outcome <> "           \
    "'restarted')"

#define SQL_ANY "SELECT 1 FROM attempts LIMIT 1"

int attempt_rows_prepare(attempt_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX])
{
    *self = (attempt_rows_t){.sqlite = sqlite};
    int code = mm_sqlite_prepare(sqlite, RECORD_READ_ATTEMPTS, &self->read, error);
    if (code == 0)
        code = mm_sqlite_prepare(sqlite, SQL_WRITE, &self->write, error);
    sqlite3_stmt *any = NULL;
    if (code == 0)
        code = mm_sqlite_prepare(sqlite, SQL_ANY, &any, error);
    if (code == 0 && mm_sqlite_row(sqlite, any, &self->has_rows) == MM_SQLITE_OK)
        (void)sqlite3_reset(any);
    return code;
}

// ---- reading

static bool is_null(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL;
}

static void parse_last(sqlite3_stmt *row, attempts_found_t *found)
{
    mm_str_t outcome = mm_sqlite_column_text(row, ATTEMPTS_OUTCOME);
    attempt_columns_t columns = {
        .state = mm_sqlite_column_text(row, ATTEMPTS_STATE),
        .end = outcome.size > 0 ? outcome : mm_sqlite_column_text(row, ATTEMPTS_COMMAND_END),
        .worker = mm_sqlite_column_text(row, ATTEMPTS_WORKER),
        .words = mm_sqlite_column_text(row, ATTEMPTS_ERROR),
        .health = mm_sqlite_column_text(row, ATTEMPTS_HEALTH),
        .proof = mm_sqlite_column_text(row, ATTEMPTS_PROOF),
        .machine = mm_sqlite_column_text(row, ATTEMPTS_MACHINE_ID),
        .boot_before = mm_sqlite_column_text(row, ATTEMPTS_BOOT_BEFORE),
        .boot_after = mm_sqlite_column_text(row, ATTEMPTS_BOOT_AFTER),
        .control = mm_sqlite_column_text(row, ATTEMPTS_CONTROL),
        .attempt = sqlite3_column_int64(row, ATTEMPTS_NUMBER),
        .command = sqlite3_column_int64(row, ATTEMPTS_COMMAND),
        .first_ms = sqlite3_column_int64(row, ATTEMPTS_FIRST_BOOT_MS),
        .deadline_ms = sqlite3_column_int64(row, ATTEMPTS_DEADLINE_BOOT_MS),
        .owes = sqlite3_column_int64(row, ATTEMPTS_OWES),
        .exit =
            is_null(row, ATTEMPTS_EXIT) ? MM_EXIT_NONE : sqlite3_column_int64(row, ATTEMPTS_EXIT)};
    attempts_found_set(found, &columns);
}

static void parse_attempt(sqlite3_stmt *row, attempts_found_t *found, attempts_first_t *first)
{
    mm_real_t *real = &found->real;
    parse_last(row, found);
    if (real->row == MM_ROW_ENDED && real->end == MM_END_INTERRUPTED)
        real->interrupted++;
    else if (real->row == MM_ROW_ENDED)
        real->ended++;
    if (!first->is_found && !is_null(row, ATTEMPTS_BEGAN_MS))
        *first = (attempts_first_t){.is_found = true,
                                    .began_ms = sqlite3_column_int64(row, ATTEMPTS_BEGAN_MS),
                                    .first_ms = real->first_ms};
}

mm_sqlite_status_t attempt_rows_read(attempt_rows_t *self, const mm_id_t *job, int64_t now_ms,
                                     attempts_found_t *ret_found)
{
    attempts_found_none(ret_found);
    bool has_row = true;
    attempts_first_t first = {0};
    mm_sqlite_status_t status = MM_SQLITE_OK;
    mm_sqlite_bind_id(self->read, 1, job);
    while (status == MM_SQLITE_OK && has_row) {
        status = mm_sqlite_row(self->sqlite, self->read, &has_row);
        if (status == MM_SQLITE_OK && has_row)
            parse_attempt(self->read, ret_found, &first);
    }
    attempts_found_finish(ret_found, first, now_ms);
    return status;
}

// ---- writing

static void bind_name(sqlite3_stmt *statement, int index, bool is_known, const char *name)
{
    mm_sqlite_bind_text_or_null(statement, index, mm_str(is_known ? name : ""));
}

static void bind_if(sqlite3_stmt *statement, int index, bool is_known, int64_t number)
{
    if (is_known)
        (void)sqlite3_bind_int64(statement, index, number);
    else
        (void)sqlite3_bind_null(statement, index);
}

static mm_sqlite_status_t upsert(attempt_rows_t *self, const mm_task_t *task, int64_t now_ms,
                                 bool is_settled)
{
    const mm_real_t *real = task->real;
    sqlite3_stmt *write = self->write;
    char machine[MM_HEX_TEXT], before[MM_UUID_TEXT], after[MM_UUID_TEXT], control[MM_UUID_TEXT];
    bool has_ended = real->row == MM_ROW_ENDED;
    bool has_begun =
        real->row == MM_ROW_BEGUN || real->row == MM_ROW_OPEN || (has_ended && real->command > 0);
    mm_sqlite_bind_id(write, 1, &task->id);
    (void)sqlite3_bind_int64(write, 2, real->attempt);
    mm_sqlite_bind_text(write, 3, mm_str(mm_row_name(real->row)));
    mm_sqlite_bind_text_or_null(write, 4, real->worker);
    bind_if(write, 5, has_begun, now_ms);
    bind_if(write, 6, has_ended, now_ms);
    bind_name(write, 7, !mm_id_is_none(&real->machine), mm_hex_print(&real->machine, machine));
    bind_name(write, 8, !mm_id_is_none(&real->boot), mm_uuid_print(&real->boot, before));
    bind_name(write, 9, !mm_id_is_none(&real->boot_after), mm_uuid_print(&real->boot_after, after));
    bind_name(write, 10, !mm_id_is_none(&real->control), mm_uuid_print(&real->control, control));
    bind_if(write, 11, real->end != MM_END_NONE && real->exit != MM_EXIT_NONE, real->exit);
    bind_name(write, 12, has_ended, mm_end_name(real->end));
    mm_sqlite_bind_text_or_null(write, 13, real->words);
    bind_name(write, 14, real->proof != MM_PROOF_NONE, mm_proof_name(real->proof));
    (void)sqlite3_bind_int64(write, 15, real->command);
    bind_name(write, 16, !has_ended && real->end != MM_END_NONE, mm_end_name(real->end));
    (void)sqlite3_bind_int64(write, 17, real->first_ms);
    (void)sqlite3_bind_int64(write, 18, real->deadline_ms);
    mm_sqlite_bind_text_or_null(write, 19, real->health);
    (void)sqlite3_bind_int(write, 20, !is_settled);
    bind_if(write, 21, real->owes, 1);
    mm_sqlite_bind_text_or_null(write, 22, real->owes ? real->attributes : (mm_str_t){0});
    return mm_sqlite_run(self->sqlite, write);
}

mm_sqlite_status_t attempt_rows_write(attempt_rows_t *self, const mm_task_t *task, int64_t now_ms,
                                      bool is_settled, bool *ret_is_taken)
{
    *ret_is_taken = false;
    assert(task->real->row != MM_ROW_NONE && task->real->attempt > 0);
    if (is_settled && task->real->row == MM_ROW_BEGUN)
        return MM_SQLITE_OK;
    self->has_rows = true;
    mm_sqlite_status_t status = upsert(self, task, now_ms, is_settled);
    *ret_is_taken = status == MM_SQLITE_OK && sqlite3_changes(mm_sqlite_handle(self->sqlite)) == 1;
    return status;
}
