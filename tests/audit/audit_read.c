// See audit_read.h. Lines that a kill has torn are counted and left out, never guessed at.

#include "audit_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define HOST_SIZE 301
#define HOST_SCAN "%300s"

static void quit(int code, const char *what, const char *why)
{
    (void)fprintf(stderr, "audit: %s: %s\n", what, why);
    exit(code);
}

void audit_execute(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        quit(EX_DATAERR, sqlite3_errmsg(db), sql);
}

void audit_create_tables(sqlite3 *db)
{
    audit_execute(db, "CREATE TABLE input (host TEXT PRIMARY KEY) WITHOUT ROWID;"
                      "CREATE TABLE run (seq INTEGER PRIMARY KEY, host TEXT, pid INTEGER,"
                      " begin_ms INTEGER, end_ms INTEGER, ok INTEGER, is_log INTEGER);"
                      "CREATE INDEX run_host ON run (host, pid);"
                      "CREATE TABLE kills (ms INTEGER, signal TEXT, name TEXT, pid INTEGER,"
                      " span_ms INTEGER);"
                      "CREATE INDEX kills_ms ON kills (ms);"
                      "CREATE TABLE held (id BLOB, host TEXT);"
                      "CREATE INDEX held_id ON held (id);"
                      "CREATE INDEX held_host ON held (host);"
                      "CREATE TABLE broken (text TEXT);"
                      "CREATE TABLE ready (name TEXT, ms INTEGER);"
                      "CREATE INDEX ready_name ON ready (name, ms)");
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        quit(EX_SOFTWARE, sqlite3_errmsg(db), sql);
    return statement;
}

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    (void)sqlite3_bind_text(statement, place, text, -1, SQLITE_TRANSIENT);
}

// Returns how many rows it changed.
static int put(sqlite3 *db, sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE)
        quit(EX_SOFTWARE, sqlite3_errmsg(db), sqlite3_sql(statement));
    (void)sqlite3_reset(statement);
    return sqlite3_changes(db);
}

static FILE *open_lines(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        quit(EX_NOINPUT, path, strerror(errno));
    return file;
}

// The next line without its end; false at the end of the file.
static bool read_line(FILE *file, char **line, size_t *capacity, const char *path)
{
    ssize_t size = getline(line, capacity, file);
    if (size < 0) {
        if (ferror(file))
            quit(EX_IOERR, path, strerror(errno));
        return false;
    }
    if (size > 0 && (*line)[size - 1] == '\n')
        (*line)[size - 1] = '\0';
    return true;
}

void audit_read_input(sqlite3 *db, const char *path)
{
    FILE *file = open_lines(path);
    sqlite3_stmt *insert = prepare(db, "INSERT OR IGNORE INTO input VALUES (?1)");
    char *line = NULL, host[HOST_SIZE];
    size_t capacity = 0;
    audit_execute(db, "BEGIN");
    while (read_line(file, &line, &capacity, path)) {
        if (sscanf(line, HOST_SCAN, host) != 1 || host[0] == '#')
            continue;
        if (host[0] == '{')
            quit(EX_DATAERR, path, "JSON Lines are not read here: give one host a line");
        bind_text(insert, 1, host);
        (void)put(db, insert);
    }
    audit_execute(db, "COMMIT");
    (void)sqlite3_finalize(insert);
    free(line);
    (void)fclose(file);
}

// ---- the outbox --------------------------------------------------------------------------------

// Bits in the order of the jobs, each byte from its highest one.
static bool is_settled(const unsigned char *done, int size, int index)
{
    return index / 8 < size && (done[index / 8] >> (7 - index % 8)) % 2 == 1;
}

// A chunk's jobs are its hosts, each with the next id; both must be as many as it says.
static bool hold_chunk(sqlite3 *db, sqlite3_stmt *chunk, sqlite3_stmt *hosts, sqlite3_stmt *insert)
{
    int jobs = sqlite3_column_int(chunk, 0), count = 0, held = 0;
    const unsigned char *ids = sqlite3_column_blob(chunk, 1);
    int bytes = sqlite3_column_bytes(chunk, 1);
    const unsigned char *done = sqlite3_column_blob(chunk, 3);
    int done_size = sqlite3_column_bytes(chunk, 3);
    if (jobs < 1 || bytes == 0 || bytes % jobs != 0)
        return false;
    int size = bytes / jobs;
    (void)sqlite3_bind_value(hosts, 1, sqlite3_column_value(chunk, 2));
    int status;
    for (; (status = sqlite3_step(hosts)) == SQLITE_ROW; count++) {
        if (count >= jobs || sqlite3_column_type(hosts, 0) != SQLITE_TEXT)
            break;
        if (is_settled(done, done_size, count))
            continue;
        (void)sqlite3_bind_blob(insert, 1, ids + count * size, size, SQLITE_TRANSIENT);
        (void)sqlite3_bind_value(insert, 2, sqlite3_column_value(hosts, 0));
        held += put(db, insert);
    }
    (void)sqlite3_reset(hosts);
    return status == SQLITE_DONE && count == jobs && held > 0;
}

