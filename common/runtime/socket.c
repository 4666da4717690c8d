// See socket.h.

#include "socket.h"
#include "accept_limit.h"
#include "known_pid.h"
#include "log.h"
#include "span.h"

#include <assert.h>
#include <czmq.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MESSAGE_DROPPED "Dropped a bad frame"

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

// I/O threads by their bits in ZMQ_AFFINITY, when servers are apart. libzmq copies it at bind, so
// that a socket with two endpoints has one in each.
#define THREAD_OWN     UINT64_C(1)
#define THREAD_SERVERS UINT64_C(2)

static void *context;
static bool is_apart;

struct mm_socket {
    void *zmq;
    short missing; // events that the last call has found missing
};

static bool is_publisher(int type)
{
    return type == ZMQ_PUB || type == ZMQ_XPUB;
}

mm_socket_t *mm_socket_new(int type)
{
    mm_socket_t *self = mm_socket_try(type);
    assert(self);
    return self;
}

void mm_socket_serve_apart(void)
{
    assert(!context);
    is_apart = true;
}

static void make_context(void)
{
    mm_known_pid_start();
    context = zmq_ctx_new();
    assert(context);
    int rc = zmq_ctx_set(context, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
    assert(rc == 0);
    rc = zmq_ctx_set(context, ZMQ_IO_THREADS, is_apart ? 2 : 1);
    assert(rc == 0);
}

mm_socket_t *mm_socket_try(int type)
{
    if (!context)
        make_context();
    void *zmq = zmq_socket(context, type);
    if (!zmq)
        return NULL;
    mm_socket_t *self = calloc(1, sizeof *self);
    assert(self);
    self->zmq = zmq;
    bool sends = type == ZMQ_PUSH || is_publisher(type);
    int hwm = is_publisher(type) || type == ZMQ_SUB ? MM_SOCKET_HWM_EVENT : MM_SOCKET_HWM;
    set_option(zmq, sends ? ZMQ_SNDHWM : ZMQ_RCVHWM, hwm);
    set_option(zmq, ZMQ_LINGER, sends ? MM_LINGER_MS : 0);
    set_option(zmq, ZMQ_RECONNECT_IVL, 10);
    set_option(zmq, ZMQ_RECONNECT_IVL_MAX, 1000);
    set_option(zmq, ZMQ_HANDSHAKE_IVL, 1000);
    set_option(zmq, ZMQ_HEARTBEAT_IVL, 0);
    set_sized(zmq, ZMQ_MAXMSGSIZE, &(int64_t){MM_FRAME_BYTES}, sizeof(int64_t));
    if (type == ZMQ_PUSH)
        set_option(zmq, ZMQ_IMMEDIATE, 1);
    if (is_apart)
        set_sized(zmq, ZMQ_AFFINITY, &(uint64_t){THREAD_OWN}, sizeof(uint64_t));
    return self;
}

void mm_socket_limit(mm_socket_t *self, int frames)
{
    int type = zsock_type(self->zmq);
    bool sends = type == ZMQ_PUSH || is_publisher(type);
    set_option(self->zmq, sends ? ZMQ_SNDHWM : ZMQ_RCVHWM, frames);
    set_option(self->zmq, ZMQ_LINGER, 0);
}

void mm_socket_set(mm_socket_t *self, int option, const void *value, size_t size)
{
    int rc = zmq_setsockopt(mm_socket_zmq(self), option, value, size);
    assert(rc == 0);
}

void mm_socket_set_server(mm_socket_t *self, const char *secret_key, const char *domain)
{
    mm_socket_set(self, ZMQ_CURVE_SERVER, &(int){1}, sizeof(int));
    mm_socket_set(self, ZMQ_CURVE_SECRETKEY, secret_key, strlen(secret_key) + 1);
    mm_socket_set(self, ZMQ_ZAP_DOMAIN, domain, strlen(domain));
    if (is_apart)
        set_sized(self->zmq, ZMQ_AFFINITY, &(uint64_t){THREAD_SERVERS}, sizeof(uint64_t));
}

void mm_socket_set_keys(mm_socket_t *self, const char *public_key, const char *secret_key,
                        const char *server_key)
{
    mm_socket_set(self, ZMQ_CURVE_PUBLICKEY, public_key, strlen(public_key) + 1);
    mm_socket_set(self, ZMQ_CURVE_SECRETKEY, secret_key, strlen(secret_key) + 1);
    mm_socket_set(self, ZMQ_CURVE_SERVERKEY, server_key, strlen(server_key) + 1);
}

void mm_socket_destroy(mm_socket_t **self_p)
{
    if (*self_p)
        (void)zmq_close((*self_p)->zmq);
    free(*self_p);
    *self_p = NULL;
}

void mm_socket_end(void)
{
    if (context)
        (void)zmq_ctx_term(context);
    context = NULL;
    is_apart = false;
}

// Without this option libzmq takes no address in brackets. With it, it takes names for addresses of
// IPv6 first: so only these have it.
static void prepare_for(mm_socket_t *self, const char *endpoint)
{
    if (strncmp(endpoint, "tcp://[", strlen("tcp://[")) == 0)
        set_option(self->zmq, ZMQ_IPV6, 1);
}

int mm_socket_bind(mm_socket_t *self, const char *endpoint)
{
    prepare_for(self, endpoint);
    return zmq_bind(mm_socket_zmq(self), endpoint) == 0 ? 0 : errno;
}

void mm_socket_unbind(mm_socket_t *self, const char *endpoint)
{
    int rc = zmq_unbind(mm_socket_zmq(self), endpoint);
    assert(rc == 0);
}

int mm_socket_connect(mm_socket_t *self, const char *endpoint)
{
    prepare_for(self, endpoint);
    return zmq_connect(mm_socket_zmq(self), endpoint) == 0 ? 0 : errno;
}

void mm_socket_subscribe(mm_socket_t *self, mm_str_t topic)
{
    mm_socket_set(self, ZMQ_SUBSCRIBE, topic.data, topic.size);
}

void mm_socket_endpoint(mm_socket_t *self, char *ret_endpoint, size_t size)
{
    int rc = zmq_getsockopt(mm_socket_zmq(self), ZMQ_LAST_ENDPOINT, ret_endpoint, &size);
    assert(rc == 0);
}

// ---- what it may hold

int mm_socket_descriptor(mm_socket_t *self)
{
    return zsock_fd(self->zmq);
}

short mm_socket_events(mm_socket_t *self)
{
    int events = 0;
    size_t size = sizeof events;
    if (zmq_getsockopt(self->zmq, ZMQ_EVENTS, &events, &size) != 0)
        return self->missing = 0; // interrupted, which zsock_events does not report
    self->missing = (short)(~events & (ZMQ_POLLIN | ZMQ_POLLOUT));
    return (short)events;
}

short mm_socket_missing(const mm_socket_t *self)
{
    return self->missing;
}

void *mm_socket_zmq(mm_socket_t *self)
{
    self->missing = 0;
    return self->zmq;
}

// Notes how a receive or send went: libzmq answers EAGAIN when it has consumed all signals of
// changes, and there is still nothing to read, or no room.
static int note(mm_socket_t *self, int rc, short event)
{
    self->missing = rc < 0 && errno == EAGAIN ? event : 0;
    return rc;
}

static int receive(mm_socket_t *self, zmq_msg_t *message)
{
    return note(self, zmq_msg_recv(message, self->zmq, ZMQ_DONTWAIT), ZMQ_POLLIN);
}

mm_received_t mm_socket_receive(mm_socket_t *self, bool is_event, zmq_msg_t *message)
{
    if (receive(self, message) < 0)
        return MM_RECEIVED_NONE;
    if (is_event && !zmq_msg_more(message))
        return MM_RECEIVED_BAD;
    if (is_event && receive(self, message) < 0)
        return MM_RECEIVED_NONE;
    if (!zmq_msg_more(message))
        return MM_RECEIVED_FRAME;
    while (zmq_msg_more(message) && receive(self, message) >= 0)
        ;
    return MM_RECEIVED_BAD;
}

mm_wire_status_t mm_socket_decode(mm_decoder_t *decoder, zmq_msg_t *message, mm_frame_t *ret_frame)
{
    MM_SPAN("unpack");
    return mm_decode(decoder, zmq_msg_data(message), zmq_msg_size(message), ret_frame);
}

static int send_part(mm_socket_t *self, mm_str_t part, int flags)
{
    return note(self, zmq_send(self->zmq, part.data, part.size, ZMQ_DONTWAIT | flags), ZMQ_POLLOUT);
}

bool mm_socket_send(mm_socket_t *self, mm_str_t frame)
{
    return send_part(self, frame, 0) >= 0;
}

void mm_socket_publish(mm_socket_t *self, mm_str_t topic, mm_str_t frame)
{
    if (send_part(self, topic, ZMQ_SNDMORE) >= 0)
        (void)send_part(self, frame, 0);
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

// Counts it. Whether it is to be logged.
static bool is_drop_news(mm_drops_t *drops, int64_t now_ms)
{
    drops->count++;
    if (drops->logged > 0 && now_ms - drops->logged_ms < 1000)
        return false;
    drops->logged = drops->count;
    drops->logged_ms = now_ms;
    return true;
}

void mm_receiver_drop_other(mm_receiver_t *self, const char *why, const char *where, int64_t now_ms)
{
    if (is_drop_news(&self->drops, now_ms))
        mm_log(MM_LOG_WARN, MESSAGE_DROPPED, MM_STRING("why", why), MM_STRING("where", where),
               MM_INT("total", self->drops.count));
}

void mm_receiver_drop(mm_receiver_t *self, const char *why, const char *where, int64_t now_ms)
{
    const char *user = zmq_msg_gets(&self->message, "User-Id"); // "ROLE:NAME:SERIAL", of ZAP
    const char *name = user ? strchr(user, ':') : NULL, *end = user ? strrchr(user, ':') : NULL;
    if (!name || name == end) { // of this machine
        mm_receiver_drop_other(self, why, where, now_ms);
        return;
    }
    const char *address = mm_receiver_peer(self);
    if (is_drop_news(&self->drops, now_ms))
        mm_log(MM_LOG_WARN, MESSAGE_DROPPED, MM_STRING("why", why), MM_STRING("where", where),
               MM_STR("key", ((mm_str_t){name + 1, (size_t)(end - name - 1)})),
               MM_STRING("address", address ? address : "unknown"),
               MM_INT("total", self->drops.count));
}

mm_received_t mm_receive(mm_receiver_t *self, mm_socket_t *socket, bool is_event, const char *where,
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
