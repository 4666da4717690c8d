// The record of all jobs as SQL: the table of mayhem.db, version 1, and how its rows are read. The
// saver's SQLite store writes it, `mayhem explain` reads it. One row per job; a row without an
// outcome is an intent.

#ifndef RECORD_SCHEMA_H
#define RECORD_SCHEMA_H

#define RECORD_VERSION 1 // its user_version

#define RECORD_SCHEMA                                                                              \
    "CREATE TABLE jobs ("                                                                          \
    " id BLOB PRIMARY KEY, host TEXT NOT NULL, instance TEXT NOT NULL, publisher TEXT NOT NULL,"   \
    " received_ms INTEGER NOT NULL, settled_ms INTEGER, outcome TEXT,"                             \
    " attempts INTEGER NOT NULL DEFAULT 0, deliveries INTEGER NOT NULL DEFAULT 1,"                 \
    " extended INTEGER NOT NULL DEFAULT 0, worker TEXT, error TEXT) WITHOUT ROWID"

// The columns of RECORD_READ, in its order.
typedef enum {
    RECORD_ID,
    RECORD_HOST,
    RECORD_PUBLISHER,
    RECORD_RECEIVED_MS, // Unix time
    RECORD_SETTLED_MS,  // Unix time; NULL: not settled
    RECORD_OUTCOME,     // mm_outcome_name; NULL: none
    RECORD_ATTEMPTS,
    RECORD_DELIVERIES,
    RECORD_EXTENDED,
    RECORD_WORKER, // NULL: none
    RECORD_ERROR   // NULL: none
} record_column_t;

#define RECORD_READ                                                                                \
    "SELECT id, host, publisher, received_ms, settled_ms, outcome, attempts, deliveries,"          \
    " extended, worker, error FROM jobs WHERE "

#endif
