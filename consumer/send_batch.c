// See send_batch.h.

#include "send_batch.h"
#include "clock.h"
#include "crash.h"
#include "host.h"
#include "sender.h"
#include "span.h"
#include "span_names.h"
#include "wire.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>
#include <utlist.h>

#define SUFFIX_MAX  32
#define READERS_MAX 64           // publishers with a batch; one more replaces the oldest
#define WAITING_MAX MM_SLOTS_MAX // frames that wait for a worker to connect

typedef struct session {
    uint64_t number;
    mm_sender_t *sender;
    mm_encoder_t *tasks; // open batch; NULL before the first
    char suffix[SUFFIX_MAX];
    mm_name_t worker;
    bool is_remote; // bound by the listener
    bool restarts;  // its batch has tasks of a restarter
    UT_hash_handle hh;
    struct session *prev, *next; // those with an open batch
    bool listed;
} session_t;

typedef struct reader {
    mm_name_t name; // a publisher's
    mm_encoder_t *notices;
    UT_hash_handle hh;
    struct reader *prev, *next; // those with an open batch
    bool listed;
} reader_t;

struct batch {
    send_batch_config_t config;
    mm_str_t name; // the consumer's
    session_t *sessions;
    session_t *open_sessions;
    session_t *latest;      // the result of the last lookup; NULL: it may be closed
    reader_t *readers;      // by name, READERS_MAX at most
    reader_t *open_readers; // in order of their first notice
    mm_encoder_t *encoder;  // for whole frames
};

send_batch_t *send_batch_new(const send_batch_config_t *config)
{
    send_batch_t *self = calloc(1, sizeof *self);
    assert(self);
    *self = (send_batch_t){
        .config = *config, .name = mm_str(config->name), .encoder = mm_encoder_new()};
    return self;
}

void send_batch_destroy(send_batch_t **self_p)
{
    send_batch_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    session_t *session, *next_session;
    HASH_ITER (hh, self->sessions, session, next_session)
        send_batch_close(self, session->number);
    reader_t *reader, *next_reader;
    HASH_ITER (hh, self->readers, reader, next_reader) {
        HASH_DELETE(hh, self->readers, reader);
        mm_encoder_destroy(&reader->notices);
        free(reader);
    }
    mm_encoder_destroy(&self->encoder);
    free(self);
}

// ---- tasks

static session_t *find_session(send_batch_t *self, uint64_t number)
{
    session_t *session = self->latest; // many tasks in a row are for one worker
    if (session && session->number == number)
        return session;
    HASH_FIND(hh, self->sessions, &number, sizeof number, session);
    self->latest = session;
    return session;
}

// What the worker appends to its own base address.
static void name_suffix(const send_batch_t *self, mm_socket_t *socket, session_t *session)
{
    char endpoint[MM_ENDPOINT_MAX];
    bool is_ipc = self->config.base.is_ipc && !session->is_remote;
    mm_socket_endpoint(socket, endpoint, sizeof endpoint);
    const char *from = is_ipc ? strstr(endpoint, ".task.") : strrchr(endpoint, ':');
    assert(from && strlen(from + 1) < sizeof session->suffix);
    strcpy(session->suffix, from + 1);
}

// Whether the frame at hand has come by the listener.
static bool is_remote(const send_batch_t *self)
{
    return self->config.listener && listener_sender(self->config.listener);
}

// NULL, with errno.
static mm_socket_t *open_local(const send_batch_t *self, uint64_t number)
{
    char endpoint[MM_ENDPOINT_MAX];
    mm_socket_t *socket = mm_socket_try(ZMQ_PUSH);
    if (!socket)
        return NULL;
    int error = mm_socket_bind(socket, mm_endpoint_session(&self->config.base, number, endpoint));
    if (error == 0)
        return socket;
    mm_socket_destroy(&socket);
    errno = error;
    return NULL;
}

bool send_batch_open(send_batch_t *self, const gather_action_t *action)
{
    uint64_t number = action->as.answer.session;
    mm_socket_t *socket = is_remote(self) ? listener_open_session(self->config.listener, number)
                                          : open_local(self, number);
    if (!socket)
        return false;
    session_t *session = calloc(1, sizeof *session);
    assert(session);
    session->number = number;
    session->worker = action->as.answer.worker;
    session->is_remote = is_remote(self);
    session->sender = mm_sender_new(self->config.loop, "tasks", socket);
    name_suffix(self, socket, session);
    HASH_ADD(hh, self->sessions, number, sizeof session->number, session);
    if (!session->is_remote)
        local_names_open(self->config.locals, mm_str(session->worker.text));
    return true;
}

static bool is_trusted(const send_batch_t *self)
{
    return !self->config.is_trusted || self->config.is_trusted(self->config.arg);
}

