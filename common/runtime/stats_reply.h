// What a process tells about itself when a viewer asks (QUERY, TELL in docs/protocol.md): its
// numbers, and the profile of its loop. It costs nothing while nobody asks. Only for shells.

#ifndef MM_STATS_REPLY_H
#define MM_STATS_REPLY_H

#include "frame.h"

#include <jansson.h>

typedef struct {
    const char *process; // "saver-1"; both texts stay the caller's
    const char *role;    // "saver"
    // Adds the process's own numbers to what all tell.
    void (*add)(void *arg, json_t *stats);
    void (*send)(void *arg, const mm_frame_t *frame); // the frame lives until it returns
    void *arg;
} mm_stats_reply_config_t;

typedef struct {
    mm_stats_reply_config_t config;
    int64_t profile_ms;
    uint32_t profiles; // told since then
} mm_stats_reply_t;

mm_stats_reply_t mm_stats_reply_new(const mm_stats_reply_config_t *config);
// Answers a query that this process has an answer to; ignores others, and profiles that are
// asked for too often. (How often all are asked for their stats is the consumer's to limit.)
// now_ms: CLOCK_MONOTONIC.
void mm_stats_reply_answer(mm_stats_reply_t *self, const mm_frame_t *query, int64_t now_ms);
// Sends a TELL of which the caller has the JSON. Takes the reference.
void mm_stats_reply_send(const mm_stats_reply_t *self, mm_about_t about, uint64_t viewer,
                         json_t *json);

#endif
