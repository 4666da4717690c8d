// The reader of record_reader.h for a record in PostgreSQL: one connection to the primary, which
// may not write, and a cursor for each statement, so that a table of any size takes little memory.
// All values travel in binary. Built without libpq, it says so.

#include "record_reader_ops.h"

#include <stdio.h>
#include <sysexits.h>

#ifdef MM_HAS_POSTGRESQL

#include "big_endian.h"
#include "clock.h"
#include "record_schema.h"

#include <assert.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_S    "3"   // to each of the hosts
#define COMMAND_MS   30000 // until the server has answered a command
#define FETCH_ROWS   "1000"
#define PARAMETERS   9
#define IDS          "SELECT unnest($#)"
#define OID_BOOL     16 // pg_type.dat
#define OID_BYTEA    17
#define OID_INT8     20
#define OID_INT2     21
#define OID_INT4     23
#define OID_TEXT     25
#define OID_UUID     2950
#define OID_UUIDS    2951
#define ARRAY_HEADER 20

typedef struct {
    mm_reader_t base;
    PGconn *link;
    int cursors; // so many have a number
    char error[MM_ERROR_MAX];
} reader_t;

typedef struct {
    mm_rows_t base;
    char *sql;
    int count; // of its parameters
    Oid types[PARAMETERS];
    const char *values[PARAMETERS]; // NULL: not bound
    int sizes[PARAMETERS];
    uint8_t numbers[PARAMETERS][8]; // what is bound as one
    uint8_t *ids[PARAMETERS];       // the same
    int cursor;                     // 0: not open
    PGresult *page;
    int row; // of the page
} rows_t;

// ---- commands

// One sentence of what libpq says, which has lines, and ends with one.
static int fail(reader_t *self, int code, const char *what)
{
    char words[MM_ERROR_MAX];
    (void)snprintf(words, sizeof words, "%s", what);
    size_t size = strcspn(words, "\n");
    words[size] = '\0';
    const char *host = PQhost(self->link), *port = PQport(self->link);
    (void)snprintf(self->error, sizeof self->error, "the record at %.100s%s%.20s: %.300s",
                   host && *host ? host : "PostgreSQL", port && *port ? ":" : "", port ? port : "",
                   words);
    return code;
}

static int fail_link(reader_t *self)
{
    return fail(self, EX_UNAVAILABLE, PQerrorMessage(self->link));
}

// False: not in time.
static bool wait_for(const reader_t *self, short events, int64_t end_ms)
{
    struct pollfd item = {.fd = PQsocket(self->link), .events = events};
    int64_t left_ms = end_ms - mm_clock_ms();
    return left_ms > 0 && poll(&item, 1, (int)left_ms) != 0;
}

// Waits until the server has answered. Returns 0, or a sysexits code.
static int await(reader_t *self)
{
    int64_t end_ms = mm_clock_ms() + COMMAND_MS;
    for (int left = 1; left > 0;) {
        left = PQflush(self->link);
        if (left < 0)
            return fail_link(self);
        if (left > 0 && !wait_for(self, POLLIN | POLLOUT, end_ms))
            return fail(self, EX_UNAVAILABLE, "the server takes nothing");
        if (!PQconsumeInput(self->link))
            return fail_link(self);
    }
    while (PQisBusy(self->link)) {
        if (!wait_for(self, POLLIN, end_ms))
            return fail(self, EX_UNAVAILABLE, "the server does not answer");
        if (!PQconsumeInput(self->link))
            return fail_link(self);
    }
    return 0;
}

// What the server refuses; a table that is not there is one of another program, or of a person.
static int refused(reader_t *self, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!words)
        return fail_link(self);
    int code = !state                            ? EX_UNAVAILABLE
               : strncmp(state, "57P", 3) == 0   ? EX_UNAVAILABLE
               : strncmp(state, "42501", 5) == 0 ? EX_NOPERM
               : strncmp(state, "42", 2) == 0    ? EX_DATAERR
                                                 : EX_IOERR;
    return fail(self, code, words);
}

