// What lines of source cost: callgrind's costs of instructions, and of the calls from them, summed
// up to the lines that they were compiled from. All of a line counts, wherever it was inlined to.

#ifndef LINE_COSTS_H
#define LINE_COSTS_H

#include "callgrind.h"
#include "source_text.h"

typedef struct {
    uint64_t hits; // how often it ran: see line_costs_new
    uint64_t own;  // instructions
    uint64_t all;  // with the calls that were made from it
} line_cost_t;

// A source file with what its lines cost.
typedef struct {
    const char *path;   // as in the debug information
    source_t *source;   // NULL: it cannot be read
    line_cost_t *costs; // of line 1: costs[1]
} costed_file_t;

// A program or library, and what it cost in lines without source.
typedef struct {
    const char *name;
    uint64_t own;
} costed_object_t;

typedef struct {
    costed_file_t *files;
    size_t file_count;
    costed_object_t *objects; // the dearest first
    size_t object_count;
    uint64_t total; // instructions in all
    bool has_hits;  // false: callgrind ran without --dump-instr=yes
} line_costs_t;

// The hits of a line are those of its most executed instruction; when it was compiled into several
// functions, their sum. An instruction that repeats itself is left out, unless the line has no
// other. A call of a function by itself costs nothing more: its lines are counted already.
// Names are those of callgrind, which must live longer.
line_costs_t *line_costs_new(const callgrind_t *callgrind);
void line_costs_destroy(line_costs_t **self_p);

// A function's sum. hits: of no meaning, 0.
line_cost_t line_costs_of(const costed_file_t *file, const source_function_t *function);

#endif
