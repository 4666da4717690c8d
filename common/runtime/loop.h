// The event loop of a process, around one epoll. A handler drains its socket or descriptor; after
// each handler the turn function sends the batches and returns the next deadline. Signals are
// events. Each registration has a name, for profiles.
//
// A round waits, and then calls each handler that has something to do, once. It waits for the
// descriptors of sockets as for any other; but no descriptor reports what an earlier call on a
// socket has left in it (socket.h). So the loop sleeps only while the last call on each of its
// sockets has shown that nothing that is wished is there. Any other socket is asked first.

#ifndef MM_LOOP_H
#define MM_LOOP_H

#include "job.h"
#include "socket.h"

typedef struct mm_loop mm_loop_t;

typedef void(mm_loop_fn)(void *arg);
typedef int64_t(mm_loop_turn_fn)(void *arg);
typedef void(mm_loop_signal_fn)(void *arg, int signal);

#define MM_DRAIN_MAX 256 // messages that a handler receives in one call, for fairness

// Repairs what the process has inherited (inherited.h), blocks TERM, INT, HUP and USR1, which then
// only reach the loop, and disables czmq's own handlers. A HUP that was ignored stays so. Call it
// first in main, before any thread or socket.
void mm_loop_block_signals(void);

// turn: called at the start, after each handler and at its own deadline, which it returns
// (CLOCK_BOOTTIME ms; MM_NEVER: none).
mm_loop_t *mm_loop_new(mm_loop_turn_fn *turn, void *arg);
void mm_loop_destroy(mm_loop_t **self_p);

// Calls fn when a socket or descriptor has one of `events` (ZMQ_POLLIN, ZMQ_POLLOUT), or when a
// descriptor is broken, which is for fn to find. The name is kept as a pointer.
void mm_loop_add_socket(mm_loop_t *self, const char *name, mm_socket_t *socket, short events,
                        mm_loop_fn *fn, void *arg);
void mm_loop_add_descriptor(mm_loop_t *self, const char *name, int descriptor, short events,
                            mm_loop_fn *fn, void *arg);
// No-ops when it is not registered. Call them before the socket is destroyed or the descriptor
// closed.
void mm_loop_remove_socket(mm_loop_t *self, mm_socket_t *socket);
void mm_loop_remove_descriptor(mm_loop_t *self, int descriptor);

// The first TERM, INT or HUP calls fn. A second TERM or INT ends the process at once with 128 + the
// signal; below a supervisor only one that comes a second later. USR1 saves a profile.
void mm_loop_on_signal(mm_loop_t *self, mm_loop_signal_fn *fn, void *arg);
// The other way: each of the four calls fn, each time.
void mm_loop_on_every_signal(mm_loop_t *self, mm_loop_signal_fn *fn, void *arg);

// Runs until mm_loop_stop.
void mm_loop_run(mm_loop_t *self);
void mm_loop_stop(mm_loop_t *self);

#endif
