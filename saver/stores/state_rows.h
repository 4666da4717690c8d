// Pages of state from rows of the record: one loop for holds, places and outcomes.

#ifndef STATE_ROWS_H
#define STATE_ROWS_H

#include "record_state.h"
#include "sqlite.h"
#include "state_page.h"

// Adds the entries of all rows of the statement, which is bound, and whose first column is the
// number of the row in its part, until the page is full. Does nothing when the page is full already
// or begins behind the part. The statement is reset in any case.
mm_sqlite_status_t state_rows_add(mm_sqlite_t *sqlite, sqlite3_stmt *row, state_part_t part,
                                  mm_record_entries_t *entries_of, uint64_t behind,
                                  state_page_t *page);

#endif
