// The numbers of names in a record of SQLite: small rows (job_rows.h) have these instead of their
// publishers and workers. A new name is written in the transaction of the first row that uses it.

#ifndef NAME_ROWS_H
#define NAME_ROWS_H

#include "sqlite.h"
#include "table.h"

typedef struct {
    mm_sqlite_t *sqlite;
    sqlite3_stmt *find;
    sqlite3_stmt *add;
    mm_table_t known; // numbers by name, some of them
} name_rows_t;

// Prepares the statements, which the database finalizes. As mm_sqlite_prepare.
int name_rows_prepare(name_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX]);
// *ret_number: of the name, from 1; one that is not on record is written.
mm_sqlite_status_t name_rows_number(name_rows_t *self, mm_str_t name, int64_t *ret_number);
// The transaction was rolled back: a number that it has written may become that of another name.
void name_rows_forget(name_rows_t *self);
// Frees all that it owns. Idempotent.
void name_rows_clear(name_rows_t *self);

#endif