// Runs a command; its result in *ret_result, which the caller clears, is NULL unless it has come to
// its end. Returns 0, or a sysexits code.
static int run(reader_t *self, const char *sql, const rows_t *with, PGresult **ret_result)
{
    static const int formats[PARAMETERS] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    *ret_result = NULL;
    int is_sent =
        PQsendQueryParams(self->link, sql, with ? with->count : 0, with ? with->types : NULL,
                          with ? with->values : NULL, with ? with->sizes : NULL, formats, 1);
    int code = is_sent ? 0 : fail_link(self);
    for (bool is_over = code != 0; !is_over;) {
        code = await(self);
        PGresult *result = code == 0 ? PQgetResult(self->link) : NULL;
        ExecStatusType status = result ? PQresultStatus(result) : PGRES_FATAL_ERROR;
        bool is_good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
        is_over = !result || !is_good;
        if (result && !is_good)
            code = refused(self, result);
        PQclear(is_good ? *ret_result : result);
        if (is_good)
            *ret_result = result;
    }
    if (code == 0)
        return 0;
    PQclear(*ret_result);
    *ret_result = NULL;
    for (PGresult *rest; PQstatus(self->link) == CONNECTION_OK && await(self) == 0 &&
                         (rest = PQgetResult(self->link));)
        PQclear(rest);
    return code;
}

static int run_plain(reader_t *self, const char *sql)
{
    PGresult *result;
    int code = run(self, sql, NULL, &result);
    PQclear(result);
    return code;
}

// ---- parameters

// One that the statement does not have is never sent.
static void bind(mm_rows_t *base, int parameter, Oid type, const void *data, size_t size)
{
    rows_t *self = (rows_t *)base;
    assert(parameter >= 1 && parameter <= PARAMETERS && size <= INT32_MAX);
    self->types[parameter - 1] = type;
    self->values[parameter - 1] = data;
    self->sizes[parameter - 1] = (int)size;
}

static void bind_number(mm_rows_t *base, int parameter, int64_t number)
{
    rows_t *self = (rows_t *)base;
    assert(parameter >= 1 && parameter <= PARAMETERS);
    mm_big_endian_put((uint64_t)number, 8, self->numbers[parameter - 1]);
    bind(base, parameter, OID_INT8, self->numbers[parameter - 1], 8);
}

static void bind_text(mm_rows_t *base, int parameter, mm_str_t text)
{
    bind(base, parameter, OID_TEXT, text.data, text.size);
}

static void bind_id(mm_rows_t *base, int parameter, const mm_id_t *id)
{
    bind(base, parameter, OID_UUID, id->bytes, sizeof id->bytes);
}

static uint8_t *put_u32(uint8_t *at, uint32_t number)
{
    mm_big_endian_put(number, 4, at);
    return at + 4;
}

// An array of one dimension, each item behind its size (array_recv).
static void bind_ids(mm_rows_t *base, int parameter, const mm_id_t *ids, size_t count)
{
    rows_t *self = (rows_t *)base;
    size_t size = count == 0 ? 12 : ARRAY_HEADER + count * (4 + sizeof ids->bytes);
    uint8_t *array = malloc(size), *at = array;
    assert(array && parameter >= 1 && parameter <= PARAMETERS);
    const uint32_t header[] = {count > 0, 0, OID_UUID, (uint32_t)count, 1};
    for (size_t i = 0; i < (count == 0 ? 3 : 5); i++)
        at = put_u32(at, header[i]);
    for (size_t i = 0; i < count; i++) {
        at = put_u32(at, sizeof ids->bytes);
        memcpy(at, ids[i].bytes, sizeof ids->bytes);
        at += sizeof ids->bytes;
    }
    free(self->ids[parameter - 1]);
    self->ids[parameter - 1] = array;
    bind(base, parameter, OID_UUIDS, array, size);
}

// ---- rows

static int open_cursor(reader_t *reader, rows_t *self)
{
    char *sql = NULL;
    PGresult *result;
    self->cursor = ++reader->cursors;
    int size = asprintf(&sql, "DECLARE c%d NO SCROLL CURSOR FOR %s", self->cursor, self->sql);
    assert(size >= 0);
    int code = run(reader, sql, self, &result);
    PQclear(result);
    free(sql);
    return code;
}

