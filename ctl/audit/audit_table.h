// The audit of a record, read row by row: in order, while a saver may be writing it. It
// judges nothing.

#ifndef AUDIT_TABLE_H
#define AUDIT_TABLE_H

#include "audit_chain.h"
#include "record_reader.h"
#include "record_schema.h"

#include <jansson.h>

// Opens the record, a path or a URI (record_uri.h). Returns 0, or a sysexits code with one sentence
// in error.
int audit_table_open(const char *where, mm_reader_t **ret_record, char error[MM_ERROR_MAX]);
// Calls `add` with each row of RECORD_READ_AUDIT from seq `from` on, upwards; or, when `is_down`,
// from the last row downwards; until it returns false. As audit_table_open.
int audit_table_each(mm_reader_t *record, int64_t from, bool is_down, mm_row_fn *add, void *arg,
                     char error[MM_ERROR_MAX]);

int64_t audit_row_seq(const mm_rows_t *row);
// The hash that the row has; zeros when it has none.
void audit_row_hash(const mm_rows_t *row, uint8_t ret_hash[MM_AUDIT_HASH]);
// The hash that it should have behind one with the hash `before`.
void audit_row_chain(const mm_rows_t *row, const uint8_t before[MM_AUDIT_HASH],
                     uint8_t ret_hash[MM_AUDIT_HASH]);
// Whether it is about this host, which is folded.
bool audit_row_is_of(const mm_rows_t *row, mm_str_t host);
// The row as an object: what is NULL is null, ids and the hash are hex digits.
json_t *audit_row_json(const mm_rows_t *row);

#endif