static void send_tasks(send_batch_t *self, session_t *session)
{
    MM_SPAN(MM_SPAN_SEND_TASKS);
    if (session->listed)
        DL_DELETE(self->open_sessions, session);
    session->listed = false;
    mm_encode_finish(session->tasks);
    bool is_late = session->restarts && !is_trusted(self);
    session->restarts = false;
    if (is_late) // they stay undelivered, and are reclaimed
        return;
    MM_CRASH_POINT("consumer: before tasks are sent");
    // A worker that never connects does not block: its tasks stay undelivered and are reclaimed.
    if (mm_sender_waiting(session->sender) < WAITING_MAX)
        mm_sender_send(session->sender, mm_encoder_bytes(session->tasks));
    MM_CRASH_POINT("consumer: tasks sent");
}

void send_batch_close(send_batch_t *self, uint64_t number)
{
    session_t *session = find_session(self, number);
    if (!session)
        return;
    if (session->listed)
        DL_DELETE(self->open_sessions, session);
    HASH_DELETE(hh, self->sessions, session);
    self->latest = NULL;
    char endpoint[MM_ENDPOINT_MAX];
    mm_sender_destroy(&session->sender);
    if (session->is_remote)
        listener_close_session(self->config.listener, number);
    else
        local_names_close(self->config.locals, mm_str(session->worker.text));
    if (!session->is_remote &&
        self->config.base.is_ipc) // libzmq does so too, but later, in its own thread
        (void)unlink(mm_endpoint_session(&self->config.base, number, endpoint) + strlen("ipc://"));
    mm_encoder_destroy(&session->tasks);
    free(session);
}

static void begin_tasks(session_t *session, int64_t stamp_ms, uint64_t acknowledged_through,
                        bool last)
{
    if (!session->tasks)
        session->tasks = mm_encoder_new();
    mm_encode_begin(session->tasks,
                    &(mm_frame_t){.kind = MM_FRAME_TASKS,
                                  .as.tasks = {.session = session->number,
                                               .stamp_ms = stamp_ms,
                                               .acknowledged_through = acknowledged_through,
                                               .last = last}});
}

void send_batch_task(send_batch_t *self, const gather_action_t *action)
{
    session_t *session = find_session(self, action->as.task.session);
    if (!session)
        return; // its endpoint could not be bound: the consumer ends, or the session is cut
    if (!session->listed) {
        // The batch has the stamp of its first task: an older stamp only ends the lease earlier.
        begin_tasks(session, action->as.task.stamp_ms, action->as.task.acknowledged_through, false);
        DL_APPEND(self->open_sessions, session);
        session->listed = true;
    }
    session->restarts = session->restarts || mm_leg_is_restarters(action->as.task.task.leg);
    {
        MM_SPAN_COUNTED("encode task");
        mm_encode_task(session->tasks, &action->as.task.task);
    }
    if (mm_encoder_is_full(session->tasks))
        send_tasks(self, session);
}

void send_batch_last(send_batch_t *self, const gather_action_t *action)
{
    session_t *session = find_session(self, action->as.answer.session);
    if (!session)
        return;
    if (session->listed)
        send_tasks(self, session);
    begin_tasks(session, 0, action->as.answer.acknowledged_through, true);
    send_tasks(self, session);
}

void send_batch_orders(send_batch_t *self, const gather_action_t *action)
{
    session_t *session = find_session(self, action->as.orders.session);
    if (!session)
        return;
    if (session->listed) // what was asked before goes before
        send_tasks(self, session);
    mm_encode_begin(self->encoder,
                    &(mm_frame_t){.kind = MM_FRAME_ORDERS,
                                  .as.orders = {.session = session->number,
                                                .question = action->as.orders.question,
                                                .run = action->as.orders.run,
                                                .from = action->as.orders.from}});
    for (size_t i = 0; i < action->as.orders.count; i++)
        mm_encode_order(self->encoder, &action->as.orders.orders[i]);
    mm_encode_finish(self->encoder);
    MM_CRASH_POINT("consumer: before orders are sent");
    if (mm_sender_waiting(session->sender) < WAITING_MAX)
        mm_sender_send(session->sender, mm_encoder_bytes(self->encoder));
}

// ---- events

// Publishes what is encoded.
static void publish(send_batch_t *self, const char *kind, const char *name)
{
    char topic[MM_TOPIC_MAX];
    broadcast_send(self->config.events, mm_topic(kind, name, topic),
                   mm_encoder_bytes(self->encoder));
}

static void send_notices(send_batch_t *self, reader_t *reader)
{
    MM_SPAN(MM_SPAN_SEND_NOTICES);
    char topic[MM_TOPIC_MAX];
    mm_encode_finish(reader->notices);
    MM_CRASH_POINT("consumer: before notices are sent");
    broadcast_send(self->config.events, mm_topic("job", reader->name.text, topic),
                   mm_encoder_bytes(reader->notices));
    MM_CRASH_POINT("consumer: notices sent");
    DL_DELETE(self->open_readers, reader);
    reader->listed = false;
}

