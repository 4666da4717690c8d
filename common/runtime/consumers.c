// See consumers.h.

#include "consumers.h"
#include "clock.h"
#include "follow.h"
#include "log.h"
#include "string_view.h"

#include <assert.h>
#include <stdlib.h>

#define SILENT_BEATS 3

// To one address.
typedef struct {
    mm_consumers_t *owner;
    size_t index;
    mm_endpoint_t base;
    mm_link_t *link;
    mm_sender_t *push;
    mm_socket_t *events;
    int64_t heard_ms; // anything there; at first when the sockets were made
} way_t;

struct mm_consumers {
    mm_consumers_config_t config;
    way_t ways[MM_ADDRESSES_MAX];
    size_t count;
    mm_follow_t follow;
    size_t from;
    int64_t named_ms; // when the one that is followed has named this worker last
};

// ---- sockets

static void on_events(void *arg)
{
    const way_t *way = arg;
    way->owner->config.on_events(way->owner->config.arg);
}

static void open_push(way_t *way)
{
    const mm_consumers_config_t *config = &way->owner->config;
    char endpoint[MM_ENDPOINT_MAX];
    mm_socket_t *push = mm_socket_new(ZMQ_PUSH);
    int rc =
        mm_link_connect(way->link, push, mm_endpoint_of(&way->base, config->role, endpoint), false);
    assert(rc == 0);
    way->push = mm_sender_new(config->loop, config->name, push);
}

static void close_push(way_t *way)
{
    mm_link_leave(way->link, mm_sender_socket(way->push));
    mm_sender_destroy(&way->push);
}

static void open_way(way_t *way)
{
    const mm_consumers_config_t *config = &way->owner->config;
    char endpoint[MM_ENDPOINT_MAX];
    open_push(way);
    way->events = mm_socket_new(ZMQ_SUB);
    config->subscribe(config->arg, way->events);
    int rc = mm_link_connect(way->link, way->events,
                             mm_endpoint_of(&way->base, MM_SOCKET_EVENTS, endpoint), false);
    assert(rc == 0);
    if (config->loop)
        mm_loop_add_socket(config->loop, "events", way->events, ZMQ_POLLIN, on_events, way);
    way->heard_ms = mm_clock_ms();
}

static void close_way(way_t *way)
{
    if (way->owner->config.loop)
        mm_loop_remove_socket(way->owner->config.loop, way->events);
    mm_link_leave(way->link, way->events);
    mm_socket_destroy(&way->events);
    close_push(way);
}

static void reopen_way(way_t *way)
{
    close_way(way);
    open_way(way);
}

void mm_consumers_reopen(mm_consumers_t *self)
{
    int64_t since_ms = mm_clock_ms() - SILENT_BEATS * self->config.heartbeat_ms;
    for (size_t i = 0; i < self->count; i++)
        if (self->count == 1 || self->ways[i].heard_ms <= since_ms)
            reopen_way(&self->ways[i]);
}

int64_t mm_consumers_turn(mm_consumers_t *self, int64_t now_ms)
{
    int64_t due_ms = MM_NEVER;
    for (size_t i = 0; i < self->count && self->count > 1; i++) {
        if (now_ms - self->ways[i].heard_ms >= MM_CONSUMERS_SPARE_MS)
            reopen_way(&self->ways[i]);
        due_ms = mm_earlier(due_ms, self->ways[i].heard_ms + MM_CONSUMERS_SPARE_MS);
    }
    return due_ms;
}

// The client itself judges what becomes of the one that it follows, or waits for.
static void renew(void *arg)
{
    way_t *way = arg;
    const mm_consumers_t *self = way->owner;
    bool is_spare = self->count > 1 && way->index != self->follow.address;
    way->heard_ms = mm_clock_ms() - MM_CONSUMERS_SPARE_MS; // mm_consumers_reopen passes it not over
    if (is_spare)
        reopen_way(way);
    else
        self->config.cut(self->config.arg);
}

// ---- start and end

mm_consumers_t *mm_consumers_new(const mm_consumers_config_t *config)
{
    mm_consumers_t *self = calloc(1, sizeof *self);
    assert(self && config->addresses->count > 0);
    self->config = *config;
    self->count = config->addresses->count;
    self->follow = mm_follow_new(config->lost_after_ms);
    self->named_ms = mm_clock_ms();
    for (size_t i = 0; i < self->count; i++) {
        way_t *way = &self->ways[i];
        *way = (way_t){.owner = self, .index = i, .base = config->addresses->items[i]};
        way->link = mm_link_new(&(mm_link_config_t){.loop = config->loop,
                                                    .base = &way->base,
                                                    .key = config->key,
                                                    .logs = config->logs,
                                                    .renew = renew,
                                                    .arg = way});
        open_way(way);
    }
    return self;
}

void mm_consumers_destroy(mm_consumers_t **self_p)
{
    mm_consumers_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    for (size_t i = 0; i < self->count; i++) {
        close_way(&self->ways[i]);
        mm_link_destroy(&self->ways[i].link);
    }
    free(self);
}

// ---- whom to follow

// Jobs that wait to be sent to the former one are no longer its own.
static bool hear(mm_consumers_t *self, size_t at, uint64_t epoch, int64_t now_ms)
{
    size_t former = self->follow.address;
    bool counts = mm_follow_hear(&self->follow, at, epoch, now_ms);
    if (self->follow.address == former)
        return counts;
    char address[MM_ENDPOINT_MAX + 16];
    if (self->config.logs)
        mm_log(MM_LOG_INFO, "Following the consumer of the highest epoch",
               MM_STRING("address", mm_addresses_print(&self->ways[at].base, address)),
               MM_INT("epoch", epoch));
    self->named_ms = now_ms;
    if (former != MM_FOLLOW_NOBODY) {
        close_push(&self->ways[former]);
        open_push(&self->ways[former]);
    }
    return counts;
}

