// Process 1, as of a container, gets the orphans of all others, and has to ask for their ends.

#ifndef ORPHANS_H
#define ORPHANS_H

#include "loop.h"

#include <sys/types.h>

typedef struct orphans orphans_t;

// Whether a process is a child whose end somebody else asks for.
typedef bool(orphans_fn)(void *arg, pid_t pid);

orphans_t *orphans_new(mm_loop_t *loop, orphans_fn *is_own, void *arg);
void orphans_destroy(orphans_t **self_p);

// Asks for what has ended, up to a child of somebody else: call it when that one has been asked
// for, too. No-op for NULL.
void orphans_reap(orphans_t *self);

#endif
