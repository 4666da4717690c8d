// mayhem-consumer: receives jobs from publishers, has each saved and restarted, and sends the
// outcome to its publisher. The shell around the gather core, which decides everything. On a shared
// record it is a standby first, without a core, until it has the lease (leadership.h).

#include "accept_limit.h"
#include "clock.h"
#include "core_config.h"
#include "crash.h"
#include "deposed.h"
#include "epoch.h"
#include "event_log.h"
#include "frame_check.h"
#include "gather.h"
#include "gate_trace.h"
#include "gather_trace.h"
#include "guard.h"
#include "host.h"
#include "leadership.h"
#include "listener.h"
#include "log_messages.h"
#include "order_actor.h"
#include "policy_file.h"
#include "send_batch.h"
#include "service.h"
#include "socket.h"
#include "span.h"
#include "span_names.h"
#include "viewers.h"
#include "wire.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define CATCH_UP_MAX 4096 // at most so many frames are read before silence is judged
#define CLOCK_SET_MS 1000 // by so much it differs when somebody has set it

typedef struct {
    mm_options_t options;
    mm_policy_t policy;
    mm_endpoint_t base;
    mm_loop_t *loop;
    mm_socket_t *jobs;
    mm_socket_t *inbox;
    broadcast_t *events;
    listener_t *listener;     // for other machines; NULL: there is none
    leadership_t *leadership; // NULL: the record is not shared
    gather_t *gather;         // NULL: a standby has none
    gather_actions_t actions;
    guard_t *guard; // NULL: there is none
    send_batch_t *batch;
    local_names_t *locals;
    viewers_t *viewers;
    bool is_watched; // a viewer wants events; looked up once for many messages
    mm_receiver_t receiver;
    FILE *trace;
    int64_t start_ms;
    int64_t now_ms;
    int64_t offset_ms; // of Unix time, as the core knows it
    bool has_clock;
    event_log_t log;
    uint64_t refused;             // instance of the worker that was refused last
    uint64_t refused_connections; // that were told of
    int64_t refused_ms;           // when they were
    uint64_t unbound;             // session without an endpoint, of this step; 0: none
    bool has_left;                // its last word is said
    int exit_code;
} consumer_t;

// ---- the core's actions

// The row of the sender of the message at hand; NULL: it is of this machine.
static const mm_allowed_t *sender(const consumer_t *self)
{
    return self->listener ? listener_sender(self->listener) : NULL;
}

// Without a descriptor or a port for another socket, a session has no endpoint: its worker rejoins
// at its next heartbeat.
static void open_session(consumer_t *self, const gather_action_t *action)
{
    if (send_batch_open(self->batch, action)) {
        const mm_allowed_t *row = sender(self);
        event_log_joined(&self->log, action, row ? row->public_key : NULL,
                         mm_receiver_peer(&self->receiver), self->now_ms);
    } else {
        event_log_unbound(&self->log, action, strerror(errno), self->now_ms);
        self->unbound = action->as.answer.session;
    }
}

// Its last heartbeat acknowledges what it has read, so that no worker leaves in doubt.
static void leave(consumer_t *self)
{
    send_batch_flush(self->batch);
    send_batch_beat(self->batch, self->gather);
    if (self->leadership)
        leadership_left(self->leadership);
    send_batch_leaving(self->batch);
    self->has_left = true;
    mm_loop_stop(self->loop);
}

