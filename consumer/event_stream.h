// Which events viewers want to see, and those that have happened since they were last sent.
// Bounded: what is too much is counted and left out, everyday events before rare ones.

#ifndef EVENT_STREAM_H
#define EVENT_STREAM_H

#include "gather.h"

#include <jansson.h>

#define EVENT_STREAM_MAX 8    // viewers at a time
#define EVENT_STREAM_MS  5000 // after this a viewer must have asked again

typedef struct stream event_stream_t;

event_stream_t *event_stream_new(void);
void event_stream_destroy(event_stream_t **self_p);

// wanted: "HOST OUTCOME", each may be "*"; ignored when it is neither. now_ms: CLOCK_MONOTONIC.
void event_stream_add(event_stream_t *self, uint64_t viewer, mm_str_t wanted, int64_t now_ms);
// Whether anybody watches; cheap.
bool event_stream_is_on(event_stream_t *self, int64_t now_ms);
void event_stream_see(event_stream_t *self, const gather_action_t *action, int64_t now_ms);
// When what has happened is to be sent; MM_NEVER: there is nothing.
int64_t event_stream_deadline(const event_stream_t *self);
// {"events": [...], "left_out": N}: all since the last call. A new reference.
json_t *event_stream_take(event_stream_t *self);

#endif
