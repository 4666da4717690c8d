// See telling.h.

#include "publisher_stats.h"
#include "clock.h"

#include <assert.h>

#define SEEN 16

static void add_stats(void *arg, json_t *stats)
{
    telling_t *self = arg;
    intake_counts_t counts = intake_counts(self->intake);
    int64_t now_ms = mm_clock_ms();
    json_t *own = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "total",
        (json_int_t)counts.total, "restarted", (json_int_t)counts.restarted, "dead",
        (json_int_t)counts.dead, "settled", (json_int_t)self->settled, "backlog",
        (json_int_t)counts.backlog, "leased", (json_int_t)outbox_leased(self->outbox), "window",
        (json_int_t)self->window, "frames_waiting", (json_int_t)mm_sender_waiting(*self->jobs),
        "bad_frames", (json_int_t)self->drops->count, "wait_p50_us",
        (json_int_t)mm_recent_quantile(&self->waits, now_ms, 0.5), "wait_p99_us",
        (json_int_t)mm_recent_quantile(&self->waits, now_ms, 0.99), "p50_us",
        (json_int_t)mm_recent_quantile(&self->times, now_ms, 0.5), "p99_us",
        (json_int_t)mm_recent_quantile(&self->times, now_ms, 0.99));
    assert(own);
    json_object_update(stats, own);
    json_decref(own);
}

// What cannot be sent now is not worth keeping: it is asked for again.
static void send_tell(void *arg, const mm_frame_t *frame)
{
    telling_t *self = arg;
    if (mm_sender_waiting(*self->jobs) > 0)
        return;
    mm_encode_frame(self->encoder, frame);
    (void)mm_socket_send(mm_sender_socket(*self->jobs), mm_encoder_bytes(self->encoder));
}

void telling_open(telling_t *self, const char *process)
{
    self->encoder = mm_encoder_new();
    self->tell = mm_tell_new(&(mm_tell_config_t){
        .process = process, .role = "publisher", .add = add_stats, .send = send_tell, .arg = self});
}

void telling_close(telling_t *self)
{
    mm_encoder_destroy(&self->encoder);
}

void telling_answer(telling_t *self, const mm_frame_t *query, int64_t now_ms)
{
    mm_tell_answer(&self->tell, query, now_ms);
}

void telling_see_delivered(telling_t *self, const outbox_action_t *action)
{
    if (action->delivery > 1 || self->seen++ % SEEN != 0)
        return;
    int64_t now_us = mm_clock_us();
    mm_recent_record(&self->waits, now_us / 1000, now_us - action->accepted_us);
}

void telling_see_settled(telling_t *self, const outbox_action_t *action, int64_t now_us)
{
    if (self->settled++ % SEEN == 0)
        mm_recent_record(&self->times, now_us / 1000, now_us - action->accepted_us);
}
