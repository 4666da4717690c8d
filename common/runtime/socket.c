// See socket.h.

#include "socket.h"
#include "accept_limit.h"
#include "log.h"
#include "span.h"

#include <assert.h>
#include <czmq.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <utlist.h>

#define DESCRIPTORS_MIN 4096
#define SOCKETS_MAX     4096 // libzmq's default, 1023, is too low for the workers

uint64_t mm_socket_raise_descriptors(void)
{
    struct rlimit limit;
    int rc = getrlimit(RLIMIT_NOFILE, &limit);
    assert(rc == 0);
    if (limit.rlim_max < DESCRIPTORS_MIN)
        return 0;
    uint64_t former = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    mm_accept_limit(limit.rlim_max);
    return former;
}

// Sets an option and reads it back: libzmq accepts some without effect. size: of its type, an int
// or an int64_t.
static void set_sized(void *socket, int option, const void *value, size_t size)
{
    int64_t back = 0;
    int rc = zmq_setsockopt(socket, option, value, size);
    if (rc == 0)
        rc = zmq_getsockopt(socket, option, &back, &size);
    assert(rc == 0 && memcmp(&back, value, size) == 0);
}

static void set_option(void *socket, int option, int value)
{
    set_sized(socket, option, &value, sizeof value);
}

static void *context;

void *mm_socket_new(int type)
{
    if (!context) {
        context = zmq_ctx_new();
        assert(context);
        int rc = zmq_ctx_set(context, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
        assert(rc == 0);
    }
    void *socket = zmq_socket(context, type);
    assert(socket);
    bool sends = type == ZMQ_PUSH || type == ZMQ_PUB;
    int hwm = type == ZMQ_PUB || type == ZMQ_SUB ? MM_SOCKET_HWM_EVENT : MM_SOCKET_HWM;
    set_option(socket, sends ? ZMQ_SNDHWM : ZMQ_RCVHWM, hwm);
    set_option(socket, ZMQ_LINGER, sends ? MM_LINGER_MS : 0);
    set_option(socket, ZMQ_RECONNECT_IVL, 10);
    set_option(socket, ZMQ_RECONNECT_IVL_MAX, 1000);
    set_option(socket, ZMQ_HANDSHAKE_IVL, 1000);
    set_option(socket, ZMQ_HEARTBEAT_IVL, 0);
    set_sized(socket, ZMQ_MAXMSGSIZE, &(int64_t){MM_FRAME_BYTES}, sizeof(int64_t));
    if (type == ZMQ_PUSH)
        set_option(socket, ZMQ_IMMEDIATE, 1);
    return socket;
}

void mm_socket_limit(void *socket, int frames)
{
    int type;
    size_t size = sizeof type;
    int rc = zmq_getsockopt(socket, ZMQ_TYPE, &type, &size);
    assert(rc == 0);
    set_option(socket, type == ZMQ_PUSH || type == ZMQ_PUB ? ZMQ_SNDHWM : ZMQ_RCVHWM, frames);
    set_option(socket, ZMQ_LINGER, 0);
}

void mm_socket_destroy(void **socket_p)
{
    if (*socket_p)
        (void)zmq_close(*socket_p);
    *socket_p = NULL;
}

void mm_socket_end(void)
{
    if (context)
        (void)zmq_ctx_term(context);
    context = NULL;
}

int mm_socket_bind(void *socket, const char *endpoint)
{
    return zmq_bind(socket, endpoint) == 0 ? 0 : errno;
}

int mm_socket_connect(void *socket, const char *endpoint)
{
    return zmq_connect(socket, endpoint) == 0 ? 0 : errno;
}

void mm_socket_subscribe(void *socket, mm_str_t topic)
{
    int rc = zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic.data, topic.size);
    assert(rc == 0);
}

void mm_socket_endpoint(void *socket, char *ret_endpoint, size_t size)
{
    int rc = zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, ret_endpoint, &size);
    assert(rc == 0);
}

mm_received_t mm_socket_receive(void *socket, bool is_event, zmq_msg_t *message)
{
    if (zmq_msg_recv(message, socket, ZMQ_DONTWAIT) < 0)
        return MM_RECEIVED_NONE;
    if (is_event && !zmq_msg_more(message))
        return MM_RECEIVED_BAD;
    if (is_event && zmq_msg_recv(message, socket, ZMQ_DONTWAIT) < 0)
        return MM_RECEIVED_NONE;
    if (!zmq_msg_more(message))
        return MM_RECEIVED_FRAME;
    while (zmq_msg_more(message) && zmq_msg_recv(message, socket, ZMQ_DONTWAIT) >= 0)
        ;
    return MM_RECEIVED_BAD;
}

mm_wire_status_t mm_socket_decode(mm_decoder_t *decoder, zmq_msg_t *message, mm_frame_t *ret_frame)
{
    MM_SPAN("unpack");
    return mm_decode(decoder, zmq_msg_data(message), zmq_msg_size(message), ret_frame);
}

