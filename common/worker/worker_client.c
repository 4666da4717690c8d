// See worker_client.h. A frame that cannot be sent now is dropped: the core repeats its hellos, and
// its results until they are acknowledged.

#include "worker_client.h"
#include "clock.h"
#include "consumers.h"
#include "crash.h"
#include "log.h"
#include "log_messages.h"
#include "service.h"
#include "socket.h"
#include "span.h"
#include "span_names.h"
#include "stats_reply.h"
#include "string_view.h"
#include "uuid_source.h"
#include "windowed_histogram.h"
#include "wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define REFUSED_MS  10000 // how long a refused worker goes on
#define TIMED_FIRST 16    // tasks of a frame that are timed
#define TIMED_MAX   1024

// For stats: the tasks that have ended, and how long some of them took.
typedef struct {
    struct {
        uint64_t number;
        int64_t since_us;
    } timed[TIMED_MAX];            // by number modulo its size
    size_t left;                   // tasks of this frame still to be timed
    int64_t frame_us;              // when it arrived
    mm_windowed_histogram_t times; // in microseconds
    uint64_t ended;
    uint64_t settled; // of a saver
    uint64_t failed;
    uint64_t returned;
} watched_t;

struct mm_worker_client {
    mm_worker_client_config_t config;
    mm_loop_t *loop;
    mm_worker_t *worker;
    mm_worker_actions_t actions;
    mm_receiver_t receiver;
    mm_encoder_t *results;          // open batch
    mm_encoder_t *encoder;          // for complete frames
    const mm_orders_body_t *orders; // of the frame at hand, to be answered; NULL: there are none
    uint64_t started[MM_BATCH_ITEMS];
    size_t started_count;
    mm_consumers_t *consumers;
    mm_socket_t *tasks;    // NULL: no session
    mm_link_t *tasks_link; // of the consumer that has given the session
    uint64_t
        askers[MM_ADDRESSES_MAX]; // who has asked for the lease last at each address; 0: nobody
    mm_stats_reply_t reply;
    watched_t watched;
    int64_t refused_since_ms; // 0: not refused
    int exit_code;
    bool done;
};

static void on_events(void *arg);
static void on_tasks(void *arg);
static void step(mm_worker_client_t *self, mm_worker_event_t event);

static void subscribe(void *arg, mm_socket_t *events)
{
    const mm_worker_client_t *self = arg;
    char topic[MM_TOPIC_MAX];
    mm_socket_subscribe(events, mm_topic("consumer", NULL, topic));
    mm_socket_subscribe(events, mm_topic("worker", self->config.worker.name.text, topic));
    if (self->config.lease)
        mm_socket_subscribe(events, mm_topic("lease", NULL, topic));
}

static void close_tasks(mm_worker_client_t *self)
{
    if (!self->tasks)
        return;
    mm_loop_remove_socket(self->loop, self->tasks);
    mm_link_leave(self->tasks_link, self->tasks);
    mm_socket_destroy(&self->tasks);
}

static void send_bytes(mm_worker_client_t *self, mm_str_t frame)
{
    (void)mm_consumers_send_to(self->consumers, mm_consumers_followed(self->consumers), frame);
}

static void send_frame(void *arg, const mm_frame_t *frame)
{
    mm_worker_client_t *self = arg;
    mm_encode_frame(self->encoder, frame);
    send_bytes(self, mm_encoder_bytes(self->encoder));
}

// ---- stats

static json_t *stats(void *arg)
{
    mm_worker_client_t *self = arg;
    watched_t *watched = &self->watched;
    int64_t now_ms = mm_clock_ms();
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "slots",
                     (json_int_t)self->config.worker.slots, "running",
                     (json_int_t)mm_worker_running(self->worker), "ended",
                     (json_int_t)watched->ended, "settled", (json_int_t)watched->settled, "failed",
                     (json_int_t)watched->failed, "returned", (json_int_t)watched->returned,
                     "unconfirmed", (json_int_t)mm_worker_unacknowledged(self->worker),
                     "bad_frames", (json_int_t)self->receiver.drops.count, "p50_us",
                     (json_int_t)mm_windowed_histogram_quantile(&watched->times, now_ms, 0.5),
                     "p99_us",
                     (json_int_t)mm_windowed_histogram_quantile(&watched->times, now_ms, 0.99));
}

