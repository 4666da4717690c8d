// What the consumer tells all, or all viewers: a PUB socket for the processes of this machine and,
// with a listener, an XPUB socket for those beyond it, whose subscriptions are checked one by one
// (XPUB_MANUAL). They are two sockets, so that nothing of a stranger reaches the local one: libzmq
// keeps the order of subscriptions and of their senders in two queues, which a message that is no
// subscription moves against each other. The second socket is then closed and made anew.

#ifndef BROADCAST_H
#define BROADCAST_H

#include "zap.h"

typedef struct broadcast broadcast_t;

typedef struct {
    mm_loop_t *loop;
    const zap_t *zap;
    const char *domain;   // "events" or "viewers", kept as a pointer
    const char *endpoint; // to bind; copied
    bool is_viewers;
    int frames; // that may wait for each peer; 0: as many as MM_SOCKET_HWM_EVENT
    // A message on it was dropped: why, and the row of its sender, NULL when it is not known.
    void (*drop)(void *arg, const char *domain, const char *why, const mm_allowed_t *row);
    void *arg;
} broadcast_listener_t;

// local: a PUB socket that is bound; owned from now on.
broadcast_t *broadcast_new(mm_socket_t *local);
// When the loop has ended. No-op for NULL.
void broadcast_destroy(broadcast_t **self_p);

// From now on there is a second socket, which broadcast_bind makes.
void broadcast_listen(broadcast_t *self, const broadcast_listener_t *listener);
// Makes and binds the second socket when it is not bound. Returns 0, or an errno: try again later,
// since a port is free some milliseconds after it was closed.
int broadcast_bind(broadcast_t *self);
// Closes the second socket with all its connections: from here on nobody beyond this machine is
// told anything, until it was bound again.
void broadcast_close_remote(broadcast_t *self);

// To all. A frame that cannot be sent now is dropped.
void broadcast_send(broadcast_t *self, mm_str_t topic, mm_str_t frame);
// To the processes of this machine alone, and to those beyond it alone.
void broadcast_send_local(broadcast_t *self, mm_str_t topic, mm_str_t frame);
void broadcast_send_remote(broadcast_t *self, mm_str_t topic, mm_str_t frame);

#endif