static reader_t *add_reader(send_batch_t *self, const char *name)
{
    reader_t *reader = self->readers; // the oldest
    if (HASH_COUNT(self->readers) >= READERS_MAX) {
        if (reader->listed)
            send_notices(self, reader);
        HASH_DELETE(hh, self->readers, reader);
    } else {
        reader = calloc(1, sizeof *reader);
        assert(reader);
        reader->notices = mm_encoder_new();
    }
    bool valid = mm_name_from(mm_str(name), &reader->name);
    assert(valid);
    HASH_ADD_STR(self->readers, name.text, reader);
    return reader;
}

// The publisher with its open batch, which is begun when there is none.
static reader_t *open_reader(send_batch_t *self, const char *name)
{
    reader_t *reader = self->open_readers ? self->open_readers->prev : NULL; // the last one
    if (reader && strcmp(reader->name.text, name) == 0)
        return reader;
    HASH_FIND_STR(self->readers, name, reader);
    if (!reader)
        reader = add_reader(self, name);
    if (reader->listed)
        return reader;
    reader->listed = true;
    DL_APPEND(self->open_readers, reader);
    mm_encode_begin(reader->notices, &(mm_frame_t){.kind = MM_FRAME_NOTICES,
                                                   .as.notices = {.consumer = self->name,
                                                                  .epoch = self->config.epoch}});
    return reader;
}

void send_batch_notice(send_batch_t *self, const gather_action_t *action)
{
    reader_t *reader = open_reader(self, action->as.verdict.publisher);
    {
        MM_SPAN_COUNTED("encode notice");
        mm_encode_verdict(reader->notices, &action->as.verdict.verdict);
    }
    if (mm_encoder_is_full(reader->notices))
        send_notices(self, reader);
}

// The suffix of a closed session. Nothing is behind it: a worker that joins it gets a rejoin.
static void name_closed(const send_batch_t *self, uint64_t number, char suffix[SUFFIX_MAX])
{
    if (self->config.base.is_ipc && !is_remote(self))
        (void)snprintf(suffix, SUFFIX_MAX, "task.%016" PRIx64, number);
    else
        (void)snprintf(suffix, SUFFIX_MAX, "1");
}

void send_batch_answer(send_batch_t *self, mm_frame_kind_t kind, const gather_action_t *action)
{
    char suffix[SUFFIX_MAX] = "";
    const session_t *session = find_session(self, action->as.answer.session);
    if (session)
        memcpy(suffix, session->suffix, sizeof suffix);
    else if (kind == MM_FRAME_WELCOME)
        name_closed(self, action->as.answer.session, suffix);
    mm_frame_t frame = {.kind = kind,
                        .as.answer = {.consumer = self->name,
                                      .epoch = self->config.epoch,
                                      .worker = mm_str(action->as.answer.worker.text),
                                      .instance = action->as.answer.instance,
                                      .session = action->as.answer.session,
                                      .suffix = mm_str(suffix),
                                      .reason = mm_str(action->as.answer.reason)}};
    MM_CRASH_POINT("consumer: before it answers a worker");
    if (action->as.answer.version > 0) // a worker of another version, which can read only its own
        mm_encode_refused(self->encoder, &frame, action->as.answer.version);
    else
        mm_encode_frame(self->encoder, &frame);
    publish(self, "worker", action->as.answer.worker.text);
    MM_CRASH_POINT("consumer: worker answered");
}

void send_batch_beat(send_batch_t *self, const gather_t *gather)
{
    bool draining = gather_statistics(gather).draining;
    mm_frame_t head = {.kind = MM_FRAME_BEAT,
                       .as.beat = {.consumer = self->name,
                                   .epoch = self->config.epoch,
                                   .draining = draining,
                                   .halted = gather_is_halted(gather) || !is_trusted(self),
                                   .unix_ms = mm_clock_wall_ms()}};
    gather_worker_t worker = {0};
    bool more = true;
    do {
        mm_encode_begin(self->encoder, &head);
        while (!mm_encoder_is_full(self->encoder) && (more = gather_next_worker(gather, &worker)))
            if (worker.joined)
                mm_encode_acknowledgement(self->encoder, &worker.acknowledgement);
        mm_encode_finish(self->encoder);
        MM_CRASH_POINT("consumer: before its heartbeat");
        publish(self, "consumer", NULL);
        MM_CRASH_POINT("consumer: heartbeat sent");
    } while (more);
}

void send_batch_leaving(send_batch_t *self)
{
    MM_CRASH_POINT("consumer: before it says that it leaves");
    mm_encode_frame(self->encoder, &(mm_frame_t){.kind = MM_FRAME_LEAVING,
                                                 .as.leaving = {.consumer = self->name,
                                                                .epoch = self->config.epoch}});
    publish(self, "consumer", NULL);
    MM_CRASH_POINT("consumer: said that it leaves");
}

void send_batch_flush(send_batch_t *self)
{
    while (self->open_sessions)
        send_tasks(self, self->open_sessions);
    while (self->open_readers)
        send_notices(self, self->open_readers);
}
