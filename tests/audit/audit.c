// audit: judges a run by what it has left behind: its input, the two databases, and the record that
// the restarters (or their commands) kept of what they ran. It shares no code with the pipeline and
// asks none of its processes. Each check is one query that names the offenders; I1 to I8 are the
// invariants of docs/rules.md. It expects one run in its folder: one job for each host of the
// input.
//
// audit [-k KILLS] [-g GRACE_MS] [-l LOG]... INPUT STORE OUTBOX.db RECORD...
// audit -e URI      exit 0: no job is on record there, or no record is there yet; 1: some are
// STORE is a file of SQLite, or a URI: postgresql://… (by libpq: a password may be in PGPASSWORD).
// -k  kills that were done: a host that ran twice is then excused when one lay close enough
// -g  a restart may begin so long after its outcome was durable, since it was sent before (2000)
// -l  logs that tell when a process was back at work after a kill
// Exit: 0 every host settled and nothing wrong, 1 something is wrong, 75 nothing is wrong but jobs
// are left in the outbox, 64 and up: it could not judge.

#include "audit_postgresql.h"
#include "audit_read.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define SHOWN_MAX 5 // offenders of each kind that are named

typedef struct {
    const char *invariant;
    const char *complaint;
    const char *sql; // one row, one text for each offender
} check_t;

// ?1 is the grace. A fault between 10 s before the first of two runs and the begin of the second
// may have made it seem lost: the longest pause is 4 s, and a worker is given up after 1.5 s.
#define FAULT "(SELECT 1 FROM kills k WHERE k.ms BETWEEN a.begin_ms - 10000 AND b.begin_ms + 5)"
#define EARLIER                                                                                    \
    "run b JOIN run a ON a.host = b.host AND a.seq <> b.seq"                                       \
    " AND (a.begin_ms, a.seq) < (b.begin_ms, b.seq)"
// The last lines of a log may die with its process: those of jobs that came before it was killed,
// or before it was stopped and killed without going on. A command's own record cannot: it is
// written before the command ends.
#define UNPROVEN                                                                                   \
    "FROM store.jobs s WHERE outcome = 'restarted' AND NOT EXISTS (SELECT 1 FROM run r"            \
    " WHERE r.host = s.host AND r.ok AND r.end_ms <= s.settled_ms + 5)"
#define AT_ITS_TIME "BETWEEN s.received_ms - 5 AND s.settled_ms + 1000"
#define LOG_LOST                                                                                   \
    "(EXISTS (SELECT 1 FROM run WHERE is_log) AND EXISTS (SELECT 1 FROM kills k"                   \
    " WHERE k.name = s.worker AND k.signal = 'KILL' AND (k.ms " AT_ITS_TIME                        \
    " OR EXISTS (SELECT 1 FROM kills p WHERE p.pid = k.pid AND p.signal = 'STOP'"                  \
    " AND k.ms BETWEEN p.ms AND p.ms + p.span_ms AND p.ms " AT_ITS_TIME "))))"

// Attempts at real restarts with their jobs.
#define ATTEMPTS     "store.attempts a JOIN store.jobs s ON s.id = a.job"
#define ATTEMPT_NAME "s.host || ' #' || a.attempt"

