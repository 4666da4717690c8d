// The record of all jobs as SQL: the tables of mayhem.db, version 4, and how their rows are read.
// The saver's SQLite store writes it, `mayhem explain` and `mayhem audit` read it. What is read
// here is read from a record in PostgreSQL, too (record_reader.h): its tables and columns have the
// same names (saver/stores/postgresql.sql). `jobs` has one
// row per job (job_schema.h); a row without an outcome is an intent. `attempts` has one per attempt
// at a real restart, written before its first command; the mock has none. `audit` tells what was
// begun, how it ended and what was ordered, in the commit of what it tells; `holds` and `places`
// are what follows from that and is in force.

#ifndef RECORD_SCHEMA_H
#define RECORD_SCHEMA_H

#include "job_schema.h"

#define RECORD_VERSION       4 // its user_version
#define RECORD_VERSION_AUDIT 3 // the first one with an audit

// Of a record in PostgreSQL: the version of its tables, which is in a table of its own.
#define RECORD_POSTGRESQL 1
#define RECORD_POSTGRESQL_IS_THERE                                                                 \
    "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'mayhem_record'"
#define RECORD_POSTGRESQL_VERSION "SELECT max(version) FROM mayhem_record"

// What the server says of itself: its clock is Unix time. Standbys whose state a plain role may not
// see are hidden.
#define RECORD_POSTGRESQL_SERVER                                                                   \
    "SELECT current_setting('server_version'), current_setting('fsync') = 'on',"                   \
    " current_setting('synchronous_standby_names'),"                                               \
    " (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')),"          \
    " (SELECT count(*) FROM pg_stat_replication WHERE sync_state IS NULL),"                        \
    " (extract(epoch FROM clock_timestamp()) * 1000)::bigint"

typedef enum {
    SERVER_VERSION,
    SERVER_HAS_FSYNC,
    SERVER_SYNCHRONOUS, // empty: there is no synchronous standby
    SERVER_STANDBYS,    // that commits wait for
    SERVER_HIDDEN,      // that may be such ones
    SERVER_CLOCK_MS
} server_column_t;

// Who leads, and for how many ms from now on; NULL: nobody ever has.
#define RECORD_POSTGRESQL_LEASE                                                                    \
    "SELECT epoch, holder, CASE WHEN isfinite(expires)"                                            \
    " THEN (extract(epoch FROM expires - clock_timestamp()) * 1000)::bigint END"                   \
    " FROM lease WHERE name = 'leader'"

typedef enum { LEASE_EPOCH, LEASE_HOLDER, LEASE_LEFT_MS } lease_column_t;

// Times are Unix time, but for the two of a boot, which are the clock since the boot `control` of
// the consumer's machine. NULL: not known, or not yet.
//   boot_before  RECORD_NOBODY: nobody answered before (--allow-unreachable)
//   state        mm_row_name
//   outcome      of an ended attempt: mm_end_name
//   command      which of the driver's list was begun last; 0: none
//   command_end  of an open attempt: how that command ended, mm_end_name
//   exit         the command's exit code; 256 + n: signal n
//   error        the command's last words, or those of the look
//   health       what the host said of its health before the restart
//   owes         1: what --after does is still to be done (only that of a job's last attempt
//                counts); 2: the same, and the host is absolved; 0: that is paid; NULL: nothing was
//                ever owed
//   debt         the attributes of the job that it needs (attributes.h), as long as it is owed
#define RECORD_NOBODY "ffffffff-ffff-ffff-ffff-ffffffffffff"

#define RECORD_SCHEMA_ATTEMPTS                                                                     \
    "CREATE TABLE attempts (job BLOB NOT NULL, attempt INTEGER NOT NULL, worker TEXT,"             \
    " began_ms INTEGER, ended_ms INTEGER, machine_id TEXT, boot_before TEXT, boot_after TEXT,"     \
    " exit INTEGER, outcome TEXT, error TEXT, proof TEXT, state TEXT NOT NULL,"                    \
    " command INTEGER NOT NULL, command_end TEXT, first_boot_ms INTEGER NOT NULL,"                 \
    " deadline_boot_ms INTEGER NOT NULL, control TEXT, health TEXT, owes INTEGER, debt TEXT,"      \
    " PRIMARY KEY (job, attempt)) WITHOUT ROWID"

#define RECORD_ACTION_OVER "over" // an attempt has ended, and its job has no outcome yet