static void apply(consumer_t *self, const gather_action_t *action)
{
    switch (action->kind) {
    case GATHER_VERDICT:
        event_log_verdict(&self->log, action, self->now_ms);
        send_batch_notice(self->batch, action);
        break;
    case GATHER_TASK: send_batch_task(self->batch, action); break;
    case GATHER_OPEN: open_session(self, action); break;
    case GATHER_CLOSE: send_batch_close(self->batch, action->as.answer.session); break;
    case GATHER_WELCOME: send_batch_answer(self->batch, MM_FRAME_WELCOME, action); break;
    case GATHER_REJOIN: send_batch_answer(self->batch, MM_FRAME_REJOIN, action); break;
    case GATHER_REFUSED:
        if (action->as.answer.instance != self->refused)
            event_log_refused(&self->log, action, self->now_ms);
        self->refused = action->as.answer.instance; // log it once: it repeats its hello
        send_batch_answer(self->batch, MM_FRAME_REFUSED, action);
        break;
    case GATHER_LAST: send_batch_last(self->batch, action); break;
    case GATHER_BEAT:
        send_batch_beat(self->batch, self->gather);
        viewers_progress(self->viewers, self->now_ms);
        break;
    case GATHER_LOG: event_log(&self->log, action, self->now_ms); break;
    case GATHER_NEWS: event_log_news(action); break;
    case GATHER_LEAVE: leave(self); break;
    case GATHER_ORDERS: send_batch_orders(self->batch, action); break;
    case GATHER_ANSWER: viewers_answer(self->viewers, action); break;
    case GATHER_ASK_GUARD: guard_ask(self->guard); break;
    }
}

static void step_once(consumer_t *self, gather_event_t *event)
{
    event->now_ms = self->now_ms;
    {
        MM_SPAN_COUNTED("decide");
        gather_step(self->gather, event, &self->actions);
    }
    if (self->trace)
        gather_trace_step(self->trace, self->start_ms, event, &self->actions);
    for (size_t i = 0; i < self->actions.count; i++)
        apply(self, &self->actions.items[i]);
    for (size_t i = 0; i < self->actions.count && self->is_watched; i++)
        viewers_see(self->viewers, &self->actions.items[i], self->now_ms);
}

static void step(consumer_t *self, gather_event_t *event)
{
    self->unbound = 0;
    step_once(self, event);
    if (self->unbound > 0) // a step opens one session
        step_once(self, &(gather_event_t){.kind = GATHER_CUT, .as.cut.session = self->unbound});
}

// ---- the lease

static bool is_trusted(void *arg)
{
    const consumer_t *self = arg;
    return leadership_is_trusted(self->leadership);
}

static void on_trust(void *arg, int64_t until_ms)
{
    consumer_t *self = arg;
    self->now_ms = mm_clock_ms();
    step(self, &(gather_event_t){.kind = GATHER_TRUST, .as.trust.until_ms = until_ms});
}

static void on_beside(void *arg, bool is_halted)
{
    consumer_t *self = arg;
    self->now_ms = mm_clock_ms();
    step(self, &(gather_event_t){.kind = GATHER_BESIDE, .as.beside.is_halted = is_halted});
}

// Another one leads, or may. What is not sent stays so: it would be fenced, or undelivered.
static void on_deposed(void *arg, const char *reason)
{
    consumer_t *self = arg;
    (void)reason; // it is logged
    send_batch_beat(self->batch, self->gather);
    send_batch_leaving(self->batch);
    self->has_left = true;
    self->exit_code = EX_TEMPFAIL;
    if (!mm_deposed_write(self->options.dir))
        mm_log(MM_LOG_WARN, "Cannot leave a word about the end",
               MM_STRING("error", strerror(errno)));
    mm_loop_stop(self->loop);
}

// A standby hears restarters, viewers and savers, and nothing else. False: the frame is done with.
static bool hear_of_lease(consumer_t *self, const mm_frame_t *frame)
{
    switch ((int)frame->kind) { // the others say nothing of it
    case MM_FRAME_LEASE: leadership_hear(self->leadership, &frame->as.lease); return false;
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT:
        if (frame->as.report.role == MM_ROLE_RESTARTER)
            leadership_hear_restarter(self->leadership, frame->as.report.session);
        break;
    case MM_FRAME_JOBS: leadership_hear_epoch(self->leadership, frame->as.jobs.epoch); break;
    case MM_FRAME_ORDER:
        for (size_t i = 0; !self->gather && i < frame->as.order.count; i++)
            viewers_answer_order(self->viewers, frame->as.order.viewer,
                                 &frame->as.order.items[i].id,
                                 mm_str("this consumer is a standby: ask the one that leads"));
        break;
    case MM_FRAME_HANDOVER:
    case MM_FRAME_QUERY: return true;
    }
    return self->gather && !self->has_left;
}

