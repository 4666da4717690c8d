// How long it takes from a host's line going in at the publisher to the start of its restart, in
// microseconds of one clock: a feeder that writes the lines at a pace, and restarters that note
// when a restart begins. They speak the real protocol (common/worker/worker_client.h) and do
// nothing else.

#ifndef PROBE_H
#define PROBE_H

#include "histogram.h"
#include "roles.h"

#define PROBE_HOST_MAX 40

typedef struct {
    uint64_t jobs;
    double rate;         // lines a second
    char address[256];   // the consumer's
    size_t restarters;   // so far
    int64_t *fed_us;     // of each job; memory that the roles share
    int64_t *started_us; // 0: not yet
} probe_t;

void probe_init(probe_t *self, uint64_t jobs, double rate, const char *address);
// The name that a job's host has in the feed.
void probe_host(uint64_t job, char ret_host[PROBE_HOST_MAX]);
// One restarter more, as a role of its own.
void probe_restarter(probe_t *self, roles_t *roles);
// Writes all lines to a descriptor, each when it is due, and closes it.
void probe_feed(probe_t *self, int descriptor);
// From line to start, of all jobs from this one on; call it when the restarters have ended.
void probe_result(const probe_t *self, uint64_t first, mm_histogram_t *ret_times);

#endif
