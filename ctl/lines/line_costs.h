// The costs of source lines: callgrind's costs of instructions, and of the calls from them, summed
// up by the line that they were compiled from, wherever it was inlined to.

#ifndef LINE_COSTS_H
#define LINE_COSTS_H

#include "callgrind.h"
#include "source_text.h"

typedef struct {
    uint64_t hits; // how often it ran: see line_costs_new
    uint64_t own;  // instructions
    uint64_t all;  // with the calls from it
} line_cost_t;

// A source file with the costs of its lines.
typedef struct {
    const char *path;   // as in the debug information
    source_t *source;   // NULL: it cannot be read
    line_cost_t *costs; // of line 1: costs[1]
} costed_file_t;

// A program or library with its costs in lines without source.
typedef struct {
    const char *name;
    uint64_t own;
} costed_object_t;

typedef struct {
    const callgrind_t *callgrind;
    costed_file_t *files;
    size_t file_count;
    size_t file_capacity;
    costed_object_t *objects; // the most expensive first
    size_t object_count;
    size_t object_capacity;
    uint64_t total; // instructions in all
    bool has_hits;  // false: callgrind ran without --dump-instr=yes
} line_costs_t;

// The hits of a line are the executions of its most executed instruction, with repetitions ("rep
// stos") counted once; when it was compiled into several functions, their sum. A recursive call
// adds no cost to its line: the lines of the function have it already. Names are those of
// callgrind, which must live longer.
line_costs_t *line_costs_new(const callgrind_t *callgrind);
void line_costs_destroy(line_costs_t **self_p);

// The sum of a function, without hits.
line_cost_t line_costs_of(const costed_file_t *file, const source_function_t *function);

#endif
