// See outbox_db.h: the batch. It is kept in memory until a commit has written all of it in one
// transaction, so that a commit that found the disk full is simply repeated. The counters of a run
// are added up within the commit and written once: they count what it has inserted and settled
// (I1).

#include "crash.h"
#include "outbox_db_inside.h"
#include "span.h"

int outbox_db_prepare_batch(outbox_db_t *self, char error[MM_ERROR_MAX])
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } all[] = {
        {&self->insert_chunk, "INSERT INTO chunks (chunk, run, jobs, ids, hosts, attributes)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
        {&self->read_settled,
         "SELECT jobs, done FROM chunks LEFT JOIN settled USING (chunk) WHERE chunk = ?1"},
        {&self->put_settled, "INSERT INTO settled (chunk, done) VALUES (?1, ?2)"
                             " ON CONFLICT (chunk) DO UPDATE SET done = excluded.done"},
        {&self->delete_settled, "DELETE FROM settled WHERE chunk = ?1"},
        {&self->delete_chunk, "DELETE FROM chunks WHERE chunk = ?1"},
        {&self->bury, "INSERT INTO dead (run, id, host, error, attributes)"
                      " VALUES (?1, ?2, ?3, ?4, ?5)"},
        {&self->update_run,
         "UPDATE runs SET times = coalesce(?2, times), clean = coalesce(?3, clean),"
         " position = coalesce(?4, position), digest = coalesce(?5, digest),"
         " total = coalesce(?6, total), repeated = coalesce(?7, repeated),"
         " skipped = coalesce(?8, skipped), source_done = coalesce(?9, source_done),"
         " accepted = accepted + ?10, restarted = restarted + ?11, dead = dead + ?12,"
         " attempts = attempts + ?13, unneeded = unneeded + ?14, withdrawn = withdrawn + ?15,"
         " abandoned = abandoned + ?16, listed = listed + ?10 WHERE run = ?1"},
        {&self->finish_run,
         "UPDATE runs SET finished_ms = ?2 WHERE run = ?1 AND source_done"
         " AND finished_ms IS NULL AND accepted = restarted + dead + unneeded + withdrawn"},
    };
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof all / sizeof all[0]; i++)
        code = mm_sqlite_prepare(self->sqlite, all[i].sql, all[i].statement, error);
    return code;
}

static void clear_batch(outbox_db_t *self)
{
    batch_t *batch = &self->batch;
    for (size_t i = 0; i < batch->run_count; i++)
        free(batch->runs[i].times);
    batch->chunk_count = batch->put_count = 0;
    batch->is_open = false;
    batch->settle_count = batch->death_count = 0;
    batch->ids.count = batch->hosts.count = batch->attributes.count = 0;
    batch->death_bytes.count = 0;
    batch->run_count = 0;
    batch->withdraw_count = batch->unseen_count = batch->unseen_bytes.count = 0;
    batch->notes = 0;
}

void outbox_db_free_batch(outbox_db_t *self)
{
    batch_t *batch = &self->batch;
    clear_batch(self);
    free(batch->chunks);
    free(batch->ids.data);
    free(batch->hosts.data);
    free(batch->attributes.data);
    free(batch->settles);
    free(batch->deaths);
    free(batch->death_bytes.data);
    free(batch->runs);
    free(batch->withdraws);
    free(batch->unseen);
    free(batch->unseen_bytes.data);
    *batch = (batch_t){0};
}

// ---- collecting

// The index of the batch's changes in a run. A batch has few runs, mostly one.
static size_t run_index(batch_t *batch, int64_t number)
{
    for (size_t i = batch->run_count; i > 0; i--)
        if (batch->runs[i - 1].number == number)
            return i - 1;
    *MM_ARRAY_ADD(batch->runs, batch->run_count, batch->run_capacity) =
        (run_change_t){.number = number};
    return batch->run_count - 1;
}

// Valid until the next run is added.
static run_change_t *run_change(outbox_db_t *self, int64_t number)
{
    size_t index = run_index(&self->batch, number); // first: it may move the runs
    return &self->batch.runs[index];
}

static void close_chunk(batch_t *batch)
{
    if (!batch->is_open)
        return;
    fresh_chunk_t *chunk = &batch->chunks[batch->chunk_count - 1];
    outbox_end_texts(&batch->hosts);
    chunk->hosts_size = batch->hosts.count - chunk->hosts_at;
    if (chunk->has_attributes)
        outbox_end_texts(&batch->attributes);
    chunk->attributes_size = batch->attributes.count - chunk->attributes_at;
    batch->is_open = false;
}

