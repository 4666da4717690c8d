// A log line read back into its parts, whichever of the formats it has: text, JSON (both
// common/runtime/log_format.h), or what run.sh writes into run.log. Pure.

#ifndef LOGLINE_H
#define LOGLINE_H

#include "log.h"

typedef struct {
    char *key;
    char *value; // without quotes and escapes; numbers as they stand
} logline_field_t;

// All texts are its own. Zeroed: empty.
typedef struct {
    int64_t wall_ms; // Unix time
    char *level;     // run.sh's lines have none: ""
    char *process;
    int64_t pid;
    char *message;
    logline_field_t fields[MM_LOG_FIELDS];
    size_t count;
} logline_t;

// Takes a line without its newline. False, and *ret_line untouched, when it is none of ours.
bool logline_parse(mm_str_t text, logline_t *ret_line);
void logline_clear(logline_t *self);

// NULL: it has no such field.
const char *logline_value(const logline_t *self, const char *key);
int64_t logline_number(const logline_t *self, const char *key, int64_t fallback);
// Of a field that is a time ("took=0.294s"), in milliseconds.
int64_t logline_ms(const logline_t *self, const char *key, int64_t fallback);
// Whether two lines differ in nothing but their time.
bool logline_same(const logline_t *a, const logline_t *b);

#endif
