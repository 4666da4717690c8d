// See held_record.h.

#include "held_record.h"
#include "array.h"
#include "ctl.h"
#include "human_format.h"
#include "record_schema.h"
#include "sqlite.h"
#include "until.h"
#include "utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define SHOWN 20 // lines of each

// ---- reading

// Valid UTF-8 up to its end.
static char *copy_of(sqlite3_stmt *row, int column)
{
    mm_str_t text = mm_sqlite_column_text(row, column);
    char *copy = strndup(text.data ? text.data : "", mm_utf8_prefix(text, text.size));
    assert(copy);
    return copy;
}

static void read_holds(mm_sqlite_t *record, int64_t now_ms, held_record_t *self)
{
    sqlite3_stmt *row = NULL;
    char error[MM_ERROR_MAX];
    bool has_row = mm_sqlite_prepare(record, RECORD_READ_HOLDS, &row, error) == 0;
    if (has_row)
        (void)sqlite3_bind_int64(row, 1, now_ms);
    while (has_row && mm_sqlite_row(record, row, &has_row) == MM_SQLITE_OK && has_row) {
        mm_action_t kind;
        if (!mm_action_parse(mm_sqlite_column_text(row, HOLDS_KIND), &kind))
            continue; // of a later release
        if (self->hold_count == HELD_RECORD_MAX) {
            self->holds_left_out++;
            continue;
        }
        *MM_ARRAY_ADD(self->holds, self->hold_count, self->hold_capacity) =
            (hold_t){.kind = kind,
                     .name = copy_of(row, HOLDS_NAME),
                     .why = copy_of(row, HOLDS_WHY),
                     .actor = copy_of(row, HOLDS_ACTOR),
                     .until_ms = sqlite3_column_int64(row, HOLDS_UNTIL_MS),
                     .since_ms = sqlite3_column_int64(row, HOLDS_SINCE_MS)};
    }
}

static void read_places(mm_sqlite_t *record, held_record_t *self)
{
    sqlite3_stmt *row = NULL;
    char error[MM_ERROR_MAX];
    bool has_row = mm_sqlite_prepare(record, RECORD_READ_PLACES, &row, error) == 0;
    while (has_row && mm_sqlite_row(record, row, &has_row) == MM_SQLITE_OK && has_row) {
        if (self->place_count == HELD_RECORD_MAX) {
            self->places_left_out++;
            continue;
        }
        *MM_ARRAY_ADD(self->places, self->place_count, self->place_capacity) =
            (held_place_t){.host = copy_of(row, PLACES_HOST),
                           .groups = copy_of(row, PLACES_GROUPS),
                           .is_open = sqlite3_column_int(row, PLACES_OPEN) != 0,
                           .is_casualty = sqlite3_column_int(row, PLACES_CASUALTY) != 0,
                           .since_ms = sqlite3_column_int64(row, PLACES_SINCE_MS)};
    }
}

int held_record_read(const char *path, int64_t now_ms, held_record_t *ret_record,
                     char error[MM_ERROR_MAX])
{
    mm_sqlite_t *record = NULL;
    mm_sqlite_config_t config = {
        .path = path, .version = RECORD_VERSION, .oldest = 1, .read_only = true};
    *ret_record = (held_record_t){0};
    if (access(path, F_OK) != 0)
        return 0;
    int code = mm_sqlite_open(&config, &record, error);
    if (code != 0)
        return code;
    read_holds(record, now_ms, ret_record);
    read_places(record, ret_record);
    mm_sqlite_close(&record);
    return 0;
}

void held_record_clear(held_record_t *self)
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
    *self = (held_record_t){0};
}

const hold_t *held_record_find(const held_record_t *self, mm_action_t kind, const char *name)
{
    for (size_t i = 0; i < self->hold_count; i++)
        if (self->holds[i].kind == kind && (!name || strcmp(self->holds[i].name, name) == 0))
            return &self->holds[i];
    return NULL;
}

const held_place_t *held_record_place(const held_record_t *self, const char *host)
{
    for (size_t i = 0; i < self->place_count; i++)
        if (strcmp(self->places[i].host, host) == 0)
            return &self->places[i];
    return NULL;
}