// ---- frames

static void receive_jobs(consumer_t *self, const mm_frame_t *frame)
{
    gather_event_t event = {.kind = GATHER_ASK};
    MM_CRASH_POINT("consumer: jobs read");
    event.as.job.publisher = frame->as.jobs.publisher;
    if (self->listener && !sender(self))
        local_names_hear(self->locals, frame->as.jobs.publisher, self->now_ms);
    event.as.job.epoch = frame->as.jobs.epoch;
    event.as.job.dead = frame->as.jobs.dead;
    event.as.job.run = frame->as.jobs.run;
    event.as.job.groups = frame->as.jobs.groups;
    event.as.job.group_count = frame->as.jobs.group_count;
    if (frame->as.jobs.count == 0)
        step(self, &event);
    event.kind = GATHER_JOB;
    event.as.job.driver = frame->as.jobs.driver;
    event.as.job.received_ms = mm_clock_wall_ms();
    for (size_t i = 0; i < frame->as.jobs.count; i++) {
        event.as.job.job = frame->as.jobs.items[i];
        step(self, &event);
    }
}

// The event of a frame from a worker: started, results and bye begin with the same fields.
static gather_event_t event_of(gather_event_kind_t kind, const mm_frame_t *frame)
{
    gather_event_t event = {.kind = kind};
    event.as.from.worker = frame->as.bye.worker;
    event.as.from.instance = frame->as.bye.instance;
    event.as.from.session = frame->as.bye.session;
    return event;
}

static void receive_started(consumer_t *self, const mm_frame_t *frame)
{
    gather_event_t event = event_of(GATHER_STARTED, frame);
    for (size_t i = 0; i < frame->as.started.count; i++) {
        event.as.from.number = frame->as.started.numbers[i];
        step(self, &event);
    }
}

static void receive_results(consumer_t *self, const mm_frame_t *frame)
{
    gather_event_t event = event_of(GATHER_RESULT, frame);
    MM_CRASH_POINT("consumer: results read");
    for (size_t i = 0; i < frame->as.results.count; i++) {
        event.as.from.result = &frame->as.results.items[i];
        step(self, &event);
    }
}

static void receive_bye(consumer_t *self, const mm_frame_t *frame)
{
    gather_event_t event = event_of(GATHER_BYE, frame);
    event.as.from.last_serial = frame->as.bye.last_serial;
    step(self, &event);
}

static void receive_orders(consumer_t *self, const mm_frame_t *frame)
{
    char actor[MM_ACTOR_MAX + 1];
    const char *peer = mm_receiver_peer(&self->receiver);
    const mm_allowed_t *row = sender(self);
    for (size_t i = 0; i < frame->as.order.count; i++) {
        mm_order_t order = frame->as.order.items[i];
        order.actor = order_actor_of(order.actor, row ? row->name.text : NULL, peer, actor);
        step(self,
             &(gather_event_t){.kind = GATHER_ORDER,
                               .as.order = {.viewer = frame->as.order.viewer, .order = &order}});
    }
}

static void receive_handover(consumer_t *self, const mm_frame_t *frame)
{
    char actor[MM_ACTOR_MAX + 1];
    const char *error = "its record is not shared: there is nobody to hand it over to";
    const char *peer = mm_receiver_peer(&self->receiver);
    const mm_allowed_t *row = sender(self);
    mm_str_t by =
        order_actor_of(frame->as.handover.actor, row ? row->name.text : NULL, peer, actor);
    if (self->leadership)
        error = leadership_hand_over(self->leadership, frame->as.handover.why, by);
    viewers_answer_order(self->viewers, frame->as.handover.viewer, &frame->as.handover.id,
                         mm_str(error));
}

