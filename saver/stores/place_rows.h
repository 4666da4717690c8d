// The places that hosts keep, in a record of SQLite: by an attempt whose end is not known, or as a
// casualty. Only of runs with a policy. A place belongs to a host, however it is spelled, and
// outlives its job and its run. Works within the store's transaction.

#ifndef PLACE_ROWS_H
#define PLACE_ROWS_H

#include "sqlite.h"
#include "state_page.h"

typedef struct {
    mm_sqlite_t *sqlite;
    sqlite3_stmt *open;
    sqlite3_stmt *lose;
    sqlite3_stmt *close;
    sqlite3_stmt *clear;
    sqlite3_stmt *tidy;
    sqlite3_stmt *read;
} place_rows_t;

// What the transaction has done with the task before.
typedef struct {
    bool is_row_taken; // its row is on record now, as it is
    bool is_outcome;   // it has set the job's outcome
} place_change_t;

// Prepares the statements, which the database finalizes. As mm_sqlite_prepare.
int place_rows_prepare(place_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX]);
// Takes the host's place with a begun row, keeps it with an open one, gives it back with the end of
// the attempt or of the job. The end of an attempt makes a casualty once, when it comes to be on
// record; that stays one until another end of an attempt of this host, or until it is absolved. A
// repeated task changes nothing. now_ms: Unix time.
mm_sqlite_status_t place_rows_apply(place_rows_t *self, const mm_task_t *task,
                                    place_change_t change, int64_t now_ms);
// The host is no casualty any more.
mm_sqlite_status_t place_rows_absolve(place_rows_t *self, mm_str_t host);
// Adds who keeps a place, from the page's `from` on: BEGUN for an open attempt, ENDED without an
// outcome for a casualty, both for both.
mm_sqlite_status_t place_rows_page(place_rows_t *self, uint64_t from, state_page_t *page);

#endif
