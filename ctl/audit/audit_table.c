// See audit_table.h.

#include "audit_table.h"
#include "host_fold.h"
#include "utf8.h"

#include <assert.h>
#include <string.h>
#include <sysexits.h>

int audit_table_open(const char *where, mm_reader_t **ret_record, char error[MM_ERROR_MAX])
{
    mm_reader_config_t config = {
        .where = where, .version = RECORD_VERSION, .oldest = RECORD_VERSION_AUDIT};
    return mm_reader_open(&config, ret_record, error);
}

int audit_table_each(mm_reader_t *record, int64_t from, bool is_down, mm_row_fn *add, void *arg,
                     char error[MM_ERROR_MAX])
{
    mm_rows_t *rows = NULL;
    int code = mm_reader_rows(record,
                              is_down ? RECORD_READ_AUDIT " WHERE seq >= ?1 ORDER BY seq DESC"
                                      : RECORD_READ_AUDIT " WHERE seq >= ?1 ORDER BY seq",
                              &rows, error);
    if (code != 0)
        return code;
    mm_rows_bind_number(rows, 1, from);
    code = mm_rows_each(&rows, add, arg, error);
    return code == EX_IOERR ? EX_DATAERR : code;
}

int64_t audit_row_seq(const mm_rows_t *row)
{
    return mm_rows_number(row, AUDIT_SEQ);
}

void audit_row_hash(const mm_rows_t *row, uint8_t ret_hash[MM_AUDIT_HASH])
{
    memset(ret_hash, 0, MM_AUDIT_HASH);
    mm_str_t hash = mm_rows_bytes(row, AUDIT_HASH);
    if (hash.size == MM_AUDIT_HASH)
        memcpy(ret_hash, hash.data, MM_AUDIT_HASH);
}

// Of whatever type somebody may have made of it.
static mm_audit_value_t value_at(const mm_rows_t *row, int column)
{
    switch (mm_rows_type(row, column)) {
    case MM_COLUMN_NULL: break;
    case MM_COLUMN_NUMBER:
        return (mm_audit_value_t){MM_AUDIT_INTEGER, mm_rows_number(row, column), {0}};
    case MM_COLUMN_TEXT: return (mm_audit_value_t){MM_AUDIT_STRING, 0, mm_rows_bytes(row, column)};
    case MM_COLUMN_BYTES: return (mm_audit_value_t){MM_AUDIT_BLOB, 0, mm_rows_bytes(row, column)};
    }
    return (mm_audit_value_t){0};
}

void audit_row_chain(const mm_rows_t *row, const uint8_t before[MM_AUDIT_HASH],
                     uint8_t ret_hash[MM_AUDIT_HASH])
{
    mm_audit_value_t values[AUDIT_HASH];
    for (int i = 0; i < AUDIT_HASH; i++)
        values[i] = value_at(row, i);
    mm_audit_hash(before, values, AUDIT_HASH, ret_hash);
}

bool audit_row_is_of(const mm_rows_t *row, mm_str_t host)
{
    char folded[MM_HOST_MAX];
    mm_str_t of = mm_rows_text(row, AUDIT_HOST);
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

static json_t *json_at(const mm_rows_t *row, int column)
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

json_t *audit_row_json(const mm_rows_t *row)
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