// False when the frame does not belong on this socket.
static bool receive_frame(consumer_t *self, const mm_frame_t *frame, bool is_jobs)
{
    if (frame->kind == MM_FRAME_TELL) { // from publishers on jobs, from workers on the inbox
        viewers_reply(self->viewers, frame);
        return true;
    }
    if (is_jobs != (frame->kind == MM_FRAME_JOBS))
        return false;
    if (self->leadership && !hear_of_lease(self, frame))
        return true;
    gather_event_t event = {.kind = GATHER_REPORT};
    switch ((int)frame->kind) { // the others go elsewhere
    case MM_FRAME_JOBS: receive_jobs(self, frame); return true;
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT:
        event.as.report = &frame->as.report;
        step(self, &event);
        return true;
    case MM_FRAME_STARTED: receive_started(self, frame); return true;
    case MM_FRAME_RESULTS: receive_results(self, frame); return true;
    case MM_FRAME_BYE: receive_bye(self, frame); return true;
    case MM_FRAME_STATE:
        step(self, &(gather_event_t){.kind = GATHER_STATE, .as.state = &frame->as.state});
        return true;
    case MM_FRAME_RECORDED:
        step(self, &(gather_event_t){.kind = GATHER_RECORDED, .as.recorded = &frame->as.recorded});
        return true;
    case MM_FRAME_ORDER: receive_orders(self, frame); return true;
    case MM_FRAME_HANDOVER: receive_handover(self, frame); return true;
    case MM_FRAME_QUERY: viewers_query(self->viewers, frame, self->now_ms); return true;
    }
    return false;
}

// Refuses a worker of another version; its hello is the only frame of it that can be read.
static void refuse_foreign(consumer_t *self, bool is_jobs)
{
    mm_str_t worker;
    const mm_allowed_t *row = sender(self);
    gather_action_t action = {.kind = GATHER_REFUSED};
    if (!self->gather ||
        !mm_decoder_foreign_hello(self->receiver.decoder, &action.as.answer.version, &worker,
                                  &action.as.answer.instance) ||
        !mm_name_from(worker, &action.as.answer.worker) ||
        (row && frame_check_foreign(row, is_jobs, worker)))
        return;
    action.as.answer.reason = "it speaks another version of the protocol; run the same release";
    apply(self, &action);
}

// Whether the core may hear this: a hello from another machine that would begin a session has to
// have a port for its tasks. Else it is refused, and nothing is handed out in vain.
static bool has_port(consumer_t *self, const mm_frame_t *frame)
{
    gather_action_t action = {.kind = GATHER_REFUSED};
    if (frame->kind != MM_FRAME_HELLO || !sender(self) ||
        gather_has_session(self->gather, &frame->as.report) ||
        !mm_name_from(frame->as.report.worker, &action.as.answer.worker))
        return true;
    action.as.answer.instance = frame->as.report.instance;
    action.as.answer.reason = listener_no_port(self->listener, self->now_ms);
    if (!action.as.answer.reason)
        return true;
    send_batch_answer(self->batch, MM_FRAME_REFUSED, &action);
    return false;
}

// Receives up to `limit` messages; false when there are none left.
static bool receive(consumer_t *self, mm_socket_t *socket, bool is_jobs, int limit)
{
    const char *where = is_jobs ? "jobs" : "inbox";
    bool is_empty = false;
    self->now_ms = mm_clock_ms();
    self->is_watched = viewers_want_events(self->viewers, self->now_ms);
    for (int i = 0; i < limit && !is_empty; i++) {
        mm_frame_t frame;
        mm_received_t received =
            mm_receive(&self->receiver, socket, false, where, self->now_ms, &frame);
        bool is_frame = received == MM_RECEIVED_FRAME;
        is_empty = received == MM_RECEIVED_NONE;
        if (!is_frame && received != MM_RECEIVED_FOREIGN)
            continue;
        const char *why = NULL; // it is not to be believed
        if (self->listener)
            why =
                listener_check(self->listener, &self->receiver, is_frame ? &frame : NULL, is_jobs);
        if (!why && !is_frame)
            refuse_foreign(self, is_jobs);
        else if (!why && has_port(self, &frame) && !receive_frame(self, &frame, is_jobs))
            why = "a frame for somebody else";
        if (why)
            mm_receiver_drop(&self->receiver, why, where, self->now_ms);
    }
    if (self->listener)
        listener_forget_sender(self->listener);
    return !is_empty;
}

