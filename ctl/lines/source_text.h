// Source files: their lines, and the functions in them. Functions are found in the text, by the
// style of this project: a definition begins in the first column, and ends with a brace there. So
// inlined functions are found, too.

#ifndef SOURCE_TEXT_H
#define SOURCE_TEXT_H

#include <stddef.h>
#include <time.h>

typedef struct {
    char *name;
    int first; // line numbers, from 1
    int last;
} source_function_t;

typedef struct {
    char *name;   // with its directory: "saver/main.c"
    char **lines; // line 1 is lines[0]
    size_t line_count;
    size_t line_capacity;
    source_function_t *functions; // in the order of lines
    size_t function_count;
    size_t function_capacity;
    time_t changed;
} source_t;

// Reads the file with this path in the debug information. When it is not there (a checkout that was
// moved), leading directories are removed until a file below the working directory is found. NULL:
// none is. The caller destroys it.
source_t *source_read(const char *path);
void source_destroy(source_t **self_p);

// The function of a line; NULL: none.
const source_function_t *source_function_at(const source_t *self, int line);

#endif
