// The parameters of a command to PostgreSQL in its binary format: numbers, and arrays with an item
// for each task or row (https://www.postgresql.org/docs/15/protocol-overview.html; the format of an
// array is that of array_recv). It knows no connection.

#ifndef PG_PARAMS_H
#define PG_PARAMS_H

#include "job.h"

#define PG_PARAMS_MAX 48

// The types of items, by their numbers in PostgreSQL (pg_type.dat).
typedef enum { PG_BOOL = 16, PG_INT8 = 20, PG_TEXT = 25, PG_UUID = 2950 } pg_type_t;

// Zeroed memory has no parameters.
typedef struct {
    char *bytes; // of all values
    size_t size;
    size_t capacity;
    size_t begins[PG_PARAMS_MAX]; // of each value in the bytes
    bool is_null[PG_PARAMS_MAX];
    const char *values[PG_PARAMS_MAX]; // these two are set by pg_params_end
    int sizes[PG_PARAMS_MAX];
    int count;
} pg_params_t;

void pg_params_empty(pg_params_t *self);
// Frees all that it owns.
void pg_params_clear(pg_params_t *self);

// A parameter that is one number, or NULL.
void pg_params_number(pg_params_t *self, bool is_known, int64_t number);
// A parameter that is an array; its `count` items are to be put next, each by one of those below.
void pg_params_array(pg_params_t *self, pg_type_t type, size_t count);
void pg_params_put_bool(pg_params_t *self, bool value);
void pg_params_put_number(pg_params_t *self, int64_t number);
void pg_params_put_id(pg_params_t *self, const mm_id_t *id);
// What PostgreSQL would refuse in a text, and with it the whole command, becomes '?': a NUL, and
// bytes that are no UTF-8.
void pg_params_put_text(pg_params_t *self, mm_str_t text);
// The same; the empty text is NULL.
void pg_params_put_text_or_null(pg_params_t *self, mm_str_t text);
void pg_params_put_null(pg_params_t *self);
// Sets values and sizes, which live until the next call with this.
void pg_params_end(pg_params_t *self);

#endif
