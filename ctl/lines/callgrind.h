// Reads what valgrind's callgrind has written, the Callgrind Profile Format (Valgrind manual,
// "Callgrind Format Specification"): what each instruction has cost, and each call that was made.
// It reads compressed names and positions, inlined files (fi, fe), several parts in a file, and
// several files, one a process. It knows neither sources nor machine code.

#ifndef CALLGRIND_H
#define CALLGRIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define CALLGRIND_ERROR_MAX 512

// An instruction's own cost, or that of the calls from it to one function. Texts are interned: the
// same text is the same pointer, for as long as the callgrind_t lives.
typedef struct {
    const char *process;
    const char *object;   // program or library; "": not said
    const char *function; // as compiled: what is inlined belongs to whom it is inlined to
    const char *file;     // where the line is
    const char *callee;   // NULL: the instruction's own
    const char *callee_file;
    int line;
    uint64_t address; // in the object; 0: not in the file (callgrind without --dump-instr=yes)
    uint64_t cost;    // instructions executed; of a call, all until it returned
} callgrind_cost_t;

typedef struct callgrind_name callgrind_name_t;

// Zeroed: empty.
typedef struct {
    callgrind_cost_t *costs;
    size_t count;
    size_t capacity;
    callgrind_name_t *names;
    time_t taken; // when the oldest of the files was written
} callgrind_t;

// Adds one file's content. The process is named by `--id` in its command line, else by its program.
// False, with the end of a sentence in error, when it is not in the format or counts no Ir.
bool callgrind_parse(callgrind_t *self, FILE *file, char error[CALLGRIND_ERROR_MAX]);
// Adds a file, or all *.out of a folder. False, with one sentence in error.
bool callgrind_read(callgrind_t *self, const char *path, char error[CALLGRIND_ERROR_MAX]);
// Leaves only what the process of this name has cost, or those of this role ("restarter" of
// "restarter-1").
void callgrind_only(callgrind_t *self, const char *process);
void callgrind_clear(callgrind_t *self);

#endif
