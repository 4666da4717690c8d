// ZeroMQ sockets with the options of docs/protocol.md, set before bind or connect and read back;
// frames received without blocking; a receiver that decodes them, and drops, counts and logs those
// that are not valid.

#ifndef MM_SOCKET_H
#define MM_SOCKET_H

#include "wire.h"

#include <zmq.h>

#define MM_SOCKET_HWM       1000   // frames
#define MM_SOCKET_HWM_EVENT 100000 // frames of PUB and SUB: beyond them a slow reader misses frames
#define MM_LINGER_MS        1000   // the longest wait at exit for sent frames to leave

// Raises the limit of descriptors to the hard limit, since libzmq aborts when there are none left.
// Returns the former soft limit, for spawned commands; 0 when the hard limit is below 4096.
uint64_t mm_socket_raise_descriptors(void);

typedef struct mm_socket mm_socket_t;

// A socket with all options set: ZMQ_PUSH, ZMQ_PULL, ZMQ_PUB, ZMQ_XPUB, ZMQ_SUB or ZMQ_ROUTER;
// ZMQ_PAIR for a monitor. The first call makes the context of the process. Never NULL.
mm_socket_t *mm_socket_new(int type);
// The same for a socket that a peer asks for. NULL, with errno: there are no descriptors, or too
// many sockets, of which some may still be closing.
mm_socket_t *mm_socket_try(int type);
// Before bind or connect, for frames that may be lost: limits how many wait for each peer, 0: not
// at all; at exit they are dropped.
void mm_socket_limit(mm_socket_t *self, int frames);
// An option that mm_socket_new does not know (zmq_setsockopt(3)), with a value that libzmq takes.
void mm_socket_set(mm_socket_t *self, int option, const void *value, size_t size);
// Before bind: the socket is a CURVE server (RFC 26), which asks the ZAP handler (RFC 27) by this
// domain. The key is 40 characters of Z85 and a NUL.
void mm_socket_set_server(mm_socket_t *self, const char *secret_key, const char *domain);
// Before connect: the socket is a CURVE client (RFC 26), with its own pair of keys and the server's
// public one. Each is 40 characters of Z85 and a NUL.
void mm_socket_set_keys(mm_socket_t *self, const char *public_key, const char *secret_key,
                        const char *server_key);
// Idempotent. Leaves the file of an ipc endpoint that was bound: its owner unlinks it.
void mm_socket_destroy(mm_socket_t **self_p);
// After all sockets were destroyed: waits until sent frames have left, at most MM_LINGER_MS.
void mm_socket_end(void);

// Both return 0, or an errno.
int mm_socket_bind(mm_socket_t *self, const char *endpoint);
int mm_socket_connect(mm_socket_t *self, const char *endpoint);
// Ends a bind and drops its connections; the port is free some milliseconds later. endpoint: as
// mm_socket_endpoint has told it then.
void mm_socket_unbind(mm_socket_t *self, const char *endpoint);
void mm_socket_subscribe(mm_socket_t *self, mm_str_t topic);
// The endpoint that was bound last ("tcp://127.0.0.1:40123").
void mm_socket_endpoint(mm_socket_t *self, char *ret_endpoint, size_t size);

typedef enum {
    MM_RECEIVED_NONE,    // nothing there now
    MM_RECEIVED_FRAME,   // *message holds it
    MM_RECEIVED_BAD,     // a message of the wrong number of frames was dropped
    MM_RECEIVED_FOREIGN, // mm_receive only: the frame has another version of the protocol
    MM_RECEIVED_OTHER    // mm_consumers_receive only: of a consumer that is not followed
} mm_received_t;

// Receives one message of one frame, which an event has behind its topic. The caller has
// initialised *message, which is reused.
mm_received_t mm_socket_receive(mm_socket_t *self, bool is_event, zmq_msg_t *message);
// Decodes a received message, in the span "unpack". See mm_decode.
mm_wire_status_t mm_socket_decode(mm_decoder_t *decoder, zmq_msg_t *message, mm_frame_t *ret_frame);
// False: the frame cannot be sent now.
bool mm_socket_send(mm_socket_t *self, mm_str_t frame);
// Sends a topic and a frame, or drops both.
void mm_socket_publish(mm_socket_t *self, mm_str_t topic, mm_str_t frame);

// For whoever waits, as the loop does. libzmq signals a change once: its descriptor becomes
// readable, and any call on the socket may consume that. The descriptor does not report what such a
// call leaves behind: ask for it, unless the last call has shown that it is not there.
//
// The descriptor, readable until the next call on the socket.
int mm_socket_descriptor(mm_socket_t *self);
// Asks which of ZMQ_POLLIN and ZMQ_POLLOUT there are.
short mm_socket_events(mm_socket_t *self);
// Those that the last call has found missing: the descriptor reports them when they come.
short mm_socket_missing(const mm_socket_t *self);
// libzmq's socket, for calls that are not here. Take it for each of them: nothing is then known to
// be missing.
void *mm_socket_zmq(mm_socket_t *self);

// "job.NAME", "worker.NAME", "consumer" or "viewers", ended by a NUL byte, since SUB matches
// prefixes. name: NULL for the last two. Returns the topic, in buffer.
#define MM_TOPIC_MAX (MM_NAME_MAX + 16)
mm_str_t mm_topic(const char *kind, const char *name, char buffer[MM_TOPIC_MAX]);

// Frames that were dropped.
typedef struct {
    uint64_t count;
    uint64_t logged;   // the count in the last log line
    int64_t logged_ms; // when that was
} mm_drops_t;

typedef struct {
    mm_decoder_t *decoder; // NULL: not open
    zmq_msg_t message;     // the last one, which the last frame points into
    mm_drops_t drops;
} mm_receiver_t;

void mm_receiver_open(mm_receiver_t *self);
// Logs the drops that no line has counted yet. No-op when it is not open.
void mm_receiver_close(mm_receiver_t *self);

// Receives one message without blocking; with is_event it has a topic before the frame. FRAME: the
// frame is in *ret_frame, valid until the next call. BAD and FOREIGN: it was dropped. where: the
// name of the socket for the log. now_ms: CLOCK_BOOTTIME.
mm_received_t mm_receive(mm_receiver_t *self, mm_socket_t *socket, bool is_event, const char *where,
                         int64_t now_ms, mm_frame_t *ret_frame);
// Who has sent the frame that was received last, as the kernel knows it: "localhost:UID:GID:PID"
// over ipc. Over tcp it is an address. NULL: not known. Valid until the next call.
const char *mm_receiver_peer(mm_receiver_t *self);
// Drops the frame that was received last. Logs at most one line a second.
void mm_receiver_drop(mm_receiver_t *self, const char *why, const char *where, int64_t now_ms);

#endif
