// The costs of lines as line_profiler shows them, and the list of functions to choose from.

#ifndef LINE_TABLE_H
#define LINE_TABLE_H

#include "line_costs.h"

#include <stdio.h>

// line_profiler's table of one function, with the processes that have run it.
void line_table_print(FILE *file, const line_costs_t *costs, const costed_file_t *source,
                      const source_function_t *function);
// The functions with the most expensive lines, at most `top`, by the cost of the lines alone or
// with all calls (by_time). Below it the objects without source.
void line_table_list(FILE *file, const line_costs_t *costs, bool by_time, size_t top);
// "Did you mean": the five nearest names to one that does not exist.
void line_table_suggest(FILE *file, const line_costs_t *costs, const char *name);

#endif
