// The jobs of the record as SQL: the view `jobs`, which people and tools read, over small rows. A
// row of `job_rows` has in one integer, `facts`, what is a small number, and numbers for names.
// What it has no room for is in odd_jobs: so every value that a column can hold is on record as it
// is.

#ifndef JOB_SCHEMA_H
#define JOB_SCHEMA_H

// The place of a fact's lowest bit, and its largest value. Of an outcome and a proof it is the one
// of mm_outcome_t and mm_proof_t, 0: none; of publisher and worker the number in job_names, 0:
// none. The publisher's is never 0, so `facts` is not, either.
#define FACT_OUTCOME    0, 7
#define FACT_PROOF      3, 7
#define FACT_ATTEMPTS   6, 15
#define FACT_DELIVERIES 10, 15
#define FACT_EXTENDED   14, 127
#define FACT_PUBLISHER  21, 16383
#define FACT_WORKER     35, 268435455 // up to 4095 of them `facts` takes 6 bytes

// As SQL: all bits of a fact, its value in `facts`, and the bits of a value.
#define FACT_BITS(...)                 FACT_BITS_(__VA_ARGS__)
#define FACT_READ(...)                 FACT_READ_(__VA_ARGS__)
#define FACT_WRITE(...)                FACT_WRITE_(__VA_ARGS__)
#define FACT_BITS_(PLACE, MAX)         "(" #MAX " << " #PLACE ")"
#define FACT_READ_(PLACE, MAX)         "(facts >> " #PLACE " & " #MAX ")"
#define FACT_WRITE_(VALUE, PLACE, MAX) "((" VALUE " & " #MAX ") << " #PLACE ")"

// The times of a small row are within this range, so their difference is a number of 64 bits.
#define JOB_MS_MAX      4611686018427387903
#define JOB_MS_MAX_TEXT "4611686018427387903"

//   received_ms  Unix time
//   took_ms      from then to the settle; NULL: not settled
//   facts        NULL: it is an odd row, and what has no column here is in odd_jobs
#define JOB_SCHEMA_TABLES                                                                          \
    "CREATE TABLE job_names (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"              \
    "CREATE TABLE job_rows (id BLOB PRIMARY KEY, host TEXT NOT NULL,"                              \
    " received_ms INTEGER NOT NULL, took_ms INTEGER, facts INTEGER, error TEXT) WITHOUT ROWID;"    \
    "CREATE TABLE odd_jobs (id BLOB PRIMARY KEY, instance TEXT NOT NULL, publisher TEXT NOT NULL," \
    " settled_ms INTEGER, outcome TEXT, attempts INTEGER NOT NULL, deliveries INTEGER NOT NULL,"   \
    " extended INTEGER NOT NULL, worker TEXT, proof TEXT) WITHOUT ROWID;"

// ---- the view

// A column is in the small row or in odd_jobs. The select from a real column comes last: SQLite
// takes the type of the view's column from it.
#define JOB_OR_ODD(COLUMN)                                                                         \
    " UNION ALL SELECT odd." COLUMN " FROM odd_jobs AS odd WHERE odd.id = job_rows.id) AS " COLUMN
#define JOB_SMALL(VALUE, COLUMN) "(SELECT " VALUE " WHERE facts IS NOT NULL" JOB_OR_ODD(COLUMN)
#define JOB_NAME(NUMBER, COLUMN)                                                                   \
    "(SELECT name FROM job_names WHERE number = " NUMBER JOB_OR_ODD(COLUMN)

// mm_host_label: of a name its part before the first dot; of an address all of it.
#define JOB_LABEL                                                                                  \
    "CASE WHEN instr(host, '.') < 2 OR host GLOB '*:*:*' OR host NOT GLOB '*[^0-9.:]*' THEN host"  \
    " ELSE substr(host, 1, instr(host, '.') - 1) END"
// mm_outcome_name and mm_proof_name.
#define JOB_OUTCOMES                                                                               \
    " WHEN 1 THEN 'restarted' WHEN 2 THEN 'dead' WHEN 3 THEN 'withdrawn' WHEN 4 THEN 'skipped' "   \
    "END"
#define JOB_PROOFS                                                                                 \
    " WHEN 1 THEN 'proven' WHEN 2 THEN 'verified' WHEN 3 THEN 'unverified' WHEN 4 THEN"            \
    " 'rehearsed' END"