void audit_read_outbox(sqlite3 *db)
{
    sqlite3_stmt *chunks =
        prepare(db, "SELECT c.jobs, c.ids, c.hosts, (SELECT s.done FROM outbox.settled s WHERE"
                    " s.chunk = c.chunk), c.chunk FROM outbox.chunks c");
    sqlite3_stmt *hosts = prepare(db, "SELECT value FROM json_each(?1)");
    sqlite3_stmt *insert = prepare(db, "INSERT INTO held VALUES (?1, ?2)");
    sqlite3_stmt *complain = prepare(db, "INSERT INTO broken VALUES ('chunk ' || ?1)");
    audit_execute(db, "BEGIN");
    int status;
    while ((status = sqlite3_step(chunks)) == SQLITE_ROW) {
        if (hold_chunk(db, chunks, hosts, insert))
            continue;
        (void)sqlite3_bind_value(complain, 1, sqlite3_column_value(chunks, 4));
        (void)put(db, complain);
    }
    if (status != SQLITE_DONE)
        quit(EX_DATAERR, sqlite3_errmsg(db), "the chunks of the outbox");
    audit_execute(db, "INSERT INTO broken SELECT 'bits of no chunk, ' || chunk FROM outbox.settled"
                      " WHERE chunk NOT IN (SELECT chunk FROM outbox.chunks)");
    audit_execute(db, "COMMIT");
    (void)sqlite3_finalize(chunks);
    (void)sqlite3_finalize(hosts);
    (void)sqlite3_finalize(insert);
    (void)sqlite3_finalize(complain);
}

// ---- the restarters' record --------------------------------------------------------------------

typedef struct {
    sqlite3 *db;
    sqlite3_stmt *begin, *end, *ended;
} record_t;

// "begin HOST PID MS", "end HOST PID MS"
static bool take_appended(record_t *self, const char *line)
{
    char word[6], host[HOST_SIZE], rest;
    int64_t pid, ms;
    if (sscanf(line, "%5s " HOST_SCAN " %" SCNd64 " %" SCNd64 "%c", word, host, &pid, &ms, &rest) !=
        4)
        return false;
    bool is_begin = strcmp(word, "begin") == 0;
    if (!is_begin && strcmp(word, "end") != 0)
        return false;
    sqlite3_stmt *statement = is_begin ? self->begin : self->end;
    bind_text(statement, 1, host);
    (void)sqlite3_bind_int64(statement, 2, pid);
    (void)sqlite3_bind_int64(statement, 3, ms);
    return put(self->db, statement) == 1;
}

// The time of a log line, and what follows it; NULL when it is none.
static const char *take_stamp(const char *line, int64_t *ret_ms)
{
    struct tm parts = {0};
    int ms, size = 0;
    if (sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &parts.tm_year, &parts.tm_mon,
               &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &ms, &size) != 7 ||
        size == 0)
        return NULL;
    parts.tm_year -= 1900;
    parts.tm_mon--;
    *ret_ms = (int64_t)timegm(&parts) * 1000 + ms;
    return line + size;
}

// A log line: its time, the process's name and the message.
static const char *take_log(const char *line, int64_t *ret_ms, char name[65])
{
    int size = 0;
    line = take_stamp(line, ret_ms);
    if (line == NULL || sscanf(line, "%*s %64[^[][%*d] %n", name, &size) != 1 || size == 0)
        return NULL;
    return line + size;
}

