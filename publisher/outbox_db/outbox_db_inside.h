// The inside of outbox_db.h, for the files that implement it: outbox_db.c opens and knows the runs,
// outbox_db_read.c reads jobs, outbox_db_list.c writes another list and
// outbox_db_attributes.c what it says of jobs that are recorded, outbox_db_batch.c collects
// changes and commits them, and outbox_db_upgrade.c brings a file of an older version up to date.

#ifndef OUTBOX_DB_INSIDE_H
#define OUTBOX_DB_INSIDE_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "outbox_chunk.h"
#include "outbox_db.h"
#include "sqlite.h"

// A chunk of the batch. Its ids and texts are in the batch's. A job without attributes has an empty
// text where another one has some.
typedef struct {
    int64_t number;
    size_t run; // index into the batch's runs
    size_t count;
    size_t ids_at;
    size_t hosts_at;
    size_t hosts_size;
    size_t attributes_at;
    size_t attributes_size;
    bool has_attributes;
} fresh_chunk_t;

// What a settle is instead of the number of a death.
#define SKIPPED   UINT32_MAX
#define WITHDRAWN (UINT32_MAX - 1)
#define ABANDONED (UINT32_MAX - 2) // withdrawn after it had begun
#define DEATH_MAX (UINT32_MAX - 3)

// A job that was settled.
typedef struct {
    uint64_t token;
    uint32_t attempts;
    uint32_t run;   // index into the batch's runs
    uint32_t death; // from 1, index into the batch's deaths; 0: restarted; or a word above
    uint32_t order; // of two settles of the same job the first one counts
} settle_t;

// The record of a dead job. Commit sets where the texts are.
typedef struct {
    mm_id_t id;
    mm_str_t host;
    mm_str_t attributes;
    mm_str_t error;
} death_t;

// What the batch changes in a run.
typedef struct {
    int64_t number;
    bool has_progress;
    bool has_times;
    bool has_clean;
    bool clean;
    source_progress_t progress;
    char *times;
    size_t times_size;
    size_t times_capacity;
    // Counted by commit.
    int64_t accepted;
    int64_t restarted;
    int64_t dead;
    int64_t skipped;
    int64_t withdrawn;
    int64_t abandoned; // of these
    int64_t attempts;
} run_change_t;

typedef struct {
    fresh_chunk_t *chunks;
    size_t chunk_count;
    size_t chunk_capacity;
    bool is_open;       // the last chunk takes more
    size_t put_count;   // jobs in the chunks
    outbox_bytes_t ids; // of all chunks, one behind the other; so are the next two
    outbox_bytes_t hosts;
    outbox_bytes_t attributes;
    settle_t *settles;
    size_t settle_count;
    size_t settle_capacity;
    death_t *deaths;
    size_t death_count;
    size_t death_capacity;
    outbox_bytes_t death_bytes;
    run_change_t *runs;
    size_t run_count;
    size_t run_capacity;
    struct {
        int64_t run;
        mm_str_t host; // set by commit
    } * unseen;
    size_t unseen_count;
    size_t unseen_capacity;
    outbox_bytes_t unseen_bytes;
    uint64_t *withdraws; // tokens
    size_t withdraw_count;
    size_t withdraw_capacity;
    size_t notes;               // calls of outbox_db_set_*
    uint64_t withdrawn_settled; // by the commit that is being written
} batch_t;

