// A parser of log lines, of each format: text and JSON (common/runtime/log_format.h), and what
// run.sh writes into run.log. Pure.

#ifndef LOGLINE_H
#define LOGLINE_H

#include "log.h"

typedef struct {
    char *key;
    char *value; // without quotes and escapes; numbers as they stand
} logline_field_t;

// Owns its texts. Zeroed: empty.
typedef struct {
    int64_t wall_ms; // Unix time
    char *level;     // "" in a line of run.sh
    char *process;
    int64_t pid;
    char *message;
    logline_field_t fields[MM_LOG_FIELDS];
    size_t count;
} logline_t;

// Parses a line without its newline. False, and *ret_line untouched, when it is not a log line. The
// caller clears the line.
bool logline_parse(mm_str_t text, logline_t *ret_line);
void logline_clear(logline_t *self);

// The value of a field; NULL: there is none.
const char *logline_value(const logline_t *self, const char *key);
int64_t logline_number(const logline_t *self, const char *key, int64_t fallback);
// The milliseconds of a field in seconds ("took=0.294s").
int64_t logline_ms(const logline_t *self, const char *key, int64_t fallback);
// Whether two lines differ at most in their time.
bool logline_same(const logline_t *a, const logline_t *b);

#endif
