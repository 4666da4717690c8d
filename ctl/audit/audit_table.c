// See audit_table.h.

#include "audit_table.h"
#include "host_fold.h"
#include "utf8.h"

#include <assert.h>
#include <string.h>
#include <sysexits.h>

int audit_table_open(const char *path, mm_sqlite_t **ret_record, char error[MM_ERROR_MAX])
{
    mm_sqlite_config_t config = {
        .path = path, .version = RECORD_VERSION, .oldest = RECORD_VERSION_AUDIT, .read_only = true};
    return mm_sqlite_open(&config, ret_record, error);
}

int audit_table_each(mm_sqlite_t *record, int64_t from, bool is_down, audit_row_fn *add, void *arg,
                     char error[MM_ERROR_MAX])
{
    sqlite3_stmt *row = NULL;
    bool has_row = true;
    int code = mm_sqlite_prepare(record,
                                 is_down ? RECORD_READ_AUDIT " WHERE seq >= ?1 ORDER BY seq DESC"
                                         : RECORD_READ_AUDIT " WHERE seq >= ?1 ORDER BY seq",
                                 &row, error);
    if (code != 0)
        return code;
    (void)sqlite3_bind_int64(row, 1, from);
    while (code == 0 && has_row) {
        if (mm_sqlite_row(record, row, &has_row) != MM_SQLITE_OK) {
            (void)snprintf(error, MM_ERROR_MAX, "%s", mm_sqlite_error(record));
            code = EX_DATAERR;
        } else if (has_row && !add(arg, row)) {
            break;
        }
    }
    (void)sqlite3_finalize(row);
    return code;
}

int64_t audit_row_seq(sqlite3_stmt *row)
{
    return sqlite3_column_int64(row, AUDIT_SEQ);
}

void audit_row_hash(sqlite3_stmt *row, uint8_t ret_hash[MM_AUDIT_HASH])
{
    memset(ret_hash, 0, MM_AUDIT_HASH);
    if (sqlite3_column_bytes(row, AUDIT_HASH) == MM_AUDIT_HASH)
        memcpy(ret_hash, sqlite3_column_blob(row, AUDIT_HASH), MM_AUDIT_HASH);
}

static mm_str_t bytes_at(sqlite3_stmt *row, int column)
{
    const void *data = sqlite3_column_blob(row, column);
    return (mm_str_t){data ? data : "", (size_t)sqlite3_column_bytes(row, column)};
}

// Of whatever type somebody may have made of it.
static mm_audit_value_t value_at(sqlite3_stmt *row, int column)
{
    switch (sqlite3_column_type(row, column)) {
    case SQLITE_NULL: return (mm_audit_value_t){0};
    case SQLITE_INTEGER:
        return (mm_audit_value_t){MM_AUDIT_INTEGER, sqlite3_column_int64(row, column), {0}};
    case SQLITE_TEXT: return (mm_audit_value_t){MM_AUDIT_STRING, 0, bytes_at(row, column)};
    }
    return (mm_audit_value_t){MM_AUDIT_BLOB, 0, bytes_at(row, column)};
}

void audit_row_chain(sqlite3_stmt *row, const uint8_t before[MM_AUDIT_HASH],
                     uint8_t ret_hash[MM_AUDIT_HASH])
{
    mm_audit_value_t values[AUDIT_HASH];
    for (int i = 0; i < AUDIT_HASH; i++)
        values[i] = value_at(row, i);
    mm_audit_hash(before, values, AUDIT_HASH, ret_hash);
}

bool audit_row_is_of(sqlite3_stmt *row, mm_str_t host)
{
    char folded[MM_HOST_MAX];
    mm_str_t of = mm_sqlite_column_text(row, AUDIT_HOST);
    return of.size > 0 && of.size <= MM_HOST_MAX && mm_str_equal(mm_host_fold(of, folded), host);
}

// ---- JSON

static json_t *hex_of(mm_str_t bytes)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * MM_AUDIT_HASH];
    size_t size = bytes.size < MM_AUDIT_HASH ? bytes.size : MM_AUDIT_HASH;
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[(uint8_t)bytes.data[i] >> 4];
        text[2 * i + 1] = digits[(uint8_t)bytes.data[i] & 15];
    }
    return json_stringn(text, 2 * size);
}

static json_t *json_at(sqlite3_stmt *row, int column)
{
    mm_audit_value_t value = value_at(row, column);
    switch (value.type) {
    case MM_AUDIT_NULL: break;
    case MM_AUDIT_INTEGER: return json_integer(value.number);
    case MM_AUDIT_STRING:
        return json_stringn(value.bytes.data, mm_utf8_prefix(value.bytes, value.bytes.size));
    case MM_AUDIT_BLOB: return hex_of(value.bytes);
    }
    return json_null();
}

json_t *audit_row_json(sqlite3_stmt *row)
{
    static const char *const names[AUDIT_COLUMNS] = {
        [AUDIT_SEQ] = "seq",       [AUDIT_TIME_MS] = "time_ms",   [AUDIT_ACTOR] = "actor",
        [AUDIT_ACTION] = "action", [AUDIT_JOB] = "job",           [AUDIT_ORDER] = "order",
        [AUDIT_RUN] = "run",       [AUDIT_HOST] = "host",         [AUDIT_GROUPS] = "groups",
        [AUDIT_REASON] = "reason", [AUDIT_IDS] = "ids",           [AUDIT_OUTCOME] = "outcome",
        [AUDIT_PROOF] = "proof",   [AUDIT_CASUALTY] = "casualty", [AUDIT_UNTIL_MS] = "until_ms",
        [AUDIT_HASH] = "hash"};
    json_t *json = json_object();
    for (int i = 0; i < AUDIT_COLUMNS; i++)
        json_object_set_new(json, names[i], json_at(row, i));
    assert(json);
    return json;
}
