// See audit_rows.h.

#include "audit_rows.h"

#include <assert.h>
#include <string.h>

#include "audit_text.h"
#include "record_schema.h"
#include "state_rows.h"
#include "uuid.h"

#define SQL_INSERT                                                                                 \
    "INSERT INTO audit (" RECORD_AUDIT_COLUMNS ")"                                                 \
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define SQL_HEAD         "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"
#define SQL_FIND_ORDER   "SELECT seq FROM audit WHERE order_id = ?1"
#define SQL_FIND_OUTCOME "SELECT seq FROM audit WHERE job = ?1 AND action = 'ended'"
#define SQL_ANY_OUTCOME  "SELECT 1 FROM audit WHERE action = 'ended' LIMIT 1"

#define ACTOR "consumer" // of what the pipeline does by itself

// ---- opening

static int read_head(audit_rows_t *self, char error[MM_ERROR_MAX])
{
    sqlite3_stmt *head = NULL, *any = NULL;
    int code = mm_sqlite_prepare(self->sqlite, SQL_HEAD, &head, error);
    if (code == 0)
        code = mm_sqlite_prepare(self->sqlite, SQL_ANY_OUTCOME, &any, error);
    bool has_row = false;
    if (code != 0 || mm_sqlite_row(self->sqlite, head, &has_row) != MM_SQLITE_OK)
        return code; // what cannot be read now fails the first commit
    if (has_row) {
        self->head.seq = (uint64_t)sqlite3_column_int64(head, 0);
        if (sqlite3_column_bytes(head, 1) == MM_AUDIT_HASH)
            memcpy(self->head.hash, sqlite3_column_blob(head, 1), MM_AUDIT_HASH);
        (void)sqlite3_reset(head);
    }
    has_row = false;
    if (mm_sqlite_row(self->sqlite, any, &has_row) == MM_SQLITE_OK && has_row)
        (void)sqlite3_reset(any);
    self->has_outcomes = has_row;
    return 0;
}

int audit_rows_prepare(audit_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX])
{
    *self = (audit_rows_t){.sqlite = sqlite};
    int code = mm_sqlite_prepare(sqlite, SQL_INSERT, &self->insert, error);
    if (code == 0)
        code = mm_sqlite_prepare(sqlite, SQL_FIND_ORDER, &self->find_order, error);
    if (code == 0)
        code = mm_sqlite_prepare(sqlite, SQL_FIND_OUTCOME, &self->find_outcome, error);
    if (code == 0)
        code = mm_sqlite_prepare(sqlite, RECORD_READ_OUTCOMES, &self->read_outcomes, error);
    return code == 0 ? read_head(self, error) : code;
}

void audit_rows_begin(audit_rows_t *self)
{
    self->next = self->head;
}

void audit_rows_committed(audit_rows_t *self)
{
    self->head = self->next;
}

// ---- writing

static mm_audit_value_t integer(int64_t number)
{
    return (mm_audit_value_t){MM_AUDIT_INTEGER, number, {0}};
}

static mm_audit_value_t text(mm_str_t bytes)
{
    return (mm_audit_value_t){MM_AUDIT_STRING, 0, bytes};
}

static mm_audit_value_t text_or_null(mm_str_t bytes)
{
    return bytes.size > 0 ? text(bytes) : (mm_audit_value_t){0};
}

static mm_audit_value_t id(const mm_id_t *bytes)
{
    return (mm_audit_value_t){MM_AUDIT_BLOB, 0, {(const char *)bytes->bytes, sizeof bytes->bytes}};
}

static void bind(sqlite3_stmt *statement, int index, const mm_audit_value_t *value)
{
    const char *data = value->bytes.data ? value->bytes.data : "";
    int size = (int)value->bytes.size;
    switch (value->type) {
    case MM_AUDIT_NULL: (void)sqlite3_bind_null(statement, index); break;
    case MM_AUDIT_INTEGER: (void)sqlite3_bind_int64(statement, index, value->number); break;
    case MM_AUDIT_STRING:
        (void)sqlite3_bind_text(statement, index, data, size, SQLITE_STATIC);
        break;
    case MM_AUDIT_BLOB: (void)sqlite3_bind_blob(statement, index, data, size, SQLITE_STATIC); break;
    }
}

// Writes the row, whose place in the chain and hash are set here.
static mm_sqlite_status_t add(audit_rows_t *self, mm_audit_value_t values[AUDIT_COLUMNS])
{
    self->next.seq++;
    values[AUDIT_SEQ] = integer((int64_t)self->next.seq);
    mm_audit_hash(self->next.hash, values, AUDIT_HASH, self->next.hash);
    values[AUDIT_HASH] = (mm_audit_value_t){
        MM_AUDIT_BLOB, 0, {(const char *)self->next.hash, sizeof self->next.hash}};
    for (int i = 0; i < AUDIT_COLUMNS; i++)
        bind(self->insert, i + 1, &values[i]);
    return mm_sqlite_run(self->sqlite, self->insert);
}

