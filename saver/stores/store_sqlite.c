// The store in a SQLite file: one table, one transaction per flush. Within a batch all tasks of one
// job become one row write: the whole row when one of them is a settle, else the intent. It never
// changes an outcome (I4) and answers no settle before its commit (I2).

#include "store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "crash.h"
#include "host.h"
#include "span.h"
#include "sqlite.h"
#include "uuid.h"

#define SCHEMA                                                                                     \
    "CREATE TABLE jobs ("                                                                          \
    " id BLOB PRIMARY KEY, host TEXT NOT NULL, instance TEXT NOT NULL, publisher TEXT NOT NULL,"   \
    " received_ms INTEGER NOT NULL, settled_ms INTEGER, outcome TEXT,"                             \
    " attempts INTEGER NOT NULL DEFAULT 0, deliveries INTEGER NOT NULL DEFAULT 1,"                 \
    " extended INTEGER NOT NULL DEFAULT 0, worker TEXT, error TEXT) WITHOUT ROWID"

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

#define SQL_LOOK  "SELECT outcome, deliveries, error FROM jobs WHERE id = ?1"
#define SQL_RAISE "UPDATE jobs SET deliveries = ?2 WHERE id = ?1"

#define NO_TASK UINT32_MAX

// All tasks of one job in the batch.
typedef struct {
    uint32_t first;  // task that it was made for
    uint32_t settle; // the first settle among them, or NO_TASK; it is the one that counts (R9)
    uint32_t deliveries;
    int64_t received_ms;
    mm_outcome_t before; // on record before the batch
    mm_outcome_t after;  // on record after it
    const char *error;   // on record with an outcome that was there before, or NULL
} row_t;

struct store {
    mm_sqlite_t *sqlite;
    sqlite3_stmt *save[2]; // one row, ROWS rows
    sqlite3_stmt *settle[2];
    sqlite3_stmt *look;
    sqlite3_stmt *raise;

    mm_task_t *tasks;  // the batch; its texts are placed by flush
    uint32_t *task_at; // which row each task belongs to
    row_t *rows;       // at most one per task
    uint32_t *slots;   // open addressing: row + 1, or 0
    size_t slot_mask;  // slots in use by this batch, less one
    size_t task_count;
    size_t task_room; // a power of two
    size_t row_count;
    char *bytes; // the batch's texts, in order
    size_t byte_count;
    size_t byte_room;

    store_answer_t *answers;
    size_t answer_count;
    size_t answer_room;
    char **errors; // what the answers point to
    size_t error_count;
    size_t error_room;
    bool is_taken; // the answers were given out: the next call drops them
    char error[MM_ERROR_MAX];
};

static const char *const outcome_names[] = {
    [MM_OUTCOME_NONE] = "", [MM_OUTCOME_RESTARTED] = "restarted", [MM_OUTCOME_DEAD] = "dead"};

static void *grow(void *array, size_t count, size_t size)
{
    array = realloc(array, count * size);
    assert(array != NULL);
    return array;
}

static int prepare(store_t *self, char error[MM_ERROR_MAX])
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

int store_open(const char *path, store_t **ret_self, char error[MM_ERROR_MAX])
{
    mm_sqlite_config_t config = {.path = path, .schema = SCHEMA, .version = 1};
    store_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    int code = mm_sqlite_open(&config, &self->sqlite, error);
    if (code == 0)
        code = prepare(self, error);
    if (code != 0) {
        (void)store_close(&self);
        return code;
    }
    *ret_self = self;
    return 0;
}

static void drop_answers(store_t *self)
{
    for (size_t i = 0; i < self->error_count; i++)
        free(self->errors[i]);
    self->error_count = 0;
    self->answer_count = 0;
    self->is_taken = false;
}

bool store_close(store_t **self_p)
{
    store_t *self = *self_p;
    if (self == NULL)
        return true;
    *self_p = NULL;
    bool is_kept = self->task_count == 0 || (store_flush(self) && self->error[0] == '\0');
    mm_sqlite_close(&self->sqlite);
    free(self->tasks);
    free(self->task_at);
    free(self->rows);
    free(self->slots);
    free(self->bytes);
    drop_answers(self);
    free(self->answers);
    free(self->errors);
    free(self);
    return is_kept;
}

// ---- the batch ---------------------------------------------------------------------------------

static void drop_taken(store_t *self)
{
    if (self->is_taken)
        drop_answers(self);
}

// A copy that lives as long as the answers.
static const char *keep_error(store_t *self, mm_str_t error)
{
    if (self->error_count == self->error_room) {
        self->error_room = 2 * self->error_room + 16;
        self->errors = grow(self->errors, self->error_room, sizeof *self->errors);
    }
    char *copy = strndup(error.data, error.size);
    assert(copy != NULL);
    self->errors[self->error_count++] = copy;
    return copy;
}

