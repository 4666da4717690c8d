// The simulator's network. What is on its way is bytes, as on the real wire. A message is lost when
// its receiver has died or recreated its sockets since it was sent.

#include "sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_MS  5000 // how long a task waits for its worker to connect
#define AGAIN_MS 10

struct sim_message {
    mm_heap_node_t node;
    sim_message_t *next; // in a backlog
    int64_t sent_ms;
    uint32_t from;
    uint32_t to;
    uint32_t sockets; // of the receiver when it was sent
    uint64_t session; // 0: not through a session's pipe
    bool is_event;
    size_t size;
    char data[];
};

uint32_t sim_index(const sim_t *self, const sim_process_t *process)
{
    return (uint32_t)(process - self->processes);
}

// In order of time, and of sending when that is the same.
static void schedule(sim_t *self, sim_message_t *message, int64_t due_ms)
{
    int64_t key = (due_ms << 22) | (int64_t)(++self->message_serial & 0x3fffff);
    mm_heap_put(&self->messages, &message->node, key);
}

int64_t sim_next_message(const sim_t *self)
{
    int64_t key = mm_heap_deadline(&self->messages);
    return key == MM_NEVER ? MM_NEVER : key >> 22;
}

static int64_t arrival(sim_t *self, uint32_t from, uint32_t to)
{
    int64_t delay_ms = 0;
    if (self->faults.delay_ms > 0)
        delay_ms = (int64_t)sim_below(self, (uint64_t)self->faults.delay_ms + 1);
    if (self->faulty && sim_chance(self, self->faults.far))
        delay_ms += (int64_t)sim_below(self, (uint64_t)self->faults.far_ms + 1);
    int64_t due_ms = self->now_ms + self->processes[from].stall_ms + delay_ms;
    if (!self->faulty || !self->faults.reorder) {
        if (due_ms < self->link_ms[from][to])
            due_ms = self->link_ms[from][to];
        self->link_ms[from][to] = due_ms;
    }
    return due_ms;
}

static void post(sim_t *self, sim_process_t *from, sim_process_t *to, uint64_t session,
                 bool is_event, mm_str_t bytes)
{
    sim_message_t *message = calloc(1, sizeof *message + bytes.size);
    assert(message);
    message->sent_ms = self->now_ms;
    message->from = sim_index(self, from);
    message->to = sim_index(self, to);
    message->sockets = to->sockets;
    message->session = session;
    message->is_event = is_event;
    message->size = bytes.size;
    memcpy(message->data, bytes.data, bytes.size);
    self->statistics.messages++;
    schedule(self, message, arrival(self, message->from, message->to));
}

static bool is_lost(sim_t *self, const sim_process_t *from, const sim_process_t *to,
                    uint32_t chance)
{
    bool is_cut = from->cut_out || to->cut_in ||
                  sim_shared_is_cut(self, sim_index(self, from), sim_index(self, to));
    bool lost = is_cut || (self->faulty && sim_chance(self, chance));
    self->statistics.lost += lost;
    return lost;
}

void sim_send(sim_t *self, sim_process_t *from, sim_process_t *to, uint64_t session,
              const mm_frame_t *frame)
{
    if (!to->alive && from->role != SIM_PUBLISHER)
        return; // cannot be sent now: a worker drops it and repeats
    if (is_lost(self, from, to, self->faults.loss))
        return;
    mm_encode_frame(self->encoder, frame);
    post(self, from, to, session, false, mm_encoder_bytes(self->encoder));
    if (self->faulty && sim_chance(self, self->faults.repeat))
        post(self, from, to, session, false, mm_encoder_bytes(self->encoder));
}

void sim_publish(sim_t *self, const mm_frame_t *frame)
{
    mm_encode_frame(self->encoder, frame);
    for (uint32_t i = 0; i < self->process_count; i++) {
        sim_process_t *to = &self->processes[i];
        if (to->role == SIM_CONSUMER || !to->alive || self->now_ms < to->heard_from ||
            is_lost(self, self->consumer, to, self->faults.event_loss))
            continue;
        post(self, self->consumer, to, 0, true, mm_encoder_bytes(self->encoder));
    }
}

