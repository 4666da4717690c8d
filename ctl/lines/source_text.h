// Source files as people read them: their lines, and where functions stand in them. Functions are
// found in the text, by the style of this project: a definition begins in the first column, and
// ends with a brace there. So those are found, too, that the compiler has inlined everywhere.

#ifndef SOURCE_H
#define SOURCE_H

#include <stddef.h>
#include <time.h>

typedef struct {
    char *name;
    int first; // line numbers, from 1
    int last;
} source_function_t;

typedef struct {
    char *name;   // its folder and itself: "saver/main.c"
    char **lines; // line 1 is lines[0]
    size_t line_count;
    source_function_t *functions; // in the order of lines
    size_t function_count;
    time_t changed;
} source_t;

// Reads the file that the debug information calls so. When it is not there (a checkout that was
// moved), its first folders are left out until one is found below the working directory. NULL: none
// is found. The caller destroys it.
source_t *source_read(const char *path);
void source_destroy(source_t **self_p);

// The function that a line belongs to; NULL: none.
const source_function_t *source_function_at(const source_t *self, int line);

#endif
