// See run_record.h.

#include "run_record.h"
#include "array.h"
#include "sqlite.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record_schema.h"

#define OWED_SHOWN 20

static void read_open(mm_sqlite_t *record, const char *outbox, run_record_t *self)
{
    sqlite3_stmt *count = NULL;
    char error[MM_ERROR_MAX], *attach = sqlite3_mprintf("ATTACH DATABASE %Q AS outbox", outbox);
    assert(attach);
    bool has_row = false;
    bool is_attached = access(outbox, F_OK) == 0 && sqlite3_exec(mm_sqlite_handle(record), attach,
                                                                 NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_free(attach);
    if (is_attached && mm_sqlite_prepare(record, RECORD_COUNT_ACCEPTED, &count, error) == 0 &&
        mm_sqlite_row(record, count, &has_row) == MM_SQLITE_OK && has_row)
        self->open = sqlite3_column_int64(count, 0);
}

static void read_owed(mm_sqlite_t *record, run_record_t *self)
{
    sqlite3_stmt *debts = NULL;
    char error[MM_ERROR_MAX];
    bool has_row = mm_sqlite_prepare(record, RECORD_READ_DEBTS, &debts, error) == 0;
    while (has_row && mm_sqlite_row(record, debts, &has_row) == MM_SQLITE_OK && has_row) {
        mm_str_t host = mm_sqlite_column_text(debts, DEBTS_HOST);
        char *copy = strndup(host.data, host.size);
        assert(copy);
        self->payable += sqlite3_column_int(debts, DEBTS_IS_PAYABLE) != 0;
        *MM_ARRAY_ADD(self->owed, self->owed_count, self->owed_capacity) = copy;
    }
}

run_record_t run_record_read(const char *path, const char *dir)
{
    run_record_t self = {0};
    mm_sqlite_t *record = NULL;
    char error[MM_ERROR_MAX];
    mm_sqlite_config_t config = {
        .path = path, .version = RECORD_VERSION, .oldest = 2, .read_only = true};
    if (mm_sqlite_open(&config, &record, error) != 0)
        return self;
    char outbox[4096];
    (void)snprintf(outbox, sizeof outbox, "%s/outbox.db", dir);
    read_open(record, outbox, &self);
    read_owed(record, &self);
    mm_sqlite_close(&record);
    return self;
}

bool run_record_cooled(const char *path, int64_t count, char ret_span[RUN_RECORD_SPAN])
{
    mm_sqlite_t *record = NULL;
    sqlite3_stmt *cooled = NULL;
    char error[MM_ERROR_MAX];
    mm_sqlite_config_t config = {
        .path = path, .version = RECORD_VERSION, .oldest = 2, .read_only = true};
    bool has_row = false;
    if (count == 0 || mm_sqlite_open(&config, &record, error) != 0)
        return false;
    if (mm_sqlite_prepare(record, RECORD_COUNT_COOLED, &cooled, error) == 0) {
        (void)sqlite3_bind_int64(cooled, 1, count);
        (void)mm_sqlite_row(record, cooled, &has_row);
    }
    bool is_all = has_row && sqlite3_column_int64(cooled, 0) == count;
    const char *why = is_all ? (const char *)sqlite3_column_text(cooled, 1) : NULL;
    const char *span = why ? strstr(why, RECORD_COOLED) : NULL;
    if (span) {
        span += strlen(RECORD_COOLED);
        (void)snprintf(ret_span, RUN_RECORD_SPAN, "%.*s", (int)strcspn(span, " "), span);
    }
    mm_sqlite_close(&record);
    return span != NULL;
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
