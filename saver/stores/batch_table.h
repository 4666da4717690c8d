// The rows of a batch as a table of SQL, `batch`, from which one statement writes them all: nothing
// is copied or bound. It is a virtual table that exists without being created, in the store's own
// connection only (https://www.sqlite.org/vtab.html, 2.1.2).

#ifndef BATCH_TABLE_H
#define BATCH_TABLE_H

#include "batch.h"
#include "sqlite.h"

// Its columns are those of the table job_rows (record_schema.h). Rows without facts are left out.
#define BATCH_TABLE_COLUMNS "id, host, received_ms, took_ms, facts, error"

typedef struct {
    sqlite3_vtab table;
    sqlite3_vtab_cursor cursor; // the only one
    const batch_row_t *rows;    // set by the owner, as the next two
    size_t row_count;
    int64_t now_ms; // when they are settled, Unix time
    size_t at;      // the cursor's row
} batch_table_t;

// Adds the table to the connection. `self` must not move, and live until that is closed.
void batch_table_add(batch_table_t *self, mm_sqlite_t *sqlite);

#endif
