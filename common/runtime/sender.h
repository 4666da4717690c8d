// A PUSH socket that keeps frames in order until they can be sent.

#ifndef MM_SENDER_H
#define MM_SENDER_H

#include "loop.h"
#include "socket.h"

typedef struct mm_sender mm_sender_t;

// Owns the socket from now on. name: for profiles, kept as a pointer.
mm_sender_t *mm_sender_new(mm_loop_t *loop, const char *name, mm_socket_t *socket);
// Drops the waiting frames.
void mm_sender_destroy(mm_sender_t **self_p);
// Sends a copy of the frame now or later.
void mm_sender_send(mm_sender_t *self, mm_str_t frame);
// The number of waiting frames.
size_t mm_sender_waiting(const mm_sender_t *self);
mm_socket_t *mm_sender_socket(mm_sender_t *self);

#endif