static const check_t checks[] = {
    {"I1", "hosts are neither on record nor in the outbox: lost",
     "SELECT host FROM input WHERE (SELECT min(source_done) FROM outbox.runs) = 1"
     " AND host NOT IN (SELECT host FROM store.jobs) AND host NOT IN (SELECT host FROM held)"},
    {"I1", "rows have no outcome, and the outbox does not hold their jobs: lost",
     "SELECT host FROM store.jobs WHERE outcome IS NULL AND id NOT IN (SELECT id FROM held)"},
    {"I1", "chunks of the outbox do not hold the jobs that they say, or none that is not settled",
     "SELECT text FROM broken"},
    {"I1", "numbers differ between what the outbox holds and what its runs have counted",
     "SELECT counted || '/' || found FROM (SELECT"
     " (SELECT sum(accepted - restarted - dead - unneeded - withdrawn) FROM outbox.runs)"
     " AS counted, (SELECT count(*) FROM held) AS found) WHERE counted <> found"},
    {"I1", "jobs are in the outbox and not in its view, or the other way round",
     "SELECT host FROM (SELECT id, host FROM held EXCEPT SELECT id, host FROM outbox.jobs)"
     " UNION ALL SELECT host FROM (SELECT id, host FROM outbox.jobs EXCEPT"
     " SELECT id, host FROM held)"},
    {"I4", "hosts have two jobs or two rows",
     "SELECT host FROM (SELECT id, host FROM store.jobs UNION SELECT id, host FROM held)"
     " GROUP BY host HAVING count(*) > 1"},
    {"I4", "jobs have two rows", "SELECT hex(id) FROM store.jobs GROUP BY id HAVING count(*) > 1"},
    {"I4", "rows are of a host that is not in the input",
     "SELECT host FROM store.jobs WHERE host NOT IN (SELECT host FROM input)"},
    {"I4", "jobs in the outbox are of a host that is not in the input",
     "SELECT host FROM held WHERE host NOT IN (SELECT host FROM input)"},
    {"I4", "jobs have another host in the outbox than on record",
     "SELECT o.host || '/' || s.host FROM held o JOIN store.jobs s USING (id)"
     " WHERE o.host <> s.host"},
    {"I4", "rows have half an outcome, or none that is known",
     "SELECT host FROM store.jobs WHERE (outcome IS NULL) <> (settled_ms IS NULL)"
     " OR outcome NOT IN ('restarted', 'dead', 'withdrawn', 'skipped')"
     " OR settled_ms < received_ms - 5"},
    {"I4", "counts differ between what the publisher was told and what is on record",
     "SELECT outcome || ' ' || told || '/' || recorded FROM (SELECT 'restarted' AS outcome,"
     " sum(restarted) AS told, (SELECT count(*) FROM store.jobs WHERE outcome = 'restarted')"
     " AS recorded FROM outbox.runs UNION ALL SELECT 'dead', sum(dead), (SELECT count(*) FROM"
     " store.jobs WHERE outcome = 'dead') FROM outbox.runs) WHERE told <> recorded"
     " AND NOT EXISTS (SELECT 1 FROM held)"},
    {"I4", "hosts were told to be dead, and are not on record as dead",
     "SELECT host FROM outbox.dead WHERE id NOT IN (SELECT id FROM store.jobs WHERE"
     " outcome = 'dead')"},
    {"I3", "hosts are on record as restarted, and no successful restart was recorded before",
     "SELECT host " UNPROVEN " AND NOT " LOG_LOST},
    {"I3", "hosts are on record as restarted, and not how sure that is",
     "SELECT host FROM store.jobs WHERE outcome = 'restarted' AND (proof IS NULL OR proof NOT IN"
     " ('proven', 'verified', 'unverified', 'rehearsed'))"},
    {"I3", "hosts have a proof, and no attempt on record that ended with it",
     "SELECT host || ' ' || proof FROM store.jobs s WHERE proof <> 'rehearsed' AND NOT EXISTS"
     " (SELECT 1 FROM store.attempts a WHERE a.job = s.id AND a.outcome = 'restarted'"
     " AND a.proof = s.proof)"},
    {"I3", "attempts are proven without a machine that was in another boot",
     "SELECT " ATTEMPT_NAME " FROM " ATTEMPTS " WHERE a.proof = 'proven' AND (machine_id IS NULL"
     " OR boot_before IS NULL OR boot_after IS NULL OR boot_after = boot_before)"},
    {"I3", "real restarts of hosts began before an attempt was on record",
     "SELECT r.host FROM run r JOIN store.jobs s USING (host) WHERE NOT r.is_log"
     " AND EXISTS (SELECT 1 FROM store.attempts) AND NOT EXISTS (SELECT 1 FROM store.attempts a"
     " WHERE a.job = s.id AND a.began_ms <= r.begin_ms + 5)"},
    {"I4", "attempts are of no job on record",
     "SELECT hex(job) FROM store.attempts WHERE job NOT IN (SELECT id FROM store.jobs)"},
    {"I4", "attempts have half an end, or a state that is none",
     "SELECT " ATTEMPT_NAME " FROM " ATTEMPTS " WHERE state NOT IN ('begun', 'open', 'ended',"
     " 'not-started') OR (state = 'ended') <> (ended_ms IS NOT NULL)"
     " OR (state = 'ended') <> (a.outcome IS NOT NULL) OR (state IN ('begun', 'open') AND"
     " began_ms IS NULL) OR ended_ms < began_ms - 5"},
    {"I4", "attempts have no end, and a later one or the outcome of the job has been recorded",
     "SELECT " ATTEMPT_NAME " FROM " ATTEMPTS " WHERE state IN ('begun', 'open')"
     " AND (s.outcome IS NOT NULL OR EXISTS (SELECT 1 FROM store.attempts b WHERE b.job = a.job"
     " AND b.attempt > a.attempt))"},
    {"I3", "commands were run for a host that is not in the input",
     "SELECT host FROM run WHERE host NOT IN (SELECT host FROM input)"},
    {"I5", "restarts began after the outcome was durable, later than one on its way could",
     "SELECT r.host || ' +' || (r.begin_ms - s.settled_ms) || 'ms' FROM run r JOIN store.jobs s"
     " USING (host) WHERE s.outcome IS NOT NULL AND r.begin_ms > s.settled_ms + ?1"},
    {"I5", "hosts were restarted twice with success, and no kill explains it",
     "SELECT DISTINCT b.host FROM " EARLIER " WHERE a.ok AND b.ok AND NOT EXISTS " FAULT},
    {"I8", "hosts had two restarts at the same time, and no kill explains it",
     "SELECT DISTINCT b.host FROM " EARLIER " WHERE b.begin_ms < a.end_ms - 5 * a.is_log"
     " AND NOT EXISTS " FAULT},
};

