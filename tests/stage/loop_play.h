// An event loop in a temporary folder, for tests of what hangs on one: a story of steps, each of
// which is asked after each handler until it is true.

#ifndef LOOP_PLAY_H
#define LOOP_PLAY_H

#include "loop.h"
#include "temp_folder.h"

enum { PATIENCE_MS = 20000 }; // for a story; not reached when all is well

extern mm_loop_t *loop;

typedef bool(step_fn)(void);

// For the start and the end of a test.
int make_loop(void **state);
int end_loop(void **state);

// Runs the loop until each step was true, in order; NULL ends them. Once in a test.
void play(step_fn *const steps[]);

#endif
