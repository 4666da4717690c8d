// See place_rows.h.

#include "place_rows.h"

#include "attributes.h"
#include "host_fold.h"
#include "record_schema.h"
#include "state_rows.h"

#define SQL_OPEN                                                                                   \
    "INSERT INTO places (host, groups, open, casualty, job, since_ms) VALUES (?1, ?2, 1, 0, ?3,"   \
    " ?4) ON CONFLICT (host) DO UPDATE SET groups = excluded.groups, open = 1,"                    \
    " job = excluded.job, since_ms = iif(open, since_ms, excluded.since_ms)"
// An open attempt of another job stays open.
#define SQL_LOSE                                                                                   \
    "INSERT INTO places (host, groups, open, casualty, job, since_ms) VALUES (?1, ?2, 0, 1, ?3,"   \
    " ?4) ON CONFLICT (host) DO UPDATE SET groups = excluded.groups,"                              \
    " open = open AND job <> excluded.job, casualty = 1,"                                          \
    " job = iif(open, job, excluded.job), since_ms = iif(casualty, since_ms, excluded.since_ms)"
#define SQL_CLOSE "UPDATE places SET open = 0 WHERE host = ?1 AND job = ?2"
#define SQL_CLEAR "UPDATE places SET casualty = 0 WHERE host = ?1"
#define SQL_TIDY  "DELETE FROM places WHERE host = ?1 AND NOT open AND NOT casualty"

int place_rows_prepare(place_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX])
{
    *self = (place_rows_t){.sqlite = sqlite};
    const struct {
        const char *sql;
        sqlite3_stmt **statement;
    } all[] = {{SQL_OPEN, &self->open},   {SQL_LOSE, &self->lose},
               {SQL_CLOSE, &self->close}, {SQL_CLEAR, &self->clear},
               {SQL_TIDY, &self->tidy},   {RECORD_READ_PLACES, &self->read}};
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof all / sizeof *all; i++)
        code = mm_sqlite_prepare(sqlite, all[i].sql, all[i].statement, error);
    return code;
}

// ---- writing

static mm_sqlite_status_t tidy(place_rows_t *self, mm_str_t host)
{
    mm_sqlite_bind_text(self->tidy, 1, host);
    return mm_sqlite_run(self->sqlite, self->tidy);
}

static mm_sqlite_status_t take(place_rows_t *self, sqlite3_stmt *statement, mm_str_t host,
                               const mm_task_t *task, int64_t now_ms)
{
    mm_str_t groups = {0};
    if (mm_attributes_are_valid(task->real->attributes))
        (void)mm_attributes_find(task->real->attributes, mm_str("groups"), &groups);
    mm_sqlite_bind_text(statement, 1, host);
    mm_sqlite_bind_text(statement, 2, groups);
    mm_sqlite_bind_id(statement, 3, &task->id);
    (void)sqlite3_bind_int64(statement, 4, now_ms);
    return mm_sqlite_run(self->sqlite, statement);
}

static mm_sqlite_status_t clear_casualty(place_rows_t *self, mm_str_t host)
{
    mm_sqlite_bind_text(self->clear, 1, host);
    return mm_sqlite_run(self->sqlite, self->clear);
}

// The job's attempt, if it is that which has the place, is over. is_up: the host is known to be.
static mm_sqlite_status_t give_back(place_rows_t *self, mm_str_t host, const mm_task_t *task,
                                    bool is_up)
{
    mm_sqlite_bind_text(self->close, 1, host);
    mm_sqlite_bind_id(self->close, 2, &task->id);
    mm_sqlite_status_t status = mm_sqlite_run(self->sqlite, self->close);
    if (status == MM_SQLITE_OK && is_up)
        status = clear_casualty(self, host);
    return status == MM_SQLITE_OK ? tidy(self, host) : status;
}

mm_sqlite_status_t place_rows_apply(place_rows_t *self, const mm_task_t *task,
                                    place_change_t change, int64_t now_ms)
{
    const mm_real_t *real = task->real;
    char folded[MM_HOST_MAX];
    if (real == NULL || real->run == 0 || (!change.is_row_taken && !change.is_outcome))
        return MM_SQLITE_OK;
    mm_str_t host = mm_host_fold(task->host, folded);
    switch (real->row) {
    case MM_ROW_BEGUN:
    case MM_ROW_OPEN:
        if (change.is_row_taken)
            return take(self, self->open, host, task, now_ms);
        break;
    case MM_ROW_ENDED: // a settle repeats it: meanwhile the host may have been absolved
        if (change.is_row_taken && real->is_casualty)
            return take(self, self->lose, host, task, now_ms);
        return give_back(self, host, task, change.is_row_taken);
    case MM_ROW_NONE:
        if (real->is_casualty)
            return take(self, self->lose, host, task, now_ms);
        return give_back(self, host, task, false);
    case MM_ROW_NOT_STARTED: return give_back(self, host, task, false);
    }
    return MM_SQLITE_OK;
}

mm_sqlite_status_t place_rows_absolve(place_rows_t *self, mm_str_t host)
{
    char folded[MM_HOST_MAX];
    mm_str_t name = mm_host_fold(host, folded);
    mm_sqlite_status_t status = clear_casualty(self, name);
    return status == MM_SQLITE_OK ? tidy(self, name) : status;
}

// ---- reading

mm_sqlite_status_t place_rows_page(place_rows_t *self, uint64_t from, state_page_t *page)
{
    uint64_t behind = state_page_row(from, STATE_PLACES);
    (void)sqlite3_bind_int64(self->read, 1, (int64_t)behind);
    return state_rows_add(self->sqlite, self->read, STATE_PLACES, mm_record_place, behind, page);
}
