// See zap_probe.h.

#include "zap_probe.h"
#include "clock.h"
#include "key_file.h"
#include "monitor.h"

#define REFUSED 400 // the code of the handler's answer
#define ITEMS   2

typedef struct {
    mm_socket_t *server;
    mm_socket_t *client;
    mm_monitor_t *monitor; // of the client: only there one hears of a handshake
} probe_t;

static void open_ends(probe_t *self)
{
    char endpoint[64];
    mm_key_t server = {0}, stranger = {0};
    mm_key_draw(&server);
    mm_key_draw(&stranger);
    self->server = mm_socket_new(ZMQ_PULL);
    mm_socket_set_server(self->server, server.secret_key, ZAP_PROBE_DOMAIN);
    self->client = mm_socket_new(ZMQ_PUSH);
    mm_socket_limit(self->client, 1);
    mm_socket_set_keys(self->client, stranger.public_key, stranger.secret_key, server.public_key);
    self->monitor = mm_monitor_new(self->client);
    if (mm_socket_bind(self->server, "tcp://127.0.0.1:*") != 0)
        return; // nothing will happen
    mm_socket_endpoint(self->server, endpoint, sizeof endpoint);
    (void)mm_socket_connect(self->client, endpoint);
    mm_key_clear(&server);
    mm_key_clear(&stranger);
}

static void close_ends(probe_t *self)
{
    mm_monitor_destroy(&self->monitor);
    mm_socket_destroy(&self->client);
    mm_socket_destroy(&self->server);
}

// Whether a handshake has ended by an answer, or without one.
static bool hear(probe_t *self, bool *ret_is_refused)
{
    mm_monitor_event_t event = MM_MONITOR_NONE;
    do
        event = mm_monitor_next(self->monitor, NULL);
    while (event != MM_MONITOR_NONE && event != MM_MONITOR_CONNECTED &&
           event != MM_MONITOR_REFUSED);
    *ret_is_refused = event == MM_MONITOR_REFUSED && mm_monitor_code(self->monitor) == REFUSED;
    return event != MM_MONITOR_NONE;
}

bool zap_probe(mm_socket_t *handler, void (*serve)(void *arg), void *arg, int64_t limit_ms)
{
    probe_t self = {0};
    bool is_refused = false;
    int64_t end_ms = mm_clock_ms() + limit_ms, now_ms;
    open_ends(&self);
    while ((now_ms = mm_clock_ms()) < end_ms && !hear(&self, &is_refused)) {
        zmq_pollitem_t items[ITEMS] = {{.events = ZMQ_POLLIN}, {.events = ZMQ_POLLIN}};
        items[0].fd = mm_monitor_descriptor(self.monitor);
        items[1].socket = handler ? mm_socket_zmq(handler) : NULL;
        (void)zmq_poll(items, handler ? ITEMS : 1, (long)(end_ms - now_ms));
        if (handler)
            serve(arg);
    }
    close_ends(&self);
    return is_refused;
}
