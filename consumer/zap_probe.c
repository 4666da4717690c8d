// See zap_probe.h.

#include "zap_probe.h"
#include "clock.h"
#include "key_file.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define REFUSED 400 // the code of the handler's answer
#define EVENTS  (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
#define ITEMS   2

typedef struct {
    mm_socket_t *server;
    mm_socket_t *client;
    mm_socket_t *monitor; // of the client: only there one hears of a handshake
} probe_t;

static void open_ends(probe_t *self)
{
    static unsigned count; // libzmq frees a name some time after its monitor has ended
    char endpoint[64];
    mm_key_t server = {0}, stranger = {0};
    mm_key_draw(&server);
    mm_key_draw(&stranger);
    self->server = mm_socket_new(ZMQ_PULL);
    mm_socket_set_server(self->server, server.secret_key, ZAP_PROBE_DOMAIN);
    self->client = mm_socket_new(ZMQ_PUSH);
    mm_socket_limit(self->client, 1);
    mm_socket_set_keys(self->client, stranger.public_key, stranger.secret_key, server.public_key);
    (void)snprintf(endpoint, sizeof endpoint, "inproc://zap-probe-%u", ++count);
    int rc = zmq_socket_monitor(mm_socket_zmq(self->client), endpoint, EVENTS);
    assert(rc == 0);
    self->monitor = mm_socket_new(ZMQ_PAIR);
    rc = mm_socket_connect(self->monitor, endpoint);
    assert(rc == 0);
    if (mm_socket_bind(self->server, "tcp://127.0.0.1:*") != 0)
        return; // nothing will happen
    mm_socket_endpoint(self->server, endpoint, sizeof endpoint);
    (void)mm_socket_connect(self->client, endpoint);
    mm_key_clear(&server);
    mm_key_clear(&stranger);
}

static void close_ends(probe_t *self)
{
    (void)zmq_socket_monitor(mm_socket_zmq(self->client), NULL, 0);
    mm_socket_destroy(&self->monitor);
    mm_socket_destroy(&self->client);
    mm_socket_destroy(&self->server);
}

// Whether something has been heard: an event, of which the first frame has the number in 16 bits
// and the value in 32 (zmq_socket_monitor(3)).
static bool hear(probe_t *self, bool *ret_is_refused)
{
    uint16_t event = 0;
    uint32_t value = 0;
    zmq_msg_t message;
    (void)zmq_msg_init(&message);
    bool is_heard = zmq_msg_recv(&message, mm_socket_zmq(self->monitor), ZMQ_DONTWAIT) ==
                    (int)(sizeof event + sizeof value);
    if (is_heard) {
        memcpy(&event, zmq_msg_data(&message), sizeof event);
        memcpy(&value, (char *)zmq_msg_data(&message) + sizeof event, sizeof value);
        *ret_is_refused = event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH && value == REFUSED;
    }
    (void)zmq_msg_close(&message);
    return is_heard;
}

bool zap_probe(mm_socket_t *handler, void (*serve)(void *arg), void *arg, int64_t limit_ms)
{
    probe_t self = {0};
    bool is_refused = false;
    int64_t end_ms = mm_clock_ms() + limit_ms, now_ms;
    open_ends(&self);
    while ((now_ms = mm_clock_ms()) < end_ms && !hear(&self, &is_refused)) {
        zmq_pollitem_t items[ITEMS] = {{.events = ZMQ_POLLIN}, {.events = ZMQ_POLLIN}};
        items[0].socket = mm_socket_zmq(self.monitor);
        items[1].socket = handler ? mm_socket_zmq(handler) : NULL;
        (void)zmq_poll(items, handler ? ITEMS : 1, (long)(end_ms - now_ms));
        if (handler)
            serve(arg);
    }
    close_ends(&self);
    return is_refused;
}
