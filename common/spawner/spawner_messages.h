// What the two sides of the spawner say to each other, over a SEQPACKET socket: first the spawner
// an int, 0 or the errno for which it cannot begin; then requests one by one, and events
// (mm_spawner_event_t) up to MM_SPAWNER_EVENTS in a message. Both sides are one binary.

#ifndef MM_SPAWNER_MESSAGES_H
#define MM_SPAWNER_MESSAGES_H

#include "spawner.h"

#define MM_SPAWNER_EVENTS 32 // in one message

typedef enum {
    MM_REQUEST_START,
    MM_REQUEST_SIGNAL,
    MM_REQUEST_KILL,
    MM_REQUEST_KILL_AGAIN // the attempt has ended
} mm_request_kind_t;

typedef struct {
    mm_request_kind_t kind;
    uint32_t slot;
    uint64_t tag;
    // SIGNAL
    int signal;
    // START: path, arguments and environment follow, each with a NUL
    uint32_t arguments;
    uint32_t environment;
    int64_t not_after_ms;
    int64_t end_ms;
} mm_request_t;

#define MM_REQUEST_BYTES (sizeof(mm_request_t) + MM_SPAWNER_REQUEST_MAX)

#endif
