// See record_state.h.

#include "record_state.h"
#include "record_schema.h"
#include "utf8.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

static mm_str_t text_at(sqlite3_stmt *row, int column, size_t size_max)
{
    mm_str_t text = mm_sqlite_column_text(row, column);
    return (mm_str_t){text.data, mm_utf8_prefix(text, text.size < size_max ? text.size : size_max)};
}

static int64_t time_at(sqlite3_stmt *row, int column)
{
    int64_t time_ms = sqlite3_column_int64(row, column);
    return time_ms > 0 ? time_ms : 0;
}

size_t mm_record_hold(sqlite3_stmt *row, mm_entry_t ret_entries[2])
{
    mm_action_t kind;
    if (!mm_action_parse(mm_sqlite_column_text(row, HOLDS_KIND), &kind) || kind > MM_ACTION_LAST)
        return 0;
    ret_entries[0] = (mm_entry_t){.action = kind,
                                  .name = text_at(row, HOLDS_NAME, MM_HOST_MAX),
                                  .until_ms = time_at(row, HOLDS_UNTIL_MS),
                                  .at_ms = time_at(row, HOLDS_SINCE_MS),
                                  .why = text_at(row, HOLDS_WHY, MM_ERROR_MAX)};
    return 1;
}

size_t mm_record_place(sqlite3_stmt *row, mm_entry_t ret_entries[2])
{
    bool is_open = sqlite3_column_int(row, PLACES_OPEN) != 0;
    bool is_casualty = sqlite3_column_int(row, PLACES_CASUALTY) != 0;
    mm_entry_t place = {.name = text_at(row, PLACES_HOST, MM_HOST_MAX),
                        .groups = text_at(row, PLACES_GROUPS, MM_GROUPS_BYTES),
                        .at_ms = time_at(row, PLACES_SINCE_MS),
                        .is_casualty = is_casualty};
    ret_entries[0] = ret_entries[1] = place;
    ret_entries[0].action = is_open ? MM_ACTION_BEGUN : MM_ACTION_ENDED;
    ret_entries[1].action = MM_ACTION_ENDED;
    return is_open && is_casualty ? 2 : 1;
}

size_t mm_record_outcome(sqlite3_stmt *row, mm_entry_t ret_entries[2])
{
    mm_str_t host = text_at(row, OUTCOMES_HOST, MM_HOST_MAX);
    bool is_resume = host.size == 0; // of a group: what has ended before does not count
    mm_str_t groups = text_at(row, OUTCOMES_GROUPS, is_resume ? MM_HOST_MAX : MM_GROUPS_BYTES);
    mm_entry_t entry = {.action = is_resume ? MM_ACTION_RESUME : MM_ACTION_ENDED,
                        .seq = (uint64_t)sqlite3_column_int64(row, OUTCOMES_SEQ),
                        .name = is_resume ? groups : host,
                        .groups = is_resume ? (mm_str_t){0} : groups,
                        .at_ms = time_at(row, OUTCOMES_TIME_MS),
                        .is_casualty = sqlite3_column_int(row, OUTCOMES_CASUALTY) != 0};
    (void)mm_outcome_parse(mm_sqlite_column_text(row, OUTCOMES_OUTCOME), &entry.outcome);
    ret_entries[0] = entry;
    return 1;
}

// ---- all of it

typedef struct {
    mm_sqlite_t *record;
    uint64_t run;
    void (*apply)(void *arg, const mm_entry_t *entry);
    void *arg;
} reader_t;

static bool is_of_other_run(const reader_t *self, sqlite3_stmt *row, const mm_entry_t *entry)
{
    if (entry->action != MM_ACTION_TRIP)
        return false;
    uint64_t run = (uint64_t)sqlite3_column_int64(row, HOLDS_RUN);
    return run != 0 && run != self->run;
}

// first, second: what its parameters are bound to, as far as it has them.
static int read_rows(const reader_t *self, const char *sql, int64_t first, int64_t second,
                     mm_record_entries_t *entries_of, char error[MM_ERROR_MAX])
{
    sqlite3_stmt *row = NULL;
    bool has_row = true;
    int code = mm_sqlite_prepare(self->record, sql, &row, error);
    if (code != 0)
        return code;
    (void)sqlite3_bind_int64(row, 1, first);
    if (sqlite3_bind_parameter_count(row) > 1)
        (void)sqlite3_bind_int64(row, 2, second);
    while (has_row) {
        mm_entry_t entries[2];
        if (mm_sqlite_row(self->record, row, &has_row) != MM_SQLITE_OK) {
            (void)snprintf(error, MM_ERROR_MAX, "%s", mm_sqlite_error(self->record));
            return EX_IOERR;
        }
        size_t count = has_row ? entries_of(row, entries) : 0;
        for (size_t i = 0; i < count; i++)
            if (!is_of_other_run(self, row, &entries[i]))
                self->apply(self->arg, &entries[i]);
    }
    return 0;
}

// Not one of a release that held nothing back.
static bool has_tables(mm_sqlite_t *record)
{
    sqlite3_stmt *row = NULL;
    bool has_row = false;
    char error[MM_ERROR_MAX];
    bool is_read = mm_sqlite_prepare(record, "SELECT 1 FROM sqlite_master WHERE name = 'holds'",
                                     &row, error) == 0 &&
                   mm_sqlite_row(record, row, &has_row) == MM_SQLITE_OK;
    if (has_row)
        (void)sqlite3_reset(row);
    return !is_read || has_row; // what cannot be read is said by the next statement
}

int mm_record_state_read(const char *path, uint64_t run, int64_t now_ms,
                         void (*apply)(void *arg, const mm_entry_t *entry), void *arg,
                         char error[MM_ERROR_MAX])
{
    mm_sqlite_config_t config = {
        .path = path, .version = RECORD_VERSION, .oldest = 1, .read_only = true};
    reader_t self = {.run = run, .apply = apply, .arg = arg};
    if (access(path, F_OK) != 0)
        return 0;
    int code = mm_sqlite_open(&config, &self.record, error);
    if (code != 0)
        return code;
    if (has_tables(self.record)) {
        code = read_rows(&self, RECORD_READ_HOLDS, 0, now_ms, mm_record_hold, error);
        if (code == 0)
            code = read_rows(&self, RECORD_READ_PLACES, 0, 0, mm_record_place, error);
        if (code == 0 && run != 0)
            code =
                read_rows(&self, RECORD_READ_OUTCOMES, (int64_t)run, 0, mm_record_outcome, error);
    }
    mm_sqlite_close(&self.record);
    return code;
}
