// What the processes of a pipeline have told so far, put together to snapshots. Pure: it is given
// what was told and the time.

#ifndef STATS_MERGE_H
#define STATS_MERGE_H

#include "snapshot.h"

#define STATS_SILENT_MS 3000  // a process that has not answered for so long is silent
#define STATS_GHOST_MS  10000 // for how long one that has gone is still shown

typedef struct merge stats_merge_t;

stats_merge_t *stats_merge_new(void);
void stats_merge_destroy(stats_merge_t **self_p);

// Takes the stats that a process tells (docs/profiling.md); ignores what is none. now_ms:
// CLOCK_MONOTONIC.
void stats_merge_add(stats_merge_t *self, json_t *stats, int64_t now_ms);
// Whether all who answered the last time have answered since `asked_ms`, the consumer among them.
bool stats_merge_is_complete(const stats_merge_t *self, int64_t asked_ms);
// The whole as it is known now. wall_ms: Unix time. To be cleared by the caller.
snapshot_t stats_merge_snapshot(stats_merge_t *self, int64_t now_ms, int64_t wall_ms);

#endif
