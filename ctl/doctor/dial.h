// One connection to a socket of the consumer, tried once, and what was heard on it.

#ifndef DIAL_H
#define DIAL_H

#include "endpoint.h"
#include "key_file.h"
#include "monitor.h"

typedef struct {
    mm_socket_t *socket; // NULL: closed
    mm_monitor_t *monitor;
    mm_monitor_event_t result; // CONNECTED or a failure; NONE: no answer so far
    bool is_other;             // of FOREIGN: as mm_monitor_next says
} dial_t;

// Begins to connect a socket of this type; a ZMQ_SUB hears the consumer's heartbeat. key: NULL for
// none; server: which of its server keys.
void dial_open(dial_t *self, int type, const char *endpoint, const mm_key_t *key, size_t server);
// Waits until each has a result, at most to end_ms (CLOCK_BOOTTIME). What has failed is closed.
void dial_wait(dial_t *dials, size_t count, int64_t end_ms);
void dial_close(dial_t *self);

typedef enum {
    DIAL_SILENT, // nothing was heard
    DIAL_ALIEN,  // frames of another version of the protocol
    DIAL_BEAT    // of the consumer
} dial_heard_t;

typedef struct {
    mm_name_t consumer;
    uint64_t epoch;
    bool is_draining;
    bool is_halted;
    int64_t ahead_ms; // its clock before the one here; INT64_MIN: it does not say
} dial_beat_t;

// Waits for a heartbeat on a connected ZMQ_SUB, at most to end_ms.
dial_heard_t dial_hear(dial_t *self, int64_t end_ms, dial_beat_t *ret_beat);

#endif