typedef struct {
    sqlite3 *db;
    int64_t grace_ms;
    bool is_wrong;
} audit_t;

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "audit: %s: %s\n", sqlite3_errmsg(db), sql);
        exit(EX_DATAERR);
    }
    return statement;
}

static bool next(sqlite3 *db, sqlite3_stmt *statement)
{
    int status = sqlite3_step(statement);
    if (status != SQLITE_ROW && status != SQLITE_DONE) {
        (void)fprintf(stderr, "audit: %s: %s\n", sqlite3_errmsg(db), sqlite3_sql(statement));
        exit(EX_DATAERR);
    }
    return status == SQLITE_ROW;
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = prepare(db, sql);
    int64_t value = next(db, statement) ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_finalize(statement);
    return value;
}

static void attach(sqlite3 *db, const char *path, const char *name)
{
    char *uri = sqlite3_mprintf("file:%s?mode=ro", path);
    char *sql = sqlite3_mprintf("ATTACH %Q AS %s", uri, name);
    if (access(path, R_OK) != 0) { // ATTACH would not say which file it was
        perror(path);
        exit(EX_NOINPUT);
    }
    audit_execute(db, sql);
    sqlite3_free(sql);
    sqlite3_free(uri);
}

static void open_store(sqlite3 *db, const char *store)
{
    if (audit_is_uri(store))
        audit_copy_store(db, store);
    else
        attach(db, store, "store");
}

// ---- judging -----------------------------------------------------------------------------------

static void complain(audit_t *self, const char *invariant, const char *complaint, int64_t count)
{
    printf("WRONG %s %s: %" PRId64 "\n", invariant, complaint, count);
    self->is_wrong = true;
}

static void check(audit_t *self, const check_t *what)
{
    char *sql = sqlite3_mprintf("SELECT count(*) FROM (%s)", what->sql);
    sqlite3_stmt *statement = prepare(self->db, sql);
    sqlite3_free(sql);
    (void)sqlite3_bind_int64(statement, 1, self->grace_ms);
    int64_t count = next(self->db, statement) ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_finalize(statement);
    if (count == 0)
        return;
    complain(self, what->invariant, what->complaint, count);
    statement = prepare(self->db, what->sql);
    (void)sqlite3_bind_int64(statement, 1, self->grace_ms);
    for (int shown = 0; shown < SHOWN_MAX && next(self->db, statement); shown++)
        printf("         %s\n", (const char *)sqlite3_column_text(statement, 0));
    (void)sqlite3_finalize(statement);
}

static void check_file(audit_t *self, const char *name)
{
    char *sql = sqlite3_mprintf("PRAGMA %s.integrity_check(1)", name);
    sqlite3_stmt *statement = prepare(self->db, sql);
    sqlite3_free(sql);
    bool has_row = next(self->db, statement);
    const char *text = has_row ? (const char *)sqlite3_column_text(statement, 0) : "no answer";
    if (sqlite3_stricmp(text, "ok") != 0) {
        printf("         %s: %s\n", name, text);
        complain(self, "I1", "databases are damaged", 1);
    }
    (void)sqlite3_finalize(statement);
}

// ---- the receipt -------------------------------------------------------------------------------

// "p50 N ms, p99 N ms, max N ms of N"; `sql` gives one number a row, sorted.
static void print_times(audit_t *self, const char *title, const char *sql)
{
    char *counted = sqlite3_mprintf("SELECT count(*) FROM (%s)", sql);
    int64_t count = number(self->db, counted);
    sqlite3_free(counted);
    if (count == 0)
        return;
    const int64_t places[] = {(count - 1) * 50 / 100, (count * 99 + 99) / 100 - 1, count - 1};
    int64_t times[3];
    for (int i = 0; i < 3; i++) {
        char *one = sqlite3_mprintf("SELECT * FROM (%s) LIMIT 1 OFFSET %lld", sql, places[i]);
        times[i] = number(self->db, one);
        sqlite3_free(one);
    }
    printf("  %-34s p50 %" PRId64 " ms, p99 %" PRId64 " ms, max %" PRId64 " ms (of %" PRId64 ")\n",
           title, times[0], times[1], times[2], count);
}

