// See outbox_db.h: the batch. It is kept in memory and made in one transaction by commit, so that a
// commit that met a full disk can simply be made again. Counters of a run are added up within the
// commit and written once; they count what was really inserted and deleted (I1).

#include "crash.h"
#include "outbox_db_inside.h"

#define SQL_INSERT "INSERT INTO jobs (id, host, run) VALUES"
#define INSERT_ROWS                                                                                \
    16 // in one statement: a fifth of the instructions less, and not much less with more

int outbox_db_prepare_batch(outbox_db_t *self, char error[MM_ERROR_MAX])
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } all[] = {
        {&self->insert, SQL_INSERT " (?, ?, ?)"},
        {&self->delete, "DELETE FROM jobs WHERE id = ?1"},
        {&self->bury, "INSERT INTO dead (run, id, host, error) VALUES (?1, ?2, ?3, ?4)"},
        {&self->update_run,
         "UPDATE runs SET times = coalesce(?2, times), clean = coalesce(?3, clean),"
         " position = coalesce(?4, position), digest = coalesce(?5, digest),"
         " total = coalesce(?6, total), repeated = coalesce(?7, repeated),"
         " skipped = coalesce(?8, skipped), source_done = coalesce(?9, source_done),"
         " accepted = accepted + ?10, restarted = restarted + ?11, dead = dead + ?12,"
         " attempts = attempts + ?13 WHERE run = ?1"},
        {&self->finish_run, "UPDATE runs SET finished_ms = ?2 WHERE run = ?1 AND source_done"
                            " AND finished_ms IS NULL AND accepted = restarted + dead"},
    };
    int code = mm_sqlite_prepare_rows(self->sqlite, SQL_INSERT, "(?, ?, ?)", "", INSERT_ROWS,
                                      &self->insert_rows, error);
    for (size_t i = 0; code == 0 && i < sizeof all / sizeof all[0]; i++)
        code = mm_sqlite_prepare(self->sqlite, all[i].sql, all[i].statement, error);
    return code;
}

void outbox_db_clear_batch(outbox_db_t *self)
{
    for (size_t i = 0; i < self->run_count; i++)
        free(self->runs[i].times);
    self->run_count = 0;
    self->change_count = 0;
    self->change_bytes.count = 0;
    self->notes = 0;
}

// The index of what the batch changes in a run. Batches meet few runs, mostly the same one.
static size_t run_index(outbox_db_t *self, int64_t number)
{
    for (size_t i = self->run_count; i > 0; i--)
        if (self->runs[i - 1].number == number)
            return i - 1;
    if (self->run_count == self->run_room) {
        self->run_room = 2 * self->run_room + 4;
        self->runs = grow(self->runs, self->run_room, sizeof *self->runs);
    }
    self->runs[self->run_count] = (run_change_t){.number = number};
    return self->run_count++;
}

// Valid until the next run is added.
static run_change_t *run_change(outbox_db_t *self, int64_t number)
{
    size_t index = run_index(self, number); // first: it may move the runs
    return &self->runs[index];
}

static void add_change(outbox_db_t *self, change_t change)
{
    if (self->change_count == self->change_room) {
        self->change_room = 2 * self->change_room + 256;
        self->changes = grow(self->changes, self->change_room, sizeof *self->changes);
    }
    append(&self->change_bytes, change.host);
    append(&self->change_bytes, change.error);
    self->changes[self->change_count++] = change;
}

void outbox_db_put(outbox_db_t *self, int64_t run, const mm_id_t *id, mm_text_t host)
{
    add_change(
        self, (change_t){.kind = CHANGE_PUT, .id = *id, .run = run_index(self, run), .host = host});
}

void outbox_db_settle(outbox_db_t *self, int64_t run, const mm_id_t *id, mm_text_t host,
                      mm_outcome_t outcome, uint32_t attempts, mm_text_t error)
{
    assert(outcome != MM_OUTCOME_NONE);
    change_t change = {
        .kind = CHANGE_RESTARTED, .id = *id, .run = run_index(self, run), .attempts = attempts};
    if (outcome == MM_OUTCOME_DEAD) {
        change.kind = CHANGE_DEAD;
        change.host = host;
        change.error = error;
    }
    add_change(self, change);
}

void outbox_db_set_progress(outbox_db_t *self, int64_t run, const source_progress_t *progress)
{
    run_change_t *change = run_change(self, run);
    change->has_progress = true;
    change->progress = *progress;
    self->notes++;
}

void outbox_db_set_times(outbox_db_t *self, int64_t run, const void *data, size_t size)
{
    run_change_t *change = run_change(self, run);
    change->has_times = true;
    change->times = grow(change->times, size + 1, 1);
    memcpy(change->times, data, size);
    change->times_size = size;
    self->notes++;
}

void outbox_db_set_clean(outbox_db_t *self, int64_t run, bool clean)
{
    run_change_t *change = run_change(self, run);
    change->has_clean = true;
    change->clean = clean;
    self->notes++;
}

size_t outbox_db_pending(const outbox_db_t *self)
{
    return self->change_count + self->notes;
}