bool mm_socket_send(void *socket, mm_str_t frame)
{
    return zmq_send(socket, frame.data, frame.size, ZMQ_DONTWAIT) >= 0;
}

void mm_socket_publish(void *socket, mm_str_t topic, mm_str_t frame)
{
    if (zmq_send(socket, topic.data, topic.size, ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0)
        (void)zmq_send(socket, frame.data, frame.size, ZMQ_DONTWAIT);
}

mm_str_t mm_topic(const char *kind, const char *name, char buffer[MM_TOPIC_MAX])
{
    int size = name == NULL ? snprintf(buffer, MM_TOPIC_MAX, "%s", kind)
                            : snprintf(buffer, MM_TOPIC_MAX, "%.8s.%.*s", kind, MM_NAME_MAX, name);
    return (mm_str_t){buffer, (size_t)size + 1};
}

// ---- the receiver

void mm_receiver_open(mm_receiver_t *self)
{
    self->decoder = mm_decoder_new();
    (void)zmq_msg_init(&self->message);
}

void mm_receiver_close(mm_receiver_t *self)
{
    if (!self->decoder)
        return;
    if (self->drops.count > self->drops.logged)
        mm_log(MM_LOG_WARN, "Dropped bad frames", MM_INT("total", self->drops.count));
    mm_decoder_destroy(&self->decoder);
    (void)zmq_msg_close(&self->message);
}

void mm_receiver_drop(mm_receiver_t *self, const char *why, const char *where, int64_t now_ms)
{
    mm_drops_t *drops = &self->drops;
    drops->count++;
    if (drops->logged > 0 && now_ms - drops->logged_ms < 1000)
        return;
    mm_log(MM_LOG_WARN, "Dropped a bad frame", MM_STRING("why", why), MM_STRING("where", where),
           MM_INT("total", drops->count));
    drops->logged = drops->count;
    drops->logged_ms = now_ms;
}

mm_received_t mm_receive(mm_receiver_t *self, void *socket, bool is_event, const char *where,
                         int64_t now_ms, mm_frame_t *ret_frame)
{
    mm_received_t received = mm_socket_receive(socket, is_event, &self->message);
    if (received == MM_RECEIVED_BAD)
        mm_receiver_drop(self, "wrong number of frames", where, now_ms);
    if (received != MM_RECEIVED_FRAME)
        return received;
    mm_wire_status_t status = mm_socket_decode(self->decoder, &self->message, ret_frame);
    if (status == MM_WIRE_OK)
        return MM_RECEIVED_FRAME;
    mm_receiver_drop(self, mm_decoder_complaint(self->decoder), where, now_ms);
    return status == MM_WIRE_VERSION_BAD ? MM_RECEIVED_FOREIGN : MM_RECEIVED_BAD;
}

const char *mm_receiver_peer(mm_receiver_t *self)
{
    return zmq_msg_gets(&self->message, "Peer-Address");
}

// ---- the sender

typedef struct waiting {
    struct waiting *prev, *next;
    size_t size;
    char data[];
} waiting_t;

struct mm_sender {
    mm_loop_t *loop;
    const char *name;
    void *socket;
    waiting_t *waiting;
    size_t count;
};

mm_sender_t *mm_sender_new(mm_loop_t *loop, const char *name, void *socket)
{
    mm_sender_t *self = calloc(1, sizeof *self);
    assert(self);
    *self = (mm_sender_t){.loop = loop, .name = name, .socket = socket};
    return self;
}

static void remove_first(mm_sender_t *self)
{
    waiting_t *first = self->waiting;
    DL_DELETE(self->waiting, first);
    free(first);
    if (--self->count == 0)
        mm_loop_remove_socket(self->loop, self->socket);
}

void mm_sender_destroy(mm_sender_t **self_p)
{
    mm_sender_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    while (self->waiting)
        remove_first(self);
    mm_socket_destroy(&self->socket);
    free(self);
}

static void on_writable(void *arg)
{
    mm_sender_t *self = arg;
    while (self->waiting &&
           mm_socket_send(self->socket, (mm_str_t){self->waiting->data, self->waiting->size}))
        remove_first(self);
}

void mm_sender_send(mm_sender_t *self, mm_str_t frame)
{
    if (!self->waiting && mm_socket_send(self->socket, frame))
        return;
    waiting_t *last = malloc(sizeof *last + frame.size);
    assert(last);
    last->size = frame.size;
    memcpy(last->data, frame.data, frame.size);
    DL_APPEND(self->waiting, last);
    if (self->count++ == 0)
        mm_loop_add_socket(self->loop, self->name, self->socket, ZMQ_POLLOUT, on_writable, self);
}

size_t mm_sender_waiting(const mm_sender_t *self)
{
    return self->count;
}

void *mm_sender_socket(mm_sender_t *self)
{
    return self->socket;
}
