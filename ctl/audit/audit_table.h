// The audit of a record, read row by row: in order, from a file that a saver may be writing. It
// judges nothing.

#ifndef AUDIT_TABLE_H
#define AUDIT_TABLE_H

#include "audit_chain.h"
#include "record_schema.h"
#include "sqlite.h"

#include <jansson.h>

// A row of RECORD_READ_AUDIT, valid during the call. False: no more rows are wanted.
typedef bool audit_row_fn(void *arg, sqlite3_stmt *row);

// Opens the record for reading. Returns 0, or a sysexits code with one sentence in error.
int audit_table_open(const char *path, mm_sqlite_t **ret_record, char error[MM_ERROR_MAX]);
// Calls `add` with each row from seq `from` on, upwards; or, when `is_down`, from the last row
// downwards. As audit_table_open.
int audit_table_each(mm_sqlite_t *record, int64_t from, bool is_down, audit_row_fn *add, void *arg,
                     char error[MM_ERROR_MAX]);

int64_t audit_row_seq(sqlite3_stmt *row);
// The hash that the row has; zeros when it has none.
void audit_row_hash(sqlite3_stmt *row, uint8_t ret_hash[MM_AUDIT_HASH]);
// The hash that it should have behind one with the hash `before`.
void audit_row_chain(sqlite3_stmt *row, const uint8_t before[MM_AUDIT_HASH],
                     uint8_t ret_hash[MM_AUDIT_HASH]);
// Whether it is about this host, which is folded.
bool audit_row_is_of(sqlite3_stmt *row, mm_str_t host);
// The row as an object: what is NULL is null, ids and the hash are hex digits.
json_t *audit_row_json(sqlite3_stmt *row);

#endif
