// The jobs of a record of SQLite: one row each, of which a batch writes nearly all by one statement
// as small rows (record_schema.h). What has no room in one is written through the view `jobs`. An
// outcome on record is never changed (I4).

#ifndef JOB_ROWS_H
#define JOB_ROWS_H

#include "batch_table.h"
#include "name_rows.h"

typedef struct {
    mm_sqlite_t *sqlite;
    batch_table_t batch;
    name_rows_t names;
    sqlite3_stmt *write; // the rows of the batch table
    sqlite3_stmt *look;
    sqlite3_stmt *raise; // deliveries
    sqlite3_stmt *raise_odd;
    sqlite3_stmt *add_odd;
    sqlite3_stmt *settle_odd;
    char *error; // of the row that was looked up last
} job_rows_t;

// Prepares the statements, which the database finalizes. `self` must not move, and live until the
// database is closed. As mm_sqlite_prepare.
int job_rows_prepare(job_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX]);

// These two work in a transaction, and set `before` and `after` of a row that they have written or
// found. now_ms: Unix time. Writes the rows without attempts at once. *ret_left: it has left some
// of them alone, since they are on record or odd; the transaction is then to be rolled back.
mm_sqlite_status_t job_rows_write_all(job_rows_t *self, batch_row_t *rows, size_t count,
                                      int64_t now_ms, bool *ret_left);
// Writes one row. Of one that has an outcome on record, *ret_error is why the job is dead or
// withdrawn, or empty, until the next call; then and of an intent that is repeated *ret_left is
// set, and only the deliveries rise.
mm_sqlite_status_t job_rows_write(job_rows_t *self, batch_row_t *row, int64_t now_ms,
                                  bool *ret_left, mm_str_t *ret_error);
// The transaction was rolled back.
void job_rows_rolled_back(job_rows_t *self);
// Frees all that it owns; to be called after the database was closed.
void job_rows_clear(job_rows_t *self);

#endif