// The chunk that takes the next job of this run.
static fresh_chunk_t *open_chunk(outbox_db_t *self, size_t run, bool has_attributes)
{
    batch_t *batch = &self->batch;
    if (batch->is_open) {
        fresh_chunk_t *chunk = &batch->chunks[batch->chunk_count - 1];
        if (chunk->run == run && (chunk->has_attributes || !has_attributes) &&
            chunk->count < OUTBOX_CHUNK_MAX)
            return chunk;
        close_chunk(batch);
    }
    batch->is_open = true;
    fresh_chunk_t *chunk = MM_ARRAY_ADD(batch->chunks, batch->chunk_count, batch->chunk_capacity);
    *chunk = (fresh_chunk_t){.number = ++self->last_chunk,
                             .run = run,
                             .ids_at = batch->ids.count,
                             .hosts_at = batch->hosts.count,
                             .attributes_at = batch->attributes.count,
                             .has_attributes = has_attributes};
    return chunk;
}

uint64_t outbox_db_put(outbox_db_t *self, int64_t run, const mm_id_t *id, mm_str_t host,
                       mm_str_t attributes)
{
    batch_t *batch = &self->batch;
    fresh_chunk_t *chunk = open_chunk(self, run_index(batch, run), attributes.size > 0);
    outbox_append(&batch->ids, id->bytes, sizeof id->bytes);
    outbox_put_text(&batch->hosts, host, chunk->count == 0);
    if (chunk->has_attributes)
        outbox_put_text(&batch->attributes, attributes, chunk->count == 0);
    batch->put_count++;
    return outbox_token(chunk->number, chunk->count++);
}

static uint32_t add_death(batch_t *batch, const outbox_row_t *job)
{
    *MM_ARRAY_ADD(batch->deaths, batch->death_count, batch->death_capacity) = (death_t){
        .id = job->id, .host = job->host, .attributes = job->attributes, .error = job->error};
    outbox_append(&batch->death_bytes, job->host.data, job->host.size);
    outbox_append(&batch->death_bytes, job->attributes.data, job->attributes.size);
    outbox_append(&batch->death_bytes, job->error.data, job->error.size);
    return (uint32_t)batch->death_count;
}

void outbox_db_settle(outbox_db_t *self, const outbox_row_t *job, mm_outcome_t outcome,
                      uint32_t attempts)
{
    assert(outcome != MM_OUTCOME_NONE);
    batch_t *batch = &self->batch;
    settle_t settle = {.token = job->token,
                       .attempts = attempts,
                       .run = (uint32_t)run_index(batch, job->run),
                       .death = outcome == MM_OUTCOME_DEAD        ? add_death(batch, job)
                                : outcome == MM_OUTCOME_SKIPPED   ? SKIPPED
                                : outcome != MM_OUTCOME_WITHDRAWN ? 0
                                : job->error.size > 0             ? ABANDONED
                                                                  : WITHDRAWN,
                       .order = (uint32_t)batch->settle_count};
    *MM_ARRAY_ADD(batch->settles, batch->settle_count, batch->settle_capacity) = settle;
}

void outbox_db_set_progress(outbox_db_t *self, int64_t run, const source_progress_t *progress)
{
    run_change_t *change = run_change(self, run);
    change->has_progress = true;
    change->progress = *progress;
    self->batch.notes++;
}

void outbox_db_set_times(outbox_db_t *self, int64_t run, const void *data, size_t size)
{
    run_change_t *change = run_change(self, run);
    change->has_times = true;
    change->times = mm_array_reserve(change->times, &change->times_capacity, size, 1);
    memcpy(change->times, data, size);
    change->times_size = size;
    self->batch.notes++;
}

void outbox_db_set_clean(outbox_db_t *self, int64_t run, bool clean)
{
    run_change_t *change = run_change(self, run);
    change->has_clean = true;
    change->clean = clean;
    self->batch.notes++;
}

size_t outbox_db_pending(const outbox_db_t *self)
{
    return self->batch.put_count + self->batch.settle_count + self->batch.notes;
}

// ---- writing