// Behind the last row there is none again and again.
static int next(mm_rows_t *base, bool *ret_row)
{
    rows_t *self = (rows_t *)base;
    reader_t *reader = (reader_t *)base->reader;
    *ret_row = false;
    if (self->page && ++self->row < PQntuples(self->page)) {
        *ret_row = true;
        return 0;
    }
    int code = self->cursor == 0 ? open_cursor(reader, self) : 0;
    if (code != 0)
        return code;
    char sql[64];
    PQclear(self->page);
    (void)snprintf(sql, sizeof sql, "FETCH " FETCH_ROWS " FROM c%d", self->cursor);
    code = run(reader, sql, NULL, &self->page);
    self->row = 0;
    *ret_row = code == 0 && PQntuples(self->page) > 0;
    return code;
}

static Oid oid_of(const rows_t *self, int column)
{
    return PQftype(self->page, column);
}

static mm_str_t bytes_of(const mm_rows_t *base, int column)
{
    const rows_t *self = (const rows_t *)base;
    return (mm_str_t){PQgetvalue(self->page, self->row, column),
                      (size_t)PQgetlength(self->page, self->row, column)};
}

static mm_column_type_t type_of(const mm_rows_t *base, int column)
{
    const rows_t *self = (const rows_t *)base;
    if (PQgetisnull(self->page, self->row, column))
        return MM_COLUMN_NULL;
    switch (oid_of(self, column)) {
    case OID_BOOL:
    case OID_INT2:
    case OID_INT4:
    case OID_INT8: return MM_COLUMN_NUMBER;
    case OID_BYTEA:
    case OID_UUID: return MM_COLUMN_BYTES;
    }
    return MM_COLUMN_TEXT;
}

static int64_t number_of(const mm_rows_t *base, int column)
{
    if (type_of(base, column) != MM_COLUMN_NUMBER)
        return 0;
    mm_str_t bytes = bytes_of(base, column);
    uint64_t number = (int8_t)bytes.data[0] < 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes.size; i++)
        number = number << 8 | (uint8_t)bytes.data[i];
    return (int64_t)number;
}

static mm_str_t text_of(const mm_rows_t *base, int column)
{
    return type_of(base, column) == MM_COLUMN_TEXT ? bytes_of(base, column) : mm_str("");
}

// A link that is lost has lost its cursors, too.
static void end(mm_rows_t *base)
{
    rows_t *self = (rows_t *)base;
    reader_t *reader = (reader_t *)base->reader;
    char sql[64];
    (void)snprintf(sql, sizeof sql, "CLOSE c%d", self->cursor);
    if (self->cursor != 0 && PQtransactionStatus(reader->link) == PQTRANS_INTRANS)
        (void)run_plain(reader, sql);
    PQclear(self->page);
    for (int i = 0; i < PARAMETERS; i++)
        free(self->ids[i]);
    free(self->sql);
    free(self);
}

static const mm_rows_ops_t rows_ops = {bind_number, bind_text, bind_id, bind_ids, next,
                                       type_of,     number_of, text_of, bytes_of, end};

// ---- the reader

static int rows(mm_reader_t *base, const char *sql, mm_rows_t **ret_rows, char error[MM_ERROR_MAX])
{
    (void)base;
    (void)error;
    rows_t *self = calloc(1, sizeof *self);
    assert(self);
    self->base.ops = &rows_ops;
    self->sql = mm_reader_sql(sql, "$#", IDS, &self->count);
    assert(self->count <= PARAMETERS);
    *ret_rows = &self->base;
    return 0;
}

static const char *error_of(const mm_reader_t *self)
{
    return ((const reader_t *)self)->error;
}

static void close_reader(mm_reader_t *base)
{
    reader_t *self = (reader_t *)base;
    PQfinish(self->link);
    free(self);
}

