// A client's way into the consumer: which sockets may connect, with which of the consumer's keys, and
// when. Without a key file it does nothing but say yes. With one it reads a monitor of the client's
// events socket (zmq_socket_monitor(3)), since the socket itself tells nothing of a handshake:
//
//   refused (ZAP 400)            our key is not on the list, was revoked, or has another role
//   failed without a detail      it has another server key, or the port is another socket's
//   failed by the protocol       no CURVE there, or no ZeroMQ
//
// Each gets one line until it changes. After a failure all sockets are to be closed: libzmq would try
// again 70 times a second, or never. They may connect again after 1 s, then 2, 4, … 30 s; at once with
// the next server key of the file, while there is one that was not tried.

#ifndef MM_LINK_H
#define MM_LINK_H

#include "key_file.h"
#include "loop.h"
#include "socket.h"

typedef struct mm_link mm_link_t;

// The client is to destroy its sockets, make new ones, and ask mm_link_may_connect for them.
typedef void mm_link_fn(void *arg);

// key: NULL for a client without keys; else a copy is kept. The loop stays the caller's.
mm_link_t *mm_link_new(mm_loop_t *loop, const mm_key_t *key, mm_link_fn *renew, void *arg);
// After the sockets. No-op for NULL.
void mm_link_destroy(mm_link_t **self_p);

// Whether sockets may connect now. When not, renew is called as soon as they may; until then sockets
// stay without a connection, and what is sent is dropped.
bool mm_link_may_connect(const mm_link_t *self);
// Gives a new socket the keys of this connection; before mm_socket_connect.
void mm_link_prepare(const mm_link_t *self, mm_socket_t *socket);
// Reads the events of this socket from now on, before it connects; no-op without a key. The former
// one, if any, is no longer read.
void mm_link_watch(mm_link_t *self, mm_socket_t *events);
// To be called before the watched socket is destroyed: an unread monitor stops libzmq's I/O thread.
void mm_link_unwatch(mm_link_t *self);

#endif
