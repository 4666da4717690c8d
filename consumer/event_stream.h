// Which events viewers subscribe to, and the events since the last send. Bounded: an event beyond
// the limit is left out and counted; frequent events have a limit of their own, so that they do not
// displace rare ones.

#ifndef EVENT_STREAM_H
#define EVENT_STREAM_H

#include "gather.h"

#include <jansson.h>

#define EVENT_STREAM_MAX 8    // viewers at a time
#define EVENT_STREAM_MS  5000 // a subscription ends after this time, unless it is renewed

typedef struct stream event_stream_t;

event_stream_t *event_stream_new(void);
void event_stream_destroy(event_stream_t **self_p);

// Subscribes the viewer, or renews its subscription. wanted: "HOST EVENT", each may be "*"; other
// texts are ignored. now_ms: CLOCK_BOOTTIME.
void event_stream_add(event_stream_t *self, uint64_t viewer, mm_str_t wanted, int64_t now_ms);
// Whether there is a subscription; cheap.
bool event_stream_is_on(event_stream_t *self, int64_t now_ms);
void event_stream_see(event_stream_t *self, const gather_action_t *action, int64_t now_ms);
// When the events are due to be sent, CLOCK_BOOTTIME in ms; MM_NEVER: there are none.
int64_t event_stream_deadline(const event_stream_t *self);
// All events since the last call: {"events": [...], "left_out": N}. A new reference.
json_t *event_stream_take(event_stream_t *self);

#endif
