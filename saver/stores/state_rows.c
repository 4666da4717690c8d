// See state_rows.h.

#include "state_rows.h"
#include "record_reader_ops.h"

mm_sqlite_status_t state_rows_add(mm_sqlite_t *sqlite, sqlite3_stmt *row, state_part_t part,
                                  mm_record_entries_t *entries_of, uint64_t behind,
                                  state_page_t *page)
{
    bool has_row = behind != UINT64_MAX && !page->is_full;
    mm_sqlite_status_t status = MM_SQLITE_OK;
    while (has_row && status == MM_SQLITE_OK) {
        mm_entry_t entries[2];
        status = mm_sqlite_row(sqlite, row, &has_row);
        if (status != MM_SQLITE_OK || !has_row)
            break;
        mm_sqlite_rows_t rows = mm_sqlite_rows_of(row);
        size_t count = entries_of(&rows.base, entries);
        uint64_t number = (uint64_t)sqlite3_column_int64(row, 0);
        if (count > 0 && !state_page_add(page, part, number, entries, count)) {
            (void)sqlite3_reset(row);
            break;
        }
    }
    return status;
}
