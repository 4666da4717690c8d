// The profiles of all processes of a pipeline: asks all at once and collects the replies. The
// caller brings the time and the profiles that come.

#ifndef COLLECT_H
#define COLLECT_H

#include "profiles.h"
#include "snapshot_feed.h"

#define COLLECT_MS 3000 // for the replies

typedef struct {
    profiles_t profiles; // of the processes that have replied
    mm_name_t *missing;  // the others
    size_t missing_count;
    uint32_t seconds;
    int64_t end_ms;   // CLOCK_BOOTTIME
    int64_t again_ms; // when to ask the missing ones again
} collect_t;

// Asks all processes of a snapshot that can reply for their last `seconds` (0: since the start);
// with `process` only the one of this name, or those of this role.
void collect_begin(collect_t *self, feed_t *feed, const snapshot_t *snapshot, const char *process,
                   uint32_t seconds, int64_t now_ms);
// Adds a profile that has come; ignores those that were not asked for.
void collect_add(collect_t *self, json_t *profile);
// Whether all have replied, or the time is over. Asks again, since a frame may have been lost.
bool collect_is_done(collect_t *self, feed_t *feed, int64_t now_ms);
void collect_clear(collect_t *self);

#endif
