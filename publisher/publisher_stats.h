// What the publisher tells those who watch: how much is accepted, delivered and settled, and how
// long that takes.

#ifndef PUBLISHER_STATS_H
#define PUBLISHER_STATS_H

#include "intake.h"
#include "outbox.h"
#include "receiver.h"
#include "stats_reply.h"
#include "windowed_histogram.h"
#include "wire.h"

typedef struct {
    const intake_t *intake; // all stay the caller's
    const outbox_t *outbox;
    mm_sender_t *const *jobs;
    const mm_drops_t *drops;
    int64_t window;
    uint64_t seen; // deliveries and settled jobs, of which one in SEEN is timed
    uint64_t settled;
    mm_windowed_histogram_t waits; // accepted to delivered, in microseconds
    mm_windowed_histogram_t times; // accepted to settled
    mm_encoder_t *encoder;
    mm_stats_reply_t reply;
} publisher_stats_t;

// The fields above `seen` are set by the caller; process: the publisher's id.
void publisher_stats_open(publisher_stats_t *self, const char *process);
void publisher_stats_close(publisher_stats_t *self);
void publisher_stats_answer(publisher_stats_t *self, const mm_frame_t *query, int64_t now_ms);
// A job is delivered, or settled. Both cost next to nothing.
void publisher_stats_see_delivered(publisher_stats_t *self, const outbox_action_t *action);
void publisher_stats_see_settled(publisher_stats_t *self, const outbox_action_t *action,
                                 int64_t now_us);

#endif
