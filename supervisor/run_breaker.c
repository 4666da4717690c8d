// See run_breaker.h.

#include "run_breaker.h"
#include "array.h"
#include "record_order.h"
#include "record_reader.h"
#include "run_held.h"
#include "run_inventory.h"
#include "sqlite.h"
#include "string_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "outbox_schema.h"
#include "record_schema.h"

// ---- reading

// The run that this driver goes on with, for its record.
typedef struct {
    int64_t number; // in the outbox; 0: there is none
    int64_t key;
} goes_on_t;

typedef struct {
    mm_id_t *items;
    size_t count, capacity;
} dead_ids_t;

static goes_on_t read_outbox(const char *path, const char *driver, run_breaker_t *self)
{
    goes_on_t run = {0};
    sqlite3_stmt *row = NULL;
    char error[MM_ERROR_MAX];
    bool has_row = false;
    mm_sqlite_t *outbox = mm_sqlite_open_if_there(path, OUTBOX_VERSION, OUTBOX_VERSION);
    if (outbox && mm_sqlite_prepare(outbox, OUTBOX_READ_GOES_ON, &row, error) == 0) {
        mm_sqlite_bind_text(row, 1, mm_str(driver));
        (void)mm_sqlite_row(outbox, row, &has_row);
    }
    if (has_row) {
        run = (goes_on_t){sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1)};
        self->goes_on = true;
        self->dead = sqlite3_column_int64(row, 2);
    }
    mm_sqlite_close(&outbox);
    return run;
}

static bool take_id(void *arg, const mm_rows_t *row)
{
    dead_ids_t *self = arg;
    *MM_ARRAY_ADD(self->items, self->count, self->capacity) = mm_rows_id(row, 0);
    return true;
}

// The jobs of the run that are dead.
static dead_ids_t read_dead(const char *outbox, const goes_on_t *run)
{
    dead_ids_t dead = {0};
    char error[MM_ERROR_MAX];
    mm_reader_config_t config = {.where = outbox, .version = OUTBOX_VERSION};
    mm_reader_t *reader = NULL;
    mm_rows_t *rows = NULL;
    if (mm_reader_open_if_there(&config, &reader, error) == 0 && reader &&
        mm_reader_rows(reader, OUTBOX_READ_DEAD " WHERE run = ?1", &rows, error) == 0) {
        mm_rows_bind_number(rows, 1, run->number);
        (void)mm_rows_each(&rows, take_id, &dead, error);
    }
    mm_reader_close(&reader);
    return dead;
}

// The first row of this SQL; NULL: it has none. It is the reader's.
static mm_rows_t *read_one(mm_reader_t *record, const char *sql, const goes_on_t *run,
                           const dead_ids_t *dead)
{
    mm_rows_t *row = NULL;
    char error[MM_ERROR_MAX];
    bool has_row = false;
    if (mm_reader_rows(record, sql, &row, error) != 0)
        return NULL;
    mm_rows_bind_number(row, 1, run->key);
    mm_rows_bind_text(row, 2, mm_str(MM_WHY_MAX_DEAD " %"));
    mm_rows_bind_ids(row, 3, dead->items, dead->count);
    return mm_rows_next(row, &has_row) == 0 && has_row ? row : NULL;
}

static void read_record(const run_settings_t *settings, const char *outbox, const goes_on_t *run,
                        run_breaker_t *self)
{
    mm_reader_config_t config = {
        .where = settings->db, .version = RECORD_VERSION, .oldest = RECORD_VERSION_AUDIT};
    mm_reader_t *record = NULL;
    mm_rows_t *row;
    char error[MM_ERROR_MAX]; // the saver of the run says it
    if (mm_reader_open_if_there(&config, &record, error) != 0 || !record)
        return;
    dead_ids_t dead = read_dead(outbox, run);
    if ((row = read_one(record, RECORD_COUNT_FORGIVEN, run, &dead)) != NULL)
        self->forgiven = mm_rows_number(row, 0);
    if (self->is_tripped && (row = read_one(record, RECORD_READ_TRIP, run, &dead)) != NULL) {
        mm_str_t why = mm_rows_text(row, 0);
        (void)snprintf(self->why, sizeof self->why, "%.*s", (int)why.size, why.data);
        self->is_by_max_dead = mm_rows_number(row, 1) != 0;
    }
    mm_reader_close(&record);
    free(dead.items);
}

