// Reads a database that another process may be writing: a SQLite file, or a record in PostgreSQL,
// with the same statements (common/schema/). For tools: it blocks, up to a deadline, and it never
// writes. A statement says of each row what is committed when its first row is asked for.
//
// In a statement ?N is a parameter, and `IN (@N)` is true of the ids of parameter N, which is bound
// with mm_rows_bind_ids. What one of the databases does not know is not in a statement.

#ifndef MM_RECORD_READER_H
#define MM_RECORD_READER_H

#include "job.h"

typedef struct mm_reader mm_reader_t;
typedef struct mm_rows mm_rows_t; // of a statement; a cursor that stands on one of them

typedef struct {
    const char *where; // the path of a file, or postgresql://… without a password (record_uri.h)
    int version;       // the newest one that is read
    int oldest;        // the oldest one that is read; 0: `version`
} mm_reader_config_t;

// Returns 0, or a sysexits code with one sentence in error and *ret_self untouched: 64 a URI that
// is none, or has a password; 65 not a (whole) database, or none to read; 69 the server does not
// answer, or this program was built without libpq; 74 I/O error; 77 the server refuses the role or
// its password; 78 another version.
int mm_reader_open(const mm_reader_config_t *config, mm_reader_t **ret_self,
                   char error[MM_ERROR_MAX]);
// The same; 0, and nothing in error, when there is no such file, or no record in the database yet.
// *ret_self is NULL then, and when it fails.
int mm_reader_open_if_there(const mm_reader_config_t *config, mm_reader_t **ret_self,
                            char error[MM_ERROR_MAX]);
// Ends all rows of it, too. Idempotent; NULL is fine.
void mm_reader_close(mm_reader_t **self_p);

// Of the file; a database has what `version` of a file has.
int mm_reader_version(const mm_reader_t *self);
// Why the last call failed, as one sentence that names the record; owned by self, never NULL.
const char *mm_reader_error(const mm_reader_t *self);

// The rows of a statement, before the first one. Returns 0, or a sysexits code with one sentence in
// error and *ret_rows untouched: 65 a file that does not have the tables for it.
int mm_reader_rows(mm_reader_t *self, const char *sql, mm_rows_t **ret_rows,
                   char error[MM_ERROR_MAX]);
// Ends a statement early; it ends by itself with the reader. Idempotent; NULL is fine.
void mm_rows_end(mm_rows_t **self_p);

// Before the first row. Parameters count from 1; one that is not bound is NULL, and one that the
// statement does not have is ignored. What is bound must live until the first row was asked for.
void mm_rows_bind_number(mm_rows_t *self, int parameter, int64_t number);
void mm_rows_bind_text(mm_rows_t *self, int parameter, mm_str_t text);
void mm_rows_bind_id(mm_rows_t *self, int parameter, const mm_id_t *id);
void mm_rows_bind_ids(mm_rows_t *self, int parameter, const mm_id_t *ids, size_t count);

// Goes to the next row; *ret_row says whether there is one. Returns 0, or a sysexits code, and
// mm_reader_error says why: 69 the connection is lost, or the server does not answer in time; 74
// all else.
int mm_rows_next(mm_rows_t *self, bool *ret_row);

// Gives each row to `take` until that returns false, and ends the statement. Returns 0, or the code
// of mm_rows_next with one sentence in error.
typedef bool mm_row_fn(void *arg, const mm_rows_t *row);
int mm_rows_each(mm_rows_t **self_p, mm_row_fn *take, void *arg, char error[MM_ERROR_MAX]);

// Columns of the current row, from 0; what they point to lives until the next row.
typedef enum {
    MM_COLUMN_NULL,
    MM_COLUMN_NUMBER, // also false and true: 0 and 1
    MM_COLUMN_TEXT,
    MM_COLUMN_BYTES // also an id
} mm_column_type_t;
mm_column_type_t mm_rows_type(const mm_rows_t *self, int column);
// 0 of what is no number.
int64_t mm_rows_number(const mm_rows_t *self, int column);
// Empty of NULL.
mm_str_t mm_rows_text(const mm_rows_t *self, int column);
mm_str_t mm_rows_bytes(const mm_rows_t *self, int column);
// A copy of the text, which is the caller's.
char *mm_rows_copy(const mm_rows_t *self, int column);
// One with fewer than 16 bytes is followed by zeros; of what is no id zeros.
mm_id_t mm_rows_id(const mm_rows_t *self, int column);
// A machine or a boot that is written as text (mm_uuid_parse); zeros for anything else.
mm_id_t mm_rows_uuid(const mm_rows_t *self, int column);

#endif
