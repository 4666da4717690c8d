// Reads the output of valgrind's callgrind, the Callgrind Profile Format (Valgrind manual,
// "Callgrind Format Specification"): the cost of each instruction and of each call from it. It
// reads compressed names and positions, inlined files (fi, fe), several parts in a file, and
// several files, one a process. It knows neither sources nor machine code.

#ifndef CALLGRIND_H
#define CALLGRIND_H

#include "job.h"

#include <time.h>

// An instruction's own cost, or that of the calls from it to one function. Texts are interned:
// equal texts are the same pointer, valid until callgrind_clear.
typedef struct {
    const char *process;
    const char *object;   // program or library; "": not known
    const char *function; // as compiled: an inlined function's code belongs to its caller
    const char *file;     // of the line
    const char *callee;   // NULL: the instruction's own cost
    const char *callee_file;
    int line;
    uint64_t address; // in the object; 0: not known (callgrind without --dump-instr=yes)
    uint64_t cost;    // instructions executed; of a call, all until it returned
    uint64_t repeats; // executions that a jump of the instruction to itself has caused ("rep
                      // stos"); they are in the cost of another item with the same address
} callgrind_cost_t;

typedef struct callgrind_name callgrind_name_t;

// Zeroed: empty.
typedef struct {
    callgrind_cost_t *costs;
    size_t count;
    size_t capacity;
    callgrind_name_t *names;
    time_t taken; // modification time of the oldest file
} callgrind_t;

// Adds a file, or all *.out of a directory. A process is named by --id in its command line, else by
// its program. False, with one sentence in error, when a file is not in the format or counts no Ir.
bool callgrind_read(callgrind_t *self, const char *path, char error[MM_ERROR_MAX]);
// Removes all but the costs of the process of this name, or of this role ("restarter" of
// "restarter-1").
void callgrind_only(callgrind_t *self, const char *process);
void callgrind_clear(callgrind_t *self);

#endif