// "restarted job=… host=… attempt=… took=0.012s", or "Could not restart …".
static bool take_logged(record_t *self, const char *line)
{
    static const char done[] = "restarted job=", failed[] = "Could not restart job=";
    char name[65], host[HOST_SIZE];
    int64_t ms;
    const char *message = take_log(line, &ms, name);
    if (message == NULL)
        return false;
    bool is_ok = strncmp(message, done, strlen(done)) == 0;
    if (!is_ok && strncmp(message, failed, strlen(failed)) != 0)
        return true; // about something else
    const char *took = strstr(message, " took=");
    double seconds;
    if (sscanf(message + (is_ok ? strlen(done) : strlen(failed)), "%*s host=" HOST_SCAN, host) !=
            1 ||
        took == NULL || sscanf(took, " took=%lfs", &seconds) != 1)
        return false;
    bind_text(self->ended, 1, host);
    (void)sqlite3_bind_int64(self->ended, 2, ms - (int64_t)(seconds * 1000 + 0.5));
    (void)sqlite3_bind_int64(self->ended, 3, ms);
    (void)sqlite3_bind_int64(self->ended, 4, is_ok);
    return put(self->db, self->ended) == 1;
}

long audit_read_record(sqlite3 *db, const char *path)
{
    FILE *file = open_lines(path);
    record_t record = {
        .db = db,
        .begin = prepare(db, "INSERT INTO run (host, pid, begin_ms, ok, is_log)"
                             " VALUES (?1, ?2, ?3, 0, 0)"),
        .end = prepare(db, "UPDATE run SET end_ms = ?3, ok = 1 WHERE seq = (SELECT max(seq)"
                           " FROM run WHERE host = ?1 AND pid = ?2 AND end_ms IS NULL)"),
        .ended = prepare(db, "INSERT INTO run (host, begin_ms, end_ms, ok, is_log)"
                             " VALUES (?1, ?2, ?3, ?4, 1)"),
    };
    char *line = NULL;
    size_t capacity = 0;
    long bad = 0;
    audit_execute(db, "BEGIN");
    while (read_line(file, &line, &capacity, path))
        bad += !take_appended(&record, line) && !take_logged(&record, line);
    audit_execute(db, "COMMIT");
    (void)sqlite3_finalize(record.begin);
    (void)sqlite3_finalize(record.end);
    (void)sqlite3_finalize(record.ended);
    free(line);
    (void)fclose(file);
    return bad;
}

// ---- kills and recoveries ----------------------------------------------------------------------

void audit_read_kills(sqlite3 *db, const char *path)
{
    FILE *file = open_lines(path);
    sqlite3_stmt *insert = prepare(db, "INSERT INTO kills VALUES (?1, ?2, ?3, ?4, ?5)");
    char *line = NULL, kind[9], name[65];
    size_t capacity = 0;
    int64_t ms, pid, span_ms;
    audit_execute(db, "BEGIN");
    while (read_line(file, &line, &capacity, path)) {
        if (sscanf(line, "%" SCNd64 " %8s %64s %" SCNd64 " %" SCNd64, &ms, kind, name, &pid,
                   &span_ms) != 5)
            quit(EX_DATAERR, path, line);
        (void)sqlite3_bind_int64(insert, 1, ms);
        bind_text(insert, 2, kind);
        bind_text(insert, 3, name);
        (void)sqlite3_bind_int64(insert, 4, pid);
        (void)sqlite3_bind_int64(insert, 5, span_ms);
        (void)put(db, insert);
    }
    audit_execute(db, "COMMIT");
    (void)sqlite3_finalize(insert);
    free(line);
    (void)fclose(file);
}

static bool is_ready(const char *message, const char *name)
{
    if (strncmp(name, "consumer", 8) == 0)
        return strncmp(message, "Ready", 5) == 0;
    return strncmp(message, "Joined the consumer", 19) == 0 ||
           strncmp(message, "The consumer takes jobs", 23) == 0;
}

void audit_read_log(sqlite3 *db, const char *path)
{
    FILE *file = open_lines(path);
    sqlite3_stmt *insert = prepare(db, "INSERT INTO ready VALUES (?1, ?2)");
    char *line = NULL, name[65];
    size_t capacity = 0;
    int64_t ms;
    audit_execute(db, "BEGIN");
    while (read_line(file, &line, &capacity, path)) {
        const char *message = take_log(line, &ms, name);
        if (message == NULL || !is_ready(message, name))
            continue;
        bind_text(insert, 1, name);
        (void)sqlite3_bind_int64(insert, 2, ms);
        (void)put(db, insert);
    }
    audit_execute(db, "COMMIT");
    (void)sqlite3_finalize(insert);
    free(line);
    (void)fclose(file);
}