static void on_jobs(void *arg)
{
    MM_SPAN(MM_SPAN_ON_JOBS);
    consumer_t *self = arg;
    (void)receive(self, self->jobs, true, MM_DRAIN_MAX);
}

static void on_inbox(void *arg)
{
    MM_SPAN(MM_SPAN_ON_INBOX);
    consumer_t *self = arg;
    (void)receive(self, self->inbox, false, MM_DRAIN_MAX);
}

// Tells of connections that were refused, once a second at most.
static void tell_refused(consumer_t *self)
{
    uint64_t refused = mm_accept_refused();
    if (refused == self->refused_connections || self->now_ms < self->refused_ms + 1000)
        return;
    self->refused_connections = refused;
    self->refused_ms = self->now_ms;
    mm_log(MM_LOG_WARN, "Refused connections: there are few descriptors left",
           MM_INT("refused", refused));
}

// Tells the core what time it is, once, and again when somebody has set the clock.
static void tell_clock(consumer_t *self)
{
    int64_t offset_ms = mm_clock_wall_ms() - self->now_ms;
    int64_t change_ms = offset_ms - self->offset_ms;
    if (self->has_clock && change_ms > -CLOCK_SET_MS && change_ms < CLOCK_SET_MS)
        return;
    self->offset_ms = offset_ms;
    self->has_clock = true;
    step(self,
         &(gather_event_t){.kind = GATHER_CLOCK, .as.clock.unix_ms = self->now_ms + offset_ms});
}

static int64_t turn_core(consumer_t *self)
{
    tell_clock(self);
    if (self->now_ms >= gather_deadline(self->gather)) {
        // Read first: a heartbeat in the socket is no silence.
        gather_event_t event = {.kind = GATHER_TIME};
        event.as.time.inbox_empty = !receive(self, self->inbox, false, CATCH_UP_MAX);
        step(self, &event);
    }
    send_batch_flush(self->batch);
    return gather_deadline(self->gather);
}

// Before the core's: its trust may have ended.
static int64_t turn_lease(consumer_t *self)
{
    bool is_recorded = self->gather && gather_is_recorded(self->gather);
    int64_t next_ms = self->has_left ? MM_NEVER : leadership_turn(self->leadership, is_recorded);
    self->now_ms = mm_clock_ms();
    return next_ms;
}

static int64_t turn(void *arg)
{
    MM_SPAN("turn");
    consumer_t *self = arg;
    self->now_ms = mm_clock_ms();
    int64_t next_ms = self->listener ? listener_turn(self->listener, self->now_ms) : MM_NEVER;
    tell_refused(self);
    if (self->leadership)
        next_ms = mm_earlier(next_ms, turn_lease(self));
    if (self->gather && !self->has_left)
        next_ms = mm_earlier(next_ms, turn_core(self));
    next_ms = mm_earlier(next_ms, viewers_turn(self->viewers, self->now_ms));
    next_ms = mm_earlier(next_ms, mm_log_limit_tell(&self->log.limit, self->now_ms));
    if (self->trace)
        (void)fflush(self->trace);
    return next_ms;
}

static void on_signal(void *arg, int number)
{
    MM_SPAN("on_signal");
    consumer_t *self = arg;
    mm_service_log_signal(number);
    if (!self->gather) {
        mm_loop_stop(self->loop);
        return;
    }
    mm_log(MM_LOG_INFO, "Nacking outstanding messages",
           MM_INT("in_flight", gather_statistics(self->gather).in_flight));
    self->now_ms = mm_clock_ms();
    step(self, &(gather_event_t){.kind = GATHER_DRAIN});
}

