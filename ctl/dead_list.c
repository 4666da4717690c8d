// See dead_list.h.

#include "dead_list.h"
#include "array.h"
#include "ctl.h"
#include "outbox_schema.h"
#include "record_reader.h"
#include "record_schema.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

// ---- the outbox

static bool take_run(void *arg, const mm_rows_t *row)
{
    dead_list_t *self = arg;
    int64_t total = mm_rows_number(row, OUTBOX_RUN_TOTAL);
    int64_t accepted = mm_rows_number(row, OUTBOX_RUN_ACCEPTED);
    self->run = mm_rows_number(row, OUTBOX_RUN_NUMBER);
    self->input = mm_rows_copy(row, OUTBOX_RUN_INPUT);
    self->driver = mm_rows_copy(row, OUTBOX_RUN_DRIVER);
    self->is_finished = mm_rows_type(row, OUTBOX_RUN_FINISHED_MS) != MM_COLUMN_NULL;
    self->left = (total > accepted ? total : accepted) - mm_rows_number(row, OUTBOX_RUN_RESTARTED) -
                 mm_rows_number(row, OUTBOX_RUN_DEAD) - mm_rows_number(row, OUTBOX_RUN_UNNEEDED) -
                 mm_rows_number(row, OUTBOX_RUN_WITHDRAWN);
    return true;
}

// Of the columns of OUTBOX_READ_DEAD.
static bool take_host(void *arg, const mm_rows_t *row)
{
    dead_list_t *self = arg;
    *MM_ARRAY_ADD(self->items, self->count, self->capacity) =
        (dead_host_t){.job = mm_rows_id(row, 0),
                      .host = mm_rows_copy(row, 1),
                      .error = mm_rows_copy(row, 3),
                      .attributes = mm_rows_copy(row, 4),
                      .attempts = -1};
    return true;
}

// Gives each row of this SQL to `take`; number: its parameter, if it has one.
static int read_rows(mm_reader_t *reader, const char *sql, int64_t number, mm_row_fn *take,
                     dead_list_t *self, char error[MM_ERROR_MAX])
{
    mm_rows_t *rows = NULL;
    int code = mm_reader_rows(reader, sql, &rows, error);
    if (code != 0)
        return code;
    mm_rows_bind_number(rows, 1, number);
    return mm_rows_each(&rows, take, self, error);
}

static int read_outbox(const char *dir, dead_list_t *self, char error[MM_ERROR_MAX])
{
    char path[PATH_MAX];
    mm_reader_t *outbox = NULL;
    (void)snprintf(path, sizeof path, "%s/outbox.db", dir);
    if (access(path, F_OK) != 0) {
        (void)ctl_error(error, "no run has begun in '%s'; name its folder with --dir", dir);
        return EX_NOINPUT;
    }
    mm_reader_config_t config = {.where = path, .version = OUTBOX_VERSION};
    int code = mm_reader_open(&config, &outbox, error);
    if (code == 0)
        code = read_rows(outbox, OUTBOX_READ_RUN " ORDER BY run DESC LIMIT 1", 0, take_run, self,
                         error);
    if (code == 0 && self->run != 0)
        code = read_rows(outbox, OUTBOX_READ_DEAD " WHERE run = ?1 ORDER BY id", self->run,
                         take_host, self, error);
    mm_reader_close(&outbox);
    return code;
}

// ---- the record

typedef struct {
    dead_list_t *list;
    size_t next; // of its items, which are in the order of the rows
} settles_t;

static bool take_settle(void *arg, const mm_rows_t *row)
{
    settles_t *self = arg;
    mm_id_t job = mm_rows_id(row, 0);
    while (self->next < self->list->count &&
           memcmp(self->list->items[self->next].job.bytes, job.bytes, sizeof job.bytes) < 0)
        self->next++;
    if (self->next == self->list->count)
        return false;
    dead_host_t *host = &self->list->items[self->next];
    if (mm_id_equal(&host->job, &job)) {
        host->attempts = mm_rows_number(row, 1);
        host->settled_ms = mm_rows_number(row, 2);
    }
    return true;
}

static int read_settles(mm_reader_t *record, dead_list_t *self, char error[MM_ERROR_MAX])
{
    mm_rows_t *rows = NULL;
    int code = mm_reader_rows(record, RECORD_READ_SETTLES, &rows, error);
    if (code != 0)
        return code;
    mm_id_t *ids = malloc(self->count * sizeof *ids);
    assert(ids);
    for (size_t i = 0; i < self->count; i++)
        ids[i] = self->items[i].job;
    mm_rows_bind_ids(rows, 1, ids, self->count);
    code = mm_rows_each(&rows, take_settle, &(settles_t){self, 0}, error);
    free(ids);
    return code;
}

static int read_record(const char *where, dead_list_t *self, char error[MM_ERROR_MAX])
{
    mm_reader_t *record = NULL;
    if (self->count == 0)
        return 0;
    mm_reader_config_t config = {.where = where, .version = RECORD_VERSION, .oldest = 1};
    int code = mm_reader_open_if_there(&config, &record, error);
    if (code == 0 && record)
        code = read_settles(record, self, error);
    mm_reader_close(&record);
    return code;
}

// ---- both

int dead_list_read(const char *dir, const char *record, dead_list_t *ret_list,
                   char error[MM_ERROR_MAX])
{
    dead_list_t self = {0};
    int code = read_outbox(dir, &self, error);
    if (code == 0)
        code = read_record(record, &self, error);
    if (code != 0)
        dead_list_clear(&self);
    else
        *ret_list = self;
    return code;
}

void dead_list_clear(dead_list_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->items[i].host);
        free(self->items[i].attributes);
        free(self->items[i].error);
    }
    free(self->items);
    free(self->input);
    free(self->driver);
    *self = (dead_list_t){0};
}
