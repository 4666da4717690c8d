// What the publisher tells those who watch: how much is accepted, delivered and settled, and how
// long that takes.

#ifndef TELLING_H
#define TELLING_H

#include "intake.h"
#include "outbox.h"
#include "service.h"
#include "windowed_histogram.h"
#include "socket.h"
#include "stats_reply.h"
#include "wire.h"

typedef struct {
    const intake_t *intake; // all stay the caller's
    const outbox_t *outbox;
    mm_sender_t *const *jobs;
    const mm_process_drops_t *drops;
    int64_t window;
    uint64_t seen; // deliveries and settled jobs, of which one in SEEN is timed
    uint64_t settled;
    mm_recent_t waits; // accepted to delivered, in microseconds
    mm_recent_t times; // accepted to settled
    mm_encoder_t *encoder;
    mm_tell_t tell;
} telling_t;

// The fields above `seen` are set by the caller; process: the publisher's id.
void telling_open(telling_t *self, const char *process);
void telling_close(telling_t *self);
void telling_answer(telling_t *self, const mm_frame_t *query, int64_t now_ms);
// A job is delivered, or settled. Both cost next to nothing.
void telling_see_delivered(telling_t *self, const outbox_action_t *action);
void telling_see_settled(telling_t *self, const outbox_action_t *action, int64_t now_us);

#endif