// ---- other machines

static void on_revoked(void *arg, const mm_allowed_t *row)
{
    consumer_t *self = arg;
    gather_event_t event = {.kind = GATHER_REVOKED};
    if (!self->gather || (row->role != MM_KEY_SAVER && row->role != MM_KEY_RESTARTER))
        return;
    event.as.revoked.worker = mm_str(row->name.text);
    event.as.revoked.role = row->role == MM_KEY_SAVER ? MM_ROLE_SAVER : MM_ROLE_RESTARTER;
    if (!local_names_has_worker(self->locals, event.as.revoked.worker))
        step(self, &event);
}

static void on_cut(void *arg, uint64_t session)
{
    consumer_t *self = arg;
    self->now_ms = mm_clock_ms();
    step(self, &(gather_event_t){.kind = GATHER_CUT, .as.cut.session = session});
}

static void on_replaced(void *arg)
{
    consumer_t *self = arg;
    self->now_ms = mm_clock_ms();
    step(self, &(gather_event_t){.kind = GATHER_REBOUND});
}

static void on_drop(void *arg, const char *where, const char *why)
{
    consumer_t *self = arg;
    mm_receiver_drop_other(&self->receiver, why, where, mm_clock_ms());
}

static const char *on_taken(void *arg, const mm_allowed_t *row)
{
    const consumer_t *self = arg;
    mm_str_t name = mm_str(row->name.text);
    switch (row->role) {
    case MM_KEY_PUBLISHER:
        return local_names_has_publisher(self->locals, name, mm_clock_ms())
                   ? "a publisher of this machine has its name"
                   : NULL;
    case MM_KEY_SAVER:
    case MM_KEY_RESTARTER:
        return local_names_has_worker(self->locals, name) ? "a worker of this machine has its name"
                                                          : NULL;
    case MM_KEY_VIEWER:
    case MM_KEY_OPERATOR:
    case MM_KEY_CONSUMER: break;
    }
    return NULL;
}

static int open_listener(consumer_t *self)
{
    const mm_options_t *options = &self->options;
    char error[MM_ERROR_MAX];
    int exit_code;
    listener_config_t config = {.keys = options->keys,
                                .task_ports = options->task_ports,
                                .revoked = on_revoked,
                                .replaced = on_replaced,
                                .cut = on_cut,
                                .drop = on_drop,
                                .taken = on_taken,
                                .arg = self};
    if (*options->listen == '\0')
        return 0;
    bool is_address = mm_endpoint_parse(options->listen, &config.address);
    assert(is_address); // the options were checked
    self->listener = listener_new(self->loop, &config, &exit_code, error);
    return self->listener ? 0 : mm_service_fail(options, exit_code, "%s", error);
}

static int bind_listener(consumer_t *self)
{
    char error[MM_ERROR_MAX];
    if (!self->listener)
        return 0;
    int exit_code = listener_bind(self->listener, self->jobs, self->inbox, self->events,
                                  viewers_broadcast(self->viewers), VIEWERS_FRAMES, error);
    if (exit_code != 0)
        return mm_service_fail(&self->options, exit_code, "%s", error);
    mm_log(MM_LOG_INFO, "Listening for other machines", MM_STRING("address", self->options.listen),
           MM_STRING("keys", self->options.keys));
    return 0;
}

static void on_guard(void *arg, bool says_yes)
{
    consumer_t *self = arg;
    self->now_ms = mm_clock_ms();
    step(self, &(gather_event_t){.kind = GATHER_GUARD, .as.guard.says_yes = says_yes});
}

// ---- start and end

static int say_unbound(const consumer_t *self, const char *endpoint, int error)
{
    return mm_service_fail(&self->options, EX_UNAVAILABLE,
                           "cannot bind %s: %s; stop what uses it, or choose another --consumer",
                           endpoint, zmq_strerror(error));
}

