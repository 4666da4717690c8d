// What those whose key is on the list say in another's name, or of what was never given to them,
// and which topics of others they listen to.

#include "rogue.h"

#include "clock.h"
#include "uuid_source.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_MS 5000
#define HEAR_MS 1500 // three heartbeats of the consumer
#define CLAIMS  200  // results of tasks that were never given
#define STAY_MS 15000
#define BEAT_MS 200

// Those that run beside the consumer.
static const char *const names[] = {"restarter-1", "restarter-2", "saver", "publisher"};
#define NAMES (sizeof names / sizeof *names)

typedef struct {
    rogue_t *rogue;
    whose_t whose;
    mm_socket_t *inbox;
    mm_socket_t *events;
    uint64_t instance;
    uint64_t sequence;
    uint64_t session;
    char suffix[32];
} liar_t;

// ---- sending

static void send_frame(rogue_t *self, mm_socket_t *socket, const mm_frame_t *frame)
{
    int wait_ms = JOIN_MS;
    int rc = zmq_setsockopt(mm_socket_zmq(socket), ZMQ_SNDTIMEO, &wait_ms, sizeof wait_ms);
    assert(rc == 0);
    mm_encode_frame(self->encoder, frame);
    mm_str_t bytes = mm_encoder_bytes(self->encoder);
    if (zmq_send(mm_socket_zmq(socket), bytes.data, bytes.size, 0) >= 0)
        return;
    rogue_report(self, false, "a frame of kind %d is sent: %s", (int)frame->kind,
                 zmq_strerror(errno));
    exit(EXIT_FAILURE); // each further one would take as long
}

static mm_socket_t *enter(rogue_t *self, whose_t whose, const char *place)
{
    char endpoint[MM_ENDPOINT_MAX];
    mm_socket_t *socket = rogue_socket(self, ZMQ_PUSH, &self->keys[whose], NULL);
    end_t end = rogue_connect(socket, rogue_endpoint(self, place, endpoint));
    if (end != LET_IN)
        rogue_report(self, false, "%s is let in at %s", self->keys[whose].name.text, place);
    return socket;
}

static mm_frame_t report_of(const char *name, bool is_hello, mm_role_t role, uint64_t instance,
                            uint64_t session, uint64_t sequence)
{
    return (mm_frame_t){.kind = is_hello ? MM_FRAME_HELLO : MM_FRAME_HEARTBEAT,
                        .as.report = {.is_hello = is_hello,
                                      .worker = mm_str(name),
                                      .instance = instance,
                                      .role = role,
                                      .session = session,
                                      .sequence = sequence,
                                      .stamp_ms = mm_clock_ms(),
                                      .slots = is_hello ? MM_SLOTS_MAX : 0,
                                      .parts = 1}};
}

// Each frame of a worker in this name.
static void send_all_of_a_worker(rogue_t *self, mm_socket_t *inbox, const char *name,
                                 mm_role_t role)
{
    uint64_t instance = mm_instance_draw();
    mm_result_t result = {.serial = 1, .number = 1, .leg = MM_LEG_SETTLE, .error = mm_str("")};
    result.outcome = MM_OUTCOME_RESTARTED;
    mm_recorded_t recorded = {.error = mm_str("")};
    const mm_frame_t frames[] = {
        report_of(name, true, role, instance, 0, 1),
        report_of(name, false, role, instance, 1, 2),
        {.kind = MM_FRAME_STARTED,
         .as.started = {.worker = mm_str(name), .instance = instance, .session = 1}},
        {.kind = MM_FRAME_RESULTS,
         .as.results = {.worker = mm_str(name),
                        .instance = instance,
                        .session = 1,
                        .items = &result,
                        .count = 1}},
        {.kind = MM_FRAME_BYE,
         .as.bye = {.worker = mm_str(name), .instance = instance, .session = 1}},
        {.kind = MM_FRAME_RECORDED,
         .as.recorded = {.worker = mm_str(name),
                         .instance = instance,
                         .session = 1,
                         .items = &recorded,
                         .count = 1}},
        {.kind = MM_FRAME_STATE,
         .as.state = {.worker = mm_str(name), .instance = instance, .session = 1}},
        {.kind = MM_FRAME_TELL,
         .as.tell = {.process = mm_str(name), .about = MM_ABOUT_STATS, .text = mm_str("{}")}}};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        send_frame(self, inbox, &frames[i]);
}

// ---- another's name

// Whoever may send to the inbox: in the names of all, as a saver and as a restarter.
static void forge_workers(rogue_t *self)
{
    static const whose_t who[] = {SAVER, EU_1, VIEWER, OPERATOR};
    for (size_t i = 0; i < sizeof who / sizeof *who; i++) {
        mm_socket_t *inbox = enter(self, who[i], "inbox");
        for (size_t name = 0; name < NAMES; name++) {
            send_all_of_a_worker(self, inbox, names[name], MM_ROLE_RESTARTER);
            send_all_of_a_worker(self, inbox, names[name], MM_ROLE_SAVER);
        }
        mm_socket_destroy(&inbox);
    }
}

