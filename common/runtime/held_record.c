// See held_record.h.

#include "held_record.h"
#include "array.h"
#include "record_schema.h"
#include "sqlite.h"
#include "utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Valid UTF-8 up to its end.
static char *copy_of(sqlite3_stmt *row, int column)
{
    mm_str_t text = mm_sqlite_column_text(row, column);
    char *copy = strndup(text.data ? text.data : "", mm_utf8_prefix(text, text.size));
    assert(copy);
    return copy;
}

static void read_holds(mm_sqlite_t *record, int64_t now_ms, size_t max, mm_held_record_t *self)
{
    sqlite3_stmt *row = NULL;
    char error[MM_ERROR_MAX];
    bool has_row = mm_sqlite_prepare(record, RECORD_READ_HOLDS, &row, error) == 0;
    if (has_row)
        (void)sqlite3_bind_int64(row, 2, now_ms);
    while (has_row && mm_sqlite_row(record, row, &has_row) == MM_SQLITE_OK && has_row) {
        mm_action_t kind;
        if (!mm_action_parse(mm_sqlite_column_text(row, HOLDS_KIND), &kind))
            continue; // of a later release
        if (self->hold_count == max) {
            self->holds_left_out++;
            continue;
        }
        *MM_ARRAY_ADD(self->holds, self->hold_count, self->hold_capacity) =
            (mm_hold_t){.kind = kind,
                        .name = copy_of(row, HOLDS_NAME),
                        .why = copy_of(row, HOLDS_WHY),
                        .actor = copy_of(row, HOLDS_ACTOR),
                        .run = (uint64_t)sqlite3_column_int64(row, HOLDS_RUN),
                        .until_ms = sqlite3_column_int64(row, HOLDS_UNTIL_MS),
                        .since_ms = sqlite3_column_int64(row, HOLDS_SINCE_MS)};
    }
}

static void read_places(mm_sqlite_t *record, size_t max, mm_held_record_t *self)
{
    sqlite3_stmt *row = NULL;
    char error[MM_ERROR_MAX];
    bool has_row = mm_sqlite_prepare(record, RECORD_READ_PLACES, &row, error) == 0;
    while (has_row && mm_sqlite_row(record, row, &has_row) == MM_SQLITE_OK && has_row) {
        if (self->place_count == max) {
            self->places_left_out++;
            continue;
        }
        *MM_ARRAY_ADD(self->places, self->place_count, self->place_capacity) =
            (mm_held_place_t){.host = copy_of(row, PLACES_HOST),
                              .groups = copy_of(row, PLACES_GROUPS),
                              .is_open = sqlite3_column_int(row, PLACES_OPEN) != 0,
                              .is_casualty = sqlite3_column_int(row, PLACES_CASUALTY) != 0,
                              .since_ms = sqlite3_column_int64(row, PLACES_SINCE_MS)};
    }
}

int mm_held_record_read(const char *path, int64_t now_ms, size_t max, mm_held_record_t *ret_record,
                        char error[MM_ERROR_MAX])
{
    mm_sqlite_t *record = NULL;
    mm_sqlite_config_t config = {
        .path = path, .version = RECORD_VERSION, .oldest = 1, .read_only = true};
    *ret_record = (mm_held_record_t){0};
    if (access(path, F_OK) != 0)
        return 0;
    int code = mm_sqlite_open(&config, &record, error);
    if (code != 0)
        return code;
    read_holds(record, now_ms, max, ret_record);
    read_places(record, max, ret_record);
    mm_sqlite_close(&record);
    return 0;
}

void mm_held_record_clear(mm_held_record_t *self)
{
    for (size_t i = 0; i < self->hold_count; i++) {
        free(self->holds[i].name);
        free(self->holds[i].why);
        free(self->holds[i].actor);
    }
    for (size_t i = 0; i < self->place_count; i++) {
        free(self->places[i].host);
        free(self->places[i].groups);
    }
    free(self->holds);
    free(self->places);
    *self = (mm_held_record_t){0};
}

const mm_hold_t *mm_held_record_find(const mm_held_record_t *self, mm_action_t kind,
                                     const char *name)
{
    for (size_t i = 0; i < self->hold_count; i++)
        if (self->holds[i].kind == kind && (!name || strcmp(self->holds[i].name, name) == 0))
            return &self->holds[i];
    return NULL;
}

const mm_held_place_t *mm_held_record_place(const mm_held_record_t *self, const char *host)
{
    for (size_t i = 0; i < self->place_count; i++)
        if (strcmp(self->places[i].host, host) == 0)
            return &self->places[i];
    return NULL;
}