// Appends a text's bytes. They may move, so its pointer is set by place, in the same order.
static void keep(store_t *self, mm_str_t text)
{
    if (self->byte_count + text.size > self->byte_room) {
        self->byte_room = 2 * (self->byte_count + text.size) + 4096;
        self->bytes = grow(self->bytes, self->byte_room, 1);
    }
    if (text.size > 0)
        memcpy(self->bytes + self->byte_count, text.data, text.size);
    self->byte_count += text.size;
}

static void place(store_t *self)
{
    const char *next = self->bytes;
    for (size_t i = 0; i < self->task_count; i++) {
        mm_task_t *task = &self->tasks[i];
        mm_str_t *texts[] = {&task->host, &task->publisher, &task->worker, &task->error};
        for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++) {
            texts[j]->data = next;
            next += texts[j]->size;
        }
    }
}

// The row of this job, new when it has none yet.
static row_t *find_row(store_t *self, uint32_t index)
{
    const mm_task_t *task = &self->tasks[index];
    size_t at = mm_id_hash(&task->id) & self->slot_mask;
    while (self->slots[at] != 0) {
        row_t *row = &self->rows[self->slots[at] - 1];
        if (mm_id_equal(&self->tasks[row->first].id, &task->id))
            return row;
        at = (at + 1) & self->slot_mask;
    }
    row_t *row = &self->rows[self->row_count++];
    *row = (row_t){.first = index, .settle = NO_TASK, .received_ms = INT64_MAX};
    self->slots[at] = (uint32_t)self->row_count;
    return row;
}

static void add_to_row(store_t *self, uint32_t index)
{
    const mm_task_t *task = &self->tasks[index];
    row_t *row = find_row(self, index);
    if (task->leg == MM_LEG_SETTLE && row->settle == NO_TASK)
        row->settle = index;
    if (task->deliveries > row->deliveries)
        row->deliveries = task->deliveries;
    if (task->received_ms < row->received_ms)
        row->received_ms = task->received_ms;
    self->task_at[index] = (uint32_t)(row - self->rows);
}

void store_put(store_t *self, const mm_task_t *task)
{
    assert(task->leg == MM_LEG_SAVE || task->leg == MM_LEG_SETTLE);
    assert(task->leg == MM_LEG_SAVE || task->outcome != MM_OUTCOME_NONE);
    MM_SPAN_COUNTED("keep task");
    drop_taken(self);
    if (self->task_count == self->task_room) {
        self->task_room = self->task_room > 0 ? 2 * self->task_room : 256;
        self->tasks = grow(self->tasks, self->task_room, sizeof *self->tasks);
        self->task_at = grow(self->task_at, self->task_room, sizeof *self->task_at);
        self->rows = grow(self->rows, self->task_room, sizeof *self->rows);
        self->slots = grow(self->slots, 2 * self->task_room, sizeof *self->slots);
    }
    self->tasks[self->task_count++] = *task;
    keep(self, task->host);
    keep(self, task->publisher);
    keep(self, task->worker);
    keep(self, task->error);
}

size_t store_pending(const store_t *self)
{
    return self->task_count;
}

// ---- writing -----------------------------------------------------------------------------------

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
    mm_sqlite_bind_text(statement, column + 8, mm_str(outcome_names[task->outcome]));
    (void)sqlite3_bind_int64(statement, column + 9, task->attempts);
    (void)sqlite3_bind_int64(statement, column + 10, task->extended);
    bind_or_null(statement, column + 11, task->worker);
    bind_or_null(statement, column + 12, task->error);
}

// The write found a row that it had to leave alone: what it says is what counts.
static mm_sqlite_status_t look_up(store_t *self, row_t *row)
{
    const mm_id_t *id = &self->tasks[row->first].id;
    mm_sqlite_bind_id(self->look, 1, id);
    bool has_row = false;
    mm_sqlite_status_t status = mm_sqlite_row(self->sqlite, self->look, &has_row);
    if (status != MM_SQLITE_OK)
        return status;
    assert(has_row);
    mm_str_t outcome = mm_sqlite_column_text(self->look, 0);
    row->before = MM_OUTCOME_NONE;
    if (mm_str_equal(outcome, mm_str(outcome_names[MM_OUTCOME_RESTARTED])))
        row->before = MM_OUTCOME_RESTARTED;
    else if (outcome.size > 0)
        row->before = MM_OUTCOME_DEAD;
    row->after = row->before;
    mm_str_t error = mm_sqlite_column_text(self->look, 2);
    if (row->before == MM_OUTCOME_DEAD && error.size > 0)
        row->error = keep_error(self, error);
    bool is_higher = row->deliveries > sqlite3_column_int64(self->look, 1);
    (void)sqlite3_reset(self->look);
    if (!is_higher)
        return MM_SQLITE_OK;
    mm_sqlite_bind_id(self->raise, 1, id);
    (void)sqlite3_bind_int64(self->raise, 2, row->deliveries);
    return mm_sqlite_run(self->sqlite, self->raise);
}