// Inserts so many jobs, which are all puts: one or INSERT_ROWS.
static mm_sqlite_status_t write_puts(outbox_db_t *self, const change_t *changes, size_t count)
{
    sqlite3_stmt *insert = count == 1 ? self->insert : self->insert_rows;
    for (size_t i = 0; i < count; i++) {
        run_change_t *run = &self->runs[changes[i].run];
        int column = 3 * (int)i;
        mm_sqlite_bind_id(insert, column + 1, &changes[i].id);
        mm_sqlite_bind_text(insert, column + 2, changes[i].host);
        (void)sqlite3_bind_int64(insert, column + 3, run->number);
        run->accepted++;
    }
    return mm_sqlite_run(self->sqlite, insert);
}

// How many changes from this one on are puts, INSERT_ROWS at most.
static size_t puts_from(const outbox_db_t *self, size_t first)
{
    size_t count = 0;
    while (count < INSERT_ROWS && first + count < self->change_count &&
           self->changes[first + count].kind == CHANGE_PUT)
        count++;
    return count;
}

static mm_sqlite_status_t write_settle(outbox_db_t *self, const change_t *change)
{
    run_change_t *run = &self->runs[change->run];
    mm_sqlite_bind_id(self->delete, 1, &change->id);
    mm_sqlite_status_t status = mm_sqlite_run(self->sqlite, self->delete);
    if (status != MM_SQLITE_OK || sqlite3_changes(mm_sqlite_handle(self->sqlite)) == 0)
        return status;
    run->attempts += change->attempts;
    if (change->kind == CHANGE_RESTARTED) {
        run->restarted++;
        return MM_SQLITE_OK;
    }
    run->dead++;
    (void)sqlite3_bind_int64(self->bury, 1, run->number);
    mm_sqlite_bind_id(self->bury, 2, &change->id);
    mm_sqlite_bind_text(self->bury, 3, change->host);
    mm_sqlite_bind_text(self->bury, 4, change->error);
    return mm_sqlite_run(self->sqlite, self->bury);
}

static mm_sqlite_status_t write_changes(outbox_db_t *self)
{
    for (size_t i = 0; i < self->run_count; i++) {
        run_change_t *run = &self->runs[i];
        run->accepted = run->restarted = run->dead = run->attempts = 0;
    }
    const char *next = self->change_bytes.data;
    for (size_t i = 0; i < self->change_count; i++) {
        place(&self->changes[i].host, &next);
        place(&self->changes[i].error, &next);
    }
    mm_sqlite_status_t status = MM_SQLITE_OK;
    for (size_t i = 0, count; status == MM_SQLITE_OK && i < self->change_count; i += count) {
        size_t puts = puts_from(self, i);
        count = puts == INSERT_ROWS ? puts : 1;
        status = puts > 0 ? write_puts(self, &self->changes[i], count)
                          : write_settle(self, &self->changes[i]);
    }
    return status;
}

static mm_sqlite_status_t write_run(outbox_db_t *self, const run_change_t *run, int64_t unix_ms)
{
    // A parameter that is not bound is NULL: the column stays.
    sqlite3_stmt *update = self->update_run;
    (void)sqlite3_clear_bindings(update);
    (void)sqlite3_bind_int64(update, 1, run->number);
    if (run->has_times)
        (void)sqlite3_bind_blob(update, 2, run->times, (int)run->times_size, SQLITE_STATIC);
    if (run->has_clean)
        (void)sqlite3_bind_int(update, 3, run->clean);
    if (run->has_progress)
        bind_progress(update, &run->progress);
    (void)sqlite3_bind_int64(update, 10, run->accepted);
    (void)sqlite3_bind_int64(update, 11, run->restarted);
    (void)sqlite3_bind_int64(update, 12, run->dead);
    (void)sqlite3_bind_int64(update, 13, run->attempts);
    mm_sqlite_status_t status = mm_sqlite_run(self->sqlite, update);
    if (status != MM_SQLITE_OK)
        return status;
    (void)sqlite3_bind_int64(self->finish_run, 1, run->number);
    (void)sqlite3_bind_int64(self->finish_run, 2, unix_ms);
    return mm_sqlite_run(self->sqlite, self->finish_run);
}

outbox_db_status_t outbox_db_commit(outbox_db_t *self, int64_t unix_ms)
{
    if (outbox_db_pending(self) == 0)
        return OUTBOX_DB_OK;
    mm_sqlite_status_t status = mm_sqlite_begin(self->sqlite);
    if (status == MM_SQLITE_OK)
        status = write_changes(self);
    for (size_t i = 0; status == MM_SQLITE_OK && i < self->run_count; i++)
        status = write_run(self, &self->runs[i], unix_ms);
    MM_CRASH_POINT("outbox: before commit");
    if (status == MM_SQLITE_OK)
        status = mm_sqlite_commit(self->sqlite);
    if (status != MM_SQLITE_OK)
        return status_of(status);
    MM_CRASH_POINT("outbox: committed");
    for (size_t i = 0; i < self->run_count; i++) {
        const run_change_t *run = &self->runs[i];
        self->backlog += (uint64_t)(run->accepted - run->restarted - run->dead);
    }
    outbox_db_clear_batch(self);
    return OUTBOX_DB_OK;
}