static json_t *hosts(void *arg)
{
    const mm_worker_client_t *self = arg;
    return self->config.hosts(self->config.arg);
}

static void see_start(watched_t *self, uint64_t number)
{
    if (self->left == 0)
        return;
    if (self->left-- == TIMED_FIRST)
        self->frame_us = mm_clock_us();
    self->timed[number % TIMED_MAX].number = number;
    self->timed[number % TIMED_MAX].since_us = self->frame_us;
}

static void see_end(watched_t *self, const mm_result_t *result, int64_t now_us)
{
    self->ended++;
    self->failed += result->status == MM_STATUS_FAILED;
    self->settled += result->outcome != MM_OUTCOME_NONE;
    if (self->timed[result->number % TIMED_MAX].number != result->number)
        return;
    self->timed[result->number % TIMED_MAX].number = 0;
    mm_windowed_histogram_record(&self->times, now_us / 1000,
                                 now_us - self->timed[result->number % TIMED_MAX].since_us);
}

mm_worker_client_config_t mm_worker_client_config(const mm_options_t *options,
                                                  const mm_addresses_t *addresses)
{
    mm_worker_client_config_t config = {.worker = {.instance = mm_instance_draw(),
                                                   .heartbeat_ms = options->heartbeat_ms,
                                                   .lost_after_ms = options->lost_after_ms,
                                                   .drain_ms = options->drain_timeout_ms},
                                        .addresses = *addresses,
                                        .key = mm_service_key()};
    bool valid = mm_name_from(mm_str(options->id), &config.worker.name);
    assert(valid);
    return config;
}

static void begin_anew(void *arg)
{
    mm_worker_client_t *self = arg;
    if (!self->done)
        step(self, (mm_worker_event_t){.kind = MM_WORKER_CUT});
}

mm_worker_client_t *mm_worker_client_new(mm_loop_t *loop, const mm_worker_client_config_t *config)
{
    mm_worker_client_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->loop = loop;
    self->worker = mm_worker_new(&config->worker, mm_clock_ms());
    self->results = mm_encoder_new();
    self->encoder = mm_encoder_new();
    mm_receiver_open(&self->receiver);
    self->reply = mm_stats_reply_new(
        &(mm_stats_reply_config_t){.process = self->config.worker.name.text,
                                   .program = mm_role_program(config->worker.role),
                                   .stats = stats,
                                   .hosts = config->hosts ? hosts : NULL,
                                   .send = send_frame,
                                   .arg = self});
    self->consumers =
        mm_consumers_new(&(mm_consumers_config_t){.loop = loop,
                                                  .addresses = &self->config.addresses,
                                                  .key = config->key,
                                                  .logs = true,
                                                  .role = MM_SOCKET_INBOX,
                                                  .name = "inbox",
                                                  .instance = config->worker.instance,
                                                  .worker = self->config.worker.name.text,
                                                  .heartbeat_ms = config->worker.heartbeat_ms,
                                                  .lost_after_ms = config->worker.lost_after_ms,
                                                  .subscribe = subscribe,
                                                  .on_events = on_events,
                                                  .cut = begin_anew,
                                                  .arg = self});
    return self;
}

int mm_worker_client_end(mm_worker_client_t **self_p)
{
    mm_worker_client_t *self = *self_p;
    int exit_code = self->exit_code;
    *self_p = NULL;
    mm_log(MM_LOG_INFO, "Cancelling outstanding tasks",
           MM_INT("tasks", mm_worker_running(self->worker)));
    mm_receiver_close(&self->receiver);
    close_tasks(self);
    mm_consumers_destroy(&self->consumers);
    mm_worker_destroy(&self->worker);
    mm_worker_actions_clear(&self->actions);
    mm_encoder_destroy(&self->results);
    mm_encoder_destroy(&self->encoder);
    free(self);
    return exit_code;
}

// ---- sending

// The head of results, started, recorded and bye, which begin with the same fields.
static mm_frame_t frame_of(const mm_worker_client_t *self, mm_frame_kind_t kind)
{
    return (mm_frame_t){.kind = kind,
                        .as.bye = {.worker = mm_str(self->config.worker.name.text),
                                   .instance = self->config.worker.instance,
                                   .session = mm_worker_session(self->worker)}};
}

