// See held_record.h.

#include "held_record.h"
#include "array.h"
#include "record_schema.h"
#include "record_reader.h"
#include "utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// Valid UTF-8 up to its end.
static char *copy_of(const mm_rows_t *row, int column)
{
    mm_str_t text = mm_rows_text(row, column);
    char *copy = strndup(text.data ? text.data : "", mm_utf8_prefix(text, text.size));
    assert(copy);
    return copy;
}

typedef struct {
    mm_held_record_t *held;
    size_t max;
} held_reader_t;

static bool take_hold(void *arg, const mm_rows_t *row)
{
    mm_held_record_t *held = ((held_reader_t *)arg)->held;
    mm_action_t kind;
    if (!mm_action_parse(mm_rows_text(row, HOLDS_KIND), &kind))
        return true; // of a later release
    if (held->hold_count == ((held_reader_t *)arg)->max) {
        held->holds_left_out++;
        return true;
    }
    *MM_ARRAY_ADD(held->holds, held->hold_count, held->hold_capacity) =
        (mm_hold_t){.kind = kind,
                    .name = copy_of(row, HOLDS_NAME),
                    .why = copy_of(row, HOLDS_WHY),
                    .actor = copy_of(row, HOLDS_ACTOR),
                    .run = (uint64_t)mm_rows_number(row, HOLDS_RUN),
                    .until_ms = mm_rows_number(row, HOLDS_UNTIL_MS),
                    .since_ms = mm_rows_number(row, HOLDS_SINCE_MS)};
    return true;
}

static bool take_place(void *arg, const mm_rows_t *row)
{
    mm_held_record_t *held = ((held_reader_t *)arg)->held;
    if (held->place_count == ((held_reader_t *)arg)->max) {
        held->places_left_out++;
        return true;
    }
    *MM_ARRAY_ADD(held->places, held->place_count, held->place_capacity) =
        (mm_held_place_t){.host = copy_of(row, PLACES_HOST),
                          .groups = copy_of(row, PLACES_GROUPS),
                          .is_open = mm_rows_number(row, PLACES_OPEN) != 0,
                          .is_casualty = mm_rows_number(row, PLACES_CASUALTY) != 0,
                          .since_ms = mm_rows_number(row, PLACES_SINCE_MS)};
    return true;
}

int mm_held_record_read(const char *where, int64_t now_ms, size_t max, mm_held_record_t *ret_record,
                        char error[MM_ERROR_MAX])
{
    mm_reader_t *record = NULL;
    mm_rows_t *holds = NULL, *places = NULL;
    held_reader_t self = {ret_record, max};
    mm_reader_config_t config = {.where = where, .version = RECORD_VERSION, .oldest = 1};
    *ret_record = (mm_held_record_t){0};
    int code = mm_reader_open_if_there(&config, &record, error);
    if (code != 0 || !record)
        return code;
    bool has_tables = mm_reader_version(record) >= RECORD_VERSION_AUDIT;
    if (has_tables && (code = mm_reader_rows(record, RECORD_READ_HOLDS, &holds, error)) == 0) {
        mm_rows_bind_number(holds, 2, now_ms);
        code = mm_rows_each(&holds, take_hold, &self, error);
    }
    if (has_tables && code == 0 &&
        (code = mm_reader_rows(record, RECORD_READ_PLACES, &places, error)) == 0)
        code = mm_rows_each(&places, take_place, &self, error);
    mm_reader_close(&record);
    return code;
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