#define JOB_INSTANCE   JOB_SMALL(JOB_LABEL, "instance")
#define JOB_PUBLISHER  JOB_NAME(FACT_READ(FACT_PUBLISHER), "publisher")
#define JOB_SETTLED_MS JOB_SMALL("received_ms + took_ms", "settled_ms")
#define JOB_OUTCOME    JOB_SMALL("CASE " FACT_READ(FACT_OUTCOME) JOB_OUTCOMES, "outcome")
#define JOB_ATTEMPTS   JOB_SMALL(FACT_READ(FACT_ATTEMPTS), "attempts")
#define JOB_DELIVERIES JOB_SMALL(FACT_READ(FACT_DELIVERIES), "deliveries")
#define JOB_EXTENDED   JOB_SMALL(FACT_READ(FACT_EXTENDED), "extended")
#define JOB_WORKER     JOB_NAME(FACT_READ(FACT_WORKER), "worker")
#define JOB_PROOF      JOB_SMALL("CASE " FACT_READ(FACT_PROOF) JOB_PROOFS, "proof")
#define JOB_COUNTS     JOB_ATTEMPTS ", " JOB_DELIVERIES ", " JOB_EXTENDED

#define JOB_SELECT                                                                                 \
    "SELECT id, host, " JOB_INSTANCE ", " JOB_PUBLISHER ", received_ms, " JOB_SETTLED_MS           \
    ", " JOB_OUTCOME ", " JOB_COUNTS ", " JOB_WORKER ", error, " JOB_PROOF " FROM job_rows"

// What is written through the view is in odd_jobs: by the store what has no room in a small row, by
// people anything. A trigger looks before it writes: in its own statements the OR IGNORE or OR
// REPLACE of the statement outside would hold, and leave half a row. So these are refused, too.
#define JOB_REFUSE(WHAT, CONDITION)                                                                \
    "SELECT RAISE(ABORT, '" WHAT " constraint failed: jobs') WHERE " CONDITION ";"
#define JOB_REFUSE_NULLS                                                                           \
    JOB_REFUSE("NOT NULL", "new.id IS NULL OR new.host IS NULL OR new.instance IS NULL"            \
                           " OR new.publisher IS NULL OR new.received_ms IS NULL")
#define JOB_REFUSE_NO_COUNTS                                                                       \
    JOB_REFUSE("NOT NULL", "new.attempts IS NULL OR new.deliveries IS NULL OR new.extended IS "    \
                           "NULL")
#define JOB_IS_THERE "EXISTS (SELECT 1 FROM job_rows WHERE id = new.id)"

#define JOB_SCHEMA_VIEW                                                                            \
    "CREATE VIEW jobs AS " JOB_SELECT ";"                                                          \
    "CREATE TRIGGER jobs_insert INSTEAD OF INSERT ON jobs BEGIN " JOB_REFUSE_NULLS JOB_REFUSE(     \
        "UNIQUE",                                                                                  \
        JOB_IS_THERE) " INSERT INTO job_rows (id, host, received_ms, error)"                       \
                      " VALUES (new.id, new.host, new.received_ms, new.error);"                    \
                      " INSERT INTO odd_jobs VALUES (new.id, new.instance, new.publisher, "        \
                      "new.settled_ms,"                                                            \
                      " new.outcome, coalesce(new.attempts, 0), coalesce(new.deliveries, 1),"      \
                      " coalesce(new.extended, 0), new.worker, new.proof); END;"                   \
                      "CREATE TRIGGER jobs_delete INSTEAD OF DELETE ON jobs BEGIN"                 \
                      " DELETE FROM odd_jobs WHERE id = old.id; DELETE FROM job_rows WHERE id = "  \
                      "old.id; END;"                                                               \
                      "CREATE TRIGGER jobs_update INSTEAD OF UPDATE ON jobs "                      \
                      "BEGIN " JOB_REFUSE_NULLS JOB_REFUSE_NO_COUNTS JOB_REFUSE(                   \
                          "UNIQUE",                                                                \
                          "new.id IS NOT old.id AND " JOB_IS_THERE) " DELETE FROM jobs WHERE id "  \
                                                                    "= old.id;"                    \
                                                                    " INSERT INTO jobs VALUES "    \
                                                                    "(new.id, new.host, "          \
                                                                    "new.instance, "               \
                                                                    "new.publisher, "              \
                                                                    "new.received_ms,"             \
                                                                    " new.settled_ms, "            \
                                                                    "new.outcome, new.attempts, "  \
                                                                    "new.deliveries, "             \
                                                                    "new.extended, new.worker,"    \
                                                                    " new.error, new.proof); END;"