static mm_sqlite_status_t write_chunk(outbox_db_t *self, const fresh_chunk_t *chunk)
{
    batch_t *batch = &self->batch;
    run_change_t *run = &batch->runs[chunk->run];
    sqlite3_stmt *insert = self->insert_chunk;
    mm_str_t hosts = {batch->hosts.data + chunk->hosts_at, chunk->hosts_size};
    (void)sqlite3_bind_int64(insert, 1, chunk->number);
    (void)sqlite3_bind_int64(insert, 2, run->number);
    (void)sqlite3_bind_int64(insert, 3, (int64_t)chunk->count);
    (void)sqlite3_bind_blob(insert, 4, batch->ids.data + chunk->ids_at,
                            (int)(chunk->count * sizeof(mm_id_t)), SQLITE_STATIC);
    mm_sqlite_bind_text(insert, 5, hosts);
    if (chunk->has_attributes)
        mm_sqlite_bind_text(
            insert, 6,
            (mm_str_t){batch->attributes.data + chunk->attributes_at, chunk->attributes_size});
    else
        (void)sqlite3_bind_null(insert, 6);
    run->accepted += (int64_t)chunk->count;
    return mm_sqlite_run(self->sqlite, insert);
}

// Which jobs of a chunk are settled. jobs is 0 when the chunk is not there, or was deleted.
typedef struct {
    int64_t number;
    size_t jobs;
    size_t left;
    bool is_partly; // it has a row of bits
    uint8_t done[OUTBOX_CHUNK_BYTES];
} chunk_state_t;

static size_t count_bits(const uint8_t *bits, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += (size_t)__builtin_popcount(bits[i]);
    return count;
}

static mm_sqlite_status_t read_state(outbox_db_t *self, int64_t number, chunk_state_t *ret_state)
{
    *ret_state = (chunk_state_t){.number = number};
    (void)sqlite3_bind_int64(self->read_settled, 1, number);
    bool has_row = false;
    mm_sqlite_status_t status = mm_sqlite_row(self->sqlite, self->read_settled, &has_row);
    if (status != MM_SQLITE_OK || !has_row)
        return status;
    ret_state->jobs = (size_t)sqlite3_column_int64(self->read_settled, 0);
    assert(ret_state->jobs <= OUTBOX_CHUNK_MAX);
    const void *done = sqlite3_column_blob(self->read_settled, 1);
    size_t size = (size_t)sqlite3_column_bytes(self->read_settled, 1);
    ret_state->is_partly = sqlite3_column_type(self->read_settled, 1) != SQLITE_NULL;
    if (size > 0)
        memcpy(ret_state->done, done, size < OUTBOX_CHUNK_BYTES ? size : OUTBOX_CHUNK_BYTES);
    ret_state->left = ret_state->jobs - count_bits(ret_state->done, (ret_state->jobs + 7) / 8);
    (void)sqlite3_reset(self->read_settled);
    return MM_SQLITE_OK;
}

static mm_sqlite_status_t write_state(outbox_db_t *self, const chunk_state_t *state)
{
    if (state->left > 0) {
        (void)sqlite3_bind_blob(self->put_settled, 2, state->done, (int)(state->jobs + 7) / 8,
                                SQLITE_STATIC);
        return outbox_db_run_with(self, self->put_settled, state->number);
    }
    mm_sqlite_status_t status = outbox_db_run_with(self, self->delete_chunk, state->number);
    if (status == MM_SQLITE_OK && state->is_partly)
        status = outbox_db_run_with(self, self->delete_settled, state->number);
    return status;
}

static mm_sqlite_status_t apply_settle(outbox_db_t *self, const settle_t *settle,
                                       chunk_state_t *state)
{
    size_t place = outbox_token_place(settle->token);
    if (place >= state->jobs || outbox_bit(state->done, place))
        return MM_SQLITE_OK;
    outbox_set_bit(state->done, place);
    state->left--;
    run_change_t *run = &self->batch.runs[settle->run];
    run->attempts += settle->attempts;
    run->restarted += settle->death == 0;
    run->skipped += settle->death == SKIPPED;
    run->withdrawn += settle->death == WITHDRAWN || settle->death == ABANDONED;
    run->abandoned += settle->death == ABANDONED;
    if (outbox_db_is_withdrawn(self, settle->token)) {
        mm_sqlite_status_t status =
            outbox_db_run_with(self, self->delete_withdrawn, (int64_t)settle->token);
        if (status != MM_SQLITE_OK)
            return status;
        self->batch.withdrawn_settled++;
    }
    if (settle->death == 0 || settle->death > DEATH_MAX)
        return MM_SQLITE_OK;
    run->dead++;
    const death_t *death = &self->batch.deaths[settle->death - 1];
    (void)sqlite3_bind_int64(self->bury, 1, run->number);
    mm_sqlite_bind_id(self->bury, 2, &death->id);
    mm_sqlite_bind_text(self->bury, 3, death->host);
    mm_sqlite_bind_text(self->bury, 4, death->error);
    mm_sqlite_bind_text_or_null(self->bury, 5, death->attributes);
    return mm_sqlite_run(self->sqlite, self->bury);
}