// ---- for people

static void print_hold(const hold_t *hold, const char *options, FILE *file)
{
    char since[HUMAN_TEXT], until[UNTIL_TEXT];
    bool is_run = *hold->name == '\0';
    (void)fprintf(file, "%-10s ",
                  hold->kind == MM_ACTION_HALT   ? "halted"
                  : hold->kind == MM_ACTION_TRIP ? "tripped"
                                                 : "denied");
    if (hold->kind == MM_ACTION_TRIP)
        (void)fprintf(file, "%s%s ", is_run ? "the whole run" : "group ", hold->name);
    if (hold->kind == MM_ACTION_DENY)
        (void)fprintf(file, "%s %s%s ", hold->name, hold->until_ms > 0 ? "until " : "for good",
                      hold->until_ms > 0 ? until_print(hold->until_ms, until) : "");
    (void)fprintf(file, "since %s by ", human_date(hold->since_ms, since));
    ctl_put_text(file, hold->actor);
    (void)fputs(": ", file);
    ctl_put_text(file, hold->why);
    if (hold->kind == MM_ACTION_DENY)
        (void)fprintf(file, "; ends by: mayhem deny %s%s --until now --why TEXT\n", hold->name,
                      options);
    else
        (void)fprintf(file, "; ends by: mayhem resume%s%s%s --why TEXT\n", is_run ? "" : " ",
                      hold->name, options);
}

static void print_place(const held_place_t *place, const char *options, FILE *file)
{
    char since[HUMAN_TEXT];
    (void)fprintf(file, "%-10s %s%s%s since %s", place->is_casualty ? "casualty" : "open",
                  place->host, *place->groups ? " of " : "", place->groups,
                  human_date(place->since_ms, since));
    if (place->is_casualty)
        (void)fprintf(file, "; ends by: mayhem absolve %s%s --why TEXT\n", place->host, options);
    else
        (void)fputs(": an attempt whose end is not known\n", file);
}

static void print_rest(int64_t count, const char *what, FILE *file)
{
    if (count > 0)
        (void)fprintf(file, "%-10s and %" PRId64 " more\n", what, count);
}

void held_record_print(const held_record_t *self, bool with_stops, const char *options, FILE *file)
{
    size_t places = self->place_count < SHOWN ? self->place_count : SHOWN, shown = 0;
    int64_t more = self->holds_left_out;
    for (size_t i = 0; i < self->hold_count; i++) {
        if (!with_stops && self->holds[i].kind != MM_ACTION_DENY)
            continue;
        if (shown == SHOWN) {
            more++;
            continue;
        }
        print_hold(&self->holds[i], options, file);
        shown++;
    }
    print_rest(more, "held back", file);
    for (size_t i = 0; i < places; i++)
        print_place(&self->places[i], options, file);
    print_rest((int64_t)(self->place_count - places) + self->places_left_out, "places", file);
}

json_t *held_record_json(const held_record_t *self)
{
    json_t *holds = json_array(), *places = json_array();
    for (size_t i = 0; i < self->hold_count; i++) {
        const hold_t *hold = &self->holds[i];
        json_array_append_new(
            holds, json_pack("{s:s, s:s, s:I, s:I, s:s, s:s}", "kind", mm_action_name(hold->kind),
                             "name", hold->name, "since_ms", (json_int_t)hold->since_ms, "until_ms",
                             (json_int_t)hold->until_ms, "why", hold->why, "actor", hold->actor));
    }
    for (size_t i = 0; i < self->place_count; i++) {
        const held_place_t *place = &self->places[i];
        json_array_append_new(places, json_pack("{s:s, s:s, s:b, s:b, s:I}", "host", place->host,
                                                "groups", place->groups, "open", place->is_open,
                                                "casualty", place->is_casualty, "since_ms",
                                                (json_int_t)place->since_ms));
    }
    return json_pack("{s:o, s:o, s:I}", "holds", holds, "places", places, "left_out",
                     (json_int_t)(self->holds_left_out + self->places_left_out));
}
