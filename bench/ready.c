// See ready.h.

#include "ready.h"
#include "clock.h"
#include "endpoint.h"
#include "roles.h"
#include "socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define LIMIT_MS   30000
#define OUTBOX_LOG "outbox.db-wal"

// Whether a heartbeat has come that names all of them. A frame that is full has another behind it.
static bool hears_all(mm_receiver_t *receiver, mm_socket_t *events, size_t workers, size_t *named)
{
    mm_frame_t frame;
    mm_received_t received;
    while ((received = mm_receive(receiver, events, true, "events", mm_clock_ms(), &frame)) !=
           MM_RECEIVED_NONE) {
        if (received != MM_RECEIVED_FRAME || frame.kind != MM_FRAME_BEAT)
            continue;
        *named += frame.as.beat.count;
        if (frame.as.beat.count == MM_BATCH_ITEMS)
            continue;
        if (*named == workers && !frame.as.beat.halted)
            return true;
        *named = 0;
    }
    return false;
}

void ready_workers(const char *address, size_t workers)
{
    mm_endpoint_t base;
    mm_receiver_t receiver = {0};
    char endpoint[MM_ENDPOINT_MAX], topic[MM_TOPIC_MAX];
    mm_socket_t *events = mm_socket_new(ZMQ_SUB);
    mm_socket_subscribe(events, mm_topic("consumer", NULL, topic));
    if (!mm_endpoint_parse(address, &base) ||
        mm_socket_connect(events, mm_endpoint_of(&base, MM_SOCKET_EVENTS, endpoint)) != 0)
        roles_fail(address, "no consumer can be heard there");
    mm_receiver_open(&receiver);
    int64_t limit_ms = mm_clock_ms() + LIMIT_MS;
    size_t named = 0;
    while (!hears_all(&receiver, events, workers, &named)) {
        if (mm_clock_ms() > limit_ms)
            roles_fail(address, "not all workers have joined the consumer");
        roles_check();
        zmq_pollitem_t item = {.socket = mm_socket_zmq(events), .events = ZMQ_POLLIN};
        (void)zmq_poll(&item, 1, 1000);
    }
    mm_receiver_close(&receiver);
    mm_socket_destroy(&events);
    mm_socket_end();
}

ready_outbox_t ready_outbox_watch(const char *dir)
{
    ready_outbox_t self = {.descriptor = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    if (self.descriptor < 0 || inotify_add_watch(self.descriptor, dir, IN_OPEN) < 0)
        roles_fail(dir, strerror(errno));
    return self;
}

// Whether the outbox's log is among the files that were opened: that of a former run may be there.
static bool is_opened(int descriptor)
{
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    const struct inotify_event *event;
    ssize_t size = read(descriptor, buffer, sizeof buffer);
    for (ssize_t at = 0; at < size; at += (ssize_t)(sizeof *event + event->len)) {
        event = (const struct inotify_event *)(const void *)(buffer + at);
        if (event->len > 0 && strcmp(event->name, OUTBOX_LOG) == 0)
            return true;
    }
    return false;
}

void ready_outbox(ready_outbox_t *self)
{
    int64_t limit_ms = mm_clock_ms() + LIMIT_MS;
    while (!is_opened(self->descriptor)) {
        if (mm_clock_ms() > limit_ms)
            roles_fail(OUTBOX_LOG, "the publisher has not opened its outbox");
        roles_check();
        (void)poll(&(struct pollfd){.fd = self->descriptor, .events = POLLIN}, 1, 1000);
    }
    (void)close(self->descriptor);
    self->descriptor = -1;
}