static int bind_one(consumer_t *self, int type, mm_socket_role_t role, mm_socket_t **ret_socket)
{
    char endpoint[MM_ENDPOINT_MAX];
    *ret_socket = mm_socket_new(type);
    int error = mm_socket_bind(*ret_socket, mm_endpoint_of(&self->base, role, endpoint));
    return error == 0 ? 0 : say_unbound(self, endpoint, error);
}

static int open_view(consumer_t *self)
{
    char endpoint[MM_ENDPOINT_MAX];
    viewers_config_t config = {.base = self->base,
                               .events = self->events,
                               .listener = self->listener,
                               .gather = self->gather,
                               .leadership = self->leadership,
                               .drops = &self->receiver.drops,
                               .name = self->options.id,
                               .max_in_flight = (uint32_t)self->options.max_in_flight};
    self->viewers = viewers_new(&config);
    return self->viewers ? 0 : say_unbound(self, mm_endpoint_viewers(&self->base, endpoint), errno);
}

static int open_sockets(consumer_t *self)
{
    char error[MM_ERROR_MAX];
    int exit_code = mm_endpoint_lock(&self->base, error);
    if (exit_code != 0)
        return mm_service_fail(&self->options, exit_code, "%s", error);
    exit_code = bind_one(self, ZMQ_PULL, MM_SOCKET_JOBS, &self->jobs);
    if (exit_code == 0)
        exit_code = bind_one(self, ZMQ_PULL, MM_SOCKET_INBOX, &self->inbox);
    mm_socket_t *events = NULL;
    if (exit_code == 0)
        exit_code = bind_one(self, ZMQ_PUB, MM_SOCKET_EVENTS, &events);
    self->events = broadcast_new(events);
    return exit_code;
}

static int open_guard(consumer_t *self)
{
    char why[MM_ERROR_MAX];
    if (!self->policy.has_guard)
        return 0;
    guard_config_t config = {.line = self->options.guard, .answer = on_guard, .arg = self};
    self->guard = guard_new(self->loop, &config, why);
    return self->guard ? 0 : mm_service_fail(&self->options, EX_CONFIG, "%s", why);
}

static void begin_core(consumer_t *self, uint64_t epoch)
{
    const mm_options_t *options = &self->options;
    bool is_leased = self->leadership != NULL;
    gather_config_t config = core_config(options, epoch, is_leased);
    self->start_ms = self->now_ms = mm_clock_ms();
    self->gather = gather_new(&config, self->start_ms);
    gather_set_policy(self->gather, &self->policy);
    self->batch = send_batch_new(&(send_batch_config_t){.loop = self->loop,
                                                        .base = self->base,
                                                        .events = self->events,
                                                        .listener = self->listener,
                                                        .locals = self->locals,
                                                        .name = options->id,
                                                        .epoch = epoch,
                                                        .is_trusted = is_leased ? is_trusted : NULL,
                                                        .arg = self});
    if (config.starts_end_ms > 0) // as the times of a trace
        config.starts_end_ms = mm_later(config.starts_end_ms - self->start_ms, 1);
    if (self->trace) {
        gather_trace_config(self->trace, &config);
        gate_trace_policy(self->trace, &self->policy);
    }
}

// It has the lease.
static void on_lead(void *arg, uint64_t epoch)
{
    consumer_t *self = arg;
    begin_core(self, epoch);
    viewers_lead(self->viewers, self->gather);
    tell_clock(self);
}

// Of a shared record the lease has the epoch, of any other one the folder.
static int open_core(consumer_t *self)
{
    const mm_options_t *options = &self->options;
    char path[4096], error[MM_ERROR_MAX];
    uint64_t epoch;
    mm_receiver_open(&self->receiver);
    (void)mm_deposed_remove(options->dir); // of a former one
    if (strstr(options->store, "://")) {
        self->leadership =
            leadership_new(&(leadership_config_t){.events = self->events,
                                                  .name = options->id,
                                                  .lost_after_ms = options->lost_after_ms,
                                                  .lead = on_lead,
                                                  .trust = on_trust,
                                                  .beside = on_beside,
                                                  .leave = on_deposed,
                                                  .arg = self});
        return 0;
    }
    (void)snprintf(path, sizeof path, "%s/consumer.life", options->dir);
    int exit_code = epoch_next(path, &epoch, error);
    if (exit_code != 0)
        return mm_service_fail(options, exit_code, "%s", error);
    begin_core(self, epoch);
    return 0;
}

