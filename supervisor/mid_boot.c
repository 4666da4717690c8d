// See mid_boot.h.

#include "mid_boot.h"
#include "record_schema.h"
#include "sqlite.h"

#include <stdio.h>
#include <unistd.h>

int64_t mid_boot_count(const char *dir)
{
    char path[4096], error[MM_ERROR_MAX];
    int64_t count = 0;
    mm_sqlite_t *sqlite = NULL;
    sqlite3_stmt *row;
    bool has_row = false;
    (void)snprintf(path, sizeof path, "%s/mayhem.db", dir);
    mm_sqlite_config_t config = {.path = path, .version = RECORD_VERSION, .read_only = true};
    if (access(path, F_OK) == 0 && mm_sqlite_open(&config, &sqlite, error) == 0 &&
        mm_sqlite_prepare(sqlite, RECORD_COUNT_OPEN, &row, error) == 0 &&
        mm_sqlite_row(sqlite, row, &has_row) == MM_SQLITE_OK && has_row)
        count = sqlite3_column_int64(row, 0);
    mm_sqlite_close(&sqlite);
    return count;
}
