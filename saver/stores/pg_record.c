// See pg_record.h. postgresql.sql is part of the program.

#include "pg_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "pg_link.h"

// The file as it is, with a NUL behind it. All compilers on Linux have this assembler.
__asm__(".pushsection .rodata\n"
        "pg_record_sql: .incbin \"saver/stores/postgresql.sql\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char pg_record_sql[] __attribute__((visibility("hidden")));

// Of the server and the schema: whether they can hold a record, and whether there is one.
#define SQL_LOOK                                                                                   \
    "SELECT coalesce(current_schema(), ''), current_setting('server_encoding') = 'UTF8',"          \
    " current_setting('server_version_num')::int >= 120000, EXISTS (SELECT FROM pg_tables WHERE"   \
    " schemaname = current_schema() AND tablename = 'mayhem_record')"
#define SQL_VERSION "SELECT coalesce(max(version), 0) FROM mayhem_record"
// The fence of every write (postgresql.sql).
#define SQL_FENCE                                                                                  \
    "SELECT count(*) FROM pg_constraint WHERE conrelid = 'lease'::regclass AND contype = 'u'"      \
    " AND pg_get_constraintdef(oid) = 'UNIQUE (name, epoch)'"
#define SQL_HEAD "SELECT seq, encode(hash, 'hex') FROM audit ORDER BY seq DESC LIMIT 1"

typedef struct {
    mm_pg_link_t *link;
    char *error;
} record_t;

// *ret_result is valid until the next call with the link.
static int run(record_t *self, const char *sql, const PGresult **ret_result)
{
    mm_pg_answer_t answer = mm_pg_run(self->link, sql);
    *ret_result = answer.result;
    if (answer.outcome == MM_PG_DONE)
        return 0;
    (void)snprintf(self->error, MM_ERROR_MAX, "%s", answer.error);
    if (answer.outcome == MM_PG_UNKNOWN || strncmp(answer.sqlstate, "08", 2) == 0)
        return EX_UNAVAILABLE;
    if (strcmp(answer.sqlstate, "42P07") == 0)
        return EX_DATAERR;
    return strcmp(answer.sqlstate, "42501") == 0 ? EX_NOPERM : EX_CONFIG;
}

static int refuse(record_t *self, int code, const char *reason)
{
    (void)snprintf(self->error, MM_ERROR_MAX, "PostgreSQL at %.200s: %s", mm_pg_server(self->link),
                   reason);
    return code;
}

static bool is_true(const PGresult *result, int column)
{
    return *PQgetvalue(result, 0, column) == 't';
}

// Makes it if there is none.
static int make(record_t *self)
{
    const PGresult *found;
    int code = run(self, SQL_LOOK, &found);
    if (code != 0)
        return code;
    if (*PQgetvalue(found, 0, 0) == '\0')
        return refuse(self, EX_CONFIG,
                      "no schema of the search path exists: create it, or name another one with"
                      " ?options=-csearch_path%3DNAME");
    if (!is_true(found, 1))
        return refuse(self, EX_CONFIG,
                      "the encoding of the database is not UTF8: create one with"
                      " createdb -E UTF8 -T template0 NAME");
    if (!is_true(found, 2))
        return refuse(self, EX_CONFIG, "it is older than version 12");
    return is_true(found, 3) ? 0 : run(self, pg_record_sql, &found);
}

static int check(record_t *self)
{
    const PGresult *found;
    char reason[128];
    int code = run(self, SQL_VERSION, &found);
    if (code != 0)
        return code;
    if (strcmp(PQgetvalue(found, 0, 0), PG_RECORD_VERSION) != 0) {
        (void)snprintf(reason, sizeof reason,
                       "the record has version %.16s, but this program writes version %s",
                       PQgetvalue(found, 0, 0), PG_RECORD_VERSION);
        return refuse(self, EX_CONFIG, reason);
    }
    code = run(self, SQL_FENCE, &found);
    if (code == 0 && strcmp(PQgetvalue(found, 0, 0), "1") != 0)
        return refuse(self, EX_CONFIG,
                      "the table lease lacks its UNIQUE (name, epoch), without"
                      " which two consumers could write at once");
    return code;
}

static int read_head(record_t *self, mm_audit_head_t *ret_head)
{
    const PGresult *found;
    int code = run(self, SQL_HEAD, &found);
    *ret_head = (mm_audit_head_t){0};
    if (code == 0 && PQntuples(found) == 1 &&
        mm_audit_parse(mm_str(PQgetvalue(found, 0, 1)), ret_head->hash))
        ret_head->seq = strtoull(PQgetvalue(found, 0, 0), NULL, 10);
    return code;
}

int pg_record_open(const char *uri, const char *name, int64_t deadline_ms,
                   mm_audit_head_t *ret_head, char error[MM_ERROR_MAX])
{
    record_t self = {.error = error};
    mm_pg_config_t config = {.uri = uri, .name = name, .deadline_ms = deadline_ms};
    int code = mm_pg_open(&config, &self.link, error);
    if (code == 0)
        code = make(&self);
    if (code == 0)
        code = check(&self);
    if (code == 0)
        code = read_head(&self, ret_head);
    mm_pg_close(&self.link);
    return code;
}
