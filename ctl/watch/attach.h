// A viewer's connection to a running pipeline: it asks by way of the consumer's inbox, and hears
// what all viewers hear on a PUB socket of its own kind. It costs the pipeline nothing while nobody
// asks, and a viewer that stops reading only loses what it does not read. docs/protocol.md, section
// 11, has the frames.

#ifndef ATTACH_H
#define ATTACH_H

#include "endpoint.h"
#include "snapshot.h"

typedef struct attach attach_t;

// Begins to ask for snapshots, one a second. Never NULL; that nobody is there shows in attach_next.
attach_t *attach_new(const mm_endpoint_t *base);
void attach_destroy(attach_t **self_p);

typedef enum {
    ATTACH_NOTHING,  // the time is over, or `descriptor` can be read
    ATTACH_SNAPSHOT, // a second is over
    ATTACH_PROFILE,  // of one process: see common/runtime/span.h
    ATTACH_EVENTS,   // what has happened to jobs: {"events": [...], "left_out": N}
    ATTACH_JOB       // what the consumer knows of a job: {"asked": TEXT, "jobs": [...]}
} attach_kind_t;

typedef struct {
    attach_kind_t kind;
    const snapshot_t *snapshot; // lives until the next call
    json_t *json;               // of the others; borrowed, lives until the next call
} attach_news_t;

// Waits at most timeout_ms (CLOCK_MONOTONIC; -1: for ever) for the next news, or until `descriptor`
// (-1: none) can be read. Without an answer from the pipeline there are no snapshots: the first
// comes within about a second of attach_new when somebody is there.
attach_news_t attach_next(attach_t *self, int descriptor, int timeout_ms);

// How long ago the consumer was last heard, in ms; MM_NEVER: not yet.
int64_t attach_silent_ms(const attach_t *self);

// Asks for a profile of the last `seconds` (0: since the start) of a process, by its name, or of
// all (NULL). Each answers by itself: ATTACH_PROFILE.
void attach_ask_profile(attach_t *self, const char *process, uint32_t seconds);
// Asks the consumer for all events from now on: of this host (NULL: any) and outcome (NULL: any;
// "acked", "dead", "nacked", "retried", "lost", "pulled", ...). Asked once, until the end.
void attach_watch_events(attach_t *self, const char *host, const char *outcome);
// Asks the consumer what it knows of a host or job id now: ATTACH_JOB.
void attach_ask_job(attach_t *self, const char *host_or_id);

#endif
