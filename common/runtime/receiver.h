// Receiving for a process: one frame at a time, decoded. What is no valid frame is dropped, counted
// and logged.

#ifndef MM_RECEIVER_H
#define MM_RECEIVER_H

#include "socket.h"

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
// name of the socket for the log. now_ms: CLOCK_MONOTONIC.
mm_received_t mm_receive(mm_receiver_t *self, void *socket, bool is_event, const char *where,
                         int64_t now_ms, mm_frame_t *ret_frame);
// Drops the frame that was received last. Logs at most one line a second.
void mm_receiver_drop(mm_receiver_t *self, const char *why, const char *where, int64_t now_ms);

#endif
