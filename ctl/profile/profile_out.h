// The formats of profiles: cProfile's table, callgrind's format for KCacheGrind, folded stacks for
// flame graphs, and the difference of two profiles.

#ifndef PROFILE_OUT_H
#define PROFILE_OUT_H

#include "profiles.h"

#include <stdio.h>

typedef enum { SORT_TOTTIME, SORT_CUMTIME, SORT_NCALLS, SORT_FILE } profile_sort_t;

// cProfile's table over all processes, at most so many rows (0: all). Below it the idle time of
// each process, and its other threads.
void profile_out_table(FILE *file, const profiles_t *profiles, profile_sort_t sort, size_t rows);

// The Callgrind Profile Format (Valgrind manual, "Callgrind Format Specification"): each process an
// object, each frame from one to another a call. Costs are nanoseconds of CPU time and of waiting.
void profile_out_callgrind(FILE *file, const profiles_t *profiles);

// One line a stack, "consumer;on_jobs;unpack 1234", with microseconds of CPU time.
void profile_out_folded(FILE *file, const profiles_t *profiles);

// The changes from one to the other, the largest first. Times are per second covered, so that
// profiles of different length can be compared.
void profile_out_diff(FILE *file, const profiles_t *before, const profiles_t *after);

#endif
