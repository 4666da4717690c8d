// See receiver.h.

#include "receiver.h"
#include "log.h"

void mm_receiver_open(mm_receiver_t *self)
{
    self->decoder = mm_decoder_new();
    (void)zmq_msg_init(&self->message);
}

void mm_receiver_close(mm_receiver_t *self)
{
    if (!self->decoder)
        return;
    if (self->drops.count > self->drops.logged)
        mm_log(MM_LOG_WARN, "Dropped bad frames", MM_INT("total", self->drops.count));
    mm_decoder_destroy(&self->decoder);
    (void)zmq_msg_close(&self->message);
}

void mm_receiver_drop(mm_receiver_t *self, const char *why, const char *where, int64_t now_ms)
{
    mm_drops_t *drops = &self->drops;
    drops->count++;
    if (drops->logged > 0 && now_ms - drops->logged_ms < 1000)
        return;
    mm_log(MM_LOG_WARN, "Dropped a bad frame", MM_STRING("why", why), MM_STRING("where", where),
           MM_INT("total", drops->count));
    drops->logged = drops->count;
    drops->logged_ms = now_ms;
}

mm_received_t mm_receive(mm_receiver_t *self, void *socket, bool is_event, const char *where,
                         int64_t now_ms, mm_frame_t *ret_frame)
{
    mm_received_t received = is_event ? mm_socket_receive_event(socket, &self->message)
                                      : mm_socket_receive(socket, &self->message);
    if (received == MM_RECEIVED_BAD)
        mm_receiver_drop(self, "wrong number of frames", where, now_ms);
    if (received != MM_RECEIVED_FRAME)
        return received;
    mm_wire_status_t status = mm_socket_decode(self->decoder, &self->message, ret_frame);
    if (status == MM_WIRE_OK)
        return MM_RECEIVED_FRAME;
    mm_receiver_drop(self, mm_decoder_complaint(self->decoder), where, now_ms);
    return status == MM_WIRE_VERSION_BAD ? MM_RECEIVED_FOREIGN : MM_RECEIVED_BAD;
}
