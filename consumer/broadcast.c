// See broadcast.h.

#include "broadcast.h"
#include "frame_check.h"
#include "span.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_BYTES 1024 // of a peer, at most: a handshake, or a topic

struct broadcast {
    mm_socket_t *local;
    broadcast_listener_t listener;
    char *endpoint;      // NULL: there is no listener
    mm_socket_t *remote; // NULL: not bound
    zmq_msg_t message;
};

broadcast_t *broadcast_new(mm_socket_t *local)
{
    broadcast_t *self = calloc(1, sizeof *self);
    assert(self);
    self->local = local;
    (void)zmq_msg_init(&self->message);
    return self;
}

void broadcast_destroy(broadcast_t **self_p)
{
    broadcast_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    mm_socket_destroy(&self->local);
    mm_socket_destroy(&self->remote);
    (void)zmq_msg_close(&self->message);
    free(self->endpoint);
    free(self);
}

void broadcast_listen(broadcast_t *self, const broadcast_listener_t *listener)
{
    self->listener = *listener;
    self->endpoint = strdup(listener->endpoint);
    assert(self->endpoint);
}

// ---- subscriptions

static void drop(broadcast_t *self, const char *why, const mm_allowed_t *row)
{
    self->listener.drop(self->listener.arg, self->listener.domain, why, row);
}

// Subscribes or unsubscribes the sender of the message, as it wishes and may: a byte 1 or 0 and the
// topic (zmq_socket(3), ZMQ_XPUB). What libzmq says of a peer that has gone has no sender.
static void apply_wish(broadcast_t *self, mm_str_t wish)
{
    const mm_allowed_t *row;
    mm_str_t topic = {wish.data + 1, wish.size - 1};
    if (!zap_sender(self->listener.zap, &self->message, &row) || !row)
        return;
    if (!frame_check_topic(row, self->listener.is_viewers, topic)) {
        drop(self, "a subscription to what is not its own", row);
        zap_shut_down(&self->message); // libzmq would keep each topic that it wishes
        return;
    }
    mm_socket_set(self->remote, wish.data[0] == 1 ? ZMQ_SUBSCRIBE : ZMQ_UNSUBSCRIBE, topic.data,
                  topic.size);
}

// False when the message is no subscription.
static bool apply_message(broadcast_t *self, mm_received_t received)
{
    const mm_allowed_t *row = NULL;
    mm_str_t wish = {zmq_msg_data(&self->message), zmq_msg_size(&self->message)};
    if (received == MM_RECEIVED_FRAME && wish.size > 0 &&
        (wish.data[0] == 0 || wish.data[0] == 1)) {
        apply_wish(self, wish);
        return true;
    }
    (void)zap_sender(self->listener.zap, &self->message, &row);
    drop(self, "a message where only subscriptions belong", row);
    return false;
}

static void on_subscription(void *arg)
{
    MM_SPAN("on_subscription");
    broadcast_t *self = arg;
    for (int i = 0; i < MM_DRAIN_MAX; i++) {
        mm_received_t received = mm_socket_receive(self->remote, false, &self->message);
        if (received == MM_RECEIVED_NONE)
            return;
        if (!apply_message(self, received)) {
            broadcast_close_remote(self);
            return;
        }
    }
}

// ---- the second socket

int broadcast_bind(broadcast_t *self)
{
    if (!self->endpoint || self->remote)
        return 0;
    mm_socket_t *socket = mm_socket_try(ZMQ_XPUB);
    if (!socket)
        return errno;
    if (self->listener.frames > 0)
        mm_socket_limit(socket, self->listener.frames);
    mm_socket_set(socket, ZMQ_XPUB_MANUAL, &(int){1}, sizeof(int));
    mm_socket_set(socket, ZMQ_MAXMSGSIZE, &(int64_t){MESSAGE_BYTES}, sizeof(int64_t));
    zap_serve(self->listener.zap, socket, self->listener.domain);
    int error = mm_socket_bind(socket, self->endpoint);
    if (error != 0) {
        mm_socket_destroy(&socket);
        return error;
    }
    self->remote = socket;
    mm_loop_add_socket(self->listener.loop, self->listener.domain, socket, ZMQ_POLLIN,
                       on_subscription, self);
    return 0;
}

void broadcast_close_remote(broadcast_t *self)
{
    if (!self->remote)
        return;
    mm_loop_remove_socket(self->listener.loop, self->remote);
    mm_socket_set(self->remote, ZMQ_LINGER, &(int){0}, sizeof(int));
    mm_socket_destroy(&self->remote);
}

// ---- sending

void broadcast_send_local(broadcast_t *self, mm_str_t topic, mm_str_t frame)
{
    mm_socket_publish(self->local, topic, frame);
}

void broadcast_send_remote(broadcast_t *self, mm_str_t topic, mm_str_t frame)
{
    if (self->remote)
        mm_socket_publish(self->remote, topic, frame);
}

void broadcast_send(broadcast_t *self, mm_str_t topic, mm_str_t frame)
{
    broadcast_send_local(self, topic, frame);
    broadcast_send_remote(self, topic, frame);
}