static void print_kills(audit_t *self)
{
    sqlite3_stmt *rows = prepare(
        self->db, "SELECT CASE WHEN name GLOB 'restarter-*' THEN 'restarters' ELSE name END AS who,"
                  " sum(signal = 'KILL'), sum(signal = 'TERM'), sum(signal = 'STOP'), count(*)"
                  " FROM kills GROUP BY who UNION ALL SELECT 'all', sum(signal = 'KILL'),"
                  " sum(signal = 'TERM'), sum(signal = 'STOP'), count(*) FROM kills");
    printf("kills          KILL  TERM  STOP   all\n");
    while (next(self->db, rows))
        printf("  %-11s %6d%6d%6d%6d\n", (const char *)sqlite3_column_text(rows, 0),
               sqlite3_column_int(rows, 1), sqlite3_column_int(rows, 2),
               sqlite3_column_int(rows, 3), sqlite3_column_int(rows, 4));
    (void)sqlite3_finalize(rows);
    audit_execute(self->db, "CREATE TABLE settled (ms INTEGER);"
                            "INSERT INTO settled SELECT settled_ms FROM store.jobs WHERE"
                            " settled_ms IS NOT NULL;"
                            "CREATE INDEX settled_ms ON settled (ms)");
    printf("recovery\n");
    print_times(self, "kill to the next settled job",
                "SELECT (SELECT min(s.ms) FROM settled s WHERE s.ms >= k.ms) - k.ms AS t"
                " FROM kills k WHERE t IS NOT NULL ORDER BY t");
    static const char *const roles[] = {"publisher", "consumer", "saver", "restarter"};
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        char title[64];
        (void)snprintf(title, sizeof title, "KILL to the %s back at work", roles[i]);
        char *sql = sqlite3_mprintf("SELECT (SELECT min(r.ms) FROM ready r WHERE r.name = k.name"
                                    " AND r.ms >= k.ms) - k.ms AS t FROM kills k WHERE k.signal ="
                                    " 'KILL' AND k.name GLOB '%s*' AND t IS NOT NULL ORDER BY t",
                                    roles[i]);
        print_times(self, title, sql);
        sqlite3_free(sql);
    }
}

// Nothing when all was rehearsed.
static void print_attempts(audit_t *self)
{
    sqlite3 *db = self->db;
    if (number(db, "SELECT count(*) FROM store.attempts") == 0)
        return;
    printf("attempts on record\n");
    printf("  ended %" PRId64 " (%" PRId64 " restarted, %" PRId64 " interrupted), open %" PRId64
           ", not started %" PRId64 "\n",
           number(db, "SELECT count(*) FROM store.attempts WHERE state = 'ended'"),
           number(db, "SELECT count(*) FROM store.attempts WHERE outcome = 'restarted'"),
           number(db, "SELECT count(*) FROM store.attempts WHERE outcome = 'interrupted'"),
           number(db, "SELECT count(*) FROM store.attempts WHERE state IN ('begun', 'open')"),
           number(db, "SELECT count(*) FROM store.attempts WHERE state = 'not-started'"));
    printf("  hosts proven %" PRId64 ", verified %" PRId64 ", unverified %" PRId64 "\n",
           number(db, "SELECT count(*) FROM store.jobs WHERE proof = 'proven'"),
           number(db, "SELECT count(*) FROM store.jobs WHERE proof = 'verified'"),
           number(db, "SELECT count(*) FROM store.jobs WHERE proof = 'unverified'"));
}