// What one of two consumers has published goes to who follows it, and to who is asked for a lease.
static bool counts(sim_t *self, sim_process_t *to, const sim_message_t *message,
                   const mm_frame_t *frame)
{
    sim_process_t *from = &self->processes[message->from];
    if (!self->shape.shared || !message->is_event)
        return true;
    bool is_ask = frame->kind == MM_FRAME_LEASE_ASK;
    if (is_ask && to->role == SIM_SAVER)
        sim_database_ask(self, to, from, &frame->as.lease_ask);
    return !is_ask && sim_follow_counts(self, to, from, frame);
}

static void take(sim_t *self, sim_process_t *to, const sim_message_t *message)
{
    mm_frame_t frame;
    mm_wire_status_t status = mm_decode(self->decoder, message->data, message->size, &frame);
    if (status != MM_WIRE_OK)
        sim_violated(self, "wire", "a frame that was encoded does not decode: %s",
                     mm_decoder_complaint(self->decoder));
    else if (!counts(self, to, message, &frame))
        return;
    else if (to->role == SIM_CONSUMER)
        sim_consumer_take(self, to, &self->processes[message->from], &frame);
    else if (to->role == SIM_PUBLISHER)
        sim_publisher_take(self, to, &frame);
    else
        sim_worker_take(self, to, &frame);
}

// Whether the message has to wait on: for its consumer to live, or its worker to connect.
static bool waits(sim_t *self, const sim_message_t *message, const sim_process_t *to)
{
    const sim_process_t *from = &self->processes[message->from];
    if (from->role == SIM_PUBLISHER && !to->alive)
        return !self->shape.shared || sim_follows(from, to); // it keeps what it cannot send
    bool connected = to->session == message->session && self->now_ms >= to->connected_ms;
    return message->session != 0 && to->alive && !connected && message->session >= to->session &&
           self->now_ms - message->sent_ms < KEEP_MS;
}

static bool is_gone(const sim_message_t *message, const sim_process_t *to)
{
    if (!to->alive)
        return true;
    if (message->session != 0)
        return message->session != to->session || message->session == to->broken;
    return message->is_event && message->sockets != to->sockets;
}

void sim_deliver(sim_t *self)
{
    mm_heap_node_t *node = mm_heap_first(&self->messages);
    mm_heap_remove(&self->messages, node);
    sim_message_t *message = MM_HEAP_OWNER(node, sim_message_t, node);
    sim_process_t *to = &self->processes[message->to];
    if (waits(self, message, to)) {
        if (!to->alive)
            message->sockets = to->sockets + 1;
        schedule(self, message, self->now_ms + AGAIN_MS);
        return;
    }
    bool to_former = to->role == SIM_CONSUMER && message->sockets < to->sockets;
    bool is_revoked = self->processes[message->from].renewed_ms > 0;
    if (is_gone(message, to) || to_former || is_revoked) {
        self->statistics.lost++;
        free(message);
        return;
    }
    if (to->paused_until > self->now_ms) {
        sim_message_t **end = &to->backlog;
        while (*end)
            end = &(*end)->next;
        message->next = NULL;
        *end = message;
        return;
    }
    take(self, to, message);
    free(message);
}

void sim_deliver_backlog(sim_t *self, sim_process_t *process)
{
    while (process->backlog) {
        sim_message_t *message = process->backlog;
        process->backlog = message->next;
        if (process->alive && !is_gone(message, process))
            take(self, process, message);
        free(message);
    }
}

void sim_drop_messages(sim_t *self)
{
    for (mm_heap_node_t *node; (node = mm_heap_first(&self->messages)) != NULL;) {
        mm_heap_remove(&self->messages, node);
        free(MM_HEAP_OWNER(node, sim_message_t, node));
    }
}
