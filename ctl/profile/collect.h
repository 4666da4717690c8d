// The profiles of all processes of a pipeline: asked for at once, and gathered as they answer. Pure
// apart from the feed that it asks; the caller brings the time and hands on what comes.

#ifndef COLLECT_H
#define COLLECT_H

#include "profiles.h"
#include "snapshot_feed.h"

#define COLLECT_MS 3000 // who has not answered by then is left out

typedef struct {
    profiles_t profiles; // of those that have answered
    mm_name_t *missing;  // those that have not
    size_t missing_count;
    uint32_t seconds;
    int64_t end_ms;   // CLOCK_MONOTONIC
    int64_t again_ms; // when to ask the missing ones again
} collect_t;

// Asks all processes of a snapshot that can answer for their last `seconds` (0: since the start);
// with `process` only the one of this name, or those of this role.
void collect_begin(collect_t *self, feed_t *feed, const snapshot_t *snapshot, const char *process,
                   uint32_t seconds, int64_t now_ms);
// Takes a profile that came; ignores one that nobody waits for.
void collect_take(collect_t *self, json_t *profile);
// Whether it is complete, or the time is over; asks again what may have been lost.
bool collect_is_done(collect_t *self, feed_t *feed, int64_t now_ms);
void collect_clear(collect_t *self);

#endif