// Every row is chained to the one before it (audit_chain.h). NULL: it has none of that.
//   seq       from 1, without a gap
//   actor     who has ordered it, or the saver's consumer: its name
//   action    mm_action_name; of an attempt that has begun also RECORD_ACTION_OVER, or mm_row_name
//             of one that is open or not started
//   job       of an attempt or an outcome
//   order_id  of an order: a repeated one changes nothing
//   run       0: any; a number without a sign, kept with one
//   host      as its list wrote it; of deny and absolve folded
//   grp       of a host its groups, with commas between; of trip and resume the group
//   reason    why; of an outcome why the job is dead; of an attempt how it ended, mm_end_name
//   ids       "attempt=1 command=1 machine=... boot=...", as far as they are known
//   outcome   of `ended`: mm_outcome_name; proof: mm_proof_name
//   casualty  of `ended` and `over`: 1 or 0
//   until_ms  of deny: Unix time; 0: for good
#define RECORD_SCHEMA_AUDIT                                                                        \
    "CREATE TABLE audit (seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, actor TEXT NOT NULL,"  \
    " action TEXT NOT NULL, job BLOB, order_id BLOB, run INTEGER NOT NULL, host TEXT, grp TEXT,"   \
    " reason TEXT NOT NULL, ids TEXT NOT NULL, outcome TEXT, proof TEXT, casualty INTEGER,"        \
    " until_ms INTEGER, hash BLOB NOT NULL);"                                                      \
    "CREATE UNIQUE INDEX audit_order ON audit (order_id) WHERE order_id IS NOT NULL;"              \
    "CREATE INDEX audit_job ON audit (job) WHERE action = 'ended';"                                \
    "CREATE INDEX audit_run ON audit (run) WHERE action = 'ended';"                                \
    "CREATE INDEX audit_resume ON audit (run) WHERE action = 'resume'"

// What holds a run back: kind 'halt' (name empty), 'trip' (a group; empty: the whole run), 'deny'
// (a host, folded). run: whose breaker has tripped. until_ms: of a deny; 0: for good.
#define RECORD_SCHEMA_HOLDS                                                                        \
    "CREATE TABLE holds (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,"                \
    " name TEXT NOT NULL, run INTEGER NOT NULL, until_ms INTEGER NOT NULL,"                        \
    " since_ms INTEGER NOT NULL, why TEXT NOT NULL, actor TEXT NOT NULL, UNIQUE (kind, name))"

// Hosts, folded, that keep places of the groups they were in: by an attempt whose end is not known
// (open), or since nobody knows that they are up (casualty). job: the last one.
#define RECORD_SCHEMA_PLACES                                                                       \
    "CREATE TABLE places (id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL UNIQUE,"        \
    " groups TEXT NOT NULL, open INTEGER NOT NULL, casualty INTEGER NOT NULL, job BLOB NOT NULL,"  \
    " since_ms INTEGER NOT NULL)"

#define RECORD_SCHEMA_HELD RECORD_SCHEMA_AUDIT ";" RECORD_SCHEMA_HOLDS ";" RECORD_SCHEMA_PLACES

#define RECORD_SCHEMA JOB_SCHEMA RECORD_SCHEMA_ATTEMPTS ";" RECORD_SCHEMA_HELD

// From version 1 to 2, from 2 to 3, and so on: an array of mm_sqlite_config_t. Version 1 did not
// know how a job was proven.
#define RECORD_UPGRADE_1 "ALTER TABLE jobs ADD COLUMN proof TEXT;" RECORD_SCHEMA_ATTEMPTS
#define RECORD_UPGRADES                                                                            \
    {                                                                                              \
        RECORD_UPGRADE_1, RECORD_SCHEMA_HELD, JOB_UPGRADE                                          \
    }

// The columns of a row of the audit, in the order of RECORD_READ_AUDIT; its hash is of all others.
typedef enum {
    AUDIT_SEQ,
    AUDIT_TIME_MS,
    AUDIT_ACTOR,
    AUDIT_ACTION,
    AUDIT_JOB,
    AUDIT_ORDER,
    AUDIT_RUN,
    AUDIT_HOST,
    AUDIT_GROUPS,
    AUDIT_REASON,
    AUDIT_IDS,
    AUDIT_OUTCOME,
    AUDIT_PROOF,
    AUDIT_CASUALTY,
    AUDIT_UNTIL_MS,
    AUDIT_HASH,
    AUDIT_COLUMNS
} audit_column_t;

