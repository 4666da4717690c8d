// The guard of a run (--guard): a command of the operator that says whether restarts may begin. It
// says yes by exit code 0. Any other end is a no, and so are a command that cannot be started and
// one that has not ended in time. It runs in a process group of its own, of which nothing is left
// when it has ended. Nothing here blocks but guard_destroy. It is no part of any decision: what an
// answer means, and for how long, is the core's.

#ifndef GUARD_H
#define GUARD_H

#include "loop.h"

#define GUARD_GAP_MS   10000 // from one start to the next, at least
#define GUARD_LIMIT_MS 10000 // how long it may run

typedef struct guard guard_t;

typedef void guard_fn(void *arg, bool says_yes);

typedef struct {
    const char *line; // of --guard: split as a restart command is, without a shell
    int64_t gap_ms;   // 0: GUARD_GAP_MS
    int64_t limit_ms; // 0: GUARD_LIMIT_MS
    guard_fn *answer; // called from the loop, never within guard_ask
    void *arg;
} guard_config_t;

// Makes a guard that asks nothing yet. NULL, with one sentence in ret_complaint: its command cannot
// be run (guard_command.h). The loop stays the caller's.
guard_t *guard_new(mm_loop_t *loop, const guard_config_t *config, char ret_complaint[MM_ERROR_MAX]);
// Kills what runs. No-op for NULL.
void guard_destroy(guard_t **self_p);

// Has it asked; there will be one answer. While one is owed it is for all who ask. It is started
// gap_ms after the last start, or at once.
void guard_ask(guard_t *self);

#endif