struct outbox_db {
    mm_sqlite_t *sqlite;
    int version; // of the file
    sqlite3_stmt *read_run;
    sqlite3_stmt *read_unfinished;
    sqlite3_stmt *read_latest;
    sqlite3_stmt *read_dead;
    sqlite3_stmt *begin_run;
    sqlite3_stmt *read_chunks;
    sqlite3_stmt *read_newest;
    sqlite3_stmt *insert_chunk; // from here on of the batch
    sqlite3_stmt *read_settled;
    sqlite3_stmt *put_settled;
    sqlite3_stmt *delete_settled;
    sqlite3_stmt *delete_chunk;
    sqlite3_stmt *bury;
    sqlite3_stmt *update_run;
    sqlite3_stmt *finish_run;
    sqlite3_stmt *relist_run; // from here on of another list
    sqlite3_stmt *withdraw;
    sqlite3_stmt *read_withdrawn;
    sqlite3_stmt *count_withdrawn;
    sqlite3_stmt *delete_withdrawn;
    sqlite3_stmt *read_last_list;
    sqlite3_stmt *put_unseen;
    sqlite3_stmt *read_unseen;
    sqlite3_stmt *end_others;
    sqlite3_stmt *finish_others;
    sqlite3_stmt *read_texts;
    sqlite3_stmt *put_attributes;

    batch_t batch;
    int64_t last_chunk; // the highest number so far: none is used twice while the file is open
    uint64_t backlog;
    uint64_t *withdrawn; // tokens, in order; settled ones stay until the file is opened again
    size_t withdrawn_size;
    size_t withdrawn_capacity;
    uint64_t withdrawn_left;  // not settled
    char error[MM_ERROR_MAX]; // of a chunk that cannot be read; empty: SQLite has the error

    outbox_row_t *rows; // of the last load
    size_t row_capacity;
    outbox_bytes_t row_bytes;
};

static inline outbox_db_status_t status_of(mm_sqlite_status_t status)
{
    switch (status) {
    case MM_SQLITE_OK: return OUTBOX_DB_OK;
    case MM_SQLITE_RETRY: return OUTBOX_DB_RETRY;
    case MM_SQLITE_FATAL: return OUTBOX_DB_FATAL;
    }
    abort();
}

// Sets a text's pointer to where it was appended, in the order of appending.
static inline void place(mm_str_t *text, const char **next)
{
    text->data = *next;
    *next += text->size;
}

// Parameters 4 to 9 of begin_run and update_run.
static inline void bind_progress(sqlite3_stmt *statement, const source_progress_t *progress)
{
    (void)sqlite3_bind_int64(statement, 4, (int64_t)progress->position);
    (void)sqlite3_bind_int64(statement, 5, (int64_t)progress->digest);
    (void)sqlite3_bind_int64(statement, 6, (int64_t)progress->total);
    (void)sqlite3_bind_int64(statement, 7, (int64_t)progress->repeated);
    (void)sqlite3_bind_int64(statement, 8, (int64_t)progress->skipped);
    (void)sqlite3_bind_int(statement, 9, progress->done);
}

// These prepare statements and return like mm_sqlite_prepare.
int outbox_db_prepare_batch(outbox_db_t *self, char error[MM_ERROR_MAX]);
int outbox_db_prepare_reads(outbox_db_t *self, char error[MM_ERROR_MAX]);
// And reads which jobs are withdrawn.
int outbox_db_prepare_list(outbox_db_t *self, char error[MM_ERROR_MAX]);
int outbox_db_prepare_attributes(outbox_db_t *self, char error[MM_ERROR_MAX]);
// Writes what the attributes of recorded jobs become, if the change says so.
mm_sqlite_status_t outbox_db_write_attributes(outbox_db_t *self, const outbox_relist_t *change);
// Writes the withdraws and the unseen hosts of the batch; once they are committed, they count.
mm_sqlite_status_t outbox_db_write_withdraws(outbox_db_t *self);
void outbox_db_count_withdraws(outbox_db_t *self);
bool outbox_db_is_withdrawn(const outbox_db_t *self, uint64_t token);
// Runs a statement that has a number as its first parameter.
mm_sqlite_status_t outbox_db_run_with(outbox_db_t *self, sqlite3_stmt *statement, int64_t number);
// Drops what is pending, and frees its memory.
void outbox_db_free_batch(outbox_db_t *self);

// Makes a file of version 1 to 5 one of OUTBOX_VERSION, in one transaction; returns like
// mm_sqlite_open.
int outbox_db_upgrade(mm_sqlite_t *sqlite, int version, char error[MM_ERROR_MAX]);

#endif
