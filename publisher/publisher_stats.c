// See publisher_stats.h.

#include "publisher_stats.h"
#include "clock.h"

#define SEEN 16

static json_t *stats(void *arg)
{
    publisher_stats_t *self = arg;
    intake_counts_t counts = intake_counts(self->intake);
    int64_t now_ms = mm_clock_ms();
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "total",
        (json_int_t)counts.total, "restarted", (json_int_t)counts.restarted, "dead",
        (json_int_t)counts.dead, "settled", (json_int_t)self->settled, "backlog",
        (json_int_t)counts.backlog, "leased", (json_int_t)outbox_leased(self->outbox), "window",
        (json_int_t)self->window, "frames_waiting", (json_int_t)mm_sender_waiting(*self->jobs),
        "bad_frames", (json_int_t)self->drops->count, "wait_p50_us",
        (json_int_t)mm_windowed_histogram_quantile(&self->waits, now_ms, 0.5), "wait_p99_us",
        (json_int_t)mm_windowed_histogram_quantile(&self->waits, now_ms, 0.99), "p50_us",
        (json_int_t)mm_windowed_histogram_quantile(&self->times, now_ms, 0.5), "p99_us",
        (json_int_t)mm_windowed_histogram_quantile(&self->times, now_ms, 0.99));
}

// What cannot be sent now is not worth keeping: it is asked for again.
static void send_reply(void *arg, const mm_frame_t *frame)
{
    publisher_stats_t *self = arg;
    if (mm_sender_waiting(*self->jobs) > 0)
        return;
    mm_encode_frame(self->encoder, frame);
    (void)mm_socket_send(mm_sender_socket(*self->jobs), mm_encoder_bytes(self->encoder));
}

void publisher_stats_open(publisher_stats_t *self, const char *process)
{
    self->encoder = mm_encoder_new();
    self->reply = mm_stats_reply_new(&(mm_stats_reply_config_t){.process = process,
                                                                .program = MM_PROGRAM_PUBLISHER,
                                                                .stats = stats,
                                                                .send = send_reply,
                                                                .arg = self});
}

void publisher_stats_close(publisher_stats_t *self)
{
    mm_encoder_destroy(&self->encoder);
}

void publisher_stats_answer(publisher_stats_t *self, const mm_frame_t *query, int64_t now_ms)
{
    mm_stats_reply_answer(&self->reply, query, now_ms);
}

void publisher_stats_see_delivered(publisher_stats_t *self, const outbox_action_t *action)
{
    if (action->delivery > 1 || self->seen++ % SEEN != 0)
        return;
    int64_t now_us = mm_clock_us();
    mm_windowed_histogram_record(&self->waits, now_us / 1000, now_us - action->accepted_us);
}

void publisher_stats_see_settled(publisher_stats_t *self, const outbox_action_t *action,
                                 int64_t now_us)
{
    if (self->settled++ % SEEN == 0)
        mm_windowed_histogram_record(&self->times, now_us / 1000, now_us - action->accepted_us);
}
