// A client's way into the consumer: which sockets may connect, with which of the consumer's keys,
// and when. On ipc it does nothing. On tcp it reads a monitor of each socket (monitor.h), since the
// socket itself tells nothing of a handshake:
//
//   refused          our key is not on the list, was revoked, has ended, or has another role there
//   broken           the consumer has another key, or the port is another socket's
//   foreign          no CURVE there, or nothing but CURVE, or no ZeroMQ
//   no answer        for MM_LINK_SILENT_MS: nobody is there, a firewall is in between, or what
//                    listens there says nothing
//
// A broken one counts the eighth time. Each is one sentence, which says what helps, and one line of
// the log until it changes; broken and foreign are one, since they cannot always be told apart.
//
// After a failure of a client with a key all sockets are to be closed: libzmq would try again 70
// times a second, or never. They may connect again after 1 s, then 2, 4, … 30 s, or 5 s when there
// are several server keys; at once with the next server key while there is one that was not tried.
// Without a key nothing waits.
//
// At a failure, and while they wait, the key file is read again when it has changed, and a new key,
// or new server keys, are tried at once: neither needs another start, and a rotation no pause. A
// file that is wrong, or another process's, is told of once, and the former key holds.

#ifndef MM_LINK_H
#define MM_LINK_H

#include "endpoint.h"
#include "key_file.h"
#include "loop.h"
#include "socket.h"

#define MM_LINK_SILENT_MS 2500
// Why a key is refused: the handler's answer does not tell which.
#define MM_LINK_WHY_REFUSED                                                                        \
    "it is not on the list there (mayhem keys list), has ended or has another role, a process "    \
    "there has its name, or this is not the port of --listen"
// Of what takes a connection and says nothing.
#define MM_LINK_WHY_MUTE "is no consumer, or is stopped: check the port"

typedef struct mm_link mm_link_t;

typedef struct {
    mm_loop_t *loop;           // NULL: the caller looks at mm_link_descriptor
    const mm_endpoint_t *base; // of the consumer; copied
    const mm_key_t *key;       // NULL: a client without keys; copied
    const char *key_file;      // that it was read from, kept as a pointer; NULL: none
    bool logs;                 // else only mm_link_complaint tells what is wrong
    // The client is to destroy its sockets, make new ones, and connect them (mm_link_connect).
    // Called from the loop, or from mm_link_step.
    void (*renew)(void *arg);
    void *arg;
} mm_link_config_t;

mm_link_t *mm_link_new(const mm_link_config_t *config);
// After the sockets. No-op for NULL.
void mm_link_destroy(mm_link_t **self_p);

// Connects a new socket, with the keys. While nothing may connect it does nothing: renew is called
// when that is over, and what is sent until then is dropped. is_session: it is the tasks' of a
// session, whose end is the session's alone. Returns 0, or an errno.
int mm_link_connect(mm_link_t *self, mm_socket_t *socket, const char *endpoint, bool is_session);
// Before a socket that was connected here is destroyed. No-op for NULL and other sockets.
void mm_link_leave(mm_link_t *self, mm_socket_t *socket);

// What is wrong now, one sentence without a full stop; "" when nothing is known to be.
const char *mm_link_complaint(const mm_link_t *self);

// On tcp: whether there ever was a connection. Without one nothing has left this process.
bool mm_link_was_up(const mm_link_t *self);

// Without a loop: readable when mm_link_step has something to do; -1: it never has.
int mm_link_descriptor(const mm_link_t *self);
void mm_link_step(mm_link_t *self);

#endif
