// The inside of outbox_db.h, for the two files that implement it: outbox_db.c opens and reads,
// outbox_db_batch.c collects changes and commits them.

#ifndef OUTBOX_DB_INSIDE_H
#define OUTBOX_DB_INSIDE_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "outbox_db.h"
#include "sqlite.h"

typedef enum { CHANGE_PUT = 1, CHANGE_RESTARTED, CHANGE_DEAD } change_kind_t;

// One job in or out. The texts are placed by commit.
typedef struct {
    change_kind_t kind;
    uint32_t attempts;
    mm_id_t id;
    size_t run; // index into the batch's runs
    mm_text_t host;
    mm_text_t error;
} change_t;

// What the batch changes in a run.
typedef struct {
    int64_t number;
    bool has_progress;
    bool has_times;
    bool has_clean;
    bool clean;
    source_progress_t progress;
    void *times;
    size_t times_size;
    // Counted by commit.
    int64_t accepted;
    int64_t restarted;
    int64_t dead;
    int64_t attempts;
} run_change_t;

// Texts one behind the other; they may move until they are complete.
typedef struct {
    char *data;
    size_t count;
    size_t room;
} bytes_t;

struct outbox_db {
    mm_sqlite_t *sqlite;
    sqlite3_stmt *read_run;
    sqlite3_stmt *read_unfinished;
    sqlite3_stmt *read_latest;
    sqlite3_stmt *read_jobs;
    sqlite3_stmt *read_newest;
    sqlite3_stmt *read_dead;
    sqlite3_stmt *begin_run;
    sqlite3_stmt *insert; // from here on of the batch
    sqlite3_stmt *insert_rows;
    sqlite3_stmt *delete;
    sqlite3_stmt *bury;
    sqlite3_stmt *update_run;
    sqlite3_stmt *finish_run;

    change_t *changes;
    size_t change_count;
    size_t change_room;
    bytes_t change_bytes;
    run_change_t *runs;
    size_t run_count;
    size_t run_room;
    size_t notes; // calls of outbox_db_set_... in the batch
    uint64_t backlog;

    outbox_row_t *rows; // of the last load
    size_t row_room;
    bytes_t row_bytes;
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

static inline void *grow(void *array, size_t count, size_t size)
{
    array = realloc(array, count * size);
    assert(array != NULL);
    return array;
}

static inline void append(bytes_t *bytes, mm_text_t text)
{
    if (bytes->count + text.size > bytes->room) {
        bytes->room = 2 * (bytes->count + text.size) + 4096;
        bytes->data = grow(bytes->data, bytes->room, 1);
    }
    if (text.size > 0)
        memcpy(bytes->data + bytes->count, text.data, text.size);
    bytes->count += text.size;
}

// Sets a text's pointer to where it was appended, in the order of appending.
static inline void place(mm_text_t *text, const char **next)
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

// Prepares the statements of the batch; returns like mm_sqlite_prepare.
int outbox_db_prepare_batch(outbox_db_t *self, char error[MM_ERROR_MAX]);
// Drops what is pending.
void outbox_db_clear_batch(outbox_db_t *self);

#endif
