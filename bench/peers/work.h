// The work of a peer, for brokers whose clients publish and confirm, receive and acknowledge: the
// producer and the stages, which are the same for all of these. A message to "jobs" has its jobs
// with their payload, any other has numbers of jobs only, so many as were answered together.

#ifndef WORK_H
#define WORK_H

#include "peer.h"

#include <stddef.h>
#include <stdint.h>

#define WORK_JOBS_MAX (8 * PEER_BATCH_MAX)

// A connection of one role, by which it reads one stream and publishes to others.
typedef struct link link_t;

// Jobs that were received and not yet answered.
typedef struct {
    const char *from;
    uint64_t jobs[WORK_JOBS_MAX];
    size_t count;
} work_inbox_t;

// A function ends the program when it fails.
typedef struct {
    link_t *(*open)(const char *name, const char *from, bool is_group);
    void (*publish)(link_t *self, const char *to, const void *bytes, size_t size);
    // Returns when at most so many of what was published are without a confirmation.
    void (*confirm)(link_t *self, size_t most);
    // Waits for a message; gives it, and those that are there, to work_take: `most` at the most.
    void (*receive)(link_t *self, size_t most, work_inbox_t *inbox);
    // Acknowledges all that was received.
    void (*accept)(link_t *self);
    // What was acknowledged is on its way, and known to the server when this returns.
    void (*close)(link_t *self);
} broker_t;

// A message's jobs.
void work_take(work_inbox_t *self, const void *bytes, size_t size);

// Does the work by peer_measure. Returns the exit code.
int work_run(const broker_t *broker, void (*check)(void));

#endif
