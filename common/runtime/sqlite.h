// What both databases share: a lock, transactions, prepared statements, and errors as one sentence.
// The tables are in common/schema/. A commit that returned OK is on the disk (WAL,
// synchronous=FULL). After a failed write or fsync all calls fail: a later fsync may report success
// for pages that the kernel has dropped, so the process must exit (74). The same holds when
// somebody has taken the file away.

#ifndef MM_SQLITE_H
#define MM_SQLITE_H

#include <sqlite3.h>

#include "job.h"

typedef struct mm_sqlite mm_sqlite_t;

typedef enum {
    MM_SQLITE_OK = 0,
    MM_SQLITE_RETRY, // busy or full: rolled back; the same may work later
    MM_SQLITE_FATAL  // a failed write or fsync, a corrupt file: exit 74 with mm_sqlite_error
} mm_sqlite_status_t;

typedef struct {
    const char *path;   // of the database; its lock is PATH.lock
    const char *schema; // SQL that creates the tables of a new file, which gets the version below
    int version;        // the user_version of this program; a newer one is refused
    const char *const *upgrades; // SQL from version 1 + i to the next, as one transaction with all
                                 // that follow; NULL, or read-only: an older one is refused, too
    bool read_only;              // no lock and no new file; works beside a writer
    int oldest;                  // read-only: the oldest version that is read; 0: `version`
} mm_sqlite_config_t;

// Returns 0, or a sysexits code with one sentence in error and *ret_self untouched: 65 not a
// (whole) database, or none to read; 69 in use by another process; 73 cannot be created or written;
// 74 I/O error or full; 78 another version.
int mm_sqlite_open(const mm_sqlite_config_t *config, mm_sqlite_t **ret_self,
                   char error[MM_ERROR_MAX]);
// A database of these versions, to read beside its writer. NULL: there is none, or it cannot be
// read.
mm_sqlite_t *mm_sqlite_open_if_there(const char *path, int oldest, int version);
// Rolls back an open transaction, closes the database, then releases the lock. Idempotent.
void mm_sqlite_close(mm_sqlite_t **self_p);

sqlite3 *mm_sqlite_handle(mm_sqlite_t *self);
// FATAL when the file or its log is no longer what the path names: removed, moved or replaced.
// Costs two calls of stat; mm_sqlite_commit does it when there is a reason
// (common/runtime/file_watch.h).
mm_sqlite_status_t mm_sqlite_check(mm_sqlite_t *self);
// Why the last call failed, as one sentence with the path; owned by self, never NULL.
const char *mm_sqlite_error(const mm_sqlite_t *self);

// A statement for many uses, prepared when the file has just been opened. mm_sqlite_close finalizes
// it. Returns 0, or a sysexits code with one sentence in error and *ret_statement untouched: 65
// when the file does not have the tables for it.
int mm_sqlite_prepare(mm_sqlite_t *self, const char *sql, sqlite3_stmt **ret_statement,
                      char error[MM_ERROR_MAX]);
// Bind a text or an id without copying it: it must live until the statement is reset.
void mm_sqlite_bind_text(sqlite3_stmt *statement, int index, mm_str_t text);
// The same; the empty text is NULL.
void mm_sqlite_bind_text_or_null(sqlite3_stmt *statement, int index, mm_str_t text);
void mm_sqlite_bind_id(sqlite3_stmt *statement, int index, const mm_id_t *id);
// Runs a statement that gives no rows, and resets it.
mm_sqlite_status_t mm_sqlite_run(mm_sqlite_t *self, sqlite3_stmt *statement);
// Steps to the next row of a statement; *ret_row says whether there is one. The statement is reset
// after the last row and on failure; a caller that stops before that resets it.
mm_sqlite_status_t mm_sqlite_row(mm_sqlite_t *self, sqlite3_stmt *statement, bool *ret_row);
// A column of the current row, valid until the next row. NULL gives the empty text.
mm_str_t mm_sqlite_column_text(sqlite3_stmt *statement, int column);
// The same as a copy, which is the caller's. NULL gives an empty one.
char *mm_sqlite_column_copy(sqlite3_stmt *statement, int column);
// One that was written by hand may have fewer than 16 bytes, which are then followed by zeros.
mm_id_t mm_sqlite_column_id(sqlite3_stmt *statement, int column);
// A machine or a boot that is written as text (mm_uuid_parse); zeros for anything else.
mm_id_t mm_sqlite_column_uuid(sqlite3_stmt *statement, int column);

// One write transaction at a time. After RETRY or FATAL from a call within it the transaction is
// rolled back, and commit must not be called. mm_sqlite_rollback is idempotent.
mm_sqlite_status_t mm_sqlite_begin(mm_sqlite_t *self);
// FATAL also when the file or its log has gone: what it has written may be lost.
mm_sqlite_status_t mm_sqlite_commit(mm_sqlite_t *self);
void mm_sqlite_rollback(mm_sqlite_t *self);
// Gives the file's free space back, outside a transaction, if that is most of the file: what is
// left is written anew, by one transaction, into the same file. Takes up to some tenths of a
// second, and 16 MiB of memory. RETRY: nothing has changed.
mm_sqlite_status_t mm_sqlite_vacuum(mm_sqlite_t *self);

#endif