// Jobs in the name of the publisher of the run: one of another host, and one that is withdrawn.
static void forge_jobs(rogue_t *self)
{
    mm_job_t jobs[2] = {{.host = mm_str("forged-1"), .delivery = 1},
                        {.host = mm_str("forged-2"), .delivery = 2, .withdrawn = true}};
    memset(jobs[0].id.bytes, 1, sizeof jobs[0].id.bytes);
    memset(jobs[1].id.bytes, 2, sizeof jobs[1].id.bytes);
    mm_socket_t *socket = enter(self, PUBLISHER, "jobs");
    for (size_t i = 0; i < NAMES; i++)
        send_frame(self, socket,
                   &(mm_frame_t){.kind = MM_FRAME_JOBS,
                                 .as.jobs = {.publisher = mm_str(names[i]),
                                             .driver = mm_str(""),
                                             .items = jobs,
                                             .count = 2}});
    mm_socket_destroy(&socket);
}

// A halt by one that may only look, and by workers.
static void forge_orders(rogue_t *self)
{
    static const whose_t who[] = {VIEWER, SAVER, EU_1};
    mm_order_t order = {.action = MM_ACTION_HALT,
                        .name = mm_str(""),
                        .why = mm_str("forged"),
                        .actor = mm_str("root (uid 0, pid 1)")};
    memset(order.id.bytes, 3, sizeof order.id.bytes);
    for (size_t i = 0; i < sizeof who / sizeof *who; i++) {
        mm_socket_t *inbox = enter(self, who[i], "inbox");
        send_frame(self, inbox,
                   &(mm_frame_t){.kind = MM_FRAME_ORDER,
                                 .as.order = {.viewer = 9, .items = &order, .count = 1}});
        mm_socket_destroy(&inbox);
    }
}

// ---- topics

static mm_socket_t *listen_to(rogue_t *self, whose_t whose, const char *kind, const char *name)
{
    char topic[MM_TOPIC_MAX], endpoint[MM_ENDPOINT_MAX];
    mm_socket_t *socket = rogue_socket(self, ZMQ_SUB, &self->keys[whose], NULL);
    if (kind)
        mm_socket_subscribe(socket, mm_topic(kind, name, topic));
    else
        mm_socket_subscribe(socket, (mm_str_t){"", 0});
    (void)mm_socket_connect(socket, rogue_endpoint(self, "events", endpoint));
    return socket;
}

static bool hears(mm_socket_t *socket, int wait_ms)
{
    zmq_pollitem_t item = {.socket = mm_socket_zmq(socket), .events = ZMQ_POLLIN};
    return zmq_poll(&item, 1, wait_ms) > 0;
}

// The consumer's own topic comes to all, those of others to nobody. All listen at once.
static void eavesdrop(rogue_t *self)
{
    static const struct {
        const char *kind, *name;
    } topics[] = {{NULL, NULL},        {"job", "publisher"},      {"worker", "restarter-1"},
                  {"worker", "saver"}, {"worker", "restarter-2"}, {"viewers", NULL},
                  {"progress", NULL}};
    mm_socket_t *sockets[sizeof topics / sizeof *topics];
    size_t count = sizeof topics / sizeof *topics;
    mm_socket_t *own = listen_to(self, EU_1, "consumer", NULL);
    for (size_t i = 0; i < count; i++)
        sockets[i] = listen_to(self, EU_1, topics[i].kind, topics[i].name);
    rogue_report(self, hears(own, JOIN_MS), "eu-1 hears the consumer");
    int64_t end_ms = mm_clock_ms() + HEAR_MS;
    bool hears_any = false;
    for (int64_t now_ms; (now_ms = mm_clock_ms()) < end_ms && !hears_any;)
        for (size_t i = 0; i < count; i++)
            hears_any = hears_any || hears(sockets[i], i == 0 ? 20 : 0);
    rogue_report(self, !hears_any, "eu-1 hears nothing that is for others");
    for (size_t i = 0; i < count; i++)
        mm_socket_destroy(&sockets[i]);
    mm_socket_destroy(&own);
}

// ---- one that has joined

static bool hear_welcome(liar_t *self)
{
    zmq_msg_t message;
    mm_frame_t frame;
    bool is_welcome = false;
    (void)zmq_msg_init(&message);
    if (hears(self->events, 50) &&
        mm_socket_receive(self->events, true, &message) == MM_RECEIVED_FRAME &&
        mm_decode(self->rogue->decoder, zmq_msg_data(&message), zmq_msg_size(&message), &frame) ==
            MM_WIRE_OK &&
        frame.kind == MM_FRAME_WELCOME && frame.as.answer.instance == self->instance) {
        is_welcome = true;
        self->session = frame.as.answer.session;
        (void)snprintf(self->suffix, sizeof self->suffix, "%.*s", (int)frame.as.answer.suffix.size,
                       frame.as.answer.suffix.data);
    }
    (void)zmq_msg_close(&message);
    return is_welcome;
}