static int compare_settles(const void *a, const void *b)
{
    const settle_t *x = a, *y = b;
    if (x->token != y->token)
        return x->token < y->token ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

// Reads and writes each chunk once, in whatever order its jobs were settled.
static mm_sqlite_status_t write_settles(outbox_db_t *self)
{
    batch_t *batch = &self->batch;
    if (batch->settle_count > 0)
        qsort(batch->settles, batch->settle_count, sizeof *batch->settles, compare_settles);
    const settle_t *next = batch->settles, *end = batch->settles + batch->settle_count;
    mm_sqlite_status_t status = MM_SQLITE_OK;
    while (status == MM_SQLITE_OK && next != end) {
        int64_t number = outbox_token_chunk(next->token);
        chunk_state_t state;
        status = read_state(self, number, &state);
        size_t before = state.left;
        for (; next != end && outbox_token_chunk(next->token) == number; next++)
            if (status == MM_SQLITE_OK)
                status = apply_settle(self, next, &state);
        if (status == MM_SQLITE_OK && state.left < before)
            status = write_state(self, &state);
    }
    return status;
}

static mm_sqlite_status_t write_changes(outbox_db_t *self)
{
    batch_t *batch = &self->batch;
    for (size_t i = 0; i < batch->run_count; i++) {
        run_change_t *run = &batch->runs[i];
        run->accepted = run->restarted = run->dead = run->skipped = run->attempts = 0;
        run->withdrawn = run->abandoned = 0;
    }
    const char *next = batch->death_bytes.data;
    for (size_t i = 0; i < batch->death_count; i++) {
        place(&batch->deaths[i].host, &next);
        place(&batch->deaths[i].attributes, &next);
        place(&batch->deaths[i].error, &next);
    }
    batch->withdrawn_settled = 0;
    close_chunk(batch);
    mm_sqlite_status_t status = MM_SQLITE_OK;
    for (size_t i = 0; status == MM_SQLITE_OK && i < batch->chunk_count; i++)
        status = write_chunk(self, &batch->chunks[i]);
    if (status == MM_SQLITE_OK && batch->withdraw_count + batch->unseen_count > 0)
        status = outbox_db_write_withdraws(self);
    return status == MM_SQLITE_OK ? write_settles(self) : status;
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
    (void)sqlite3_bind_int64(update, 14, run->skipped);
    (void)sqlite3_bind_int64(update, 15, run->withdrawn);
    (void)sqlite3_bind_int64(update, 16, run->abandoned);
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
    MM_SPAN("write outbox");
    mm_sqlite_status_t status = mm_sqlite_begin(self->sqlite);
    if (status == MM_SQLITE_OK)
        status = write_changes(self);
    for (size_t i = 0; status == MM_SQLITE_OK && i < self->batch.run_count; i++)
        status = write_run(self, &self->batch.runs[i], unix_ms);
    MM_CRASH_POINT("outbox: before commit");
    if (status == MM_SQLITE_OK)
        status = mm_sqlite_commit(self->sqlite);
    if (status != MM_SQLITE_OK)
        return status_of(status);
    MM_CRASH_POINT("outbox: committed");
    self->withdrawn_left -= self->batch.withdrawn_settled;
    outbox_db_count_withdraws(self);
    for (size_t i = 0; i < self->batch.run_count; i++) {
        const run_change_t *run = &self->batch.runs[i];
        self->backlog +=
            (uint64_t)(run->accepted - run->restarted - run->dead - run->skipped - run->withdrawn);
    }
    clear_batch(self);
    return OUTBOX_DB_OK;
}