static int run_loop(consumer_t *self)
{
    mm_loop_add_socket(self->loop, "jobs", self->jobs, ZMQ_POLLIN, on_jobs, self);
    mm_loop_add_socket(self->loop, "inbox", self->inbox, ZMQ_POLLIN, on_inbox, self);
    mm_loop_on_signal(self->loop, on_signal, self);
    mm_log(MM_LOG_INFO, "Ready", MM_STRING("address", self->options.consumer));
    if (self->leadership)
        mm_log(MM_LOG_INFO, "Standing by until this consumer has the lease");
    mm_loop_run(self->loop);
    (void)mm_log_limit_tell(&self->log.limit, INT64_MAX);
    if (!self->gather)
        return 0;
    gather_statistics_t statistics = gather_statistics(self->gather);
    mm_log(MM_LOG_INFO, "Cancelling outstanding tasks", MM_INT("acked", statistics.acked),
           MM_INT("dead", statistics.dead), MM_INT("nacked", statistics.nacked),
           MM_INT("extended", statistics.extended));
    if (self->exit_code == 0 && statistics.too_many_dead)
        return EX_TEMPFAIL;
    return self->exit_code == 0 && statistics.unable ? EX_UNAVAILABLE : self->exit_code;
}

static void close_all(consumer_t *self)
{
    send_batch_destroy(&self->batch);
    local_names_destroy(&self->locals);
    viewers_destroy(&self->viewers);
    guard_destroy(&self->guard);
    mm_loop_destroy(&self->loop);
    mm_socket_destroy(&self->jobs);
    mm_socket_destroy(&self->inbox);
    broadcast_destroy(&self->events);
    listener_destroy(&self->listener); // the last one: without it libzmq lets everybody in
    if (self->gather || self->leadership)
        mm_endpoint_unlink(&self->base);
    leadership_destroy(&self->leadership);
    gather_destroy(&self->gather);
    gather_actions_clear(&self->actions);
    mm_policy_clear(&self->policy);
    mm_receiver_close(&self->receiver);
    if (self->trace)
        (void)fclose(self->trace);
}

int main(int argc, char **argv)
{
    consumer_t self = {0};
    mm_addresses_t addresses; // one: it is the consumer's own
    int exit_code;
    if (!mm_service_start(MM_PROGRAM_CONSUMER, argc, argv, NULL, &self.options, &addresses,
                          &exit_code))
        return exit_code;
    self.base = addresses.items[0];
    event_log_open(&self.log, self.options.ack_deadline_ms);
    self.loop = mm_loop_new(turn, &self);
    self.locals = local_names_new();
    exit_code = mm_service_open_trace(&self.options, &self.trace);
    if (exit_code == 0) // before there is a second thread
        exit_code = mm_policy_read(&self.options, mm_clock_wall_ms(), &self.policy);
    if (exit_code == 0) // before there is another socket
        exit_code = open_listener(&self);
    if (exit_code == 0)
        exit_code = open_sockets(&self);
    if (exit_code == 0)
        exit_code = open_core(&self);
    if (exit_code == 0)
        exit_code = open_guard(&self);
    if (exit_code == 0)
        exit_code = open_view(&self);
    if (exit_code == 0)
        exit_code = bind_listener(&self);
    bool begun = exit_code == 0;
    if (begun)
        exit_code = run_loop(&self);
    close_all(&self);
    return begun ? mm_service_end(&self.options, exit_code)
                 : mm_service_quit(&self.options, exit_code);
}
