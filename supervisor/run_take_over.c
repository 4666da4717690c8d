// See run_take_over.h.

#include "run_take_over.h"
#include "caller.h"
#include "record_order.h"
#include "sqlite.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "outbox_schema.h"

#define DRIVER_MAX 400 // bytes of a driver that are told

// What is left, in words; false: nothing is.
static bool find_left(const run_settings_t *settings, char why[MM_ERROR_MAX])
{
    char path[4096], error[MM_ERROR_MAX];
    mm_sqlite_t *outbox = NULL;
    sqlite3_stmt *row = NULL;
    bool has_row = false;
    mm_sqlite_config_t config = {.path = path, .version = OUTBOX_VERSION, .read_only = true};
    (void)snprintf(path, sizeof path, "%s/outbox.db", settings->dir);
    if (access(path, F_OK) != 0 || mm_sqlite_open(&config, &outbox, error) != 0)
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
    char why[MM_ERROR_MAX], actor[MM_ACTOR_MAX + 1], error[MM_ERROR_MAX];
    if (!settings->options.take_over || !find_left(settings, why))
        return 0;
    mm_order_t order = {.action = MM_ACTION_TAKE_OVER,
                        .why = mm_str(why),
                        .actor = mm_str(record_order_actor(actor))};
    int exit_code = record_order_write(settings->dir, settings->db, &order, error);
    if (exit_code != 0 && *error)
        (void)caller_fail(exit_code, "%s", error);
    return exit_code;
}
