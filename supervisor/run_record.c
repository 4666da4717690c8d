// See run_record.h.

#include "run_record.h"
#include "array.h"
#include "record_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "outbox_schema.h"
#include "record_schema.h"

#define OWED_SHOWN 20

typedef struct {
    mm_id_t *items;
    size_t count, capacity;
} ids_t;

static bool take_id(void *arg, const mm_rows_t *row)
{
    ids_t *self = arg;
    *MM_ARRAY_ADD(self->items, self->count, self->capacity) = mm_rows_id(row, 0);
    return true;
}

static bool take_count(void *arg, const mm_rows_t *row)
{
    *(int64_t *)arg = mm_rows_number(row, 0);
    return false;
}

// How many of these jobs the outbox still has.
static int64_t count_accepted(const char *dir, const ids_t *ids)
{
    char path[4096], error[MM_ERROR_MAX];
    (void)snprintf(path, sizeof path, "%s/outbox.db", dir);
    mm_reader_config_t config = {.where = path, .version = OUTBOX_VERSION};
    mm_reader_t *outbox = NULL;
    mm_rows_t *rows = NULL;
    int64_t count = 0;
    if (mm_reader_open_if_there(&config, &outbox, error) == 0 && outbox &&
        mm_reader_rows(outbox, OUTBOX_COUNT_UNSETTLED, &rows, error) == 0) {
        mm_rows_bind_ids(rows, 1, ids->items, ids->count);
        (void)mm_rows_each(&rows, take_count, &count, error);
    }
    mm_reader_close(&outbox);
    return count;
}

static void read_open(mm_reader_t *record, const char *dir, run_record_t *self)
{
    ids_t ids = {0};
    mm_rows_t *rows = NULL;
    char error[MM_ERROR_MAX];
    if (mm_reader_rows(record, RECORD_READ_OPEN, &rows, error) == 0)
        (void)mm_rows_each(&rows, take_id, &ids, error);
    if (ids.count > 0)
        self->open = count_accepted(dir, &ids);
    free(ids.items);
}

static bool take_debt(void *arg, const mm_rows_t *row)
{
    run_record_t *self = arg;
    self->payable += mm_rows_number(row, DEBTS_IS_PAYABLE) != 0;
    *MM_ARRAY_ADD(self->owed, self->owed_count, self->owed_capacity) =
        mm_rows_copy(row, DEBTS_HOST);
    return true;
}

static mm_reader_t *open_record(const char *where)
{
    mm_reader_config_t config = {.where = where, .version = RECORD_VERSION, .oldest = 2};
    mm_reader_t *record = NULL;
    char error[MM_ERROR_MAX]; // the saver of a run says it
    return mm_reader_open_if_there(&config, &record, error) == 0 ? record : NULL;
}

run_record_t run_record_read(const char *where, const char *dir)
{
    run_record_t self = {0};
    mm_rows_t *debts = NULL;
    char error[MM_ERROR_MAX];
    mm_reader_t *record = open_record(where);
    if (!record)
        return self;
    read_open(record, dir, &self);
    if (mm_reader_rows(record, RECORD_READ_DEBTS, &debts, error) == 0)
        (void)mm_rows_each(&debts, take_debt, &self, error);
    mm_reader_close(&record);
    return self;
}

bool run_record_cooled(const char *where, int64_t count, char ret_span[RUN_RECORD_SPAN])
{
    mm_rows_t *cooled = NULL;
    bool has_row = false, is_found = false;
    char error[MM_ERROR_MAX];
    mm_reader_t *record = count > 0 ? open_record(where) : NULL;
    if (!record)
        return false;
    if (mm_reader_rows(record, RECORD_COUNT_COOLED, &cooled, error) == 0) {
        mm_rows_bind_number(cooled, 1, count);
        (void)mm_rows_next(cooled, &has_row);
    }
    if (has_row && mm_rows_number(cooled, 0) == count) {
        char *why = mm_rows_copy(cooled, 1), *span = strstr(why, RECORD_COOLED);
        is_found = span != NULL;
        if (is_found) {
            span += strlen(RECORD_COOLED);
            (void)snprintf(ret_span, RUN_RECORD_SPAN, "%.*s", (int)strcspn(span, " "), span);
        }
        free(why);
    }
    mm_reader_close(&record);
    return is_found;
}

void run_record_clear(run_record_t *self)
{
    for (size_t i = 0; i < self->owed_count; i++)
        free(self->owed[i]);
    free(self->owed);
    *self = (run_record_t){0};
}

void run_record_print_open(const run_record_t *self, FILE *file)
{
    if (self->open > 0)
        (void)fprintf(file,
                      "%" PRId64 " host%s in mid-boot, not proven yet; the same command looks at "
                      "%s first\n",
                      self->open, self->open == 1 ? "" : "s", self->open == 1 ? "it" : "them");
}

void run_record_print_owed(const run_record_t *self, FILE *file)
{
    for (size_t i = 0; i < self->owed_count && i < OWED_SHOWN; i++)
        (void)fprintf(file, "%s%s\n", i == 0 ? "owed       --after of " : "                      ",
                      self->owed[i]);
    if (self->owed_count > OWED_SHOWN)
        (void)fprintf(file, "                      and %zu more\n", self->owed_count - OWED_SHOWN);
}

json_t *run_record_owed_json(const run_record_t *self)
{
    json_t *owed = json_array();
    for (size_t i = 0; i < self->owed_count; i++)
        json_array_append_new(owed, json_string(self->owed[i]));
    return owed;
}
