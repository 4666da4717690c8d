// A process's reply to a viewer's query (QUERY and TELL in docs/protocol.md): its stats, and the
// profile of its loop. Without queries it costs nothing.

#ifndef MM_STATS_REPLY_H
#define MM_STATS_REPLY_H

#include "frame.h"
#include "options.h"

#include <jansson.h>

typedef struct {
    const char *process; // "saver-1"; kept as a pointer
    mm_program_t program;
    json_t *(*stats)(void *arg); // the process's own stats, a new object; NULL: out of memory
    json_t *(*hosts)(void *arg); // what it knows of hosts, likewise; NULL: nothing, ever
    void (*send)(void *arg, const mm_frame_t *frame); // the frame is valid during the call
    void *arg;
} mm_stats_reply_config_t;

typedef struct {
    mm_stats_reply_config_t config;
    int64_t profile_ms;
    uint32_t profiles; // sent since then
} mm_stats_reply_t;

mm_stats_reply_t mm_stats_reply_new(const mm_stats_reply_config_t *config);
// Answers a query for stats, hosts or a profile; ignores others, and too frequent queries for
// profiles. (The consumer limits the others.) now_ms: CLOCK_BOOTTIME.
void mm_stats_reply_answer(mm_stats_reply_t *self, const mm_frame_t *query, int64_t now_ms);
// Sends this JSON as a TELL. Takes the reference.
void mm_stats_reply_send(const mm_stats_reply_t *self, mm_about_t about, uint64_t viewer,
                         json_t *json);

#endif
