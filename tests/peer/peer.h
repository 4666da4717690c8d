// What the files of the hostile peer share: tests/peer/peer.c (who sends what), peer_frames.c
// (frames with one bad field), peer_bytes.c (bytes that are no frame), peer_tales.c and
// peer_floods.c (valid frames in bad faith, from workers and from others) and peer_raw.c (below
// ZeroMQ). It attaches to a live consumer like any other process, and never touches a file of it.

#ifndef PEER_H
#define PEER_H

#include "endpoint.h"
#include "socket.h"
#include "wire.h"

#include <msgpack.h>

#define PEER_NAME_MAX 80
#define PEER_SOCKETS  3

// What the consumer is to make of it: what it counts as dropped is checked against its log.
typedef struct {
    char name[PEER_NAME_MAX];
    unsigned drops; // messages that it must drop and count
} peer_item_t;

typedef struct {
    mm_endpoint_t base;
    mm_socket_t *push[PEER_SOCKETS]; // jobs and inbox; made when they are first needed
    mm_socket_t *events;
    mm_encoder_t *encoder;
    mm_decoder_t *decoder;
    uint64_t instance; // drawn anew for each worker that it plays
    uint64_t sequence;
} peer_t;

// The PUSH socket to jobs or inbox. Fresh ones after peer_reset: the consumer cuts some.
mm_socket_t *peer_push(peer_t *self, mm_socket_role_t place);
void peer_reset(peer_t *self);
// Sends one message, waiting up to two seconds for the connection; exits with 1 when it cannot.
void peer_send(peer_t *self, mm_socket_role_t place, const void *data, size_t size);
void peer_send_frame(peer_t *self, mm_socket_role_t place, const mm_frame_t *frame);
// Waits for one frame on events, at most `wait_ms`; false when none came, or it was not readable.
bool peer_hear(peer_t *self, int wait_ms, mm_frame_t *ret_frame);
// The same for a frame of any version; its bytes live until the next call of either.
bool peer_hear_bytes(peer_t *self, int wait_ms, mm_str_t *ret_bytes);
void peer_listen(peer_t *self, mm_str_t topic);

// Each file's messages, numbered from 0: false when there is no such number. The name is set, and
// unless `send` is false the message is sent.
bool peer_frame(peer_t *self, size_t number, bool send, peer_item_t *ret_item);
bool peer_bytes(peer_t *self, size_t number, bool send, peer_item_t *ret_item);
bool peer_tale(peer_t *self, size_t number, bool send, peer_item_t *ret_item);
bool peer_flood(peer_t *self, size_t number, bool send, peer_item_t *ret_item);
bool peer_raw(peer_t *self, size_t number, bool send, peer_item_t *ret_item);

// peer_floods.c. Delivers new jobs for so long, as fast as it can, and says how many.
void peer_flood_jobs(peer_t *self, int64_t span_ms);
// peer_tales.c. A worker that joins and leaves, as often as it can, each time as another process.
// The sessions that it leaves are guessed: nobody else may join meanwhile.
void peer_flood_workers(peer_t *self, int64_t span_ms);
// peer_raw.c. Holds so many connections for so long, to jobs, inbox and events in turn; one that is
// ended is made anew. Silent ones say nothing; the others are those of PUSH and SUB sockets.
void peer_crowd(peer_t *self, size_t count, bool is_silent, int64_t span_ms);

#endif
