// What the processes of a pipeline have told so far, put together to snapshots. Pure: it is given
// what was told and the time.

#ifndef TELLS_H
#define TELLS_H

#include "snapshot.h"

#define TELLS_SILENT_MS 3000  // a process that has not answered for so long is silent
#define TELLS_GHOST_MS  10000 // for how long one that has gone is still shown

typedef struct tells tells_t;

tells_t *tells_new(void);
void tells_destroy(tells_t **self_p);

// Takes the stats that a process tells (docs/profiling.md); ignores what is none. now_ms:
// CLOCK_MONOTONIC.
void tells_take(tells_t *self, json_t *stats, int64_t now_ms);
// Whether all who answered the last time have answered since `asked_ms`, the consumer among them.
bool tells_are_all(const tells_t *self, int64_t asked_ms);
// The whole as it is known now. wall_ms: Unix time. To be cleared by the caller.
snapshot_t tells_snapshot(tells_t *self, int64_t now_ms, int64_t wall_ms);

#endif
