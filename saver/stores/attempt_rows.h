// The attempts at real restarts in a record of SQLite: writes the row that a task brings, and reads
// what is on record of a job's attempts. A row never goes back: what has ended stays as it is, ids
// and the first begun stay from then on. Works within the store's transaction.

#ifndef ATTEMPT_ROWS_H
#define ATTEMPT_ROWS_H

#include "attempts_found.h"
#include "sqlite.h"

typedef struct {
    mm_sqlite_t *sqlite;
    sqlite3_stmt *read;
    sqlite3_stmt *write;
    bool has_rows; // the record has some, of whatever job
} attempt_rows_t;

// Prepares the statements, which the database finalizes. As mm_sqlite_prepare.
int attempt_rows_prepare(attempt_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX]);
// real.row is MM_ROW_NONE when the job has no attempts. An attempt has begun when a command may
// have been sent: not one that ended with a probe. Without one that has begun, first_ms and age_ms
// are 0, and there are no ids, so that the host is probed anew. now_ms: Unix time.
mm_sqlite_status_t attempt_rows_read(attempt_rows_t *self, const mm_id_t *job, int64_t now_ms,
                                     attempts_found_t *ret_found);
// Writes the row of a save or settle that has one. The job's own row must be on record.
// is_settled: the job had an outcome before this task. Then nothing begins. *ret_is_taken: the row
// is on record now; false: what is there stays.
mm_sqlite_status_t attempt_rows_write(attempt_rows_t *self, const mm_task_t *task, int64_t now_ms,
                                      bool is_settled, bool *ret_is_taken);

#endif
