// Samples of how long jobs wait for a worker and are at one, over the last seconds: some jobs are
// followed on their way. flight.h counts exactly how many wait. Pure. Zeroed: empty.

#ifndef LATENCY_SAMPLER_H
#define LATENCY_SAMPLER_H

#include "windowed_histogram.h"

#define LATENCY_TRAILS 256 // jobs followed at a time

typedef enum {
    LATENCY_STORE_WAIT, // from ready until a saver gets the task
    LATENCY_STORE_TOOK, // from there to the saver's answer
    LATENCY_RESTART_WAIT,
    LATENCY_RESTART_TOOK,
    LATENCY_FLIGHT, // in flight, from begin to end
    LATENCY_KINDS
} latency_kind_t;

// A followed job: when each of its legs got to its current stage.
typedef struct trail {
    int64_t began_ms;
    int64_t store_ms;
    int64_t restart_ms;
    struct trail *next; // spare
} trail_t;

typedef struct {
    trail_t trails[LATENCY_TRAILS];
    size_t used; // trails used so far
    size_t out;  // trails in use
    trail_t *spare;
    uint32_t begun; // jobs so far
    mm_windowed_histogram_t times[LATENCY_KINDS];
} latency_sampler_t;

// The trail of a job that begins; NULL: it is not followed.
trail_t *latency_follow(latency_sampler_t *self, int64_t now_ms);
// Ends a trail, if *trail_p is one, and sets it to NULL.
void latency_end(latency_sampler_t *self, trail_t **trail_p, int64_t now_ms);
// A leg of a followed job changes its stage: whether it waited for a worker, or was at one, before
// and after.
typedef struct {
    bool waited, was_out, waits, is_out;
} stage_change_t;
void latency_store(latency_sampler_t *self, trail_t *trail, stage_change_t change, int64_t now_ms);
void latency_restart(latency_sampler_t *self, trail_t *trail, stage_change_t change,
                     int64_t now_ms);
// A quantile p, 0 to 1, in milliseconds; -1: no samples.
int64_t latency_quantile(latency_sampler_t *self, latency_kind_t time, double p, int64_t now_ms);

#endif
