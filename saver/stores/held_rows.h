// What a record of SQLite has beside jobs and attempts: the audit, what holds a run back, and who
// keeps a place. All three follow from the same task or order, and are written together, in the
// store's transaction.

#ifndef HELD_ROWS_H
#define HELD_ROWS_H

#include "audit_rows.h"
#include "hold_rows.h"
#include "place_rows.h"

typedef struct {
    mm_sqlite_t *sqlite;
    audit_rows_t audit;
    hold_rows_t holds;
    place_rows_t places;
    sqlite3_stmt *absolve; // debts
    state_page_t page;     // the last one that was read
} held_rows_t;

// What the transaction has done with a task before.
typedef struct {
    bool is_row_taken;          // the row that it brings is on record now
    bool has_attempts;          // its job has some, this one included
    mm_outcome_t before, after; // the job's outcome
    mm_proof_t proof;           // of that
} held_change_t;

// Prepares the statements, which the database finalizes. As mm_sqlite_prepare.
int held_rows_prepare(held_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX]);
// Tells of a task, within the transaction that has written its job and its attempt. *ret_seq: of
// the job's outcome in the audit; 0: it has none there. now_ms: Unix time.
mm_sqlite_status_t held_rows_apply(held_rows_t *self, const mm_task_t *task,
                                   const held_change_t *change, int64_t now_ms, uint64_t *ret_seq);
// Records orders in a transaction of its own. Each id is in ret_recorded, with an error in words
// that live as long as the database when it is not on record.
mm_sqlite_status_t held_rows_order(held_rows_t *self, const mm_order_t *orders, size_t count,
                                   mm_recorded_t *ret_recorded);
// Reads the page that begins at `from` (store_state).
mm_sqlite_status_t held_rows_read(held_rows_t *self, uint64_t run, uint64_t from,
                                  store_page_t *ret_page);

#endif
