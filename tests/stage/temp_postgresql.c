// See temp_postgresql.h.

#include "temp_postgresql.h"

#include "temp_folder.h"

#include <unistd.h>

#ifdef MM_HAS_POSTGRESQL

#include <libpq-fe.h>

#define BOOL_OID 16

static PGconn *connection;
static unsigned schemas;
static char schema[48], uri[1024];

const char *temp_postgresql_server(void)
{
    const char *server = getenv("TEST_POSTGRESQL");
    return server && *server ? server : NULL;
}

static PGresult *run(const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    return result;
}

static void run_in(const char *verb, const char *object)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql, "%s %s", verb, object);
    PQclear(run(sql));
}

const char *temp_postgresql_begin(void)
{
    const char *server = temp_postgresql_server();
    connection = PQconnectdb(server);
    if (PQstatus(connection) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(connection));
    (void)snprintf(schema, sizeof schema, "t_%d_%u", (int)getpid(), ++schemas);
    PQclear(run("SET client_min_messages = error"));
    run_in("CREATE SCHEMA", schema);
    run_in("SET search_path =", schema);
    (void)snprintf(uri, sizeof uri, "%s%coptions=-csearch_path%%3D%s", server,
                   strchr(server, '?') ? '&' : '?', schema);
    return uri;
}

void temp_postgresql_end(void)
{
    run_in("SET search_path =", "public");
    run_in("DROP SCHEMA IF EXISTS", strcat(schema, " CASCADE"));
    PQfinish(connection);
    connection = NULL;
}

bool temp_postgresql_is_used(void)
{
    return connection != NULL;
}

static const char *value_at(const PGresult *result, int row, int column)
{
    const char *value = PQgetvalue(result, row, column);
    if (PQgetisnull(result, row, column))
        return "NULL";
    if (PQftype(result, column) == BOOL_OID)
        return *value == 't' ? "1" : "0";
    return value;
}

const char *temp_postgresql_query(const char *sql, char *answer, size_t size)
{
    PGresult *result = run(sql);
    size_t used = 0;
    int columns = PQnfields(result);
    if (size > 0)
        answer[0] = '\0';
    for (int row = 0; size > 0 && row < PQntuples(result); row++)
        for (int i = 0; i < columns; i++) {
            used += (size_t)snprintf(answer + used, size - used, "%s%s%s", i ? "|" : "",
                                     value_at(result, row, i), i + 1 < columns ? "" : ";");
            assert_true(used < size);
        }
    PQclear(result);
    return answer;
}

#else

const char *temp_postgresql_server(void)
{
    return NULL;
}

const char *temp_postgresql_begin(void)
{
    return NULL;
}

void temp_postgresql_end(void)
{
}

bool temp_postgresql_is_used(void)
{
    return false;
}

const char *temp_postgresql_query(const char *sql, char *answer, size_t size)
{
    (void)sql, (void)size;
    return answer;
}

#endif
