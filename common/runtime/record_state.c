// See record_state.h.

#include "record_state.h"
#include "record_schema.h"
#include "utf8.h"

static mm_str_t text_at(const mm_rows_t *row, int column, size_t size_max)
{
    mm_str_t text = mm_rows_text(row, column);
    return (mm_str_t){text.data, mm_utf8_prefix(text, text.size < size_max ? text.size : size_max)};
}

static int64_t time_at(const mm_rows_t *row, int column)
{
    int64_t time_ms = mm_rows_number(row, column);
    return time_ms > 0 ? time_ms : 0;
}

size_t mm_record_hold(const mm_rows_t *row, mm_entry_t ret_entries[2])
{
    mm_action_t kind;
    if (!mm_action_parse(mm_rows_text(row, HOLDS_KIND), &kind) || kind > MM_ACTION_LAST)
        return 0;
    ret_entries[0] = (mm_entry_t){.action = kind,
                                  .name = text_at(row, HOLDS_NAME, MM_HOST_MAX),
                                  .until_ms = time_at(row, HOLDS_UNTIL_MS),
                                  .at_ms = time_at(row, HOLDS_SINCE_MS),
                                  .why = text_at(row, HOLDS_WHY, MM_ERROR_MAX)};
    return 1;
}

size_t mm_record_place(const mm_rows_t *row, mm_entry_t ret_entries[2])
{
    bool is_open = mm_rows_number(row, PLACES_OPEN) != 0;
    bool is_casualty = mm_rows_number(row, PLACES_CASUALTY) != 0;
    mm_entry_t place = {.name = text_at(row, PLACES_HOST, MM_HOST_MAX),
                        .groups = text_at(row, PLACES_GROUPS, MM_GROUPS_BYTES),
                        .at_ms = time_at(row, PLACES_SINCE_MS),
                        .is_casualty = is_casualty};
    ret_entries[0] = ret_entries[1] = place;
    ret_entries[0].action = is_open ? MM_ACTION_BEGUN : MM_ACTION_ENDED;
    ret_entries[1].action = MM_ACTION_ENDED;
    return is_open && is_casualty ? 2 : 1;
}

size_t mm_record_outcome(const mm_rows_t *row, mm_entry_t ret_entries[2])
{
    mm_str_t host = text_at(row, OUTCOMES_HOST, MM_HOST_MAX);
    bool is_resume = host.size == 0; // of a group: what has ended before does not count
    mm_str_t groups = text_at(row, OUTCOMES_GROUPS, is_resume ? MM_HOST_MAX : MM_GROUPS_BYTES);
    mm_entry_t entry = {.action = is_resume ? MM_ACTION_RESUME : MM_ACTION_ENDED,
                        .seq = (uint64_t)mm_rows_number(row, OUTCOMES_SEQ),
                        .name = is_resume ? groups : host,
                        .groups = is_resume ? (mm_str_t){0} : groups,
                        .at_ms = time_at(row, OUTCOMES_TIME_MS),
                        .is_casualty = mm_rows_number(row, OUTCOMES_CASUALTY) != 0};
    (void)mm_outcome_parse(mm_rows_text(row, OUTCOMES_OUTCOME), &entry.outcome);
    ret_entries[0] = entry;
    return 1;
}

// ---- all of it

typedef struct {
    mm_reader_t *record;
    uint64_t run;
    mm_record_entries_t *entries_of; // of the statement
    void (*apply)(void *arg, const mm_entry_t *entry);
    void *arg;
} reader_t;

static bool is_of_other_run(const reader_t *self, const mm_rows_t *row, const mm_entry_t *entry)
{
    if (entry->action != MM_ACTION_TRIP)
        return false;
    uint64_t run = (uint64_t)mm_rows_number(row, HOLDS_RUN);
    return run != 0 && run != self->run;
}

static bool take_row(void *arg, const mm_rows_t *row)
{
    const reader_t *self = arg;
    mm_entry_t entries[2];
    size_t count = self->entries_of(row, entries);
    for (size_t i = 0; i < count; i++)
        if (!is_of_other_run(self, row, &entries[i]))
            self->apply(self->arg, &entries[i]);
    return true;
}

// first, second: what its parameters are bound to, as far as it has them.
static int read_rows(reader_t *self, const char *sql, int64_t first, int64_t second,
                     mm_record_entries_t *entries_of, char error[MM_ERROR_MAX])
{
    mm_rows_t *rows = NULL;
    int code = mm_reader_rows(self->record, sql, &rows, error);
    if (code != 0)
        return code;
    mm_rows_bind_number(rows, 1, first);
    mm_rows_bind_number(rows, 2, second);
    self->entries_of = entries_of;
    return mm_rows_each(&rows, take_row, self, error);
}

int mm_record_state_read(const char *where, uint64_t run, int64_t now_ms,
                         void (*apply)(void *arg, const mm_entry_t *entry), void *arg,
                         char error[MM_ERROR_MAX])
{
    mm_reader_config_t config = {.where = where, .version = RECORD_VERSION, .oldest = 1};
    reader_t self = {.run = run, .apply = apply, .arg = arg};
    int code = mm_reader_open_if_there(&config, &self.record, error);
    if (code != 0 || !self.record)
        return code;
    if (mm_reader_version(self.record) >= RECORD_VERSION_AUDIT) {
        code = read_rows(&self, RECORD_READ_HOLDS, 0, now_ms, mm_record_hold, error);
        if (code == 0)
            code = read_rows(&self, RECORD_READ_PLACES, 0, 0, mm_record_place, error);
        if (code == 0 && run != 0)
            code =
                read_rows(&self, RECORD_READ_OUTCOMES, (int64_t)run, 0, mm_record_outcome, error);
    }
    mm_reader_close(&self.record);
    return code;
}
