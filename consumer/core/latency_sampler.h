// How long jobs wait for a worker and are at one: some jobs are followed on their way, and what
// they met lately is kept. How many wait is counted elsewhere, exactly (flight.h). Pure. Zeroed it
// is empty.

#ifndef HOPS_H
#define HOPS_H

#include "windowed_histogram.h"

#define HOPS_TRAILS 256 // jobs followed at a time

typedef enum {
    HOP_STORE_WAIT, // ready until it is handed to a saver
    HOP_STORE_TOOK, // ... until the saver has answered
    HOP_RESTART_WAIT,
    HOP_RESTART_TOOK,
    HOP_FLIGHT, // in the consumer's hands, all in all
    HOP_TIMES
} hop_time_t;

// A job that is followed: since when each of its legs is where it is.
typedef struct trail {
    int64_t began_ms;
    int64_t store_ms;
    int64_t restart_ms;
    struct trail *next; // spare
} trail_t;

typedef struct {
    trail_t trails[HOPS_TRAILS];
    size_t used; // trails that were ever used
    size_t out;  // ... that are now
    trail_t *spare;
    uint32_t begun; // jobs, to follow one in some
    mm_recent_t times[HOP_TIMES];
} hops_t;

// A trail for a job that begins; NULL: it is not followed.
trail_t *hops_follow(hops_t *self, int64_t now_ms);
// A followed job has ended. *trail_p may be NULL, and becomes it.
void hops_end(hops_t *self, trail_t **trail_p, int64_t now_ms);
// A leg of a followed job changes: whether it waited for a worker, or was at one, before and after.
typedef struct {
    bool waited, was_out, waits, is_out;
} hop_change_t;
void hops_store(hops_t *self, trail_t *trail, hop_change_t change, int64_t now_ms);
void hops_restart(hops_t *self, trail_t *trail, hop_change_t change, int64_t now_ms);
// In milliseconds; -1: none lately.
int64_t hops_quantile(hops_t *self, hop_time_t time, double p, int64_t now_ms);

#endif
