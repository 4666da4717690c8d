// See monitor.h.

#include "monitor.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS                                                                                     \
    (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |                             \
     ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |                  \
     ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED)

struct mm_monitor {
    mm_socket_t *socket; // that is watched
    mm_socket_t *pair;   // the other end of what libzmq writes to
    unsigned code;       // of the last refusal
    bool is_mute;
};

int mm_monitor_descriptor(mm_monitor_t *self)
{
    return mm_socket_descriptor(self->pair);
}

// Reads one message: the number of an event and its value, then the endpoint. False: there is none.
static bool receive(mm_monitor_t *self, uint16_t *ret_event, uint32_t *ret_value)
{
    zmq_msg_t part;
    bool is_first = true, has_more = true;
    (void)zmq_msg_init(&part);
    while (has_more && zmq_msg_recv(&part, mm_socket_zmq(self->pair), ZMQ_DONTWAIT) >= 0) {
        if (is_first) {
            assert(zmq_msg_size(&part) == sizeof *ret_event + sizeof *ret_value);
            const char *data = zmq_msg_data(&part);
            memcpy(ret_event, data, sizeof *ret_event);
            memcpy(ret_value, data + sizeof *ret_event, sizeof *ret_value);
        }
        is_first = false;
        has_more = zmq_msg_more(&part);
    }
    (void)zmq_msg_close(&part);
    return !is_first;
}

mm_monitor_event_t mm_monitor_next(mm_monitor_t *self, bool *ret_other)
{
    uint16_t event;
    uint32_t value;
    while (receive(self, &event, &value)) {
        switch (event) {
        case ZMQ_EVENT_CONNECTED: self->is_mute = true; break; // until it shakes hands
        case ZMQ_EVENT_CLOSED: self->is_mute = false; break;   // it was refused
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: self->is_mute = false; return MM_MONITOR_CONNECTED;
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: self->code = value; return MM_MONITOR_REFUSED;
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            if (ret_other)
                *ret_other = value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH;
            return MM_MONITOR_FOREIGN;
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            if (value == EPIPE || value == ECONNRESET)
                return MM_MONITOR_BROKEN;
            break; // too slow: libzmq tries again by itself
        case ZMQ_EVENT_DISCONNECTED: return MM_MONITOR_CLOSED;
        }
    }
    return MM_MONITOR_NONE;
}

bool mm_monitor_is_mute(const mm_monitor_t *self)
{
    return self->is_mute;
}

unsigned mm_monitor_code(const mm_monitor_t *self)
{
    return self->code;
}

// ---- start and end

mm_monitor_t *mm_monitor_new(mm_socket_t *socket)
{
    static uint64_t count; // an endpoint is free again only some time after its end
    char endpoint[48];
    mm_monitor_t *self = calloc(1, sizeof *self);
    assert(self);
    (void)snprintf(endpoint, sizeof endpoint, "inproc://monitor-%" PRIu64, ++count);
    int rc = zmq_socket_monitor(mm_socket_zmq(socket), endpoint, EVENTS);
    assert(rc == 0);
    self->socket = socket;
    self->pair = mm_socket_new(ZMQ_PAIR);
    mm_socket_limit(self->pair, 0);
    rc = mm_socket_connect(self->pair, endpoint);
    assert(rc == 0);
    mm_monitor_event_t event = mm_monitor_next(self, NULL);
    assert(event == MM_MONITOR_NONE); // only now does the descriptor tell of what comes
    return self;
}

// In this order, or libzmq's reaper waits for a pair that nobody reads.
void mm_monitor_destroy(mm_monitor_t **self_p)
{
    mm_monitor_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    (void)zmq_socket_monitor(mm_socket_zmq(self->socket), NULL, 0);
    mm_socket_destroy(&self->pair);
    free(self);
}
