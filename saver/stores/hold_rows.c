// See hold_rows.h.

#include "hold_rows.h"

#include "host_fold.h"
#include "record_schema.h"
#include "state_rows.h"

#define SQL_PUT                                                                                    \
    "INSERT INTO holds (kind, name, run, until_ms, since_ms, why, actor)"                          \
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (kind, name) DO UPDATE SET"                  \
    " run = excluded.run, until_ms = excluded.until_ms, why = excluded.why,"                       \
    " actor = excluded.actor"
#define SQL_REMOVE  "DELETE FROM holds WHERE kind = ?1 AND name = ?2"
#define SQL_END_RUN "DELETE FROM holds WHERE kind = 'trip' AND run <> ?1"
#define SQL_EXPIRE  "DELETE FROM holds WHERE kind = 'deny' AND until_ms BETWEEN 1 AND ?1"

int hold_rows_prepare(hold_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX])
{
    *self = (hold_rows_t){.sqlite = sqlite};
    int code = mm_sqlite_prepare(sqlite, SQL_PUT, &self->put, error);
    if (code == 0)
        code = mm_sqlite_prepare(sqlite, SQL_REMOVE, &self->remove, error);
    if (code == 0)
        code = mm_sqlite_prepare(sqlite, SQL_END_RUN, &self->end_run, error);
    if (code == 0)
        code = mm_sqlite_prepare(sqlite, SQL_EXPIRE, &self->expire, error);
    if (code == 0)
        code = mm_sqlite_prepare(sqlite, RECORD_READ_HOLDS, &self->read, error);
    return code;
}

static mm_sqlite_status_t put(hold_rows_t *self, const mm_order_t *order, mm_str_t name,
                              int64_t now_ms)
{
    bool has_end = order->action == MM_ACTION_DENY;
    mm_sqlite_bind_text(self->put, 1, mm_str(mm_action_name(order->action)));
    mm_sqlite_bind_text(self->put, 2, name);
    (void)sqlite3_bind_int64(self->put, 3, (int64_t)order->run);
    (void)sqlite3_bind_int64(self->put, 4, has_end ? order->until_ms : 0);
    (void)sqlite3_bind_int64(self->put, 5, now_ms);
    mm_sqlite_bind_text(self->put, 6, order->why);
    mm_sqlite_bind_text(self->put, 7, order->actor);
    return mm_sqlite_run(self->sqlite, self->put);
}

static mm_sqlite_status_t end(hold_rows_t *self, mm_action_t kind, mm_str_t name)
{
    mm_sqlite_bind_text(self->remove, 1, mm_str(mm_action_name(kind)));
    mm_sqlite_bind_text(self->remove, 2, name);
    return mm_sqlite_run(self->sqlite, self->remove);
}

// Of the whole run: the halt, too.
static mm_sqlite_status_t resume(hold_rows_t *self, mm_str_t name)
{
    mm_sqlite_status_t status = end(self, MM_ACTION_TRIP, name);
    return status == MM_SQLITE_OK && name.size == 0 ? end(self, MM_ACTION_HALT, name) : status;
}

static mm_sqlite_status_t deny(hold_rows_t *self, const mm_order_t *order, int64_t now_ms)
{
    char folded[MM_HOST_MAX];
    mm_sqlite_status_t status = put(self, order, mm_host_fold(order->name, folded), now_ms);
    if (status != MM_SQLITE_OK)
        return status;
    (void)sqlite3_bind_int64(self->expire, 1, now_ms);
    return mm_sqlite_run(self->sqlite, self->expire);
}

mm_sqlite_status_t hold_rows_apply(hold_rows_t *self, const mm_order_t *order, int64_t now_ms)
{
    switch (order->action) {
    case MM_ACTION_HALT: return put(self, order, (mm_str_t){0}, now_ms);
    case MM_ACTION_TRIP: return put(self, order, order->name, now_ms);
    case MM_ACTION_DENY: return deny(self, order, now_ms);
    case MM_ACTION_RESUME: return resume(self, order->name);
    case MM_ACTION_RUN:
        (void)sqlite3_bind_int64(self->end_run, 1, (int64_t)order->run);
        return mm_sqlite_run(self->sqlite, self->end_run);
    case MM_ACTION_ABSOLVE:   // of places
    case MM_ACTION_TAKE_OVER: // what it ends ends with the new run
    case MM_ACTION_BEGUN:     // these are no orders
    case MM_ACTION_ENDED: break;
    }
    return MM_SQLITE_OK;
}

mm_sqlite_status_t hold_rows_page(hold_rows_t *self, uint64_t from, int64_t now_ms,
                                  state_page_t *page)
{
    uint64_t behind = state_page_row(from, STATE_HOLDS);
    (void)sqlite3_bind_int64(self->read, 1, (int64_t)behind);
    (void)sqlite3_bind_int64(self->read, 2, now_ms);
    return state_rows_add(self->sqlite, self->read, STATE_HOLDS, mm_record_hold, behind, page);
}
