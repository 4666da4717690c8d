// The handler of libzmq's questions whether a client may connect (ZAP, RFC 27), in the consumer's
// loop. While there is no handler, libzmq lets everybody in: it is made before any other socket of
// the process and destroyed after all others.
//
// It keeps the allow list and the consumer's key, and reads both anew when their files change. A
// file that cannot be read, or has an error, is told of, and what was read before holds.

#ifndef ZAP_H
#define ZAP_H

#include "allow_list.h"
#include "loop.h"
#include "socket.h"

typedef struct zap zap_t;

typedef struct {
    const char *folder; // of --keys: consumer.key and allowed in it
    // Called from zap_turn, cut and taken from the loop:
    void (*revoked)(void *arg, const mm_allowed_t *row); // one by one, when all are known
    void (*replaced)(void *arg); // consumer.key is another one: bind all listeners anew
    void (*cut)(void *arg, uint64_t session); // a second connection to a session was refused
    // Why this row's name may not be used now, static; NULL: it may.
    const char *(*taken)(void *arg, const mm_allowed_t *row);
    void *arg;
} zap_config_t;

// Binds the handler and reads both files, then refuses a throw-away key. NULL, with a sysexits code
// and one sentence in error: a file is wrong (EX_NOINPUT, EX_NOPERM, EX_CONFIG), there is no folder
// (EX_CONFIG), or that key was not refused within 2 s (EX_CONFIG).
zap_t *zap_new(mm_loop_t *loop, const zap_config_t *config, int *ret_exit_code,
               char error[MM_ERROR_MAX]);
// After the loop and all other sockets. No-op for NULL.
void zap_destroy(zap_t **self_p);

// Makes what this socket binds from now on a CURVE server of this domain: "jobs", "inbox",
// "events", "viewers".
void zap_serve(const zap_t *self, mm_socket_t *socket, const char *domain);
// The same for the tasks of a session that is nobody's yet: nobody may connect. Returns its ticket.
uint64_t zap_serve_session(zap_t *self, mm_socket_t *socket);
// It is that worker's session from now on (not 0), and its key may connect once.
void zap_give_session(zap_t *self, uint64_t ticket, uint64_t session, const mm_allowed_t *row);
// No-ops when it is none.
void zap_end_ticket(zap_t *self, uint64_t ticket);
void zap_end_session(zap_t *self, uint64_t session);

// The row of the sender of a message, and whether it may go on: *ret_row is NULL of a local one.
// False when its key was revoked; the connection is shut down then.
bool zap_sender(const zap_t *self, zmq_msg_t *message, const mm_allowed_t **ret_row);
// Shuts down the connection that a message has come by.
void zap_shut_down(zmq_msg_t *message);

// How many keys were refused so far.
uint64_t zap_refused(const zap_t *self);
// How many workers the list has, savers and restarters.
size_t zap_workers(const zap_t *self);

// Looks at files and dates; returns when it is to be called next, on mm_clock_ms.
int64_t zap_turn(zap_t *self, int64_t now_ms);

#endif
