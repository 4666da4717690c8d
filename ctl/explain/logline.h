// A log line, read back into its parts from any of its formats: text, JSON (both
// common/runtime/log_format.h), or the supervisor's lines in run.log. Pure.

#ifndef LOGLINE_H
#define LOGLINE_H

#include "log.h"

#include <jansson.h>

typedef struct {
    const char *key;
    const char *value; // without quotes and escapes; numbers as text
} logline_field_t;

// Zeroed: empty. A line without an owner of its texts borrows them.
typedef struct {
    int64_t wall_ms;   // Unix time
    const char *level; // "" in lines of run.log
    const char *process;
    int64_t pid;
    const char *message;
    logline_field_t fields[MM_LOG_FIELDS];
    size_t count;
    char *text;   // owner of the texts of a text line
    json_t *json; // and of a JSON line
} logline_t;

// Reads a line without its newline. False, and *ret_line untouched, when it has none of the
// formats.
bool logline_parse(mm_str_t text, logline_t *ret_line);
void logline_clear(logline_t *self);

// NULL: there is no such field.
const char *logline_value(const logline_t *self, const char *key);
int64_t logline_number(const logline_t *self, const char *key, int64_t fallback);
// Of a field that is a time ("took=0.294s"), in milliseconds.
int64_t logline_ms(const logline_t *self, const char *key, int64_t fallback);
// Whether two lines are equal but for their time.
bool logline_same(const logline_t *a, const logline_t *b);

#endif
