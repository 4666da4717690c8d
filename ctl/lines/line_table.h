// Lines and their costs as line_profiler shows them, and the list of functions to choose from.

#ifndef LINE_TABLE_H
#define LINE_TABLE_H

#include "line_costs.h"

#include <stdbool.h>

// line_profiler's table of one function, with the processes that have run it.
void line_table_print(FILE *file, const callgrind_t *callgrind, const line_costs_t *costs,
                      const costed_file_t *source, const source_function_t *function);
// The functions whose own lines are the dearest, or their lines with all calls (by_time), top at
// most; below, what has no source.
void line_table_list(FILE *file, const callgrind_t *callgrind, const line_costs_t *costs,
                     bool by_time, size_t top);
// "Did you mean": the names that are nearest to one that is not there, five at most.
void line_table_suggest(FILE *file, const line_costs_t *costs, const char *name);

#endif
