// How long jobs wait for a worker and are at one: some jobs are followed on their way, and what
// they met lately is kept. How many wait is counted elsewhere, exactly (flight.h). Pure. Zeroed it
// is empty.

#ifndef LATENCY_SAMPLER_H
#define LATENCY_SAMPLER_H

#include "windowed_histogram.h"

#define LATENCY_TRAILS 256 // jobs followed at a time

typedef enum {
    LATENCY_STORE_WAIT, // ready until it is handed to a saver
    LATENCY_STORE_TOOK, // ... until the saver has answered
    LATENCY_RESTART_WAIT,
    LATENCY_RESTART_TOOK,
    LATENCY_FLIGHT, // in the consumer's hands, all in all
    LATENCY_KINDS
} latency_kind_t;

// A job that is followed: since when each of its legs is where it is.
typedef struct trail {
    int64_t began_ms;
    int64_t store_ms;
    int64_t restart_ms;
    struct trail *next; // spare
} trail_t;

typedef struct {
    trail_t trails[LATENCY_TRAILS];
    size_t used; // trails that were ever used
    size_t out;  // ... that are now
    trail_t *spare;
    uint32_t begun; // jobs, to follow one in some
    mm_windowed_histogram_t times[LATENCY_KINDS];
} latency_sampler_t;

// A trail for a job that begins; NULL: it is not followed.
trail_t *latency_follow(latency_sampler_t *self, int64_t now_ms);
// A followed job has ended. *trail_p may be NULL, and becomes it.
void latency_end(latency_sampler_t *self, trail_t **trail_p, int64_t now_ms);
// A leg of a followed job changes: whether it waited for a worker, or was at one, before and after.
typedef struct {
    bool waited, was_out, waits, is_out;
} stage_change_t;
void latency_store(latency_sampler_t *self, trail_t *trail, stage_change_t change, int64_t now_ms);
void latency_restart(latency_sampler_t *self, trail_t *trail, stage_change_t change,
                     int64_t now_ms);
// In milliseconds; -1: none lately.
int64_t latency_quantile(latency_sampler_t *self, latency_kind_t time, double p, int64_t now_ms);

#endif
