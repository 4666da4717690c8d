// The replies of the processes of a pipeline to stats queries, merged to snapshots. Pure: the
// caller brings the replies and the time.

#ifndef STATS_MERGE_H
#define STATS_MERGE_H

#include "snapshot.h"

#define STATS_SILENT_MS 3000  // a process without a reply for so long is silent
#define STATS_GHOST_MS  10000 // how long a process that has gone stays in the snapshots

typedef struct stats_merge stats_merge_t;

stats_merge_t *stats_merge_new(void);
void stats_merge_destroy(stats_merge_t **self_p);

// Adds a process's stats (docs/profiling.md); ignores what is not stats. now_ms: CLOCK_BOOTTIME.
void stats_merge_add(stats_merge_t *self, json_t *stats, int64_t now_ms);
// Whether the consumer and all that replied the last time have replied since `asked_ms`.
bool stats_merge_is_complete(const stats_merge_t *self, int64_t asked_ms);
// The pipeline as known now. wall_ms: Unix time. The caller clears it.
snapshot_t stats_merge_snapshot(stats_merge_t *self, int64_t now_ms, int64_t wall_ms);

#endif