// Joins in its own name, without a slot: it wants no task.
static bool join(liar_t *self)
{
    int64_t end_ms = mm_clock_ms() + JOIN_MS;
    const char *name = self->rogue->keys[self->whose].name.text;
    self->inbox = enter(self->rogue, self->whose, "inbox");
    self->events = listen_to(self->rogue, self->whose, "worker", name);
    self->instance = mm_instance_draw();
    while (mm_clock_ms() < end_ms) {
        mm_frame_t hello =
            report_of(name, true, MM_ROLE_RESTARTER, self->instance, 0, ++self->sequence);
        hello.as.report.slots = 0;
        hello.as.report.driver = mm_str(self->rogue->driver);
        hello.as.report.verbs = MM_VERB_REAL;
        send_frame(self->rogue, self->inbox, &hello);
        if (hear_welcome(self))
            return true;
    }
    return false;
}

// Says that it has done and holds what was never given to it: numbers around its session's, which
// are those of this consumer.
static void claim(liar_t *self)
{
    const char *name = self->rogue->keys[self->whose].name.text;
    mm_assignment_t held[CLAIMS] = {{0}};
    for (uint64_t i = 0; i < CLAIMS; i++) {
        mm_result_t result = {.serial = i + 1,
                              .number = self->session - CLAIMS / 2 + i,
                              .leg = (mm_leg_t)(MM_LEG_SAVE + i % 3),
                              .error = mm_str("")};
        result.outcome = result.leg == MM_LEG_RESTART ? MM_OUTCOME_NONE : MM_OUTCOME_RESTARTED;
        held[i] = (mm_assignment_t){.number = result.number, .leg = MM_LEG_RESTART};
        held[i].host = mm_str("beside-00100");
        send_frame(self->rogue, self->inbox,
                   &(mm_frame_t){.kind = MM_FRAME_RESULTS,
                                 .as.results = {.worker = mm_str(name),
                                                .instance = self->instance,
                                                .session = self->session,
                                                .items = &result,
                                                .count = 1}});
    }
    mm_frame_t beat =
        report_of(name, false, MM_ROLE_RESTARTER, self->instance, self->session, ++self->sequence);
    beat.as.report.last_serial = CLAIMS;
    beat.as.report.held = held;
    beat.as.report.held_count = CLAIMS;
    send_frame(self->rogue, self->inbox, &beat);
}

// The tasks of eu-1 come to nobody else, and to it once.
static void steal_tasks(liar_t *self)
{
    rogue_t *rogue = self->rogue;
    char endpoint[MM_ENDPOINT_MAX];
    mm_endpoint_suffix(&rogue->base, self->suffix, endpoint);
    const struct {
        const mm_key_t *key;
        end_t end;
        const char *name;
    } thieves[] = {{NULL, FAILED, "nobody without a key"},
                   {&rogue->keys[EU_2], REFUSED, "no other restarter"},
                   {&rogue->keys[OPERATOR], REFUSED, "no operator"},
                   {&rogue->keys[STRANGER], REFUSED, "no stranger"},
                   {&rogue->keys[EU_1], LET_IN, "eu-1 itself"},
                   {&rogue->keys[EU_1], REFUSED, "but no second time"}};
    mm_socket_t *sockets[sizeof thieves / sizeof *thieves];
    for (size_t i = 0; i < sizeof thieves / sizeof *thieves; i++) {
        sockets[i] = rogue_socket(rogue, ZMQ_PULL, thieves[i].key, NULL);
        rogue_report(rogue, rogue_connect(sockets[i], endpoint) == thieves[i].end,
                     "to the tasks of eu-1: %s", thieves[i].name);
    }
    for (size_t i = 0; i < sizeof thieves / sizeof *thieves; i++)
        mm_socket_destroy(&sockets[i]);
}

void rogue_lies(rogue_t *self)
{
    liar_t liar = {.rogue = self, .whose = EU_1};
    forge_workers(self);
    forge_jobs(self);
    forge_orders(self);
    eavesdrop(self);
    bool has_joined = join(&liar);
    rogue_report(self, has_joined, "eu-1 joins in its own name");
    if (has_joined) {
        steal_tasks(&liar);
        claim(&liar);
    }
    mm_socket_destroy(&liar.inbox);
    mm_socket_destroy(&liar.events);
}

void rogue_stay(rogue_t *self)
{
    liar_t worker = {.rogue = self, .whose = EU_2};
    const char *name = self->keys[EU_2].name.text;
    int64_t end_ms = mm_clock_ms() + STAY_MS;
    rogue_report(self, join(&worker), "%s joins", name);
    (void)fflush(stdout);
    while (mm_clock_ms() < end_ms) {
        mm_frame_t beat = report_of(name, false, MM_ROLE_RESTARTER, worker.instance, worker.session,
                                    ++worker.sequence);
        mm_encode_frame(self->encoder, &beat);
        (void)mm_socket_send(worker.inbox, mm_encoder_bytes(self->encoder));
        (void)hears(worker.events, BEAT_MS); // what, does not matter
    }
    mm_socket_destroy(&worker.inbox);
    mm_socket_destroy(&worker.events);
}
