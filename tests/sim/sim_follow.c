// Whom publishers and workers of the simulator follow, as common/runtime/consumers.c has it: all of
// the real core (follow.h), and what that shell makes of it.

#include "sim.h"

#include "string_view.h"

void sim_follow_begin(sim_t *self, sim_process_t *client)
{
    client->follow = mm_follow_new(self->shape.gather.lost_after_ms);
    client->named_ms = sim_clock(self, client);
}

static bool is_followed(const sim_process_t *client, const sim_process_t *consumer)
{
    return client->follow.address == consumer->index || client->follow.address == MM_FOLLOW_NOBODY;
}

bool sim_follows(const sim_process_t *client, const sim_process_t *consumer)
{
    return client->alive && is_followed(client, consumer);
}

static bool hear(sim_t *self, sim_process_t *client, const sim_process_t *consumer, uint64_t epoch)
{
    size_t former = client->follow.address;
    int64_t now_ms = sim_clock(self, client);
    bool counts = mm_follow_hear(&client->follow, consumer->index, epoch, now_ms);
    if (client->follow.address != former)
        client->named_ms = now_ms;
    if (client->follow.address != former)
        sim_trace(self, "%s: follows %s, epoch %llu", client->name.text, consumer->name.text,
                  (unsigned long long)epoch);
    return counts;
}

static bool hear_beat(sim_t *self, sim_process_t *client, const sim_process_t *consumer,
                      const mm_beat_body_t *beat)
{
    if (!hear(self, client, consumer, beat->epoch))
        return false;
    for (size_t i = 0; i < beat->count; i++)
        if (mm_str_equal(beat->items[i].worker, mm_str(client->name.text)))
            client->named_ms = sim_clock(self, client);
    return true;
}

bool sim_follow_counts(sim_t *self, sim_process_t *client, const sim_process_t *consumer,
                       const mm_frame_t *frame)
{
    switch ((int)frame->kind) { // what the others say is of the one that is followed
    case MM_FRAME_BEAT: return hear_beat(self, client, consumer, &frame->as.beat);
    case MM_FRAME_WELCOME:
        return frame->as.answer.instance == client->instance &&
               hear(self, client, consumer, frame->as.answer.epoch);
    case MM_FRAME_NOTICES:
        return is_followed(client, consumer) || frame->as.notices.epoch < client->follow.epoch;
    case MM_FRAME_LEAVING:
        if (client->follow.address == consumer->index &&
            frame->as.leaving.epoch == client->follow.epoch)
            mm_follow_leave(&client->follow);
        break;
    }
    return is_followed(client, consumer);
}

static sim_process_t *consumer_at(sim_t *self, size_t address)
{
    for (uint32_t i = 0; i < self->process_count; i++)
        if (self->processes[i].role == SIM_CONSUMER && self->processes[i].index == address)
            return &self->processes[i];
    return self->consumer;
}

void sim_send_up(sim_t *self, sim_process_t *client, const mm_frame_t *frame)
{
    bool is_alone = client->follow.address == MM_FOLLOW_NOBODY;
    sim_process_t *to = self->shape.shared
                            ? consumer_at(self, is_alone ? 0 : client->follow.address)
                            : self->consumer;
    sim_send(self, client, to, 0, frame);
}

static bool hears_nobody(const sim_t *self, const sim_process_t *client)
{
    int64_t now_ms = sim_clock(self, client);
    bool is_worker = client->role != SIM_PUBLISHER;
    return mm_follow_is_alone(&client->follow, now_ms) ||
           (is_worker && now_ms - client->named_ms >= self->shape.gather.lost_after_ms);
}

void sim_ask_up(sim_t *self, sim_process_t *client, const mm_frame_t *frame)
{
    if (self->shape.shared && !hears_nobody(self, client)) {
        sim_process_t *to = consumer_at(self, client->follow.address);
        if (to->alive)
            sim_send(self, client, to, 0, frame);
        return;
    }
    for (size_t i = 0; i < (self->shape.shared ? SIM_CONSUMERS : 1); i++) {
        sim_process_t *to = self->shape.shared ? consumer_at(self, i) : self->consumer;
        if (to->alive)
            sim_send(self, client, to, 0, frame);
    }
}
