// What the consumer does for those who watch: it passes their questions on to all processes and the
// answers back to all viewers, and answers for itself. Nothing of it is needed for a job's sake:
// what is asked too often is ignored, what cannot be sent is lost, and a viewer that stops reading
// is not waited for.

#ifndef VIEWERS_H
#define VIEWERS_H

#include "endpoint.h"
#include "gather.h"
#include "receiver.h"

typedef struct viewers viewers_t;

typedef struct {
    mm_endpoint_t base;
    void *events;            // PUB, to all processes; stays the caller's, as all else
    gather_t *gather;        //
    const mm_drops_t *drops; //
    const char *name;        // the consumer's id
    uint32_t max_in_flight;
} viewers_config_t;

// Binds the viewers' socket. NULL, with errno, when that fails.
viewers_t *viewers_new(const viewers_config_t *config);
void viewers_destroy(viewers_t **self_p);

// A question of a viewer, an answer of a process. now_ms: CLOCK_MONOTONIC.
void viewers_query(viewers_t *self, const mm_frame_t *frame, int64_t now_ms);
void viewers_reply(viewers_t *self, const mm_frame_t *frame);
// Whether somebody wants to see events; if so, each thing that is decided is to be shown.
bool viewers_want_events(viewers_t *self, int64_t now_ms);
void viewers_see(viewers_t *self, const gather_action_t *action, int64_t now_ms);
// Sends the events that have come together. Returns when it wants to be called again.
int64_t viewers_turn(viewers_t *self, int64_t now_ms);

#endif