static void send_results(mm_worker_client_t *self)
{
    if (mm_encoder_count(self->results) == 0)
        return;
    MM_SPAN(MM_SPAN_SEND_RESULTS);
    mm_encode_finish(self->results);
    MM_CRASH_POINT("worker: before results are sent");
    send_bytes(self, mm_encoder_bytes(self->results));
    MM_CRASH_POINT("worker: results sent");
}

static void add_result(mm_worker_client_t *self, uint64_t serial)
{
    if (mm_encoder_count(self->results) == 0) {
        mm_frame_t head = frame_of(self, MM_FRAME_RESULTS);
        mm_encode_begin(self->results, &head);
    }
    MM_SPAN_COUNTED("encode result");
    mm_encode_result(self->results, mm_worker_result(self->worker, serial));
    if (mm_encoder_is_full(self->results))
        send_results(self);
}

// The tasks started in this turn that still run: for the others there are results.
static void send_started(mm_worker_client_t *self)
{
    size_t count = 0;
    if (mm_worker_running(self->worker) == 0)
        self->started_count = 0;
    for (size_t i = 0; i < self->started_count; i++)
        if (mm_worker_holds(self->worker, self->started[i], NULL))
            self->started[count++] = self->started[i];
    self->started_count = 0;
    if (count == 0)
        return;
    mm_frame_t frame = frame_of(self, MM_FRAME_STARTED);
    frame.as.started.numbers = self->started;
    frame.as.started.count = count;
    send_frame(self, &frame);
}

static void add_started(mm_worker_client_t *self, uint64_t number)
{
    if (!self->config.tells_started)
        return;
    if (self->started_count == MM_BATCH_ITEMS)
        send_started(self);
    self->started[self->started_count++] = number;
}

static void send_report(mm_worker_client_t *self, const mm_report_t *report)
{
    MM_SPAN("send report");
    send_results(self); // first: a report covers all results before it
    mm_encode_frame(self->encoder,
                    &(mm_frame_t){.kind = report->is_hello ? MM_FRAME_HELLO : MM_FRAME_HEARTBEAT,
                                  .as.report = *report});
    (void)mm_consumers_ask(self->consumers, mm_encoder_bytes(self->encoder));
    MM_CRASH_POINT("worker: hello or heartbeat sent");
}

static void send_bye(mm_worker_client_t *self, uint64_t last_serial)
{
    send_results(self);
    mm_frame_t frame = frame_of(self, MM_FRAME_BYE);
    frame.as.bye.last_serial = last_serial;
    send_frame(self, &frame);
    MM_CRASH_POINT("worker: bye sent");
}

// ---- the core's actions

static void connect_tasks(mm_worker_client_t *self, const char *suffix)
{
    char endpoint[MM_ENDPOINT_MAX];
    assert(!self->tasks);
    self->tasks = mm_socket_new(ZMQ_PULL);
    self->tasks_link = mm_consumers_link(self->consumers);
    if (mm_link_connect(self->tasks_link, self->tasks,
                        mm_endpoint_suffix(mm_consumers_base(self->consumers), suffix, endpoint),
                        true) != 0)
        mm_log(MM_LOG_WARN, "Cannot connect to the tasks", MM_STRING("endpoint", endpoint));
    mm_loop_add_socket(self->loop, "tasks", self->tasks, ZMQ_POLLIN, on_tasks, self);
}

static void recreate(mm_worker_client_t *self)
{
    close_tasks(self);
    mm_consumers_reopen(self->consumers);
}