// The columns that rows of attempts and of outcomes have in common.
static void fill(mm_audit_value_t values[AUDIT_COLUMNS], const char *action, const mm_task_t *task,
                 int64_t now_ms)
{
    values[AUDIT_TIME_MS] = integer(now_ms);
    values[AUDIT_ACTOR] = text(mm_str(ACTOR));
    values[AUDIT_ACTION] = text(mm_str(action));
    values[AUDIT_JOB] = id(&task->id);
    values[AUDIT_RUN] = integer(task->real ? (int64_t)task->real->run : 0);
    values[AUDIT_HOST] = text(task->host);
    values[AUDIT_GROUPS] = text_or_null(audit_groups(task->real));
}

mm_sqlite_status_t audit_rows_add_attempt(audit_rows_t *self, const mm_task_t *task, int64_t now_ms)
{
    const mm_real_t *real = task->real;
    bool has_ended = real->row == MM_ROW_ENDED;
    bool has_end = has_ended || real->row == MM_ROW_OPEN;
    mm_audit_value_t values[AUDIT_COLUMNS] = {{0}};
    char ids[AUDIT_IDS_BYTES];
    fill(values, has_ended ? RECORD_ACTION_OVER : mm_row_name(real->row), task, now_ms);
    values[AUDIT_REASON] =
        text(mm_str(has_end && real->end != MM_END_NONE ? mm_end_name(real->end) : ""));
    values[AUDIT_IDS] = text(audit_ids(real, ids));
    if (has_ended)
        values[AUDIT_CASUALTY] = integer(real->is_casualty);
    return add(self, values);
}

mm_sqlite_status_t audit_rows_add_ended(audit_rows_t *self, const mm_task_t *task, mm_proof_t proof,
                                        int64_t now_ms, uint64_t *ret_seq)
{
    mm_audit_value_t values[AUDIT_COLUMNS] = {{0}};
    char ids[AUDIT_IDS_BYTES];
    bool has_proof = task->outcome == MM_OUTCOME_RESTARTED && proof != MM_PROOF_NONE;
    fill(values, mm_action_name(MM_ACTION_ENDED), task, now_ms);
    values[AUDIT_REASON] = text(task->error);
    values[AUDIT_IDS] = text(audit_ids(task->real, ids));
    values[AUDIT_OUTCOME] = text(mm_str(mm_outcome_name(task->outcome)));
    values[AUDIT_PROOF] = text_or_null(mm_str(has_proof ? mm_proof_name(proof) : ""));
    values[AUDIT_CASUALTY] = integer(task->real && task->real->is_casualty);
    self->has_outcomes = true;
    mm_sqlite_status_t status = add(self, values);
    *ret_seq = self->next.seq;
    return status;
}

// Resets the statement when it has a row, whose first column is *ret_seq; else that is 0.
static mm_sqlite_status_t find(audit_rows_t *self, sqlite3_stmt *statement, const mm_id_t *key,
                               uint64_t *ret_seq)
{
    bool has_row = false;
    mm_sqlite_bind_id(statement, 1, key);
    mm_sqlite_status_t status = mm_sqlite_row(self->sqlite, statement, &has_row);
    *ret_seq = has_row ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    if (has_row)
        (void)sqlite3_reset(statement);
    return status;
}

mm_sqlite_status_t audit_rows_add_order(audit_rows_t *self, const mm_order_t *order, int64_t now_ms,
                                        bool *ret_is_new)
{
    uint64_t seq = 0;
    mm_sqlite_status_t status = find(self, self->find_order, &order->id, &seq);
    *ret_is_new = status == MM_SQLITE_OK && seq == 0;
    if (!*ret_is_new)
        return status;
    bool is_of_host = mm_action_is_of_host(order->action);
    mm_audit_value_t values[AUDIT_COLUMNS] = {{0}};
    values[AUDIT_TIME_MS] = integer(now_ms);
    values[AUDIT_ACTOR] = text(order->actor);
    values[AUDIT_ACTION] = text(mm_str(mm_action_name(order->action)));
    values[AUDIT_ORDER] = id(&order->id);
    values[AUDIT_RUN] = integer((int64_t)order->run);
    values[is_of_host ? AUDIT_HOST : AUDIT_GROUPS] = text_or_null(order->name);
    values[AUDIT_REASON] = text(order->why);
    values[AUDIT_IDS] = text(mm_str(""));
    if (order->action == MM_ACTION_DENY)
        values[AUDIT_UNTIL_MS] = integer(order->until_ms);
    return add(self, values);
}

// ---- reading

mm_sqlite_status_t audit_rows_find(audit_rows_t *self, const mm_id_t *job, uint64_t *ret_seq)
{
    *ret_seq = 0;
    return self->has_outcomes ? find(self, self->find_outcome, job, ret_seq) : MM_SQLITE_OK;
}

mm_sqlite_status_t audit_rows_page(audit_rows_t *self, uint64_t run, uint64_t from,
                                   state_page_t *page)
{
    sqlite3_stmt *row = self->read_outcomes;
    uint64_t behind = run != 0 ? state_page_row(from, STATE_OUTCOMES) : UINT64_MAX;
    (void)sqlite3_bind_int64(row, 1, (int64_t)run);
    (void)sqlite3_bind_int64(row, 2, (int64_t)behind);
    return state_rows_add(self->sqlite, row, STATE_OUTCOMES, mm_record_outcome, behind, page);
}