// The hosts with two: with rows, with successful restarts, with restarts side by side.
static void print_jobs(audit_t *self)
{
    sqlite3 *db = self->db;
    printf("jobs\n");
    printf("  hosts in the input %" PRId64 "\n", number(db, "SELECT count(*) FROM input"));
    printf("  one outcome        %" PRId64 " (%" PRId64 " restarted, %" PRId64 " dead)\n",
           number(db, "SELECT count(*) FROM (SELECT 1 FROM store.jobs WHERE outcome IS NOT NULL"
                      " GROUP BY host HAVING count(*) = 1)"),
           number(db, "SELECT count(*) FROM store.jobs WHERE outcome = 'restarted'"),
           number(db, "SELECT count(*) FROM store.jobs WHERE outcome = 'dead'"));
    printf("  no outcome         %" PRId64 "\n",
           number(db, "SELECT count(*) FROM input WHERE host NOT IN (SELECT host FROM store.jobs"
                      " WHERE outcome IS NOT NULL)"));
    printf("  two rows           %" PRId64 "\n",
           number(db, "SELECT count(*) FROM (SELECT 1 FROM store.jobs GROUP BY host HAVING"
                      " count(*) > 1)"));
    printf("  in the outbox      %" PRId64 "\n", number(db, "SELECT count(*) FROM held"));
    print_attempts(self);
    printf("restarts on their own record\n");
    printf("  begun %" PRId64 ", ended well %" PRId64 ", failed %" PRId64 ", cut off %" PRId64 "\n",
           number(db, "SELECT count(*) FROM run"), number(db, "SELECT count(*) FROM run WHERE ok"),
           number(db, "SELECT count(*) FROM run WHERE NOT ok AND end_ms IS NOT NULL"),
           number(db, "SELECT count(*) FROM run WHERE end_ms IS NULL"));
    printf("  hosts restarted twice because of a kill %" PRId64 "\n",
           number(db, "SELECT count(DISTINCT b.host) FROM " EARLIER " WHERE a.ok AND b.ok"));
    printf("  hosts with two at the same time         %" PRId64 "\n",
           number(db, "SELECT count(DISTINCT b.host) FROM " EARLIER
                      " WHERE b.begin_ms < a.end_ms - 5 * a.is_log"));
    printf("  begun after the outcome was durable     %" PRId64 " (latest by %" PRId64 " ms)\n",
           number(db, "SELECT count(*) FROM run r JOIN store.jobs s USING (host)"
                      " WHERE r.begin_ms > s.settled_ms"),
           number(db, "SELECT coalesce(max(r.begin_ms - s.settled_ms), 0) FROM run r"
                      " JOIN store.jobs s USING (host) WHERE r.begin_ms > s.settled_ms"));
    printf("  log lines lost with a killed restarter  %" PRId64 "\n",
           number(db, "SELECT count(*) " UNPROVEN " AND " LOG_LOST));
}

// ---- main --------------------------------------------------------------------------------------

static void usage(void)
{
    (void)fputs("usage: audit [-k KILLS] [-g GRACE_MS] [-l LOG]... INPUT STORE OUTBOX.db "
                "RECORD...\n       audit -e URI\n",
                stderr);
    exit(EX_USAGE);
}

static sqlite3 *open_memory(void)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    if (sqlite3_open_v2(":memory:", &db, flags, NULL) != SQLITE_OK)
        exit(EX_SOFTWARE);
    (void)sqlite3_busy_timeout(db, 10000);
    audit_create_tables(db);
    return db;
}

static bool read_options(audit_t *self, int argc, char **argv)
{
    bool has_kills = false;
    for (int option; (option = getopt(argc, argv, "e:k:g:l:")) != -1;) {
        switch (option) {
        case 'e': exit(audit_store_is_empty(optarg) ? 0 : 1);
        case 'k':
            audit_read_kills(self->db, optarg);
            has_kills = true;
            break;
        case 'g': self->grace_ms = strtoll(optarg, NULL, 10); break;
        case 'l': audit_read_log(self->db, optarg); break;
        default: usage();
        }
    }
    if (argc - optind < 4)
        usage();
    return has_kills;
}

int main(int argc, char **argv)
{
    audit_t self = {.db = open_memory(), .grace_ms = 2000};
    bool has_kills = read_options(&self, argc, argv);
    audit_read_input(self.db, argv[optind]);
    open_store(self.db, argv[optind + 1]);
    attach(self.db, argv[optind + 2], "outbox");
    audit_read_outbox(self.db);
    long torn = 0;
    for (int i = optind + 3; i < argc; i++)
        torn += audit_read_record(self.db, argv[i]);
    if (has_kills)
        print_kills(&self);
    print_jobs(&self);
    if (torn > 0)
        printf("  lines that cannot be read               %ld\n", torn);
    check_file(&self, "store");
    check_file(&self, "outbox");
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        check(&self, &checks[i]);
    bool is_open = number(self.db, "SELECT count(*) FROM held") > 0 ||
                   number(self.db, "SELECT coalesce(min(source_done), 0) FROM outbox.runs") == 0 ||
                   number(self.db, "SELECT count(*) FROM input") == 0;
    (void)sqlite3_close(self.db);
    if (self.is_wrong)
        return 1;
    printf("%s\n", is_open ? "NOT FINISHED: nothing is wrong, and jobs are left"
                           : "RIGHT: every host has one outcome, nothing is lost");
    return is_open ? EX_TEMPFAIL : 0;
}