#define RECORD_AUDIT_COLUMNS                                                                       \
    "seq, time_ms, actor, action, job, order_id, run, host, grp, reason, ids, outcome, proof,"     \
    " casualty, until_ms, hash"
#define RECORD_READ_AUDIT "SELECT " RECORD_AUDIT_COLUMNS " FROM audit"

// Of the run ?1; ?2: LIKE what a higher limit begins with, which counts on.
#define RECORD_RESUMES                                                                             \
    " FROM audit WHERE action = 'resume' AND grp IS NULL AND run IN (0, ?1) AND reason NOT LIKE "  \
    "?2"
// How many of the jobs @3, those of a run that are dead, were so when it was resumed last.
#define RECORD_COUNT_FORGIVEN                                                                      \
    "SELECT count(*) FROM jobs WHERE id IN (@3)"                                                   \
    " AND settled_ms <= (SELECT max(time_ms)" RECORD_RESUMES ")"
// Why the whole run has tripped since then, and whether it was a limit that a higher one ends; what
// else has stopped it goes before that.
#define RECORD_READ_TRIP                                                                           \
    "SELECT reason, reason LIKE ?2 AS is_limit FROM audit WHERE action = 'trip' AND grp IS NULL"   \
    " AND run = ?1 AND seq > (SELECT coalesce(max(seq), 0)" RECORD_RESUMES                         \
    ") ORDER BY is_limit, seq DESC LIMIT 1"

// What is in force at ?2, Unix time, in the order in which it came to be, behind the row ?1; not
// bound: from the first one on.
#define RECORD_READ_HOLDS                                                                          \
    "SELECT id, kind, name, until_ms, since_ms, why, actor, run FROM holds"                        \
    " WHERE id > coalesce(?1, 0) AND NOT (kind = 'deny' AND until_ms BETWEEN 1 AND ?2)"            \
    " ORDER BY id"

typedef enum {
    HOLDS_ID,
    HOLDS_KIND, // mm_action_name
    HOLDS_NAME,
    HOLDS_UNTIL_MS,
    HOLDS_SINCE_MS,
    HOLDS_WHY,
    HOLDS_ACTOR,
    HOLDS_RUN
} hold_column_t;

// ?1 as above.
#define RECORD_READ_PLACES                                                                         \
    "SELECT id, host, groups, open, casualty, since_ms FROM places WHERE id > coalesce(?1, 0)"     \
    " ORDER BY id"

typedef enum {
    PLACES_ID,
    PLACES_HOST,
    PLACES_GROUPS,
    PLACES_OPEN,
    PLACES_CASUALTY,
    PLACES_SINCE_MS
} place_column_t;

// The outcomes of the run ?1 and the resumes in it, whose outcome is NULL and whose host, too,
// behind the row ?2, in the order of the record.
#define RECORD_READ_OUTCOMES                                                                       \
    "SELECT seq, host, grp, time_ms, outcome, casualty FROM audit"                                 \
    " WHERE run = ?1 AND action = 'ended' AND seq > ?2 UNION ALL"                                  \
    " SELECT seq, host, grp, time_ms, NULL, 0 FROM audit"                                          \
    " WHERE run IN (0, ?1) AND action = 'resume' AND seq > ?2 ORDER BY seq"

typedef enum {
    OUTCOMES_SEQ,
    OUTCOMES_HOST,
    OUTCOMES_GROUPS, // of a resume the group; empty: the whole run
    OUTCOMES_TIME_MS,
    OUTCOMES_OUTCOME,
    OUTCOMES_CASUALTY
} outcome_column_t;

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
    RECORD_WORKER,    // NULL: none
    RECORD_ERROR,     // NULL: none
    RECORD_PROOF_NAME // mm_proof_name; NULL: not restarted, or not known
} record_column_t;

#define RECORD_READ_COLUMNS                                                                        \
    "SELECT id, host, publisher, received_ms, settled_ms, outcome, attempts, deliveries,"          \
    " extended, worker, error, "
#define RECORD_READ   RECORD_READ_COLUMNS "proof FROM jobs WHERE "
#define RECORD_READ_1 RECORD_READ_COLUMNS "NULL FROM jobs WHERE " // of a file of version 1

