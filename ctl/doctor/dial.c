// See dial.h.

#include "dial.h"
#include "clock.h"
#include "wire.h"

#include <assert.h>
#include <string.h>

#define DIALS_MAX 8

void dial_open(dial_t *self, int type, const char *endpoint, const mm_key_t *key, size_t server)
{
    char topic[MM_TOPIC_MAX];
    *self = (dial_t){.socket = mm_socket_new(type)};
    mm_socket_limit(self->socket, MM_SOCKET_HWM); // nothing is waited for at the end
    if (type == ZMQ_SUB)
        mm_socket_subscribe(self->socket, mm_topic("consumer", NULL, topic));
    if (key)
        mm_socket_set_keys(self->socket, key->public_key, key->secret_key,
                           key->server_keys[server]);
    self->monitor = mm_monitor_new(self->socket);
    (void)mm_socket_connect(self->socket, endpoint); // a bad one is silent
}

void dial_close(dial_t *self)
{
    mm_monitor_destroy(&self->monitor);
    mm_socket_destroy(&self->socket);
}

static void look(dial_t *self)
{
    mm_monitor_event_t event;
    while (self->result == MM_MONITOR_NONE &&
           (event = mm_monitor_next(self->monitor, &self->is_other)) != MM_MONITOR_NONE)
        if (event != MM_MONITOR_CLOSED)
            self->result = event;
    if (self->result != MM_MONITOR_NONE && self->result != MM_MONITOR_CONNECTED)
        dial_close(self);
}

void dial_wait(dial_t *dials, size_t count, int64_t end_ms)
{
    assert(count <= DIALS_MAX);
    for (;;) {
        zmq_pollitem_t items[DIALS_MAX];
        int waits = 0;
        for (size_t i = 0; i < count; i++) {
            if (dials[i].socket && dials[i].result == MM_MONITOR_NONE)
                look(&dials[i]);
            if (dials[i].result == MM_MONITOR_NONE)
                items[waits++] = (zmq_pollitem_t){.fd = mm_monitor_descriptor(dials[i].monitor),
                                                  .events = ZMQ_POLLIN};
        }
        int64_t left_ms = end_ms - mm_clock_ms();
        if (waits == 0 || left_ms <= 0)
            return;
        (void)zmq_poll(items, waits, (long)left_ms);
    }
}

// Receives what is there. True: *ret_heard is set.
static bool receive(dial_t *self, mm_decoder_t *decoder, zmq_msg_t *message,
                    dial_heard_t *ret_heard, dial_beat_t *ret_beat)
{
    mm_received_t received;
    while ((received = mm_socket_receive(self->socket, true, message)) != MM_RECEIVED_NONE) {
        mm_frame_t frame;
        if (received != MM_RECEIVED_FRAME)
            continue;
        mm_wire_status_t status = mm_socket_decode(decoder, message, &frame);
        if (status == MM_WIRE_VERSION_BAD) {
            *ret_heard = DIAL_ALIEN;
            return true;
        }
        if (status != MM_WIRE_OK || frame.kind != MM_FRAME_BEAT)
            continue;
        const mm_beat_body_t *beat = &frame.as.beat;
        int64_t unix_ms = mm_clock_wall_ms();
        *ret_beat =
            (dial_beat_t){.epoch = beat->epoch,
                          .is_draining = beat->draining,
                          .is_halted = beat->halted,
                          .ahead_ms = beat->unix_ms > 0 ? beat->unix_ms - unix_ms : INT64_MIN};
        bool is_name = mm_name_from(beat->consumer, &ret_beat->consumer);
        assert(is_name); // it was decoded
        *ret_heard = DIAL_BEAT;
        return true;
    }
    return false;
}

dial_heard_t dial_hear(dial_t *self, int64_t end_ms, dial_beat_t *ret_beat)
{
    dial_heard_t heard = DIAL_SILENT;
    zmq_msg_t message;
    mm_decoder_t *decoder = mm_decoder_new();
    (void)zmq_msg_init(&message);
    while (!receive(self, decoder, &message, &heard, ret_beat)) {
        zmq_pollitem_t item = {.socket = mm_socket_zmq(self->socket), .events = ZMQ_POLLIN};
        int64_t left_ms = end_ms - mm_clock_ms();
        if (left_ms <= 0)
            break;
        (void)zmq_poll(&item, 1, (long)left_ms);
    }
    (void)zmq_msg_close(&message);
    mm_decoder_destroy(&decoder);
    return heard;
}
