// See run_held.h.

#include "run_held.h"
#include "clock.h"
#include "held_line.h"
#include "outbox_schema.h"
#include "sqlite.h"

mm_held_record_t run_held_read(const char *path)
{
    mm_held_record_t held;
    char error[MM_ERROR_MAX]; // the saver of a run says it
    (void)mm_held_record_read(path, mm_clock_wall_ms(), SIZE_MAX, &held, error);
    return held;
}

static bool is_unfinished(mm_sqlite_t *outbox, uint64_t run)
{
    sqlite3_stmt *runs = NULL;
    char error[MM_ERROR_MAX];
    bool has_row = false;
    if (mm_sqlite_prepare(outbox, "SELECT 1 FROM runs WHERE run_key = ?1 AND finished_ms IS NULL",
                          &runs, error) != 0)
        return false;
    (void)sqlite3_bind_int64(runs, 1, (int64_t)run);
    bool is_read = mm_sqlite_row(outbox, runs, &has_row) == MM_SQLITE_OK;
    if (is_read && has_row)
        (void)sqlite3_reset(runs);
    return is_read && has_row;
}

const char *run_held_unnamed(const mm_held_record_t *self, const mm_policy_t *policy,
                             const char *path)
{
    const char *unnamed = NULL;
    mm_sqlite_t *outbox = mm_held_record_find(self, MM_ACTION_TRIP, NULL)
                              ? mm_sqlite_open_if_there(path, OUTBOX_VERSION, OUTBOX_VERSION)
                              : NULL;
    if (!outbox)
        return NULL;
    for (size_t i = 0; i < self->hold_count && !unnamed; i++) {
        const mm_hold_t *trip = &self->holds[i];
        if (trip->kind == MM_ACTION_TRIP && *trip->name &&
            !mm_policy_find(policy, mm_str(trip->name)) && is_unfinished(outbox, trip->run))
            unnamed = trip->name;
    }
    mm_sqlite_close(&outbox);
    return unnamed;
}

void run_held_print(const mm_held_record_t *self, const char *program, const char *dir, FILE *file)
{
    if (mm_held_record_find(self, MM_ACTION_HALT, NULL))
        mm_held_line_halt(program, dir, file);
    for (size_t i = 0; i < self->hold_count; i++)
        if (self->holds[i].kind == MM_ACTION_TRIP)
            mm_held_line_trip(self->holds[i].name, program, dir, file);
}