static void log_event(mm_worker_client_t *self, const mm_worker_action_t *action)
{
    switch (action->as.log.log) {
    case MM_WORKER_LOG_JOINED:
        self->refused_since_ms = 0;
        mm_log(MM_LOG_INFO, MM_MESSAGE_JOINED, MM_INT("session", action->as.log.number));
        break;
    case MM_WORKER_LOG_REFUSED:
        if (self->refused_since_ms == 0) {
            self->refused_since_ms = mm_clock_ms();
            mm_log(MM_LOG_WARN, "The consumer refuses this worker; trying on",
                   MM_STR("why", action->as.log.text));
        } else if (mm_clock_ms() - self->refused_since_ms > REFUSED_MS) {
            mm_log(MM_LOG_ERROR, "The consumer refuses this worker",
                   MM_STR("why", action->as.log.text));
            self->exit_code = EX_UNAVAILABLE;
            self->done = true;
        }
        break;
    case MM_WORKER_LOG_SILENT: mm_log(MM_LOG_DEBUG, "No consumer is heard; trying on"); break;
    case MM_WORKER_LOG_REJOIN: mm_log(MM_LOG_WARN, "Joining the consumer anew"); break;
    case MM_WORKER_LOG_RETURNED:
        self->watched.returned++;
        mm_log(MM_LOG_DEBUG, "Returned a task unstarted", MM_INT("task", action->as.log.number));
        break;
    case MM_WORKER_LOG_CLAIM:
        mm_log(MM_LOG_WARN, MM_MESSAGE_CLAIM_IGNORED, MM_STR("claim", action->as.log.text));
        break;
    }
}

static void leave(mm_worker_client_t *self)
{
    self->done = true;
    if (mm_worker_unacknowledged(self->worker) > 0)
        mm_log(MM_LOG_WARN, "Leaving with results that no consumer has confirmed",
               MM_INT("results", mm_worker_unacknowledged(self->worker)));
}

static void apply(mm_worker_client_t *self, int64_t now_ms)
{
    for (size_t i = 0; i < self->actions.count; i++) {
        const mm_worker_action_t *action = &self->actions.items[i];
        switch (action->kind) {
        case MM_WORKER_CONNECT: connect_tasks(self, action->as.connect.suffix); break;
        case MM_WORKER_DISCONNECT: close_tasks(self); break;
        case MM_WORKER_RECREATE: recreate(self); break;
        case MM_WORKER_START:
            see_start(&self->watched, action->as.task->number);
            self->config.start(self->config.arg, action->as.task, now_ms);
            break;
        case MM_WORKER_STOP: self->config.stop(self->config.arg); break;
        case MM_WORKER_ORDERS: self->orders = action->as.orders; break;
        case MM_WORKER_STARTED: add_started(self, action->as.number); break;
        case MM_WORKER_RESULT: add_result(self, action->as.serial); break;
        case MM_WORKER_REPORT: send_report(self, action->as.report); break;
        case MM_WORKER_BYE: send_bye(self, action->as.last_serial); break;
        case MM_WORKER_DONE: leave(self); break;
        case MM_WORKER_LOG: log_event(self, action); break;
        }
    }
}

static void step_at(mm_worker_client_t *self, mm_worker_event_t event)
{
    {
        MM_SPAN_COUNTED("decide");
        mm_worker_step(self->worker, &event, &self->actions);
    }
    apply(self, event.now_ms);
}

static void step(mm_worker_client_t *self, mm_worker_event_t event)
{
    event.now_ms = event.boot_ms = mm_clock_ms();
    step_at(self, event);
}

// ---- receiving

// Behind the step, since it may finish tasks, which is a step of its own.
static void take_orders(mm_worker_client_t *self)
{
    const mm_orders_body_t *orders = self->orders;
    self->orders = NULL;
    if (orders && self->config.orders)
        self->config.orders(self->config.arg, orders);
}

// Of any consumer: the answer goes to the one that has asked.
static void hear_ask(mm_worker_client_t *self, const mm_lease_ask_body_t *ask)
{
    if (self->config.lease)
        self->config.lease(self->config.arg, (uint32_t)mm_consumers_from(self->consumers), ask);
}

// From the tasks, or from events. False when there was no message.
static bool receive(mm_worker_client_t *self, mm_socket_t *tasks)
{
    mm_frame_t frame;
    int64_t now_ms = mm_clock_ms();
    mm_received_t received =
        tasks ? mm_receive(&self->receiver, tasks, false, "tasks", now_ms, &frame)
              : mm_consumers_receive(self->consumers, &self->receiver, now_ms, &frame);
    self->watched.left = TIMED_FIRST;
    if (received == MM_RECEIVED_FRAME && frame.kind == MM_FRAME_QUERY)
        mm_stats_reply_answer(&self->reply, &frame, now_ms);
    else if (received == MM_RECEIVED_FRAME && frame.kind == MM_FRAME_LEASE_ASK)
        hear_ask(self, &frame.as.lease_ask);
    else if (received == MM_RECEIVED_FRAME)
        step(self, (mm_worker_event_t){.kind = MM_WORKER_FRAME, .as.frame = &frame});
    take_orders(self);
    return received != MM_RECEIVED_NONE;
}

