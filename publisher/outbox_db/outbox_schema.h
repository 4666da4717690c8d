// The tables of the outbox's jobs, version 2. `done` of a chunk has a bit for each of its jobs, the
// first one in the highest bit of the first byte; no row: none is settled. The view is for people
// and their scripts: it shows the jobs that are not settled, one by one.

#ifndef OUTBOX_SCHEMA_H
#define OUTBOX_SCHEMA_H

#define OUTBOX_VERSION 2

#define OUTBOX_SCHEMA_CHUNKS                                                                       \
    "CREATE TABLE chunks (chunk INTEGER PRIMARY KEY, run INTEGER NOT NULL,"                        \
    " jobs INTEGER NOT NULL CHECK (jobs BETWEEN 1 AND 1024),"                                      \
    " ids BLOB NOT NULL CHECK (length(ids) = 16 * jobs), hosts TEXT NOT NULL)"

#define OUTBOX_SCHEMA_SETTLED "CREATE TABLE settled (chunk INTEGER PRIMARY KEY, done BLOB NOT NULL)"

#define OUTBOX_SCHEMA_JOBS                                                                         \
    "CREATE VIEW jobs (id, host, run) AS SELECT substr(ids, 16 * key + 1, 16), value, run"         \
    " FROM chunks LEFT JOIN settled USING (chunk), json_each(hosts)"                               \
    " WHERE done IS NULL OR NOT (instr('123456789ABCDEF',"                                         \
    " substr(hex(substr(done, key / 8 + 1, 1)), key / 4 % 2 + 1, 1)) >> 3 - key % 4 & 1)"

#endif
