// The consumer's second address (--listen): jobs, inbox, events and viewers on four ports in a row,
// and the tasks of each session on another one, for processes with a key on other machines. Jobs
// and inbox are the sockets of this machine with one endpoint more: libzmq copies a socket's
// options when it binds, so that each endpoint has its own mechanism.
//
// A frame is believed as far as the key of its sender goes (frame_check.h). A session is bound here
// when the frame that opens it has come by this way, else beside the base address.

#ifndef LISTENER_H
#define LISTENER_H

#include "broadcast.h"
#include "endpoint.h"
#include "options.h"
#include "zap.h"

typedef struct listener listener_t;

typedef struct {
    const char *keys;      // the folder; kept as a pointer
    mm_endpoint_t address; // tcp
    mm_ports_t task_ports;
    // Called from the loop:
    void (*revoked)(void *arg, const mm_allowed_t *row);
    void (*replaced)(void *arg); // all connections but those of sessions were ended, by another key
    void (*cut)(void *arg, uint64_t session);                    // its connection is broken
    void (*drop)(void *arg, const char *where, const char *why); // of a message
    // Why this row's name may not be used now, static; NULL: it may.
    const char *(*taken)(void *arg, const mm_allowed_t *row);
    void *arg;
} listener_config_t;

// Makes the ZAP handler and reads the keys: to be called before there is any other socket. NULL,
// with a sysexits code and one sentence in error.
listener_t *listener_new(mm_loop_t *loop, const listener_config_t *config, int *ret_exit_code,
                         char error[MM_ERROR_MAX]);
// After the loop and all other sockets. No-op for NULL.
void listener_destroy(listener_t **self_p);

// Binds. The sockets and broadcasts stay the caller's. Returns 0, or a sysexits code with one
// sentence in error: EX_UNAVAILABLE, a port is in use or the address is not this machine's.
int listener_bind(listener_t *self, mm_socket_t *jobs, mm_socket_t *inbox, broadcast_t *events,
                  broadcast_t *viewers, int viewers_frames, char error[MM_ERROR_MAX]);

// Whether the message that was received last may be believed. NULL: it may; else why not, valid
// until the next call. frame: NULL when it is none of this version.
const char *listener_check(listener_t *self, mm_receiver_t *receiver, const mm_frame_t *frame,
                           bool is_jobs);
// The row of its sender; NULL: of this machine, or nobody's.
const mm_allowed_t *listener_sender(const listener_t *self);
// The messages that were checked are over.
void listener_forget_sender(listener_t *self);

// Why a session of the last sender would have no port; NULL: it has one, which is bound ahead. The
// text is valid until the next call. Looks for one at most once a second, and logs at most once in
// 10 s that there is none.
const char *listener_no_port(listener_t *self, int64_t now_ms);
// The PUSH socket of a session of the last sender, bound. NULL, with errno.
mm_socket_t *listener_open_session(listener_t *self, uint64_t session);
// After its socket was destroyed. No-op when it is none.
void listener_close_session(listener_t *self, uint64_t session);

// How many keys were refused so far.
uint64_t listener_refused(const listener_t *self);
// Looks at keys, and binds what is not bound. Returns when it is to be called next, on mm_clock_ms.
int64_t listener_turn(listener_t *self, int64_t now_ms);

#endif
