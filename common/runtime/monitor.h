// What becomes of the connections of a socket that connects: libzmq tells it on a socket of its own
// (zmq_socket_monitor(3)), which must be read. Here nothing depends on when: events wait without a
// limit, where libzmq's own limit would stop its I/O thread, and all sockets of the process with
// it.

#ifndef MM_MONITOR_H
#define MM_MONITOR_H

#include "socket.h"

typedef struct mm_monitor mm_monitor_t;

typedef enum {
    MM_MONITOR_NONE,      // nothing more has happened
    MM_MONITOR_CONNECTED, // the handshake has succeeded
    MM_MONITOR_REFUSED,   // the peer's ZAP handler (RFC 27) has: our key may not
    MM_MONITOR_BROKEN,    // the peer has closed the connection in the handshake: with CURVE for a
                          // wrong server key, or another type of socket; often also what would be
                          // FOREIGN, when the peer was first. libzmq tries again after 10 ms
    MM_MONITOR_FOREIGN,   // the peer speaks no ZeroMQ, or has another mechanism: CURVE, or none
    MM_MONITOR_CLOSED     // a connection has ended
} mm_monitor_event_t;

// Before the socket connects. One for a socket. Never NULL.
mm_monitor_t *mm_monitor_new(mm_socket_t *socket);
// Before the socket is destroyed. Idempotent.
void mm_monitor_destroy(mm_monitor_t **self_p);
// Readable when there may be an event; read them to NONE then.
int mm_monitor_descriptor(mm_monitor_t *self);
// ret_other (NULL: not wanted) is set with FOREIGN: whether it was ZeroMQ of another mechanism.
mm_monitor_event_t mm_monitor_next(mm_monitor_t *self, bool *ret_other);
// Whether the last peer that took the connection has not ended a handshake: somebody listens there,
// but another program, or one that is stopped. Up to date when the events were read.
bool mm_monitor_is_mute(const mm_monitor_t *self);
// The code of the answer by which the last REFUSED was one: 300 to 500, 400 for the key (RFC 27).
unsigned mm_monitor_code(const mm_monitor_t *self);

#endif
