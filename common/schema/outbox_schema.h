// The outbox as SQL: the tables of outbox.db, version 6, and how their rows are read. The publisher
// writes it, `mayhem explain` reads it. `attributes` of a chunk is NULL when none of its jobs
// has any, and one without any has an empty text there (version 2 had no such column, version 1 a
// row for each job). `unneeded` of a run counts hosts that were skipped, since there was nothing to
// do (version 3 had none). What `withdrawn` counts has left the list, `abandoned` of them after it
// had begun; `list` is the number of the kept list, 0: there is none, `listed` how many of its
// hosts were accepted, and `grows` says that it is the part of a stream that was read so far
// (version 4 had none of them). The table `withdrawn` has the tokens of unsettled jobs that have
// left the list, and `unseen` the hosts that a run must not restart: what was begun there before is
// not known. `attributes` of a dead host are those of its job (version 4 had none). `run_key` of a
// run is a random number of 63 bits, by which no other one is taken for it, in whatever folder
// (version 5 had none). `done` of a chunk has a bit for each of its jobs, the first one in the
// highest bit of the first byte; no row: none is settled. The view `jobs` is for people and their
// scripts: it shows the unsettled jobs one by one.

#ifndef OUTBOX_SCHEMA_H
#define OUTBOX_SCHEMA_H

#define OUTBOX_VERSION 6 // its user_version

#define OUTBOX_SCHEMA_CHUNKS                                                                       \
    "CREATE TABLE chunks (chunk INTEGER PRIMARY KEY, run INTEGER NOT NULL,"                        \
    " jobs INTEGER NOT NULL CHECK (jobs BETWEEN 1 AND 1024),"                                      \
    " ids BLOB NOT NULL CHECK (length(ids) = 16 * jobs), hosts TEXT NOT NULL, attributes TEXT)"

#define OUTBOX_SCHEMA_SETTLED "CREATE TABLE settled (chunk INTEGER PRIMARY KEY, done BLOB NOT NULL)"

// A job of a chunk: each of its hosts is one, and `key` is its place in the chunk.
#define OUTBOX_JOB_ID "substr(ids, 16 * key + 1, 16)"
#define OUTBOX_JOBS   " FROM chunks LEFT JOIN settled USING (chunk), json_each(hosts) WHERE "
#define OUTBOX_PENDING                                                                             \
    "done IS NULL OR NOT (instr('123456789ABCDEF',"                                                \
    " substr(hex(substr(done, key / 8 + 1, 1)), key / 4 % 2 + 1, 1)) >> 3 - key % 4 & 1)"

#define OUTBOX_SCHEMA_JOBS                                                                         \
    "CREATE VIEW jobs (id, host, run, attributes) AS SELECT " OUTBOX_JOB_ID                        \
    ", value, run, nullif(json_extract(attributes, '$[' || key || ']'), '')" OUTBOX_JOBS           \
        OUTBOX_PENDING

// Of the table of runs: what version 3 had not.
#define OUTBOX_UNNEEDED "unneeded INTEGER NOT NULL DEFAULT 0"

// And what version 4 had not.
#define OUTBOX_WITHDRAWN "withdrawn INTEGER NOT NULL DEFAULT 0"
#define OUTBOX_ABANDONED "abandoned INTEGER NOT NULL DEFAULT 0"
#define OUTBOX_LIST      "list INTEGER NOT NULL DEFAULT 0"
#define OUTBOX_LISTED    "listed INTEGER NOT NULL DEFAULT 0"
#define OUTBOX_GROWS     "grows INTEGER NOT NULL DEFAULT 0"

// And what version 5 had not. An expression, which a column that is added cannot have as its
// default.
#define OUTBOX_RUN_KEY "run_key INTEGER NOT NULL DEFAULT 0"
#define OUTBOX_NEW_KEY "max(1, random() & 9223372036854775807)"

#define OUTBOX_SCHEMA_WITHDRAWN "CREATE TABLE withdrawn (token INTEGER PRIMARY KEY)"

#define OUTBOX_SCHEMA_UNSEEN                                                                       \
    "CREATE TABLE unseen (run INTEGER NOT NULL, host TEXT NOT NULL, PRIMARY KEY (run, host))"      \
    " WITHOUT ROWID"

#define OUTBOX_SCHEMA_RUNS                                                                         \
    "CREATE TABLE runs (run INTEGER PRIMARY KEY, input TEXT NOT NULL, driver TEXT NOT NULL,"       \
    " position INTEGER NOT NULL DEFAULT 0, digest INTEGER NOT NULL DEFAULT 0,"                     \
    " total INTEGER NOT NULL DEFAULT 0, repeated INTEGER NOT NULL DEFAULT 0,"                      \
    " skipped INTEGER NOT NULL DEFAULT 0, source_done INTEGER NOT NULL DEFAULT 0,"                 \
    " accepted INTEGER NOT NULL DEFAULT 0, restarted INTEGER NOT NULL DEFAULT 0,"                  \
    " dead INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,"                       \
    " started_ms INTEGER NOT NULL, finished_ms INTEGER, times BLOB,"                               \
    " clean INTEGER NOT NULL DEFAULT 0, " OUTBOX_UNNEEDED ", " OUTBOX_WITHDRAWN                    \
    ", " OUTBOX_ABANDONED ", " OUTBOX_LIST ", " OUTBOX_LISTED ", " OUTBOX_GROWS                    \
    ", " OUTBOX_RUN_KEY ")"

