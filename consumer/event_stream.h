// Which events viewers want to see, and those that have happened since they were last sent.
// Bounded: what is too much is counted and left out, everyday events before rare ones.

#ifndef WATCH_H
#define WATCH_H

#include "gather.h"

#include <jansson.h>

#define WATCH_MAX    8    // viewers at a time
#define WATCH_FOR_MS 5000 // after this a viewer must have asked again

typedef struct watch watch_t;

watch_t *watch_new(void);
void watch_destroy(watch_t **self_p);

// wanted: "HOST OUTCOME", each may be "*"; ignored when it is neither. now_ms: CLOCK_MONOTONIC.
void watch_add(watch_t *self, uint64_t viewer, mm_text_t wanted, int64_t now_ms);
// Whether anybody watches; cheap.
bool watch_is_on(watch_t *self, int64_t now_ms);
void watch_see(watch_t *self, const gather_action_t *action, int64_t now_ms);
// When what has happened is to be sent; MM_NEVER: there is nothing.
int64_t watch_deadline(const watch_t *self);
// {"events": [...], "left_out": N}: all since the last call. A new reference.
json_t *watch_take(watch_t *self);

#endif
