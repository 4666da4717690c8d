// The forms in which profiles are written: cProfile's table, callgrind's format for KCacheGrind,
// folded stacks for flame graphs, and the difference of two.

#ifndef PROFILE_OUT_H
#define PROFILE_OUT_H

#include "profiles.h"

#include <stdio.h>

typedef enum { SORT_TOTTIME, SORT_CUMTIME, SORT_NCALLS, SORT_FILE } profile_sort_t;

// cProfile's table over all processes; below it who was idle for how long, and other threads.
// rows: at most so many functions; 0: all.
void profile_out_table(FILE *file, const profiles_t *profiles, profile_sort_t sort, size_t rows);

// The Callgrind Profile Format (Valgrind manual, "Callgrind Format Specification"): each process an
// object, each hop between processes a call. Costs are nanoseconds of CPU time and of waiting.
void profile_out_callgrind(FILE *file, const profiles_t *profiles);

// One line a stack, "consumer;on_jobs;unpack 1234", with microseconds of CPU time.
void profile_out_folded(FILE *file, const profiles_t *profiles);

// What has changed from one to the other, the largest change first. Times are per second covered,
// so that profiles of different length can be compared.
void profile_out_diff(FILE *file, const profiles_t *before, const profiles_t *after);

#endif