// Of the table of the dead: what version 4 had not.
#define OUTBOX_DEAD_ATTRIBUTES "attributes TEXT"

#define OUTBOX_SCHEMA_DEAD                                                                         \
    "CREATE TABLE dead (run INTEGER NOT NULL, id BLOB NOT NULL CHECK (length(id) = 16),"           \
    " host TEXT NOT NULL, error TEXT NOT NULL, " OUTBOX_DEAD_ATTRIBUTES ","                        \
    " PRIMARY KEY (run, id)) WITHOUT ROWID"

#define OUTBOX_SCHEMA                                                                              \
    OUTBOX_SCHEMA_CHUNKS                                                                           \
    ";" OUTBOX_SCHEMA_SETTLED ";" OUTBOX_SCHEMA_JOBS ";" OUTBOX_SCHEMA_RUNS ";" OUTBOX_SCHEMA_DEAD \
    ";" OUTBOX_SCHEMA_WITHDRAWN ";" OUTBOX_SCHEMA_UNSEEN

// The columns of OUTBOX_READ_RUN, in its order.
typedef enum {
    OUTBOX_RUN_NUMBER,
    OUTBOX_RUN_INPUT,
    OUTBOX_RUN_DRIVER,
    OUTBOX_RUN_POSITION,
    OUTBOX_RUN_DIGEST,
    OUTBOX_RUN_TOTAL,
    OUTBOX_RUN_REPEATED,
    OUTBOX_RUN_SKIPPED,
    OUTBOX_RUN_SOURCE_DONE,
    OUTBOX_RUN_ACCEPTED,
    OUTBOX_RUN_RESTARTED,
    OUTBOX_RUN_DEAD,
    OUTBOX_RUN_ATTEMPTS,
    OUTBOX_RUN_STARTED_MS,  // Unix time
    OUTBOX_RUN_FINISHED_MS, // Unix time; NULL: unfinished
    OUTBOX_RUN_TIMES,
    OUTBOX_RUN_CLEAN,
    OUTBOX_RUN_UNNEEDED,
    OUTBOX_RUN_WITHDRAWN,
    OUTBOX_RUN_ABANDONED,
    OUTBOX_RUN_LIST,
    OUTBOX_RUN_LISTED,
    OUTBOX_RUN_GROWS,
    OUTBOX_RUN_RUN_KEY
} outbox_run_column_t;

#define OUTBOX_READ_RUN_COLUMNS                                                                    \
    "SELECT run, input, driver, position, digest, total, repeated, skipped, source_done,"          \
    " accepted, restarted, dead, attempts, started_ms, finished_ms, times, clean, "
#define OUTBOX_READ_RUN                                                                            \
    OUTBOX_READ_RUN_COLUMNS "unneeded, withdrawn, abandoned, list, listed, grows, run_key FROM "   \
                            "runs"
// Number, key and dead of the run that the driver ?1 goes on with.
#define OUTBOX_READ_GOES_ON                                                                        \
    "SELECT run, run_key, dead FROM runs WHERE finished_ms IS NULL AND driver = ?1"                \
    " ORDER BY run DESC LIMIT 1"
// The drivers that have left jobs which are not withdrawn yet, but for ?1, and how many.
#define OUTBOX_READ_LEFT_BY_OTHERS                                                                 \
    "SELECT driver, accepted - restarted - dead - unneeded - withdrawn - (SELECT count(*)"         \
    " FROM withdrawn JOIN chunks ON chunk = token >> 10 WHERE chunks.run = runs.run) AS jobs_left" \
    " FROM runs WHERE finished_ms IS NULL AND driver <> ?1 AND jobs_left > 0 ORDER BY run DESC"
// How many of the jobs @1 are not settled (record_reader.h).
#define OUTBOX_COUNT_UNSETTLED "SELECT count(*) FROM jobs WHERE id IN (@1)"
// Of a file of version 5, of 4, and of 1 to 3.
#define OUTBOX_READ_RUN_5                                                                          \
    OUTBOX_READ_RUN_COLUMNS "unneeded, withdrawn, abandoned, list, listed, grows, 0 FROM runs"
#define OUTBOX_READ_RUN_4 OUTBOX_READ_RUN_COLUMNS "unneeded, 0, 0, 0, 0, 0, 0 FROM runs"
#define OUTBOX_READ_RUN_3 OUTBOX_READ_RUN_COLUMNS "0, 0, 0, 0, 0, 0, 0 FROM runs"

// A dead host: its job's id, its name, its run, the error, and the attributes, NULL: none.
#define OUTBOX_READ_DEAD   "SELECT id, host, run, error, attributes FROM dead"
#define OUTBOX_READ_DEAD_4 "SELECT id, host, run, error, NULL FROM dead" // of version 1 to 4

#endif
