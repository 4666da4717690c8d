// See audit_postgresql.h. Rows come one at a time, so that a record of any size fits. No index of
// the record is asked: a key that has lost its rows would hide them.

#include "audit_postgresql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "audit_read.h"

bool audit_is_uri(const char *store)
{
    return strncmp(store, "postgresql://", 13) == 0 || strncmp(store, "postgres://", 11) == 0;
}

#ifdef MM_HAS_POSTGRESQL

#include <libpq-fe.h>

// The snapshot of both reads; none is made from an index.
#define BEGIN                                                                                      \
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL enable_indexscan = off;"           \
    " SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off"

typedef struct {
    const char *create;
    const char *select;
    const char *insert;
} table_t;

// Ids are blobs in the record of SQLite: here they come as the text of a bytea, "\x…".
static const table_t tables[] = {
    {"CREATE TABLE store.jobs (id BLOB, host TEXT, received_ms INTEGER, settled_ms INTEGER,"
     " outcome TEXT, worker TEXT, proof TEXT)",
     "SELECT uuid_send(id), host, received_ms, settled_ms, outcome, worker, proof FROM jobs",
     "INSERT INTO store.jobs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
    {"CREATE TABLE store.attempts (job BLOB, attempt INTEGER, began_ms INTEGER, ended_ms INTEGER,"
     " machine_id TEXT, boot_before TEXT, boot_after TEXT, outcome TEXT, proof TEXT, state TEXT)",
     "SELECT uuid_send(job), attempt, began_ms, ended_ms, machine_id, boot_before, boot_after,"
     " outcome, proof, state FROM attempts",
     "INSERT INTO store.attempts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"},
};

static void quit(int code, const char *what, const char *why)
{
    (void)fprintf(stderr, "audit: %s: %s\n", what, why);
    exit(code);
}

static void fail(int code, PGconn *connection)
{
    quit(code, "the record in PostgreSQL", PQerrorMessage(connection));
}

static PGconn *open_primary(const char *uri)
{
    // What the URI says of a name comes later, and counts.
    const char *const names[] = {"target_session_attrs", "connect_timeout", "application_name",
                                 "dbname", NULL};
    const char *const values[] = {"primary", "10", "mayhem-auditor", uri, NULL};
    PGconn *connection = PQconnectdbParams(names, values, 1);
    if (PQstatus(connection) != CONNECTION_OK)
        fail(EX_UNAVAILABLE, connection);
    return connection;
}

// Returns whether the first row of its result, if it has one, is true.
static bool ask(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail(EX_DATAERR, connection);
    bool is_true = PQntuples(result) > 0 && strcmp(PQgetvalue(result, 0, 0), "t") == 0;
    PQclear(result);
    return is_true;
}

// Column 1 is the id; the types of the others are those that the table in memory declares.
static void bind(sqlite3_stmt *insert, const PGresult *row, int column)
{
    const char *text = PQgetvalue(row, 0, column);
    int size = PQgetlength(row, 0, column);
    if (PQgetisnull(row, 0, column)) {
        (void)sqlite3_bind_null(insert, column + 1);
        return;
    }
    if (column > 0) {
        (void)sqlite3_bind_text(insert, column + 1, text, size, SQLITE_TRANSIENT);
        return;
    }
    size_t id_size;
    unsigned char *id = PQunescapeBytea((const unsigned char *)text, &id_size);
    if (id == NULL)
        quit(EX_OSERR, "the record in PostgreSQL", "no memory");
    (void)sqlite3_bind_blob(insert, 1, id, (int)id_size, SQLITE_TRANSIENT);
    PQfreemem(id);
}

static void copy_table(sqlite3 *db, PGconn *connection, const table_t *table)
{
    sqlite3_stmt *insert = NULL;
    PGresult *result;
    audit_execute(db, table->create);
    if (sqlite3_prepare_v2(db, table->insert, -1, &insert, NULL) != SQLITE_OK)
        quit(EX_SOFTWARE, sqlite3_errmsg(db), table->insert);
    if (PQsendQuery(connection, table->select) != 1 || PQsetSingleRowMode(connection) != 1)
        fail(EX_UNAVAILABLE, connection);
    while ((result = PQgetResult(connection)) != NULL) {
        ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK)
            fail(EX_DATAERR, connection);
        if (PQntuples(result) == 1) {
            for (int i = 0; i < PQnfields(result); i++)
                bind(insert, result, i);
            if (sqlite3_step(insert) != SQLITE_DONE)
                quit(EX_SOFTWARE, sqlite3_errmsg(db), table->insert);
            (void)sqlite3_reset(insert);
        }
        PQclear(result);
    }
    (void)sqlite3_finalize(insert);
}

void audit_copy_store(sqlite3 *db, const char *uri)
{
    PGconn *connection = open_primary(uri);
    audit_execute(db, "ATTACH ':memory:' AS store");
    (void)ask(connection, BEGIN);
    audit_execute(db, "BEGIN");
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        copy_table(db, connection, &tables[i]);
    // As the keys of the record in SQLite, which the checks are quick by; two rows may have one.
    audit_execute(db, "COMMIT; CREATE INDEX store.jobs_id ON jobs (id);"
                      " CREATE INDEX store.attempts_job ON attempts (job, attempt)");
    (void)ask(connection, "COMMIT");
    PQfinish(connection);
}

bool audit_store_is_empty(const char *uri)
{
    PGconn *connection = open_primary(uri);
    bool is_empty = !ask(connection, "SELECT to_regclass('jobs') IS NOT NULL") ||
                    ask(connection, "SELECT NOT EXISTS (SELECT FROM jobs)");
    PQfinish(connection);
    return is_empty;
}

#else

static void quit_without(void)
{
    (void)fputs("audit: built without PostgreSQL: install libpq-dev and build it again\n", stderr);
    exit(EX_UNAVAILABLE);
}

void audit_copy_store(sqlite3 *db, const char *uri)
{
    (void)db, (void)uri;
    quit_without();
}

bool audit_store_is_empty(const char *uri)
{
    (void)uri;
    quit_without();
    return false;
}

#endif
