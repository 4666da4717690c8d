// What the files of the rogue share: rogue.c (keys, and who gets in) and rogue_lies.c (what those
// who are in say and hear in vain). It comes to the listener of a live consumer with keys of its
// own making, by libzmq alone, and prints "ok - NAME" or "not ok - NAME" for each attempt.

#ifndef ROGUE_H
#define ROGUE_H

#include "endpoint.h"
#include "key_file.h"
#include "socket.h"
#include "wire.h"

// The keys in the folder; all but the last one are on the list. TWIN and NAMESAKE have the names of
// a restarter and of the publisher that run beside the consumer.
typedef enum {
    PUBLISHER,
    SAVER,
    EU_1,
    EU_2,
    TWIN,
    NAMESAKE,
    VIEWER,
    OPERATOR,
    STRANGER,
    KEYS
} whose_t;

typedef struct {
    mm_endpoint_t base; // of the listener
    mm_key_t keys[KEYS];
    const char *driver; // of the run's restarters
    mm_encoder_t *encoder;
    mm_decoder_t *decoder;
    bool has_failed; // an attempt has gone otherwise
} rogue_t;

typedef enum { NOTHING, LET_IN, REFUSED, FAILED } end_t;

__attribute__((format(printf, 3, 4))) void rogue_report(rogue_t *self, bool is_ok,
                                                        const char *format, ...);
// A socket with this key, or none; server_key: NULL for the right one.
mm_socket_t *rogue_socket(rogue_t *self, int type, const mm_key_t *key, const char *server_key);
// Connects it, and tells how the first handshake has ended.
end_t rogue_connect(mm_socket_t *socket, const char *endpoint);
// The endpoint of a socket of the listener: "jobs", "inbox", "events" or "viewers".
const char *rogue_endpoint(const rogue_t *self, const char *place, char buffer[MM_ENDPOINT_MAX]);

void rogue_lies(rogue_t *self);
// Joins as EU_2, and sends heartbeats for 15 seconds.
void rogue_stay(rogue_t *self);

#endif
