// ZeroMQ sockets as every process here uses them: the options of docs/protocol.md set before bind
// or connect and read back, frames received without blocking, and a sender that keeps what cannot
// be sent yet.

#ifndef MM_SOCKET_H
#define MM_SOCKET_H

#include "loop.h"
#include "wire.h"

#include <zmq.h>

#define MM_SOCKET_HWM       1000   // frames
#define MM_SOCKET_HWM_EVENT 100000 // of PUB and SUB: what a slow reader may miss begins behind it
#define MM_LINGER_MS        1000   // how long what was sent may take to leave at exit

// Descriptors are raised to the hard limit, since libzmq aborts without. Returns the former soft
// limit, for commands that are spawned; 0 when even the hard limit is below 4096 (EX_UNAVAILABLE).
uint64_t mm_socket_raise_descriptors(void);

// A socket with all options set: ZMQ_PUSH, ZMQ_PULL, ZMQ_PUB or ZMQ_SUB. One context per process,
// made at the first call. Never NULL.
void *mm_socket_new(int type);
// Before bind or connect, for what may be lost: so many frames wait for each peer, and none is
// waited for at the end.
void mm_socket_limit(void *socket, int frames);
// Idempotent. The file of an ipc endpoint that was bound stays: whoever bound it unlinks it.
void mm_socket_destroy(void **socket_p);
// After all sockets are gone: waits until what was sent has left, at most MM_LINGER_MS.
void mm_socket_end(void);

// 0, or an errno.
int mm_socket_bind(void *socket, const char *endpoint);
int mm_socket_connect(void *socket, const char *endpoint);
void mm_socket_subscribe(void *socket, mm_str_t topic);
// The endpoint bound last ("tcp://127.0.0.1:40123").
void mm_socket_endpoint(void *socket, char *ret_endpoint, size_t size);

typedef enum {
    MM_RECEIVED_NONE,   // nothing there now
    MM_RECEIVED_FRAME,  // *message holds it
    MM_RECEIVED_BAD,    // a message of the wrong number of frames was dropped
    MM_RECEIVED_FOREIGN // mm_receive only: the frame has another version of the protocol
} mm_received_t;

// Takes one message of one frame; the message was initialised by the caller and is reused.
mm_received_t mm_socket_receive(void *socket, zmq_msg_t *message);
// The same for topic and frame: *message holds the frame.
mm_received_t mm_socket_receive_event(void *socket, zmq_msg_t *message);
// Decodes a message that was received, within the span "unpack". See mm_decode.
mm_wire_status_t mm_socket_decode(mm_decoder_t *decoder, zmq_msg_t *message, mm_frame_t *ret_frame);
// False when it could not be sent now.
bool mm_socket_send(void *socket, mm_str_t frame);
void mm_socket_publish(void *socket, mm_str_t topic, mm_str_t frame);

// "job.NAME", "worker.NAME", "consumer" or "viewers" with the NUL byte that ends a topic, since SUB
// matches prefixes. name: NULL for the last two. Returns the topic within buffer.
#define MM_TOPIC_MAX (MM_NAME_MAX + 16)
mm_str_t mm_topic(const char *kind, const char *name, char buffer[MM_TOPIC_MAX]);

// A PUSH socket that keeps frames in order until they can be sent.
typedef struct mm_sender mm_sender_t;

// Takes the socket.
mm_sender_t *mm_sender_new(mm_loop_t *loop, const char *name, void *socket);
void mm_sender_destroy(mm_sender_t **self_p);
void mm_sender_send(mm_sender_t *self, mm_str_t frame);
// Frames that wait.
size_t mm_sender_waiting(const mm_sender_t *self);
void *mm_sender_socket(mm_sender_t *self);

#endif
