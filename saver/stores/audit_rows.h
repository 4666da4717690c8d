// The audit of a record of SQLite: its rows, each chained to the one before, in the transaction of
// what they tell (G12). Nothing here changes or deletes one.

#ifndef AUDIT_ROWS_H
#define AUDIT_ROWS_H

#include "sqlite.h"
#include "state_page.h"

typedef struct {
    mm_sqlite_t *sqlite;
    sqlite3_stmt *insert;
    sqlite3_stmt *find_order;
    sqlite3_stmt *find_outcome;
    sqlite3_stmt *read_outcomes;
    mm_audit_head_t head; // of what is committed
    mm_audit_head_t next; // of what is written in this transaction
    bool has_outcomes;    // the audit may have one, of whatever job
} audit_rows_t;

// Prepares the statements, which the database finalizes, and reads the head. As mm_sqlite_prepare.
int audit_rows_prepare(audit_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX]);
// A transaction begins; what a former one has not committed is forgotten.
void audit_rows_begin(audit_rows_t *self);
// It was committed.
void audit_rows_committed(audit_rows_t *self);

// What has become of an attempt, as the task's row says it: it has begun, its command was not sent,
// nobody knows its end, or it is over. now_ms: Unix time; the same below.
mm_sqlite_status_t audit_rows_add_attempt(audit_rows_t *self, const mm_task_t *task,
                                          int64_t now_ms);
// The settle has set the job's outcome, with this proof. *ret_seq: of the row.
mm_sqlite_status_t audit_rows_add_ended(audit_rows_t *self, const mm_task_t *task, mm_proof_t proof,
                                        int64_t now_ms, uint64_t *ret_seq);
// *ret_is_new: no order of this id was on record before; else nothing is written.
mm_sqlite_status_t audit_rows_add_order(audit_rows_t *self, const mm_order_t *order, int64_t now_ms,
                                        bool *ret_is_new);

// The seq of the job's outcome; 0: it has none.
mm_sqlite_status_t audit_rows_find(audit_rows_t *self, const mm_id_t *job, uint64_t *ret_seq);
// Adds the outcomes of a run, in order, from the page's `from` on.
mm_sqlite_status_t audit_rows_page(audit_rows_t *self, uint64_t run, uint64_t from,
                                   state_page_t *page);

#endif