// Writes so many rows, one or ROWS, which are all settles or all intents. Those that it had to
// leave alone: when it is one it is looked up, else *ret_left says that there are some.
static mm_sqlite_status_t write_rows(store_t *self, row_t *const *rows, size_t count,
                                     int64_t now_ms, bool *ret_left)
{
    bool is_settle = rows[0]->settle != NO_TASK;
    sqlite3_stmt *statement = (is_settle ? self->settle : self->save)[count > 1];
    for (size_t i = 0; i < count; i++) {
        row_t *row = rows[i];
        const mm_task_t *task = &self->tasks[is_settle ? row->settle : row->first];
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

// Settles and intents apart, ROWS at a time; what is over goes one by one. Each job has one row, so
// their order says nothing.
static mm_sqlite_status_t write_many(store_t *self, int64_t now_ms, bool *ret_left)
{
    row_t *waiting[2][ROWS];
    size_t counts[2] = {0};
    mm_sqlite_status_t status = MM_SQLITE_OK;
    for (size_t i = 0; status == MM_SQLITE_OK && !*ret_left && i < self->row_count; i++) {
        size_t kind = self->rows[i].settle != NO_TASK;
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

static mm_sqlite_status_t write_one_by_one(store_t *self, int64_t now_ms)
{
    mm_sqlite_status_t status = MM_SQLITE_OK;
    bool left = false;
    for (size_t i = 0; status == MM_SQLITE_OK && i < self->row_count; i++)
        status = write_rows(self, &(row_t *){&self->rows[i]}, 1, now_ms, &left);
    return status;
}

// Sorts the tasks into rows, in order of arrival of their jobs.
static void make_rows(store_t *self)
{
    place(self);
    size_t slots = 2;
    while (slots < 2 * self->task_count)
        slots *= 2;
    self->slot_mask = slots - 1;
    memset(self->slots, 0, slots * sizeof *self->slots);
    self->row_count = 0;
    for (uint32_t i = 0; i < self->task_count; i++)
        add_to_row(self, i);
}

static mm_sqlite_status_t write_batch(store_t *self)
{
    MM_SPAN("write rows");
    make_rows(self);
    int64_t now_ms = mm_clock_wall_ms();
    mm_sqlite_status_t status = mm_sqlite_begin(self->sqlite);
    bool left = false;
    if (status == MM_SQLITE_OK)
        status = write_many(self, now_ms, &left);
    if (left) { // a redelivery, which is rare: which of them it was is found one by one
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

static void answer_batch(store_t *self, bool is_committed)
{
    if (self->answer_count + self->task_count > self->answer_room) {
        self->answer_room = self->answer_count + self->task_room;
        self->answers = grow(self->answers, self->answer_room, sizeof *self->answers);
    }
    mm_str_t failure = {0};
    if (!is_committed)
        failure = mm_str(keep_error(self, mm_str(self->error)));
    for (uint32_t i = 0; i < self->task_count; i++) {
        const mm_task_t *task = &self->tasks[i];
        const row_t *row = &self->rows[self->task_at[i]];
        store_answer_t *answer = &self->answers[self->answer_count++];
        *answer = (store_answer_t){.number = task->number, .leg = task->leg, .id = task->id};
        if (!is_committed) {
            answer->status = MM_STATUS_FAILED;
            answer->error = failure;
        } else {
            bool is_early = row->settle == NO_TASK || i < row->settle;
            answer->outcome = is_early ? row->before : row->after;
            answer->error = mm_str(row->error);
        }
    }
}

bool store_flush(store_t *self)
{
    drop_taken(self);
    if (self->task_count == 0)
        return true;
    mm_sqlite_status_t status = write_batch(self);
    const char *error = status == MM_SQLITE_OK ? "" : mm_sqlite_error(self->sqlite);
    memcpy(self->error, error, strlen(error) + 1);
    if (status == MM_SQLITE_FATAL)
        return false;
    answer_batch(self, status == MM_SQLITE_OK);
    self->task_count = 0;
    self->byte_count = 0;
    return true;
}

size_t store_answers(store_t *self, const store_answer_t **ret_answers)
{
    drop_taken(self);
    self->is_taken = true;
    *ret_answers = self->answers;
    return self->answer_count;
}

int store_descriptor(const store_t *self)
{
    (void)self;
    return -1;
}

const char *store_error(const store_t *self)
{
    return self->error;
}