static const mm_reader_ops_t reader_ops = {rows, error_of, close_reader};

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

// Whether the role or its password was refused: the server says so before there is a state.
static bool is_refusal(const char *words)
{
    static const char *const signs[] = {"authentication failed", "no password supplied",
                                        "pg_hba.conf", "is not permitted to log in",
                                        "permission denied"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strstr(words, signs[i]))
            return true;
    return false;
}

// By the call that blocks: only that goes on to the next host when one is silent.
static int connect_link(reader_t *self, const char *uri)
{
    // What the URI says of these counts more: it comes later.
    static const char *const names[] = {"target_session_attrs", "connect_timeout",
                                        "application_name",     "dbname",
                                        "client_encoding",      NULL};
    const char *const values[] = {"primary", CONNECT_S, "mayhem", uri, "UTF8", NULL};
    self->link = PQconnectdbParams(names, values, 1);
    assert(self->link);
    (void)PQsetNoticeReceiver(self->link, ignore_notice, NULL);
    if (PQstatus(self->link) != CONNECTION_BAD)
        return PQsetnonblocking(self->link, 1) == 0 ? 0 : fail_link(self);
    const char *words = PQerrorMessage(self->link);
    return fail(self, is_refusal(words) ? EX_NOPERM : EX_UNAVAILABLE, words);
}

// 0: there is no record yet.
static int read_version(reader_t *self, int64_t *ret_version)
{
    *ret_version = 0;
    PGresult *result;
    int code = run(self, RECORD_POSTGRESQL_IS_THERE, NULL, &result);
    bool is_there = code == 0 && PQntuples(result) == 1;
    PQclear(result);
    if (!is_there)
        return code;
    code = run(self, RECORD_POSTGRESQL_VERSION, NULL, &result);
    if (code == 0 && PQntuples(result) == 1) {
        rows_t row = {.page = result};
        *ret_version = number_of(&row.base, 0);
    }
    PQclear(result);
    return code;
}

static int check_uri(const char *uri, char error[MM_ERROR_MAX])
{
    char *words = NULL;
    PQconninfoOption *parts = PQconninfoParse(uri, &words);
    PQconninfoFree(parts);
    if (!parts)
        (void)snprintf(error, MM_ERROR_MAX, "the URI of the record: %.*s",
                       words ? (int)strcspn(words, "\n") : 0, words ? words : "");
    PQfreemem(words);
    return parts ? 0 : EX_USAGE;
}

int mm_reader_open_postgresql(const mm_reader_config_t *config, bool *ret_is_there,
                              mm_reader_t **ret_self, char error[MM_ERROR_MAX])
{
    *ret_is_there = true;
    int code = check_uri(config->where, error);
    if (code != 0)
        return code;
    reader_t *self = calloc(1, sizeof *self);
    assert(self);
    self->base.ops = &reader_ops;
    self->base.version = config->version;
    int64_t version = 0;
    code = connect_link(self, config->where);
    if (code == 0)
        code = run_plain(self, "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY");
    if (code == 0)
        code = read_version(self, &version);
    if (code == 0 && version == 0) {
        *ret_is_there = false;
        code = fail(self, EX_DATAERR, "no saver has made its tables yet");
    } else if (code == 0 && version != RECORD_POSTGRESQL) {
        code = fail(self, EX_CONFIG, "another release has made its tables: read it with that one");
    }
    if (code == 0) {
        *ret_self = &self->base;
        return 0;
    }
    (void)snprintf(error, MM_ERROR_MAX, "%s", self->error);
    close_reader(&self->base);
    return code;
}

#else

int mm_reader_open_postgresql(const mm_reader_config_t *config, bool *ret_is_there,
                              mm_reader_t **ret_self, char error[MM_ERROR_MAX])
{
    (void)config;
    (void)ret_self;
    *ret_is_there = true;
    (void)snprintf(error, MM_ERROR_MAX,
                   "this mayhem was built without libpq, which reads a record in PostgreSQL: "
                   "install libpq-dev and pkg-config, and build it again");
    return EX_UNAVAILABLE;
}

#endif
