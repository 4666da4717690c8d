// The line for people about a halt or a breaker that has tripped, with the command that ends it.

#ifndef MM_HELD_LINE_H
#define MM_HELD_LINE_H

#include <stdio.h>

// program: how the user calls `mayhem`. dir: of the run.
void mm_held_line_halt(const char *program, const char *dir, FILE *file);
// group: empty: the whole run.
void mm_held_line_trip(const char *group, const char *program, const char *dir, FILE *file);

#endif