static void on_events(void *arg)
{
    MM_SPAN(MM_SPAN_ON_EVENTS);
    mm_worker_client_t *self = arg;
    for (int i = 0; i < MM_DRAIN_MAX && receive(self, NULL); i++)
        ;
}

static void on_tasks(void *arg)
{
    MM_SPAN(MM_SPAN_ON_TASKS);
    mm_worker_client_t *self = arg;
    for (int i = 0; i < MM_DRAIN_MAX && self->tasks && receive(self, self->tasks); i++)
        ;
}

void mm_worker_client_finish(mm_worker_client_t *self, const mm_result_t *results, size_t count)
{
    if (count == 0)
        return;
    int64_t now_us = mm_clock_us();
    mm_worker_event_t event = {
        .kind = MM_WORKER_FINISHED, .now_ms = now_us / 1000, .boot_ms = now_us / 1000};
    for (size_t i = 0; i < count; i++) {
        event.as.result = &results[i];
        see_end(&self->watched, &results[i], now_us);
        step_at(self, event);
    }
}

void mm_worker_client_recorded(mm_worker_client_t *self, const mm_recorded_t *items, size_t count)
{
    send_results(self);
    mm_frame_t frame = frame_of(self, MM_FRAME_RECORDED);
    frame.as.recorded.items = items;
    frame.as.recorded.count = count;
    send_frame(self, &frame);
}

void mm_worker_client_state(mm_worker_client_t *self, const mm_state_body_t *page)
{
    send_results(self);
    mm_frame_t frame = {.kind = MM_FRAME_STATE, .as.state = *page};
    frame.as.state.worker = mm_str(self->config.worker.name.text);
    frame.as.state.instance = self->config.worker.instance;
    frame.as.state.session = mm_worker_session(self->worker);
    send_frame(self, &frame);
}

void mm_worker_client_lease(mm_worker_client_t *self, uint32_t from, const mm_lease_body_t *answer)
{
    mm_frame_t frame = {.kind = MM_FRAME_LEASE, .as.lease = *answer};
    frame.as.lease.worker = mm_str(self->config.worker.name.text);
    mm_encode_frame(self->encoder, &frame);
    (void)mm_consumers_send_to(self->consumers, from, mm_encoder_bytes(self->encoder));
}

uint64_t mm_worker_client_epoch(const mm_worker_client_t *self)
{
    return mm_worker_session(self->worker) >> 32; // sessions begin above it (P9.64)
}

void mm_worker_client_set_slots(mm_worker_client_t *self, uint32_t slots)
{
    self->config.worker.slots = slots;
    step(self, (mm_worker_event_t){.kind = MM_WORKER_SLOTS, .as.slots = slots});
}

void mm_worker_client_drain(mm_worker_client_t *self)
{
    step(self, (mm_worker_event_t){.kind = MM_WORKER_DRAIN});
}

int64_t mm_worker_client_turn(mm_worker_client_t *self)
{
    int64_t now_ms = mm_clock_ms();
    if (!self->done && now_ms >= mm_worker_deadline(self->worker)) {
        // Read first: a heartbeat in the socket is no silence.
        on_events(self);
        if (!self->done)
            step(self, (mm_worker_event_t){.kind = MM_WORKER_TIME});
    }
    send_started(self);
    send_results(self);
    int64_t spare_ms = mm_consumers_turn(self->consumers, now_ms);
    return self->done ? MM_NEVER : mm_earlier(mm_worker_deadline(self->worker), spare_ms);
}

bool mm_worker_client_holds(const mm_worker_client_t *self, uint64_t number, mm_task_t *ret_task)
{
    return mm_worker_holds(self->worker, number, ret_task);
}

size_t mm_worker_client_running(const mm_worker_client_t *self)
{
    return mm_worker_running(self->worker);
}

int64_t mm_worker_client_permit(const mm_worker_client_t *self)
{
    return mm_worker_permit(self->worker);
}

bool mm_worker_client_is_done(const mm_worker_client_t *self)
{
    return self->done;
}
