// The consumer's service for viewers: it passes their queries on to all processes, their replies
// back to all viewers, and replies for itself. No job depends on it: queries beyond a rate are
// ignored, frames that cannot be sent are lost, and a slow viewer does not block.

#ifndef VIEWERS_H
#define VIEWERS_H

#include "broadcast.h"
#include "endpoint.h"
#include "gather.h"
#include "leadership.h"
#include "listener.h"

typedef struct viewers viewers_t;

typedef struct {
    mm_endpoint_t base;
    broadcast_t *events;      // to all processes; it and the rest stay the caller's
    listener_t *listener;     // NULL: there is none
    gather_t *gather;         // NULL: this consumer does not lead yet
    leadership_t *leadership; // NULL: its record is not shared
    const mm_drops_t *drops;
    const char *name; // the consumer's id
    uint32_t max_in_flight;
} viewers_config_t;

// Binds the viewers' socket. NULL, with errno, when that fails.
viewers_t *viewers_new(const viewers_config_t *config);
void viewers_destroy(viewers_t **self_p);
// This consumer leads from now on.
void viewers_lead(viewers_t *self, gather_t *gather);
// What it tells all viewers by, for the listener.
#define VIEWERS_FRAMES 200 // that may wait for each viewer
broadcast_t *viewers_broadcast(viewers_t *self);

// A viewer's query, a process's reply. now_ms: CLOCK_BOOTTIME.
void viewers_query(viewers_t *self, const mm_frame_t *frame, int64_t now_ms);
void viewers_reply(viewers_t *self, const mm_frame_t *frame);
// Whether a viewer subscribes to events: then viewers_see wants each action of the core.
bool viewers_want_events(viewers_t *self, int64_t now_ms);
void viewers_see(viewers_t *self, const gather_action_t *action, int64_t now_ms);
// Tells a viewer what has become of its order.
void viewers_answer(viewers_t *self, const gather_action_t *action);
// The same of an order that did not get to the core; error: empty, or why not.
void viewers_answer_order(viewers_t *self, uint64_t viewer, const mm_id_t *id, mm_str_t error);
// Tells the publishers that show it how many hosts are being restarted, why most of the others
// wait, and which halt and breakers hold back. To be called with each heartbeat; it tells it once a
// second at most.
void viewers_progress(viewers_t *self, int64_t now_ms);
// Sends the events that are due. Returns when it wants the next call, CLOCK_BOOTTIME in ms.
int64_t viewers_turn(viewers_t *self, int64_t now_ms);

#endif