static bool is_followed(const mm_consumers_t *self, size_t at)
{
    return self->follow.address == at || self->follow.address == MM_FOLLOW_NOBODY;
}

static bool hear_beat(mm_consumers_t *self, size_t at, const mm_beat_body_t *beat, int64_t now_ms)
{
    if (!hear(self, at, beat->epoch, now_ms))
        return false;
    for (size_t i = 0; i < beat->count && self->config.worker; i++)
        if (mm_str_equal(beat->items[i].worker, mm_str(self->config.worker)))
            self->named_ms = now_ms;
    return true;
}

static bool judge(mm_consumers_t *self, size_t at, const mm_frame_t *frame, int64_t now_ms)
{
    switch ((int)frame->kind) {
    case MM_FRAME_BEAT:
        return frame->as.beat.epoch > MM_EPOCH_MAX ? is_followed(self, at)
                                                   : hear_beat(self, at, &frame->as.beat, now_ms);
    case MM_FRAME_WELCOME:
        return frame->as.answer.instance == self->config.instance &&
               (frame->as.answer.epoch > MM_EPOCH_MAX
                    ? is_followed(self, at)
                    : hear(self, at, frame->as.answer.epoch, now_ms));
    case MM_FRAME_NOTICES: // an outcome is on record, whoever says so (P9.7)
        return is_followed(self, at) || frame->as.notices.epoch < self->follow.epoch;
    case MM_FRAME_LEASE_ASK: return true; // of whoever may lead
    case MM_FRAME_LEAVING:
        if (self->follow.address == at && frame->as.leaving.epoch == self->follow.epoch)
            mm_follow_leave(&self->follow);
        return is_followed(self, at);
    }
    return is_followed(self, at);
}

bool mm_consumers_counts(mm_consumers_t *self, size_t at, const mm_frame_t *frame, int64_t now_ms)
{
    if (self->count == 1)
        return true;
    self->ways[at].heard_ms = now_ms;
    return judge(self, at, frame, now_ms);
}

// From the address that was read last on, so that each is drained before the next one.
mm_received_t mm_consumers_receive(mm_consumers_t *self, mm_receiver_t *receiver, int64_t now_ms,
                                   mm_frame_t *ret_frame)
{
    for (size_t i = 0; i < self->count; i++) {
        mm_received_t received =
            mm_receive(receiver, self->ways[self->from].events, true, "events", now_ms, ret_frame);
        if (received == MM_RECEIVED_FRAME)
            return mm_consumers_counts(self, self->from, ret_frame, now_ms) ? MM_RECEIVED_FRAME
                                                                            : MM_RECEIVED_OTHER;
        if (received != MM_RECEIVED_NONE)
            return received;
        if (self->count > 1)
            self->from = (self->from + 1) % self->count;
    }
    return MM_RECEIVED_NONE;
}

size_t mm_consumers_from(const mm_consumers_t *self)
{
    return self->from;
}

size_t mm_consumers_followed(const mm_consumers_t *self)
{
    return self->follow.address == MM_FOLLOW_NOBODY ? 0 : self->follow.address;
}

bool mm_consumers_follows(const mm_consumers_t *self)
{
    return self->follow.address != MM_FOLLOW_NOBODY;
}

mm_sender_t *mm_consumers_sender(const mm_consumers_t *self)
{
    return self->ways[mm_consumers_followed(self)].push;
}

mm_link_t *mm_consumers_link(const mm_consumers_t *self)
{
    return self->ways[mm_consumers_followed(self)].link;
}

const mm_endpoint_t *mm_consumers_base(const mm_consumers_t *self)
{
    return &self->ways[mm_consumers_followed(self)].base;
}

// ---- sending

bool mm_consumers_send_to(mm_consumers_t *self, size_t at, mm_str_t frame)
{
    assert(at < self->count);
    mm_sender_t *push = self->ways[at].push;
    return mm_sender_waiting(push) == 0 && mm_socket_send(mm_sender_socket(push), frame);
}

static bool is_unheard(const mm_consumers_t *self)
{
    int64_t now_ms = mm_clock_ms();
    return mm_follow_is_alone(&self->follow, now_ms) ||
           (self->config.worker && now_ms - self->named_ms >= self->config.lost_after_ms);
}

bool mm_consumers_ask(mm_consumers_t *self, mm_str_t frame)
{
    bool is_sent = false;
    if (self->count == 1 || !is_unheard(self))
        return mm_consumers_send_to(self, mm_consumers_followed(self), frame);
    for (size_t i = 0; i < self->count; i++)
        is_sent = mm_consumers_send_to(self, i, frame) || is_sent;
    return is_sent;
}

// ---- for those who wait by themselves

size_t mm_consumers_count(const mm_consumers_t *self)
{
    return self->count;
}

mm_socket_t *mm_consumers_events(const mm_consumers_t *self, size_t at)
{
    return self->ways[at].events;
}

mm_link_t *mm_consumers_link_at(const mm_consumers_t *self, size_t at)
{
    return self->ways[at].link;
}

const char *mm_consumers_complaint(const mm_consumers_t *self)
{
    const char *complaint = mm_link_complaint(mm_consumers_link(self));
    for (size_t i = 0; i < self->count && *complaint == '\0'; i++)
        complaint = mm_link_complaint(self->ways[i].link);
    return complaint;
}
