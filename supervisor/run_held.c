// See run_held.h.

#include "run_held.h"
#include "array.h"
#include "host_fold.h"
#include "sqlite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "outbox_schema.h"
#include "record_schema.h"

// ---- reading

static void read_holds(mm_sqlite_t *record, run_held_t *self)
{
    sqlite3_stmt *holds = NULL;
    char error[MM_ERROR_MAX];
    bool has_row = mm_sqlite_prepare(record, "SELECT kind, name, until_ms, run FROM holds", &holds,
                                     error) == 0;
    while (has_row && mm_sqlite_row(record, holds, &has_row) == MM_SQLITE_OK && has_row) {
        mm_str_t kind = mm_sqlite_column_text(holds, 0);
        if (mm_str_equal(kind, mm_str("halt")))
            self->is_halted = true;
        else if (mm_str_equal(kind, mm_str("trip")))
            *MM_ARRAY_ADD(self->tripped, self->tripped_count, self->tripped_capacity) =
                (run_tripped_t){mm_sqlite_column_copy(holds, 1), sqlite3_column_int64(holds, 3)};
        else if (mm_str_equal(kind, mm_str("deny")))
            *MM_ARRAY_ADD(self->denied, self->denied_count, self->denied_capacity) =
                (run_denied_t){mm_sqlite_column_copy(holds, 1), sqlite3_column_int64(holds, 2)};
    }
}

static void read_places(mm_sqlite_t *record, run_held_t *self)
{
    sqlite3_stmt *places = NULL;
    char error[MM_ERROR_MAX];
    bool has_row = mm_sqlite_prepare(record, "SELECT host, groups, open, casualty FROM places",
                                     &places, error) == 0;
    while (has_row && mm_sqlite_row(record, places, &has_row) == MM_SQLITE_OK && has_row)
        if (sqlite3_column_int(places, 2) != 0 || sqlite3_column_int(places, 3) != 0)
            *MM_ARRAY_ADD(self->places, self->place_count, self->place_capacity) =
                (run_place_t){mm_sqlite_column_copy(places, 0), mm_sqlite_column_copy(places, 1),
                              sqlite3_column_int(places, 2) == 0};
}

static int compare_denied(const void *a, const void *b)
{
    return strcmp(((const run_denied_t *)a)->host, ((const run_denied_t *)b)->host);
}

static int compare_places(const void *a, const void *b)
{
    return strcmp(((const run_place_t *)a)->host, ((const run_place_t *)b)->host);
}

run_held_t run_held_read(const char *path)
{
    run_held_t self = {0};
    mm_sqlite_t *record = NULL;
    char error[MM_ERROR_MAX];
    mm_sqlite_config_t config = {.path = path, .version = RECORD_VERSION, .read_only = true};
    if (access(path, F_OK) != 0 || mm_sqlite_open(&config, &record, error) != 0)
        return self;
    read_holds(record, &self);
    read_places(record, &self);
    mm_sqlite_close(&record);
    if (self.denied_count > 0)
        qsort(self.denied, self.denied_count, sizeof *self.denied, compare_denied);
    if (self.place_count > 0)
        qsort(self.places, self.place_count, sizeof *self.places, compare_places);
    return self;
}

void run_held_clear(run_held_t *self)
{
    for (size_t i = 0; i < self->tripped_count; i++)
        free(self->tripped[i].group);
    for (size_t i = 0; i < self->denied_count; i++)
        free(self->denied[i].host);
    for (size_t i = 0; i < self->place_count; i++) {
        free(self->places[i].host);
        free(self->places[i].groups);
    }
    free(self->tripped);
    free(self->denied);
    free(self->places);
    *self = (run_held_t){0};
}

// ---- asking

bool run_held_has_tripped(const run_held_t *self, const char *group)
{
    for (size_t i = 0; i < self->tripped_count; i++)
        if (strcmp(self->tripped[i].group, group) == 0)
            return true;
    return false;
}

static bool is_unfinished(mm_sqlite_t *outbox, int64_t run)
{
    sqlite3_stmt *runs = NULL;
    char error[MM_ERROR_MAX];
    bool has_row = false;
    if (mm_sqlite_prepare(outbox, "SELECT 1 FROM runs WHERE run_key = ?1 AND finished_ms IS NULL",
                          &runs, error) != 0)
        return false;
    (void)sqlite3_bind_int64(runs, 1, run);
    bool is_read = mm_sqlite_row(outbox, runs, &has_row) == MM_SQLITE_OK;
    if (is_read && has_row)
        (void)sqlite3_reset(runs);
    return is_read && has_row;
}

const char *run_held_unnamed(const run_held_t *self, const mm_policy_t *policy, const char *path)
{
    mm_sqlite_t *outbox = NULL;
    char error[MM_ERROR_MAX];
    const char *unnamed = NULL;
    mm_sqlite_config_t config = {.path = path, .version = OUTBOX_VERSION, .read_only = true};
    if (self->tripped_count == 0 || access(path, F_OK) != 0 ||
        mm_sqlite_open(&config, &outbox, error) != 0)
        return NULL;
    for (size_t i = 0; i < self->tripped_count && !unnamed; i++) {
        const run_tripped_t *tripped = &self->tripped[i];
        if (*tripped->group && !mm_policy_find(policy, mm_str(tripped->group)) &&
            is_unfinished(outbox, tripped->run))
            unnamed = tripped->group;
    }
    mm_sqlite_close(&outbox);
    return unnamed;
}

void run_held_print(const run_held_t *self, const char *program, const char *dir, FILE *file)
{
    if (self->is_halted)
        (void)fprintf(file, "halted; nothing begins until: %s resume --dir %s --why TEXT\n",
                      program, dir);
    for (size_t i = 0; i < self->tripped_count; i++) {
        bool is_run = *self->tripped[i].group == '\0';
        (void)fprintf(file,
                      "the breaker of %s has tripped; nothing%s begins until: %s resume%s%s --dir "
                      "%s --why TEXT\n",
                      is_run ? "the whole run" : self->tripped[i].group, is_run ? "" : " of it",
                      program, is_run ? "" : " ", self->tripped[i].group, dir);
    }
}

// Its folded form, as a text.
static char *fold(const char *host, char text[MM_HOST_MAX + 1])
{
    char buffer[MM_HOST_MAX];
    mm_str_t folded = mm_host_fold(mm_str(host), buffer);
    memcpy(text, folded.data, folded.size);
    text[folded.size] = '\0';
    return text;
}

const run_denied_t *run_held_denied(const run_held_t *self, const char *host)
{
    char text[MM_HOST_MAX + 1];
    run_denied_t wanted = {.host = fold(host, text)};
    return self->denied_count == 0
               ? NULL
               : bsearch(&wanted, self->denied, self->denied_count, sizeof wanted, compare_denied);
}

const run_place_t *run_held_place(const run_held_t *self, const char *host)
{
    char text[MM_HOST_MAX + 1];
    run_place_t wanted = {.host = fold(host, text)};
    return self->place_count == 0
               ? NULL
               : bsearch(&wanted, self->places, self->place_count, sizeof wanted, compare_places);
}
