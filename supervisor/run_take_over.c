// See run_take_over.h.

#include "run_take_over.h"
#include "record_order.h"
#include "sqlite.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "outbox_schema.h"

#define DRIVER_MAX 400 // bytes of a driver in a reason

// What is left, in words; false: nothing is.
static bool find_left(const run_settings_t *settings, char why[MM_ERROR_MAX])
{
    char path[4096], error[MM_ERROR_MAX];
    sqlite3_stmt *row = NULL;
    bool has_row = false;
    (void)snprintf(path, sizeof path, "%s/outbox.db", settings->dir);
    mm_sqlite_t *outbox = mm_sqlite_open_if_there(path, OUTBOX_VERSION, OUTBOX_VERSION);
    if (!outbox)
        return false;
    if (mm_sqlite_prepare(outbox, OUTBOX_READ_LEFT_BY_OTHERS, &row, error) == 0) {
        mm_sqlite_bind_text(row, 1, mm_str(settings->driver.words));
        (void)mm_sqlite_row(outbox, row, &has_row);
    }
    if (has_row) {
        mm_str_t driver = mm_sqlite_column_text(row, 0);
        size_t size = mm_utf8_prefix(driver, DRIVER_MAX);
        (void)snprintf(why, MM_ERROR_MAX, "%" PRId64 " jobs are left of \"%.*s\"",
                       (int64_t)sqlite3_column_int64(row, 1), (int)size, driver.data);
    }
    mm_sqlite_close(&outbox);
    return has_row;
}

int run_take_over_record(const run_settings_t *settings)
{
    char why[MM_ERROR_MAX];
    bool has_left = settings->options.take_over && find_left(settings, why);
    return has_left ? record_order_of_run(settings, MM_ACTION_TAKE_OVER, why) : 0;
}
