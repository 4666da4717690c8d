// What each kind of database provides to record_reader.h, which says what each of these does.

#ifndef MM_RECORD_READER_OPS_H
#define MM_RECORD_READER_OPS_H

#include "record_reader.h"
#include "sqlite.h"

typedef struct {
    void (*bind_number)(mm_rows_t *self, int parameter, int64_t number);
    void (*bind_text)(mm_rows_t *self, int parameter, mm_str_t text);
    void (*bind_id)(mm_rows_t *self, int parameter, const mm_id_t *id);
    void (*bind_ids)(mm_rows_t *self, int parameter, const mm_id_t *ids, size_t count);
    int (*next)(mm_rows_t *self, bool *ret_row);
    mm_column_type_t (*type)(const mm_rows_t *self, int column);
    int64_t (*number)(const mm_rows_t *self, int column);
    mm_str_t (*text)(const mm_rows_t *self, int column);
    mm_str_t (*bytes)(const mm_rows_t *self, int column);
    void (*end)(mm_rows_t *self); // which frees it
} mm_rows_ops_t;

struct mm_rows {
    const mm_rows_ops_t *ops;
    mm_reader_t *reader; // NULL: of a statement that is not a reader's
    mm_rows_t *next;     // of the reader
};

typedef struct {
    int (*rows)(mm_reader_t *self, const char *sql, mm_rows_t **ret_rows, char error[MM_ERROR_MAX]);
    const char *(*error)(const mm_reader_t *self);
    void (*close)(mm_reader_t *self); // which frees it; it has no rows any more
} mm_reader_ops_t;

struct mm_reader {
    const mm_reader_ops_t *ops;
    mm_rows_t *rows; // not ended yet
    int version;
};

// A statement of record_reader.h for a kind of database, which says in two texts how it writes a
// parameter and a set of ids: each '#' there stands for its number. *ret_count: of the parameters,
// up to the highest one. The caller frees it.
char *mm_reader_sql(const char *sql, const char *parameter, const char *ids, int *ret_count);

// As mm_reader_open. *ret_is_there false: the server answers, and has no record yet.
int mm_reader_open_sqlite(const mm_reader_config_t *config, mm_reader_t **ret_self,
                          char error[MM_ERROR_MAX]);
int mm_reader_open_postgresql(const mm_reader_config_t *config, bool *ret_is_there,
                              mm_reader_t **ret_self, char error[MM_ERROR_MAX]);

// The current row of a statement of SQLite that is not a reader's: its columns alone may be read.
typedef struct {
    mm_rows_t base;
    sqlite3_stmt *statement;
} mm_sqlite_rows_t;
mm_sqlite_rows_t mm_sqlite_rows_of(sqlite3_stmt *statement);

#endif
