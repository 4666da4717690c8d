// What holds a run back, in a record of SQLite: halt, trips of breakers, denied hosts. It follows
// from the orders, each of which is applied once. Works within the store's transaction.

#ifndef HOLD_ROWS_H
#define HOLD_ROWS_H

#include "sqlite.h"
#include "state_page.h"

typedef struct {
    mm_sqlite_t *sqlite;
    sqlite3_stmt *put;
    sqlite3_stmt *remove;
    sqlite3_stmt *end_run;
    sqlite3_stmt *expire;
    sqlite3_stmt *read;
} hold_rows_t;

// Prepares the statements, which the database finalizes. As mm_sqlite_prepare.
int hold_rows_prepare(hold_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX]);
// Applies an order that was not on record before. A deny whose end has come ends one. A run that
// begins ends the trips of all others. now_ms: Unix time; the same below.
mm_sqlite_status_t hold_rows_apply(hold_rows_t *self, const mm_order_t *order, int64_t now_ms);
// Adds what is in force, from the page's `from` on.
mm_sqlite_status_t hold_rows_page(hold_rows_t *self, uint64_t from, int64_t now_ms,
                                  state_page_t *page);

#endif