// Those of other runs have ended with them. group: empty: the whole run.
static bool has_tripped(const run_breaker_t *self, mm_str_t group)
{
    for (size_t i = 0; i < self->held.hold_count; i++) {
        const mm_hold_t *hold = &self->held.holds[i];
        if (hold->kind == MM_ACTION_TRIP && hold->run == self->run &&
            mm_str_equal(mm_str(hold->name), group))
            return true;
    }
    return false;
}

run_breaker_t run_breaker_read(const run_settings_t *settings)
{
    run_breaker_t self = {.held = run_held_read(settings->db)};
    char outbox[4096];
    (void)snprintf(outbox, sizeof outbox, "%s/outbox.db", settings->dir);
    goes_on_t run = read_outbox(outbox, settings->driver.words, &self);
    self.run = (uint64_t)run.key;
    self.is_tripped = has_tripped(&self, mm_str(""));
    if (self.goes_on && (self.is_tripped || settings->max_dead > 0))
        read_record(settings, outbox, &run, &self);
    self.is_lifted = self.is_tripped && self.is_by_max_dead &&
                     (settings->max_dead == 0 || self.dead - self.forgiven < settings->max_dead);
    self.is_tripped = self.is_tripped && !self.is_lifted;
    return self;
}

void run_breaker_clear(run_breaker_t *self)
{
    mm_held_record_clear(&self->held);
    *self = (run_breaker_t){0};
}

// ---- asking

static bool is_of_tripped(const run_breaker_t *self, const run_host_t *host)
{
    for (const char *at = host->groups; *at; at += strcspn(at, ","), at += *at == ',')
        if (has_tripped(self, (mm_str_t){at, strcspn(at, ",")}))
            return true;
    return false;
}

static size_t count_tripped(const run_breaker_t *self, const char **ret_group)
{
    size_t count = 0;
    for (size_t i = 0; i < self->held.hold_count; i++) {
        const mm_hold_t *hold = &self->held.holds[i];
        if (hold->kind != MM_ACTION_TRIP || hold->run != self->run || *hold->name == '\0')
            continue;
        *ret_group = hold->name;
        count++;
    }
    return count;
}

// What is wrong with the list is said by the publisher of the run.
static bool has_nothing_else(const run_breaker_t *self, const run_settings_t *settings)
{
    run_inventory_t list = {0};
    size_t left = 0, stopped = 0;
    if (settings->policy.count < 2 || !settings->list)
        return false;
    bool is_read = run_inventory_read(settings, RUN_INVENTORY_QUIET_HOSTS, &list) == 0;
    for (size_t i = 0; is_read && i < list.item_count; i++) {
        left += !list.items[i].is_done;
        stopped += !list.items[i].is_done && is_of_tripped(self, &list.items[i]);
    }
    run_inventory_clear(&list);
    return left > 0 && stopped == left;
}

bool run_breaker_stops(run_breaker_t *self, const run_settings_t *settings)
{
    char why[RUN_BREAKER_WHY];
    const char *group = NULL;
    size_t groups = count_tripped(self, &group);
    if (self->is_tripped) {
        if (self->is_by_max_dead)
            (void)snprintf(why, sizeof why, "--max-dead, see %.200s/dead.txt first", settings->dir);
        else
            (void)snprintf(why, sizeof why, "the breaker of the whole run: %.200s", self->why);
        (void)snprintf(self->why, sizeof self->why, "%s", why);
        return true;
    }
    if (!self->goes_on || groups == 0 || !has_nothing_else(self, settings))
        return false;
    if (groups == 1)
        (void)snprintf(self->why, sizeof self->why, "the breaker of %s, of which all hosts are",
                       group);
    else
        (void)snprintf(self->why, sizeof self->why,
                       "the breakers of %zu groups, of which all hosts are", groups);
    return true;
}

// ---- going on

int run_breaker_pass(const run_breaker_t *self, run_settings_t *settings)
{
    char why[64];
    int exit_code = 0;
    if (self->is_lifted) {
        (void)snprintf(why, sizeof why, MM_WHY_MAX_DEAD " %" PRId64, settings->max_dead);
        exit_code = record_order_of_run(settings, MM_ACTION_RESUME, why);
    }
    settings->dead_forgiven = self->forgiven;
    if (settings->max_dead > 0 && self->forgiven > 0)
        arguments_add(&settings->arguments[MM_PROGRAM_CONSUMER], "--max-dead=%" PRId64,
                      settings->max_dead + self->forgiven);
    return exit_code;
}