#define JOB_SCHEMA JOB_SCHEMA_TABLES JOB_SCHEMA_VIEW

// ---- from the table `jobs` of version 3 of the record

#define JOB_OLD_OUTCOME                                                                            \
    "CASE outcome WHEN 'restarted' THEN 1 WHEN 'dead' THEN 2 WHEN 'withdrawn' THEN 3"              \
    " WHEN 'skipped' THEN 4 ELSE 0 END"
#define JOB_OLD_PROOF                                                                              \
    "CASE proof WHEN 'proven' THEN 1 WHEN 'verified' THEN 2 WHEN 'unverified' THEN 3"              \
    " WHEN 'rehearsed' THEN 4 ELSE 0 END"
#define JOB_OLD_PUBLISHER "(SELECT number FROM job_names WHERE name = publisher)"
#define JOB_OLD_WORKER    "coalesce((SELECT number FROM job_names WHERE name = worker), 0)"

#define JOB_OLD_ENDS                                                                               \
    FACT_WRITE(JOB_OLD_OUTCOME, FACT_OUTCOME) " | " FACT_WRITE(JOB_OLD_PROOF, FACT_PROOF)
#define JOB_OLD_COUNTS                                                                             \
    FACT_WRITE("attempts", FACT_ATTEMPTS)                                                          \
    " | " FACT_WRITE("deliveries", FACT_DELIVERIES) " | " FACT_WRITE("extended", FACT_EXTENDED)
#define JOB_OLD_NAMES                                                                              \
    FACT_WRITE(JOB_OLD_PUBLISHER, FACT_PUBLISHER) " | " FACT_WRITE(JOB_OLD_WORKER, FACT_WORKER)
#define JOB_OLD_FACTS JOB_OLD_ENDS " | " JOB_OLD_COUNTS " | " JOB_OLD_NAMES

// Whether the view would not show an old row as it `was`, or the store could not settle it.
#define JOB_IS_ODD                                                                                 \
    "was.instance IS NOT now.instance OR was.publisher IS NOT now.publisher"                       \
    " OR was.settled_ms IS NOT now.settled_ms OR was.outcome IS NOT now.outcome"                   \
    " OR was.attempts IS NOT now.attempts OR was.deliveries IS NOT now.deliveries"                 \
    " OR was.extended IS NOT now.extended OR was.worker IS NOT now.worker"                         \
    " OR was.proof IS NOT now.proof OR typeof(was.received_ms) <> 'integer'"                       \
    " OR typeof(was.settled_ms) = 'real'"                                                          \
    " OR was.received_ms NOT BETWEEN -" JOB_MS_MAX_TEXT " AND " JOB_MS_MAX_TEXT                    \
    " OR was.settled_ms NOT BETWEEN -" JOB_MS_MAX_TEXT " AND " JOB_MS_MAX_TEXT

// All become small rows first; then those that are odd are found.
#define JOB_UPGRADE                                                                                \
    JOB_SCHEMA_TABLES                                                                              \
    "INSERT INTO job_names (name) SELECT DISTINCT publisher FROM jobs;"                            \
    "INSERT OR IGNORE INTO job_names (name)"                                                       \
    " SELECT DISTINCT worker FROM jobs WHERE worker IS NOT NULL;"                                  \
    "INSERT INTO job_rows SELECT id, host, received_ms, settled_ms - received_ms, " JOB_OLD_FACTS  \
    ", error FROM jobs ORDER BY id;"                                                               \
    "INSERT INTO odd_jobs SELECT was.id, was.instance, was.publisher, was.settled_ms,"             \
    " was.outcome, was.attempts, was.deliveries, was.extended, was.worker, was.proof"              \
    " FROM jobs AS was JOIN (" JOB_SELECT ") AS now USING (id) WHERE " JOB_IS_ODD ";"              \
    "UPDATE job_rows SET took_ms = NULL, facts = NULL WHERE id IN (SELECT id FROM odd_jobs);"      \
    "DROP TABLE jobs;" JOB_SCHEMA_VIEW

#endif