// The columns of RECORD_READ_ATTEMPTS, in its order.
typedef enum {
    ATTEMPTS_JOB,
    ATTEMPTS_NUMBER,
    ATTEMPTS_STATE,
    ATTEMPTS_WORKER,
    ATTEMPTS_BEGAN_MS,
    ATTEMPTS_ENDED_MS,
    ATTEMPTS_MACHINE_ID,  // 32 hex digits
    ATTEMPTS_BOOT_BEFORE, // these three as UUIDs
    ATTEMPTS_BOOT_AFTER,
    ATTEMPTS_CONTROL,
    ATTEMPTS_EXIT,
    ATTEMPTS_OUTCOME,
    ATTEMPTS_ERROR,
    ATTEMPTS_PROOF,
    ATTEMPTS_COMMAND,
    ATTEMPTS_COMMAND_END,
    ATTEMPTS_FIRST_BOOT_MS,
    ATTEMPTS_DEADLINE_BOOT_MS,
    ATTEMPTS_HEALTH,
    ATTEMPTS_OWES,
    ATTEMPTS_DEBT
} attempt_column_t;

// Of the jobs @1, in the order of their ids: how often each was tried, and when it was settled.
#define RECORD_READ_SETTLES "SELECT id, attempts, settled_ms FROM jobs WHERE id IN (@1) ORDER BY id"

// Of the job ?1, oldest first.
#define RECORD_READ_ATTEMPTS                                                                       \
    "SELECT job, attempt, state, worker, began_ms, ended_ms, machine_id, boot_before, boot_after," \
    " control, exit, outcome, error, proof, command, command_end, first_boot_ms,"                  \
    " deadline_boot_ms, health, owes, debt FROM attempts WHERE job = ?1 ORDER BY attempt"

// The jobs whose last attempt still owes what --after does, oldest first, unless a later job has
// restarted the same host and paid. It may be paid without another restart when the host was
// restarted, or got no command; else somebody must look at it, and absolve it.
#define RECORD_READ_DEBTS                                                                          \
    "SELECT id, jobs.host, a.attempt, machine_id, boot_before, debt, jobs.outcome IS NOT NULL"     \
    " AND (a.outcome = 'restarted' OR NOT EXISTS (SELECT 1 FROM attempts AS other"                 \
    " WHERE other.job = a.job AND other.began_ms IS NOT NULL"                                      \
    " AND coalesce(other.outcome, '') <> 'unprepared') OR a.owes = 2) AS payable"                  \
    " FROM attempts AS a JOIN jobs ON id = a.job WHERE a.owes > 0"                                 \
    " AND NOT EXISTS (SELECT 1 FROM attempts AS later"                                             \
    " WHERE later.job = a.job AND later.attempt > a.attempt)"                                      \
    " AND NOT EXISTS (SELECT 1 FROM jobs AS next JOIN attempts AS paid ON paid.job = next.id"      \
    " WHERE next.id > a.job AND next.host = jobs.host AND paid.owes = 0"                           \
    " AND paid.outcome = 'restarted') ORDER BY id"

typedef enum {
    DEBTS_JOB,
    DEBTS_HOST,
    DEBTS_ATTEMPT,
    DEBTS_MACHINE_ID,
    DEBTS_BOOT_BEFORE,
    DEBTS_ATTRIBUTES,
    DEBTS_IS_PAYABLE
} debt_column_t;

// The host ?1, folded, is absolved: what it owes may be paid. host_fold is a function of the
// program (host_fold.h); few attempts owe something, and only the jobs of those are looked up.
#define RECORD_ABSOLVE_DEBTS                                                                       \
    "UPDATE attempts SET owes = 2 WHERE owes = 1"                                                  \
    " AND host_fold((SELECT host FROM jobs WHERE id = attempts.job)) = ?1"

#define RECORD_PAY "UPDATE attempts SET owes = 0, debt = NULL WHERE job = ?1 AND attempt = ?2"

// The jobs without an outcome that have an attempt which has begun and has no end. Those that are
// not in the outbox any more have lost theirs, and nobody works on them.
#define RECORD_READ_OPEN                                                                           \
    "SELECT DISTINCT job FROM attempts JOIN jobs ON jobs.id = job"                                 \
    " WHERE state IN ('begun', 'open') AND jobs.outcome IS NULL"

// How many of the last ?1 jobs were skipped since their hosts had been restarted a short while ago,
// and why one of them was.
#define RECORD_COUNT_COOLED                                                                        \
    "SELECT count(*), max(error) FROM (SELECT outcome, error FROM jobs ORDER BY id DESC"           \
    " LIMIT ?1) AS newest WHERE outcome = 'skipped' AND error LIKE '%" RECORD_COOLED "%'"
#define RECORD_COOLED "restarted within " // "1h by DIR"

#endif
